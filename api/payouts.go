package api

import (
	"bytes"
	"context"
	"fmt"

	"go.temporal.io/api/serviceerror"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// CodeNotRecallable is the code of a payout whose rail cannot be asked to give anything back.
const CodeNotRecallable incentive.Code = "not-recallable"

// GetPayoutList returns what a release pays.
func (s *server) GetPayoutList(ctx context.Context, request spec.GetPayoutListRequestObject) (spec.GetPayoutListResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	list, err := s.Store.PayoutList(ctx, p.ID, p.Revision)
	if err != nil {
		return nil, err
	}
	answer := spec.GetPayoutList200JSONResponse{
		Supplement: list.Supplement,
		Digest:     fmt.Sprintf("%x", list.Digest),
		ReleasedBy: orNil(list.ReleasedBy),
		ReleasedAt: list.ReleasedAt,
		Totals:     []spec.PayoutTotal{},
		Stops:      []spec.RailStop{},
	}
	for _, t := range list.Totals {
		answer.Totals = append(answer.Totals, spec.PayoutTotal{
			Rail:    t.Rail,
			State:   t.State,
			Payouts: t.Payouts,
			Total:   incentive.Money{Minor: t.Minor, Currency: t.Currency},
		})
	}
	stops, err := s.Store.RailStops(ctx, p.ID, p.Revision)
	if err != nil {
		return nil, err
	}
	for _, stop := range stops {
		one := spec.RailStop{Rail: stop.Rail, Code: stop.Code, At: stop.At}
		if stop.Needed.Currency != "" {
			one.Available, one.Needed = &stop.Available, &stop.Needed
		}
		answer.Stops = append(answer.Stops, one)
	}
	return answer, nil
}

// DecideRailStop lets a stopped rail go on, or sets aside what is left on it, and tells the
// disbursement.
func (s *server) DecideRailStop(ctx context.Context, request spec.DecideRailStopRequestObject) (spec.DecideRailStopResponseObject, error) {
	actor := personOf(ctx).ID
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.DecideRailStop(ctx, actor, p.ID, p.Revision, request.Rail, request.Body.Decision == spec.RailStopDecisionRequestDecisionResumed, reasonID); err != nil {
		return nil, err
	}
	if err := workflows.TellDisbursement(ctx, s.Client, p.ID, p.Revision, request.Rail); err != nil {
		return nil, err
	}
	return spec.DecideRailStop200JSONResponse{Rail: request.Rail}, nil
}

// ListPayouts lists the payouts that the caller may see.
func (s *server) ListPayouts(ctx context.Context, request spec.ListPayoutsRequestObject) (spec.ListPayoutsResponseObject, error) {
	p, seen, err := s.seen(ctx, request.Period, request.Params.Revision, value(request.Params.Person))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	which := store.WhichPayouts{
		PeriodID: p.ID,
		Revision: p.Revision,
		Visible:  seen,
		Person:   value(request.Params.Person),
		State:    string(value(request.Params.State)),
		Rail:     value(request.Params.Rail),
		Listing:  listing(request.Params.Search, request.Params.Sort),
	}
	all, err := s.Store.FindPayouts(ctx, which, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListPayouts200JSONResponse{Payouts: []spec.Payout{}}
	for _, o := range all {
		shown := s.payoutOf(o)
		if seen != nil { // nobody tells those whom a list may mean
			shown.ListedAs, shown.SharedWith, shown.Recall, shown.Recallable, shown.Proposal = nil, nil, nil, nil, nil
		}
		answer.Payouts = append(answer.Payouts, shown)
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

func (s *server) payoutOf(o store.Payout) spec.Payout {
	shown := spec.Payout{
		Id:          o.ID,
		Supplement:  o.Supplement,
		Person:      o.ParticipantID,
		Name:        o.Name,
		Amount:      o.Amount,
		Earned:      incentive.Money{Minor: o.Amount.Minor - o.Carried.Minor + o.Withheld.Minor, Currency: o.Amount.Currency},
		Carried:     o.Carried,
		Rail:        o.Rail,
		Destination: o.Masked,
		State:       o.State,
		Reason:      o.Reason,
		Released:    o.Released,
		Filed:       o.Filed,
		LiftedBy:    orNil(o.LiftedBy),
	}
	if o.Withheld.Minor != 0 {
		shown.Withheld = &o.Withheld
	}
	if len(o.ListedAs) > 0 {
		shown.ListedAs = &o.ListedAs
	}
	if len(o.SharedWith) > 0 {
		shown.SharedWith = &o.SharedWith
	}
	if o.Recalled.Minor != 0 {
		shown.Recalled = &o.Recalled
	}
	if o.Recall.State != "" {
		shown.Recall = &spec.Recall{Amount: o.Recall.Amount, State: string(o.Recall.State), Code: o.Recall.Code}
	}
	if left, inPart := s.recallable(o); left.Minor > 0 {
		shown.Recallable = &spec.Recallable{Amount: left, InPart: inPart}
	}
	if o.Proposal.By != "" {
		shown.Proposal = &spec.PayoutProposal{Act: o.Proposal.Act, ProposedBy: o.Proposal.By}
		if o.Proposal.Amount.Minor > 0 {
			shown.Proposal.Amount = &o.Proposal.Amount
		}
	}
	if o.ToBy != "" {
		shown.Redirection = &spec.Redirection{Rail: o.ToRail, Destination: o.ToMasked, ProposedBy: o.ToBy}
	}
	if o.Newer.ID != 0 {
		shown.Newer = &spec.NewerDestination{Rail: o.Newer.Rail, Destination: o.Newer.Masked, Version: o.Newer.Version}
	}
	return shown
}

// ListExceptions lists the payouts of all periods that wait for a person.
func (s *server) ListExceptions(ctx context.Context, request spec.ListExceptionsRequestObject) (spec.ListExceptionsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Exceptions(ctx, store.WhichExceptions{
		PeriodID: value(request.Params.Period),
		Closed:   value(request.Params.Closed),
		Rail:     value(request.Params.Rail),
		Reason:   value(request.Params.Reason),
		Listing:  listing(request.Params.Search, request.Params.Sort),
	}, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListExceptions200JSONResponse{Exceptions: []spec.PayoutException{}}
	for _, x := range all {
		answer.Exceptions = append(answer.Exceptions, spec.PayoutException{
			Payout:      s.payoutOf(x.Payout),
			Period:      x.PeriodID,
			Revision:    x.Revision,
			PeriodState: string(x.PeriodState),
			ReversedOn:  orNil(x.ReversedOn),
		})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// RetryPayout puts a failed payout back and tells the disbursement.
func (s *server) RetryPayout(ctx context.Context, request spec.RetryPayoutRequestObject) (spec.RetryPayoutResponseObject, error) {
	if err := s.decidePayout(ctx, request.Payout, request.Body.Reason, s.Store.RetryPayout); err != nil {
		return nil, err
	}
	answer, err := s.decided(ctx, request.Payout)
	return spec.RetryPayout200JSONResponse(answer), err
}

// LiftHold lets a payout that a limit holds be paid with its list.
func (s *server) LiftHold(ctx context.Context, request spec.LiftHoldRequestObject) (spec.LiftHoldResponseObject, error) {
	err := s.decidePayout(ctx, request.Payout, request.Body.Reason, s.Store.LiftHold)
	return spec.LiftHold200JSONResponse{Payout: request.Payout}, err
}

// ClearDoubt notes that a payout is right as it stands.
func (s *server) ClearDoubt(ctx context.Context, request spec.ClearDoubtRequestObject) (spec.ClearDoubtResponseObject, error) {
	err := s.decidePayout(ctx, request.Payout, request.Body.Reason, s.Store.ClearDoubt)
	return spec.ClearDoubt200JSONResponse{Payout: request.Payout}, err
}

// CancelPayout cancels a payout and tells the disbursement.
func (s *server) CancelPayout(ctx context.Context, request spec.CancelPayoutRequestObject) (spec.CancelPayoutResponseObject, error) {
	if err := s.decidePayout(ctx, request.Payout, request.Body.Reason, s.Store.CancelPayout); err != nil {
		return nil, err
	}
	answer, err := s.decided(ctx, request.Payout)
	return spec.CancelPayout200JSONResponse(answer), err
}

func (s *server) decidePayout(ctx context.Context, payoutID, reason string, decide func(ctx context.Context, actor, payoutID, reasonID string) error) error {
	actor := personOf(ctx).ID
	o, err := s.Store.Payout(ctx, payoutID)
	if err != nil {
		return err
	}
	reasonID, err := s.Store.WriteText(ctx, actor, reason)
	if err != nil {
		return err
	}
	if err := decide(ctx, actor, payoutID, reasonID); err != nil {
		return err
	}
	err = s.Client.SignalWorkflow(ctx, activities.DisburseID(o.PeriodID, o.Revision, o.Rail), "", activities.RetrySignal, nil)
	if _, gone := err.(*serviceerror.NotFound); gone {
		return nil // nothing is being paid yet, or everything has been
	}
	if err != nil {
		return fmt.Errorf("tell the disbursement of payout %s: %w", payoutID, err)
	}
	return nil
}

// RedirectPayout asks for another destination of a payout that waits for a person.
func (s *server) RedirectPayout(ctx context.Context, request spec.RedirectPayoutRequestObject) (spec.RedirectPayoutResponseObject, error) {
	actor := personOf(ctx).ID
	if _, err := s.Store.Payout(ctx, request.Payout); err != nil {
		return nil, err
	}
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	err = s.Store.ProposeRedirection(ctx, actor, request.Payout, reasonID, request.Body.DestinationVersion)
	return spec.RedirectPayout200JSONResponse{Payout: request.Payout}, err
}

// decided is the answer to a decision about a payout, which may wait for a second person.
func (s *server) decided(ctx context.Context, payoutID string) (spec.PayoutAnswer, error) {
	o, err := s.Store.Payout(ctx, payoutID)
	answer := spec.PayoutAnswer{Payout: payoutID}
	if waits := o.Proposal.By != ""; waits {
		answer.Waits = &waits
	}
	return answer, err
}

// recallable is what a payout's rail can be asked to give back of it now, and whether it may be
// less: a rail that reverses gives back what it paid, one that cancels the whole of what it has taken.
func (s *server) recallable(o store.Payout) (left incentive.Money, inPart bool) {
	left = incentive.Money{Minor: o.Amount.Minor - o.Recalled.Minor, Currency: o.Amount.Currency}
	rail, err := s.Rails.Rail(o.Rail)
	if err != nil {
		return incentive.Money{}, false
	}
	_, reverses := rail.(payments.Reverser)
	_, cancels := rail.(payments.Canceller)
	busy := o.Recall.State == store.RecallConfirmed || o.Recall.State == store.RecallSent || o.Proposal.By != "" || o.Reason == string(store.CodeBankUnclear)
	switch {
	case !busy && reverses && o.State == "paid":
		return left, true
	case !busy && !reverses && cancels && (o.State == "paid" || o.State == "submitted"):
		return left, false
	}
	return incentive.Money{}, false
}

// RecallPayout asks for a payout to be taken back from its rail.
func (s *server) RecallPayout(ctx context.Context, request spec.RecallPayoutRequestObject) (spec.RecallPayoutResponseObject, error) {
	actor := personOf(ctx).ID
	o, err := s.Store.Payout(ctx, request.Payout)
	if err != nil {
		return nil, err
	}
	rail, err := s.Rails.Rail(o.Rail)
	if err != nil {
		return nil, err
	}
	_, reverses := rail.(payments.Reverser)
	if _, cancels := rail.(payments.Canceller); !reverses && !cancels {
		return nil, incentive.Errorf(CodeNotRecallable, "%s cannot be asked to give anything back: ask the bank, or the person", o.Rail)
	}
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	if err := s.Store.ProposeRecall(ctx, actor, o.ID, reasonID, value(request.Body.Amount), !reverses); err != nil {
		return nil, err
	}
	answer, err := s.decided(ctx, o.ID)
	return spec.RecallPayout200JSONResponse(answer), err
}

// DecidePayout confirms what somebody has asked for about a payout, and has it done, or
// refuses it.
func (s *server) DecidePayout(ctx context.Context, request spec.DecidePayoutRequestObject) (spec.DecidePayoutResponseObject, error) {
	actor := personOf(ctx).ID
	if _, err := s.Store.Payout(ctx, request.Payout); err != nil {
		return nil, err
	}
	reasonID := ""
	if reason := value(request.Body.Reason); reason != "" {
		var err error
		if reasonID, err = s.Store.WriteText(ctx, actor, reason); err != nil {
			return nil, err
		}
	}
	confirms := request.Body.Decision == spec.RedirectionDecisionRequestDecisionConfirmed
	recall, err := s.Store.DecidePayout(ctx, actor, request.Payout, confirms, reasonID)
	if err != nil {
		return nil, err
	}
	if confirms {
		o, err := s.Store.Payout(ctx, request.Payout)
		if err != nil {
			return nil, err
		}
		if recall != "" {
			err = workflows.StartRecall(ctx, s.Client, recall, o.Rail)
		} else if o.Released {
			err = workflows.TellDisbursement(ctx, s.Client, o.PeriodID, o.Revision, o.Rail)
		}
		if err != nil {
			return nil, err
		}
	}
	return spec.DecidePayout200JSONResponse{Payout: request.Payout}, nil
}

func fileOf(f store.PaymentFile) spec.PaymentFile {
	return spec.PaymentFile{
		Id:          f.ID,
		Name:        f.Name,
		Rail:        f.Rail,
		MessageId:   f.MessageID,
		Sha256:      fmt.Sprintf("%x", f.SHA256),
		Payouts:     f.Payouts,
		Total:       incentive.Money{Minor: f.TotalMinor, Currency: f.Currency},
		BuiltAt:     f.BuiltAt,
		ConfirmedBy: orNil(f.ConfirmedBy),
		ConfirmedAt: f.ConfirmedAt,
		Settled:     f.Settled,
		Unpaid:      f.Unpaid,
	}
}

// ListPaymentFiles lists a period's payment files.
func (s *server) ListPaymentFiles(ctx context.Context, request spec.ListPaymentFilesRequestObject) (spec.ListPaymentFilesResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	files, err := s.Store.PaymentFiles(ctx, p.ID, p.Revision, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListPaymentFiles200JSONResponse{Files: []spec.PaymentFile{}}
	for _, f := range files {
		answer.Files = append(answer.Files, fileOf(f))
	}
	answer.Next = next(len(files), limit, func() string { return files[len(files)-1].ID })
	return answer, nil
}

// GetPaymentFile returns a payment file to take to the bank.
func (s *server) GetPaymentFile(ctx context.Context, request spec.GetPaymentFileRequestObject) (spec.GetPaymentFileResponseObject, error) {
	f, err := s.Store.PaymentFile(ctx, request.File)
	if err != nil {
		return nil, err
	}
	name := attachment(f.Name)
	return spec.GetPaymentFile200ApplicationoctetStreamResponse{Body: bytes.NewReader(f.Content), ContentLength: int64(len(f.Content)),
		Headers: spec.GetPaymentFile200ResponseHeaders{ContentDisposition: &name}}, nil
}

// PayAgain has another payment file of its period pay what a file did not, and tells the disbursement.
func (s *server) PayAgain(ctx context.Context, request spec.PayAgainRequestObject) (spec.PayAgainResponseObject, error) {
	actor := personOf(ctx).ID
	if _, err := s.Store.PaymentFile(ctx, request.File); err != nil {
		return nil, err
	}
	reasonID, err := s.Store.WriteText(ctx, actor, request.Body.Reason)
	if err != nil {
		return nil, err
	}
	f, err := s.Store.PayAgain(ctx, actor, request.File, reasonID)
	if err != nil {
		return nil, err
	}
	return spec.PayAgain200JSONResponse(fileOf(f)), workflows.TellDisbursement(ctx, s.Client, f.PeriodID, f.Revision, f.Rail)
}

// ConfirmPaymentFile notes that a file was taken to the bank, or carried out by it.
func (s *server) ConfirmPaymentFile(ctx context.Context, request spec.ConfirmPaymentFileRequestObject) (spec.ConfirmPaymentFileResponseObject, error) {
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.PaymentFile, error) {
		f, err := s.Store.PaymentFile(ctx, request.File)
		if err != nil {
			return spec.PaymentFile{}, err
		}
		var confirmed workflows.Answer
		err = update(ctx, s, activities.DisburseID(f.PeriodID, f.Revision, f.Rail), workflows.ConfirmFileUpdate,
			workflows.ConfirmFileInput{Actor: personOf(ctx).ID, FileID: f.ID, Paid: request.Body.Paid}, &confirmed, func() error {
				return incentive.Errorf(incentive.CodeNotAllowedNow, "everything in this file has been settled already")
			})
		if err == nil && confirmed.Code != "" {
			err = incentive.Errorf(confirmed.Code, "%s", confirmed.Message)
		}
		if err != nil {
			return spec.PaymentFile{}, err
		}
		f, err = s.Store.PaymentFile(ctx, f.ID)
		return fileOf(f), err
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.ConfirmPaymentFile202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.ConfirmPaymentFile200JSONResponse(answer), nil
}

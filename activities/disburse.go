package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// UnknownOutcome is the code of a payout whose answer was lost and could not be looked
// up: it waits for a person, and nothing can pay it a second time meanwhile.
const UnknownOutcome = "unknown-outcome"

// keyLifetime is how long after the first call a key may be used again. Rails forget keys
// after 24 hours at the earliest (Stripe); past that only a look-up is safe.
const keyLifetime = 23 * time.Hour

// A rail that knows no keys is called once for an attempt. What it does not know yet it may
// know soon: it is asked every lookUpPause, for lookUpTime, before a person is.
const (
	lookUpPause = 30 * time.Second
	lookUpTime  = 4 * time.Minute
)

// awayTries is how often a rail is asked for its balance before it is away.
const awayTries = 6

// ListRails lists the rails that pay a released revision.
func (a *Activities) ListRails(ctx context.Context, periodID string, revision int) ([]string, error) {
	batches, err := a.Store.Batches(ctx, periodID, revision)
	if err != nil {
		return nil, err
	}
	rails := make([]string, len(batches))
	for i, b := range batches {
		rails[i] = b.Rail
	}
	return rails, nil
}

// RailWork is what is left to do on a rail.
type RailWork struct {
	OnHold       bool  // nothing may be sent until a person lets it: the period is on hold or the rail stopped
	Away         bool  `json:",omitempty"` // the rail stopped because it did not answer: it is asked whether it does again
	Batches      []int // batches with a payout that is still to be sent, call by call
	WaitingFiles int   // files that nobody has confirmed yet
	Submitted    int   // payouts that a rail of single payouts has taken and may not have paid
	Open         int   // payouts that are neither paid nor cancelled
}

// PrepareRail says what is left to do on a rail, and builds the rail's payment files
// where it pays by file. A rail of single payouts is asked first whether it holds what is to
// be sent; one that does not, or that nothing can be sent by, is stopped.
func (a *Activities) PrepareRail(ctx context.Context, periodID string, revision int, rail string) (RailWork, error) {
	defer heartbeat(ctx)()
	var work RailWork
	p, err := a.Store.PeriodRevision(ctx, periodID, revision)
	if err != nil || p.OnHold {
		return RailWork{OnHold: p.OnHold}, err
	}
	stops, err := a.Store.RailStops(ctx, periodID, revision)
	if err != nil {
		return work, err
	}
	lock, err := a.Store.SendingLock(ctx)
	if err != nil {
		return work, err
	}
	work.OnHold = lock != nil
	for _, one := range stops {
		if one.Rail == rail {
			work.OnHold, work.Away = true, one.Code == string(store.CodeRailAway)
		}
	}
	prepare := a.prepareCalls
	if _, err := a.Rails.File(rail); err == nil {
		prepare = a.prepareFiles
	}
	if err := prepare(ctx, periodID, revision, rail, &work); err != nil {
		return work, err
	}
	work.Open, err = a.Store.OpenOnRail(ctx, periodID, revision, rail)
	return work, err
}

// prepareFiles builds the files of a rail, unless nothing may be sent by it, and says in work
// what files wait for.
func (a *Activities) prepareFiles(ctx context.Context, periodID string, revision int, name string, work *RailWork) error {
	rail, err := a.Rails.File(name)
	if err != nil {
		return err
	}
	if !work.OnHold {
		err := a.buildFiles(ctx, periodID, revision, rail)
		if code := incentive.ErrorCode(err); code == incentive.CodeOnHold || code == store.CodeSendingLocked {
			work.OnHold, err = true, nil
		} else if payments.ClassOf(err).Handling().StopRun {
			work.OnHold, err = true, a.Store.StopRail(ctx, store.RailStop{PeriodID: periodID, Revision: revision, Rail: name, Code: codeOf(err)}, nil)
		}
		if err != nil {
			return err
		}
	}
	files, err := a.Store.FilesOfRail(ctx, periodID, revision, name)
	if err != nil {
		return err
	}
	_, presumes := rail.(payments.Presumer)
	for _, f := range files {
		if f.ConfirmedAt == nil {
			work.WaitingFiles++
		} else if presumes && !f.Settled {
			work.Submitted += f.Payouts
		}
	}
	return nil
}

// prepareCalls says in work what is to be sent by a rail of single payouts and what it has
// taken, and stops the rail where it can send nothing.
func (a *Activities) prepareCalls(ctx context.Context, periodID string, revision int, rail string, work *RailWork) error {
	batches, err := a.Store.OpenBatches(ctx, periodID, revision, rail)
	if err != nil {
		return err
	}
	accounts, err := a.Store.AccountsNotReady(ctx, periodID, revision, rail)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if err := a.followAccount(ctx, rail, account); err != nil {
			activity.GetLogger(ctx).Warn("an account could not be looked up", "rail", rail, "error", err)
		}
	}
	if len(batches) > 0 && !work.OnHold {
		stop, err := a.cannotSend(ctx, periodID, revision, rail)
		if payments.ClassOf(err) == payments.Unknown && activity.GetInfo(ctx).Attempt >= awayTries {
			stop.Code, err = string(store.CodeRailAway), nil
			work.Away = true
		}
		if err == nil && stop.Code != "" {
			work.OnHold, err = true, a.Store.StopRail(ctx, stop, nil)
		}
		if err != nil {
			return err
		}
	}
	if !work.OnHold {
		work.Batches = batches
	}
	submitted, err := a.Store.SubmittedPayouts(ctx, periodID, revision, rail)
	work.Submitted = len(submitted)
	return err
}

// cannotSend says why a rail of single payouts can send nothing of what is left: it is not
// here, refuses whatever it is asked, or holds less than is to be sent. Its code is "" where
// nothing is in the way.
func (a *Activities) cannotSend(ctx context.Context, periodID string, revision int, name string) (store.RailStop, error) {
	stop := store.RailStop{PeriodID: periodID, Revision: revision, Rail: name}
	rail, err := a.Rails.Single(name)
	if err != nil {
		stop.Code = string(incentive.ErrorCode(err))
		return stop, nil
	}
	sums, err := a.Store.ToSend(ctx, periodID, revision, name)
	if err != nil {
		return stop, err
	}
	for _, needed := range sums {
		available, err := balance(ctx, rail, needed.Currency)
		switch class := payments.ClassOf(err); {
		case err != nil && class.Handling().Retry:
			return stop, fmt.Errorf("ask %s for its balance: %w", name, err)
		case err != nil:
			stop.Code = codeOf(err)
			return stop, nil
		case available != nil && available.Minor < needed.Minor:
			stop.Code, stop.Available, stop.Needed = string(store.CodeBalanceSmall), *available, needed
			return stop, nil
		}
	}
	return stop, nil
}

// balance asks what a rail holds in a currency: nil where it converts from another, so that only its
// answer to a payment says whether it holds enough.
func balance(ctx context.Context, rail payments.SingleRail, currency incentive.Currency) (*incentive.Money, error) {
	available, err := rail.Balance(ctx, currency)
	if codeOf(err) == payments.CurrencyNotHeld {
		return nil, nil
	}
	return &available, err
}

// codeOf is the code of a rail's error, or its class where it has none.
func codeOf(err error) string {
	var detail *payments.Error
	if errors.As(err, &detail) && detail.Code != "" {
		return detail.Code
	}
	return string(payments.ClassOf(err))
}

// RetrySignal tells a disbursement that there may be something to do: a person has put
// payouts back or resumed the period, or a bank has answered.
const RetrySignal = "retry"

// resumed tells the disbursements of a period that was on hold to go on.
func (a *Activities) resumed(ctx context.Context, periodID string, revision int) error {
	rails, err := a.ListRails(ctx, periodID, revision)
	if err != nil {
		return err
	}
	for _, rail := range rails {
		if err := a.tellDisbursement(ctx, periodID, revision, rail); err != nil {
			return err
		}
	}
	return nil
}

// tellDisbursement tells a disbursement that there may be something to do. One that has
// ended, or has not begun, is none the wiser.
func (a *Activities) tellDisbursement(ctx context.Context, periodID string, revision int, rail string) error {
	err := a.Client.SignalWorkflow(ctx, DisburseID(periodID, revision, rail), "", RetrySignal, nil)
	var gone *serviceerror.NotFound
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("tell the disbursement of %s by %s: %w", periodID, rail, err)
	}
	return nil
}

// filed is what one payment file of a rail pays.
type filed struct {
	supplement int // the payout list
	currency   incentive.Currency
}

// buildFiles builds the payment file of each payout list and currency, once. A payout that cannot be
// written into a file is set aside for a person.
func (a *Activities) buildFiles(ctx context.Context, periodID string, revision int, rail payments.FileRail) error {
	name := rail.Name()
	built, err := a.Store.FilesOfRail(ctx, periodID, revision, name)
	if err != nil {
		return err
	}
	done := map[filed]bool{}
	for _, f := range built {
		done[filed{f.Supplement, f.Currency}] = true
	}
	if err := a.Store.HoldNotReady(ctx, periodID, revision, name); err != nil {
		return err
	}
	payouts, err := a.Store.PlannedPayouts(ctx, periodID, revision, name)
	if err != nil {
		return err
	}
	ids := make([]int64, len(payouts))
	for i, o := range payouts {
		ids[i] = o.DestinationID
	}
	destinations, err := a.Store.Destinations(ctx, ids)
	if err != nil {
		return err
	}
	var files []filed
	requests := map[filed]*payments.FileRequest{}
	for _, o := range payouts {
		file := filed{o.Supplement, o.Amount.Currency}
		if done[file] {
			continue
		}
		request := requests[file]
		if request == nil {
			request = &payments.FileRequest{PeriodID: periodID, Revision: revision, Currency: file.currency}
			requests[file] = request
			files = append(files, file)
		}
		request.Payments = append(request.Payments, payments.FilePayment{PayoutID: o.ID, Amount: o.Amount, Destination: destinations[o.DestinationID].Details})
	}
	for _, file := range files {
		if err := a.buildFile(ctx, rail, file.supplement, *requests[file]); err != nil {
			return err
		}
	}
	return nil
}

// number gives a file of a day, and its payments, the numbers by which their bank speaks of them:
// the same for the same purpose.
func number(ctx context.Context, s *store.Store, name string, rail payments.Numbered, purpose string, request *payments.FileRequest) error {
	n, err := s.NumberFile(ctx, name, purpose, request.On, len(request.Payments), rail.FilesADay())
	if err == nil {
		request.Number, request.First = n.Number, n.First
	}
	return err
}

func (a *Activities) buildFile(ctx context.Context, rail payments.FileRail, supplement int, request payments.FileRequest) error {
	if numbered, ok := rail.(payments.Numbered); ok && len(request.Payments) > 0 {
		zone, err := a.zone(ctx)
		if err != nil {
			return err
		}
		request.On = incentive.DateOf(a.Now().In(zone))
		purpose := fmt.Sprintf("payments/%s/%d/%d/%s", request.PeriodID, request.Revision, supplement, request.Currency)
		if err := number(ctx, a.Store, rail.Name(), numbered, purpose, &request); err != nil {
			return err
		}
	}
	file, refused, err := build(ctx, rail, request)
	for _, r := range refused {
		if err := a.Store.SetAside(ctx, r.PayoutID, "not-writable"); err != nil {
			return err
		}
	}
	if err != nil || file.Count == 0 {
		return err
	}
	_, err = a.Store.KeepPaymentFile(ctx, store.PaymentFile{
		PeriodID:    request.PeriodID,
		Revision:    request.Revision,
		Supplement:  supplement,
		Rail:        rail.Name(),
		Currency:    request.Currency,
		Name:        file.Name,
		MessageID:   file.MessageID,
		Content:     file.Content,
		SHA256:      file.SHA256,
		Payouts:     file.Count,
		TotalMinor:  file.Total.Minor,
		EffectiveOn: file.EffectiveOn,
		Traces:      file.Traces,
	})
	return err
}

// build builds a file of what can be written into one, and says what cannot: there is none,
// of Count 0, where nothing can.
func build(ctx context.Context, rail payments.FileRail, request payments.FileRequest) (payments.File, []payments.Refusal, error) {
	if len(request.Payments) == 0 {
		return payments.File{}, nil, nil
	}
	file, err := rail.BuildFile(ctx, request)
	var refused *payments.Error
	if !errors.As(err, &refused) || len(refused.Refused) == 0 {
		return file, nil, err
	}
	out := map[string]bool{}
	for _, r := range refused.Refused {
		out[r.PayoutID] = true
	}
	kept := request.Payments[:0:0]
	for _, p := range request.Payments {
		if !out[p.PayoutID] {
			kept = append(kept, p)
		}
	}
	if request.Payments = kept; len(kept) == 0 {
		return payments.File{}, refused.Refused, nil
	}
	file, err = rail.BuildFile(ctx, request)
	return file, refused.Refused, err
}

// ListPayouts lists the payouts of a batch that are still to be sent: none while the
// period is on hold.
func (a *Activities) ListPayouts(ctx context.Context, periodID string, revision int, rail string, batch int) ([]string, error) {
	p, err := a.Store.PeriodRevision(ctx, periodID, revision)
	if err != nil || p.OnHold {
		return nil, err
	}
	return a.Store.PayoutsToSend(ctx, periodID, revision, rail, batch)
}

// SetAside makes a payout an exception that waits for a person.
func (a *Activities) SetAside(ctx context.Context, payoutID, code string) error {
	return a.Store.SetAside(ctx, payoutID, code)
}

// SubmitOutcome is what became of a payout that was to be submitted. With OnHold nothing was
// paid, and nothing else of the batch will be: the period is on hold, or the rail stopped.
type SubmitOutcome struct {
	OnHold bool
}

// SubmitPayout makes one payout, exactly once however often it runs: the attempt with its
// key is in the database before the rail is called, and an attempt that may have been
// sent is looked up before anything is sent again.
func (a *Activities) SubmitPayout(ctx context.Context, payoutID string) (SubmitOutcome, error) {
	defer heartbeat(ctx)()
	attempt, live, err := a.Store.BeginAttempt(ctx, payoutID)
	if code := incentive.ErrorCode(err); code == incentive.CodeOnHold || code == store.CodeRailStopped || code == store.CodeSendingLocked {
		return SubmitOutcome{OnHold: true}, nil
	}
	if err != nil || !live {
		return SubmitOutcome{}, err
	}
	rail, err := a.Rails.Single(attempt.Order.Rail)
	if err != nil {
		return a.stop(ctx, attempt, !attempt.New, string(incentive.ErrorCode(err)))
	}
	if !attempt.New {
		found, err := askAgain(func() (payments.Result, error) { return rail.Lookup(ctx, attempt.Key) })
		if err != nil {
			return a.refused(ctx, attempt, err, true)
		}
		a.noted(attempt, nil)
		if found.Found() {
			return a.confirm(ctx, rail, attempt, found)
		}
		switch lookUp, askPerson := notFound(rail, a.Now().Sub(*attempt.SentAt)); {
		case lookUp:
			return SubmitOutcome{}, temporal.NewApplicationErrorWithOptions("the rail knows nothing of the payout yet", string(payments.Unknown), temporal.ApplicationErrorOptions{NextRetryDelay: Wait(lookUpPause)})
		case askPerson:
			return SubmitOutcome{}, a.Store.SetAside(ctx, payoutID, string(store.CodeNotFoundAtRail))
		}
		if err := a.Store.SendAgain(ctx, attempt.Attempt); err != nil {
			return SubmitOutcome{}, err
		}
	}
	o := attempt.Order
	result, err := rail.Submit(ctx, payments.Instruction{
		Key:         attempt.Key,
		Reference:   attempt.Key,
		PayoutID:    o.ID,
		PeriodID:    o.PeriodID,
		Amount:      o.Amount,
		Destination: attempt.To.Details,
	})
	if err != nil {
		// What was lost before may be under way yet, and be taken where this was refused: the
		// payout can be sent anew, or given up, only once nothing can be.
		underWay := !attempt.New && a.Now().Sub(*attempt.SentAt) < Wait(lookUpTime)
		if of := payments.ClassOf(err).Handling(); underWay && of.NewAttempt && !of.StopRun {
			if err := a.Store.MarkUnknown(context.WithoutCancel(ctx), attempt.Attempt); err != nil {
				return SubmitOutcome{}, err
			}
			return SubmitOutcome{}, temporal.NewApplicationErrorWithOptions("the rail refuses what may be under way", string(payments.ClassOf(err)), temporal.ApplicationErrorOptions{NextRetryDelay: Wait(lookUpPause)})
		}
		return a.refused(ctx, attempt, err, underWay)
	}
	a.noted(attempt, nil)
	return a.confirm(ctx, rail, attempt, result)
}

// notFound says what follows where a rail knows nothing of what may have been sent so long ago:
// it is looked up again, or a person is asked, or, with neither, it is sent again by its key.
func notFound(rail payments.SingleRail, age time.Duration) (lookUp, askPerson bool) {
	window := min(keyLifetime, rail.Capabilities().DedupeWindow)
	lookUp = window == 0 && age < Wait(lookUpTime)
	return lookUp, !lookUp && (window == 0 || age > window)
}

// stop stops the rail of a payout, and gives its attempt up unless something may have been sent.
func (a *Activities) stop(ctx context.Context, attempt store.BegunAttempt, sentBefore bool, code string) (SubmitOutcome, error) {
	refused, o := &attempt.Attempt, attempt.Order
	if sentBefore {
		refused = nil
	}
	return SubmitOutcome{OnHold: true}, a.Store.StopRail(ctx, store.RailStop{PeriodID: o.PeriodID, Revision: o.Revision, Rail: o.Rail, Code: code}, refused)
}

func (a *Activities) confirm(ctx context.Context, rail payments.SingleRail, attempt store.BegunAttempt, result payments.Result) (SubmitOutcome, error) {
	if err := result.Matches(rail.Name(), attempt.Order.Amount); err != nil {
		return a.refused(ctx, attempt, err, true)
	}
	switch result.State {
	case payments.Returned:
		return SubmitOutcome{}, a.Store.SetAside(ctx, attempt.PayoutID, "returned")
	case payments.Refused:
		return SubmitOutcome{}, a.reject(ctx, attempt, result.Class, cmp.Or(result.Code, string(payments.Refused)))
	}
	return SubmitOutcome{}, a.Store.Confirm(ctx, attempt.Attempt, result.RailID, result.State == payments.Paid)
}

// refused deals with an error of the rail by the one table of classes. An attempt that
// was sent before may have paid whatever this answer says, and stays live.
func (a *Activities) refused(ctx context.Context, attempt store.BegunAttempt, err error, sentBefore bool) (SubmitOutcome, error) {
	class := payments.ClassOf(err)
	handling := class.Handling()
	code := codeOf(err)
	var detail *payments.Error
	wait := time.Duration(0)
	if errors.As(err, &detail) {
		wait = detail.RetryAfter
	}
	if handling.MayHavePaid || sentBefore {
		// The answer is kept even where the activity's own time is up.
		if err := a.Store.MarkUnknown(context.WithoutCancel(ctx), attempt.Attempt); err != nil {
			return SubmitOutcome{}, err
		}
	}
	switch away := a.noted(attempt, err); {
	case away:
		return a.stop(ctx, attempt, true, string(store.CodeRailAway))
	case handling.Retry:
		return SubmitOutcome{}, temporal.NewApplicationErrorWithOptions("the rail did not answer for good", string(class), temporal.ApplicationErrorOptions{NextRetryDelay: wait})
	case handling.StopRun:
		return a.stop(ctx, attempt, sentBefore, code)
	case handling.MayHavePaid || sentBefore:
		return SubmitOutcome{}, a.Store.SetAside(ctx, attempt.PayoutID, code)
	default:
		return SubmitOutcome{}, a.reject(ctx, attempt, class, code)
	}
}

// reject notes that the rail refused an attempt. Where the recipient's account is why, nothing more is sent
// there; a rail that says itself how accounts stand is asked how this one does now.
func (a *Activities) reject(ctx context.Context, attempt store.BegunAttempt, class payments.Class, code string) error {
	if class != payments.RecipientAction {
		return a.Store.Reject(ctx, attempt.Attempt, code)
	}
	if err := a.Store.RejectAccount(ctx, attempt.Attempt, code); err != nil {
		return err
	}
	if rail, err := a.Rails.Rail(attempt.Order.Rail); err == nil {
		if onboarder, is := rail.(payments.Onboarder); is {
			if err := a.followAccount(ctx, rail.Name(), onboarder.AccountOf(attempt.To.Details)); err != nil {
				activity.GetLogger(ctx).Warn("an account could not be looked up", "rail", rail.Name(), "error", err)
			}
		}
	}
	return nil
}

// outcomeOf is what a look-up at a rail says of a payout.
func outcomeOf(found payments.Result) store.PayoutOutcome {
	return store.PayoutOutcome{
		State:      string(found.State),
		Code:       cmp.Or(found.Code, string(found.State)),
		Amount:     found.Amount,
		Reversed:   found.Reversed,
		BadAccount: found.Class == payments.RecipientAction,
	}
}

// AskAfter looks up what a rail had taken and not paid, and does what it says: payouts are
// paid, or have come back and wait for a person. One that cannot be looked up is asked
// after the next time. Of a rail of files that is a payments.Presumer, what its bank has said
// nothing of in time is paid.
func (a *Activities) AskAfter(ctx context.Context, periodID string, revision int, name string) error {
	defer heartbeat(ctx)()
	if files, err := a.Rails.File(name); err == nil {
		return a.presume(ctx, periodID, revision, files)
	}
	rail, err := a.Rails.Single(name)
	if err != nil {
		return err
	}
	submitted, err := a.Store.SubmittedPayouts(ctx, periodID, revision, name)
	if err != nil {
		return err
	}
	for _, o := range submitted {
		found, err := rail.Lookup(ctx, o.Reference)
		if err != nil {
			activity.GetLogger(ctx).Warn("a payout could not be looked up", "payout", o.PayoutID, "error", err)
		} else if found.Found() && found.State != payments.Submitted {
			says := outcomeOf(found)
			says.PayoutID = o.PayoutID
			if err := a.Store.SettlePayout(ctx, says); err != nil {
				return err
			}
		}
		if err := pause(ctx, rail); err != nil {
			return err
		}
	}
	return nil
}

// presume notes of files that their bank has said nothing of in time that they are paid.
func (a *Activities) presume(ctx context.Context, periodID string, revision int, rail payments.FileRail) error {
	presumer, presumes := rail.(payments.Presumer)
	if !presumes {
		return nil
	}
	zone, err := a.zone(ctx)
	if err != nil {
		return err
	}
	files, err := a.Store.FilesOfRail(ctx, periodID, revision, rail.Name())
	if err != nil {
		return err
	}
	today := incentive.DateOf(a.Now().In(zone))
	for _, f := range files {
		if f.ConfirmedAt == nil || f.Settled {
			continue
		}
		if on := presumer.PresumedPaid(f.EffectiveOn, incentive.DateOf(f.ConfirmedAt.In(zone))); !today.Before(on) {
			if err := a.Store.PresumePaid(ctx, f.ID, on); err != nil {
				return err
			}
		}
	}
	return nil
}

// ConfirmFile notes what a person says about a payment file: that it was taken to the
// bank or, with paid, that the bank has carried it out.
func (a *Activities) ConfirmFile(ctx context.Context, actor, fileID string, paid bool) (Outcome, error) {
	defer heartbeat(ctx)()
	_, err := a.Store.ConfirmFile(ctx, actor, fileID, paid)
	return outcome(store.PeriodRevision{}, err)
}

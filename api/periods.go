package api

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

func periodOf(ctx context.Context, p store.PeriodRevision) spec.Period {
	acts := []string{}
	for _, act := range incentive.PersonActs() {
		if _, err := incentive.Next(p.State, p.OnHold, act); err == nil && (act != incentive.Release || p.ToRelease) {
			acts = append(acts, string(act))
		}
	}
	if p.State == incentive.Closed {
		acts = append(acts, string(incentive.Reopen))
	}
	return spec.Period{Id: p.ID, Calendar: p.CalendarID, Code: p.Code, StartsOn: p.StartsOn, EndsOn: p.EndsOn, Revision: p.Revision, State: string(p.State),
		OnHold: p.OnHold, Acts: acts, WindowDeadline: p.WindowDeadline, Problem: orNil(languageOf(ctx).Translate(p.Problem))}
}

// ListPeriods lists the periods of all calendars.
func (s *server) ListPeriods(ctx context.Context, request spec.ListPeriodsRequestObject) (spec.ListPeriodsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.CalendarPeriods(ctx, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListPeriods200JSONResponse{Periods: []spec.Period{}}
	for _, p := range all {
		if p.Revision == 0 {
			answer.Periods = append(answer.Periods, spec.Period{
				Id:       p.ID,
				Calendar: p.CalendarID,
				Code:     p.Code,
				StartsOn: p.StartsOn,
				EndsOn:   p.EndsOn,
				State:    "not-opened",
				Acts:     []string{"open"},
			})
			continue
		}
		answer.Periods = append(answer.Periods, periodOf(ctx, p))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// GetPeriod says where a period stands.
func (s *server) GetPeriod(ctx context.Context, request spec.GetPeriodRequestObject) (spec.GetPeriodResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	disputable, err := s.Store.MayDispute(ctx, p, today)
	if err != nil {
		return nil, err
	}
	answer := periodOf(ctx, p)
	answer.Disputable = &disputable
	return spec.GetPeriod200JSONResponse(answer), nil
}

// OpenPeriod opens a period and starts its workflow.
func (s *server) OpenPeriod(ctx context.Context, request spec.OpenPeriodRequestObject) (spec.OpenPeriodResponseObject, error) {
	p, err := s.Store.OpenPeriod(ctx, personOf(ctx).ID, request.Period)
	if err != nil {
		return nil, err
	}
	if err := workflows.StartPayPeriod(ctx, s.Client, p.ID, p.Revision); err != nil {
		return nil, err
	}
	return spec.OpenPeriod201JSONResponse(periodOf(ctx, p)), nil
}

// ReopenPeriod opens the next revision of a closed period and starts its workflow.
func (s *server) ReopenPeriod(ctx context.Context, request spec.ReopenPeriodRequestObject) (spec.ReopenPeriodResponseObject, error) {
	actor := personOf(ctx).ID
	reason := strings.TrimSpace(request.Body.Reason)
	if reason == "" {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why: %s needs a reason", incentive.Reopen)
	}
	reasonID, err := s.Store.WriteText(ctx, actor, reason)
	if err != nil {
		return nil, err
	}
	p, err := s.Store.ReopenPeriod(ctx, actor, request.Period, reasonID)
	if err != nil {
		return nil, err
	}
	if err := workflows.StartPayPeriod(ctx, s.Client, p.ID, p.Revision); err != nil {
		return nil, err
	}
	return spec.ReopenPeriod201JSONResponse(periodOf(ctx, p)), nil
}

// ListActs lists what was done to a period.
func (s *server) ListActs(ctx context.Context, request spec.ListActsRequestObject) (spec.ListActsResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	acts, err := s.Store.PeriodActs(ctx, p.ID, p.Revision)
	if err != nil {
		return nil, err
	}
	answer := spec.ListActs200JSONResponse{Acts: []spec.PeriodAct{}}
	for _, a := range acts {
		answer.Acts = append(answer.Acts, spec.PeriodAct{Act: string(a.Act), From: string(a.From), To: string(a.To), Actor: a.Actor, At: a.At})
	}
	return answer, nil
}

// ActOnPeriod moves a period on.
func (s *server) ActOnPeriod(ctx context.Context, request spec.ActOnPeriodRequestObject) (spec.ActOnPeriodResponseObject, error) {
	act := incentive.Act(request.Body.Act)
	reason := strings.TrimSpace(value(request.Body.Reason))
	if reason == "" && incentive.NeedsReason(act) {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why: %s needs a reason", act)
	}
	if (act == incentive.ExtendWindow) != (request.Body.Days != nil) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%s takes a number of business days, and no other act does", incentive.ExtendWindow)
	}
	if request.Body.Changes != nil && (act != incentive.Recalculate || len(*request.Body.Changes) == 0) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "changes are named to %s, at least one", incentive.Recalculate)
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.ActAnswer, error) {
		input := workflows.ActInput{Actor: personOf(ctx).ID, Days: value(request.Body.Days)}
		if reason != "" {
			var err error
			if input.ReasonID, err = s.Store.WriteText(ctx, input.Actor, reason); err != nil {
				return spec.ActAnswer{}, err
			}
		}
		if request.Body.Changes != nil {
			p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
			if err != nil {
				return spec.ActAnswer{}, err
			}
			amendment := store.Amendment{ID: commandID(ctx), PeriodID: p.ID, Revision: p.Revision, By: input.Actor}
			for _, change := range *request.Body.Changes {
				amendment.Changes = append(amendment.Changes, store.Change{Kind: string(change.Kind), ID: change.Id})
			}
			if err := s.Store.KeepAmendment(ctx, amendment); err != nil {
				return spec.ActAnswer{}, err
			}
			input.AmendmentID = amendment.ID
		}
		return s.act(ctx, request.Period, act, input)
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.ActOnPeriod202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.ActOnPeriod200JSONResponse(answer), nil
}

// ListChanges lists what has changed since a period was locked.
func (s *server) ListChanges(ctx context.Context, request spec.ListChangesRequestObject) (spec.ListChangesResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	kind, id, _ := strings.Cut(value(request.Params.After), ":")
	all, err := s.Store.PendingChanges(ctx, p.ID, p.Revision, store.Change{Kind: kind, ID: id}, limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListChanges200JSONResponse{Changes: []spec.Change{}}
	for _, change := range all {
		answer.Changes = append(answer.Changes, spec.Change{Kind: spec.ChangeKind(change.Kind), Id: change.ID, What: orNil(change.What)})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].Kind + ":" + all[len(all)-1].ID })
	return answer, nil
}

// GetChecklist says what a period needs.
func (s *server) GetChecklist(ctx context.Context, request spec.GetChecklistRequestObject) (spec.GetChecklistResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, value(request.Params.Revision))
	if err != nil {
		return nil, err
	}
	items, err := s.Store.Checklist(ctx, p)
	if err != nil {
		return nil, err
	}
	answer := spec.GetChecklist200JSONResponse{Period: p.ID, Revision: p.Revision, State: string(p.State), Items: []spec.ChecklistItem{}}
	for _, item := range items {
		one := spec.ChecklistItem{Item: spec.ChecklistItemItem(item.Item), State: spec.ChecklistItemState(item.State), Optional: item.Optional, Count: orNil(item.Count),
			Period: orNil(item.Subject), Waiting: []spec.ChecklistParty{}, Due: item.Due, DoneBy: orNil(item.DoneBy), DoneAt: item.DoneAt}
		if item.Total > 0 {
			one.Done, one.Total = &item.Done, &item.Total
		}
		for _, party := range item.Waiting {
			one.Waiting = append(one.Waiting, spec.ChecklistParty{Id: party.ID, Name: party.Name, Count: orNil(party.Count)})
		}
		answer.Items = append(answer.Items, one)
	}
	return answer, nil
}

// Remind tells somebody that an item of a period's checklist waits for them.
func (s *server) Remind(ctx context.Context, request spec.RemindRequestObject) (spec.RemindResponseObject, error) {
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.Reminded, error) {
		p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
		if err != nil {
			return spec.Reminded{}, err
		}
		var reminded workflows.RemindAnswer
		input := workflows.RemindInput{Actor: personOf(ctx).ID, Item: request.Body.Item, Party: request.Body.Person}
		err = update(ctx, s, activities.PayPeriodID(p.ID, p.Revision), workflows.RemindUpdate, input, &reminded, func() error {
			return incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s: nothing of it waits for anybody", p.State)
		})
		if err == nil && reminded.Code != "" {
			err = incentive.Errorf(reminded.Code, "%s", reminded.Message)
		}
		return spec.Reminded{Told: reminded.Told}, err
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.Remind202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.Remind200JSONResponse(answer), nil
}

// ListUncredited lists the transactions that nobody is credited with.
func (s *server) ListUncredited(ctx context.Context, request spec.ListUncreditedRequestObject) (spec.ListUncreditedResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	if p.SnapshotID == nil {
		return nil, incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s: who is credited with what is known from the lock on", p.State)
	}
	snapshot, err := s.Store.Uncredited(ctx, p)
	if err != nil {
		return nil, err
	}
	all, err := calculation.Uncredited(snapshot)
	if err != nil {
		return nil, err
	}
	answer := spec.ListUncredited200JSONResponse{Transactions: []spec.UncreditedTransaction{}, Total: len(all)}
	first := min(value(request.Params.After), len(all))
	last := min(first+limitOf(request.Params.Limit), len(all))
	for _, t := range all[first:last] {
		answer.Transactions = append(answer.Transactions, spec.UncreditedTransaction{
			Source:    t.Source,
			Id:        t.ID,
			Date:      t.Date,
			Amount:    t.Amount.String(),
			Currency:  string(t.Currency),
			Reason:    spec.UncreditedTransactionReason(t.Reason),
			CoveredBy: orNil(t.Group),
		})
	}
	if last < len(all) {
		answer.Next = &last
	}
	return answer, nil
}

// ListLateData lists what the next lock of a period would correct.
func (s *server) ListLateData(ctx context.Context, request spec.ListLateDataRequestObject) (spec.ListLateDataResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	var after store.LateChange
	after.PeriodID, after.ID, _ = strings.Cut(value(request.Params.After), ":")
	after.Kind, after.ID, _ = strings.Cut(after.ID, ":")
	all, err := s.Store.LateData(ctx, request.Period, after, limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListLateData200JSONResponse{Changes: []spec.LateChange{}}
	for _, c := range all {
		answer.Changes = append(answer.Changes, spec.LateChange{Period: c.PeriodID, Kind: c.Kind, Id: c.ID, What: c.What})
	}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return last.PeriodID + ":" + last.Kind + ":" + last.ID
	})
	return answer, nil
}

// ReleasePeriod releases a payout list.
func (s *server) ReleasePeriod(ctx context.Context, request spec.ReleasePeriodRequestObject) (spec.ReleasePeriodResponseObject, error) {
	digest, err := hex.DecodeString(request.Body.PayoutListDigest)
	if err != nil {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the digest of the payout list is written as 64 hexadecimal digits")
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.ActAnswer, error) {
		return s.act(ctx, request.Period, incentive.Release, workflows.ActInput{Actor: personOf(ctx).ID, PayoutListDigest: digest})
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.ReleasePeriod202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.ReleasePeriod200JSONResponse(answer), nil
}

// act sends an act to the latest revision of a period.
func (s *server) act(ctx context.Context, periodID string, act incentive.Act, input workflows.ActInput) (spec.ActAnswer, error) {
	p, err := s.Store.PeriodRevision(ctx, periodID, 0)
	if err != nil {
		return spec.ActAnswer{}, err
	}
	var answer workflows.Answer
	err = update(ctx, s, activities.PayPeriodID(p.ID, p.Revision), string(act), input, &answer, func() error {
		if _, err := incentive.Next(p.State, p.OnHold, act); err != nil {
			return err
		}
		return workflows.StartPayPeriod(ctx, s.Client, p.ID, p.Revision)
	})
	if err == nil && answer.Code != "" {
		err = incentive.Errorf(answer.Code, "%s", answer.Message)
	}
	return spec.ActAnswer{Period: p.ID, Revision: p.Revision, State: string(answer.State)}, err
}

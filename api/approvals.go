package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// ListApprovals lists an approval queue.
func (s *server) ListApprovals(ctx context.Context, request spec.ListApprovalsRequestObject) (spec.ListApprovalsResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	queue, err := s.queueOf(ctx, value(request.Params.Queue), true)
	if err != nil {
		return nil, err
	}
	after, err := approvalKey(value(request.Params.After))
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	which := store.WhichApprovals{
		PeriodID: p.ID,
		Revision: p.Revision,
		Queue:    queue,
		Waiting:  value(request.Params.Waiting),
		Listing:  listing(request.Params.Search, request.Params.Sort),
	}
	all, err := s.Store.FindApprovals(ctx, which, after, limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListApprovals200JSONResponse{Approvals: []spec.Approval{}}
	for _, a := range all {
		one := spec.Approval{
			Person:     a.ParticipantID,
			Name:       a.Name,
			Level:      a.Level,
			Queue:      a.Queue,
			Total:      a.Total,
			Before:     a.Before,
			Shown:      a.Shown,
			Reasons:    []spec.ApprovalReasons{},
			Digest:     hex.EncodeToString(a.Digest),
			Decision:   a.Decision,
			DecidedBy:  orNil(a.DecidedBy),
			OnBehalfOf: orNil(a.OnBehalfOf),
			DecidedAt:  a.DecidedAt,
		}
		for _, reason := range a.Reasons {
			one.Reasons = append(one.Reasons, spec.ApprovalReasons(reason))
		}
		answer.Approvals = append(answer.Approvals, one)
	}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return fmt.Sprintf("%d/%s", last.Level, last.ParticipantID)
	})
	return answer, nil
}

// approvalKey reads where a list of approvals goes on: a level and a participant.
func approvalKey(after string) (key store.ApprovalKey, err error) {
	if after == "" {
		return key, nil
	}
	level, participant, _ := strings.Cut(after, "/")
	key.ParticipantID = participant
	if key.Level, err = strconv.Atoi(level); err != nil {
		return key, incentive.Errorf(incentive.CodeInvalid, "%q is not what a page before said comes next", after)
	}
	return key, nil
}

// queueOf returns the approval queue that somebody means: their own, one that was
// delegated to them, finance's where they are of finance, and to look at, for finance,
// anybody's.
func (s *server) queueOf(ctx context.Context, queue string, look bool) (string, error) {
	me := personOf(ctx)
	switch {
	case queue == "" || queue == me.ID:
		return me.ID, nil
	case scopeOf(ctx) == incentive.All && (look || queue == store.FinanceQueue):
		return queue, nil
	}
	may, err := s.Store.MayDecideFor(ctx, queue, me.ID)
	if err == nil && !may {
		err = incentive.Errorf(incentive.CodeForbidden, "the approval queue %q is not yours, and has not been delegated to you for today", queue)
	}
	return queue, err
}

// Decide approves, rejects or returns statements, or gives rejected ones out again.
func (s *server) Decide(ctx context.Context, request spec.DecideRequestObject) (spec.DecideResponseObject, error) {
	me := personOf(ctx)
	queue, err := s.queueOf(ctx, value(request.Body.Queue), false)
	if err != nil {
		return nil, err
	}
	reason := strings.TrimSpace(value(request.Body.Reason))
	if reason == "" && request.Body.Decision != spec.DecisionRequestDecisionApproved {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why: only an approval needs no reason")
	}
	set := store.DecisionSet{Queue: queue, Decision: string(request.Body.Decision), DecidedBy: me.ID}
	if request.Body.Statements != nil {
		if len(*request.Body.Statements) == 0 {
			return nil, incentive.Errorf(incentive.CodeInvalid, "the list of statements is empty: name some, or leave it out to decide about everything that waits")
		}
		for _, d := range *request.Body.Statements {
			digest, err := hex.DecodeString(d.Digest)
			if err != nil {
				return nil, incentive.Errorf(incentive.CodeInvalid, "the digest of the statement of %s is written as 64 hexadecimal digits", d.Person)
			}
			set.Items = append(set.Items, store.Decision{ParticipantID: d.Person, Digest: digest})
		}
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.DecisionAnswer, error) {
		set.ID = commandID(ctx) // the same command keeps the same set
		if decided, done, err := s.Store.DecisionsApplied(ctx, set.ID); err != nil || done {
			return spec.DecisionAnswer{Applied: decided.Applied, Refused: decided.Refused, Left: decided.LeftHere}, err
		}
		p, err := s.approving(ctx, request.Period)
		if err != nil {
			return spec.DecisionAnswer{}, err
		}
		set.PeriodID, set.Revision = p.ID, p.Revision
		if reason != "" {
			if set.ReasonID, err = s.Store.WriteText(ctx, me.ID, reason); err != nil {
				return spec.DecisionAnswer{}, err
			}
		}
		if err := s.Store.KeepDecisionSet(ctx, set); err != nil {
			return spec.DecisionAnswer{}, err
		}
		decided, err := updateQueue(ctx, s, activities.ApprovalQueue{PeriodID: p.ID, Revision: p.Revision, Queue: queue}, workflows.DecideUpdate, set.ID)
		return spec.DecisionAnswer{Applied: decided.Applied, Refused: decided.Refused, Left: decided.LeftHere}, err
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.Decide202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.Decide200JSONResponse(answer), nil
}

// approving returns the latest revision of a period whose statements are decided about.
func (s *server) approving(ctx context.Context, periodID string) (store.PeriodRevision, error) {
	p, err := s.Store.PeriodRevision(ctx, periodID, 0)
	if err == nil && p.State != incentive.Approving {
		err = incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s, and statements are decided about only while it is %s", p.State, incentive.Approving)
	}
	return p, err
}

// ListQueues lists who is waited for.
func (s *server) ListQueues(ctx context.Context, request spec.ListQueuesRequestObject) (spec.ListQueuesResponseObject, error) {
	p, err := s.Store.PeriodRevision(ctx, request.Period, 0)
	if err != nil {
		return nil, err
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Queues(ctx, p.ID, p.Revision, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	left, err := s.Store.NotApproved(ctx, p)
	if err != nil {
		return nil, err
	}
	answer := spec.ListQueues200JSONResponse{Left: left, Queues: []spec.Queue{}}
	for _, q := range all {
		answer.Queues = append(answer.Queues, spec.Queue{Queue: q.Queue, Name: q.Name, Waiting: q.Waiting, Decided: q.Decided, Since: q.Since})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].Queue })
	return answer, nil
}

// Reassign moves what waits in a queue to another.
func (s *server) Reassign(ctx context.Context, request spec.ReassignRequestObject) (spec.ReassignResponseObject, error) {
	reason := strings.TrimSpace(request.Body.Reason)
	if reason == "" {
		return nil, incentive.Errorf(store.CodeReasonMissing, "say why these statements are moved")
	}
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.DecisionAnswer, error) {
		if moved, done, err := s.Store.Reassigned(ctx, workflows.UpdateKey(updateID(ctx))); err != nil || done {
			return spec.DecisionAnswer{Applied: moved}, err
		}
		p, err := s.approving(ctx, request.Period)
		if err != nil {
			return spec.DecisionAnswer{}, err
		}
		input := workflows.ReassignInput{Actor: personOf(ctx).ID, To: request.Body.To}
		if input.ReasonID, err = s.Store.WriteText(ctx, input.Actor, reason); err != nil {
			return spec.DecisionAnswer{}, err
		}
		moved, err := updateQueue(ctx, s, activities.ApprovalQueue{PeriodID: p.ID, Revision: p.Revision, Queue: request.Queue}, workflows.ReassignUpdate, input)
		return spec.DecisionAnswer{Applied: moved.Applied}, err
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.Reassign202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.Reassign200JSONResponse(answer), nil
}

// ListDelegations lists who decides for whom.
func (s *server) ListDelegations(ctx context.Context, request spec.ListDelegationsRequestObject) (spec.ListDelegationsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Delegations(ctx, ownOrAll(ctx), value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListDelegations200JSONResponse{Delegations: []spec.Delegation{}}
	for _, d := range all {
		answer.Delegations = append(answer.Delegations, delegation(d))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// ownOrAll is whose delegations somebody sees and ends: their own, or "" for everybody's.
func ownOrAll(ctx context.Context) string {
	if scopeOf(ctx) == incentive.All {
		return ""
	}
	return personOf(ctx).ID
}

// Delegate lets somebody decide in another's approval queue for some days.
func (s *server) Delegate(ctx context.Context, request spec.DelegateRequestObject) (spec.DelegateResponseObject, error) {
	me := personOf(ctx)
	d := store.Delegation{ID: commandID(ctx), From: me.ID, To: request.Body.To, StartsOn: request.Body.StartsOn, EndsOn: request.Body.EndsOn, MadeBy: me.ID}
	if from := value(request.Body.From); from != "" && from != me.ID {
		if scopeOf(ctx) != incentive.All {
			return nil, incentive.Errorf(incentive.CodeForbidden, "only finance delegates for somebody else")
		}
		d.From = from
	}
	d, err := s.Store.Delegate(ctx, d)
	if err != nil {
		return nil, err
	}
	return spec.Delegate201JSONResponse(delegation(d)), nil
}

// EndDelegation ends a delegation before its last day.
func (s *server) EndDelegation(ctx context.Context, request spec.EndDelegationRequestObject) (spec.EndDelegationResponseObject, error) {
	d, err := s.Store.EndDelegation(ctx, personOf(ctx).ID, request.Delegation, ownOrAll(ctx))
	if err != nil {
		return nil, err
	}
	return spec.EndDelegation200JSONResponse(delegation(d)), nil
}

func delegation(d store.Delegation) spec.Delegation {
	return spec.Delegation{Id: d.ID, From: d.From, FromName: d.FromName, To: d.To, ToName: d.ToName, StartsOn: d.StartsOn, EndsOn: d.EndsOn, InForce: d.IsInForce}
}

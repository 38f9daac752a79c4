package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// approver stands in for PostgreSQL behind one approval queue: what waits, since when, and
// what was done about it, by the hours that have passed.
type approver struct {
	env     *testsuite.TestWorkflowEnvironment
	begin   time.Time
	waiting int
	since   time.Time
	top     bool // finance's queue: nobody is above
	did     []string
}

func (a *approver) hour() time.Duration { return a.env.Now().Sub(a.begin).Round(time.Hour) }

func (a *approver) done(what string) { a.did = append(a.did, what+" after "+a.hour().String()) }

func (a *approver) look(_ context.Context, queue activities.ApprovalQueue) (activities.QueueWork, error) {
	work := activities.QueueWork{Waiting: a.waiting, Since: a.since, RemindAt: a.since.Add(48 * time.Hour)}
	if queue.RemindedAt.After(a.since) {
		work.RemindAt = queue.RemindedAt.Add(48 * time.Hour)
	}
	if !a.top {
		work.EscalateAt = a.since.Add(120 * time.Hour)
	}
	return work, nil
}

func (a *approver) decide(_ context.Context, _ string, _ int, setID string) (activities.Decided, error) {
	a.done("decided " + setID)
	a.waiting--
	return activities.Decided{DecisionResult: store.DecisionResult{Applied: 1, LeftHere: a.waiting}}, nil
}

func (a *approver) move(_ context.Context, _ activities.ApprovalQueue, move activities.QueueMove) (activities.Decided, error) {
	a.done("moved by " + move.Actor)
	moved := a.waiting
	a.waiting = 0
	return activities.Decided{DecisionResult: store.DecisionResult{Applied: moved}}, nil
}

// TestApprovalQueue is how a queue reminds, goes up the hierarchy, and ends.
func TestApprovalQueue(t *testing.T) {
	t.Parallel()
	update := func(name string, argument any) func(*approver) {
		return func(a *approver) {
			a.env.UpdateWorkflow(name, fmt.Sprint(argument), &testsuite.TestUpdateCallback{OnAccept: func() {}, OnReject: func(err error) { panic(err) }, OnComplete: func(any, error) {}}, argument)
		}
	}
	comes := func(a *approver) {
		if a.waiting == 0 {
			a.since = a.env.Now()
		}
		a.waiting++
		a.env.SignalWorkflow(activities.WaitingSignal, nil)
	}
	for name, c := range map[string]struct {
		waiting int
		top     bool
		steps   map[time.Duration]func(*approver)
		want    []string
	}{
		"nothing waits":                 {},
		"everything is decided in time": {waiting: 2, steps: map[time.Duration]func(*approver){3: update(workflows.DecideUpdate, "a"), 5: update(workflows.DecideUpdate, "b")}, want: []string{"decided a after 3h0m0s", "decided b after 5h0m0s"}},
		"nobody decides":                {waiting: 2, want: []string{"reminded after 48h0m0s", "reminded after 96h0m0s", "moved by system after 120h0m0s"}},
		"one is decided after a reminder, and the other waits on": {waiting: 2, steps: map[time.Duration]func(*approver){50: update(workflows.DecideUpdate, "a"), 60: update(workflows.DecideUpdate, "b")},
			want: []string{"reminded after 48h0m0s", "decided a after 50h0m0s", "decided b after 60h0m0s"}},
		"finance has nobody above": {waiting: 1, top: true, steps: map[time.Duration]func(*approver){150: update(workflows.DecideUpdate, "a")},
			want: []string{"reminded after 48h0m0s", "reminded after 96h0m0s", "reminded after 144h0m0s", "decided a after 150h0m0s"}},
		"a person moves it":       {waiting: 1, steps: map[time.Duration]func(*approver){7: update(workflows.ReassignUpdate, workflows.ReassignInput{Actor: "fin", To: "finance"})}, want: []string{"moved by fin after 7h0m0s"}},
		"something more comes in": {waiting: 1, steps: map[time.Duration]func(*approver){2: comes, 3: update(workflows.DecideUpdate, "a"), 4: update(workflows.DecideUpdate, "b")}, want: []string{"decided a after 3h0m0s", "decided b after 4h0m0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &approver{env: newEnvironment(), waiting: c.waiting, top: c.top}
			workflows.Register(a.env)
			a.begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
			a.since = a.begin
			a.env.SetStartTime(a.begin)
			for name, f := range map[string]any{"LookAtQueue": a.look, "Decide": a.decide, "MoveQueue": a.move, "Remind": func(context.Context, activities.ApprovalQueue) error { a.done("reminded"); return nil }} {
				a.env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
			}
			for hours, do := range c.steps {
				a.env.RegisterDelayedCallback(func() { do(a) }, hours*time.Hour)
			}
			a.env.ExecuteWorkflow(workflows.Approval, activities.ApprovalQueue{PeriodID: "p", Revision: 1, Queue: "boss"})
			require.True(t, a.env.IsWorkflowCompleted())
			require.NoError(t, a.env.GetWorkflowError())
			require.Equal(t, c.want, a.did)
		})
	}
}

// TestApprovalQueueIsFull is a queue with so many decisions that it goes on in a new run,
// where it remembers whom it reminded.
func TestApprovalQueueIsFull(t *testing.T) {
	t.Parallel()
	a := &approver{env: newEnvironment(), waiting: 1, top: true}
	workflows.Register(a.env)
	a.begin = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	a.since = a.begin
	a.env.SetStartTime(a.begin)
	for name, f := range map[string]any{"LookAtQueue": a.look, "Remind": func(context.Context, activities.ApprovalQueue) error { a.done("reminded"); return nil }} {
		a.env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
	a.env.RegisterDelayedCallback(func() {
		a.env.SetContinueAsNewSuggested(true)
		a.env.SignalWorkflow("nothing", nil)
	}, 50*time.Hour)
	a.env.ExecuteWorkflow(workflows.Approval, activities.ApprovalQueue{PeriodID: "p", Revision: 1, Queue: store.FinanceQueue})
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, a.env.GetWorkflowError(), &next)
	require.Equal(t, []string{"reminded after 48h0m0s"}, a.did)
	require.Equal(t, "Approval", next.WorkflowType.Name)
}

package workflows_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/workflows"
)

// till stands in for PostgreSQL and a rail: it knows which payouts are made.
type till struct {
	sync.Mutex
	open     []string
	onHold   bool
	holdAt   int // on hold after so many payouts
	made     map[string]int
	looks    int // how often somebody asked what is left to do
	toldDone int
}

func (r *till) prepare(context.Context, string, int, string) (activities.RailWork, error) {
	r.Lock()
	defer r.Unlock()
	r.looks++
	if r.onHold {
		return activities.RailWork{OnHold: true}, nil
	}
	work := activities.RailWork{}
	if len(r.made) < len(r.open) {
		work.Batches, work.Open = []int{1}, len(r.open)-len(r.made)
	}
	return work, nil
}

func (r *till) list(context.Context, string, int, string, int) (left []string, err error) {
	r.Lock()
	defer r.Unlock()
	for _, id := range r.open {
		if r.made[id] == 0 && !r.onHold {
			left = append(left, id)
		}
	}
	return left, nil
}

func (r *till) submit(_ context.Context, id string) (activities.SubmitOutcome, error) {
	r.Lock()
	defer r.Unlock()
	if r.onHold {
		return activities.SubmitOutcome{OnHold: true}, nil
	}
	r.made[id]++
	r.onHold = len(r.made) == r.holdAt
	return activities.SubmitOutcome{}, nil
}

func (r *till) environment(t *testing.T) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	var a *activities.Activities
	env.OnActivity(a.PrepareRail, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(r.prepare)
	env.OnActivity(a.ListPayouts, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(r.list)
	env.OnActivity(a.SubmitPayout, mock.Anything, mock.Anything).Return(r.submit)
	env.OnSignalExternalWorkflow(mock.Anything, activities.PayPeriodID("p", 1), mock.Anything, workflows.RailSubmittedSignal, mock.Anything).Return(nil).Run(func(mock.Arguments) { r.toldDone++ })
	env.RegisterActivity(&activities.Activities{})
	env.RegisterWorkflow(workflows.Batch)
	return env
}

func newTill(payouts, holdAt int) *till {
	r := &till{holdAt: holdAt, made: map[string]int{}}
	for n := range payouts {
		r.open = append(r.open, fmt.Sprintf("payout %d", n+1))
	}
	return r
}

// TestOnHoldInMidDisbursement submits nothing new while the period is on hold, does not
// look again and again whether it still is, and goes on when it is resumed.
func TestOnHoldInMidDisbursement(t *testing.T) {
	t.Parallel()
	const payouts, before = 300, 120
	input := workflows.DisburseInput{PeriodID: "p", Revision: 1, Rail: "stripe"}
	check := func(r *till) {
		require.Len(t, r.made, payouts)
		for id, times := range r.made {
			require.Equal(t, 1, times, "%s", id)
		}
		require.Equal(t, 1, r.toldDone, "the period is told when all is submitted, and not before")
	}

	t.Run("for days", func(t *testing.T) {
		t.Parallel()
		r := newTill(payouts, before)
		env := r.environment(t)
		env.RegisterDelayedCallback(func() {
			require.Len(t, r.made, before)
			require.Equal(t, 2, r.looks, "at the start and once on hold")
			require.Zero(t, r.toldDone)
			r.onHold = false
			env.SignalWorkflow(activities.RetrySignal, nil)
		}, 100*time.Hour)
		env.ExecuteWorkflow(workflows.Disburse, input)
		require.NoError(t, env.GetWorkflowError())
		check(r)
	})

	t.Run("from one run of the workflow to the next", func(t *testing.T) {
		t.Parallel()
		r := newTill(payouts, before)
		env := r.environment(t)
		env.SetContinueAsNewSuggested(true)
		env.ExecuteWorkflow(workflows.Disburse, input)
		var next *workflow.ContinueAsNewError
		require.ErrorAs(t, env.GetWorkflowError(), &next)
		require.Len(t, r.made, before)
		env = r.environment(t)
		env.RegisterDelayedCallback(func() {
			require.Len(t, r.made, before, "the next run knows that it is on hold")
			r.onHold = false
			env.SignalWorkflow(activities.RetrySignal, nil)
		}, time.Hour)
		env.ExecuteWorkflow(workflows.Disburse, input)
		require.NoError(t, env.GetWorkflowError())
		check(r)
	})
}

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
	away     bool // what is on hold is, because the rail does not answer
	holdAt   int  // on hold after so many payouts
	made     map[string]int
	looks    int // how often somebody asked what is left to do
	toldDone int
	waits    bool         // one more payout waits for a person
	looking  func(at int) // what happens while somebody looks
	telling  func(at int) // what happens while the period is told
}

func (r *till) prepare(context.Context, string, int, string) (activities.RailWork, error) {
	r.Lock()
	defer r.Unlock()
	r.looks++
	if r.onHold {
		return activities.RailWork{OnHold: true, Away: r.away}, nil
	}
	work := activities.RailWork{}
	if len(r.made) < len(r.open) {
		work.Batches, work.Open = []int{1}, len(r.open)-len(r.made)
	} else if r.waits {
		work.Open = 1
	}
	if r.looking != nil {
		r.looking(r.looks)
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
	env := newEnvironment()
	var a *activities.Activities
	env.OnActivity(a.PrepareRail, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(r.prepare)
	env.OnActivity(a.ListPayouts, mock.Anything, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(r.list)
	env.OnActivity(a.SubmitPayout, mock.Anything, mock.Anything).Return(r.submit)
	env.OnSignalExternalWorkflow(mock.Anything, activities.PayPeriodID("p", 1), mock.Anything, workflows.RailSubmittedSignal, mock.Anything).Return(nil).Run(func(mock.Arguments) {
		r.toldDone++
		if r.telling != nil {
			r.telling(r.toldDone)
		}
	})
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

// TestARailThatIsAway asks a rail that does not answer for an hour now and then whether it does
// again, sends nothing meanwhile, and goes on by itself.
func TestARailThatIsAway(t *testing.T) {
	t.Parallel()
	const payouts, before, away = 300, 120, time.Hour
	r := newTill(payouts, before)
	env := r.environment(t)
	var a *activities.Activities
	began, probes := env.Now(), 0
	env.OnActivity(a.Probe, mock.Anything, "p", 1, "stripe").Return(func(context.Context, string, int, string) error {
		r.Lock()
		defer r.Unlock()
		require.Len(t, r.made, before, "nothing is sent meanwhile")
		probes++
		r.onHold = env.Now().Sub(began) < away
		return nil
	})
	r.away = true
	env.ExecuteWorkflow(workflows.Disburse, workflows.DisburseInput{PeriodID: "p", Revision: 1, Rail: "stripe"})
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, r.made, payouts)
	require.InDelta(t, 15, probes, 3, "ever more seldom")
	require.Less(t, env.Now().Sub(began), away+10*time.Minute)
	require.Equal(t, 1, r.toldDone)
}

// TestSupplementWhileDisbursing pays a further list of the period, and says again that all of
// it is submitted, at whatever moment the list is released.
func TestSupplementWhileDisbursing(t *testing.T) {
	t.Parallel()
	const payouts, further = 60, 5
	for name, c := range map[string]struct {
		arrives func(r *till, release func())
		waits   bool
		told    int
	}{
		"while it looks, for the last time": {arrives: func(r *till, release func()) {
			r.looking = func(at int) {
				if at == 2 {
					release()
				}
			}
		}, told: 1},
		"while it tells the period that all is submitted": {arrives: func(r *till, release func()) {
			r.telling = func(at int) {
				if at == 1 {
					release()
				}
			}
		}, told: 2},
		"while it waits for a person": {waits: true, told: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newTill(payouts, 0)
			r.waits = c.waits
			env := r.environment(t)
			release := func() {
				for n := range further {
					r.open = append(r.open, fmt.Sprintf("further %d", n+1))
				}
				env.SignalWorkflow(workflows.SupplementSignal, nil)
			}
			if c.arrives != nil {
				c.arrives(r, release)
			} else {
				env.RegisterDelayedCallback(release, 24*time.Hour)
				env.RegisterDelayedCallback(func() {
					r.waits = false
					env.SignalWorkflow(activities.RetrySignal, nil)
				}, 48*time.Hour)
			}
			env.ExecuteWorkflow(workflows.Disburse, workflows.DisburseInput{PeriodID: "p", Revision: 1, Rail: "stripe"})
			require.NoError(t, env.GetWorkflowError())
			require.Len(t, r.made, payouts+further)
			for id, times := range r.made {
				require.Equal(t, 1, times, "%s", id)
			}
			require.Equal(t, c.told, r.toldDone)
		})
	}
}

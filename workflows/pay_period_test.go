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

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/workflows"
)

// database stands in for PostgreSQL: it knows the state of one period and nothing else.
type database struct {
	sync.Mutex
	state    incentive.State
	onHold   bool
	deadline time.Time
	approved bool // every statement is
	fails    bool // the data do not allow a result
	acts     []incentive.Act
	now      func() time.Time
}

func (d *database) act(_ context.Context, act activities.PeriodAct) (activities.Outcome, error) {
	d.Lock()
	defer d.Unlock()
	next, err := incentive.Next(d.state, d.onHold, act.Act)
	if err != nil {
		return activities.Outcome{Code: incentive.ErrorCode(err), Message: incentive.ErrorMessage(err)}, nil
	}
	if act.Act == incentive.ApproveLast && !d.approved {
		return activities.Outcome{Code: incentive.CodeConflict, Message: "not approved"}, nil
	}
	d.acts, d.state = append(d.acts, act.Act), next
	switch act.Act {
	case incentive.Hold:
		d.onHold = true
	case incentive.Resume, incentive.Cancel:
		d.onHold = false
	case incentive.Publish:
		d.deadline = d.now().Add(5 * 24 * time.Hour)
	case incentive.ExtendWindow:
		d.deadline = d.deadline.Add(3 * 24 * time.Hour)
	}
	return activities.Outcome{State: next, OnHold: d.onHold, SnapshotID: 7, WindowDeadline: d.deadline}, nil
}

func (d *database) calculate(ctx context.Context, act activities.PeriodAct, _ int64) (activities.Outcome, error) {
	if d.fails {
		act.Act = incentive.CalculationFails
	}
	return d.act(ctx, act)
}

// step is something that happens at a moment of the period.
type step struct {
	after time.Duration
	act   incentive.Act // "" for what do does
	do    func(env *testsuite.TestWorkflowEnvironment, d *database)
	want  incentive.Code // of a refusal; "" where the act goes through
}

func lastApproval(env *testsuite.TestWorkflowEnvironment, d *database) {
	d.Lock()
	d.approved = true
	d.Unlock()
	env.SignalWorkflow(activities.LastApprovalSignal, nil)
}

func TestPayPeriod(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	start := []step{{after: time.Minute, act: incentive.Lock}, {after: time.Hour, act: incentive.Publish}}
	with := func(more ...step) []step { return append(append([]step{}, start...), more...) }
	for _, c := range []struct {
		name  string
		fails bool
		steps []step
		want  []incentive.Act
	}{
		{"goes well", false, with(step{after: 6 * day, do: lastApproval}, step{after: 7 * day, act: incentive.Release}, step{after: 8 * day, act: incentive.Close}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.WindowEnds, incentive.ApproveLast, incentive.Release, incentive.Disburse, incentive.DisburseLast, incentive.Close}},
		{"a further payout list is released", false, with(step{after: 6 * day, do: lastApproval}, step{after: 7 * day, act: incentive.Release}, step{after: 8 * day, act: incentive.Release}, step{after: 9 * day, act: incentive.Close}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.WindowEnds, incentive.ApproveLast, incentive.Release, incentive.Disburse, incentive.DisburseLast, incentive.Release, incentive.Disburse, incentive.DisburseLast, incentive.Close}},
		{"the window is ended early", false, with(step{after: 2 * time.Hour, act: incentive.EndWindow}, step{after: 3 * time.Hour, do: lastApproval}, step{after: day, act: incentive.Cancel}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.EndWindow, incentive.ApproveLast, incentive.Cancel}},
		{"an extended window ends later", false, with(step{after: 4 * day, act: incentive.ExtendWindow}, step{after: 7 * day, act: incentive.Hold}, step{after: 7*day + time.Hour, act: incentive.Resume}, step{after: 12 * day, act: incentive.Cancel}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.ExtendWindow, incentive.Hold, incentive.Resume, incentive.WindowEnds, incentive.Cancel}},
		{"withdrawn and calculated again", false, with(step{after: 2 * time.Hour, act: incentive.Withdraw}, step{after: 3 * time.Hour, act: incentive.Recalculate}, step{after: 10 * day, act: incentive.Cancel}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.Withdraw, incentive.Recalculate, incentive.Calculate, incentive.Cancel}},
		{"on hold the window's timer runs on and nothing follows", false, with(step{after: 2 * day, act: incentive.Hold}, step{after: 9 * day, act: incentive.Resume}, step{after: 10 * day, act: incentive.Cancel}),
			[]incentive.Act{incentive.Lock, incentive.Calculate, incentive.Publish, incentive.Hold, incentive.Resume, incentive.WindowEnds, incentive.Cancel}},
		{"wrong data open the period again", true, []step{{after: time.Minute, act: incentive.Lock}, {after: time.Hour, act: incentive.Cancel}},
			[]incentive.Act{incentive.Lock, incentive.CalculationFails, incentive.Cancel}},
		{"what is not possible now is refused", false, []step{
			{after: time.Minute, act: incentive.Publish, want: incentive.CodeNotAllowedNow}, {after: 2 * time.Minute, act: incentive.Resume, want: incentive.CodeNotAllowedNow},
			{after: 3 * time.Minute, act: incentive.Hold}, {after: 4 * time.Minute, act: incentive.Lock, want: incentive.CodeOnHold},
			{after: 5 * time.Minute, act: incentive.Cancel}},
			[]incentive.Act{incentive.Hold, incentive.Cancel}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := newEnvironment()
			d := &database{state: incentive.Open, fails: c.fails, now: func() time.Time { return env.Now() }}
			var a *activities.Activities
			env.OnActivity(a.Act, mock.Anything, mock.Anything).Return(d.act)
			env.OnActivity(a.Calculate, mock.Anything, mock.Anything, mock.Anything).Return(d.calculate)
			env.OnActivity(a.ListRails, mock.Anything, mock.Anything, mock.Anything).Return([]string{}, nil)
			env.RegisterActivity(&activities.Activities{})
			for n, s := range c.steps {
				env.RegisterDelayedCallback(func() {
					if s.do != nil {
						s.do(env, d)
						return
					}
					env.UpdateWorkflow(string(s.act), string(s.act)+string(rune('0'+n)), &testsuite.TestUpdateCallback{
						OnAccept: func() { require.Empty(t, s.want, "%s should be refused", s.act) },
						OnReject: func(err error) {
							require.NotEmpty(t, s.want, "%s: %v", s.act, err)
							require.ErrorContains(t, err, string(s.want))
						},
						OnComplete: func(answer any, err error) {
							require.NoError(t, err)
							if s.want == "" {
								require.Empty(t, answer.(workflows.Answer).Message)
							}
						},
					}, workflows.ActInput{Actor: "somebody"})
				}, s.after)
			}
			env.ExecuteWorkflow(workflows.PayPeriod, workflows.PayPeriodInput{PeriodID: "p", Revision: 1})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, c.want, d.acts)
		})
	}
}

// TestEveryActInEveryState lets every person's act meet a period in every state, on hold
// and not, and holds what happens against the model's own table.
func TestEveryActInEveryState(t *testing.T) {
	t.Parallel()
	// Where nothing holds it, the system has gone on by the time that the act comes.
	soon := map[incentive.State]incentive.State{incentive.Locked: incentive.Calculated, incentive.Released: incentive.Disbursing}
	for _, from := range incentive.States {
		for _, onHold := range []bool{false, true} {
			for _, act := range incentive.PersonActs() {
				t.Run(fmt.Sprintf("%s %t %s", from, onHold, act), func(t *testing.T) {
					t.Parallel()
					meets := from
					if then := soon[from]; then != "" && !onHold {
						meets = then
					}
					m := model{state: string(meets), onHold: onHold}
					want, code := m.allowed(string(act))
					next, err := incentive.Next(meets, onHold, act)
					require.Equal(t, code, string(incentive.ErrorCode(err)))
					require.Equal(t, want, string(next))
					if from == incentive.Closed || from == incentive.Cancelled {
						return // its workflow has ended, and the API says so by the same table
					}
					state, answer := meet(t, from, onHold, act)
					require.Equal(t, code, answer)
					switch {
					case code != "":
						require.Equal(t, meets, state, "nothing happens")
					case soon[next] != "" && act != incentive.Hold:
						require.Equal(t, soon[next], state)
					default:
						require.Equal(t, next, state)
					}
				})
			}
		}
	}
}

// meet lets an act meet a period, and returns where the period is then, and the code of a
// refusal.
func meet(t *testing.T, from incentive.State, onHold bool, act incentive.Act) (state incentive.State, code string) {
	env := newEnvironment()
	d := &database{state: from, onHold: onHold, deadline: env.Now().Add(50 * 24 * time.Hour), now: env.Now}
	var a *activities.Activities
	env.OnActivity(a.Act, mock.Anything, mock.Anything).Return(d.act)
	env.OnActivity(a.Calculate, mock.Anything, mock.Anything, mock.Anything).Return(d.calculate)
	env.OnActivity(a.ListRails, mock.Anything, mock.Anything, mock.Anything).Return([]string{fileRail}, nil)
	env.OnActivity(a.PrepareRail, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(activities.RailWork{WaitingFiles: 1, Open: 1}, nil)
	env.RegisterActivity(&activities.Activities{})
	env.RegisterWorkflow(workflows.Disburse)
	env.SetDetachedChildWait(false)
	answered := false
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(string(act), "key", &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { code, _ = refusal(err); answered = true },
			OnComplete: func(answer any, err error) {
				require.NoError(t, err)
				code, answered = string(answer.(workflows.Answer).Code), true
			},
		}, workflows.ActInput{Actor: "somebody"})
	}, time.Minute)
	env.RegisterDelayedCallback(func() { state = d.state }, time.Hour)
	env.RegisterDelayedCallback(env.CancelWorkflow, 2*time.Hour)
	env.ExecuteWorkflow(workflows.PayPeriod, workflows.PayPeriodInput{PeriodID: "p", Revision: 1, State: from, OnHold: onHold, SnapshotID: 7, Deadline: d.deadline})
	require.True(t, answered)
	if state == "" { // it came to its end at once
		state = d.state
	}
	return state, code
}

package workflows_test

import (
	"context"
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

// disputes stands in for PostgreSQL: it knows one dispute, which reminds each day and goes
// up after three, as long as somebody is above.
type disputes struct {
	sync.Mutex
	state     incentive.DisputeState
	since     time.Time
	reminders int
	above     int
	done      []string
	now       func() time.Time
}

const day = 24 * time.Hour

func (d *disputes) outcome() activities.DisputeOutcome {
	o := activities.DisputeOutcome{State: d.state, Since: d.since, Reminders: d.reminders, RemindAt: d.since.Add(time.Duration(d.reminders+1) * day)}
	if d.state == incentive.DisputeOpen && d.above > 0 {
		o.EscalateAt = d.since.Add(3 * day)
	}
	return o
}

func (d *disputes) move(to incentive.DisputeState, what string) {
	d.state, d.since, d.reminders = to, d.now(), 0
	d.done = append(d.done, what)
}

func (d *disputes) read(context.Context, string) (activities.DisputeOutcome, error) {
	d.Lock()
	defer d.Unlock()
	return d.outcome(), nil
}

func (d *disputes) act(_ context.Context, act activities.DisputeAct) (activities.DisputeOutcome, error) {
	d.Lock()
	defer d.Unlock()
	if act.Actor == "stranger" {
		return activities.DisputeOutcome{Code: incentive.CodeForbidden, Message: "no"}, nil
	}
	next, err := incentive.NextDispute(d.state, act.Act, false)
	if err != nil {
		return activities.DisputeOutcome{Code: incentive.ErrorCode(err), Message: incentive.ErrorMessage(err)}, nil
	}
	d.move(next, string(act.Act))
	return d.outcome(), nil
}

func (d *disputes) nudge(_ context.Context, _ string, seen activities.DisputeOutcome, escalate bool) (activities.DisputeOutcome, error) {
	d.Lock()
	defer d.Unlock()
	switch {
	case !d.since.Equal(seen.Since) || d.reminders != seen.Reminders:
		d.done = append(d.done, "too late")
	case escalate:
		d.above--
		d.move(d.state, "escalate")
	default:
		d.reminders++
		d.done = append(d.done, "remind")
	}
	return d.outcome(), nil
}

func TestDispute(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration
		act   incentive.DisputeAct // "" where the adjustment is decided about
		to    incentive.DisputeState
		actor string
		want  incentive.Code
	}
	for _, c := range []struct {
		name  string
		above int
		steps []step
		want  []string
	}{
		{"answered at once", 1, []step{{after: time.Hour, act: incentive.RejectDispute}}, []string{"reject"}},
		{"reminded, then answered", 1, []step{{after: 2*day + time.Hour, act: incentive.RejectDispute}}, []string{"remind", "remind", "reject"}},
		{"up the hierarchy to finance, and reminded there", 2, []step{{after: 7*day + time.Hour, act: incentive.RejectDispute}},
			[]string{"remind", "remind", "escalate", "remind", "remind", "escalate", "remind", "reject"}},
		{"asked back: the participant is reminded and nobody is asked instead", 1, []step{{after: time.Hour, act: incentive.AskBack}, {after: 4*day + 2*time.Hour, act: incentive.Reply}, {after: 4*day + 3*time.Hour, act: incentive.WithdrawDispute}},
			[]string{"ask", "remind", "remind", "remind", "remind", "reply", "withdraw"}},
		{"granted and approved", 1, []step{{after: time.Hour, act: incentive.Grant}, {after: day + 2*time.Hour, to: incentive.DisputeAccepted}}, []string{"accept", "remind", "decided"}},
		{"granted and refused", 1, []step{{after: time.Hour, act: incentive.Grant}, {after: 2 * time.Hour, to: incentive.DisputeOpen}, {after: 3 * time.Hour, act: incentive.AcceptByRecalculation}},
			[]string{"accept", "decided", "accept-by-recalculation"}},
		{"refusals", 1, []step{{after: time.Hour, act: incentive.Reply, want: incentive.CodeNotAllowedNow}, {after: 2 * time.Hour, act: incentive.RejectDispute, actor: "stranger", want: incentive.CodeForbidden},
			{after: 3 * time.Hour, act: incentive.WithdrawDispute}}, []string{"withdraw"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := newEnvironment()
			d := &disputes{state: incentive.DisputeOpen, above: c.above, since: env.Now().UTC(), now: func() time.Time { return env.Now().UTC() }}
			var a *activities.Activities
			env.OnActivity(a.ReadDispute, mock.Anything, mock.Anything).Return(d.read)
			env.OnActivity(a.ActOnDispute, mock.Anything, mock.Anything).Return(d.act)
			env.OnActivity(a.NudgeDispute, mock.Anything, mock.Anything, mock.Anything, mock.Anything).Return(d.nudge)
			env.RegisterActivity(&activities.Activities{})
			answered := 0
			for n, s := range c.steps {
				env.RegisterDelayedCallback(func() {
					if s.act == "" {
						d.Lock()
						d.move(s.to, "decided")
						d.Unlock()
						env.SignalWorkflow(workflows.DisputeChangedSignal, nil)
						answered++
						return
					}
					env.UpdateWorkflow(string(s.act), string(rune('0'+n)), &testsuite.TestUpdateCallback{
						OnAccept: func() {},
						OnReject: func(err error) {
							require.ErrorContains(t, err, "does not allow")
							require.Equal(t, incentive.CodeNotAllowedNow, s.want)
							answered++
						},
						OnComplete: func(answer any, err error) {
							require.NoError(t, err)
							require.Equal(t, s.want, answer.(workflows.DisputeAnswer).Code)
							answered++
						},
					}, workflows.DisputeActInput{Actor: s.actor})
				}, s.after)
			}
			env.ExecuteWorkflow(workflows.Dispute, workflows.DisputeInput{ID: "1", PeriodID: "p"})
			require.NoError(t, env.GetWorkflowError())
			require.Equal(t, c.want, d.done)
			require.Equal(t, len(c.steps), answered)
		})
	}
}

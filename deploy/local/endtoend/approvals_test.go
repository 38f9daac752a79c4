package endtoend

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// waits says how many statements wait in each queue of a period, as finance sees it.
func (o *office) waits(period string) map[string]int {
	o.t.Helper()
	list, err := client.Read[client.Queues](o.as("fin1").ListQueues(o.t.Context(), period, &client.ListQueuesParams{}))
	require.NoError(o.t, err)
	found := map[string]int{}
	for _, q := range list.Queues {
		if q.Waiting > 0 {
			found[q.Queue] = q.Waiting
		}
	}
	return found
}

// TestApprovers is a period whose approver is away: a delegate decides, a rejected
// statement is given out again, what then waits too long goes up, and is moved to finance.
func TestApprovers(t *testing.T) {
	t.Parallel()
	const january = "m-2026-01"
	o := flatOffice(t)
	ctx := t.Context()
	person := func(id, manager string) {
		record := map[string]any{"participant_id": id, "effective_from": "2025-06-01", "name": "Name of " + id, "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}}
		if manager != "" {
			record["manager_id"] = manager
		}
		o.loadAs("admin", "participant", record)
	}
	person("chief", "")
	person("boss", "chief")
	person("r1", "boss")
	person("r2", "boss")
	for _, id := range []string{"boss", "chief"} {
		require.NoError(t, o.store.Grant(ctx, "admin", id, []incentive.Role{incentive.Manager}))
	}
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r2", "plan_id": "flat", "calendar_id": "m", "starts_on": "2026-01-01"})
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActPublish))
	require.NoError(t, o.act("fin2", january, client.ActRequestActEndWindow))
	require.Equal(t, map[string]int{"boss": 2}, o.waits(january))
	remind := func(item, person string) (client.Reminded, error) {
		return client.Read[client.Reminded](o.as("fin1").Remind(ctx, january, &client.RemindParams{IdempotencyKey: client.NewKey()}, client.ReminderRequest{Item: item, Person: person}))
	}
	reminded, err := remind("approvals", "boss")
	require.NoError(t, err)
	require.Equal(t, 1, reminded.Told)
	_, err = remind("approvals", "boss")
	require.Equal(t, store.CodeReminded, incentive.ErrorCode(err), "once a day")
	_, err = remind("release", "fin2")
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err), "it is not their turn")

	of := "boss"
	decide := func(id string, queue *string, decision client.DecisionRequestDecision, who ...client.Approval) (client.DecisionAnswer, error) {
		body := client.DecideJSONRequestBody{Decision: decision, Queue: queue}
		if decision != client.DecisionRequestDecisionApproved {
			reason := "only they should read this"
			body.Reason = &reason
		}
		if len(who) > 0 {
			statements := []client.DecidedStatement{}
			for _, a := range who {
				statements = append(statements, client.DecidedStatement{Person: a.Person, Digest: a.Digest})
			}
			body.Statements = &statements
		}
		return client.Read[client.DecisionAnswer](o.as(id).Decide(ctx, january, &client.DecideParams{IdempotencyKey: client.NewKey()}, body))
	}
	_, err = decide("chief", &of, client.DecisionRequestDecisionApproved)
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), "not delegated")
	today := incentive.DateOf(time.Now())
	made, err := client.Read[client.Delegation](o.as("boss").Delegate(ctx, &client.DelegateParams{IdempotencyKey: client.NewKey()}, client.DelegationRequest{To: "chief", StartsOn: today.AddDays(-1), EndsOn: today.AddDays(1)}))
	require.NoError(t, err)
	require.True(t, made.InForce)
	_, err = client.Read[client.Delegation](o.as("boss").Delegate(ctx, &client.DelegateParams{IdempotencyKey: client.NewKey()}, client.DelegationRequest{From: &made.To, To: "boss", StartsOn: today, EndsOn: today}))
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), "of another's only finance may")
	list, err := client.Read[client.Approvals](o.as("chief").ListApprovals(ctx, january, &client.ListApprovalsParams{Queue: &of}))
	require.NoError(t, err)
	require.Len(t, list.Approvals, 2)
	require.Equal(t, []client.ApprovalReasons{"first-statement"}, list.Approvals[0].Reasons)
	decided, err := decide("chief", &of, client.DecisionRequestDecisionApproved, list.Approvals[0])
	require.NoError(t, err)
	require.Equal(t, client.DecisionAnswer{Applied: 1, Left: 1}, decided)
	_, err = decide("chief", &of, client.DecisionRequestDecisionRejected, list.Approvals[1])
	require.NoError(t, err)
	ended, err := client.Read[client.Delegation](o.as("boss").EndDelegation(ctx, made.Id, &client.EndDelegationParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	require.False(t, ended.InForce)
	require.Empty(t, o.waits(january), "finance has it back")

	finance := store.FinanceQueue
	decided, err = decide("fin1", &finance, client.DecisionRequestDecisionResubmitted)
	require.NoError(t, err)
	require.Equal(t, 1, decided.Applied)
	require.Equal(t, map[string]int{"boss": 1}, o.waits(january))
	queue := activities.ApprovalID(january, 1, "boss")
	require.NoError(t, temporal.SkipTime(ctx, o.client, queue, "", 4*24*time.Hour))
	kinds := func(id string) (kinds []string) {
		told, err := o.store.Notifications(ctx, id, 0, 100)
		require.NoError(t, err)
		for _, n := range told {
			if strings.HasPrefix(string(n.Kind), "approvals-") {
				kinds = append(kinds, string(n.Kind))
			}
		}
		return kinds
	}
	require.Eventually(t, func() bool { return len(kinds("boss")) == 2 }, time.Minute, 20*time.Millisecond)
	require.Equal(t, []string{"approvals-waiting", "approvals-reminder"}, kinds("boss"))
	require.NoError(t, temporal.SkipTime(ctx, o.client, queue, "", 6*24*time.Hour))
	require.Eventually(t, func() bool { return o.waits(january)["chief"] == 1 }, time.Minute, 20*time.Millisecond, "up the hierarchy")

	key := client.NewKey()
	move := func() (client.DecisionAnswer, error) {
		return client.Read[client.DecisionAnswer](o.as("fin1").Reassign(ctx, january, "chief", &client.ReassignParams{IdempotencyKey: key}, client.ReassignRequest{To: finance, Reason: "chief has left"}))
	}
	moved, err := move()
	require.NoError(t, err)
	require.Equal(t, 1, moved.Applied)
	require.Equal(t, map[string]int{"finance": 1}, o.waits(january))
	last := func() (client.DecisionAnswer, error) {
		return client.Read[client.DecisionAnswer](o.as("fin3").Decide(ctx, january, &client.DecideParams{IdempotencyKey: key}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved, Queue: &finance}))
	}
	decided, err = last()
	require.NoError(t, err)
	require.Equal(t, client.DecisionAnswer{Applied: 1}, decided)
	o.await(january, incentive.Approved)
	storetest.Exec(t, o.databaseURL, `DELETE FROM guerdon.command WHERE key = '`+key+`'`) // as when the API dies before it keeps its answers
	for name, again := range map[string]func() (client.DecisionAnswer, error){"reassignment": move, "decision": last} {
		answer, err := again()
		require.NoError(t, err, "the same %s is answered as it was, though the period has gone on", name)
		require.Equal(t, 1, answer.Applied)
	}

	payouts, err := client.Read[client.PayoutList](o.as("fin3").GetPayoutList(ctx, january, &client.GetPayoutListParams{}))
	require.NoError(t, err)
	release := func(id string) error {
		_, err := client.Read[client.ActAnswer](o.as(id).ReleasePeriod(ctx, january, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: payouts.Digest}))
		return err
	}
	require.Equal(t, store.CodeApprover, incentive.ErrorCode(release("fin3")))
	require.NoError(t, release("fin2"))
	record(t, o.client, "delegated", queue)
}

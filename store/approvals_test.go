package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// threeLevels asks the manager, theirs from 100 dollars on, and finance from 1,000 on;
// below 10 dollars nobody.
const threeLevels = `approvals:
  levels:
    - by: manager
    - by: manager_of_manager
      when: {total: [100 USD]}
    - by: finance
      when: {total: [1000 USD]}
  automatic_below: {total: [10 USD]}
`

// handOut sells for each of some reps, who earn a tenth, and hands January out: ann and bob
// below boss, who is below chief.
func handOut(t *testing.T, policy string, sales map[string]string) (*books, *pgxpool.Pool) {
	t.Helper()
	s, url := storetest.NewWithURL(t)
	pool, err := pgxpool.New(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	b := &books{T: t, Store: s}
	company(t, s)
	b.put("participant", participant("chief", ""))
	b.put("participant", participant("boss", "chief"))
	for _, id := range []string{"boss", "chief"} {
		require.NoError(t, s.Grant(t.Context(), store.System, id, []incentive.Role{incentive.Manager}))
	}
	b.put("period", map[string]any{"id": monthOf(1), "calendar_id": "monthly", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]")
	if policy != "" {
		_, err = s.PutPolicy(t.Context(), "fin", "monthly", policy)
		require.NoError(t, err)
	}
	for id, amount := range sales {
		b.assign(id, "flat", "2026-01-01")
		b.sell(id, amount)
	}
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.publish(monthOf(1))
	return b, pool
}

func (b *books) sell(id, amount string) {
	b.Helper()
	b.dealOf(id, "of-"+id, "2026-01-10", amount)
}

// says lets somebody decide about all that waits in a queue, and returns what was applied
// or the code of the refusal.
func (b *books) says(person, queue, decision string, items ...store.Decision) (applied int, opened []string, code incentive.Code) {
	b.Helper()
	b.acts++
	set := store.DecisionSet{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", b.acts), PeriodID: monthOf(1), Revision: 1, Queue: queue, Decision: decision, DecidedBy: person, Items: items}
	if decision != store.DecisionApproved {
		set.ReasonID = b.reason()
	}
	require.NoError(b, b.KeepDecisionSet(b.Context(), set))
	result, err := b.ApplyDecisions(b.Context(), set.ID)
	return result.Applied, result.Opened, incentive.ErrorCode(err)
}

// waits says how many statements wait in each queue.
func (b *books) waits() map[string]int {
	b.Helper()
	queues, err := b.Queues(b.Context(), monthOf(1), 1, "", 100)
	require.NoError(b, err)
	found := map[string]int{}
	for _, q := range queues {
		if q.Waiting > 0 {
			found[q.Queue] = q.Waiting
		}
	}
	return found
}

func (b *books) left() int {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), monthOf(1), 1)
	require.NoError(b, err)
	left, err := b.NotApproved(b.Context(), p)
	require.NoError(b, err)
	return left
}

func TestLevelsOpenOneAfterAnother(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, threeLevels, map[string]string{"ann": "500", "bob": "20000", "boss": "2000", "fin2": "50"})
	require.Equal(t, 3, b.left(), "nobody is asked about five dollars")
	require.Equal(t, map[string]int{"boss": 2, "chief": 1}, b.waits())

	applied, opened, code := b.says("boss", "boss", store.DecisionApproved)
	require.Equal(t, []any{2, []string{"chief"}, incentive.Code("")}, []any{applied, opened, code})
	require.Equal(t, map[string]int{"chief": 2}, b.waits(), "ann's needs no second level; above boss and chief there is finance, once")
	require.Equal(t, 2, b.left())

	_, opened, _ = b.says("chief", "chief", store.DecisionApproved)
	require.Equal(t, []string{"finance"}, opened)
	require.Equal(t, map[string]int{"finance": 2}, b.waits())
	applied, _, _ = b.says("chief", "chief", store.DecisionApproved)
	require.Zero(t, applied, "everything of the chief's is decided")
	_, _, code = b.says("fin", "finance", store.DecisionApproved)
	require.Equal(t, store.CodePreparer, code)
	_, err := b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err))
	applied, _, _ = b.says("fin3", "finance", store.DecisionApproved)
	require.Equal(t, 2, applied)
	require.Zero(t, b.left())
	_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.NoError(t, err)

	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(t.Context(), monthOf(1), 1)
	require.NoError(t, err)
	release.Actor, release.PayoutListDigest = "fin3", list.Digest
	_, err = b.Release(t.Context(), release)
	require.Equal(t, store.CodeApprover, incentive.ErrorCode(err), "fin3 approved for finance")
	_, err = b.PutPolicy(t.Context(), "fin", "monthly", threeLevels+"release: {by_approver: true}\n")
	require.NoError(t, err)
	_, err = b.Release(t.Context(), release)
	require.NoError(t, err, "in a small company the policy may allow it")
}

func TestStatementsGoBackWithReason(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, threeLevels, map[string]string{"bob": "5000"})
	_, _, _ = b.says("boss", "boss", store.DecisionApproved)
	_, opened, _ := b.says("chief", "chief", store.DecisionReturned)
	require.Equal(t, []string{"boss"}, opened)
	require.Equal(t, map[string]int{"boss": 1}, b.waits(), "to the level below")

	applied, _, _ := b.says("boss", "boss", store.DecisionReturned)
	require.Equal(t, 1, applied)
	require.Empty(t, b.waits(), "below the first level there is finance")
	require.Equal(t, 1, b.left())

	applied, _, _ = b.says("boss", "boss", store.DecisionResubmitted)
	require.Zero(t, applied, "only finance gives it out again")
	applied, opened, _ = b.says("fin2", "finance", store.DecisionResubmitted)
	require.Equal(t, []any{1, []string{"boss"}}, []any{applied, opened})
	_, _, _ = b.says("boss", "boss", store.DecisionApproved)
	_, _, _ = b.says("chief", "chief", store.DecisionRejected)
	require.Empty(t, b.waits())
	applied, _, _ = b.says("fin", "finance", store.DecisionResubmitted)
	require.Equal(t, 1, applied, "who prepared the period may do it: it approves nothing")
	require.Equal(t, map[string]int{"boss": 1}, b.waits(), "from the first level on")
}

func TestApprovalFallsWithTheDigestAlone(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, "", map[string]string{"ann": "1000", "bob": "2000"})
	_, _, code := b.says("boss", "boss", store.DecisionApproved)
	require.Empty(t, code)
	_, err := b.Withdraw(t.Context(), b.command(monthOf(1), incentive.Withdraw))
	require.NoError(t, err)
	b.sell("bob", "3000")
	b.amend(monthOf(1), store.Change{Kind: "transaction", ID: "crm/of-bob"})
	b.publish(monthOf(1))
	require.Equal(t, map[string]int{"boss": 1}, b.waits(), "ann's stands as it did")
	all, err := b.Approvals(t.Context(), monthOf(1), 1, "boss", store.ApprovalKey{}, 100)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []string{"ann", "approved", "boss"}, []string{all[0].ParticipantID, all[0].Decision, all[0].DecidedBy})
	require.Equal(t, []string{"bob", ""}, []string{all[1].ParticipantID, all[1].Decision})
	require.Equal(t, int64(20000), all[1].Shown.Minor, "what the approver saw last")
	require.Equal(t, int64(30000), all[1].Total.Minor)
	require.Contains(t, all[1].Reasons, "changed-since-shown")
	require.NotContains(t, all[0].Reasons, "changed-since-shown")
	old := store.Decision{ParticipantID: "bob", Digest: all[0].Digest}
	applied, _, _ := b.says("boss", "boss", store.DecisionApproved, old)
	require.Zero(t, applied, "a decision is about the figures that were seen")
}

func TestDelegates(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, "", map[string]string{"ann": "1000", "chief": "1000"})
	today := incentive.DateOf(time.Now())
	number := 0
	delegate := func(from, to string, starts, ends incentive.Date) error {
		number++
		_, err := b.Delegate(t.Context(), store.Delegation{ID: fmt.Sprintf("00000000-0000-0000-0001-%012d", number), From: from, To: to, StartsOn: starts, EndsOn: ends, MadeBy: from})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		code incentive.Code
	}{
		"to nobody who approves": {delegate("boss", "ann", today, today), store.CodeCannotApprove},
		"to oneself":             {delegate("boss", "boss", today, today), incentive.CodeInvalid},
		"of nobody":              {delegate("nobody", "boss", today, today), incentive.CodeNotFound},
		"that ends first":        {delegate("boss", "chief", today, today.AddDays(-1)), incentive.CodeInvalid},
		"for years":              {delegate("boss", "chief", today, today.AddDays(400)), incentive.CodeInvalid},
	} {
		require.Equal(t, c.code, incentive.ErrorCode(c.err), name)
	}
	require.NoError(t, delegate("boss", "chief", today.AddDays(2), today.AddDays(9)))
	require.NoError(t, delegate("boss", "chief", today.AddDays(-9), today.AddDays(-2)))
	_, _, code := b.says("chief", "boss", store.DecisionApproved)
	require.Equal(t, store.CodeNotDelegated, code, "not for today")

	require.NoError(t, delegate("boss", "chief", today.AddDays(-1), today.AddDays(1)))
	seen, err := b.Visible(t.Context(), "chief", incentive.Team, today)
	require.NoError(t, err)
	require.Contains(t, seen, "ann", "who decides sees what about")
	applied, _, code := b.says("chief", "boss", store.DecisionApproved)
	require.Equal(t, []any{1, incentive.Code("")}, []any{applied, code})
	all, err := b.Approvals(t.Context(), monthOf(1), 1, "boss", store.ApprovalKey{}, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"chief", "boss"}, []string{all[0].DecidedBy, all[0].OnBehalfOf})

	current, err := b.Delegations(t.Context(), "chief", "", 100)
	require.NoError(t, err)
	require.Len(t, current, 2, "what is past is over")
	for _, d := range current {
		_, err := b.EndDelegation(t.Context(), "ann", d.ID, "ann")
		require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "it is none of ann's")
		_, err = b.EndDelegation(t.Context(), "boss", d.ID, "boss")
		require.NoError(t, err)
	}
	may, err := b.MayDecideFor(t.Context(), "boss", "chief")
	require.NoError(t, err)
	require.False(t, may, "a delegation that was ended")
}

func TestQueuesMove(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, "", map[string]string{"ann": "1000", "bob": "1000", "boss": "1000"})
	move := func(r store.Reassignment) (int, []string, incentive.Code) {
		r.PeriodID, r.Revision = monthOf(1), 1
		moved, opened, err := b.Reassign(t.Context(), r)
		return moved, opened, incentive.ErrorCode(err)
	}
	for name, c := range map[string]struct {
		to   string
		code incentive.Code
	}{"to where it is": {"boss", incentive.CodeInvalid}, "to a rep": {"ann", store.CodeCannotApprove}} {
		_, _, code := move(store.Reassignment{From: "boss", To: c.to, Actor: "fin2", Key: name})
		require.Equal(t, c.code, code, name)
	}
	early := time.Now().Add(-time.Hour)
	moved, _, _ := move(store.Reassignment{From: "boss", Actor: store.System, Key: "early", OpenedBy: &early})
	require.Zero(t, moved, "nothing has waited so long")
	moved, opened, code := move(store.Reassignment{From: "boss", Actor: store.System, Key: "up"})
	require.Equal(t, []any{2, []string{"chief"}, incentive.Code("")}, []any{moved, opened, code}, "up the hierarchy")
	require.Equal(t, map[string]int{"chief": 3}, b.waits())
	moved, opened, _ = move(store.Reassignment{From: "boss", Actor: store.System, Key: "up"})
	require.Equal(t, []any{2, []string{"chief"}}, []any{moved, opened}, "with the same key once, with the same answer, and the queues are told again")
	asked, done, err := b.Reassigned(t.Context(), "up")
	require.NoError(t, err)
	require.Equal(t, []any{2, true}, []any{asked, done})
	moved, opened, _ = move(store.Reassignment{From: "chief", To: "boss", Actor: "fin2", Key: "back"})
	require.Equal(t, []any{3, []string{"boss", "finance"}}, []any{moved, opened}, "nobody is given their own statement")
	told, err := b.Notifications(t.Context(), "boss", 0, 10)
	require.NoError(t, err)
	told = slices.DeleteFunc(told, func(n store.Notification) bool { return n.Kind != notice.ApprovalsWaiting })
	require.Len(t, told, 1, "once a day")
	require.NoError(t, b.RemindApprovers(t.Context(), monthOf(1), 1, "finance"))
	told, err = b.Notifications(t.Context(), "fin2", 0, 10)
	require.NoError(t, err)
	require.Equal(t, notice.Reminder("approvals"), told[len(told)-1].Kind)
}

// TestDutiesAreSegregatedInTheDatabase goes around everything above the database.
func TestDutiesAreSegregatedInTheDatabase(t *testing.T) {
	t.Parallel()
	b, pool := handOut(t, "", map[string]string{"ann": "1000", "boss": "1000", "chief": "1000"})
	refused := func(sql string, arguments ...any) string {
		_, err := pool.Exec(context.Background(), sql, arguments...)
		var refusal *pgconn.PgError
		require.ErrorAs(t, err, &refusal)
		return refusal.ConstraintName
	}
	const approve = `UPDATE approval SET decision = 'approved', decided_at = now(), decided_by = $1 WHERE participant_id = $2`
	require.Equal(t, "duties_are_segregated", refused(approve, "fin", "ann"), "fin locked the period")
	require.NotEmpty(t, refused(approve, "ann", "ann"), "their own pay")
	require.NotEmpty(t, refused(`UPDATE approval SET decision = 'approved', decided_at = now() WHERE participant_id = 'ann'`), "decided by nobody")
	require.NoError(t, b.decide(monthOf(1)))
	const recalculate = `INSERT INTO period_act (period_id, revision, act, from_state, to_state, actor, key) VALUES ($1, 1, 'recalculate', 'calculated', 'locked', $2, 'k')`
	require.Equal(t, "duties_are_segregated", refused(recalculate, monthOf(1), "boss"), "boss has approved")
	_, err := b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
	require.NoError(t, err)
	const release = `UPDATE payout_list SET released_by = $1, released_at = now()`
	require.Equal(t, "duties_are_segregated", refused(release, "fin"))
	require.Equal(t, "duties_are_segregated", refused(release, "fin3"), "fin3 approved for finance")
	_, err = pool.Exec(t.Context(), release, "fin2")
	require.NoError(t, err)
}

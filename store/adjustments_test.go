package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// adjustment is what fin enters for ann, of a correction unless it says otherwise.
func (b *books) adjustment(period string, minor int64) store.Adjustment {
	b.Helper()
	b.acts++
	reason, err := b.WriteText(b.Context(), "fin", "a reason")
	require.NoError(b, err)
	return store.Adjustment{EnteredBy: "fin", ReasonID: reason, Adjustment: incentive.Adjustment{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", b.acts),
		PeriodID: period, ParticipantID: "ann", Type: incentive.Correction, Amount: incentive.Money{Minor: minor, Currency: "USD"}}}
}

// adjusted is an adjustment that fin2 has approved.
func (b *books) adjusted(period string, minor int64) string {
	b.Helper()
	a, err := b.EnterAdjustment(b.Context(), b.adjustment(period, minor))
	require.NoError(b, err)
	_, err = b.DecideAdjustment(b.Context(), "fin2", a.ID, "approved", "")
	require.NoError(b, err)
	return a.ID
}

// total is what a period's statement of ann comes to, "" where there is none.
func (b *books) total(period string) string {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	st, err := b.Statement(b.Context(), period, p.Revision, "ann")
	require.NoError(b, err)
	return st.TotalOf.Amount()
}

// recalculate takes over the adjustments named.
func (b *books) recalculate(period string, adjustments ...string) error {
	b.Helper()
	c := b.command(period, incentive.Recalculate)
	amendment := store.Amendment{ID: fmt.Sprintf("00000000-0000-0000-0001-%012d", b.acts), PeriodID: period, Revision: c.Revision, By: "fin"}
	for _, id := range adjustments {
		amendment.Changes = append(amendment.Changes, store.Change{Kind: "adjustment", ID: id})
	}
	require.NoError(b, b.KeepAmendment(b.Context(), amendment))
	p, err := b.Recalculate(b.Context(), c, amendment.ID)
	if err == nil {
		b.run(p)
	}
	return err
}

func TestAdjustmentsAreRefused(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	period := monthOf(1)
	for name, c := range map[string]struct {
		change func(*store.Adjustment)
		code   incentive.Code
	}{
		"one's own":           {func(a *store.Adjustment) { a.EnteredBy = "ann" }, incentive.CodeOwnPay},
		"unknown type":        {func(a *store.Adjustment) { a.Type = "gift" }, incentive.CodeInvalid},
		"of no dispute":       {func(a *store.Adjustment) { a.Type = incentive.OfDispute }, incentive.CodeInvalid},
		"nothing":             {func(a *store.Adjustment) { a.Amount.Minor = 0 }, incentive.CodeInvalid},
		"no reason":           {func(a *store.Adjustment) { a.ReasonID = "" }, store.CodeReasonMissing},
		"unknown period":      {func(a *store.Adjustment) { a.PeriodID = "monthly-1999-01" }, incentive.CodeNotFound},
		"unknown participant": {func(a *store.Adjustment) { a.ParticipantID = "nobody" }, incentive.CodeNotFound},
		"another currency":    {func(a *store.Adjustment) { a.Amount.Currency = "EUR" }, incentive.CodeInvalid},
	} {
		a := b.adjustment(period, 100)
		c.change(&a)
		_, err := b.EnterAdjustment(t.Context(), a)
		require.Equal(t, c.code, incentive.ErrorCode(err), name)
	}
	a, err := b.EnterAdjustment(t.Context(), b.adjustment(period, 100))
	require.NoError(t, err)
	again, err := b.EnterAdjustment(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, a, again, "the same once more changes nothing")

	decide := func(actor, decision, reason string) incentive.Code {
		_, err := b.DecideAdjustment(t.Context(), actor, a.ID, decision, reason)
		return incentive.ErrorCode(err)
	}
	require.Equal(t, incentive.CodeOwnDecision, decide("fin", "approved", ""))
	require.Equal(t, incentive.CodeOwnPay, decide("ann", "approved", ""))
	require.Equal(t, store.CodeReasonMissing, decide("fin2", "rejected", ""))
	require.Empty(t, decide("fin2", "rejected", a.ReasonID))
	require.Equal(t, incentive.CodeConflict, decide("fin2", "approved", ""), "it is decided once")
	_, err = b.DecideAdjustment(t.Context(), "fin2", "00000000-0000-0000-0000-000000000000", "approved", "")
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))

	b.open(period)
	b.calculate(period)
	require.Equal(t, "0.00", b.total(period), "what was rejected is not paid")
	all, err := b.Adjustments(t.Context(), store.WhichAdjustments{PeriodID: period}, "", 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "rejected", all[0].Decision)
	require.Equal(t, "a reason", all[0].Reason)
	all, err = b.Adjustments(t.Context(), store.WhichAdjustments{}, all[0].ID, 10)
	require.NoError(t, err)
	require.Empty(t, all)

	// One that is not decided about waits for finance but for whoever entered it.
	second, err := b.EnterAdjustment(t.Context(), b.adjustment(period, 200))
	require.NoError(t, err)
	for id, waiting := range map[string]int{"fin": 0, "fin2": 1, "boss": 0, "ann": 0} {
		all, err = b.Adjustments(t.Context(), store.WhichAdjustments{Decider: id}, "", 10)
		require.NoError(t, err)
		require.Len(t, all, waiting, id)
	}
	all, err = b.Adjustments(t.Context(), store.WhichAdjustments{}, "", 1)
	require.NoError(t, err)
	all, err = b.Adjustments(t.Context(), store.WhichAdjustments{}, all[0].ID, 10)
	require.NoError(t, err)
	require.Equal(t, second.ID, all[0].ID, "the oldest first")
}

// TestTheDatabaseRefusesOwnAdjustments holds, whatever the program does.
func TestTheDatabaseRefusesOwnAdjustments(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	const enter = `SET search_path TO guerdon;
		INSERT INTO free_text (id, body, digest, written_by) VALUES ('00000000-0000-0000-0000-000000000001', 'x', '', 'fin') ON CONFLICT DO NOTHING;
		INSERT INTO adjustment (id, period_id, participant_id, type, amount_minor, currency, reason_id, entered_by)
		VALUES ('00000000-0000-0000-0000-000000000002', 'monthly-2026-10', 'ann', 'goodwill', 1, 'USD', '00000000-0000-0000-0000-000000000001', '`
	const decide = `SET search_path TO guerdon; INSERT INTO adjustment_decision (adjustment_id, participant_id, entered_by, decision, decided_by)
		VALUES ('00000000-0000-0000-0000-000000000002', 'ann', `
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, enter+`ann')`), "nobody_adjusts_own_pay")
	require.NoError(t, storetest.TryExec(t.Context(), url, enter+`fin')`))
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, decide+`'fin', 'approved', 'fin')`), "nobody_decides_own_adjustment")
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, decide+`'fin', 'approved', 'ann')`), "nobody_decides_own_adjustment")
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, decide+`'boss', 'approved', 'fin')`), "adjustment_decision_adjustment_id", "who entered it cannot be made up")
	require.NoError(t, storetest.TryExec(t.Context(), url, decide+`'fin', 'approved', 'fin2')`))
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, `SET search_path TO guerdon; DELETE FROM adjustment_decision`), "append-only")
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, `SET search_path TO guerdon; UPDATE adjustment SET amount_minor = 2`), "append-only")
}

// TestAdjustmentsArePaidOnce follows adjustments into the period that pays them.
func TestAdjustmentsArePaidOnce(t *testing.T) {
	t.Parallel()

	t.Run("a lock takes what is approved, a recalculation what is named", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		period := monthOf(1)
		b.deal("d1", "2026-01-10", "1000")
		b.adjusted(period, 500)
		undecided, err := b.EnterAdjustment(t.Context(), b.adjustment(period, 9900))
		require.NoError(t, err)
		b.adjusted(monthOf(2), 7700)
		b.open(period)
		b.calculate(period)
		require.Equal(t, "105.00", b.total(period))

		named, other := b.adjusted(period, -250), b.adjusted(period, 1)
		changes, err := b.PendingChanges(t.Context(), period, 1, store.Change{}, 10)
		require.NoError(t, err)
		require.Equal(t, []store.Change{{Kind: "adjustment", ID: named, What: "new"}, {Kind: "adjustment", ID: other, What: "new"}}, changes)
		require.Equal(t, store.CodeNothingChanged, incentive.ErrorCode(b.recalculate(period, undecided.ID)))
		require.NoError(t, b.recalculate(period, named))
		require.Equal(t, "102.50", b.total(period))
		taken, err := b.Adjustment(t.Context(), named)
		require.NoError(t, err)
		require.Equal(t, period, taken.TakenBy)
		require.Equal(t, store.CodeNothingChanged, incentive.ErrorCode(b.recalculate(period, named)), "it is taken")
		b.approve(period)
		b.pay(period)
		b.shut(period)
		require.Equal(t, "102.50", b.balance(store.Cash))
	})

	t.Run("what came too late is paid by the next period, once", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.close(monthOf(1))
		late := b.adjusted(monthOf(1), 500)
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		require.Equal(t, "5.00", b.total(monthOf(2)))
		p, err := b.PeriodRevision(t.Context(), monthOf(2), 0)
		require.NoError(t, err)
		snapshot, _, err := b.Snapshot(t.Context(), *p.SnapshotID)
		require.NoError(t, err)
		require.Equal(t, []incentive.Adjustment{{ID: late, ParticipantID: "ann", PeriodID: monthOf(1), Type: incentive.Correction, Amount: incentive.Money{Minor: 500, Currency: "USD"}}}, snapshot.Adjustments)
		b.approve(monthOf(2))
		b.pay(monthOf(2))
		b.shut(monthOf(2))
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, "5.00", b.balance(store.Cash))
	})

	t.Run("an earlier period that may be recalculated keeps its own", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		b.adjusted(monthOf(1), 500)
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		require.Equal(t, "0.00", b.total(monthOf(2)))
	})

	t.Run("a cancelled revision lets go", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.close(monthOf(1))
		late := b.adjusted(monthOf(1), 500)
		for range 2 {
			b.open(monthOf(2))
			b.calculate(monthOf(2))
			require.Equal(t, "5.00", b.total(monthOf(2)))
			_, err := b.Act(t.Context(), b.command(monthOf(2), incentive.Cancel))
			require.NoError(t, err)
			a, err := b.Adjustment(t.Context(), late)
			require.NoError(t, err)
			require.Empty(t, a.TakenBy)
		}
		b.open(monthOf(3))
		b.close(monthOf(3))
		require.Equal(t, "5.00", b.balance(store.Cash))
	})

	t.Run("a reopened period keeps those that it paid, and takes the later ones", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.adjusted(monthOf(1), 500)
		b.open(monthOf(1))
		b.close(monthOf(1))
		b.reopen(monthOf(1))
		b.adjusted(monthOf(1), 20)
		b.calculate(monthOf(1))
		require.Equal(t, "5.20", b.total(monthOf(1)))
		_, err := b.Act(t.Context(), b.command(monthOf(1), incentive.Cancel))
		require.NoError(t, err)
		b.open(monthOf(2))
		b.close(monthOf(2))
		require.Equal(t, "5.20", b.balance(store.Cash), "the second revision lets go of the later one, and not of the first")
	})

	t.Run("who entered one neither approves nor releases the period", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		a := b.adjustment(monthOf(1), 500)
		a.EnteredBy = "fin2"
		a, err := b.EnterAdjustment(t.Context(), a)
		require.NoError(t, err)
		_, err = b.DecideAdjustment(t.Context(), "fin", a.ID, "approved", "")
		require.NoError(t, err)
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.publish(monthOf(1))
		today := incentive.DateOf(time.Now())
		_, err = b.Delegate(t.Context(), store.Delegation{ID: "00000000-0000-0000-0000-00000000000d", From: "boss", To: "fin2", StartsOn: today.AddDays(-1), EndsOn: today.AddDays(1), MadeBy: "boss"})
		require.NoError(t, err)
		set := store.DecisionSet{ID: "00000000-0000-0000-0000-00000000000e", PeriodID: monthOf(1), Revision: 1, Queue: "boss", Decision: store.DecisionApproved, DecidedBy: "fin2"}
		require.NoError(t, b.KeepDecisionSet(t.Context(), set))
		_, err = b.ApplyDecisions(t.Context(), set.ID)
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(err))
		require.NoError(t, b.decide(monthOf(1)))
		_, err = b.ApprovePeriod(t.Context(), b.command(monthOf(1), incentive.ApproveLast))
		require.NoError(t, err)
		release := b.command(monthOf(1), incentive.Release)
		list, err := b.PayoutList(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		release.Actor, release.PayoutListDigest = "fin2", list.Digest
		_, err = b.Release(t.Context(), release)
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(err))
	})
}

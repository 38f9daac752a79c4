package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReconciliations keeps what comparisons find, once each, and lists it.
func TestReconciliations(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	ctx := t.Context()
	one, day := int64(100), incentive.MustParseDate("2026-01-31")
	totals := []store.ReconciliationTotal{{Currency: "EUR", Ours: 1, OursMinor: 5}, {Currency: "USD", Theirs: 2, TheirsSum: 7, InTransit: 3, Submitted: 4, Available: &one}}
	differences := []store.RailDifference{
		{Kind: store.MissingThere, Reference: attempt.Key, PayoutID: payout.ID, OurState: "paid", OurMinor: &one, Currency: "USD"},
		{Kind: store.MissingHere, Reference: "not ours", RailID: "tr_1", TheirState: "paid", TheirMinor: &one, Currency: "USD"},
		{Kind: store.LedgerDiffers, Currency: "EUR"},
	}
	first, err := b.KeepReconciliation(ctx, "k1", store.Reconciliation{Rail: bank, Day: day, RunBy: store.System, Agreed: 3}, totals, differences)
	require.NoError(t, err)
	require.Equal(t, []any{bank, day, store.System, 3, 3, 3, false}, []any{first.Rail, first.Day, first.RunBy, first.Agreed, first.Differences, first.Open, first.Superseded})
	again, err := b.KeepReconciliation(ctx, "k1", store.Reconciliation{Rail: bank, Day: day, RunBy: store.System}, nil, nil)
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, kept, err := b.Reconciliation(ctx, first.ID)
	require.NoError(t, err)
	require.Equal(t, totals, kept)
	for i := range differences {
		differences[i].Number = i + 1
	}
	differences[0].PeriodID, differences[0].ParticipantID, differences[0].Name = monthOf(1), "ann", "Name of ann"
	all, err := b.RailDifferences(ctx, first.ID, 0, 10)
	require.NoError(t, err)
	require.Equal(t, differences, all)
	rest, err := b.RailDifferences(ctx, first.ID, 1, 1)
	require.NoError(t, err)
	require.Equal(t, differences[1:2], rest)

	second, err := b.KeepReconciliation(ctx, "k2", store.Reconciliation{Rail: "stripe", Day: day.AddDays(3), RunBy: "fin"}, nil, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		which  store.WhichReconciliations
		before int64
		limit  int
		want   []store.Reconciliation
	}{
		{store.WhichReconciliations{}, 0, 10, []store.Reconciliation{second, first}},
		{store.WhichReconciliations{}, 0, 1, []store.Reconciliation{second}},
		{store.WhichReconciliations{}, second.ID, 10, []store.Reconciliation{first}},
		{store.WhichReconciliations{Rail: bank}, 0, 10, []store.Reconciliation{first}},
		{store.WhichReconciliations{Day: second.Day}, 0, 10, []store.Reconciliation{second}},
		{store.WhichReconciliations{Open: true}, 0, 10, []store.Reconciliation{first}},
	} {
		list, err := b.Reconciliations(ctx, c.which, c.before, c.limit)
		require.NoError(t, err)
		require.Equal(t, c.want, list)
	}
	last, err := b.LastReconciled(ctx, bank)
	require.NoError(t, err)
	require.Equal(t, day, last)
	last, err = b.LastReconciled(ctx, "stripe")
	require.NoError(t, err)
	require.True(t, last.IsZero(), "what a person asks for stands in for no day")
	_, _, err = b.Reconciliation(ctx, 99)
	require.Equal(t, store.CodeReconciliationUnknown, incentive.ErrorCode(err))

	sent, err := b.SentAttempts(ctx, bank, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []store.SentAttempt{{PayoutID: payout.ID, Key: attempt.Key, State: store.Sent, PayoutState: "planned", Amount: payout.Amount}}, sent)
	for _, c := range []struct {
		rail, reference string
		byPayout        bool
		found           int
	}{{bank, attempt.Key, false, 1}, {bank, payout.ID, true, 1}, {bank, payout.ID, false, 0}, {bank, "INVOICE 7", false, 0}, {"stripe", attempt.Key, false, 0}} {
		named, err := b.AttemptsNamed(ctx, c.rail, []string{c.reference, "x"}, c.byPayout)
		require.NoError(t, err)
		require.Len(t, named, c.found, "%+v", c)
	}
	none, err := b.SentAttempts(ctx, bank, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	require.NoError(t, err)
	require.Empty(t, none)
	require.NoError(t, b.Confirm(ctx, attempt, "x", false))
	transit, err := b.InTransit(ctx, bank)
	require.NoError(t, err)
	require.Equal(t, []store.ReconciliationTotal{{Currency: "USD", InTransit: 10000, Submitted: 10000}}, transit)
	_, _, err = b.VerifyAudit(ctx)
	require.NoError(t, err)
}

// TestExplanations is who says what of differences, and where it holds.
func TestExplanations(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	ctx := t.Context()
	one, day := int64(100), incentive.MustParseDate("2026-01-31")
	ours := store.RailDifference{Kind: store.MissingThere, Reference: attempt.Key, PayoutID: payout.ID, OurState: "paid", OurMinor: &one, Currency: "USD"}
	theirs := store.RailDifference{Kind: store.MissingHere, RailID: "tr_1", TheirState: "paid", TheirMinor: &one, Currency: "USD"}
	keys := 0
	keep := func(rail string, day incentive.Date, differences ...store.RailDifference) store.Reconciliation {
		keys++
		r, err := b.KeepReconciliation(ctx, fmt.Sprint(keys), store.Reconciliation{Rail: rail, Day: day, RunBy: store.System}, nil, differences)
		require.NoError(t, err)
		return r
	}
	first := keep(bank, day, ours, theirs)
	for name, c := range map[string]struct {
		actor   string
		id      int64
		numbers []int
		reason  string
		code    incentive.Code
	}{
		"no reason":             {"fin", first.ID, []int{2}, "", store.CodeReasonMissing},
		"no such comparison":    {"fin", first.ID + 100, []int{2}, b.reason(), store.CodeReconciliationUnknown},
		"one that is not there": {"fin", first.ID, []int{2, 3}, b.reason(), incentive.CodeInvalid},
		"one twice":             {"fin", first.ID, []int{2, 2}, b.reason(), incentive.CodeInvalid},
		"none":                  {"fin", first.ID, nil, b.reason(), incentive.CodeInvalid},
		"of one's own payout":   {"ann", first.ID, []int{1}, b.reason(), incentive.CodeOwnPay},
		"own, with another's":   {"ann", first.ID, []int{1, 2}, b.reason(), incentive.CodeOwnPay},
	} {
		require.Equal(t, c.code, incentive.ErrorCode(b.ExplainDifferences(ctx, c.actor, c.id, c.numbers, c.reason)), name)
	}
	require.NoError(t, b.ExplainDifferences(ctx, "fin", first.ID, []int{2}, b.reason()))
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ExplainDifferences(ctx, "fin2", first.ID, []int{1, 2}, b.reason())))
	all, err := b.RailDifferences(ctx, first.ID, 0, 10)
	require.NoError(t, err)
	require.Equal(t, []string{"", "", "fin", "a reason"}, []string{all[0].ExplainedBy, all[0].Explanation, all[1].ExplainedBy, all[1].Explanation}, "all of them or none")
	require.NotNil(t, all[1].ExplainedAt)

	// The same difference of the same day is explained; what is not the same is not.
	two := int64(200)
	changed := theirs
	changed.TheirMinor = &two
	again := keep(bank, day, theirs, changed, ours)
	require.Equal(t, 2, again.Open)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ExplainDifferences(ctx, "fin", again.ID, []int{1}, b.reason())), "it is, already")
	require.Equal(t, 1, keep(bank, day.AddDays(1), theirs).Open, "another day")
	require.Equal(t, 1, keep("stripe", day, theirs).Open, "another rail")
	first, _, err = b.Reconciliation(ctx, first.ID)
	require.NoError(t, err)
	require.True(t, first.Superseded)
	require.Equal(t, 1, first.Open)
	require.NoError(t, b.ExplainDifferences(ctx, "fin2", again.ID, []int{2, 3}, b.reason()))
	open, err := b.Reconciliations(ctx, store.WhichReconciliations{Rail: bank, Open: true}, 0, 10)
	require.NoError(t, err)
	require.Len(t, open, 1)
	require.Equal(t, day.AddDays(1), open[0].Day)
	events, err := b.AuditEvents(ctx, fmt.Sprintf("reconciliation/%d", again.ID), 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, []string{"explain-differences", "fin2"}, []string{events[1].Act, events[1].Actor})
	require.Contains(t, events[1].Body, `"differences":[2,3]`)
	_, _, err = b.VerifyAudit(ctx)
	require.NoError(t, err)
}

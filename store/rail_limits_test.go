package store_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestRailLimits keeps what a rail may do in versions: the latest counts, for rates as for what
// is planned next.
func TestRailLimits(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	rate := decimal.RequireFromString("2.5")
	limits := store.RailLimits{Rail: "payment-file", PerSecond: &rate, Largest: []incentive.Money{{Minor: 9_999, Currency: "USD"}}}
	_, err := b.SetRailLimits(ctx, "fin", limits, "")
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(err))
	kept, err := b.SetRailLimits(ctx, "fin", limits, b.reason())
	require.NoError(t, err)
	require.Equal(t, 1, kept.Version)
	rates, err := b.RailRates(ctx)
	require.NoError(t, err)
	require.Equal(t, "2.5", rates["payment-file"].String())

	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	require.Equal(t, []string{"100.00 held above-largest"}, b.kept(monthOf(1)), "whatever the policy says")

	kept, err = b.SetRailLimits(ctx, "fin", store.RailLimits{Rail: "payment-file"}, b.reason())
	require.NoError(t, err)
	require.Equal(t, 2, kept.Version)
	rates, err = b.RailRates(ctx)
	require.NoError(t, err)
	require.Empty(t, rates)
	history, err := b.RailLimits(ctx, "payment-file", 10)
	require.NoError(t, err)
	require.Len(t, history, 2)
	require.Equal(t, limits.Largest, history[1].Largest)
	require.NotEmpty(t, history[1].Reason)
	events, err := b.AuditEvents(ctx, store.RailSubject("payment-file"), 0, 10)
	require.NoError(t, err)
	require.Len(t, events, 2)

	for name, l := range map[string]store.RailLimits{
		"nothing at all": {PerSecond: &decimal.Decimal{}},
		"too fine":       {PerSecond: pointer(decimal.RequireFromString("0.0001"))},
		"too many":       {PerSecond: pointer(decimal.NewFromInt(1001))},
		"no amount":      {Largest: []incentive.Money{{Minor: 0, Currency: "USD"}}},
		"twice":          {Largest: []incentive.Money{{Minor: 1, Currency: "USD"}, {Minor: 2, Currency: "USD"}}},
	} {
		_, err := b.SetRailLimits(ctx, "fin", l, b.reason())
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
}

func pointer[T any](v T) *T { return &v }

// TestTimeline finds acts by what they were about, who did them and when.
func TestTimeline(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	acts := func(which store.Timeline) (found []string) {
		all, err := b.AuditTimeline(ctx, which, 0, 500)
		require.NoError(t, err)
		for _, e := range all {
			found = append(found, e.Act+" of "+e.Subject)
		}
		return found
	}
	all := acts(store.Timeline{})
	require.NotEmpty(t, all)
	newest := acts(store.Timeline{Newest: true})
	require.Equal(t, all[0], newest[len(newest)-1])
	subject := incentive.PeriodSubject(monthOf(1), 1)
	of := acts(store.Timeline{Subject: subject})
	require.Contains(t, of, "plan-payouts of "+subject)
	require.Subset(t, acts(store.Timeline{Subject: subject, Parts: true}), of)
	require.Subset(t, acts(store.Timeline{Subject: "statement/" + monthOf(1) + "/1/ann"}), of)
	require.Subset(t, all, acts(store.Timeline{Subject: "pay-period/"}))
	require.Contains(t, acts(store.Timeline{Actor: "system", Act: "plan-payouts"}), "plan-payouts of "+subject)
	require.Empty(t, acts(store.Timeline{Actor: "ann", Act: "plan-payouts"}))
	require.Empty(t, acts(store.Timeline{To: incentive.MustParseDate("2020-01-01")}))
	require.Equal(t, all, acts(store.Timeline{From: incentive.MustParseDate("2020-01-01")}))
	first, err := b.AuditTimeline(ctx, store.Timeline{Newest: true}, 0, 2)
	require.NoError(t, err)
	second, err := b.AuditTimeline(ctx, store.Timeline{Newest: true}, first[1].Number, 1)
	require.NoError(t, err)
	require.Equal(t, first[1].Number-1, second[0].Number)
	for _, subject := range []string{"statement/m", "statement/m/one/ann", "statement/m/1"} {
		_, err := b.AuditTimeline(ctx, store.Timeline{Subject: subject}, 0, 1)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), subject)
	}
}

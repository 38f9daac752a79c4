package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestTargets proposes quotas from last year's deals, lets a figure be changed with a reason,
// and publishes all of them together, month by month as a year before.
func TestTargets(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	number := decimal.RequireFromString
	b.put("participant", participant("bob", ""))
	b.assign("bob", "flat", "2026-01-01")
	b.deal("d1", "2026-01-10", "300")
	b.deal("d2", "2026-03-10", "100")
	proposal := store.TargetProposal{ID: uuid.NewString(), Name: "Q1", PlanID: "flat", Measure: "sales", Currency: "USD", StartsOn: incentive.MustParseDate("2027-01-01"), EndsOn: incentive.MustParseDate("2027-03-31"),
		Method: incentive.TargetEvenly, Target: number("1000.01"), Seasonal: true, ProposedBy: "fin"}
	p, err := b.ProposeTargets(t.Context(), proposal)
	require.NoError(t, err)
	require.Equal(t, 2, p.People)
	require.True(t, p.Sum.Equal(p.Target) && p.Sum.Equal(number("1000.01")))
	again, err := b.ProposeTargets(t.Context(), proposal)
	require.NoError(t, err)
	require.Equal(t, p, again, "once")
	figures, err := b.TargetFigures(t.Context(), p.ID, nil, "", 10)
	require.NoError(t, err)
	require.Equal(t, "500.01", figures[0].Amount.String())
	require.Equal(t, "400", figures[0].LastYear.String())

	change := func(actor, who string, seen int, amount, reason string) incentive.Code {
		t.Helper()
		err := b.ChangeTarget(t.Context(), actor, p.ID, who, seen, number(amount), reason)
		if err == nil {
			return ""
		}
		return incentive.ErrorCode(err)
	}
	why := b.reason()
	require.Equal(t, incentive.CodeOwnDecision, change("bob", "bob", 1, "1", why))
	require.Equal(t, store.CodeReasonMissing, change("fin", "bob", 1, "1", ""))
	require.Equal(t, incentive.CodeInvalid, change("fin", "bob", 1, "-1", why))
	require.Equal(t, incentive.CodeNotFound, change("fin", "fin2", 1, "1", why))
	require.Empty(t, change("fin", "bob", 1, "600", why))
	require.Equal(t, incentive.CodeConflict, change("fin", "bob", 1, "700", why), "somebody was faster")
	figures, err = b.TargetFigures(t.Context(), p.ID, []string{"bob"}, "", 10)
	require.NoError(t, err)
	require.Len(t, figures, 1)
	require.Equal(t, []string{"500", "600"}, []string{figures[0].Proposed.String(), figures[0].Amount.String()})

	_, err = b.EndProposal(t.Context(), "fin", p.ID, "published", number("1000.01"))
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err), "the sum is another one by now")
	p, err = b.EndProposal(t.Context(), "fin", p.ID, "published", number("1100.01"))
	require.NoError(t, err)
	require.Equal(t, "published", p.Outcome)
	_, err = b.EndProposal(t.Context(), "fin", p.ID, "withdrawn", p.Sum)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err), "it ends once")
	require.Equal(t, incentive.CodeConflict, change("fin", "bob", 2, "1", why))
	quotas, err := b.QuotasKept(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"ann 2027-01-01 2027-01-31 375.01", "ann 2027-02-01 2027-02-28 0", "ann 2027-03-01 2027-03-31 125",
		"bob 2027-01-01 2027-01-31 450", "bob 2027-02-01 2027-02-28 0", "bob 2027-03-01 2027-03-31 150"}, quotas)

	for name, wrong := range map[string]func(p *store.TargetProposal){
		"part of a month": func(p *store.TargetProposal) { p.StartsOn = incentive.MustParseDate("2027-01-02") },
		"nobody":          func(p *store.TargetProposal) { p.PlanID = "none" },
		"no seasons":      func(p *store.TargetProposal) { p.Currency = "EUR" },
		"no such way":     func(p *store.TargetProposal) { p.Method = "guess" },
	} {
		one := proposal
		one.ID = uuid.NewString()
		wrong(&one)
		_, err := b.ProposeTargets(t.Context(), one)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
	}
}

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestReconciliation lists what comparisons found, and explains it.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	p := publishMonth(t)
	ours, theirs := int64(101), int64(102)
	day := incentive.MustParseDate("2026-02-05")
	for key, rail := range map[string]string{"1": "stripe", "2": "xendit"} {
		_, err := p.KeepReconciliation(t.Context(), key, store.Reconciliation{Rail: rail, Day: day, RunBy: store.System, Agreed: 7},
			[]store.ReconciliationTotal{{Currency: "USD", Ours: 8, OursMinor: 900, Theirs: 9, TheirsSum: 1000}},
			[]store.RailDifference{{Kind: store.AmountDiffers, Reference: "ref", OurState: "paid", OurMinor: &ours, TheirState: "paid", TheirMinor: &theirs, Currency: "USD"},
				{Kind: store.MissingHere, RailID: "tr_1", TheirState: "paid"}})
		require.NoError(t, err)
	}
	says := func(arguments ...string) string {
		exit, out, told := p.guerdon("fin", append([]string{"reconciliation"}, arguments...)...)
		require.Zero(t, exit, told)
		return strings.Join(strings.Fields(out), " ")
	}
	require.Equal(t, 2, strings.Count(says("list"), "2026-02-05 7 agree 2 differences, 2 not explained system"))
	require.Equal(t, 1, strings.Count(says("list", "--rail", "stripe", "--day", "2026-02-05"), "agree"))
	require.Empty(t, says("list", "--day", "2026-02-06"))
	number, _, _ := strings.Cut(says("list", "--rail", "stripe"), " ")
	found := says("show", number)
	require.Contains(t, found, "8 ours 9.00 USD 9 theirs 10.00 USD in transit 0.00 USD on its way 0.00 USD")
	require.Contains(t, found, "1 amount-differs ref paid of 1.01 USD here paid of 1.02 USD there not explained")
	require.Contains(t, found, "2 missing-here tr_1 nothing here paid there not explained")
	require.Contains(t, says("explain", number, "1", "2", "--reason", "a fee of theirs"), "2 differences, 0 not explained")
	require.Contains(t, says("show", number), "there fin: a fee of theirs")
	require.Equal(t, 1, strings.Count(says("list", "--open"), "agree"), "the other rail's")
	exit, _, told := p.guerdon("fin", "reconciliation", "run", "cash", "2026-02-05")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "cash")
	exit, _, told = p.guerdon("ann", "reconciliation", "list")
	require.Equal(t, 1, exit)
	require.Contains(t, told, "none of your roles may")
}

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/store"
)

// TestExchangeRates freezes the rates that plans name, and tells what has changed of them
// since.
func TestExchangeRates(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx, period := b.Context(), monthOf(1)
	rate := func(source, day, rate string) {
		b.put("exchange_rate", map[string]any{"rate_source": source, "from_currency": "EUR", "to_currency": "USD", "date": day, "rate": rate})
	}
	b.plan("flat", "exchange: {rates: ecb, on: transaction_date}\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%}]")
	rate("ecb", "2025-11-30", "1.3")
	rate("ecb", "2026-01-09", "1.0847")
	rate("ecb", "2026-01-09", "1.10")
	rate("other", "2026-01-10", "9")
	rate("ecb", "2026-02-01", "9")
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": "e", "date": "2026-01-10", "amount": "100", "currency": "EUR", "attributes": map[string]string{}})
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "e", "participant_id": "ann", "role": "owner", "share": "1"})
	b.open(period)
	b.calculate(period)
	p, err := b.PeriodRevision(ctx, period, 0)
	require.NoError(t, err)
	snapshot, _, err := b.Snapshot(ctx, *p.SnapshotID)
	require.NoError(t, err)
	require.Len(t, snapshot.Rates, 1)
	require.Equal(t, "2026-01-09", snapshot.Rates[0].Date.String(), "neither too old nor later than the period, nor of another source")
	require.Equal(t, "11.00 (0.00)", b.statement(period, 1, "ann"), "100 euros at 1.10")
	b.proved(period)

	rate("ecb", "2026-01-10", "1.20")
	changes, err := b.PendingChanges(ctx, period, 1, store.Change{}, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Change{{Kind: "exchange_rate", ID: "ecb", What: "changed"}}, changes)
	b.amend(period, changes...)
	require.Equal(t, "12.00 (0.00)", b.statement(period, 1, "ann"), "100 euros at 1.20")
	b.proved(period)
}

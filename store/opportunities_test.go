package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// open is an opportunity of ann's, or what is known of it now.
func (b *books) opportunity(id, closes, amount, probability, status string) {
	b.Helper()
	b.put("opportunity", map[string]any{"source": "crm", "opportunity_id": id, "participant_id": "ann", "name": "Customer " + id, "stage": "Proposal", "probability": probability,
		"expected_close": closes, "amount": amount, "currency": "USD", "status": status, "attributes": map[string]string{"product": "platform"}})
}

// open lists the ids of ann's opportunities.
func (b *books) openDeals(which store.WhichOpportunities) (ids []string) {
	b.Helper()
	all, err := b.Opportunities(b.Context(), which, nil, 100)
	require.NoError(b, err)
	for _, o := range all {
		ids = append(ids, o.ID)
	}
	return ids
}

// TestOpportunitiesCountForNothing are shown beside what is booked until they are closed.
func TestOpportunitiesCountForNothing(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.plan("flat", `reads: {transaction: {product: text}}
components: [{name: commission, measure: {sum: credits, where: transaction.product == "platform"}, rate_table: {on: amount, tiers: [{up_to: 1000, rate: 10%}, {rate: 20%}]}}]`)
	b.open(january)
	b.opportunity("o1", "2026-01-25", "1000", "0.5", "open")
	b.opportunity("o2", "2026-01-10", "2000", "0.25", "open") // the day has passed
	b.opportunity("o3", "2026-02-10", "9000", "0.9", "open")
	require.Equal(t, "0.00, booked 0.00", b.estimate(january))
	require.Equal(t, []string{"o2", "o1", "o3"}, b.openDeals(store.WhichOpportunities{}))
	require.Equal(t, []string{"o2", "o1"}, b.openDeals(store.WhichOpportunities{Of: []string{"ann"}, ClosesBy: incentive.MustParseDate("2026-01-31")}))
	require.Empty(t, b.openDeals(store.WhichOpportunities{Of: []string{"bob"}}))

	first, err := b.Opportunities(t.Context(), store.WhichOpportunities{}, nil, 1)
	require.NoError(t, err)
	rest, err := b.Opportunities(t.Context(), store.WhichOpportunities{}, &store.OpportunityKey{ExpectedClose: first[0].ExpectedClose, Source: "crm", ID: first[0].ID}, 10)
	require.NoError(t, err)
	require.Len(t, rest, 2, "the next page")

	today := incentive.DateOf(noon)
	l, err := b.Pipeline(t.Context(), b.revision(january), "ann", today)
	require.NoError(t, err)
	require.Equal(t, []string{"0.00", "500.00", "100.00"}, []string{l.Now.Total.Amount(), l.Closed.Total.Amount(), l.Weighted.Total.Amount()}, "3000 through the tiers, and 500 + 500")
	deals, err := b.IfClosed(t.Context(), b.revision(january), "ann", []incentive.TransactionKey{{Source: "crm", ID: "o1"}, {Source: "crm", ID: "o2"}}, today)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-01-25", "2026-01-20"}, []string{deals[0].Date.String(), deals[1].Date.String()})
	_, err = b.IfClosed(t.Context(), b.revision(january), "bob", []incentive.TransactionKey{{Source: "crm", ID: "o1"}}, today)
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "somebody else's")

	b.opportunity("o2", "2026-01-10", "2000", "0.25", "lost")
	require.Equal(t, []string{"o1", "o3"}, b.openDeals(store.WhichOpportunities{}))
	b.deal("o1", "2026-01-19", "1100") // it has become a transaction
	require.Equal(t, []string{"o3"}, b.openDeals(store.WhichOpportunities{}))

	b.calculate(january)
	_, err = b.Pipeline(t.Context(), b.revision(january), "ann", today)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
}

package store_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// inPages walks a list two rows at a time and returns what names each.
func inPages(t *testing.T, read func(after string, limit int) ([]string, error)) (all []string) {
	t.Helper()
	after := ""
	for {
		page, err := read(after, 2)
		require.NoError(t, err)
		if len(page) == 0 {
			return all
		}
		all, after = append(all, page...), page[len(page)-1]
	}
}

func each[T any](rows []T, id func(T) string) (ids []string) {
	for _, row := range rows {
		ids = append(ids, id(row))
	}
	return ids
}

// TestSortedListsGoOn walks every list in each of its orders, both ways: no row is left out
// or comes twice where a page ends, among equals too.
func TestSortedListsGoOn(t *testing.T) {
	t.Parallel()
	b, _ := handOut(t, "", map[string]string{"ann": "500", "bob": "20000", "boss": "500", "fin": "50", "fin2": "500"})
	ctx, january := t.Context(), monthOf(1)
	for _, id := range []string{"ann", "bob", "boss", "fin2"} {
		b.put("quota", map[string]any{"participant_id": id, "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "amount": "1000"})
		b.put("quota", map[string]any{"participant_id": id, "measure": "sales", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "amount": "2000"})
	}
	lists := map[string]struct {
		orders []string
		read   func(l store.Listing, after string, limit int) ([]string, error)
	}{
		"people": {[]string{"", "id", "name"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.FindPeople(ctx, store.WhichPeople{Listing: l}, after, limit)
			return each(all, func(p store.Person) string { return p.ID }), err
		}},
		"statements": {[]string{"", "name", "total"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.FindStatements(ctx, store.WhichStatements{PeriodID: january, Revision: 1, Listing: l}, after, limit)
			return each(all, func(st store.StoredStatement) string { return st.ParticipantID }), err
		}},
		"approvals": {[]string{"", "name", "total", "before", "change", "decision", "attention"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.FindApprovals(ctx, store.WhichApprovals{PeriodID: january, Revision: 1, Queue: "boss", Listing: l}, store.ApprovalKey{ParticipantID: after, Level: 1}, limit)
			return each(all, func(a store.Approval) string { return a.ParticipantID }), err
		}},
		"quotas": {[]string{"", "name", "measure", "starts", "ends", "amount"}, func(l store.Listing, after string, limit int) ([]string, error) {
			var key *store.QuotaKey
			if after != "" {
				key = &store.QuotaKey{StartsOn: incentive.MustParseDate(after[:10]), Person: after[10:], Measure: "sales"}
			}
			all, err := b.Quotas(ctx, store.QuotasOf{Listing: l}, key, limit)
			return each(all, func(q store.SetQuota) string { return q.StartsOn.String() + q.Person }), err
		}},
		"payouts": {[]string{"", "name", "amount", "rail", "state", "attention", "period"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.FindPayouts(ctx, store.WhichPayouts{PeriodID: january, Revision: 1, Listing: l}, after, limit)
			return each(all, func(o store.Payout) string { return o.ID }), err
		}},
		"exceptions": {[]string{"", "name", "amount", "rail", "state", "period"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.Exceptions(ctx, store.WhichExceptions{Listing: l}, after, limit)
			return each(all, func(o store.PayoutException) string { return o.ID }), err
		}},
		"adjustments": {[]string{"", "name", "amount", "type", "entered", "decision"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.Adjustments(ctx, store.WhichAdjustments{Listing: l}, after, limit)
			return each(all, func(a store.Adjustment) string { return a.ID }), err
		}},
		"disputes": {[]string{"", "name", "amount", "state", "raised", "due"}, func(l store.Listing, after string, limit int) ([]string, error) {
			all, err := b.Disputes(ctx, "fin", incentive.All, store.WhichDisputes{Listing: l}, after, limit)
			return each(all, func(d store.Dispute) string { return d.ID }), err
		}},
	}
	for _, id := range []string{"ann", "bob", "ann"} {
		a := b.adjustment(january, 500)
		a.ParticipantID = id
		_, err := b.EnterAdjustment(ctx, a)
		require.NoError(t, err)
	}
	b.says("boss", "boss", store.DecisionApproved)
	b.says("chief", "chief", store.DecisionApproved)
	b.says("fin3", "finance", store.DecisionApproved)
	_, err := b.ApprovePeriod(ctx, b.command(january, incentive.ApproveLast))
	require.NoError(t, err)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		l := lists[name]
		whole, err := l.read(store.Listing{}, "", 500)
		require.NoError(t, err, name)
		if name != "disputes" {
			require.NotEmpty(t, whole, name)
		}
		for _, order := range l.orders {
			for _, sort := range []string{order, "-" + order} {
				if sort == "-" {
					continue
				}
				atOnce, err := l.read(store.Listing{Sort: sort}, "", 500)
				require.NoError(t, err, "%s by %s", name, sort)
				require.ElementsMatch(t, whole, atOnce, "%s by %s", name, sort)
				walked := inPages(t, func(after string, limit int) ([]string, error) {
					return l.read(store.Listing{Sort: sort}, after, limit)
				})
				require.Equal(t, atOnce, walked, "%s by %s", name, sort)
			}
		}
		_, err = l.read(store.Listing{Sort: "shoe-size"}, "", 1)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), name)
		none, err := l.read(store.Listing{Search: "100%"}, "", 500)
		require.NoError(t, err)
		require.Empty(t, none, "%s: what is searched for is no pattern", name)
		some, err := l.read(store.Listing{Search: "OF ANN"}, "", 500)
		require.NoError(t, err)
		require.Less(t, len(some), len(whole)+1, name)
	}
}

package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestRemind tells whoever an item waits for, once a day, and is on record.
func TestRemind(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx, month := t.Context(), monthOf(1)
	b.open(month)
	b.deal("d1", "2026-01-10", "1000")
	b.assign("bob", "flat", "2026-01-01") // who has nowhere to be paid
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "bob", "role": "helper", "share": "0.5"})
	b.calculate(month)
	reminder := store.Reminder{PeriodID: month, Revision: 1, Item: store.ItemApprovals, Party: "boss", Actor: "fin", Key: "1"}
	_, err := b.Remind(ctx, reminder)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err), "nothing waits for approval yet")
	_, err = b.Publish(ctx, b.command(month, incentive.Publish), time.Now())
	require.NoError(t, err)
	_, _, err = b.StartApproving(ctx, b.command(month, incentive.EndWindow))
	require.NoError(t, err)
	for range 2 { // the same command again says the same
		told, err := b.Remind(ctx, reminder)
		require.NoError(t, err)
		require.Equal(t, 1, told)
	}
	again := reminder
	again.Key = "2"
	_, err = b.Remind(ctx, again)
	require.Equal(t, store.CodeReminded, incentive.ErrorCode(err))
	for _, party := range []string{"fin", store.FinanceQueue, "nobody"} {
		other := reminder
		other.Party, other.Key = party, party
		_, err = b.Remind(ctx, other)
		require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err), party)
	}
	of := func(person, kind string) (found int) {
		all, err := b.Notifications(ctx, person, 0, 100)
		require.NoError(t, err)
		for _, n := range all {
			if string(n.Kind) == kind {
				require.Equal(t, incentive.PeriodSubject(month, 1), n.Subject)
				found++
			}
		}
		return found
	}
	require.Equal(t, 1, of("boss", "approvals-reminder"))

	bob := store.Reminder{PeriodID: month, Revision: 1, Item: store.ItemDestinations, Party: "bob", Actor: "fin", Key: "3"}
	_, err = b.Remind(ctx, bob)
	require.NoError(t, err)
	bob.Key = "4"
	_, err = b.Remind(ctx, bob)
	require.Equal(t, store.CodeReminded, incentive.ErrorCode(err))
	require.Equal(t, 1, of("bob", "destinations-reminder"))
	events, err := b.AuditEvents(ctx, incentive.PeriodSubject(month, 1), 0, 100)
	require.NoError(t, err)
	require.Equal(t, []string{`{"item":"approvals","party":"boss","key":"1","told":1}`, `{"item":"destinations","party":"bob","key":"3","told":1}`}, []string{events[len(events)-2].Body, events[len(events)-1].Body})
}

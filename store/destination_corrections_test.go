package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestABankCorrectsADestination is a notification of change: the payment stands, and somebody else than
// who handed the bank's file in makes what it says the destination.
func TestABankCorrectsADestination(t *testing.T) {
	t.Parallel()
	b, payout, _ := filed(t, true)
	ctx := t.Context()
	says := func(name, account string) string {
		return b.bankSays(name, store.PayoutOutcome{PayoutID: payout.ID, Code: "C01", Reason: "the bank corrects the account number", On: incentive.MustParseDate("2026-02-20"),
			Correction: &store.Destination{Details: map[string]string{"holder": "Ann", "account": account}, Masked: "…77", Account: "account=" + account}})
	}
	waiting := func() []store.DestinationCorrection {
		all, err := b.DestinationCorrections(ctx, "", 10)
		require.NoError(t, err)
		return all
	}
	before, err := b.Methods(ctx, payout.ParticipantID)
	require.NoError(t, err)

	require.Equal(t, "correction", says("first", "998877"))
	require.Equal(t, "none", says("second", "998877"), "one waits already")
	require.Equal(t, "submitted", b.stands(), "the payment stands")
	all := waiting()
	require.Len(t, all, 1)
	require.Equal(t, payout.ParticipantID, all[0].ParticipantID)
	require.Equal(t, "…77", all[0].ToMasked)
	id := all[0].ID
	rest, err := b.DestinationCorrections(ctx, id, 10)
	require.NoError(t, err)
	require.Empty(t, rest)

	refused := func(code incentive.Code, actor, id string, confirms bool, reason string) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(b.DecideCorrection(ctx, actor, id, confirms, reason)))
	}
	refused(store.CodePreparer, "fin2", id, true, "")
	refused(incentive.CodeOwnPay, payout.ParticipantID, id, true, "")
	refused(store.CodeReasonMissing, "fin", id, false, "")
	refused(incentive.CodeNotFound, "fin", "x", true, "")
	for range 2 { // who asks again is answered as the first time
		require.NoError(t, b.DecideCorrection(ctx, "fin", id, true, ""))
	}
	refused(incentive.CodeConflict, "fin", id, false, b.reason())
	refused(incentive.CodeConflict, "fin3", id, true, "")
	require.Empty(t, waiting())
	after, err := b.Methods(ctx, payout.ParticipantID)
	require.NoError(t, err)
	require.Len(t, after, len(before))
	require.Equal(t, before[0].Version+1, after[0].Version)
	require.Equal(t, "…77", after[0].Masked)
	details, err := b.Destinations(ctx, []int64{after[0].ID})
	require.NoError(t, err)
	require.Equal(t, "998877", details[after[0].ID].Details["account"])

	require.Equal(t, "none", says("third", "1234567"), "the payment went to a destination that is no longer theirs")
	require.Empty(t, waiting())
	_, _, err = b.VerifyAudit(ctx)
	require.NoError(t, err)
}

// TestACorrectionIsRefused leaves the destination as it is, and one that the participant has replaced meanwhile
// is not confirmed.
func TestACorrectionIsRefused(t *testing.T) {
	t.Parallel()
	b, payout, _ := filed(t, true)
	ctx := t.Context()
	correction := store.PayoutOutcome{PayoutID: payout.ID, Code: "C01", Correction: &store.Destination{Details: map[string]string{"holder": "Ann", "account": "998877"}, Masked: "…77"}}
	for i, confirms := range []bool{false, true} {
		require.Equal(t, "correction", b.bankSays(string(rune('a'+i)), correction))
		all, err := b.DestinationCorrections(ctx, "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		if !confirms {
			require.NoError(t, b.DecideCorrection(ctx, "fin", all[0].ID, false, b.reason()))
			continue
		}
		_, err = b.SetDestination(ctx, payout.ParticipantID, store.Destination{ParticipantID: payout.ParticipantID, Rail: bank, Details: map[string]string{"holder": "Ann", "account": "555"}, Masked: "…5"})
		require.NoError(t, err)
		require.Equal(t, store.CodeChangedMeantime, incentive.ErrorCode(b.DecideCorrection(ctx, "fin", all[0].ID, true, "")))
	}
	methods, err := b.Methods(ctx, payout.ParticipantID)
	require.NoError(t, err)
	require.Equal(t, "…5", methods[0].Masked)
}

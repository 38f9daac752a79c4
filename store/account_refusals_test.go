package store_test

import (
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// account is a payout method of a bank account.
func account(number, share string) store.Destination {
	return store.Destination{Rail: bank, Masked: "…" + number, Details: map[string]string{"account": number}, Account: "account=" + number, Share: decimal.RequireFromString(share)}
}

// sent is a company whose one payout of January, to the account 111, has been taken to the bank.
func sent(t *testing.T) (*books, store.Payout) {
	t.Helper()
	b := openBooks(t)
	b.follows("change_waits_days: 0")
	b.methods("ann", account("111", "1"))
	b.deal("d1", "2026-01-10", "1000")
	b.toApproved(monthOf(1))
	require.NoError(t, b.release(monthOf(1), "fin2"))
	f, err := b.KeepPaymentFile(t.Context(), store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: bank, Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000})
	require.NoError(t, err)
	_, err = b.ConfirmFile(t.Context(), "fin2", f.ID, false)
	require.NoError(t, err)
	return b, b.payouts(monthOf(1))[0]
}

// comesBackFor has the bank return a payout, for a reason of the account or another one.
func (b *books) comesBackFor(o store.Payout, account bool) {
	b.Helper()
	require.Equal(b, "returned", b.bankSays("back", store.PayoutOutcome{PayoutID: o.ID, State: "returned", Code: "AC04", Amount: o.Amount, BadAccount: account}))
	require.NoError(b, b.CancelPayout(b.Context(), "fin", o.ID, b.reason()))
}

// refused is the code of why nothing is paid to ann's first account, "" where it is.
func (b *books) refused() string {
	b.Helper()
	return b.method().Refused
}

// TestAnAccountThatIsRefused is paid no more once a payment came back because of it, until its owner says that it
// is right, names it again or another one, or finance lets a payout go there.
func TestAnAccountThatIsRefused(t *testing.T) {
	t.Parallel()
	const month, held, goes = "monthly-2026-02", "200.00 held account-refused", "200.00 planned "
	for name, does := range map[string]func(*books, *testing.T){
		"its owner confirms it": func(b *books, t *testing.T) {
			b.toApproved(month)
			require.Equal(t, []string{held}, b.kept(month))
			before, err := b.PayoutList(t.Context(), month, 1)
			require.NoError(t, err)
			set, err := b.Methods(t.Context(), "ann")
			require.NoError(t, err)
			require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(b.ConfirmAccount(t.Context(), "fin", "fin", set[0].ID)), "it is somebody else's")
			require.NoError(t, b.ConfirmAccount(t.Context(), "ann", "ann", set[0].ID))
			require.Equal(t, store.CodeAccountNotRefused, incentive.ErrorCode(b.ConfirmAccount(t.Context(), "ann", "ann", set[0].ID)))
			after, err := b.PayoutList(t.Context(), month, 1)
			require.NoError(t, err)
			require.NotEqual(t, before.Digest, after.Digest, "a release signs it anew")
		},
		"its owner names it again": func(b *books, t *testing.T) {
			b.toApproved(month)
			require.Equal(t, []string{held}, b.kept(month))
			b.methods("ann", account("111", "1"))
		},
		"its owner names another one": func(b *books, t *testing.T) {
			b.methods("ann", account("222", "1"))
			b.toApproved(month)
		},
		"finance lets it go before the release": func(b *books, t *testing.T) {
			b.toApproved(month)
			id := b.payouts(month)[0].ID
			require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.LiftHold(t.Context(), "ann", id, b.reason())))
			require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(b.LiftHold(t.Context(), "fin", id, "")))
			require.NoError(t, b.LiftHold(t.Context(), "fin", id, b.reason()))
			require.NoError(t, b.release(month, "fin2"))
			require.NoError(t, b.HoldNotReady(t.Context(), month, 1, bank))
		},
		"two of finance let it go after the release": func(b *books, t *testing.T) {
			b.toApproved(month)
			require.NoError(t, b.release(month, "fin2"))
			o := b.payouts(month)[0]
			require.NoError(t, b.ProposeRedirection(t.Context(), "fin", o.ID, b.reason(), o.Newer.Version))
			require.Equal(t, []string{held}, b.kept(month))
			require.NoError(t, b.DecideRedirection(t.Context(), "fin2", o.ID, true, ""))
			require.NoError(t, b.HoldNotReady(t.Context(), month, 1, bank))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, payout := sent(t)
			b.comesBackFor(payout, true)
			require.Equal(t, "AC04", b.refused())
			told, err := b.Notices(t.Context(), "ann", 0, 10)
			require.NoError(t, err)
			require.True(t, slices.ContainsFunc(told, func(n notice.Notice) bool { return n.Kind == notice.AccountRefused && n.Path() == "/account" }))
			b.deal("d2", "2026-02-10", "1000")
			does(b, t)
			require.Equal(t, []string{goes}, b.kept(month))
			require.Empty(t, b.refused())
			b.proved(month)
		})
	}
}

// TestAnAccountIsRefusedForItsOwnReasons alone, and by all who go by it: what is planned already, what is
// released and in no file yet, and a share of another version of the methods.
func TestAnAccountIsRefusedForItsOwnReasons(t *testing.T) {
	t.Parallel()
	t.Run("another reason", func(t *testing.T) {
		t.Parallel()
		b, payout := sent(t)
		b.comesBackFor(payout, false)
		require.Empty(t, b.refused())
	})
	t.Run("planned", func(t *testing.T) {
		t.Parallel()
		b, payout := sent(t)
		b.deal("d2", "2026-02-10", "1000")
		b.toApproved(monthOf(2))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(2)))
		b.comesBackFor(payout, true)
		require.Equal(t, []string{"100.00 held account-refused"}, b.kept(monthOf(2)))
	})
	t.Run("released", func(t *testing.T) {
		t.Parallel()
		b, payout := sent(t)
		b.deal("d2", "2026-02-10", "1000")
		b.toApproved(monthOf(2))
		require.NoError(t, b.release(monthOf(2), "fin2"))
		b.comesBackFor(payout, true)
		keeps := store.PaymentFile{PeriodID: monthOf(2), Revision: 1, Rail: bank, Currency: "USD", Name: "g", MessageID: "n", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000}
		_, err := b.KeepPaymentFile(t.Context(), keeps)
		require.ErrorContains(t, err, "built again", "it was read before it was refused")
		require.NoError(t, b.HoldNotReady(t.Context(), monthOf(2), 1, bank))
		require.Equal(t, []string{"100.00 held account-refused"}, b.kept(monthOf(2)))
		tell, err := b.DisbursementsOf(t.Context(), "ann")
		require.NoError(t, err)
		require.Empty(t, tell)
		set, err := b.Methods(t.Context(), "ann")
		require.NoError(t, err)
		require.NoError(t, b.ConfirmAccount(t.Context(), "ann", "ann", set[0].ID))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(2)), "as it was released")
		tell, err = b.DisbursementsOf(t.Context(), "ann")
		require.NoError(t, err)
		require.Equal(t, []store.Disbursing{{PeriodID: monthOf(2), Revision: 1, Rail: bank}}, tell)
	})
	t.Run("another share", func(t *testing.T) {
		t.Parallel()
		b, payout := sent(t)
		b.comesBackFor(payout, true)
		set, err := b.Methods(t.Context(), "ann")
		require.NoError(t, err)
		b.methods("ann", store.Destination{ID: set[0].ID, Share: decimal.RequireFromString("0.5")}, account("222", "0.5"))
		require.Equal(t, "AC04", b.refused(), "it was not named again")
		b.deal("d2", "2026-02-10", "1000")
		b.toApproved(monthOf(2))
		require.ElementsMatch(t, []string{"100.00 held account-refused", "100.00 planned "}, b.kept(monthOf(2)))
	})
}

// TestAnAccountThatARailRefuses is not paid by the next list; whoever retries the payout sends it there all the same.
func TestAnAccountThatARailRefuses(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("employees: {by: [xendit]}, change_waits_days: 0")
	wallet := account("111", "1")
	wallet.Rail = "xendit"
	b.methods("ann", wallet)
	b.deal("d1", "2026-01-10", "1000")
	b.toApproved(monthOf(1))
	require.NoError(t, b.release(monthOf(1), "fin2"))
	id := b.payouts(monthOf(1))[0].ID
	attempt := b.sends(id)
	for range 2 {
		require.NoError(t, b.RejectAccount(t.Context(), attempt, "INVALID_DESTINATION"))
	}
	require.Equal(t, []string{"100.00 failed INVALID_DESTINATION"}, b.kept(monthOf(1)))
	require.Equal(t, "INVALID_DESTINATION", b.refused())
	b.deal("d2", "2026-02-10", "1000")
	b.toApproved(monthOf(2))
	require.Equal(t, []string{"100.00 held account-refused"}, b.kept(monthOf(2)))

	require.NoError(t, b.RetryPayout(t.Context(), "fin", id, b.reason()))
	require.Empty(t, b.refused())
	again, live, err := b.BeginAttempt(t.Context(), id)
	require.NoError(t, err)
	require.True(t, live)
	require.NoError(t, b.RejectAccount(t.Context(), again.Attempt, "INVALID_DESTINATION"))
	require.Equal(t, "INVALID_DESTINATION", b.refused(), "once more")
	require.Equal(t, []string{"100.00 held account-refused"}, b.kept(monthOf(2)), "what was held for it is decided about by itself")
}

package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestPayoutsComeFromTheBalance pays what is owed, however many periods it took.
func TestPayoutsComeFromTheBalance(t *testing.T) {
	t.Parallel()

	t.Run("what a statement takes back is made up for by later ones", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		for month, c := range []struct {
			date, amount, payable string
			planned               []string
		}{
			{"2026-01-10", "-500", "-50.00", []string{}},
			{"2026-02-10", "300", "-20.00", []string{}},
			{"2026-03-10", "700", "50.00", []string{"ann 50.00 (-20.00) planned"}},
			{"2026-04-10", "100", "10.00", []string{"ann 10.00 (0.00) planned"}},
		} {
			period := monthOf(month + 1)
			b.open(period)
			b.deal(period, c.date, c.amount)
			b.calculate(period)
			b.approve(period)
			require.Equal(t, c.payable, b.balance(store.Payable), period)
			require.Equal(t, c.planned, b.planned(period), period)
			b.pay(period)
			b.shut(period)
		}
		require.Equal(t, "0.00", b.balance(store.Payable))
		require.Equal(t, "60.00", b.balance(store.Cash))
	})

	t.Run("a cancelled payout is paid with the next", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.put("participant", participant("cid", "boss"))
		b.put("transaction", map[string]any{"source": "crm", "transaction_id": "c", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{}})
		b.put("credit", map[string]any{"source": "crm", "transaction_id": "c", "participant_id": "cid", "role": "owner", "share": "1"})
		b.put("assignment", map[string]any{"participant_id": "cid", "plan_id": "flat", "calendar_id": "monthly", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		require.Equal(t, []string{"cid 100.00 (0.00) held"}, b.planned(monthOf(1)), "cid has not said where to be paid")

		b.open(monthOf(2))
		b.close(monthOf(2))
		require.Empty(t, b.planned(monthOf(2)), "January still means to pay it")

		b.pay(monthOf(1))
		_, err := b.ClosePeriod(t.Context(), b.command(monthOf(1), incentive.Close))
		require.Equal(t, store.CodePayoutsOpen, incentive.ErrorCode(err))
		require.NoError(t, b.CancelPayout(t.Context(), "fin", b.payouts(monthOf(1))[0].ID, b.reason()))
		b.shut(monthOf(1))
		require.Equal(t, "100.00", b.balance(store.Payable))

		b.destination("cid")
		b.open(monthOf(3))
		b.calculate(monthOf(3))
		b.approve(monthOf(3))
		require.Equal(t, []string{"cid 100.00 (100.00) planned"}, b.planned(monthOf(3)), "though cid has left and has no statement")
		b.pay(monthOf(3))
		b.shut(monthOf(3))
		require.Equal(t, "0.00", b.balance(store.Payable))
	})

	t.Run("a calendar leaves alone what another one owes", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.put("participant", participant("cid", "boss"))
		b.put("transaction", map[string]any{"source": "crm", "transaction_id": "c", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{}})
		b.put("credit", map[string]any{"source": "crm", "transaction_id": "c", "participant_id": "cid", "role": "owner", "share": "1"})
		b.put("period", map[string]any{"id": "other-2026-01", "calendar_id": "other", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"})
		b.put("assignment", map[string]any{"participant_id": "cid", "plan_id": "flat", "calendar_id": "other", "starts_on": "2026-01-01"})
		b.open("other-2026-01")
		b.calculate("other-2026-01")
		b.approve("other-2026-01")
		require.NoError(t, b.CancelPayout(t.Context(), "fin", b.payouts("other-2026-01")[0].ID, b.reason()))
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		require.Empty(t, b.planned(monthOf(1)))
	})

	t.Run("a withdrawn approval owes nothing", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		b.open(monthOf(1))
		b.deal("d1", "2026-01-10", "1000")
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		_, err := b.Withdraw(t.Context(), b.command(monthOf(1), incentive.Withdraw))
		require.NoError(t, err)
		require.Equal(t, "0.00", b.balance(store.Payable))
		b.approve(monthOf(1))
		require.Equal(t, []string{"ann 100.00 (0.00) planned"}, b.planned(monthOf(1)))
	})
}

// TestOnHoldNothingIsSubmitted is about a period that is put on hold after its release:
// no attempt is begun, and no file is built or taken to the bank.
func TestOnHoldNothingIsSubmitted(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(ctx, monthOf(1), 1)
	require.NoError(t, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(ctx, release)
	require.NoError(t, err)
	payout := b.payouts(monthOf(1))[0].ID
	built := store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: "payment-file", Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000}
	hold := func(act incentive.Act) {
		t.Helper()
		_, err := b.Act(ctx, b.command(monthOf(1), act))
		require.NoError(t, err)
	}
	refused := func(err error) {
		t.Helper()
		require.Equal(t, incentive.CodeOnHold, incentive.ErrorCode(err), "%v", err)
	}

	hold(incentive.Hold)
	_, _, err = b.BeginAttempt(ctx, payout)
	refused(err)
	_, err = b.KeepPaymentFile(ctx, built)
	refused(err)
	hold(incentive.Resume)
	kept, err := b.KeepPaymentFile(ctx, built)
	require.NoError(t, err)
	hold(incentive.Hold)
	_, _, err = b.BeginAttempt(ctx, payout)
	refused(err)
	_, err = b.ConfirmFile(ctx, "fin2", kept.ID, false)
	refused(err)
	hold(incentive.Resume)
	_, err = b.ConfirmFile(ctx, "fin2", kept.ID, false)
	require.NoError(t, err)
	hold(incentive.Hold)
	_, err = b.ConfirmFile(ctx, "fin2", kept.ID, true)
	require.NoError(t, err, "what the bank has done is noted at any time")
	require.Equal(t, []string{"ann 100.00 (0.00) paid"}, b.planned(monthOf(1)))
}

// TestNotFoundAtTheRail is about a payout that was sent, of which the rail knows nothing,
// and whose key is too old to use again.
func TestNotFoundAtTheRail(t *testing.T) {
	t.Parallel()
	for _, decide := range []string{"retry", "cancel"} {
		t.Run(decide, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			ctx := t.Context()
			b.open(monthOf(1))
			b.deal("d1", "2026-01-10", "1000")
			b.calculate(monthOf(1))
			b.approve(monthOf(1))
			release := b.command(monthOf(1), incentive.Release)
			list, err := b.PayoutList(ctx, monthOf(1), 1)
			require.NoError(t, err)
			release.Actor, release.PayoutListDigest = "fin2", list.Digest
			_, err = b.Release(ctx, release)
			require.NoError(t, err)
			id := b.payouts(monthOf(1))[0].ID
			sent, _, err := b.BeginAttempt(ctx, id)
			require.NoError(t, err)
			require.True(t, sent.New)
			require.NoError(t, b.MarkUnknown(ctx, sent.Attempt))
			reason, err := b.WriteText(ctx, "fin", "a reason")
			require.NoError(t, err)

			require.NoError(t, b.SetAside(ctx, id, "unknown-outcome"))
			require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.CancelPayout(ctx, "fin", id, reason)), "it may have paid")
			require.NoError(t, b.RetryPayout(ctx, "fin", id, reason))
			same, _, err := b.BeginAttempt(ctx, id)
			require.NoError(t, err)
			require.Equal(t, sent.Key, same.Key)
			require.False(t, same.New, "it is looked up before anything is sent")
			require.NoError(t, b.SendAgain(ctx, same.Attempt))

			require.NoError(t, b.SetAside(ctx, id, string(store.CodeNotFoundAtRail)))
			if decide == "cancel" {
				require.NoError(t, b.CancelPayout(ctx, "fin", id, reason))
				require.Equal(t, "cancelled", b.payouts(monthOf(1))[0].State)
				return
			}
			require.NoError(t, b.RetryPayout(ctx, "fin", id, reason))
			another, live, err := b.BeginAttempt(ctx, id)
			require.NoError(t, err)
			require.True(t, live)
			require.NotEqual(t, sent.Key, another.Key)
			require.ErrorContains(t, b.SendAgain(ctx, sent.Attempt), "has gone on")
		})
	}
}

// TestLeftOutOfAFile is about a payout that could not be written into the payment file.
func TestLeftOutOfAFile(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.put("participant", participant("cid", "boss"))
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": "c", "date": "2026-01-10", "amount": "1000", "currency": "USD", "attributes": map[string]string{}})
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "c", "participant_id": "cid", "role": "owner", "share": "1"})
	b.assign("cid", "flat", "2026-01-01")
	b.destination("cid")
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	release := b.command(monthOf(1), incentive.Release)
	list, err := b.PayoutList(ctx, monthOf(1), 1)
	require.NoError(t, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(ctx, release)
	require.NoError(t, err)
	left := b.payouts(monthOf(1))[0].ID
	reason, err := b.WriteText(ctx, "fin", "a reason")
	require.NoError(t, err)

	require.NoError(t, b.SetAside(ctx, left, "not-writable"))
	require.NoError(t, b.RetryPayout(ctx, "fin", left, reason), "before there is a file it may be written into it")
	file := store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: "payment-file", Currency: "USD", Name: "f", MessageID: "m", Content: []byte("c"), SHA256: []byte("s"), Payouts: 1, TotalMinor: 10000}
	_, err = b.KeepPaymentFile(ctx, file)
	require.ErrorContains(t, err, "2 payouts are planned", "it was built before the payout came back, and lacks it")
	require.NoError(t, b.SetAside(ctx, left, "not-writable"))
	kept, err := b.KeepPaymentFile(ctx, file)
	require.NoError(t, err)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.RetryPayout(ctx, "fin", left, reason)))
	for _, paid := range []bool{false, true} {
		_, err := b.ConfirmFile(ctx, "fin2", kept.ID, paid)
		require.NoError(t, err)
	}
	require.NoError(t, b.VerifyPayouts(ctx, monthOf(1), 1))
	require.NoError(t, b.CancelPayout(ctx, "fin", left, reason))
	require.Equal(t, "100.00", b.balance(store.Payable), "is owed still")
}

// TestPaymentFilesAreListedByPages lists files without their content, which is megabytes for
// a large period.
func TestPaymentFilesAreListedByPages(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx := t.Context()
	b.open(monthOf(1))
	b.deal("d1", "2026-01-10", "1000")
	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	var want []string
	for _, of := range []struct {
		rail     string
		currency incentive.Currency
	}{{"a", "EUR"}, {"a", "USD"}, {"b", "EUR"}} {
		kept, err := b.KeepPaymentFile(ctx, store.PaymentFile{PeriodID: monthOf(1), Revision: 1, Rail: of.rail, Currency: of.currency, Name: "f", MessageID: of.rail + string(of.currency), Content: []byte("secret"), SHA256: []byte("s")})
		require.NoError(t, err)
		require.Equal(t, of.currency, kept.Currency)
		want = append(want, kept.ID)
	}
	var got []string
	for after := ""; ; {
		page, err := b.PaymentFiles(ctx, monthOf(1), 1, after, 2)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, f := range page {
			require.Empty(t, f.Content)
			got = append(got, f.ID)
			after = f.ID
		}
	}
	require.Equal(t, want, got)
	whole, err := b.PaymentFile(ctx, want[0])
	require.NoError(t, err)
	require.Equal(t, "secret", string(whole.Content))
	of, err := b.FilesOfRail(ctx, monthOf(1), 1, "a")
	require.NoError(t, err)
	require.Len(t, of, 2)
}

package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

const bank = "payment-file"

// filed takes January, in which ann has earned 100 dollars, to disbursing by a payment
// file of message M that, where sent says so, was taken to the bank.
func filed(t *testing.T, sent bool) (b *books, payout store.Payout, file store.PaymentFile) {
	t.Helper()
	return filedAs(t, sent, func(string) store.PaymentFile { return store.PaymentFile{} })
}

// filedAs does so by a file with more in it, which more says of the payout.
func filedAs(t *testing.T, sent bool, more func(payoutID string) store.PaymentFile) (b *books, payout store.Payout, file store.PaymentFile) {
	t.Helper()
	b = openBooks(t)
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
	_, err = b.Act(ctx, b.command(monthOf(1), incentive.Disburse))
	require.NoError(t, err)
	file = more(b.payouts(monthOf(1))[0].ID)
	file.PeriodID, file.Revision, file.Rail, file.Currency, file.Payouts, file.TotalMinor = monthOf(1), 1, bank, "USD", 1, 10000
	file.Name, file.MessageID, file.Content, file.SHA256 = "f", "M", []byte("c"), []byte("s")
	file, err = b.KeepPaymentFile(ctx, file)
	require.NoError(t, err)
	if sent {
		_, err = b.ConfirmFile(ctx, "fin2", file.ID, false)
		require.NoError(t, err)
	}
	return b, b.payouts(monthOf(1))[0], file
}

// bankSays has a file of the bank's applied that says this, and returns its effects.
func (b *books) bankSays(name string, outcomes ...store.PayoutOutcome) string {
	b.Helper()
	f, err := b.KeepStatusFile(b.Context(), store.StatusFile{Rail: bank, Name: name, UploadedBy: "fin2"}, []byte(name))
	require.NoError(b, err)
	require.NoError(b, b.ApplyOutcomes(b.Context(), f.ID, outcomes))
	applied, err := b.Outcomes(b.Context(), f.ID)
	require.NoError(b, err)
	var effects []string
	for _, o := range applied {
		effects = append(effects, o.Effect)
	}
	_, err = b.VerifyLedger(b.Context())
	require.NoError(b, err)
	require.NoError(b, b.VerifyPayouts(b.Context(), monthOf(1), 1))
	return strings.Join(effects, " ")
}

func (b *books) stands() string {
	b.Helper()
	o := b.payouts(monthOf(1))[0]
	return strings.TrimSpace(o.State + " " + o.Reason)
}

// TestWhatABankSays goes through what a bank may say of a payout, one thing after another.
func TestWhatABankSays(t *testing.T) {
	t.Parallel()
	const word = "a person says paid"
	for _, c := range []struct {
		said, effects       []string
		stands              string
		payable, cash       string // what is owed again, and what has left the account
		notSent, cancelling bool
	}{
		{said: []string{"submitted"}, effects: []string{"none"}, stands: "submitted", payable: "0.00", cash: "0.00"},
		{said: []string{"paid"}, effects: []string{"paid"}, stands: "paid", payable: "0.00", cash: "100.00"},
		{said: []string{"paid", "paid", "submitted"}, effects: []string{"paid", "none", "none"}, stands: "paid", payable: "0.00", cash: "100.00"},
		{said: []string{"refused"}, effects: []string{"failed"}, stands: "failed AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"refused", "refused", "submitted"}, effects: []string{"failed", "none", "none"}, stands: "failed AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"paid", "returned"}, effects: []string{"paid", "returned"}, stands: "returned AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"returned"}, effects: []string{"returned"}, stands: "returned AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"returned", "paid", "refused", "returned"}, effects: []string{"returned", "none", "none", "none"}, stands: "returned AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"refused", "returned"}, effects: []string{"failed", "returned"}, stands: "returned AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{word, "paid"}, effects: []string{"", "none"}, stands: "paid", payable: "0.00", cash: "100.00"},
		{said: []string{word, "refused"}, effects: []string{"", "failed"}, stands: "failed AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{"paid", "refused"}, effects: []string{"paid", "unclear"}, stands: "paid bank-unclear", payable: "0.00", cash: "100.00"},
		{said: []string{"refused", "paid"}, effects: []string{"failed", "unclear"}, stands: "paid bank-unclear", payable: "0.00", cash: "100.00"},
		{said: []string{"refused", "paid", "returned"}, effects: []string{"failed", "unclear", "returned"}, stands: "returned AC04", payable: "100.00", cash: "0.00", cancelling: true},
		{said: []string{""}, effects: []string{"unclear"}, stands: "submitted bank-unclear", payable: "0.00", cash: "0.00"},
		{said: []string{"submitted"}, effects: []string{"submitted"}, stands: "submitted", payable: "0.00", cash: "0.00", notSent: true},
		{said: []string{"paid"}, effects: []string{"paid"}, stands: "paid", payable: "0.00", cash: "100.00", notSent: true},
		{said: []string{"refused"}, effects: []string{"failed"}, stands: "failed AC04", payable: "100.00", cash: "0.00", notSent: true, cancelling: true},
	} {
		name := strings.Join(c.said, ", ")
		if c.notSent {
			name += " of a file that nobody said was sent"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, payout, file := filed(t, !c.notSent)
			for i, state := range c.said {
				if state == word {
					_, err := b.ConfirmFile(t.Context(), "fin2", file.ID, true)
					require.NoError(t, err)
					continue
				}
				o := store.PayoutOutcome{PayoutID: payout.ID, State: state, Code: "AC04", Reason: "closed", Amount: payout.Amount, On: incentive.MustParseDate("2026-02-20")}
				require.Equal(t, c.effects[i], b.bankSays(fmt.Sprint(i), o))
				stands := b.stands()
				require.Equal(t, c.effects[i], b.bankSays(fmt.Sprint(i), o), "the same file again")
				require.Equal(t, stands, b.stands())
			}
			require.Equal(t, c.stands, b.stands())
			require.Equal(t, c.payable, b.balance(store.Payable))
			require.Equal(t, c.cash, b.balance(store.Cash))
			wasPaid := false
			for i, said := range c.said {
				wasPaid = wasPaid || said == word || said == "paid" && c.effects[i] != "none"
			}
			told, err := b.Notices(t.Context(), "ann", 0, 10)
			require.NoError(t, err)
			require.Equal(t, wasPaid, slices.ContainsFunc(told, func(n notice.Notice) bool { return n.Kind == notice.PayoutPaid }), "people are told what is so: %v", told)
			require.Equal(t, slices.Contains(c.effects, "returned"), slices.ContainsFunc(told, func(n notice.Notice) bool { return n.Kind == notice.PayoutCameBack }))
			require.Error(t, b.RetryPayout(t.Context(), "fin", payout.ID, b.reason()), "its file is built")
			err = b.CancelPayout(t.Context(), "fin", payout.ID, b.reason())
			require.Equal(t, c.cancelling, err == nil, "%v", err)
		})
	}
}

// TestWhatABankSaysComesToTheSame says the same things in every order.
func TestWhatABankSaysComesToTheSame(t *testing.T) {
	t.Parallel()
	for _, said := range [][]string{{"paid", "refused"}, {"submitted", "paid", "returned"}, {"refused", "returned"}, {"submitted", "refused"}, {"paid", "refused", "returned"}} {
		t.Run(strings.Join(said, ", "), func(t *testing.T) {
			t.Parallel()
			want := ""
			for _, order := range orders(said) {
				b, payout, _ := filed(t, true)
				for i, state := range order {
					b.bankSays(fmt.Sprint(i), store.PayoutOutcome{PayoutID: payout.ID, State: state, Code: "AC04"})
				}
				got := b.stands() + " " + b.balance(store.Payable) + " " + b.balance(store.Cash) + " " + b.balance(store.Clearing)
				if want == "" {
					want = got
				}
				require.Equal(t, want, got, "%v", order)
			}
		})
	}
}

// orders returns the permutations of a list.
func orders(list []string) [][]string {
	if len(list) < 2 {
		return [][]string{list}
	}
	var all [][]string
	for i, first := range list {
		for _, rest := range orders(slices.Delete(slices.Clone(list), i, i+1)) {
			all = append(all, append([]string{first}, rest...))
		}
	}
	return all
}

// TestWhatDoesNotFit leaves a payout to a person, or alone.
func TestWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	usd := func(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }
	for name, c := range map[string]struct {
		change  func(*store.PayoutOutcome)
		effects string
		foreign int
		stands  string
	}{
		"another amount":               {func(o *store.PayoutOutcome) { o.Amount = usd(9_999) }, "unclear", 0, "submitted bank-unclear"},
		"another currency":             {func(o *store.PayoutOutcome) { o.Amount.Currency = "EUR" }, "unclear", 0, "submitted bank-unclear"},
		"what the reader finds odd":    {func(o *store.PayoutOutcome) { o.Unclear = true }, "unclear", 0, "submitted bank-unclear"},
		"somebody else's payment":      {func(o *store.PayoutOutcome) { o.PayoutID = "00000000-0000-4000-8000-000000000000" }, "", 1, "submitted"},
		"somebody else's reference":    {func(o *store.PayoutOutcome) { o.PayoutID = "INVOICE 7" }, "", 1, "submitted"},
		"the whole file":               {func(o *store.PayoutOutcome) { o.PayoutID, o.MessageID = "", "M" }, "paid", 0, "paid"},
		"the whole file, of no amount": {func(o *store.PayoutOutcome) { o.PayoutID, o.MessageID, o.Amount = "", "M", incentive.Money{} }, "paid", 0, "paid"},
		"the whole file, another sum":  {func(o *store.PayoutOutcome) { o.PayoutID, o.MessageID, o.Amount = "", "M", usd(1) }, "unclear", 0, "submitted bank-unclear"},
		"another file":                 {func(o *store.PayoutOutcome) { o.PayoutID, o.MessageID = "", "N" }, "", 1, "submitted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, payout, _ := filed(t, true)
			o := store.PayoutOutcome{PayoutID: payout.ID, State: "paid", Amount: payout.Amount}
			c.change(&o)
			require.Equal(t, c.effects, b.bankSays("x", o))
			require.Equal(t, c.stands, b.stands())
			f, err := b.KeepStatusFile(t.Context(), store.StatusFile{Rail: bank, Name: "again", UploadedBy: "fin"}, []byte("x"))
			require.NoError(t, err)
			require.Equal(t, c.foreign, f.Foreign)
			require.Equal(t, "x", f.Name, "the file is here already")
			require.NotNil(t, f.AppliedAt)
		})
	}

	t.Run("a cancelled payout", func(t *testing.T) {
		t.Parallel()
		b, payout, _ := filed(t, true)
		b.bankSays("1", store.PayoutOutcome{PayoutID: payout.ID, State: "refused", Code: "AC04"})
		require.NoError(t, b.CancelPayout(t.Context(), "fin", payout.ID, b.reason()))
		require.Equal(t, "none", b.bankSays("2", store.PayoutOutcome{PayoutID: payout.ID, State: "returned", Code: "AC04"}))
		require.Equal(t, "unclear", b.bankSays("3", store.PayoutOutcome{PayoutID: payout.ID, State: "paid"}))
		require.Equal(t, "cancelled bank-unclear", b.stands())
		require.Equal(t, "100.00", b.balance(store.Payable))
	})

	t.Run("another rail's file", func(t *testing.T) {
		t.Parallel()
		b, payout, _ := filed(t, true)
		f, err := b.KeepStatusFile(t.Context(), store.StatusFile{Rail: "another", Name: "x", UploadedBy: "fin2"}, []byte("x"))
		require.NoError(t, err)
		require.NoError(t, b.ApplyOutcomes(t.Context(), f.ID, []store.PayoutOutcome{{PayoutID: payout.ID, State: "paid"}}))
		require.Equal(t, "submitted", b.stands())
	})

	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		_, _, err := b.StatusFile(t.Context(), "x")
		require.Equal(t, store.CodeStatusFileUnknown, incentive.ErrorCode(err))
	})
}

// TestWhatABankSaysOfAFileOfASupplement is of the payouts of that list alone, however many files of the
// period the bank has by the same rail and in the same currency.
func TestWhatABankSaysOfAFileOfASupplement(t *testing.T) {
	t.Parallel()
	b := openDisputes(t)
	ctx, january := t.Context(), monthOf(1)
	missing, err := b.disputed(func(d *store.Dispute) { d.Type, d.Item = incentive.MissingDeal, incentive.DisputedItem{} })
	require.NoError(t, err)
	_, _, err = b.StartApproving(ctx, b.command(january, incentive.EndWindow))
	require.NoError(t, err)
	require.NoError(t, b.decide(january))
	_, err = b.ApprovePeriod(ctx, b.command(january, incentive.ApproveLast))
	require.NoError(t, err)
	file := func(supplement int, messageID string, minor int64) {
		b.releaseList(january)
		_, err := b.KeepPaymentFile(ctx, store.PaymentFile{PeriodID: january, Revision: 1, Supplement: supplement, Rail: bank, Currency: "USD", Payouts: 1, TotalMinor: minor,
			Name: messageID, MessageID: messageID, Content: []byte(messageID), SHA256: []byte(messageID)})
		require.NoError(t, err)
	}
	file(0, "M", 10000)
	require.Equal(t, "paid", b.bankSays("1", store.PayoutOutcome{MessageID: "M", State: "paid"}))
	first := b.payouts(january)[0]
	_, err = b.FinishDisbursing(ctx, b.command(january, incentive.DisburseLast))
	require.NoError(t, err)
	b.granted(missing, 1000)
	file(1, "N", 1000)

	require.Equal(t, "failed", b.bankSays("2", store.PayoutOutcome{MessageID: "N", State: "refused", Code: "FF01", Amount: incentive.Money{Minor: 1000, Currency: "USD"}}))
	require.ElementsMatch(t, []string{"ann 100.00 (0.00) paid", "ann 10.00 (0.00) failed"}, b.planned(january))
	require.Equal(t, "none", b.bankSays("3", store.PayoutOutcome{MessageID: "M", State: "submitted"}))
	require.Equal(t, "returned", b.bankSays("4", store.PayoutOutcome{PayoutID: first.ID, State: "returned", Code: "AC04"}))
	require.Equal(t, "110.00", b.balance(store.Payable))
}

// TestPayingAgainByAnotherFile puts what a file of January's did not pay on another list of January, which somebody
// else releases, to the destination of now; what the bank left unclear stays as it is.
func TestPayingAgainByAnotherFile(t *testing.T) {
	t.Parallel()
	b, payout, file := filed(t, true)
	ctx, january := t.Context(), monthOf(1)
	again := func(actor string) incentive.Code {
		_, err := b.PayAgain(ctx, actor, file.ID, b.reason())
		return incentive.ErrorCode(err)
	}
	require.Equal(t, incentive.CodeConflict, again("fin"), "the bank may pay it")
	b.bankSays("1", store.PayoutOutcome{MessageID: "M", State: "refused", Code: "FF01"})
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.RetryPayout(ctx, "fin", payout.ID, b.reason())))
	kept, err := b.PaymentFile(ctx, file.ID)
	require.NoError(t, err)
	require.Equal(t, 1, kept.Unpaid)
	_, err = b.PayAgain(ctx, "fin", file.ID, "")
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(err))

	require.Empty(t, again("fin2"))
	require.Empty(t, again("fin2"), "who asks again has not had the answer")
	require.Equal(t, incentive.CodeConflict, again("fin"))
	require.ElementsMatch(t, []string{"ann 100.00 (0.00) cancelled", "ann 100.00 (0.00) planned"}, b.planned(january))
	kept, err = b.PaymentFile(ctx, file.ID)
	require.NoError(t, err)
	require.Zero(t, kept.Unpaid)
	list, err := b.PayoutList(ctx, january, 1)
	require.NoError(t, err)
	require.Equal(t, 1, list.Supplement)
	_, err = b.FinishDisbursing(ctx, b.command(january, incentive.DisburseLast))
	require.NoError(t, err)
	require.Equal(t, store.CodePreparer, b.released("fin2", list.Digest))
	require.Empty(t, b.released("fin3", list.Digest))
	_, err = b.Act(ctx, b.command(january, incentive.Disburse))
	require.NoError(t, err)
	second, err := b.KeepPaymentFile(ctx, store.PaymentFile{
		PeriodID: january, Revision: 1, Supplement: 1, Rail: bank, Currency: "USD", Payouts: 1, TotalMinor: 10000, Name: "g", MessageID: "N", Content: []byte("d"), SHA256: []byte("t"),
	})
	require.NoError(t, err)
	file = second
	b.bankSays("2", store.PayoutOutcome{MessageID: "N", State: "refused", Code: "FF01"}, store.PayoutOutcome{MessageID: "N", Unclear: true})
	require.Equal(t, incentive.CodeConflict, again("fin"), "another may have been paid: a person looks at each")
	require.Equal(t, "unclear", b.bankSays("3", store.PayoutOutcome{MessageID: "N", State: "paid"}), "refused, and then paid")
	require.Equal(t, "none", b.bankSays("4", store.PayoutOutcome{MessageID: "M", State: "refused", Code: "FF01"}))
	require.Equal(t, "0.00", b.balance(store.Payable))
	require.Equal(t, "100.00", b.balance(store.Cash))

	_, err = b.FinishDisbursing(ctx, b.command(january, incentive.DisburseLast))
	require.NoError(t, err)
	b.shut(january)
	b.bankSays("5", store.PayoutOutcome{MessageID: "N", State: "returned", Code: "AC04"})
	require.Equal(t, incentive.CodeConflict, again("fin2"), "the next period pays what comes back after the close")
}

// TestAReturnAfterTheClose makes an exception of a payout of a closed period, dated that
// day; once a person has cancelled it, the next payout pays it.
func TestAReturnAfterTheClose(t *testing.T) {
	t.Parallel()
	b, payout, file := filed(t, true)
	ctx := t.Context()
	_, err := b.ConfirmFile(ctx, "fin2", file.ID, true)
	require.NoError(t, err)
	_, err = b.FinishDisbursing(ctx, b.command(monthOf(1), incentive.DisburseLast))
	require.NoError(t, err)
	b.shut(monthOf(1))

	require.Equal(t, "returned", b.bankSays("1", store.PayoutOutcome{PayoutID: payout.ID, State: "returned", Code: "AC04", Amount: payout.Amount, On: incentive.MustParseDate("2026-03-20")}))
	require.Equal(t, "returned AC04", b.stands())
	p, err := b.PeriodRevision(ctx, monthOf(1), 1)
	require.NoError(t, err)
	require.Equal(t, incentive.Closed, p.State)
	b.proved(monthOf(1))

	b.open(monthOf(2))
	b.deal("d2", "2026-02-10", "100")
	b.calculate(monthOf(2))
	b.approve(monthOf(2))
	require.Equal(t, []string{"ann 10.00 (0.00) planned"}, b.planned(monthOf(2)), "January still waits for a person")
	require.NoError(t, b.CancelPayout(ctx, "fin", payout.ID, b.reason()))
	b.pay(monthOf(2))
	b.shut(monthOf(2))
	b.open(monthOf(3))
	b.close(monthOf(3))
	require.Equal(t, []string{"ann 100.00 (100.00) paid"}, b.planned(monthOf(3)))
	require.Equal(t, "0.00", b.balance(store.Payable))
	require.Equal(t, "110.00", b.balance(store.Cash))
}

// TestWhatALookUpSays settles a payout that a rail had taken, once, and pays one that was
// refused by another attempt.
func TestWhatALookUpSays(t *testing.T) {
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
	payout := b.payouts(monthOf(1))[0]
	take := func() string {
		attempt, live, err := b.BeginAttempt(ctx, payout.ID)
		require.NoError(t, err)
		require.True(t, live)
		require.NoError(t, b.Confirm(ctx, attempt.Attempt, "rail", false))
		submitted, err := b.SubmittedPayouts(ctx, monthOf(1), 1, bank)
		require.NoError(t, err)
		require.Equal(t, []store.SubmittedPayout{{PayoutID: payout.ID, Reference: attempt.Key}}, submitted)
		return attempt.Key
	}
	says := func(state, stands string) {
		for range 2 {
			require.NoError(t, b.SettlePayout(ctx, store.PayoutOutcome{PayoutID: payout.ID, State: state, Code: state, Amount: payout.Amount}))
			require.Equal(t, stands, b.stands())
			require.NoError(t, b.VerifyPayouts(ctx, monthOf(1), 1))
		}
	}
	first := take()
	says("refused", "failed refused")
	require.Equal(t, "100.00", b.balance(store.Payable))
	require.NoError(t, b.RetryPayout(ctx, "fin", payout.ID, b.reason()))
	require.NotEqual(t, first, take(), "what was refused is another attempt")
	says("paid", "paid")
	says("refused", "paid")
	require.Equal(t, "0.00", b.balance(store.Payable))
	require.Equal(t, "100.00", b.balance(store.Cash))
	require.Equal(t, "0.00", b.balance(store.Clearing))
	submitted, err := b.SubmittedPayouts(ctx, monthOf(1), 1, bank)
	require.NoError(t, err)
	require.Empty(t, submitted)
}

// TestNothingIsSentForAClosedPeriod lists what is refused after the close as an exception,
// which is given up and not tried again.
func TestNothingIsSentForAClosedPeriod(t *testing.T) {
	t.Parallel()
	b, payout, attempt := called(t)
	ctx := t.Context()
	require.NoError(t, b.Confirm(ctx, attempt, "x", true))
	_, err := b.FinishDisbursing(ctx, b.command(monthOf(1), incentive.DisburseLast))
	require.NoError(t, err)
	b.shut(monthOf(1))
	none, err := b.Exceptions(ctx, store.WhichExceptions{}, "", 10)
	require.NoError(t, err)
	require.Empty(t, none)
	f, err := b.KeepStatusFile(ctx, store.StatusFile{Rail: bank, Name: "f", UploadedBy: "fin"}, []byte("f"))
	require.NoError(t, err)
	require.NoError(t, b.ApplyOutcomes(ctx, f.ID, []store.PayoutOutcome{{PayoutID: payout.ID, State: "refused", Code: "AC04", On: incentive.MustParseDate("2026-03-05")}}))
	all, err := b.Exceptions(ctx, store.WhichExceptions{}, "", 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []any{payout.ID, "failed", "AC04", incentive.Closed, incentive.MustParseDate("2026-03-05")}, []any{all[0].ID, all[0].State, all[0].Reason, all[0].PeriodState, all[0].ReversedOn})
	rest, err := b.Exceptions(ctx, store.WhichExceptions{}, payout.ID, 10)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.RetryPayout(ctx, "fin", payout.ID, b.reason())))
	require.NoError(t, b.CancelPayout(ctx, "fin", payout.ID, b.reason()))
	rest, err = b.Exceptions(ctx, store.WhichExceptions{}, "", 10)
	require.NoError(t, err)
	require.Empty(t, rest)
}

package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

func TestFilesAreNumberedByDay(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	monday, tuesday := incentive.MustParseDate("2026-11-23"), incentive.MustParseDate("2026-11-24")
	number := func(rail, purpose string, day incentive.Date, payments int) store.FileNumber {
		n, err := s.NumberFile(t.Context(), rail, purpose, day, payments, 3)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, store.FileNumber{Number: 1, First: 1}, number("nacha", "a", monday, 100))
	require.Equal(t, store.FileNumber{Number: 1, First: 1}, number("nacha", "a", monday, 90), "built again, of less")
	require.Equal(t, store.FileNumber{Number: 2, First: 101}, number("nacha", "b", monday, 10))
	require.Equal(t, store.FileNumber{Number: 1, First: 1}, number("other", "a", monday, 10), "each rail counts by itself")
	require.Equal(t, store.FileNumber{Number: 1, First: 111}, number("nacha", "a", tuesday, 100), "built again another day")
	require.Equal(t, store.FileNumber{Number: 3, First: 211}, number("nacha", "c", monday, 9_999_700))
	_, err := s.NumberFile(t.Context(), "nacha", "d", tuesday, 1, 1)
	require.Equal(t, store.CodeFilesToday, incentive.ErrorCode(err))
	require.EqualValues(t, 10_000_001, number("nacha", "d", tuesday, 200).First, "the numbers of a file rise, and begin anew with the next")

	var group sync.WaitGroup
	numbers := make([]store.FileNumber, 20)
	for i := range numbers {
		group.Go(func() { numbers[i], _ = s.NumberFile(t.Context(), "many", fmt.Sprint(i), monday, 5, 36) })
	}
	group.Wait()
	first, of := map[int64]bool{}, map[int]bool{}
	for _, n := range numbers {
		first[n.First], of[n.Number] = true, true
	}
	require.Len(t, first, 20)
	require.Len(t, of, 20)
}

// traced is filed by a file whose bank speaks of payments by trace numbers.
func traced(t *testing.T) (b *books, payout store.Payout, file store.PaymentFile) {
	t.Helper()
	b, payout, _ = filedAs(t, true, func(payout string) store.PaymentFile {
		return store.PaymentFile{EffectiveOn: incentive.MustParseDate("2026-02-17"), Traces: map[string]string{payout: "021000020000001"}}
	})
	files, err := b.PaymentFiles(t.Context(), monthOf(1), 1, "", 10)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, "2026-02-17", files[0].EffectiveOn.String())
	return b, payout, files[0]
}

// TestReturnsByTrace is what comes back of an ACH file: found by trace number and amount, once
// however often it is said, and of others counted only.
func TestReturnsByTrace(t *testing.T) {
	t.Parallel()
	on := incentive.MustParseDate("2026-02-20")
	usd := func(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }
	named := func(b *books, o store.PayoutOutcome) store.PayoutOutcome {
		said := []store.PayoutOutcome{o}
		require.NoError(t, b.NameTraced(t.Context(), bank, said))
		return said[0]
	}
	t.Run("presumed paid, and back later", func(t *testing.T) {
		b, payout, file := traced(t)
		for range 2 {
			require.NoError(t, b.PresumePaid(t.Context(), file.ID, incentive.MustParseDate("2026-02-19")))
			require.Equal(t, "paid", b.stands())
			require.Equal(t, "100.00", b.balance(store.Cash))
		}
		back := named(b, store.PayoutOutcome{Trace: "021000020000001", State: "returned", Code: "R03", Reason: "no account", Amount: usd(10000), On: on})
		require.Equal(t, payout.ID, back.PayoutID)
		require.Equal(t, "returned", b.bankSays("first", back))
		require.Equal(t, "none", b.bankSays("again, in another file", back))
		require.Equal(t, "returned R03", b.stands())
		require.Equal(t, "100.00", b.balance(store.Payable), "owed again, once")
		require.Equal(t, "0.00", b.balance(store.Cash))
		require.NoError(t, b.PresumePaid(t.Context(), file.ID, on), "what came back is not paid by silence")
		require.Equal(t, "returned R03", b.stands())
		require.Error(t, b.RetryPayout(t.Context(), "fin", payout.ID, b.reason()), "it is paid once more only after it was given up, by the next list")
	})
	t.Run("back before it was presumed paid", func(t *testing.T) {
		b, _, file := traced(t)
		require.Equal(t, "returned", b.bankSays("first", named(b, store.PayoutOutcome{Trace: "021000020000001", State: "returned", Code: "R02", Amount: usd(10000), On: on})))
		require.NoError(t, b.PresumePaid(t.Context(), file.ID, on))
		require.Equal(t, "returned R02", b.stands())
		require.Equal(t, "0.00", b.balance(store.Cash))
	})
	t.Run("another amount is for a person, and silence does not pay it", func(t *testing.T) {
		b, _, file := traced(t)
		require.Equal(t, "unclear", b.bankSays("first", named(b, store.PayoutOutcome{Trace: "021000020000001", State: "returned", Code: "R03", Amount: usd(10001), On: on})))
		require.NoError(t, b.PresumePaid(t.Context(), file.ID, on))
		require.Equal(t, "submitted bank-unclear", b.stands())
	})
	t.Run("an entry of others", func(t *testing.T) {
		b, _, _ := traced(t)
		foreign := named(b, store.PayoutOutcome{Trace: "021000020000002", State: "returned", Code: "R03", Amount: usd(10000), On: on})
		require.Empty(t, foreign.PayoutID)
		require.Empty(t, b.bankSays("first", foreign))
		require.Equal(t, "submitted", b.stands())
	})
}

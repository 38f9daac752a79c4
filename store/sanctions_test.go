package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// TestSanctionsLists holds payouts of those whom a list may mean, until somebody says that
// they are not.
func TestSanctionsLists(t *testing.T) {
	t.Parallel()
	const meansAnn = "id,name\n7,Ann of Name\n8,Somebody Else\n"
	put := func(b *books, name, document string) error {
		_, err := b.PutSanctionsList(b.Context(), "fin", name, document)
		return err
	}
	planned := func(t *testing.T, before ...string) *books {
		b := openBooks(t)
		for _, document := range before {
			require.NoError(t, put(b, "ours", document))
		}
		b.deal("d1", "2026-01-10", "1000")
		b.open(monthOf(1))
		b.calculate(monthOf(1))
		b.approve(monthOf(1))
		return b
	}
	t.Run("when it is planned", func(t *testing.T) {
		t.Parallel()
		b := planned(t, meansAnn)
		require.Equal(t, []string{"100.00 held screening-hit"}, b.kept(monthOf(1)))
		payout := b.payouts(monthOf(1))[0]
		require.Equal(t, []string{"ours/7"}, payout.ListedAs)
		require.NoError(t, b.LiftHold(t.Context(), "fin3", payout.ID, b.reason()))
		require.Equal(t, store.CodePreparer, incentive.ErrorCode(b.release(monthOf(1), "fin3")))
		b.pay(monthOf(1))
		b.shut(monthOf(1))

		b.deal("d2", "2026-02-10", "1000")
		b.open(monthOf(2))
		b.calculate(monthOf(2))
		b.approve(monthOf(2))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(2)), "ann is not meant by what she was cleared of")
		require.NoError(t, put(b, "ours", meansAnn+"9,Name Ann\n"))
		require.Equal(t, []string{"100.00 held screening-hit"}, b.kept(monthOf(2)), "but may be by another entry")
		require.Equal(t, []string{"ours/9"}, b.payouts(monthOf(2))[0].ListedAs)
	})
	t.Run("when a list comes in before the release", func(t *testing.T) {
		t.Parallel()
		b := planned(t)
		list, err := b.PayoutList(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		require.NoError(t, put(b, "ours", meansAnn))
		require.Equal(t, []string{"100.00 held screening-hit"}, b.kept(monthOf(1)))
		after, err := b.PayoutList(t.Context(), monthOf(1), 1)
		require.NoError(t, err)
		require.NotEqual(t, list.Digest, after.Digest, "whoever has looked before looks again")
	})
	t.Run("what is released and not sent is held, and goes by two people", func(t *testing.T) {
		t.Parallel()
		b := planned(t)
		require.NoError(t, b.release(monthOf(1), "fin2"))
		require.NoError(t, put(b, "ours", meansAnn))
		require.Equal(t, []string{"100.00 held screening-hit"}, b.kept(monthOf(1)))
		payout := b.payouts(monthOf(1))[0]
		_, live, err := b.BeginAttempt(t.Context(), payout.ID)
		require.NoError(t, err)
		require.False(t, live, "nothing is sent")
		require.NoError(t, b.ProposeRedirection(t.Context(), "fin", payout.ID, b.reason(), payout.Newer.Version))
		require.NoError(t, b.DecideRedirection(t.Context(), "fin2", payout.ID, true, ""))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
	})
	t.Run("what may be sent is looked up", func(t *testing.T) {
		t.Parallel()
		b := planned(t)
		require.NoError(t, b.release(monthOf(1), "fin2"))
		_, live, err := b.BeginAttempt(t.Context(), b.payouts(monthOf(1))[0].ID)
		require.NoError(t, err)
		require.True(t, live)
		require.NoError(t, put(b, "ours", meansAnn))
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
	})
	t.Run("the latest version counts", func(t *testing.T) {
		t.Parallel()
		b := planned(t, meansAnn, "id,name\n8,Somebody Else\n")
		require.Equal(t, []string{"100.00 planned "}, b.kept(monthOf(1)))
		all, err := b.SanctionsLists(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, []any{"ours", 2, 1, "fin"}, []any{all[0].Name, all[0].Version, all[0].Entries, all[0].SetBy})
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		b := openBooks(t)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(put(b, "Our List", meansAnn)))
		require.ErrorContains(t, put(b, "ours", "name,id\n"), "line 1")
	})
}

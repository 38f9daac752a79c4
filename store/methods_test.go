package store_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// share is a method of a rail, to an account.
func share(rail, account, share string) store.Destination {
	return store.Destination{Rail: rail, Masked: "…" + account, Account: account, Details: map[string]string{"account": account}, Share: decimal.RequireFromString(share)}
}

func (b *books) methods(id string, methods ...store.Destination) []store.Destination {
	b.Helper()
	set, err := b.SetMethods(b.Context(), id, id, store.AnyVersion, methods)
	require.NoError(b, err)
	return set
}

// toApproved takes a period that is not open to approved.
func (b *books) toApproved(period string) {
	b.Helper()
	b.open(period)
	b.calculate(period)
	b.approve(period)
}

// split are the payouts of a period's list, by method.
func (b *books) split(period string) (all []string) {
	b.Helper()
	payouts, err := b.Payouts(b.Context(), period, 1, nil, "", 100)
	require.NoError(b, err)
	for _, o := range payouts {
		all = append(all, fmt.Sprintf("%s %s %s by %s, carried %s, withheld %s", o.ParticipantID, o.Amount.Amount(), o.State, o.Rail, o.Carried.Amount(), o.Withheld.Amount()))
	}
	return all
}

// TestPayoutsOfMethods pays somebody by two methods: the parts add up, with what is carried
// and withheld, whatever comes to a period later; what is too small goes by the first.
func TestPayoutsOfMethods(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.follows("minimum: [10 USD], employees: {by: [payment-file, gifts]}, withholding: [{of: [employee], rate: 10%}], change_waits_days: 0")
	b.methods("ann", share("payment-file", "1", "0.8"), share("gifts", "2", "0.2"))
	b.deal("d1", "2026-01-05", "1111.10")
	b.toApproved(monthOf(1))
	require.ElementsMatch(t, []string{"ann 80.00 planned by payment-file, carried 0.00, withheld 8.89", "ann 20.00 planned by gifts, carried 0.00, withheld 2.22"}, b.split(monthOf(1)), "111.11 less 11.11")
	require.NoError(t, b.release(monthOf(1), "fin2"))
	require.NoError(t, b.VerifyPayouts(t.Context(), monthOf(1), 1))

	b.deal("d2", "2026-02-05", "400.00")
	b.toApproved(monthOf(2))
	require.ElementsMatch(t, []string{"ann 36.00 planned by payment-file, carried 0.00, withheld 4.00"}, b.split(monthOf(2)), "7.20 is too small")
}

func TestMethodsAreKept(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	for text, wrong := range map[string][]store.Destination{
		"99 %":                         {share("payment-file", "1", "0.8"), share("gifts", "2", "0.19")},
		"have to be 100 %":             {share("payment-file", "1", "1"), share("gifts", "2", "0.01")},
		"above 0 %":                    {share("payment-file", "1", "1"), share("gifts", "2", "0")},
		"two decimal places":           {share("payment-file", "1", "0.33333"), share("gifts", "2", "0.66667")},
		"there are 1 to 5":             {},
		"there are 1 to 5 payout meth": {share("a", "1", "0.1"), share("a", "2", "0.1"), share("a", "3", "0.1"), share("a", "4", "0.1"), share("a", "5", "0.1"), share("a", "6", "0.5")},
	} {
		_, err := b.SetMethods(t.Context(), "ann", "ann", store.AnyVersion, wrong)
		require.Equal(t, store.CodeSharesWrong, incentive.ErrorCode(err))
		require.ErrorContains(t, err, text)
	}
	told := func() int {
		all, err := b.Notifications(t.Context(), "ann", 0, 100)
		require.NoError(t, err)
		count := 0
		for _, n := range all {
			if n.Kind == notice.DestinationChanged {
				count++
			}
		}
		return count
	}
	require.Zero(t, told(), "the first is no change")
	set := b.methods("ann", share("payment-file", "1", "0.8"), share("gifts", "2", "0.2"))
	require.Equal(t, 1, told())
	b.methods("ann", store.Destination{ID: set[1].ID, Share: decimal.RequireFromString("0.5")}, store.Destination{ID: set[0].ID, Share: decimal.RequireFromString("0.5")})
	require.Equal(t, 2, told())
	kept, err := b.Methods(t.Context(), "ann")
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Equal(t, []any{3, "gifts", "…2", "0.5"}, []any{kept[0].Version, kept[0].Rail, kept[0].Masked, kept[0].Share.String()})
	details, err := b.Destinations(t.Context(), []int64{kept[0].ID})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"account": "2"}, details[kept[0].ID].Details, "what stays is not asked for again")
	_, err = b.SetMethods(t.Context(), "bob", "bob", 0, []store.Destination{{ID: set[0].ID, Share: decimal.NewFromInt(1)}})
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "somebody else's method is nobody's to keep")
	_, err = b.SetMethods(t.Context(), "ann", "ann", 2, []store.Destination{share("payment-file", "1", "1")})
	require.Equal(t, store.CodeChangedMeantime, incentive.ErrorCode(err))
	_, err = b.SetMethods(t.Context(), "ann", "nobody", 0, []store.Destination{share("payment-file", "1", "1")})
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
}

// TestOneAccountOfTwo holds the payouts of two people who are paid to one account, until one
// of finance finds that they may be.
func TestOneAccountOfTwo(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.assign("bob", "flat", "2026-01-01")
	b.follows("change_waits_days: 0")
	b.methods("ann", share("payment-file", "account=DE1", "1"))
	b.methods("bob", share("payment-file", "account=DE1", "1"))
	sell := func(id, who, date string) {
		b.put("transaction", map[string]any{"source": "crm", "transaction_id": id, "date": date, "amount": "1000", "currency": "USD", "attributes": map[string]string{}})
		b.put("credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": who, "role": "owner", "share": "1"})
	}
	sell("d1", "ann", "2026-01-05")
	sell("d2", "bob", "2026-01-05")
	b.toApproved(monthOf(1))
	require.Equal(t, []string{"100.00 held account-shared", "100.00 held account-shared"}, b.kept(monthOf(1)))
	payouts, err := b.Payouts(t.Context(), monthOf(1), 1, nil, "", 100)
	require.NoError(t, err)
	for _, o := range payouts {
		require.Equal(t, []string{map[string]string{"ann": "bob", "bob": "ann"}[o.ParticipantID]}, o.SharedWith)
		require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.LiftHold(t.Context(), o.SharedWith[0], o.ID, b.reason())), "nor whoever shares it")
		require.NoError(t, b.LiftHold(t.Context(), "fin", o.ID, b.reason()))
	}
	require.Equal(t, []string{"100.00 planned ", "100.00 planned "}, b.kept(monthOf(1)))
	require.NoError(t, b.release(monthOf(1), "fin2"))

	sell("d3", "ann", "2026-02-05")
	sell("d4", "bob", "2026-02-05")
	b.toApproved(monthOf(2))
	require.Equal(t, []string{"100.00 planned ", "100.00 planned "}, b.kept(monthOf(2)), "those two are not held for that account again")
	b.methods("bob", share("payment-file", "account=DE2", "1"))
	b.methods("ann", share("payment-file", "account=DE2", "1"))
	sell("d5", "ann", "2026-03-05")
	b.toApproved(monthOf(3))
	require.Equal(t, []string{"100.00 held account-shared"}, b.kept(monthOf(3)), "for another one they are")
}

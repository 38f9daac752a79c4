package activities

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/points"
	"github.com/guerdon/guerdon/store"
)

// pickyRail writes nobody whose amount is odd into a file.
type pickyRail struct{ *paymentfile.Rail }

func (p pickyRail) BuildFile(ctx context.Context, request payments.FileRequest) (payments.File, error) {
	var refused []payments.Refusal
	for _, one := range request.Payments {
		if one.Amount.Minor%2 == 1 {
			refused = append(refused, payments.Refusal{PayoutID: one.PayoutID, Message: "it is odd"})
		}
	}
	if len(refused) > 0 {
		return payments.File{}, &payments.Error{Class: payments.Definite, Rail: p.Name(), Refused: refused}
	}
	return p.Rail.BuildFile(ctx, request)
}

// convertingRail holds nothing in the currency that it is asked for.
type convertingRail struct{ *points.Rail }

func (c convertingRail) Balance(context.Context, incentive.Currency) (incentive.Money, error) {
	return incentive.Money{}, &payments.Error{Class: payments.Definite, Rail: c.Name(), Code: payments.CurrencyNotHeld}
}

// TestRehearse names what cannot be sent, and builds a file of the rest.
func TestRehearse(t *testing.T) {
	t.Parallel()
	converts := convertingRail{points.New(nil)}
	rails, err := payments.NewRegistry(pickyRail{paymentfile.New(paymentfile.Name, "Example Ltd")}, converts)
	require.NoError(t, err)
	good := map[string]string{paymentfile.HolderDetail: "Ann", paymentfile.AccountDetail: "DE89370400440532013000"}
	destinations := map[int64]store.Destination{1: {ID: 1, Details: good}, 2: {ID: 2, Details: map[string]string{paymentfile.HolderDetail: "Bob", paymentfile.AccountDetail: "1"}}}
	payout := func(id string, minor, destination int64) store.Payout {
		return store.Payout{ID: id, PeriodID: "m", Revision: 1, Rail: paymentfile.Name, Amount: incentive.Money{Minor: minor, Currency: "EUR"}, DestinationID: destination}
	}
	says := func(r Rehearsed) (all []string) {
		for _, one := range r.Refused {
			all = append(all, one.Payout.ID)
		}
		return all
	}

	some, err := rehearse(t.Context(), rails, []store.Payout{payout("a", 200, 1), payout("odd", 301, 1), payout("b", 400, 1), payout("nowhere", 500, 2)}, destinations)
	require.NoError(t, err)
	require.Equal(t, []string{"nowhere", "odd"}, says(some))
	require.Equal(t, "it is odd", some.Refused[1].Message)
	require.Equal(t, []any{2, int64(600), ""}, []any{some.Payouts, some.Total.Minor, some.Problem})
	require.Equal(t, []any{2, int64(600)}, []any{some.File.Count, some.File.Total.Minor})

	none, err := rehearse(t.Context(), rails, []store.Payout{payout("odd", 301, 1)}, destinations)
	require.NoError(t, err)
	require.Nil(t, none.File)
	require.Equal(t, []string{"odd"}, says(none))
	require.Zero(t, none.Total.Minor)

	shop := payout("a", 200, 3)
	shop.Rail = converts.Name()
	destinations[3] = store.Destination{ID: 3, Details: map[string]string{points.ToDetail: points.Own}}
	other, err := rehearse(t.Context(), rails, []store.Payout{shop}, destinations)
	require.NoError(t, err)
	require.Equal(t, []any{1, ""}, []any{other.Payouts, other.Problem}, "a rail that converts from another currency may hold enough")
	require.Nil(t, other.Available)

	nowhere := payout("a", 200, 1)
	nowhere.Rail = "gone"
	gone, err := rehearse(t.Context(), rails, []store.Payout{nowhere}, destinations)
	require.NoError(t, err)
	require.NotEmpty(t, gone.Problem)
}

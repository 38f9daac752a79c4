package iso20022

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// A file may be right in itself and yet not what was asked for: it does not leave.
func TestConfirm(t *testing.T) {
	t.Parallel()
	rail, err := New(Config{
		Scheme: SEPA, Debtor: Debtor{Name: "Acme"}, Accounts: map[incentive.Currency]Account{"EUR": {Number: "DE89370400440532013000"}},
		Now: func() time.Time { return time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC) },
	})
	require.NoError(t, err)
	pay := func(id, account string) payments.FilePayment {
		return payments.FilePayment{PayoutID: id, Amount: incentive.Money{Minor: 100, Currency: "EUR"}, Destination: payments.Destination{HolderDetail: "Ann", AccountDetail: account, BankDetail: "BNPAFRPP"}}
	}
	asked := []payments.FilePayment{pay("a1", "FR1420041010050500013M02606"), pay("b2", "NL91ABNA0417164300")}
	total := incentive.Money{Minor: 200, Currency: "EUR"}
	file, err := rail.BuildFile(t.Context(), payments.FileRequest{PeriodID: "p", Revision: 1, Currency: "EUR", Payments: asked})
	require.NoError(t, err)
	require.NoError(t, rail.confirm(file.Content, asked, total))
	for _, c := range []struct{ old, replacement string }{
		{"FR1420041010050500013M02606", "NL91ABNA0417164300"}, {">a1<", ">a3<"}, {"BNPAFRPP", "DEUTDEFF"}, {"DE89370400440532013000", "NO9386011117947"}, {"pain.001.001.09", "pain.001.001.03"}, {"<Cd>SEPA</Cd>", "<Cd>URGP</Cd>"}, {">1.00<", ">1.01<"},
	} {
		changed := bytes.Replace(file.Content, []byte(c.old), []byte(c.replacement), 1)
		require.NotEqual(t, file.Content, changed)
		require.Error(t, rail.confirm(changed, asked, total), c.old)
	}
	require.Error(t, rail.confirm(file.Content, asked[:1], total))
	require.Error(t, rail.confirm(file.Content, asked, incentive.Money{Minor: 201, Currency: "EUR"}))
	asked[0].Amount.Minor, asked[1].Amount.Minor = 150, 50
	require.Error(t, rail.confirm(file.Content, asked, total))
}

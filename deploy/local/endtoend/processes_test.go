package endtoend

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
)

func TestMain(m *testing.M) {
	processes.RunIfAsked()
	os.Exit(m.Run())
}

// site is a house whose parts are processes, each of which can be killed and started
// again, with a bank outside that stays.
type site struct {
	*office
	*processes.House
	bank *standin.Running
}

// build starts every process of a house.
func build(t *testing.T) *site {
	t.Helper()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: processes.APIKey, Balances: map[string]int64{"usd": 1_000_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	h, err := processes.Build(t.Context(), processes.Options{Rails: map[string]string{stripe.Name: bank.URL, processes.PaymentFile: ""}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return &site{House: h, bank: bank, office: &office{house: &house{t: t, currency: "USD", store: h.Store, client: h.Client, databaseURL: h.DatabaseURL}, url: h.URL}}
}

// start starts a process again.
func (s *site) start(name string) {
	s.t.Helper()
	require.NoError(s.t, s.Start(s.t.Context(), name))
}

// kill kills a process.
func (s *site) kill(name string) {
	s.t.Helper()
	require.NoError(s.t, s.Kill(s.t.Context(), name))
}

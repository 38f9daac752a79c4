package payments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

func TestHandlingOfEveryClass(t *testing.T) {
	t.Parallel()
	for _, class := range payments.Classes() {
		h := class.Handling()
		require.False(t, h.MayHavePaid && h.NewAttempt, "%s: a new attempt where the old one may have paid", class)
		require.False(t, h.Retry && h.NewAttempt, "%s: both the same attempt and a new one", class)
	}
	require.Equal(t, payments.Alarm.Handling(), payments.Class("never heard of").Handling())
	require.True(t, payments.Configuration.Handling().StopRun)
	require.False(t, payments.Alarm.Handling().Retry)
}

func TestClassOf(t *testing.T) {
	t.Parallel()
	require.Empty(t, payments.ClassOf(nil))
	require.Equal(t, payments.Unknown, payments.ClassOf(errors.New("anything")))
	require.Equal(t, payments.Throttled, payments.ClassOf(fmt.Errorf("wrapped: %w", &payments.Error{Class: payments.Throttled})))
}

func TestErrorKeepsItsCauseToItself(t *testing.T) {
	t.Parallel()
	err := error(&payments.Error{Class: payments.Unknown, Rail: "stripe", Code: "answer-lost", Message: "no answer", Cause: fmt.Errorf("secret body: %w", context.DeadlineExceeded)})
	require.Equal(t, "stripe: unknown (answer-lost): no answer", err.Error())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, errors.Unwrap(err), "the cause would reach Temporal's history")
	require.Equal(t, incentive.Code("rail-unknown"), incentive.ErrorCode(err))
	require.Equal(t, err.Error(), incentive.ErrorMessage(err))
}

func TestDestinationIsHidden(t *testing.T) {
	t.Parallel()
	d := payments.Destination{"account": "DE89370400440532013000"}
	in := payments.Instruction{Destination: d}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("sending", "destination", d)
	for _, text := range []string{fmt.Sprint(d), fmt.Sprintf("%v %+v %#v %s", d, in, in, d), log.String()} {
		require.NotContains(t, text, "DE89")
	}
	kept, err := json.Marshal(d)
	require.NoError(t, err)
	require.JSONEq(t, `{"account":"DE89370400440532013000"}`, string(kept), "the store must be able to keep it")
}

func TestCapabilitiesCheck(t *testing.T) {
	t.Parallel()
	can := payments.Capabilities{Currencies: []incentive.Currency{"EUR", "JPY"}, Smallest: map[incentive.Currency]int64{"EUR": 100}, Largest: map[incentive.Currency]int64{"EUR": 1_000}}
	for _, c := range []struct {
		minor    int64
		currency incentive.Currency
		code     string
	}{
		{100, "EUR", ""}, {1_000, "EUR", ""}, {1, "JPY", ""},
		{99, "EUR", "amount-too-small"}, {1_001, "EUR", "amount-too-large"}, {0, "JPY", "amount-not-positive"}, {-5, "EUR", "amount-not-positive"}, {500, "USD", "currency-not-supported"},
	} {
		err := can.Check("rail", incentive.Money{Minor: c.minor, Currency: c.currency})
		if c.code == "" {
			require.NoError(t, err)
			continue
		}
		var refused *payments.Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, c.code, refused.Code)
		require.Equal(t, payments.Definite, refused.Class)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	paid := payments.Result{State: payments.Paid, Amount: incentive.Money{Minor: 5, Currency: "USD"}}
	require.NoError(t, paid.Matches("rail", incentive.Money{Minor: 5, Currency: "USD"}))
	for _, asked := range []incentive.Money{{Minor: 6, Currency: "USD"}, {Minor: 5, Currency: "EUR"}} {
		require.Equal(t, payments.Alarm, payments.ClassOf(paid.Matches("rail", asked)))
	}
	require.False(t, payments.Result{}.Found())
}

type rail struct {
	name string
	can  payments.Capabilities
}

func (r rail) Name() string                        { return r.name }
func (r rail) Capabilities() payments.Capabilities { return r.can }
func (rail) ValidateDestination(d payments.Destination) (payments.Destination, string, error) {
	return d, "", nil
}

type fileRail struct{ rail }

func (fileRail) BuildFile(context.Context, payments.FileRequest) (payments.File, error) {
	return payments.File{}, nil
}

type singleRail struct{ rail }

func (singleRail) Submit(context.Context, payments.Instruction) (payments.Result, error) {
	return payments.Result{}, nil
}
func (singleRail) Lookup(context.Context, string) (payments.Result, error) {
	return payments.Result{}, nil
}
func (singleRail) Balance(context.Context, incentive.Currency) (incentive.Money, error) {
	return incentive.Money{}, nil
}
func (singleRail) ParseEvents(http.Header, []byte, time.Time) ([]payments.Event, error) {
	return nil, nil
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	file := fileRail{rail{"bank", payments.Capabilities{File: true}}}
	single := singleRail{rail{"acme", payments.Capabilities{PerSecond: 20}}}
	registry, err := payments.NewRegistry(file, single)
	require.NoError(t, err)
	require.Equal(t, []string{"acme", "bank"}, registry.Names())
	require.Equal(t, 20.0, registry.PerSecond("acme"))
	require.Zero(t, registry.PerSecond("bank"))
	require.Zero(t, registry.PerSecond("none"))
	_, err = registry.Single("acme")
	require.NoError(t, err)
	_, err = registry.File("bank")
	require.NoError(t, err)
	_, err = registry.Single("bank")
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	_, err = registry.File("acme")
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	for _, find := range []func(string) error{
		func(n string) error { _, err := registry.Rail(n); return err },
		func(n string) error { _, err := registry.Single(n); return err },
		func(n string) error { _, err := registry.File(n); return err },
	} {
		require.Equal(t, payments.CodeRailUnknown, incentive.ErrorCode(find("none")))
	}
	for name, rails := range map[string][]payments.Rail{
		"two of one name":   {file, file},
		"no name":           {fileRail{rail{"", payments.Capabilities{File: true}}}},
		"a name with slash": {fileRail{rail{"a/b", payments.Capabilities{File: true}}}},
		"neither kind":      {rail{"x", payments.Capabilities{}}},
		"says it is a file": {singleRail{rail{"x", payments.Capabilities{File: true}}}},
		"says it is single": {fileRail{rail{"x", payments.Capabilities{}}}},
	} {
		_, err := payments.NewRegistry(rails...)
		require.Error(t, err, name)
	}
	require.Empty(t, payments.Registry{}.Names())
}

// Package railtest holds the contract that every rail keeps, as a test suite.
package railtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// Subject is a rail under test. It can pay Currency, and has the means for it.
type Subject struct {
	Rail     payments.Rail
	Currency incentive.Currency
	Good     payments.Destination
	Bad      []payments.Destination
	// Paid counts how often the rail really paid under a reference. For rails of single
	// payouts.
	Paid func(reference string) int
	// Settle has the rail pay what it has taken under a reference. For rails that can take
	// back or stop payments and do not pay at once.
	Settle func(reference string) error
}

// RunSuite holds a rail against the contract.
func RunSuite(t *testing.T, s Subject) {
	t.Helper()
	t.Run("rail", s.rail)
	t.Run("destinations", s.destinations)
	if rail, ok := s.Rail.(payments.SingleRail); ok {
		t.Run("single", func(t *testing.T) { s.single(t, rail) })
	}
	if rail, ok := s.Rail.(payments.FileRail); ok {
		t.Run("file", func(t *testing.T) { s.file(t, rail) })
	}
}

func (s Subject) rail(t *testing.T) {
	registry, err := payments.NewRegistry(s.Rail)
	require.NoError(t, err)
	require.Equal(t, []string{s.Rail.Name()}, registry.Names())
	can := s.Rail.Capabilities()
	require.GreaterOrEqual(t, can.DedupeWindow, time.Duration(0))
	require.GreaterOrEqual(t, can.PerSecond, 0.0)
	require.NoError(t, can.Check(s.Rail.Name(), s.money(1_000)))
	if !can.File {
		require.True(t, can.LookupByReference || can.DedupeWindow > 0, "an unknown outcome could never be cleared up")
	}
}

func (s Subject) money(minor int64) incentive.Money {
	return incentive.Money{Minor: minor, Currency: s.Currency}
}

func (s Subject) destinations(t *testing.T) {
	clean, masked, err := s.Rail.ValidateDestination(s.Good)
	require.NoError(t, err)
	require.NotEmpty(t, masked)
	again, maskedAgain, err := s.Rail.ValidateDestination(clean)
	require.NoError(t, err)
	require.Equal(t, clean, again, "a clean destination stays as it is")
	require.Equal(t, masked, maskedAgain)
	for _, detail := range clean {
		require.NotContains(t, masked, detail, "what may be shown gives a detail away")
	}
	for _, bad := range append(s.Bad, nil, payments.Destination{}, payments.Destination{"nobody-knows": "this"}) {
		_, _, err := s.Rail.ValidateDestination(bad)
		require.Equal(t, payments.CodeDestinationInvalid, incentive.ErrorCode(err), "%#v", map[string]string(bad))
		for _, detail := range bad {
			if len(detail) > 5 {
				require.NotContains(t, err.Error(), detail, "the error gives a detail away")
			}
		}
	}
}

func (s Subject) instruction(name string, minor int64) payments.Instruction {
	clean, _, _ := s.Rail.ValidateDestination(s.Good)
	return payments.Instruction{
		Key:         "key-" + name,
		Reference:   "reference-" + name,
		PayoutID:    "payout-" + name,
		PeriodID:    "period",
		Amount:      s.money(minor),
		Destination: clean,
	}
}

func (s Subject) single(t *testing.T, rail payments.SingleRail) {
	ctx := t.Context()
	// A rail that does not is called once for an attempt, and asked after what became of it.
	knowsKeys := rail.Capabilities().DedupeWindow > 0
	t.Run("pays once for a key, and is found by its reference", func(t *testing.T) {
		in := s.instruction("once", 12_340)
		before, err := rail.Balance(ctx, s.Currency)
		require.NoError(t, err)
		absent, err := rail.Lookup(ctx, in.Reference)
		require.NoError(t, err)
		require.False(t, absent.Found())
		require.Equal(t, payments.Absent, absent.State)
		first, err := rail.Submit(ctx, in)
		require.NoError(t, err)
		require.True(t, first.Found())
		require.NotEmpty(t, first.RailID)
		require.Equal(t, in.Amount, first.Amount)
		require.Equal(t, rail.Capabilities().PaidAtOnce, first.State == payments.Paid)
		if knowsKeys {
			second, err := rail.Submit(ctx, in)
			require.NoError(t, err)
			require.Equal(t, first, second)
		}
		found, err := rail.Lookup(ctx, in.Reference)
		require.NoError(t, err)
		require.Equal(t, first, found)
		require.Equal(t, 1, s.Paid(in.Reference))
		after, err := rail.Balance(ctx, s.Currency)
		require.NoError(t, err)
		require.Equal(t, in.Amount.Minor, before.Minor-after.Minor)
	})
	t.Run("raises an alarm for a key with another body", func(t *testing.T) {
		if !knowsKeys {
			return
		}
		in := s.instruction("body", 5_000)
		_, err := rail.Submit(ctx, in)
		require.NoError(t, err)
		in.Amount = s.money(6_000)
		_, err = rail.Submit(ctx, in)
		require.Equal(t, payments.Alarm, payments.ClassOf(err))
		require.Equal(t, 1, s.Paid(in.Reference))
	})
	t.Run("pays once for many callers at once", func(t *testing.T) {
		if !knowsKeys {
			return
		}
		in := s.instruction("many", 7_000)
		var group sync.WaitGroup
		errs := make([]error, 20)
		for i := range errs {
			group.Go(func() { _, errs[i] = rail.Submit(ctx, in) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil {
				require.True(t, payments.ClassOf(err).Handling().Retry, "%v", err)
			}
		}
		require.Equal(t, 1, s.Paid(in.Reference))
	})
	t.Run("refuses amounts that are none", func(t *testing.T) {
		for _, minor := range []int64{0, -1, -1 << 63} {
			in := s.instruction(fmt.Sprint("none", minor), minor)
			_, err := rail.Submit(ctx, in)
			require.Equal(t, payments.Definite, payments.ClassOf(err))
			require.Zero(t, s.Paid(in.Reference))
		}
	})
	t.Run("heeds its context", func(t *testing.T) {
		over, cancel := context.WithCancel(ctx)
		cancel()
		_, err := rail.Submit(over, s.instruction("context", 1_000))
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, payments.ClassOf(err).Handling().Retry)
		_, err = rail.Lookup(over, "reference-context")
		require.ErrorIs(t, err, context.Canceled)
		_, err = rail.Balance(over, s.Currency)
		require.ErrorIs(t, err, context.Canceled)
	})
	if lister, lists := rail.(payments.Lister); lists {
		t.Run("lists what it did", func(t *testing.T) { s.lists(t, rail, lister) })
	}
	if reverser, reverses := rail.(payments.Reverser); reverses {
		t.Run("takes back what it paid", func(t *testing.T) { s.reverses(t, rail, reverser) })
	}
	if canceller, cancels := rail.(payments.Canceller); cancels {
		t.Run("stops what it has taken", func(t *testing.T) { s.cancels(t, rail, canceller) })
	}

	t.Run("refuses events that nobody signed", func(t *testing.T) {
		for _, header := range []http.Header{nil, {}, {"Stripe-Signature": {""}}, {"Authorization": {"x"}}} {
			_, err := rail.ParseEvents(header, []byte(`{"id":"evt_1","object":"event"}`), time.Unix(1_800_000_000, 0))
			require.Equal(t, payments.CodeEventRefused, incentive.ErrorCode(err))
		}
	})
}

// paid submits an instruction that is paid then.
func (s Subject) paid(t *testing.T, rail payments.SingleRail, name string) (payments.Instruction, payments.Result) {
	in := s.instruction(name, 10_000)
	made, err := rail.Submit(t.Context(), in)
	require.NoError(t, err)
	if !rail.Capabilities().PaidAtOnce {
		require.NoError(t, s.Settle(in.Reference))
	}
	return in, made
}

func (s Subject) reverses(t *testing.T, rail payments.SingleRail, reverser payments.Reverser) {
	ctx := t.Context()
	in, made := s.paid(t, rail, "reverse")
	before, err := rail.Balance(ctx, s.Currency)
	require.NoError(t, err)
	reverse := func(minor int64, key string) payments.Class {
		back, err := reverser.Reverse(ctx, made.RailID, s.money(minor), key)
		if err == nil {
			require.Equal(t, s.money(minor), back.Amount)
			require.NotEmpty(t, back.RailID)
		}
		return payments.ClassOf(err)
	}
	stands := func(state payments.State, reversed int64) {
		t.Helper()
		found, err := rail.Lookup(ctx, in.Reference)
		require.NoError(t, err)
		require.Equal(t, state, found.State)
		require.Equal(t, reversed, found.Reversed)
		require.Equal(t, in.Amount, found.Amount)
		after, err := rail.Balance(ctx, s.Currency)
		require.NoError(t, err)
		require.Equal(t, reversed, after.Minor-before.Minor)
	}
	stands(payments.Paid, 0)
	for range 2 {
		require.Empty(t, reverse(4_000, "reverse-1"))
		stands(payments.Paid, 4_000)
	}
	require.Equal(t, payments.Alarm, reverse(3_000, "reverse-1"), "a key with another body")
	require.Equal(t, payments.Definite, reverse(6_001, "reverse-2"), "more than is left")
	stands(payments.Paid, 4_000)
	require.Empty(t, reverse(6_000, "reverse-3"))
	stands(payments.Returned, 10_000)
	require.Equal(t, payments.Definite, reverse(1, "reverse-4"), "nothing is left")
	for _, minor := range []int64{0, -1} {
		require.Equal(t, payments.Definite, reverse(minor, fmt.Sprint("reverse-none", minor)))
	}
	require.Equal(t, 1, s.Paid(in.Reference))

	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err = reverser.Reverse(over, made.RailID, s.money(1), "reverse-5")
	require.ErrorIs(t, err, context.Canceled)
}

func (s Subject) cancels(t *testing.T, rail payments.SingleRail, canceller payments.Canceller) {
	ctx := t.Context()
	in := s.instruction("cancel", 10_000)
	before, err := rail.Balance(ctx, s.Currency)
	require.NoError(t, err)
	made, err := rail.Submit(ctx, in)
	require.NoError(t, err)
	for range 2 {
		stopped, err := canceller.Cancel(ctx, made.RailID)
		require.NoError(t, err)
		require.Contains(t, []payments.State{payments.Refused, payments.Returned}, stopped.State)
		require.Equal(t, made.RailID, stopped.RailID)
		require.Equal(t, in.Amount, stopped.Amount)
		found, err := rail.Lookup(ctx, in.Reference)
		require.NoError(t, err)
		require.Equal(t, stopped.State, found.State)
		after, err := rail.Balance(ctx, s.Currency)
		require.NoError(t, err)
		require.Equal(t, before, after)
	}
	late, kept := s.paid(t, rail, "cancel-late")
	stopped, err := canceller.Cancel(ctx, kept.RailID)
	found, lookUp := rail.Lookup(ctx, late.Reference)
	require.NoError(t, lookUp)
	if err == nil {
		require.Equal(t, payments.Returned, stopped.State, "what was paid has come back")
		require.Equal(t, payments.Returned, found.State)
	} else {
		require.Equal(t, payments.Definite, payments.ClassOf(err), "too late")
		require.Equal(t, payments.Paid, found.State)
	}
	_, err = canceller.Cancel(ctx, "nothing-has-this-id")
	require.Equal(t, payments.Definite, payments.ClassOf(err))

	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err = canceller.Cancel(over, made.RailID)
	require.ErrorIs(t, err, context.Canceled)
}

// ever is longer than any clock of a rail under test runs.
func ever(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

func (s Subject) lists(t *testing.T, rail payments.SingleRail, lister payments.Lister) {
	ctx := t.Context()
	const many = 105 // more than a page
	for i := range many {
		_, err := rail.Submit(ctx, s.instruction(fmt.Sprintf("list-%03d", i), int64(2_000+100*i)))
		require.NoError(t, err)
	}
	found := map[string]payments.Listed{}
	list := func(from, until time.Time) {
		clear(found)
		require.NoError(t, lister.List(ctx, from, until, func(l payments.Listed) error {
			require.NotContains(t, found, l.Reference, "each once")
			found[l.Reference] = l
			return nil
		}))
	}
	list(ever(2000), ever(2100))
	for i := range many {
		in := s.instruction(fmt.Sprintf("list-%03d", i), int64(2_000+100*i))
		known, err := rail.Lookup(ctx, in.Reference)
		require.NoError(t, err)
		require.Equal(t, payments.Listed{Reference: in.Reference, Result: known}, found[in.Reference])
	}
	listed := map[string]bool{}
	require.NoError(t, lister.List(ctx, ever(2000), ever(2100), func(l payments.Listed) error {
		require.False(t, listed[l.RailID], "each once, also where more is asked for meanwhile")
		if listed[l.RailID] = true; len(listed) == 1 {
			_, err := rail.Submit(ctx, s.instruction("list-meanwhile", 2_000))
			require.NoError(t, err)
		}
		return nil
	}))
	list(ever(2000), ever(2001))
	require.Empty(t, found)
	last, err := rail.Lookup(ctx, "reference-list-000")
	require.NoError(t, err)
	list(ever(2000), last.At)
	require.NotContains(t, found, "reference-list-000", "the end is not in it")
	list(last.At, ever(2100))
	require.Contains(t, found, "reference-list-000", "the beginning is")

	enough := errors.New("enough")
	require.ErrorIs(t, lister.List(ctx, ever(2000), ever(2100), func(payments.Listed) error { return enough }), enough)
	over, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, lister.List(over, ever(2000), ever(2100), func(payments.Listed) error { return nil }), context.Canceled)
}

func (s Subject) file(t *testing.T, rail payments.FileRail) {
	clean, _, err := s.Rail.ValidateDestination(s.Good)
	require.NoError(t, err)
	request := payments.FileRequest{PeriodID: "sales-2026-10", Revision: 1, Currency: s.Currency}
	for i := range 25 {
		request.Payments = append(request.Payments, payments.FilePayment{PayoutID: fmt.Sprintf("payout-%02d", i), Amount: s.money(int64(100 + i)), Destination: clean})
	}
	file, err := rail.BuildFile(t.Context(), request)
	require.NoError(t, err)
	digest := sha256.Sum256(file.Content)
	require.Equal(t, digest[:], file.SHA256)
	require.Equal(t, 25, file.Count)
	require.Equal(t, s.money(25*100+300), file.Total)
	require.NotEmpty(t, file.MessageID)
	require.LessOrEqual(t, len(file.MessageID), 35, "banks take no longer message id")
	require.NotEmpty(t, file.Name)
	require.False(t, strings.ContainsAny(file.Name, `/\:*?"<>| `), file.Name)
	for _, p := range request.Payments {
		require.Equal(t, 1, bytes.Count(file.Content, []byte(p.PayoutID)))
	}

	t.Run("the order of the request does not matter", func(t *testing.T) {
		shuffled := request
		shuffled.Payments = append([]payments.FilePayment{}, request.Payments...)
		rand.New(rand.NewPCG(1, 2)).Shuffle(25, func(i, j int) {
			shuffled.Payments[i], shuffled.Payments[j] = shuffled.Payments[j], shuffled.Payments[i]
		})
		again, err := rail.BuildFile(t.Context(), shuffled)
		require.NoError(t, err)
		require.Equal(t, file, again)
	})
	t.Run("another payment is another message", func(t *testing.T) {
		other := request
		other.Payments = append([]payments.FilePayment{}, request.Payments...)
		other.Payments[3].Amount.Minor++
		changed, err := rail.BuildFile(t.Context(), other)
		require.NoError(t, err)
		require.NotEqual(t, file.MessageID, changed.MessageID)
	})
	t.Run("every payment that cannot be written is named, and nothing is built", func(t *testing.T) {
		other := request
		other.Payments = append([]payments.FilePayment{}, request.Payments...)
		other.Payments[2].Amount.Minor = 0
		other.Payments[4].Destination = s.Bad[0]
		other.Payments[6].PayoutID = other.Payments[7].PayoutID
		built, err := rail.BuildFile(t.Context(), other)
		var refused *payments.Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, payments.Definite, refused.Class)
		require.Zero(t, built)
		var named []string
		for _, r := range refused.Refused {
			named = append(named, r.PayoutID)
			require.NotEmpty(t, r.Message)
		}
		require.ElementsMatch(t, []string{"payout-02", "payout-04", "payout-07"}, named)
	})
	t.Run("heeds its context", func(t *testing.T) {
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := rail.BuildFile(over, request)
		require.ErrorIs(t, err, context.Canceled)
	})
}

package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

func dollars(minor int64) incentive.Money { return incentive.Money{Minor: minor, Currency: "USD"} }

// paidBooks is a company whose January paid ann 100.00 by one payout.
func paidBooks(t *testing.T) (*books, string) {
	t.Helper()
	b := openBooks(t)
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	return b, b.payouts(monthOf(1))[0].ID
}

// recall has an amount, or with nothing all that is left, of a payout taken back by two people,
// and returns the recall.
func (b *books) recall(id string, amount incentive.Money) string {
	b.Helper()
	require.NoError(b, b.ProposeRecall(b.Context(), "fin", id, b.reason(), amount, false))
	recall, err := b.DecidePayout(b.Context(), "fin2", id, true, "")
	require.NoError(b, err)
	require.NotEmpty(b, recall)
	return recall
}

// comesBack has the rail give back what a recall says, after which it stands so.
func (b *books) comesBack(recall, stands string, reversed int64) {
	b.Helper()
	sent, err := b.SendRecall(b.Context(), recall)
	require.NoError(b, err)
	require.True(b, sent)
	o := store.PayoutOutcome{State: stands, Code: string(store.CodeRecalled), Amount: dollars(10000), Reversed: reversed}
	for range 2 { // the second time changes nothing
		require.NoError(b, b.FinishRecall(b.Context(), recall, store.RecallDone, "", o))
	}
	b.proved(monthOf(1))
}

// TestRecallInPart takes parts of what was paid back: each is owed again at once and paid by
// the next period, and once the last part has come back the payout has ended.
func TestRecallInPart(t *testing.T) {
	t.Parallel()
	b, id := paidBooks(t)
	one := func() store.Payout { return b.payouts(monthOf(1))[0] }
	b.comesBack(b.recall(id, dollars(4000)), "paid", 4000)
	require.Equal(t, []string{"recall-done", "recall-done", "payout-taken-back"}, []string{b.lastTold("fin"), b.lastTold("fin2"), b.lastTold("ann")})
	require.Equal(t, []any{"paid", dollars(4000), "40.00", "-60.00"}, []any{one().State, one().Recalled, b.balance(store.Payable), "-" + b.paidOut()})
	refused := func(code incentive.Code, amount incentive.Money, whole bool) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(b.ProposeRecall(t.Context(), "fin", id, b.reason(), amount, whole)))
	}
	refused(incentive.CodeInvalid, dollars(6001), false)
	refused(incentive.CodeInvalid, dollars(-1), false)
	refused(incentive.CodeInvalid, incentive.Money{Minor: 1, Currency: "EUR"}, false)
	refused(incentive.CodeInvalid, dollars(100), true)

	b.deal("d2", "2026-02-10", "500")
	b.open(monthOf(2))
	b.calculate(monthOf(2))
	b.approve(monthOf(2))
	require.Equal(t, []string{"ann 90.00 (40.00) planned"}, b.planned(monthOf(2)))
	_, register := b.file(request(accounting.Register, ""))
	require.Contains(t, register[0], ",40.00,")

	b.comesBack(b.recall(id, incentive.Money{}), "returned", 10000)
	require.Equal(t, []any{"cancelled", "recalled", "150.00"}, []any{one().State, one().Reason, b.balance(store.Payable)})
	refused(incentive.CodeConflict, dollars(1), false)
	_, lines := b.file(accounting.Request{Kind: accounting.YearEnd, Year: 2026})
	for _, line := range lines {
		require.NotContains(t, line, ",paid,", "nothing was, in the end")
	}
}

// lastTold is the kind of what somebody was told last about a payout; "" for nothing.
func (b *books) lastTold(who string) string {
	b.Helper()
	all, err := b.Notices(b.Context(), who, 0, 10)
	require.NoError(b, err)
	for _, n := range all {
		if n.Subject == "payout/"+b.payouts(monthOf(1))[0].ID {
			require.Equal(b, "Name of ann", n.Name)
			return string(n.Kind)
		}
	}
	return ""
}

// paidOut is what has left the bank.
func (b *books) paidOut() string {
	b.Helper()
	return b.balance(store.Cash)
}

// TestRecallOfTheWhole makes what a rail gave back an exception, that a person decides about.
func TestRecallOfTheWhole(t *testing.T) {
	t.Parallel()
	b, id := paidBooks(t)
	b.comesBack(b.recall(id, incentive.Money{}), "returned", 10000)
	one := b.payouts(monthOf(1))[0]
	require.Equal(t, []any{"returned", "recalled", "100.00", "0.00"}, []any{one.State, one.Reason, b.balance(store.Payable), b.paidOut()})
	all, err := b.Exceptions(t.Context(), store.WhichExceptions{Reason: "recalled", Rail: bank, PeriodID: monthOf(1)}, "", 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	for range 2 { // said again, as who had no answer does
		require.NoError(t, b.CancelPayout(t.Context(), "fin", id, b.reason()))
	}
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.CancelPayout(t.Context(), "fin2", id, b.reason())), "somebody else has")
	b.proved(monthOf(1))
}

// TestRecallThatFails leaves a payout as it was where the rail gives nothing back, and to a
// person where it contradicts the record.
func TestRecallThatFails(t *testing.T) {
	t.Parallel()
	b, id := paidBooks(t)
	ctx := t.Context()
	end := func(state store.RecallState, code string) {
		t.Helper()
		recall := b.recall(id, dollars(4000))
		require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ProposeRecall(ctx, "fin", id, b.reason(), dollars(1), false)), "one at a time")
		require.NoError(t, b.FinishRecall(ctx, recall, state, code, store.PayoutOutcome{}))
		sent, err := b.SendRecall(ctx, recall)
		require.NoError(t, err)
		require.False(t, sent, "it has ended")
		b.proved(monthOf(1))
		one := b.payouts(monthOf(1))[0]
		require.Equal(t, []any{"paid", state, code, "0.00"}, []any{one.State, one.Recall.State, one.Recall.Code, b.balance(store.Payable)})
	}
	end(store.RecallRefused, "balance_insufficient")
	require.Equal(t, []string{"recall-refused", "recall-refused", "payout-paid"}, []string{b.lastTold("fin"), b.lastTold("fin2"), b.lastTold("ann")}, "nothing has changed for whoever was paid")
	end(store.RecallUnclear, "reversal-differs")
	require.Equal(t, "paid bank-unclear", b.stands())
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ProposeRecall(ctx, "fin", id, b.reason(), dollars(1), false)), "first it is cleared up")
	require.NoError(t, b.ClearDoubt(ctx, "fin", id, b.reason()))
	require.NoError(t, b.ProposeRecall(ctx, "fin", id, b.reason(), dollars(1), false))
}

// TestRecallsNeedTwo is who may take a payout back.
func TestRecallsNeedTwo(t *testing.T) {
	t.Parallel()
	b, id := paidBooks(t)
	ctx := t.Context()
	refused := func(code incentive.Code, err error) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(err), "%v", err)
	}
	decide := func(actor string, confirms bool, reason string) error {
		_, err := b.DecidePayout(ctx, actor, id, confirms, reason)
		return err
	}
	refused(incentive.CodeConflict, decide("fin2", true, ""))
	refused(store.CodeReasonMissing, b.ProposeRecall(ctx, "fin", id, "", dollars(1), false))
	refused(incentive.CodeOwnPay, b.ProposeRecall(ctx, "ann", id, b.reason(), dollars(1), false))
	require.NoError(t, b.ProposeRecall(ctx, "fin", id, b.reason(), dollars(1), false))
	refused(incentive.CodeConflict, b.ProposeRecall(ctx, "fin2", id, b.reason(), dollars(1), false))
	refused(store.CodePreparer, decide("fin", true, ""))
	refused(incentive.CodeOwnPay, decide("ann", true, ""))
	refused(store.CodeReasonMissing, decide("fin2", false, ""))
	require.NoError(t, decide("fin2", false, b.reason()))
	require.NoError(t, decide("fin2", false, b.reason()), "said again")
	require.Equal(t, "proposal-refused", b.lastTold("fin"))
	refused(incentive.CodeConflict, decide("fin2", true, ""))
	require.Empty(t, b.payouts(monthOf(1))[0].Recall.State)

	recall := b.recall(id, dollars(1))
	again, err := b.DecidePayout(ctx, "fin2", id, true, "")
	require.NoError(t, err)
	require.Equal(t, recall, again, "said again, it is the same recall")
	open, err := b.OpenRecalls(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]string{recall: bank}, open)

	pool, err := pgxpool.New(ctx, b.url)
	require.NoError(t, err)
	defer pool.Close()
	constraint := func(sql string, arguments ...any) string { // past everything above the database
		_, err := pool.Exec(ctx, sql, arguments...)
		var refusal *pgconn.PgError
		require.ErrorAs(t, err, &refusal)
		return refusal.ConstraintName
	}
	require.Equal(t, "nobody_proposes_for_own_payout", constraint(`INSERT INTO guerdon.payout_proposal (payout_id, participant_id, act, proposed_by, reason_id) VALUES ($1, 'ann', 'retry-payout', 'ann', $2)`, id, b.reason()))
	require.Equal(t, "nobody_confirms_own_proposal", constraint(`INSERT INTO guerdon.proposal_decision (proposal_id, participant_id, proposed_by, decision, decided_by)
		SELECT id, participant_id, proposed_by, 'confirmed', proposed_by FROM guerdon.payout_proposal p WHERE id::text = $1`, recall))
}

// TestSecondPersonAbove has a second person confirm, above the limit of the policy, that a
// failed payout is sent again or given up.
func TestSecondPersonAbove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		waits bool
	}{
		"up to the limit":             {"second_person_above: [100 USD]", false},
		"above":                       {"second_person_above: [99.99 USD]", true},
		"in a currency that has none": {"second_person_above: [1000000 EUR]", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBooks(t)
			b.follows(c.rules)
			b, id := failedIn(b)
			ctx := t.Context()
			one := func() store.Payout { return b.payouts(monthOf(1))[0] }
			require.NoError(t, b.RetryPayout(ctx, "fin", id, b.reason()))
			if !c.waits {
				require.Equal(t, "planned", one().State)
				return
			}
			require.Equal(t, store.Proposal{Act: "retry-payout", By: "fin", Amount: dollars(0)}, one().Proposal)
			require.Equal(t, "failed", one().State)
			require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.CancelPayout(ctx, "fin2", id, b.reason())))
			require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.ProposeRedirection(ctx, "fin2", id, b.reason(), 2)))
			_, err := b.DecidePayout(ctx, "fin", id, true, "")
			require.Equal(t, store.CodePreparer, incentive.ErrorCode(err))
			_, err = b.DecidePayout(ctx, "fin2", id, true, "")
			require.NoError(t, err)
			require.Equal(t, "planned", one().State)
			require.NoError(t, b.RetryPayout(ctx, "fin", id, b.reason()), "who has asked for it asks again")
			require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.RetryPayout(ctx, "fin2", id, b.reason())), "what is not possible is not asked for")
			require.NoError(t, b.SetAside(ctx, id, "x"))
			require.Equal(t, incentive.CodeOwnPay, incentive.ErrorCode(b.CancelPayout(ctx, "ann", id, b.reason())))
			require.NoError(t, b.CancelPayout(ctx, "fin2", id, b.reason()))
			_, err = b.DecidePayout(ctx, "fin", id, true, "")
			require.NoError(t, err)
			require.Equal(t, "cancelled", one().State)
		})
	}
}

// TestEventsOfRecalls has a rail tell what it gave back before and after we know it by
// ourselves, and what nobody asked it for.
func TestEventsOfRecalls(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	b.url = url
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.close(monthOf(1))
	id := b.payouts(monthOf(1))[0].ID
	told := 0
	tells := func(o store.PayoutOutcome) string {
		t.Helper()
		told++
		attempt, err := b.AttemptOf(t.Context(), bank, "", "rail")
		require.NoError(t, err)
		e, err := b.KeepRailEvent(t.Context(), store.RailEvent{Rail: bank, EventID: string(rune('a' + told)), Kind: "reversed", RailID: "rail"}, []byte("x"))
		require.NoError(t, err)
		o.Amount = dollars(10000)
		_, effect, err := b.ApplyRailEvent(t.Context(), e.Number, attempt, "rail", o)
		require.NoError(t, err)
		b.proved(monthOf(1))
		return effect
	}
	recall := b.recall(id, dollars(4000))
	require.Equal(t, "none", tells(store.PayoutOutcome{State: "paid", Reversed: 4000}), "what we have asked for, before its answer")
	b.comesBack(recall, "paid", 4000)
	require.Equal(t, "none", tells(store.PayoutOutcome{State: "paid", Reversed: 4000}), "and after it")
	require.Equal(t, "unclear", tells(store.PayoutOutcome{State: "paid", Reversed: 5000}), "what nobody has asked for")
	require.NoError(t, b.ClearDoubt(t.Context(), "fin", id, b.reason()))
	recall = b.recall(id, dollars(6000))
	_, err := b.SendRecall(t.Context(), recall)
	require.NoError(t, err)
	require.Equal(t, "returned", tells(store.PayoutOutcome{State: "returned", Code: "returned", Reversed: 10000}))
	require.Equal(t, "cancelled recalled", b.stands())
	require.NoError(t, b.FinishRecall(t.Context(), recall, store.RecallDone, "", store.PayoutOutcome{State: "returned", Amount: dollars(10000)}))
	require.Equal(t, "cancelled recalled", b.stands())
	require.Equal(t, "100.00", b.balance(store.Payable))
	b.proved(monthOf(1))
}

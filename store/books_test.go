package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// books is a company with its periods, driven through the store alone, as workflows do.
type books struct {
	*testing.T
	*store.Store
	url  string // of the database
	acts int
}

// openBooks has a rep on a plan that pays 10 % of what is sold, with a destination, and
// the months of 2026.
func openBooks(t *testing.T) *books {
	t.Helper()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	b.url = url
	return b
}

func booksIn(t *testing.T, s *store.Store) *books {
	t.Helper()
	b := &books{T: t, Store: s}
	company(t, b.Store)
	for month := 1; month <= 9; month++ {
		first := incentive.Date{Year: 2026, Month: time.Month(month), Day: 1}
		last := incentive.DateOf(first.UTC().AddDate(0, 1, -1))
		b.put("period", map[string]any{"id": monthOf(month), "calendar_id": "monthly", "code": fmt.Sprintf("2026-%02d", month), "starts_on": first.String(), "ends_on": last.String()})
	}
	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 10%}]")
	b.assign("ann", "flat", "2026-01-01")
	b.destination("ann")
	return b
}

func monthOf(n int) string { return fmt.Sprintf("monthly-2026-%02d", n) }

func (b *books) put(kind string, record map[string]any) {
	b.Helper()
	done := load(b.T, b.Store, kind, record)
	require.Zero(b, done.Quarantined)
}

func (b *books) plan(id, rest string) {
	b.Helper()
	_, err := b.PutPlan(b.Context(), "fin", id, incentive.MustParseDate("2026-01-01"), []byte("language: 1\nplan: "+id+"\nname: "+id+"\ncurrency: USD\n"+rest+"\n"))
	require.NoError(b, err)
}

func (b *books) assign(id, plan, from string) {
	b.Helper()
	b.put("assignment", map[string]any{"participant_id": id, "plan_id": plan, "calendar_id": "monthly", "starts_on": from})
}

func (b *books) destination(id string) {
	b.Helper()
	_, err := b.SetDestination(b.Context(), id, store.Destination{ParticipantID: id, Rail: "payment-file", Masked: "…", Details: map[string]string{}})
	require.NoError(b, err)
}

// deal is a sale of ann's, or what is known of it now.
func (b *books) deal(id, date, amount string) {
	b.Helper()
	b.dealOf("ann", id, date, amount)
}

// dealOf is a sale of somebody's, or what is known of it now.
func (b *books) dealOf(who, id, date, amount string) {
	b.Helper()
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": id, "date": date, "amount": amount, "currency": "USD", "attributes": map[string]string{}})
	b.put("credit", map[string]any{"source": "crm", "transaction_id": id, "participant_id": who, "role": "owner", "share": "1"})
}

func (b *books) command(period string, act incentive.Act) store.PeriodCommand {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	b.acts++
	c := store.PeriodCommand{PeriodID: period, Revision: p.Revision, Act: act, Actor: "fin", Key: fmt.Sprint(b.acts)}
	if incentive.NeedsReason(act) {
		c.ReasonID = b.reason()
	}
	return c
}

func (b *books) open(period string) {
	b.Helper()
	_, err := b.OpenPeriod(b.Context(), "fin", period)
	require.NoError(b, err)
}

func (b *books) reason() string {
	b.Helper()
	id, err := b.WriteText(b.Context(), "fin", "a reason")
	require.NoError(b, err)
	return id
}

func (b *books) reopen(period string) {
	b.Helper()
	_, err := b.ReopenPeriod(b.Context(), "fin", period, b.reason())
	require.NoError(b, err)
}

// calculate locks an open period and stores its run.
func (b *books) calculate(period string) {
	b.Helper()
	p, err := b.LockPeriod(b.Context(), b.command(period, incentive.Lock))
	require.NoError(b, err)
	b.run(p)
}

func (b *books) run(p store.PeriodRevision) {
	b.Helper()
	snapshot, _, err := b.Snapshot(b.Context(), *p.SnapshotID)
	require.NoError(b, err)
	result, err := calculation.Run(b.Context(), snapshot)
	require.NoError(b, err)
	_, err = b.KeepRun(b.Context(), b.command(p.ID, incentive.Calculate), *p.SnapshotID, calculation.EngineVersion, result)
	require.NoError(b, err)
}

// amend calculates a period again with some changes taken over.
func (b *books) amend(period string, changes ...store.Change) {
	b.Helper()
	c := b.command(period, incentive.Recalculate)
	amendment := store.Amendment{ID: fmt.Sprintf("00000000-0000-0000-0001-%012d", b.acts), PeriodID: period, Revision: c.Revision, By: "fin", Changes: changes}
	require.NoError(b, b.KeepAmendment(b.Context(), amendment))
	p, err := b.Recalculate(b.Context(), c, amendment.ID)
	require.NoError(b, err)
	b.run(p)
}

// publish goes on until every statement waits for its approval.
func (b *books) publish(period string) {
	b.Helper()
	_, err := b.Publish(b.Context(), b.command(period, incentive.Publish), time.Now())
	require.NoError(b, err)
	_, _, err = b.StartApproving(b.Context(), b.command(period, incentive.EndWindow))
	require.NoError(b, err)
}

// decide approves every statement.
func (b *books) decide(period string) error {
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	queues, err := b.OpenQueues(b.Context(), period, p.Revision)
	require.NoError(b, err)
	for _, queue := range queues {
		b.acts++
		set := store.DecisionSet{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", b.acts), PeriodID: period, Revision: p.Revision, Queue: queue, Decision: "approved", DecidedBy: queue}
		if queue == store.FinanceQueue {
			set.DecidedBy = "fin3"
		}
		require.NoError(b, b.KeepDecisionSet(b.Context(), set))
		if _, err := b.ApplyDecisions(b.Context(), set.ID); err != nil {
			return err
		}
	}
	return nil
}

// approve takes a calculated period to approved.
func (b *books) approve(period string) {
	b.Helper()
	b.publish(period)
	require.NoError(b, b.decide(period))
	_, err := b.ApprovePeriod(b.Context(), b.command(period, incentive.ApproveLast))
	require.NoError(b, err)
}

// pay takes an approved period to settling: what is planned is paid.
func (b *books) pay(period string) {
	b.Helper()
	ctx := b.Context()
	b.releaseList(period)
	for _, o := range b.payouts(period) {
		attempt, live, err := b.BeginAttempt(ctx, o.ID)
		require.NoError(b, err)
		if live {
			require.NoError(b, b.Confirm(ctx, attempt.Attempt, "rail", true))
		}
	}
	_, err := b.FinishDisbursing(ctx, b.command(period, incentive.DisburseLast))
	require.NoError(b, err)
}

// releaseList releases the payout list that waits, and begins to disburse it.
func (b *books) releaseList(period string) {
	b.Helper()
	ctx := b.Context()
	release := b.command(period, incentive.Release)
	list, err := b.PayoutList(ctx, period, release.Revision)
	require.NoError(b, err)
	release.Actor, release.PayoutListDigest = "fin2", list.Digest
	_, err = b.Release(ctx, release)
	require.NoError(b, err)
	_, err = b.Act(ctx, b.command(period, incentive.Disburse))
	require.NoError(b, err)
}

// close takes an open period to closed, and proves it.
func (b *books) close(period string) {
	b.Helper()
	b.calculate(period)
	b.approve(period)
	b.pay(period)
	b.shut(period)
}

func (b *books) shut(period string) {
	b.Helper()
	_, err := b.ClosePeriod(b.Context(), b.command(period, incentive.Close))
	require.NoError(b, err)
	b.proved(period)
}

func (b *books) proved(period string) {
	b.Helper()
	_, err := activities.Verify(b.Context(), b.Store, period, 0)
	require.NoError(b, err)
}

func (b *books) payouts(period string) []store.Payout {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	all, err := b.Payouts(b.Context(), period, p.Revision, nil, "", 100)
	require.NoError(b, err)
	return all
}

// planned says what a period pays to whom: "<participant> <amount> (<carried>) <state>".
func (b *books) planned(period string) []string {
	b.Helper()
	all := []string{}
	for _, o := range b.payouts(period) {
		all = append(all, fmt.Sprintf("%s %s (%s) %s", o.ParticipantID, o.Amount.Amount(), o.Carried.Amount(), o.State))
	}
	return all
}

// lines says what is in somebody's statement: "<component> <amount>", with the period that
// a difference corrects.
func (b *books) lines(period, id string) []string {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	s, err := b.Statement(b.Context(), period, p.Revision, id)
	require.NoError(b, err)
	all := []string{}
	for _, line := range s.Lines {
		words := line.Component
		if line.Corrects != "" {
			words += " of " + line.Corrects
		}
		all = append(all, words+" "+line.Amount.Amount())
	}
	return all
}

// statement says what somebody's statement comes to, and what of it was posted before.
func (b *books) statement(period string, revision int, id string) string {
	b.Helper()
	s, err := b.Statement(b.Context(), period, revision, id)
	require.NoError(b, err)
	return s.TotalOf.Amount() + " (" + s.Before.Amount() + ")"
}

// balance is what the postings of a kind of account sum to, credits positive.
func (b *books) balance(kind store.AccountKind) string {
	b.Helper()
	balances, err := b.Balances(b.Context(), "", 0)
	require.NoError(b, err)
	sum := incentive.Money{Currency: "USD"}
	for _, one := range balances {
		if one.Kind == kind {
			sum.Minor -= one.Minor
		}
	}
	return sum.Amount()
}

package endtoend

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/payments/xoxoday"
	rewards "github.com/guerdon/guerdon/payments/xoxoday/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/worker"
	"github.com/guerdon/guerdon/workflows"
)

// forgetful is a rail whose record of payments is not what it did.
type forgetful struct {
	*stripe.Rail
	says func(payments.Listed) (payments.Listed, bool)
}

func (f *forgetful) List(ctx context.Context, from, until time.Time, each func(payments.Listed) error) error {
	return f.Rail.List(ctx, from, until, func(l payments.Listed) error {
		said, there := f.says(l)
		if !there {
			return nil
		}
		return each(said)
	})
}

func (f *forgetful) Lookup(ctx context.Context, reference string) (payments.Result, error) {
	found, err := f.Rail.Lookup(ctx, reference)
	said, there := f.says(payments.Listed{Reference: reference, Result: found})
	if err == nil && !there {
		return payments.Result{State: payments.Absent}, nil
	}
	return said.Result, err
}

// reconciled compares the company's day now, and returns what was found, with a line for
// each difference: of whom it is, what it is, and how both sides have it.
func (h *house) reconciled(rail string, day incentive.Date) (r store.Reconciliation, totals []store.ReconciliationTotal, lines []string) {
	h.t.Helper()
	ctx := h.t.Context()
	key := newUUID()
	id, err := workflows.RunReconciliation(ctx, h.client, key, activities.ReconcileInput{Rail: rail, Day: day, By: "fin"})
	require.NoError(h.t, err)
	again, err := workflows.RunReconciliation(ctx, h.client, key, activities.ReconcileInput{Rail: rail, Day: day, By: "fin"})
	require.NoError(h.t, err)
	require.Equal(h.t, id, again, "once for a key")
	r, totals, err = h.store.Reconciliation(ctx, id)
	require.NoError(h.t, err)
	differences, err := h.store.RailDifferences(ctx, id, 0, 100)
	require.NoError(h.t, err)
	require.Len(h.t, differences, r.Differences)
	minor := func(m *int64) string {
		if m == nil {
			return "nothing"
		}
		return fmt.Sprint(*m)
	}
	for _, d := range differences {
		whose := "nobody"
		if d.PayoutID != "" {
			o, err := h.store.Payout(ctx, d.PayoutID)
			require.NoError(h.t, err)
			whose = o.ParticipantID
		}
		side := func(state string, m *int64) string { return cmp.Or(state, "no payment") + " of " + minor(m) }
		lines = append(lines, fmt.Sprintf("%s: %s, %s here, %s there", whose, d.Kind, side(d.OurState, d.OurMinor), side(d.TheirState, d.TheirMinor)))
	}
	slices.Sort(lines)
	return r, totals, lines
}

// day moves the company to where it is noon, so that no day ends in mid-test, and returns
// the day there.
func (h *house) day() incentive.Date {
	h.t.Helper()
	now := time.Now().UTC()
	zone := fmt.Sprintf("Etc/GMT%+d", now.Hour()-12)
	require.NoError(h.t, h.store.SetCompany(h.t.Context(), store.System, "Test", zone))
	location, err := time.LoadLocation(zone)
	require.NoError(h.t, err)
	return incentive.DateOf(now.In(location))
}

// paidByForgetful is a company that has paid its people through Stripe, whose list of what it
// did a test changes, and the day on which it was.
func paidByForgetful(t *testing.T, reps int) (h *house, rail *forgetful, today incentive.Date) {
	t.Helper()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 10_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	real, err := stripe.New(stripe.Config{APIKey: "sk_test_x", BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	rail = &forgetful{Rail: real, says: func(l payments.Listed) (payments.Listed, bool) { return l, true }}
	h = start(t, rail)
	h.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	today = h.day()
	h.release(reps)
	h.await(period, incentive.Settling)
	return h, rail, today
}

// TestReconciliation compares what was paid with what Stripe says, who lists what it never
// was asked for and has forgotten, changed and taken back some of the rest.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	const reps = 6
	h, rail, today := paidByForgetful(t, reps)
	ctx := t.Context()
	require.Eventually(t, func() bool { return h.count(`SELECT count(*) FROM reconciliation WHERE run_by = 'system'`) == 1 }, time.Minute, 20*time.Millisecond, "the latest day that is over is compared by itself")
	last, err := h.store.LastReconciled(ctx, stripe.Name)
	require.NoError(t, err)
	require.Contains(t, []incentive.Date{today, today.AddDays(-1), today.AddDays(-2)}, last, "as late as it is, also where the company was at first")

	r, totals, lines := h.reconciled(stripe.Name, today)
	require.Empty(t, lines)
	require.Equal(t, reps, r.Agreed)
	total, left := int64(reps*(reps+1)/2*100+reps), int64(10_000_00)
	left -= total
	require.Equal(t, []store.ReconciliationTotal{{Currency: "USD", Ours: reps, OursMinor: total, Theirs: reps, TheirsSum: total, Available: &left}}, totals)

	_, err = rail.Rail.Submit(ctx, payments.Instruction{Key: "k", Reference: "not one of ours", Amount: usd(500), Destination: payments.Destination{"account": "acct_x"}})
	require.NoError(t, err)
	_, err = rail.Rail.Submit(ctx, payments.Instruction{Key: "twice", Reference: h.reference("rep0006"), Amount: usd(601), Destination: payments.Destination{"account": "acct_x"}})
	require.NoError(t, err)
	found, err := rail.Rail.Lookup(ctx, h.reference("rep0004"))
	require.NoError(t, err)
	_, err = rail.Rail.Reverse(ctx, found.RailID, usd(1), "back")
	require.NoError(t, err)
	forgotten, changed, late := h.reference("rep0001"), h.reference("rep0002"), h.reference("rep0003")
	rail.says = func(l payments.Listed) (payments.Listed, bool) {
		switch l.Reference {
		case changed:
			l.Amount.Minor = 1
		case late:
			l.State = payments.Submitted
		}
		return l, l.Reference != forgotten
	}
	r, _, lines = h.reconciled(stripe.Name, today)
	require.Equal(t, []string{
		"nobody: missing-here, no payment of nothing here, paid of 500 there",
		"nobody: missing-here, no payment of nothing here, paid of 601 there",
		"rep0001: missing-there, paid of 101 here, no payment of nothing there",
		"rep0002: amount-differs, paid of 201 here, paid of 1 there",
		"rep0003: state-differs, paid of 301 here, submitted of 301 there",
		"rep0004: state-differs, paid of 401 here, paid of 401 there",
	}, lines)
	require.Equal(t, 2, r.Agreed)

	storetest.Exec(t, h.databaseURL, `UPDATE payout SET state = 'submitted' WHERE participant_id = 'rep0005'`)
	_, _, lines = h.reconciled(stripe.Name, today.AddDays(-3))
	require.Equal(t, []string{"nobody: ledger-differs, no payment of 0 here, no payment of 501 there"}, lines, "of a day without payments, what is in transit alone")
	_, err = h.store.VerifyLedger(ctx)
	require.NoError(t, err)
	_, _, err = h.store.VerifyAudit(ctx)
	require.NoError(t, err)
}

// TestReconciliationOfARecallInPart finds no difference in a part that finance has taken back, and
// one where the rail has given back another amount than it says to us.
func TestReconciliationOfARecallInPart(t *testing.T) {
	t.Parallel()
	h, rail, today := paidByForgetful(t, 2)
	ctx := t.Context()
	payouts, err := h.store.Payouts(ctx, period, 1, []string{"rep0002"}, "", 1)
	require.NoError(t, err)
	reason, err := h.store.WriteText(ctx, "fin", "paid too much")
	require.NoError(t, err)
	require.NoError(t, h.store.ProposeRecall(ctx, "fin", payouts[0].ID, reason, usd(50), false))
	recall, err := h.store.DecidePayout(ctx, "fin2", payouts[0].ID, true, "")
	require.NoError(t, err)
	require.NoError(t, workflows.StartRecall(ctx, h.client, recall, stripe.Name))
	require.Eventually(t, func() bool {
		return h.count(`SELECT count(*) FROM payout_recall WHERE state = 'done' AND in_part`) == 1
	}, time.Minute, 20*time.Millisecond)
	r, _, lines := h.reconciled(stripe.Name, today)
	require.Empty(t, lines)
	require.Equal(t, 2, r.Agreed)

	for _, reversed := range []int64{0, 49, 51} {
		rail.says = func(l payments.Listed) (payments.Listed, bool) {
			if l.Reversed > 0 {
				l.Reversed = reversed
			}
			return l, true
		}
		_, _, lines = h.reconciled(stripe.Name, today)
		require.Equal(t, []string{"rep0002: state-differs, paid of 201 here, paid of 201 there"}, lines, "%d came back by the rail's list", reversed)
	}
}

// TestReconciliationWithoutAList looks each payment up where a rail lists none.
func TestReconciliationWithoutAList(t *testing.T) {
	t.Parallel()
	shop, err := rewards.Start("127.0.0.1:0", rewards.Options{Balance: "1000", Currency: "USD"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shop.Stop(context.Background())) })
	rail, err := xoxoday.New(xoxoday.Config{ClientID: "c", ClientSecret: "s", Currency: "USD", BaseURL: shop.URL, PerSecond: 1000})
	require.NoError(t, err)
	h := start(t, rail)
	h.company(2, rail.Name(), func(id string) map[string]string {
		return map[string]string{xoxoday.EmailDetail: id + "@example.com", xoxoday.ProductDetail: rewards.Experience}
	})
	today := h.day()
	h.release(2)
	h.await(period, incentive.Settling)
	r, totals, lines := h.reconciled(rail.Name(), today)
	require.Empty(t, lines)
	require.Equal(t, 2, r.Agreed)
	require.Len(t, totals, 1)
	require.Equal(t, []int{2, 0}, []int{totals[0].Ours, totals[0].Theirs}, "what it does not list it is not said to have")
}

// TestReconciliationOfFiles compares what a bank said with what stands, and names what it
// has been silent about for days.
func TestReconciliationOfFiles(t *testing.T) {
	t.Parallel()
	h, rail := startISO20022(t, 3)
	today := h.day()
	h.release(3)
	file := h.takesToTheBank(rail.Name())
	h.await(period, incentive.Settling)
	ctx := t.Context()
	payout := func(participant string) string {
		payouts, err := h.store.Payouts(ctx, period, 1, []string{participant}, "", 10)
		require.NoError(t, err)
		return endToEnd(payouts[0])
	}
	for _, text := range []string{fmt.Sprintf(report, file.MessageID, payout("rep0001"), payout("rep0002")), fmt.Sprintf(report, "ANOTHER", "INVOICE7", "INVOICE8")} {
		f, err := h.store.KeepStatusFile(ctx, store.StatusFile{Rail: rail.Name(), Name: "bank.xml", UploadedBy: "fin2"}, []byte(text))
		require.NoError(t, err)
		require.NoError(t, workflows.ApplyStatusFile(ctx, h.client, f.ID))
	}
	r, _, lines := h.reconciled(rail.Name(), today)
	require.Equal(t, []string{"nobody: missing-here, no payment of nothing here, paid of nothing there"}, lines, "what was refused to others is no payment")
	require.Equal(t, 2, r.Agreed)

	storetest.Exec(t, h.databaseURL, `UPDATE payout_attempt SET sent_at = sent_at - interval '5 days'`)
	storetest.Exec(t, h.databaseURL, `UPDATE payout SET state = 'submitted' WHERE participant_id = 'rep0001'`)
	_, _, lines = h.reconciled(rail.Name(), today)
	require.Equal(t, []string{
		"nobody: ledger-differs, no payment of 301 here, no payment of 402 there",
		"nobody: missing-here, no payment of nothing here, paid of nothing there",
		"rep0001: state-differs, submitted of 101 here, paid of nothing there",
		"rep0003: missing-there, submitted of 301 here, no payment of nothing there",
	}, lines)
}

// TestADifferenceIsExplained pays by Stripe what somebody also paid by hand: one of finance
// has the day compared and says why, an auditor reads it, and it stays said.
func TestADifferenceIsExplained(t *testing.T) {
	t.Parallel()
	const january = "m-2026-01"
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 10_000_00}, AnyAccount: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", BaseURL: bank.URL, PerSecond: 200})
	require.NoError(t, err)
	o, ctx := officeWith(t, rail), t.Context()
	o.flat()
	o.loadAs("admin", "participant", map[string]any{"participant_id": "aud", "effective_from": "1990-01-01", "name": "aud", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	require.NoError(t, o.store.Grant(ctx, "admin", "aud", []incentive.Role{incentive.Auditor}))
	today := o.day()
	_, err = o.store.SetDestination(ctx, "r1", store.Destination{ParticipantID: "r1", Rail: stripe.Name, Details: map[string]string{"account": "acct_r1"}, Masked: "acct_…"})
	require.NoError(t, err)
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toSettling(january)
	_, err = rail.Submit(ctx, payments.Instruction{Key: "by hand", Reference: "a forgotten invoice", Amount: usd(500), Destination: payments.Destination{"account": "acct_r1"}})
	require.NoError(t, err)

	compare := func(key string) client.Reconciliation {
		r, err := client.Read[client.Reconciliation](o.as("fin1").Reconcile(ctx, &client.ReconcileParams{IdempotencyKey: key}, client.ReconciliationRequest{Rail: stripe.Name, Day: today}))
		require.NoError(t, err)
		return r
	}
	key := client.NewKey()
	r := compare(key)
	require.Equal(t, []any{today, "fin1", 1, 1, 1}, []any{r.Day, r.RunBy, r.Agreed, r.Differences, r.Open})
	require.Equal(t, []string{"100.00", "105.00"}, []string{r.Totals[0].OurTotal.Amount(), r.Totals[0].TheirTotal.Amount()})
	require.Equal(t, r.Id, compare(key).Id, "once for a key")
	for name, wrong := range map[string]client.ReconciliationRequest{"tomorrow": {Rail: stripe.Name, Day: today.AddDays(1)}, "another rail": {Rail: "cash", Day: today}} {
		_, err := client.Read[client.Reconciliation](o.as("fin1").Reconcile(ctx, &client.ReconcileParams{IdempotencyKey: client.NewKey()}, wrong))
		require.Contains(t, []incentive.Code{incentive.CodeInvalid, payments.CodeRailUnknown}, incentive.ErrorCode(err), name)
	}

	explain := func(id int64, who, reason string) error {
		_, err := client.Read[client.Reconciliation](o.as(who).ExplainDifferences(ctx, id, &client.ExplainDifferencesParams{IdempotencyKey: client.NewKey()}, client.ExplanationRequest{Differences: []int{1}, Reason: reason}))
		return err
	}
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(explain(r.Id, "aud", "why not")))
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(explain(r.Id, "fin2", " ")))
	require.Equal(t, store.CodeReconciliationUnknown, incentive.ErrorCode(explain(r.Id+100, "fin2", "there is no such thing")))
	require.NoError(t, explain(r.Id, "fin2", "paid by hand on Stripe's own page"))
	again := compare(client.NewKey())
	require.NotEqual(t, r.Id, again.Id)
	require.Equal(t, []int{1, 0}, []int{again.Differences, again.Open}, "what is explained stays so")
	differences, err := client.Read[client.RailDifferences](o.as("aud").ListRailDifferences(ctx, again.Id, &client.ListRailDifferencesParams{}))
	require.NoError(t, err)
	require.Len(t, differences.Differences, 1)
	d := differences.Differences[0]
	require.Equal(t, []string{"missing-here", "a forgotten invoice", "paid", "5.00", "fin2", "paid by hand on Stripe's own page"}, []string{string(d.Kind), d.Reference, d.TheirState, d.TheirAmount.Amount(), d.Explanation.By, d.Explanation.Reason})
	open := true
	list, err := client.Read[client.Reconciliations](o.as("aud").ListReconciliations(ctx, &client.ListReconciliationsParams{Open: &open}))
	require.NoError(t, err)
	require.Empty(t, list.Reconciliations)
	_, _, err = o.store.VerifyAudit(ctx)
	require.NoError(t, err)
}

// TestARailThatIsNewIsComparedAtOnce makes a rail by the company's settings while everything runs: its queue is worked
// on and each of its days is compared, without a restart.
func TestARailThatIsNewIsComparedAtOnce(t *testing.T) {
	t.Parallel()
	var made atomic.Pointer[map[string]payments.Rail]
	made.Store(&map[string]payments.Rail{})
	rails, err := payments.NewRegistry(paymentfile.New("payment-file", "Test"))
	require.NoError(t, err)
	h := startWith(t, worker.Config{Rails: rails.Remade(func() map[string]payments.Rail { return *made.Load() })}, nil)
	ctx := t.Context()
	_, err = h.store.FirstAdministrator(ctx, "fin", "Test", "UTC", time.Hour)
	require.NoError(t, err)
	_, err = h.store.WriteText(ctx, "fin", "we pay in India now") // which no history may hold
	require.NoError(t, err)
	compared := func() bool {
		of, err := h.client.DescribeWorkflowExecution(ctx, activities.ReconciliationID("india"), "")
		return err == nil && of.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	require.False(t, compared())
	made.Store(&map[string]payments.Rail{"india": paymentfile.New("india", "Test")})
	require.NoError(t, h.store.SetFileSettings(ctx, "fin", store.FileSettings{Company: "TEST"}))
	require.Eventually(t, compared, 30*time.Second, 50*time.Millisecond)
	r, _, _ := h.reconciled("india", incentive.DateOf(time.Now()))
	require.Equal(t, "india", r.Rail)
}

package endtoend

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/temporal"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// fullTeam is how many reps the full period pays.
const fullTeam = 60

func member(n int) string { return fmt.Sprintf("r%02d", n) }

// fullOffice is an office that pays by Stripe, at twenty payouts a second, with a team whose
// nth rep earns n dollars in January, and whose manager has a manager.
func fullOffice(t *testing.T) (*office, *standin.Running) {
	t.Helper()
	bank, err := standin.Start("127.0.0.1:0", standin.Options{APIKey: "sk_test_x", Balances: map[string]int64{"usd": 1_000_000_00}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bank.Stop(context.Background())) })
	rail, err := stripe.New(stripe.Config{APIKey: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, BaseURL: bank.URL, PerSecond: 20})
	require.NoError(t, err)
	o := officeWith(t, rail)
	var people, deals, credits, assignments []map[string]any
	person := func(id string, manager any) {
		row := map[string]any{"participant_id": id, "effective_from": "2025-06-01", "name": "Name of " + id, "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}}
		if manager != nil {
			row["manager_id"] = manager
		}
		people = append(people, row)
	}
	person("chief", nil)
	person("boss", "chief")
	for n := 1; n <= fullTeam; n++ {
		id := member(n)
		person(id, "boss")
		deals = append(deals, map[string]any{"source": "crm", "transaction_id": id, "date": "2026-01-05", "amount": fmt.Sprint(n * 10), "currency": "USD", "attributes": map[string]string{}})
		credits = append(credits, map[string]any{"source": "crm", "transaction_id": id, "participant_id": id, "role": "owner", "share": "1"})
		assignments = append(assignments, map[string]any{"participant_id": id, "plan_id": "flat", "calendar_id": "m", "starts_on": "2026-01-01"})
	}
	o.loadAs("admin", "participant", people...)
	o.loadAs("admin", "period",
		map[string]any{"id": "m-2026-01", "calendar_id": "m", "code": "2026-01", "starts_on": "2026-01-01", "ends_on": "2026-01-31"},
		map[string]any{"id": "m-2026-02", "calendar_id": "m", "code": "2026-02", "starts_on": "2026-02-01", "ends_on": "2026-02-28"})
	o.loadAs("admin", "transaction", deals...)
	o.loadAs("admin", "credit", credits...)
	o.loadAs("admin", "assignment", assignments...)
	o.plan("language: 1\nplan: flat\nname: Flat\ncurrency: USD\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%}]\n")
	for _, id := range []string{"boss", "chief"} {
		require.NoError(t, o.store.Grant(t.Context(), "admin", id, []incentive.Role{incentive.Manager}))
	}
	for n := 1; n <= fullTeam; n++ {
		id := member(n)
		require.NoError(t, o.store.Grant(t.Context(), "admin", id, []incentive.Role{incentive.Rep}))
		require.NoError(t, bank.AddAccount("acct_"+id))
		_, err := client.Read[client.Destination](o.as(id).PutDestination(t.Context(), id, &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
			client.PutDestinationJSONRequestBody{Rail: stripe.Name, Details: map[string]string{"account": "acct_" + id}}))
		require.NoError(t, err)
	}
	return o, bank
}

// does sends an act of fin1's, with what it needs.
func (o *office) does(period string, act client.ActRequestAct, body client.ActOnPeriodJSONRequestBody) {
	o.t.Helper()
	body.Act = act
	_, err := client.Read[client.ActAnswer](o.as("fin1").ActOnPeriod(o.t.Context(), period, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, body))
	require.NoError(o.t, err)
}

// disputes has a rep dispute the commission of January.
func (o *office) disputes(id string) client.Dispute {
	o.t.Helper()
	plan, component := "flat", "commission"
	d, err := client.Read[client.Dispute](o.as(id).RaiseDispute(o.t.Context(), &client.RaiseDisputeParams{IdempotencyKey: client.NewKey()}, client.DisputeRequest{
		Period: "m-2026-01", Type: client.DisputeRequestTypeCalculation, Plan: &plan, Component: &component, Expected: usd(99900), Comment: "my secret comment"}))
	require.NoError(o.t, err)
	return d
}

// grants lets the manager accept a dispute with an amount, and finance approve that.
func (o *office) grants(d client.Dispute, minor int64) (adjustment string) {
	o.t.Helper()
	ctx, amount := o.t.Context(), usd(minor)
	_, err := o.answer("boss", d, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActAccept, Amount: &amount})
	require.NoError(o.t, err)
	list, err := client.Read[client.Adjustments](o.as("fin3").ListAdjustments(ctx, &client.ListAdjustmentsParams{Period: &d.Period}))
	require.NoError(o.t, err)
	for _, a := range list.Adjustments {
		if a.Dispute != nil && *a.Dispute == d.Id {
			adjustment = a.Id
		}
	}
	_, err = client.Read[client.Adjustment](o.as("fin3").DecideAdjustment(ctx, adjustment, &client.DecideAdjustmentParams{IdempotencyKey: client.NewKey()},
		client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionApproved}))
	require.NoError(o.t, err)
	return adjustment
}

// decides lets somebody decide in a queue, about everything or one statement.
func (o *office) decides(period, id, queue string, decision client.DecisionRequestDecision, one ...client.DecidedStatement) client.DecisionAnswer {
	o.t.Helper()
	body := client.DecideJSONRequestBody{Decision: decision, Queue: &queue}
	if decision != client.DecisionRequestDecisionApproved {
		reason := "a secret reason"
		body.Reason = &reason
	}
	if len(one) > 0 {
		body.Statements = &one
	}
	d, err := client.Read[client.DecisionAnswer](o.as(id).Decide(o.t.Context(), period, &client.DecideParams{IdempotencyKey: client.NewKey()}, body))
	require.NoError(o.t, err)
	return d
}

// releases lets fin2 release the payout list that waits.
func (o *office) releases(period string) client.PayoutList {
	o.t.Helper()
	list, err := client.Read[client.PayoutList](o.as("fin2").GetPayoutList(o.t.Context(), period, &client.GetPayoutListParams{}))
	require.NoError(o.t, err)
	_, err = client.Read[client.ActAnswer](o.as("fin2").ReleasePeriod(o.t.Context(), period, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest}))
	require.NoError(o.t, err)
	return list
}

// needs says how much of an item a period still needs.
func (o *office) needs(period string, item client.ChecklistItemItem) int {
	o.t.Helper()
	list, err := client.Read[client.Checklist](o.as("fin2").GetChecklist(o.t.Context(), period, &client.GetChecklistParams{}))
	require.NoError(o.t, err)
	for _, one := range list.Items {
		if one.Item == item && one.Count != nil {
			return *one.Count
		}
	}
	return 0
}

// TestFullPeriod is a period as people really run it: disputes of every outcome, a window
// that is extended, a withdrawal and a recalculation, an approver who is away, a rejected
// statement, a hold in mid-disbursement, a payout that fails and is sent again, a
// supplementary payout, a late dispute, and the period opened again for a difference.
func TestFullPeriod(t *testing.T) {
	t.Parallel()
	o, bank := fullOffice(t)
	ctx := t.Context()
	const january, february = "m-2026-01", "m-2026-02"
	whole := int64(fullTeam * (fullTeam + 1) / 2 * 100) // cents
	paid := func() (minor int64) {
		for _, group := range bank.Report() {
			for _, transfer := range group.Transfers {
				minor += transfer.Amount - transfer.AmountReversed
			}
		}
		return minor
	}

	// Disputes while the window is open, which is extended.
	o.calculate(january)
	require.NoError(t, o.act("fin1", january, client.ActRequestActPublish))
	accepted, rejected, open := o.disputes(member(1)), o.disputes(member(2)), o.disputes(member(3))
	days, reason := 3, "a secret reason"
	o.does(january, client.ActRequestActExtendWindow, client.ActOnPeriodJSONRequestBody{Days: &days, Reason: &reason})
	adjustment := o.grants(accepted, 1500)
	_, err := o.answer("boss", rejected, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActReject})
	require.NoError(t, err)

	// What was accepted is taken over, with a deal that was wrong; another one that changed is not.
	o.does(january, client.ActRequestActWithdraw, client.ActOnPeriodJSONRequestBody{Reason: &reason})
	o.correct(member(4), 50)
	o.correct(member(5), 1050)
	changes := []client.Change{{Kind: client.ChangeKindAdjustment, Id: adjustment}, {Kind: client.ChangeKindTransaction, Id: "crm/" + member(4)}}
	o.does(january, client.ActRequestActRecalculate, client.ActOnPeriodJSONRequestBody{Changes: &changes})
	o.await(january, incentive.Calculated)
	whole += 1500 + 100
	require.NoError(t, o.act("fin1", january, client.ActRequestActPublish))
	require.NoError(t, temporal.SkipTime(ctx, o.client, activities.PayPeriodID(january, 1), "", 15*24*time.Hour))
	o.await(january, incentive.Approving)

	// The manager is away; whoever stands in rejects a statement that is right.
	require.Equal(t, map[string]int{"boss": fullTeam}, o.waits(january))
	today := incentive.DateOf(time.Now())
	_, err = client.Read[client.Delegation](o.as("boss").Delegate(ctx, &client.DelegateParams{IdempotencyKey: client.NewKey()}, client.DelegationRequest{To: "chief", StartsOn: today.AddDays(-1), EndsOn: today.AddDays(1)}))
	require.NoError(t, err)
	of := "boss"
	list, err := client.Read[client.Approvals](o.as("chief").ListApprovals(ctx, january, &client.ListApprovalsParams{Queue: &of}))
	require.NoError(t, err)
	doubted := client.DecidedStatement{Person: list.Approvals[0].Person, Digest: list.Approvals[0].Digest}
	require.Equal(t, 1, o.decides(january, "chief", "boss", client.DecisionRequestDecisionRejected, doubted).Applied)
	require.Equal(t, fullTeam-1, o.decides(january, "chief", "boss", client.DecisionRequestDecisionApproved).Applied)
	require.Equal(t, 1, o.decides(january, "fin3", store.FinanceQueue, client.DecisionRequestDecisionResubmitted, doubted).Applied)
	require.Equal(t, 1, o.decides(january, "chief", "boss", client.DecisionRequestDecisionApproved).Applied)
	o.await(january, incentive.Approved)

	// Held while it pays, and one account that takes nothing.
	held := int64(300) // what the open dispute is about
	require.NoError(t, bank.Disable("acct_"+member(7)))
	o.releases(january)
	require.Eventually(t, func() bool { return len(bank.Report()) >= 10 }, time.Minute, 5*time.Millisecond)
	o.does(january, client.ActRequestActHold, client.ActOnPeriodJSONRequestBody{Reason: &reason})
	require.Less(t, o.count("SELECT count(*) FROM guerdon.payout_attempt"), fullTeam-1)
	o.does(january, client.ActRequestActResume, client.ActOnPeriodJSONRequestBody{})
	o.await(january, incentive.Settling)
	require.Equal(t, 1, o.needs(january, client.ChecklistItemItemExceptions))
	require.Equal(t, whole-held-700, paid())
	require.Equal(t, store.CodePayoutsOpen, incentive.ErrorCode(o.act("fin1", january, client.ActRequestActClose)))
	require.NoError(t, bank.Onboard("acct_"+member(7)))
	payouts, err := client.Read[client.Payouts](o.as("fin2").ListPayouts(ctx, january, &client.ListPayoutsParams{}))
	require.NoError(t, err)
	for _, payout := range payouts.Payouts {
		if payout.State == "failed" {
			require.Equal(t, member(7), payout.Person)
			_, err := client.Bytes(o.as("fin2").RetryPayout(ctx, payout.Id, &client.RetryPayoutParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: "a secret reason"}))
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return paid() == whole-held }, time.Minute, 20*time.Millisecond, "the failed payout is sent again")

	// The dispute that was open all along, and a supplementary payout of what it held and gives.
	o.grants(open, 250)
	require.Equal(t, 1, o.releases(january).Supplement)
	whole += 250
	require.Eventually(t, func() bool { return paid() == whole }, time.Minute, 20*time.Millisecond)
	o.await(january, incentive.Settling)
	require.Eventually(t, func() bool { return o.needs(january, client.ChecklistItemItemSettle) == 0 }, time.Minute, 20*time.Millisecond)
	require.NoError(t, o.act("fin1", january, client.ActRequestActClose))
	require.Equal(t, incentive.Money{Minor: -whole, Currency: "USD"}.Amount(), o.ledger(store.Cash))

	// Opened again for the deal that the recalculation left out; and a late dispute, which
	// the next month pays.
	late := o.disputes(member(8))
	require.True(t, late.Late)
	o.reopen(january)
	o.finish(january, fullTeam)
	whole += 10000 // the fifth rep has 105.00 instead of 5.00
	o.grants(late, 700)
	o.calculate(february)
	require.Equal(t, "7.00", o.results(february)[member(8)+"  Adjustment"])
	o.finish(february, fullTeam)
	require.Equal(t, whole+700, paid())
	require.Equal(t, incentive.Money{Minor: -whole - 700, Currency: "USD"}.Amount(), o.ledger(store.Cash))
	for _, kind := range []store.AccountKind{store.Payable, store.PayableHeld, store.Clearing} {
		require.Equal(t, "0.00", o.ledger(kind), "nothing is owed, held or on its way: %s", kind)
	}

	// All of it is proved, and its histories replay.
	for id, revision := range map[string]int{january: 2, february: 1} {
		for ; revision > 0; revision-- {
			_, err := activities.Verify(ctx, o.store, id, revision)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				replayed, err := worker.Replay(ctx, o.store, id, revision)
				return err == nil && replayed.Histories > 0 && len(replayed.CutShort) == 0 && len(replayed.Unarchived) == 0
			}, time.Minute, 100*time.Millisecond, "%s, revision %d, is archived and replays", id, revision)
		}
	}
	_, err = o.store.VerifyLedger(ctx)
	require.NoError(t, err)
	_, _, err = o.store.VerifyAudit(ctx)
	require.NoError(t, err)
	asked, err := client.Read[client.Verification](o.as("fin1").Verify(ctx, january, &client.VerifyParams{IdempotencyKey: client.NewKey()}, client.VerificationRequest{}))
	require.NoError(t, err)
	require.NoError(t, o.client.GetWorkflow(ctx, activities.VerificationID(asked.Id), "").Get(ctx, nil))
	proved, err := client.Read[client.Verification](o.as("fin1").GetVerification(ctx, asked.Id))
	require.NoError(t, err)
	require.True(t, proved.Proved)
	record(t, o.client, "full", activities.VerificationID(asked.Id), activities.PayPeriodID(january, 1), activities.ApprovalID(january, 1, "boss"), activities.DisburseID(january, 1, stripe.Name), activities.DisputeID(open.Id), activities.ArchiveID(january, 1))
}

// correct says what a rep's deal of January was really worth.
func (o *office) correct(id string, dollars int) {
	o.t.Helper()
	_, held, err := o.store.Load(o.t.Context(), store.Import{Kind: "transaction", FileName: "deals", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "admin"}, func(l *store.Loading) error {
		return l.Put(o.t.Context(), "transaction", []store.Row{{Key: id, Record: map[string]any{"source": "crm", "transaction_id": id, "date": "2026-01-05", "amount": fmt.Sprint(dollars), "currency": "USD", "attributes": map[string]string{}}}})
	})
	require.NoError(o.t, err)
	require.Empty(o.t, held)
}

// finish takes a calculated period to closed, without any of its people's doubts.
func (o *office) finish(period string, statements int) {
	o.t.Helper()
	o.sends(period, statements)
	o.await(period, incentive.Settling)
	require.Eventually(o.t, func() bool { return o.needs(period, client.ChecklistItemItemSettle) == 0 }, time.Minute, 20*time.Millisecond)
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActClose))
}

// sends takes a calculated period to its release.
func (o *office) sends(period string, statements int) {
	o.t.Helper()
	o.approves(period, statements)
	o.releases(period)
}

// approves publishes a period and has all its statements approved.
func (o *office) approves(period string, statements int) {
	o.t.Helper()
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActPublish))
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActEndWindow))
	require.Equal(o.t, statements, o.decides(period, "boss", "boss", client.DecisionRequestDecisionApproved).Applied)
	o.await(period, incentive.Approved)
}

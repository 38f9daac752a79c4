package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// uuid is another one each time.
func (b *books) uuid() string {
	b.acts++
	return fmt.Sprintf("00000000-0000-0000-0002-%012d", b.acts)
}

func today() incentive.Date { return incentive.DateOf(time.Now()) }

// disputed is what ann raises about the line of January's one deal, unless it is changed.
func (b *books) disputed(change func(*store.Dispute)) (store.Dispute, error) {
	b.Helper()
	comment, err := b.WriteText(b.Context(), "ann", "this is too little")
	require.NoError(b, err)
	d := store.Dispute{ID: b.uuid(), PeriodID: monthOf(1), ParticipantID: "ann", Type: incentive.WrongCalculation, Item: incentive.DisputedItem{PlanID: "flat", Component: "commission"},
		Expected: incentive.Money{Minor: 12000, Currency: "USD"}, CommentID: comment}
	if change != nil {
		change(&d)
	}
	return b.RaiseDispute(b.Context(), d, today())
}

func (b *books) raised() store.Dispute {
	b.Helper()
	d, err := b.disputed(nil)
	require.NoError(b, err)
	return d
}

// answer does an act on a dispute; a grant of minor units where it accepts.
func (b *books) answer(d store.Dispute, actor string, act incentive.DisputeAct, minor int64, partly bool) (store.Dispute, error) {
	b.Helper()
	text, err := b.WriteText(b.Context(), actor, "what is to be said")
	require.NoError(b, err)
	c := store.DisputeCommand{ID: d.ID, Act: act, Actor: actor, Key: b.uuid(), TextID: text}
	granted := store.DisputeAnswer{ID: b.uuid(), DisputeID: d.ID, By: actor, Partly: partly}
	switch act {
	case incentive.Grant:
		granted.Amount = incentive.Money{Minor: minor, Currency: "USD"}
	case incentive.AcceptByRecalculation:
		granted.Changes = []store.Change{{Kind: "transaction", ID: "crm/d1"}}
	default:
		return b.ActOnDispute(b.Context(), c)
	}
	require.NoError(b, b.KeepDisputeAnswer(b.Context(), granted))
	c.Answer = granted.ID
	return b.ActOnDispute(b.Context(), c)
}

// told are the kinds of what somebody was told of disputes.
func (b *books) told(id string) []string {
	b.Helper()
	all, err := b.Notifications(b.Context(), id, 0, 100)
	require.NoError(b, err)
	kinds := []string{}
	for _, n := range all {
		if !strings.HasPrefix(string(n.Kind), "dispute-") {
			continue
		}
		kinds = append(kinds, string(n.Kind))
	}
	return kinds
}

// openDisputes has January published with ann's deal of 1000.
func openDisputes(t *testing.T) *books {
	t.Helper()
	b := openBooks(t)
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	_, err := b.Publish(t.Context(), b.command(monthOf(1), incentive.Publish), time.Now())
	require.NoError(t, err)
	return b
}

func TestDisputesAreRefused(t *testing.T) {
	t.Parallel()
	b := openDisputes(t)
	for name, c := range map[string]struct {
		change func(*store.Dispute)
		code   incentive.Code
	}{
		"no comment":          {func(d *store.Dispute) { d.CommentID = "" }, store.CodeReasonMissing},
		"unknown type":        {func(d *store.Dispute) { d.Type = "mood" }, incentive.CodeInvalid},
		"unknown line":        {func(d *store.Dispute) { d.Item.Component = "bonus" }, incentive.CodeNotFound},
		"another's plan":      {func(d *store.Dispute) { d.Item.PlanID = "other" }, incentive.CodeNotFound},
		"not on the line":     {func(d *store.Dispute) { d.Item.Transaction = incentive.TransactionKey{Source: "crm", ID: "d2"} }, incentive.CodeNotFound},
		"another currency":    {func(d *store.Dispute) { d.Expected.Currency = "EUR" }, incentive.CodeInvalid},
		"no statement":        {func(d *store.Dispute) { d.ParticipantID = "bob" }, incentive.CodeNotFound},
		"not opened":          {func(d *store.Dispute) { d.PeriodID = monthOf(2) }, incentive.CodeNotFound},
		"missing from a line": {func(d *store.Dispute) { d.Type = incentive.MissingDeal }, incentive.CodeInvalid},
	} {
		_, err := b.disputed(c.change)
		require.Equal(t, c.code, incentive.ErrorCode(err), name)
	}
	d := b.raised()
	require.Equal(t, incentive.DisputeOpen, d.State)
	require.Equal(t, "boss", d.Handler)
	require.False(t, d.Late)
	require.Equal(t, []string{"dispute-raised"}, b.told("boss"))
	again, err := b.RaiseDispute(t.Context(), d, today())
	require.NoError(t, err)
	require.Equal(t, d, again)
	_, err = b.disputed(nil)
	require.Equal(t, store.CodeAlreadyDisputed, incentive.ErrorCode(err))
	_, err = b.disputed(func(d *store.Dispute) { d.Item.Transaction = incentive.TransactionKey{Source: "crm", ID: "d1"} })
	require.NoError(t, err, "a deal on the line is another matter")
	for range 2 {
		_, err = b.disputed(func(d *store.Dispute) { d.Type, d.Item = incentive.MissingDeal, incentive.DisputedItem{} })
		require.NoError(t, err)
	}

	refused := func(actor string, act incentive.DisputeAct) incentive.Code {
		_, err := b.answer(d, actor, act, 100, false)
		return incentive.ErrorCode(err)
	}
	require.Equal(t, store.CodeOwnPay, refused("ann", incentive.RejectDispute))
	require.Equal(t, incentive.CodeForbidden, refused("bob", incentive.RejectDispute), "a colleague")
	require.Equal(t, incentive.CodeForbidden, refused("boss", incentive.WithdrawDispute))
	require.Equal(t, incentive.CodeNotAllowedNow, refused("ann", incentive.Reply))
	_, err = b.ActOnDispute(t.Context(), store.DisputeCommand{ID: d.ID, Act: incentive.RejectDispute, Actor: "boss", Key: "x"})
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(err))
	_, err = b.ActOnDispute(t.Context(), store.DisputeCommand{ID: d.ID, Act: incentive.Grant, Actor: "boss", Key: "x", TextID: d.CommentID})
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err), "nothing is granted")
	for _, a := range []store.DisputeAnswer{{}, {Amount: incentive.Money{Minor: 1, Currency: "USD"}, Changes: []store.Change{{Kind: "plan", ID: "x"}}}, {Changes: []store.Change{{Kind: "plan", ID: "x"}, {Kind: "plan", ID: "x"}}}} {
		a.ID, a.DisputeID, a.By = b.uuid(), d.ID, "boss"
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(b.KeepDisputeAnswer(t.Context(), a)))
	}
	for id, scope := range map[string]incentive.Scope{"bob": incentive.Team, "fin": incentive.Own} {
		_, err := b.Dispute(t.Context(), id, scope, d.ID)
		require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), id)
		all, err := b.Disputes(t.Context(), id, scope, store.WhichDisputes{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, all)
	}
	for id, scope := range map[string]incentive.Scope{"ann": incentive.Own, "boss": incentive.Team, "fin": incentive.All} {
		all, err := b.Disputes(t.Context(), id, scope, store.WhichDisputes{PeriodID: monthOf(1), Open: true}, "", 10)
		require.NoError(t, err)
		require.Len(t, all, 4, id)
		require.True(t, slices.IsSortedFunc(all, func(a, b store.Dispute) int { return a.RaisedAt.Compare(b.RaisedAt) }), "the oldest first")
		for i := range all { // one by one the same
			after := ""
			if i > 0 {
				after = all[i-1].ID
			}
			one, err := b.Disputes(t.Context(), id, scope, store.WhichDisputes{ParticipantID: "ann"}, after, 1)
			require.NoError(t, err)
			require.Equal(t, all[i:i+1], one)
		}
	}
}

// TestDisputeWindow takes disputes in the window and, as late ones, for so many business
// days after it.
func TestDisputeWindow(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	_, err := b.disputed(nil)
	require.Equal(t, store.CodeWindowClosed, incentive.ErrorCode(err), "nothing is published")
	calculated, err := b.PeriodRevision(t.Context(), monthOf(1), 0)
	require.NoError(t, err)
	before, err := b.MayDispute(t.Context(), calculated, today())
	require.NoError(t, err)
	require.False(t, before)
	b.publish(monthOf(1))
	comment, err := b.WriteText(t.Context(), "ann", "late")
	require.NoError(t, err)
	may := func(today incentive.Date) bool {
		t.Helper()
		p, err := b.PeriodRevision(t.Context(), monthOf(1), 0)
		require.NoError(t, err)
		may, err := b.MayDispute(t.Context(), p, today)
		require.NoError(t, err)
		return may
	}
	require.True(t, may(today().AddDays(20)))
	require.False(t, may(today().AddDays(31)))
	late := store.Dispute{ID: b.uuid(), PeriodID: monthOf(1), ParticipantID: "ann", Type: incentive.MissingDeal, Expected: incentive.Money{Currency: "USD"}, CommentID: comment}
	_, err = b.RaiseDispute(t.Context(), late, today().AddDays(31))
	require.Equal(t, store.CodeWindowClosed, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "late disputes were taken until")
	d, err := b.RaiseDispute(t.Context(), late, today().AddDays(20))
	require.NoError(t, err)
	require.True(t, d.Late)
	_, err = b.PutPolicy(t.Context(), "fin", "monthly", "disputes: {late_days: 0}")
	require.NoError(t, err)
	late.ID = b.uuid()
	require.False(t, may(today()))
	_, err = b.RaiseDispute(t.Context(), late, today())
	require.Equal(t, store.CodeWindowClosed, incentive.ErrorCode(err))
}

// TestDisputesAreAnswered follows disputes to their outcomes.
func TestDisputesAreAnswered(t *testing.T) {
	t.Parallel()
	b := openDisputes(t)
	act := func(d store.Dispute, actor string, act incentive.DisputeAct, partly bool) store.Dispute {
		t.Helper()
		next, err := b.answer(d, actor, act, 1500, partly)
		require.NoError(t, err)
		return next
	}
	// waits holds whom the one dispute under way waits for against who is meant.
	waits := func(meant ...string) {
		t.Helper()
		found := []string{}
		for _, one := range []struct {
			id    string
			scope incentive.Scope
		}{{"ann", incentive.Own}, {"boss", incentive.Team}, {"fin", incentive.All}, {"fin2", incentive.All}, {"bob", incentive.All}} {
			all, err := b.Disputes(t.Context(), one.id, one.scope, store.WhichDisputes{Waiting: true, ParticipantID: "ann", PeriodID: monthOf(1)}, "", 10)
			require.NoError(t, err)
			if len(all) > 0 {
				found = append(found, one.id)
			}
		}
		require.ElementsMatch(t, meant, found)
	}
	d := b.raised()
	waits("boss")
	require.Equal(t, incentive.DisputeWaiting, act(d, "boss", incentive.AskBack, false).State)
	waits("ann")
	require.Equal(t, []string{"dispute-ask"}, b.told("ann"))
	require.Equal(t, incentive.DisputeOpen, act(d, "ann", incentive.Reply, false).State)
	waits("boss")
	d = act(d, "boss", incentive.Grant, true)
	require.Equal(t, incentive.DisputeGranted, d.State)
	waits("fin", "fin2")
	require.Contains(t, b.told("fin"), "dispute-accept")

	waiting, err := b.Adjustments(t.Context(), store.WhichAdjustments{PeriodID: monthOf(1)}, "", 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	require.Equal(t, d.ID, waiting[0].DisputeID)
	require.Equal(t, incentive.OfDispute, waiting[0].Type)
	_, err = b.DecideAdjustment(t.Context(), "fin", waiting[0].ID, "rejected", waiting[0].ReasonID)
	require.NoError(t, err)
	d, err = b.Dispute(t.Context(), "ann", incentive.Own, d.ID)
	require.NoError(t, err)
	require.Equal(t, incentive.DisputeOpen, d.State, "another answer is due")
	require.False(t, d.Partly)
	waits("boss")
	d = act(d, "fin", incentive.Grant, true)
	waits("fin2")
	all, err := b.Adjustments(t.Context(), store.WhichAdjustments{PeriodID: monthOf(1)}, waiting[0].ID, 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, err = b.DecideAdjustment(t.Context(), "fin2", all[0].ID, "approved", "")
	require.NoError(t, err)
	d, err = b.Dispute(t.Context(), "ann", incentive.Own, d.ID)
	require.NoError(t, err)
	require.Equal(t, incentive.DisputePartlyAccepted, d.State)
	acts, err := b.DisputeActs(t.Context(), d.ID)
	require.NoError(t, err)
	done := []incentive.DisputeAct{}
	for _, a := range acts {
		done = append(done, a.Act)
	}
	require.Equal(t, []incentive.DisputeAct{incentive.AskBack, incentive.Reply, incentive.Grant, incentive.RefuseGrant, incentive.Grant, incentive.ApproveGrant}, done)
	require.Equal(t, "what is to be said", acts[0].Text)
	granted, err := b.AdjustmentsOf(t.Context(), d.ID)
	require.NoError(t, err)
	require.Len(t, granted, 2)
	require.Equal(t, []string{"boss rejected", "fin approved"}, []string{granted[0].EnteredBy + " " + granted[0].Decision, granted[1].EnteredBy + " " + granted[1].Decision})
	waits()

	require.Equal(t, incentive.DisputeRejected, act(b.raised(), "fin", incentive.RejectDispute, false).State)
	require.Equal(t, incentive.DisputeWithdrawn, act(b.raised(), "ann", incentive.WithdrawDispute, false).State)
	require.Equal(t, incentive.DisputeAccepted, act(b.raised(), "fin", incentive.AcceptByRecalculation, false).State)
	last := act(b.raised(), "boss", incentive.AcceptByRecalculation, true)
	require.Equal(t, incentive.DisputePartlyAccepted, last.State)
	text := b.reason()
	command := store.DisputeCommand{ID: last.ID, Act: incentive.RejectDispute, Actor: "boss", Key: "again", TextID: text}
	_, err = b.ActOnDispute(t.Context(), command)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err), "it has its outcome")

	_, _, err = b.StartApproving(t.Context(), b.command(monthOf(1), incentive.EndWindow))
	require.NoError(t, err)
	set := store.DecisionSet{ID: b.uuid(), PeriodID: monthOf(1), Revision: 1, Queue: "boss", Decision: "approved", DecidedBy: "boss"}
	require.NoError(t, b.KeepDecisionSet(t.Context(), set))
	_, err = b.ApplyDecisions(t.Context(), set.ID)
	require.NoError(t, err, "who has answered a dispute still approves the team")
	_, _, err = b.VerifyAudit(t.Context())
	require.NoError(t, err)
}

func TestNudges(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	b.put("participant", participant("top", ""))
	b.put("participant", map[string]any{"participant_id": "boss", "effective_from": "2026-01-01", "name": "Boss", "email": "", "kind": "employee", "country": "ID", "pay_currency": "USD", "manager_id": "top", "attributes": map[string]string{}})
	b.deal("d1", "2026-01-10", "1000")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	_, err := b.Publish(t.Context(), b.command(monthOf(1), incentive.Publish), time.Now())
	require.NoError(t, err)
	d := b.raised()
	nudge := func(escalate bool) {
		t.Helper()
		seen := d
		for range 2 { // the second time nothing happens
			d, err = b.Nudge(t.Context(), d.ID, seen.Since, seen.Reminders, escalate)
			require.NoError(t, err)
		}
	}
	nudge(false)
	require.Equal(t, 1, d.Reminders)
	require.Equal(t, []string{"dispute-raised", "dispute-reminder"}, b.told("boss"))
	nudge(true)
	require.Equal(t, "top", d.Handler)
	require.Zero(t, d.Reminders)
	require.Equal(t, []string{"dispute-escalate"}, b.told("top"))
	nudge(true)
	require.Empty(t, d.Handler, "nobody is above: finance")
	nudge(true)
	require.Equal(t, []string{"dispute-escalate", "dispute-reminder"}, b.told("fin2"), "nobody is above finance: a reminder")
	d, err = b.answer(d, "fin", incentive.AskBack, 0, false)
	require.NoError(t, err)
	nudge(true)
	require.Equal(t, []string{"dispute-ask", "dispute-reminder"}, b.told("ann"))
	d, err = b.answer(d, "ann", incentive.WithdrawDispute, 0, false)
	require.NoError(t, err)
	nudge(false)
	require.Zero(t, d.Reminders)
}

func TestEvidenceOfDisputes(t *testing.T) {
	t.Parallel()
	b := openDisputes(t)
	d := b.raised()
	file := store.Evidence{ID: b.uuid(), DisputeID: d.ID, Name: "contract.pdf", Content: []byte("%PDF-1.7"), AddedBy: "ann"}
	for range 2 {
		e, err := b.AddEvidence(t.Context(), file)
		require.NoError(t, err)
		require.Equal(t, "application/pdf", e.MediaType)
		require.Equal(t, file.Content, e.Content)
	}
	wrong := file
	wrong.ID, wrong.Name = b.uuid(), "contract.png"
	_, err := b.AddEvidence(t.Context(), wrong)
	require.Equal(t, incentive.CodeEvidenceRefused, incentive.ErrorCode(err))
	for range 19 {
		file.ID = b.uuid()
		_, err := b.AddEvidence(t.Context(), file)
		require.NoError(t, err)
	}
	file.ID = b.uuid()
	_, err = b.AddEvidence(t.Context(), file)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(err), "there are 20")
	all, err := b.EvidenceOf(t.Context(), d.ID)
	require.NoError(t, err)
	require.Len(t, all, 20)
	require.Equal(t, 8, all[0].Bytes)
	_, err = b.Evidence(t.Context(), d.ID, "another")
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
	_, err = b.answer(d, "ann", incentive.WithdrawDispute, 0, false)
	require.NoError(t, err)
	file.ID = b.uuid()
	_, err = b.AddEvidence(t.Context(), file)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
}

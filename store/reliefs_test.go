package store_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// relievable has ann's bonus measured against a quota, of which January is 3100, with a deal in it, and the month open.
func relievable(t *testing.T) *books {
	t.Helper()
	b := openBooks(t)
	b.plan("flat", "components: [{name: Bonus, measure: {sum: credits}, curve: {on: attainment, quota: sales, of: 1000, points: [{at: 0, pays: 0}, {at: 10, pays: 10}]}}]")
	b.put("quota", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "36500"})
	b.deal("d1", "2026-01-10", "1550")
	b.open(monthOf(1))
	return b
}

// TestReliefs follows a relief from the estimate over a lock and a recalculation that takes a
// revision of it over to the correction of a closed period.
func TestReliefs(t *testing.T) {
	t.Parallel()
	b, january := relievable(t), monthOf(1)
	relieve := func(from, to, part, of string) {
		t.Helper()
		b.put("quota_relief", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": from, "ends_on": to, "cause": "leave", part: of})
	}
	require.Equal(t, "500.00, booked 500.00", b.estimate(january), "1550 of 3100")
	relieve("2026-01-01", "2026-01-31", "share", "0.5")
	require.Equal(t, "1000.00, booked 1000.00", b.estimate(january), "a relief touches the estimate")
	relieve("2026-02-01", "2026-02-28", "share", "1")
	relieve("2026-01-10", "2026-01-20", "amount", "775")
	relieve("2026-01-10", "2026-01-20", "amount", "0")
	require.Equal(t, "1000.00, booked 1000.00", b.estimate(january), "another month's, and one that is taken back")
	require.Equal(t, 1, load(t, b.Store, "quota_relief", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "cause": "leave", "share": "0.5"}).Unchanged)
	require.Equal(t, 1, load(t, b.Store, "quota_relief", map[string]any{"participant_id": "nobody", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "cause": "leave", "share": "0.5"}).Quarantined)

	b.calculate(january)
	require.Equal(t, "1000.00", b.total(january))
	relieve("2026-01-01", "2026-01-31", "amount", "620")
	changes, err := b.PendingChanges(t.Context(), january, 1, store.Change{}, 10)
	require.NoError(t, err)
	require.Equal(t, []store.Change{{Kind: "quota", ID: "ann", What: "changed"}}, changes)
	b.amend(january, store.Change{Kind: "quota", ID: "ann"})
	require.Equal(t, "625.00", b.total(january), "1550 of 2480")
	b.proved(january)

	all, err := b.Reliefs(t.Context(), store.ReliefsOf{Person: "ann"}, nil, 1)
	require.NoError(t, err)
	require.Equal(t, "2026-02-01", all[0].StartsOn.String())
	last := all[0]
	all, err = b.Reliefs(t.Context(), store.ReliefsOf{}, &store.ReliefKey{StartsOn: last.StartsOn, Person: last.ParticipantID, Measure: last.Measure, Cause: string(last.Cause)}, 10)
	require.NoError(t, err)
	require.Len(t, all, 1, "what is taken back is none")
	require.Equal(t, 2, all[0].Version)
	require.Equal(t, "620", all[0].Amount.String())
	all, err = b.Reliefs(t.Context(), store.ReliefsOf{Search: "ann", Measure: "sales", On: incentive.MustParseDate("2026-02-10")}, nil, 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	h, err := b.ParticipantHistory(t.Context(), "ann")
	require.NoError(t, err)
	require.Len(t, h.Reliefs, 2)

	b.approve(january)
	b.pay(january)
	b.shut(january)
	relieve("2026-01-01", "2026-01-31", "amount", "1550")
	b.deal("d2", "2026-02-10", "100")
	b.open(monthOf(2))
	b.calculate(monthOf(2))
	require.Equal(t, []string{"Bonus 0.00", "Bonus of monthly-2026-01 375.00"}, b.lines(monthOf(2), "ann"), "of February nothing is left, and January is corrected: 1550 of 1550")
	b.proved(monthOf(2))
}

// TestProposedReliefs count once finance has granted them, by somebody who neither proposed
// them nor is relieved.
func TestProposedReliefs(t *testing.T) {
	t.Parallel()
	b, january := relievable(t), monthOf(1)
	reason, err := b.WriteText(t.Context(), "boss", "parental leave")
	require.NoError(t, err)
	share := func(text string) *decimal.Decimal { d := decimal.RequireFromString(text); return &d }
	proposal := func(by, who string, share *decimal.Decimal) store.ReliefProposal {
		return store.ReliefProposal{ID: uuid.NewString(), ProposedBy: by, ReasonID: reason,
			Relief: incentive.Relief{ParticipantID: who, Measure: "sales", StartsOn: incentive.MustParseDate("2026-01-01"), EndsOn: incentive.MustParseDate("2026-01-31"), Cause: incentive.ReliefLeave, Share: share}}
	}
	refused := func(code incentive.Code, err error) {
		t.Helper()
		require.Equal(t, code, incentive.ErrorCode(err), err)
	}
	_, err = b.ProposeRelief(t.Context(), proposal("ann", "ann", share("0.5")))
	refused(store.CodeOwnPay, err)
	_, err = b.ProposeRelief(t.Context(), proposal("boss", "ghost", share("0.5")))
	refused(store.CodeUnknownParticipant, err)
	without := proposal("boss", "ann", share("0.5"))
	without.ReasonID = ""
	_, err = b.ProposeRelief(t.Context(), without)
	refused(store.CodeReasonMissing, err)
	p := proposal("boss", "ann", share("0.5"))
	first, err := b.ProposeRelief(t.Context(), p)
	require.NoError(t, err)
	again, err := b.ProposeRelief(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, store.ReliefWaiting, first.State)
	require.Equal(t, "parental leave", first.Reason)
	_, err = b.ProposeRelief(t.Context(), proposal("boss", "ann", share("0.7")))
	refused(incentive.CodeConflict, err)
	require.Equal(t, "500.00, booked 500.00", b.estimate(january), "nothing counts before it is granted")
	told, err := b.Notices(t.Context(), "fin", 0, 5)
	require.NoError(t, err)
	require.Equal(t, "A relief of a quota of Name of ann was proposed, and waits for finance.", told[0].Sentence(language.English))
	require.Equal(t, "/reliefs", told[0].Path())

	// Finance is reminded every second business day while it waits.
	today, err := b.Today(t.Context(), first.ProposedAt)
	require.NoError(t, err)
	for after, want := range []int{0, 0, 1, 1, 2} {
		day := incentive.AddBusinessDays(today, after, nil)
		require.NoError(t, b.RemindOfReliefs(t.Context(), day))
		require.NoError(t, b.RemindOfReliefs(t.Context(), day), "once a day")
		require.Equal(t, want, b.timesTold("fin", notice.ReliefReminder), "%d business days after", after)
	}
	require.Zero(t, b.timesTold("ann", notice.QuotaRelieved), "a proposal alone tells nobody of a relief")

	end := func(who string, of store.ReliefProposal, outcome store.ReliefState, reason string) error {
		_, err := b.EndReliefProposal(t.Context(), who, of.ID, outcome, reason)
		return err
	}
	refused(store.CodeOwnPay, end("ann", first, store.ReliefGranted, ""))
	refused(store.CodePreparer, end("boss", first, store.ReliefGranted, ""))
	refused(incentive.CodeForbidden, end("fin", first, store.ReliefWithdrawn, ""))
	refused(store.CodeReasonMissing, end("fin", first, store.ReliefRefused, ""))
	require.NoError(t, end("fin", first, store.ReliefGranted, ""))
	require.NoError(t, end("fin", first, store.ReliefGranted, ""), "the same again")
	refused(incentive.CodeConflict, end("fin", first, store.ReliefRefused, reason))
	require.Equal(t, "1000.00, booked 1000.00", b.estimate(january), "1550 of 1550")
	told, err = b.Notices(t.Context(), "boss", 0, 5)
	require.NoError(t, err)
	require.Equal(t, "The relief that you proposed for Name of ann has been granted.", told[0].Sentence(language.English))
	require.Equal(t, 1, b.timesTold("ann", notice.QuotaRelieved), "whom it relieves is told")
	require.NoError(t, b.RemindOfReliefs(t.Context(), incentive.AddBusinessDays(today, 6, nil)))
	require.Equal(t, 2, b.timesTold("fin", notice.ReliefReminder), "nothing waits any more")

	// A revision of what has changed meanwhile is not granted; it is refused, and the next is withdrawn.
	second, err := b.ProposeRelief(t.Context(), proposal("boss", "ann", share("0")))
	require.NoError(t, err)
	require.Equal(t, 1, second.Version)
	b.put("quota_relief", map[string]any{"participant_id": "ann", "measure": "sales", "starts_on": "2026-01-01", "ends_on": "2026-01-31", "cause": "leave", "share": "0.6"})
	require.Equal(t, 2, b.timesTold("ann", notice.QuotaRelieved), "of one that was entered or imported too")
	refused(incentive.CodeConflict, end("fin", second, store.ReliefGranted, ""))
	require.NoError(t, end("fin", second, store.ReliefRefused, reason))
	third, err := b.ProposeRelief(t.Context(), proposal("boss", "ann", share("0.9")))
	require.NoError(t, err)
	require.NoError(t, end("boss", third, store.ReliefWithdrawn, ""))
	all, err := b.ReliefProposals(t.Context(), store.WhichReliefs{Visible: []string{}, Reader: "boss"}, "", 2)
	require.NoError(t, err)
	require.Equal(t, []store.ReliefState{store.ReliefWithdrawn, store.ReliefRefused}, []store.ReliefState{all[0].State, all[1].State})
	require.Equal(t, "parental leave", all[1].Answer)
	all, err = b.ReliefProposals(t.Context(), store.WhichReliefs{Person: "ann", State: store.ReliefGranted}, all[1].ID, 2)
	require.NoError(t, err)
	require.Len(t, all, 1)
	all, err = b.ReliefProposals(t.Context(), store.WhichReliefs{Visible: []string{"boss"}, Reader: "fin"}, "", 2)
	require.NoError(t, err)
	require.Empty(t, all)
	b.calculate(january)
	require.Equal(t, "1250.00", b.total(january), "1550 of 1240")
	b.proved(january)
}

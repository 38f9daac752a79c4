package store_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/store"
)

// enters has ann enter a deal of her own.
func (b *books) enters(date, amount string, change ...func(*store.EnteredDeal)) (store.EnteredDeal, error) {
	b.Helper()
	d := store.EnteredDeal{ID: b.uuid(), ParticipantID: "ann", Date: incentive.MustParseDate(date), Amount: decimal.RequireFromString(amount), Currency: "USD",
		Attributes: map[string]string{"product": "platform", "customer": "Acme"}}
	for _, do := range change {
		do(&d)
	}
	return b.EnterDeal(b.Context(), d, incentive.DateOf(noon))
}

func (b *books) entered(date, amount string) store.EnteredDeal {
	b.Helper()
	d, err := b.enters(date, amount)
	require.NoError(b, err)
	return d
}

// about decides about deals in the version that is given.
func (b *books) about(actor string, scope incentive.Scope, decision store.DealState, deals ...store.EnteredDeal) error {
	b.Helper()
	var versions []store.DealVersion
	for _, d := range deals {
		versions = append(versions, store.DealVersion{ID: d.ID, Version: d.Version})
	}
	reason := ""
	if decision == store.DealRejected {
		reason = b.reason()
	}
	_, err := b.DecideDeals(b.Context(), actor, scope, decision, reason, versions)
	return err
}

func (b *books) waitingDeals(reader string, scope incentive.Scope) int {
	b.Helper()
	all, err := b.EnteredDeals(b.Context(), reader, scope, store.WhichDeals{Waiting: true}, "", 100)
	require.NoError(b, err)
	return len(all)
}

// timesTold counts what of a kind somebody was told.
func (b *books) timesTold(who string, kind notice.Kind) (n int) {
	b.Helper()
	all, err := b.Notices(b.Context(), who, 0, 100)
	require.NoError(b, err)
	for _, one := range all {
		if one.Kind == kind {
			n++
		}
	}
	return n
}

// TestEnteredDealsCountOnceApproved follows deals from their rep to a statement.
func TestEnteredDealsCountOnceApproved(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january, today := monthOf(1), incentive.DateOf(noon)
	b.open(january)
	for _, refused := range []func(*store.EnteredDeal){
		func(d *store.EnteredDeal) { d.Date = today.AddDays(1) },
		func(d *store.EnteredDeal) { d.Amount = decimal.Zero },
		func(d *store.EnteredDeal) { d.Attributes = map[string]string{"approved_by": "boss"} },
		func(d *store.EnteredDeal) { d.Attributes = map[string]string{"Product name": "x"} },
		func(d *store.EnteredDeal) { d.Attributes = map[string]string{"product": "two\nlines"} },
	} {
		_, err := b.enters("2026-01-10", "1000", refused)
		require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	}

	first, second := b.entered("2026-01-10", "1000"), b.entered("2026-01-12", "500")
	require.Equal(t, "boss", first.Approver)
	require.Equal(t, "0.00, booked 0.00", b.estimate(january), "nothing counts before it is approved")
	pending, err := b.PendingDeals(t.Context(), b.revision(january), "ann", today)
	require.NoError(t, err)
	require.Len(t, pending.Deals, 2)
	require.Equal(t, []string{"0.00", "150.00"}, []string{pending.Now.Total.Amount(), pending.IfApproved.Total.Amount()})
	require.Equal(t, []int{2, 0, 0, 0}, []int{b.waitingDeals("boss", incentive.Team), b.waitingDeals("fin", incentive.All), b.waitingDeals("ann", incentive.Own), b.waitingDeals("bob", incentive.Own)})

	// It may be corrected while it waits, and who decides sees what they decide about.
	corrected := first
	corrected.Amount = decimal.NewFromInt(2000)
	corrected, err = b.CorrectDeal(t.Context(), corrected, today)
	require.NoError(t, err)
	require.Equal(t, 2, corrected.Version)
	require.Equal(t, incentive.CodeConflict, incentive.ErrorCode(b.about("boss", incentive.Team, store.DealApproved, second, first)), "the second has changed")
	require.Equal(t, "0.00, booked 0.00", b.estimate(january), "all or none")

	require.Equal(t, store.CodeOwnPay, incentive.ErrorCode(b.about("ann", incentive.Own, store.DealApproved, second)))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(b.about("bob", incentive.Team, store.DealApproved, second)), "no manager of hers")
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(b.about("fin", incentive.All, store.DealApproved, second)), "there is a manager")
	_, err = b.DecideDeals(t.Context(), "boss", incentive.Team, store.DealRejected, "", []store.DealVersion{{ID: second.ID, Version: 1}})
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(err))

	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, corrected, second))
	require.Equal(t, "250.00, booked 250.00", b.estimate(january))
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(b.about("boss", incentive.Team, store.DealApproved, second)), "once")
	_, err = b.WithdrawDeal(t.Context(), "ann", second.ID, 1)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))

	third, fourth := b.entered("2026-01-15", "10"), b.entered("2026-01-15", "20")
	require.NoError(t, b.about("boss", incentive.Team, store.DealRejected, third))
	_, err = b.WithdrawDeal(t.Context(), "ann", fourth.ID, fourth.Version)
	require.NoError(t, err)
	_, err = b.CorrectDeal(t.Context(), third, today)
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(err))
	require.Equal(t, "250.00, booked 250.00", b.estimate(january))

	b.calculate(january)
	require.Equal(t, "250.00", b.total(january), "what is calculated is what was estimated")
	snapshot, _, err := b.Snapshot(t.Context(), *b.revision(january).SnapshotID)
	require.NoError(t, err)
	require.Len(t, snapshot.Transactions, 2)
	require.Equal(t, map[string]string{"product": "platform", "customer": "Acme", "entered_by": "ann", "approved_by": "boss"}, snapshot.Transactions[0].Attributes)
}

// TestLateEnteredDeals are corrections of a closed period, as any transaction is that comes late.
func TestLateEnteredDeals(t *testing.T) {
	t.Parallel()
	b := paidJanuary(t)
	d := b.entered("2026-01-18", "100")
	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, d))
	b.open(monthOf(2))
	require.Equal(t, []string{"monthly-2026-01 transaction:entered/" + d.ID + " new"}, b.late(monthOf(2)))
	b.calculate(monthOf(2))
	require.Contains(t, b.lines(monthOf(2), "ann"), "commission of monthly-2026-01 10.00")
}

// TestWhoDecidesAboutEnteredDeals: the manager of the deal's day, whoever they have delegated
// to, and finance where there is no manager.
func TestWhoDecidesAboutEnteredDeals(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	d := b.entered("2026-01-10", "1000")
	require.NoError(t, b.Grant(t.Context(), "fin", "bob", []incentive.Role{incentive.Manager}))
	from, err := b.Today(t.Context(), time.Now())
	require.NoError(t, err)
	_, err = b.Delegate(t.Context(), store.Delegation{ID: b.uuid(), From: "boss", To: "bob", StartsOn: from, EndsOn: from.AddDays(1), MadeBy: "boss"})
	require.NoError(t, err)
	require.Equal(t, 1, b.waitingDeals("bob", incentive.Team))
	require.NoError(t, b.about("bob", incentive.Team, store.DealApproved, d))
	decided, err := b.EnteredDeal(t.Context(), "ann", incentive.Own, d.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"bob", "boss"}, []string{decided.DecidedBy, decided.OnBehalfOf})

	top, err := b.enters("2026-01-10", "70", func(d *store.EnteredDeal) { d.ParticipantID = "boss" })
	require.NoError(t, err)
	require.Empty(t, top.Approver)
	require.Equal(t, store.CodeOwnPay, incentive.ErrorCode(b.about("boss", incentive.Team, store.DealApproved, top)))
	require.NoError(t, b.about("fin", incentive.All, store.DealApproved, top), "nobody is above")

	left := participant("boss", "")
	left["employed_until"] = "2026-01-05"
	b.put("participant", left)
	other := b.entered("2026-01-11", "30")
	require.Empty(t, other.Approver, "who has left decides nothing")
	require.NoError(t, b.about("fin", incentive.All, store.DealRejected, other))
}

// TestRulesCreditEnteredDeals as they do any transaction that its source credits nobody with.
func TestRulesCreditEnteredDeals(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	january := monthOf(1)
	b.plan("flat", `reads: {transaction: {region: text}, participant: {region: text}}
credits: [{match: {transaction.region: participant.region}}]
components: [{name: commission, measure: {sum: credits}, rate: 10%}]`)
	bob := participant("bob", "boss")
	bob["attributes"] = map[string]string{"region": "west"}
	b.put("participant", bob)
	b.assign("bob", "flat", "2026-01-01")
	b.open(january)
	west, err := b.enters("2026-01-10", "1000", func(d *store.EnteredDeal) { d.Attributes = map[string]string{"region": "west"} })
	require.NoError(t, err)
	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, west, b.entered("2026-01-11", "500")))
	b.calculate(january)
	require.Equal(t, []string{"commission 50.00"}, b.lines(january, "ann"), "no rule takes it")
	require.Equal(t, []string{"commission 100.00"}, b.lines(january, "bob"))
}

// TestFilesOfEnteredDeals are kept as those of disputes, while the deal waits.
func TestFilesOfEnteredDeals(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	d := b.entered("2026-01-10", "1000")
	add := func(by, name string) error {
		_, err := b.AddEvidence(t.Context(), store.Evidence{ID: b.uuid(), DealID: d.ID, Name: name, Content: []byte("the order"), AddedBy: by})
		return err
	}
	require.NoError(t, add("ann", "order.txt"))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(add("bob", "order.txt")))
	require.Equal(t, incentive.CodeEvidenceRefused, incentive.ErrorCode(add("ann", "order.exe")))
	files, err := b.EvidenceOf(t.Context(), d.ID)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, d))
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(add("ann", "more.txt")))
}

// TestDealReminders reminds whoever decides every second business day, until they do.
func TestDealReminders(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	d := b.entered("2026-01-20", "100")
	today, err := b.Today(t.Context(), d.CorrectedAt)
	require.NoError(t, err)
	for after, want := range []int{0, 0, 1, 1, 2, 2, 3} {
		day := incentive.AddBusinessDays(today, after, nil)
		require.NoError(t, b.RemindOfDeals(t.Context(), day))
		require.NoError(t, b.RemindOfDeals(t.Context(), day), "once a day")
		require.Equal(t, want, b.timesTold("boss", notice.DealReminder), "%d business days after", after)
	}
	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, d))
	require.NoError(t, b.RemindOfDeals(t.Context(), incentive.AddBusinessDays(today, 8, nil)))
	require.Equal(t, 3, b.timesTold("boss", notice.DealReminder))
}

// TestEnteredDealsAreEvidence: a period's pack has each deal of its days with what was decided about it.
func TestEnteredDealsAreEvidence(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	approved, rejected := b.entered("2026-01-10", "1000"), b.entered("2026-01-20", "20.50")
	b.entered("2025-12-31", "7")
	require.NoError(t, b.about("boss", incentive.Team, store.DealApproved, approved))
	require.NoError(t, b.about("boss", incentive.Team, store.DealRejected, rejected))
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	var deals string
	err := b.EvidenceTables(t.Context(), b.revision(monthOf(1)), func(name string, write func(io.Writer) error) error {
		var content strings.Builder
		err := write(&content)
		if name == "entered-deals.csv" {
			deals = content.String()
		}
		return err
	})
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(deals), "\n")
	require.Len(t, rows, 3, "a header, and the deals of January")
	require.Contains(t, rows[1], approved.ID+",ann,1,2026-01-10,1000,USD,")
	require.Contains(t, rows[1], ",approved,boss,,")
	require.Contains(t, rows[2], rejected.ID+",ann,1,2026-01-20,20.5,USD,")
	require.Contains(t, rows[2], ",rejected,boss,,")
}

package notice

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// TestDue is when a message with what is told now is sent.
func TestDue(t *testing.T) {
	t.Parallel()
	jakarta := time.FixedZone("WIB", 7*60*60)
	at := func(text string) time.Time {
		moment, err := time.ParseInLocation("2006-01-02 15:04", text, jakarta)
		require.NoError(t, err)
		return moment
	}
	sent := []time.Time{at("2026-11-23 13:50"), at("2026-11-23 13:40"), at("2026-11-23 13:45"), at("2026-11-23 13:55"), at("2026-11-23 13:58")}
	for name, c := range map[string]struct {
		timing Timing
		now    string
		sent   []time.Time
		want   string
	}{
		"at once, with what comes along":       {AtOnce, "2026-11-23 14:00", nil, "2026-11-23 14:01"},
		"a fifth message within the hour":      {AtOnce, "2026-11-23 14:00", sent[:4], "2026-11-23 14:01"},
		"more than five, when the hour ends":   {AtOnce, "2026-11-23 14:00", sent, "2026-11-23 14:40"},
		"daily, before the morning":            {Daily, "2026-11-23 07:59", sent, "2026-11-23 08:00"},
		"daily, in the morning":                {Daily, "2026-11-23 08:00", nil, "2026-11-24 08:00"},
		"daily, on the last evening of a year": {Daily, "2026-12-31 23:00", nil, "2027-01-01 08:00"},
	} {
		require.Equal(t, at(c.want), c.timing.Due(at(c.now).UTC(), jakarta, time.Minute, c.sent).In(jakarta), name)
	}
}

// TestSentences has every kind of notice say something of its own in each language.
func TestSentences(t *testing.T) {
	t.Parallel()
	kinds := []Kind{ApprovalsWaiting, Reminder("approvals"), StatementPublished, PeriodCalculated, CalculationFailed, AdjustmentWaiting, PlanToAccept, PayoutPaid, PayoutException, RailStopped, DestinationChanged, DisputeRaised, DisputeReminder,
		DealWaiting, DealApproved, DealRejected, DealReminder, ReliefProposed, ReliefReminder, ReliefGranted, ReliefRefused, QuotaRelieved,
		PointsExpire, RewardSent, RewardRefused, RedemptionWaits, PayoutCameBack, PayoutTakenBack, RecallDone, RecallRefused, RecallUnclear, ProposalRefused, AccountRefused}
	for _, transition := range incentive.DisputeTransitions {
		kinds = append(kinds, Of(transition.Act))
	}
	period := &Period{Code: "2026-10", StartsOn: incentive.MustParseDate("2026-10-01"), EndsOn: incentive.MustParseDate("2026-10-31")}
	for _, l := range language.Languages {
		for _, kind := range kinds {
			n := Notice{Kind: kind, Period: period, Name: "Ann"}
			require.True(t, texts()[l].Has(string(kind)), "%s says nothing in %s", kind, l)
			require.NotContains(t, n.Sentence(l), "{", "%s in %s", kind, l)
		}
	}
	require.Equal(t, "October 2026 waits for you.", Notice{Kind: Reminder("publish"), Period: period}.Sentence(language.English))
	require.Equal(t, "Rincian Oktober 2026 menunggu persetujuan Anda.", Notice{Kind: ApprovalsWaiting, Period: period}.Sentence(language.Indonesian))
	require.Equal(t, "There is something new for you.", Notice{Kind: "unheard-of"}.Sentence(language.English))
}

// TestPaths is which page shows what a notice is about.
func TestPaths(t *testing.T) {
	t.Parallel()
	for path, n := range map[string]Notice{
		"/disputes/d1":                     {Kind: DisputeRaised, Subject: "dispute/d1"},
		"/periods/m-2026-10/statements/r1": {Kind: StatementPublished, Subject: "pay-period/m-2026-10/2", To: "r1"},
		"/approvals":                       {Kind: ApprovalsWaiting, Subject: "pay-period/m-2026-10/1"},
		"/periods/m-2026-10/payouts":       {Kind: RailStopped, Subject: "pay-period/m-2026-10/1"},
		"/periods/m-2026-11/payouts":       {Kind: RecallRefused, Subject: "payout/x", Period: &Period{ID: "m-2026-11"}},
		"/periods/m-2026-10":               {Kind: PeriodCalculated, Subject: "pay-period/m-2026-10/1"},
		"/plans/p/versions/3":              {Kind: PlanToAccept, Subject: "plan/p/3"},
		"/payouts":                         {Kind: PayoutPaid, Subject: "payout/x"},
		"/reliefs":                         {Kind: ReliefReminder, Subject: "relief/x"},
		"/":                                {Kind: QuotaRelieved, Subject: "relief/x"},
		"/adjustments":                     {Kind: AdjustmentWaiting, Subject: "adjustment/x"},
		"/notifications":                   {Kind: "other", Subject: "something"},
	} {
		require.Equal(t, path, n.Path())
	}
}

// TestCompose is one message with several things.
func TestCompose(t *testing.T) {
	t.Parallel()
	m := Compose(language.English, "Example Ltd", "Ann", "https://pay.example.com/", []Notice{{Kind: PayoutPaid, Subject: "payout/x"}, {Kind: DisputeRaised, Subject: "dispute/d1", Name: "Bob"}})
	require.Equal(t, Message{Subject: "Example Ltd: 2 things for you", Body: `Hello Ann,

- You have been paid.
  https://pay.example.com/payouts

- Bob has raised a dispute.
  https://pay.example.com/disputes/d1

On your account you choose whether you are sent this at once, once a day, or not at all.
`}, m)
	require.Equal(t, "You have been paid.", Compose(language.English, "", "Ann", "", []Notice{{Kind: PayoutPaid}}).Subject)
}

// Package notice holds what people are told: the kinds of notices, when a message with
// them is due, and what it says in each language.
package notice

import (
	"embed"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// Kind is what has happened.
type Kind string

// The kinds of notices that are no reminder and no act on a dispute, which have their
// names from the checklist of a period and from the acts.
const (
	ApprovalsWaiting   Kind = "approvals-waiting"
	StatementPublished Kind = "statement-published"
	PeriodCalculated   Kind = "period-calculated"
	CalculationFailed  Kind = "calculation-failed"
	AdjustmentWaiting  Kind = "adjustment-waiting"
	PlanToAccept       Kind = "plan-to-accept"
	PayoutPaid         Kind = "payout-paid"
	PayoutException    Kind = "payout-exception"
	RailStopped        Kind = "rail-stopped"
	DestinationChanged Kind = "destination-changed"
	DisputeRaised      Kind = "dispute-raised"
	DisputeReminder    Kind = "dispute-reminder"

	PointsExpire    Kind = "points-expire"
	RewardSent      Kind = "reward-sent"
	RewardRefused   Kind = "reward-refused"
	RedemptionWaits Kind = "redemption-waits"

	PayoutCameBack  Kind = "payout-came-back"  // to whoever was to be paid
	PayoutTakenBack Kind = "payout-taken-back" // to whoever was paid
	RecallDone      Kind = "recall-done"       // to those of finance who asked for it
	RecallRefused   Kind = "recall-refused"
	RecallUnclear   Kind = "recall-unclear"
	ProposalRefused Kind = "proposal-refused"
	AccountRefused  Kind = "account-refused"

	DealWaiting  Kind = "deal-waiting"
	DealApproved Kind = "deal-approved"
	DealRejected Kind = "deal-rejected"
	DealReminder Kind = "deal-reminder"

	ReliefProposed Kind = "relief-proposed" // to finance
	ReliefReminder Kind = "relief-reminder" // to finance, while it waits
	ReliefGranted  Kind = "relief-granted"  // to whoever proposed it
	ReliefRefused  Kind = "relief-refused"
	QuotaRelieved  Kind = "quota-relieved" // to whom it relieves
)

// Of is the kind that tells of an act on a dispute.
func Of(act incentive.DisputeAct) Kind { return Kind("dispute-" + string(act)) }

// Reminder is the kind that reminds of an item of a period's checklist.
func Reminder(item string) Kind { return Kind(item + "-reminder") }

// Notice is one thing that somebody is told. It carries what a message may say: no amount,
// and no name but that of whom it is about.
type Notice struct {
	ID        int64
	Kind      Kind
	Subject   string // by the ids of the audit chain: "dispute/<id>", "pay-period/<id>/<revision>"
	To        string // a participant's id
	Name      string // whom it is about; "" for nobody
	Period    *Period
	CreatedAt time.Time
	Seen      bool
}

// Period is the pay period that a notice is about.
type Period struct {
	ID               string
	Code             string
	StartsOn, EndsOn incentive.Date
}

//go:embed texts
var files embed.FS

var texts = sync.OnceValue(func() map[language.Language]language.Texts {
	all, err := language.ReadTexts(files, "texts")
	if err != nil {
		panic(err) // they are part of the program, and tested
	}
	return all
})

// Sentence says the notice.
func (n Notice) Sentence(l language.Language) string {
	t := texts()[l]
	key := string(n.Kind)
	if !t.Has(key) {
		key = "other"
		if strings.HasSuffix(string(n.Kind), "-reminder") {
			key = "reminder"
		}
	}
	period := ""
	if n.Period != nil {
		period = l.Period(n.Period.StartsOn, n.Period.EndsOn, n.Period.Code)
	}
	return t.Fill(key, map[string]any{"period": period, "name": n.Name})
}

// Path is the page that shows what the notice is about.
func (n Notice) Path() string {
	kind, rest, _ := strings.Cut(n.Subject, "/")
	id, revision, _ := strings.Cut(rest, "/")
	switch kind {
	case "dispute":
		return "/disputes/" + rest
	case "deal":
		return "/deals/" + rest
	case "relief":
		if n.Kind == QuotaRelieved {
			return "/" // how far they have come
		}
		return "/reliefs"
	case "adjustment":
		return "/adjustments"
	case "plan":
		return "/plans/" + id + "/versions/" + revision
	case "payout":
		switch n.Kind {
		case RecallDone, RecallRefused, RecallUnclear, ProposalRefused:
			return "/periods/" + n.Period.ID + "/payouts"
		}
		return "/payouts"
	case "participant":
		return "/account"
	case "points":
		return "/points"
	case "redemption":
		return "/redemptions"
	case "pay-period":
		switch n.Kind {
		case StatementPublished:
			return "/periods/" + id + "/statements/" + n.To
		case ApprovalsWaiting, Reminder("approvals"):
			return "/approvals"
		case PayoutException, RailStopped:
			return "/periods/" + id + "/payouts"
		}
		return "/periods/" + id
	}
	return "/notifications"
}

// Timing is when somebody wants to be sent what they are told.
type Timing string

// The timings. What is not sent is on one's page in any case.
const (
	AtOnce Timing = "at-once"
	Daily  Timing = "daily"
	Never  Timing = "never"
)

// Timings lists every timing.
var Timings = []Timing{AtOnce, Daily, Never}

const (
	// most messages within the hour; what is told then waits for its end, and comes together.
	most = 5
	// morning is the hour at which a day's message comes, in the recipient's zone.
	morning = 8
)

// Due is when a message with what is told now is to be sent. sent are the times of the
// messages of the last hour, and quiet is how long something else is waited for that would
// come with it.
func (timing Timing) Due(now time.Time, zone *time.Location, quiet time.Duration, sent []time.Time) time.Time {
	if timing == Daily {
		here := now.In(zone)
		due := time.Date(here.Year(), here.Month(), here.Day(), morning, 0, 0, 0, zone)
		if !due.After(now) {
			due = time.Date(here.Year(), here.Month(), here.Day()+1, morning, 0, 0, 0, zone)
		}
		return due
	}
	due := now.Add(quiet)
	if len(sent) >= most {
		earliest := sent[0]
		for _, at := range sent {
			if at.Before(earliest) {
				earliest = at
			}
		}
		if wait := earliest.Add(time.Hour); wait.After(due) {
			due = wait
		}
	}
	return due
}

// Message is what is sent.
type Message struct {
	Subject string
	Body    string // plain text
}

// Compose writes a message to somebody. address is where the pages are, "" where that is
// not known.
func Compose(l language.Language, company, name, address string, notices []Notice) Message {
	t := texts()[l]
	m := Message{Subject: notices[0].Sentence(l)}
	if len(notices) > 1 {
		m.Subject = t.Fill("subject.several", map[string]any{"count": len(notices)})
	}
	if company != "" {
		m.Subject = company + ": " + m.Subject
	}
	var body strings.Builder
	fmt.Fprintf(&body, "%s\n", t.Fill("greeting", map[string]any{"name": name}))
	for _, n := range notices {
		fmt.Fprintf(&body, "\n- %s\n", n.Sentence(l))
		if address != "" {
			fmt.Fprintf(&body, "  %s%s\n", strings.TrimSuffix(address, "/"), n.Path())
		}
	}
	fmt.Fprintf(&body, "\n%s\n", t.Get("footer"))
	m.Body = body.String()
	return m
}

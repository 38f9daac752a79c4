package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/india"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/payments/xendit"
	"github.com/guerdon/guerdon/payments/xoxoday"
)

// plan is all that is decided about a cycle before it begins. The same seed and number draw
// the same plan; which of two processes is quicker is the machine's.
type plan struct {
	Number int
	Payees []payee
	Storm  *storm `json:",omitempty"`
	Kills  []kill
	Files  map[string]answers `json:",omitempty"` // how the bank of a rail of files answers

	Trial *trial `json:",omitempty"` // of accounts, by prenotes

	Recalls []fault `json:",omitempty"` // of the calls by which finance takes payments back, one after the other
}

// payee is somebody who is paid in a cycle, and what becomes of that.
type payee struct {
	ID      string
	Rail    string
	Amount  incentive.Money
	Fate    fate
	Faults  []fault `json:",omitempty"` // of the calls that pay them, one after the other
	LookUps []fault `json:",omitempty"` // of the calls that look that up
	Letters []post  `json:",omitempty"` // what becomes of what the rail tells of them, one after the other
	Slow    bool    `json:",omitempty"` // the rail takes its time

	Account account `json:",omitempty"` // of one that is tried before it is paid

	Reward *reward `json:",omitempty"` // of one who is paid in points: Faults, LookUps and Letters are of the calls that order it

	Recalled bool  `json:",omitempty"` // of fate returned: it comes back as finance asks the rail for it
	Part     int64 `json:",omitempty"` // of fate paid: what finance has the rail give back, in minor units
}

// reward is what somebody takes for points, of Tremendous's.
type reward struct {
	Minor int64 // points that it costs
	Fate  fate
}

// calls reports whether a rail of single payouts is called for somebody.
func (p *payee) calls(rail string) bool {
	return p.Rail == rail || p.Reward != nil && rail == tremendous.Name
}

// ends is what becomes of what a rail is called for.
func (p *payee) ends() fate {
	if p.Reward != nil {
		return p.Reward.Fate
	}
	return p.Fate
}

// fate is what becomes of a payment at its rail.
type fate string

const (
	paid     fate = "paid"
	refused  fate = "refused"
	returned fate = "returned" // paid, and then it comes back
)

// account is what a bank finds an account to be that a prenote tries.
type account string

const (
	good      account = ""
	badAtOnce account = "bad"
	badLater  account = "bad-later" // which it says only after the days in which it is to
)

// fault is what goes wrong with a call.
type fault string

const (
	none         fault = ""
	dropBefore   fault = "drop-before"    // the connection breaks, nothing is done
	dropAfter    fault = "drop-after"     // done, then the connection breaks
	silentBefore fault = "silent-before"  // nothing comes until the caller gives up, and nothing is done
	silentAfter  fault = "silent-after"   // done, and nothing comes
	late         fault = "late"           // done only after the caller has given up
	tooMany      fault = "429"            // nothing is done
	unavailable  fault = "503"            // nothing is done
	brokenAfter  fault = "500-after"      // done, and a 500 comes
	proxyBefore  fault = "proxy-before"   // a proxy's page, nothing is done
	proxyAfter   fault = "proxy-after"    // done, and a proxy's page comes
	truncated    fault = "truncated"      // done, and half of the answer comes
	twiceSent    fault = "sent-twice"     // done twice, as a proxy that tries again does, and the second answer comes
	twiceSaid    fault = "answered-twice" // done, and the answer comes twice
	eventFirst   fault = "event-first"    // done, and the answer comes after the rail has told of it
	keptBefore   fault = "kept-500"       // nothing is done, and the rail answers 500 for as long as it knows the key
	keptAfter    fault = "kept-500-after" // done, and the rail answers 500 for as long as it knows the key
)

var (
	payingFaults = []fault{dropBefore, dropAfter, silentBefore, silentAfter, late, tooMany, unavailable, brokenAfter, proxyBefore, proxyAfter, truncated, twiceSent, twiceSaid, eventFirst}
	keptFaults   = []fault{keptBefore, keptAfter} // of a rail that keeps what it answered, as Stripe does
	recallFaults = []fault{dropBefore, dropAfter, silentBefore, silentAfter, late, tooMany, unavailable, brokenAfter, proxyAfter, truncated, twiceSent, twiceSaid}
	askingFaults = []fault{dropBefore, silentBefore, tooMany, unavailable, proxyBefore, truncated, twiceSaid}
)

// post is what becomes of a letter: what a rail tells us by a webhook.
type post struct {
	Late   bool `json:",omitempty"` // it comes after what was written later
	Last   bool `json:",omitempty"` // it comes at the end, when everything is known; never of what comes back, which nothing else tells
	Twice  bool `json:",omitempty"`
	Forged bool `json:",omitempty"` // another comes with it that the rail has not written
}

// storm is a fault of all of a rail's calls at once.
type storm struct {
	Rail  string
	After int // calls that pay
	Kind  stormKind
	Long  int `json:",omitempty"` // milliseconds; of one that passes by itself
}

type stormKind string

const (
	down    stormKind = "down"    // 503 to everybody
	lockout stormKind = "lockout" // the key is refused, until a person mends it
	poor    stormKind = "poor"    // the balance is too small, until a person fills it up
)

// kill is a process that is killed, before a row or so many milliseconds after the release.
type kill struct {
	Process string
	Point   *processes.Point `json:",omitempty"`
	Row     int              `json:",omitempty"`
	After   int              `json:",omitempty"`
}

// answers are what a bank does with a file.
type answers struct {
	Again   bool // the file is taken there twice
	Early   bool // it answers before we have said that it was taken there
	Late    bool // it answers when everything else is done
	Parts   int  // in so many files
	Doubled bool // each of which comes twice
	Turned  bool // the last first
}

// railKind is how a rail pays.
type railKind int

const (
	called railKind = iota // for each payment
	byFile
	kept // nothing is outside: points are kept by the house itself
)

// rails are all there are, with the currency in which each pays here.
var rails = []struct {
	name     string
	currency incentive.Currency
	kind     railKind
}{
	{stripe.Name, "USD", called},
	{tremendous.Name, "USD", called},
	{xendit.Name, "PHP", called},
	{xoxoday.Name, "INR", called},
	{processes.PaymentFile, "USD", byFile},
	{processes.ISO20022, "USD", byFile},
	{processes.SEPA, "EUR", byFile},
	{india.Name, "INR", byFile},
	{processes.NACHA, "USD", byFile},
	{processes.NACHATried, "USD", byFile},
	{incentive.PointsRail, "USD", kept},
}

// tells reports whether a rail tells us what it does.
func tells(rail string) bool {
	return rail == stripe.Name || rail == tremendous.Name || rail == xendit.Name
}

// draw draws the plan of a cycle.
func draw(seed uint64, number int) plan {
	dice := rand.New(rand.NewPCG(seed, uint64(number)))
	chance := func(percent int) bool { return dice.IntN(100) < percent }
	p := plan{Number: number, Files: map[string]answers{}}
	chosen := dice.Perm(len(rails))[:3+dice.IntN(3)]
	slices.Sort(chosen)
	for n := range 20 + dice.IntN(41) {
		rail := rails[chosen[dice.IntN(len(chosen))]]
		one := payee{
			ID:     fmt.Sprintf("c%04dr%02d", number, n+1),
			Rail:   rail.name,
			Amount: incentive.Money{Minor: int64(2000 + dice.IntN(40_000)), Currency: rail.currency},
			Fate:   paid,
		}
		switch {
		case rail.name == processes.NACHATried:
			if chance(25) {
				one.Fate, one.Account = refused, []account{badAtOnce, badLater}[dice.IntN(2)]
			}
		case rail.kind == kept: // which refuses nobody
			if chance(60) {
				one.Reward = &reward{Minor: 100 + dice.Int64N(one.Amount.Minor-100), Fate: []fate{paid, paid, paid, paid, refused, returned}[dice.IntN(6)]}
			}
		case chance(8) && rail.name != processes.NACHA: // whose bank says nothing of what it does not pay
			one.Fate = refused
		case chance(6) && tells(rail.name):
			one.Fate = returned
		}
		if rail.kind == called || one.Reward != nil {
			for chance(35) && len(one.Faults) < 3 {
				one.Faults = append(one.Faults, payingFaults[dice.IntN(len(payingFaults))])
			}
			if rail.name == stripe.Name && one.Fate == paid && chance(4) {
				one.Faults = append(one.Faults, keptFaults[dice.IntN(len(keptFaults))])
			}
			if rail.name == xoxoday.Name { // which pays as often as it is called: nobody else may call it
				one.Faults = slices.DeleteFunc(one.Faults, func(f fault) bool { return f == twiceSent })
			}
			for chance(15) && len(one.LookUps) < 3 {
				one.LookUps = append(one.LookUps, askingFaults[dice.IntN(len(askingFaults))])
			}
			for range 4 {
				one.Letters = append(one.Letters, post{Late: chance(20), Last: chance(3) && one.ends() != returned, Twice: chance(20), Forged: chance(10)})
			}
			one.Slow = chance(10)
		}
		p.Payees = append(p.Payees, one)
	}
	for _, i := range chosen {
		if rails[i].kind == byFile {
			p.Files[rails[i].name] = answers{Again: chance(30), Early: chance(30), Late: chance(30), Parts: 1 + dice.IntN(3), Doubled: chance(40), Turned: chance(40)}
		}
	}
	if i := chosen[dice.IntN(len(chosen))]; chance(35) && rails[i].kind == called {
		kinds := []stormKind{down, down, lockout}
		if rails[i].name == stripe.Name {
			kinds = append(kinds, poor)
		}
		p.Storm = &storm{Rail: rails[i].name, After: dice.IntN(6), Kind: kinds[dice.IntN(len(kinds))], Long: 500 + dice.IntN(4000)}
		if p.Storm.Kind == poor {
			p.Storm.After = 0
		}
	}
	for i := range p.Payees {
		switch one := &p.Payees[i]; {
		case one.Fate == returned && (one.Rail == stripe.Name || one.Rail == tremendous.Name):
			one.Recalled = chance(50)
		case one.Fate == paid && one.Rail == stripe.Name && chance(10):
			one.Part = 1 + dice.Int64N(one.Amount.Minor-1)
		}
	}
	for chance(60) && len(p.Recalls) < 4 {
		p.Recalls = append(p.Recalls, recallFaults[dice.IntN(len(recallFaults))])
	}
	if slices.ContainsFunc(p.Payees, func(one payee) bool { return one.Rail == processes.NACHATried }) {
		p.Trial = &trial{Approved: chance(40), Lost: chance(30), Again: chance(30), Doubled: chance(40), Released: chance(50)}
	}
	for range 1 + dice.IntN(3) {
		k := kill{Process: processes.All[dice.IntN(len(processes.All))]}
		if chance(60) {
			one := points[dice.IntN(len(points))]
			for !p.reaches(one.table) {
				one = points[dice.IntN(len(points))]
			}
			at := one.at(periodOf(number))
			k.Point, k.Row = &at, 1+dice.IntN(one.rows)
		} else {
			k.After = dice.IntN(3000)
		}
		p.Kills = append(p.Kills, k)
	}
	slices.SortStableFunc(p.Kills, func(a, b kill) int { // one gate is shut at a time, in the order in which they are come to
		return order(a) - order(b)
	})
	return p
}

// reaches reports whether a cycle may come to a table.
func (p plan) reaches(table string) bool {
	switch {
	case strings.HasPrefix(table, "guerdon.prenote"):
		return p.Trial != nil
	case table == "guerdon.points":
		return slices.ContainsFunc(p.Payees, func(one payee) bool { return one.Rail == incentive.PointsRail })
	case table == "guerdon.redemption":
		return slices.ContainsFunc(p.Payees, func(one payee) bool { return one.Reward != nil })
	}
	return true
}

func order(k kill) int {
	if k.Point == nil {
		return len(points)
	}
	return slices.IndexFunc(points, func(one point) bool { return one.table == k.Point.Table && one.event == k.Point.Event })
}

// periodOf is the period of a cycle.
func periodOf(number int) string { return fmt.Sprintf("c%04d-2026-10", number) }

// point is a row of a period, before the nth of which something may be killed.
type point struct {
	table, event string
	where        string // %s is the period's id
	rows         int
}

func (p point) at(period string) processes.Point {
	where := p.where
	if where != "true" && slices.Contains([]byte(where), '%') {
		where = fmt.Sprintf(where, period)
	}
	return processes.Point{Table: p.table, Event: p.event, Where: where}
}

// points are in the order in which a period comes to them.
var points = []point{
	{"guerdon.prenote_file", "INSERT", "true", 1},
	{"guerdon.prenote_outcome", "INSERT", "true", 2},
	{"guerdon.prenote_file", "UPDATE", "NEW.passed_at IS NOT NULL", 1},
	{"guerdon.snapshot_record", "INSERT", "true", 60},
	{"guerdon.statement", "INSERT", "true", 20},
	{"guerdon.approval", "UPDATE", "NEW.period_id = '%s'", 20},
	{"guerdon.payout", "INSERT", "NEW.period_id = '%s'", 20},
	{"guerdon.command", "UPDATE", "NEW.status IS NOT NULL", 12}, // an answer
	{"guerdon.payment_file", "INSERT", "NEW.period_id = '%s'", 1},
	{"guerdon.payout_attempt", "INSERT", "true", 20},
	{"guerdon.points", "INSERT", "true", 5},
	{"temporal.history_node", "INSERT", "EXISTS (SELECT FROM guerdon.payout_attempt)", 40},
	{"guerdon.journal_entry", "INSERT", "NEW.period_id = '%s' AND NEW.kind = 'submit'", 15},
	{"guerdon.payout_attempt", "UPDATE", "NEW.state = 'confirmed'", 15},
	{"guerdon.payout", "UPDATE", "NEW.period_id = '%s' AND NEW.state = 'paid'", 15},
	{"guerdon.redemption", "INSERT", "true", 2},
	{"guerdon.redemption", "UPDATE", "NEW.state = 'paid'", 2},
	{"guerdon.payout_proposal", "INSERT", "true", 2},
	{"guerdon.rail_event", "INSERT", "true", 10},
	{"guerdon.rail_event_outcome", "INSERT", "true", 10},
	{"guerdon.payout_outcome", "INSERT", "true", 5},
	{"guerdon.rail_stop", "INSERT", "NEW.period_id = '%s'", 1},
	{"guerdon.period_act", "INSERT", "NEW.period_id = '%s' AND NEW.act = 'close'", 1},
	{"guerdon.archived_history", "INSERT", "NEW.period_id = '%s'", 4},
}

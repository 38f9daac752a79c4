package workflows_test

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The people of every sequence. Three are of finance, and fin-c is paid as well.
var (
	finance = []string{"fin-a", "fin-b", "fin-c"}
	// earners are paid; the queue is who approves it, the rail how it is paid.
	// No bank file can take eve.
	earners = []earner{
		{"ann", "boss-1", bankRail}, {"ben", "boss-2", fileRail}, {"boss-1", "finance", bankRail}, {"boss-2", "boss-1", fileRail},
		{"cy", "boss-2", bankRail}, {"dan", "boss-1", ""}, {"eve", "boss-2", fileRail}, {"fin-c", "finance", bankRail},
	}
	queues = []string{"boss-1", "boss-2", "finance"}
)

type earner struct{ id, queue, rail string }

// model is what section 4 of the design says of one pay period, in plain code: it knows
// no database, no workflow and no table of the product's.
type model struct {
	now      time.Time
	state    string
	onHold   bool
	deadline time.Time
	facts    map[string]fact // as they stand today
	frozen   map[string]fact // as the period's snapshot has them
	figures  map[string]int64
	// decided is what was handed out and decided, by person and figure: "" waits.
	decided  map[string]map[int64]decision
	prepared map[string]bool
	payouts  map[string]*payout
	listed   int            // counts payout lists
	file     string         // the payment file: "", built, confirmed or paid
	acts     []string       // everything done to the period, in order
	audited  map[string]int // everything else that the audit chain should hold
	released bool
	scripts  map[string][]string // what the bank will say, by person
	answers  map[int]string      // to commands given at once, by their number
}

type decision struct{ says, by string }

// fact is what a deal of somebody's is worth, in whole dollars; a foreign one cannot be
// calculated with.
type fact struct {
	dollars int64
	foreign bool
}

type payout struct {
	amount  int64
	rail    string
	state   string
	attempt *attempt // the one that may have paid
	decided string   // what a person last decided about it
	unknown bool     // to the bank, which was asked about it too late to send it again
}

type attempt struct {
	sentAt time.Time // zero until it was sent
	paid   bool
}

func newModel(now time.Time) *model {
	return &model{now: now, scripts: map[string][]string{}, state: "open", facts: map[string]fact{}, decided: map[string]map[int64]decision{}, prepared: map[string]bool{}, audited: map[string]int{}}
}

// copied is another model in the same state.
func (m *model) copied() *model {
	c := *m
	c.facts, c.frozen, c.figures = maps.Clone(m.facts), maps.Clone(m.frozen), maps.Clone(m.figures)
	c.decided = map[string]map[int64]decision{}
	for id, by := range m.decided {
		c.decided[id] = maps.Clone(by)
	}
	c.prepared, c.audited, c.scripts = maps.Clone(m.prepared), maps.Clone(m.audited), maps.Clone(m.scripts)
	c.answers = maps.Clone(m.answers)
	c.acts, c.payouts = slices.Clone(m.acts), maps.Clone(m.payouts)
	for id, p := range c.payouts {
		of := *p
		if p.attempt != nil {
			made := *p.attempt
			of.attempt = &made
		}
		c.payouts[id] = &of
	}
	return &c
}

// life is where each act leads, from each state that allows it.
var life = map[string]map[string]string{
	"lock":          {"open": "locked"},
	"recalculate":   {"calculated": "locked"},
	"publish":       {"calculated": "published"},
	"extend-window": {"published": "published"},
	"end-window":    {"published": "approving"},
	"withdraw":      {"published": "calculated", "approving": "calculated", "approved": "calculated"},
	"release":       {"approved": "released", "settling": "released"},
	"close":         {"settling": "closed"},
	"cancel":        {"open": "cancelled", "locked": "cancelled", "calculated": "cancelled", "published": "cancelled", "approving": "cancelled", "approved": "cancelled"},
}

// allowed says where an act leads now, or why it is refused.
func (m *model) allowed(act string) (to, code string) {
	ended := m.state == "closed" || m.state == "cancelled"
	switch {
	case act == "hold" && m.onHold:
		return "", "period-on-hold"
	case act == "resume" && !m.onHold, act == "hold" && ended, act == "resume" && ended:
		return "", "not-allowed-now"
	case act == "hold", act == "resume":
		return m.state, ""
	case m.onHold && act != "cancel":
		return "", "period-on-hold"
	}
	if to = life[act][m.state]; to == "" {
		return "", "not-allowed-now"
	}
	return to, ""
}

// command is something that a person wants done to the period.
type command struct {
	act, actor string
	reason     bool
	days       int
	changes    []string // whose facts a recalculation takes over
	list       int      // the payout list that a release signs
}

// do does what a person wants, and returns "" or why not. Where the period is busy with
// something else, the command itself is looked at before the state.
func (m *model) do(c command, busy bool) (code string) {
	to, code := m.allowed(c.act)
	if c.act == "extend-window" && (code == "" || busy) && (c.days < 1 || c.days > 60) {
		return "invalid"
	}
	if code != "" {
		return code
	}
	if slices.Contains([]string{"extend-window", "withdraw", "cancel", "hold"}, c.act) && !c.reason {
		return "reason-missing"
	}
	switch c.act {
	case "lock":
		m.prepared[c.actor] = true
		m.frozen = map[string]fact{}
		for id, f := range m.facts {
			m.frozen[id] = f
		}
	case "recalculate":
		if m.approved(c.actor, queues...) {
			return "approver"
		}
		for _, id := range c.changes {
			if m.frozen[id] == m.facts[id] {
				return "nothing-changed"
			}
		}
		m.prepared[c.actor] = true
		for _, id := range c.changes {
			m.frozen[id] = m.facts[id]
		}
	case "publish":
		m.deadline = endOfBusinessDay(m.now, 5)
	case "extend-window":
		m.deadline = endOfBusinessDay(m.deadline.Add(-time.Minute), c.days)
	case "end-window":
		m.startApproving()
	case "withdraw", "cancel":
		m.payouts = nil
		if c.act == "withdraw" {
			m.deadline = time.Time{}
		} else {
			m.onHold = false
		}
	case "release":
		if m.released { // and no dispute has brought anything since
			return "not-allowed-now"
		}
		if m.prepared[c.actor] {
			return "preparer"
		}
		if m.approved(c.actor, "finance") {
			return "approver"
		}
		if c.list != m.listed {
			return "changed-meantime"
		}
		m.released = true
	case "close":
		for _, p := range m.payouts {
			if p.state != "paid" && p.state != "cancelled" {
				return "payouts-open"
			}
		}
	case "hold":
		m.onHold = true
	case "resume":
		m.onHold = false
	}
	m.move(c.act, to, c.actor)
	return ""
}

func (m *model) move(act, to, actor string) {
	m.acts = append(m.acts, fmt.Sprintf("%s: %s to %s by %s", act, m.state, to, actor))
	m.state = to
}

// endOfBusinessDay is when the nth business day after a day ends, in Jakarta.
func endOfBusinessDay(from time.Time, n int) time.Time {
	jakarta := time.FixedZone("", 7*60*60)
	day := from.In(jakarta)
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			n--
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, jakarta)
}

func (m *model) startApproving() {
	m.deadline = time.Time{}
	m.audited["hand-out"]++
	for _, e := range earners {
		if m.decided[e.id] == nil {
			m.decided[e.id] = map[int64]decision{}
		}
		maps.DeleteFunc(m.decided[e.id], func(_ int64, d decision) bool { return d.says == "rejected" })
		if _, before := m.decided[e.id][m.figures[e.id]]; !before {
			m.decided[e.id][m.figures[e.id]] = decision{}
		}
	}
}

// decision is what was decided about the statement of somebody that stands, if it was
// handed out.
func (m *model) decision(id string) (says string, handedOut bool) {
	figure, calculated := m.figures[id]
	d, handedOut := m.decided[id][figure]
	return d.says, calculated && handedOut
}

// approved reports whether somebody approved anything in some queues.
func (m *model) approved(by string, in ...string) bool {
	return slices.ContainsFunc(earners, func(e earner) bool {
		for _, d := range m.decided[e.id] {
			if d == (decision{"approved", by}) && slices.Contains(in, e.queue) {
				return true
			}
		}
		return false
	})
}

// left counts the statements that wait in a queue.
func (m *model) left(queue string) (n int) {
	for _, e := range earners {
		if d, there := m.decision(e.id); there && d == "" && e.queue == queue {
			n++
		}
	}
	return n
}

// decisions is what somebody decides about statements of a queue.
type decisions struct {
	by, queue, decision string
	named               map[string]int64 // people, with the figure that was looked at
}

// decide applies decisions, if somebody looks after the queue.
func (m *model) decide(d decisions, running bool) (code string, applied int) {
	switch {
	case !running:
		return "not-allowed-now", 0
	case m.onHold:
		return "period-on-hold", 0
	case m.state != "approving":
		return "not-allowed-now", 0
	case m.prepared[d.by]:
		return "preparer", 0
	case d.queue != "finance" && d.by != d.queue:
		return "not-delegated", 0
	}
	if _, own := d.named[d.by]; own {
		return "own-pay", 0
	}
	for _, e := range earners {
		figure, named := d.named[e.id]
		if says, there := m.decision(e.id); there && says == "" && named && figure == m.figures[e.id] && e.queue == d.queue {
			m.decided[e.id][figure] = decision{d.decision, d.by}
			applied++
		}
	}
	return "", applied
}

// settle does what the system does by itself until nothing moves any more.
func (m *model) settle() {
	for m.bySystem() {
	}
}

// bySystem does one thing that the system does by itself, if there is one.
func (m *model) bySystem() (done bool) {
	if m.onHold {
		return false
	}
	was := m.state
	m.moveOn()
	if m.state == was && (m.state == "disbursing" || m.state == "settling") {
		return m.pay()
	}
	return m.state != was
}

func (m *model) moveOn() {
	switch m.state {
	case "locked":
		for _, f := range m.frozen {
			if f.foreign {
				m.frozen = nil
				m.move("calculation-fails", "open", "system")
				return
			}
		}
		m.figures = map[string]int64{}
		for id, f := range m.frozen {
			m.figures[id] = f.dollars * 10 // ten per cent, in cents
		}
		m.move("calculate", "calculated", "system")
	case "published":
		if !m.now.Before(m.deadline) {
			m.startApproving()
			m.move("window-ends", "approving", "system")
		}
	case "approving":
		for _, e := range earners {
			if says, _ := m.decision(e.id); says != "approved" {
				return
			}
		}
		m.listed++
		m.payouts = map[string]*payout{}
		for _, e := range earners {
			switch amount := m.figures[e.id]; {
			case amount <= 0: // nothing to pay; a debt carries forward
			case e.rail == "":
				m.payouts[e.id] = &payout{amount: amount, state: "held"}
			default:
				m.payouts[e.id] = &payout{amount: amount, rail: e.rail, state: "planned"}
			}
		}
		m.move("approve-last", "approved", "system")
	case "released":
		m.move("disburse", "disbursing", "system")
	case "disbursing":
		for _, p := range m.payouts {
			if p.state == "planned" {
				return
			}
		}
		m.move("disburse-last", "settling", "system")
	}
}

// pay lets the rails pay what is planned.
func (m *model) pay() (done bool) {
	for _, e := range earners {
		done = m.payOne(e) || done
	}
	return done
}

func (m *model) payOne(e earner) (done bool) {
	p := m.payouts[e.id]
	switch {
	case p == nil || p.state != "planned":
	case p.rail == bankRail:
		m.submit(p, e.id)
		done = true
	case p.rail == fileRail && e.id == "eve":
		p.state, done = "failed", true
	case p.rail == fileRail && m.file == "":
		m.file, done = "built", true
	}
	return done
}

// submit is what becomes of one payout at the bank. A key is used again for 23 hours;
// after that only a person can say what became of it.
func (m *model) submit(p *payout, account string) {
	for {
		sentBefore := p.attempt != nil
		if !sentBefore {
			p.attempt = &attempt{sentAt: m.now}
		}
		if p.attempt.paid {
			p.state = "paid"
			return
		}
		if m.now.Sub(p.attempt.sentAt) > 23*time.Hour {
			p.state, p.unknown = "failed", true
			return
		}
		says := ""
		if script := m.scripts[account]; len(script) > 0 {
			says, m.scripts[account] = script[0], script[1:]
		}
		switch says {
		case losesBefore, throttles:
		case refuses:
			// The call before may be under way yet, and do what this one was refused.
			if sentBefore && m.now.Sub(p.attempt.sentAt) < 4*time.Minute {
				continue
			}
			p.state = "failed"
			if !sentBefore {
				p.attempt = nil
			}
			return
		case givesUp:
			p.state, p.attempt = "failed", nil
			return
		default:
			p.attempt.paid = true
			if says != losesAfter {
				p.state = "paid"
				return
			}
		}
	}
}

// confirm is what a person says about the payment file.
func (m *model) confirm(actor string, paid bool) (code string) {
	underway := false
	for _, p := range m.payouts {
		underway = underway || p.rail == fileRail && p.state != "paid" && p.state != "cancelled"
	}
	switch {
	case !underway || m.state != "disbursing" && m.state != "settling":
		return "not-allowed-now"
	case m.file == "":
		return "file-unknown"
	case m.prepared[actor]:
		return "preparer"
	case paid && m.file == "built":
		return "conflict"
	case !paid && m.file != "built", m.file == "paid":
		return "" // was said before
	case !paid && m.onHold:
		return "period-on-hold"
	}
	state := "submitted"
	m.file = "confirmed"
	if paid {
		state, m.file = "paid", "paid"
		m.audited["settle-file"]++
	} else {
		m.audited["confirm-file"]++
	}
	for _, p := range m.payouts {
		if p.rail == fileRail && (p.state == "planned" || p.state == "submitted") {
			p.state = state
		}
	}
	return ""
}

// mend is what a person decides about a payout that waits for one.
func (m *model) mend(act, person string, reason bool) (code string) {
	p := m.payouts[person]
	if !reason {
		return "reason-missing"
	}
	if p.unknown {
		p.attempt, p.unknown = nil, false
	}
	switch {
	case act == "retry-payout" && p.state == "failed" && (p.rail != fileRail || m.file == ""):
		p.state = "planned"
	case act == "cancel-payout" && (p.state == "held" || p.state == "failed" && p.attempt == nil):
		p.state = "cancelled"
	case p.decided == act && p.state == map[string]string{"retry-payout": "planned", "cancel-payout": "cancelled"}[act]:
		return "" // who asks again is answered as the first time
	default:
		return "conflict"
	}
	p.decided = act
	m.audited[act]++
	return ""
}

// balances is what the ledger should hold of the period: debits are positive.
func (m *model) balances() map[string]int64 {
	b := map[string]int64{}
	if m.payouts == nil {
		return b
	}
	for _, amount := range m.figures {
		b["commission expense"] += amount
		b["payable"] -= amount
	}
	for _, p := range m.payouts {
		switch p.state {
		case "submitted":
			b["payable"] += p.amount
			b["clearing"] -= p.amount
		case "paid":
			b["payable"] += p.amount
			b["cash"] -= p.amount
		}
	}
	return b
}

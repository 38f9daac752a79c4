package workflows_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/workflows"
)

// TestSequences fires random sequences of what people do, of time that passes, of
// activities that fail and of payments that go wrong at the workflows, and holds them
// against the model after every step. docs/reliability.md says how to run it for long.
func TestSequences(t *testing.T) {
	t.Parallel()
	var c *company
	rapid.Check(t, func(r *rapid.T) {
		if c == nil || c.periods == 50 { // the audit chain is read whole after each sequence
			c = newCompany(t)
		}
		s := c.begin(r)
		defer s.house.end()
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			s.step()
		}
		s.finish()
	})
}

// company is a database with a plan, in which each sequence has people, a calendar and a
// month of its own.
type company struct {
	store   *store.Store
	pool    *pgxpool.Pool
	periods int
}

const commission = `language: 1
plan: simple
name: Simple commission
currency: USD
reads:
  participant: {commission_rate: number}
components:
  - name: commission
    measure: {sum: credits}
    rate: participant.commission_rate
`

func newCompany(t *testing.T) *company {
	s, url := storetest.NewWithURL(t)
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	c := &company{store: s, pool: pool}
	require.NoError(t, s.SetCompany(ctx, store.System, "Test", "Asia/Jakarta"))
	require.NoError(t, c.load("participant", person(administrator, "2020-01-01")))
	_, err = s.PutPlan(ctx, administrator, "simple", incentive.MustParseDate("2020-01-01"), []byte(commission))
	require.NoError(t, err)
	return c
}

const administrator = "administrator"

func person(id, from string) map[string]any {
	return map[string]any{"participant_id": id, "effective_from": from, "name": id, "email": id + "@example.com", "kind": "contractor", "country": "DE", "pay_currency": "USD",
		"attributes": map[string]string{"commission_rate": "0.1"}}
}

func (c *company) load(kind string, records ...map[string]any) error {
	rows := make([]store.Row, len(records))
	for i, record := range records {
		rows[i] = store.Row{File: "test", Line: i + 1, Key: "it", Record: record}
	}
	_, held, err := c.store.Load(context.Background(), store.Import{Kind: kind, FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: administrator}, func(l *store.Loading) error {
		return l.Put(context.Background(), kind, rows)
	})
	if err == nil && len(held) > 0 {
		err = fmt.Errorf("a row was refused: %s", held[0].Reason)
	}
	return err
}

// sequence is one period with the model that it is held against.
type sequence struct {
	t        *rapid.T
	house    *house
	company  *company
	model    *model
	period   string
	source   string                      // of its deals
	day      string                      // its first
	digests  map[string]map[int64][]byte // of statements, by person and figure
	lists    map[int][]byte              // digests of payout lists, by their number
	commands int
	sent     []update        // Updates that workflows took on
	kept     []keptDecisions // decisions that were written down and not sent
}

// update is an Update that was sent.
type update struct {
	workflow, name, key string
	input               any
	answer              received
}

type keptDecisions struct {
	decisions
	id string
}

// begin opens a period.
func (c *company) begin(t *rapid.T) *sequence {
	ctx := context.Background()
	c.periods++
	first := time.Date(2026, time.Month(c.periods), 1, 0, 0, 0, 0, time.UTC)
	day := func(d time.Time) string { return incentive.DateOf(d).String() }
	s := &sequence{t: t, company: c, period: fmt.Sprintf("p%d", c.periods), source: fmt.Sprintf("crm%d", c.periods), day: day(first),
		digests: map[string]map[int64][]byte{}, lists: map[int][]byte{}}
	calendar, last := fmt.Sprintf("c%d", c.periods), day(first.AddDate(0, 1, -1))
	require.NoError(t, c.load("period", map[string]any{"id": s.period, "calendar_id": calendar, "code": s.day, "starts_on": s.day, "ends_on": last}))
	begin := time.Date(2027, 3, 1, 8, 7, 0, 0, time.UTC) // a Monday
	s.model = newModel(begin)
	people := []map[string]any{person(s.id("fin-a"), s.day), person(s.id("fin-b"), s.day), person(s.id("fin-d"), s.day), person(s.id("fin-e"), s.day)}
	var deals, credits, assignments []map[string]any
	for _, e := range earners {
		paid := person(s.id(e.id), s.day)
		if e.queue != store.FinanceQueue {
			paid["manager_id"] = s.id(e.queue)
		}
		people = append(people, paid)
		s.model.facts[e.id] = fact{dollars: 100}
		deals = append(deals, s.deal(e.id))
		credits = append(credits, map[string]any{"source": s.source, "transaction_id": e.id, "participant_id": s.id(e.id), "role": "owner", "share": "1"})
		assignments = append(assignments, map[string]any{"participant_id": s.id(e.id), "plan_id": "simple", "calendar_id": calendar, "starts_on": s.day, "ends_on": last})
	}
	require.NoError(t, c.load("participant", people...))
	// Reminders and escalation have tests of their own.
	_, err := c.store.PutPolicy(ctx, s.id("fin-a"), calendar, "approvals: {levels: [{by: manager}], remind_after_days: 250, escalate_after_days: 250}\n")
	require.NoError(t, err)
	require.NoError(t, c.load("transaction", deals...))
	require.NoError(t, c.load("credit", credits...))
	require.NoError(t, c.load("assignment", assignments...))
	for _, e := range earners {
		if e.rail != "" {
			_, err := c.store.SetDestination(ctx, s.id(e.id), store.Destination{ParticipantID: s.id(e.id), Rail: e.rail, Masked: "…",
				Details: map[string]string{"account": map[string]string{bankRail: e.id, fileRail: "DE89370400440532013000"}[e.rail], "holder": strings.TrimPrefix(e.id, "eve")}})
			require.NoError(t, err)
		}
	}
	_, err = c.store.OpenPeriod(ctx, s.id("fin-a"), s.period)
	require.NoError(t, err)
	s.house = open(c.store, c.pool, s.period, begin)
	s.do("open", func() {
		require.NoError(t, workflows.StartPayPeriod(ctx, temporalOf{house: s.house}, s.period, 1))
	})
	return s
}

// id is the id of somebody of the sequence in the database, or of a queue.
func (s *sequence) id(short string) string {
	if short == store.FinanceQueue {
		return short
	}
	return s.period + "-" + short
}

func (s *sequence) short(id string) string { return strings.TrimPrefix(id, s.period+"-") }

func (s *sequence) deal(person string) map[string]any {
	f := s.model.facts[person]
	currency := "USD"
	if f.foreign {
		currency = "EUR"
	}
	return map[string]any{"source": s.source, "transaction_id": person, "date": s.day, "amount": fmt.Sprint(f.dollars), "currency": currency, "attributes": map[string]string{}}
}

// do is one step: what is done in the house, and the clock running on.
func (s *sequence) do(what string, act func()) { s.doAndWait(what, 30*time.Minute, act) }

func (s *sequence) doAndWait(what string, wait time.Duration, act func()) {
	s.run(what, wait, act)
	s.follow(s.model)
	s.compare()
}

// run does something in the house alone.
func (s *sequence) run(what string, wait time.Duration, act func()) {
	s.t.Logf("%s %s", s.model.now.Format("Mon 15:04"), what)
	require.NoError(s.t, s.house.step(act, wait))
}

// follow lets a model do what the system did meanwhile.
func (s *sequence) follow(m *model) {
	m.settle()
	m.now = s.house.env.Now()
	m.settle()
}

func pick[T any](s *sequence, what string, from []T) T {
	return rapid.SampledFrom(from).Draw(s.t, what)
}

func (s *sequence) chance(what string, percent int) bool {
	return rapid.IntRange(0, 99).Draw(s.t, what) >= 100-percent
}

var faulty = []string{"Act", "Act", "Calculate", "CalculateShard", "FinishRun", "DropRun", "Decide", "Decide", "ListRails", "PrepareRail", "ListPayouts", "SubmitPayout", "SetAside", "ConfirmFile", "Archive", "start", "signal"}

// step does one thing at random, towards the period's end more often than not.
func (s *sequence) step() {
	if s.chance("fault", 30) {
		name := pick(s, "of", faulty)
		faults := rapid.SliceOfN(rapid.SampledFrom([]fault{before, after}), 1, 2).Draw(s.t, "faults")
		s.t.Logf("      next, %s fails: %v", name, faults)
		s.house.faults[name] = faults
	}
	switch pick(s, "step", []string{"on", "on", "on", "on", "on", "on", "act", "act", "burst", "decide", "decide", "fact", "fact", "wait", "repeat", "again", "full", "mend", "confirm", "bank", "late"}) {
	case "on":
		s.on()
	case "act":
		s.people(s.anything())
	case "burst":
		first := s.anything()
		if likely := map[string]string{"open": "lock", "calculated": "publish", "published": "end-window", "approved": "release", "settling": "close"}[s.model.state]; likely != "" && s.chance("likely", 60) {
			first = command{act: likely, actor: s.releaser(), list: s.model.listed}
		}
		s.people(first, s.anything(), s.anything())
	case "decide":
		s.decideSomething()
	case "fact":
		s.changeFact(pick(s, "whose", earners).id, fact{pick(s, "dollars", []int64{100, 250, 999, 0, -40}), s.chance("foreign", 8)})
	case "wait":
		wait := pick(s, "wait", []time.Duration{30 * time.Minute, 25 * time.Hour, 4 * 24 * time.Hour, 9 * 24 * time.Hour})
		s.doAndWait("time passes", wait, func() {})
	case "repeat":
		if len(s.sent) > 0 {
			s.repeat(pick(s, "which", s.sent))
		}
	case "again":
		s.again()
	case "full":
		s.do("histories are full", s.house.fill)
	case "mend":
		if len(s.model.payouts) > 0 {
			s.mend(pick(s, "how", []string{"retry-payout", "cancel-payout"}), pick(s, "whose", slices.Sorted(maps.Keys(s.model.payouts))), s.chance("with a reason", 90))
		}
	case "confirm":
		s.confirm(pick(s, "by", finance), rapid.Bool().Draw(s.t, "paid"))
	case "bank":
		person := pick(s, "whose", earners).id
		script := rapid.SliceOfN(rapid.SampledFrom([]string{losesAfter, losesBefore, throttles, refuses, givesUp}), 1, 3).Draw(s.t, "says")
		s.t.Logf("      the bank will say to %s: %q", person, script)
		s.house.bank.scripts[person], s.model.scripts[person] = script, script
	case "late":
		if len(s.kept) > 0 {
			s.decide(s.kept[0])
			s.kept = s.kept[1:]
		}
	}
}

// on does what brings the period a step further.
func (s *sequence) on() {
	m := s.model
	act := func(act, actor string) { s.people(command{act: act, actor: actor, list: m.listed}) }
	switch {
	case m.onHold:
		act("resume", "fin-b")
	case m.state == "open":
		act("lock", "fin-a")
	case m.state == "calculated":
		act("publish", "fin-a")
	case m.state == "published" && s.chance("the window ends by itself", 50):
		s.doAndWait("time passes", 9*24*time.Hour, func() {})
	case m.state == "published":
		act("end-window", "fin-b")
	case m.state == "approving":
		for _, queue := range queues {
			if m.left(queue) > 0 {
				s.approve(queue)
				return
			}
		}
		s.people(command{act: "withdraw", actor: "fin-a", reason: true})
	case m.state == "approved":
		act("release", s.releaser())
	case m.state == "disbursing":
		s.confirm(s.unprepared(), false)
	case m.state == "settling":
		for _, person := range slices.Sorted(maps.Keys(m.payouts)) {
			switch p := m.payouts[person]; {
			case p.state == "held", p.state == "failed" && p.rail == fileRail:
				s.mend("cancel-payout", person, true)
				return
			case p.state == "failed":
				s.mend("retry-payout", person, true)
				return
			case p.state == "submitted":
				s.confirm(s.unprepared(), true)
				return
			}
		}
		act("close", "fin-a")
	default:
		s.do("nothing is left to do", func() {})
	}
}

// unprepared is somebody of finance, or of a few of them, who did not prepare the period;
// fin-d keeps out of it for that.
func (s *sequence) unprepared(of ...string) string {
	if len(of) == 0 {
		of = finance
	}
	for _, id := range of {
		if !s.model.prepared[id] {
			return id
		}
	}
	return "fin-d"
}

// releaser is somebody of finance who neither prepared nor approved the period; fin-e keeps
// out of it for that.
func (s *sequence) releaser() string {
	for _, id := range finance {
		if !s.model.prepared[id] && !s.model.approved(id, "finance") {
			return id
		}
	}
	return "fin-e"
}

// approve lets a queue's own people approve all of it that they may.
func (s *sequence) approve(queue string) {
	d := decisions{by: queue, queue: queue, decision: "approved", named: map[string]int64{}}
	if queue == "finance" {
		d.by = s.unprepared("fin-a", "fin-b") // fin-c is paid as well, and releases
	}
	for _, e := range earners {
		if says, there := s.model.decision(e.id); there && says == "" && e.queue == queue && e.id != d.by {
			d.named[e.id] = s.model.figures[e.id]
		}
	}
	if len(d.named) == 0 {
		s.do("nobody may approve what is left in the queue "+queue, func() {})
		return
	}
	s.decide(s.keep(d, false))
}

// anything is any act by anybody of finance.
func (s *sequence) anything() command {
	c := command{act: pick(s, "act", strings.Fields("lock recalculate publish extend-window end-window withdraw release close cancel hold resume recalculate hold resume")), actor: pick(s, "actor", finance),
		reason: s.chance("with a reason", 90), list: s.model.listed}
	switch c.act {
	case "extend-window":
		c.days = pick(s, "days", []int{1, 3, 60, 0, 61})
	case "release":
		if s.chance("an old list", 20) {
			c.list--
		}
	case "recalculate":
		for _, e := range earners {
			changed := s.model.frozen[e.id] != s.model.facts[e.id]
			if changed && s.chance("takes over", 70) || s.chance("names what has not changed", 3) {
				c.changes = append(c.changes, e.id)
			}
		}
	}
	return c
}

// people lets people act at the same moment, in that order.
func (s *sequence) people(commands ...command) {
	ctx := context.Background()
	var all []string
	var inputs []workflows.ActInput
	for _, c := range commands {
		all = append(all, fmt.Sprintf("%+v", c))
		in := workflows.ActInput{Actor: s.id(c.actor), Days: c.days, PayoutListDigest: []byte("no list")}
		if c.act == "release" && s.lists[c.list] != nil {
			in.PayoutListDigest = s.lists[c.list]
		}
		if c.reason {
			id, err := s.company.store.WriteText(ctx, s.id(c.actor), "why")
			require.NoError(s.t, err)
			in.ReasonID = id
		}
		if len(c.changes) > 0 {
			in.AmendmentID = uuid()
			amendment := store.Amendment{ID: in.AmendmentID, PeriodID: s.period, Revision: 1, By: s.id(c.actor)}
			for _, person := range c.changes {
				amendment.Changes = append(amendment.Changes, store.Change{Kind: "transaction", ID: s.source + "/" + person})
			}
			require.NoError(s.t, s.company.store.KeepAmendment(ctx, amendment))
		}
		inputs = append(inputs, in)
	}
	answers := make([]*received, len(commands))
	sent := make([]update, len(commands))
	s.run(strings.Join(all, " and "), 30*time.Minute, func() {
		for i, c := range commands {
			s.commands++
			sent[i] = update{workflow: activities.PayPeriodID(s.period, 1), name: c.act, key: fmt.Sprint("key-", s.commands), input: inputs[i]}
			answers[i] = s.house.update(sent[i].workflow, c.act, sent[i].key, inputs[i])
		}
	})
	for i, c := range commands {
		require.True(s.t, answers[i].answered, "%s was not answered", c.act)
		s.took(sent[i], answers[i])
	}
	m, first := s.explain(commands, answers)
	if m == nil {
		m = first
	}
	s.model = m
	s.compare()
	for i, c := range commands {
		require.Equal(s.t, m.answers[i], answers[i].code, "%s: %s", c.act, answers[i].message)
	}
}

// explain finds an order in which the commands were done, with what the system did in
// between, that gives the answers and acts there are. Workflows promise no order to those
// who do not wait for an answer; but there must be one. first is the order given.
func (s *sequence) explain(commands []command, answers []*received) (found, first *model) {
	done := s.acts()
	var try func(m *model, left []int, busy bool)
	try = func(m *model, left []int, busy bool) {
		if len(left) == 0 {
			m = m.copied()
			s.follow(m)
			if first == nil {
				first = m
			}
			if slices.Equal(m.acts, done) && !slices.ContainsFunc(slices.Sorted(maps.Keys(m.answers)), func(i int) bool { return m.answers[i] != answers[i].code }) {
				s.catchUp(m)
				found = m
			}
			return
		}
		for n, i := range left {
			if found != nil {
				return
			}
			next := m.copied()
			_, code := next.allowed(commands[i].act)
			next.answers[i] = next.do(commands[i], busy)
			try(next, slices.Delete(slices.Clone(left), n, n+1), busy || code == "")
		}
		if next := m.copied(); found == nil && len(left) < len(commands) && next.bySystem() {
			try(next, left, busy)
		}
	}
	start := s.model.copied()
	start.answers = map[int]string{}
	left := make([]int, len(commands))
	for i := range left {
		left[i] = i
	}
	try(start, left, false)
	return found, first
}

// catchUp pays what was under way when a hold came: that goes to its end, and how much it
// is depends on the moment.
func (s *sequence) catchUp(m *model) {
	if !m.onHold || m.state != "disbursing" {
		return
	}
	files, err := s.company.store.PaymentFiles(context.Background(), s.period, 1, "", 1)
	require.NoError(s.t, err)
	payouts := s.payouts()
	for _, e := range earners {
		if e.rail == fileRail && len(files) > 0 || e.rail != "" && payouts[e.id].State != "planned" {
			m.payOne(e)
		}
	}
}

// acts are what the database says was done to the period.
func (s *sequence) acts() (done []string) {
	acts, err := s.company.store.PeriodActs(context.Background(), s.period, 1)
	require.NoError(s.t, err)
	for _, a := range acts {
		done = append(done, fmt.Sprintf("%s: %s to %s by %s", a.Act, a.From, a.To, s.short(a.Actor)))
	}
	return done
}

func (s *sequence) expect(what, want string, answer *received) {
	require.True(s.t, answer.answered, "%s was not answered", what)
	require.Equal(s.t, want, answer.code, "%s: %s", what, answer.message)
}

// took remembers an Update that a workflow took on, to repeat it later.
func (s *sequence) took(u update, answer *received) {
	if !answer.refused {
		u.answer = *answer
		s.sent = append(s.sent, u)
	}
}

// repeat sends an Update again with its key: it gets its first answer, and nothing happens.
func (s *sequence) repeat(u update) {
	want := u.answer.code
	if !s.house.isRunning(u.workflow) {
		want = string(incentive.CodeNotAllowedNow)
	}
	var answer *received
	s.do("again, "+u.name+" "+u.key, func() { answer = s.house.update(u.workflow, u.name, u.key, u.input) })
	s.expect(u.name, want, answer)
}

// again runs an activity that did its work once more: it finds it done.
func (s *sequence) again() {
	s.house.mutex.Lock()
	calls := slices.Clone(s.house.calls)
	s.house.mutex.Unlock()
	if len(calls) == 0 {
		return
	}
	c := pick(s, "call", calls)
	s.do(fmt.Sprintf("the activity %s once more, with %+v", c.name, c.args), func() { s.house.order(order{again: &c}) })
}

// changeFact imports another version of a person's deal.
func (s *sequence) changeFact(person string, f fact) {
	s.model.facts[person] = f
	require.NoError(s.t, s.company.load("transaction", s.deal(person)))
	s.do(fmt.Sprintf("the deal of %s is now %+v", person, f), func() {})
}

// decideSomething decides about any statements, in any queue, by anybody.
func (s *sequence) decideSomething() {
	d := decisions{queue: pick(s, "queue", queues), decision: pick(s, "decision", []string{"approved", "approved", "approved", "rejected"}), named: map[string]int64{}}
	d.by = d.queue
	if d.queue == "finance" {
		d.by = pick(s, "by", finance)
	} else if s.chance("somebody else", 10) {
		d.by = pick(s, "by", []string{"fin-a", "fin-b", "boss-1", "ann"})
	}
	whole := s.chance("everything", 40)
	for _, e := range earners {
		says, there := s.model.decision(e.id)
		waits := there && says == "" && e.queue == d.queue && e.id != d.by
		switch {
		case whole && waits, !whole && e.queue == d.queue && s.chance("names "+e.id, 60), !whole && s.chance("also "+e.id, 5):
			d.named[e.id] = s.model.figures[e.id]
			if !whole && s.chance("as it was", 10) {
				d.named[e.id] = pick(s, "figure", []int64{1000, 2500, 9990})
			}
		}
	}
	if !whole && len(d.named) == 0 {
		return
	}
	kept := s.keep(d, whole)
	if s.chance("later", 15) {
		s.kept = append(s.kept, kept)
		return
	}
	s.decide(kept)
}

// keep writes decisions down.
func (s *sequence) keep(d decisions, whole bool) keptDecisions {
	ctx := context.Background()
	k := keptDecisions{d, uuid()}
	set := store.DecisionSet{ID: k.id, PeriodID: s.period, Revision: 1, Queue: s.id(d.queue), Decision: d.decision, DecidedBy: s.id(d.by)}
	if d.decision == "rejected" {
		var err error
		set.ReasonID, err = s.company.store.WriteText(ctx, s.id(d.by), "why")
		require.NoError(s.t, err)
	}
	if !whole {
		for _, person := range slices.Sorted(maps.Keys(d.named)) {
			digest := s.digests[person][d.named[person]]
			if digest == nil {
				digest = []byte("of nothing")
			}
			set.Items = append(set.Items, store.Decision{ParticipantID: s.id(person), Digest: digest})
		}
	}
	require.NoError(s.t, s.company.store.KeepDecisionSet(ctx, set))
	return k
}

// decide sends decisions that were written down.
func (s *sequence) decide(k keptDecisions) {
	var answer *received
	var want string
	var applied int
	u := update{workflow: activities.ApprovalID(s.period, 1, s.id(k.queue)), name: workflows.DecideUpdate, key: k.id, input: k.id}
	s.do(fmt.Sprintf("%+v", k.decisions), func() {
		running := s.house.isRunning(u.workflow)
		answer = s.house.update(u.workflow, u.name, u.key, u.input)
		want, applied = s.model.decide(k.decisions, running)
		if want == "" {
			s.model.audited["decision-set/"+k.id]++
		}
	})
	s.expect("the decision", want, answer)
	if want == "" {
		require.Equal(s.t, []int{applied, len(k.named) - applied, s.model.left(k.queue)}, []int{answer.decided.Applied, answer.decided.Refused, answer.decided.LeftHere}, "applied, refused and left")
	}
	s.took(u, answer)
}

// mend decides about a payout that waits for a person, as the API does.
func (s *sequence) mend(act, person string, reason bool) {
	ctx := context.Background()
	why := ""
	if reason {
		var err error
		why, err = s.company.store.WriteText(ctx, s.id("fin-b"), "why")
		require.NoError(s.t, err)
	}
	payoutID, decide := s.payouts()[person].ID, s.company.store.RetryPayout
	if act == "cancel-payout" {
		decide = s.company.store.CancelPayout
	}
	want := s.model.mend(act, person, reason)
	s.do(act+" of "+person, func() {
		err := decide(ctx, s.id("fin-b"), payoutID, why)
		require.Equal(s.t, want, codeOf(err), "%v", err)
		if err == nil {
			_ = s.house.env.SignalWorkflowByID(activities.DisburseID(s.period, 1, s.model.payouts[person].rail), activities.RetrySignal, nil)
		}
	})
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return string(incentive.ErrorCode(err))
}

// confirm says that the payment file was taken to the bank, or carried out.
func (s *sequence) confirm(actor string, paid bool) {
	files, err := s.company.store.PaymentFiles(context.Background(), s.period, 1, "", 100)
	require.NoError(s.t, err)
	in := workflows.ConfirmFileInput{Actor: s.id(actor), Paid: paid}
	if len(files) > 0 {
		in.FileID = files[0].ID
	}
	s.commands++
	u := update{workflow: activities.DisburseID(s.period, 1, fileRail), name: workflows.ConfirmFileUpdate, key: fmt.Sprint("key-", s.commands), input: in}
	var answer *received
	var want string
	s.do(fmt.Sprintf("%s says of the file: paid %t", actor, paid), func() {
		answer = s.house.update(u.workflow, u.name, u.key, in)
		want = s.model.confirm(actor, paid)
	})
	s.expect("confirm the file", want, answer)
	s.took(u, answer)
}

// payouts are the period's, by person.
func (s *sequence) payouts() map[string]store.Payout {
	all, err := s.company.store.Payouts(context.Background(), s.period, 1, nil, "", 100)
	require.NoError(s.t, err)
	by := map[string]store.Payout{}
	for _, o := range all {
		by[s.short(o.ParticipantID)] = o
	}
	return by
}

// compare holds everything that the database says of the period against the model.
func (s *sequence) compare() {
	ctx, db, m := context.Background(), s.company.store, s.model
	p, err := db.PeriodRevision(ctx, s.period, 1)
	require.NoError(s.t, err)
	require.Equal(s.t, m.state, string(p.State))
	require.Equal(s.t, m.onHold, p.OnHold, "on hold")
	if m.state == "published" {
		require.WithinDuration(s.t, m.deadline, *p.WindowDeadline, 0)
	}

	// Figures: those of the last run, each with a digest that changes when it does, and only then.
	statements, err := db.Statements(ctx, s.period, 1, nil, "", 100)
	require.NoError(s.t, err)
	figures := map[string]int64{}
	for _, st := range statements {
		whose := s.short(st.ParticipantID)
		figures[whose] = st.TotalOf.Minor
		known := s.digests[whose]
		if known == nil {
			known = map[int64][]byte{}
			s.digests[whose] = known
		}
		if known[st.TotalOf.Minor] == nil {
			known[st.TotalOf.Minor] = st.Digest
		}
		require.Equal(s.t, known[st.TotalOf.Minor], st.Digest, "the statement of %s says what it said before", whose)
	}
	require.Equal(s.t, len(m.figures), len(figures))
	for person, figure := range m.figures {
		require.Equal(s.t, figure, figures[person], "the figure of %s", person)
	}

	// Approvals: none lost, none for a figure that is another one now.
	var approvals []store.Approval
	for _, queue := range queues {
		all, err := db.Approvals(ctx, s.period, 1, s.id(queue), store.ApprovalKey{}, 100)
		require.NoError(s.t, err)
		approvals = append(approvals, all...)
	}
	decided := map[string]string{}
	for _, a := range approvals {
		whose := s.short(a.ParticipantID)
		decided[whose] = a.Decision
		require.Equal(s.t, s.digests[whose][m.figures[whose]], a.Digest, "the approval of %s is of what stands", whose)
	}
	handedOut := 0
	for _, e := range earners {
		if says, there := m.decision(e.id); there {
			handedOut++
			require.Equal(s.t, says, decided[e.id], "the approval of %s", e.id)
		}
	}
	require.Equal(s.t, handedOut, len(decided))

	// Payouts, and nobody paid before release or twice.
	payouts := map[string]string{}
	for person, o := range s.payouts() {
		payouts[person] = fmt.Sprint(o.State, " ", o.Amount.Minor)
	}
	planned := map[string]string{}
	for person, o := range m.payouts {
		planned[person] = fmt.Sprint(o.state, " ", o.amount)
	}
	require.Equal(s.t, planned, payouts)
	for person, times := range s.house.bank.to {
		require.True(s.t, m.released, "%s was paid before the release", person)
		require.Equal(s.t, 1, times, "%s was paid", person)
	}
	if list, err := db.PayoutList(ctx, s.period, 1); err == nil {
		if s.lists[m.listed] == nil {
			s.lists[m.listed] = list.Digest
		}
		require.Equal(s.t, s.lists[m.listed], list.Digest, "the payout list is the one that was planned")
	}

	// The ledger.
	balances, err := db.Balances(ctx, s.period, 1)
	require.NoError(s.t, err)
	ledger := map[string]int64{}
	for _, b := range balances {
		if b.Minor != 0 {
			ledger[string(b.Kind)] += b.Minor
		}
	}
	want := m.balances()
	maps.DeleteFunc(want, func(_ string, minor int64) bool { return minor == 0 })
	require.Equal(s.t, want, ledger)
	require.NoError(s.t, db.VerifyPayouts(ctx, s.period, 1))

	// Every act once, and on record.
	require.Equal(s.t, m.acts, s.acts())
	audited := s.audited()
	for what, times := range m.audited {
		require.Equal(s.t, times, audited[what], "%s in the audit chain", what)
	}
	require.Equal(s.t, len(m.acts), audited["acts"], "acts in the audit chain")
	for _, queue := range queues {
		running := s.house.isRunning(activities.ApprovalID(s.period, 1, s.id(queue)))
		require.False(s.t, m.state == "approving" && m.left(queue) > 0 && !running, "something waits in the queue %s, and nobody looks after it", queue)
		require.False(s.t, running && (m.state == "closed" || m.state == "cancelled"), "the queue %s is over", queue)
	}
}

// audited counts what the audit chain says of the period.
func (s *sequence) audited() map[string]int {
	rows, err := s.company.pool.Query(context.Background(), `
		SELECT CASE WHEN subject LIKE 'decision-set/%' THEN subject WHEN subject LIKE 'pay-period/%' AND act NOT IN ('open', 'hand-out', 'plan-payouts', 'build-file') THEN 'acts' ELSE act END, count(*)::int
		FROM audit_event
		WHERE subject = 'pay-period/' || $1 || '/1'
			OR subject IN (SELECT 'decision-set/' || id FROM decision_set WHERE period_id = $1)
			OR subject IN (SELECT 'payout/' || id FROM payout WHERE period_id = $1)
			OR subject IN (SELECT 'payment-file/' || id FROM payment_file WHERE period_id = $1)
		GROUP BY 1`, s.period)
	require.NoError(s.t, err)
	counts := map[string]int{}
	var what string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&what, &n}, func() error {
		counts[what] = n
		return nil
	})
	require.NoError(s.t, err)
	return counts
}

// finish brings the period to its end: nothing may be stuck.
func (s *sequence) finish() {
	clear(s.model.scripts)
	clear(s.house.bank.scripts)
	clear(s.house.faults)
	for steps := 0; s.model.state != "closed" && s.model.state != "cancelled"; steps++ {
		m := s.model
		require.Less(s.t, steps, 60, "the period does not come to an end")
		for _, e := range earners {
			if m.state == "open" && m.facts[e.id].foreign {
				s.changeFact(e.id, fact{dollars: 100})
			}
		}
		s.on()
	}
	ctx := context.Background()
	s.do("the archive is made", func() {})
	for id := range s.house.runs {
		require.False(s.t, s.house.isRunning(id), "%s is still under way", id)
	}
	n, err := s.company.store.Histories(ctx, store.Archived{PeriodID: s.period, Revision: 1}, func(store.History) error { return nil })
	require.NoError(s.t, err)
	require.Positive(s.t, n, "the archive is complete")
	if s.model.figures != nil {
		_, err = activities.Verify(ctx, s.company.store, s.period, 1)
	} else {
		_, _, err = s.company.store.VerifyAudit(ctx)
	}
	require.NoError(s.t, err)
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

package calculation

import (
	"slices"
	"sort"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// credit is a credit with its transaction and what it comes to.
type credit struct {
	*incentive.Credit
	transaction *incentive.Transaction
	credited    decimal.Decimal // major units of the transaction's currency
}

// facts is a snapshot arranged for looking things up. It is read by many at once and
// changed by nobody.
type facts struct {
	period     incentive.Period
	people     map[string][]incentive.Participant // each by date of effect
	quotas     map[string][]incentive.Quota       // by participant
	reliefs    map[string][]incentive.Relief      // by participant
	groups     groups
	objectives map[string][]incentive.Objective                      // by participant, in the order of their names
	sold       []incentive.Transaction                               // by date, source and id: the order in which deals climb tiers
	soldAt     func() map[incentive.TransactionKey]int               // where each is among them
	refunds    map[incentive.TransactionKey][]*incentive.Transaction // by what they give back, in their order
	own        map[string][]credit                                   // by participant, in the order in which deals climb tiers
	ofTeams    map[teamLevel][]credit                                // the same, by manager
	posted     map[postedKey][]incentive.Posted                      // lines of earlier periods
	rates      map[ratePair][]incentive.ExchangeRate                 // each by date
	uncredited []incentive.Transaction                               // of the period, in their order
	// standings is how contests end, by participant; it is filled before the first statement.
	standings map[Contest]map[string]standing
}

// teamLevel names the people so many levels below a manager.
type teamLevel struct {
	manager string
	level   int
}

// arrange builds the facts; levels of the hierarchy only as far as a plan's overrides go.
func arrange(snapshot incentive.Snapshot, plans map[string]versionInForce) (*facts, error) {
	f := &facts{
		period:     snapshot.Period,
		people:     map[string][]incentive.Participant{},
		quotas:     map[string][]incentive.Quota{},
		reliefs:    map[string][]incentive.Relief{},
		objectives: map[string][]incentive.Objective{},
		own:        map[string][]credit{},
		ofTeams:    map[teamLevel][]credit{},
		posted:     map[postedKey][]incentive.Posted{},
		sold:       snapshot.Transactions,
		soldAt:     sync.OnceValue(func() map[incentive.TransactionKey]int { return places(snapshot.Transactions) }),
		refunds:    map[incentive.TransactionKey][]*incentive.Transaction{},
		rates:      map[ratePair][]incentive.ExchangeRate{},
	}
	for _, r := range snapshot.Rates {
		pair := ratePair{r.Source, r.From, r.To}
		f.rates[pair] = append(f.rates[pair], r)
	}
	for _, l := range snapshot.Posted {
		key := postedKey{l.ParticipantID, l.PlanID, l.Component}
		f.posted[key] = append(f.posted[key], l)
	}
	for _, p := range snapshot.Participants {
		f.people[p.ID] = append(f.people[p.ID], p)
	}
	for _, q := range snapshot.Quotas {
		f.quotas[q.ParticipantID] = append(f.quotas[q.ParticipantID], q)
	}
	for _, r := range snapshot.Reliefs {
		f.reliefs[r.ParticipantID] = append(f.reliefs[r.ParticipantID], r)
	}
	f.groups = arrangeGroups(snapshot)
	for _, o := range snapshot.Objectives {
		f.objectives[o.ParticipantID] = append(f.objectives[o.ParticipantID], o)
	}
	depth := deepest(plans)
	credits := f.creditsOf(snapshot.Credits)
	rules := f.creditRules(snapshot, plans)
	assignments := map[string][]incentive.Assignment{}
	for _, a := range snapshot.Assignments {
		assignments[a.ParticipantID] = append(assignments[a.ParticipantID], a)
	}
	clawsBack := false
	for _, p := range plans {
		clawsBack = clawsBack || slices.ContainsFunc(p.Components, func(c plan.Component) bool { return c.Clawback != nil })
	}
	var problems []error
	var chain []string // used again
	for i := range f.sold {
		t := &f.sold[i]
		if t.RefundOf != "" {
			f.refunds[t.Refunded()] = append(f.refunds[t.Refunded()], t)
		}
		if t.Date.Before(snapshot.Since) {
			continue // it is there for what was paid for it
		}
		given := credits[i]
		if len(given) == 0 {
			var err error
			if given, err = f.credit(rules, t, assignments); err != nil {
				problems = append(problems, err)
			} else if len(given) == 0 && f.period.Holds(t.Date) && (t.RefundOf == "" || !clawsBack) {
				f.uncredited = append(f.uncredited, *t)
			}
		}
		for _, c := range given {
			one := credit{c, t, credited(t, c)}
			f.own[c.ParticipantID] = append(f.own[c.ParticipantID], one)
			var err error
			if chain, err = f.managers(chain[:0], c.ParticipantID, t.Date, depth); err != nil {
				problems = append(problems, err)
				continue
			}
			for level, manager := range chain {
				key := teamLevel{manager, level + 1}
				f.ofTeams[key] = append(f.ofTeams[key], one)
			}
		}
	}
	return f, together(problems)
}

func places(sold []incentive.Transaction) map[incentive.TransactionKey]int {
	at := make(map[incentive.TransactionKey]int, len(sold))
	for i := range sold {
		at[sold[i].TransactionKey] = i
	}
	return at
}

// notSold is the place of a transaction that is not there.
const notSold = -1

// placesOf returns where the transaction of each credit is.
func (f *facts) placesOf(all []incentive.Credit) []int {
	at, n := make([]int, len(all)), 0
	for i := range all {
		for n < len(f.sold) && f.sold[n].TransactionKey != all[i].Transaction {
			n++
		}
		if n == len(f.sold) {
			break
		}
		at[i] = n
	}
	if n < len(f.sold) {
		return at // the credits come in the order of the transactions, as those of a shard do
	}
	known := f.soldAt()
	for i := range all {
		place, sold := known[all[i].Transaction]
		if !sold {
			place = notSold
		}
		at[i] = place
	}
	return at
}

// creditsOf returns the credits of each transaction.
func (f *facts) creditsOf(all []incentive.Credit) [][]*incentive.Credit {
	at, ends := f.placesOf(all), make([]int, len(f.sold)+1)
	for _, n := range at {
		if n != notSold {
			ends[n+1]++
		}
	}
	of, together := make([][]*incentive.Credit, len(f.sold)), make([]*incentive.Credit, len(all))
	for i := range of {
		ends[i+1] += ends[i]
		of[i] = together[ends[i]:ends[i]:ends[i+1]]
	}
	for i, n := range at {
		if n != notSold {
			of[n] = append(of[n], &all[i])
		}
	}
	return of
}

// transaction returns what was sold under a key.
func (f *facts) transaction(key incentive.TransactionKey) (*incentive.Transaction, bool) {
	n, sold := f.soldAt()[key]
	if !sold {
		return nil, false
	}
	return &f.sold[n], true
}

// credited returns what a credit comes to; most are of the whole.
func credited(t *incentive.Transaction, c *incentive.Credit) decimal.Decimal {
	if c.Share.Exponent() == 0 && c.Share.CoefficientInt64() == 1 && c.Share.NumDigits() == 1 {
		return t.Amount
	}
	return t.Amount.Mul(c.Share)
}

// deepest returns how many levels of the hierarchy the plans' overrides look down.
func deepest(plans map[string]versionInForce) int {
	depth := 0
	for _, p := range plans {
		for _, c := range p.Components {
			if c.Override != nil {
				depth = max(depth, c.Override.Level)
			}
		}
	}
	return depth
}

// participantOn returns what is true of a participant on a day.
func (f *facts) participantOn(id string, day incentive.Date) (incentive.Participant, bool) {
	if who := f.personOn(id, day); who != nil {
		return *who, true
	}
	return incentive.Participant{}, false
}

// personOn is participantOn where it is only read; nil is nobody.
func (f *facts) personOn(id string, day incentive.Date) *incentive.Participant {
	known := f.people[id]
	n := sort.Search(len(known), func(i int) bool { return known[i].EffectiveFrom.After(day) })
	if n == 0 {
		return nil
	}
	return &known[n-1]
}

// managers appends the managers above a participant on a day to an empty chain, nearest first,
// up to depth.
func (f *facts) managers(chain []string, id string, day incentive.Date, depth int) ([]string, error) {
	for at := id; len(chain) < depth; {
		p := f.personOn(at, day)
		if p == nil {
			return nil, incentive.Errorf(CodeUnknownCredit, "nothing is known of %s on %s, the day of a transaction: import the participant with an earlier date of effect", at, day)
		}
		if p.ManagerID == "" {
			break
		}
		if p.ManagerID == id || slices.Contains(chain, p.ManagerID) {
			return nil, incentive.Errorf(CodeHierarchyCircle, "on %s the managers above %s go in a circle at %s: correct the managers", day, id, p.ManagerID)
		}
		at = p.ManagerID
		chain = append(chain, at)
	}
	return chain, nil
}

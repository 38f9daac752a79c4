package papers

import (
	"fmt"
	"strings"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
)

// Statement makes a statement as whoever it is of reads it: every line with its arithmetic and
// the deals behind it, and what was not paid and why.
func (m *Maker) Statement(h Head, st spec.Statement, payouts []spec.Payout) ([]byte, error) {
	s := m.sheet(h, "document.statement", "P")
	s.page()
	s.title(st.Name, s.say("document.of-period", "period", h.Period, "first", s.Date(h.StartsOn), "last", s.Date(h.EndsOn)))
	s.figure(s.say("document.total"), s.Money(st.Total))
	revision := ""
	if st.Revision > 1 {
		revision = fmt.Sprint(st.Revision)
	}
	s.facts(fact{s.say("column.person"), st.Person}, fact{s.say("document.revision"), revision})
	if len(st.Lines) == 0 {
		s.write(s.say("statement.empty"), plain, "", ink)
	} else {
		rows := [][]string{}
		for _, line := range st.Lines {
			rows = append(rows, []string{line.Component, s.planOf(line), s.Money(line.Amount)})
		}
		rows = append(rows, []string{s.say("statement.sum"), "", s.Money(st.Total)})
		s.table([]heads{{s.say("document.component"), 4, false}, {s.say("column.plan"), 4, false}, {s.say("column.earned"), 2.4, true}}, rows, len(rows)-1)
	}
	for _, o := range payouts {
		s.facts(fact{s.say("document.payout"), s.paid(o)})
	}
	for _, line := range st.Lines {
		s.lineOf(line, st.Person)
	}
	s.notPaid(st.NotPaid)
	return s.finish(s.say("document.digest", "digest", st.Digest))
}

func (s *sheet) planOf(line spec.Line) string {
	of := ""
	if line.PlanName != "" {
		of = s.say("document.plan", "plan", line.PlanName, "version", line.PlanVersion)
	}
	if line.Corrects != nil {
		of = strings.TrimPrefix(of+", "+s.say("document.corrects", "period", *line.Corrects), ", ")
	}
	return of
}

// paid says how a payout stands.
func (s *sheet) paid(o spec.Payout) string {
	said := s.say("home.payout", "amount", s.Money(o.Amount), "state", s.Term("payout", o.State), "destination", o.Destination)
	if o.Withheld != nil {
		said += " " + s.say("payouts.withheld", "amount", s.Money(*o.Withheld))
	}
	return said
}

// lineOf writes the arithmetic of a line and the deals behind it.
func (s *sheet) lineOf(line spec.Line, person string) {
	s.heading(line.Component + " · " + s.Money(line.Amount))
	words := make([]string, len(line.InWords))
	for i, sentence := range line.InWords {
		words[i] = s.Words(sentence)
	}
	s.items(words)
	if len(line.Contributions) == 0 {
		return
	}
	rows := [][]string{}
	for _, c := range line.Contributions {
		credit := c.Role
		if c.Person != person {
			credit += " " + c.Person
		}
		rows = append(rows, []string{c.Transaction + " " + c.Source, credit, s.Number(c.Credited), s.Number(c.Amount), s.Money(c.Shown)})
	}
	s.table([]heads{{s.say("column.deal"), 3.2, false}, {s.say("column.credit"), 2, false}, {s.say("column.credited"), 2.2, true}, {s.say("column.exact"), 2.6, true}, {s.say("column.shown"), 2.4, true}}, rows)
}

// notPaid writes which credits no line pays for.
func (s *sheet) notPaid(all []spec.NotPaid) {
	if len(all) == 0 {
		return
	}
	s.heading(s.say("statement.not-paid"))
	rows := [][]string{}
	for _, n := range all {
		reasons := []string{}
		for _, r := range n.Reasons {
			why := s.Words(r.InWords)
			if r.Component != nil {
				why = *r.Component + ": " + why
			}
			reasons = append(reasons, why)
		}
		rows = append(rows, []string{n.Transaction + " " + n.Source, n.Role, s.Number(n.Credited), strings.Join(reasons, "\n")})
	}
	s.table([]heads{{s.say("column.deal"), 2.6, false}, {s.say("column.credit"), 1.6, false}, {s.say("column.credited"), 2, true}, {s.say("column.reason"), 5, false}}, rows)
}

// Trace is what is known of how a payout went.
type Trace struct {
	Reference string         // what the rail knows it by
	RailID    string         // what it calls it
	SentOn    incentive.Date // in the company's zone; zero where it was not sent
	PaidOn    incentive.Date // zero where it was not paid
}

// Advice makes the advice of one payout: what is paid to whom, where and for what.
func (m *Maker) Advice(h Head, o spec.Payout, trace Trace) ([]byte, error) {
	s := m.sheet(h, "document.advice", "P")
	s.page()
	s.title(s.say("document.advice"), s.say("document.advice.from", "company", h.Company))
	s.figure(s.say("document.advice.to", "name", o.Name), s.Money(o.Amount))
	day := func(d incentive.Date) string {
		if d.IsZero() {
			return ""
		}
		return s.Date(d)
	}
	rail := o.Rail
	if rail != "" {
		rail = s.Term("rail", rail)
	}
	s.facts(
		fact{s.say("document.advice.payee"), o.Name + " (" + o.Person + ")"}, fact{s.say("document.advice.state"), s.Term("payout", o.State)}, fact{s.say("column.rail"), rail}, fact{s.say("document.advice.destination"), o.Destination},
		fact{s.say("document.advice.sent"), day(trace.SentOn)}, fact{s.say("document.advice.paid"), day(trace.PaidOn)}, fact{s.say("column.reference"), trace.Reference}, fact{s.say("document.advice.rail-id"), trace.RailID})
	rows := [][]string{{s.say("document.advice.earned", "period", h.Period), s.Money(o.Earned)}}
	if o.Carried.Minor != 0 {
		rows = append(rows, []string{s.say("document.advice.carried"), s.Money(o.Carried)})
	}
	if o.Withheld != nil {
		rows = append(rows, []string{s.say("document.advice.withheld"), s.Money(incentive.Money{Minor: -o.Withheld.Minor, Currency: o.Withheld.Currency})})
	}
	rows = append(rows, []string{s.say("document.advice.amount"), s.Money(o.Amount)})
	sum := len(rows) - 1
	if o.Recalled != nil {
		rows = append(rows, []string{s.say("document.advice.recalled"), s.Money(incentive.Money{Minor: -o.Recalled.Minor, Currency: o.Recalled.Currency})})
	}
	s.table([]heads{{s.say("document.advice.for"), 6, false}, {s.say("document.advice.amount"), 2.4, true}}, rows, sum)
	s.note(s.say("document.advice.means"))
	return s.finish(s.say("document.payout-id", "payout", o.Id))
}

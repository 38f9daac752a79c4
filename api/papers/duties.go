package papers

import (
	"fmt"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// Duties is who had which part in the periods of some days, and what was in one hand that belongs in two.
type Duties struct {
	From, To  incentive.Date
	Duties    []store.Duty
	Conflicts []store.DutyConflict
	Names     map[string]string // by the ids of people
}

// Duties makes the report of the segregation of duties. The head is of no period.
func (m *Maker) Duties(h Head, d Duties) ([]byte, error) {
	s := m.sheet(h, "duties.title", "P")
	s.page()
	s.title(s.say("duties.title"), s.Date(d.From)+" – "+s.Date(d.To))
	s.note(s.say("duties.means"))
	s.duties(d)
	return s.finish("")
}

// duties writes what was in one hand that belongs in two, and who had which part.
func (s *sheet) duties(d Duties) {
	of := func(person string) string { return strings.TrimSpace(d.Names[person] + " " + person) }
	s.heading(s.say("duties.conflicts"))
	if rows := [][]string{}; len(d.Conflicts) > 0 {
		for _, c := range d.Conflicts {
			at := "–"
			if c.At != nil {
				at = s.moment(*c.At)
			}
			rows = append(rows, []string{s.Term("conflict", c.Rule), of(c.Person), c.Subject, at})
		}
		s.table([]heads{{s.say("column.conflict"), 4, false}, {s.say("column.who"), 2.4, false}, {s.say("column.subject"), 3, false}, {s.say("column.when"), 2, false}}, rows)
	} else {
		s.note(s.say("duties.fine"))
	}
	s.heading(s.say("duties.caption"))
	if rows := [][]string{}; len(d.Duties) > 0 {
		for _, one := range d.Duties {
			rows = append(rows, []string{fmt.Sprintf("%s/%d", one.PeriodID, one.Revision), s.Term("duty", one.Part), of(one.Person), s.Number(fmt.Sprint(one.Times)), s.moment(one.LastAt)})
		}
		s.table([]heads{{s.say("column.period"), 2.6, false}, {s.say("column.part"), 2.6, false}, {s.say("column.who"), 2.8, false}, {s.say("column.times"), 1.2, true}, {s.say("column.last"), 2.2, false}}, rows)
	} else {
		s.note(s.say("duties.empty"))
	}
}

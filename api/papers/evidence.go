package papers

import (
	"fmt"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// Evidence is what whoever opens the evidence of a period reads first.
type Evidence struct {
	Verified
	Acts    []store.PeriodAct
	Payouts []store.PayoutTotal
	Duties  Duties
}

// Evidence makes the summary of an evidence pack: what the proof found, who moved the period on, what is paid, and who
// had which duty.
func (m *Maker) Evidence(h Head, e Evidence) ([]byte, error) {
	s := m.sheet(h, "document.proof", "P")
	s.page()
	s.title(s.say("proof.title", "period", h.Period), s.say("verification.title", "number", e.Number))
	s.verdict(e.Report)
	s.verified(e.Verified)
	s.note(s.say("verification.not"))
	s.heading(s.say("evidence.acts"))
	rows := [][]string{}
	for _, a := range e.Acts {
		rows = append(rows, []string{s.Term("did", string(a.Act)), strings.TrimSpace(e.Duties.Names[a.Actor] + " " + a.Actor), s.moment(a.At)})
	}
	s.table([]heads{{s.say("column.what"), 4, false}, {s.say("column.who"), 3, false}, {s.say("column.when"), 2.4, false}}, rows)
	if len(e.Payouts) > 0 {
		s.heading(s.say("column.payouts"))
		rows = [][]string{}
		for _, p := range e.Payouts {
			rail := "–"
			if p.Rail != "" {
				rail = s.Term("rail", p.Rail)
			}
			rows = append(rows, []string{rail, s.Term("payout", p.State), s.Number(fmt.Sprint(p.Payouts)), s.Money(incentive.Money{Minor: p.Minor, Currency: p.Currency})})
		}
		s.table([]heads{{s.say("column.rail"), 3, false}, {s.say("column.stands"), 2, false}, {s.say("column.payouts"), 1.4, true}, {s.say("column.amount"), 2.4, true}}, rows)
	}
	s.duties(e.Duties)
	return s.finish(s.say("document.report", "digest", e.SHA256))
}

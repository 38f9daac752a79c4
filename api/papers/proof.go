package papers

import (
	"fmt"
	"time"

	"github.com/guerdon/guerdon/incentive/proof"
)

// Verified is a verification with who asked for it.
type Verified struct {
	Number  int64
	By      string // a name
	Of      string // the name of whose statement it is; "" for everybody's
	AskedAt time.Time
	EndedAt time.Time
	SHA256  string // of the report
	Report  proof.PeriodReport
}

// Verification makes the report of a verification.
func (m *Maker) Verification(h Head, v Verified) ([]byte, error) {
	s := m.sheet(h, "document.proof", "P")
	s.page()
	s.title(s.say("proof.title", "period", h.Period), s.say("verification.title", "number", v.Number))
	s.verdict(v.Report)
	s.verified(v)
	s.note(s.say("verification.not"))
	return s.finish(s.say("document.report", "digest", v.SHA256))
}

func (s *sheet) verdict(r proof.PeriodReport) {
	verdict, c := "proved.means.proved", accent
	if !r.Proved() {
		verdict, c = "proved.means.failed", bad
	}
	s.write(s.say(verdict), heading+2, "B", c)
	s.gap(afterPart)
}

// verified writes what a verification was of, what it checked and what it found.
func (s *sheet) verified(v Verified) {
	r := v.Report
	of := s.say("proof.of-all")
	if v.Of != "" {
		of = s.say("proof.of-statement", "name", v.Of)
	}
	s.facts(fact{s.say("column.what"), of}, fact{s.say("document.revision"), fmt.Sprint(r.Revision)}, fact{s.say("document.state"), s.Term("state", r.State)}, fact{s.say("document.proof.by"), v.By},
		fact{s.say("document.proof.asked"), s.moment(v.AskedAt)}, fact{s.say("document.proof.ended"), s.moment(v.EndedAt)}, fact{s.say("document.engine"), r.EngineVersion})
	rows := [][]string{}
	for _, c := range r.Checks {
		name := s.Term("check", c.Name)
		if c.Open > 0 {
			name += "\n" + s.count("verification.open", c.Open)
		}
		for _, id := range c.CutShort {
			name += "\n" + s.say("verification.cut-short", "workflow", id)
		}
		rows = append(rows, []string{name, s.Term("proved", c.Outcome), s.Number(fmt.Sprint(c.Count)), c.Digest})
	}
	s.table([]heads{{s.say("column.check"), 4.4, false}, {s.say("column.outcome"), 1.3, false}, {s.say("column.checked"), 1.4, true}, {s.say("column.digest"), 4.6, false}}, rows)
	for _, c := range r.Checks {
		if len(c.Findings) == 0 {
			continue
		}
		s.heading(s.Term("check", c.Name))
		rows := [][]string{}
		for _, f := range c.Findings {
			rows = append(rows, []string{f.Subject, f.Participant, s.Translate(f.Message)})
		}
		s.table([]heads{{s.say("column.subject"), 2.4, false}, {s.say("column.person"), 1.4, false}, {s.say("document.finding"), 6, false}}, rows)
		if c.More > 0 {
			s.note(s.count("verification.more", c.More))
		}
	}
}

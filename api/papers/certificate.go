package papers

import (
	"github.com/guerdon/guerdon/api/spec"
)

// Certificate makes the certificate of what somebody has achieved by one line of a statement.
func (m *Maker) Certificate(h Head, st spec.Statement, line spec.Line) ([]byte, error) {
	s := m.sheet(h, "document.certificate", "L")
	s.pdf.AddPage()
	width, height := s.pdf.GetPageSize()
	s.pdf.SetDrawColor(accent[0], accent[1], accent[2])
	s.pdf.SetLineWidth(1.4)
	s.pdf.Rect(9, 9, width-18, height-18, "D")
	s.pdf.SetLineWidth(.3)
	s.pdf.Rect(11.5, 11.5, width-23, height-23, "D")
	s.shield(width/2, 38)
	centred := func(text string, size float64, style string, c colour, after float64) {
		s.type_(size, style, c)
		for _, one := range s.lines(text, s.width()-20) {
			s.pdf.SetX(margin)
			s.pdf.CellFormat(s.width(), size*perPoint*1.3, one, "", 2, "C", false, 0, "")
		}
		s.gap(after)
	}
	s.pdf.SetXY(margin, 62)
	centred(h.Company, 12, "B", accent, 5)
	centred(s.kind, 15, "", muted, 3)
	centred(st.Name, 34, "B", ink, 5)
	a := *line.Achievement
	switch {
	case a.Kind == spec.AchievementKindPrize && *a.Tied > 1:
		centred(s.say("document.certificate.tied", "place", *a.Place, "component", line.Component), 15, "", ink, 2)
	case a.Kind == spec.AchievementKindPrize:
		centred(s.say("document.certificate.place", "place", *a.Place, "component", line.Component), 15, "", ink, 2)
	default:
		centred(s.say("document.certificate.quota", "percent", s.Number(*a.Percent), "component", line.Component), 15, "", ink, 2)
	}
	centred(s.say("document.of-period", "period", h.Period, "first", s.Date(h.StartsOn), "last", s.Date(h.EndsOn)), 12, "", muted, 8)
	if a.Kind == spec.AchievementKindPrize {
		centred(s.Money(line.Amount), 22, "B", accent, 0)
	}
	s.type_(7, "", muted)
	s.pdf.SetXY(margin, height-19)
	s.pdf.CellFormat(s.width(), 4, s.say("document.digest", "digest", st.Digest), "", 0, "C", false, 0, "")
	return s.output()
}

// shield draws the mark of the product, around x from y downwards.
func (s *sheet) shield(x, y float64) {
	p := s.pdf
	p.SetDrawColor(accent[0], accent[1], accent[2])
	p.SetLineWidth(.9)
	p.SetLineCapStyle("round")
	p.SetLineJoinStyle("round")
	p.MoveTo(x, y)
	p.LineTo(x-8, y+3.6)
	p.LineTo(x-8, y+9)
	p.CurveBezierCubicTo(x-8, y+13.5, x-4.5, y+16.8, x, y+18)
	p.CurveBezierCubicTo(x+4.5, y+16.8, x+8, y+13.5, x+8, y+9)
	p.LineTo(x+8, y+3.6)
	p.ClosePath()
	p.DrawPath("D")
	p.MoveTo(x-3.4, y+9)
	p.LineTo(x-.8, y+11.6)
	p.LineTo(x+3.8, y+6.4)
	p.DrawPath("D")
}

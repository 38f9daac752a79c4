package papers

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"github.com/guerdon/guerdon/incentive/language"
)

// Sizes in millimetres, of type in points.
const (
	margin    = 18.0
	bottom    = 20.0 // which the foot needs
	lineOf    = 1.45 // the height of a line, in sizes of its type
	plain     = 9.5
	small     = 8.0
	heading   = 12.0
	title     = 20.0
	perPoint  = 25.4 / 72
	afterRow  = 1.2
	afterPart = 4.0
)

type colour [3]int

var (
	ink    = colour{28, 36, 33}
	muted  = colour{90, 102, 97}
	rule   = colour{205, 212, 208}
	accent = colour{11, 107, 87}
	soft   = colour{238, 244, 241}
	bad    = colour{163, 38, 31}
)

// sheet is a document that is being written, from the top to the bottom.
type sheet struct {
	language.Texts
	pdf  *fpdf.Fpdf
	head Head
	kind string // what the document is, in words
	err  error  // the first one
}

// sheet begins a document of a kind, which is a text's key. orientation is P or L.
func (m *Maker) sheet(h Head, kind, orientation string) *sheet {
	s := &sheet{Texts: m.texts[h.Language], pdf: fpdf.New(orientation, "mm", "A4", ""), head: h}
	if s.Language == "" {
		s.Texts = m.texts[language.English]
	}
	s.kind = s.say(kind)
	s.pdf.AddUTF8FontFromBytes("noto", "", m.regular)
	s.pdf.AddUTF8FontFromBytes("noto", "B", m.bold)
	s.pdf.SetMargins(margin, margin, margin)
	s.pdf.SetCellMargin(0)
	s.pdf.SetAutoPageBreak(false, bottom)
	s.pdf.SetCatalogSort(true)
	s.pdf.SetCreationDate(time.Unix(0, 0).UTC()) // a document says itself when what happened
	s.pdf.SetModificationDate(time.Unix(0, 0).UTC())
	s.pdf.SetLang(string(s.Language))
	s.pdf.SetTitle(s.kind+" · "+h.Company, true)
	s.pdf.SetProducer("Guerdon", true)
	return s
}

// say is a text, filled with pairs of a name and what stands there.
func (s *sheet) say(key string, pairs ...any) string {
	text, err := s.Say(key, pairs...)
	if err != nil && s.err == nil {
		s.err = err
	}
	return text
}

// count is say for a number.
func (s *sheet) count(key string, count int, pairs ...any) string {
	text, err := s.Count(key, count, pairs...)
	if err != nil && s.err == nil {
		s.err = err
	}
	return text
}

func (s *sheet) moment(at time.Time) string { return s.Moment(at, s.head.Zone) }

// page begins one, with the company and what the document is above.
func (s *sheet) page() {
	s.pdf.AddPage()
	s.type_(small, "B", accent)
	s.pdf.SetXY(margin, 10)
	s.pdf.CellFormat(s.width()/2, 5, s.fit(s.head.Company, s.width()/2), "", 0, "L", false, 0, "")
	s.type_(small, "", muted)
	s.pdf.CellFormat(s.width()/2, 5, s.kind, "", 0, "R", false, 0, "")
	s.line(15.5)
	s.pdf.SetXY(margin, margin+2)
}

func (s *sheet) line(y float64) {
	s.pdf.SetDrawColor(rule[0], rule[1], rule[2])
	s.pdf.SetLineWidth(.2)
	s.pdf.Line(margin, y, margin+s.width(), y)
}

func (s *sheet) width() float64 {
	w, _ := s.pdf.GetPageSize()
	return w - 2*margin
}

func (s *sheet) left() float64 {
	_, h := s.pdf.GetPageSize()
	return h - bottom - s.pdf.GetY()
}

// need begins a new page where less than height is left of this one.
func (s *sheet) need(height float64) bool {
	if s.left() >= height {
		return false
	}
	s.page()
	return true
}

func (s *sheet) type_(size float64, style string, c colour) {
	s.pdf.SetFont("noto", style, size)
	s.pdf.SetTextColor(c[0], c[1], c[2])
}

// plainly writes what no line break may part with a space of its own: the font's is the same.
var plainly = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\t", " ")

// lines parts a text where it is wider than width, within a word if need be.
func (s *sheet) lines(text string, width float64) []string {
	var all []string
	for _, paragraph := range strings.Split(text, "\n") {
		words, now := strings.Split(paragraph, " "), ""
		for _, word := range words {
			for {
				with := word
				if now != "" {
					with = now + " " + word
				}
				if s.pdf.GetStringWidth(plainly.Replace(with)) <= width {
					now = with
					break
				}
				if now != "" {
					all, now = append(all, plainly.Replace(now)), ""
					continue
				}
				head := s.fitting(word, width)
				all, word = append(all, plainly.Replace(word[:head])), word[head:]
			}
		}
		all = append(all, plainly.Replace(now))
	}
	return all
}

// fitting is how many bytes of a word are no wider than width; at least its first letter.
func (s *sheet) fitting(word string, width float64) int {
	end := 0
	for i, r := range word {
		next := i + len(string(r))
		if end > 0 && s.pdf.GetStringWidth(plainly.Replace(word[:next])) > width {
			break
		}
		end = next
	}
	return end
}

// fit shortens a text to one line.
func (s *sheet) fit(text string, width float64) string {
	text = plainly.Replace(strings.ReplaceAll(text, "\n", " "))
	if s.pdf.GetStringWidth(text) <= width-2 {
		return text
	}
	return text[:s.fitting(text, width-6)] + "…"
}

// write writes a text from the left margin, over as many lines and pages as it needs.
func (s *sheet) write(text string, size float64, style string, c colour) {
	s.type_(size, style, c)
	height := size * perPoint * lineOf
	for _, line := range s.lines(text, s.width()) {
		if s.need(height) {
			s.type_(size, style, c)
		}
		s.pdf.SetX(margin)
		s.pdf.CellFormat(s.width(), height, line, "", 2, "L", false, 0, "")
	}
}

// gap leaves room.
func (s *sheet) gap(height float64) { s.pdf.SetXY(margin, s.pdf.GetY()+height) }

// title writes what the document is about.
func (s *sheet) title(text, below string) {
	s.write(text, title, "B", ink)
	if below != "" {
		s.write(below, plain+1, "", muted)
	}
	s.gap(afterPart)
}

// heading begins a part, together with at least some of it.
func (s *sheet) heading(text string) {
	s.need(24)
	s.gap(1)
	s.write(text, heading, "B", ink)
	s.gap(1)
}

// figure shows the one amount that a document is about.
func (s *sheet) figure(label, amount string) {
	y := s.pdf.GetY()
	s.pdf.SetFillColor(soft[0], soft[1], soft[2])
	s.pdf.Rect(margin, y, s.width(), 21, "F")
	s.pdf.SetFillColor(accent[0], accent[1], accent[2])
	s.pdf.Rect(margin, y, 1.2, 21, "F")
	s.type_(small+1, "", muted)
	s.pdf.SetXY(margin+5, y+2.5)
	s.pdf.CellFormat(s.width()-10, 5, s.fit(label, s.width()-10), "", 2, "L", false, 0, "")
	s.type_(22, "B", ink)
	s.pdf.CellFormat(s.width()-10, 10.5, plainly.Replace(amount), "", 2, "L", false, 0, "")
	s.pdf.SetXY(margin, y+21+afterPart)
}

// fact is a name with what it is.
type fact struct{ name, is string }

// facts lists facts, one a line; what is "" is left out.
func (s *sheet) facts(all ...fact) {
	name := s.width() * .32
	for _, f := range all {
		if f.is == "" {
			continue
		}
		s.type_(plain, "", ink)
		lines := s.lines(f.is, s.width()-name)
		s.type_(plain, "", muted)
		names := s.lines(f.name, name-3)
		height := plain * perPoint * lineOf
		s.need(height * float64(max(len(lines), len(names))))
		y := s.pdf.GetY()
		s.type_(plain, "", muted)
		s.column(names, margin, y, name, height, "L")
		s.type_(plain, "", ink)
		s.column(lines, margin+name, y, s.width()-name, height, "L")
		s.pdf.SetXY(margin, y+height*float64(max(len(lines), len(names)))+.8)
	}
	s.gap(afterPart)
}

func (s *sheet) column(lines []string, x, y, width, height float64, align string) {
	for i, line := range lines {
		s.pdf.SetXY(x, y+height*float64(i))
		s.pdf.CellFormat(width, height, line, "", 0, align, false, 0, "")
	}
}

// items lists sentences in their order.
func (s *sheet) items(all []string) {
	height := plain * perPoint * lineOf
	for i, text := range all {
		s.type_(plain, "", ink)
		for n, line := range s.lines(text, s.width()-8) {
			if s.need(height) {
				s.type_(plain, "", ink)
			}
			y := s.pdf.GetY()
			if n == 0 {
				s.type_(plain, "", muted)
				s.pdf.SetXY(margin, y)
				s.pdf.CellFormat(7, height, fmt.Sprintf("%d.", i+1), "", 0, "R", false, 0, "")
				s.type_(plain, "", ink)
			}
			s.pdf.SetXY(margin+8, y)
			s.pdf.CellFormat(s.width()-8, height, line, "", 0, "L", false, 0, "")
			s.pdf.SetXY(margin, y+height)
		}
	}
	s.gap(2)
}

// heads is the head of a column: its title, its part of the width, and whether it holds amounts.
type heads struct {
	title  string
	part   float64
	amount bool
}

// table writes rows under their heads, which each page repeats. A row that begins with total
// stands out.
func (s *sheet) table(columns []heads, rows [][]string, totals ...int) {
	sum := 0.0
	for _, c := range columns {
		sum += c.part
	}
	height := small * perPoint * lineOf
	cells := func(row []string, style string, c colour) {
		deepest := 1
		var parted [][]string
		for i, text := range row {
			s.type_(small, style, c)
			lines := s.lines(text, s.width()*columns[i].part/sum-between(i, row))
			parted, deepest = append(parted, lines), max(deepest, len(lines))
		}
		if s.need(height*float64(deepest) + 2*afterRow) {
			if style == "" {
				s.tableHead(columns, sum, height)
			}
		}
		y, x := s.pdf.GetY()+afterRow, margin
		s.type_(small, style, c)
		for i := range row {
			width := s.width() * columns[i].part / sum
			align := "L"
			if columns[i].amount {
				align = "R"
			}
			s.column(parted[i], x, y, width-between(i, row), height, align)
			x += width
		}
		y += height*float64(deepest) + afterRow
		s.line(y)
		s.pdf.SetXY(margin, y)
	}
	s.need(4 * height)
	s.tableHead(columns, sum, height)
	for i, row := range rows {
		style := ""
		for _, total := range totals {
			if total == i {
				style = "B"
			}
		}
		cells(row, style, ink)
	}
	s.gap(afterPart)
}

// between is the room that a column leaves to the next one.
func between[T any](i int, columns []T) float64 {
	if i == len(columns)-1 {
		return 0
	}
	return 3
}

func (s *sheet) tableHead(columns []heads, sum, height float64) {
	y, x := s.pdf.GetY(), margin
	s.type_(small, "B", muted)
	deepest := 1
	for i, c := range columns {
		width := s.width() * c.part / sum
		align := "L"
		if c.amount {
			align = "R"
		}
		lines := s.lines(c.title, width-between(i, columns))
		deepest = max(deepest, len(lines))
		s.column(lines, x, y, width-between(i, columns), height, align)
		x += width
	}
	y += height*float64(deepest) + .8
	s.line(y)
	s.pdf.SetXY(margin, y)
}

// note writes what is said in small.
func (s *sheet) note(text string) {
	s.write(text, small, "", muted)
	s.gap(2)
}

// finish writes the feet of the pages and returns the document's bytes.
func (s *sheet) finish(foot string) ([]byte, error) {
	pages := s.pdf.PageCount()
	for n := 1; n <= pages; n++ {
		s.pdf.SetPage(n)
		_, height := s.pdf.GetPageSize()
		s.line(height - 14)
		s.type_(7, "", muted)
		s.pdf.SetXY(margin, height-12.5)
		s.pdf.CellFormat(s.width()*.8, 4, s.fit(foot, s.width()*.8), "", 0, "L", false, 0, "")
		s.pdf.CellFormat(s.width()*.2, 4, s.say("document.page", "page", n, "pages", pages), "", 0, "R", false, 0, "")
	}
	return s.output()
}

// output returns the document's bytes.
func (s *sheet) output() ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	var content bytes.Buffer
	if err := s.pdf.Output(&content); err != nil {
		return nil, fmt.Errorf("write a document: %w", err)
	}
	return content.Bytes(), nil
}

package web

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// chart is figures that a person would rather look at than read: {{template "chart" .}} draws
// it as SVG, in parts of its width so that letters keep their size on every screen, with the
// same figures in a table below.
type chart struct {
	Name  string // of the element; no other of the page has it
	Title string // what it shows
	Head  string // a text's key of what stands over the bars' labels in the table
	Of    string // and over their values
	Bars  []bar
	Marks []mark // values to hold the bars against
	Lying bool   // a row for each bar, as names need; otherwise a column, as periods do
	Bare  bool   // the page has the figures in a table of its own
}

// bar is one figure of a chart.
type bar struct {
	Label, Value string           // as people read them
	Short        string           // of the label, for a column; the label where it is ""
	To           string           // where the table's row leads, and that of a lying chart; "" for nowhere
	From, At     decimal.Decimal  // where it begins, and ends
	Tick         *decimal.Decimal // a point of it, such as what is in the middle
	Tone         string           // good, bad, or "" for neither
}

// mark is a value that bars are held against, such as a quota.
type mark struct {
	Label string
	At    decimal.Decimal
}

// drawing is a chart with everything in its place.
type drawing struct {
	chart
	Says    string // what there is to see
	Leads   bool   // its rows lead somewhere
	Height  int    // in pixels
	Zero    string
	Bars    []barDrawn
	Marks   []markDrawn
	Highest string // the value of the largest bar
}

type barDrawn struct {
	bar
	X, Y, Width, Height string // of the bar
	Middle              string // of its column, for what stands below
	Text, Over          int    // where the row's letters stand, and its marks begin, in pixels
	Often               bool   // its label is shown on a narrow screen too
	Point               string // where its tick is
}

type markDrawn struct {
	mark
	Place string
}

const (
	columnsHeight = 220 // of a chart of columns, in pixels
	columnsTop    = 12  // of 100, for what the marks say
	columnsFoot   = 12  // of 100, for the labels
	rowHeight     = 40  // in pixels
	rowText       = 18
	rowBar        = 24
	shownNarrow   = 5 // labels of columns that a phone has room for
	longestLabel  = 34
)

// draw puts a chart's bars and marks in their places.
func (t texts) draw(c chart) (drawing, error) {
	if len(c.Bars) == 0 {
		return drawing{}, fmt.Errorf("chart %s has no bars", c.Name)
	}
	low, high := decimal.Zero, decimal.Zero
	most, least := c.Bars[0], c.Bars[0]
	for _, b := range c.Bars {
		low, high = decimal.Min(low, b.From, b.At), decimal.Max(high, b.From, b.At)
		if b.Tick != nil {
			low, high = decimal.Min(low, *b.Tick), decimal.Max(high, *b.Tick)
		}
		if b.At.GreaterThan(most.At) {
			most = b
		}
		if b.At.LessThan(least.At) {
			least = b
		}
	}
	for _, m := range c.Marks {
		low, high = decimal.Min(low, m.At), decimal.Max(high, m.At)
	}
	if !high.GreaterThan(low) {
		high = low.Add(decimal.NewFromInt(1))
	}
	// place is how much of all that is shown lies below a value, in thousandths.
	place := func(at decimal.Decimal) int {
		return int(incentive.Ratio{Numerator: at.Sub(low).Mul(decimal.NewFromInt(1000)), Denominator: high.Sub(low)}.Decimal().IntPart())
	}
	d := drawing{chart: c, Highest: most.Value,
		Says: t.Fill("chart.says", map[string]any{"most": most.Label, "highest": most.Value, "least": least.Label, "lowest": least.Value})}
	level := func(at decimal.Decimal) int { // of a column, from the top
		return columnsTop*10 + (1000-place(at))*(100-columnsTop-columnsFoot)/100
	}
	d.Height, d.Zero = columnsHeight, percents(level(decimal.Zero))
	if c.Lying {
		d.Height, d.Zero = len(c.Bars)*rowHeight, percents(place(decimal.Zero))
	}
	every := (len(c.Bars) + shownNarrow - 1) / shownNarrow
	for i, b := range c.Bars {
		// A label is wider than its column where not all are shown, and keeps off the chart's edges.
		one := barDrawn{bar: b, Often: every == 1 || i%every == every/2 && i < len(c.Bars)-1}
		first, last := decimal.Min(b.From, b.At), decimal.Max(b.From, b.At)
		if c.Lying {
			d.Leads = d.Leads || b.To != ""
			if letters := []rune(b.Label); len(letters) > longestLabel {
				one.Label = string(letters[:longestLabel-1]) + "…"
			}
			one.X, one.Width = percents(place(first)), percents(max(3, place(last)-place(first)))
			one.Text, one.Over, one.Y = i*rowHeight+rowText, i*rowHeight+rowBar-3, fmt.Sprint(i*rowHeight+rowBar)
			if b.Tick != nil {
				one.Point = percents(place(*b.Tick))
			}
		} else {
			if one.Short == "" {
				one.Short = b.Label
			}
			each := 1000 / len(c.Bars)
			one.X, one.Width, one.Middle = percents(i*1000/len(c.Bars)+each/8), percents(each*3/4), percents(i*1000/len(c.Bars)+each/2)
			one.Y, one.Height = percents(level(last)), percents(level(first)-level(last))
		}
		d.Bars = append(d.Bars, one)
	}
	for _, m := range c.Marks {
		one := markDrawn{mark: m, Place: percents(level(m.At))}
		if c.Lying {
			one.Place = percents(place(m.At))
		}
		d.Marks = append(d.Marks, one)
	}
	return d, nil
}

// percents writes thousandths.
func percents(thousandths int) string { return fmt.Sprintf("%d.%d%%", thousandths/10, thousandths%10) }

// earnedChart draws what somebody has earned in each period, the earliest first; nil where
// there are fewer than two, or currencies that do not compare.
func (v *visit) earnedChart(mine []earned, person string) *chart {
	c := chart{Name: "earned-chart", Title: v.texts.Get("chart.earned"), Head: "column.period", Of: "column.earned"}
	for _, e := range slices.Backward(mine) {
		if e.Total.Currency != mine[0].Total.Currency {
			return nil
		}
		c.Bars = append(c.Bars, bar{
			Label: v.texts.period(e.Period),
			Short: e.Period.Code,
			Value: v.texts.Money(e.Total),
			At:    e.Total.Decimal(),
			To:    "/periods/" + e.Period.Id + "/statements/" + person,
		})
	}
	return c.worth()
}

// attainedChart draws how much of a quota somebody has reached in each period, of the
// component that measured it first.
func (v *visit) attainedChart(mine []earned, person string) *chart {
	c := chart{Name: "attained-chart", Title: v.texts.Get("chart.attained"), Head: "column.period", Of: "column.attainment",
		Marks: []mark{{v.texts.Get("column.quota"), hundred}}}
	for _, e := range slices.Backward(mine) {
		if e.Attained != nil {
			c.Bars = append(c.Bars, bar{
				Label: v.texts.period(e.Period),
				Short: e.Period.Code,
				Value: v.texts.share(*e.Attained),
				At:    percent(*e.Attained),
				To:    "/periods/" + e.Period.Id + "/statements/" + person,
			})
		}
	}
	return c.worth()
}

// worth is the chart where there is something to compare, or else nil.
func (c chart) worth() *chart {
	if len(c.Bars) < 2 {
		return nil
	}
	return &c
}

// share writes a share as whole percents.
func (t texts) share(of decimal.Decimal) string {
	return t.Number(percent(of).String()) + " %"
}

// attained is how much of a quota a statement says was reached; nil where none was measured.
func attained(of client.Statement) *decimal.Decimal {
	for _, line := range of.Lines {
		if line.Corrects != nil {
			continue
		}
		e, err := calculation.ReadExplanation(incentive.Line{Component: line.Component, Explanation: line.Explanation})
		if err != nil {
			return nil // the page has the figures without it
		}
		for _, s := range e.Steps {
			if s.Kind == calculation.StepAttainment {
				return &s.Result
			}
		}
	}
	return nil
}

// mostRows is how many people a chart has room for.
const mostRows = 20

// teamChart draws a team against its quotas, and how much of the period is over.
func (v *visit) teamChart(of []member, passed int) *chart {
	c := chart{Name: "team-chart", Title: v.texts.Get("chart.team"), Lying: true, Bare: true,
		Marks: []mark{{v.texts.Fill("chart.pace", map[string]any{"percent": passed}), decimal.NewFromInt(int64(passed))}, {v.texts.Get("chart.quota"), hundred}}}
	for _, m := range of {
		if m.Progress == nil || len(c.Bars) == mostRows {
			continue
		}
		tone := map[string]string{"behind": "bad", "reached": "good"}[m.Pace]
		c.Bars = append(c.Bars, bar{Label: m.Name, Value: v.texts.Number(m.Progress.Percent) + " %", To: "/team/" + url.PathEscape(m.Person), At: read(m.Progress.Percent), Tone: tone})
	}
	if len(c.Bars) == 0 {
		return nil
	}
	return &c
}

// bandsChart draws how many people win or lose how much.
func (v *visit) bandsChart(name string, bands []client.Banded, of string) chart {
	c := chart{Name: name + "-" + of, Title: v.texts.Fill("chart.bands", map[string]any{"currency": of}), Head: "column.change", Of: "column.people", Lying: true}
	for _, b := range bands {
		tone := "good"
		switch b.Band {
		case client.BandedBandSame:
			tone = ""
		case client.BandedBandLosesOver25, client.BandedBandLosesUpTo25, client.BandedBandLosesUpTo10:
			tone = "bad"
		}
		c.Bars = append(c.Bars, bar{
			Label: v.texts.Term("band", string(b.Band)),
			Value: v.texts.Number(fmt.Sprint(b.People)),
			At:    decimal.NewFromInt(int64(b.People)),
			Tone:  tone,
		})
	}
	return c
}

// spreadChart draws the half of people in the middle of what is paid, before and after.
func (v *visit) spreadChart(of client.SimulatedSum) chart {
	c := chart{Name: "spread-" + string(of.Before.Currency), Title: v.texts.Get("chart.spread"), Lying: true, Bare: true}
	for _, one := range []struct {
		key string
		s   client.Spread
	}{{"simulation.before", of.SpreadBefore}, {"simulation.after", of.SpreadAfter}} {
		half := one.s.Half.Decimal()
		c.Bars = append(c.Bars, bar{
			Label: v.texts.Get(one.key),
			Value: v.texts.Money(one.s.Half),
			From:  one.s.Quarter.Decimal(),
			At:    one.s.ThreeQuarters.Decimal(),
			Tick:  &half,
		})
	}
	return c
}

// distributionCharts draw how many people have earned how much in a run, by currency, and
// where it is held against another run, how many win or lose how much.
func (v *visit) distributionCharts(name string, of client.Distribution) (all []chart) {
	for _, d := range of.Currencies {
		c := chart{
			Name:  name + "-pay-" + d.Currency,
			Title: v.texts.Fill("chart.distribution", map[string]any{"currency": d.Currency}),
			Head:  "column.earned",
			Of:    "column.people",
		}
		for _, class := range d.Classes {
			label := v.texts.Fill("chart.or-more", map[string]any{"amount": class.From})
			if class.Below != nil {
				label = v.texts.Fill("chart.class", map[string]any{"from": class.From, "below": *class.Below})
			}
			c.Bars = append(c.Bars, bar{
				Label: label,
				Short: v.texts.Number(class.From.Decimal().String()),
				Value: v.texts.Number(fmt.Sprint(class.People)),
				At:    decimal.NewFromInt(int64(class.People)),
			})
		}
		if one := c.worth(); one != nil {
			all = append(all, *one)
		}
		if d.Bands != nil && d.Winners != nil && d.Losers != nil && *d.Winners+*d.Losers > 0 {
			all = append(all, v.bandsChart(name, *d.Bands, d.Currency))
		}
	}
	return all
}

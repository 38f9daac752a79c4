package calculation

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
)

// inApril is the month after, in which March is corrected: posted is what stands of it.
func (c *company) inApril(posted []incentive.Statement) *company {
	march := c.Snapshot
	march.Corrected = posted
	april := &company{incentive.Snapshot{
		Period:       incentive.Period{ID: "m-2026-04", CalendarID: "m", Code: "2026-04", StartsOn: day("2026-04-01"), EndsOn: day("2026-04-30"), Revision: 1},
		Participants: c.Participants, Assignments: slices.Clone(c.Assignments), PlanVersions: c.PlanVersions, Quotas: c.Quotas, Corrections: []incentive.Snapshot{march},
	}}
	return april
}

// TestDifferenceLines says what a correction is made of.
func TestDifferenceLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rounding, paid, words string
		shown                 map[string]string
	}{
		"a line is rounded": {"", "r1: 0.00 + 7.50 + 49.03", "70.05 is due by what is known today, less 21.02 that was posted: 49.03", map[string]string{"T0000": "12.01", "T0001": "2.01", "T0002": "35.01"}},
		"each credit is":    {"rounding: {each: contribution}\n", "r1: 0.00 + 7.50 + 49.04", "70.06 is due by what is known today, less 21.02 that was posted: 49.04", map[string]string{"T0000": "12.01", "T0001": "2.01", "T0002": "35.02"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			march := newCompany().person("r1", "")
			march.plan(c.rounding, "{name: c, "+measure+", rate_table: {on: amount, retroactive: true, tiers: [{up_to: 1000, rate: 3%}, {rate: 5%}]}}", "{name: b, "+measure+", bonus: 7.5}")
			march.deal("r1", 1, "600.33").deal("r1", 2, "100.33")
			posted := march.statements(t)
			april := march.deal("r1", 3, "700.33").inApril(posted)
			require.Equal(t, c.paid, april.paid(t), "the bonus is as it was")
			line := april.statements(t)[0].Lines[2]
			require.Equal(t, "m-2026-03", line.Corrects)
			require.Equal(t, incentive.Earning, line.Kind)
			shown := map[string]string{}
			for _, one := range line.Contributions {
				shown[one.Transaction.ID] = one.Shown.Amount()
			}
			require.Equal(t, c.shown, shown, "a higher rate for what was posted, and what came late")
			e, err := ReadExplanation(line)
			require.NoError(t, err)
			last := e.Steps[len(e.Steps)-1]
			require.Equal(t, StepCorrection, last.Kind)
			require.Equal(t, "correction of m-2026-03: "+c.words, last.String())
		})
	}
}

// TestDifferencesAreChecked does the arithmetic of a correction again.
func TestDifferencesAreChecked(t *testing.T) {
	t.Parallel()
	c := newCompany("{name: c, "+measure+", rate: 10%}").person("r1", "").deal("r1", 1, "100")
	posted := c.statements(t)
	for name, change := range map[string]func(*incentive.Line, *Step){
		"paid":        func(l *incentive.Line, _ *Step) { l.Amount.Minor++ },
		"due":         func(_ *incentive.Line, s *Step) { *s.Amount = s.Amount.Add(one) },
		"posted":      func(_ *incentive.Line, s *Step) { *s.Unit = s.Unit.Add(one) },
		"difference":  func(_ *incentive.Line, s *Step) { s.Result = s.Result.Add(one) },
		"credits":     func(l *incentive.Line, _ *Step) { l.Contributions[0].Amount = one },
		"its figures": func(_ *incentive.Line, s *Step) { s.Unit = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := *c
			other.Transactions, other.Credits = slices.Clone(c.Transactions), slices.Clone(c.Credits)
			line := other.deal("r1", 2, "50").inApril(posted).statements(t)[0].Lines[1]
			require.Equal(t, "5.00", line.Amount.Amount())
			e, err := ReadExplanation(line)
			require.NoError(t, err)
			change(&line, &e.Steps[len(e.Steps)-1])
			line.Explanation, err = json.Marshal(e)
			require.NoError(t, err)
			require.Equal(t, CodeExplanationWrong, incentive.ErrorCode(CheckLine(line)))
		})
	}
}

// TestCorrectionsThatCannotBe name the period that is in the way.
func TestCorrectionsThatCannotBe(t *testing.T) {
	t.Parallel()
	sold := func() (*company, []incentive.Statement) {
		c := newCompany("{name: c, "+measure+", rate: 10%}").person("r1", "").deal("r1", 1, "100")
		return c, c.statements(t)
	}
	for name, change := range map[string]struct {
		code   incentive.Code
		change func(c *company, posted []incentive.Statement) *company
	}{
		"posted in another currency": {CodeCurrencyDiffers, func(c *company, posted []incentive.Statement) *company {
			posted[0].Lines[0].Amount.Currency = "EUR"
			return c.inApril(posted)
		}},
		"paid in another currency now": {CodeCurrencyDiffers, func(c *company, posted []incentive.Statement) *company {
			april := c.deal("r1", 2, "50").inApril(posted)
			paidIn := april.Participants[0]
			paidIn.EffectiveFrom, paidIn.PayCurrency = day("2026-04-01"), "EUR"
			april.Participants = append(slices.Clone(april.Participants), paidIn)
			april.PlanVersions = []incentive.PlanVersion{{PlanID: "p", Version: 2, EffectiveFrom: day("2026-04-01"), Document: []byte("language: 1\nplan: p\nname: P\ncurrency: EUR\ncomponents: [{name: c, " + measure + ", rate: 1%}]")}}
			return april
		}},
		"not to be calculated": {CodeNoQuota, func(c *company, posted []incentive.Statement) *company {
			c.plan("", "{name: c, "+measure+", rate_table: {on: attainment, quota: sales, tiers: [{rate: 5%}]}}")
			april := c.inApril(posted)
			april.Assignments = nil
			return april
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Calculate(t.Context(), change.change(sold()).Snapshot)
			require.Equal(t, change.code, incentive.ErrorCode(err))
			require.ErrorContains(t, err, "to correct m-2026-03")
		})
	}
}

// TestDifferencesAddUp corrects a month again and again: whatever was posted before, and
// whatever is known now, what is posted in all is what is due.
func TestDifferencesAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newCompany(rapid.SampledFrom([]string{
			"{name: c, " + measure + ", rate_table: {on: amount, retroactive: true, tiers: [{up_to: 1000, rate: 3.333%}, {rate: 4.444%}]}}",
			"{name: c, " + measure + ", rate: 3.333%, cap: 77.77}",
			"{name: c, measure: {count: credits}, bonus: 12.34, gate: {measure: {sum: credits}, on: amount, at_least: 500}}",
		}).Draw(t, "component")).person("r1", "").person("r2", "")
		var posted []incentive.Statement
		post := func(statements []incentive.Statement) {
			for _, s := range statements {
				s.Lines = slices.DeleteFunc(s.Lines, func(l incentive.Line) bool { return l.Corrects == "" && len(posted) > 0 })
				posted = append(posted, s)
			}
			slices.SortStableFunc(posted, func(a, b incentive.Statement) int {
				return slices.Compare([]byte(a.ParticipantID), []byte(b.ParticipantID))
			})
		}
		post(c.statements(t))
		for range rapid.IntRange(1, 3).Draw(t, "corrections") {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				if n := len(c.Transactions); n > 0 && rapid.Bool().Draw(t, "known") {
					c.Transactions = slices.Clone(c.Transactions)
					c.Transactions[rapid.IntRange(0, n-1).Draw(t, "which")].Amount = decimal.New(rapid.Int64Range(-50_000, 90_000).Draw(t, "amount"), -2)
					continue
				}
				c.deal(rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "of"), rapid.IntRange(1, 31).Draw(t, "day"), decimal.New(rapid.Int64Range(-50_000, 90_000).Draw(t, "amount"), -2).String())
			}
			due := c.statements(t)
			post(c.inApril(posted).statements(t))
			for _, s := range due {
				sum := int64(0)
				for _, p := range posted {
					for _, l := range p.Lines {
						if p.ParticipantID == s.ParticipantID {
							sum += l.Amount.Minor
						}
					}
				}
				require.Equal(t, s.Lines[0].Amount.Minor, sum)
			}
			again := c.inApril(posted).statements(t)
			for _, s := range again {
				require.Len(t, s.Lines, 1, "nothing is corrected twice")
			}
		}
	})
}

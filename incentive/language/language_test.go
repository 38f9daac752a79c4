package language

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
)

func TestAccepted(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Language{"": English, "en-US,en;q=0.9": English, "id": Indonesian, "id-ID,id;q=0.9,en;q=0.8": Indonesian, "de-DE, id;q=0.5": Indonesian, "de": English, ";;": English} {
		require.Equal(t, want, Accepted(header), header)
	}
}

// TestWritten is how numbers, amounts and days are written and read again.
func TestWritten(t *testing.T) {
	t.Parallel()
	amount, err := incentive.MoneyOf(decimal.RequireFromString("-12345678901234567.89"), "USD")
	require.NoError(t, err)
	require.Equal(t, "−12,345,678,901,234,567.89\u00a0USD", English.Money(amount))
	require.Equal(t, "−12.345.678.901.234.567,89\u00a0USD", Indonesian.Money(amount))
	require.Equal(t, "30\u00a0Agu\u00a02026", Indonesian.Date(incentive.MustParseDate("2026-08-30")))
	require.Equal(t, "Mei 2026", Indonesian.Month(incentive.MustParseDate("2026-05-01")))
	require.Equal(t, "1\u00a0Des\u00a02026, 06.30", Indonesian.Moment(time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC), time.FixedZone("WIB", 7*60*60)))
	for _, c := range []struct {
		in         Language
		text, want string // "" is refused
	}{
		{English, "1,200.50", "1200.50"}, {English, " 1200.5 ", "1200.5"}, {English, "−3", "-3"}, {English, "1.200,50", ""}, {English, "12,00", ""}, {English, "", ""},
		{Indonesian, "1.200,50", "1200.50"}, {Indonesian, "1200,5", "1200.5"}, {Indonesian, "1.200", "1200"}, {Indonesian, "1200.50", ""}, {Indonesian, "1,200.50", ""},
	} {
		number, is := c.in.Decimal(c.text)
		require.Equal(t, c.want != "", is, "%s in %s", c.text, c.in)
		require.Equal(t, c.want, number, "%s in %s", c.text, c.in)
	}
}

// TestPhrases finds a sentence again by what it says.
func TestPhrases(t *testing.T) {
	t.Parallel()
	p := patternOf("period %s has no revision %d", "tidak ada revisi %[2]d untuk periode %[1]s")
	found := p.pattern.FindStringSubmatch("period monthly-2026-01 has no revision 3")
	require.Equal(t, []string{"monthly-2026-01", "3"}, found[1:])
	require.Equal(t, "tidak ada revisi %[2]s untuk periode %[1]s", p.format)
	for english, other := range phrases() {
		require.NotEmpty(t, other, english)
		require.ElementsMatch(t, verbsOf(english), verbsOf(other), "%q says something else", english)
	}
	require.Equal(t, "no phrase says this", Indonesian.Translate("no phrase says this"))
	require.Equal(t, "3 kredit", Indonesian.Translate("3 credits"))
	require.Equal(t, "3 credits", English.Translate("3 credits"))
}

// verbsOf are the kinds of what stands in a format.
func verbsOf(format string) (kinds []string) {
	for _, v := range verb.FindAllString(format, -1) {
		kinds = append(kinds, v[len(v)-1:])
	}
	return kinds
}

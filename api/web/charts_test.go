package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	written "github.com/guerdon/guerdon/api/web/texts"
	"github.com/guerdon/guerdon/incentive/language"
)

// TestChartsStayInTheirPlaces draws any figures: everything lies within the picture, what is
// there to see is said in words, and the table has every figure.
func TestChartsStayInTheirPlaces(t *testing.T) {
	t.Parallel()
	all, err := written.Read()
	require.NoError(t, err)
	said := texts{all[language.English]}
	pages, err := readPages(said)
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		figure := rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "digits"), int32(rapid.IntRange(-4, 2).Draw(t, "places")))
		})
		c := chart{Name: "figures", Title: "Figures <of> all", Head: "column.person", Of: "column.earned", Lying: rapid.Bool().Draw(t, "lying")}
		for i, at := range rapid.SliceOfN(figure, 1, 30).Draw(t, "bars") {
			c.Bars = append(c.Bars, bar{Label: fmt.Sprintf("Bar %d", i), Value: at.String(), At: at, To: fmt.Sprintf("/of/%d", i)})
		}
		for i, at := range rapid.SliceOfN(figure, 0, 2).Draw(t, "marks") {
			c.Marks = append(c.Marks, mark{fmt.Sprintf("Mark %d", i), at})
		}
		var text bytes.Buffer
		require.NoError(t, pages["components"].ExecuteTemplate(&text, "chart", c))
		require.NotContains(t, text.String(), "style=")
		require.Contains(t, text.String(), "The most is ")
		for _, b := range c.Bars {
			require.Contains(t, text.String(), fmt.Sprintf("<th scope=\"row\"><a href=%q>%s</a></th>", b.To, b.Label))
			require.Equal(t, c.Lying, strings.Contains(text.String(), fmt.Sprintf("<a href=%q><g ", b.To)), "rows of names lead on, for whom the picture is no image alone")
		}
		require.Equal(t, c.Lying, strings.Contains(text.String(), `role="group"`))
		if !c.Lying { // on a phone, where a column may be narrower than its label
			shown := strings.Count(text.String(), `class="middle"`)
			require.True(t, shown >= 1 && shown <= shownNarrow)
			if len(c.Bars) > shownNarrow {
				all := regexp.MustCompile(`class="(middle[^"]*)"`).FindAllStringSubmatch(text.String(), -1)
				require.Equal(t, "middle seldom", all[0][1], "it would begin before the chart does")
				require.Equal(t, "middle seldom", all[len(all)-1][1], "it would end after it")
			}
		}
		tokens := xml.NewDecoder(&text)
		for {
			token, err := tokens.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			element, is := token.(xml.StartElement)
			if !is {
				continue
			}
			places := map[string]int{}
			for _, a := range element.Attr {
				if of, percents := strings.CutSuffix(a.Value, "%"); percents && a.Name.Local != "class" {
					place, err := strconv.ParseFloat(of, 64)
					require.NoError(t, err, a)
					require.True(t, place >= 0 && place <= 100.5, "%s of %s", a.Value, element.Name.Local)
					places[a.Name.Local] = int(place * 10)
				}
			}
			require.LessOrEqual(t, places["x"]+places["width"], 1005)
			require.LessOrEqual(t, places["y"]+places["height"], 1000)
		}
	})
}

package accounting

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/language/languagetest"
)

// TestStandard holds the templates that every company has to the rules for all.
func TestStandard(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]bool{}
	for name, text := range Standard() {
		template, err := Parse([]byte(text))
		require.NoError(t, err, name)
		require.Equal(t, name, template.Name)
		kinds[template.Of] = true
	}
	for _, kind := range Kinds {
		require.True(t, kinds[kind], "there is a template of %s files", kind)
		template, err := Parse([]byte(Standard()[string(kind)]))
		require.NoError(t, err)
		require.Equal(t, kind, template.Of, "that of the kind's own name")
	}
}

// TestLeastReported is by the year of the payments.
func TestLeastReported(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{2020: "600.00 USD", 2025: "600.00 USD", 2026: "2000.00 USD", 2027: ""} {
		least, known := LeastReported(year)
		require.Equal(t, want != "", known, "%d", year)
		if known {
			require.Equal(t, want, least.String(), "%d", year)
		}
	}
}

// TestProblems names what is wrong with a template, with its place.
func TestProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"nothing":               {"", "line 1, column 1: the file is empty, and should hold a template"},
		"no columns":            {"template: a\nof: register", "a template lacks \"columns\""},
		"an unknown kind":       {"template: a\nof: tax\ncolumns: [{heading: A, text: b}]", "line 2, column 5: \"tax\" is not known here: write payroll, journal, register, year-end, contractors or contract-costs"},
		"a name":                {"template: A b\nof: register\ncolumns: [{heading: A, text: b}]", "line 1, column 11: \"A b\" is not a name"},
		"rows unsaid":           {"template: a\nof: payroll\ncolumns: [{heading: A, field: name}]", "say what a row is for: each: participant or component"},
		"rows of another file":  {"template: a\nof: payroll\neach: posting\ncolumns: [{heading: A, field: name}]", "\"posting\" is not known here: write participant or component"},
		"rows without a choice": {"template: a\nof: register\neach: posting\ncolumns: [{heading: A, field: name}]", "a register file has rows of one kind only: leave \"each\" out"},
		"participants":          {"template: a\nof: year-end\nparticipants: [rep]\ncolumns: [{heading: A, field: name}]", "\"rep\" is not known here: write employee, contractor or company"},
		"nobody's rows":         {"template: a\nof: journal\neach: total\nparticipants: [employee]\ncolumns: [{heading: A, field: date}]", "the rows of a journal file are not about participants"},
		"an unknown field":      {"template: a\nof: register\ncolumns: [{heading: A, field: iban}]", "line 3, column 31: \"iban\" is not a field of this file: it has participant, name,"},
		"a field of other rows": {"template: a\nof: journal\neach: total\ncolumns: [{heading: A, field: participant}]", "\"participant\" is not a field of this file"},
		"attributes of nobody":  {"template: a\nof: journal\neach: total\ncolumns: [{heading: A, field: attribute.x}]", "\"attribute.x\" is not a field of this file"},
		"an attribute unnamed":  {"template: a\nof: register\ncolumns: [{heading: A, field: attribute.}]", "\"attribute.\" is not a field of this file"},
		"field and text":        {"template: a\nof: register\ncolumns: [{heading: A, field: name, text: b}]", "a column shows a field, or a text that is the same in every row"},
		"neither":               {"template: a\nof: register\ncolumns: [{heading: A}]", "a column shows a field, or a text"},
		"no heading":            {"template: a\nof: register\ncolumns: [{field: name}]", "a column lacks \"heading\""},
		"a text in columns":     {"template: a\nof: register\ncolumns: [name]", "a column is written as keys and values"},
		"dates of a name":       {"template: a\nof: register\ncolumns: [{heading: A, field: name, dates: DD/MM/YYYY}]", "only a date has \"dates\""},
		"dates":                 {"template: a\nof: register\ncolumns: [{heading: A, field: paid_on, dates: DDMM}]", "\"DDMM\" is not a date format"},
		"values of an amount":   {"template: a\nof: register\ncolumns: [{heading: A, field: amount, values: {a: b}}]", "only a field that is a text has \"values\""},
		"values of a text":      {"template: a\nof: register\ncolumns: [{heading: A, text: x, values: {a: b}}]", "only a field that is a text has \"values\""},
		"values in a list":      {"template: a\nof: register\ncolumns: [{heading: A, field: name, values: [a]}]", "\"values\" is written as keys and values"},
		"values twice":          {"template: a\nof: register\ncolumns: [{heading: A, field: name, values: {a: b, a: c}}]", "\"values\" says \"a\" twice"},
		"too many columns":      {"template: a\nof: register\ncolumns:" + strings.Repeat("\n- {heading: A, text: b}", 101), "a file has at most 100 columns"},
	} {
		_, err := Parse([]byte(c.text))
		require.ErrorContains(t, err, c.says, name)
		languagetest.NoEnglish(t, language.Indonesian.Translate(incentive.ErrorMessage(err)))
		require.Equal(t, document.CodeInvalid, incentive.ErrorCode(err), name)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range Standard() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		template, err := Parse(text)
		if err != nil {
			return
		}
		w, err := NewWriter(&bytes.Buffer{}, template)
		require.NoError(t, err)
		_ = w.Write(Row{Fields: map[string]any{"participant_kind": "employee"}})
		require.NoError(t, w.Flush())
	})
}

// file writes rows by a template.
func file(t *testing.T, template string, rows ...Row) (string, error) {
	t.Helper()
	parsed, err := Parse([]byte(template))
	require.NoError(t, err)
	var out bytes.Buffer
	w, err := NewWriter(&out, parsed)
	require.NoError(t, err)
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return "", err
		}
	}
	require.NoError(t, w.Flush())
	return out.String(), nil
}

// TestCells writes values as the template says.
func TestCells(t *testing.T) {
	t.Parallel()
	row := func(kind string, minor int64, currency incentive.Currency) Row {
		return Row{Fields: map[string]any{"participant": "ann", "name": `Ann "the" One, Jr.`, "participant_kind": kind, "revision": int64(2), "period_start": incentive.MustParseDate("2026-01-05"),
			"currency": string(currency), "amount": incentive.Money{Minor: minor, Currency: currency}}, Attributes: map[string]string{"payroll_number": "007"}}
	}
	out, err := file(t, `template: ours
of: payroll
each: participant
participants: [employee, company]
columns:
  - {heading: Code, text: "0042"}
  - {heading: Number, field: attribute.payroll_number}
  - {heading: Nothing, field: attribute.cost_centre}
  - {heading: Name, field: name}
  - {heading: Kind, field: participant_kind, values: {employee: E, company: C}}
  - {heading: From, field: period_start, dates: D.M.YY}
  - {heading: To, field: period_end}
  - {heading: Revision, field: revision}
  - {heading: Amount, field: amount}
`, row("employee", -123456, "USD"), row("contractor", 1, "USD"), row("company", 123456, "JPY"), row("employee", 5, "KWD"))
	require.NoError(t, err)
	require.Equal(t, `Code,Number,Nothing,Name,Kind,From,To,Revision,Amount
0042,007,,"Ann ""the"" One, Jr.",E,5.1.26,,2,-1234.56
0042,007,,"Ann ""the"" One, Jr.",C,5.1.26,,2,123456
0042,007,,"Ann ""the"" One, Jr.",E,5.1.26,,2,0.005
`, out, "a contractor is left out, and each amount has its currency's decimals")
	_, err = file(t, "template: ours\nof: journal\neach: total\ncolumns: [{heading: Account, field: account, values: {cash: 1000}}]", Row{Fields: map[string]any{"account": "cash"}}, Row{Fields: map[string]any{"account": "payable"}})
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, `column 1 of template ours, Account, has nothing to write for "payable": add it to its "values"`)
}

// TestNoFormulas keeps spreadsheets from taking a text for a formula, and leaves numbers
// as they are.
func TestNoFormulas(t *testing.T) {
	t.Parallel()
	const template = "template: a\nof: register\ncolumns: [{heading: =A1, field: name}, {heading: Of, field: attribute.x}, {heading: Amount, field: amount}, {heading: Fixed, text: +1}, {heading: Kind, field: participant_kind, values: {employee: \"@x\"}}]"
	for text, written := range map[string]string{
		`=HYPERLINK("http://x")`: `'=HYPERLINK("http://x")`, "+1": "'+1", "-1+2": "'-1+2", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n1": "'\n1", "  =1": "'  =1", "＝1": "'＝1",
		"Ann": "Ann", "": "", "1-1": "1-1", "a=b": "a=b", "'=1": "'=1",
	} {
		out, err := file(t, template, Row{Fields: map[string]any{"name": text, "participant_kind": "employee", "amount": incentive.Money{Minor: -5, Currency: "USD"}}, Attributes: map[string]string{"x": text}})
		require.NoError(t, err)
		cells, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		require.NoError(t, err)
		require.Equal(t, [][]string{{"'=A1", "Of", "Amount", "Fixed", "Kind"}, {written, written, "-0.05", "'+1", "'@x"}}, cells)
	}
}

package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// file downloads a table and returns it as rows.
func (v *visitor) file(path string) [][]string {
	v.Helper()
	status, text := v.send(http.MethodGet, path, nil)
	require.Equal(v, http.StatusOK, status, text)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(v, err)
	return rows
}

// TestTables looks through lists: sorted, searched and chosen by the address, and the same as
// files.
func TestTables(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	h.calculated()
	fin := h.as("fin")
	const at = "/periods/m-2026-01/statements"
	names := func(page string) (all []string) {
		for _, found := range regexp.MustCompile(`(?s)<th scope="row"><a[^>]*>([^<]*)<`).FindAllStringSubmatch(page, -1) {
			all = append(all, found[1])
		}
		return all
	}
	for path, want := range map[string][]string{
		at:                                  {"R &lt;One&gt;", "R Two"},
		at + "?sort=total":                  {"R Two", "R &lt;One&gt;"},
		at + "?sort=-total":                 {"R &lt;One&gt;", "R Two"},
		at + "?sort=-name":                  {"R Two", "R &lt;One&gt;"},
		at + "?search=two":                  {"R Two"},
		"/people?role=finance&sort=-name":   {"Finn", "Finley", "Fin"},
		"/people?role=finance&search=finle": {"Finley"},
	} {
		require.Equal(t, want, names(fin.visit(path)), path)
	}
	page := fin.visit(at + "?sort=-total&search=r")
	require.Contains(t, page, `aria-sort="descending"`)
	require.Contains(t, page, `href="`+at+`?search=r&amp;sort=total"`, "another order keeps what was searched for")
	require.Contains(t, page, `href="`+at+`?file=xlsx&amp;search=r&amp;sort=-total"`)
	require.Contains(t, fin.visit(at+"?search=nobody"), "Nothing is like that.")
	status, text := fin.send(http.MethodGet, at+"?sort=shoe-size", nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "but by name, total")

	require.Equal(t, [][]string{{"Person", "Id", "Earned", "Earned: currency", "Posted before", "Posted before: currency"}, {"R <One>", "r1", "6172.84", "USD", "0.00", "USD"}, {"R Two", "r2", "50.00", "USD", "0.00", "USD"}},
		[][]string{fin.file(at + "?file=csv")[0][:6], fin.file(at + "?file=csv")[1][:6], fin.file(at + "?file=csv")[2][:6]})
	require.Len(t, fin.file(at+"?file=csv&search=two&sort=-total"), 2, "a file has what was looked for")
	for _, path := range []string{"/people", "/quotas", "/ledger", "/adjustments", "/disputes", "/periods/m-2026-01/payouts", "/periods/m-2026-01/approvals", "/periods/m-2026-01/uncredited"} {
		sorts := map[string]bool{}
		for _, found := range regexp.MustCompile(`<option value="(-?[a-z]+)"[^>]*>[^<]*(?:ascending|descending)`).FindAllStringSubmatch(fin.visit(path), -1) {
			sorts[found[1]] = true
		}
		require.NotEmpty(t, sorts, path)
		for sort := range sorts {
			fin.visit(path + "?sort=" + sort)
		}
		require.NotEmpty(t, fin.file(path+"?file=csv"), path)
	}
	_, text = h.as("r1").send(http.MethodGet, at+"?file=csv", nil)
	require.NotContains(t, text, "6172.84", "a file holds no more than its page")
	status, _ = h.as("r1").send(http.MethodGet, "/people?file=csv", nil)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = fin.send(http.MethodGet, at+"?file=exe", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, text = fin.send(http.MethodGet, at+"?file=xlsx", nil)
	require.Equal(t, http.StatusOK, status)
	book, err := excelize.OpenReader(strings.NewReader(text))
	require.NoError(t, err)
	earned, err := book.GetCellValue("Sheet1", "C2")
	require.NoError(t, err)
	require.Equal(t, "6172.84", earned)
}

// TestFilesHoldNoFormulas writes what people may have written, and numbers digit by digit.
func TestFilesHoldNoFormulas(t *testing.T) {
	t.Parallel()
	rows := [][]cell{{{text: "=1+1"}, {text: "+x"}, {text: "-x"}, {text: "@x"}, {"-12345678901234.55", true}, {text: "plain"}}}
	var text, book bytes.Buffer
	require.NoError(t, writeCSV(&text, rows))
	require.Equal(t, "'=1+1,'+x,'-x,'@x,-12345678901234.55,plain\n", text.String())
	require.NoError(t, writeXLSX(&book, rows))
	f, err := excelize.OpenReader(&book)
	require.NoError(t, err)
	for at, want := range map[string]string{"A1": "=1+1", "D1": "@x", "E1": "-12345678901234.55"} {
		formula, err := f.GetCellFormula("Sheet1", at)
		require.NoError(t, err)
		require.Empty(t, formula)
		value, err := f.GetCellValue("Sheet1", at, excelize.Options{RawCellValue: true})
		require.NoError(t, err)
		require.Equal(t, want, value)
	}
}

// TestWholeListsAreSorted by what is in a column, whatever that is; what is nothing is last.
func TestWholeListsAreSorted(t *testing.T) {
	t.Parallel()
	nothing := (*incentive.Money)(nil)
	for name, ordered := range map[string][]any{
		"texts":   {"a", "B", "c"},
		"numbers": {language.Numeral("9"), language.Numeral("10.5"), nil},
		"counts":  {2, 10},
		"money":   {incentive.Money{Minor: 900, Currency: "EUR"}, incentive.Money{Minor: 100, Currency: "USD"}, incentive.Money{Minor: 200, Currency: "USD"}, nothing},
		"days":    {incentive.MustParseDate("2025-12-31"), incentive.MustParseDate("2026-01-01")},
	} {
		l := listing[any]{columns: []column[any]{{sort: "it", value: func(row any) any { return row }}}}
		for i := range ordered {
			rotated := append(append([]any{}, ordered[i:]...), ordered[:i]...)
			require.Equal(t, ordered, arranged(l, rotated, "", "it"), name)
		}
	}
}

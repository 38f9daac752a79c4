package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestQuarantine mends the rows that an import could not take, where they wait.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	deals := "file: {separator: \";\", decimal: \",\", thousands: \".\"}\nlookups: {days: {file: file.csv, key: deal}}\nrecords:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: {lookup: days, by: deal, column: day}, amount: amount, currency: {constant: USD}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n"
	status, page := admin.imports(deals, "deal;day;amount;owner\nQ1;2026-01-08;1.000,50;r1\nQ2;2026-01-09;a lot;r1\nQ3;2026-01-10;700;r9\nQ4;2026-01-11;80;r8\n")
	require.Equal(t, http.StatusOK, status, page)
	require.Contains(t, page, "Column amount, &#34;a lot&#34;")
	require.Regexp(t, `name="cell"[^>]* value="a lot" aria-invalid="true"`, page)
	at := regexp.MustCompile(`href="(/imports/[0-9a-f-]{36})"`).FindStringSubmatch(admin.visit("/imports?waiting=yes"))
	require.NotNil(t, at)
	here := at[1]
	require.Regexp(t, `(?s)3 rows of imports wait to be mended.*href="`+here+`"`, admin.visit("/"), "and the first page says so")
	position := func(line string) string {
		t.Helper()
		found := regexp.MustCompile(`id="row-(\d+)-line">Line ` + line + `<`).FindStringSubmatch(admin.visit(here))
		require.NotNil(t, found, line)
		return found[1]
	}

	q2 := position("3")
	status, page = admin.fill(here, here, url.Values{"form": {"row"}, "row": {q2}, "cell": {"Q2", "2026-01-09", "very much", "r1"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, page)
	require.Regexp(t, `name="cell"[^>]* value="very much" aria-invalid="true"`, page, "what was typed is not lost")
	admin.does(here, here, url.Values{"form": {"row"}, "row": {q2}, "cell": {"Q2", "2026-01-09", "2.500,00", "r1"}}, "Rows taken: 1.")
	status, page = admin.fill(here, here, url.Values{"form": {"row"}, "row": {q2}, "cell": {"Q2", "2026-01-09", "3", "r1"}})
	require.Equal(t, http.StatusConflict, status, page)

	// A person who was missing comes, and what names them is taken as it stands.
	status, page = admin.fill(here, here, url.Values{"form": {"all"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, page)
	require.Contains(t, page, "import the participant first")
	status, page = admin.imports(`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: id, country: {constant: US}, pay_currency: {constant: USD}}}]`, "id\nr9\n")
	require.Equal(t, http.StatusOK, status, page)
	admin.does(here, here, url.Values{"form": {"all"}}, "Rows taken: 1.")

	admin.does(here, here, url.Values{"form": {"leave-out"}, "row": {position("5")}, "reason": {"r8 has never been here"}}, "The row is left out.")
	page = admin.visit(here)
	require.Contains(t, page, "No row waits any more.")
	require.NotContains(t, admin.visit("/"), "wait to be mended")
	require.Contains(t, page, "Q2;2026-01-09;2.500,00;r1")
	require.Contains(t, page, "r8 has never been here")
	require.Contains(t, h.as("aud").visit("/audit?subject="+url.QueryEscape(here[1:len("/import")]+here[len("/imports"):])), "Quarantined rows read again")

	// A row that cannot be taken apart is written anew.
	status, page = admin.imports(`records: [{kind: holiday, fields: {date: day, name: name}}]`, "day,name\n2026-12-25,Christmas,extra\n")
	require.Equal(t, http.StatusOK, status, page)
	require.Contains(t, page, "2026-12-25,Christmas,extra")
	other := regexp.MustCompile(`href="(/imports/[0-9a-f-]{36})"`).FindStringSubmatch(admin.visit("/imports?waiting=yes"))
	require.NotNil(t, other)
	admin.does(other[1], other[1], url.Values{"form": {"row"}, "row": {"0"}, "cell": {"2026-12-25", "Christmas"}}, "Rows taken: 1.")

	auditor := h.as("aud")
	page = auditor.visit(here)
	require.NotContains(t, page, "Leave the row out")
	status, _ = h.as("r1").send(http.MethodGet, here, nil)
	require.Equal(t, http.StatusForbidden, status)
}

// TestTheExampleOfAnImport hands in the example that the page offers: it is read as it stands, for people who are there.
func TestTheExampleOfAnImport(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	admin := h.as("admin")
	page := admin.visit("/imports")
	var example []string
	for _, link := range regexp.MustCompile(`href="(/static/examples/[^"]+)" download`).FindAllStringSubmatch(page, -1) {
		example = append(example, admin.visit(link[1]))
	}
	require.Len(t, example, 2)
	status, text := admin.imports(example[0], strings.NewReplacer("ann", "r1", "budi", "r2").Replace(example[1]))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "Every row was taken.")
	require.Contains(t, admin.visit("/imports"), ">deals, credits</td>", "and what it was is said in words")
}

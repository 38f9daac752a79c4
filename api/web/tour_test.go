package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	written "github.com/guerdon/guerdon/api/web/texts"
	"github.com/guerdon/guerdon/incentive/language"
)

// TestTour takes an empty company to its first calculated period by what the tour leads to.
func TestTour(t *testing.T) {
	t.Parallel()
	h := open(t, true, time.Minute)
	require.NoError(t, h.store.SetCompany(t.Context(), "admin", "Company", "UTC"))
	admin := h.as("admin")
	here := regexp.MustCompile(`(?s)aria-current="step"><strong>([^<]*)</strong>.*?href="([^"]*)"`)
	// next returns where the step that is to be done now leads.
	next := func(step string) string {
		t.Helper()
		found := here.FindStringSubmatch(admin.visit("/"))
		require.NotNil(t, found, "the tour goes on")
		require.Equal(t, step, found[1])
		admin.visit(found[2])
		return found[2]
	}
	at := next("Name the company")
	status, text := admin.fill(at, at, url.Values{"name": {"Example"}, "time_zone": {"Nowhere"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "is not a time zone")
	admin.does(at, at, url.Values{"name": {"Example"}, "time_zone": {"Asia/Jakarta"}}, "The settings are kept.")
	require.Regexp(t, `(?s)Asia/Jakarta.*Company.*UTC`, admin.visit(at), "what it was before stays")

	at = next("Enter people")
	person := func(id, from string) url.Values {
		return url.Values{"form": {"record"}, "participant_id": {id}, "name": {strings.ToUpper(id)}, "kind": {"employee"}, "country": {"ID"}, "pay_currency": {"IDR"}, "effective_from": {from}}
	}
	for _, id := range []string{"fin", "r1"} {
		admin.does(at, at, person(id, "2026-02-01"), "is recorded.")
	}
	next("Give roles")
	for id, role := range map[string]string{"fin": "finance", "r1": "rep"} {
		admin.does("/people/"+id, "/people/"+id, url.Values{"form": {"roles"}, "role": {role}}, "are saved.")
	}
	at = next("Make a calendar")
	admin.does(at, at, url.Values{"form": {"periods"}, "calendar": {"m"}, "pattern": {"monthly"}, "starts_on": {"2026-01-01"}, "count": {"2"}}, "m")
	next("Write a plan")
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: p\nname: P\ncurrency: IDR\ncomponents: [{name: Commission, measure: {sum: credits}, rate: 5%}]\n"}, "effective_from": {"2026-01-01"}}, "is kept as version 1.")
	next("Put people on the plan")
	admin.does("/people/r1", "/people/r1", url.Values{"form": {"plan"}, "plan_id": {"p"}, "calendar_id": {"m"}, "starts_on": {"2026-01-01"}}, "It is recorded.")
	next("Import deals")
	status, text = admin.imports("records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: IDR}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n",
		"deal,day,amount,owner\nD1,2026-01-05,1000000,r1\n")
	require.Equal(t, http.StatusOK, status, text)
	require.Equal(t, "/periods", next("Open the first period"))
	require.Equal(t, http.StatusForbidden, func() int {
		status, _ := admin.send(http.MethodPost, "/periods/m-2026-01", url.Values{"act": {"open"}, "key": {"x"}})
		return status
	}(), "an administrator never touches money")
	fin := h.as("fin")
	require.Equal(t, 1, strings.Count(fin.visit("/periods/m-2026-01"), "<summary>Open the period</summary>"), "there is one way to open it")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"open"}}, "open")
	next("Lock and calculate it")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"lock"}}, "open")
	require.Regexp(t, `(?s)The calculation of January 2026 failed.*nothing is known of r1 on 2026-01-31.*href="/periods/m-2026-01">Look at it`, admin.visit("/"), "whoever can mend it reads why")
	admin.does("/people/r1", "/people/r1", person("r1", "2026-01-01"), "It is recorded.")
	require.Contains(t, fin.visit("/"), "Mend the data and lock again")
	fin.does("/periods/m-2026-01", "/periods/m-2026-01", url.Values{"act": {"lock"}}, "calculated")
	require.NotContains(t, admin.visit("/"), `class="tour"`, "and is over")
	require.NotContains(t, admin.visit("/tour"), `aria-current="step"`)
	require.Contains(t, fin.visit("/periods/m-2026-01/statements"), "50,000")
}

// TestHelpOfPages finds help on every page of the menu, for whoever sees it, and more of it for a
// role where there is more to say.
func TestHelpOfPages(t *testing.T) {
	t.Parallel()
	h := settled(t, 0)
	links := regexp.MustCompile(`<li><a href="([^"]+)"`)
	for _, id := range []string{"admin", "fin", "aud", "m", "r1"} {
		v := h.as(id)
		menu := regexp.MustCompile(`(?s)<nav class="menu".*?</nav>`).FindString(v.visit("/"))
		found := links.FindAllStringSubmatch(menu, -1)
		require.NotEmpty(t, found)
		for _, link := range found {
			require.Regexp(t, `<details class="help"><summary>.*</summary><p>`, v.visit(link[1]), "write help.<page> of %s in both languages", link[1])
		}
	}
	files, err := templates.ReadDir("templates/pages")
	require.NoError(t, err)
	said, err := written.Read()
	require.NoError(t, err)
	for _, page := range files {
		name := strings.TrimSuffix(page.Name(), ".html")
		if !slices.Contains([]string{"command", "components", "refused", "sign-in", "tour"}, name) { // which say what they are for
			require.True(t, said[language.English].Has("help."+name), "write help.%s in both languages", name)
		}
	}
	require.Contains(t, h.as("fin").visit("/"), "Each period shows the one step")
	require.NotContains(t, h.as("r1").visit("/"), "Each period shows the one step")
	require.NotContains(t, h.as("").visit("/"), `class="help"`)
}

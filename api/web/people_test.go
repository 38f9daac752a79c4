package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPeopleOverTime keeps people, plans and quotas by forms: what was true before stays,
// and the hierarchy of any day is shown.
func TestPeopleOverTime(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	person := url.Values{"participant_id": {"new"}, "name": {"Nina New"}, "kind": {"employee"}, "manager_id": {"m"}, "country": {"ID"}, "pay_currency": {"IDR"}, "effective_from": {"2026-02-01"}, "attributes": {"territory: west\nrate: 5%"}}
	admin.does("/people", "/people", person, "Nina New is recorded.")
	require.Contains(t, admin.visit("/people?search=nIna"), "/people/new")
	require.NotContains(t, admin.visit("/people?search=nIna"), "/people/r1")
	require.Contains(t, admin.visit("/people?search=100%25"), "Nobody is called that.", "a percent sign is no pattern")
	page := admin.visit("/people/new")
	require.Contains(t, page, "territory: west")

	// From March on she reports to nobody; a correction of February stands beside it.
	change := url.Values{"form": {"record"}, "name": {"Nina New"}, "kind": {"contractor"}, "country": {"ID"}, "pay_currency": {"IDR"}, "effective_from": {"2026-03-01"}}
	admin.does("/people/new", "/people/new", change, "It is recorded.")
	change.Set("effective_from", "2026-02-01")
	change.Set("manager_id", "m")
	admin.does("/people/new", "/people/new", change, "corrected")
	require.Contains(t, admin.visit("/hierarchy?on=2026-02-15&under=m"), "Nina New")
	require.NotContains(t, admin.visit("/hierarchy?on=2026-03-15&under=m"), "Nina New")
	require.Contains(t, admin.visit("/hierarchy?on=2026-03-15"), "Nina New", "at the top")
	require.NotContains(t, admin.visit("/hierarchy?on=2026-01-15"), "Nina New", "before she came")

	// What cannot be taken is said, and the form stands as it was sent.
	for name, c := range map[string]struct{ field, value, says string }{
		"nobody's manager": {"manager_id", "ghost", "is not a participant"},
		"own manager":      {"manager_id", "new", "nobody is their own manager"},
		"currency":         {"pay_currency", "RUPIAH", "ISO 4217"},
		"attribute":        {"attributes", "territory", "is no attribute"},
		"day":              {"effective_from", "soon", "a date is written"},
	} {
		wrong := url.Values{"form": {"record"}, "name": {"Nina"}, "kind": {"employee"}, "country": {"ID"}, "pay_currency": {"IDR"}, "effective_from": {"2026-05-01"}, c.field: {c.value}}
		status, text := admin.fill("/people/new", "/people/new", wrong)
		require.GreaterOrEqual(t, status, 400, name)
		require.Contains(t, text, c.says, name)
	}
	require.NotContains(t, admin.visit("/people/new"), "May 2026", "nothing of it was taken")

	admin.does("/people/new", "/people/new", url.Values{"form": {"plan"}, "plan_id": {"p"}, "calendar_id": {"m"}, "starts_on": {"2026-02-01"}}, "It is recorded.")
	status, text := admin.fill("/people/new", "/people/new", url.Values{"form": {"plan"}, "plan_id": {"p"}, "calendar_id": {"m"}, "starts_on": {"2026-02-10"}})
	require.GreaterOrEqual(t, status, 400)
	require.Contains(t, text, "end that assignment first")
	admin.does("/quotas", "/quotas", url.Values{"participant_id": {"new"}, "measure": {"sales"}, "starts_on": {"2026-02-01"}, "ends_on": {"2026-02-28"}, "amount": {"12345678901234567.89"}}, "12,345,678,901,234,567.89")
	require.Contains(t, admin.visit("/people/new"), "12,345,678,901,234,567.89", "no digit is lost")

	// The token of her session is ended by the administrator.
	admin.does("/people/new", "/people/new", url.Values{"form": {"roles"}, "role": {"rep"}}, "are saved.")
	nina := h.as("new")
	nina.visit("/statements")
	token := regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`).FindStringSubmatch(admin.visit("/people/new"))
	require.NotNil(t, token)
	admin.does("/people/new", "/people/new", url.Values{"form": {"token"}, "token": {token[1]}}, "worthless from now on")
	require.Contains(t, nina.visit("/statements"), "Pick whom you want to be")

	// Finance reads along and changes quotas alone.
	fin := h.as("fin")
	require.NotContains(t, fin.visit("/people/new"), "Record a change")
	status, _ = fin.fill("/people/new", "/people/new", url.Values{"form": {"plan"}, "plan_id": {"p"}, "calendar_id": {"m"}, "starts_on": {"2026-05-01"}})
	require.Equal(t, http.StatusForbidden, status)
	fin.does("/people/new", "/people/new", url.Values{"form": {"quota"}, "measure": {"sales"}, "starts_on": {"2026-03-01"}, "ends_on": {"2026-03-31"}, "amount": {"5"}}, "It is recorded.")
}

// TestCalendarsByForms makes a year of periods, holidays and a policy.
func TestCalendarsByForms(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	admin := h.as("admin")
	admin.does("/calendars", "/calendars", url.Values{"form": {"periods"}, "calendar": {"m"}, "pattern": {"monthly"}, "count": {"10"}}, "10 periods are made.")
	require.Contains(t, admin.visit("/periods"), "m-2026-10")
	status, text := admin.fill("/calendars", "/calendars", url.Values{"form": {"periods"}, "calendar": {"m"}, "pattern": {"weekly"}, "count": {"1"}, "starts_on": {"2026-12-15"}})
	require.GreaterOrEqual(t, status, 400)
	require.Contains(t, text, "overlaps another period")
	status, text = admin.fill("/calendars", "/calendars", url.Values{"form": {"periods"}, "calendar": {"weeks"}, "pattern": {"4-4-5"}, "count": {"12"}})
	require.GreaterOrEqual(t, status, 400)
	require.Contains(t, text, "say on which day its first one starts")
	admin.does("/calendars", "/calendars", url.Values{"form": {"periods"}, "calendar": {"weeks"}, "pattern": {"4-4-5"}, "count": {"12"}, "starts_on": {"2026-01-05"}}, "12 periods are made.")
	admin.does("/calendars", "/calendars", url.Values{"form": {"holiday"}, "date": {"2027-12-25"}, "name": {"Christmas"}}, "Christmas")
	admin.does("/calendars?year=2027", "/calendars?year=2027", url.Values{"form": {"remove"}, "date": {"2027-12-25"}}, "There are none in that year.")
	policy := "/calendars/m/policy"
	status, text = admin.fill(policy, policy, url.Values{"document": {"disputes: {answer_within_days: soon}"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, `role="alert"`)
	admin.does(policy, policy, url.Values{"document": {"disputes: {answer_within_days: 3}"}}, "kept as version 1.")
}

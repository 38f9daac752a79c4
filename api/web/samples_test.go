package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestSample is how an auditor draws statements and works through them.
func TestSample(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	h.calculated()
	aud := h.as("aud")
	const at = "/periods/m-2026-01/samples"
	require.Contains(t, aud.visit(at), "Nothing was drawn of this period yet.")
	for size, says := range map[string]string{"0": "number must be at least 1", "3": "There are 2 statements, so that 3 cannot be drawn"} {
		status, text := aud.fill(at, at, url.Values{"size": {size}, "strata": {"1"}})
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, says)
	}
	aud.does(at, at, url.Values{"size": {"2"}, "strata": {"2"}, "seed": {"audit 2026"}}, "The sample is drawn.")
	page := aud.visit("/samples/1")
	require.Regexp(t, `(?s)2 of 2 statements, in parts by amount: 2\. Drawn by Aud, .*<code>audit 2026</code>.*0 statements were looked at.*R &lt;One&gt;.*R Two`, page)
	require.Contains(t, aud.visit(at), "audit 2026")

	aud.does("/samples/1", "/periods/m-2026-01/proof", url.Values{"person": {"r1"}}, "All of it was proved.")
	require.Regexp(t, `(?s)href="/verifications/1">.*proved`, aud.visit("/samples/1"))
	aud.does("/samples/1", "/samples/1", url.Values{"number": {"1"}, "verdict": {"fine"}}, "Your remark was recorded.")
	status, text := aud.fill("/samples/1", "/samples/1", url.Values{"number": {"2"}, "verdict": {"exception"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "an exception has a remark")
	aud.does("/samples/1", "/samples/1", url.Values{"number": {"2"}, "verdict": {"exception"}, "remark": {"no <contract>"}}, "Your remark was recorded.")
	page = aud.visit("/samples/1")
	require.Contains(t, page, "2 statements were looked at. One is an exception.")
	require.Contains(t, page, "no &lt;contract&gt;")
	audit := aud.visit("/audit?subject=sample/1")
	require.Contains(t, audit, "Sample drawn")
	require.Contains(t, audit, "Remark about a sample")
	require.NotContains(t, audit, "contract", "the chain has the id of what was said")

	status, _ = h.as("r1").send(http.MethodGet, "/samples/1", nil)
	require.Equal(t, http.StatusForbidden, status)
	status, text = aud.send(http.MethodGet, "/samples/9", nil)
	require.Equal(t, http.StatusNotFound, status, text)
}

// TestDuties finds nothing where all was done as it must be, and each conflict that somebody
// has brought about beside the program.
func TestDuties(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	h.calculated()
	aud := h.as("aud")
	page := aud.visit("/duties")
	require.Contains(t, page, "Nothing was in one hand that belongs in two.")
	require.Regexp(t, `(?s)>January 2026</a>.*Prepared it.*Fin`, page)
	require.Equal(t, 1, strings.Count(page, "CSV"), "one file has all of it")
	require.NotContains(t, aud.visit("/"), "of duties of the last year")
	require.Equal(t, []string{"kind", "what", "person", "name", "period", "revision", "subject", "times", "at"}, aud.file("/duties/file")[0])
	status, text := aud.send(http.MethodGet, "/duties/document", nil)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "%PDF-")
	status, text = aud.send(http.MethodGet, "/duties?from=2026-02-01&to=2026-01-01", nil)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "is before the first")

	for _, table := range []string{"approval", "adjustment", "adjustment_decision"} { // the database would refuse it
		storetest.Exec(t, h.database, `SET search_path TO guerdon; DO $$ DECLARE c text; BEGIN
			FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = '`+table+`'::regclass AND contype = 'c' AND conname LIKE 'nobody%' LOOP EXECUTE 'ALTER TABLE `+table+` DROP CONSTRAINT ' || c; END LOOP; END $$`)
	}
	storetest.Exec(t, h.database, `SET search_path TO guerdon; SET session_replication_role TO replica;
		INSERT INTO payout_list (period_id, revision, digest, released_by, released_at) VALUES ('m-2026-01', 1, '', 'fin', now());
		INSERT INTO approval (period_id, revision, participant_id, level, statement_digest, approver_id, decision, decided_by, decided_at) VALUES ('m-2026-01', 1, 'm', 1, '', 'm', 'approved', 'm', now()), ('m-2026-01', 1, 'r1', 2, '', NULL, 'approved', 'fin', now());
		INSERT INTO adjustment (id, period_id, participant_id, type, amount_minor, currency, reason_id, entered_by) VALUES ('00000000-0000-0000-0000-000000000001', 'm-2026-01', 'fin2', 'goodwill', 1, 'USD', gen_random_uuid(), 'fin2');
		INSERT INTO adjustment_decision (adjustment_id, participant_id, entered_by, decision, decided_by) VALUES ('00000000-0000-0000-0000-000000000001', 'fin2', 'fin2', 'approved', 'fin2');
		INSERT INTO destination (participant_id, version, rail, key_version, details, masked, set_by) VALUES ('r2', 1, 'payment-file', 1, '', '…', 'fin3')`)
	require.NoError(t, h.store.Grant(t.Context(), "admin", "fin3", []incentive.Role{incentive.Finance, incentive.Auditor}))
	require.NoError(t, h.store.Grant(t.Context(), "admin", "admin", []incentive.Role{incentive.Administrator}))
	page = aud.visit("/duties")
	for _, found := range []string{"Prepared the period and released its payouts", "Approved for finance and released the payouts", "Approved their own pay", "Entered an adjustment of their own pay",
		"Decided about an adjustment that they entered", "Said where somebody else is paid", "Gave roles to themselves", "Holds roles that combine duties"} {
		require.Contains(t, page, found)
	}
	require.NotContains(t, page, "Nothing was in one hand")
	require.True(t, slices.ContainsFunc(aud.file("/duties/file"), func(row []string) bool {
		return slices.Equal(row[:3], []string{"conflict", "combined-roles", "fin3"})
	}))
	require.NotContains(t, page, "Asked for another destination of a payout and confirmed it")
	require.Contains(t, aud.visit("/"), "conflicts of duties of the last year wait for a look")
	require.Contains(t, aud.visit("/duties?from=2020-01-01&to=2020-12-31"), "Holds roles that combine duties", "whoever holds them today")
	require.NotContains(t, aud.visit("/duties?from=2020-01-01&to=2020-12-31"), "Approved their own pay")
}

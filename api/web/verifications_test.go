package web

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store/storetest"
)

// calculated takes January to its statements.
func (h *house) calculated() {
	h.Helper()
	fin := h.as("fin")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	fin.does(at, at, url.Values{"act": {"lock"}}, "The data are locked")
}

// TestProveIt is how finance and auditors have a period and a statement proved again, and
// that the page names each row that somebody has tampered with.
func TestProveIt(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	h.calculated()
	aud := h.as("aud")
	const at = "/periods/m-2026-01"
	require.Contains(t, aud.visit(at), at+"/proof")
	require.Contains(t, aud.visit(at+"/proof"), "Nobody has asked for a proof")

	aud.does(at+"/proof", at+"/proof", url.Values{}, "All of it was proved.")
	page := aud.visit("/verifications/1")
	require.Regexp(t, `(?s)Everybody&#39;s statements of January\x{a0}?.*2026, revision 1\. Aud asked for it, .*It ended`, page)
	for _, check := range []string{"The records are those that the lock froze", "Calculated anew, the statements are the same, byte for byte", "The audit chain is whole", "The archived histories replay"} {
		require.Contains(t, page, check)
	}
	require.Contains(t, page, ">not yet<", "histories are archived at the end")
	status, text := aud.send(http.MethodGet, "/verifications/1/report", nil)
	require.Equal(t, http.StatusOK, status)
	report, err := proof.ReadReport([]byte(text))
	require.NoError(t, err)
	require.True(t, report.Proved())
	require.EqualValues(t, 2, report.Check(proof.CheckStatements).Count)
	audit := aud.visit("/audit?subject=verification/1")
	require.Contains(t, audit, "Asked for a proof")
	require.Contains(t, audit, "Proof made")

	// One statement, from its own page.
	require.Contains(t, aud.visit(at+"/statements/r1"), "Prove this statement")
	aud.does(at+"/statements/r1", at+"/proof", url.Values{"person": {"r1"}}, "All of it was proved.")
	page = aud.visit("/verifications/2")
	require.Contains(t, page, "The statement of R &lt;One&gt; for January 2026")
	status, text = aud.fill(at+"/proof", at+"/proof", url.Values{"person": {"fin"}})
	require.Equal(t, http.StatusNotFound, status, text)

	// Somebody changes rows beside the program.
	storetest.Exec(t, h.database, `SET search_path TO guerdon; SET session_replication_role TO replica;
		UPDATE line SET amount_minor = amount_minor + 100 FROM statement s WHERE s.id = statement_id AND s.participant_id = 'r1';
		UPDATE statement SET total_minor = total_minor + 100 WHERE participant_id = 'r2';
		UPDATE audit_event SET actor = 'fin2' WHERE number = 7`)
	h.as("fin").does(at+"/proof", at+"/proof", url.Values{}, "Something is not as it must be.")
	page = h.as("fin").visit("/verifications/3")
	require.Regexp(t, `(?s)<a href="/periods/m-2026-01/statements/r1">R &lt;One&gt;</a></strong>[^<]*line 1, Commission, says 6173.84 USD, and calculated anew it is 6172.84 USD`, page)
	require.Regexp(t, `(?s)statements/r2">R Two</a></strong>[^<]*the statement of r2 is kept under the digest`, page)
	require.Regexp(t, regexp.MustCompile("(?i)link 7 of the audit chain has been altered"), page)
	require.Contains(t, aud.visit(at+"/proof"), ">failed<")
	aud.does(at+"/statements/r2", at+"/proof", url.Values{"person": {"r2"}}, "Something is not as it must be.")
	page = aud.visit("/verifications/4")
	require.Contains(t, page, "statements/r2")
	require.NotContains(t, page, "statements/r1\"", "another statement is not asked about")

	// Whoever may not is refused, and shown no way there.
	r1 := h.as("r1")
	require.NotContains(t, r1.visit("/"), "/proof")
	status, _ = r1.send(http.MethodGet, at+"/proof", nil)
	require.Equal(t, http.StatusForbidden, status)
	status, _ = r1.send(http.MethodPost, at+"/proof", url.Values{"key": {"k"}})
	require.Equal(t, http.StatusForbidden, status)

	// While it is under way, the page looks after it.
	h.room.hold = make(chan bool)
	aud.does(at+"/proof", at+"/proof", url.Values{}, "It is being proved.")
	require.Contains(t, aud.visit("/verifications/5"), `hx-get="/verifications/5"`)
	status, _ = aud.send(http.MethodGet, "/verifications/5/report", nil)
	require.Equal(t, http.StatusConflict, status)
}

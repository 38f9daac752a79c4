package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestArchive keeps histories once, links them into the audit chain, and notices when one
// is altered, added or taken away.
func TestArchive(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]string{
		"":        "",
		"altered": `UPDATE guerdon.archived_history SET content = (SELECT content FROM guerdon.archived_history WHERE workflow_id = 'w2') WHERE workflow_id = 'w1'`,
		"added":   `INSERT INTO guerdon.archived_history (period_id, revision, workflow_id, run_id, content, sha256) VALUES ('monthly-2026-10', 1, 'w3', 'r', '', '')`,
		"taken":   `DELETE FROM guerdon.archived_history WHERE workflow_id = 'w1'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, url := storetest.NewWithURL(t)
			company(t, s)
			const period = "monthly-2026-10"
			count := func() (int, []string, error) {
				var seen []string
				n, err := s.Histories(t.Context(), store.Archived{PeriodID: period, Revision: 1}, func(h store.History) error {
					seen = append(seen, h.WorkflowID+string(h.JSON))
					return nil
				})
				return n, seen, err
			}
			for _, id := range []string{"w2", "w1", "w1"} {
				require.NoError(t, s.KeepHistory(t.Context(), store.Archived{PeriodID: period, Revision: 1}, store.History{WorkflowID: id, RunID: "r", JSON: []byte(`{"of":"` + id + `"}`)}))
			}
			there, err := s.HasHistory(t.Context(), "w1", "r")
			require.NoError(t, err)
			require.True(t, there)
			n, _, err := count()
			require.NoError(t, err)
			require.Zero(t, n, "the archive is not complete yet")
			require.NoError(t, s.FinishArchive(t.Context(), store.System, store.Archived{PeriodID: period, Revision: 1}))
			require.NoError(t, s.FinishArchive(t.Context(), store.System, store.Archived{PeriodID: period, Revision: 1}), "once is enough")
			if tamper != "" {
				if name != "added" {
					require.Error(t, storetest.TryExec(t.Context(), url, tamper), "the table is only appended to")
				}
				storetest.Exec(t, url, "ALTER TABLE guerdon.archived_history DISABLE TRIGGER USER")
				storetest.Exec(t, url, tamper)
			}
			n, seen, err := count()
			if tamper != "" {
				require.Equal(t, store.CodeArchiveBroken, incentive.ErrorCode(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, 2, n)
			require.Equal(t, []string{`w1{"of":"w1"}`, `w2{"of":"w2"}`}, seen)
			links, _, err := s.VerifyAudit(t.Context())
			require.NoError(t, err)
			require.Positive(t, links)
		})
	}
}

package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// company is a small company: a boss, two reps, a person of finance and another one.
func company(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, s.SetCompany(ctx, store.System, "Test", "Asia/Jakarta"))
	load(t, s, "participant", participant("boss", ""), participant("ann", "boss"), participant("bob", "boss"), participant("fin", ""), participant("fin2", ""), participant("fin3", ""))
	load(t, s, "period", map[string]any{"id": "monthly-2026-10", "calendar_id": "monthly", "code": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"})
	require.NoError(t, s.Grant(ctx, store.System, "fin", []incentive.Role{incentive.Finance}))
	for _, id := range []string{"fin2", "fin3"} {
		require.NoError(t, s.Grant(ctx, store.System, id, []incentive.Role{incentive.Finance}))
	}
	require.NoError(t, s.Grant(ctx, store.System, "boss", []incentive.Role{incentive.Manager}))
}

func participant(id, manager string) map[string]any {
	row := map[string]any{"participant_id": id, "effective_from": "2026-01-01", "name": "Name of " + id, "email": id + "@example.com", "kind": "employee",
		"country": "ID", "pay_currency": "USD", "attributes": map[string]string{"commission_rate": "0.1"}}
	if manager != "" {
		row["manager_id"] = manager
	}
	return row
}

func load(t *testing.T, s *store.Store, kind string, records ...map[string]any) store.Import {
	t.Helper()
	rows := make([]store.Row, len(records))
	for i, record := range records {
		rows[i] = store.Row{File: "test", Line: i + 1, Key: "it", Record: record}
	}
	done, _, err := s.Load(t.Context(), store.Import{Kind: kind, FileName: "test", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: firstActor(t, s, kind)}, func(l *store.Loading) error {
		return l.Put(t.Context(), kind, rows)
	})
	require.NoError(t, err)
	return done
}

// firstActor is somebody to import as; the very first import brings its own.
func firstActor(t *testing.T, s *store.Store, kind string) string {
	t.Helper()
	if kind == "participant" {
		return "boss"
	}
	return "fin"
}

func TestImportingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	company(t, s)
	sale := map[string]any{"source": "crm", "transaction_id": "1", "date": "2026-10-05", "amount": "12345678901234567.89", "currency": "USD", "attributes": map[string]string{"product": "x"}}
	require.Equal(t, 1, load(t, s, "transaction", sale).Added)
	require.Equal(t, 1, load(t, s, "transaction", sale).Unchanged)
	sale["amount"] = "12345678901234567.90"
	require.Equal(t, 1, load(t, s, "transaction", sale).Changed)

	credit := map[string]any{"source": "crm", "transaction_id": "1", "participant_id": "ann", "role": "owner", "share": "1"}
	require.Equal(t, 1, load(t, s, "credit", credit).Added)
	credit["participant_id"] = "nobody"
	require.Equal(t, 1, load(t, s, "credit", credit).Quarantined)
}

func TestAuditChainShowsTampering(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	links, _, err := s.VerifyAudit(t.Context())
	require.NoError(t, err)
	require.Positive(t, links)
	storetest.Exec(t, url, `SET search_path TO guerdon; ALTER TABLE audit_event DISABLE TRIGGER ALL; UPDATE audit_event SET actor = 'somebody else' WHERE number = 2`)
	_, _, err = s.VerifyAudit(t.Context())
	require.EqualError(t, err, "link 2 of the audit chain has been altered")
}

func TestFactsAreAppendOnly(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	for _, table := range []string{"participant_fact", "audit_event"} {
		err := storetest.TryExec(context.Background(), url, `SET search_path TO guerdon; DELETE FROM `+table)
		require.ErrorContains(t, err, table+" is append-only")
		err = storetest.TryExec(context.Background(), url, `SET search_path TO guerdon; TRUNCATE `+table+` CASCADE`)
		require.ErrorContains(t, err, "is append-only")
	}
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	ctx := t.Context()
	_, fresh, err := s.BeginCommand(ctx, "ann", "key", []byte("a"))
	require.NoError(t, err)
	require.True(t, fresh)
	_, _, err = s.BeginCommand(ctx, "ann", "key", []byte("a"))
	require.Equal(t, store.CodeKeyInProgress, incentive.ErrorCode(err))
	_, _, err = s.BeginCommand(ctx, "ann", "key", []byte("b"))
	require.Equal(t, store.CodeKeyReused, incentive.ErrorCode(err))
	left := `UPDATE guerdon.command SET created_at = now() - interval '16 seconds'`
	storetest.Exec(t, url, left)
	require.NoError(t, s.HoldCommand(ctx, "ann", "key"))
	_, _, err = s.BeginCommand(ctx, "ann", "key", []byte("a"))
	require.Equal(t, store.CodeKeyInProgress, incentive.ErrorCode(err), "somebody holds on to it")
	storetest.Exec(t, url, left)
	_, _, err = s.BeginCommand(ctx, "ann", "key", []byte("b"))
	require.Equal(t, store.CodeKeyReused, incentive.ErrorCode(err))
	_, fresh, err = s.BeginCommand(ctx, "ann", "key", []byte("a"))
	require.NoError(t, err)
	require.True(t, fresh, "a dead process's is taken over")
	require.NoError(t, s.FinishCommand(ctx, "ann", "key", store.Answer{Status: 200, Body: []byte("done")}))
	answer, fresh, err := s.BeginCommand(ctx, "ann", "key", []byte("a"))
	require.NoError(t, err)
	require.False(t, fresh)
	require.Equal(t, "done", string(answer.Body))
	_, fresh, err = s.BeginCommand(ctx, "bob", "key", []byte("b"))
	require.NoError(t, err)
	require.True(t, fresh, "keys belong to their actor")
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	company(t, s)
	secret, err := s.NewToken(t.Context(), store.System, "fin", "test", 1e12)
	require.NoError(t, err)
	p, err := s.Authenticate(t.Context(), secret)
	require.NoError(t, err)
	require.Equal(t, store.Person{ID: "fin", Name: "Name of fin", Roles: []incentive.Role{incentive.Finance}}, p)
	_, err = s.Authenticate(t.Context(), secret+"x")
	require.Equal(t, store.CodeUnauthenticated, incentive.ErrorCode(err))
	team, err := s.Visible(t.Context(), "boss", incentive.Team, incentive.MustParseDate("2026-10-31"))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"boss", "ann", "bob"}, team)
}

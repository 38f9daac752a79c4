package store_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestEverythingIsExported walks the schema: each column of each table is exported, or
// left out for a reason.
func TestEverythingIsExported(t *testing.T) {
	t.Parallel()
	_, url := storetest.NewWithURL(t)
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.Background())
	rows, err := c.Query(t.Context(), `
		SELECT c.table_name::text, c.column_name::text, c.data_type = 'bytea' FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'guerdon' AND t.table_type = 'BASE TABLE'`)
	require.NoError(t, err)
	exported, left := store.ExportedColumns()
	known, unused := map[string]bool{}, map[string]bool{}
	for name := range left {
		unused[name] = true
	}
	var table, column string
	var binary bool
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &binary}, func() error {
		name := table + "." + column
		known[name] = true
		delete(unused, table)
		delete(unused, name)
		held := 0
		for _, one := range exported[table] {
			if one == column {
				held++
			}
		}
		if left[table] == "" && left[name] == "" {
			require.Equal(t, 1, held, "%s is neither exported nor left out: describe it in store/export.txt, or say in notExported of store/export.go why not", name)
		} else {
			require.Zero(t, held, "%s is exported and left out", name)
		}
		return nil
	})
	require.NoError(t, err)
	require.Empty(t, unused, "what is left out must exist")
	for table, columns := range exported {
		for _, column := range columns {
			require.True(t, known[table+"."+column], "there is no %s.%s to export", table, column)
		}
	}
}

// exported makes an export, checks it against its manifest and returns its files.
func exported(t *testing.T, s *store.Store, paymentFiles bool) (store.Manifest, map[string]string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, s.Export(t.Context(), "fin", &out, paymentFiles))
	archive, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NotContains(t, files, f.Name)
		files[f.Name] = string(content)
	}
	var manifest store.Manifest
	require.NoError(t, json.Unmarshal([]byte(files["manifest.json"]), &manifest))
	require.Equal(t, store.ExportFormat, manifest.Format)
	require.Len(t, manifest.Files, len(files)-1)
	for _, f := range manifest.Files {
		require.Equal(t, incentive.Digest(sha256.Sum256([]byte(files[f.Name]))), f.SHA256, f.Name)
		if !strings.Contains(f.Name, "/") && strings.HasSuffix(f.Name, ".csv") {
			rows, err := csv.NewReader(strings.NewReader(files[f.Name])).ReadAll()
			require.NoError(t, err)
			require.EqualValues(t, len(rows)-1, f.Rows, f.Name)
			for _, column := range rows[0] {
				require.Contains(t, files["README.txt"], "\n  "+column+": ", "the README says what %s is", column)
			}
		}
	}
	return manifest, files
}

// TestExport exports a company with a paid month.
func TestExport(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	_, err := b.SetDestination(b.Context(), "ann", store.Destination{ParticipantID: "ann", Rail: "payment-file", Masked: "DE…3000", Details: map[string]string{"account": "DE89370400440532013000"}})
	require.NoError(b, err)
	secret, err := b.NewToken(b.Context(), "fin", "ann", "test", 1<<40)
	require.NoError(b, err)
	b.deal("D,1", "2026-01-05", "12345678901.23")
	b.deal("D,1", "2026-01-05", "1000.50")
	b.open(monthOf(1))
	b.calculate(monthOf(1))
	b.publish(monthOf(1))
	require.NoError(b, b.KeepHistory(b.Context(), store.Archived{PeriodID: monthOf(1), Revision: 1}, store.History{WorkflowID: "pay-period/x/1", RunID: "r", JSON: []byte(`{"events":[]}`)}))
	require.NoError(b, b.BeginExport(b.Context(), "fin", false))
	manifest, files := exported(t, b.Store, false)
	require.Equal(t, "fin", manifest.ExportedBy)
	column := func(file, name string) (values []string) {
		rows, err := csv.NewReader(strings.NewReader(files[file])).ReadAll()
		require.NoError(t, err)
		for i, is := range rows[0] {
			if is == name {
				for _, row := range rows[1:] {
					values = append(values, row[i])
				}
			}
		}
		require.NotNil(t, values, "%s has the column %s", file, name)
		return values
	}
	require.Equal(t, []string{"12345678901.23", "1000.50"}, column("transactions.csv", "amount"), "all versions, to the last digit")
	require.Equal(t, []string{"D,1", "D,1"}, column("transactions.csv", "transaction_id"))
	require.Contains(t, column("statements.csv", "total_minor"), "10005")
	require.Contains(t, column("destinations.csv", "masked"), "DE…3000")
	require.Contains(t, files["plans/flat-1.yaml"], "plan: flat")
	require.Equal(t, `{"events":[]}`, files["histories/pay-period%2Fx%2F1-r.json"])
	_, head, err := b.VerifyAudit(b.Context())
	require.NoError(t, err)
	chain := strings.Split(strings.TrimSpace(files["audit-chain.jsonl"]), "\n")
	last := struct {
		incentive.AuditEntry
		Hash string
	}{}
	require.NoError(t, json.Unmarshal([]byte(chain[len(chain)-1]), &last))
	require.Equal(t, "export", last.Act, "the export itself is on record")
	require.Equal(t, fmt.Sprintf("%x", head), last.Hash)
	for name, content := range files {
		require.NotContains(t, content, "DE89370400440532013000", "%s holds bank details", name)
		require.NotContains(t, content, secret, "%s holds a token", name)
	}
}

// TestPaymentFilesAreAskedFor exports payment files only for somebody who asks for them.
func TestPaymentFilesAreAskedFor(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	storetest.Exec(t, url, `SET search_path TO guerdon; SET session_replication_role = replica;
		INSERT INTO payment_file (id, period_id, revision, rail, currency, name, message_id, content, sha256, payouts, total_minor)
		VALUES ('00000000-0000-0000-0000-000000000001', 'p', 1, 'r', 'USD', 'a/b.csv', 'm', 'to DE89', '\x00', 1, 2)`)
	const name = "payment-files/00000000-0000-0000-0000-000000000001-a%2Fb.csv"
	_, files := exported(t, s, false)
	require.NotContains(t, files, name)
	require.Contains(t, files["payment_files.csv"], "a/b.csv")
	_, files = exported(t, s, true)
	require.Equal(t, "to DE89", files[name])
}

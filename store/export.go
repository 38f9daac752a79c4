package store

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// exportedTables is what an export holds of the database: a block for each table, as it
// is described in the README of the export too.
//
//go:embed export.txt
var exportedTables string

// notExported are the tables and columns that an export leaves out, with the reason. An
// export holds every other one.
var notExported = map[string]string{
	"plan_draft":                         "drafts of plans, none of which pays anybody",
	"import_lookup":                      "copies of files that values are looked up in, for reading quarantined rows again",
	"api_token":                          "what lets people in; who was given a token when stands in the audit chain",
	"command":                            "answers kept for repeated requests, which say nothing of their own",
	"run_measured":                       "work of a calculation under way",
	"run_sales":                          "work of a calculation under way",
	"run_shard":                          "work of a calculation under way",
	"period_transition":                  "the program's own table of what may happen to a period",
	"dispute_transition":                 "the program's own table of what may happen to a dispute",
	"goose_db_version":                   "which migrations the database has had",
	"destination.details":                "bank details: encrypted, and never exported; masked says which account it is",
	"destination.key_version":            "of the key that encrypts bank details",
	"plan_version.document":              "a file of its own, plans/<plan>-<version>.yaml",
	"policy_version.document":            "a file of its own, policies/<calendar>-<version>.yaml",
	"file_template.document":             "a file of its own, file-templates/<name>-<version>.yaml",
	"import.mapping":                     "a file of its own, mappings/<import>.yaml",
	"archived_history.content":           "a file of its own, histories/<workflow>-<run>.json",
	"payment_file.content":               "a file of its own, payment-files/<id>-<name>, where that was asked for: it holds bank details",
	"evidence.content":                   "a file of its own, evidence/<id>-<name>",
	"status_file.content":                "what a bank sent: encrypted, and never exported; payout_outcomes say what was in it",
	"status_file.key_version":            "of the key that encrypts it",
	"rail_event.content":                 "what a rail sent: encrypted, and never exported; rail_event_outcomes say what followed",
	"rail_event.key_version":             "of the key that encrypts it",
	"estimate":                           "calculated again from the facts whenever they change",
	"destination_correction.details":     "bank details: encrypted, and never exported; masked says which account it is",
	"destination_correction.key_version": "of the key that encrypts them",
	"redemption.details":                 "where a reward is sent: encrypted, and never exported; masked says as much of it as may be shown",
	"redemption.key_version":             "of the key that encrypts it",
	"person_setting.seen":                "the last notification that somebody has seen",
	"person_setting.webhook":             "whoever knows the address can write to it",
	"notification_due":                   "what is to be sent next",
	"estimate_wanted":                    "whose estimates are to be calculated next",
	"estimate_touched":                   "what has just changed, for the estimates",
	"estimate_entrant":                   "what competitors have come to, for the estimates",
	"verification_progress":              "how far a verification under way has come",
	"audit_event":                        "a file of its own, audit-chain.jsonl",

	"destination.account_index":              "by which two people with one account are found: a keyed digest, never exported",
	"shared_account_clearance.account_index": "which account it was: a keyed digest, never exported",
	"index_key":                              "the key of those digests",

	"account_refusal.account_index": "which account it is: a keyed digest, never exported",
	"rail_account.account_index":    "which account it is: a keyed digest, never exported",
	"prenote_file.content":          "it holds bank details: encrypted, and never exported; prenotes say which accounts are in it",
	"prenote_file.key_version":      "of the key that encrypts it",
}

// exportedTable is a table as a CSV file.
type exportedTable struct {
	file, table, order, about string
	columns                   []exportedColumn
}

type exportedColumn struct {
	name, meaning string
	hex           bool // binary, written in hexadecimal
}

// tables reads exportedTables: blocks of a line "file | table | order | about" and a line
// "column meaning" for each column.
func tables() []exportedTable {
	var all []exportedTable
	for _, block := range strings.Split(strings.TrimSpace(exportedTables), "\n\n") {
		lines := strings.Split(block, "\n")
		head := strings.SplitN(lines[0], " | ", 4)
		t := exportedTable{file: head[0], table: head[1], order: head[2], about: head[3]}
		for _, line := range lines[1:] {
			name, meaning, _ := strings.Cut(line, " ")
			name, isHex := strings.CutSuffix(name, ":hex")
			t.columns = append(t.columns, exportedColumn{name, meaning, isHex})
		}
		all = append(all, t)
	}
	return all
}

func (t exportedTable) sql() string {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		if columns[i] = c.name; c.hex {
			columns[i] = "encode(" + c.name + ", 'hex') AS " + c.name
		}
	}
	return "COPY (SELECT " + strings.Join(columns, ", ") + " FROM " + t.table + " ORDER BY " + t.order + ") TO STDOUT (FORMAT csv, HEADER)"
}

// exportedFiles are the rows that become files of their own: queries of name and content.
const (
	exportPlans     = `SELECT plan_id, version::text, document FROM plan_version ORDER BY plan_id, version`
	exportPolicies  = `SELECT calendar_id, version::text, convert_to(document, 'UTF8') FROM policy_version ORDER BY calendar_id, version`
	exportTemplates = `SELECT name, version::text, convert_to(document, 'UTF8') FROM file_template ORDER BY name, version`
	exportMappings  = `SELECT id::text, '', mapping FROM import ORDER BY imported_at, id`
	exportEvidence  = `SELECT id::text, name, content FROM evidence ORDER BY added_at, id`
	exportHistory   = `SELECT workflow_id, run_id, content FROM archived_history ORDER BY workflow_id, run_id`
	exportPayments  = `SELECT id::text, name, content FROM payment_file ORDER BY period_id, revision, rail, currency`
)

// ExportedFile is a file of an export, as its manifest names it.
type ExportedFile struct {
	Name   string           `json:"name"`
	Rows   int64            `json:"rows"` // of a table; 1 for another file
	SHA256 incentive.Digest `json:"sha256"`
}

// Manifest is the last file of an export, manifest.json.
type Manifest struct {
	Format     string         `json:"format"`
	ExportedAt time.Time      `json:"exported_at"`
	ExportedBy string         `json:"exported_by"`
	Files      []ExportedFile `json:"files"`
}

// ExportFormat names the meaning of an export's files.
const ExportFormat = "guerdon export 1"

// BeginExport records who takes everything with them, and with the payment files.
func (s *Store) BeginExport(ctx context.Context, actor string, paymentFiles bool) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		return audit(ctx, tx, actor, "export", CompanySubject, struct {
			PaymentFiles bool `json:"payment_files"`
		}{paymentFiles})
	})
}

// Export writes everything of the company as a zip of open formats, as it stands at one
// moment, row by row. Payment files, which hold bank details, come only where asked for.
func (s *Store) Export(ctx context.Context, actor string, w io.Writer, paymentFiles bool) error {
	e := exporting{zip: zip.NewWriter(w), manifest: Manifest{Format: ExportFormat, ExportedBy: actor}}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&e.manifest.ExportedAt); err != nil {
			return err
		}
		e.manifest.ExportedAt = e.manifest.ExportedAt.UTC()
		for _, t := range tables() {
			err := e.file(t.file+".csv", func(w io.Writer) (int64, error) {
				tag, err := tx.Conn().PgConn().CopyTo(ctx, w, t.sql())
				return tag.RowsAffected(), err
			})
			if err != nil {
				return err
			}
		}
		if err := e.file("audit-chain.jsonl", func(w io.Writer) (int64, error) { return exportChain(ctx, tx, w) }); err != nil {
			return err
		}
		err := errorsIn(e.files(ctx, tx, "plans/%s-%s.yaml", exportPlans, false), e.files(ctx, tx, "policies/%s-%s.yaml", exportPolicies, false),
			e.files(ctx, tx, "file-templates/%s-%s.yaml", exportTemplates, false), e.files(ctx, tx, "mappings/%s%s.yaml", exportMappings, false), e.files(ctx, tx, "evidence/%s-%s", exportEvidence, false), e.files(ctx, tx, "histories/%s-%s.json", exportHistory, true))
		if err == nil && paymentFiles {
			err = e.files(ctx, tx, "payment-files/%s-%s", exportPayments, false)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("export the company: %w", err)
	}
	if err := e.file("README.txt", func(w io.Writer) (int64, error) { return 1, exportReadme(w) }); err != nil {
		return err
	}
	written, err := e.zip.Create("manifest.json")
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(written)
	encoder.SetIndent("", "  ")
	return errorsIn(encoder.Encode(e.manifest), e.zip.Close())
}

// exporting is an export under way.
type exporting struct {
	zip      *zip.Writer
	manifest Manifest
}

// digesting hashes what passes through it.
type digesting struct {
	io.Writer
	hash.Hash
}

func (d digesting) Write(b []byte) (int, error) {
	d.Hash.Write(b)
	return d.Writer.Write(b)
}

// file adds a file that write writes, and of which it returns the rows.
func (e *exporting) file(name string, write func(io.Writer) (int64, error)) error {
	w, err := e.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: e.manifest.ExportedAt})
	if err != nil {
		return err
	}
	d := digesting{w, sha256.New()}
	rows, err := write(d)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	e.manifest.Files = append(e.manifest.Files, ExportedFile{name, rows, incentive.Digest(d.Sum(nil))})
	return nil
}

// files adds a file for each row of a query.
func (e *exporting) files(ctx context.Context, tx pgx.Tx, name, sql string, packed bool) error {
	rows, err := tx.Query(ctx, sql)
	if err != nil {
		return err
	}
	var id, part string
	var content []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &part, &content}, func() error {
		return e.file(fmt.Sprintf(name, url.PathEscape(id), url.PathEscape(part)), func(w io.Writer) (int64, error) {
			if !packed {
				_, err := w.Write(content)
				return 1, err
			}
			r, err := gzip.NewReader(bytes.NewReader(content))
			if err == nil {
				_, err = io.Copy(w, r)
			}
			return 1, err
		})
	})
	return err
}

// exportChain writes the audit chain, a JSON object for each link.
func exportChain(ctx context.Context, tx pgx.Tx, w io.Writer) (int64, error) {
	rows, err := tx.Query(ctx, `SELECT number, at, actor, act, subject, body, previous_hash, hash FROM audit_event ORDER BY number`)
	if err != nil {
		return 0, err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	var e AuditEvent
	tag, err := pgx.ForEachRow(rows, []any{&e.Number, &e.At, &e.Actor, &e.Act, &e.Subject, &e.Body, &e.PreviousHash, &e.Hash}, func() error {
		e.At = e.At.UTC()
		return encoder.Encode(struct {
			incentive.AuditEntry
			PreviousHash string `json:"previous_hash"`
			Hash         string `json:"hash"`
		}{e.AuditEntry, hex.EncodeToString(e.PreviousHash), hex.EncodeToString(e.Hash)})
	})
	return tag.RowsAffected(), err
}

//go:embed export-readme.txt
var readme string

// exportReadme explains an export's files.
func exportReadme(w io.Writer) error {
	var b strings.Builder
	b.WriteString(readme)
	for _, t := range tables() {
		fmt.Fprintf(&b, "\n%s.csv: %s\n", t.file, t.about)
		for _, c := range t.columns {
			fmt.Fprintf(&b, "  %s: %s\n", c.name, c.meaning)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

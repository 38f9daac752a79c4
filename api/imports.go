package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/store"
)

// structural are the kinds that say who is who and what they are paid by.
var structural = []mapping.Kind{mapping.Participant, mapping.Period, mapping.Holiday, mapping.Assignment}

// atOnce is how many rows go to the database together.
const atOnce = 2000

// upload is what came with an import.
type upload struct {
	mapping []byte
	files   []*os.File
	names   []string
}

func (u *upload) close() {
	for _, f := range u.files {
		_, _ = f.Close(), os.Remove(f.Name()) // copies of ours
	}
}

// ImportFiles reads files through a mapping.
func (s *server) ImportFiles(ctx context.Context, request spec.ImportFilesRequestObject) (spec.ImportFilesResponseObject, error) {
	u, err := receive(request)
	defer u.close()
	if err != nil {
		return nil, err
	}
	reading, err := mapping.Parse(u.mapping)
	if err != nil {
		return nil, err
	}
	if err := mayEnter(ctx, reading.Kinds()...); err != nil {
		return nil, err
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, u.files[0]); err != nil {
		return nil, fmt.Errorf("read an upload: %w", err)
	}
	if _, err := u.files[0].Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read an upload: %w", err)
	}
	others := map[string]mapping.File{}
	for i, f := range u.files {
		content := io.Reader(f)
		if i == 0 {
			// The main file may look values up in itself.
			again, err := os.Open(f.Name())
			if err != nil {
				return nil, fmt.Errorf("read an upload: %w", err)
			}
			defer func() { _ = again.Close() }() // read only
			content = again
		}
		others[u.names[i]] = mapping.File{Name: u.names[i], Content: content}
	}
	kinds := reading.Kinds()
	record := store.Import{Kind: kindsText(kinds), FileName: u.names[0], SHA256: digest.Sum(nil), Mapping: u.mapping, ImportedBy: personOf(ctx).ID}
	if record.Lookups, err = u.lookups(reading); err != nil {
		return nil, err
	}
	done, held, err := s.Store.Load(ctx, record, func(l *store.Loading) error {
		b := batches{loading: l, rows: map[mapping.Kind][]store.Row{}}
		for _, kind := range kinds {
			if !slices.Contains(b.kinds, kind) {
				b.kinds = append(b.kinds, kind)
			}
		}
		err := reading.Read(ctx, mapping.File{Name: u.names[0], Content: u.files[0]}, others, mapping.Sink{
			Columns: l.Columns,
			Row:     func(r mapping.Row) error { return b.add(ctx, r) },
			Reject: func(r mapping.Rejection) error {
				l.Quarantine(quarantined(r))
				return nil
			},
			Skip: func() error { l.Skip(1); return nil },
		})
		if err != nil {
			return err
		}
		return b.flush(ctx)
	})
	if err != nil {
		return nil, err
	}
	return spec.ImportFiles201JSONResponse(importOf(ctx, done, held[:min(len(held), 500)])), nil
}

func quarantined(r mapping.Rejection) store.Quarantined {
	return store.Quarantined{FileName: r.File, Line: r.Line, Column: r.Column, Field: r.Field, Value: r.Value, Code: r.Code, Reason: r.Reason, Raw: r.Raw}
}

// largestLookups is how much of the files that a mapping looks values up in is kept for
// reading quarantined rows again, in bytes.
const largestLookups = 64 << 20

// lookups reads the files that a mapping looks values up in; none where they are too large
// to be kept.
func (u *upload) lookups(m *mapping.Mapping) (map[string][]byte, error) {
	kept, size := map[string][]byte{}, int64(0)
	for i, name := range u.names {
		if !slices.Contains(m.Lookups(), name) {
			continue
		}
		at, err := u.files[i].Stat()
		if err != nil {
			return nil, fmt.Errorf("read an upload: %w", err)
		}
		if size += at.Size(); size > largestLookups {
			return nil, nil
		}
		if kept[name], err = os.ReadFile(u.files[i].Name()); err != nil {
			return nil, fmt.Errorf("read an upload: %w", err)
		}
	}
	return kept, nil
}

func kindsText(kinds []mapping.Kind) string {
	text := ""
	for i, k := range kinds {
		if i > 0 {
			text += " and "
		}
		text += string(k)
	}
	return text
}

// batches collects rows and puts them in the mapping's order of kinds, so that what a
// record refers to is there before it.
type batches struct {
	loading *store.Loading
	kinds   []mapping.Kind
	rows    map[mapping.Kind][]store.Row
}

func (b *batches) add(ctx context.Context, r mapping.Row) error {
	if r.Kind == mapping.Quota && r.Record["ends_on"] == nil {
		end, err := b.loading.PeriodEnd(ctx, r.Record["calendar_id"].(string), r.Record["starts_on"].(incentive.Date))
		if err != nil {
			return fmt.Errorf("find the period of a quota: %w", err)
		}
		if !end.IsZero() {
			r.Record["ends_on"] = end
		}
	}
	b.rows[r.Kind] = append(b.rows[r.Kind], store.Row{File: r.File, Line: r.Line, Raw: r.Raw, Key: r.Key, Record: r.Record})
	if len(b.rows[r.Kind]) < atOnce {
		return nil
	}
	return b.flush(ctx)
}

func (b *batches) flush(ctx context.Context) error {
	for _, kind := range b.kinds {
		if err := b.loading.Put(ctx, string(kind), b.rows[kind]); err != nil {
			return err
		}
		b.rows[kind] = nil
	}
	return nil
}

// receive takes the parts of an upload.
func receive(request spec.ImportFilesRequestObject) (*upload, error) {
	u := &upload{}
	for {
		part, err := request.Body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, incentive.Errorf(incentive.CodeInvalid, "the upload cannot be read: send multipart/form-data with one mapping and one or more files")
		}
		switch part.FormName() {
		case "mapping":
			if u.mapping != nil {
				return u, incentive.Errorf(incentive.CodeInvalid, "the upload has two mappings")
			}
			if u.mapping, err = io.ReadAll(io.LimitReader(part, largestBody)); err != nil {
				return u, fmt.Errorf("read an upload: %w", err)
			}
		case "files":
			const most = 20
			if len(u.files) == most {
				return u, incentive.Errorf(incentive.CodeInvalid, "an upload has at most %d files", most)
			}
			name := part.FileName()
			if err := incentive.CheckFileName(name); err != nil {
				return u, err
			}
			if slices.Contains(u.names, name) {
				return u, incentive.Errorf(incentive.CodeInvalid, "each file of an upload has a name of its own, and %q is not one", name)
			}
			f, err := os.CreateTemp("", "guerdon-import-")
			if err != nil {
				return u, fmt.Errorf("keep an upload: %w", err)
			}
			u.files, u.names = append(u.files, f), append(u.names, name)
			if _, err = io.Copy(f, part); err == nil {
				_, err = f.Seek(0, io.SeekStart)
			}
			if err != nil {
				return u, fmt.Errorf("keep an upload: %w", err)
			}
		default:
			return u, incentive.Errorf(incentive.CodeInvalid, "an upload has the parts mapping and files, and not %q", part.FormName())
		}
	}
	if u.mapping == nil || len(u.files) == 0 {
		return u, incentive.Errorf(incentive.CodeInvalid, "an upload needs a mapping and at least one file")
	}
	return u, nil
}

func importOf(ctx context.Context, i store.Import, held []store.Quarantined) spec.Import {
	answer := spec.Import{
		Id:          i.ID,
		Kind:        i.Kind,
		File:        i.FileName,
		ImportedBy:  i.ImportedBy,
		ImportedAt:  i.ImportedAt,
		Added:       i.Added,
		Changed:     i.Changed,
		Unchanged:   i.Unchanged,
		Skipped:     i.Skipped,
		Quarantined: i.Quarantined,
		Waiting:     i.Waiting,
		Columns:     i.Columns,
		Rows:        []spec.Quarantined{},
	}
	if answer.Columns == nil {
		answer.Columns = []string{}
	}
	m, err := mapping.Parse(i.Mapping)
	if err != nil { // by the rules of its time
		m = nil
	}
	for _, q := range held {
		answer.Rows = append(answer.Rows, quarantinedOf(languageOf(ctx), m, i.Columns, q))
	}
	return answer
}

func quarantinedOf(l language.Language, m *mapping.Mapping, columns []string, q store.Quarantined) spec.Quarantined {
	shown := spec.Quarantined{
		Position:  q.Position,
		File:      q.FileName,
		Line:      q.Line,
		Column:    q.Column,
		Field:     q.Field,
		Value:     q.Value,
		Code:      string(q.Code),
		Reason:    l.Translate(q.Reason),
		Raw:       q.Raw,
		TakenAs:   orNil(q.TakenRaw),
		DecidedBy: orNil(q.DecidedBy),
		DecidedAt: q.DecidedAt,
		Why:       orNil(q.LeftOut),
	}
	if m != nil {
		if cells := m.Cells(q.Raw, len(columns)); cells != nil {
			shown.Cells = &cells
		}
	}
	if q.Outcome != "" {
		outcome := spec.QuarantinedOutcome(q.Outcome)
		shown.Outcome = &outcome
	}
	return shown
}

// ListImports lists imports, the latest first.
func (s *server) ListImports(ctx context.Context, request spec.ListImportsRequestObject) (spec.ListImportsResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	after, err := fromCursor[store.ImportKey](request.Params.After)
	if err != nil {
		return nil, err
	}
	all, err := s.Store.Imports(ctx, value(request.Params.Waiting), after, limit)
	answer := spec.ListImports200JSONResponse{Imports: []spec.Import{}}
	for _, i := range all {
		answer.Imports = append(answer.Imports, importOf(ctx, i, nil))
	}
	answer.Next = next(len(all), limit, func() string {
		last := all[len(all)-1]
		return cursor(store.ImportKey{At: last.ImportedAt, ID: last.ID})
	})
	return answer, err
}

// GetImport returns an import with its quarantined rows.
func (s *server) GetImport(ctx context.Context, request spec.GetImportRequestObject) (spec.GetImportResponseObject, error) {
	i, held, err := s.Store.Import(ctx, request.Import, value(request.Params.Waiting), value(request.Params.After), limitOf(request.Params.Limit))
	return spec.GetImport200JSONResponse(importOf(ctx, i, held)), err
}

// mostRetried is how many quarantined rows one request reads again.
const mostRetried = 5000

// RetryRows reads quarantined rows again, mended or as they stand.
func (s *server) RetryRows(ctx context.Context, request spec.RetryRowsRequestObject) (spec.RetryRowsResponseObject, error) {
	answer, done, err := wait(ctx, s, func(ctx context.Context) (spec.Retried, error) {
		return s.retry(ctx, request.Import, value(request.Body.Rows))
	})
	if err != nil {
		return nil, err
	}
	if !done {
		return spec.RetryRows202JSONResponse{AcceptedJSONResponse: accepted(ctx)}, nil
	}
	return spec.RetryRows200JSONResponse(answer), nil
}

// retry reads rows of an import again: those that are named, with the values that are
// given, or else all that wait.
func (s *server) retry(ctx context.Context, id string, rows []spec.RetriedRow) (spec.Retried, error) {
	from, limit := 0, mostRetried
	if len(rows) > 0 {
		by := func(a, b spec.RetriedRow) int { return a.Position - b.Position }
		from = slices.MinFunc(rows, by).Position
		limit = slices.MaxFunc(rows, by).Position - from + 1
	}
	i, held, err := s.Store.Import(ctx, id, true, from, limit)
	if err != nil {
		return spec.Retried{}, err
	}
	m, err := mapping.Parse(i.Mapping)
	if err != nil {
		return spec.Retried{}, err
	}
	if err := mayEnter(ctx, m.Kinds()...); err != nil {
		return spec.Retried{}, err
	}
	if len(i.Columns) == 0 {
		return spec.Retried{}, incentive.Errorf(mapping.CodeRefused, "the columns of %s were not kept: import the rows anew", i.FileName)
	}
	if rows == nil {
		for _, q := range held {
			rows = append(rows, spec.RetriedRow{Position: q.Position})
		}
	}
	stands := map[int]store.Quarantined{}
	for _, q := range held {
		stands[q.Position] = q
	}
	again := make([]mapping.Held, len(rows))
	for n, row := range rows {
		q, waits := stands[row.Position]
		if !waits {
			return spec.Retried{}, incentive.Errorf(incentive.CodeConflict, "row %d waits no more: somebody has taken it or left it out", row.Position)
		}
		again[n] = mapping.Held{Line: q.Line, Cells: value(row.Cells)}
		if row.Cells == nil {
			again[n].Cells = m.Cells(q.Raw, len(i.Columns))
		}
		if row.Cells != nil && len(*row.Cells) != len(i.Columns) {
			return spec.Retried{}, incentive.Errorf(incentive.CodeInvalid, "row %d has %d values: give one for each of the %d columns", row.Position, len(*row.Cells), len(i.Columns))
		}
	}
	kept, err := s.Store.ImportLookups(ctx, id)
	if err != nil {
		return spec.Retried{}, err
	}
	others := map[string]mapping.File{}
	for name, content := range kept {
		others[name] = mapping.File{Name: name, Content: bytes.NewReader(content)}
	}
	reread, err := m.Again(ctx, i.FileName, i.Columns, again, others)
	if err != nil {
		return spec.Retried{}, err
	}
	refused := map[int]store.Quarantined{}
	var retries []store.Retry
	for n, one := range reread {
		position := rows[n].Position
		if one.Rejection != nil {
			refused[position] = quarantined(*one.Rejection)
			continue
		}
		retries = append(retries, store.Retry{Position: position, Raw: m.Written(again[n].Cells), Put: func(l *store.Loading) error {
			b := batches{loading: l, kinds: m.Kinds(), rows: map[mapping.Kind][]store.Row{}}
			for _, r := range one.Rows {
				if err := b.add(ctx, r); err != nil {
					return err
				}
			}
			return b.flush(ctx)
		}})
	}
	taken, more, err := s.Store.RetryRows(ctx, personOf(ctx).ID, id, retries)
	if err != nil {
		return spec.Retried{}, err
	}
	maps.Copy(refused, more)
	answer := spec.Retried{Taken: taken, Refused: []spec.Quarantined{}}
	for n, row := range rows {
		if q, is := refused[row.Position]; is && len(answer.Refused) < 500 {
			q.Position, q.Line, q.Raw = row.Position, again[n].Line, m.Written(again[n].Cells)
			answer.Refused = append(answer.Refused, quarantinedOf(languageOf(ctx), m, i.Columns, q))
		}
	}
	return answer, nil
}

// LeaveRowOut ends a quarantined row's waiting without its data.
func (s *server) LeaveRowOut(ctx context.Context, request spec.LeaveRowOutRequestObject) (spec.LeaveRowOutResponseObject, error) {
	i, _, err := s.Store.Import(ctx, request.Import, true, 0, 1)
	if err != nil {
		return nil, err
	}
	if m, err := mapping.Parse(i.Mapping); err == nil {
		if err := mayEnter(ctx, m.Kinds()...); err != nil {
			return nil, err
		}
	}
	if err := s.Store.LeaveRowOut(ctx, personOf(ctx).ID, request.Import, request.Row, request.Body.Reason); err != nil {
		return nil, err
	}
	i, _, err = s.Store.Import(ctx, request.Import, true, 0, 1)
	return spec.LeaveRowOut200JSONResponse(importOf(ctx, i, nil)), err
}

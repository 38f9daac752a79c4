package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
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
	done, held, err := s.Store.Load(ctx, record, func(l *store.Loading) error {
		b := batches{loading: l, rows: map[mapping.Kind][]store.Row{}}
		for _, kind := range kinds {
			if !slices.Contains(b.kinds, kind) {
				b.kinds = append(b.kinds, kind)
			}
		}
		err := reading.Read(ctx, mapping.File{Name: u.names[0], Content: u.files[0]}, others, mapping.Sink{
			Row: func(r mapping.Row) error { return b.add(ctx, r) },
			Reject: func(r mapping.Rejection) error {
				l.Quarantine(store.Quarantined{FileName: r.File, Line: r.Line, Column: r.Column, Field: r.Field, Value: r.Value, Code: r.Code, Reason: r.Reason, Raw: r.Raw})
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
	return spec.ImportFiles201JSONResponse(importOf(done, held[:min(len(held), 500)])), nil
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

func importOf(i store.Import, held []store.Quarantined) spec.Import {
	answer := spec.Import{Id: i.ID, Kind: i.Kind, File: i.FileName, ImportedBy: i.ImportedBy, ImportedAt: i.ImportedAt, Added: i.Added, Changed: i.Changed, Unchanged: i.Unchanged,
		Skipped: i.Skipped, Quarantined: i.Quarantined, Rows: []spec.Quarantined{}}
	for _, q := range held {
		answer.Rows = append(answer.Rows, spec.Quarantined{File: q.FileName, Line: q.Line, Column: q.Column, Field: q.Field, Value: q.Value, Code: string(q.Code), Reason: q.Reason, Raw: q.Raw})
	}
	return answer
}

// GetImport returns an import with its quarantined rows.
func (s *server) GetImport(ctx context.Context, request spec.GetImportRequestObject) (spec.GetImportResponseObject, error) {
	i, held, err := s.Store.Import(ctx, request.Import, value(request.Params.After), limitOf(request.Params.Limit))
	return spec.GetImport200JSONResponse(importOf(i, held)), err
}

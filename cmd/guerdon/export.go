package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

type export struct {
	Company   exportCompany   `cmd:"" default:"withargs" help:"Write everything of the company in open formats: to a zip, or into a new directory."`
	Statement exportStatement `cmd:"" help:"Write a statement with all that proves it: guerdon verify proves it again anywhere."`
	Payroll   exportPayroll   `cmd:"" help:"Write what a released period pays, for payroll."`
	Journal   exportJournal   `cmd:"" help:"Write what was posted to the ledger, for the general ledger."`
	Register  exportRegister  `cmd:"" help:"Write the payments that were handed to rails, with what became of them."`
	YearEnd   exportYearEnd   `cmd:"" help:"Write each participant's totals of a year."`

	Contractors   exportContractors   `cmd:"" help:"Write what each contractor was paid in a year in dollars: the totals for form 1099-NEC."`
	ContractCosts exportContractCosts `cmd:"" help:"Write what it cost to obtain contracts, capitalised and amortised by month (ASC 340-40, IFRS 15)."`

	Evidence exportEvidence `cmd:"" help:"Write the signed evidence of a period: guerdon verify proves it again anywhere."`
}

type exportCompany struct {
	To           string `arg:"" placeholder:"DIRECTORY|FILE.zip" help:"Where to: nothing may be there yet."`
	PaymentFiles bool   `help:"With the files for the bank, which hold bank details."`
}

func (e exportCompany) Run(ctx context.Context, d *desk) (err error) {
	c, err := d.api()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(e.To); err == nil {
		return incentive.Errorf(incentive.CodeConflict, "there is something at %s already: name another place", e.To)
	}
	parameters := client.ExportCompanyParams{}
	if e.PaymentFiles {
		parameters.PaymentFiles = &e.PaymentFiles
	}
	// Only a whole export gets its name.
	partial, err := os.CreateTemp(filepath.Dir(e.To), ".guerdon-export-")
	if err != nil {
		return fmt.Errorf("make a place for the export: %w", err)
	}
	defer func() {
		_ = partial.Close()
		_ = os.Remove(partial.Name())
	}()
	response, err := c.ExportCompany(ctx, &parameters)
	if err := client.Save(partial, response, err); err != nil {
		return err
	}
	manifest, archive, err := readExport(partial)
	if err != nil {
		return err
	}
	if strings.HasSuffix(e.To, ".zip") {
		err = os.Rename(partial.Name(), e.To)
	} else if err = os.Mkdir(e.To, 0o700); err == nil {
		err = os.CopyFS(e.To, archive)
	}
	if err != nil {
		return fmt.Errorf("keep the export: %w", err)
	}
	return d.show(manifest, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "Written to %s: %d files, of %s. README.txt explains them.\n", e.To, len(manifest.Files), manifest.ExportedAt.Format(time.RFC3339))
	})
}

// readExport holds an export against its manifest.
func readExport(file *os.File) (manifest store.Manifest, archive *zip.Reader, err error) {
	broken := func(err error) error {
		return incentive.Errorf(client.CodeUnreachable, "the export broke off or was changed on its way (%v): ask for it again", err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return manifest, nil, fmt.Errorf("read the export: %w", err)
	}
	if archive, err = zip.NewReader(file, size); err != nil {
		return manifest, nil, broken(err)
	}
	content, err := fs.ReadFile(archive, "manifest.json")
	if err == nil {
		err = json.Unmarshal(content, &manifest)
	}
	if err != nil {
		return manifest, nil, broken(err)
	}
	for _, f := range manifest.Files {
		r, err := archive.Open(f.Name)
		if err != nil {
			return manifest, nil, broken(err)
		}
		digest := sha256.New()
		_, err = io.Copy(digest, r)
		if err == nil && incentive.Digest(digest.Sum(nil)) != f.SHA256 {
			err = fmt.Errorf("%s is not what the manifest says", f.Name)
		}
		if err = errors.Join(err, r.Close()); err != nil {
			return manifest, nil, broken(err)
		}
	}
	return manifest, archive, nil
}

type exportStatement struct {
	Period   string `arg:""`
	Person   string `arg:""`
	Output   string `short:"o" required:"" placeholder:"FILE" help:"Where to."`
	Revision int    `help:"The latest when absent."`
	Whole    bool   `help:"With everybody's records, for those who may read them: proves the whole run."`
}

func (e exportStatement) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	parameters := client.GetProofParams{}
	if e.Revision > 0 {
		parameters.Revision = &e.Revision
	}
	if e.Whole {
		parameters.Whole = &e.Whole
	}
	content, err := client.Bytes(c.GetProof(ctx, e.Period, e.Person, &parameters))
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.Output, content, 0o600); err != nil {
		return fmt.Errorf("keep the proof: %w", err)
	}
	fmt.Fprintf(d.out, "Written to %s: guerdon verify %s proves it, on any machine.\n", e.Output, e.Output)
	return nil
}

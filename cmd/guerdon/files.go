package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/accounting"
	"github.com/guerdon/guerdon/store"
)

// fileTo is where a file goes, and what chooses its columns.
type fileTo struct {
	Output          string `short:"o" required:"" placeholder:"FILE" help:"Where to."`
	Template        string `help:"The template that chooses its columns; the standard one when absent."`
	TemplateVersion int    `help:"The latest when absent."`
}

// counting names what counts, so that the same file comes again.
type counting struct {
	Through int64 `placeholder:"ENTRY" help:"The last journal entry that counts; the newest when absent."`
	People  int64 `placeholder:"RECORD" help:"The last record of a participant that counts; the newest when absent."`
}

// days are a first and a last day.
type days struct {
	From incentive.Date `required:"" placeholder:"DAY" help:"The first day, year-month-day."`
	To   incentive.Date `required:"" placeholder:"DAY" help:"The last day."`
}

func dateOf(d incentive.Date) types.Date { return types.Date{Time: d.UTC()} }

// take writes a file that the API makes, once it is whole and what the audit chain says.
func (f fileTo) take(d *desk, response *http.Response, err error) error {
	partial, failed := os.CreateTemp(filepath.Dir(f.Output), ".guerdon-file-")
	if failed != nil {
		return errors.Join(fmt.Errorf("make a place for the file: %w", failed), err)
	}
	defer func() {
		_ = partial.Close()
		_ = os.Remove(partial.Name())
	}()
	digest := sha256.New()
	if err := client.Save(io.MultiWriter(partial, digest), response, err); err != nil {
		return err
	}
	var made store.File
	if err := json.Unmarshal([]byte(response.Header.Get("Guerdon-File")), &made); err != nil || incentive.Digest(digest.Sum(nil)) != made.SHA256 {
		return incentive.Errorf(client.CodeUnreachable, "the file broke off or was changed on its way: ask for it again")
	}
	if err := errors.Join(partial.Close(), os.Rename(partial.Name(), f.Output)); err != nil {
		return fmt.Errorf("keep the file: %w", err)
	}
	return d.show(made, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "Written to %s: %d rows by version %d of template %s. SHA-256 %x is on record.\n", f.Output, made.Rows, made.Version, made.Template, made.SHA256[:])
		again := fmt.Sprintf("--template %s --template-version %d", made.Template, made.Version)
		if made.Version == 0 {
			again = "--template " + made.Template
		}
		if made.Kind == accounting.Payroll {
			again += fmt.Sprintf(" --revision %d", made.Revision)
		} else {
			again += fmt.Sprintf(" --through %d", made.Through)
		}
		if made.People > 0 {
			again += fmt.Sprintf(" --people %d", made.People)
		}
		fmt.Fprintf(w, "The same again: %s\n", again)
	})
}

type exportPayroll struct {
	Period   string `arg:""`
	Revision int    `help:"The latest when absent."`
	fileTo
}

func (e exportPayroll) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetPayrollFile(ctx, &client.GetPayrollFileParams{
		Period:          e.Period,
		Revision:        optional(e.Revision),
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
	})
	return e.take(d, response, err)
}

type exportJournal struct {
	days
	Currency string `help:"Of one currency only, such as USD."`
	fileTo
	counting
}

func (e exportJournal) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetJournalFile(ctx, &client.GetJournalFileParams{
		From:            dateOf(e.From),
		To:              dateOf(e.To),
		Currency:        optional(e.Currency),
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
		Through:         optional(e.Through),
		People:          optional(e.People),
	})
	return e.take(d, response, err)
}

type exportRegister struct {
	days
	fileTo
	counting
}

func (e exportRegister) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetRegisterFile(ctx, &client.GetRegisterFileParams{
		From:            dateOf(e.From),
		To:              dateOf(e.To),
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
		Through:         optional(e.Through),
		People:          optional(e.People),
	})
	return e.take(d, response, err)
}

type exportYearEnd struct {
	Year int `arg:""`
	fileTo
	counting
}

func (e exportYearEnd) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetYearEndFile(ctx, &client.GetYearEndFileParams{
		Year:            e.Year,
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
		Through:         optional(e.Through),
		People:          optional(e.People),
	})
	return e.take(d, response, err)
}

type exportContractors struct {
	Year  int    `arg:""`
	Least string `placeholder:"AMOUNT" help:"Who was paid less is left out, unless tax was kept of their pay; what the year's law asks to be reported when absent: 600 until 2025, 2000 in 2026."`
	fileTo
	counting
}

func (e exportContractors) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetContractorsFile(ctx, &client.GetContractorsFileParams{
		Year:            e.Year,
		Least:           optional(e.Least),
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
		Through:         optional(e.Through),
		People:          optional(e.People),
	})
	return e.take(d, response, err)
}

type exportContractCosts struct {
	days
	Longest int   `placeholder:"MONTHS" help:"The cost of contracts of at most so many months is expensed at once, and left out; of none when absent."`
	Through int64 `placeholder:"LINE" help:"The last posted line that counts; the newest when absent."`
	People  int64 `placeholder:"RECORD" help:"The last record of a transaction that counts; the newest when absent."`
	fileTo
}

func (e exportContractCosts) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	response, err := c.GetContractCostsFile(ctx, &client.GetContractCostsFileParams{
		From:            dateOf(e.From),
		To:              dateOf(e.To),
		Longest:         optional(e.Longest),
		Template:        optional(e.Template),
		TemplateVersion: optional(e.TemplateVersion),
		Through:         optional(e.Through),
		People:          optional(e.People),
	})
	return e.take(d, response, err)
}

type templateCommand struct {
	Check templateCheck `cmd:"" help:"Check a template file. Needs no API."`
	Put   templatePut   `cmd:"" help:"Store a template as the next version of its name."`
	List  templateList  `cmd:"" help:"List the templates."`
	Show  templateShow  `cmd:"" help:"Print a template."`
}

type templateCheck struct {
	File string `arg:"" type:"existingfile"`
}

// read reads and checks the file.
func (t templateCheck) read() (string, error) {
	text, err := os.ReadFile(t.File)
	if err != nil {
		return "", err
	}
	if _, err := accounting.Parse(text); err != nil {
		return "", inFile(t.File, err)
	}
	return string(text), nil
}

func (t templateCheck) Run(d *desk) error {
	if _, err := t.read(); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%s: the template is good\n", t.File)
	return nil
}

type templatePut struct{ templateCheck }

func (t templatePut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := t.read()
	if err != nil {
		return err
	}
	kept, err := client.Read[client.FileTemplate](c.PutFileTemplate(ctx, &client.PutFileTemplateParams{IdempotencyKey: client.NewKey()}, client.FileTemplateRequest{Document: text}))
	if err != nil {
		return err
	}
	return d.show(kept, func(w *tabwriter.Writer) { row(w, kept.Template, fmt.Sprintf("version %d", kept.Version)) })
}

type templateList struct{}

func (templateList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := client.Read[client.FileTemplates](c.ListFileTemplates(ctx))
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, t := range all.Templates {
			row(w, t.Template, string(t.Of), fmt.Sprintf("version %d", t.Version))
		}
	})
}

type templateShow struct {
	Name    string `arg:""`
	Version int    `help:"The latest when absent."`
}

func (t templateShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	found, err := client.Read[client.FileTemplate](c.GetFileTemplate(ctx, t.Name, &client.GetFileTemplateParams{Version: optional(t.Version)}))
	if err != nil {
		return err
	}
	return d.show(found, func(w *tabwriter.Writer) { fmt.Fprint(w, found.Document) })
}

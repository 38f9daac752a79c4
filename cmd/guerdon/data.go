package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/document"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/mapping"
	"github.com/guerdon/guerdon/incentive/plan"
)

type importFiles struct {
	Mapping string   `arg:"" help:"The mapping (YAML)." type:"existingfile"`
	Files   []string `arg:"" help:"The main file, then the files of its lookups." type:"existingfile"`
}

func (i importFiles) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(i.Mapping)
	if err != nil {
		return err
	}
	if _, err := mapping.Parse(text); err != nil {
		return inFile(i.Mapping, err)
	}
	var uploads []client.File
	for _, name := range i.Files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read
		uploads = append(uploads, client.File{Name: filepath.Base(name), Content: f})
	}
	done, err := c.Import(ctx, client.NewKey(), text, uploads...)
	if err != nil {
		return err
	}
	err = d.show(done, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%s from %s: %d added, %d changed, %d unchanged, %d skipped, %d quarantined (import %s)\n", done.Kind, done.File, done.Added, done.Changed, done.Unchanged, done.Skipped, done.Quarantined, done.Id)
		for _, q := range done.Rows {
			fmt.Fprintf(w, "%s:%d: ", q.File, q.Line)
			if q.Column != "" {
				fmt.Fprintf(w, "column %s, %q: ", q.Column, q.Value)
			}
			fmt.Fprintf(w, "%s (%s)\n", q.Reason, q.Code)
		}
		if more := done.Quarantined - len(done.Rows); more > 0 {
			fmt.Fprintf(w, "and %d more\n", more)
		}
	})
	if err == nil && done.Quarantined > 0 {
		return errAlreadyTold
	}
	return err
}

// inFile puts a file's name before each problem of a document, as editors read it.
func inFile(name string, err error) error {
	var problems document.Problems
	if !errors.As(err, &problems) {
		return err
	}
	text := ""
	for i, p := range problems {
		if i > 0 {
			text += "\n"
		}
		text += fmt.Sprintf("%s:%d:%d: %s", name, p.Line, p.Column, p.Message)
	}
	return incentive.Errorf(incentive.ErrorCode(err), "%s", text)
}

type planCommand struct {
	Check    planCheck    `cmd:"" help:"Check plan files. Needs no API."`
	Test     planTest     `cmd:"" help:"Calculate the examples that plan files carry. Needs no API."`
	Explain  planExplain  `cmd:"" help:"Read a plan file back in plain words. Needs no API."`
	Diff     planDiff     `cmd:"" help:"Say in plain words what differs between two plan files. Needs no API."`
	Simulate planSimulate `cmd:"" help:"Say what a draft would pay in a past or open period. Nothing of it is kept."`
	Schema   planSchema   `cmd:"" help:"Print the JSON Schema of plans, for editors. Needs no API."`
	Put      planPut      `cmd:"" help:"Store a plan as its next version."`
	List     planList     `cmd:"" help:"List every version of every plan."`
	Show     planShow     `cmd:"" help:"Print a version of a plan."`
	Draft    planDraft    `cmd:"" help:"List, read, write and discard plans that are not in force yet."`
}

type planCheck struct {
	Files []string `arg:"" type:"existingfile"`
}

func (p planCheck) Run(d *desk) error {
	return eachPlan(d, p.Files, func(_ []byte, p *plan.Plan) (string, error) { return "plan " + p.ID + " is good", nil })
}

// eachPlan does something with every file, whatever became of those before it.
func eachPlan(d *desk, files []string, do func(text []byte, p *plan.Plan) (string, error)) error {
	bad := false
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		said := ""
		parsed, err := plan.Parse(text)
		if err == nil {
			said, err = do(text, parsed)
		}
		if err != nil {
			bad = true
			fmt.Fprintln(d.complaints, inFile(name, err))
			continue
		}
		fmt.Fprintf(d.out, "%s: %s\n", name, said)
	}
	if bad {
		return errAlreadyTold
	}
	return nil
}

type planTest struct {
	Files []string `arg:"" type:"existingfile"`
}

func (p planTest) Run(ctx context.Context, d *desk) error {
	return eachPlan(d, p.Files, func(text []byte, p *plan.Plan) (string, error) {
		if len(p.Examples) == 0 {
			return "plan " + p.ID + " carries no example", nil
		}
		return fmt.Sprintf("plan %s pays what its %d examples say", p.ID, len(p.Examples)), calculation.CheckExamples(ctx, text)
	})
}

type planExplain struct {
	File     string            `arg:"" type:"existingfile"`
	Language language.Language `default:"en" enum:"en,id" help:"In English (en) or Indonesian (id)."`
}

func (p planExplain) Run(d *desk) error {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	parsed, err := plan.Parse(text)
	if err != nil {
		return inFile(p.File, err)
	}
	fmt.Fprintln(d.out, strings.Join(parsed.Describe(p.Language), "\n\n"))
	return nil
}

type planDiff struct {
	Old string `arg:"" type:"existingfile"`
	New string `arg:"" type:"existingfile"`
}

func (p planDiff) Run(d *desk) error {
	var plans []*plan.Plan
	for _, name := range []string{p.Old, p.New} {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := plan.Parse(text)
		if err != nil {
			return inFile(name, err)
		}
		plans = append(plans, parsed)
	}
	differences := plan.Diff(language.English, plans[0], plans[1])
	if len(differences) == 0 {
		fmt.Fprintln(d.out, "The two pay the same.")
	}
	for _, one := range differences {
		switch {
		case one.Was == "":
			fmt.Fprintf(d.out, "%s is new.\n  is:  %s\n", one.Part, one.Is)
		case one.Is == "":
			fmt.Fprintf(d.out, "%s is gone.\n  was: %s\n", one.Part, one.Was)
		default:
			fmt.Fprintf(d.out, "%s is changed.\n  was: %s\n  is:  %s\n", one.Part, one.Was, one.Is)
		}
	}
	return nil
}

type planSchema struct{}

func (planSchema) Run(d *desk) error {
	_, err := d.out.Write(plan.Schema)
	return err
}

type planPut struct {
	File string `arg:"" type:"existingfile"`
	From string `required:"" help:"The first day, such as 2026-01-01; versions start on the first day of a period."`
}

func (p planPut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	if _, err := plan.Parse(text); err != nil {
		return inFile(p.File, err)
	}
	from, err := incentive.ParseDate(p.From)
	if err != nil {
		return err
	}
	answer, err := client.Read[client.Plan](c.PutPlan(ctx, &client.PutPlanParams{IdempotencyKey: client.NewKey()}, client.PutPlanJSONRequestBody{Document: string(text), EffectiveFrom: from}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "plan %s, version %d, from %s\n", answer.Plan, answer.Version, answer.EffectiveFrom)
	})
}

type planList struct{}

func (planList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := client.Read[client.Plans](c.ListPlans(ctx))
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, v := range all.Plans {
			row(w, v.Plan, fmt.Sprintf("version %d", v.Version), "from "+v.EffectiveFrom.String(), v.Name)
		}
	})
}

type planShow struct {
	Plan    string `arg:""`
	Version int    `arg:""`
}

func (p planShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.Plan](c.GetPlan(ctx, p.Plan, p.Version))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprint(w, answer.Document) })
}

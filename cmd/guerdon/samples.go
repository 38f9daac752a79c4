package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type samples struct {
	Period   string `arg:""`
	Revision int    `help:"The latest when absent."`
}

func (s samples) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *int64) ([]client.Sample, *int64, error) {
		page, err := client.Read[client.Samples](c.ListSamples(ctx, s.Period, &client.ListSamplesParams{Revision: optional(s.Revision), After: after}))
		return page.Samples, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			showSample(w, one)
		}
	})
}

func showSample(w *tabwriter.Writer, s client.Sample) {
	row(w, s.Id, s.DrawnAt.Format(time.DateOnly), s.DrawnBy, fmt.Sprintf("%d of %d", s.Size, s.Population), fmt.Sprintf("%d done", s.Done), fmt.Sprintf("%d exceptions", s.Exceptions))
}

type sample struct {
	Draw   sampleDraw   `cmd:"" help:"Draw statements of a period at random."`
	Show   sampleShow   `cmd:"" help:"Show what was drawn, and what is known of each statement."`
	Remark sampleRemark `cmd:"" help:"Say of a statement that was drawn that it is fine, or what is wrong with it."`
}

type sampleDraw struct {
	Period string `arg:""`
	Size   int    `required:"" help:"How many statements."`
	Strata int    `help:"Parts by amount, each drawn from alike."`
	Seed   string `help:"The same seed draws the same statements; a new one when absent."`
}

func (s sampleDraw) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	return d.showDrawn(client.Read[client.Sample](c.DrawSample(ctx, s.Period, &client.DrawSampleParams{IdempotencyKey: client.NewKey()}, client.SampleRequest{Size: s.Size, Strata: optional(s.Strata), Seed: optional(s.Seed)})))
}

type sampleShow struct {
	Sample int64 `arg:""`
}

func (s sampleShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	return d.showDrawn(client.Read[client.Sample](c.GetSample(ctx, s.Sample)))
}

type sampleRemark struct {
	Sample int64  `arg:""`
	Number int    `arg:"" help:"Of the statement, in the sample."`
	Wrong  string `placeholder:"REMARK" help:"What is wrong with it; it is fine when absent."`
}

func (s sampleRemark) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.SampleRemark{Number: s.Number, Verdict: client.SampleRemarkVerdictFine}
	if s.Wrong != "" {
		request.Verdict, request.Remark = client.SampleRemarkVerdictException, &s.Wrong
	}
	return d.showDrawn(client.Read[client.Sample](c.RemarkSample(ctx, s.Sample, &client.RemarkSampleParams{IdempotencyKey: client.NewKey()}, request)))
}

// showDrawn prints a sample with what was drawn.
func (d *desk) showDrawn(s client.Sample, err error) error {
	if err != nil {
		return err
	}
	return d.show(s, func(w *tabwriter.Writer) {
		showSample(w, s)
		if s.Items == nil {
			return
		}
		for _, i := range *s.Items {
			verdict := "to look at"
			if i.Verdict != nil {
				verdict = string(*i.Verdict)
			}
			row(w, i.Number, i.Person, i.Name, i.Total, verdict)
		}
	})
}

type duties struct {
	From string `arg:"" placeholder:"DAY" help:"The first day, such as 2026-01-01."`
	To   string `arg:"" placeholder:"DAY" help:"The last day."`

	Output string `short:"o" placeholder:"FILE" help:"Write the report to a file instead: a document where its name ends in .pdf, rows where it ends in .csv."`
}

func (s duties) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	from, err := incentive.ParseDate(s.From)
	if err != nil {
		return err
	}
	to, err := incentive.ParseDate(s.To)
	if err != nil {
		return err
	}
	first, last := types.Date{Time: from.UTC()}, types.Date{Time: to.UTC()}
	switch kind := filepath.Ext(s.Output); {
	case s.Output == "":
	case kind == ".pdf":
		content, err := client.Bytes(c.GetDutiesDocument(ctx, &client.GetDutiesDocumentParams{From: first, To: last}))
		return d.keepDocument(s.Output, content, err)
	case kind == ".csv":
		content, err := client.Bytes(c.GetDutiesFile(ctx, &client.GetDutiesFileParams{From: first, To: last}))
		return d.keepDocument(s.Output, content, err)
	default:
		return incentive.Errorf(incentive.CodeInvalid, "the report is written to a file that ends in .pdf or .csv, and %s does not", s.Output)
	}
	answer, err := client.Read[client.Duties](c.GetDuties(ctx, &client.GetDutiesParams{From: first, To: last}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { showDuties(w, answer) })
}

// keepDocument writes a document to a file.
func (d *desk) keepDocument(to string, content []byte, err error) error {
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return fmt.Errorf("keep the document: %w", err)
	}
	fmt.Fprintf(d.out, "Written to %s.\n", to)
	return nil
}

func showDuties(w *tabwriter.Writer, report client.Duties) {
	for _, one := range report.Duties {
		row(w, one.Period, one.Revision, one.Part, one.Person, one.Times, one.LastAt.Format(time.RFC3339))
	}
	if len(report.Conflicts) == 0 {
		row(w, "no duties were in one hand that belong in two")
	}
	for _, one := range report.Conflicts {
		row(w, "conflict", one.Rule, one.Person, one.Subject)
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
)

type prove struct {
	Period   string `arg:""`
	Revision int    `help:"Of the period; the latest when absent."`
	Person   string `help:"Only this participant's statement."`
	Out      string `short:"o" placeholder:"FILE" help:"Write the report to this file, too."`
	List     bool   `help:"List who asked before and what was found, and prove nothing."`
}

func (p prove) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if p.List {
		return p.list(ctx, d, c)
	}
	request := client.VerificationRequest{Person: optional(p.Person)}
	if p.Revision > 0 {
		request.Revision = &p.Revision
	}
	v, err := client.Read[client.Verification](c.Verify(ctx, p.Period, &client.VerifyParams{IdempotencyKey: client.NewKey()}, request))
	for told := ""; err == nil && v.EndedAt == nil; {
		if v.Check != nil && *v.Check != told {
			told = *v.Check
			fmt.Fprintf(d.complaints, "checking: %s …\n", told)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		v, err = client.Read[client.Verification](c.GetVerification(ctx, v.Id))
	}
	if err != nil {
		return err
	}
	if p.Out != "" {
		content, err := client.Bytes(c.GetVerificationReport(ctx, v.Id))
		if err == nil {
			err = os.WriteFile(p.Out, content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("keep the report: %w", err)
		}
	}
	return told(!v.Proved, d.show(v, func(w *tabwriter.Writer) { showReport(w, *v.Report) }))
}

// list lists the verifications of a revision.
func (p prove) list(ctx context.Context, d *desk, c *client.Client) error {
	parameters := client.ListVerificationsParams{Person: optional(p.Person)}
	if p.Revision > 0 {
		parameters.Revision = &p.Revision
	}
	all, err := every(func(after *int64) ([]client.Verification, *int64, error) {
		parameters.After = after
		page, err := client.Read[client.Verifications](c.ListVerifications(ctx, p.Period, &parameters))
		return page.Verifications, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, v := range all {
			of, found := "everybody's", "under way"
			if v.Person != nil {
				of = *v.Person
			}
			if v.EndedAt != nil {
				found = string(proof.Failed)
			}
			if v.Proved {
				found = string(proof.Proved)
			}
			row(w, v.Id, of, found, v.AskedBy, v.AskedAt.Format(time.RFC3339))
		}
	})
}

// showReport prints what a verification found.
func showReport(w *tabwriter.Writer, r proof.PeriodReport) {
	of := "everybody's statements"
	if r.Participant != "" {
		of = "the statement of " + r.Participant
	}
	row(w, r.Period, fmt.Sprintf("revision %d", r.Revision), r.State, of)
	for _, c := range r.Checks {
		row(w, c.Name, c.Outcome, c.Count, c.Digest)
		for _, f := range c.Findings {
			row(w, "", incentive.Code("FAILED"), f.Subject, f.Message)
		}
		if c.More > 0 {
			row(w, "", incentive.Code("FAILED"), fmt.Sprintf("and %d more", c.More))
		}
	}
}

type exportEvidence struct {
	Period   string `arg:""`
	Output   string `short:"o" required:"" placeholder:"FILE" help:"Where to, a zip."`
	Revision int    `help:"The latest when absent."`
}

func (e exportEvidence) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	parameters := client.GetEvidencePackParams{}
	if e.Revision > 0 {
		parameters.Revision = &e.Revision
	}
	content, err := client.Bytes(c.GetEvidencePack(ctx, e.Period, &parameters))
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.Output, content, 0o600); err != nil {
		return fmt.Errorf("keep the evidence: %w", err)
	}
	fmt.Fprintf(d.out, "Written to %s: guerdon verify %s proves it, on any machine.\n", e.Output, e.Output)
	return nil
}

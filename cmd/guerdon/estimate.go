package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type estimate struct {
	Period string `arg:""`
	Person string `arg:"" optional:"" help:"All that you may see when absent."`
}

func (e estimate) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if e.Person != "" {
		answer, err := client.Read[client.Estimate](c.GetEstimate(ctx, e.Period, e.Person))
		if err != nil {
			return err
		}
		return d.show(answer, func(w *tabwriter.Writer) { showEstimate(w, answer) })
	}
	all, err := every(func(after *string) ([]client.Estimate, *string, error) {
		page, err := client.Read[client.Estimates](c.ListEstimates(ctx, e.Period, &client.ListEstimatesParams{After: after}))
		return page.Estimates, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			if one.Problem != nil {
				row(w, one.Person, one.Name, *one.Problem)
				continue
			}
			row(w, one.Person, one.Name, *one.Total, *one.Booked)
		}
	})
}

type whatIf struct {
	Period      string            `arg:""`
	Person      string            `arg:"" help:"Whose deals they would be."`
	Amounts     []string          `arg:"" optional:"" help:"What each deal comes to."`
	Opportunity []string          `help:"An open opportunity of theirs that would close, as SOURCE/ID; several times for several."`
	Currency    string            `help:"Of the deals; that of the estimate when absent."`
	Date        *incentive.Date   `help:"On which they are closed; today when absent."`
	Share       string            `help:"The person's share of each, as a decimal."`
	Attributes  map[string]string `help:"What plans read of each, such as category=hardware."`
}

func (i whatIf) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	deals, open := []client.Deal{}, []client.OpportunityKey{}
	for _, named := range i.Opportunity {
		source, id, both := strings.Cut(named, "/")
		if !both {
			return fmt.Errorf("%q names no opportunity: write its source and its id as SOURCE/ID", named)
		}
		open = append(open, client.OpportunityKey{Source: source, Id: id})
	}
	for _, amount := range i.Amounts {
		deal := client.Deal{Amount: amount, Currency: optional(i.Currency), Share: optional(i.Share), Date: i.Date}
		if len(i.Attributes) > 0 {
			deal.Attributes = &i.Attributes
		}
		deals = append(deals, deal)
	}
	answer, err := client.Read[client.WhatIf](c.WhatIf(ctx, i.Period, i.Person, &client.WhatIfParams{IdempotencyKey: client.NewKey()}, client.WhatIfRequest{Deals: &deals, Opportunities: &open}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%s instead of %s: %s more\n", answer.After.Total, answer.Before.Total, answer.Difference)
		showEstimate(w, answer.After)
	})
}

func showEstimate(w *tabwriter.Writer, e client.Estimate) {
	if e.Problem != nil {
		fmt.Fprintf(w, "%s, %s: %s\n", e.Name, e.Period, *e.Problem)
		return
	}
	fmt.Fprintf(w, "%s, %s: %s as things stand, of which %s is booked\n", e.Name, e.Period, e.Total, e.Booked)
	for _, line := range e.Lines {
		fmt.Fprintf(w, "\n%s: %s\n", line.Component, line.Amount)
		for _, words := range line.InWords {
			fmt.Fprintf(w, "  %s\n", words)
		}
	}
	for _, p := range e.Progress {
		fmt.Fprintf(w, "\n%s has come to %s", p.Component, p.Measured)
		if p.Goal != nil {
			fmt.Fprintf(w, " of %s", *p.Goal)
		}
		if p.Next != nil {
			fmt.Fprintf(w, "; the next step is at %s: %s more, worth %s", p.Next.At, p.Next.Distance, p.Next.Worth)
		}
		fmt.Fprintln(w)
	}
	for _, owed := range e.DrawsOwed {
		fmt.Fprintf(w, "\n%s is still owed of draws\n", owed)
	}
}

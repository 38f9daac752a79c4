package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type targets struct {
	Proposal string `arg:"" optional:"" help:"One of them, with its figures."`
}

func (t targets) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Proposal == "" {
		all, err := every(func(after *string) ([]client.TargetProposal, *string, error) {
			page, err := client.Read[client.TargetProposals](c.ListTargetProposals(ctx, &client.ListTargetProposalsParams{After: after}))
			return page.Proposals, page.Next, err
		})
		if err != nil {
			return err
		}
		return d.show(all, func(w *tabwriter.Writer) {
			for _, p := range all {
				row(w, p.Id, p.Name, p.Plan, p.Measure, p.StartsOn, p.EndsOn, "target "+p.Target, "sum "+p.Sum, string(p.State))
			}
		})
	}
	all, err := every(func(after *string) ([]client.TargetFigure, *string, error) {
		page, err := client.Read[client.TargetFigures](c.GetTargetProposal(ctx, t.Proposal, &client.GetTargetProposalParams{After: after}))
		return page.Figures, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, f := range all {
			row(w, f.Person, f.Name, "last year "+f.LastYear, "proposed "+f.Proposed, "now "+f.Amount, value(f.Reason))
		}
	})
}

type publishTargets struct {
	Proposal string `arg:""`
	Sum      string `required:"" help:"What the figures come to as you have seen them; another sum is refused."`
	Withdraw bool   `help:"End the proposal without publishing it."`
}

func (p publishTargets) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	outcome := client.TargetOutcomeOutcome("published")
	if p.Withdraw {
		outcome = "withdrawn"
	}
	ended, err := client.Read[client.TargetProposal](c.EndTargetProposal(ctx, p.Proposal, &client.EndTargetProposalParams{IdempotencyKey: client.NewKey()}, client.TargetOutcome{Outcome: outcome, Sum: p.Sum}))
	if err != nil {
		return err
	}
	return d.show(ended, func(w *tabwriter.Writer) { row(w, ended.Id, ended.Name, string(ended.State), ended.People, ended.Sum) })
}

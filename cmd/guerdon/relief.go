package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
)

type reliefs struct {
	Person string `arg:"" optional:"" help:"Whose; everybody's when absent."`
	On     string `help:"Only those that hold on a day, such as 2026-01-31."`
}

func (r reliefs) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	on, err := optionalDay(r.On)
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Relief, *string, error) {
		page, err := client.Read[client.Reliefs](c.ListReliefs(ctx, &client.ListReliefsParams{Person: optional(r.Person), On: on, After: after}))
		return page.Reliefs, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			row(w, one.Person, one.Name, one.Measure, one.StartsOn, one.EndsOn, string(one.Cause), reliefPart(one.Amount, one.Share))
		}
	})
}

// reliefPart is how much a relief takes off: an amount, or a share of the quota.
func reliefPart(amount, share *string) string {
	if amount != nil {
		return "amount " + *amount
	}
	return "share " + value(share)
}

// reliefSaid is what is said of a relief.
type reliefSaid struct {
	Person  string `arg:"" help:"Whose quota it is; nobody relieves themselves."`
	Measure string `arg:"" help:"The quota, as plans name it."`
	From    string `arg:"" help:"The first day; the same measure, first day and cause again revises the relief."`
	To      string `arg:"" help:"The last day."`
	Cause   string `required:"" help:"leave, territory, account or other."`
	Share   string `help:"Which part of what of the quota lies in these days is taken off, such as 50%; 0 takes the relief back." xor:"part" required:""`
	Amount  string `help:"How much is taken off, evenly over these days; 0 takes the relief back." xor:"part" required:""`
	Reason  string `required:"" help:"Why; it stays on record."`
}

type relieve struct {
	reliefSaid
}

func (r relieve) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	fields := map[string]string{"participant_id": r.Person, "measure": r.Measure, "starts_on": r.From, "ends_on": r.To, "cause": r.Cause, "share": r.Share, "amount": r.Amount}
	done, err := client.Read[client.Entered](c.EnterRecords(ctx, &client.EnterRecordsParams{IdempotencyKey: client.NewKey()},
		client.EntryRequest{Kind: client.EntryRequestKind(mapping.QuotaRelief), Records: []client.Entry{{Fields: fields}}, Reason: &r.Reason}))
	if err != nil {
		return err
	}
	return d.show(done, func(w *tabwriter.Writer) {
		row(w, "added", done.Added, "changed", done.Changed, "unchanged", done.Unchanged)
	})
}

type reliefCommand struct {
	Proposals reliefProposals `cmd:"" help:"List reliefs that managers proposed."`
	Propose   reliefPropose   `cmd:"" help:"Propose a relief for somebody of your team; it counts once finance has granted it."`
	Grant     reliefGrant     `cmd:"" help:"Grant a proposed relief."`
	Refuse    reliefRefuse    `cmd:"" help:"Refuse a proposed relief."`
	Withdraw  reliefWithdraw  `cmd:"" help:"Withdraw a relief that you proposed."`
}

func showProposedReliefs(w *tabwriter.Writer, all ...client.ReliefProposal) {
	for _, one := range all {
		state := string(one.State)
		if one.DecidedBy != nil {
			state += " by " + *one.DecidedBy
		}
		row(w, one.Id, one.Person, one.Name, one.Measure, one.StartsOn, one.EndsOn, string(one.Cause), reliefPart(one.Amount, one.Share), "by "+one.ProposedBy, state, one.Reason, value(one.Answer))
	}
}

func (d *desk) showProposedRelief(one client.ReliefProposal, err error) error {
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showProposedReliefs(w, one) })
}

type reliefProposals struct {
	Person  string `arg:"" optional:"" help:"Whose quota; everybody's when absent."`
	Waiting bool   `help:"Only those that wait for finance."`
}

func (r reliefProposals) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	asked := client.ListReliefProposalsParams{Person: optional(r.Person)}
	if waiting := client.ListReliefProposalsParamsStateWaiting; r.Waiting {
		asked.State = &waiting
	}
	all, err := every(func(after *string) ([]client.ReliefProposal, *string, error) {
		asked.After = after
		page, err := client.Read[client.ReliefProposals](c.ListReliefProposals(ctx, &asked))
		return page.Proposals, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) { showProposedReliefs(w, all...) })
}

type reliefPropose struct {
	reliefSaid
}

func (r reliefPropose) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.ReliefProposalRequest{
		Person:  r.Person,
		Measure: r.Measure,
		Cause:   client.ReliefProposalRequestCause(r.Cause),
		Share:   optional(r.Share),
		Amount:  optional(r.Amount),
		Reason:  r.Reason,
	}
	if request.StartsOn, err = incentive.ParseDate(r.From); err != nil {
		return err
	}
	if request.EndsOn, err = incentive.ParseDate(r.To); err != nil {
		return err
	}
	return d.showProposedRelief(client.Read[client.ReliefProposal](c.ProposeRelief(ctx, &client.ProposeReliefParams{IdempotencyKey: client.NewKey()}, request)))
}

type reliefGrant struct {
	Proposal string `arg:""`
	Reason   string `help:"What the one who proposed it should know."`
}

func (r reliefGrant) Run(ctx context.Context, d *desk) error {
	return d.decideRelief(ctx, r.Proposal, client.ReliefDecisionDecisionGranted, r.Reason)
}

type reliefRefuse struct {
	Proposal string `arg:""`
	Reason   string `required:"" help:"Why."`
}

func (r reliefRefuse) Run(ctx context.Context, d *desk) error {
	return d.decideRelief(ctx, r.Proposal, client.ReliefDecisionDecisionRefused, r.Reason)
}

func (d *desk) decideRelief(ctx context.Context, proposal string, decision client.ReliefDecisionDecision, reason string) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	return d.showProposedRelief(client.Read[client.ReliefProposal](c.DecideRelief(ctx, proposal, &client.DecideReliefParams{IdempotencyKey: client.NewKey()}, client.ReliefDecision{Decision: decision, Reason: optional(reason)})))
}

type reliefWithdraw struct {
	Proposal string `arg:""`
}

func (r reliefWithdraw) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	return d.showProposedRelief(client.Read[client.ReliefProposal](c.WithdrawRelief(ctx, r.Proposal, &client.WithdrawReliefParams{IdempotencyKey: client.NewKey()})))
}

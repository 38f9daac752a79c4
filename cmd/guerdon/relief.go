package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
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
			part := "share " + value(one.Share)
			if one.Amount != nil {
				part = "amount " + *one.Amount
			}
			row(w, one.Person, one.Name, one.Measure, one.StartsOn, one.EndsOn, string(one.Cause), part)
		}
	})
}

type relieve struct {
	Person  string `arg:"" help:"Whose quota it is; nobody relieves themselves."`
	Measure string `arg:"" help:"The quota, as plans name it."`
	From    string `arg:"" help:"The first day; the same measure, first day and cause again revises the relief."`
	To      string `arg:"" help:"The last day."`
	Cause   string `required:"" help:"leave, territory, account or other."`
	Share   string `help:"Which part of what of the quota lies in these days is taken off, such as 50%; 0 takes the relief back." xor:"part" required:""`
	Amount  string `help:"How much is taken off, evenly over these days; 0 takes the relief back." xor:"part" required:""`
	Reason  string `required:"" help:"Why; it stays on record."`
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

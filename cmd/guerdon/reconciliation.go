package main

import (
	"cmp"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type reconciliation struct {
	List    reconciliationList    `cmd:"" help:"List comparisons of our record with those of rails, the latest first."`
	Show    reconciliationShow    `cmd:"" help:"Show what a comparison found."`
	Run     reconciliationRun     `cmd:"" help:"Compare a day of a rail now."`
	Explain reconciliationExplain `cmd:"" help:"Say why the records differ."`
}

type reconciliationList struct {
	Rail string         `help:"Of this rail only."`
	Day  incentive.Date `placeholder:"DAY" help:"Of this day only."`
	Open bool           `help:"Only the latest of each rail and day, where it has a difference that nobody has explained."`
}

func (r reconciliationList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	parameters := client.ListReconciliationsParams{Rail: optional(r.Rail), Open: &r.Open}
	if !r.Day.IsZero() {
		day := dateOf(r.Day)
		parameters.Day = &day
	}
	all, err := every(func(after *int64) ([]client.Reconciliation, *int64, error) {
		parameters.After = after
		page, err := client.Read[client.Reconciliations](c.ListReconciliations(ctx, &parameters))
		return page.Reconciliations, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			showReconciliation(w, one)
		}
	})
}

func showReconciliation(w *tabwriter.Writer, r client.Reconciliation) {
	again := ""
	if r.Superseded {
		again = "compared again since"
	}
	row(w, r.Id, r.Rail, r.Day, fmt.Sprintf("%d agree", r.Agreed), fmt.Sprintf("%d differences, %d not explained", r.Differences, r.Open), r.RunBy, r.RunAt.Format(time.RFC3339), again)
}

type reconciliationShow struct {
	Reconciliation int64 `arg:"" help:"Its number in the list."`
}

func (r reconciliationShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	one, err := client.Read[client.Reconciliation](c.GetReconciliation(ctx, r.Reconciliation))
	if err != nil {
		return err
	}
	all, err := every(func(after *int) ([]client.RailDifference, *int, error) {
		page, err := client.Read[client.RailDifferences](c.ListRailDifferences(ctx, r.Reconciliation, &client.ListRailDifferencesParams{After: after}))
		return page.Differences, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(struct {
		client.Reconciliation
		Found []client.RailDifference `json:"found"`
	}{one, all}, func(w *tabwriter.Writer) {
		showReconciliation(w, one)
		for _, t := range one.Totals {
			row(w, fmt.Sprintf("%d ours", t.Ours), t.OurTotal, fmt.Sprintf("%d theirs", t.Theirs), t.TheirTotal, "in transit", t.InTransit, "on its way", t.Submitted)
		}
		for _, one := range all {
			person, said := "", "not explained"
			if one.Person != nil {
				person = *one.Person
			}
			if one.Explanation != nil {
				said = one.Explanation.By + ": " + one.Explanation.Reason
			}
			row(w, one.Number, one.Kind, cmp.Or(one.Reference, one.RailId), person, side(one.OurState, one.OurAmount)+" here", side(one.TheirState, one.TheirAmount)+" there", said)
		}
	})
}

// side is how a payment stands in one of the records.
func side(state string, amount *incentive.Money) string {
	if amount == nil {
		return cmp.Or(state, "nothing")
	}
	return cmp.Or(state, "a sum") + " of " + amount.String()
}

type reconciliationRun struct {
	Rail string         `arg:""`
	Day  incentive.Date `arg:""`
}

func (r reconciliationRun) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	one, err := client.Read[client.Reconciliation](c.Reconcile(ctx, &client.ReconcileParams{IdempotencyKey: client.NewKey()}, client.ReconciliationRequest{Rail: r.Rail, Day: r.Day}))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showReconciliation(w, one) })
}

type reconciliationExplain struct {
	Reconciliation int64  `arg:"" help:"Its number in the list."`
	Differences    []int  `arg:"" help:"The numbers of the differences."`
	Reason         string `required:"" help:"Why; it stays on record."`
}

func (r reconciliationExplain) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	one, err := client.Read[client.Reconciliation](c.ExplainDifferences(ctx, r.Reconciliation, &client.ExplainDifferencesParams{IdempotencyKey: client.NewKey()}, client.ExplanationRequest{Differences: r.Differences, Reason: r.Reason}))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showReconciliation(w, one) })
}

package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type opportunities struct {
	Person string `arg:"" optional:"" help:"Whose; all that you may see when absent."`
}

func (o opportunities) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Opportunity, *string, error) {
		page, err := client.Read[client.Opportunities](c.ListOpportunities(ctx, &client.ListOpportunitiesParams{Person: optional(o.Person), After: after}))
		return page.Opportunities, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) { showOpportunities(w, all) })
}

func showOpportunities(w *tabwriter.Writer, all []client.Opportunity) {
	for _, o := range all {
		row(w, o.Source+"/"+o.Id, o.PersonName, o.Name, o.Stage, o.ExpectedClose, o.Amount+" "+o.Currency, "probability "+o.Probability, "weighted "+o.Weighted)
	}
}

type pipeline struct {
	Period string `arg:""`
	Person string `arg:""`
}

func (p pipeline) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	l, err := client.Read[client.Pipeline](c.GetPipeline(ctx, p.Period, p.Person))
	if err != nil {
		return err
	}
	return d.show(l, func(w *tabwriter.Writer) {
		showOpportunities(w, l.Opportunities)
		fmt.Fprintf(w, "%s as things stand; %s more with all of them closed, %s weighted by their probabilities\n", l.Now, l.IfClosed, l.IfWeighted)
	})
}

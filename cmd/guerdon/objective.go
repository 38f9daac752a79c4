package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type objectives struct {
	Period string `arg:""`
	Person string `help:"Only theirs, with what each is worth."`
}

func (o objectives) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Objective, *string, error) {
		page, err := client.Read[client.Objectives](c.ListObjectives(ctx, o.Period, &client.ListObjectivesParams{Person: optional(o.Person), After: after}))
		return page.Objectives, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			showObjective(w, one)
		}
	})
}

func showObjective(w *tabwriter.Writer, o client.Objective) {
	score := "no score yet"
	if o.Score != nil {
		score = "scored " + *o.Score
	}
	worth := ""
	if o.Worth != nil {
		worth = "worth " + o.Worth.String()
	}
	row(w, o.Person, o.Name, "weighs "+o.Weight, worth, score, "by "+o.EnteredBy, o.Description, o.Reason)
}

type objective struct {
	Period      string `arg:""`
	Person      string `arg:"" help:"Whose objective it is; nobody sets their own."`
	Name        string `arg:"" help:"What it is called; the same name again changes it, until the period is locked."`
	Weight      string `required:"" help:"Its part of all objectives of the person and period, such as 0.4; 0 withdraws it."`
	Description string `help:"What is to be reached."`
	Score       string `help:"How far it was reached: 1 is fully, 0.85 is 85%."`
	Reason      string `help:"Why; a score needs one, and it stays on record."`
}

func (o objective) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	set, err := client.Read[client.Objective](c.SetObjective(ctx, o.Period, &client.SetObjectiveParams{IdempotencyKey: client.NewKey()},
		client.ObjectiveRequest{
			Person:      o.Person,
			Name:        o.Name,
			Weight:      o.Weight,
			Description: optional(o.Description),
			Score:       optional(o.Score),
			Reason:      optional(o.Reason),
		}))
	if err != nil {
		return err
	}
	return d.show(set, func(w *tabwriter.Writer) { showObjective(w, set) })
}

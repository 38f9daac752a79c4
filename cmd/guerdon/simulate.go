package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/plan"
)

type planSimulate struct {
	File   string `arg:"" type:"existingfile" help:"The draft, a version of a plan that people are on."`
	Period string `arg:"" help:"A past or open period."`
	Limit  int    `default:"100" help:"How many people to list at most, the largest difference first."`
}

func (p planSimulate) Run(ctx context.Context, d *desk) error {
	text, err := os.ReadFile(p.File)
	if err != nil {
		return err
	}
	if _, err := plan.Parse(text); err != nil {
		return inFile(p.File, err)
	}
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.Simulation](c.SimulatePlan(ctx, p.Period, &client.SimulatePlanParams{IdempotencyKey: client.NewKey()}, client.SimulationRequest{Document: string(text), Limit: &p.Limit}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { showSimulation(w, answer) })
}

func showSimulation(w *tabwriter.Writer, s client.Simulation) {
	for _, sum := range s.Sums {
		fmt.Fprintf(w, "%s instead of %s: %s more; %d win, %d lose, %d get the same\n\n", sum.After, sum.Before, sum.Difference, sum.Winners, sum.Losers, sum.Others)
		row(w, "", "lowest", "quarter", "half", "three quarters", "highest")
		spread := func(name string, s client.Spread) {
			row(w, name, s.Lowest, s.Quarter, s.Half, s.ThreeQuarters, s.Highest)
		}
		spread("before", sum.SpreadBefore)
		spread("after", sum.SpreadAfter)
		for _, b := range sum.Bands {
			row(w, b.Band, b.People)
		}
		fmt.Fprintln(w)
	}
	for _, c := range s.Components {
		row(w, c.Component, c.Before, c.After)
	}
	fmt.Fprintln(w)
	for _, c := range s.Changes {
		row(w, c.Person, c.Name, c.Before, c.After, c.Difference)
	}
	if len(s.Changes) < s.People {
		fmt.Fprintf(w, "and %d more\n", s.People-len(s.Changes))
	}
}

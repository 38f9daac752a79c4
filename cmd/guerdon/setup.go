package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type setup struct{}

// Run says how far the company is.
func (setup) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.Setup](c.GetSetup(ctx))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, one := range answer.Steps {
			state := "to do"
			if one.Done {
				state = "done"
			}
			row(w, one.Step, state)
		}
	})
}

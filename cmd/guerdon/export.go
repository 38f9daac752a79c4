package main

import (
	"context"
	"fmt"
	"os"

	"github.com/guerdon/guerdon/api/client"
)

type export struct {
	Statement exportStatement `cmd:"" help:"Write a statement with all that proves it: guerdon verify proves it again anywhere."`
}

type exportStatement struct {
	Period   string `arg:""`
	Person   string `arg:""`
	Output   string `short:"o" required:"" placeholder:"FILE" help:"Where to."`
	Revision int    `help:"The latest when absent."`
	Whole    bool   `help:"With everybody's records, for those who may read them: proves the whole run."`
}

func (e exportStatement) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	parameters := client.GetProofParams{}
	if e.Revision > 0 {
		parameters.Revision = &e.Revision
	}
	if e.Whole {
		parameters.Whole = &e.Whole
	}
	content, err := client.Bytes(c.GetProof(ctx, e.Period, e.Person, &parameters))
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.Output, content, 0o600); err != nil {
		return fmt.Errorf("keep the proof: %w", err)
	}
	fmt.Fprintf(d.out, "Written to %s: guerdon verify %s proves it, on any machine.\n", e.Output, e.Output)
	return nil
}

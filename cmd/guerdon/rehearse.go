package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type rehearse struct {
	Period   string `arg:""`
	Rail     string `and:"file" help:"Write the file that would be built by this rail."`
	Currency string `and:"file" help:"Its currency."`
	Output   string `short:"o" and:"file" help:"Where to."`
}

func (r rehearse) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if r.Output != "" {
		content, err := client.Bytes(c.RehearseFile(ctx, r.Period, r.Rail, r.Currency))
		if err != nil {
			return err
		}
		return os.WriteFile(r.Output, content, 0o600)
	}
	answer, err := client.Read[client.Rehearsal](c.RehearseRelease(ctx, r.Period))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, one := range answer.Rails {
			how := fmt.Sprintf("%d calls", one.Payouts)
			if one.File != nil {
				how = fmt.Sprintf("%d in file %s, %d bytes, SHA-256 %s", one.Payouts, one.File.Name, one.File.Bytes, one.File.Sha256)
			}
			holds := ""
			if one.Available != nil {
				holds = fmt.Sprintf("holds %s", *one.Available)
			}
			if one.Problem != nil {
				holds += " cannot be sent now: " + *one.Problem
			}
			row(w, one.Rail, one.Total, how, holds)
			for _, refused := range one.Refused {
				row(w, "", refused.Person, refused.Name, refused.Amount, refused.Message)
			}
		}
	})
}

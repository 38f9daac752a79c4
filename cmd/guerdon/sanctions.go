package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive/screening"
)

type sanctions struct {
	List sanctionsList `cmd:"" help:"List the lists."`
	Put  sanctionsPut  `cmd:"" help:"Store a list as the next version of its name. Payouts that are not released, and that it concerns, are held."`
}

type sanctionsList struct{}

func (sanctionsList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := client.Read[client.SanctionsLists](c.ListSanctionsLists(ctx))
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, list := range all.Lists {
			row(w, list.List, fmt.Sprintf("version %d", list.Version), fmt.Sprintf("%d names", list.Entries), list.SetBy, list.SetAt.Format("2006-01-02 15:04"))
		}
	})
}

type sanctionsPut struct {
	Name string `arg:"" help:"Such as un-consolidated."`
	File string `arg:"" type:"existingfile" help:"CSV in UTF-8 with the heading id,name."`
}

func (s sanctionsPut) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		return err
	}
	if _, err := screening.ParseList(text); err != nil {
		return inFile(s.File, err)
	}
	kept, err := client.Read[client.SanctionsList](c.PutSanctionsList(ctx, s.Name, &client.PutSanctionsListParams{IdempotencyKey: client.NewKey()}, client.SanctionsListRequest{Document: string(text)}))
	if err != nil {
		return err
	}
	return d.show(kept, func(w *tabwriter.Writer) {
		row(w, kept.List, fmt.Sprintf("version %d", kept.Version), fmt.Sprintf("%d names", kept.Entries))
	})
}

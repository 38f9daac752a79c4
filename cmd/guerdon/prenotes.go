package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type prenotes struct {
	List     prenoteList     `cmd:"" help:"List files of prenotes, and how many accounts wait for one."`
	Build    prenoteBuild    `cmd:"" help:"Build the file of the prenotes that are to be written."`
	Download prenoteDownload `cmd:"" help:"Download a file of prenotes."`
	Sent     prenoteSent     `cmd:"" help:"Say that a file of prenotes was taken to the bank."`
}

type prenoteList struct{}

func (prenoteList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	var all client.Prenotes
	all.Files, err = every(func(after *string) ([]client.PrenoteFile, *string, error) {
		page, err := client.Read[client.Prenotes](c.ListPrenotes(ctx, &client.ListPrenotesParams{After: after}))
		all.ToWrite = page.ToWrite
		return page.Files, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all.ToWrite {
			row(w, one.Rail, fmt.Sprintf("%d accounts wait for a prenote", one.Accounts))
		}
		for _, f := range all.Files {
			showPrenotes(w, f)
		}
	})
}

func showPrenotes(w *tabwriter.Writer, f client.PrenoteFile) {
	state := "not taken to the bank yet"
	switch {
	case f.PassedAt != nil:
		state = "tried"
	case f.TriedOn != nil:
		state = "tried on " + f.TriedOn.String()
	}
	row(w, f.Id, f.Name, fmt.Sprintf("%d accounts", f.Accounts), fmt.Sprintf("%d came back", f.Back), state)
}

type prenoteBuild struct {
	Rail string `arg:"" help:"Such as nacha."`
}

func (p prenoteBuild) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	f, err := client.Read[client.PrenoteFile](c.BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: client.NewKey()}, client.PrenotesRequest{Rail: p.Rail}))
	if err != nil {
		return err
	}
	return d.show(f, func(w *tabwriter.Writer) { showPrenotes(w, f) })
}

type prenoteDownload struct {
	File   string `arg:""`
	Output string `short:"o" help:"Where to; the terminal when absent."`
}

func (p prenoteDownload) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	content, err := client.Bytes(c.GetPrenotes(ctx, p.File))
	if err != nil {
		return err
	}
	if p.Output == "" {
		_, err = d.out.Write(content)
		return err
	}
	return os.WriteFile(p.Output, content, 0o600)
}

type prenoteSent struct {
	File string `arg:""`
}

func (p prenoteSent) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	f, err := client.Read[client.PrenoteFile](c.ConfirmPrenotes(ctx, p.File, &client.ConfirmPrenotesParams{IdempotencyKey: client.NewKey()}))
	if err != nil {
		return err
	}
	return d.show(f, func(w *tabwriter.Writer) { showPrenotes(w, f) })
}

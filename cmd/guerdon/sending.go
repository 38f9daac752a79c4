package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
)

type sending struct {
	Show  sendingShow  `cmd:"" help:"Say whether payouts are sent, and what is to be compared before they are again."`
	Clear sendingClear `cmd:"" help:"Let payouts be sent again after the database was restored, once every rail is compared."`
}

type sendingShow struct{}

func (sendingShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	s, err := client.Read[client.Sending](c.GetSending(ctx))
	if err != nil {
		return err
	}
	return d.show(s, func(w *tabwriter.Writer) { showSending(w, s) })
}

func showSending(w *tabwriter.Writer, s client.Sending) {
	if !s.Locked {
		row(w, "payouts are sent")
		return
	}
	about := ""
	if s.Rail != nil {
		about = fmt.Sprintf("%d payments by %s are not on record", *s.Payments, *s.Rail)
	}
	row(w, "nothing is sent", *s.Code, s.At.Format(time.RFC3339), about)
	for _, one := range s.ToCompare {
		row(w, "to compare", one.Rail, one.Day)
	}
}

type sendingClear struct {
	Reason string `required:"" help:"Why, for the record."`
}

func (r sendingClear) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	s, err := client.Read[client.Sending](c.ClearSending(ctx, &client.ClearSendingParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: r.Reason}))
	if err != nil {
		return err
	}
	return d.show(s, func(w *tabwriter.Writer) { showSending(w, s) })
}

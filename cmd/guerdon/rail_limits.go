package main

import (
	"context"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type rails struct{}

func (rails) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	list, err := client.Read[client.Rails](c.ListRails(ctx))
	if err != nil {
		return err
	}
	return d.show(list, func(w *tabwriter.Writer) {
		if list.SendingLocked {
			row(w, "nothing is sent by any rail: guerdon sending show")
		}
		for _, one := range list.Rails {
			row(w, one.Rail, howRailIs(one), mayOf(one.Limits))
		}
	})
}

// howRailIs says in a few words how a rail is.
func howRailIs(r client.Rail) string {
	switch {
	case !r.SetUp:
		return "not set up"
	case len(r.Stops) > 0:
		return "stopped: " + r.Stops[0].Code
	case r.Test:
		return "for trying out"
	default:
		return "live"
	}
}

// mayOf says in words what a rail may do.
func mayOf(l *client.RailLimits) string {
	var may []string
	if l != nil && l.PerSecond != nil {
		may = append(may, *l.PerSecond+" calls a second")
	}
	if l != nil && l.Largest != nil {
		for _, most := range *l.Largest {
			may = append(may, "up to "+most.String())
		}
	}
	return strings.Join(may, ", ")
}

type railShow struct {
	Rail string `arg:""`
}

func (r railShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.RailDetail](c.GetRail(ctx, r.Rail))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		row(w, answer.Rail.Rail, howRailIs(answer.Rail), mayOf(answer.Rail.Limits))
		for _, b := range answer.Balances {
			if b.Available != nil {
				row(w, "holds", *b.Available)
			} else {
				row(w, "holds "+b.Currency, *b.Code)
			}
		}
		if compared := answer.Rail.Compared; compared != nil {
			row(w, "compared", compared.Day, compared.Open, "unexplained")
		}
		for i := range answer.History {
			l := answer.History[i]
			row(w, l.Version, l.SetAt.Format(time.RFC3339), l.SetBy, mayOf(&l), l.Reason)
		}
	})
}

type railLimits struct {
	Rail      string   `arg:""`
	PerSecond string   `placeholder:"CALLS" help:"Calls a second; as many as the rail bears when absent."`
	Largest   []string `placeholder:"AMOUNT" help:"The largest payout, such as --largest '5000 USD': once for each currency, and others are held."`
	Reason    string   `required:"" help:"Why, for the record."`
}

func (r railLimits) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.RailLimitsRequest{PerSecond: optional(r.PerSecond), Reason: r.Reason}
	if len(r.Largest) > 0 {
		var largest []incentive.Money
		for _, text := range r.Largest {
			amount, currency, _ := strings.Cut(strings.TrimSpace(text), " ")
			most, err := moneyOf(amount, strings.TrimSpace(currency))
			if err != nil {
				return err
			}
			largest = append(largest, most)
		}
		request.Largest = &largest
	}
	answer, err := client.Read[client.RailLimits](c.PutRailLimits(ctx, r.Rail, &client.PutRailLimitsParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { row(w, r.Rail, answer.Version, mayOf(&answer)) })
}

package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type adjustments struct {
	Period string `arg:"" optional:"" help:"The period that they concern; all periods when absent."`
}

func (a adjustments) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Adjustment, *string, error) {
		page, err := client.Read[client.Adjustments](c.ListAdjustments(ctx, &client.ListAdjustmentsParams{Period: optional(a.Period), After: after}))
		return page.Adjustments, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			showAdjustment(w, one)
		}
	})
}

func showAdjustment(w *tabwriter.Writer, a client.Adjustment) {
	state := "waits for approval"
	switch {
	case a.PaidBy != nil:
		state = "in " + *a.PaidBy
	case a.Decision != nil:
		state = string(*a.Decision) + " by " + *a.DecidedBy
	}
	row(w, a.Id, a.Period, a.Person, a.Type, a.Amount, state, "entered by "+a.EnteredBy, a.Reason)
}

type adjust struct {
	Period   string `arg:"" help:"The period that it concerns; where that one can no longer be calculated, the next one pays it."`
	Person   string `arg:""`
	Amount   string `arg:"" help:"Such as 120.50. For one below zero, write -- first: guerdon adjust --reason why -- monthly-2026-01 p01 -120.50 USD."`
	Currency string `arg:"" help:"What the person is paid in, such as USD."`
	Type     string `enum:"correction,goodwill,write-off" default:"correction" help:"correction, goodwill or write-off."`
	Reason   string `required:"" help:"Why; it stays on record."`
}

func (a adjust) Run(ctx context.Context, d *desk) error {
	amount, err := moneyOf(a.Amount, a.Currency)
	if err != nil {
		return err
	}
	c, err := d.api()
	if err != nil {
		return err
	}
	entered, err := client.Read[client.Adjustment](c.EnterAdjustment(ctx, &client.EnterAdjustmentParams{IdempotencyKey: client.NewKey()},
		client.AdjustmentRequest{Period: a.Period, Person: a.Person, Amount: amount, Type: client.AdjustmentRequestType(a.Type), Reason: a.Reason}))
	if err != nil {
		return err
	}
	return d.show(entered, func(w *tabwriter.Writer) { showAdjustment(w, entered) })
}

// moneyOf reads an amount that somebody typed.
func moneyOf(amount, code string) (incentive.Money, error) {
	currency, err := incentive.ParseCurrency(strings.ToUpper(code))
	if err != nil {
		return incentive.Money{}, err
	}
	exact, err := incentive.ParseDecimal(amount)
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.MoneyOf(exact, currency)
}

type adjustment struct {
	Approve adjustmentApprove `cmd:"" help:"Approve an adjustment that somebody else has entered."`
	Reject  adjustmentReject  `cmd:"" help:"Reject an adjustment that somebody else has entered."`
}

type adjustmentApprove struct {
	Adjustment string `arg:""`
}

func (a adjustmentApprove) Run(ctx context.Context, d *desk) error {
	return d.decideAdjustment(ctx, a.Adjustment, client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionApproved})
}

type adjustmentReject struct {
	Adjustment string `arg:""`
	Reason     string `required:"" help:"Why; it stays on record."`
}

func (a adjustmentReject) Run(ctx context.Context, d *desk) error {
	return d.decideAdjustment(ctx, a.Adjustment, client.AdjustmentDecisionRequest{Decision: client.AdjustmentDecisionRequestDecisionRejected, Reason: &a.Reason})
}

func (d *desk) decideAdjustment(ctx context.Context, id string, body client.AdjustmentDecisionRequest) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	decided, err := client.Read[client.Adjustment](c.DecideAdjustment(ctx, id, &client.DecideAdjustmentParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(decided, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%s is %s\n", decided.Id, *decided.Decision) })
}

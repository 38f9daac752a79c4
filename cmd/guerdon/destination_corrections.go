package main

import (
	"context"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
)

type bankCorrections struct {
	List    bankCorrectionList     `cmd:"" help:"List what banks say that accounts are now, and that nobody has decided about."`
	Confirm bankCorrectionDecision `cmd:"" help:"Make what the bank says the participant's destination."`
	Refuse  bankCorrectionDecision `cmd:"" help:"Leave the destination as it is."`
}

type bankCorrectionList struct{}

func (bankCorrectionList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.DestinationCorrection, *string, error) {
		page, err := client.Read[client.DestinationCorrections](c.ListDestinationCorrections(ctx, &client.ListDestinationCorrectionsParams{After: after}))
		return page.Corrections, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, x := range all {
			row(w, x.Id, x.Person, x.Name, x.Rail, x.Destination, x.Corrected, x.Code, x.Reason, x.ProposedBy)
		}
	})
}

type bankCorrectionDecision struct {
	Correction string `arg:""`
	Reason     string `help:"Why; needed to refuse."`
}

// Run does what the command is named for.
func (b bankCorrectionDecision) Run(ctx context.Context, d *desk, name commandName) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed, Reason: &b.Reason}
	if name == "refuse" {
		request.Decision = client.RedirectionDecisionRequestDecisionRefused
	}
	_, err = client.Read[client.DestinationCorrectionAnswer](c.DecideDestinationCorrection(ctx, b.Correction, &client.DecideDestinationCorrectionParams{IdempotencyKey: client.NewKey()}, request))
	return err
}

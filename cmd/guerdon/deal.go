package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type deals struct {
	Person  string `arg:"" optional:"" help:"Who entered them; all that you may see when absent."`
	Waiting bool   `help:"Only those that wait for your decision."`
}

func (l deals) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.EnteredDeal, *string, error) {
		page, err := client.Read[client.EnteredDeals](c.ListEnteredDeals(ctx, &client.ListEnteredDealsParams{Person: optional(l.Person), Waiting: &l.Waiting, After: after}))
		return page.Deals, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) { showDeals(w, all...) })
}

func showDeals(w *tabwriter.Writer, all ...client.EnteredDeal) {
	for _, one := range all {
		state := one.State
		switch {
		case one.DecidedBy != nil:
			state += " by " + *one.DecidedBy
		case one.Approver != nil:
			state += " for " + *one.Approver
		case one.State == "waiting":
			state += " for finance"
		}
		cells := []any{one.Id, one.PersonName, one.Date, one.Amount + " " + one.Currency, state}
		for _, name := range slices.Sorted(maps.Keys(one.Attributes)) {
			cells = append(cells, name+"="+one.Attributes[name])
		}
		for _, e := range one.Evidence {
			cells = append(cells, "file "+e.Id+" "+e.Name)
		}
		row(w, append(cells, one.Note)...)
	}
}

type dealCommand struct {
	Show     dealShow     `cmd:"" help:"Show a deal with its files."`
	Enter    dealEnter    `cmd:"" help:"Enter a deal of yours; it counts once your manager has approved it."`
	Correct  dealCorrect  `cmd:"" help:"Put another deal in the place of one of yours that waits."`
	Withdraw dealWithdraw `cmd:"" help:"Withdraw a deal of yours that waits."`
	File     dealFile     `cmd:"" help:"Add a file to a deal of yours that waits, or save one that was added."`
	Approve  dealApprove  `cmd:"" help:"Approve deals of others that wait for you, all or none."`
	Reject   dealReject   `cmd:"" help:"Reject deals of others that wait for you, all or none."`
}

// dealSaid is what is said of a deal.
type dealSaid struct {
	Date      string            `arg:"" help:"On which it was closed, such as 2026-11-14."`
	Amount    string            `arg:"" help:"Such as 1200.50."`
	Currency  string            `arg:"" help:"Such as USD."`
	Product   string            `help:"What was sold."`
	Customer  string            `help:"To whom."`
	Attribute map[string]string `help:"Whatever else plans filter by." placeholder:"NAME=VALUE"`
	Note      string            `help:"What whoever decides should know."`
}

func (s dealSaid) request() (client.EnteredDealRequest, error) {
	day, err := incentive.ParseDate(s.Date)
	attributes := map[string]string{}
	maps.Copy(attributes, s.Attribute)
	for name, value := range map[string]string{"product": s.Product, "customer": s.Customer} {
		if value != "" {
			attributes[name] = value
		}
	}
	return client.EnteredDealRequest{Date: types.Date{Time: day.UTC()}, Amount: s.Amount, Currency: s.Currency, Attributes: &attributes, Note: optional(s.Note)}, err
}

type dealShow struct {
	Deal string `arg:""`
}

func (s dealShow) Run(ctx context.Context, d *desk) error {
	_, one, err := d.deal(ctx, s.Deal)
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) { showDeals(w, one) })
}

// deal returns a deal as it stands, with a client for what is done with it.
func (d *desk) deal(ctx context.Context, id string) (*client.Client, client.EnteredDeal, error) {
	c, err := d.api()
	if err != nil {
		return nil, client.EnteredDeal{}, err
	}
	one, err := client.Read[client.EnteredDeal](c.GetEnteredDeal(ctx, id))
	return c, one, err
}

type dealEnter struct {
	dealSaid
}

func (e dealEnter) Run(ctx context.Context, d *desk) error {
	request, err := e.request()
	if err != nil {
		return err
	}
	c, err := d.api()
	if err != nil {
		return err
	}
	entered, err := client.Read[client.EnteredDeal](c.EnterDeal(ctx, &client.EnterDealParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	return d.show(entered, func(w *tabwriter.Writer) { showDeals(w, entered) })
}

type dealCorrect struct {
	Deal string `arg:""`
	dealSaid
}

func (e dealCorrect) Run(ctx context.Context, d *desk) error {
	request, err := e.request()
	if err != nil {
		return err
	}
	c, one, err := d.deal(ctx, e.Deal)
	if err != nil {
		return err
	}
	corrected, err := client.Read[client.EnteredDeal](c.CorrectDeal(ctx, e.Deal, &client.CorrectDealParams{IdempotencyKey: client.NewKey()},
		client.DealCorrection{
			Version:    one.Version,
			Date:       request.Date,
			Amount:     request.Amount,
			Currency:   request.Currency,
			Attributes: request.Attributes,
			Note:       request.Note,
		}))
	if err != nil {
		return err
	}
	return d.show(corrected, func(w *tabwriter.Writer) { showDeals(w, corrected) })
}

type dealWithdraw struct {
	Deal string `arg:""`
}

func (e dealWithdraw) Run(ctx context.Context, d *desk) error {
	c, one, err := d.deal(ctx, e.Deal)
	if err != nil {
		return err
	}
	withdrawn, err := client.Read[client.EnteredDeal](c.WithdrawDeal(ctx, e.Deal, &client.WithdrawDealParams{IdempotencyKey: client.NewKey()}, client.DealWithdrawal{Version: one.Version}))
	if err != nil {
		return err
	}
	return d.show(withdrawn, func(w *tabwriter.Writer) { showDeals(w, withdrawn) })
}

type dealFile struct {
	Deal string `arg:""`
	File string `arg:"" help:"The file to add, or where to save one."`
	Save string `help:"The file to save." placeholder:"ID"`
}

func (f dealFile) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if f.Save != "" {
		content, err := client.Bytes(c.GetDealEvidence(ctx, f.Deal, f.Save))
		if err != nil {
			return err
		}
		return os.WriteFile(f.File, content, 0o600)
	}
	file, err := os.Open(f.File)
	if err != nil {
		return incentive.Errorf(incentive.CodeNotFound, "%v", err)
	}
	defer file.Close()
	added, err := c.AddDealEvidenceFile(ctx, client.NewKey(), f.Deal, client.File{Name: filepath.Base(f.File), Content: file})
	if err != nil {
		return err
	}
	return d.show(added, func(w *tabwriter.Writer) { row(w, added.Id, added.Name, added.MediaType) })
}

type dealApprove struct {
	Deals  []string `arg:""`
	Reason string   `help:"Why; it stays on record."`
}

func (a dealApprove) Run(ctx context.Context, d *desk) error {
	return d.decideDeals(ctx, client.DealDecisionRequestDecisionApproved, a.Reason, a.Deals)
}

type dealReject struct {
	Deals  []string `arg:""`
	Reason string   `required:"" help:"Why; it stays on record, and whoever entered the deal reads it."`
}

func (r dealReject) Run(ctx context.Context, d *desk) error {
	return d.decideDeals(ctx, client.DealDecisionRequestDecisionRejected, r.Reason, r.Deals)
}

func (d *desk) decideDeals(ctx context.Context, decision client.DealDecisionRequestDecision, reason string, ids []string) error {
	request := client.DealDecisionRequest{Decision: decision, Reason: optional(reason)}
	c, err := d.api()
	if err != nil {
		return err
	}
	for _, id := range ids {
		one, err := client.Read[client.EnteredDeal](c.GetEnteredDeal(ctx, id))
		if err != nil {
			return err
		}
		request.Deals = append(request.Deals, client.DealVersion{Deal: id, Version: one.Version})
	}
	decided, err := client.Read[client.EnteredDeals](c.DecideDeals(ctx, &client.DecideDealsParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	return d.show(decided.Deals, func(w *tabwriter.Writer) { showDeals(w, decided.Deals...) })
}

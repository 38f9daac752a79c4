package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type payoutList struct {
	Period string `arg:""`
}

func (p payoutList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.PayoutList](c.GetPayoutList(ctx, p.Period, &client.GetPayoutListParams{}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, t := range answer.Totals {
			row(w, t.Rail, t.State, fmt.Sprintf("%d payouts", t.Payouts), t.Total)
		}
		for _, stop := range answer.Stops {
			if stop.Needed != nil {
				fmt.Fprintf(w, "%s is stopped: it holds %s, and %s are to be paid\n", stop.Rail, stop.Available, stop.Needed)
			} else {
				fmt.Fprintf(w, "%s is stopped: %s\n", stop.Rail, stop.Code)
			}
		}
		if answer.ReleasedBy != nil {
			fmt.Fprintf(w, "released by %s at %s\n", *answer.ReleasedBy, answer.ReleasedAt.Format(time.RFC3339))
		}
		fmt.Fprintln(w, "digest", answer.Digest)
	})
}

type payouts struct {
	Period string `arg:""`
}

func (p payouts) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Payout, *string, error) {
		page, err := client.Read[client.Payouts](c.ListPayouts(ctx, p.Period, &client.ListPayoutsParams{After: after}))
		return page.Payouts, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, o := range all {
			from := fmt.Sprintf("%s earned, %s carried", o.Earned, o.Carried)
			if o.Withheld != nil {
				from += fmt.Sprintf(", %s kept as tax", *o.Withheld)
			}
			row(w, o.Id, o.Person, o.Name, o.Amount, from, o.Rail, o.Destination, o.State, o.Reason)
		}
	})
}

type exceptions struct{}

func (exceptions) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.PayoutException, *string, error) {
		page, err := client.Read[client.PayoutExceptions](c.ListExceptions(ctx, &client.ListExceptionsParams{After: after}))
		return page.Exceptions, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, x := range all {
			reversed := ""
			if x.ReversedOn != nil {
				reversed = "reversed on " + x.ReversedOn.String()
			}
			row(w, x.Payout.Id, x.Period, x.PeriodState, x.Payout.Person, x.Payout.Name, x.Payout.Amount, x.Payout.Rail, x.Payout.State, x.Payout.Reason, reversed)
		}
	})
}

type payout struct {
	Advice payoutAdvice `cmd:"" help:"Write the payment advice of a payout to a PDF."`

	Retry    payoutDecision `cmd:"" help:"Put a payout that failed back among those to be sent."`
	Lift     payoutDecision `cmd:"" help:"Let a payout that a limit holds be paid with its list, before somebody else releases that."`
	Clear    payoutDecision `cmd:"" help:"Say that a payout which the bank left unclear is right as it stands."`
	Cancel   payoutDecision `cmd:"" help:"Cancel a payout that nobody was paid by."`
	Redirect redirect       `cmd:"" help:"Ask for a payout that waits for a person to go to their latest destination; somebody else confirms it."`
	Recall   recall         `cmd:"" help:"Ask for the rail to give a payout back, or a part of it; somebody else confirms it."`
	Confirm  secondOpinion  `cmd:"" help:"Confirm what somebody else has asked for about a payout: another destination, a recall, or what the policy wants a second person for."`
	Refuse   secondOpinion  `cmd:"" help:"Refuse what somebody else has asked for about a payout."`
}

type payoutAdvice struct {
	Payout string `arg:""`
	PDF    string `name:"pdf" required:"" placeholder:"FILE" help:"Where to."`
}

func (p payoutAdvice) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	content, err := client.Bytes(c.GetPayoutDocument(ctx, p.Payout))
	return d.keepDocument(p.PDF, content, err)
}

type redirect struct {
	Payout  string `arg:""`
	Version int    `required:"" help:"The version of the participant's destination that you have looked at."`
	Reason  string `required:"" help:"Why; it stays on record."`
}

func (r redirect) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	_, err = client.Read[client.PayoutAnswer](c.RedirectPayout(ctx, r.Payout, &client.RedirectPayoutParams{IdempotencyKey: client.NewKey()}, client.RedirectionRequest{Reason: r.Reason, DestinationVersion: r.Version}))
	return err
}

type recall struct {
	Payout   string `arg:""`
	Amount   string `arg:"" optional:"" help:"What is to come back, such as 12.50; all that is left when absent."`
	Currency string `arg:"" optional:""`
	Reason   string `required:"" help:"Why; it stays on record."`
}

func (r recall) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.RecallRequest{Reason: r.Reason}
	if r.Amount != "" {
		amount, err := moneyOf(r.Amount, r.Currency)
		if err != nil {
			return err
		}
		request.Amount = &amount
	}
	answer, err := client.Read[client.PayoutAnswer](c.RecallPayout(ctx, r.Payout, &client.RecallPayoutParams{IdempotencyKey: client.NewKey()}, request))
	return d.showDecided(answer, err)
}

// showDecided says where a decision waits for a second person.
func (d *desk) showDecided(answer client.PayoutAnswer, err error) error {
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		if answer.Waits != nil {
			fmt.Fprintf(w, "waits for a second person: guerdon payout confirm %s\n", answer.Payout)
		}
	})
}

type secondOpinion struct {
	Payout string `arg:""`
	Reason string `help:"Why; needed to refuse."`
}

// Run does what the command is named for.
func (r secondOpinion) Run(ctx context.Context, d *desk, name commandName) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed, Reason: &r.Reason}
	if name == "refuse" {
		request.Decision = client.RedirectionDecisionRequestDecisionRefused
	}
	_, err = client.Read[client.PayoutAnswer](c.DecidePayout(ctx, r.Payout, &client.DecidePayoutParams{IdempotencyKey: client.NewKey()}, request))
	return err
}

type payoutDecision struct {
	Payout string `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

// Run does what the command is named for.
func (p payoutDecision) Run(ctx context.Context, d *desk, name commandName) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	reason := client.Reason{Reason: p.Reason}
	var answer client.PayoutAnswer
	switch name {
	case "retry":
		answer, err = client.Read[client.PayoutAnswer](c.RetryPayout(ctx, p.Payout, &client.RetryPayoutParams{IdempotencyKey: client.NewKey()}, reason))
	case "clear":
		answer, err = client.Read[client.PayoutAnswer](c.ClearDoubt(ctx, p.Payout, &client.ClearDoubtParams{IdempotencyKey: client.NewKey()}, reason))
	case "lift":
		answer, err = client.Read[client.PayoutAnswer](c.LiftHold(ctx, p.Payout, &client.LiftHoldParams{IdempotencyKey: client.NewKey()}, reason))
	default:
		answer, err = client.Read[client.PayoutAnswer](c.CancelPayout(ctx, p.Payout, &client.CancelPayoutParams{IdempotencyKey: client.NewKey()}, reason))
	}
	return d.showDecided(answer, err)
}

type rail struct {
	Show     railShow     `cmd:"" help:"Show a rail: what it holds, what it can do and may, and what it was allowed over time."`
	Limits   railLimits   `cmd:"" help:"Say what a rail may do from now on: all of it. What is not named is no limit."`
	Resume   railDecision `cmd:"" help:"Let a rail that is stopped go on with what is left of a period."`
	SetAside railDecision `cmd:"" help:"Set aside what is left on a rail that is stopped, payout by payout."`
}

type railDecision struct {
	Period string `arg:""`
	Rail   string `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

// Run does what the command is named for.
func (r railDecision) Run(ctx context.Context, d *desk, name commandName) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.RailStopDecisionRequest{Decision: client.RailStopDecisionRequestDecisionResumed, Reason: r.Reason}
	if name == "set-aside" {
		request.Decision = client.RailStopDecisionRequestDecisionSetAside
	}
	_, err = client.Read[client.RailAnswer](c.DecideRailStop(ctx, r.Period, r.Rail, &client.DecideRailStopParams{IdempotencyKey: client.NewKey()}, request))
	return err
}

type files struct {
	Period string `arg:""`
}

func (f files) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	var answer client.PaymentFiles
	answer.Files, err = every(func(after *string) ([]client.PaymentFile, *string, error) {
		page, err := client.Read[client.PaymentFiles](c.ListPaymentFiles(ctx, f.Period, &client.ListPaymentFilesParams{After: after}))
		return page.Files, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, one := range answer.Files {
			showFile(w, one)
		}
	})
}

func showFile(w *tabwriter.Writer, f client.PaymentFile) {
	state := "not taken to the bank yet"
	if f.ConfirmedBy != nil {
		state = "taken to the bank, says " + *f.ConfirmedBy
	}
	if f.Unpaid > 0 {
		state += fmt.Sprintf("; %d not paid: guerdon file again", f.Unpaid)
	}
	row(w, f.Id, f.Name, fmt.Sprintf("%d payouts", f.Payouts), f.Total, state)
}

type file struct {
	Download fileDownload `cmd:"" help:"Download a payment file."`
	Sent     fileConfirm  `cmd:"" help:"Say that a payment file was taken to the bank."`
	Paid     fileConfirm  `cmd:"" help:"Say that the bank has carried a payment file out."`
	Answer   fileAnswer   `cmd:"" help:"Hand in what the bank says of payment files."`
	Again    fileAgain    `cmd:"" help:"Have what a payment file did not pay paid by another one of its period, once somebody else has released it."`
}

type fileDownload struct {
	File   string `arg:""`
	Output string `short:"o" help:"Where to; the terminal when absent."`
}

func (f fileDownload) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	content, err := client.Bytes(c.GetPaymentFile(ctx, f.File))
	if err != nil {
		return err
	}
	if f.Output == "" {
		_, err = d.out.Write(content)
		return err
	}
	return os.WriteFile(f.Output, content, 0o600)
}

type fileConfirm struct {
	File string `arg:""`
}

// Run says what the command is named for.
func (f fileConfirm) Run(ctx context.Context, d *desk, name commandName) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.PaymentFile](c.ConfirmPaymentFile(ctx, f.File, &client.ConfirmPaymentFileParams{IdempotencyKey: client.NewKey()}, client.ConfirmPaymentFileJSONRequestBody{Paid: name == "paid"}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { showFile(w, answer) })
}

type fileAgain struct {
	File   string `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

// Run does what the command is named for.
func (f fileAgain) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.PaymentFile](c.PayAgain(ctx, f.File, &client.PayAgainParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: f.Reason}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { showFile(w, answer) })
}

type fileAnswer struct {
	File string `arg:"" type:"existingfile" help:"The bank's file, as it came, such as a pain.002, camt.053 or camt.054."`
	Rail string `required:"" help:"The rail of the payment files, such as iso20022-sepa."`
}

func (f fileAnswer) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	content, err := os.Open(f.File)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read
	answer, err := c.UploadStatus(ctx, client.NewKey(), f.Rail, client.File{Name: filepath.Base(f.File), Content: content})
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, change := range answer.Changes {
			row(w, change.Effect, fmt.Sprintf("%d payouts", change.Payouts))
		}
		if answer.Prenotes != nil {
			row(w, "prenotes", fmt.Sprintf("%d statements", *answer.Prenotes))
		}
		if answer.NotOurs > 0 {
			row(w, "not ours", fmt.Sprintf("%d statements", answer.NotOurs))
		}
		for _, e := range answer.Exceptions {
			row(w, e.Payout, e.Period, e.Effect, e.Code, e.Reason)
		}
	})
}

type balances struct {
	Period  string         `arg:"" optional:"" help:"All periods when absent."`
	AsOf    incentive.Date `placeholder:"DAY" help:"At the end of this day; of all days when absent."`
	Person  string         `help:"Of a participant's accounts only."`
	Through int64          `placeholder:"ENTRY" help:"The last journal entry that counts; the newest when absent."`
}

func (b balances) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	parameters := client.GetBalancesParams{Period: optional(b.Period), Person: optional(b.Person), Through: optional(b.Through)}
	if !b.AsOf.IsZero() {
		day := dateOf(b.AsOf)
		parameters.AsOf = &day
	}
	answer, err := client.Read[client.Balances](c.GetBalances(ctx, &parameters))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, one := range answer.Balances {
			row(w, one.Account, one.Rail, debitOrCredit(one.Balance))
		}
		if answer.Through != nil {
			fmt.Fprintf(w, "The same again: --through %d\n", *answer.Through)
		}
	})
}

func debitOrCredit(m incentive.Money) string {
	if m.Minor < 0 {
		return "credit " + incentive.Money{Minor: -m.Minor, Currency: m.Currency}.String()
	}
	return "debit " + m.String()
}

// optionalDay is a day as the API's client takes it; nil for "".
func optionalDay(text string) (*types.Date, error) {
	if text == "" {
		return nil, nil
	}
	day, err := incentive.ParseDate(text)
	return &types.Date{Time: day.UTC()}, err
}

type audit struct {
	Subject string `arg:"" optional:"" help:"Such as pay-period/monthly-2026-01/1, rail/ for all rails, or statement/monthly-2026-01/1/ann; everything when absent."`
	Parts   bool   `help:"Of a period: with its disputes, adjustments, payouts, decisions, proofs, samples and files."`
	Actor   string `placeholder:"PERSON" help:"Who did it; system for the system."`
	Act     string `help:"What was done, such as release."`
	From    string `placeholder:"DAY" help:"The first day, such as 2026-01-31."`
	To      string `placeholder:"DAY" help:"The last day."`
	Newest  bool   `help:"The newest first."`
	Output  string `short:"o" placeholder:"FILE" help:"Write it to a CSV file instead."`
}

func (a audit) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	from, err := optionalDay(a.From)
	if err != nil {
		return err
	}
	to, err := optionalDay(a.To)
	if err != nil {
		return err
	}
	order := client.ListAuditEventsParamsOrderOldest
	if a.Newest {
		order = client.ListAuditEventsParamsOrderNewest
	}
	if a.Output != "" {
		sorted := client.GetAuditFileParamsOrder(order)
		content, err := client.Bytes(c.GetAuditFile(ctx, &client.GetAuditFileParams{
			Subject: optional(a.Subject),
			Parts:   &a.Parts,
			Actor:   optional(a.Actor),
			Act:     optional(a.Act),
			From:    from,
			To:      to,
			Order:   &sorted,
		}))
		if err != nil {
			return err
		}
		if err := os.WriteFile(a.Output, content, 0o600); err != nil {
			return fmt.Errorf("keep the audit chain: %w", err)
		}
		fmt.Fprintf(d.out, "Written to %s.\n", a.Output)
		return nil
	}
	all, err := every(func(after *int64) ([]client.AuditEvent, *int64, error) {
		page, err := client.Read[client.AuditEvents](c.ListAuditEvents(ctx, &client.ListAuditEventsParams{
			Subject: optional(a.Subject),
			Parts:   &a.Parts,
			Actor:   optional(a.Actor),
			Act:     optional(a.Act),
			From:    from,
			To:      to,
			Order:   &order,
			After:   after,
		}))
		return page.Events, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, e := range all {
			row(w, e.Number, e.At.Format(time.RFC3339), e.Actor, e.Act, e.Subject, e.Hash[:12])
		}
	})
}

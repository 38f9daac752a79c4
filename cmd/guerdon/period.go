package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type periods struct{}

func (periods) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Period, *string, error) {
		page, err := client.Read[client.Periods](c.ListPeriods(ctx, &client.ListPeriodsParams{After: after}))
		return page.Periods, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, p := range all {
			row(w, p.Id, p.StartsOn, p.EndsOn, p.State, strings.Join(p.Acts, ", "))
		}
	})
}

type period struct {
	Show         periodShow        `cmd:"" help:"Where a period stands, and what may be done now."`
	Checklist    periodChecklist   `cmd:"" help:"What a period needs: what is done, what is to do and by whom, what is missing."`
	History      periodHistory     `cmd:"" help:"What was done to a period, by whom and when."`
	Open         periodOpen        `cmd:"" help:"Open a period: its workflow starts."`
	Reopen       periodReopen      `cmd:"" help:"Open a closed period again, to pay or take back the difference."`
	Lock         periodAct         `cmd:"" help:"Freeze everything that results depend on, and calculate."`
	Compare      periodCompare     `cmd:"" help:"Whose statements differ between two runs: the last two when none is named."`
	Uncredited   periodUncredited  `cmd:"" help:"Transactions of a locked period that nobody is credited with."`
	Changes      periodChanges     `cmd:"" help:"What has changed since a period was locked."`
	Late         periodLate        `cmd:"" help:"What was wrong or came late in closed periods, and the next lock of this one would correct."`
	Recalculate  periodRecalculate `cmd:"" help:"Calculate again, taking over the changes named."`
	Publish      periodAct         `cmd:"" help:"Show the results to everybody; the dispute window begins."`
	ExtendWindow periodExtend      `cmd:"" help:"Give people more days to dispute."`
	EndWindow    periodAct         `cmd:"" help:"End the dispute window early; approving begins."`
	Withdraw     periodReason      `cmd:"" help:"Take published results back."`
	Release      periodRelease     `cmd:"" help:"Release the payout list: money moves."`
	Close        periodAct         `cmd:"" help:"Close the period."`
	Hold         periodReason      `cmd:"" help:"Put the period on hold."`
	Resume       periodAct         `cmd:"" help:"Go on after a hold."`
	Cancel       periodReason      `cmd:"" help:"Cancel the period for good."`
}

type periodShow struct {
	Period string `arg:""`
	Until  string `help:"Wait until the period is in this state." placeholder:"STATE"`
}

func (s periodShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var p client.Period
	for {
		if p, err = client.Read[client.Period](c.GetPeriod(ctx, s.Period, &client.GetPeriodParams{})); err != nil {
			return err
		}
		if s.Until == "" || p.State == s.Until || p.Problem != nil {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return d.show(p, func(w *tabwriter.Writer) { showPeriod(w, p) })
}

func showPeriod(w *tabwriter.Writer, p client.Period) {
	hold := ""
	if p.OnHold {
		hold = ", on hold"
	}
	fmt.Fprintf(w, "%s (%s to %s), revision %d: %s%s\n", p.Id, p.StartsOn, p.EndsOn, p.Revision, p.State, hold)
	if p.WindowDeadline != nil {
		fmt.Fprintf(w, "  disputes until %s\n", p.WindowDeadline.Format(time.RFC3339))
	}
	if p.Problem != nil {
		fmt.Fprintf(w, "  the last calculation failed:\n  %s\n", strings.ReplaceAll(*p.Problem, "\n", "\n  "))
	}
	if len(p.Acts) > 0 {
		fmt.Fprintf(w, "  possible now: %s\n", strings.Join(p.Acts, ", "))
	}
}

type periodChecklist struct {
	Period string `arg:""`
}

func (p periodChecklist) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	list, err := client.Read[client.Checklist](c.GetChecklist(ctx, p.Period, &client.GetChecklistParams{}))
	if err != nil {
		return err
	}
	return d.show(list, func(w *tabwriter.Writer) {
		for _, one := range list.Items {
			state, item := string(one.State), string(one.Item)
			if one.Optional && one.State == client.ChecklistItemStateToDo {
				state += " (optional)"
			}
			if one.Count != nil {
				item += fmt.Sprintf(" (%d)", *one.Count)
			}
			row(w, state, item, whoAndWhen(one))
		}
	})
}

// whoAndWhen says who did something and when, who has to do it, or when it happens.
func whoAndWhen(one client.ChecklistItem) string {
	switch {
	case one.DoneAt != nil:
		return fmt.Sprintf("by %s at %s", *one.DoneBy, one.DoneAt.Format(time.RFC3339))
	case one.Due != nil:
		return "until " + one.Due.Format(time.RFC3339)
	case one.Period != nil:
		return *one.Period
	}
	var who []string
	for _, party := range one.Waiting {
		if party.Count != nil && len(one.Waiting) > 1 {
			who = append(who, fmt.Sprintf("%s %d", party.Id, *party.Count))
		} else {
			who = append(who, party.Id)
		}
	}
	return strings.Join(who, ", ")
}

type periodHistory struct {
	Period string `arg:""`
}

func (h periodHistory) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.PeriodActs](c.ListActs(ctx, h.Period, &client.ListActsParams{}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		for _, a := range answer.Acts {
			row(w, a.At.Format(time.RFC3339), a.Actor, a.Act, a.From+" → "+a.To)
		}
	})
}

type periodOpen struct {
	Period string `arg:""`
}

func (o periodOpen) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	p, err := client.Read[client.Period](c.OpenPeriod(ctx, o.Period, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	if err != nil {
		return err
	}
	return d.show(p, func(w *tabwriter.Writer) { showPeriod(w, p) })
}

type periodReopen struct {
	Period string `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

func (r periodReopen) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	p, err := client.Read[client.Period](c.ReopenPeriod(ctx, r.Period, &client.ReopenPeriodParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: r.Reason}))
	if err != nil {
		return err
	}
	return d.show(p, func(w *tabwriter.Writer) { showPeriod(w, p) })
}

// act does an act on a period and shows where it stands then.
func (d *desk) act(ctx context.Context, periodID string, act incentive.Act, reason *string, days *int) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.ActAnswer](c.ActOnPeriod(ctx, periodID, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, client.ActOnPeriodJSONRequestBody{Act: client.ActRequestAct(act), Reason: reason, Days: days}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%s is %s\n", answer.Period, answer.State) })
}

type periodAct struct {
	Period string `arg:""`
}

// Run does the act that the command is named for.
func (a periodAct) Run(ctx context.Context, d *desk, name commandName) error {
	return d.act(ctx, a.Period, incentive.Act(name), nil, nil)
}

type periodReason struct {
	Period string `arg:""`
	Reason string `required:"" help:"Why; it stays on record."`
}

// Run does the act that the command is named for.
func (a periodReason) Run(ctx context.Context, d *desk, name commandName) error {
	return d.act(ctx, a.Period, incentive.Act(name), &a.Reason, nil)
}

type periodCompare struct {
	Period string `arg:""`
	From   int64  `arg:"" optional:"" help:"A run; the last but one when absent."`
	To     int64  `arg:"" optional:"" help:"Another; the last when absent."`
	With   int    `help:"Compare with the last run of this revision of the period." placeholder:"REVISION"`
}

func (p periodCompare) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	runs, err := client.Read[client.Runs](c.ListRuns(ctx, p.Period, &client.ListRunsParams{}))
	if err != nil {
		return err
	}
	if p.With > 0 {
		of, err := client.Read[client.Runs](c.ListRuns(ctx, p.Period, &client.ListRunsParams{Revision: &p.With}))
		if err != nil {
			return err
		}
		runs.Runs = slices.Concat(of.Runs[max(0, len(of.Runs)-1):], runs.Runs[max(0, len(runs.Runs)-1):])
	}
	if p.From == 0 || p.To == 0 {
		if len(runs.Runs) < 2 {
			return incentive.Errorf(incentive.CodeNotFound, "%s was calculated once only: there is nothing to compare", p.Period)
		}
		last := runs.Runs[len(runs.Runs)-2:]
		if p.From == 0 {
			p.From = last[0].Id
		}
		p.To = last[1].Id
	}
	all, err := every(func(after *string) ([]client.Difference, *string, error) {
		page, err := client.Read[client.Differences](c.ListDifferences(ctx, p.Period, &client.ListDifferencesParams{From: p.From, To: p.To, After: after}))
		return page.Differences, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		row(w, "run", "", p.From, p.To)
		for _, one := range all {
			row(w, one.Person, one.Name, orNothing(one.Before), orNothing(one.After))
		}
	})
}

func orNothing(m *incentive.Money) string {
	if m == nil {
		return "no statement"
	}
	return m.String()
}

type periodUncredited struct {
	Period string `arg:""`
}

func (p periodUncredited) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *int) ([]client.UncreditedTransaction, *int, error) {
		page, err := client.Read[client.UncreditedTransactions](c.ListUncredited(ctx, p.Period, &client.ListUncreditedParams{After: after}))
		return page.Transactions, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, t := range all {
			row(w, t.Source, t.Id, t.Date.String(), t.Amount, string(t.Currency), string(t.Reason), value(t.CoveredBy))
		}
	})
}

type periodChanges struct {
	Period string `arg:""`
}

func (p periodChanges) Run(ctx context.Context, d *desk) error {
	all, err := p.list(ctx, d)
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, change := range all {
			row(w, string(change.Kind)+":"+change.Id, *change.What)
		}
	})
}

func (p periodChanges) list(ctx context.Context, d *desk) ([]client.Change, error) {
	c, err := d.api()
	if err != nil {
		return nil, err
	}
	return every(func(after *string) ([]client.Change, *string, error) {
		page, err := client.Read[client.Changes](c.ListChanges(ctx, p.Period, &client.ListChangesParams{After: after}))
		return page.Changes, page.Next, err
	})
}

type periodLate struct {
	Period string `arg:""`
}

func (p periodLate) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.LateChange, *string, error) {
		page, err := client.Read[client.LateData](c.ListLateData(ctx, p.Period, &client.ListLateDataParams{After: after}))
		return page.Changes, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, change := range all {
			row(w, change.Period, change.Kind+":"+change.Id, change.What)
		}
	})
}

type periodRecalculate struct {
	Period  string   `arg:""`
	Changes []string `name:"change" sep:"none" placeholder:"KIND:ID" help:"A change to take over, as guerdon period changes lists it; may be given several times."`
	All     bool     `help:"Take over every change since the lock."`
}

func (p periodRecalculate) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActRecalculate}
	changes := []client.Change{}
	if p.All {
		if changes, err = (periodChanges{Period: p.Period}).list(ctx, d); err != nil {
			return err
		}
	}
	for _, named := range p.Changes {
		kind, id, found := strings.Cut(named, ":")
		if !found {
			return incentive.Errorf(incentive.CodeInvalid, "%q names no change: write its kind and id, such as transaction:crm/D-00017", named)
		}
		changes = append(changes, client.Change{Kind: client.ChangeKind(kind), Id: id})
	}
	for i := range changes {
		changes[i].What = nil
	}
	if len(changes) > 0 {
		body.Changes = &changes
	}
	answer, err := client.Read[client.ActAnswer](c.ActOnPeriod(ctx, p.Period, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%s is %s, with %d changes taken over\n", answer.Period, answer.State, len(changes))
	})
}

type periodExtend struct {
	Period string `arg:""`
	Days   int    `required:"" help:"Business days, 1 to 60."`
	Reason string `required:"" help:"Why; it stays on record."`
}

func (e periodExtend) Run(ctx context.Context, d *desk) error {
	return d.act(ctx, e.Period, incentive.ExtendWindow, &e.Reason, &e.Days)
}

type periodRelease struct {
	Period string `arg:""`
	Digest string `required:"" help:"The digest of the payout list you have looked at (guerdon payout-list)."`
}

func (r periodRelease) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.ActAnswer](c.ReleasePeriod(ctx, r.Period, &client.ReleasePeriodParams{IdempotencyKey: client.NewKey()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: r.Digest}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%s is %s\n", answer.Period, answer.State) })
}

type statement struct {
	Period string `arg:""`
	Person string `arg:"" optional:"" help:"All that you may see when absent."`
	PDF    string `name:"pdf" placeholder:"FILE" help:"Write the person's statement to a PDF instead."`

	Certificate int `placeholder:"LINE" help:"With --pdf: the certificate of what this line achieved, a place or a quota, in its stead."`
}

func (s statement) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if s.Certificate != 0 && s.PDF == "" {
		return incentive.Errorf(incentive.CodeInvalid, "say where the certificate is to be written: guerdon statement PERIOD PERSON --certificate LINE --pdf FILE")
	}
	if s.PDF != "" {
		if s.Person == "" {
			return incentive.Errorf(incentive.CodeInvalid, "say whose statement is to be a PDF: guerdon statement PERIOD PERSON --pdf FILE")
		}
		if s.Certificate != 0 {
			content, err := client.Bytes(c.GetCertificate(ctx, s.Period, s.Person, s.Certificate, &client.GetCertificateParams{}))
			return d.keepDocument(s.PDF, content, err)
		}
		content, err := client.Bytes(c.GetStatementDocument(ctx, s.Period, s.Person, &client.GetStatementDocumentParams{}))
		return d.keepDocument(s.PDF, content, err)
	}
	if s.Person != "" {
		answer, err := client.Read[client.Statement](c.GetStatement(ctx, s.Period, s.Person, &client.GetStatementParams{}))
		if err != nil {
			return err
		}
		return d.show(answer, func(w *tabwriter.Writer) { showStatement(w, answer) })
	}
	all, err := every(func(after *string) ([]client.StatementSummary, *string, error) {
		page, err := client.Read[client.Statements](c.ListStatements(ctx, s.Period, &client.ListStatementsParams{After: after}))
		return page.Statements, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			row(w, one.Person, one.Name, one.Total, one.Difference)
		}
	})
}

func showStatement(w *tabwriter.Writer, s client.Statement) {
	fmt.Fprintf(w, "%s, %s: %s\n", s.Name, s.Period, s.Total)
	if s.PostedBefore.Minor != 0 {
		fmt.Fprintf(w, "%s was posted before, so %s is posted now\n", s.PostedBefore, s.Difference)
	}
	for _, line := range s.Lines {
		of := ""
		if line.PlanName != "" { // an adjustment is of none
			of = fmt.Sprintf(" (plan %s, version %d)", line.PlanName, line.PlanVersion)
		}
		if line.Corrects != nil {
			of = " of " + *line.Corrects + of
		}
		fmt.Fprintf(w, "\n%s%s: %s\n", line.Component, of, line.Amount)
		for _, words := range line.InWords {
			fmt.Fprintf(w, "    %s\n", words)
		}
		for _, c := range line.Contributions {
			row(w, "  "+c.Transaction, c.Role+" "+c.Person, c.Credited, c.Shown)
		}
	}
	if len(s.NotPaid) > 0 {
		fmt.Fprintf(w, "\nNot paid\n")
	}
	for _, u := range s.NotPaid {
		for _, r := range u.Reasons {
			why := r.InWords
			if r.Component != nil {
				why = *r.Component + ": " + why
			}
			row(w, "  "+u.Transaction, u.Role, u.Credited, why)
		}
	}
}

func optional[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

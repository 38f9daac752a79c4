package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type disputes struct {
	Period string `arg:"" optional:"" help:"All periods when absent."`
	Open   bool   `help:"Only those that have no outcome yet."`
}

func (l disputes) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Dispute, *string, error) {
		page, err := client.Read[client.Disputes](c.ListDisputes(ctx, &client.ListDisputesParams{Period: optional(l.Period), Open: &l.Open, After: after}))
		return page.Disputes, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			row(w, one.Id, one.Period, one.Person, one.Type, item(one), one.Expected, one.State, "with "+handler(one))
		}
	})
}

// item says what a dispute is about.
func item(d client.Dispute) string {
	parts := []string{}
	for _, part := range []*string{d.Plan, d.Component, d.Source, d.Transaction} {
		if part != nil {
			parts = append(parts, *part)
		}
	}
	return strings.Join(parts, " ")
}

func handler(d client.Dispute) string {
	if d.Handler == nil {
		return "finance"
	}
	return *d.Handler
}

type dispute struct {
	Raise    disputeRaise    `cmd:"" help:"Dispute a line of your statement, a deal on it, or one that is missing."`
	Show     disputeShow     `cmd:"" help:"A dispute with everything that was said about it."`
	Evidence disputeEvidence `cmd:"" help:"Add a file to your dispute, or save one that was added."`
	Reply    disputeReply    `cmd:"" help:"Reply to a question about your dispute."`
	Withdraw disputeWithdraw `cmd:"" help:"Withdraw your dispute."`
	Ask      disputeAnswer   `cmd:"" help:"Ask the participant for what you need to know."`
	Accept   disputeAccept   `cmd:"" help:"Grant an amount, which somebody of finance approves, or name the changes of a recalculation."`
	Reject   disputeAnswer   `cmd:"" help:"Reject a dispute."`
}

type disputeRaise struct {
	Period      string `arg:""`
	Type        string `arg:"" enum:"calculation,data,crediting,plan-interpretation,missing" help:"calculation, data, crediting, plan-interpretation or missing."`
	Expected    string `arg:"" help:"What you expect of the line, such as 120.50."`
	Currency    string `arg:""`
	Line        string `help:"PLAN/COMPONENT of your statement; for an adjustment, Adjustment."`
	Transaction string `help:"SOURCE/ID of the deal."`
	Comment     string `required:"" help:"What is wrong."`
}

func (r disputeRaise) Run(ctx context.Context, d *desk) error {
	expected, err := moneyOf(r.Expected, r.Currency)
	if err != nil {
		return err
	}
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.DisputeRequest{Period: r.Period, Type: client.DisputeRequestType(r.Type), Expected: expected, Comment: r.Comment}
	if r.Line != "" {
		plan, component, both := strings.Cut(r.Line, "/")
		if !both {
			plan, component = "", r.Line
		}
		body.Plan, body.Component = optional(plan), &component
	}
	if r.Transaction != "" {
		source, id, both := strings.Cut(r.Transaction, "/")
		if !both {
			return incentive.Errorf(incentive.CodeInvalid, "write a transaction as SOURCE/ID")
		}
		body.Source, body.Transaction = &source, &id
	}
	raised, err := client.Read[client.Dispute](c.RaiseDispute(ctx, &client.RaiseDisputeParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(raised, func(w *tabwriter.Writer) { fmt.Fprintf(w, "dispute %s is with %s\n", raised.Id, handler(raised)) })
}

type disputeShow struct {
	Dispute string `arg:""`
}

func (s disputeShow) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	one, err := client.Read[client.Dispute](c.GetDispute(ctx, s.Dispute))
	if err != nil {
		return err
	}
	return d.show(one, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%s, %s: %s %s, expects %s, is %s\n", one.Name, one.Period, one.Type, item(one), one.Expected, one.State)
		if one.AnswerBy != nil {
			fmt.Fprintf(w, "  an answer is due by %s\n", one.AnswerBy.Format(time.RFC3339))
		}
		row(w, one.RaisedAt.Format(time.RFC3339), one.Person, "raise", one.Comment)
		for _, a := range one.Acts {
			row(w, a.At.Format(time.RFC3339), a.Actor, a.Act, a.Text)
		}
		for _, e := range one.Evidence {
			row(w, e.AddedAt.Format(time.RFC3339), e.AddedBy, "evidence "+e.Id, e.Name)
		}
	})
}

type disputeEvidence struct {
	Dispute string `arg:""`
	File    string `arg:"" help:"The file to add, or where to save one."`
	Save    string `help:"The evidence to save." placeholder:"ID"`
}

func (e disputeEvidence) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if e.Save != "" {
		content, err := client.Bytes(c.GetEvidence(ctx, e.Dispute, e.Save))
		if err != nil {
			return err
		}
		return os.WriteFile(e.File, content, 0o600)
	}
	file, err := os.Open(e.File)
	if err != nil {
		return incentive.Errorf(incentive.CodeNotFound, "%v", err)
	}
	defer file.Close()
	added, err := c.AddEvidenceFile(ctx, client.NewKey(), e.Dispute, client.File{Name: filepath.Base(e.File), Content: file})
	if err != nil {
		return err
	}
	return d.show(added, func(w *tabwriter.Writer) { row(w, added.Id, added.Name, added.MediaType) })
}

type disputeReply struct {
	Dispute string `arg:""`
	Text    string `required:"" help:"What you reply."`
}

func (r disputeReply) Run(ctx context.Context, d *desk) error {
	return d.replyToDispute(ctx, r.Dispute, client.DisputeReply{Act: client.DisputeReplyActReply, Text: &r.Text})
}

type disputeWithdraw struct {
	Dispute string `arg:""`
}

func (r disputeWithdraw) Run(ctx context.Context, d *desk) error {
	return d.replyToDispute(ctx, r.Dispute, client.DisputeReply{Act: client.DisputeReplyActWithdraw})
}

func (d *desk) replyToDispute(ctx context.Context, id string, body client.DisputeReply) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.DisputeState](c.ReplyToDispute(ctx, id, &client.ReplyToDisputeParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%s is %s\n", answer.Id, answer.State) })
}

type disputeAnswer struct {
	Dispute string `arg:""`
	Text    string `required:"" help:"The participant reads it."`
}

// Run does the act that the command is named for.
func (a disputeAnswer) Run(ctx context.Context, d *desk, name commandName) error {
	return d.answerDispute(ctx, a.Dispute, client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestAct(name), Text: a.Text})
}

type disputeAccept struct {
	Dispute  string   `arg:""`
	Amount   string   `arg:"" optional:"" help:"What is granted on top of the statement, such as 120.50."`
	Currency string   `arg:"" optional:""`
	Partly   bool     `help:"It is a part of what was asked for."`
	Changes  []string `name:"change" sep:"none" placeholder:"KIND:ID" help:"A change that the recalculation is to take over, as guerdon period changes lists it; may be given several times."`
	Text     string   `required:"" help:"The participant reads it."`
}

func (a disputeAccept) Run(ctx context.Context, d *desk) error {
	body := client.DisputeAnswerRequest{Act: client.DisputeAnswerRequestActAccept, Text: a.Text, Partly: &a.Partly}
	if a.Amount != "" {
		amount, err := moneyOf(a.Amount, a.Currency)
		if err != nil {
			return err
		}
		body.Amount = &amount
	}
	if len(a.Changes) > 0 {
		body.Act = client.DisputeAnswerRequestActAcceptByRecalculation
		changes := []client.Change{}
		for _, named := range a.Changes {
			kind, id, both := strings.Cut(named, ":")
			if !both {
				return incentive.Errorf(incentive.CodeInvalid, "write a change as KIND:ID, as guerdon period changes lists it")
			}
			changes = append(changes, client.Change{Kind: client.ChangeKind(kind), Id: id})
		}
		body.Changes = &changes
	}
	return d.answerDispute(ctx, a.Dispute, body)
}

func (d *desk) answerDispute(ctx context.Context, id string, body client.DisputeAnswerRequest) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	answer, err := client.Read[client.DisputeState](c.AnswerDispute(ctx, id, &client.AnswerDisputeParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%s is %s\n", answer.Id, answer.State) })
}

package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type approvals struct {
	Period string `arg:""`
	Queue  string `help:"Another queue than yours: finance, that of somebody who delegated theirs to you, or, for finance, anybody's."`
}

func (a approvals) Run(ctx context.Context, d *desk) error {
	all, err := a.list(ctx, d)
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			decision := one.Decision
			if decision == "" {
				decision = "waits"
			}
			before, reasons := "", []string{}
			if one.Before != nil {
				before = "before: " + one.Before.String()
			}
			for _, reason := range one.Reasons {
				reasons = append(reasons, string(reason))
			}
			row(w, one.Person, one.Name, fmt.Sprint("level ", one.Level), one.Total, before, decision, strings.Join(reasons, ", "))
		}
	})
}

func (a approvals) list(ctx context.Context, d *desk) ([]client.Approval, error) {
	c, err := d.api()
	if err != nil {
		return nil, err
	}
	return every(func(after *string) ([]client.Approval, *string, error) {
		page, err := client.Read[client.Approvals](c.ListApprovals(ctx, a.Period, &client.ListApprovalsParams{Queue: optional(a.Queue), After: after}))
		return page.Approvals, page.Next, err
	})
}

type approve struct {
	Period string   `arg:""`
	People []string `arg:"" optional:""`
	Queue  string   `help:"finance, for the queue of finance, or whoever delegated theirs to you."`
}

func (a approve) Run(ctx context.Context, d *desk) error {
	return decide(ctx, d, a.Period, a.Queue, a.People, client.DecisionRequestDecisionApproved, nil)
}

type reject struct {
	Period string   `arg:""`
	People []string `arg:""`
	Queue  string   `help:"finance, for the queue of finance, or whoever delegated theirs to you."`
	Reason string   `required:"" help:"Why; the people concerned read it."`
}

func (r reject) Run(ctx context.Context, d *desk) error {
	return decide(ctx, d, r.Period, r.Queue, r.People, client.DecisionRequestDecisionRejected, &r.Reason)
}

type giveBack struct {
	Period string   `arg:""`
	People []string `arg:""`
	Queue  string   `help:"finance, for the queue of finance, or whoever delegated theirs to you."`
	Reason string   `required:"" help:"Why; the people concerned read it."`
}

func (g giveBack) Run(ctx context.Context, d *desk) error {
	return decide(ctx, d, g.Period, g.Queue, g.People, client.DecisionRequestDecisionReturned, &g.Reason)
}

type resubmit struct {
	Period string `arg:""`
	Reason string `required:"" help:"Why they are right; the approvers read it."`
}

func (r resubmit) Run(ctx context.Context, d *desk) error {
	return decide(ctx, d, r.Period, "finance", nil, client.DecisionRequestDecisionResubmitted, &r.Reason)
}

func decide(ctx context.Context, d *desk, periodID, queue string, people []string, decision client.DecisionRequestDecision, reason *string) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.DecideJSONRequestBody{Decision: decision, Queue: optional(queue), Reason: reason}
	if len(people) > 0 {
		waiting, err := approvals{Period: periodID, Queue: queue}.list(ctx, d)
		if err != nil {
			return err
		}
		digests := map[string]string{}
		for _, one := range waiting {
			if one.Decision == "" || digests[one.Person] == "" {
				digests[one.Person] = one.Digest
			}
		}
		decided := []client.DecidedStatement{}
		for _, person := range people {
			if digests[person] == "" {
				return incentive.Errorf(incentive.CodeNotFound, "no statement of %s is in this approval queue", person)
			}
			decided = append(decided, client.DecidedStatement{Person: person, Digest: digests[person]})
		}
		body.Statements = &decided
	}
	answer, err := client.Read[client.DecisionAnswer](c.Decide(ctx, periodID, &client.DecideParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		fmt.Fprintf(w, "%d %s, %d still waiting", answer.Applied, decision, answer.Left)
		if answer.Refused > 0 {
			fmt.Fprintf(w, ", %d refused as they have changed or were decided before", answer.Refused)
		}
		fmt.Fprintln(w)
	})
}

type queues struct {
	Period string `arg:""`
}

func (q queues) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Queue, *string, error) {
		page, err := client.Read[client.Queues](c.ListQueues(ctx, q.Period, &client.ListQueuesParams{After: after}))
		return page.Queues, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			since := ""
			if one.Since != nil {
				since = "since " + one.Since.Format(time.RFC3339)
			}
			row(w, one.Queue, one.Name, fmt.Sprint(one.Waiting, " waiting"), fmt.Sprint(one.Decided, " decided"), since)
		}
	})
}

type reassign struct {
	Period string `arg:""`
	From   string `arg:"" help:"Whose queue: a participant's id, or finance."`
	To     string `arg:"" help:"A participant's id, or finance."`
	Reason string `required:""`
}

func (r reassign) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.ReassignJSONRequestBody{To: r.To, Reason: r.Reason}
	answer, err := client.Read[client.DecisionAnswer](c.Reassign(ctx, r.Period, r.From, &client.ReassignParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { fmt.Fprintf(w, "%d moved to %s\n", answer.Applied, r.To) })
}

type delegations struct{}

func (delegations) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Delegation, *string, error) {
		page, err := client.Read[client.Delegations](c.ListDelegations(ctx, &client.ListDelegationsParams{After: after}))
		return page.Delegations, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			showDelegation(w, one)
		}
	})
}

func showDelegation(w *tabwriter.Writer, one client.Delegation) {
	row(w, one.Id, one.FromName, "to "+one.ToName, fmt.Sprintf("%s to %s", one.StartsOn, one.EndsOn))
}

type delegate struct {
	To   delegateTo  `cmd:"" help:"Let somebody approve for you, from one day to another, both included."`
	Stop delegateEnd `cmd:"" help:"End a delegation before its last day."`
}

type delegateTo struct {
	Person string         `arg:"" help:"Who approves for you."`
	From   incentive.Date `arg:"" help:"The first day."`
	Until  incentive.Date `arg:"" help:"The last day."`
	For    string         `help:"Whose approvals, for finance; yours when absent."`
}

func (t delegateTo) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.DelegateJSONRequestBody{From: optional(t.For), To: t.Person, StartsOn: t.From, EndsOn: t.Until}
	made, err := client.Read[client.Delegation](c.Delegate(ctx, &client.DelegateParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(made, func(w *tabwriter.Writer) { showDelegation(w, made) })
}

type delegateEnd struct {
	Delegation string `arg:"" help:"The delegation's id, as delegations lists it."`
}

func (e delegateEnd) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	ended, err := client.Read[client.Delegation](c.EndDelegation(ctx, e.Delegation, &client.EndDelegationParams{IdempotencyKey: client.NewKey()}))
	if err != nil {
		return err
	}
	return d.show(ended, func(w *tabwriter.Writer) { showDelegation(w, ended) })
}

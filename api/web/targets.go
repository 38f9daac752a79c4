package web

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type targetsPage struct {
	listPage
	List     []client.TargetProposal
	Proposes bool
	Methods  []string
}

// targets lists proposals of quotas, and asks for another.
func (v *visit) targets() error {
	body := targetsPage{Proposes: v.may(incentive.ProposeTargets) > incentive.None}
	for _, m := range []incentive.TargetMethod{incentive.TargetByLastYear, incentive.TargetEvenly, incentive.TargetByCapacity, incentive.TargetByGrowth} {
		body.Methods = append(body.Methods, string(m))
	}
	var after *string
	after, body.listPage = v.list(head{})
	list, err := client.Read[client.TargetProposals](v.api.ListTargetProposals(v.r.Context(), &client.ListTargetProposalsParams{After: after}))
	if err != nil {
		return err
	}
	body.next(list.Next)
	body.List = list.Proposals
	return v.show("targets", "targets.title", body)
}

// proposeTargets makes a proposal of quotas.
func (v *visit) proposeTargets() error {
	if v.may(incentive.ProposeTargets) == incentive.None {
		return v.forbidden()
	}
	form := v.r.PostFormValue
	request := client.TargetProposalRequest{
		Name:     form("name"),
		Plan:     form("plan"),
		Measure:  form("measure"),
		Currency: form("currency"),
		Method:   client.TargetProposalRequestMethod(form("method")),
	}
	seasonal := form("seasonal") != ""
	request.Seasonal = &seasonal
	made, err := func() (made client.TargetProposal, err error) {
		if request.StartsOn, err = incentive.ParseDate(form("starts_on")); err != nil {
			return made, err
		}
		if request.EndsOn, err = incentive.ParseDate(form("ends_on")); err != nil {
			return made, err
		}
		if request.Target, err = v.decimal(form("target"), 0); err != nil {
			return made, err
		}
		if request.Growth, err = v.decimal(form("growth"), -2); err != nil {
			return made, err
		}
		if ramp, err := decimal.NewFromString(form("ramp_months")); err == nil {
			months := int(ramp.IntPart())
			request.RampMonths = &months
		}
		return command[client.TargetProposal](v.api.ProposeTargets(v.r.Context(), &client.ProposeTargetsParams{IdempotencyKey: v.key()}, request))
	}()
	return v.done(err, "/targets/"+made.Id, message{Key: "done.targets"}, (*visit).targets)
}

// decimal reads a number as people write it, shifted by some places; nil where there is none.
func (v *visit) decimal(text string, shift int32) (*string, error) {
	if text == "" {
		return nil, nil
	}
	written, is := v.texts.Decimal(text)
	if !is {
		return nil, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("refused.amount", map[string]any{"amount": text}))
	}
	d, err := decimal.NewFromString(written)
	if err != nil {
		return nil, err
	}
	exact := d.Shift(shift).String()
	return &exact, nil
}

// targeted is a figure as a page shows it.
type targeted struct {
	client.TargetFigure
	Difference string // to last year
	Changed    bool
	By         string
	Bar, Was   int // of the longest, in percent
	Own        bool
}

type targetPage struct {
	listPage
	client.TargetProposal
	Figures    []targeted
	Difference string // of the sum to the target
	Publishes  bool
	Reviews    bool
	Failed     string // whose change was refused
	Whole      bool   // everybody's figures are shown
}

// target shows a proposal: what each sold a year before, what is proposed and what was changed.
func (v *visit) target() error {
	body := targetPage{}
	var after *string
	after, body.listPage = v.list(head{})
	one, err := client.Read[client.TargetFigures](v.api.GetTargetProposal(v.r.Context(), v.r.PathValue("proposal"), &client.GetTargetProposalParams{After: after}))
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body.next(one.Next)
	body.TargetProposal = one.Proposal
	open := one.Proposal.State == "in-review"
	body.Publishes, body.Reviews = open && v.may(incentive.ProposeTargets) > incentive.None, open && v.may(incentive.ReviewTargets) > incentive.None
	body.Whole = v.may(incentive.ReadTargets) == incentive.All
	if v.problem != nil {
		body.Failed = v.r.PostFormValue("person")
	}
	numbers := func(texts ...string) (all []decimal.Decimal, err error) {
		for _, text := range texts {
			d, err := decimal.NewFromString(text)
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
		return all, nil
	}
	sums, err := numbers(one.Proposal.Sum, one.Proposal.Target)
	if err != nil {
		return err
	}
	body.Difference = sums[0].Sub(sums[1]).String()
	longest := decimal.NewFromInt(1)
	all := make([][]decimal.Decimal, len(one.Figures))
	for i, f := range one.Figures {
		if all[i], err = numbers(f.LastYear, f.Proposed, f.Amount); err != nil {
			return err
		}
		longest = decimal.Max(longest, all[i][0], all[i][2])
	}
	percent := func(d decimal.Decimal) int {
		whole, _ := decimal.Max(d, decimal.Zero).Shift(2).QuoRem(longest, 0)
		return int(whole.IntPart())
	}
	for i, f := range one.Figures {
		body.Figures = append(body.Figures, targeted{
			TargetFigure: f,
			Difference:   all[i][2].Sub(all[i][0]).String(),
			Changed:      f.Version > 1,
			By:           name(called, text(f.ChangedBy)),
			Bar:          percent(all[i][2]),
			Was:          percent(all[i][0]),
			Own:          f.Person == v.me.Id,
		})
	}
	return v.show("target", "target.title", body, "name", one.Proposal.Name)
}

// changeTarget changes what is proposed for somebody.
func (v *visit) changeTarget() error {
	if v.may(incentive.ReviewTargets) == incentive.None {
		return v.forbidden()
	}
	id := v.r.PathValue("proposal")
	amount, err := v.decimal(v.r.PostFormValue("amount"), 0)
	if err == nil {
		version, _ := decimal.NewFromString(v.r.PostFormValue("version"))
		_, err = command[client.TargetProposal](v.api.ChangeTarget(v.r.Context(), id, &client.ChangeTargetParams{IdempotencyKey: v.key()},
			client.TargetChange{Person: v.r.PostFormValue("person"), Version: int(version.IntPart()), Amount: text(amount), Reason: v.r.PostFormValue("reason")}))
	}
	return v.done(err, "/targets/"+id, message{Key: "done.target"}, (*visit).target)
}

// endTargets publishes or withdraws a proposal.
func (v *visit) endTargets() error {
	if v.may(incentive.ProposeTargets) == incentive.None {
		return v.forbidden()
	}
	id, outcome := v.r.PathValue("proposal"), v.r.PostFormValue("act")
	_, err := command[client.TargetProposal](v.api.EndTargetProposal(v.r.Context(), id, &client.EndTargetProposalParams{IdempotencyKey: v.key()}, client.TargetOutcome{Outcome: client.TargetOutcomeOutcome(outcome), Sum: v.r.PostFormValue("sum")}))
	return v.done(err, "/targets/"+id, message{Key: "targeted." + outcome}, (*visit).target)
}

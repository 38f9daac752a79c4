package web

import (
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

type reliefsPage struct {
	Reliefs   []relief
	Table     table
	Causes    []incentive.ReliefCause
	MayChange bool
	Opens     bool // the visitor may open the pages of people
	Proposes  bool
	People    []client.Estimate // whom a manager may propose one for; none where they are too many to choose from
	Waiting   []proposedRelief  // for a decision
	Decided   []proposedRelief  // the last ones
	Decides   bool
}

// mostDecidedReliefs is of how many decided proposals the page tells.
const mostDecidedReliefs = 20

// proposedRelief is a relief that a manager proposed, as a page shows it.
type proposedRelief struct {
	client.ReliefProposal
	Percent   string // its share; "" of an amount
	Proposer  string // a name
	Decider   string // a name
	Decides   bool   // the visitor decides about it
	Withdraws bool   // the visitor may withdraw it
	Failed    bool   // what they wanted of it was refused
}

func (v *visit) proposedReliefs(body *reliefsPage) error {
	called, err := v.called()
	if err != nil {
		return err
	}
	shown := func(all []client.ReliefProposal) (shown []proposedRelief) {
		for _, p := range all {
			one := proposedRelief{
				ReliefProposal: p,
				Proposer:       name(called, p.ProposedBy),
				Decider:        name(called, text(p.DecidedBy)),
				Failed:         v.problem != nil && v.r.PathValue("relief_proposal") == p.Id,
			}
			if p.Share != nil {
				one.Percent = read(*p.Share).Mul(hundred).String()
			}
			waits := p.State == client.ReliefProposalStateWaiting
			one.Decides = waits && v.may(incentive.DecideReliefs) > incentive.None && p.Person != v.me.Id && p.ProposedBy != v.me.Id
			one.Withdraws = waits && v.may(incentive.ProposeReliefs) > incentive.None && p.ProposedBy == v.me.Id
			shown = append(shown, one)
		}
		return shown
	}
	waiting, err := v.waitingReliefs()
	if err != nil {
		return err
	}
	body.Waiting = shown(waiting)
	list, err := client.Read[client.ReliefProposals](v.api.ListReliefProposals(v.r.Context(), &client.ListReliefProposalsParams{Limit: &most}))
	if err != nil {
		return err
	}
	decided := slices.DeleteFunc(list.Proposals, func(p client.ReliefProposal) bool { return p.State == client.ReliefProposalStateWaiting })
	body.Decided = shown(decided[:min(len(decided), mostDecidedReliefs)])
	if !body.Proposes {
		return nil
	}
	periods, err := v.opened()
	if err != nil {
		return err
	}
	if period := v.estimated(periods); period != nil {
		body.People, err = v.choosable(period.Id)
	}
	return err
}

// waitingReliefs are the proposed reliefs about which nobody has decided.
func (v *visit) waitingReliefs() ([]client.ReliefProposal, error) {
	waiting := client.ListReliefProposalsParamsStateWaiting
	all, _, err := every(2, func(after *string) ([]client.ReliefProposal, *string, error) {
		list, err := client.Read[client.ReliefProposals](v.api.ListReliefProposals(v.r.Context(), &client.ListReliefProposalsParams{State: &waiting, After: after, Limit: &most}))
		return list.Proposals, list.Next, err
	})
	return all, err
}

// addReliefs adds the proposed reliefs that wait for the visitor's decision.
func (v *visit) addReliefs(body *homePage, _ []client.Period) error {
	waiting, err := v.waitingReliefs()
	if err != nil {
		return err
	}
	count := len(slices.DeleteFunc(waiting, func(p client.ReliefProposal) bool { return p.Person == v.me.Id || p.ProposedBy == v.me.Id }))
	if count > 0 {
		body.Tasks = append(body.Tasks, task{Says: v.counted("task.reliefs", client.Period{}, count), Do: "task.reliefs.do", Path: "/reliefs"})
	}
	return nil
}

// relief is a relief of a quota as a page shows it.
type relief struct {
	client.Relief
	Percent string // its share; "" of an amount
	Changes bool   // the visitor may revise it
	Failed  bool   // what they wanted of it was refused
}

func (v *visit) shownReliefs(all []client.Relief) (shown []relief) {
	for _, r := range all {
		one := relief{Relief: r, Changes: v.may(incentive.ImportData) > incentive.None && r.Person != v.me.Id}
		if r.Share != nil {
			one.Percent = read(*r.Share).Mul(hundred).String()
		}
		one.Failed = v.problem != nil && v.r.PostFormValue("participant_id") == r.Person && v.r.PostFormValue("measure") == r.Measure && v.r.PostFormValue("starts_on") == r.StartsOn.String() && v.r.PostFormValue("cause") == string(r.Cause)
		shown = append(shown, one)
	}
	return shown
}

// reliefs lists what of their quotas people are relieved of.
func (v *visit) reliefs() error {
	if v.may(incentive.ReadReliefs) == incentive.None {
		return v.forbidden()
	}
	body := reliefsPage{Causes: incentive.ReliefCauses, MayChange: v.may(incentive.ImportData) > incentive.None, Opens: v.may(incentive.ReadRecords) > incentive.None}
	body.Proposes = v.may(incentive.ProposeReliefs) > incentive.None && !body.MayChange
	body.Decides = v.may(incentive.DecideReliefs) > incentive.None
	all, table, err := listed(v, listing[client.Relief]{
		name: "reliefs", path: "/reliefs", search: "table.search-person",
		columns: []column[client.Relief]{
			{head: "column.person", value: func(r client.Relief) any { return r.Name }},
			{head: "column.id", file: true, value: func(r client.Relief) any { return r.Person }},
			{head: "quotas.measure", value: func(r client.Relief) any { return r.Measure }},
			{head: "column.from-day", value: func(r client.Relief) any { return r.StartsOn }},
			{head: "column.to-day", value: func(r client.Relief) any { return r.EndsOn }},
			{head: "reliefs.cause", value: func(r client.Relief) any { return v.texts.Term("relief", string(r.Cause)) }},
			{head: "reliefs.amount", class: "amount", value: func(r client.Relief) any { return language.Numeral(text(r.Amount)) }},
			{head: "reliefs.share", class: "amount", value: func(r client.Relief) any { return language.Numeral(text(r.Share)) }},
		},
		read: func(of wanted) ([]client.Relief, *string, error) {
			list, err := client.Read[client.Reliefs](v.api.ListReliefs(v.r.Context(), &client.ListReliefsParams{
				After:   of.after,
				Search:  of.search,
				Limit:   of.limit,
				Person:  v.asked("person"),
				Measure: v.asked("measure"),
			}))
			return list.Reliefs, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	body.Reliefs, body.Table = v.shownReliefs(all), table
	if err := v.proposedReliefs(&body); err != nil {
		return err
	}
	return v.show("reliefs", "reliefs.title", body)
}

// enterRelief enters a relief as a form has it, or takes one back.
func (v *visit) enterRelief() error {
	fields := v.fields("participant_id", "measure", "starts_on", "ends_on", "cause", "amount", "share")
	switch {
	case v.r.PostFormValue("act") != "take-back":
		amount, share, err := v.reliefPart()
		if err != nil {
			return err
		}
		fields["amount"], fields["share"] = text(amount), text(share)
	case fields["share"] != "":
		fields["amount"], fields["share"] = "", "0"
	default:
		fields["amount"] = "0"
	}
	_, err := v.enter("quota_relief", fields)
	return err
}

// reliefPart reads how much a form takes off: an amount, or percents of the quota.
func (v *visit) reliefPart() (amount, share *string, err error) {
	if amount, err = v.decimal(strings.TrimSpace(v.r.PostFormValue("amount")), 0); err == nil {
		share, err = v.decimal(strings.TrimSpace(v.r.PostFormValue("share")), -2)
	}
	return amount, share, err
}

// proposeRelief proposes a relief for somebody of the visitor's team.
func (v *visit) proposeRelief() error {
	if v.may(incentive.ProposeReliefs) == incentive.None {
		return v.forbidden()
	}
	form := func(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }
	request := client.ReliefProposalRequest{
		Person:  form("participant_id"),
		Measure: form("measure"),
		Cause:   client.ReliefProposalRequestCause(form("cause")),
		Reason:  form("reason"),
	}
	err := func() (err error) {
		if request.StartsOn, err = incentive.ParseDate(form("starts_on")); err != nil {
			return err
		}
		if request.EndsOn, err = incentive.ParseDate(form("ends_on")); err != nil {
			return err
		}
		if request.Amount, request.Share, err = v.reliefPart(); err != nil {
			return err
		}
		_, err = command[client.ReliefProposal](v.api.ProposeRelief(v.r.Context(), &client.ProposeReliefParams{IdempotencyKey: v.key()}, request))
		return err
	}()
	return v.done(err, "/reliefs", message{Key: "done.relief-proposed"}, (*visit).reliefs)
}

// decideRelief grants or refuses what a manager proposed, or withdraws what the visitor did.
func (v *visit) decideRelief() error {
	id, act := v.r.PathValue("relief_proposal"), v.r.PostFormValue("act")
	var err error
	if act == string(client.ReliefProposalStateWithdrawn) {
		if v.may(incentive.ProposeReliefs) == incentive.None {
			return v.forbidden()
		}
		_, err = command[client.ReliefProposal](v.api.WithdrawRelief(v.r.Context(), id, &client.WithdrawReliefParams{IdempotencyKey: v.key()}))
	} else {
		if v.may(incentive.DecideReliefs) == incentive.None {
			return v.forbidden()
		}
		decision := client.ReliefDecision{Decision: client.ReliefDecisionDecision(act), Reason: given(v.r.PostFormValue("reason"))}
		_, err = command[client.ReliefProposal](v.api.DecideRelief(v.r.Context(), id, &client.DecideReliefParams{IdempotencyKey: v.key()}, decision))
	}
	return v.done(err, "/reliefs", message{Key: "relieved." + act}, (*visit).reliefs)
}

// setRelief relieves somebody of a part of their quota.
func (v *visit) setRelief() error {
	if v.may(incentive.ImportData) == incentive.None {
		return v.forbidden()
	}
	err := v.enterRelief()
	return v.done(err, "/reliefs", message{Key: "done.recorded"}, (*visit).reliefs)
}

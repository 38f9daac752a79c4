package web

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type ledgerPage struct {
	Balances []client.Balance
	Table    table
}

// ledger shows what the accounts come to, of all periods or one.
func (v *visit) ledger() error {
	periods, err := v.opened()
	if err != nil {
		return err
	}
	var body ledgerPage
	body.Balances, body.Table, err = listed(v, listing[client.Balance]{
		name: "ledger", whole: true,
		columns: []column[client.Balance]{
			{head: "column.account", sort: "account", value: func(b client.Balance) any { return v.texts.Term("account", b.Account) }},
			{head: "column.rail", sort: "rail", value: func(b client.Balance) any { return b.Rail }},
			{head: "column.balance", sort: "balance", class: "amount", value: func(b client.Balance) any { return b.Balance }},
		},
		choices: []choice{{Name: "period", Label: "column.period", All: "filter.all-periods", Options: v.periodOptions(periods)}},
		read: func(wanted) ([]client.Balance, *string, error) {
			list, err := client.Read[client.Balances](v.api.GetBalances(v.r.Context(), &client.GetBalancesParams{Period: v.asked("period")}))
			return list.Balances, nil, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("ledger", "ledger.title", body)
}

// opened lists the periods that have a revision.
func (v *visit) opened() ([]client.Period, error) {
	all, err := v.allPeriods()
	var found []client.Period
	for _, p := range all {
		if p.Revision > 0 {
			found = append(found, p)
		}
	}
	return found, err
}

type plansPage struct {
	Plans   []client.PlanVersion
	MayKeep bool
}

// plans lists every version of every plan, those of the visitor's own first.
func (v *visit) plans() error {
	list, err := client.Read[client.Plans](v.api.ListPlans(v.r.Context()))
	if err != nil {
		return err
	}
	yours := slices.DeleteFunc(slices.Clone(list.Plans), func(p client.PlanVersion) bool { return !p.Yours })
	others := slices.DeleteFunc(list.Plans, func(p client.PlanVersion) bool { return p.Yours })
	return v.show("plans", "plans.title", plansPage{append(yours, others...), v.may(incentive.ImportStructure) > incentive.None})
}

type planPage struct {
	Plan        client.Plan
	Own         *client.Acceptance // nil where the visitor is not on the plan
	Acceptances []client.Acceptance
	Table       table // of the acceptances
	Leads       bool  // the visitor sees those of others
	People      int   // whose acceptances they see
	Accepted    int   // how many of them there are
	Signature   string
	MayKeep     bool
	MayTry      bool
}

// plan shows the document of one version of a plan.
func (v *visit) plan() error {
	version, err := strconv.Atoi(v.r.PathValue("version"))
	if err != nil {
		return v.nowhere()
	}
	p, err := client.Read[client.Plan](v.api.GetPlan(v.r.Context(), v.r.PathValue("plan"), version))
	if err != nil {
		return err
	}
	body := planPage{
		Plan:      p,
		MayKeep:   v.may(incentive.ImportStructure) > incentive.None,
		MayTry:    v.may(incentive.ReadTotals) > incentive.None,
		Signature: v.failed("signature"),
	}
	of := func(params client.ListAcceptancesParams) (client.Acceptances, error) {
		return client.Read[client.Acceptances](v.api.ListAcceptances(v.r.Context(), p.Plan, p.Version, &params))
	}
	if v.may(incentive.AcceptPlan) > incentive.None {
		own, err := of(client.ListAcceptancesParams{Person: &v.me.Id})
		if err != nil {
			return err
		}
		for _, a := range own.Acceptances {
			body.Own = &a
		}
	}
	if body.Leads = v.may(incentive.ReadAcceptances) > incentive.Own; !body.Leads {
		return v.show("plan", "plan.title", body, "plan", p.Name, "version", p.Version)
	}
	missing := v.r.URL.Query().Get("missing") != ""
	body.Acceptances, body.Table, err = listed(v, listing[client.Acceptance]{
		name: fmt.Sprintf("acceptances-%s-%d", p.Plan, p.Version), search: "table.search-person",
		choices: []choice{{Name: "missing", Label: "plan.missing", Type: "checkbox"}},
		columns: []column[client.Acceptance]{
			{head: "column.person", value: func(a client.Acceptance) any { return a.Name }},
			{head: "column.id", file: true, value: func(a client.Acceptance) any { return a.Person }},
			{head: "column.when", value: func(a client.Acceptance) any { return a.AcceptedAt }},
			{head: "column.signature", value: func(a client.Acceptance) any { return text(a.Signature) }},
		},
		read: func(wanted wanted) ([]client.Acceptance, *string, error) {
			list, err := of(client.ListAcceptancesParams{Missing: &missing, Search: wanted.search, After: wanted.after, Limit: wanted.limit})
			body.People, body.Accepted = list.People, list.Accepted
			return list.Acceptances, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("plan", "plan.title", body, "plan", p.Name, "version", p.Version)
}

// acceptPlan puts the visitor's signature under a version of their plan.
func (v *visit) acceptPlan() error {
	version, err := strconv.Atoi(v.r.PathValue("version"))
	if err != nil {
		return v.nowhere()
	}
	p, err := client.Read[client.Plan](v.api.GetPlan(v.r.Context(), v.r.PathValue("plan"), version))
	if err != nil {
		return err
	}
	_, err = command[client.Acceptance](v.api.AcceptPlan(v.r.Context(), p.Plan, version, &client.AcceptPlanParams{IdempotencyKey: v.key()}, client.AcceptanceRequest{Signature: v.r.PostFormValue("signature")}))
	return v.done(err, v.r.URL.Path, message{Key: "done.accepted", With: map[string]any{"plan": p.Name, "version": version}}, (*visit).plan)
}

// putPlan keeps a document as the next version of its plan.
func (v *visit) putPlan() error {
	from, err := incentive.ParseDate(v.r.PostFormValue("effective_from"))
	var kept client.Plan
	if err == nil {
		kept, err = command[client.Plan](v.api.PutPlan(v.r.Context(), &client.PutPlanParams{IdempotencyKey: v.key()}, client.PlanRequest{Document: v.r.PostFormValue("document"), EffectiveFrom: from}))
	}
	return v.done(err, "/plans", message{Key: "done.plan", With: map[string]any{"plan": kept.Name, "version": kept.Version}}, (*visit).plans)
}

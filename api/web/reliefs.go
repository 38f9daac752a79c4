package web

import (
	"net/url"
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
	if v.may(incentive.ReadRecords) == incentive.None {
		return v.forbidden()
	}
	body := reliefsPage{Causes: incentive.ReliefCauses, MayChange: v.may(incentive.ImportData) > incentive.None}
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
			list, err := client.Read[client.Reliefs](v.api.ListReliefs(v.r.Context(), &client.ListReliefsParams{After: of.after, Search: of.search, Limit: of.limit, Person: v.asked("person"), Measure: v.asked("measure")}))
			return list.Reliefs, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	body.Reliefs, body.Table = v.shownReliefs(all), table
	return v.show("reliefs", "reliefs.title", body)
}

// enterRelief enters a relief as a form has it, or takes one back.
func (v *visit) enterRelief() error {
	if v.r.PostFormValue("act") == "take-back" {
		amount, share := "0", ""
		if v.r.PostFormValue("share") != "" {
			amount, share = "", "0"
		}
		v.r.PostForm.Set("amount", amount)
		v.r.PostForm.Set("share", share)
	}
	said := v.r.PostForm
	defer func() { v.r.PostForm = said }() // which the form shows again
	v.r.PostForm = url.Values{}
	for name, values := range said {
		v.r.PostForm[name] = values
	}
	for name, shift := range map[string]int32{"amount": 0, "share": -2} {
		exact, err := v.decimal(strings.TrimSpace(said.Get(name)), shift)
		if err != nil {
			return err
		}
		v.r.PostForm.Set(name, text(exact))
	}
	_, err := v.enter("quota_relief", "participant_id", "measure", "starts_on", "ends_on", "cause", "amount", "share")
	return err
}

// setRelief relieves somebody of a part of their quota.
func (v *visit) setRelief() error {
	if v.may(incentive.ImportData) == incentive.None {
		return v.forbidden()
	}
	err := v.enterRelief()
	return v.done(err, "/reliefs", message{Key: "done.recorded"}, (*visit).reliefs)
}

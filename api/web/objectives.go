package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// objective is a manual objective as a page shows it, in percents.
type objective struct {
	client.Objective
	Percent string // its weight
	Reached string // its score; "" while there is none
	Scorer  string // a name
	Alone   string // the page of their objectives alone
	Sets    bool   // whether the visitor may set and score it now
}

type objectivesPage struct {
	Periods []client.Period
	Period  *client.Period // nil where no period has been opened
	Own     []objective
	Others  []objective
	Table   table // of the others
	Leads   bool
	Sets    bool              // the period is open, and the visitor may
	People  []client.Estimate // whom they may set one for; none where there are too many to choose from
	Failed  string            // the name of the objective about which something was refused
}

// objectives shows the visitor's own manual objectives of a period, and those of whoever they set and score them for.
func (v *visit) objectives() error {
	if v.may(incentive.ReadStatements) == incentive.None {
		return v.forbidden()
	}
	sets := v.may(incentive.SetObjectives) > incentive.None
	body := objectivesPage{Leads: v.may(incentive.ReadStatements) > incentive.Own}
	var err error
	if body.Periods, err = v.opened(); err != nil {
		return err
	}
	body.Period = v.estimated(body.Periods)
	if chosen := v.r.FormValue("period"); chosen != "" {
		for _, p := range body.Periods {
			if p.Id == chosen {
				body.Period = &p
			}
		}
	} else if body.Period == nil && len(body.Periods) > 0 {
		body.Period = &body.Periods[0]
	}
	if body.Period == nil {
		return v.show("objectives", "objectives.title", body)
	}
	if v.problem != nil {
		body.Failed = v.r.PostFormValue("person") + "\n" + v.r.PostFormValue("name")
	}
	body.Sets = sets && body.Period.State == string(incentive.Open)
	called, err := v.called()
	if err != nil {
		return err
	}
	shown := func(all []client.Objective) (shown []objective) {
		for _, o := range all {
			one := objective{Objective: o, Percent: read(o.Weight).Mul(hundred).String(), Scorer: name(called, o.EnteredBy), Sets: body.Sets && o.Person != v.me.Id}
			if o.Score != nil {
				one.Reached = read(*o.Score).Mul(hundred).String()
			}
			one.Alone = "/objectives?" + url.Values{"period": {body.Period.Id}, "person": {o.Person}}.Encode()
			shown = append(shown, one)
		}
		return shown
	}
	own, err := client.Read[client.Objectives](v.api.ListObjectives(v.r.Context(), body.Period.Id, &client.ListObjectivesParams{Person: &v.me.Id, Limit: &most}))
	if err != nil {
		return err
	}
	body.Own = shown(own.Objectives)
	others, person := true, v.asked("person")
	of := listing[objective]{
		name: "objectives-" + body.Period.Id, path: "/objectives", search: "table.search-person", keep: map[string]string{"period": body.Period.Id},
		columns: []column[objective]{
			{head: "column.person", value: func(o objective) any { return o.PersonName }},
			{head: "column.id", file: true, value: func(o objective) any { return o.Person }},
			{head: "column.objective", value: func(o objective) any { return o.Name }},
			{head: "objectives.description", file: true, value: func(o objective) any { return o.Description }},
			{head: "column.weight", class: "amount", value: func(o objective) any { return language.Numeral(o.Percent) }},
			{head: "column.worth", class: "amount", value: func(o objective) any { return o.Worth }},
			{head: "column.score", class: "amount", value: func(o objective) any { return language.Numeral(o.Reached) }},
			{head: "column.reason", value: func(o objective) any { return o.Reason }},
		},
		read: func(of wanted) ([]objective, *string, error) {
			list, err := client.Read[client.Objectives](v.api.ListObjectives(v.r.Context(), body.Period.Id, &client.ListObjectivesParams{Person: person, Others: &others, After: of.after, Search: of.search, Limit: of.limit}))
			if err == nil && person == nil { // of one person the list says it already
				list.Objectives, err = v.objectivesWorth(body.Period.Id, list.Objectives)
			}
			return shown(list.Objectives), list.Next, err
		},
	}
	if body.Sets {
		of.columns = append(of.columns, column[objective]{head: "objectives.score"})
	}
	if body.Others, body.Table, err = listed(v, of); err != nil {
		return err
	}
	if body.Sets {
		if body.People, err = v.choosable(body.Period.Id); err != nil {
			return err
		}
	}
	return v.show("objectives", "objectives.title", body)
}

// choosable returns of whom the visitor may choose one, by what they are called: the others whose estimates of
// a period they see, or nobody where those are too many for a choice.
func (v *visit) choosable(period string) ([]client.Estimate, error) {
	others, some := true, mostShown
	list, err := client.Read[client.Estimates](v.api.ListEstimates(v.r.Context(), period, &client.ListEstimatesParams{Others: &others, Limit: &some}))
	if err != nil || list.Next != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Estimates, func(a, b client.Estimate) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list.Estimates, nil
}

// mostWorth is of how many people at once a page says what their objectives are worth.
const mostWorth = 20

// objectivesWorth completes objectives by what they are worth, where they are of few people.
func (v *visit) objectivesWorth(period string, all []client.Objective) ([]client.Objective, error) {
	var people []string
	for _, o := range all {
		if !slices.Contains(people, o.Person) {
			people = append(people, o.Person)
		}
	}
	if len(people) > mostWorth {
		return all, nil
	}
	for _, person := range people {
		list, err := client.Read[client.Objectives](v.api.ListObjectives(v.r.Context(), period, &client.ListObjectivesParams{Person: &person, Limit: &most}))
		if err != nil {
			return nil, err
		}
		for _, o := range list.Objectives {
			if at := slices.IndexFunc(all, func(other client.Objective) bool { return other.Person == person && other.Name == o.Name }); at >= 0 {
				all[at].Worth = o.Worth
			}
		}
	}
	return all, nil
}

// Is reports whether what was refused concerned an objective.
func (b objectivesPage) Is(o objective) bool { return b.Failed == o.Person+"\n"+o.Name }

// setObjective sets or scores an objective of somebody else.
func (v *visit) setObjective() error {
	if v.may(incentive.SetObjectives) == incentive.None {
		return v.forbidden()
	}
	period := v.r.PostFormValue("period")
	request := client.ObjectiveRequest{
		Person:      v.r.PostFormValue("person"),
		Name:        v.r.PostFormValue("name"),
		Description: given(v.r.PostFormValue("description")),
		Reason:      given(v.r.PostFormValue("reason")),
	}
	weight, err := v.decimal(v.r.PostFormValue("weight"), -2)
	if err == nil && weight != nil {
		request.Weight = *weight
	}
	if err == nil {
		request.Score, err = v.decimal(v.r.PostFormValue("score"), -2)
	}
	if err == nil {
		_, err = command[client.Objective](v.api.SetObjective(v.r.Context(), period, &client.SetObjectiveParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/objectives?"+url.Values{"period": {period}}.Encode(), message{Key: "done.objective"}, (*visit).objectives)
}

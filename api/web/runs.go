package web

import (
	"slices"
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// runOf is one calculation of a period.
type runOf struct {
	client.Run
	Revision int
}

// difference is whose statement differs between two runs.
type difference struct {
	client.Difference
	Change *incentive.Money // nil where one of them has none in the currency of the other
}

type runsPage struct {
	head
	Runs        []runOf // of all revisions, the latest first
	Amends      bool    // the visitor may calculate again
	From, To    int64
	Charts      []chart
	Differences []difference
	Table       table
}

// runs lists the calculations of a period, and whose statements differ between two.
func (v *visit) runs() error {
	if v.may(incentive.ReadTotals) == incentive.None {
		return v.forbidden()
	}
	h, err := v.of("runs")
	if err != nil {
		return err
	}
	body := runsPage{head: h, Amends: v.may(incentive.RunPeriod) > incentive.None}
	for revision := h.Period.Revision; revision > 0; revision-- {
		list, err := client.Read[client.Runs](v.api.ListRuns(v.r.Context(), h.Period.Id, &client.ListRunsParams{Revision: &revision}))
		if err != nil {
			return err
		}
		for _, r := range slices.Backward(list.Runs) {
			body.Runs = append(body.Runs, runOf{r, revision})
		}
	}
	if len(body.Runs) > 1 {
		if body.From, body.To, err = v.compared(body.Runs); err != nil {
			return err
		}
		pay, err := client.Read[client.Distribution](v.api.GetDistribution(v.r.Context(), h.Period.Id, &client.GetDistributionParams{Run: &body.To, From: &body.From}))
		if err != nil {
			return err
		}
		body.Charts = v.distributionCharts("run", pay)
		body.Differences, body.Table, err = listed(v, listing[difference]{
			name: "differences-" + h.Period.Id,
			columns: []column[difference]{
				{head: "column.person", value: func(d difference) any { return d.Name }},
				{head: "column.id", file: true, value: func(d difference) any { return d.Person }},
				{head: "column.first", class: "amount", value: func(d difference) any { return d.Before }},
				{head: "column.second", class: "amount", value: func(d difference) any { return d.After }},
				{head: "column.difference", class: "amount", value: func(d difference) any { return d.Change }},
			},
			read: func(of wanted) (all []difference, next *string, err error) {
				list, err := client.Read[client.Differences](v.api.ListDifferences(v.r.Context(), h.Period.Id, &client.ListDifferencesParams{From: body.From, To: body.To, After: of.after, Limit: of.limit}))
				for _, d := range list.Differences {
					one := difference{Difference: d}
					if d.After != nil {
						one.Change = change(*d.After, d.Before)
					}
					all = append(all, one)
				}
				return all, list.Next, err
			},
		})
		if err != nil {
			return err
		}
	}
	return v.show("runs", "runs.title", body, "period", v.texts.period(h.Period))
}

// compared are the two runs that the visitor chose, the last two where none is.
func (v *visit) compared(runs []runOf) (from, to int64, err error) {
	from, to = runs[1].Id, runs[0].Id
	for _, one := range []struct {
		name string
		id   *int64
	}{{"from", &from}, {"to", &to}} {
		if chosen := v.r.URL.Query().Get(one.name); chosen != "" {
			if *one.id, err = strconv.ParseInt(chosen, 10, 64); err != nil {
				return 0, 0, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
			}
		}
	}
	return from, to, nil
}

// changed is something that has changed since a period was locked.
type changed struct {
	client.Change
	Says  string // what it is
	Stood string // new, changed or gone since the lock
}

// changesOf lists what has changed since a period was locked.
func (v *visit) changesOf(period string, after *string) (all []changed, next *string, err error) {
	list, err := client.Read[client.Changes](v.api.ListChanges(v.r.Context(), period, &client.ListChangesParams{After: after}))
	if err != nil {
		return nil, nil, err
	}
	called, err := v.called()
	if err != nil {
		return nil, nil, err
	}
	amounts := map[string]string{}
	if slices.ContainsFunc(list.Changes, func(c client.Change) bool { return c.Kind == client.ChangeKindAdjustment }) {
		adjustments, _, err := every(20, func(after *string) ([]client.Adjustment, *string, error) {
			list, err := client.Read[client.Adjustments](v.api.ListAdjustments(v.r.Context(), &client.ListAdjustmentsParams{After: after, Limit: &most}))
			return list.Adjustments, list.Next, err
		})
		if err != nil {
			return nil, nil, err
		}
		for _, a := range adjustments {
			amounts[a.Id] = a.Name + ", " + v.texts.Money(a.Amount)
		}
	}
	for _, c := range list.Changes {
		one := changed{c, c.Id, text(c.What)}
		switch c.Kind {
		case client.ChangeKindParticipant, client.ChangeKindQuota, client.ChangeKindAssignment:
			one.Says = name(called, c.Id)
		case client.ChangeKindAdjustment:
			one.Says = name(amounts, c.Id)
		}
		all = append(all, one)
	}
	return all, list.Next, nil
}

// chosen are the changes that the form names.
func (v *visit) chosen() []client.Change {
	changes := []client.Change{}
	for _, text := range v.r.PostForm["change"] {
		kind, id, _ := strings.Cut(text, ":")
		changes = append(changes, client.Change{Kind: client.ChangeKind(kind), Id: id})
	}
	return changes
}

type changesPage struct {
	listPage
	Stands  string // may, withdraw, late or early: whether a recalculation can take changes over
	Changes []changed
	Chosen  map[string]bool // as they were sent, where they were refused
}

// changes lists what has changed since a period was locked, for a recalculation to take
// over.
func (v *visit) changes() error {
	if v.may(incentive.RunPeriod) == incentive.None {
		return v.forbidden()
	}
	h, err := v.of("runs")
	if err != nil {
		return err
	}
	body := changesPage{Stands: "early", Chosen: v.ticked()}
	var after *string
	after, body.listPage = v.list(h)
	switch incentive.State(h.Period.State) {
	case incentive.Calculated:
		body.Stands = "may"
	case incentive.Published, incentive.Approving, incentive.Approved:
		body.Stands = "withdraw"
	case incentive.Released, incentive.Disbursing, incentive.Settling, incentive.Closed:
		body.Stands = "late"
	}
	if body.Stands == "may" || body.Stands == "withdraw" {
		var next *string
		if body.Changes, next, err = v.changesOf(h.Period.Id, after); err != nil {
			return err
		}
		body.next(next)
	}
	return v.show("changes", "changes.title", body, "period", v.texts.period(h.Period))
}

// ticked are the changes of the form that was just refused.
func (v *visit) ticked() map[string]bool {
	ticked := map[string]bool{}
	if v.problem != nil {
		for _, one := range v.r.PostForm["change"] {
			ticked[one] = true
		}
	}
	return ticked
}

// recalculate calculates a period again with the changes that the form names.
func (v *visit) recalculate() error {
	if v.may(incentive.RunPeriod) == incentive.None {
		return v.forbidden()
	}
	id, changes := v.r.PathValue("period"), v.chosen()
	if len(changes) == 0 {
		v.problem = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("changes.none-chosen"))
		return v.changes()
	}
	_, err := command[client.ActAnswer](v.api.ActOnPeriod(v.r.Context(), id, &client.ActOnPeriodParams{IdempotencyKey: v.key()}, client.ActRequest{Act: client.ActRequestActRecalculate, Changes: &changes}))
	return v.done(err, "/periods/"+id, message{Key: "done.recalculate"}, (*visit).changes)
}

type disputeChangesPage struct {
	disputed
	After   string
	First   bool
	Changes []changed
	Chosen  map[string]bool
	Text    string
}

// disputeChanges asks which changes settle a dispute.
func (v *visit) disputeChanges() error {
	if v.may(incentive.RunPeriod) == incentive.None {
		return v.forbidden()
	}
	d, err := client.Read[client.Dispute](v.api.GetDispute(v.r.Context(), v.r.PathValue("dispute")))
	if err != nil {
		return err
	}
	shown, err := v.shownDisputes([]client.Dispute{d})
	if err != nil {
		return err
	}
	after, l := v.list(head{})
	all, next, err := v.changesOf(d.Period, after)
	if err != nil {
		return err
	}
	l.next(next)
	return v.show("dispute-changes", "dispute.title", disputeChangesPage{
		disputed: shown[0],
		After:    l.After,
		First:    l.First,
		Changes:  all,
		Chosen:   v.ticked(),
		Text:     v.failed("text"),
	},
		"name", d.Name, "period", v.texts.period(shown[0].Of))
}

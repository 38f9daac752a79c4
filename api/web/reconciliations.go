package web

import (
	"strconv"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type reconciliationsPage struct {
	Rails      []string
	Rail, Day  string // that were asked for; "" for all
	Open       bool   // only what has differences that nobody has explained
	List       []client.Reconciliation
	Next       int64
	First      bool
	MayCompare bool
	Called     map[string]string
	Sending    client.Sending
}

// reconciliations lists comparisons of our record with those of rails, by rail and day.
func (v *visit) reconciliations() error {
	query := v.r.URL.Query()
	body := reconciliationsPage{
		Rails:      v.railNames(),
		Rail:       query.Get("rail"),
		Day:        query.Get("day"),
		Open:       query.Get("open") != "",
		First:      query.Get("after") == "",
		MayCompare: v.may(incentive.ReconcileRails) > incentive.None,
	}
	parameters := client.ListReconciliationsParams{Rail: given(body.Rail), Open: &body.Open}
	if body.Day != "" {
		day, err := incentive.ParseDate(body.Day)
		if err != nil {
			return err
		}
		parameters.Day = &types.Date{Time: day.UTC()}
	}
	if after, err := strconv.ParseInt(query.Get("after"), 10, 64); err == nil {
		parameters.After = &after
	}
	list, err := client.Read[client.Reconciliations](v.api.ListReconciliations(v.r.Context(), &parameters))
	if err != nil {
		return err
	}
	body.List = list.Reconciliations
	if list.Next != nil {
		body.Next = *list.Next
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	if body.Sending, err = client.Read[client.Sending](v.api.GetSending(v.r.Context())); err != nil {
		return err
	}
	return v.show("reconciliations", "reconciliations.title", body)
}

// compare compares a day of a rail now.
func (v *visit) compare() error {
	if v.may(incentive.ReconcileRails) == incentive.None {
		return v.forbidden()
	}
	day, err := incentive.ParseDate(v.r.PostFormValue("day"))
	if err == nil {
		_, err = command[client.Reconciliation](v.api.Reconcile(v.r.Context(), &client.ReconcileParams{IdempotencyKey: v.key()}, client.ReconciliationRequest{Rail: v.r.PostFormValue("rail"), Day: day}))
	}
	return v.done(err, "/reconciliations", message{Key: "done.compared"}, (*visit).reconciliations)
}

// clearSending lets payouts be sent again.
func (v *visit) clearSending() error {
	if v.may(incentive.ReconcileRails) == incentive.None {
		return v.forbidden()
	}
	_, err := command[client.Sending](v.api.ClearSending(v.r.Context(), &client.ClearSendingParams{IdempotencyKey: v.key()}, client.Reason{Reason: v.r.PostFormValue("reason")}))
	return v.done(err, "/reconciliations", message{Key: "done.cleared-sending"}, (*visit).reconciliations)
}

type reconciliationPage struct {
	client.Reconciliation
	RunBy    string // a name
	List     []client.RailDifference
	Next     int
	First    bool
	Explains bool // there is what the visitor may explain
	Ticked   map[int]bool
	Reason   string
	Called   map[string]string
}

// reconciliation shows what a comparison found, and asks for why.
func (v *visit) reconciliation() error {
	id, err := strconv.ParseInt(v.r.PathValue("reconciliation"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	body := reconciliationPage{First: true, Reason: v.failed("reason"), Ticked: map[int]bool{}}
	if body.Reconciliation, err = client.Read[client.Reconciliation](v.api.GetReconciliation(v.r.Context(), id)); err != nil {
		return err
	}
	parameters := client.ListRailDifferencesParams{}
	if after, err := strconv.Atoi(v.r.URL.Query().Get("after")); err == nil {
		parameters.After, body.First = &after, false
	}
	list, err := client.Read[client.RailDifferences](v.api.ListRailDifferences(v.r.Context(), id, &parameters))
	if err != nil {
		return err
	}
	body.List = list.Differences
	if list.Next != nil {
		body.Next = *list.Next
	}
	if v.may(incentive.ReconcileRails) > incentive.None {
		for _, d := range body.List {
			body.Explains = body.Explains || d.Explanation == nil
		}
	}
	if v.problem != nil {
		for _, number := range v.chosenDifferences() {
			body.Ticked[number] = true
		}
	}
	if body.Called, err = v.called(); err != nil {
		return err
	}
	body.RunBy = name(body.Called, body.Reconciliation.RunBy)
	return v.show("reconciliation", "reconciliation.title", body, "rail", v.texts.Term("rail", body.Rail), "day", v.texts.Date(body.Day))
}

// chosenDifferences are the numbers that are ticked in a form.
func (v *visit) chosenDifferences() (numbers []int) {
	for _, text := range v.r.PostForm["difference"] {
		if number, err := strconv.Atoi(text); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// explain says why the records differ in what is ticked.
func (v *visit) explain() error {
	if v.may(incentive.ReconcileRails) == incentive.None {
		return v.forbidden()
	}
	id, err := strconv.ParseInt(v.r.PathValue("reconciliation"), 10, 64)
	if err != nil {
		return v.nowhere()
	}
	numbers := v.chosenDifferences()
	if len(numbers) == 0 {
		err = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("reconciliation.none-chosen"))
	} else {
		_, err = command[client.Reconciliation](v.api.ExplainDifferences(v.r.Context(), id, &client.ExplainDifferencesParams{IdempotencyKey: v.key()}, client.ExplanationRequest{Differences: numbers, Reason: v.r.PostFormValue("reason")}))
	}
	return v.done(err, local(v.r.URL.RequestURI()), message{Key: "done.explained"}, (*visit).reconciliation)
}

package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// enteredDeal is a deal that somebody entered, as a page shows it.
type enteredDeal struct {
	client.EnteredDeal
	More    []coveredBy // its attributes
	Waits   string      // whom it waits for; "" once it is decided about
	Decider string      // a name
	Key     string      // as the form of decisions carries it
	Chosen  bool
}

func (v *visit) shownEnteredDeals(all []client.EnteredDeal, called map[string]string) (shown []enteredDeal) {
	for _, d := range all {
		one := enteredDeal{EnteredDeal: d, More: covers(d.Attributes), Decider: name(called, text(d.DecidedBy)), Key: d.Id + "/" + strconv.Itoa(d.Version)}
		if d.State == "waiting" {
			if one.Waits = v.texts.Get("queue.finance"); d.Approver != nil {
				one.Waits = name(called, *d.Approver)
			}
		}
		one.Chosen = slices.Contains(v.r.PostForm["deal"], one.Key)
		shown = append(shown, one)
	}
	return shown
}

type enteredDealsPage struct {
	Enters   bool
	Off      bool   // deals are not entered here
	Currency string // of the last deal, or of what the visitor is paid
	Today    incentive.Date
	Own      []enteredDeal
	Waiting  []enteredDeal // for the visitor
	Others   []enteredDeal
	Reads    bool // the visitor sees deals of others
	More     bool
}

// waitingDeals are the entered deals that wait for the visitor's decision.
func (v *visit) waitingDeals() ([]client.EnteredDeal, error) {
	waiting := true
	list, err := client.Read[client.EnteredDeals](v.api.ListEnteredDeals(v.r.Context(), &client.ListEnteredDealsParams{Waiting: &waiting, Limit: &most}))
	return list.Deals, err
}

// enteredDeals shows the deals that the visitor entered and those that wait for them, and asks for another.
func (v *visit) enteredDeals() error {
	if v.may(incentive.ReadStatements) == incentive.None {
		return v.forbidden()
	}
	body := enteredDealsPage{Enters: v.may(incentive.EnterDeals) > incentive.None, Reads: v.may(incentive.ReadStatements) > incentive.Own, Today: v.today()}
	called, err := v.called()
	if err != nil {
		return err
	}
	all, more, err := every(2, func(after *string) ([]client.EnteredDeal, *string, error) {
		list, err := client.Read[client.EnteredDeals](v.api.ListEnteredDeals(v.r.Context(), &client.ListEnteredDealsParams{After: after, Limit: &most}))
		body.Off = body.Enters && list.Enters != nil && !*list.Enters
		return list.Deals, list.Next, err
	})
	if err != nil {
		return err
	}
	body.More = more
	var waiting []client.EnteredDeal
	if v.may(incentive.DecideDeals) > incentive.None {
		if waiting, err = v.waitingDeals(); err != nil {
			return err
		}
	}
	body.Waiting = v.shownEnteredDeals(waiting, called)
	for _, one := range v.shownEnteredDeals(all, called) {
		switch {
		case one.Person == v.me.Id:
			body.Own = append(body.Own, one)
		case !slices.ContainsFunc(waiting, func(w client.EnteredDeal) bool { return w.Id == one.Id }):
			body.Others = append(body.Others, one)
		}
	}
	if body.Currency = v.failed("currency"); body.Currency == "" && len(body.Own) > 0 {
		body.Currency = body.Own[0].Currency
	}
	return v.show("deals", "deals.title", body)
}

// dealSent reads a deal as a form has it.
func (v *visit) dealSent() (request client.EnteredDealRequest, err error) {
	form := v.r.PostForm
	day, err := incentive.ParseDate(form.Get("date"))
	if err != nil {
		return request, err
	}
	amount, err := v.decimal(form.Get("amount"), 0)
	if err != nil {
		return request, err
	}
	request = client.EnteredDealRequest{
		Date:     types.Date{Time: day.UTC()},
		Amount:   text(amount),
		Currency: strings.ToUpper(strings.TrimSpace(form.Get("currency"))),
		Note:     given(form.Get("note")),
	}
	attributes := map[string]string{}
	for _, name := range []string{"product", "customer"} {
		if value := strings.TrimSpace(form.Get(name)); value != "" {
			attributes[name] = value
		}
	}
	for line := range strings.Lines(form.Get("attributes")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, is := strings.Cut(line, ":")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !is || attributes[name] != "" {
			return request, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("deals.attribute.refused", map[string]any{"line": line}))
		}
		attributes[name] = value
	}
	request.Attributes = &attributes
	return request, nil
}

// enterDeal enters a deal of the visitor's, and adds the files that come with it.
func (v *visit) enterDeal() error {
	if v.may(incentive.EnterDeals) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	var entered client.EnteredDeal
	request, err := v.dealSent()
	if err == nil {
		entered, err = command[client.EnteredDeal](v.api.EnterDeal(v.r.Context(), &client.EnterDealParams{IdempotencyKey: v.key()}, request))
	}
	if err != nil {
		v.problem = err
		return v.enteredDeals()
	}
	return v.addDealFiles(entered.Id, files, message{Key: "done.deal"})
}

// addDealFiles adds files to a deal, as far as the API takes them, and goes to its page.
func (v *visit) addDealFiles(id string, files *upload, say message) error {
	n := 0
	err := files.each(func(f client.File) error {
		n++
		_, err := v.api.AddDealEvidenceFile(v.r.Context(), fmt.Sprintf("%s-%d", v.key(), n), id, f)
		return err
	})
	v.r.SetPathValue("deal", id)
	return v.done(err, "/deals/"+id, say, (*visit).enteredDeal)
}

// decideDeals approves or rejects the deals that are chosen.
func (v *visit) decideDeals() error {
	if v.may(incentive.DecideDeals) == incentive.None {
		return v.forbidden()
	}
	decision := v.r.PostFormValue("act")
	request := client.DealDecisionRequest{
		Decision: client.DealDecisionRequestDecision(decision),
		Reason:   given(v.r.PostFormValue("reason")),
		Deals:    []client.DealVersion{},
	}
	for _, key := range v.r.PostForm["deal"] {
		id, version, _ := strings.Cut(key, "/")
		number, err := strconv.Atoi(version)
		if err != nil {
			return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
		}
		request.Deals = append(request.Deals, client.DealVersion{Deal: id, Version: number})
	}
	err := incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("deals.none-chosen"))
	if len(request.Deals) > 0 {
		_, err = command[client.EnteredDeals](v.api.DecideDeals(v.r.Context(), &client.DecideDealsParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/deals", message{"dealt." + decision, map[string]any{"count": len(request.Deals)}}, (*visit).enteredDeals)
}

type enteredDealPage struct {
	enteredDeal
	Own  bool   // and it waits: it may be changed
	Rest string // attributes but for product and customer, as the form has them
	Says map[string]string
}

// enteredDeal shows a deal with its files, and what may be done with it.
func (v *visit) enteredDeal() error {
	d, err := client.Read[client.EnteredDeal](v.api.GetEnteredDeal(v.r.Context(), v.r.PathValue("deal")))
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body := enteredDealPage{enteredDeal: v.shownEnteredDeals([]client.EnteredDeal{d}, called)[0], Own: d.Person == v.me.Id && d.State == "waiting"}
	body.Says = map[string]string{"date": d.Date.String(), "amount": v.texts.Number(d.Amount), "currency": d.Currency, "product": d.Attributes["product"], "customer": d.Attributes["customer"], "note": d.Note}
	var rest []string
	for _, one := range body.More {
		if one.Attribute != "product" && one.Attribute != "customer" {
			rest = append(rest, one.Attribute+": "+d.Attributes[one.Attribute])
		}
	}
	body.Says["attributes"] = strings.Join(rest, "\n")
	if v.problem != nil && v.r.PostForm.Has("date") {
		for field := range body.Says {
			body.Says[field] = v.failed(field)
		}
	}
	return v.show("deal", "deal.title", body, "amount", v.texts.amount(d.Amount, d.Currency))
}

// changeDeal corrects a deal of the visitor's, adds files to it or withdraws it.
func (v *visit) changeDeal() error {
	if v.may(incentive.EnterDeals) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	id := v.r.PathValue("deal")
	version, err := strconv.Atoi(v.r.PostFormValue("version"))
	if err != nil {
		return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
	}
	switch v.r.PostFormValue("act") {
	case "withdraw":
		_, err = command[client.EnteredDeal](v.api.WithdrawDeal(v.r.Context(), id, &client.WithdrawDealParams{IdempotencyKey: v.key()}, client.DealWithdrawal{Version: version}))
		return v.done(err, "/deals", message{Key: "done.deal-withdrawn"}, (*visit).enteredDeal)
	case "correct":
		var said client.EnteredDealRequest
		if said, err = v.dealSent(); err == nil {
			_, err = command[client.EnteredDeal](v.api.CorrectDeal(v.r.Context(), id, &client.CorrectDealParams{IdempotencyKey: v.key()},
				client.DealCorrection{Version: version, Date: said.Date, Amount: said.Amount, Currency: said.Currency, Attributes: said.Attributes, Note: said.Note}))
		}
		if err != nil {
			v.problem = err
			return v.enteredDeal()
		}
	}
	return v.addDealFiles(id, files, message{Key: "done.deal-corrected"})
}

// dealFile hands a file of a deal over.
func (v *visit) dealFile() error {
	return v.download(client.NewGetDealEvidenceRequest(within, v.r.PathValue("deal"), v.r.PathValue("deal_file")))
}

// addDeals adds the entered deals that wait for the visitor's decision.
func (v *visit) addDeals(body *homePage, _ []client.Period) error {
	waiting, err := v.waitingDeals()
	if err != nil {
		return err
	}
	if count := len(waiting); count > 0 {
		one := task{Says: v.counted("task.deals", client.Period{}, count), Do: "task.deals.do", Path: "/deals"}
		if count == 1 {
			one.Path += "/" + url.PathEscape(waiting[0].Id)
		}
		body.Tasks = append(body.Tasks, one)
	}
	return nil
}

// addPending says beside the visitor's estimate what their deals that wait for approval would bring.
func (v *visit) addPending(body *livePage) error {
	state, one := client.ListEnteredDealsParamsStateWaiting, 1
	list, err := client.Read[client.EnteredDeals](v.api.ListEnteredDeals(v.r.Context(), &client.ListEnteredDealsParams{Person: &v.me.Id, State: &state, Limit: &one}))
	if err != nil || len(list.Deals) == 0 {
		return err
	}
	pending, err := client.Read[client.PendingDeals](v.api.GetPendingDeals(v.r.Context(), body.Period.Id, v.me.Id))
	if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeNotFound && code != incentive.CodeInvalid {
		return err
	}
	if err == nil && len(pending.Deals) > 0 {
		body.Awaited = &pending
	}
	return nil
}

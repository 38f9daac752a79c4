package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// disputesOf lists disputes that the visitor may see, the oldest first, at most 500 for
// each page.
func (v *visit) disputesOf(which client.ListDisputesParams, pages int) ([]client.Dispute, bool, error) {
	which.Limit = &most
	return every(pages, func(after *string) ([]client.Dispute, *string, error) {
		which.After = after
		list, err := client.Read[client.Disputes](v.api.ListDisputes(v.r.Context(), &which))
		return list.Disputes, list.Next, err
	})
}

// disputed is a dispute as a page shows it.
type disputed struct {
	client.Dispute
	Of      client.Period
	About   message
	Waits   string // whom it waits for; "" once it has its outcome
	Overdue bool
}

// shownDisputes are disputes with what a page says of them.
func (v *visit) shownDisputes(all []client.Dispute) ([]disputed, error) {
	if len(all) == 0 {
		return nil, nil
	}
	called, err := v.called()
	if err != nil {
		return nil, err
	}
	periods, err := v.allPeriods()
	if err != nil {
		return nil, err
	}
	var shown []disputed
	for _, d := range all {
		one := disputed{Dispute: d, About: aboutItem(d), Waits: v.waitsFor(d, called)}
		if i := slices.IndexFunc(periods, func(p client.Period) bool { return p.Id == d.Period }); i >= 0 {
			one.Of = periods[i]
		}
		one.Overdue = overdue(d)
		shown = append(shown, one)
	}
	return shown, nil
}

// overdue reports whether the company owes a dispute's participant an outcome.
func overdue(d client.Dispute) bool {
	state := incentive.DisputeState(d.State)
	return (state == incentive.DisputeOpen || state == incentive.DisputeGranted) && d.AnswerBy != nil && time.Now().After(*d.AnswerBy)
}

// waitsFor is whom a dispute waits for.
func (v *visit) waitsFor(d client.Dispute, called map[string]string) string {
	who := ""
	switch incentive.DisputeState(d.State) {
	case incentive.DisputeOpen:
		if d.Handler == nil {
			return v.texts.Get("queue.finance")
		}
		who = *d.Handler
	case incentive.DisputeWaiting:
		who = d.Person
	case incentive.DisputeGranted:
		return v.texts.Get("dispute.waits.second")
	default:
		return ""
	}
	if who == v.me.Id {
		return v.texts.Get("dispute.waits.you")
	}
	return name(called, who)
}

// aboutItem says what a dispute is about.
func aboutItem(d client.Dispute) message {
	component, deal := text(d.Component), text(d.Transaction)
	switch {
	case component != "" && deal != "":
		return message{"dispute.about.deal", map[string]any{"deal": deal, "component": component}}
	case component != "":
		return message{"dispute.about.line", map[string]any{"component": component}}
	case deal != "":
		return message{"dispute.about.missing-deal", map[string]any{"deal": deal}}
	}
	return message{Key: "dispute.about.missing"}
}

// text is what a pointer of the API's points to, "" where it points to nothing.
func text(of *string) string {
	if of == nil {
		return ""
	}
	return *of
}

// given is text as the API takes it, nil where it is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

type disputesPage struct {
	Table   table // of Others
	Raises  bool  // the visitor's own pay can be disputed
	Own     []disputed
	More    bool       // own ones there are besides
	Reads   bool       // the visitor sees disputes of others
	Waiting []disputed // of others, for the visitor
	Others  []disputed // that wait for somebody else or, if asked for, have their outcome
	Ended   bool       // it is asked for
}

// disputes lists the visitor's own disputes, and those that are to be answered.
func (v *visit) disputes() error {
	if v.may(incentive.ReadStatements) == incentive.None {
		return v.forbidden()
	}
	body := disputesPage{Raises: v.may(incentive.RaiseDispute) > incentive.None, Reads: v.may(incentive.ReadStatements) > incentive.Own}
	if body.Reads {
		if err := v.addInbox(&body); err != nil {
			return err
		}
	}
	if body.Raises {
		own, more, err := v.disputesOf(client.ListDisputesParams{Person: &v.me.Id}, 1)
		if err != nil {
			return err
		}
		slices.Reverse(own)
		body.More = more
		if body.Own, err = v.shownDisputes(own); err != nil {
			return err
		}
	}
	return v.show("disputes", "disputes.title", body)
}

// addInbox adds what others dispute: first what waits for the visitor.
func (v *visit) addInbox(body *disputesPage) error {
	body.Ended = v.asked("ended") != nil
	periods, err := v.opened()
	if err != nil {
		return err
	}
	waiting, err := v.waitingDisputes()
	if err != nil {
		return err
	}
	if body.Waiting, err = v.shownDisputes(slices.DeleteFunc(slices.Clone(waiting), func(d client.Dispute) bool { return d.Person == v.me.Id })); err != nil {
		return err
	}
	body.Others, body.Table, err = listed(v, listing[disputed]{
		name: "disputes", path: "/disputes", search: "table.search-person",
		columns: []column[disputed]{
			{head: "column.person", sort: "name", value: func(d disputed) any { return d.Name }},
			{head: "column.id", file: true, value: func(d disputed) any { return d.Person }},
			{head: "column.disputed", value: func(d disputed) any { return v.texts.Fill(d.About.Key, d.About.With) }},
			{head: "column.period", value: func(d disputed) any { return v.texts.period(d.Of) }},
			{head: "column.expected", sort: "amount", class: "amount", value: func(d disputed) any { return d.Expected }},
			{head: "column.stands", sort: "state", value: func(d disputed) any { return v.texts.Term("dispute-state", d.State) }},
			{head: "column.waits-for", value: func(d disputed) any { return d.Waits }},
			{head: "column.due", sort: "due", value: func(d disputed) any { return d.AnswerBy }},
			{head: "column.raised", file: true, value: func(d disputed) any { return d.RaisedAt }},
		},
		choices: []choice{{Name: "period", Label: "column.period", All: "filter.all-periods", Options: v.periodOptions(periods)},
			{Name: "ended", Label: "column.stands", All: "disputes.open", Options: []option{{"yes", v.texts.Get("disputes.ended")}}}},
		read: func(of wanted) ([]disputed, *string, error) {
			open := !body.Ended
			list, err := client.Read[client.Disputes](v.api.ListDisputes(v.r.Context(), &client.ListDisputesParams{
				Period: v.asked("period"),
				Open:   &open,
				After:  of.after,
				Search: of.search,
				Sort:   of.sort,
				Limit:  of.limit,
			}))
			if err != nil {
				return nil, nil, err
			}
			others, err := v.shownDisputes(slices.DeleteFunc(list.Disputes, func(d client.Dispute) bool {
				return d.Person == v.me.Id || slices.ContainsFunc(waiting, func(w client.Dispute) bool { return w.Id == d.Id })
			}))
			return others, list.Next, err
		},
	})
	return err
}

// waitingDisputes are the disputes that wait for the visitor.
func (v *visit) waitingDisputes() ([]client.Dispute, error) {
	waiting := true
	all, _, err := v.disputesOf(client.ListDisputesParams{Waiting: &waiting}, 1)
	return all, err
}

// itemAsked is what a dispute is about, as the form names it.
type itemAsked struct{ Plan, Component, Source, Transaction string }

// says is what a statement says of an item, and whether it is on it.
func (i itemAsked) says(s client.Statement) (sum incentive.Money, found bool) {
	sum.Currency = s.Total.Currency
	for _, line := range s.Lines {
		if line.Plan != i.Plan || line.Component != i.Component {
			continue
		}
		if i.Transaction == "" {
			sum.Minor, found = sum.Minor+line.Amount.Minor, true
			continue
		}
		for _, part := range line.Contributions {
			if part.Source == i.Source && part.Transaction == i.Transaction {
				sum.Minor, found = sum.Minor+part.Shown.Minor, true
			}
		}
	}
	return sum, found
}

type raisePage struct {
	Periods  []client.Period // that can be disputed, where none is chosen yet
	Period   client.Period
	Item     itemAsked
	About    message
	Says     *incentive.Money // nil where something is missing
	Currency incentive.Currency
	Types    []incentive.DisputeType
}

// newDispute asks what is wrong with the visitor's pay: with a line of a statement, with a
// deal's part of it, or that something is missing.
func (v *visit) newDispute() error {
	if v.may(incentive.RaiseDispute) == incentive.None {
		return v.forbidden()
	}
	form := v.r.URL.Query()
	if v.problem != nil {
		form = v.r.PostForm
	}
	body := raisePage{Item: itemAsked{form.Get("plan"), form.Get("component"), form.Get("source"), form.Get("transaction")}}
	body.About = aboutItem(client.Dispute{Component: given(body.Item.Component), Transaction: given(body.Item.Transaction)})
	id := form.Get("period")
	if id == "" {
		var err error
		body.Periods, err = v.disputable()
		if err != nil {
			return err
		}
		return v.show("raise", "raise.title", body)
	}
	var err error
	if body.Period, err = client.Read[client.Period](v.api.GetPeriod(v.r.Context(), id, &client.GetPeriodParams{})); err != nil {
		return err
	}
	statement, err := client.Read[client.Statement](v.api.GetStatement(v.r.Context(), id, v.me.Id, &client.GetStatementParams{}))
	if err != nil && (!absent(err) || body.Item.Component != "") {
		return err
	}
	body.Currency, body.Types = statement.Total.Currency, []incentive.DisputeType{incentive.MissingDeal}
	if body.Item.Component != "" {
		says, found := body.Item.says(statement)
		if !found {
			return incentive.Errorf(incentive.CodeNotFound, "%s", v.texts.Get("raise.not-there"))
		}
		body.Says, body.Types = &says, slices.DeleteFunc(slices.Clone(incentive.DisputeTypes), func(t incentive.DisputeType) bool { return t == incentive.MissingDeal })
	}
	return v.show("raise", "raise.title", body)
}

// disputable are the latest periods whose statements can be disputed today.
func (v *visit) disputable() ([]client.Period, error) {
	all, err := v.allPeriods()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p client.Period) bool { return !visible(p) })
	all = all[:min(atOnce, len(all))]
	err = together(v.r.Context(), len(all), func(i int) (err error) {
		all[i], err = client.Read[client.Period](v.api.GetPeriod(v.r.Context(), all[i].Id, &client.GetPeriodParams{}))
		return err
	})
	return slices.DeleteFunc(all, func(p client.Period) bool { return !disputable(p) }), err
}

// disputable reports whether statements of a period can be disputed today.
func disputable(p client.Period) bool { return p.Disputable != nil && *p.Disputable }

// amount reads an amount that somebody wrote.
func (v *visit) amount(text, currency string) (incentive.Money, error) {
	number, is := v.texts.Decimal(text)
	if !is {
		return incentive.Money{}, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("refused.amount", map[string]any{"amount": text}))
	}
	d, err := decimal.NewFromString(number)
	if err != nil {
		return incentive.Money{}, err
	}
	c, err := incentive.ParseCurrency(currency)
	if err != nil {
		return incentive.Money{}, err
	}
	return incentive.MoneyOf(d, c)
}

// raise disputes the visitor's pay and adds the files that come with it.
func (v *visit) raise() error {
	if v.may(incentive.RaiseDispute) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	request := client.DisputeRequest{
		Period:      form.Get("period"),
		Type:        client.DisputeRequestType(form.Get("type")),
		Comment:     form.Get("comment"),
		Plan:        given(form.Get("plan")),
		Component:   given(form.Get("component")),
		Source:      given(form.Get("source")),
		Transaction: given(form.Get("transaction")),
	}
	var raised client.Dispute
	if request.Expected, err = v.amount(form.Get("expected"), form.Get("currency")); err == nil {
		raised, err = command[client.Dispute](v.api.RaiseDispute(v.r.Context(), &client.RaiseDisputeParams{IdempotencyKey: v.key()}, request))
	}
	if err != nil {
		v.problem = err
		return v.newDispute()
	}
	return v.addFiles(raised.Id, files, message{Key: "done.dispute"})
}

// addEvidence adds files to a dispute of the visitor's.
func (v *visit) addEvidence() error {
	if v.may(incentive.RaiseDispute) == incentive.None {
		return v.forbidden()
	}
	files, err := v.upload()
	if err != nil {
		return err
	}
	return v.addFiles(v.r.PathValue("dispute"), files, message{Key: "done.evidence"})
}

// addFiles adds files to a dispute, as far as the API takes them, and goes to its page.
func (v *visit) addFiles(id string, files *upload, say message) error {
	n := 0
	err := files.each(func(f client.File) error {
		n++
		_, err := v.api.AddEvidenceFile(v.r.Context(), fmt.Sprintf("%s-%d", v.key(), n), id, f)
		return err
	})
	v.r.SetPathValue("dispute", id)
	return v.done(err, "/disputes/"+id, say, (*visit).dispute)
}

// upload is a form with files, which come after its fields.
type upload struct {
	parts *multipart.Reader
	at    *multipart.Part // the first file; nil where there is none
	err   error
}

// largestUpload is how many bytes a form with files may have.
const largestUpload = largestForm + 20*incentive.LargestEvidence

// upload reads the fields of a form with files, which are left for each.
func (v *visit) upload() (*upload, error) {
	refused := incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, largestUpload)
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, refused
	}
	u := &upload{parts: parts, err: refused}
	v.r.PostForm = url.Values{}
	for left := int64(largestForm); ; {
		u.at, err = parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err != nil {
			return nil, refused
		}
		if u.at.FormName() == "file" {
			return u, nil
		}
		value, err := io.ReadAll(io.LimitReader(u.at, left+1))
		if left -= int64(len(value)); err != nil || left < 0 {
			return nil, refused
		}
		v.r.PostForm.Add(u.at.FormName(), string(value))
	}
}

// each does something with each file, up to the first error.
func (u *upload) each(do func(f client.File) error) error {
	for u.at != nil {
		if u.at.FileName() != "" { // a field without a file is sent empty
			if err := do(client.File{Name: u.at.FileName(), Content: u.at}); err != nil {
				return err
			}
		}
		var err error
		if u.at, err = u.parts.NextPart(); err != nil && !errors.Is(err, io.EOF) {
			return u.err
		}
	}
	return nil
}

// evidence hands a file of a dispute over.
func (v *visit) evidence() error {
	return v.download(client.NewGetEvidenceRequest(within, v.r.PathValue("dispute"), v.r.PathValue("evidence")))
}

// event is something that happened to a dispute.
type event struct {
	At             time.Time
	Act, Who, Text string
	File           string // the name of a file that was added
}

type disputePage struct {
	disputed
	Stated   bool             // there is a statement
	Says     *incentive.Money // what it says of the dispute; nil where something is missing
	Gap      incentive.Money  // what is expected besides
	Own      bool
	UnderWay bool // it has no outcome yet
	Replies  bool
	Answers  bool       // the visitor may answer it now
	Amends   bool       // also by the changes of a recalculation
	Pays     string     // when an amount is paid that is granted now
	Grants   []adjusted // in order
	Decide   *adjusted  // which waits, for the visitor among others
	OwnGrant bool       // it is the visitor's, whom nobody lets decide
	Events   []event    // in order
	Failed   string     // the act that was refused
	Text     string
	Amount   string
}

// dispute shows a dispute with everything that was said about it and what may be done.
func (v *visit) dispute() error {
	d, err := client.Read[client.Dispute](v.api.GetDispute(v.r.Context(), v.r.PathValue("dispute")))
	if err != nil {
		return err
	}
	shown, err := v.shownDisputes([]client.Dispute{d})
	if err != nil {
		return err
	}
	state := incentive.DisputeState(d.State)
	body := disputePage{disputed: shown[0], Own: d.Person == v.me.Id, UnderWay: !state.Ended(), Gap: d.Expected, Failed: v.failed("act"), Text: v.failed("text")}
	body.Replies = body.Own && state == incentive.DisputeWaiting
	statement, err := client.Read[client.Statement](v.api.GetStatement(v.r.Context(), d.Period, d.Person, &client.GetStatementParams{Revision: &d.Revision}))
	if err != nil && !absent(err) { // it may be withdrawn
		return err
	}
	body.Stated = err == nil
	if says, found := (itemAsked{text(d.Plan), text(d.Component), text(d.Source), text(d.Transaction)}).says(statement); found {
		body.Says, body.Gap.Minor = &says, d.Expected.Minor-says.Minor
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body.Events = eventsOf(d, called)
	if len(d.Adjustments) > 0 {
		periods, err := v.opened()
		if err != nil {
			return err
		}
		body.Grants = v.shownAdjustments(d.Adjustments, called, periods)
	}
	if i := len(body.Grants) - 1; state == incentive.DisputeGranted && !body.Own && v.may(incentive.AdjustPay) > incentive.None {
		body.Decide, body.OwnGrant = &body.Grants[i], body.Grants[i].EnteredBy == v.me.Id
	}
	body.Answers = !body.Own && v.may(incentive.AnswerDispute) > incentive.None && (state == incentive.DisputeOpen || state == incentive.DisputeWaiting)
	body.Pays = paying(body.Of)
	body.Amends = body.Answers && body.Pays == "before" && v.may(incentive.RunPeriod) > incentive.None
	if body.Amount = v.failed("amount"); body.Amount == "" && body.Gap.Minor > 0 {
		body.Amount = body.Gap.Amount()
	}
	v.subject = "dispute/" + fmt.Sprint(d.Id)
	return v.show("dispute", "dispute.title", body, "name", d.Name, "period", v.texts.period(body.Of))
}

// paying says when an amount is paid that a dispute grants: "before" the payouts of its
// period are released, "after" it, or once the period is "closed".
func paying(p client.Period) string {
	switch incentive.State(p.State) {
	case incentive.Released, incentive.Disbursing, incentive.Settling:
		return "after"
	case incentive.Closed:
		return "closed"
	}
	return "before"
}

// eventsOf is what happened to a dispute, in order.
func eventsOf(d client.Dispute, called map[string]string) []event {
	events := []event{{At: d.RaisedAt, Act: "raise-dispute", Who: d.Name, Text: d.Comment}}
	for _, a := range d.Acts {
		events = append(events, event{At: a.At, Act: a.Act, Who: name(called, a.Actor), Text: a.Text})
	}
	for _, e := range d.Evidence {
		events = append(events, event{At: e.AddedAt, Act: "add-evidence", Who: name(called, e.AddedBy), File: e.Name})
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.At.Compare(b.At) })
	return events
}

// replyToDispute replies to a question about the visitor's dispute, or withdraws it.
func (v *visit) replyToDispute() error {
	if v.may(incentive.RaiseDispute) == incentive.None {
		return v.forbidden()
	}
	id, act := v.r.PathValue("dispute"), client.DisputeReplyAct(v.r.PostFormValue("act"))
	_, err := command[client.DisputeState](v.api.ReplyToDispute(v.r.Context(), id, &client.ReplyToDisputeParams{IdempotencyKey: v.key()},
		client.DisputeReply{Act: act, Text: given(v.r.PostFormValue("text"))}))
	say := message{Key: "done.reply"}
	if act == client.DisputeReplyActWithdraw {
		say.Key = "done.dispute-withdrawn"
	}
	return v.done(err, "/disputes/"+id, say, (*visit).dispute)
}

// answerDispute asks back, grants an amount, names the changes of a recalculation, or rejects.
func (v *visit) answerDispute() error {
	id, act := v.r.PathValue("dispute"), client.DisputeAnswerRequestAct(v.r.PostFormValue("act"))
	if v.may(incentive.AnswerDispute) == incentive.None {
		return v.forbidden()
	}
	partly, again := v.r.PostFormValue("partly") != "", (*visit).dispute
	request := client.DisputeAnswerRequest{Act: act, Text: v.r.PostFormValue("text"), Partly: &partly}
	var err error
	switch act {
	case client.DisputeAnswerRequestActAccept:
		var granted incentive.Money
		granted, err = v.amount(v.r.PostFormValue("amount"), v.r.PostFormValue("currency"))
		request.Amount = &granted
	case client.DisputeAnswerRequestActAcceptByRecalculation:
		again = (*visit).disputeChanges
		changes := v.chosen()
		request.Changes = &changes
		if len(changes) == 0 {
			err = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("changes.none-chosen"))
		}
	}
	if err == nil {
		_, err = command[client.DisputeState](v.api.AnswerDispute(v.r.Context(), id, &client.AnswerDisputeParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/disputes/"+id, message{Key: "answered." + string(act)}, again)
}

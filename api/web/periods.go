package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// notOpened is the API's word for a period without a revision.
const notOpened = "not-opened"

// allPeriods lists the periods of all calendars, the latest first.
func (v *visit) allPeriods() ([]client.Period, error) {
	all, _, err := every(20, func(after *string) ([]client.Period, *string, error) {
		list, err := client.Read[client.Periods](v.api.ListPeriods(v.r.Context(), &client.ListPeriodsParams{After: after, Limit: &most}))
		return list.Periods, list.Next, err
	})
	slices.SortStableFunc(all, func(a, b client.Period) int { return b.StartsOn.Compare(a.StartsOn) })
	return all, err
}

// onePeriod returns the period of the path, opened or not.
func (v *visit) onePeriod() (client.Period, error) {
	id := v.r.PathValue("period")
	p, err := client.Read[client.Period](v.api.GetPeriod(v.r.Context(), id, &client.GetPeriodParams{}))
	if !absent(err) {
		return p, err
	}
	all, listErr := v.allPeriods()
	if listErr != nil {
		return p, listErr
	}
	for _, one := range all {
		if one.Id == id {
			return one, nil
		}
	}
	return p, err
}

// today is the day in the company's zone.
func (v *visit) today() incentive.Date {
	zone, err := time.LoadLocation(v.company.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	return incentive.DateOf(time.Now().In(zone))
}

// upTo are the periods that have begun, of those given.
func (v *visit) upTo(all []client.Period) []client.Period {
	today := v.today()
	return slices.DeleteFunc(slices.Clone(all), func(p client.Period) bool { return today.Before(p.StartsOn) && p.State == notOpened })
}

// step is one state in the life of a period.
type step struct {
	State      string
	Past, Here bool
}

// steps are the states of a period that goes well, with where it stands.
func steps(p client.Period) []step {
	var all []step
	at := slices.Index(incentive.States, incentive.State(p.State))
	for i, state := range incentive.States {
		if state != incentive.Cancelled {
			all = append(all, step{string(state), i < at && p.State != string(incentive.Cancelled), i == at})
		}
	}
	return all
}

// works reports whether the period moves on by itself in a moment.
func works(p client.Period) bool {
	return !p.OnHold && slices.Contains([]incentive.State{incentive.Locked, incentive.Released, incentive.Disbursing}, incentive.State(p.State))
}

// act is something that may be done to a period now.
type act struct {
	Name        string
	NeedsReason bool
	NeedsDays   bool // business days
	Concerns    *message
	Grave       bool
	Failed      bool // was just sent, and refused
}

func (v *visit) acts(p client.Period) []act {
	if v.may(incentive.RunPeriod) == incentive.None {
		return nil
	}
	var acts []act
	for _, name := range p.Acts {
		if name != string(incentive.Release) { // on its page
			acts = append(acts, act{Name: name, NeedsReason: incentive.NeedsReason(incentive.Act(name)), NeedsDays: name == string(incentive.ExtendWindow),
				Grave: name == string(incentive.Cancel) || name == string(incentive.Withdraw), Failed: v.failed("act") == name})
		}
	}
	return acts
}

type periodsPage struct {
	Periods []client.Period
	Table   table
	Later   int // not yet begun, and so not shown
}

// periods is the cockpit: where each period stands.
func (v *visit) periods() error {
	all, err := v.allPeriods()
	if err != nil {
		return err
	}
	begun := v.upTo(all)
	body := periodsPage{Later: len(all) - len(begun)}
	var calendars []option
	for _, p := range begun {
		if one := (option{p.Calendar, p.Calendar}); !slices.Contains(calendars, one) {
			calendars = append(calendars, one)
		}
	}
	var choices []choice
	if len(calendars) > 1 {
		choices = []choice{{Name: "calendar", Label: "column.calendar", All: "filter.everything", Options: calendars}}
	}
	body.Periods, body.Table, err = listed(v, listing[client.Period]{
		name: "periods", whole: true, search: "table.search-period", choices: choices,
		columns: []column[client.Period]{
			{head: "column.period", value: func(p client.Period) any { return v.texts.period(p) }},
			{head: "column.calendar", sort: "calendar", value: func(p client.Period) any { return p.Calendar }},
			{head: "column.days", sort: "days", value: func(p client.Period) any { return p.StartsOn }},
			{head: "column.to-day", file: true, value: func(p client.Period) any { return p.EndsOn }},
			{head: "column.stands", sort: "state", value: func(p client.Period) any { return v.texts.Term("state", p.State) }},
			{head: "column.next"},
		},
		read: func(wanted) ([]client.Period, *string, error) {
			calendar := v.asked("calendar")
			return slices.DeleteFunc(slices.Clone(begun), func(p client.Period) bool { return calendar != nil && p.Calendar != *calendar }), nil, nil
		},
	})
	if err != nil {
		return err
	}
	return v.show("periods", "periods.title", body)
}

// head is what the pages of one period share.
type head struct {
	Period client.Period
	Tabs   []menuItem
}

// of returns the head of the period of the path, on its page named tab.
func (v *visit) of(tab string) (head, error) {
	p, err := v.onePeriod()
	if err != nil {
		return head{}, err
	}
	h := head{Period: p}
	add := func(name string, allowed bool) {
		if allowed {
			h.Tabs = append(h.Tabs, menuItem{"tab." + name, "/periods/" + p.Id + "/" + name, name == tab})
		}
	}
	if p.Revision == 0 || v.may(incentive.ReadStatements) <= incentive.Own {
		return h, nil // there is one page alone
	}
	totals := v.may(incentive.ReadTotals) > incentive.None
	h.Tabs = append(h.Tabs, menuItem{"tab.overview", "/periods/" + p.Id, tab == ""})
	add("statements", true)
	add("runs", totals)
	add("uncredited", totals && calculated(p))
	add("approvals", v.may(incentive.ReadApprovals) > incentive.None)
	add("waiting", v.may(incentive.ReadTotals) > incentive.None)
	add("release", totals)
	add("payouts", true)
	add("files", totals)
	add("proof", v.may(incentive.ReadAudit) > incentive.None && calculated(p))
	add("samples", v.may(incentive.ReadAudit) > incentive.None && calculated(p))
	return h, nil
}

// need is an item of a period's checklist, with the page on which it is done.
type need struct {
	client.ChecklistItem
	Page string
	Left int
	By   string // the name of who did it
}

// needPages are the pages on which an item of a period's checklist is done.
var needPages = map[client.ChecklistItemItem]string{"adjustments": "/adjustments?period=%s", "disputes": "/disputes?period=%s", "records-since-lock": "/periods/%s/changes", "approvals": "/periods/%s/waiting", "release": "/periods/%s/release",
	"uncredited": "/periods/%s/uncredited", "payment-files": "/periods/%s/files", "stopped-rails": "/periods/%s/payouts", "exceptions": "/periods/%s/payouts", "settle": "/periods/%s/payouts"}

// needs is what a period needs, as far as its time has come.
func (v *visit) needs(p client.Period, called map[string]string) ([]need, error) {
	list, err := client.Read[client.Checklist](v.api.GetChecklist(v.r.Context(), p.Id, &client.GetChecklistParams{}))
	if err != nil {
		return nil, err
	}
	var needs []need
	for _, item := range list.Items {
		if item.State == client.ChecklistItemStateLater || item.State == client.ChecklistItemStateDone && item.DoneAt == nil { // there was nothing to do
			continue
		}
		one := need{ChecklistItem: item}
		if page, known := needPages[item.Item]; known {
			one.Page = fmt.Sprintf(page, url.QueryEscape(p.Id))
		}
		if item.Count != nil {
			one.Left = *item.Count
		}
		if item.DoneBy != nil {
			one.By = cmp.Or(called[*item.DoneBy], *item.DoneBy)
		}
		needs = append(needs, one)
	}
	return needs, nil
}

type periodPage struct {
	head
	Needs     []need
	Steps     []step
	Works     bool
	Acts      []act
	ToRelease bool // a payout list waits
	Sum       *client.Run
	Done      []client.PeriodAct
	Called    map[string]string
	Reason    string
}

// period shows where a period stands, what may be done, and what was done.
func (v *visit) period() error {
	h, err := v.of("")
	if err != nil {
		return err
	}
	body := periodPage{
		head:      h,
		Steps:     steps(h.Period),
		Works:     works(h.Period),
		Acts:      v.acts(h.Period),
		ToRelease: slices.Contains(h.Period.Acts, string(incentive.Release)),
	}
	if seen := v.r.URL.Query().Get("seen"); v.r.Header.Get("HX-Request") != "" && seen != h.Period.State {
		v.w.Header().Set("HX-Refresh", "true") // the page is another now
		return nil
	}
	body.Reason = v.failed("reason")
	if h.Period.Revision > 0 && v.may(incentive.ReadAudit) > incentive.None {
		done, err := client.Read[client.PeriodActs](v.api.ListActs(v.r.Context(), h.Period.Id, &client.ListActsParams{}))
		if err != nil {
			return err
		}
		body.Done = done.Acts
		slices.Reverse(body.Done)
		if body.Called, err = v.called(); err != nil {
			return err
		}
	}
	if h.Period.Revision > 0 && v.may(incentive.ReadTotals) > incentive.None {
		if body.Needs, err = v.needs(h.Period, body.Called); err != nil {
			return err
		}
	}
	if v.may(incentive.ReadTotals) > incentive.None && calculated(h.Period) {
		if body.Sum, err = v.sumOf(h.Period.Id); err != nil {
			return err
		}
		for i := range body.Acts {
			body.Acts[i].Concerns = concerns(body.Acts[i].Name, body.Sum)
		}
	}
	v.subject = periodSubject(h.Period)
	return v.show("period", "period.title", body, "period", v.texts.period(h.Period))
}

// calculated reports whether a period has statements.
func calculated(p client.Period) bool {
	return p.Revision > 0 && p.State != string(incentive.Open) && p.State != string(incentive.Locked) && p.State != string(incentive.Cancelled)
}

// sumOf is what the statements of a period come to, nil where it has none.
func (v *visit) sumOf(period string) (*client.Run, error) {
	list, err := client.Read[client.Runs](v.api.ListRuns(v.r.Context(), period, &client.ListRunsParams{}))
	for _, run := range list.Runs {
		if run.Current {
			return &run, err
		}
	}
	return nil, err
}

// actOnPeriod opens a period or moves it on.
func (v *visit) actOnPeriod() error {
	id, name := v.r.PathValue("period"), v.r.PostFormValue("act")
	var err error
	switch name {
	case "open":
		_, err = command[client.Period](v.api.OpenPeriod(v.r.Context(), id, &client.OpenPeriodParams{IdempotencyKey: v.key()}))
	case string(incentive.Reopen):
		_, err = command[client.Period](v.api.ReopenPeriod(v.r.Context(), id, &client.ReopenPeriodParams{IdempotencyKey: v.key()}, client.Reason{Reason: v.r.PostFormValue("reason")}))
	default:
		request := client.ActRequest{Act: client.ActRequestAct(name)}
		if reason := v.r.PostFormValue("reason"); reason != "" {
			request.Reason = &reason
		}
		if days, isNumber := strconv.Atoi(v.r.PostFormValue("days")); isNumber == nil {
			request.Days = &days
		}
		_, err = command[client.ActAnswer](v.api.ActOnPeriod(v.r.Context(), id, &client.ActOnPeriodParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/periods/"+id, message{Key: "done." + name}, (*visit).period)
}

type listPage struct {
	head
	After string // where the next page begins
	First bool
}

// list reads where a list's page begins.
func (v *visit) list(h head) (after *string, l listPage) {
	l = listPage{head: h, First: true}
	if from := v.r.URL.Query().Get("after"); from != "" {
		after, l.First = &from, false
	}
	return after, l
}

func (l *listPage) next(after *string) {
	if after != nil {
		l.After = *after
	}
}

type payoutListPage struct {
	head
	List        *client.PayoutList
	Releaser    string
	MayRelease  bool
	Preparers   []string
	OwnPrepared bool
}

// payoutList shows what a release pays.
func (v *visit) payoutList() error {
	h, err := v.of("release")
	if err != nil {
		return err
	}
	body := payoutListPage{head: h}
	list, err := client.Read[client.PayoutList](v.api.GetPayoutList(v.r.Context(), h.Period.Id, &client.GetPayoutListParams{}))
	if err != nil && !absent(err) {
		return err
	}
	if err == nil {
		body.List = &list
		called, err := v.called()
		if err != nil {
			return err
		}
		if list.ReleasedBy != nil {
			body.Releaser = name(called, *list.ReleasedBy)
		}
		done, err := client.Read[client.PeriodActs](v.api.ListActs(v.r.Context(), h.Period.Id, &client.ListActsParams{}))
		if err != nil {
			return err
		}
		for _, a := range done.Acts {
			if a.Act != string(incentive.Lock) && a.Act != string(incentive.Recalculate) {
				continue
			}
			body.OwnPrepared = body.OwnPrepared || a.Actor == v.me.Id
			if who := name(called, a.Actor); !slices.Contains(body.Preparers, who) {
				body.Preparers = append(body.Preparers, who)
			}
		}
	}
	body.MayRelease = v.may(incentive.ReleasePeriod) > incentive.None && slices.Contains(h.Period.Acts, string(incentive.Release))
	return v.show("release", "release.title", body, "period", v.texts.period(h.Period))
}

func name(called map[string]string, id string) string {
	if text := called[id]; text != "" {
		return text
	}
	return id
}

// release releases the list that the visitor saw.
func (v *visit) release() error {
	id := v.r.PathValue("period")
	_, err := command[client.ActAnswer](v.api.ReleasePeriod(v.r.Context(), id, &client.ReleasePeriodParams{IdempotencyKey: v.key()},
		client.ReleaseRequest{PayoutListDigest: v.r.PostFormValue("digest")}))
	return v.done(err, "/periods/"+id, message{Key: "done.release"}, (*visit).payoutList)
}

// file is a payment file with how far it has come.
type file struct {
	client.PaymentFile
	SentBy string
}

type filesPage struct {
	head
	Files      []file
	MayConfirm bool
	MayAgain   bool // have another file pay what one did not
}

// files lists the payment files of a period.
func (v *visit) files() error {
	h, err := v.of("files")
	if err != nil {
		return err
	}
	body := filesPage{head: h, MayConfirm: v.may(incentive.ReleasePeriod) > incentive.None, MayAgain: v.may(incentive.RunPeriod) > incentive.None}
	list, err := client.Read[client.PaymentFiles](v.api.ListPaymentFiles(v.r.Context(), h.Period.Id, &client.ListPaymentFilesParams{Limit: &most}))
	if err != nil {
		return err
	}
	if len(list.Files) > 0 {
		called, err := v.called()
		if err != nil {
			return err
		}
		for _, f := range list.Files {
			one := file{PaymentFile: f}
			if f.ConfirmedBy != nil {
				one.SentBy = name(called, *f.ConfirmedBy)
			}
			body.Files = append(body.Files, one)
		}
	}
	return v.show("files", "files.title", body, "period", v.texts.period(h.Period))
}

// confirmFile notes that a file went to the bank, or was carried out by it.
func (v *visit) confirmFile() error {
	id, paid := v.r.PathValue("period"), v.r.PostFormValue("paid") == "true"
	_, err := command[client.PaymentFile](v.api.ConfirmPaymentFile(v.r.Context(), v.r.PostFormValue("file"), &client.ConfirmPaymentFileParams{IdempotencyKey: v.key()}, client.Confirmation{Paid: paid}))
	say := message{Key: "done.file-sent"}
	if paid {
		say.Key = "done.file-paid"
	}
	return v.done(err, "/periods/"+id+"/files", say, (*visit).files)
}

// payAgain has another file pay what one did not.
func (v *visit) payAgain() error {
	_, err := command[client.PaymentFile](v.api.PayAgain(v.r.Context(), v.r.PostFormValue("file"), &client.PayAgainParams{IdempotencyKey: v.key()}, client.Reason{Reason: v.r.PostFormValue("reason")}))
	return v.done(err, "/periods/"+v.r.PathValue("period")+"/files", message{Key: "done.file-again"}, (*visit).files)
}

// paymentFile hands a payment file over.
func (v *visit) paymentFile() error {
	return v.download(client.NewGetPaymentFileRequest(within, v.r.PathValue("file")))
}

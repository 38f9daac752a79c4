package web

import (
	"cmp"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// financeQueue is the API's name of finance's own approval queue.
const financeQueue = "finance"

// approvalsIn lists an approval queue; "" is the visitor's own. more says that there are
// others besides.
func (v *visit) approvalsIn(period, queue string) (all []client.Approval, more bool, err error) {
	parameters := client.ListApprovalsParams{Limit: &most}
	if queue != "" {
		parameters.Queue = &queue
	}
	return every(1, func(after *string) ([]client.Approval, *string, error) {
		parameters.After = after
		list, err := client.Read[client.Approvals](v.api.ListApprovals(v.r.Context(), period, &parameters))
		return list.Approvals, list.Next, err
	})
}

// queue is how far an approval queue has come.
type queue struct {
	Period  client.Period
	Queue   string // "" is the visitor's own
	Name    string // whose it is, where it is another's
	Waiting int
	All     int
	More    bool
}

func (v *visit) queueOf(p client.Period, q queue) (queue, error) {
	all, more, err := v.approvalsIn(p.Id, q.Queue)
	q.Period, q.All, q.More = p, len(all), more
	for _, a := range all {
		if a.Decision == "" {
			q.Waiting++
		}
	}
	return q, err
}

// ownQueues are the queues that the visitor may decide, with whose they are: their own, in
// finance finance's, and those that were delegated to them for today.
func (v *visit) ownQueues() ([]queue, error) {
	queues := []queue{}
	if v.is(incentive.Manager) {
		queues = append(queues, queue{})
	}
	if v.may(incentive.DecideApproval) == incentive.All {
		queues = append(queues, queue{Queue: financeQueue})
	}
	delegations, err := v.delegationsOf()
	for _, d := range delegations {
		if d.To == v.me.Id && d.InForce {
			queues = append(queues, queue{Queue: d.From, Name: d.FromName})
		}
	}
	return queues, err
}

// Decided is how many statements of the queue were decided.
func (q queue) Decided() int { return q.All - q.Waiting }

type queuesPage struct{ Queues []queue }

// queues lists the visitor's approval queues of the periods that were handed out.
func (v *visit) queues() error {
	if v.may(incentive.DecideApproval) == incentive.None {
		return v.forbidden()
	}
	found, err := v.handedOut()
	if err != nil {
		return err
	}
	return v.show("queues", "queues.title", queuesPage{found})
}

// handedOut are the visitor's queues of the latest periods, those without statements left
// out.
func (v *visit) handedOut() ([]queue, error) {
	all, err := v.allPeriods()
	if err != nil {
		return nil, err
	}
	own, err := v.ownQueues()
	if err != nil {
		return nil, err
	}
	var found []queue
	for _, p := range all {
		if p.Revision == 0 || slices.Index(incentive.States, incentive.State(p.State)) < slices.Index(incentive.States, incentive.Approving) || p.State == string(incentive.Cancelled) {
			continue
		}
		for _, of := range own {
			q, err := v.queueOf(p, of)
			if err != nil {
				return nil, err
			}
			if q.All > 0 {
				found = append(found, q)
			}
		}
		if len(found) >= recent {
			break
		}
	}
	return found, nil
}

// item is a statement in a queue, beside what it was in the period before.
type item struct {
	client.Approval
	Change *incentive.Money // against the period before
	Since  *incentive.Money // against what the approvers were shown before
	Chosen bool
}

// change is how far an amount is from an earlier one, nil where there is none in its
// currency.
func change(now incentive.Money, before *incentive.Money) *incentive.Money {
	if before == nil || before.Currency != now.Currency {
		return nil
	}
	return &incentive.Money{Minor: now.Minor - before.Minor, Currency: now.Currency}
}

type approvalsPage struct {
	head
	Queue    string
	Owner    string // whose queue it is, where it is another's
	Items    []item
	Table    table
	Waiting  []item
	Decided  int
	Totals   []incentive.Money // of what waits
	Decides  bool
	Rejected []item // which finance may give out again
	Reason   string
	Failed   string // the decision that was refused
}

// approvals shows a queue of a period.
func (v *visit) approvals() error {
	h, err := v.of("approvals")
	if err != nil {
		return err
	}
	id := v.r.FormValue("queue")
	if id == "" && !v.is(incentive.Manager) && v.may(incentive.ReadApprovals) == incentive.All {
		id = financeQueue
	}
	if id == v.me.Id {
		id = ""
	}
	body := approvalsPage{head: h, Queue: id, Failed: v.failed("decision"), Reason: v.failed("reason")}
	if id != "" && id != financeQueue {
		called, err := v.called()
		if err != nil {
			return err
		}
		body.Owner = name(called, id)
	}
	if h.Period.State == string(incentive.Approving) {
		own, err := v.ownQueues()
		if err != nil {
			return err
		}
		body.Decides = slices.ContainsFunc(own, func(q queue) bool { return q.Queue == id })
	}
	if err := v.fillQueue(&body); err != nil {
		return err
	}
	return v.show("approvals", "approvals.title", body, "period", v.texts.period(h.Period))
}

// failed returns a value of the form that was just refused.
func (v *visit) failed(name string) string {
	if v.problem == nil {
		return ""
	}
	return v.r.PostFormValue(name)
}

// fillQueue reads the statements of a queue.
func (v *visit) fillQueue(body *approvalsPage) error {
	var chosen []string
	if v.problem != nil {
		chosen = v.r.PostForm["statement"]
	}
	columns := []column[item]{
		{head: "column.person", sort: "name", value: func(i item) any { return i.Name }},
		{head: "column.id", file: true, value: func(i item) any { return i.Person }},
		{head: "column.earned", sort: "total", class: "amount", value: func(i item) any { return i.Total }},
		{head: "column.before", sort: "before", class: "amount", value: func(i item) any { return i.Before }},
		{head: "column.change", sort: "change", class: "amount", value: func(i item) any { return i.Change }},
		{head: "column.stands-out", sort: "attention", value: func(i item) any {
			var reasons []string
			for _, reason := range i.Reasons {
				reasons = append(reasons, v.texts.Term("outlier", reason))
			}
			return strings.Join(reasons, ", ")
		}},
		{head: "column.decision", sort: "decision", value: func(i item) any { return v.texts.Term("decision", cmp.Or(i.Decision, "waiting")) }},
		{head: "column.reason", file: true, value: func(item) any { return "" }}, // to be filled in
		{head: "column.digest", file: true, value: func(i item) any { return i.Digest }},
	}
	if body.Decides {
		columns = slices.Insert(columns, 0, column[item]{head: "column.choose", class: "choose"})
	}
	l := listing[item]{
		name: "approvals-" + body.Period.Id, search: "table.search-person", columns: columns, sort: "attention", size: most,
		choices: []choice{{Name: "waiting", Label: "column.decision", All: "filter.everything", Options: []option{{"yes", v.texts.Term("decision", "waiting")}}}},
		read: func(of wanted) (items []item, next *string, err error) {
			if body.Period.Revision == 0 {
				return nil, nil, nil
			}
			waiting := v.asked("waiting") != nil
			list, err := client.Read[client.Approvals](v.api.ListApprovals(v.r.Context(), body.Period.Id, &client.ListApprovalsParams{
				Queue:   given(body.Queue),
				Waiting: &waiting,
				After:   of.after,
				Search:  of.search,
				Sort:    of.sort,
				Limit:   of.limit,
			}))
			for _, a := range list.Approvals {
				items = append(items, item{
					Approval: a,
					Change:   change(a.Total, a.Before),
					Since:    change(a.Total, a.Shown),
					Chosen:   slices.Contains(chosen, a.Person+" "+a.Digest),
				})
			}
			return items, list.Next, err
		},
	}
	if body.Queue != "" {
		l.keep = map[string]string{"queue": body.Queue}
	}
	var err error
	if body.Items, body.Table, err = listed(v, l); err != nil {
		return err
	}
	for _, a := range body.Items {
		one := a
		if a.Decision == "rejected" && body.Period.State == string(incentive.Approving) && v.may(incentive.DecideApproval) == incentive.All {
			body.Rejected = append(body.Rejected, one)
		}
		if a.Decision != "" {
			body.Decided++
			continue
		}
		body.Waiting = append(body.Waiting, one)
		if i := slices.IndexFunc(body.Totals, func(m incentive.Money) bool { return m.Currency == a.Total.Currency }); i >= 0 {
			body.Totals[i].Minor += a.Total.Minor
		} else {
			body.Totals = append(body.Totals, a.Total)
		}
	}
	return nil
}

// decide approves or rejects the statements that the form names, as the visitor saw them.
func (v *visit) decide() error {
	id, queue := v.r.PathValue("period"), v.r.PostFormValue("queue")
	statements := []client.DecidedStatement{}
	for _, text := range v.r.PostForm["statement"] {
		person, digest, _ := strings.Cut(text, " ")
		statements = append(statements, client.DecidedStatement{Person: person, Digest: digest})
	}
	to := "/periods/" + id + "/approvals"
	request := client.DecisionRequest{Decision: client.DecisionRequestDecision(v.r.PostFormValue("decision")), Statements: &statements}
	if queue != "" {
		request.Queue = &queue
		to += "?queue=" + queue
	}
	if reason := v.r.PostFormValue("reason"); reason != "" {
		request.Reason = &reason
	}
	if len(statements) == 0 {
		v.problem = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("approvals.none-chosen"))
		return v.approvals()
	}
	answer, err := command[client.DecisionAnswer](v.api.Decide(v.r.Context(), id, &client.DecideParams{IdempotencyKey: v.key()}, request))
	say := message{Key: "done." + string(request.Decision)}
	if err == nil {
		say.With = map[string]any{"applied": answer.Applied, "left": answer.Left, "refused": answer.Refused}
		switch {
		case answer.Refused > 0:
			say.Key = "decided.some"
		default:
			say.Key = "decided." + string(request.Decision)
		}
	}
	return v.done(err, to, say, (*visit).approvals)
}

type waitingPage struct {
	listPage
	Queues  []client.Queue
	Left    int  // statements that have not passed every level
	Looks   bool // the visitor may look into the queues
	Moves   bool // the visitor may move a queue
	Failed  string
	Reason  string
	Chosen  string
	Targets []client.Person
}

// waiting shows who is waited for in a period.
func (v *visit) waiting() error {
	if v.may(incentive.ReadTotals) == incentive.None {
		return v.forbidden()
	}
	h, err := v.of("waiting")
	if err != nil {
		return err
	}
	body := waitingPage{Failed: v.failed("queue"), Reason: v.failed("reason"), Chosen: v.failed("to")}
	var after *string
	after, body.listPage = v.list(h)
	if h.Period.Revision > 0 {
		list, err := client.Read[client.Queues](v.api.ListQueues(v.r.Context(), h.Period.Id, &client.ListQueuesParams{After: after}))
		if err != nil {
			return err
		}
		body.Queues, body.Left = list.Queues, list.Left
		body.next(list.Next)
	}
	body.Looks = v.may(incentive.ReadApprovals) == incentive.All
	body.Moves = v.may(incentive.RunPeriod) > incentive.None && h.Period.State == string(incentive.Approving)
	if body.Moves {
		if body.Targets, err = v.approvers(); err != nil {
			return err
		}
	}
	return v.show("waiting", "waiting.title", body, "period", v.texts.period(h.Period))
}

// approvers are the people whose role lets them approve, by their ids; none where those are too many for a choice.
func (v *visit) approvers() (found []client.Person, err error) {
	some := mostShown
	for _, role := range []client.ListPeopleParamsRole{client.ListPeopleParamsRole(incentive.Manager), client.ListPeopleParamsRole(incentive.Finance)} {
		list, err := client.Read[client.People](v.api.ListPeople(v.r.Context(), &client.ListPeopleParams{Role: &role, Limit: &some}))
		if err != nil || list.Next != nil {
			return nil, err
		}
		found = append(found, list.People...)
	}
	slices.SortFunc(found, func(a, b client.Person) int { return strings.Compare(a.Id, b.Id) })
	return slices.CompactFunc(found, func(a, b client.Person) bool { return a.Id == b.Id }), nil
}

// reassign moves what waits in a queue to another approver.
func (v *visit) reassign() error {
	id := v.r.PathValue("period")
	request := client.ReassignRequest{To: v.r.PostFormValue("to"), Reason: v.r.PostFormValue("reason")}
	answer, err := command[client.DecisionAnswer](v.api.Reassign(v.r.Context(), id, v.r.PostFormValue("queue"), &client.ReassignParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/periods/"+id+"/waiting", message{Key: "done.reassigned", With: map[string]any{"moved": answer.Applied}}, (*visit).waiting)
}

type delegationsPage struct {
	Delegations []client.Delegation
	People      []client.Person
	Today       string
	Delegates   bool // the visitor may delegate
	ForOthers   bool // and for somebody else
}

// delegations shows who decides for whom, with a form to delegate.
func (v *visit) delegations() error {
	if v.may(incentive.ReadApprovals) == incentive.None {
		return v.forbidden()
	}
	body := delegationsPage{
		Today:     v.today().String(),
		Delegates: v.may(incentive.DecideApproval) > incentive.None,
		ForOthers: v.may(incentive.DecideApproval) == incentive.All,
	}
	var err error
	if body.Delegations, err = v.delegationsOf(); err != nil {
		return err
	}
	if body.Delegates {
		if body.People, err = v.approvers(); err != nil {
			return err
		}
	}
	return v.show("delegations", "delegations.title", body)
}

func (v *visit) delegationsOf() ([]client.Delegation, error) {
	if v.may(incentive.ReadApprovals) == incentive.None {
		return nil, nil
	}
	all, _, err := every(1, func(after *string) ([]client.Delegation, *string, error) {
		list, err := client.Read[client.Delegations](v.api.ListDelegations(v.r.Context(), &client.ListDelegationsParams{After: after, Limit: &most}))
		return list.Delegations, list.Next, err
	})
	return all, err
}

// delegate makes a delegation, or ends one.
func (v *visit) delegate() error {
	if v.may(incentive.DecideApproval) == incentive.None {
		return v.forbidden()
	}
	if id := v.r.PostFormValue("end"); id != "" {
		_, err := command[client.Delegation](v.api.EndDelegation(v.r.Context(), id, &client.EndDelegationParams{IdempotencyKey: v.key()}))
		return v.done(err, "/delegations", message{Key: "done.delegation-ended"}, (*visit).delegations)
	}
	request := client.DelegationRequest{To: v.r.PostFormValue("to")}
	if from := v.r.PostFormValue("from"); from != "" {
		request.From = &from
	}
	var err error
	if request.StartsOn, err = incentive.ParseDate(v.r.PostFormValue("starts_on")); err == nil {
		request.EndsOn, err = incentive.ParseDate(v.r.PostFormValue("ends_on"))
	}
	var made client.Delegation
	if err == nil {
		made, err = command[client.Delegation](v.api.Delegate(v.r.Context(), &client.DelegateParams{IdempotencyKey: v.key()}, request))
	}
	return v.done(err, "/delegations", message{Key: "done.delegated", With: map[string]any{"name": made.ToName}}, (*visit).delegations)
}

// forbidden refuses a page that the visitor's roles have no use for.
func (v *visit) forbidden() error {
	return incentive.Errorf(incentive.CodeForbidden, "%s", v.texts.Get("refused.forbidden"))
}

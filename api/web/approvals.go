package web

import (
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
	Name    string
	Waiting int
	All     int
	More    bool
}

func (v *visit) queueOf(p client.Period, id string) (queue, error) {
	all, more, err := v.approvalsIn(p.Id, id)
	q := queue{Period: p, Queue: id, All: len(all), More: more}
	for _, a := range all {
		if a.Decision == "" {
			q.Waiting++
		}
	}
	return q, err
}

// ownQueues are the queues that the visitor may decide: their own and, in finance,
// finance's.
func (v *visit) ownQueues() []string {
	queues := []string{}
	if v.is(incentive.Manager) {
		queues = append(queues, "")
	}
	if v.may(incentive.DecideApproval) == incentive.All {
		queues = append(queues, financeQueue)
	}
	return queues
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
	var found []queue
	for _, p := range all {
		if p.Revision == 0 || slices.Index(incentive.States, incentive.State(p.State)) < slices.Index(incentive.States, incentive.Approving) || p.State == string(incentive.Cancelled) {
			continue
		}
		for _, id := range v.ownQueues() {
			q, err := v.queueOf(p, id)
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
	Before *incentive.Money
	Change *incentive.Money
	Chosen bool
}

type approvalsPage struct {
	head
	Queue    string
	Owner    string // whose queue it is, where it is another's
	Items    []item
	Waiting  []item
	Decided  int
	Totals   []incentive.Money // of what waits
	More     bool
	Decides  bool
	Previous string
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
	if id == "" && !v.is(incentive.Manager) && v.may(incentive.DecideApproval) == incentive.All {
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
	if h.Period.Revision > 0 {
		if err := v.fillQueue(&body); err != nil {
			return err
		}
	}
	body.Decides = body.Owner == "" && h.Period.State == string(incentive.Approving)
	return v.show("approvals", "approvals.title", body, "period", v.texts.period(h.Period))
}

// failed returns a value of the form that was just refused.
func (v *visit) failed(name string) string {
	if v.problem == nil {
		return ""
	}
	return v.r.PostFormValue(name)
}

// fillQueue reads the statements of a queue and those of the period before.
func (v *visit) fillQueue(body *approvalsPage) error {
	all, more, err := v.approvalsIn(body.Period.Id, body.Queue)
	if err != nil {
		return err
	}
	body.More = more
	before, previous, err := v.before(body.Period)
	if err != nil {
		return err
	}
	body.Previous = previous
	var chosen []string
	if v.problem != nil {
		chosen = v.r.PostForm["statement"]
	}
	for _, a := range all {
		one := item{Approval: a, Chosen: slices.Contains(chosen, a.Person+" "+a.Digest)}
		if was, known := before[a.Person]; known {
			one.Before = &was
			if was.Currency == a.Total.Currency {
				one.Change = &incentive.Money{Minor: a.Total.Minor - was.Minor, Currency: was.Currency}
			}
		}
		body.Items = append(body.Items, one)
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

// before returns the totals of the period before in the same calendar, as far as the
// visitor sees them, and what that period is called.
func (v *visit) before(p client.Period) (map[string]incentive.Money, string, error) {
	all, err := v.allPeriods()
	if err != nil {
		return nil, "", err
	}
	for _, earlier := range all {
		if earlier.Calendar != p.Calendar || !earlier.StartsOn.Before(p.StartsOn) || !calculated(earlier) {
			continue
		}
		list, _, err := v.statementsOf(earlier.Id, 4)
		totals := map[string]incentive.Money{}
		for _, one := range list {
			totals[one.Person] = one.Total
		}
		return totals, v.texts.period(earlier), err
	}
	return nil, "", nil
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
		v.problem = incentive.Errorf(incentive.CodeInvalid, "%s", v.texts["approvals.none-chosen"])
		return v.approvals()
	}
	answer, err := command[client.DecisionAnswer](v.api.Decide(v.r.Context(), id, &client.DecideParams{IdempotencyKey: v.key()}, request))
	say := message{Key: "done." + string(request.Decision)}
	if err == nil {
		say = message{Key: "done.decided-approved", With: map[string]any{"applied": answer.Applied, "left": answer.Left, "refused": answer.Refused}}
		switch {
		case answer.Refused > 0:
			say.Key = "done.decided-some"
		case request.Decision == client.DecisionRequestDecisionRejected:
			say.Key = "done.decided-rejected"
		}
	}
	return v.done(err, to, say, (*visit).approvals)
}

type waitingPage struct {
	head
	Queues []queue
	Left   int
	More   bool // managers there are besides, whose queues are not shown
}

// mostManagers is how many managers' queues are looked into, one by one.
const mostManagers = 50

// waiting shows who is waited for in a period.
func (v *visit) waiting() error {
	if v.may(incentive.DecideApproval) != incentive.All {
		return v.forbidden()
	}
	h, err := v.of("waiting")
	if err != nil {
		return err
	}
	body := waitingPage{head: h}
	if h.Period.Revision > 0 {
		if body.Queues, body.More, err = v.allQueues(h.Period); err != nil {
			return err
		}
		for _, q := range body.Queues {
			body.Left += q.Waiting
		}
	}
	return v.show("waiting", "waiting.title", body, "period", v.texts.period(h.Period))
}

// allQueues are finance's queue and those of the managers, the ones that wait first.
func (v *visit) allQueues(p client.Period) (found []queue, more bool, err error) {
	people, _, err := v.everybody(40)
	if err != nil {
		return nil, false, err
	}
	candidates := []client.Person{{Id: financeQueue, Name: v.texts["queue.finance"]}}
	for _, one := range people {
		if slices.Contains(one.Roles, string(incentive.Manager)) {
			if len(candidates) > mostManagers {
				more = true
				break
			}
			candidates = append(candidates, one)
		}
	}
	all := make([]queue, len(candidates))
	err = together(v.r.Context(), len(candidates), func(i int) error {
		q, err := v.queueOf(p, candidates[i].Id)
		q.Name = candidates[i].Name
		all[i] = q
		return err
	})
	for _, q := range all {
		if q.All > 0 {
			found = append(found, q)
		}
	}
	slices.SortStableFunc(found, func(a, b queue) int { return b.Waiting - a.Waiting })
	return found, more, err
}

// forbidden refuses a page that the visitor's roles have no use for.
func (v *visit) forbidden() error {
	return incentive.Errorf(incentive.CodeForbidden, "%s", v.texts["refused.forbidden"])
}

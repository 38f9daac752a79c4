package web

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// task is something that is the visitor's to do next.
type task struct {
	Says   message
	More   string // a sentence of its own, such as why a calculation failed
	Do     string // the key of what the link says
	Path   string
	Urgent bool
}

type homePage struct {
	Tasks   []task
	Watched []task // goes on by itself, or waits for others
	Rep     bool
	Latest  *earned
	Earned  *chart
	Open    *client.Period // in which deals count now
	Roles   bool
	Tour    []tourStep // to the first calculated period, while there is none
}

// home shows what is the visitor's to do next.
func (v *visit) home() error {
	body := homePage{Roles: len(v.me.Roles) > 0, Rep: v.is(incentive.Rep)}
	if !body.Roles {
		return v.show("home", "home.title", body, "name", v.me.Name)
	}
	all, err := v.allPeriods()
	if err != nil {
		return err
	}
	all = v.upTo(all)
	for _, add := range []struct {
		wanted bool
		to     func(*homePage, []client.Period) error
	}{
		{v.may(incentive.DecideApproval) > incentive.None, v.addApprovals},
		{v.may(incentive.RaiseDispute) > incentive.None, v.addDisputes},
		{v.may(incentive.SetObjectives) > incentive.None, v.addObjectives},
		{v.may(incentive.DecideDeals) > incentive.None, v.addDeals},
		{v.may(incentive.DecideReliefs) > incentive.None, v.addReliefs},
		{v.may(incentive.AdjustPay) > incentive.None, v.addAdjustments},
		{v.may(incentive.RunPeriod) > incentive.None, v.addPeriods},
		{v.may(incentive.RunPeriod) > incentive.None, v.addReturned},
		{v.may(incentive.ReconcileRails) > incentive.None, v.addDifferences},
		{body.Rep, v.addEarned},
		{v.is(incentive.Administrator), v.addTour},
		{v.is(incentive.Administrator), v.addAdministration},
		{v.is(incentive.Auditor), v.addAuditing},
	} {
		if add.wanted {
			if err := add.to(&body, all); err != nil {
				return err
			}
		}
	}
	return v.show("home", "home.title", body, "name", v.me.Name)
}

func (v *visit) about(key string, p client.Period, pairs ...any) message {
	with := map[string]any{"period": v.texts.period(p)}
	for i := 0; i+1 < len(pairs); i += 2 {
		with[pairs[i].(string)] = pairs[i+1]
	}
	return message{Key: key, With: with}
}

// counted is about for a number of things.
func (v *visit) counted(key string, p client.Period, count int) message {
	if count == 1 {
		return v.about(key+".one", p)
	}
	return v.about(key+".other", p, "count", count)
}

// addApprovals adds the queues in which statements wait for the visitor.
func (v *visit) addApprovals(body *homePage, all []client.Period) error {
	own, err := v.ownQueues()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.State != string(incentive.Approving) {
			continue
		}
		for _, of := range own {
			q, err := v.queueOf(p, of)
			if err != nil {
				return err
			}
			path := "/periods/" + p.Id + "/approvals"
			if q.Queue != "" {
				path += "?queue=" + q.Queue
			}
			switch {
			case q.Waiting > 0 && q.Name != "":
				body.Tasks = append(body.Tasks, task{Says: v.about("task.approve-for", p, "count", q.Waiting, "name", q.Name), Do: "task.approve.do", Path: path})
			case q.Waiting > 0:
				body.Tasks = append(body.Tasks, task{Says: v.counted("task.approve", p, q.Waiting), Do: "task.approve.do", Path: path})
			}
		}
	}
	return nil
}

// addDisputes adds the disputes that wait for the visitor: to answer, to decide about an
// amount that was granted, or to reply to a question.
func (v *visit) addDisputes(body *homePage, all []client.Period) error {
	waiting, err := v.waitingDisputes()
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		state incentive.DisputeState
		key   string
	}{{incentive.DisputeOpen, "task.dispute"}, {incentive.DisputeGranted, "task.grant"}} {
		one, count := task{Do: kind.key + ".do"}, 0
		for _, d := range waiting {
			if d.State == string(kind.state) {
				count++
				one.Path, one.Urgent = "/disputes/"+d.Id, one.Urgent || overdue(d)
			}
		}
		if count > 1 {
			one.Path = "/disputes"
		}
		if count > 0 {
			one.Says = v.counted(kind.key, client.Period{}, count)
			body.Tasks = append(body.Tasks, one)
		}
	}
	for _, d := range waiting {
		if i := slices.IndexFunc(all, func(p client.Period) bool { return p.Id == d.Period }); d.Person == v.me.Id && i >= 0 {
			body.Tasks = append(body.Tasks, task{Says: v.about("task.reply", all[i]), Do: "task.reply.do", Path: "/disputes/" + d.Id})
		}
	}
	return nil
}

// addAdjustments adds the adjustments that wait for the visitor's decision, but for those
// that disputes were granted.
func (v *visit) addAdjustments(body *homePage, _ []client.Period) error {
	waiting, err := v.waitingAdjustments()
	if err != nil {
		return err
	}
	if count := len(slices.DeleteFunc(waiting, func(a client.Adjustment) bool { return a.Dispute != nil })); count > 0 {
		body.Tasks = append(body.Tasks, task{Says: v.counted("task.adjustment", client.Period{}, count), Do: "task.adjustment.do", Path: "/adjustments"})
	}
	return nil
}

// addObjectives adds the objectives of others that have no score though their period is over.
func (v *visit) addObjectives(body *homePage, all []client.Period) error {
	for _, p := range all {
		if p.State != string(incentive.Open) || !p.EndsOn.Before(v.today()) {
			continue
		}
		yes := true
		list, err := client.Read[client.Objectives](v.api.ListObjectives(v.r.Context(), p.Id, &client.ListObjectivesParams{Others: &yes, Unscored: &yes, Limit: &most}))
		if err != nil {
			return err
		}
		if count := len(list.Objectives); count > 0 {
			body.Tasks = append(body.Tasks, task{
				Says: v.counted("task.objectives", p, count),
				Do:   "task.objectives.do",
				Path: "/objectives?period=" + url.QueryEscape(p.Id),
			})
		}
	}
	return nil
}

// addPeriods adds the next step of each period under way.
func (v *visit) addPeriods(body *homePage, all []client.Period) error {
	today := v.today()
	for _, p := range slices.Backward(all) {
		at := "/periods/" + p.Id
		do := func(key, path string, urgent bool) {
			body.Tasks = append(body.Tasks, task{Says: v.about(key, p), Do: key + ".do", Path: path, Urgent: urgent})
		}
		watch := func(key, path string, pairs ...any) {
			body.Watched = append(body.Watched, task{Says: v.about(key, p, pairs...), Do: "watch.do", Path: path})
		}
		if p.OnHold {
			do("task.hold", at, true)
			continue
		}
		switch incentive.State(p.State) {
		case notOpened:
			do("task.open", at, false)
		case incentive.Open:
			switch {
			case p.Problem != nil:
				body.Tasks = append(body.Tasks, task{Says: v.about("task.mend", p), More: *p.Problem, Do: "task.mend.do", Path: at, Urgent: true})
			case p.EndsOn.Before(today):
				do("task.lock", at, false)
			default:
				watch("watch.open", at, "date", v.texts.Date(p.EndsOn))
			}
		case incentive.Calculated:
			do("task.publish", at+"/statements", false)
		case incentive.Published:
			watch("watch.published", at)
		case incentive.Approving:
			watch("watch.approving", at+"/waiting")
		case incentive.Approved:
			do("task.release", at+"/release", false)
		case incentive.Locked, incentive.Released:
			watch("watch.works", at)
		case incentive.Disbursing, incentive.Settling:
			if err := v.addSettling(body, p, do, watch); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSettling adds what a period that is being paid waits for.
func (v *visit) addSettling(body *homePage, p client.Period, do func(key, path string, urgent bool), watch func(key, path string, pairs ...any)) error {
	at := "/periods/" + p.Id
	list, err := client.Read[client.Checklist](v.api.GetChecklist(v.r.Context(), p.Id, &client.GetChecklistParams{}))
	if err != nil {
		return err
	}
	left, exceptions := 0, 0
	for _, item := range list.Items {
		switch {
		case item.Item == client.ChecklistItemItemSettle && item.Count != nil:
			left = *item.Count
		case item.Item == client.ChecklistItemItemExceptions && item.Count != nil:
			exceptions = *item.Count
		}
	}
	supplement := slices.Contains(p.Acts, string(incentive.Release))
	if supplement {
		do("task.supplement", at+"/release", false)
	}
	if exceptions > 0 {
		body.Tasks = append(body.Tasks, task{Says: v.counted("task.exceptions", p, exceptions), Do: "task.exceptions.do", Path: at + "/payouts", Urgent: true})
	}
	files, err := client.Read[client.PaymentFiles](v.api.ListPaymentFiles(v.r.Context(), p.Id, &client.ListPaymentFilesParams{Limit: &most}))
	if err != nil {
		return err
	}
	send, settle := false, false
	for _, f := range files.Files {
		send = send || f.ConfirmedAt == nil
		settle = settle || f.ConfirmedAt != nil && !f.Settled
	}
	switch {
	case send:
		do("task.file", at+"/files", false)
	case settle:
		do("task.settle", at+"/files", false)
	case left == 0 && exceptions == 0 && !supplement && p.State == string(incentive.Settling):
		do("task.close", at, false)
	case left > 0:
		watch("watch.paying", at+"/payouts")
	}
	return nil
}

// addReturned adds the closed periods that have payouts which came back and wait for a person.
func (v *visit) addReturned(body *homePage, all []client.Period) error {
	closed := true
	list, err := client.Read[client.PayoutExceptions](v.api.ListExceptions(v.r.Context(), &client.ListExceptionsParams{Closed: &closed, Limit: &most}))
	if err != nil {
		return err
	}
	for _, p := range all {
		count := 0
		for _, x := range list.Exceptions {
			if x.Period == p.Id && x.Revision == p.Revision {
				count++
			}
		}
		if count > 0 {
			body.Tasks = append(body.Tasks, task{
				Says:   v.counted("task.exceptions", p, count),
				Do:     "task.exceptions.do",
				Path:   "/periods/" + p.Id + "/payouts",
				Urgent: true,
			})
		}
	}
	return nil
}

// addDifferences adds what our record and those of rails differ in, while nobody has said why.
func (v *visit) addDifferences(body *homePage, _ []client.Period) error {
	open, count := true, 0
	list, err := client.Read[client.Reconciliations](v.api.ListReconciliations(v.r.Context(), &client.ListReconciliationsParams{Open: &open, Limit: &most}))
	if err != nil {
		return err
	}
	for _, r := range list.Reconciliations {
		count += r.Open
	}
	sending, err := client.Read[client.Sending](v.api.GetSending(v.r.Context()))
	if err != nil {
		return err
	}
	if sending.Locked {
		body.Tasks = append(body.Tasks, task{Says: message{Key: "task.sending"}, Do: "task.sending.do", Path: "/reconciliations", Urgent: true})
	}
	if count > 0 {
		body.Tasks = append(body.Tasks, task{
			Says:   v.counted("task.differences", client.Period{}, count),
			Do:     "task.differences.do",
			Path:   "/reconciliations?open=yes",
			Urgent: true,
		})
	}
	return nil
}

// addEarned adds what the visitor has earned.
func (v *visit) addEarned(body *homePage, all []client.Period) error {
	mine, _, err := v.earnedBy(v.me.Id, all, 0)
	if err != nil {
		return err
	}
	if len(mine) > 0 {
		body.Latest, body.Earned = &mine[0], v.earnedChart(mine, v.me.Id)
	}
	if v.may(incentive.ChooseMethod) > incentive.None {
		_, err := client.Read[client.Destination](v.api.GetDestination(v.r.Context(), v.me.Id))
		if absent(err) {
			body.Tasks = append(body.Tasks, task{Says: message{Key: "task.destination"}, Do: "task.destination.do", Path: "/account"})
		} else if err != nil {
			return err
		}
	}
	plans, err := client.Read[client.Plans](v.api.ListPlans(v.r.Context()))
	if err != nil {
		return err
	}
	for _, p := range plans.Plans {
		if p.ToAccept && v.may(incentive.AcceptPlan) > incentive.None {
			body.Tasks = append(body.Tasks, task{
				Says: message{"task.accept", map[string]any{"plan": p.Name, "version": p.Version}},
				Do:   "task.accept.do",
				Path: fmt.Sprintf("/plans/%s/versions/%d", url.PathEscape(p.Plan), p.Version),
			})
		}
	}
	today := v.today()
	for _, p := range all {
		if p.State == string(incentive.Open) && !today.Before(p.StartsOn) && !p.EndsOn.Before(today) {
			body.Open = &p
			break
		}
	}
	return nil
}

// addAdministration adds what an administrator mends: periods that could not be calculated, which finance locks again,
// rows that imports could not take, and people without a role.
func (v *visit) addAdministration(body *homePage, all []client.Period) error {
	for _, p := range slices.Backward(all) {
		if p.Problem != nil && p.State == string(incentive.Open) && v.may(incentive.RunPeriod) == incentive.None {
			body.Tasks = append(body.Tasks, task{Says: v.about("task.mend", p), More: *p.Problem, Do: "task.mend.look", Path: "/periods/" + p.Id, Urgent: true})
		}
	}
	if err := v.addQuarantine(body); err != nil {
		return err
	}
	people, more, err := v.everybody(1)
	if err != nil || more {
		return err
	}
	without := 0
	for _, p := range people {
		if len(p.Roles) == 0 {
			without++
		}
	}
	if without > 0 {
		body.Tasks = append(body.Tasks, task{Says: v.counted("task.roles", client.Period{}, without), Do: "task.roles.do", Path: "/people"})
	}
	return nil
}

// addQuarantine adds the rows of imports that wait.
func (v *visit) addQuarantine(body *homePage) error {
	yes, count := true, 0
	list, err := client.Read[client.Imports](v.api.ListImports(v.r.Context(), &client.ListImportsParams{Waiting: &yes, Limit: &most}))
	if err != nil {
		return err
	}
	for _, i := range list.Imports {
		count += i.Waiting
	}
	if count == 0 {
		return nil
	}
	path := "/imports?waiting=yes"
	if len(list.Imports) == 1 {
		path = "/imports/" + list.Imports[0].Id
	}
	body.Tasks = append(body.Tasks, task{Says: v.counted("task.quarantine", client.Period{}, count), Do: "task.quarantine.do", Path: path})
	return nil
}

// addAuditing adds what an auditor does next: conflicts of duties to look into, samples to
// work through, and closed periods of which nothing was proved or drawn yet.
func (v *visit) addAuditing(body *homePage, all []client.Period) error {
	today := v.today()
	list, err := client.Read[client.Duties](v.api.GetDuties(v.r.Context(), &client.GetDutiesParams{From: types.Date{Time: today.AddDays(-365).UTC()}, To: types.Date{Time: today.UTC()}}))
	if err != nil {
		return err
	}
	if count := len(list.Conflicts); count > 0 {
		body.Tasks = append(body.Tasks, task{Says: v.counted("task.duties", client.Period{}, count), Do: "task.duties.do", Path: "/duties", Urgent: true})
	}
	const looked = 4
	seen := 0
	for _, p := range all {
		if p.Revision == 0 {
			continue
		}
		if seen++; seen > looked {
			break
		}
		body.Watched = append(body.Watched, task{Says: v.about("watch.audit", p, "state", v.texts.Term("state", p.State)), Do: "watch.do", Path: "/periods/" + p.Id})
		if p.State != string(incentive.Closed) {
			continue
		}
		proofs, err := client.Read[client.Verifications](v.api.ListVerifications(v.r.Context(), p.Id, &client.ListVerificationsParams{Limit: &most}))
		if err != nil {
			return err
		}
		samples, err := client.Read[client.Samples](v.api.ListSamples(v.r.Context(), p.Id, &client.ListSamplesParams{Limit: &most}))
		if err != nil {
			return err
		}
		if len(proofs.Verifications) == 0 {
			body.Tasks = append(body.Tasks, task{Says: v.about("task.prove", p), Do: "task.prove.do", Path: "/periods/" + p.Id + "/proof"})
		}
		if len(samples.Samples) == 0 {
			body.Tasks = append(body.Tasks, task{Says: v.about("task.sample", p), Do: "task.sample.do", Path: "/periods/" + p.Id + "/samples"})
		}
		for _, one := range samples.Samples {
			if left := one.Size - one.Done; left > 0 {
				body.Tasks = append(body.Tasks, task{Says: v.counted("task.remarks", p, left), Do: "task.remarks.do", Path: fmt.Sprintf("/samples/%d", one.Id)})
			}
		}
	}
	return nil
}

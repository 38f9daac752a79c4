package web

import (
	"fmt"
	"slices"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
)

// cockpitPage is where every period under way stands.
type cockpitPage struct {
	Periods  []underWayPeriod
	Live     bool // the visitor is told of every act
	Works    bool // something moves on by itself
	Reminds  bool
	Upcoming *client.Period // the next that can be opened
}

// underWayPeriod is a period that is open, and not closed yet.
type underWayPeriod struct {
	client.Period
	Steps []step
	Works bool
	Sum   *client.Run
	Pay   []chart // how it is distributed
	Work  []work
	Holds []need // what waits for people
	Next  *nextStep
}

// work is how far long work has come.
type work struct {
	Item        client.ChecklistItemItem
	Done, Total int
	Gauge       gauge
}

// nextStep is what finance does next, and what comes of it.
type nextStep struct {
	Act      string
	Concerns *message // how much it is about
	Page     string
}

// nextActs are the steps by which finance takes a period on.
var nextActs = map[incentive.State]incentive.Act{incentive.Open: incentive.Lock, incentive.Calculated: incentive.Publish, incentive.Published: incentive.EndWindow, incentive.Approved: incentive.Release, incentive.Settling: incentive.Close}

// concerns says how many statements an act is about and what they come to, nil for an act
// that is not about them.
func concerns(act string, sum *client.Run) *message {
	about := []incentive.Act{incentive.Publish, incentive.EndWindow, incentive.Withdraw, incentive.Cancel}
	if sum == nil || !slices.Contains(about, incentive.Act(act)) {
		return nil
	}
	return amounts("concerns.statements", sum.Statements, sum.Totals)
}

// amounts is a number of things with what they come to, by currency.
func amounts(key string, count int, totals []incentive.Money) *message {
	key += map[bool]string{true: ".one", false: ".other"}[count == 1]
	return &message{Key: key, With: map[string]any{"count": language.Numeral(fmt.Sprint(count)), "totals": totals}}
}

// cockpit shows where every period under way stands, what is held up by whom, and what
// the next step is with its consequences.
func (v *visit) cockpit() error {
	if v.may(incentive.ReadTotals) == incentive.None {
		return v.forbidden()
	}
	all, err := v.allPeriods()
	if err != nil {
		return err
	}
	body := cockpitPage{Live: v.may(incentive.ReadAudit) > incentive.None, Reminds: v.may(incentive.RunPeriod) > incentive.None}
	begun := v.upTo(all)
	slices.Reverse(begun)
	for _, p := range begun {
		switch p.State {
		case notOpened:
			if body.Upcoming == nil {
				body.Upcoming = &p
			}
			continue
		case string(incentive.Closed), string(incentive.Cancelled):
			continue
		}
		one, err := v.underWay(p)
		if err != nil {
			return err
		}
		body.Works = body.Works || one.Works
		body.Periods = append(body.Periods, one)
	}
	return v.show("cockpit", "cockpit.title", body)
}

func (v *visit) underWay(p client.Period) (underWayPeriod, error) {
	one := underWayPeriod{Period: p, Steps: steps(p), Works: works(p)}
	needs, err := v.needs(p, nil)
	if err != nil {
		return one, err
	}
	for _, n := range needs {
		if n.Total != nil {
			one.Work = append(one.Work, work{Item: n.Item, Done: *n.Done, Total: *n.Total, Gauge: gauge{Filled: *n.Done * 100 / *n.Total}})
		}
		if n.State == client.ChecklistItemStateToDo {
			one.Holds = append(one.Holds, n)
		}
	}
	if calculated(p) {
		if one.Sum, err = v.sumOf(p.Id); err != nil {
			return one, err
		}
		pay, err := client.Read[client.Distribution](v.api.GetDistribution(v.r.Context(), p.Id, &client.GetDistributionParams{}))
		if err != nil {
			return one, err
		}
		one.Pay = v.distributionCharts(p.Id, pay)
	}
	act, is := nextActs[incentive.State(p.State)]
	if slices.Contains(p.Acts, string(incentive.Release)) { // also of what supplements the list
		act, is = incentive.Release, true
	}
	if !is || !slices.Contains(p.Acts, string(act)) {
		return one, nil
	}
	one.Next = &nextStep{Act: string(act), Concerns: concerns(string(act), one.Sum), Page: "/periods/" + p.Id}
	if act == incentive.Release {
		one.Next.Page += "/release"
		one.Next.Concerns, err = v.planned(p.Id)
	}
	return one, err
}

// planned says what a release pays.
func (v *visit) planned(period string) (*message, error) {
	list, err := client.Read[client.PayoutList](v.api.GetPayoutList(v.r.Context(), period, &client.GetPayoutListParams{}))
	if err != nil {
		return nil, err
	}
	payouts, totals := 0, []incentive.Money{}
	for _, t := range list.Totals {
		if t.State != "planned" {
			continue
		}
		payouts += t.Payouts
		if i := slices.IndexFunc(totals, func(m incentive.Money) bool { return m.Currency == t.Total.Currency }); i >= 0 {
			totals[i].Minor += t.Total.Minor
		} else {
			totals = append(totals, t.Total)
		}
	}
	return amounts("concerns.payouts", payouts, totals), nil
}

// remind reminds whoever holds a period up.
func (v *visit) remind() error {
	if v.may(incentive.RunPeriod) == incentive.None {
		return v.forbidden()
	}
	answer, err := command[client.Reminded](v.api.Remind(v.r.Context(), v.r.PostFormValue("period"), &client.RemindParams{IdempotencyKey: v.key()},
		client.ReminderRequest{Item: v.r.PostFormValue("item"), Person: v.r.PostFormValue("person")}))
	return v.done(err, "/cockpit", message{Key: "done.reminded", With: map[string]any{"told": answer.Told}}, (*visit).cockpit)
}

// acted hands on what is done, for as long as the visitor listens.
func (v *visit) acted() error {
	return v.download(client.NewStreamAuditRequest(within))
}

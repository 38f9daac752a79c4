package web

import (
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type componentsPage struct {
	States  []incentive.State
	Payouts []string
	Steps   []step
	Money   incentive.Money
	Day     incentive.Date
	At      time.Time
	Earned  []earned
	Gauges  []progressing
	Refusal error
}

// components shows the parts that the pages are made of.
func (v *visit) components() error {
	day := incentive.Date{Year: 2026, Month: time.November, Day: 30}
	period := client.Period{StartsOn: incentive.Date{Year: 2026, Month: time.November, Day: 1}, EndsOn: day, State: string(incentive.Approving)}
	amount := incentive.Money{Minor: 1_234_567_89, Currency: "USD"}
	goal, attainment := "50000", "0.6"
	return v.show("components", "components.title", componentsPage{
		States: incentive.States, Payouts: []string{"planned", "held", "submitted", "paid", "failed", "returned", "cancelled"}, Steps: steps(period),
		Money: amount, Day: day, At: day.UTC().Add(7 * time.Hour),
		Earned:  []earned{{Period: period, Total: amount, Bar: 100}, {Period: period, Total: amount, Bar: 60}, {Period: period, Total: amount, Bar: 25}},
		Gauges:  progressOf([]client.Progress{{Component: "Commission", Measured: "30000", Goal: &goal, Attainment: &attainment, Next: &client.NextStep{At: goal, Distance: "20000", Worth: amount}}, {Component: "Bonus", Measured: "30000"}}),
		Refusal: incentive.Errorf(incentive.CodeConflict, "%s", v.texts.Get("components.refusal")),
	})
}

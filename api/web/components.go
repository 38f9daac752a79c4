package web

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"

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
	Charts  []chart
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
		Charts:  v.sampleCharts(amount),
		Gauges:  progressOf([]client.Progress{{Component: "Commission", Measured: "30000", Goal: &goal, Attainment: &attainment, Next: &client.NextStep{At: goal, Distance: "20000", Worth: amount}}, {Component: "Bonus", Measured: "30000"}}),
		Refusal: incentive.Errorf(incentive.CodeConflict, "%s", v.texts.Get("components.refusal")),
	})
}

// sampleCharts show what charts can do.
func (v *visit) sampleCharts(amount incentive.Money) []chart {
	standing := chart{
		Name:  "standing",
		Title: v.texts.Get("chart.earned"),
		Head:  "column.period",
		Of:    "column.earned",
		Marks: []mark{{v.texts.Get("chart.quota"), amount.Decimal()}},
	}
	for i, share := range []int64{60, 75, -10, 110, 95, 120} {
		month := client.Period{
			StartsOn: incentive.Date{Year: 2026, Month: time.Month(i + 1), Day: 1},
			EndsOn:   incentive.Date{Year: 2026, Month: time.Month(i + 2), Day: 1}.AddDays(-1),
			Code:     fmt.Sprintf("2026-%02d", i+1),
		}
		earned := incentive.Money{Minor: amount.Minor / 100 * share, Currency: amount.Currency}
		standing.Bars = append(standing.Bars, bar{Label: v.texts.period(month), Short: month.Code, Value: v.texts.Money(earned), At: earned.Decimal()})
	}
	half := decimal.NewFromInt(60)
	lying := chart{
		Name:  "lying",
		Title: v.texts.Get("chart.team"),
		Head:  "column.person",
		Of:    "column.attainment",
		Lying: true,
		Marks: []mark{{v.texts.Get("chart.quota"), hundred}},
		Bars: []bar{
			{Label: "Dewi Silva", Value: "112 %", At: decimal.NewFromInt(112), Tone: "good"},
			{Label: "Budi Santoso", Value: "80 %", From: decimal.NewFromInt(40), At: decimal.NewFromInt(80), Tick: &half},
			{Label: "Ann Lee", Value: "25 %", At: decimal.NewFromInt(25), Tone: "bad"},
		},
	}
	return []chart{standing, lying}
}

package web

import (
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type simulationPage struct {
	Periods  []client.Period // opened ones, the latest first
	Period   string          // chosen
	Document string
	Answer   *client.Simulation
	Charts   []chart
}

// trial asks for a draft: it begins with the version of the plan that the visitor comes from.
func (v *visit) trial() error {
	body, err := v.simulationPage()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	if version, err := strconv.Atoi(query.Get("version")); err == nil {
		p, err := client.Read[client.Plan](v.api.GetPlan(v.r.Context(), query.Get("plan"), version))
		if err != nil {
			return err
		}
		body.Document = p.Document
	}
	return v.show("simulation", "simulation.title", body)
}

// simulate shows what a draft would pay in a period.
func (v *visit) simulate() error {
	body, err := v.simulationPage()
	if err != nil {
		return err
	}
	body.Period, body.Document = v.r.PostFormValue("period"), v.r.PostFormValue("document")
	answer, err := client.Read[client.Simulation](v.api.SimulatePlan(v.r.Context(), body.Period, &client.SimulatePlanParams{IdempotencyKey: v.key()}, client.SimulationRequest{Document: body.Document, Limit: &most}))
	if err != nil {
		v.problem = err
		return v.show("simulation", "simulation.title", body)
	}
	body.Answer = &answer
	for _, sum := range answer.Sums {
		body.Charts = append(body.Charts, v.spreadChart(sum), v.bandsChart("simulation", sum.Bands, string(sum.Before.Currency)))
	}
	return v.show("simulation", "simulation.title", body)
}

func (v *visit) simulationPage() (body simulationPage, err error) {
	if v.may(incentive.ReadTotals) == incentive.None {
		return body, v.forbidden()
	}
	all, err := v.allPeriods()
	for _, p := range all {
		if p.Revision > 0 {
			body.Periods = append(body.Periods, p)
		}
	}
	return body, err
}

package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// CodeNoObjective says that a plan measures an objective that the participant does not have.
const CodeNoObjective incentive.Code = "no-objective"

// achieved adds up how far the participant's objectives were reached. No single credit
// earns by them.
func (c *computation) achieved(of plan.Measure) (m measured, err error) {
	m.objectives, err = c.objectivesOf(of)
	for _, o := range m.objectives {
		m.total = m.total.Add(weighed(of, o))
	}
	return m, err
}

// objectivesOf returns the objectives that a measure looks at.
func (c *computation) objectivesOf(of plan.Measure) ([]incentive.Objective, error) {
	all := c.objectives[c.participant.ID]
	if of.Objective == "" {
		return all, nil
	}
	for _, o := range all {
		if o.Name == of.Objective {
			return []incentive.Objective{o}, nil
		}
	}
	return nil, incentive.Errorf(CodeNoObjective, "plan %q measures the objective %q, and %s has none of that name in %s: their manager sets it", c.plan.ID, of.Objective, c.participant.ID, c.period.ID)
}

// weighed is what an objective adds to a measure: one that stands alone weighs everything.
func weighed(of plan.Measure, o incentive.Objective) decimal.Decimal {
	switch {
	case o.Score == nil:
		return decimal.Zero
	case of.Objective != "":
		return *o.Score
	}
	return o.Score.Mul(o.Weight)
}

func (c *computation) explainAchieved(of plan.Measure, m measured) {
	for _, o := range m.objectives {
		weight := o.Weight
		if of.Objective != "" {
			weight = one
		}
		c.explain(Step{Kind: StepObjective, Name: o.Name, Amount: o.Score, Rate: &weight, Result: weighed(of, o)})
	}
	c.explain(Step{Kind: StepAchieved, Count: len(m.objectives), Result: m.total})
}

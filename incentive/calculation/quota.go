package calculation

import (
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/plan"
)

// counted says what counts between two days of the quotas of a measure: a step for each
// piece, and what they come to.
func (c *computation) counted(measure string, first, last incentive.Date) (steps []Step, sum decimal.Decimal, err error) {
	rule, ruled := c.plan.Quotas[measure]
	for _, q := range c.quotasOf(measure, rule) {
		of := *c
		of.stretches = q.stretches
		var pieces []Step
		if ruled {
			pieces, err = of.pieces(q.Quota, rule, first, last)
		} else {
			pieces, err = of.evenly(q.Quota, plan.ByDays, first, last)
		}
		if err != nil {
			return nil, sum, err
		}
		for _, s := range pieces {
			steps, sum = append(steps, s), sum.Add(s.Result)
		}
	}
	return steps, sum, nil
}

// evenly counts a quota that lies evenly in its time by calendar days.
func (c *computation) evenly(q incentive.Quota, by plan.Prorated, first, last incentive.Date) ([]Step, error) {
	days := c.daysBetween(latest(q.StartsOn, first), earliest(q.EndsOn, last), by)
	if days == 0 {
		return nil, nil
	}
	of := q.StartsOn.DaysUntil(q.EndsOn) + 1
	ratio, err := incentive.NewRatio(decimal.NewFromInt(int64(days)), decimal.NewFromInt(int64(of)))
	return []Step{{Kind: StepQuota, Name: q.Measure, Amount: &q.Amount, Days: days, OfDays: of, Result: ratio.Of(q.Amount)}}, err
}

// relieved says what the participant is relieved of between two days of the quotas of a
// measure: a step for each relief, and what they come to.
func (c *computation) relieved(measure string, first, last incentive.Date) (steps []Step, sum decimal.Decimal, err error) {
	by := c.plan.Quotas[measure].Prorated
	for _, r := range c.reliefs[c.participant.ID] {
		from, to := latest(r.StartsOn, first), earliest(r.EndsOn, last)
		if r.Measure != measure || to.Before(from) {
			continue
		}
		one := Step{Kind: StepRelief, Name: string(r.Cause), Of: measure, Since: r.StartsOn.String(), Until: r.EndsOn.String()}
		if r.Share != nil {
			of, err := c.lies(measure, from, to, by == plan.ByMonths)
			if err != nil {
				return nil, sum, err
			}
			one.Amount, one.Rate, one.Result = &of, r.Share, of.Mul(*r.Share)
		} else {
			part, err := c.evenly(incentive.Quota{StartsOn: r.StartsOn, EndsOn: r.EndsOn, Amount: *r.Amount}, by, from, to)
			if err != nil {
				return nil, sum, err
			}
			for _, p := range part {
				one.Amount, one.Days, one.OfDays, one.Result = p.Amount, p.Days, p.OfDays, p.Result
			}
		}
		if !one.Result.IsZero() {
			steps, sum = append(steps, one), sum.Add(one.Result)
		}
	}
	return steps, sum, nil
}

// lies says how much of the quotas of a measure lies between two days. Where each month counts
// wholly it lies evenly in its days.
func (c *computation) lies(measure string, first, last incentive.Date, inMonths bool) (sum decimal.Decimal, err error) {
	if !inMonths {
		_, sum, err = c.counted(measure, first, last)
		return sum, err
	}
	for day := first; !day.After(last); {
		month := incentive.Date{Year: day.Year, Month: day.Month, Day: 1}
		ends := incentive.DateOf(month.UTC().AddDate(0, 1, -1))
		_, whole, err := c.counted(measure, month, ends)
		if err != nil {
			return sum, err
		}
		part := incentive.Ratio{Numerator: decimal.NewFromInt(int64(day.DaysUntil(earliest(ends, last)) + 1)), Denominator: decimal.NewFromInt(int64(ends.Day))}
		sum, day = sum.Add(part.Of(whole)), ends.AddDays(1)
	}
	return sum, nil
}

// pieces cuts a quota by the plan's rule for it: into what counts between two days of each
// of its weighted stretches, and of each month of a ramp. Every piece is a step of its own.
func (c *computation) pieces(q incentive.Quota, rule plan.QuotaRule, first, last incentive.Date) ([]Step, error) {
	weights := rule.Weights
	if len(weights) == 0 {
		weights = []decimal.Decimal{one}
	}
	ends := q.EndsOn.AddDays(1)
	months := (ends.Year-q.StartsOn.Year)*12 + int(ends.Month) - int(q.StartsOn.Month)
	whole := q.StartsOn.Day == 1 && ends.Day == 1
	if len(weights) > 1 && (!whole || months%len(weights) != 0) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "quota %q of %s goes from %s to %s, which plan %q cannot cut into %d equal stretches of whole calendar months", q.Measure, q.ParticipantID, q.StartsOn, q.EndsOn, c.plan.ID, len(weights))
	}
	byMonths := rule.Prorated == plan.ByMonths
	if byMonths && (!whole || c.period.StartsOn.Day != 1 || c.period.EndsOn.AddDays(1).Day != 1) {
		return nil, incentive.Errorf(incentive.CodeInvalid, "plan %q counts quota %q by calendar months, and the quota of %s (from %s to %s) or the period does not begin and end with one", c.plan.ID, q.Measure, q.ParticipantID, q.StartsOn, q.EndsOn)
	}
	var steps []Step
	for i, weight := range weights {
		starts, stops := q.StartsOn, q.EndsOn
		if len(weights) > 1 {
			length := months / len(weights)
			starts = incentive.DateOf(q.StartsOn.UTC().AddDate(0, i*length, 0))
			stops = incentive.DateOf(starts.UTC().AddDate(0, length, -1))
		}
		of := 0
		var inMonths []Step // of this stretch, one for each share of the ramp
		for month := starts; !month.After(stops); {
			next := incentive.DateOf(incentive.Date{Year: month.Year, Month: month.Month, Day: 1}.UTC().AddDate(0, 1, 0))
			until := earliest(next.AddDays(-1), stops)
			days, total := c.daysBetween(latest(month, first), earliest(until, last), rule.Prorated), month.DaysUntil(until)+1
			if byMonths {
				days, total = min(days, 1), 1
			}
			of += total
			if days > 0 {
				share := weight
				if rule.Ramp != nil {
					tenure, err := c.tenure(rule.Ramp.Since, next.AddDays(-1))
					if err != nil {
						return nil, err
					}
					if tenure = max(tenure, 1); tenure <= len(rule.Ramp.Shares) {
						share = share.Mul(rule.Ramp.Shares[tenure-1])
					}
				}
				if n := len(inMonths); n > 0 && inMonths[n-1].Rate.Equal(share) {
					inMonths[n-1].Days += days
				} else {
					amount := q.Amount
					inMonths = append(inMonths, Step{Kind: StepQuota, Name: q.Measure, Amount: &amount, Rate: &share, Days: days})
				}
			}
			month = next
		}
		for _, s := range inMonths {
			if s.OfDays = of; byMonths {
				s.Each = "month"
			}
			s.Result = incentive.Ratio{Numerator: decimal.NewFromInt(int64(s.Days)), Denominator: decimal.NewFromInt(int64(of))}.Of(s.Amount.Mul(*s.Rate))
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// daysBetween counts the days from first to last on which the participant is on the plan.
func (c *computation) daysBetween(first, last incentive.Date, by plan.Prorated) int {
	if by == plan.NotProrated {
		return max(0, first.DaysUntil(last)+1)
	}
	days := 0
	for _, a := range c.stretches {
		to := last
		if !a.EndsOn.IsZero() {
			to = earliest(to, a.EndsOn)
		}
		days += max(0, latest(first, a.StartsOn).DaysUntil(to)+1)
	}
	return days
}

func earliest(a, b incentive.Date) incentive.Date {
	if b.Before(a) {
		return b
	}
	return a
}

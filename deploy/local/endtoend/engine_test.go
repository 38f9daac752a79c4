package endtoend

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
)

// engine pays everybody with an assignment a tenth of what they are credited with.
var engine = activities.Engine{Version: "tenth", Calculate: func(_ context.Context, s incentive.Snapshot) ([]incentive.Statement, error) {
	amounts := map[incentive.TransactionKey]decimal.Decimal{}
	for _, t := range s.Transactions {
		amounts[t.TransactionKey] = t.Amount
	}
	var statements []incentive.Statement
	for _, a := range s.Assignments {
		line := incentive.Line{PlanID: a.PlanID, PlanVersion: 1, Component: "commission", Explanation: []byte(`{"rate":"0.1"}`)}
		for _, c := range s.Credits {
			if c.ParticipantID != a.ParticipantID {
				continue
			}
			credited := amounts[c.Transaction].Mul(c.Share)
			part := credited.Shift(-1)
			line.Unrounded = line.Unrounded.Add(part)
			shown, err := incentive.HalfAwayFromZero.Round(part, "USD")
			if err != nil {
				return nil, err
			}
			line.Contributions = append(line.Contributions, incentive.Contribution{Transaction: c.Transaction, ParticipantID: c.ParticipantID, Role: c.Role, Credited: credited, Amount: part, Shown: shown})
		}
		var err error
		if line.Amount, err = incentive.HalfAwayFromZero.Round(line.Unrounded, "USD"); err != nil {
			return nil, err
		}
		statements = append(statements, incentive.Statement{PeriodID: s.Period.ID, ParticipantID: a.ParticipantID, Currency: "USD", Lines: []incentive.Line{line}})
	}
	return statements, nil
}}

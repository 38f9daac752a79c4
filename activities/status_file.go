package activities

import (
	"bytes"
	"context"
	"maps"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// ReadStatusFile reads what a bank says by the rail that wrote the payment files.
func ReadStatusFile(ctx context.Context, rails payments.Registry, name string, content []byte) ([]store.PayoutOutcome, error) {
	rail, err := rails.File(name)
	if err != nil {
		return nil, err
	}
	reader, reads := rail.(payments.StatusReader)
	if !reads {
		return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %q reads no answers of banks: say by hand what became of its files", name)
	}
	said, err := reader.ReadStatus(ctx, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	outcomes := make([]store.PayoutOutcome, len(said))
	for i, o := range said {
		outcomes[i] = store.PayoutOutcome{
			PayoutID:   o.Reference,
			MessageID:  o.MessageID,
			Trace:      o.Trace,
			State:      string(o.State),
			Unclear:    o.Class == payments.Alarm,
			Code:       o.Code,
			Reason:     o.Reason,
			Amount:     o.Amount,
			On:         o.On,
			BadAccount: o.Class == payments.RecipientAction,
		}
		if o.Correction != nil {
			outcomes[i].Correction = &store.Destination{Details: o.Correction}
		}
	}
	return outcomes, nil
}

// said is what a bank's file says, of payouts of ours where it names them by its own numbers.
func (a *Activities) said(ctx context.Context, rail string, content []byte) ([]store.PayoutOutcome, error) {
	outcomes, err := ReadStatusFile(ctx, a.Rails, rail, content)
	if err == nil {
		err = a.Store.NameTraced(ctx, rail, outcomes)
	}
	if err == nil {
		err = a.correct(ctx, rail, outcomes)
	}
	return outcomes, err
}

// correct completes what a bank corrects of destinations by what it leaves as it is. What the
// rail could not pay to is for a person.
func (a *Activities) correct(ctx context.Context, name string, outcomes []store.PayoutOutcome) error {
	rail, err := a.Rails.Rail(name)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Correction == nil || o.PayoutID == "" && o.Prenote.ID == "" {
			continue
		}
		corrected, paidBy := o.Prenote.DestinationID, name
		if o.PayoutID != "" {
			payout, err := a.Store.Payout(ctx, o.PayoutID)
			if err != nil {
				return err
			}
			corrected, paidBy = payout.DestinationID, payout.Rail
		}
		stands, err := a.Store.Destinations(ctx, []int64{corrected})
		if err != nil {
			return err
		}
		details := maps.Clone(stands[corrected].Details)
		maps.Copy(details, o.Correction.Details)
		clean, masked, err := rail.ValidateDestination(details)
		if err != nil || paidBy != name {
			outcomes[i].Correction, outcomes[i].Unclear = nil, true
			continue
		}
		outcomes[i].Correction = &store.Destination{Details: clean, Masked: masked, Account: clean.Account()}
	}
	return nil
}

// ApplyStatusFile does what a bank's file says of payouts, once, and tells the
// disbursements that they belong to.
func (a *Activities) ApplyStatusFile(ctx context.Context, fileID string) error {
	defer heartbeat(ctx)()
	f, content, err := a.Store.StatusFile(ctx, fileID)
	if err != nil {
		return err
	}
	outcomes, err := a.said(ctx, f.Rail, content)
	if err != nil {
		return err
	}
	if err := a.Store.ApplyOutcomes(ctx, fileID, outcomes); err != nil {
		return err
	}
	applied, err := a.Store.Outcomes(ctx, fileID)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, o := range applied {
		id := DisburseID(o.PeriodID, o.Revision, f.Rail)
		if told[id] {
			continue
		}
		told[id] = true
		if err := a.tellDisbursement(ctx, o.PeriodID, o.Revision, f.Rail); err != nil {
			return err
		}
	}
	return nil
}

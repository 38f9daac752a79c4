package activities

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/store"
)

// BuildPrenotes builds the file of the prenotes of a rail that are to be written, for somebody who
// takes it to the bank. Where there is none to write it is the last one that they have had built and
// nobody has taken there: who asks again has not had the answer. Without one it is of code CodeNotAllowedNow.
func BuildPrenotes(ctx context.Context, s *store.Store, rails payments.Registry, actor, name string, today incentive.Date) (store.PrenoteFile, error) {
	var none store.PrenoteFile
	rail, err := rails.File(name)
	if err != nil {
		return none, err
	}
	prenoter, is := rail.(payments.Prenoter)
	if !is || !prenoter.Prenotes() {
		return none, incentive.Errorf(incentive.CodeInvalid, "%s does not try accounts before it pays to them", name)
	}
	all, err := s.AccountsToTry(ctx, name)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		if last, found, err := s.UntakenPrenotes(ctx, actor, name); found || err != nil {
			return last, err
		}
		return none, incentive.Errorf(incentive.CodeNotAllowedNow, "no account of %s waits to be tried", name)
	}
	ids := make([]int64, len(all))
	for i, p := range all {
		ids[i] = p.DestinationID
	}
	to, err := s.Destinations(ctx, ids)
	if err != nil {
		return none, err
	}
	request := payments.FileRequest{PeriodID: "prenotes", Revision: 1, Currency: "USD", On: today}
	if currencies := rail.Capabilities().Currencies; len(currencies) > 0 {
		request.Currency = currencies[0]
	}
	for _, p := range all {
		request.Payments = append(request.Payments, payments.FilePayment{
			PayoutID:    p.ID,
			Amount:      incentive.Money{Currency: request.Currency},
			Destination: to[p.DestinationID].Details,
		})
	}
	if numbered, is := rail.(payments.Numbered); is {
		if err := number(ctx, s, name, numbered, "prenotes/"+all[0].ID, &request); err != nil {
			return none, err
		}
	}
	file, err := prenoter.BuildPrenotes(ctx, request)
	if err != nil {
		return none, err
	}
	for i := range all {
		all[i].Trace = file.Traces[all[i].ID]
	}
	return s.KeepPrenoteFile(ctx, store.PrenoteFile{
		Rail:        name,
		Name:        file.Name,
		MessageID:   file.MessageID,
		SHA256:      file.SHA256,
		EffectiveOn: file.EffectiveOn,
		BuiltBy:     actor,
	}, file.Content, all)
}

// ConfirmPrenotes notes that a file of prenotes was taken to the bank today.
func ConfirmPrenotes(ctx context.Context, s *store.Store, rails payments.Registry, actor, id string, today incentive.Date) error {
	f, err := s.PrenoteFile(ctx, id)
	if err != nil {
		return err
	}
	rail, err := rails.Rail(f.Rail)
	if err != nil {
		return err
	}
	prenoter, is := rail.(payments.Prenoter)
	if !is {
		return incentive.Errorf(incentive.CodeInvalid, "%s does not try accounts before it pays to them", f.Rail)
	}
	return s.ConfirmPrenotes(ctx, actor, id, prenoter.TriedOn(f.EffectiveOn, today))
}

// PassPrenotes lets the accounts of a file of prenotes be paid once their days are over. It
// returns how long it is until then: 0 once it is done.
func (a *Activities) PassPrenotes(ctx context.Context, id string) (time.Duration, error) {
	f, err := a.Store.PrenoteFile(ctx, id)
	if err != nil {
		return 0, err
	}
	zone, err := a.zone(ctx)
	if err != nil {
		return 0, err
	}
	if wait := endOf(f.TriedOn.AddDays(-1), zone).Sub(a.Now()); wait > 0 {
		return wait, nil
	}
	tell, err := a.Store.PassPrenotes(ctx, id)
	if err != nil {
		return 0, err
	}
	return 0, a.goOn(ctx, tell)
}

// goOn tells disbursements that something of theirs can be paid now.
func (a *Activities) goOn(ctx context.Context, disbursements []store.Disbursing) error {
	for _, d := range disbursements {
		if err := a.tellDisbursement(ctx, d.PeriodID, d.Revision, d.Rail); err != nil {
			return err
		}
	}
	return nil
}

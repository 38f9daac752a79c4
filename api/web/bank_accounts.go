package web

import (
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// triesAccounts is the rail whose banks are asked about accounts and say what these are now.
const triesAccounts = "nacha"

type bankAccountsPage struct {
	client.Prenotes
	Corrections []client.DestinationCorrection
	Called      map[string]string
	MayDecide   bool
	Me          string
}

// bankAccounts shows which accounts are tried before they are paid, and what banks say that
// accounts are now.
func (v *visit) bankAccounts() error {
	body := bankAccountsPage{MayDecide: v.may(incentive.ReleasePeriod) > incentive.None, Me: v.me.Id}
	var err error
	if body.Prenotes, err = client.Read[client.Prenotes](v.api.ListPrenotes(v.r.Context(), &client.ListPrenotesParams{After: given(v.r.URL.Query().Get("after"))})); err != nil {
		return err
	}
	list, err := client.Read[client.DestinationCorrections](v.api.ListDestinationCorrections(v.r.Context(), &client.ListDestinationCorrectionsParams{Limit: &most}))
	if err != nil {
		return err
	}
	body.Corrections = list.Corrections
	if body.Called, err = v.called(); err != nil {
		return err
	}
	return v.show("bank-accounts", "bank-accounts.title", body)
}

// decideBankAccount has prenotes written, notes that they were taken to the bank, or decides about what a
// bank says of an account.
func (v *visit) decideBankAccount() error {
	if v.may(incentive.ReleasePeriod) == incentive.None {
		return v.forbidden()
	}
	ctx, posted := v.r.Context(), v.r.PostFormValue
	var err error
	var say message
	switch act := posted("act"); act {
	case "build":
		say.Key = "done.bank-accounts.build"
		_, err = command[client.PrenoteFile](v.api.BuildPrenotes(ctx, &client.BuildPrenotesParams{IdempotencyKey: v.key()}, client.PrenotesRequest{Rail: posted("rail")}))
	case "sent":
		say.Key = "done.bank-accounts.sent"
		_, err = command[client.PrenoteFile](v.api.ConfirmPrenotes(ctx, posted("file"), &client.ConfirmPrenotesParams{IdempotencyKey: v.key()}))
	case "confirm", "refuse":
		say.Key = "done.bank-accounts.confirm"
		request := client.RedirectionDecisionRequest{Decision: client.RedirectionDecisionRequestDecisionConfirmed}
		if act == "refuse" {
			say.Key = "done.bank-accounts.refuse"
			reason := posted("reason")
			request.Decision, request.Reason = client.RedirectionDecisionRequestDecisionRefused, &reason
		}
		_, err = command[client.DestinationCorrectionAnswer](v.api.DecideDestinationCorrection(ctx, posted("correction"), &client.DecideDestinationCorrectionParams{IdempotencyKey: v.key()}, request))
	default:
		return v.nowhere()
	}
	return v.done(err, "/bank-accounts", say, (*visit).bankAccounts)
}

// prenotes hands a file of prenotes over.
func (v *visit) prenotes() error {
	return v.download(client.NewGetPrenotesRequest(within, v.r.PathValue("file")))
}

package stripe

import (
	"context"

	sdk "github.com/stripe/stripe-go/v76"

	"github.com/guerdon/guerdon/payments"
)

var _ payments.Onboarder = (*Rail)(nil)

// OpenAccount makes an express account: Stripe asks its owner for what it has to know, and
// pays out to the bank account that they name there.
func (r *Rail) OpenAccount(ctx context.Context, recipient payments.Recipient, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	params := &sdk.AccountParams{
		Params:       sdk.Params{Context: ctx, IdempotencyKey: sdk.String(key)},
		Type:         sdk.String(string(sdk.AccountTypeExpress)),
		Country:      sdk.String(recipient.Country),
		BusinessType: sdk.String(string(sdk.AccountBusinessTypeIndividual)),
		Capabilities: &sdk.AccountCapabilitiesParams{Transfers: &sdk.AccountCapabilitiesTransfersParams{Requested: sdk.Bool(true)}},
		Metadata:     map[string]string{"participant_id": recipient.ID},
	}
	if recipient.Company {
		params.BusinessType = sdk.String(string(sdk.AccountBusinessTypeCompany))
	}
	if recipient.Email != "" {
		params.Email = sdk.String(recipient.Email)
	}
	made, err := r.accounts.New(params)
	if err != nil {
		return "", classify(err)
	}
	if made.Object != "account" || !accountID.MatchString(made.ID) {
		return "", &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: "Stripe's answer is not an account"}
	}
	return made.ID, nil
}

// OnboardingLink makes a page of Stripe's for the owner of an account. Each call makes a new one.
func (r *Rail) OnboardingLink(ctx context.Context, account, back, refresh string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	link, err := r.links.New(&sdk.AccountLinkParams{
		Params:     sdk.Params{Context: ctx},
		Account:    sdk.String(account),
		Type:       sdk.String(string(sdk.AccountLinkTypeAccountOnboarding)),
		ReturnURL:  sdk.String(back),
		RefreshURL: sdk.String(refresh),
	})
	if err != nil {
		return "", classify(err)
	}
	if link.Object != "account_link" || link.URL == "" {
		return "", &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: "Stripe's answer is not a link"}
	}
	return link.URL, nil
}

// Standing is ready where Stripe both lets transfers reach the account and lets it pay out.
func (r *Rail) Standing(ctx context.Context, account string) (payments.Standing, error) {
	if !accountID.MatchString(account) {
		return "", refuse("destination-invalid", "the destination is not the id of a connected account")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a, err := r.accounts.GetByID(account, &sdk.AccountParams{Params: sdk.Params{Context: ctx}})
	if err != nil {
		return "", classify(err)
	}
	switch {
	case a.Object != "account" || a.ID != account:
		return "", &payments.Error{Class: payments.Unknown, Rail: Name, Code: "answer-unreadable", Message: "Stripe's answer is not the account"}
	case a.PayoutsEnabled && a.Capabilities != nil && a.Capabilities.Transfers == sdk.AccountCapabilityStatusActive:
		return payments.AccountReady, nil
	case a.DetailsSubmitted:
		return payments.AccountSubmitted, nil
	}
	return payments.AccountOpen, nil
}

// AccountOf is the connected account.
func (*Rail) AccountOf(d payments.Destination) string { return d[AccountDetail] }

// DestinationOf is the connected account.
func (*Rail) DestinationOf(account string) payments.Destination {
	return payments.Destination{AccountDetail: account}
}

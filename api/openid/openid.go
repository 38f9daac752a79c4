// Package openid finds out by OpenID Connect who somebody is: the authorization code flow
// with PKCE, at the one provider that the company trusts.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/guerdon/guerdon/incentive"
)

// CodeRefused says that the provider, or what it answered, lets nobody in.
const CodeRefused incentive.Code = "sign-in-refused"

// ReturnPath is where the provider sends people back to; it is registered there below the
// installation's own address.
const ReturnPath = "/sign-in/return"

// Settings name the provider and what it knows the installation as.
type Settings struct {
	Issuer       string
	ClientID     string
	ClientSecret string
	// Address is where people find the pages, https://pay.example.com.
	Address string
	// TrustEmail takes e-mail addresses that the provider does not call verified: for
	// providers that give out the addresses themselves and say nothing about them.
	TrustEmail bool
}

// Provider is a provider whose metadata has been read.
type Provider struct {
	found      *oidc.Provider
	client     oauth2.Config
	verifier   *oidc.IDTokenVerifier
	trustEmail bool
}

// New reads the provider's metadata.
func New(ctx context.Context, s Settings) (*Provider, error) {
	found, err := oidc.NewProvider(ctx, s.Issuer)
	if err != nil {
		return nil, fmt.Errorf("reach the OpenID provider %s: %w", s.Issuer, err)
	}
	return &Provider{
		found: found,
		client: oauth2.Config{
			ClientID: s.ClientID, ClientSecret: s.ClientSecret, Endpoint: found.Endpoint(),
			RedirectURL: strings.TrimSuffix(s.Address, "/") + ReturnPath, Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		verifier:   found.Verifier(&oidc.Config{ClientID: s.ClientID}),
		trustEmail: s.TrustEmail,
	}, nil
}

// Attempt is what a browser keeps while its owner is at the provider. An answer that was
// not asked for by the same browser is worth nothing.
type Attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
}

// Begin returns where to send the browser, and what it is to keep.
func (p *Provider) Begin() (address string, a Attempt) {
	a = Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	return p.client.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), a
}

// Finish takes what the provider sent back with the browser and returns the e-mail address
// of whoever it is.
func (p *Provider) Finish(ctx context.Context, answer url.Values, a Attempt) (email string, err error) {
	if a.State == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(answer.Get("state"))) != 1 {
		return "", incentive.Errorf(CodeRefused, "this sign-in was begun elsewhere or too long ago: begin again")
	}
	if answer.Get("code") == "" {
		return "", incentive.Errorf(CodeRefused, "the provider did not let you in: %s", answer.Get("error"))
	}
	token, err := p.client.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return "", incentive.Errorf(CodeRefused, "the provider did not confirm the sign-in: begin again")
	}
	text, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(ctx, text)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return "", incentive.Errorf(CodeRefused, "what the provider said cannot be trusted: begin again, or tell an administrator")
	}
	said, err := p.emailOf(ctx, id, token)
	if err != nil || said.Email == "" {
		return "", incentive.Errorf(CodeRefused, "the provider did not say your e-mail address: an administrator can let it do so")
	}
	if !said.Verified && !p.trustEmail {
		return "", incentive.Errorf(CodeRefused, "the provider has not verified your e-mail address: verify it there and begin again")
	}
	return said.Email, nil
}

type address struct {
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
}

// emailOf takes the address from the ID token, or asks the provider where it is not there.
func (p *Provider) emailOf(ctx context.Context, id *oidc.IDToken, token *oauth2.Token) (said address, err error) {
	if err := id.Claims(&said); err != nil || said.Email != "" {
		return said, err
	}
	info, err := p.found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != id.Subject { // of somebody else
		return address{}, err
	}
	return address{info.Email, info.EmailVerified}, nil
}

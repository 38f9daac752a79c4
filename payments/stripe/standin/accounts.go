package standin

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	sdk "github.com/stripe/stripe-go/v76"
)

type account struct {
	ID               string            `json:"id"`
	Object           string            `json:"object"`
	Type             string            `json:"type"`
	Country          string            `json:"country"`
	Email            string            `json:"email,omitempty"`
	Capabilities     map[string]string `json:"capabilities"`
	ChargesEnabled   bool              `json:"charges_enabled"`
	DetailsSubmitted bool              `json:"details_submitted"`
	PayoutsEnabled   bool              `json:"payouts_enabled"`
	Created          int64             `json:"created"`
	Metadata         map[string]string `json:"metadata"`
}

func (s *Server) newAccount(id string) *account {
	return &account{
		ID:           id,
		Object:       "account",
		Type:         "express",
		Country:      "US",
		Capabilities: map[string]string{"transfers": "inactive"},
		Created:      s.options.Now().Unix(),
		Metadata:     map[string]string{},
	}
}

func (a *account) activate() {
	a.Capabilities = map[string]string{"transfers": "active"}
	a.DetailsSubmitted, a.PayoutsEnabled = true, true
}

func (s *Server) createAccount(_ *http.Request, form url.Values) outcome {
	if a, unknown := unknownParameter(form, "type", "country", "email", "business_type", "capabilities[", "settings[", "metadata["); unknown {
		return outcome{answer: a}
	}
	metadata, bad, refused := metadataOf(form)
	if refused {
		return outcome{answer: bad}
	}
	made := s.newAccount(fmt.Sprintf("acct_standin%06d", len(s.accounts)+1))
	for n := len(s.accounts) + 2; s.accounts[made.ID] != nil; n++ {
		made.ID = fmt.Sprintf("acct_standin%06d", n)
	}
	switch kind := form.Get("type"); kind {
	case "express", "custom":
		made.Type = kind
	default:
		return outcome{answer: refuse(http.StatusBadRequest, "", "type", "Invalid type: must be one of express, custom")}
	}
	if country := form.Get("country"); country != "" {
		if len(country) != 2 || strings.ToUpper(country) != country {
			return outcome{answer: refuse(http.StatusBadRequest, sdk.ErrorCodeCountryCodeInvalid, "country", "Country '%s' is unknown.", country)}
		}
		made.Country = country
	}
	made.Email, made.Metadata = form.Get("email"), metadata
	return outcome{executed: true, answer: ok(made), entry: entry{Account: made}}
}

func (s *Server) getAccount(r *http.Request, query url.Values) answer {
	if a, unknown := unknownParameter(query); unknown {
		return a
	}
	found := s.accounts[r.PathValue("id")]
	if found == nil && s.options.AnyAccount && strings.HasPrefix(r.PathValue("id"), "acct_") {
		found = s.newAccount(r.PathValue("id"))
		found.activate()
	}
	if found == nil {
		return noAccount(r.PathValue("id"))
	}
	return ok(found)
}

func noAccount(id string) answer {
	return refuse(http.StatusForbidden, sdk.ErrorCodeAccountInvalid, "", "The provided key does not have access to account '%s' (or that account does not exist).", id)
}

// createAccountLink answers with a page of the stand-in where the account is made ready to
// be paid.
func (s *Server) createAccountLink(r *http.Request, form url.Values) outcome {
	if a, unknown := unknownParameter(form, "account", "type", "refresh_url", "return_url", "collect"); unknown {
		return outcome{answer: a}
	}
	for _, name := range []string{"account", "type", "refresh_url", "return_url"} {
		if form.Get(name) == "" {
			return outcome{answer: missing(name)}
		}
	}
	if s.accounts[form.Get("account")] == nil {
		return outcome{answer: noAccount(form.Get("account"))}
	}
	if form.Get("type") != "account_onboarding" {
		return outcome{answer: refuse(http.StatusBadRequest, "", "type", "Invalid type: must be account_onboarding")}
	}
	now := s.options.Now().Unix()
	page := url.URL{
		Scheme:   "http",
		Host:     r.Host,
		Path:     "/standin/onboarding/" + form.Get("account"),
		RawQuery: url.Values{"return_url": {form.Get("return_url")}}.Encode(),
	}
	return outcome{executed: true, answer: ok(map[string]any{"object": "account_link", "created": now, "expires_at": now + 300, "url": page.String()})}
}

// hostedPage stands in for the page on which Stripe asks the owner of an account for what it
// has to know.
var hostedPage = template.Must(template.New("onboarding").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Stand-in for Stripe's onboarding</title></head>
<body><main><h1>Stand-in for Stripe's onboarding</h1>
<p>On Stripe's own page, the owner of the account {{.Account}} would now say who they are and to which bank account they want to be paid.</p>
<form method="post"><button name="say" value="everything">Say everything that is asked for</button> <button name="say" value="nothing">Go back without</button></form>
</main></body></html>
`))

func (s *Server) showOnboarding(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	known := s.accounts[r.PathValue("id")] != nil
	s.mu.Unlock()
	if !known {
		noAccount(r.PathValue("id")).write(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = hostedPage.Execute(w, map[string]string{"Account": r.PathValue("id")}) // a reader that went away
}

func (s *Server) onboard(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("say") == "everything" {
		if err := s.Onboard(r.PathValue("id")); err != nil {
			noAccount(r.PathValue("id")).write(w)
			return
		}
	}
	http.Redirect(w, r, r.URL.Query().Get("return_url"), http.StatusSeeOther)
}

// Onboard makes an account ready to be paid, as its owner does at Stripe.
func (s *Server) Onboard(id string) error {
	return s.changeAccount(id, (*account).activate)
}

// Disable takes an account's ability to be paid away.
func (s *Server) Disable(id string) error {
	return s.changeAccount(id, func(a *account) {
		a.Capabilities = map[string]string{"transfers": "inactive"}
		a.PayoutsEnabled = false
	})
}

func (s *Server) changeAccount(id string, change func(*account)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.accounts[id]
	if found == nil {
		return fmt.Errorf("the stand-in has no account %q", id)
	}
	after := *found
	change(&after)
	return s.commit(entry{Account: &after, Event: s.newEvent("account.updated", id, &after)})
}

// AddAccount adds an account that is ready to be paid. One that is there stays as it is.
func (s *Server) AddAccount(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accounts[id] != nil {
		return nil
	}
	made := s.newAccount(id)
	made.activate()
	return s.commit(entry{Account: made})
}

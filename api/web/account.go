package web

import (
	"slices"
	"strconv"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/incentive/notice"
)

type accountPage struct {
	Chooses   bool
	Continue  string // the rail's page that asks the visitor for what it has to know
	Methods   client.Methods
	Rails     []rail
	Rewards   bool   // there are some to choose
	Points    bool   // there are rewards for
	Failed    string // the rail whose details were refused
	Keeps     bool   // tokens
	Tokens    []client.KeptToken
	Actions   []incentive.Action // that the visitor may do
	Named     string             // the token that was not made
	Secret    string             // of the token that was just made
	Languages []language.Language
	Timings   []notice.Timing
	Settings  client.Settings
}

// account shows who the visitor is, where they are paid, and who can act as them.
func (v *visit) account() error { return v.accountWith("", "") }

// accountWith shows the account and the secret of a token, which nobody can see again, or
// leads to the page of a rail.
func (v *visit) accountWith(secret, page string) error {
	body := accountPage{
		Chooses:   v.may(incentive.ChooseMethod) > incentive.None,
		Failed:    v.failed("rail"),
		Keeps:     v.may(incentive.KeepTokens) > incentive.None,
		Named:     v.failed("name"),
		Secret:    secret,
		Continue:  page,
		Languages: language.Languages,
		Timings:   notice.Timings,
	}
	var err error
	if body.Settings, err = client.Read[client.Settings](v.api.GetSettings(v.r.Context())); err != nil {
		return err
	}
	if body.Chooses {
		if body.Methods, err = client.Read[client.Methods](v.api.GetMethods(v.r.Context(), v.me.Id)); err != nil {
			return err
		}
		body.Rewards, body.Points = v.rewards(body.Methods.Rails), slices.Contains(v.railNames(), incentive.PointsRail)
		for _, name := range body.Methods.Rails {
			if fields, known := details[name]; known {
				body.Rails = append(body.Rails, rail{name, fields})
			}
		}
	}
	if body.Keeps {
		list, err := client.Read[client.Tokens](v.api.ListTokens(v.r.Context(), v.me.Id))
		if err != nil {
			return err
		}
		body.Tokens = list.Tokens
		for _, action := range incentive.Actions() {
			if v.may(action) > incentive.None {
				body.Actions = append(body.Actions, action)
			}
		}
	}
	return v.show("account", "account.title", body)
}

// makeToken makes a token of the visitor's and shows its secret.
func (v *visit) makeToken() error {
	days, err := strconv.Atoi(v.r.PostFormValue("days"))
	if err != nil {
		return incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("refused.form"))
	}
	request := client.TokenRequest{Name: v.r.PostFormValue("name"), Days: days}
	if only := v.r.PostForm["only"]; len(only) > 0 {
		request.Only = &only
	}
	made, err := command[client.Token](v.api.MakeToken(v.r.Context(), v.me.Id, &client.MakeTokenParams{IdempotencyKey: v.key()}, request))
	v.problem = err
	return v.accountWith(made.Secret, "")
}

// revokeToken makes a token of the visitor's worthless.
func (v *visit) revokeToken() error {
	_, err := command[client.Revoked](v.api.RevokeToken(v.r.Context(), v.me.Id, v.r.PathValue("token"), &client.RevokeTokenParams{IdempotencyKey: v.key()}))
	return v.done(err, "/account", message{Key: "done.token"}, (*visit).account)
}

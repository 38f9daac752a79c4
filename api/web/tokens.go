package web

import (
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type tokensPage struct {
	Tokens   []client.OwnedToken
	Person   string
	Sessions bool
	After    string
	First    bool
}

// tokens lists everybody's tokens, for those who keep all.
func (v *visit) tokens() error {
	if v.may(incentive.KeepTokens) < incentive.All {
		return v.forbidden()
	}
	after, l := v.list(head{})
	query := v.r.URL.Query()
	body := tokensPage{Person: query.Get("person"), Sessions: query.Get("sessions") != ""}
	list, err := client.Read[client.AllTokens](v.api.ListAllTokens(v.r.Context(), &client.ListAllTokensParams{Person: given(body.Person), Sessions: &body.Sessions, After: after}))
	if err != nil {
		return err
	}
	l.next(list.Next)
	body.Tokens, body.After, body.First = list.Tokens, l.After, l.First
	return v.show("tokens", "tokens.title", body)
}

// endToken makes anybody's token worthless.
func (v *visit) endToken() error {
	if v.may(incentive.KeepTokens) < incentive.All {
		return v.forbidden()
	}
	_, err := command[client.Revoked](v.api.RevokeToken(v.r.Context(), v.r.PostFormValue("person"), v.r.PostFormValue("token"), &client.RevokeTokenParams{IdempotencyKey: v.key()}))
	return v.done(err, local(v.r.URL.RequestURI()), message{Key: "done.token-ended"}, (*visit).tokens)
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type me struct{}

func (me) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	p, err := client.Read[client.Person](c.GetMe(ctx))
	if err != nil {
		return err
	}
	return d.show(p, func(w *tabwriter.Writer) { row(w, p.Id, p.Name, strings.Join(p.Roles, ", ")) })
}

type people struct{}

func (people) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(after *string) ([]client.Person, *string, error) {
		page, err := client.Read[client.People](c.ListPeople(ctx, &client.ListPeopleParams{After: after}))
		return page.People, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, p := range all {
			row(w, p.Id, p.Name, strings.Join(p.Roles, ", "))
		}
	})
}

type roles struct {
	Person string   `arg:""`
	Roles  []string `arg:"" optional:"" enum:"rep,manager,finance,administrator,auditor" help:"rep, manager, finance, administrator or auditor; none takes all away."`
}

func (r roles) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	body := client.PutRolesJSONRequestBody{Roles: []client.RolesRoles{}}
	for _, role := range r.Roles {
		body.Roles = append(body.Roles, client.RolesRoles(role))
	}
	p, err := client.Read[client.Person](c.PutRoles(ctx, r.Person, &client.PutRolesParams{IdempotencyKey: client.NewKey()}, body))
	if err != nil {
		return err
	}
	return d.show(p, func(w *tabwriter.Writer) { row(w, p.Id, p.Name, strings.Join(p.Roles, ", ")) })
}

type token struct {
	Person string   `arg:""`
	Name   string   `required:"" help:"What the token is for."`
	Days   int      `default:"90" help:"How long it is valid."`
	Only   []string `placeholder:"ACTION" help:"What it may be used for, such as import-data; everything that the person may when absent."`
}

func (t token) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	request := client.MakeTokenJSONRequestBody{Name: t.Name, Days: t.Days}
	if len(t.Only) > 0 {
		request.Only = &t.Only
	}
	answer, err := client.Read[client.Token](c.MakeToken(ctx, t.Person, &client.MakeTokenParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { row(w, answer.Secret) })
}

type tokens struct {
	Person   string `arg:"" optional:"" help:"Whose; everybody's when absent, for administrators."`
	Revoke   string `placeholder:"ID" help:"Make this one of the participant's worthless."`
	Sessions bool   `help:"With sessions of the pages."`
}

func (t tokens) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Revoke != "" {
		if t.Person == "" {
			return incentive.Errorf(incentive.CodeInvalid, "say whose token is to be revoked: guerdon tokens PERSON --revoke ID")
		}
		if _, err := client.Read[client.Revoked](c.RevokeToken(ctx, t.Person, t.Revoke, &client.RevokeTokenParams{IdempotencyKey: client.NewKey()})); err != nil {
			return err
		}
	}
	all, err := every(func(after *string) ([]client.OwnedToken, *string, error) {
		page, err := client.Read[client.AllTokens](c.ListAllTokens(ctx, &client.ListAllTokensParams{Person: optional(t.Person), Sessions: &t.Sessions, After: after}))
		return page.Tokens, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			only, used := "everything", "never used"
			if one.Token.Only != nil {
				only = strings.Join(*one.Token.Only, ", ")
			}
			if one.Token.LastUsedAt != nil {
				used = "used " + one.Token.LastUsedAt.Format(time.DateOnly)
			}
			row(w, one.Person, one.Token.Id, one.Token.Name, only, "until "+one.Token.ExpiresAt.Format(time.DateOnly), used)
		}
	})
}

type company struct {
	Name     string `help:"A new name."`
	TimeZone string `help:"A new time zone, such as Asia/Jakarta."`

	PaymentFiles string `type:"existingfile" placeholder:"FILE" help:"Say by this JSON file how payment files are written: company, iso20022_lead_days, nacha_lead_days, payment_file_template, payment_file_answers, india_template, india_answers."`
}

func (c company) Run(ctx context.Context, d *desk) error {
	api, err := d.api()
	if err != nil {
		return err
	}
	if c.PaymentFiles != "" {
		text, err := os.ReadFile(c.PaymentFiles)
		if err != nil {
			return err
		}
		answer, err := client.Read[client.FileSettings](api.PutFileSettingsWithBody(ctx, &client.PutFileSettingsParams{IdempotencyKey: client.NewKey()}, "application/json", bytes.NewReader(text)))
		if err != nil {
			return err
		}
		return d.show(answer, func(w *tabwriter.Writer) { row(w, "kept") })
	}
	answer, err := client.Read[client.Company](api.GetCompany(ctx))
	if c.Name != "" || c.TimeZone != "" {
		if err != nil && incentive.ErrorCode(err) != incentive.CodeNotFound {
			return err
		}
		if c.Name == "" {
			c.Name = answer.Name
		}
		if c.TimeZone == "" {
			c.TimeZone = answer.TimeZone
		}
		answer, err = client.Read[client.Company](api.PutCompany(ctx, &client.PutCompanyParams{IdempotencyKey: client.NewKey()}, client.PutCompanyJSONRequestBody{Name: c.Name, TimeZone: c.TimeZone}))
	}
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) { row(w, answer.Name, answer.TimeZone) })
}

type reward struct {
	List   rewardList   `cmd:"" help:"List the rewards to be paid by."`
	Choose rewardChoose `cmd:"" help:"Be paid by a reward from the next payouts on that are planned."`
}

type rewardList struct {
	Country  string `help:"An ISO 3166 code, such as IN; one's own when absent."`
	Currency string `help:"Such as INR; one's pay currency when absent."`
}

// rewardsOf asks for the rewards of whoever asks.
func rewardsOf(ctx context.Context, c *client.Client, country, currency string) (client.Person, client.Rewards, error) {
	self, err := client.Read[client.Person](c.GetMe(ctx))
	if err != nil {
		return self, client.Rewards{}, err
	}
	all, err := client.Read[client.Rewards](c.ListRewards(ctx, self.Id, &client.ListRewardsParams{Country: optional(country), Currency: optional(currency)}))
	return self, all, err
}

func (r rewardList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	_, all, err := rewardsOf(ctx, c, r.Country, r.Currency)
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all.Rewards {
			row(w, one.Rail, one.Product, one.Name, one.Category)
		}
		for _, rail := range all.Unavailable {
			row(w, rail, "its catalogue cannot be had now")
		}
	})
}

type rewardChoose struct {
	Rail    string `arg:""`
	Product string `arg:""`
	Email   string `help:"Where the reward is sent; one's own address when absent."`
}

func (r rewardChoose) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	self, all, err := rewardsOf(ctx, c, "", "")
	if err != nil {
		return err
	}
	if r.Email == "" {
		r.Email = all.Email
	}
	answer, err := client.Read[client.Destination](c.PutDestination(ctx, self.Id, &client.PutDestinationParams{IdempotencyKey: client.NewKey()},
		client.PutDestinationJSONRequestBody{Rail: r.Rail, Details: map[string]string{"email": r.Email, "product": r.Product}}))
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		row(w, answer.Person, answer.Rail, answer.Masked, fmt.Sprintf("version %d", answer.Version))
	})
}

type destination struct {
	Person  string            `arg:"" optional:"" help:"Yourself when absent."`
	Rail    string            `help:"The rail that pays, such as payment-file or stripe."`
	Details map[string]string `name:"detail" help:"What the rail needs, such as --detail account=DE89… --detail holder=…"`
}

func (t destination) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Person == "" {
		self, err := client.Read[client.Person](c.GetMe(ctx))
		if err != nil {
			return err
		}
		t.Person = self.Id
	}
	var answer client.Destination
	if t.Rail == "" {
		answer, err = client.Read[client.Destination](c.GetDestination(ctx, t.Person))
	} else {
		answer, err = client.Read[client.Destination](c.PutDestination(ctx, t.Person, &client.PutDestinationParams{IdempotencyKey: client.NewKey()}, client.PutDestinationJSONRequestBody{Rail: t.Rail, Details: t.Details}))
	}
	if err != nil {
		return err
	}
	return d.show(answer, func(w *tabwriter.Writer) {
		row(w, answer.Person, answer.Rail, answer.Masked, fmt.Sprintf("version %d", answer.Version))
	})
}

package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
)

// kindsPage lets the visitor look at rewards of one kind.
type kindsPage struct {
	Kinds []kindLink // none where there is nothing to choose between
}

type kindLink struct {
	Kind string // "" is all of them
	Path string
	Here bool
}

// kinds lists the kinds that rewards are of, and leaves of the rewards those of the kind that the visitor asks for.
func (v *visit) kinds(path string, all *client.Rewards) (page kindsPage) {
	asked := v.r.URL.Query().Get("kind")
	link := func(kind string) kindLink {
		query := v.r.URL.Query()
		if query.Del("kind"); kind != "" {
			query.Set("kind", kind)
		}
		l := kindLink{Kind: kind, Path: path, Here: kind == asked}
		if len(query) > 0 {
			l.Path += "?" + query.Encode()
		}
		return l
	}
	page.Kinds = []kindLink{link("")}
	for _, kind := range payments.ProductKinds {
		if slices.ContainsFunc(all.Rewards, func(r client.Reward) bool { return r.Kind == string(kind) }) {
			page.Kinds = append(page.Kinds, link(string(kind)))
		}
	}
	if len(page.Kinds) < 3 {
		return kindsPage{}
	}
	if asked != "" {
		all.Rewards = slices.DeleteFunc(all.Rewards, func(r client.Reward) bool { return r.Kind != asked })
	}
	return page
}

type pointsPage struct {
	kindsPage
	client.PointsAccount
	Chosen      client.PointsBalance // the points that are spent here
	Rewards     []affordable
	Unavailable []string
	Email       string
	Points      string // as the visitor wrote it
	First       bool
}

// affordable is a reward that the visitor has points for.
type affordable struct {
	client.Reward
	Fixed []fixedAmount // the amounts that it comes in, where these are few; none: any that the visitor writes
}

type fixedAmount struct {
	Points int64
	Worth  incentive.Money
}

// points shows what the visitor has in points, and what they can have for them.
func (v *visit) points() error {
	var before *string
	if from := v.r.URL.Query().Get("before"); from != "" {
		before = &from
	}
	account, err := client.Read[client.PointsAccount](v.api.GetPoints(v.r.Context(), v.me.Id, &client.GetPointsParams{Before: before}))
	if err != nil {
		return err
	}
	body := pointsPage{PointsAccount: account, First: before == nil}
	if len(account.Balances) == 0 {
		return v.show("points", "points.title", body)
	}
	body.Chosen = account.Balances[0]
	currency := cmp.Or(v.r.PostFormValue("currency"), v.r.URL.Query().Get("currency"))
	for _, b := range account.Balances {
		if string(b.Worth.Currency) == currency {
			body.Chosen = b
		}
	}
	currency = string(body.Chosen.Worth.Currency)
	all, err := client.Read[client.Rewards](v.api.ListRewards(v.r.Context(), v.me.Id, &client.ListRewardsParams{Currency: &currency}))
	if err != nil {
		return err
	}
	body.Unavailable, body.Email, body.Points = all.Unavailable, all.Email, strconv.FormatInt(body.Chosen.Points, 10)
	all.Rewards = slices.DeleteFunc(all.Rewards, func(r client.Reward) bool { return !affords(r, body.Chosen) })
	body.kindsPage = v.kinds("/points", &all)
	for _, r := range all.Rewards {
		body.Rewards = append(body.Rewards, affordable{r, fixed(r, body.Chosen)})
	}
	if v.problem != nil {
		body.Email, body.Points = v.r.PostFormValue("email"), v.r.PostFormValue("points")
	}
	return v.show("points", "points.title", body)
}

// worth is an amount of a catalogue; ok is false where it is none of the currency.
func worth(text string, currency incentive.Currency) (m incentive.Money, ok bool) {
	d, err := incentive.ParseDecimal(text)
	if err == nil {
		m, err = incentive.MoneyOf(d, currency)
	}
	return m, err == nil
}

// affords reports whether points are enough for the smallest of a reward's amounts.
func affords(r client.Reward, has client.PointsBalance) bool {
	return len(r.Amounts) == 0 || slices.ContainsFunc(r.Amounts, func(a client.RewardAmounts) bool {
		least, ok := worth(a.Smallest, has.Worth.Currency)
		return ok && least.Minor <= has.Points
	})
}

// fixed are the amounts of a reward that comes in some alone, as far as points go.
func fixed(r client.Reward, has client.PointsBalance) (amounts []fixedAmount) {
	for _, a := range r.Amounts {
		m, ok := worth(a.Smallest, has.Worth.Currency)
		if a.Smallest != a.Largest || !ok {
			return nil
		}
		if m.Minor <= has.Points {
			amounts = append(amounts, fixedAmount{m.Minor, m})
		}
	}
	return amounts
}

// redeemPoints takes a reward for points.
func (v *visit) redeemPoints() error {
	rail, rest, _ := strings.Cut(v.r.PostFormValue("reward"), "/")
	product, fixed, isFixed := strings.Cut(rest, "/")
	if !isFixed {
		fixed = v.r.PostFormValue("points")
	}
	points, err := strconv.ParseInt(strings.TrimSpace(fixed), 10, 64)
	if err != nil || points < 1 {
		return v.done(incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Get("points.no-number")), "/points", message{}, (*visit).points)
	}
	request := client.RedemptionRequest{Rail: rail, Product: product, Currency: v.r.PostFormValue("currency"), Points: points}
	if email := v.r.PostFormValue("email"); email != "" {
		request.Email = &email
	}
	_, err = command[client.Redemption](v.api.RedeemPoints(v.r.Context(), v.me.Id, &client.RedeemPointsParams{IdempotencyKey: v.key()}, request))
	return v.done(err, "/points", message{Key: "done.redeemed"}, (*visit).points)
}

type redemptionsPage struct {
	client.Redemptions
	Waiting bool
	First   bool
	Decides bool
	Me      string
	Failed  string // of which the points were not given back
}

// redemptions shows the rewards that people took for points.
func (v *visit) redemptions() error {
	query := v.r.URL.Query()
	waiting := query.Get("waiting") != ""
	params := client.ListRedemptionsParams{Waiting: &waiting}
	if from := query.Get("before"); from != "" {
		params.Before = &from
	}
	list, err := client.Read[client.Redemptions](v.api.ListRedemptions(v.r.Context(), &params))
	if err != nil {
		return err
	}
	if list.Next != nil {
		next := url.QueryEscape(*list.Next)
		list.Next = &next
	}
	return v.show("redemptions", "redemptions.title", redemptionsPage{list, waiting, params.Before == nil, v.may(incentive.RunPeriod) > incentive.None, v.me.Id, v.failed("redemption")})
}

// giveBackPoints gives back the points of a reward that waits for a person.
func (v *visit) giveBackPoints() error {
	_, err := command[client.Redemption](v.api.GiveBackPoints(v.r.Context(), v.r.PostFormValue("redemption"), &client.GiveBackPointsParams{IdempotencyKey: v.key()}, client.Reason{Reason: v.r.PostFormValue("reason")}))
	return v.done(err, "/redemptions", message{Key: "done.points-back"}, (*visit).redemptions)
}

package main

import (
	"context"
	"strconv"
	"text/tabwriter"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type pointsCommand struct{}

// Run shows what whoever asks has in points, and what they took.
func (pointsCommand) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	self, err := client.Read[client.Person](c.GetMe(ctx))
	if err != nil {
		return err
	}
	account, err := client.Read[client.PointsAccount](c.GetPoints(ctx, self.Id, &client.GetPointsParams{}))
	if err != nil {
		return err
	}
	return d.show(account, func(w *tabwriter.Writer) {
		for _, b := range account.Balances {
			until := ""
			if b.ExpireOn != nil {
				until = strconv.FormatInt(b.Expiring, 10) + " until " + b.ExpireOn.String()
			}
			row(w, strconv.FormatInt(b.Points, 10), b.Worth.String(), until)
		}
		for _, r := range account.Redemptions {
			redemptionRow(w, r)
		}
	})
}

func redemptionRow(w *tabwriter.Writer, r client.Redemption) {
	row(w, r.Id, r.Person, r.Reward, r.Worth.String(), r.Rail, r.SentTo, r.State, r.Reason)
}

type redeem struct {
	Rail     string             `arg:"" help:"Whose catalogue has the reward: tremendous or xoxoday."`
	Product  string             `arg:"" help:"Its id, from guerdon reward list."`
	Points   int64              `arg:"" help:"How many points, each worth the smallest unit of the currency: 2500 are 25.00 USD."`
	Currency incentive.Currency `help:"Of the points; your pay currency when absent."`
	Email    string             `help:"Where it is sent; to your own address when absent."`
}

// Run takes a reward for points.
func (r redeem) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	self, all, err := rewardsOf(ctx, c, "", string(r.Currency))
	if err != nil {
		return err
	}
	request := client.RedemptionRequest{Rail: r.Rail, Product: r.Product, Points: r.Points, Currency: all.Currency, Email: optional(r.Email)}
	taken, err := client.Read[client.Redemption](c.RedeemPoints(ctx, self.Id, &client.RedeemPointsParams{IdempotencyKey: client.NewKey()}, request))
	if err != nil {
		return err
	}
	return d.show(taken, func(w *tabwriter.Writer) { redemptionRow(w, taken) })
}

type redemptions struct {
	List     redemptionList `cmd:"" help:"List the rewards that people took for points, the latest first."`
	GiveBack pointsBack     `cmd:"" help:"Give the points back of a reward that waits for a person, and of which the rail knows nothing."`
}

type redemptionList struct {
	Waiting bool `help:"Those alone that wait for a person."`
}

func (r redemptionList) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	all, err := every(func(before *string) ([]client.Redemption, *string, error) {
		page, err := client.Read[client.Redemptions](c.ListRedemptions(ctx, &client.ListRedemptionsParams{Waiting: &r.Waiting, Before: before}))
		return page.Redemptions, page.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, one := range all {
			redemptionRow(w, one)
		}
	})
}

type pointsBack struct {
	Redemption string `arg:""`
	Reason     string `required:"" help:"Why."`
}

func (g pointsBack) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	done, err := client.Read[client.Redemption](c.GiveBackPoints(ctx, g.Redemption, &client.GiveBackPointsParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: g.Reason}))
	if err != nil {
		return err
	}
	return d.show(done, func(w *tabwriter.Writer) { redemptionRow(w, done) })
}

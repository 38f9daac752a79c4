package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/tremendous"
	shop "github.com/guerdon/guerdon/payments/tremendous/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/workflows"
)

// takes has somebody who was paid in points take a reward for some of them. Where the shop does not show what it has,
// they come again.
func (d *desk) takes(ctx context.Context, who *payee) {
	_, err := ask[client.Redemption](ctx, func(key string) (*http.Response, error) {
		return d.people[who.ID].RedeemPoints(ctx, who.ID, &client.RedeemPointsParams{IdempotencyKey: key}, client.RedemptionRequest{Rail: tremendous.Name, Product: shop.GiftCard, Currency: "USD", Points: who.Reward.Minor})
	})
	if err != nil {
		d.log.say("%s cannot take a reward: %v", who.ID, err)
		return
	}
	d.spent[who.ID] = true
	d.tally.rewards++
	d.log.say("%s takes a reward for %d points", who.ID, who.Reward.Minor)
}

// redeemed is a reward that somebody took.
type redeemed struct {
	ID, Person, State, Reason string
	Minor                     int64
}

// redemptions are the rewards that those of a cycle took.
func (w *world) redemptions(ctx context.Context, d *desk) (all []redeemed, err error) {
	err = until(ctx, "the database answers", func() (bool, error) {
		connection, err := pgx.Connect(ctx, w.house.DatabaseURL)
		if err != nil {
			return false, nil
		}
		defer connection.Close(ctx)
		rows, err := connection.Query(ctx, `SELECT id::text, participant_id, state, reason, amount_minor FROM guerdon.redemption WHERE participant_id LIKE $1 ORDER BY participant_id`, strings.TrimSuffix(d.period, "-2026-10")+"%")
		if err != nil {
			return false, nil
		}
		all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[redeemed])
		return err == nil, nil
	})
	return all, err
}

// rewarded returns once every reward is sent or its points are back. People look at theirs again and again, and the shop
// takes back what it does in the end.
func (d *desk) rewarded(ctx context.Context) error {
	var told time.Time
	back := map[string]bool{}
	return until(ctx, "every reward is sent, or its points are back", func() (bool, error) {
		all, err := d.redemptions(ctx, d)
		if err != nil {
			return false, err
		}
		look, over := time.Since(told) > 500*time.Millisecond, true
		for _, r := range all {
			who := d.payees[r.Person]
			if r.State == map[fate]string{paid: "paid", refused: "refused", returned: "returned"}[who.Reward.Fate] {
				continue
			}
			over = false
			switch {
			case r.State == "paid" && who.Reward.Fate == returned && !back[r.ID]:
				back[r.ID] = true
				d.log.say("the reward of %s is taken back", r.Person)
				if err := d.rails[tremendous.Name].reverse(ctx, r.ID); err != nil {
					return false, err
				}
			case r.State == "paid" && who.Reward.Fate != returned || r.State == "refused" || r.State == "returned":
				return false, fmt.Errorf("the reward of %s of fate %s is %s %s", r.Person, who.Reward.Fate, r.State, r.Reason)
			case look:
				told = time.Now()
				if err := workflows.TellRedemption(ctx, d.house.Client, r.ID); err != nil {
					d.log.say("nobody hears of the reward of %s: %v", r.Person, err)
				}
			}
		}
		return over, nil
	})
}

// spent checks everybody who was paid in points: they have what they did not spend, each reward was taken
// once, and the shop was asked for it once.
func (w *world) spent(ctx context.Context, d *desk) error {
	all, err := w.redemptions(ctx, d)
	if err != nil {
		return err
	}
	took := map[string]int{}
	for _, r := range all {
		who := d.payees[r.Person]
		took[r.Person]++
		if r.Minor != who.Reward.Minor {
			return fmt.Errorf("%s took a reward for %d points, and wanted one for %d", r.Person, r.Minor, who.Reward.Minor)
		}
		if debits := w.rails[tremendous.Name].paid(r.ID); debits != 1 {
			return fmt.Errorf("the reward of %s was ordered %d times", r.Person, debits)
		}
	}
	for id, who := range d.payees {
		if who.Rail != incentive.PointsRail {
			continue
		}
		left, want := who.Amount.Minor, 0
		if who.Reward != nil {
			if want = 1; who.Reward.Fate == paid {
				left -= who.Reward.Minor
			}
		}
		balances, err := w.house.Store.Points(ctx, id)
		if err != nil {
			return err
		}
		has := int64(0)
		for _, b := range balances {
			has += b.Amount.Minor
		}
		if has != left || took[id] != want {
			return fmt.Errorf("%s has %d points and not %d, and took %d rewards and not %d", id, has, left, took[id], want)
		}
	}
	return nil
}

// pointsBooks are what was collected in points, and what of it was spent, over all cycles of the house.
func (w *world) pointsBooks(ctx context.Context) (collected, spent int64, err error) {
	connection, err := pgx.Connect(ctx, w.house.DatabaseURL)
	if err != nil {
		return 0, 0, err
	}
	defer connection.Close(ctx)
	err = connection.QueryRow(ctx, `SELECT (SELECT coalesce(sum(amount_minor), 0)::bigint FROM guerdon.points), (SELECT coalesce(sum(amount_minor), 0)::bigint FROM guerdon.redemption WHERE state = $1)`, store.RedemptionPaid).Scan(&collected, &spent)
	return collected, spent, err
}

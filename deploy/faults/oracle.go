package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/tremendous"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// judge checks what a cycle has left: everybody was paid as often as they must be, the ledger
// balances and says what the rails' books say, the chain and all figures are proved, and
// nothing is under way or waits any more.
func (w *world) judge(ctx context.Context, d *desk) error {
	s := w.house.Store
	for _, check := range []func() error{
		func() error { // nothing was lost on the way, and every workflow is at its end
			return until(ctx, "everything is applied and archived", func() (bool, error) {
				waiting, err := texts(ctx, w.house.DatabaseURL, `SELECT e.rail || ' ' || e.kind FROM guerdon.rail_event e LEFT JOIN guerdon.rail_event_outcome x ON x.event = e.number WHERE x.event IS NULL
					UNION ALL SELECT 'a recall' FROM guerdon.payout_recall WHERE finished_at IS NULL
					UNION ALL SELECT 'a file of prenotes' FROM guerdon.prenote_file WHERE passed_at IS NULL
					UNION ALL SELECT 'a status file' FROM guerdon.status_file WHERE applied_at IS NULL
					UNION ALL SELECT 'a command' FROM guerdon.command WHERE status IS NULL AND actor <> 'nobody' AND created_at > now() - interval '1 second'`)
				if err != nil || len(waiting) > 0 {
					return false, err
				}
				replayed, err := worker.Replay(ctx, s, d.period, 1)
				if err == nil && len(replayed.CutShort) > 0 {
					err = fmt.Errorf("workflows were cut short: %v", replayed.CutShort)
				}
				return replayed.Histories >= 3, err
			})
		},
		func() error {
			proof, err := activities.Verify(ctx, s, d.period, 1)
			if err == nil && (proof.State != incentive.Closed || proof.Statements != len(d.payees)) {
				err = fmt.Errorf("the period is %s, with %d statements of %d", proof.State, proof.Statements, len(d.payees))
			}
			return err
		},
		func() error { return w.onceEach(ctx, d) },
		func() error { return w.triedFirst(ctx, d) },
		func() error { return w.spent(ctx, d) },
		func() error { return w.books(ctx) },
		func() error { return actsOnce(ctx, s, d.period) },
	} {
		if err := check(); err != nil {
			return fmt.Errorf("the oracle: %w", err)
		}
	}
	return nil
}

// onceEach checks every payee: what the record says of their payout, how often it was debited
// at the rail, and what they are still owed.
func (w *world) onceEach(ctx context.Context, d *desk) error {
	connection, err := pgx.Connect(ctx, w.house.DatabaseURL)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, `
		SELECT o.id::text, o.participant_id, o.amount_minor, o.currency, o.rail, o.state, array(SELECT a.key::text FROM guerdon.payout_attempt a WHERE a.payout_id = o.id ORDER BY a.number),
			-(SELECT coalesce(sum(p.amount_minor), 0)::bigint FROM guerdon.posting p JOIN guerdon.ledger_account l ON l.id = p.account_id WHERE l.participant_id = o.participant_id AND l.kind = $2),
			(SELECT count(*)::int FROM guerdon.points c WHERE c.payout_id = o.id)
		FROM guerdon.payout o WHERE o.period_id = $1 ORDER BY o.participant_id`, d.period, store.Payable)
	if err != nil {
		return err
	}
	var id, who, rail, state string
	var amount incentive.Money
	var keys []string
	var owed int64
	seen, collected := 0, 0
	var wrong []string
	_, err = pgx.ForEachRow(rows, []any{&id, &who, &amount.Minor, &amount.Currency, &rail, &state, &keys, &owed, &collected}, func() error {
		one := d.payees[who]
		seen++
		want, ends, left := 1, "paid", one.Part // which is owed again
		if one.Fate != paid {
			ends, left = "cancelled", amount.Minor
		}
		if one.Fate == refused && w.refusesAtOnce(rail) {
			want = 0
		}
		debits := 0
		if o := w.rails[rail]; o != nil {
			for _, key := range keys {
				debits += o.paid(key)
			}
		} else if rail == incentive.PointsRail {
			debits = collected
		} else {
			w.bank.mu.Lock()
			debits = w.bank.debit[entered(rail, id)]
			w.bank.mu.Unlock()
		}
		if amount != one.Amount || state != ends || debits != want || owed != left {
			wrong = append(wrong, fmt.Sprintf("%s of fate %s by %s: %s %s, %d debits and not %d, %d owed and not %d, attempts %v", who, one.Fate, rail, amount, state, debits, want, owed, left, keys))
		}
		return nil
	})
	if err == nil && (seen != len(d.payees) || len(wrong) > 0) {
		err = fmt.Errorf("%d of %d are paid\n%s", seen, len(d.payees), strings.Join(wrong, "\n"))
	}
	return err
}

// refusesAtOnce reports whether a rail takes no money for what it refuses. The others give it
// back.
func (w *world) refusesAtOnce(rail string) bool {
	o := w.rails[rail]
	return o == nil || o.settle == nil
}

// books checks that the ledger says what the rails' books say, of all cycles of the house
// together: what has left each rail is what is paid by it, nothing is in transit, and cash is
// the sum of both.
func (w *world) books(ctx context.Context) error {
	connection, err := pgx.Connect(ctx, w.house.DatabaseURL)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, `
		SELECT rail, currency, sum(amount_minor - (SELECT coalesce(sum(r.amount_minor), 0) FROM guerdon.payout_recall r WHERE r.payout_id = o.id AND r.in_part))::bigint FROM guerdon.payout o WHERE state = 'paid' GROUP BY rail, currency`)
	if err != nil {
		return err
	}
	ours, byCurrency := map[string]int64{}, map[incentive.Currency]int64{}
	var rail string
	var currency incentive.Currency
	var minor int64
	if _, err := pgx.ForEachRow(rows, []any{&rail, &currency, &minor}, func() error {
		ours[rail+" "+string(currency)] += minor
		if rail != incentive.PointsRail { // which pays once they are spent
			byCurrency[currency] += minor
		}
		return nil
	}); err != nil {
		return err
	}
	collected, spent, err := w.pointsBooks(ctx)
	if err != nil {
		return err
	}
	ours[tremendous.Name+" USD"] += spent
	byCurrency["USD"] += spent
	for _, one := range rails {
		name := one.name + " " + string(one.currency)
		left := w.bank.books[name]
		if one.kind == kept {
			left = collected
		}
		if o := w.rails[one.name]; o != nil {
			held, err := o.asked.Balance(ctx, o.currency)
			if err != nil {
				return err
			}
			left = o.opening.Minor - held.Minor
		}
		if left != ours[name] {
			return fmt.Errorf("%d has left %s, and %d is paid by it", left, name, ours[name])
		}
	}
	balances, err := w.house.Store.Balances(ctx, "", 0)
	if err != nil {
		return err
	}
	for _, b := range balances {
		switch {
		case b.Kind == store.Points:
			collected += b.Minor
		case b.Kind == store.Clearing && b.Minor != 0:
			return fmt.Errorf("%d %s is in transit by %s, and nothing is under way", b.Minor, b.Currency, b.Rail)
		case b.Kind == store.Cash && b.Minor != -byCurrency[b.Currency]:
			return fmt.Errorf("cash is %d %s, and %d was paid", b.Minor, b.Currency, byCurrency[b.Currency])
		}
	}
	if collected != spent {
		return fmt.Errorf("%d of points is not in the ledger, and %d was spent", collected, spent)
	}
	return nil
}

// actsOnce checks that each act on the period was done once.
func actsOnce(ctx context.Context, s *store.Store, period string) error {
	acts, err := s.PeriodActs(ctx, period, 1)
	if err != nil {
		return err
	}
	done := []incentive.Act{}
	for _, a := range acts {
		if slices.Contains(done, a.Act) {
			return fmt.Errorf("%s was done twice", a.Act)
		}
		done = append(done, a.Act)
	}
	return nil
}

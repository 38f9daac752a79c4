package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// RailLimits is one version of what an administrator lets a rail do. Version 0 is what it
// does by itself.
type RailLimits struct {
	Rail      string
	Version   int
	PerSecond *decimal.Decimal  // calls; nil: as many as the rail bears
	Largest   []incentive.Money // of one payout, one for a currency; where there are any, other currencies are held
	SetBy     string
	SetAt     time.Time
	Reason    string
}

// MostPerSecond is how many calls a second a rail may be allowed at most.
const MostPerSecond = 1000

// RailSubject is what the audit chain calls a rail.
func RailSubject(rail string) string { return "rail/" + rail }

// Check refuses limits that cannot be, with code incentive.CodeInvalid.
func (l RailLimits) Check() error {
	if l.PerSecond != nil && (!l.PerSecond.IsPositive() || l.PerSecond.GreaterThan(decimal.NewFromInt(MostPerSecond)) || l.PerSecond.Exponent() < -3) {
		return incentive.Errorf(incentive.CodeInvalid, "write calls a second as a number above 0 and up to %d, with at most three decimals", MostPerSecond)
	}
	seen := map[incentive.Currency]bool{}
	for _, most := range l.Largest {
		if most.Minor <= 0 {
			return incentive.Errorf(incentive.CodeInvalid, "the largest payout is an amount above zero, not %s", most)
		}
		if seen[most.Currency] {
			return incentive.Errorf(incentive.CodeInvalid, "there are two limits in %s", most.Currency)
		}
		seen[most.Currency] = true
	}
	return nil
}

// SetRailLimits keeps what a rail may do from now on as the next version, and returns it. What
// is planned already stays planned.
func (s *Store) SetRailLimits(ctx context.Context, actor string, limits RailLimits, reasonID string) (RailLimits, error) {
	if err := limits.Check(); err != nil {
		return limits, err
	}
	if reasonID == "" {
		return limits, incentive.Errorf(CodeReasonMissing, "limits of a rail are changed with a reason")
	}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('limits of rail ' || $1))`, limits.Rail); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `
			INSERT INTO rail_limit (rail, version, per_second, set_by, reason_id)
			SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM rail_limit WHERE rail = $1 RETURNING version`, limits.Rail, limits.PerSecond, actor, reasonID).Scan(&limits.Version)
		if err != nil {
			return fmt.Errorf("keep the limits of %s: %w", limits.Rail, err)
		}
		for _, most := range limits.Largest {
			if _, err := tx.Exec(ctx, `INSERT INTO rail_limit_largest (rail, version, currency, amount_minor) VALUES ($1, $2, $3, $4)`, limits.Rail, limits.Version, most.Currency, most.Minor); err != nil {
				return fmt.Errorf("keep the largest payout by %s: %w", limits.Rail, err)
			}
		}
		return audit(ctx, tx, actor, "set-rail-limits", RailSubject(limits.Rail), struct {
			Version   int               `json:"version"`
			PerSecond *decimal.Decimal  `json:"per_second,omitempty"`
			Largest   []incentive.Money `json:"largest,omitempty"`
			ReasonID  string            `json:"reason_id"`
		}{limits.Version, limits.PerSecond, limits.Largest, reasonID})
	})
	if err != nil {
		return limits, err
	}
	history, err := s.RailLimits(ctx, limits.Rail, 1)
	if err != nil {
		return limits, err
	}
	return history[0], nil
}

// RailLimits returns up to limit versions of what a rail may do, the newest first.
func (s *Store) RailLimits(ctx context.Context, rail string, limit int) (versions []RailLimits, err error) {
	err = collect(ctx, s.pool, &versions, `
		SELECT l.rail, l.version, l.per_second, l.set_by, l.set_at, x.body,
			coalesce((SELECT array_agg(m.currency ORDER BY m.currency) FROM rail_limit_largest m WHERE (m.rail, m.version) = (l.rail, l.version)), '{}'),
			coalesce((SELECT array_agg(m.amount_minor ORDER BY m.currency) FROM rail_limit_largest m WHERE (m.rail, m.version) = (l.rail, l.version)), '{}')
		FROM rail_limit l JOIN free_text x ON x.id = l.reason_id WHERE l.rail = $1 ORDER BY l.version DESC LIMIT $2`, func(row pgx.CollectableRow) (l RailLimits, err error) {
		var currencies []incentive.Currency
		var amounts []int64
		var reason *string
		err = row.Scan(&l.Rail, &l.Version, &l.PerSecond, &l.SetBy, &l.SetAt, &reason, &currencies, &amounts)
		if reason != nil { // erased, where it is absent
			l.Reason = *reason
		}
		for i := range currencies {
			l.Largest = append(l.Largest, incentive.Money{Minor: amounts[i], Currency: currencies[i]})
		}
		return l, err
	}, rail, limit)
	if err != nil {
		err = fmt.Errorf("list the limits of %s: %w", rail, err)
	}
	return versions, err
}

// latestLimits is the SQL of each rail's limits that count.
const latestLimits = `SELECT DISTINCT ON (rail) rail, version, per_second FROM rail_limit ORDER BY rail, version DESC`

// RailRates returns how many calls a second rails may be made where an administrator has said it.
func (s *Store) RailRates(ctx context.Context) (map[string]decimal.Decimal, error) {
	rows, err := s.pool.Query(ctx, `SELECT rail, per_second FROM (`+latestLimits+`) l WHERE per_second IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("read how often rails may be called: %w", err)
	}
	rates := map[string]decimal.Decimal{}
	var rail string
	var rate decimal.Decimal
	_, err = pgx.ForEachRow(rows, []any{&rail, &rate}, func() error {
		rates[rail] = rate
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how often rails may be called: %w", err)
	}
	return rates, nil
}

// largestByRail returns the largest payouts of rails of which an administrator has said one.
func largestByRail(ctx context.Context, q querier) (map[string][]incentive.Money, error) {
	rows, err := q.Query(ctx, `SELECT rail, currency, amount_minor FROM (`+latestLimits+`) l JOIN rail_limit_largest m USING (rail, version) ORDER BY rail, currency`)
	if err != nil {
		return nil, fmt.Errorf("read the largest payouts of rails: %w", err)
	}
	largest := map[string][]incentive.Money{}
	var rail string
	var most incentive.Money
	_, err = pgx.ForEachRow(rows, []any{&rail, &most.Currency, &most.Minor}, func() error {
		largest[rail] = append(largest[rail], most)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the largest payouts of rails: %w", err)
	}
	return largest, nil
}

// StoppedRails lists what is stopped now of a rail, in all periods.
func (s *Store) StoppedRails(ctx context.Context, rail string) (stops []RailStop, err error) {
	err = collect(ctx, s.pool, &stops, `
		SELECT period_id, revision, rail, code, coalesce(currency, ''), coalesce(available_minor, 0), coalesce(needed_minor, 0), stopped_at
		FROM rail_stop s WHERE s.rail = $1 AND `+undecidedStop+` ORDER BY stopped_at, id LIMIT 100`, scanRailStop, rail)
	if err != nil {
		err = fmt.Errorf("list where %s is stopped: %w", rail, err)
	}
	return stops, err
}

// CurrenciesOf lists the currencies in which a rail was given something to pay, by their code.
func (s *Store) CurrenciesOf(ctx context.Context, rail string) (currencies []incentive.Currency, err error) {
	err = collect(ctx, s.pool, &currencies, `SELECT DISTINCT currency FROM ledger_account WHERE kind = $2 AND rail = $1 ORDER BY currency`, pgx.RowTo[incentive.Currency], rail, Clearing)
	if err != nil {
		err = fmt.Errorf("list the currencies of %s: %w", rail, err)
	}
	return currencies, err
}

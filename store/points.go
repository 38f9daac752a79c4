package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// CodePointsFew is the code of a reward that costs more points than somebody has.
const CodePointsFew incentive.Code = "points-too-few"

// pointsBack is for how many days points can be spent again, at least, that came back from a reward
// which was not to be had.
const pointsBack = "30"

// pointsWarning is how many days before points expire their owner is told.
const pointsWarning = 30

const collections = `SELECT p.id::text, p.reference::text, p.amount_minor, p.currency, p.collected_at FROM points p WHERE `

func scanCollection(row pgx.CollectableRow) (c incentive.Collection, err error) {
	err = row.Scan(&c.ID, &c.Reference, &c.Amount.Minor, &c.Amount.Currency, &c.At)
	return c, err
}

// CollectPoints gives whom a payout pays its amount in points, once for a reference, and returns what
// was given under it. When they expire is as the policy of the payout's calendar says.
func (s *Store) CollectPoints(ctx context.Context, reference, payoutID string, amount incentive.Money) (c incentive.Collection, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var calendar string
		err := tx.QueryRow(ctx, `SELECT calendar_id FROM payout o JOIN pay_period p ON p.id = o.period_id WHERE o.id = $1`, payoutID).Scan(&calendar)
		if err != nil {
			return fmt.Errorf("read payout %s: %w", payoutID, err)
		}
		goesBy, err := policyOf(ctx, tx, calendar)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO points (reference, payout_id, participant_id, currency, amount_minor, expires_on)
			SELECT $1, o.id, o.participant_id, $3, $4, CASE WHEN $5 > 0 THEN company_today() + make_interval(months => $5) END FROM payout o WHERE o.id = $2
			ON CONFLICT (reference) DO NOTHING`, reference, payoutID, amount.Currency, amount.Minor, goesBy.Payouts.PointsExpireAfterMonths)
		if err != nil {
			return fmt.Errorf("give the points of payout %s: %w", payoutID, err)
		}
		var all []incentive.Collection
		if err := collect(ctx, tx, &all, collections+`p.reference = $1`, scanCollection, reference); err != nil || len(all) != 1 {
			return errors.Join(err, fmt.Errorf("the points of payout %s are not there", payoutID))
		}
		c = all[0]
		return nil
	})
	return c, err
}

// Collected returns what was given in points under a reference.
func (s *Store) Collected(ctx context.Context, reference string) (c incentive.Collection, found bool, err error) {
	if !uuidText.MatchString(reference) {
		return c, false, ctx.Err()
	}
	var all []incentive.Collection
	if err := collect(ctx, s.pool, &all, collections+`p.reference = $1`, scanCollection, reference); err != nil {
		return c, false, fmt.Errorf("look points up: %w", err)
	}
	if len(all) == 0 {
		return c, false, nil
	}
	return all[0], true, nil
}

// EachCollection calls each with what was given in points from one moment on and before another.
func (s *Store) EachCollection(ctx context.Context, from, until time.Time, each func(incentive.Collection) error) error {
	rows, err := s.pool.Query(ctx, collections+`p.collected_at >= $1 AND p.collected_at < $2 ORDER BY p.id`, from, until)
	if err != nil {
		return fmt.Errorf("list points: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanCollection) // each may write, and needs a connection
	if err != nil {
		return fmt.Errorf("list points: %w", err)
	}
	for _, c := range all {
		if err := each(c); err != nil {
			return err
		}
	}
	return nil
}

// PointsOutstanding is what the points of a currency are worth that were given and not used.
func (s *Store) PointsOutstanding(ctx context.Context, currency incentive.Currency) (incentive.Money, error) {
	sum := incentive.Money{Currency: currency}
	err := s.pool.QueryRow(ctx, `
		SELECT coalesce((SELECT sum(amount_minor) FROM points WHERE currency = $1), 0)::bigint
			- coalesce((SELECT sum(CASE u.kind WHEN 'back' THEN -u.amount_minor ELSE u.amount_minor END) FROM points_use u JOIN points p ON p.id = u.points_id WHERE p.currency = $1), 0)::bigint`, currency).Scan(&sum.Minor)
	if err != nil {
		return sum, fmt.Errorf("sum points: %w", err)
	}
	return sum, nil
}

// pointsLeft is what is left of points that their payout has made their owner's, with the day from
// which they are worth nothing.
const pointsLeft = `
	SELECT p.id, p.participant_id, p.currency, o.period_id, o.revision, p.amount_minor - coalesce(used.minor, 0) AS minor, CASE WHEN p.expires_on IS NOT NULL THEN greatest(p.expires_on, used.back_on + ` + pointsBack + `) END AS expires_on
	FROM points p JOIN payout o ON o.id = p.payout_id AND o.state = 'paid' LEFT JOIN LATERAL (
		SELECT sum(CASE kind WHEN 'back' THEN -amount_minor ELSE amount_minor END)::bigint AS minor, (max(used_at) FILTER (WHERE kind = 'back') AT TIME ZONE coalesce((SELECT time_zone FROM company), 'UTC'))::date AS back_on
		FROM points_use u WHERE u.points_id = p.id) used ON true
	WHERE p.amount_minor > coalesce(used.minor, 0)`

// lot is what is left of what was collected at a time.
type lot struct {
	ID            int64
	ParticipantID string
	Currency      incentive.Currency
	PeriodID      string
	Revision      int
	Minor         int64
	ExpiresOn     *incentive.Date
}

// PointsBalance is what somebody has in points of a currency.
type PointsBalance struct {
	Amount    incentive.Money
	NextOn    *incentive.Date // the day from which the first of them are worth nothing; nil where none expire
	NextMinor int64           // and how many these are
}

// Points returns what a participant has in points, by currency.
func (s *Store) Points(ctx context.Context, participantID string) ([]PointsBalance, error) {
	var lots []lot
	err := collect(ctx, s.pool, &lots, `SELECT * FROM (`+pointsLeft+` AND p.participant_id = $1) l ORDER BY currency, expires_on, id`, pgx.RowToStructByPos[lot], participantID)
	if err != nil {
		return nil, fmt.Errorf("read the points of %s: %w", participantID, err)
	}
	var all []PointsBalance
	for _, l := range lots {
		if len(all) == 0 || all[len(all)-1].Amount.Currency != l.Currency {
			all = append(all, PointsBalance{Amount: incentive.Money{Currency: l.Currency}, NextOn: l.ExpiresOn})
		}
		b := &all[len(all)-1]
		b.Amount.Minor += l.Minor
		if l.ExpiresOn != nil && b.NextOn != nil && *l.ExpiresOn == *b.NextOn {
			b.NextMinor += l.Minor
		}
	}
	return all, nil
}

// ExpirePoints takes what has expired, and tells those of whom something soon does.
func (s *Store) ExpirePoints(ctx context.Context) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('expire points'))`); err != nil {
			return err
		}
		var soon []lot
		err := collect(ctx, tx, &soon, `SELECT * FROM (`+pointsLeft+`) l WHERE expires_on > company_today() AND expires_on <= company_today() + $1::int ORDER BY id`, pgx.RowToStructByPos[lot], pointsWarning)
		if err != nil {
			return fmt.Errorf("look for points that expire soon: %w", err)
		}
		for _, l := range soon {
			if err := notify(ctx, tx, Notification{
				Recipient: l.ParticipantID,
				Kind:      notice.PointsExpire,
				Subject:   "points/" + l.ParticipantID,
				Key:       fmt.Sprintf("%s/%s", notice.PointsExpire, l.ExpiresOn),
			}); err != nil {
				return err
			}
		}
		// Whoever spends points locks their owner, too.
		_, err = tx.Exec(ctx, `SELECT FROM participant WHERE id IN (SELECT participant_id FROM (`+pointsLeft+`) l WHERE expires_on <= company_today()) ORDER BY id FOR UPDATE`)
		if err != nil {
			return fmt.Errorf("wait for those whose points expire: %w", err)
		}
		var over []lot
		if err := collect(ctx, tx, &over, `SELECT * FROM (`+pointsLeft+`) l WHERE expires_on <= company_today() ORDER BY id`, pgx.RowToStructByPos[lot]); err != nil {
			return fmt.Errorf("look for points that have expired: %w", err)
		}
		if len(over) == 0 {
			return nil
		}
		var entries []entry
		for _, l := range over {
			var use int64
			if err := tx.QueryRow(ctx, `INSERT INTO points_use (points_id, kind, amount_minor) VALUES ($1, 'expired', $2) RETURNING id`, l.ID, l.Minor).Scan(&use); err != nil {
				return fmt.Errorf("let points expire: %w", err)
			}
			entries = append(entries, entry{
				key:      fmt.Sprintf("points expired/%d", use),
				kind:     "points expired",
				periodID: l.PeriodID,
				revision: l.Revision,
				debit:    account{kind: Points, participant: l.ParticipantID},
				credit:   account{kind: PointsExpired},
				amount:   incentive.Money{Minor: l.Minor, Currency: l.Currency},
			})
		}
		if err := post(ctx, tx, entries...); err != nil {
			return err
		}
		return audit(ctx, tx, System, "expire-points", "points", struct {
			Collections int `json:"collections"`
		}{len(over)})
	})
}

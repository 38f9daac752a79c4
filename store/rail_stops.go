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

// Codes of rails that are stopped.
const (
	CodeRailStopped  incentive.Code = "rail-stopped"
	CodeBalanceSmall incentive.Code = "balance-too-small" // the rail holds less than is to be paid
	CodeRailAway     incentive.Code = "rail-away"         // it has not answered for some time; it goes on by itself once it does
)

// RailStop is why a rail sends nothing more of a revision: a fault that every payout would
// meet. The payouts that are left stay planned until a person decides.
type RailStop struct {
	PeriodID  string
	Revision  int
	Rail      string
	Code      string          // the rail's own, or ours in the same style
	Available incentive.Money // of CodeBalanceSmall: what the rail holds; else none
	Needed    incentive.Money // and what was to be paid
	At        time.Time
}

// undecidedStop is the SQL of a stop s about which nobody has decided.
const undecidedStop = `NOT EXISTS (SELECT FROM rail_stop_decision sd WHERE sd.stop_id = s.id)`

// StopRail stops a rail of a revision, unless it is stopped already. With an attempt, which
// the rail refused for the same reason, that one is rejected, and its payout stays planned.
func (s *Store) StopRail(ctx context.Context, stop RailStop, refused *Attempt) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := periodRevision(ctx, tx, stop.PeriodID, stop.Revision, " FOR UPDATE OF r"); err != nil {
			return err
		}
		if refused != nil {
			if _, err := reject(ctx, tx, *refused, stop.Code); err != nil {
				return err
			}
		}
		err := refuseStopped(ctx, tx, stop.PeriodID, stop.Revision, stop.Rail)
		if incentive.ErrorCode(err) == CodeRailStopped {
			return nil
		}
		if err != nil {
			return err
		}
		var id string
		err = tx.QueryRow(ctx, `
			INSERT INTO rail_stop (period_id, revision, rail, code, currency, available_minor, needed_minor)
			VALUES ($1, $2, $3, $4, nullif($5, ''), CASE WHEN $5 <> '' THEN $6::bigint END, CASE WHEN $5 <> '' THEN $7::bigint END) RETURNING id::text`,
			stop.PeriodID, stop.Revision, stop.Rail, stop.Code, stop.Needed.Currency, stop.Available.Minor, stop.Needed.Minor).Scan(&id)
		if err != nil {
			return fmt.Errorf("stop %s of %s: %w", stop.Rail, stop.PeriodID, err)
		}
		subject := incentive.PeriodSubject(stop.PeriodID, stop.Revision)
		if err := notifyRole(ctx, tx, incentive.Finance, "", Notification{
			Kind:    notice.RailStopped,
			Subject: subject,
			Key:     fmt.Sprintf("%s/%s/%s/%s", notice.RailStopped, subject, stop.Rail, id),
		}); err != nil {
			return err
		}
		return audit(ctx, tx, System, "stop-rail", incentive.PeriodSubject(stop.PeriodID, stop.Revision), struct {
			Rail string `json:"rail"`
			Code string `json:"code"`
		}{stop.Rail, stop.Code})
	})
}

// refuseStopped refuses with CodeRailStopped while a rail of a revision is stopped.
func refuseStopped(ctx context.Context, q querier, periodID string, revision int, rail string) error {
	var stopped bool
	if err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM rail_stop s WHERE s.period_id = $1 AND s.revision = $2 AND s.rail = $3 AND `+undecidedStop+`)`, periodID, revision, rail).Scan(&stopped); err != nil {
		return fmt.Errorf("look whether %s of %s is stopped: %w", rail, periodID, err)
	}
	if stopped {
		return incentive.Errorf(CodeRailStopped, "nothing is sent by %s until somebody has decided about why it stopped", rail)
	}
	return nil
}

// RailStops lists the rails of a revision that are stopped now.
func (s *Store) RailStops(ctx context.Context, periodID string, revision int) (stops []RailStop, err error) {
	err = collect(ctx, s.pool, &stops, `
		SELECT period_id, revision, rail, code, coalesce(currency, ''), coalesce(available_minor, 0), coalesce(needed_minor, 0), stopped_at
		FROM rail_stop s WHERE s.period_id = $1 AND s.revision = $2 AND `+undecidedStop+` ORDER BY rail`, scanRailStop, periodID, revision)
	if err != nil {
		err = fmt.Errorf("list the stopped rails of %s: %w", periodID, err)
	}
	return stops, err
}

func scanRailStop(row pgx.CollectableRow) (one RailStop, err error) {
	err = row.Scan(&one.PeriodID, &one.Revision, &one.Rail, &one.Code, &one.Needed.Currency, &one.Available.Minor, &one.Needed.Minor, &one.At)
	one.Available.Currency = one.Needed.Currency
	return one, err
}

// DecideRailStop lets a person say what becomes of a stopped rail: it goes on, or each of its
// payouts that is left becomes an exception of its own.
func (s *Store) DecideRailStop(ctx context.Context, actor, periodID string, revision int, rail string, goesOn bool, reasonID string) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a decision about a stopped rail needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := periodRevision(ctx, tx, periodID, revision, " FOR UPDATE OF r"); err != nil {
			return err
		}
		var id, code string
		err := tx.QueryRow(ctx, `SELECT id::text, code FROM rail_stop s WHERE s.period_id = $1 AND s.revision = $2 AND s.rail = $3 AND `+undecidedStop, periodID, revision, rail).Scan(&id, &code)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeConflict, "%q is not stopped, or somebody has decided about it", rail)
		}
		if err != nil {
			return fmt.Errorf("read why %s of %s is stopped: %w", rail, periodID, err)
		}
		act, decision := "resume-rail", "resumed"
		if !goesOn {
			act, decision = "set-rail-aside", "set-aside"
			_, err := tx.Exec(ctx, `UPDATE payout SET state = 'failed', reason = $4 WHERE period_id = $1 AND revision = $2 AND rail = $3 AND batch > 0 AND state = 'planned'`, periodID, revision, rail, code)
			if err != nil {
				return fmt.Errorf("set what is left on %s of %s aside: %w", rail, periodID, err)
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO rail_stop_decision (stop_id, decision, decided_by, reason_id) VALUES ($1, $2, $3, $4)`, id, decision, actor, reasonID); err != nil {
			return fmt.Errorf("decide about %s of %s: %w", rail, periodID, err)
		}
		return audit(ctx, tx, actor, act, incentive.PeriodSubject(periodID, revision), struct {
			Rail     string `json:"rail"`
			ReasonID string `json:"reason_id"`
		}{rail, reasonID})
	})
}

// ResumeRail lets a rail of a revision go on that was away, and answers again. One that is not
// stopped, or for another reason, stays as it is.
func (s *Store) ResumeRail(ctx context.Context, periodID string, revision int, rail string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := periodRevision(ctx, tx, periodID, revision, " FOR UPDATE OF r"); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO rail_stop_decision (stop_id, decision) SELECT id, 'resumed' FROM rail_stop s
			WHERE s.period_id = $1 AND s.revision = $2 AND s.rail = $3 AND s.code = $4 AND `+undecidedStop, periodID, revision, rail, CodeRailAway)
		if err != nil {
			return fmt.Errorf("let %s of %s go on: %w", rail, periodID, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit(ctx, tx, System, "resume-rail", incentive.PeriodSubject(periodID, revision), struct {
			Rail string `json:"rail"`
		}{rail})
	})
}

// LostAttempt returns the key of an attempt on a rail of a revision whose answer was lost and
// that is still to be looked up; "" where there is none.
func (s *Store) LostAttempt(ctx context.Context, periodID string, revision int, rail string) (key string, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT a.key::text FROM payout o JOIN payout_attempt a ON a.payout_id = o.id AND a.state IN ('sent', 'unknown')
		WHERE o.period_id = $1 AND o.revision = $2 AND o.rail = $3 AND o.batch > 0 AND o.state = 'planned' ORDER BY o.id LIMIT 1`, periodID, revision, rail).Scan(&key)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		err = fmt.Errorf("look for a lost attempt of %s by %s: %w", periodID, rail, err)
	}
	return key, err
}

// ToSend sums what is still to be sent by a rail of a released revision, by currency. What may
// have been sent already does not count.
func (s *Store) ToSend(ctx context.Context, periodID string, revision int, rail string) (sums []incentive.Money, err error) {
	err = collect(ctx, s.pool, &sums, `
		SELECT sum(amount_minor)::bigint, currency FROM payout o
		WHERE period_id = $1 AND revision = $2 AND rail = $3 AND batch > 0 AND state = 'planned'
			AND NOT EXISTS (SELECT FROM payout_attempt a WHERE a.payout_id = o.id AND a.state IN ('sent', 'unknown'))
		GROUP BY currency ORDER BY currency`, pgx.RowToStructByPos[incentive.Money], periodID, revision, rail)
	if err != nil {
		err = fmt.Errorf("sum what is to be sent of %s by %s: %w", periodID, rail, err)
	}
	return sums, err
}

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CalendarPeriods returns up to limit periods of all calendars after an id, each with its
// revision that counts; one that was never opened has revision 0 and no state.
func (s *Store) CalendarPeriods(ctx context.Context, afterID string, limit int) ([]PeriodRevision, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT p.id, p.calendar_id, p.code, p.starts_on, p.ends_on, coalesce(r.revision, 0), coalesce(r.state, ''), coalesce(r.on_hold, false), coalesce(r.opened_by, ''),
			coalesce(r.opened_at, 'epoch'), r.snapshot_id, r.run_id, r.window_deadline, coalesce(r.problem, ''),
			EXISTS (SELECT FROM payout_list l WHERE l.period_id = r.period_id AND l.revision = r.revision AND l.released_by IS NULL)
		FROM pay_period p
		LEFT JOIN LATERAL (SELECT * FROM period_revision r WHERE r.period_id = p.id ORDER BY state = 'cancelled', revision DESC LIMIT 1) r ON true
		WHERE p.id > $1 ORDER BY p.id LIMIT $2`, afterID, limit)
	if err != nil {
		return nil, fmt.Errorf("list periods: %w", err)
	}
	return pgx.CollectRows(rows, scanPeriod)
}

// Payout returns a payout, of code CodeNotFound where there is none of that id.
func (s *Store) Payout(ctx context.Context, id string) (Payout, error) {
	rows, err := s.pool.Query(ctx, payoutColumns+` WHERE o.id = id_of($1)`, id)
	if err != nil {
		return Payout{}, fmt.Errorf("read payout %s: %w", id, err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, scanPayout)
	if errors.Is(err, pgx.ErrNoRows) {
		return o, incentive.Errorf(incentive.CodeNotFound, "there is no payout %q", id)
	}
	return o, err
}

// PayoutException is a payout that waits for a person.
type PayoutException struct {
	Payout
	PeriodState incentive.State
	ReversedOn  incentive.Date // the day of the entry that reverses what the rail had taken, or paid; zero where it had not
}

// WhichExceptions are those of a period, by a rail, and for a reason; "" of all. They are
// sorted as payouts are.
type WhichExceptions struct {
	PeriodID, Rail, Reason string
	Closed                 bool // only of closed periods
	Listing
}

// Exceptions returns up to limit payouts of all periods, closed ones too, that wait for a
// person, after a payout id: those that are held, failed or came back, those of which a
// bank has left unclear how they stand, and those about which somebody has asked for something.
func (s *Store) Exceptions(ctx context.Context, which WhichExceptions, after string, limit int) ([]PayoutException, error) {
	goesOn, order, err := payoutOrders.seek(which.Listing, nil, []string{"o.id"}, lastPayout(after))
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT o.id, p.state, (SELECT max(back.effective_on) FROM journal_entry back WHERE o.times_back > 0 AND back.key = ANY (ARRAY(
			SELECT kind || '/' || o.id || CASE WHEN o.times_back > 1 THEN '/' || o.times_back - 1 ELSE '' END FROM unnest(ARRAY['refused', 'returned']) kind)))
		FROM payout o JOIN period_revision p USING (period_id, revision)
		WHERE (o.state IN ('held', 'failed', 'returned') OR o.reason = 'bank-unclear' OR EXISTS (SELECT FROM payout_proposal pp WHERE pp.payout_id = o.id AND `+undecidedProposal+`))
			AND @period IN ('', o.period_id) AND (NOT @closed OR p.state = 'closed') AND @rail IN ('', o.rail) AND @reason IN ('', o.reason) AND `+found("o.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"after": after, "limit": limit, "period": which.PeriodID, "closed": which.Closed, "rail": which.Rail, "reason": which.Reason, "search": anywhere(which.Search)})
	if err != nil {
		return nil, fmt.Errorf("list the payouts that wait for a person: %w", err)
	}
	var ids []string
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x PayoutException, err error) {
		var on *incentive.Date
		if err = row.Scan(&x.ID, &x.PeriodState, &on); on != nil {
			x.ReversedOn = *on
		}
		ids = append(ids, x.ID)
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the payouts that wait for a person: %w", err)
	}
	payouts, err := s.payoutsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range all { // of the same ids, in the same order
		all[i].Payout = payouts[i]
	}
	return all, nil
}

// LatestDestination returns where a participant is paid now, without the secret details.
func (s *Store) LatestDestination(ctx context.Context, participantID string) (Destination, error) {
	d, err := latestDestination(ctx, s.pool, participantID)
	if err == nil && d.ID == 0 {
		return d, incentive.Errorf(incentive.CodeNotFound, "%s has not said where to be paid", participantID)
	}
	return d, err
}

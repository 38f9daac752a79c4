package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// System is the actor of what nobody in particular does.
const System = "system"

// Codes of refusals about periods.
const (
	CodeOwnPay                         = incentive.CodeOwnPay
	CodePreparer        incentive.Code = "preparer"         // who prepared a period does not approve or release it
	CodeApprover        incentive.Code = "approver"         // who approved for finance does not release
	CodeReasonMissing   incentive.Code = "reason-missing"   // the act needs a reason
	CodeChangedMeantime incentive.Code = "changed-meantime" // what the person saw is no longer what stands
	CodePayoutsOpen     incentive.Code = "payouts-open"     // a period closes only when every payout has ended
	CodeAlreadyOpen     incentive.Code = "already-open"     // a revision of the period is under way or closed
	CodeEarlierOpen     incentive.Code = "predecessor-open" // the period before is not approved yet
)

// PeriodRevision is where one revision of a pay period stands.
type PeriodRevision struct {
	incentive.Period
	State          incentive.State
	OnHold         bool
	OpenedBy       string
	OpenedAt       time.Time
	SnapshotID     *int64
	RunID          *int64
	WindowDeadline *time.Time
	Problem        string // why the last calculation failed
	ToRelease      bool   // a payout list waits to be released
}

const periodColumns = `
	SELECT p.id, p.calendar_id, p.code, p.starts_on, p.ends_on, r.revision, r.state, r.on_hold, r.opened_by, r.opened_at, r.snapshot_id, r.run_id, r.window_deadline, r.problem,
		EXISTS (SELECT FROM payout_list l WHERE l.period_id = r.period_id AND l.revision = r.revision AND l.released_by IS NULL)
	FROM period_revision r JOIN pay_period p ON p.id = r.period_id`

func scanPeriod(row pgx.CollectableRow) (PeriodRevision, error) {
	var p PeriodRevision
	err := row.Scan(&p.ID, &p.CalendarID, &p.Code, &p.StartsOn, &p.EndsOn, &p.Revision, &p.State, &p.OnHold, &p.OpenedBy, &p.OpenedAt, &p.SnapshotID, &p.RunID, &p.WindowDeadline, &p.Problem, &p.ToRelease)
	return p, err
}

// PeriodRevision returns one revision of a period, or with revision 0 the one that counts:
// the latest that is not cancelled, if there is one. It is of code CodeNotFound where the
// period was never opened.
func (s *Store) PeriodRevision(ctx context.Context, periodID string, revision int) (PeriodRevision, error) {
	return periodRevision(ctx, s.pool, periodID, revision, "")
}

func periodRevision(ctx context.Context, q querier, periodID string, revision int, lock string) (PeriodRevision, error) {
	rows, err := q.Query(ctx, periodColumns+`
		WHERE r.period_id = $1 AND ($2 = 0 OR r.revision = $2) ORDER BY r.state = 'cancelled', r.revision DESC LIMIT 1`+lock, periodID, revision)
	if err != nil {
		return PeriodRevision{}, fmt.Errorf("read period %s: %w", periodID, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPeriod)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, incentive.Errorf(incentive.CodeNotFound, "period %q has not been opened", periodID)
	}
	return p, err
}

// StandingRevision returns the revision whose result stands: the latest that is approved.
// It is of code CodeNotFound where there is none.
func (s *Store) StandingRevision(ctx context.Context, periodID string) (PeriodRevision, error) {
	return standingRevision(ctx, s.pool, periodID, "")
}

func standingRevision(ctx context.Context, q querier, periodID, lock string) (PeriodRevision, error) {
	rows, err := q.Query(ctx, periodColumns+` WHERE r.period_id = $1 AND r.state = ANY($2) ORDER BY r.revision DESC LIMIT 1`+lock, periodID, posts)
	if err != nil {
		return PeriodRevision{}, fmt.Errorf("read period %s: %w", periodID, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPeriod)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, incentive.Errorf(incentive.CodeNotFound, "nothing of period %q is approved", periodID)
	}
	return p, err
}

// PeriodRevisions returns up to limit revisions that come after (periodID, revision) by
// id and revision.
func (s *Store) PeriodRevisions(ctx context.Context, afterID string, afterRevision, limit int) ([]PeriodRevision, error) {
	rows, err := s.pool.Query(ctx, periodColumns+`
		WHERE (r.period_id, r.revision) > ($1, $2) ORDER BY r.period_id, r.revision LIMIT $3`, afterID, afterRevision, limit)
	if err != nil {
		return nil, fmt.Errorf("list periods: %w", err)
	}
	return pgx.CollectRows(rows, scanPeriod)
}

// RunningPeriods returns every revision that a workflow should be looking after.
func (s *Store) RunningPeriods(ctx context.Context) ([]PeriodRevision, error) {
	rows, err := s.pool.Query(ctx, periodColumns+` WHERE r.state NOT IN ('closed', 'cancelled') ORDER BY r.period_id`)
	if err != nil {
		return nil, fmt.Errorf("list running periods: %w", err)
	}
	return pgx.CollectRows(rows, scanPeriod)
}

// OpenPeriod opens a period that was never opened, or only to be cancelled. One that is
// under way or closed is refused with CodeAlreadyOpen, but for one that the same person
// has opened and that is still open.
func (s *Store) OpenPeriod(ctx context.Context, actor, periodID string) (PeriodRevision, error) {
	return s.open(ctx, actor, periodID, "open", "", func(stands incentive.State) error {
		switch stands {
		case "", incentive.Cancelled:
			return nil
		case incentive.Closed:
			return incentive.Errorf(CodeAlreadyOpen, "period %q is closed: give a reason to reopen it", periodID)
		}
		return incentive.Errorf(CodeAlreadyOpen, "period %q is already %s", periodID, stands)
	})
}

// ReopenPeriod opens a closed period again, as its next revision. What the revision before
// it posted stands until this one is approved. Asked again by the same person, while the
// revision is open, it answers the same.
func (s *Store) ReopenPeriod(ctx context.Context, actor, periodID, reasonID string) (PeriodRevision, error) {
	if reasonID == "" {
		return PeriodRevision{}, incentive.Errorf(CodeReasonMissing, "to %s a period you must give a reason", incentive.Reopen)
	}
	return s.open(ctx, actor, periodID, string(incentive.Reopen), reasonID, func(stands incentive.State) error {
		switch stands {
		case incentive.Closed:
			return nil
		case "", incentive.Cancelled:
			return incentive.Errorf(incentive.CodeNotAllowedNow, "period %q has never been closed: open it", periodID)
		}
		return incentive.Errorf(incentive.CodeNotAllowedNow, "period %q is %s, and only a closed one is opened again", periodID, stands)
	})
}

// open makes the next revision of a period where the one that counts allows it.
func (s *Store) open(ctx context.Context, actor, periodID, act, reasonID string, allows func(stands incentive.State) error) (PeriodRevision, error) {
	var opened PeriodRevision
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var exists bool
		var revision int
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pay_period WHERE id = $1), (SELECT coalesce(max(revision), 0) + 1 FROM period_revision WHERE period_id = $1)`, periodID).Scan(&exists, &revision)
		if err != nil {
			return err
		}
		if !exists {
			return incentive.Errorf(incentive.CodeNotFound, "there is no period %q in any calendar", periodID)
		}
		stands, err := periodRevision(ctx, tx, periodID, 0, " FOR UPDATE OF r")
		if err != nil && incentive.ErrorCode(err) != incentive.CodeNotFound {
			return err
		}
		if stands.State == incentive.Open {
			var again bool // asked again, as after an answer that was lost
			err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_event WHERE subject = $1 AND act = $2 AND actor = $3)`, incentive.PeriodSubject(periodID, stands.Revision), act, actor).Scan(&again)
			if err != nil || again {
				opened = stands
				return err
			}
		}
		if err := allows(stands.State); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO period_revision (period_id, revision, state, opened_by, reason_id) VALUES ($1, $2, 'open', $3, $4)`, periodID, revision, actor, orNull(reasonID))
		if c := constraint(err); c == "one_open_revision" || c == "period_revision_pkey" {
			return incentive.Errorf(CodeAlreadyOpen, "period %q is already open", periodID)
		}
		if err != nil {
			return fmt.Errorf("open period %s: %w", periodID, err)
		}
		if err := audit(ctx, tx, actor, act, incentive.PeriodSubject(periodID, revision), reasonBody{reasonID}); err != nil {
			return err
		}
		opened, err = periodRevision(ctx, tx, periodID, revision, "")
		return err
	})
	return opened, err
}

// PeriodCommand is one act on a period.
type PeriodCommand struct {
	PeriodID string
	Revision int
	Act      incentive.Act
	Actor    string // a participant's id, or System
	Key      string // names the command: with the same key an act is done once
	ReasonID string // of a stored text; "" for none
	// PayoutListDigest is what a releaser signs.
	PayoutListDigest []byte
}

// mayMove locks the period and says what an act leads to. next is "" where the command's
// key says that it was done before.
func mayMove(ctx context.Context, tx pgx.Tx, c PeriodCommand) (p PeriodRevision, next incentive.State, err error) {
	p, err = periodRevision(ctx, tx, c.PeriodID, c.Revision, " FOR UPDATE OF r")
	if err != nil {
		return p, "", err
	}
	var before bool
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM period_act WHERE period_id = $1 AND revision = $2 AND key = $3)`, c.PeriodID, c.Revision, c.Key).Scan(&before)
	if err != nil || before {
		return p, "", err
	}
	next, err = incentive.Next(p.State, p.OnHold, c.Act)
	if err == nil && incentive.NeedsReason(c.Act) && c.ReasonID == "" {
		err = incentive.Errorf(CodeReasonMissing, "to %s a period you must give a reason", c.Act)
	}
	return p, next, err
}

// move changes the state as the command says, once: rights and state are checked, the
// act and its audit row are written, all in tx. done is false when the command's key
// says that it was done before.
func move(ctx context.Context, tx pgx.Tx, c PeriodCommand, body any) (p PeriodRevision, done bool, err error) {
	p, next, err := mayMove(ctx, tx, c)
	if err != nil || next == "" {
		return p, false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO period_act (period_id, revision, act, from_state, to_state, actor, reason_id, key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.PeriodID, c.Revision, c.Act, p.State, next, c.Actor, orNull(c.ReasonID), c.Key)
	if err != nil {
		return p, false, fmt.Errorf("record %s of period %s: %w", c.Act, c.PeriodID, err)
	}
	p.State = next
	switch c.Act {
	case incentive.Hold:
		p.OnHold = true
	case incentive.Resume, incentive.Cancel:
		p.OnHold = false
	}
	if err := audit(ctx, tx, c.Actor, string(c.Act), incentive.PeriodSubject(c.PeriodID, c.Revision), body); err != nil {
		return p, false, err
	}
	if c.Act == incentive.Calculate {
		subject := incentive.PeriodSubject(c.PeriodID, c.Revision)
		if err := notifyRole(ctx, tx, incentive.Finance, "", Notification{
			Kind:    notice.PeriodCalculated,
			Subject: subject,
			Key:     fmt.Sprintf("%s/%s/%s", notice.PeriodCalculated, subject, c.Key),
		}); err != nil {
			return p, false, err
		}
	}
	return p, true, nil
}

// keep writes back what a move and its effects changed.
func keep(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	_, err := tx.Exec(ctx, `UPDATE period_revision SET state = $3, on_hold = $4, snapshot_id = $5, run_id = $6, window_deadline = $7, problem = $8 WHERE period_id = $1 AND revision = $2`,
		p.ID, p.Revision, p.State, p.OnHold, p.SnapshotID, p.RunID, p.WindowDeadline, p.Problem)
	if err != nil {
		return fmt.Errorf("keep period %s: %w", p.ID, err)
	}
	return nil
}

type reasonBody struct {
	ReasonID string `json:"reason_id,omitempty"`
}

// act makes a move that has one effect of its own, at most.
func (s *Store) act(ctx context.Context, c PeriodCommand, body any, effect func(tx pgx.Tx, p *PeriodRevision) error) (PeriodRevision, error) {
	var result PeriodRevision
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		p, done, err := move(ctx, tx, c, body)
		if err != nil {
			return err
		}
		if done && effect != nil {
			if err := effect(tx, &p); err != nil {
				return err
			}
		}
		if done {
			if err := keep(ctx, tx, p); err != nil {
				return err
			}
		}
		result = p
		return nil
	})
	return result, err
}

// Act does an act that changes the state, or the flag of hold, and nothing else: hold,
// resume, recalculate and cancel.
func (s *Store) Act(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	if !slices.Contains([]incentive.Act{incentive.Hold, incentive.Resume, incentive.Cancel, incentive.Disburse}, c.Act) {
		return PeriodRevision{}, fmt.Errorf("act %q has effects of its own", c.Act)
	}
	return s.act(ctx, c, reasonBody{c.ReasonID}, func(tx pgx.Tx, p *PeriodRevision) error {
		if c.Act == incentive.Cancel {
			return errorsIn(unapprove(ctx, tx, *p), letAdjustmentsGo(ctx, tx, *p))
		}
		return nil
	})
}

// Publish freezes the run and makes it visible to reps until deadline.
func (s *Store) Publish(ctx context.Context, c PeriodCommand, deadline time.Time) (PeriodRevision, error) {
	return s.act(ctx, c, struct {
		Deadline time.Time `json:"deadline"`
	}{deadline.UTC()}, func(tx pgx.Tx, p *PeriodRevision) error {
		p.WindowDeadline = &deadline
		if err := refuseBeforePredecessor(ctx, tx, *p); err != nil {
			return err
		}
		if err := refuseOverChanged(ctx, tx, *p); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO notification (recipient, kind, subject, key) SELECT participant_id, $2::text, $3::text, concat_ws('/', $2, $3, run_id) FROM statement WHERE run_id = $1 ORDER BY participant_id ON CONFLICT DO NOTHING`,
			p.RunID, notice.StatementPublished, incentive.PeriodSubject(p.ID, p.Revision))
		if err != nil {
			return fmt.Errorf("tell everybody of their statements of %s: %w", p.ID, err)
		}
		return nil
	})
}

// refuseBeforePredecessor holds a period back until the one before it in the calendar,
// if that was ever opened, is approved.
func refuseBeforePredecessor(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	earlier, state, err := notApprovedBefore(ctx, tx, p)
	if err == nil && earlier != "" {
		err = incentive.Errorf(CodeEarlierOpen, "period %s is %s: it must be approved before a later one is published", earlier, state)
	}
	return err
}

// notApprovedBefore returns the latest period before one in its calendar that was opened
// and is not approved, or "".
func notApprovedBefore(ctx context.Context, q querier, p PeriodRevision) (earlier string, state incentive.State, err error) {
	err = q.QueryRow(ctx, `
		SELECT r.period_id, r.state FROM period_revision r JOIN pay_period p ON p.id = r.period_id
		WHERE p.calendar_id = $1 AND p.ends_on < $2 AND r.state IN ('open', 'locked', 'calculated', 'published', 'approving')
		ORDER BY p.ends_on DESC LIMIT 1`, p.CalendarID, p.StartsOn).Scan(&earlier, &state)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", "", fmt.Errorf("look at the period before %s: %w", p.ID, err)
	}
	return earlier, state, nil
}

// ExtendWindow moves the end of the dispute window.
func (s *Store) ExtendWindow(ctx context.Context, c PeriodCommand, deadline time.Time) (PeriodRevision, error) {
	return s.act(ctx, c, struct {
		Deadline time.Time `json:"deadline"`
	}{deadline.UTC()}, func(_ pgx.Tx, p *PeriodRevision) error {
		p.WindowDeadline = &deadline
		return nil
	})
}

// Withdraw takes a published period back; approvals and planned payouts fall away.
func (s *Store) Withdraw(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, reasonBody{c.ReasonID}, func(tx pgx.Tx, p *PeriodRevision) error {
		p.WindowDeadline = nil
		return unapprove(ctx, tx, *p)
	})
}

// ClosePeriod ends a period. While a payout is neither paid nor cancelled it refuses
// with CodePayoutsOpen.
func (s *Store) ClosePeriod(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		var open int
		err := tx.QueryRow(ctx, `SELECT count(*) FROM payout WHERE period_id = $1 AND revision = $2 AND state NOT IN ('paid', 'cancelled')`, p.ID, p.Revision).Scan(&open)
		if err != nil {
			return fmt.Errorf("count open payouts: %w", err)
		}
		if open > 0 {
			return incentive.Errorf(CodePayoutsOpen, "%d payouts of the period are neither paid nor cancelled", open)
		}
		return nil
	})
}

// FailCalculation opens a period again whose data do not allow a result, and keeps why.
func (s *Store) FailCalculation(ctx context.Context, c PeriodCommand, problem string) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		p.SnapshotID, p.Problem = nil, problem
		subject := incentive.PeriodSubject(p.ID, p.Revision)
		return notifyRole(ctx, tx, incentive.Finance, "", Notification{
			Kind:    notice.CalculationFailed,
			Subject: subject,
			Key:     string(notice.CalculationFailed) + "/" + subject + "/" + c.Key,
		})
	})
}

// toApprove is what a manager may still do who has answered a dispute with an adjustment:
// somebody of finance approved that, and nobody else could approve the team.
const toApprove = "approve"

// refusePreparer refuses who locked or recalculated the period, or entered an adjustment
// of it.
func refusePreparer(ctx context.Context, q querier, periodID string, revision int, actor, what string) error {
	var prepared bool
	err := q.QueryRow(ctx, `SELECT $3 IN (SELECT preparers($1, $2, $4))`, periodID, revision, actor, what == toApprove).Scan(&prepared)
	if err != nil {
		return fmt.Errorf("look for the preparers of %s: %w", periodID, err)
	}
	if prepared {
		return incentive.Errorf(CodePreparer, "you prepared this period, so somebody else must %s it", what)
	}
	return nil
}

// WriteText keeps a free text and returns its id; acts and the audit chain carry only
// the id and the digest.
func (s *Store) WriteText(ctx context.Context, author, body string) (id string, err error) {
	digest := sha256.Sum256([]byte(body))
	err = s.pool.QueryRow(ctx, `INSERT INTO free_text (body, digest, written_by) VALUES ($1, $2, $3) RETURNING id`, body, digest[:], author).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("keep a text: %w", err)
	}
	return id, nil
}

// PeriodAct is one act that was done on a period.
type PeriodAct struct {
	Act   incentive.Act
	From  incentive.State
	To    incentive.State
	Actor string
	At    time.Time
}

// PeriodActs returns what was done on a revision, in order.
func (s *Store) PeriodActs(ctx context.Context, periodID string, revision int) ([]PeriodAct, error) {
	rows, err := s.pool.Query(ctx, `SELECT act, from_state, to_state, actor, acted_at FROM period_act WHERE period_id = $1 AND revision = $2 ORDER BY id`, periodID, revision)
	if err != nil {
		return nil, fmt.Errorf("read the acts of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PeriodAct])
}

// WindowDays returns the calendar's dispute window in business days and the company's
// zone and holidays, from which the deadline is computed.
func (s *Store) WindowDays(ctx context.Context, calendarID string) (days int, zone string, holidays []incentive.Date, err error) {
	return windowDays(ctx, s.pool, calendarID)
}

func windowDays(ctx context.Context, q querier, calendarID string) (days int, zone string, closed []incentive.Date, err error) {
	err = q.QueryRow(ctx, `SELECT window_days, (SELECT time_zone FROM company) FROM calendar WHERE id = $1`, calendarID).Scan(&days, &zone)
	if err != nil {
		return 0, "", nil, fmt.Errorf("read calendar %s: %w", calendarID, err)
	}
	closed, err = holidays(ctx, q)
	return days, zone, closed, err
}

// holidays returns the company's, sorted.
func holidays(ctx context.Context, q querier) (all []incentive.Date, err error) {
	if err := collect(ctx, q, &all, `SELECT date FROM holiday ORDER BY date`, pgx.RowTo[incentive.Date]); err != nil {
		return nil, fmt.Errorf("read the holidays: %w", err)
	}
	return all, nil
}

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// RetryPayout lets a person put a failed payout back, to the destination that was released. An attempt that is still unknown keeps its key; one that
// the rail knows nothing of is given up for a new one. A payment file takes nothing in
// once it is built: see PayAgain.
// Above the limit of the policy it waits for a second person: see DecidePayout.
func (s *Store) RetryPayout(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, retryPayout, payoutID, reasonID)
}

var retryPayout = payoutAct{"retry-payout", `
		UPDATE payout o SET state = 'planned', reason = ''
		WHERE id = $1 AND state = 'failed' AND NOT EXISTS (
			SELECT FROM period_revision p WHERE p.period_id = o.period_id AND p.revision = o.revision AND p.state = 'closed') AND NOT ` + filed,
	"failed, of a period that is not closed, and for which no payment file was built: what a file did not pay goes into another one of its period (Payment files, or guerdon file again), or is cancelled, and the next period pays it"}

// CancelPayout lets a person give a held, failed or returned payout up; what is owed stays in the
// participant's payable account, and the next payout of the calendar pays it. A payout whose last attempt may
// have paid cannot be cancelled, until the rail knows nothing of it. Above the limit of the
// policy it waits for a second person: see DecidePayout.
func (s *Store) CancelPayout(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, cancelPayout, payoutID, reasonID)
}

var cancelPayout = payoutAct{"cancel-payout", `
		UPDATE payout SET state = 'cancelled' WHERE id = $1 AND state IN ('held', 'failed', 'returned')
		AND ` + noLiveAttempt("$1"), "held, failed or returned, with no attempt that may have paid"}

// listOfPayout is the payout list of a payout about which somebody decides.
type listOfPayout struct {
	periodID             string
	revision, supplement int
	released             bool
}

// lockList locks the list of a payout, before the payout itself.
func lockList(ctx context.Context, tx pgx.Tx, payoutID string) (l listOfPayout, err error) {
	err = tx.QueryRow(ctx, `
		SELECT period_id, revision, supplement, l.released_by IS NOT NULL FROM payout o JOIN payout_list l USING (period_id, revision, supplement) JOIN period_revision r USING (period_id, revision)
		WHERE o.id = $1 FOR SHARE OF r FOR UPDATE OF l`, payoutID).Scan(&l.periodID, &l.revision, &l.supplement, &l.released)
	if err != nil {
		err = fmt.Errorf("read the list of payout %s: %w", payoutID, err)
	}
	return l, err
}

// does does an act about a payout. Where its list is not released, a release signs it anew.
func (l listOfPayout) does(ctx context.Context, tx pgx.Tx, actor string, act payoutAct, payoutID string, more ...any) error {
	if err := giveUpAbsent(ctx, tx, payoutID); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, act.sql, append([]any{payoutID}, more...)...)
	if err != nil {
		return fmt.Errorf("%s %s: %w", act.name, payoutID, err)
	}
	if tag.RowsAffected() == 0 {
		return incentive.Errorf(incentive.CodeConflict, "this is possible only for a payout that is %s", act.possible)
	}
	if err := releaseBy(ctx, tx, actor, act.name, payoutID); err != nil {
		return err
	}
	if !l.released {
		_, _, err = signList(ctx, tx, l.periodID, l.revision, l.supplement)
	}
	return err
}

// decidePayout does what a person decides about a payout, or notes that they ask for it where
// a second person confirms it.
func (s *Store) decidePayout(ctx context.Context, actor string, act payoutAct, payoutID, reasonID string, more ...any) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a decision about a payout needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		list, err := lockList(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		payee, _, _, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		var shares bool // the account to which it goes
		if err := tx.QueryRow(ctx, `SELECT $2 = ANY(shared_with) FROM payout WHERE id = $1`, payoutID, actor).Scan(&shares); err != nil {
			return fmt.Errorf("look who shares the account of payout %s: %w", payoutID, err)
		}
		if (actor == payee || shares) && (act.name == liftHold || act.name == clearDoubt) {
			return incentive.Errorf(incentive.CodeOwnPay, "nobody lets their own payout go")
		}
		if again, err := askedAlready(ctx, tx, payoutID, request{act: act.name, by: actor, reasonID: reasonID}); again || err != nil {
			return err
		}
		waits := false
		if _, may := proposable[act.name]; may {
			if waits, err = needsSecond(ctx, tx, payoutID); err != nil {
				return err
			}
		}
		// Where it waits, what is not possible is refused now, and not only when it is confirmed.
		attempt, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		err = list.does(ctx, attempt, actor, act, payoutID, more...)
		if err == nil && !waits {
			err = attempt.Commit(ctx)
		} else {
			err = errors.Join(err, attempt.Rollback(ctx))
		}
		if incentive.ErrorCode(err) == incentive.CodeConflict {
			if again, lookErr := doneAlready(ctx, tx, actor, act, payoutID); again || lookErr != nil {
				return lookErr
			}
		}
		switch {
		case err != nil:
			return err
		case waits:
			return propose(ctx, tx, actor, payee, act.name, payoutID, reasonID, nil)
		}
		return audit(ctx, tx, actor, act.name, "payout/"+payoutID, reasonBody{reasonID})
	})
}

// doneAlready reports whether an act, after which a payout stands as it does, is the last that was done about it, by the
// same person or as that person had asked for: who asks again has not had the answer.
func doneAlready(ctx context.Context, tx pgx.Tx, actor string, act payoutAct, payoutID string) (done bool, err error) {
	leaves := map[string]string{retryPayout.name: `state = 'planned'`, cancelPayout.name: `state = 'cancelled'`, liftHold: `state = 'planned'`, clearDoubt: `reason = ''`}[act.name]
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM payout WHERE id = $1 AND `+leaves+`) AND coalesce((
			SELECT (e.actor, e.act) = ($2, $3) OR e.act = 'confirm-' || $3 AND EXISTS (SELECT FROM payout_proposal pp WHERE pp.id::text = e.body::jsonb ->> 'proposal_id' AND pp.proposed_by = $2)
			FROM audit_event e WHERE e.subject = 'payout/' || $1::text ORDER BY e.number DESC LIMIT 1), false)`, payoutID, actor, act.name).Scan(&done)
	if err != nil {
		err = fmt.Errorf("look whether %s %s is done: %w", act.name, payoutID, err)
	}
	return done, err
}

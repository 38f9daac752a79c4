package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// ProposeRedirection asks for a payout that waits for a person to go to the participant's
// latest destination, on whatever rail, instead of the one that was released, or of none. One
// that a limit holds may be asked to go where it goes.
// version is that of the destination which the caller has looked at. Somebody else confirms it.
func (s *Store) ProposeRedirection(ctx context.Context, actor, payoutID, reasonID string, version int) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "another destination of a payout needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		payee, was, state, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		if actor == payee {
			return incentive.Errorf(incentive.CodeOwnPay, "nobody redirects their own payout")
		}
		if again, err := askedAlready(ctx, tx, payoutID, request{act: redirectPayout, by: actor, reasonID: reasonID, version: version}); again || err != nil {
			return err
		}
		d, err := latestDestination(ctx, tx, payee)
		if err != nil {
			return err
		}
		if d.ID == 0 {
			return incentive.Errorf(CodeNoDestination, "%s has not said where to be paid: ask them to, first", payee)
		}
		if d.Version != version {
			return incentive.Errorf(CodeChangedMeantime, "the latest destination of %s is version %d: look at it again", payee, d.Version)
		}
		if was != nil && *was == d.ID && state != "held" {
			return incentive.Errorf(incentive.CodeConflict, "the payout goes there already: try it again, or ask %s for another destination", payee)
		}
		if err := mayRedirect(ctx, tx, payoutID, d.Rail); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO payout_redirection (payout_id, participant_id, from_destination_id, destination_id, proposed_by, reason_id) VALUES ($1, $2, $3, $4, $5, $6)`,
			payoutID, payee, was, d.ID, actor, reasonID)
		if err != nil {
			return fmt.Errorf("propose another destination of payout %s: %w", payoutID, err)
		}
		return audit(ctx, tx, actor, redirectPayout, "payout/"+payoutID, struct {
			ReasonID string `json:"reason_id"`
			Version  int    `json:"destination_version"`
			Rail     string `json:"rail"`
		}{reasonID, d.Version, d.Rail})
	})
}

// DecideRedirection lets a second person confirm where a payout is to go, so that it is sent
// there, or refuse it with a reason. Where the rail does not pay the account there yet, the
// payout is held until it does.
func (s *Store) DecideRedirection(ctx context.Context, actor, payoutID string, confirms bool, reasonID string) error {
	if !confirms && reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a refusal needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		payee, _, _, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		var id, proposedBy, rail string
		var destination int64
		err = tx.QueryRow(ctx, `SELECT r.id::text, r.proposed_by, r.destination_id, d.rail FROM payout_redirection r JOIN destination d ON d.id = r.destination_id WHERE r.payout_id = $1 AND `+undecided, payoutID).
			Scan(&id, &proposedBy, &destination, &rail)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeConflict, "nobody has asked for another destination of this payout, or it is decided")
		}
		if err != nil {
			return fmt.Errorf("read the redirection of payout %s: %w", payoutID, err)
		}
		if actor == payee {
			return incentive.Errorf(incentive.CodeOwnPay, "nobody decides where their own payout goes")
		}
		if actor == proposedBy {
			return incentive.Errorf(CodePreparer, "you have asked for this destination: somebody else confirms it")
		}
		act, decision := "refuse-redirection", "refused"
		if confirms {
			act, decision = "confirm-redirection", "confirmed"
			latest, err := latestDestination(ctx, tx, payee)
			if err != nil {
				return err
			}
			if latest.ID != destination {
				return incentive.Errorf(CodeChangedMeantime, "%s has named another destination since: refuse this one and ask for that", payee)
			}
			if err := mayRedirect(ctx, tx, payoutID, rail); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `
				UPDATE payout o SET state = 'planned', reason = '', destination_id = $2, rail = $3, batch = 1 + coalesce((
					SELECT max(batch) FROM payout other WHERE other.period_id = o.period_id AND other.revision = o.revision AND other.rail = $3), 0)
				WHERE o.id = $1`, payoutID, destination, rail)
			if err != nil {
				return fmt.Errorf("redirect payout %s: %w", payoutID, err)
			}
			if _, err := releaseAccount(ctx, tx, actor, destination, payoutID); err != nil {
				return err
			}
			to, err := s.destination(ctx, tx, destination)
			if err != nil {
				return err
			}
			if _, err := holdNotReady(ctx, tx, payoutID, to); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO redirection_decision (redirection_id, participant_id, proposed_by, decision, decided_by, reason_id) VALUES ($1, $2, $3, $4, $5, nullif($6, '')::uuid)`,
			id, payee, proposedBy, decision, actor, reasonID)
		if err != nil {
			return fmt.Errorf("decide about the redirection of payout %s: %w", payoutID, err)
		}
		return audit(ctx, tx, actor, act, "payout/"+payoutID, struct {
			RedirectionID string `json:"redirection_id"`
			ReasonID      string `json:"reason_id,omitempty"`
		}{id, reasonID})
	})
}

// undecided is the SQL of a redirection r about which nobody has decided.
const undecided = `NOT EXISTS (SELECT FROM redirection_decision rd WHERE rd.redirection_id = r.id)`

// lockPayout locks a payout, and says whose it is, where it goes and how it stands.
func lockPayout(ctx context.Context, tx pgx.Tx, payoutID string) (payee string, destination *int64, state string, err error) {
	if err = tx.QueryRow(ctx, `SELECT participant_id, destination_id, state FROM payout WHERE id = $1 FOR UPDATE`, payoutID).Scan(&payee, &destination, &state); err != nil {
		err = fmt.Errorf("read payout %s: %w", payoutID, err)
	}
	return payee, destination, state, err
}

// mayRedirect refuses to send a payout by a rail where it is not released, may have been paid,
// or comes too late for the rail's file.
func mayRedirect(ctx context.Context, tx pgx.Tx, payoutID, rail string) error {
	if err := giveUpAbsent(ctx, tx, payoutID); err != nil {
		return err
	}
	var may, late bool
	err := tx.QueryRow(ctx, `
		SELECT o.state IN ('held', 'failed', 'returned') AND l.released_by IS NOT NULL AND p.state IN ('released', 'disbursing', 'settling')
				AND `+noLiveAttempt("o.id")+`,
			EXISTS (SELECT FROM payment_file f WHERE f.period_id = o.period_id AND f.revision = o.revision AND f.supplement = o.supplement AND f.rail = $2 AND f.currency = o.currency)
		FROM payout o JOIN payout_list l USING (period_id, revision, supplement) JOIN period_revision p USING (period_id, revision) WHERE o.id = $1`, payoutID, rail).Scan(&may, &late)
	if err != nil {
		return fmt.Errorf("look whether payout %s can be redirected: %w", payoutID, err)
	}
	switch {
	case !may:
		return incentive.Errorf(incentive.CodeConflict, "this is possible only for a payout that is released, and held, failed or returned with no attempt that may have paid, and until the period is closed: after that cancel it, and the next period pays it")
	case late:
		return incentive.Errorf(incentive.CodeConflict, "the payment file of this list is built already: cancel the payout, and the next period pays it to the new destination")
	}
	return nil
}

// giveUpAbsent gives the attempt of a payout up that the rail knows nothing of.
func giveUpAbsent(ctx context.Context, tx pgx.Tx, payoutID string) error {
	_, err := tx.Exec(ctx, `
		UPDATE payout_attempt a SET state = 'rejected', error_code = o.reason, finished_at = now()
		FROM payout o WHERE o.id = $1 AND o.state = 'failed' AND o.reason = $2 AND a.payout_id = o.id AND a.state IN ('sent', 'unknown')`, payoutID, CodeNotFoundAtRail)
	if err != nil {
		return fmt.Errorf("give the attempt of payout %s up: %w", payoutID, err)
	}
	return nil
}

// latestDestination returns the first of a participant's latest destinations without its details; of id 0
// where there is none.
func latestDestination(ctx context.Context, q querier, participantID string) (d Destination, err error) {
	err = q.QueryRow(ctx, `SELECT id, participant_id, version, rail, masked FROM destination WHERE participant_id = $1 ORDER BY version DESC, position LIMIT 1`, participantID).
		Scan(&d.ID, &d.ParticipantID, &d.Version, &d.Rail, &d.Masked)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, fmt.Errorf("read the destination of %s: %w", participantID, err)
	}
	return d, nil
}

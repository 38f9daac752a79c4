package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/incentive/policy"
)

// CodeAccountNotRefused is the code of an account to which payments may go as it is.
const CodeAccountNotRefused incentive.Code = "account-not-refused"

// openRefusals is the SQL of refusals r of the account of a destination d that nobody has released.
const openRefusals = `account_refusal r WHERE (r.participant_id, r.rail, r.account_index) = (d.participant_id, d.rail, d.account_index) AND NOT EXISTS (SELECT FROM account_release released WHERE released.refusal_id = r.id)`

// refused is the SQL of a payout o that would go to an account to which the last payment could not be made.
const refused = `EXISTS (SELECT FROM destination d CROSS JOIN LATERAL (SELECT FROM ` + openRefusals + `) r WHERE d.id = o.destination_id)`

// refusedFor is the SQL of the code of the last of them, empty where there is none.
const refusedFor = `coalesce((SELECT r.code FROM ` + openRefusals + ` ORDER BY r.id DESC LIMIT 1), '')`

// refuseAccount has nothing more sent to the account of a payout, where what became of it shows that the
// account is not good: its owner is told to name another one, or the same again. What is planned to
// go there on lists that nobody has released is held. An account of which its rail says itself how it stands
// goes by that.
func refuseAccount(ctx context.Context, tx pgx.Tx, payout PaymentOrder, attempt int, code string) error {
	var index []byte
	var account *int64
	var tried, ready bool
	err := tx.QueryRow(ctx, `
		SELECT d.account_index, a.id, a.account_index IS NOT NULL, coalesce(a.state = 'ready', false) FROM destination d LEFT JOIN rail_account a ON a.id = d.rail_account_id WHERE d.id = $1`, payout.DestinationID).Scan(&index, &account, &tried, &ready)
	switch {
	case err != nil:
		return fmt.Errorf("read the account of payout %s: %w", payout.ID, err)
	case account != nil && tried && ready:
		return refuseTried(ctx, tx, payout, *account)
	case account != nil || index == nil:
		return nil
	}
	if err := lockPayable(ctx, tx); err != nil { // payouts are planned by it
		return err
	}
	tag, err := tx.Exec(ctx, `INSERT INTO account_refusal (participant_id, rail, account_index, payout_id, attempt, code) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		payout.ParticipantID, payout.Rail, index, payout.ID, attempt, code)
	if err != nil {
		return fmt.Errorf("note that the account of payout %s is refused: %w", payout.ID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	err = moveByAccount(ctx, tx, nil, `UPDATE payout o SET state = 'held', reason = $1`, `o.state = 'planned' AND l.released_by IS NULL AND (d.participant_id, d.rail, d.account_index) = ($2, $3, $4)`,
		policy.AccountRefused, payout.ParticipantID, payout.Rail, index)
	if err != nil {
		return err
	}
	return notify(ctx, tx, Notification{
		Recipient: payout.ParticipantID,
		Kind:      notice.AccountRefused,
		Subject:   "participant/" + payout.ParticipantID,
		Key:       payout.posting("account-refused"),
	})
}

// releaseAccount lets payments go again to the account of a destination that was refused; it reports whether
// it was. payoutID is that of the payout which finance lets go there, "" where the owner has named the account again:
// then all go on that were held for it.
func releaseAccount(ctx context.Context, tx pgx.Tx, actor string, destination int64, payoutID string) (was bool, err error) {
	err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM destination d CROSS JOIN LATERAL (SELECT FROM `+openRefusals+`) r WHERE d.id = $1)`, destination).Scan(&was)
	if err != nil {
		return false, fmt.Errorf("look whether the account of destination %d is refused: %w", destination, err)
	}
	if !was {
		return false, nil
	}
	if err := lockPayable(ctx, tx); err != nil { // payouts are planned by it
		return false, err
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO account_release (refusal_id, payout_id, released_by) SELECT r.id, nullif($2, '')::uuid, $3 FROM destination d CROSS JOIN LATERAL (SELECT r.id FROM `+openRefusals+`) r WHERE d.id = $1
		ON CONFLICT DO NOTHING`, destination, payoutID, actor)
	if err != nil {
		return false, fmt.Errorf("release the account of destination %d: %w", destination, err)
	}
	if was = tag.RowsAffected() > 0; !was || payoutID != "" {
		return was, nil
	}
	return true, letGo(ctx, tx, nil, policy.AccountRefused, `(d.participant_id, d.rail, d.account_index) = (SELECT mine.participant_id, mine.rail, mine.account_index FROM destination mine WHERE mine.id = $2)`, destination)
}

// ConfirmAccount lets payments go again to the account of one of a participant's payout methods that was refused,
// as its owner says that it is right: one that is tried by prenotes is tried anew.
func (s *Store) ConfirmAccount(ctx context.Context, actor, participantID string, destination int64) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		methods, err := methodsOf(ctx, tx, participantID)
		if err != nil {
			return err
		}
		named := false
		for _, d := range methods {
			named = named || d.ID == destination
		}
		if !named {
			return incentive.Errorf(incentive.CodeNotFound, "%s has no payout method %d", participantID, destination)
		}
		was, err := releaseAccount(ctx, tx, actor, destination, "")
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE rail_account a SET state = 'open' FROM destination d WHERE d.id = $1 AND a.id = d.rail_account_id AND a.account_index IS NOT NULL AND a.state = 'refused'`, destination)
		if err != nil {
			return fmt.Errorf("have destination %d tried again: %w", destination, err)
		}
		if !was && tag.RowsAffected() == 0 {
			return incentive.Errorf(CodeAccountNotRefused, "nothing has come back from this account since it was named: there is nothing to confirm")
		}
		return audit(ctx, tx, actor, "confirm-account", "participant/"+participantID, struct {
			Destination int64 `json:"destination"`
		}{destination})
	})
}

// DisbursementsOf lists the disbursements that have a payout of a participant to send.
func (s *Store) DisbursementsOf(ctx context.Context, participantID string) (all []Disbursing, err error) {
	err = collect(ctx, s.pool, &all, `
		SELECT DISTINCT o.period_id, o.revision, o.rail FROM payout o JOIN period_revision p USING (period_id, revision)
		WHERE o.participant_id = $1 AND o.state = 'planned' AND o.batch > 0 AND p.state IN ('released', 'disbursing', 'settling') ORDER BY 1, 2, 3`, pgx.RowToStructByPos[Disbursing], participantID)
	if err != nil {
		err = fmt.Errorf("list what is to be sent to %s: %w", participantID, err)
	}
	return all, err
}

// releasing are the acts of finance by which a payout goes to an account that was refused.
var releasing = map[string]bool{liftHold: true, retryPayout.name: true}

// releaseBy releases the account of a payout that an act of finance lets go there.
func releaseBy(ctx context.Context, tx pgx.Tx, actor, act, payoutID string) error {
	if !releasing[act] {
		return nil
	}
	var destination int64
	err := tx.QueryRow(ctx, `SELECT destination_id FROM payout WHERE id = $1 AND destination_id IS NOT NULL`, payoutID).Scan(&destination)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read payout %s: %w", payoutID, err)
	}
	_, err = releaseAccount(ctx, tx, actor, destination, payoutID)
	return err
}

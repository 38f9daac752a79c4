package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// RailAccount is a participant's account at a rail that has one for each of its recipients.
type RailAccount struct {
	ID            int64
	ParticipantID string
	Rail          string
	Key           string // by which the rail is asked to open it, once
	Account       string // "" while it is being opened
	State         string // open, submitted, ready or refused
	CheckedAt     *time.Time
}

// The states of accounts that a program decides by.
const (
	readyAccount   = "ready"
	openAccount    = "open"
	RefusedAccount = "refused" // nothing is paid there
)

const railAccountColumns = `id, participant_id, rail, key::text, coalesce(account, ''), state, checked_at`

// railAccount returns the row of an account that a participant names.
func railAccount(ctx context.Context, tx pgx.Tx, participantID, rail, account string) (id *int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH made AS (INSERT INTO rail_account (participant_id, rail, opened, account) VALUES ($1, $2, false, $3) ON CONFLICT (participant_id, rail, account) DO NOTHING RETURNING id)
		SELECT id FROM made UNION ALL SELECT id FROM rail_account WHERE participant_id = $1 AND rail = $2 AND account = $3 LIMIT 1`, participantID, rail, account).Scan(&id)
	if err != nil {
		err = fmt.Errorf("keep an account of %s: %w", participantID, err)
	}
	return id, err
}

// BeginRailAccount returns the account that is opened for a participant at a rail. What has no
// Account yet is to be opened by its Key, which stays the same however often that is tried.
func (s *Store) BeginRailAccount(ctx context.Context, actor, participantID, rail string) (a RailAccount, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO rail_account (participant_id, rail, opened) VALUES ($1, $2, true) ON CONFLICT DO NOTHING`, participantID, rail)
		if err != nil {
			return fmt.Errorf("begin an account of %s: %w", participantID, err)
		}
		rows, err := tx.Query(ctx, `SELECT `+railAccountColumns+` FROM rail_account WHERE participant_id = $1 AND rail = $2 AND opened`, participantID, rail)
		if err != nil {
			return fmt.Errorf("read the account of %s: %w", participantID, err)
		}
		if a, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[RailAccount]); err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit(ctx, tx, actor, "open-account", "participant/"+participantID, struct {
			Rail string `json:"rail"`
		}{rail})
	})
	return a, err
}

// KeepRailAccount notes what a rail calls the account that it has opened.
func (s *Store) KeepRailAccount(ctx context.Context, id int64, account string) error {
	if _, err := s.pool.Exec(ctx, `UPDATE rail_account SET account = $2 WHERE id = $1 AND account IS NULL`, id, account); err != nil {
		return fmt.Errorf("keep account %d: %w", id, err)
	}
	return nil
}

// AccountsNotReady lists the accounts at a rail to which payouts of a revision that are not
// sent would go, and which were not ready when the rail was last asked.
func (s *Store) AccountsNotReady(ctx context.Context, periodID string, revision int, rail string) (accounts []string, err error) {
	err = collect(ctx, s.pool, &accounts, `
		SELECT DISTINCT a.account FROM payout o JOIN destination d ON d.id = o.destination_id JOIN rail_account a ON a.id = d.rail_account_id
		WHERE o.period_id = $1 AND o.revision = $2 AND o.rail = $3 AND o.batch > 0 AND o.state IN ('planned', 'held') AND a.state <> 'ready' AND a.account IS NOT NULL ORDER BY 1`,
		pgx.RowTo[string], periodID, revision, rail)
	if err != nil {
		err = fmt.Errorf("list the accounts of %s that are not ready: %w", periodID, err)
	}
	return accounts, err
}

// Disbursing is a disbursement that may have something to do.
type Disbursing struct {
	PeriodID string
	Revision int
	Rail     string
}

// CodeFileBuilt is why a payout failed whose account became ready after the payment file of its
// list was built, which takes nothing in any more.
const CodeFileBuilt incentive.Code = "file-built"

// NoteStanding notes how an account at a rail stands. Payouts to one that is not ready are
// held; those that it held are planned again once it is, on lists that are not released and
// on those that were released with them, or where their payment file is built wait for a person.
// It returns which disbursements have to hear of it.
func (s *Store) NoteStanding(ctx context.Context, rail, account, state string) (tell []Disbursing, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var ids []int64
		if err := collect(ctx, tx, &ids, `SELECT id FROM rail_account WHERE rail = $1 AND account = $2`, pgx.RowTo[int64], rail, account); err != nil {
			return fmt.Errorf("read account of %s: %w", rail, err)
		}
		tell, err = noteStanding(ctx, tx, state, ids...)
		return err
	})
	return tell, err
}

// noteStanding notes how accounts stand, and moves the payouts that go by it.
func noteStanding(ctx context.Context, tx pgx.Tx, state string, accounts ...int64) (tell []Disbursing, err error) {
	var changes bool
	if err := tx.QueryRow(ctx, `SELECT coalesce(bool_or(state <> $2), false) FROM rail_account WHERE id = ANY($1)`, accounts, state).Scan(&changes); err != nil {
		return nil, fmt.Errorf("read how accounts stand: %w", err)
	}
	if changes {
		if err := lockPayable(ctx, tx); err != nil { // payouts are planned by how it stands
			return nil, err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE rail_account SET state = $2, checked_at = now() WHERE id = ANY($1)`, accounts, state); err != nil {
		return nil, fmt.Errorf("note how accounts stand: %w", err)
	}
	if !changes {
		return nil, nil
	}
	if state == readyAccount {
		err = letGo(ctx, tx, &tell, policy.AccountNotReady, `d.rail_account_id = ANY($2)`, accounts)
	} else {
		err = moveByAccount(ctx, tx, &tell, `UPDATE payout o SET state = 'held', reason = $1`, `o.state = 'planned' AND l.released_by IS NULL AND d.rail_account_id = ANY($2)`, policy.AccountNotReady, accounts)
	}
	return tell, err
}

// letGo plans payouts again that were held for a reason, $1, of accounts, which of says of the destination d: on lists
// that are not released and on those that were released with them, or where their payment file is
// built they wait for a person. Disbursements that have to hear of it are added to tell, unless that is nil.
func letGo(ctx context.Context, tx pgx.Tx, tell *[]Disbursing, reason policy.Exception, of string, arguments ...any) error {
	return moveByAccount(ctx, tx, tell, `UPDATE payout o SET state = CASE WHEN `+filed+` THEN 'failed' ELSE 'planned' END, reason = CASE WHEN `+filed+` THEN '`+string(CodeFileBuilt)+`' ELSE '' END`,
		`o.state = 'held' AND o.reason = $1 AND (l.released_by IS NULL OR o.batch > 0 AND p.state IN ('released', 'disbursing', 'settling')) AND `+of, append([]any{reason}, arguments...)...)
}

// moveByAccount moves payouts o of lists l and periods p that go to destinations d, and has lists that are not
// released signed anew.
func moveByAccount(ctx context.Context, tx pgx.Tx, tell *[]Disbursing, sql, where string, arguments ...any) error {
	type moved struct {
		Disbursing
		supplement int
		released   bool
	}
	var all []moved
	err := collect(ctx, tx, &all, sql+`
		FROM payout_list l JOIN period_revision p USING (period_id, revision), destination d
		WHERE (l.period_id, l.revision, l.supplement) = (o.period_id, o.revision, o.supplement) AND d.id = o.destination_id AND `+where+`
		RETURNING o.period_id, o.revision, o.rail, o.supplement, l.released_by IS NOT NULL`,
		func(row pgx.CollectableRow) (m moved, err error) {
			err = row.Scan(&m.PeriodID, &m.Revision, &m.Rail, &m.supplement, &m.released)
			return m, err
		}, arguments...)
	if err != nil {
		return fmt.Errorf("move payouts by how their accounts stand: %w", err)
	}
	for _, m := range all {
		if !m.released {
			if _, _, err := signList(ctx, tx, m.PeriodID, m.Revision, m.supplement); err != nil {
				return err
			}
		} else if tell != nil {
			*tell = append(*tell, m.Disbursing)
		}
	}
	return nil
}

// notReady is the SQL of a payout o that would go to an account which its rail does not pay yet,
// or any more.
const notReady = `EXISTS (SELECT FROM destination d JOIN rail_account a ON a.id = d.rail_account_id WHERE d.id = o.destination_id AND a.state <> 'ready')`

// notPayable is the SQL of a payout o that would go to an account which is not ready, or refused.
const notPayable = `(` + notReady + ` OR ` + refused + `)`

// HoldNotReady holds the released payouts of a revision on a rail of files that are in no file yet
// and would go to accounts that are not ready, or are refused since the release.
func (s *Store) HoldNotReady(ctx context.Context, periodID string, revision int, rail string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE payout o SET state = 'held', reason = CASE WHEN `+notReady+` THEN $4 ELSE $5 END WHERE o.period_id = $1 AND o.revision = $2 AND o.rail = $3 AND o.batch > 0 AND o.state = 'planned' AND `+notPayable+` AND `+noLiveAttempt("o.id"),
		periodID, revision, rail, policy.AccountNotReady, policy.AccountRefused)
	if err != nil {
		return fmt.Errorf("hold payouts of %s by %s: %w", periodID, rail, err)
	}
	return nil
}

// holdNotReady holds a payout that was never sent and would go to an account that the rail
// does not pay yet, or to which the last payment could not be made.
func holdNotReady(ctx context.Context, tx pgx.Tx, payoutID string, to Destination) (held bool, err error) {
	reason := policy.AccountNotReady
	if to.Standing == "" || to.Standing == readyAccount {
		if reason = policy.AccountRefused; to.Refused == "" {
			return false, nil
		}
	}
	if _, err := liveAttempt(ctx, tx, payoutID); !errors.Is(err, pgx.ErrNoRows) {
		return false, err // what may have been sent is looked up
	}
	if _, err := tx.Exec(ctx, `UPDATE payout SET state = 'held', reason = $2 WHERE id = $1`, payoutID, reason); err != nil {
		return false, fmt.Errorf("hold payout %s: %w", payoutID, err)
	}
	return true, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeNotDelegated says that somebody decides for another who has not delegated to them,
// or not for today.
const CodeNotDelegated incentive.Code = "not-delegated"

// CodeCannotApprove says that somebody has no role that approves.
const CodeCannotApprove incentive.Code = "cannot-approve"

// Reassignment moves an approval queue.
type Reassignment struct {
	PeriodID string
	Revision int
	From     string // a participant's id, or FinanceQueue
	To       string // likewise; "" where the system moves it up the hierarchy
	Actor    string
	Key      string // with the same key a queue is moved once
	ReasonID string
	OpenedBy *time.Time // only what waits since then or longer; nil: all
}

// Delegation lets somebody decide in another's approval queue, from one day to another,
// both included, of the company's.
type Delegation struct {
	ID        string // a UUID
	From, To  string // participants' ids
	FromName  string
	ToName    string
	StartsOn  incentive.Date
	EndsOn    incentive.Date
	MadeBy    string
	EndedAt   *time.Time
	IsInForce bool
}

// MaxDelegationDays is how long a delegation may last.
const MaxDelegationDays = 366

// Delegate keeps a delegation, and returns it with its names. The same id again changes
// nothing.
func (s *Store) Delegate(ctx context.Context, d Delegation) (Delegation, error) {
	if d.EndsOn.Before(d.StartsOn) || d.StartsOn.AddDays(MaxDelegationDays).Before(d.EndsOn) {
		return d, incentive.Errorf(incentive.CodeInvalid, "a delegation ends on or after the day it starts, and lasts at most %d days", MaxDelegationDays)
	}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := refuseNoApprover(ctx, tx, d.To); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO delegation (id, delegator_id, delegate_id, starts_on, ends_on, made_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING`,
			d.ID, d.From, d.To, d.StartsOn, d.EndsOn, d.MadeBy)
		switch constraint(err) {
		case "delegation_check":
			return incentive.Errorf(incentive.CodeInvalid, "nobody delegates to themselves")
		case "delegation_delegator_id_fkey":
			return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", d.From)
		}
		if err != nil {
			return fmt.Errorf("keep a delegation: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit(ctx, tx, d.MadeBy, "delegate", "delegation/"+d.ID, struct {
			From     string         `json:"from"`
			To       string         `json:"to"`
			StartsOn incentive.Date `json:"starts_on"`
			EndsOn   incentive.Date `json:"ends_on"`
		}{d.From, d.To, d.StartsOn, d.EndsOn})
	})
	if err != nil {
		return d, err
	}
	return s.delegation(ctx, d.ID)
}

func (s *Store) delegation(ctx context.Context, id string) (Delegation, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+delegationColumns+` FROM delegation d WHERE d.id = $1`, id)
	if err != nil {
		return Delegation{}, fmt.Errorf("read the delegation %s: %w", id, err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Delegation])
}

var delegationColumns = `d.id::text, d.delegator_id, d.delegate_id, ` + nameAt("d.delegator_id", "company_today()") + `, ` + nameAt("d.delegate_id", "company_today()") + `, d.starts_on, d.ends_on, d.made_by, d.ended_at,
	EXISTS (SELECT FROM delegation_in_force f WHERE f.id = d.id)`

// EndDelegation ends a delegation before its last day: anybody's, or (of not "") only one
// from or to that participant. One that has ended stays so.
func (s *Store) EndDelegation(ctx context.Context, actor, id, of string) (Delegation, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var ended bool
		err := tx.QueryRow(ctx, `SELECT ended_at IS NOT NULL FROM delegation WHERE id = id_of($1) AND ($2 = '' OR $2 IN (delegator_id, delegate_id)) FOR UPDATE`, id, of).Scan(&ended)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "there is no delegation %q of yours", id)
		}
		if err != nil || ended {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE delegation SET ended_by = $2, ended_at = now() WHERE id = $1`, id, actor); err != nil {
			return fmt.Errorf("end delegation %s: %w", id, err)
		}
		return audit(ctx, tx, actor, "end-delegation", "delegation/"+id, struct{}{})
	})
	if err != nil {
		return Delegation{}, err
	}
	return s.delegation(ctx, id)
}

// Delegations lists the delegations that have not ended, by their ids: everybody's, or (of
// not "") those from or to one participant.
func (s *Store) Delegations(ctx context.Context, of, after string, limit int) ([]Delegation, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT `+delegationColumns+`
		FROM delegation d WHERE d.ended_at IS NULL AND d.ends_on >= company_today() AND ($1 = '' OR $1 IN (d.delegator_id, d.delegate_id)) AND d.id::text > $2 ORDER BY d.id::text LIMIT $3`, of, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list delegations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Delegation])
}

// MayDecideFor reports whether a person may decide in another's queue today.
func (s *Store) MayDecideFor(ctx context.Context, queue, person string) (bool, error) {
	err := refuseNoDelegate(ctx, s.pool, queue, person)
	if incentive.ErrorCode(err) == CodeNotDelegated {
		return false, nil
	}
	return err == nil, err
}

func refuseNoDelegate(ctx context.Context, q querier, queue, person string) error {
	var may bool
	err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM delegation_in_force WHERE delegator_id = $1 AND delegate_id = $2)`, queue, person).Scan(&may)
	if err != nil {
		return fmt.Errorf("look for a delegation from %s to %s: %w", queue, person, err)
	}
	if !may {
		return incentive.Errorf(CodeNotDelegated, "%s has not delegated approvals to you, or not for today", queue)
	}
	return nil
}

// refuseNoApprover refuses somebody whom no role lets approve.
func refuseNoApprover(ctx context.Context, q querier, person string) error {
	var roles []incentive.Role
	err := q.QueryRow(ctx, `SELECT ARRAY(SELECT role FROM role_grant WHERE participant_id = $1)`, person).Scan(&roles)
	if err != nil {
		return fmt.Errorf("read the roles of %s: %w", person, err)
	}
	if !slices.ContainsFunc(roles, func(r incentive.Role) bool {
		return incentive.Right([]incentive.Role{r}, incentive.DecideApproval) > incentive.None
	}) {
		return incentive.Errorf(CodeCannotApprove, "%q has no role that approves: give the role of manager or finance first", person)
	}
	return nil
}

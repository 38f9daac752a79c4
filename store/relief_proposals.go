package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// ReliefState is how a relief that somebody proposed stands.
type ReliefState string

// The states.
const (
	ReliefWaiting   ReliefState = "waiting"
	ReliefGranted   ReliefState = "granted"
	ReliefRefused   ReliefState = "refused"
	ReliefWithdrawn ReliefState = "withdrawn"
)

// ReliefProposal is a relief of somebody's quota that their manager proposes and finance
// decides about. Its version is that of the relief that it is to revise, 0 for a new one.
type ReliefProposal struct {
	incentive.Relief
	ID         string // a UUID
	Name       string // of the participant
	ProposedBy string
	ProposedAt time.Time
	ReasonID   string
	Reason     string
	State      ReliefState
	DecidedBy  string // "" while it waits
	DecidedAt  *time.Time
	Answer     string // what whoever decided said
}

func reliefSubject(id string) string { return "relief/" + id }

// undecidedRelief is the SQL of a proposal w of which nothing has become.
const undecidedRelief = `NOT EXISTS (SELECT FROM relief_decision x WHERE x.proposal_id = w.id)`

// standingVersion is the SQL of the version of the relief of which w is a proposal; 0 for none.
const standingVersion = `(SELECT coalesce(max(r.version), 0) FROM quota_relief r WHERE (r.participant_id, r.measure, r.starts_on, r.cause) = (w.participant_id, w.measure, w.starts_on, w.cause))`

// WhichReliefs chooses proposals of reliefs.
type WhichReliefs struct {
	ID, Person string
	State      ReliefState // "" for any
	Visible    []string    // of these people only, and what Reader has proposed; nil for everybody
	Reader     string
}

// ReliefProposals lists up to limit proposals of reliefs, the latest first, after one of that
// id.
func (s *Store) ReliefProposals(ctx context.Context, which WhichReliefs, after string, limit int) ([]ReliefProposal, error) {
	return reliefProposals(ctx, s.pool, which, after, limit)
}

func reliefProposals(ctx context.Context, q querier, which WhichReliefs, after string, limit int) (all []ReliefProposal, err error) {
	err = collect(ctx, q, &all, `
		SELECT w.id::text, w.participant_id, `+nameNow("w.participant_id")+`, w.measure, w.starts_on, w.ends_on, w.cause, w.amount, w.share, w.stood, w.proposed_by, w.proposed_at, w.reason_id::text, coalesce(said.body, ''),
			coalesce(d.decision, 'waiting'), coalesce(d.decided_by, ''), d.decided_at, coalesce(answer.body, '')
		FROM relief_proposal w JOIN free_text said ON said.id = w.reason_id
		LEFT JOIN relief_decision d ON d.proposal_id = w.id LEFT JOIN free_text answer ON answer.id = d.reason_id
		WHERE (@id = '' OR w.id = id_of(@id)) AND (@person = '' OR w.participant_id = @person) AND (@state = '' OR coalesce(d.decision, 'waiting') = @state)
			AND (`+among("w.participant_id", which.Visible)+` OR w.proposed_by = @reader)
			AND (@after = '' OR (w.proposed_at, w.id) < (SELECT l.proposed_at, l.id FROM relief_proposal l WHERE l.id = id_of(@after)))
		ORDER BY w.proposed_at DESC, w.id DESC LIMIT @limit`, func(row pgx.CollectableRow) (p ReliefProposal, err error) {
		err = row.Scan(&p.ID, &p.ParticipantID, &p.Name, &p.Measure, &p.StartsOn, &p.EndsOn, &p.Cause, &p.Amount, &p.Share, &p.Version, &p.ProposedBy, &p.ProposedAt, &p.ReasonID, &p.Reason,
			&p.State, &p.DecidedBy, &p.DecidedAt, &p.Answer)
		return p, err
	}, plannedAnew, pgx.NamedArgs{"id": which.ID, "person": which.Person, "state": string(which.State), "visible": which.Visible, "reader": which.Reader, "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list proposals of reliefs: %w", err)
	}
	return all, nil
}

func reliefProposal(ctx context.Context, q querier, id string) (ReliefProposal, error) {
	found, err := reliefProposals(ctx, q, WhichReliefs{ID: id}, "", 1)
	if err == nil && len(found) == 0 {
		err = incentive.Errorf(incentive.CodeNotFound, "there is no proposed relief %q that you may see", id)
	}
	if err != nil {
		return ReliefProposal{}, err
	}
	return found[0], nil
}

// ProposeRelief keeps a relief that somebody proposes for another and finance is to decide
// about, and tells finance. The same id again changes nothing. While a proposal of the same
// quota, first day and cause waits, another is refused with CodeConflict.
func (s *Store) ProposeRelief(ctx context.Context, p ReliefProposal) (kept ReliefProposal, err error) {
	switch {
	case p.ReasonID == "":
		return p, incentive.Errorf(CodeReasonMissing, "say why: whoever proposes a relief gives a reason")
	case p.ProposedBy == p.ParticipantID:
		return p, incentive.Errorf(CodeOwnPay, "nobody proposes a relief of their own quota: ask whoever you report to")
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		// One proposal at a time for a participant.
		tag, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE`, p.ParticipantID)
		if err != nil {
			return fmt.Errorf("hold participant %s: %w", p.ParticipantID, err)
		}
		if tag.RowsAffected() == 0 {
			return incentive.Errorf(CodeUnknownParticipant, "there is no participant %s: import the participant first", p.ParticipantID)
		}
		known, err := reliefProposals(ctx, tx, WhichReliefs{ID: p.ID}, "", 1)
		if err != nil {
			return err
		}
		if len(known) > 0 {
			kept = known[0]
			return nil
		}
		var waits bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM relief_proposal w WHERE (w.participant_id, w.measure, w.starts_on, w.cause) = ($1, $2, $3, $4) AND `+undecidedRelief+`)`,
			p.ParticipantID, p.Measure, p.StartsOn, p.Cause).Scan(&waits)
		if err != nil {
			return fmt.Errorf("look what is proposed for %s: %w", p.ParticipantID, err)
		}
		if waits {
			return incentive.Errorf(incentive.CodeConflict, "a relief of the same quota, first day and cause waits for finance already: withdraw that one first")
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO relief_proposal (id, participant_id, measure, starts_on, cause, ends_on, amount, share, stood, reason_id, proposed_by)
			SELECT $1, w.participant_id, w.measure, w.starts_on, w.cause, $6, $7, $8, `+standingVersion+`, $9, $10 FROM (VALUES ($2::text, $3::text, $4::date, $5::text)) AS w (participant_id, measure, starts_on, cause)`,
			p.ID, p.ParticipantID, p.Measure, p.StartsOn, string(p.Cause), p.EndsOn, p.Amount, p.Share, p.ReasonID, p.ProposedBy)
		if err != nil {
			return fmt.Errorf("propose a relief for %s: %w", p.ParticipantID, err)
		}
		if kept, err = reliefProposal(ctx, tx, p.ID); err != nil {
			return err
		}
		if err := auditRelief(ctx, tx, p.ProposedBy, "propose-relief", kept, p.ReasonID); err != nil {
			return err
		}
		return tellFinanceOfRelief(ctx, tx, p, notice.ReliefProposed, "")
	})
	return kept, err
}

// tellFinanceOfRelief tells whoever may decide about a proposal, once for each occasion.
func tellFinanceOfRelief(ctx context.Context, q querier, p ReliefProposal, kind notice.Kind, occasion string) error {
	_, err := q.Exec(ctx, `
		INSERT INTO notification (recipient, kind, subject, key)
		SELECT participant_id, $1::text, $2::text, concat_ws('/', $1, $3::text, nullif($4::text, '')) FROM role_grant WHERE role = 'finance' AND participant_id NOT IN ($5, $6) ORDER BY participant_id ON CONFLICT DO NOTHING`,
		kind, reliefSubject(p.ID), p.ID, occasion, p.ParticipantID, p.ProposedBy)
	if err != nil {
		return fmt.Errorf("tell finance of a proposed relief: %w", err)
	}
	return nil
}

// RemindOfReliefs reminds finance of proposed reliefs that wait, each so many business days after
// they were proposed as whoever approves statements is reminded. today is the company's; the same
// day again reminds nobody again.
func (s *Store) RemindOfReliefs(ctx context.Context, today incentive.Date) error {
	_, zone, err := s.Company(ctx)
	if err != nil {
		return err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return fmt.Errorf("read the company's zone: %w", err)
	}
	holidays, err := holidays(ctx, s.pool)
	if err != nil {
		return err
	}
	const some = 500
	after := ""
	for {
		waiting, err := s.ReliefProposals(ctx, WhichReliefs{State: ReliefWaiting}, after, some)
		if err != nil {
			return err
		}
		for _, p := range waiting {
			goesBy, err := policiesOf(ctx, s.pool, p.ParticipantID, p.StartsOn)
			if err != nil {
				return err
			}
			if !remindsOn(today, incentive.DateOf(p.ProposedAt.In(location)), goesBy[0].Approvals.RemindAfterDays, holidays) {
				continue
			}
			if err := tellFinanceOfRelief(ctx, s.pool, p, notice.ReliefReminder, today.String()); err != nil {
				return err
			}
		}
		if len(waiting) < some {
			return nil
		}
		after = waiting[len(waiting)-1].ID
	}
}

func auditRelief(ctx context.Context, tx pgx.Tx, actor, act string, p ReliefProposal, reasonID string) error {
	return audit(ctx, tx, actor, act, reliefSubject(p.ID), struct {
		Relief   incentive.Relief `json:"relief"`
		ReasonID string           `json:"reason_id,omitempty"`
	}{p.Relief, reasonID})
}

// EndReliefProposal lets finance grant or refuse a proposed relief, or whoever proposed it
// withdraw it. Granted, it is a relief at once; where the one that it revises has changed
// since, that is refused with CodeConflict. A refusal needs a reason. The same again by the
// same person changes nothing.
func (s *Store) EndReliefProposal(ctx context.Context, actor, id string, outcome ReliefState, reasonID string) (ended ReliefProposal, err error) {
	if outcome == ReliefRefused && reasonID == "" {
		return ended, incentive.Errorf(CodeReasonMissing, "say why: a refusal needs a reason")
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		// As an import does, so that none is written while a lock freezes.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		if _, err := tx.Exec(ctx, `SELECT FROM relief_proposal WHERE id = id_of($1) FOR UPDATE`, id); err != nil {
			return fmt.Errorf("hold proposed relief %s: %w", id, err)
		}
		p, err := reliefProposal(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case p.State == outcome && p.DecidedBy == actor:
			ended = p
			return nil
		case p.State != ReliefWaiting:
			return incentive.Errorf(incentive.CodeConflict, "the proposed relief is %s already", string(p.State))
		case outcome == ReliefWithdrawn && actor != p.ProposedBy:
			return incentive.Errorf(incentive.CodeForbidden, "one withdraws one's own proposals: finance refuses those of others")
		case outcome != ReliefWithdrawn && actor == p.ParticipantID:
			return incentive.Errorf(CodeOwnPay, "nobody decides about a relief of their own quota: somebody else of finance does")
		case outcome != ReliefWithdrawn && actor == p.ProposedBy:
			return incentive.Errorf(CodePreparer, "you have proposed this relief: somebody else of finance decides")
		}
		_, err = tx.Exec(ctx, `INSERT INTO relief_decision (proposal_id, participant_id, proposed_by, decision, decided_by, reason_id) VALUES ($1, $2, $3, $4, $5, $6)`,
			p.ID, p.ParticipantID, p.ProposedBy, string(outcome), actor, orNull(reasonID))
		if err != nil {
			return fmt.Errorf("decide about proposed relief %s: %w", id, err)
		}
		act, told := "withdraw-relief", notice.Kind("")
		switch outcome {
		case ReliefGranted:
			act, told = "grant-relief", notice.ReliefGranted
			if err := putRelief(ctx, tx, p); err != nil {
				return err
			}
		case ReliefRefused:
			act, told = "refuse-relief", notice.ReliefRefused
		}
		if err := auditRelief(ctx, tx, actor, act, p, reasonID); err != nil {
			return err
		}
		if told != "" {
			err := notify(ctx, tx, Notification{Recipient: p.ProposedBy, Kind: told, Subject: reliefSubject(p.ID), Key: string(told) + "/" + p.ID})
			if err != nil {
				return err
			}
		}
		ended, err = reliefProposal(ctx, tx, id)
		return err
	})
	return ended, err
}

// putRelief makes a relief of a proposed one.
func putRelief(ctx context.Context, tx pgx.Tx, p ReliefProposal) error {
	var stands int
	if err := tx.QueryRow(ctx, `SELECT `+standingVersion+` FROM relief_proposal w WHERE w.id = $1`, p.ID).Scan(&stands); err != nil {
		return fmt.Errorf("read what stands of proposed relief %s: %w", p.ID, err)
	}
	if stands != p.Version {
		return incentive.Errorf(incentive.CodeConflict, "this relief was entered or revised since it was proposed: refuse the proposal, and let it be proposed again from what stands")
	}
	record := map[string]any{"participant_id": p.ParticipantID, "measure": p.Measure, "starts_on": p.StartsOn, "ends_on": p.EndsOn, "cause": p.Cause, "amount": p.Amount, "share": p.Share}
	l := &Loading{tx: tx, result: &Import{}}
	err := l.Put(ctx, "quota_relief", []Row{{Key: p.ID, Record: record}})
	if err == nil && len(l.held) > 0 {
		err = incentive.Errorf(l.held[0].Code, "%s", l.held[0].Reason)
	}
	return err
}

package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Acceptance is whether somebody who is on a plan has accepted one version of it.
type Acceptance struct {
	ParticipantID string
	Name          string
	Signature     string     // their name, as they typed it; "" where they have not accepted
	AcceptedAt    *time.Time // nil where they have not
}

// plannedPeople are those whom the latest record of an assignment puts on a plan, today or later.
const plannedPeople = `SELECT plan_id, participant_id FROM (
	SELECT DISTINCT ON (participant_id, plan_id, starts_on) participant_id, plan_id, ends_on FROM assignment ORDER BY participant_id DESC, plan_id DESC, starts_on DESC, version DESC) latest
	WHERE ends_on IS NULL OR ends_on >= company_today()`

// ofAcceptances is the FROM and WHERE of those who are on a plan or have accepted a version of it.
func ofAcceptances(visible []string) string {
	return ` FROM (SELECT participant_id, max(accepted_at) AS accepted_at FROM (
		SELECT participant_id, NULL::timestamptz AS accepted_at FROM (` + plannedPeople + `) l WHERE plan_id = @plan
		UNION ALL SELECT participant_id, accepted_at FROM plan_acceptance WHERE plan_id = @plan AND version = @version) one GROUP BY participant_id) p
	WHERE ` + among("p.participant_id", visible)
}

// WhichAcceptances says whose acceptances of which version of a plan are wanted.
type WhichAcceptances struct {
	PlanVersionID
	Visible []string // participants; nil for everybody
	Missing bool     // only of those who have not accepted it
	Search  string   // a part of the participant's id or name, in whatever case
}

func (of WhichAcceptances) arguments() pgx.NamedArgs {
	return pgx.NamedArgs{"plan": of.PlanID, "version": of.Version, "visible": of.Visible, "missing": of.Missing, "search": anywhere(of.Search)}
}

// Acceptances lists who is on a plan or has accepted that version of it, after one by their ids.
func (s *Store) Acceptances(ctx context.Context, of WhichAcceptances, after string, limit int) ([]Acceptance, error) {
	return acceptances(ctx, s.pool, of, after, limit)
}

func acceptances(ctx context.Context, q querier, of WhichAcceptances, after string, limit int) (all []Acceptance, err error) {
	arguments := of.arguments()
	arguments["after"], arguments["limit"] = after, limit
	err = collect(ctx, q, &all, `
		SELECT p.participant_id, `+nameAt("p.participant_id", "company_today()")+`,
			coalesce((SELECT t.body FROM plan_acceptance a JOIN free_text t ON t.id = a.signature_id WHERE (a.plan_id, a.version, a.participant_id) = (@plan, @version, p.participant_id)), ''), p.accepted_at`+ofAcceptances(of.Visible)+`
			AND (NOT @missing OR p.accepted_at IS NULL) AND `+found("p.participant_id")+` AND p.participant_id > @after ORDER BY p.participant_id LIMIT @limit`, pgx.RowToStructByPos[Acceptance], plannedAnew, arguments)
	if err != nil {
		return nil, fmt.Errorf("list who has accepted plan %s: %w", of.PlanID, err)
	}
	return all, nil
}

// CountAcceptances counts the visible who are on a plan or have accepted that version of it, and those
// of them who have, whatever is searched for among them.
func (s *Store) CountAcceptances(ctx context.Context, of WhichAcceptances) (people, accepted int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*), count(p.accepted_at)`+ofAcceptances(of.Visible), plannedAnew, of.arguments()).Scan(&people, &accepted)
	if err != nil {
		return 0, 0, fmt.Errorf("count who has accepted plan %s: %w", of.PlanID, err)
	}
	return people, accepted, nil
}

// PlanVersionID names one version of a plan.
type PlanVersionID struct {
	PlanID  string
	Version int
}

// OwnPlan is the latest version of a plan that somebody is on.
type OwnPlan struct {
	PlanVersionID
	Accepted bool // by them
}

// OwnPlans lists the plans that somebody is on, by their ids.
func (s *Store) OwnPlans(ctx context.Context, participantID string) (all []OwnPlan, err error) {
	err = collect(ctx, s.pool, &all, `
		SELECT v.plan_id, v.version, EXISTS (SELECT FROM plan_acceptance a WHERE (a.plan_id, a.version, a.participant_id) = (v.plan_id, v.version, $1)) FROM (
			SELECT plan_id, max(version) AS version FROM plan_version WHERE plan_id IN (SELECT plan_id FROM (`+plannedPeople+`) p WHERE participant_id = $1) GROUP BY plan_id) v
		ORDER BY v.plan_id`, pgx.RowToStructByPos[OwnPlan], participantID)
	if err != nil {
		return nil, fmt.Errorf("list the plans of %s: %w", participantID, err)
	}
	return all, nil
}

// AcceptPlan puts on record that somebody who is on a plan accepts one version of it, signed
// with their name. Accepting it again changes nothing.
func (s *Store) AcceptPlan(ctx context.Context, participantID string, v PlanVersionID, signature string) (accepted Acceptance, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var document []byte
		err := tx.QueryRow(ctx, `SELECT document FROM plan_version WHERE plan_id = $1 AND version = $2`, v.PlanID, v.Version).Scan(&document)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "plan %q has no version %d", v.PlanID, v.Version)
		}
		if err != nil {
			return fmt.Errorf("read plan %s: %w", v.PlanID, err)
		}
		if _, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR UPDATE`, participantID); err != nil {
			return err
		}
		if accepted, err = acceptance(ctx, tx, participantID, v); err != nil || accepted.AcceptedAt != nil {
			return err
		}
		if !strings.EqualFold(strings.Join(strings.Fields(signature), " "), strings.Join(strings.Fields(accepted.Name), " ")) {
			return incentive.Errorf(incentive.CodeInvalid, "sign with your name as it stands here: %s", accepted.Name)
		}
		digest, signed := sha256.Sum256(document), sha256.Sum256([]byte(signature))
		var signatureID string
		if err := tx.QueryRow(ctx, `INSERT INTO free_text (body, digest, written_by) VALUES ($1, $2, $3) RETURNING id`, signature, signed[:], participantID).Scan(&signatureID); err != nil {
			return fmt.Errorf("keep a signature: %w", err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO plan_acceptance (plan_id, version, participant_id, document_sha256, signature_id) VALUES ($1, $2, $3, $4, $5)`, v.PlanID, v.Version, participantID, digest[:], signatureID); err != nil {
			return fmt.Errorf("keep an acceptance: %w", err)
		}
		err = audit(ctx, tx, participantID, "accept-plan", "plan/"+v.PlanID, struct {
			Version         int    `json:"version"`
			DocumentSHA256  string `json:"document_sha256"`
			SignatureID     string `json:"signature_id"`
			SignatureSHA256 string `json:"signature_sha256"`
		}{v.Version, fmt.Sprintf("%x", digest), signatureID, fmt.Sprintf("%x", signed)})
		if err != nil {
			return err
		}
		accepted, err = acceptance(ctx, tx, participantID, v)
		return err
	})
	return accepted, err
}

// acceptance is how somebody stands to a version of a plan, of code CodeNotFound where they
// are not on the plan.
func acceptance(ctx context.Context, tx pgx.Tx, participantID string, v PlanVersionID) (Acceptance, error) {
	found, err := acceptances(ctx, tx, WhichAcceptances{PlanVersionID: v, Visible: []string{participantID}}, "", 1)
	if err != nil {
		return Acceptance{}, err
	}
	if len(found) == 0 {
		return Acceptance{}, incentive.Errorf(incentive.CodeNotFound, "you are not on plan %q, so that it is not yours to accept", v.PlanID)
	}
	return found[0], nil
}

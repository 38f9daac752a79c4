package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// PolicyVersion is one version of a calendar's policy. Version 0 is the standard one.
type PolicyVersion struct {
	Version  int
	Document string
	policy.Policy
}

// Policy returns what a calendar goes by today.
func (s *Store) Policy(ctx context.Context, calendarID string) (PolicyVersion, error) {
	return policyOf(ctx, s.pool, calendarID)
}

func policyOf(ctx context.Context, q querier, calendarID string) (PolicyVersion, error) {
	v := PolicyVersion{Document: policy.StandardDocument}
	err := q.QueryRow(ctx, `SELECT version, document FROM policy_version WHERE calendar_id = $1 ORDER BY version DESC LIMIT 1`, calendarID).Scan(&v.Version, &v.Document)
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		v.Policy, err = policy.Parse([]byte(v.Document))
	}
	if err == nil {
		v.Payouts.LargestByRail, err = largestByRail(ctx, q)
	}
	if err != nil {
		return v, fmt.Errorf("read the policy of calendar %s: %w", calendarID, err)
	}
	return v, nil
}

// policiesOf returns what the calendars go by that pay a participant on a day; the standard policy
// where none does.
func policiesOf(ctx context.Context, q querier, participantID string, day incentive.Date) (all []PolicyVersion, err error) {
	var calendars []string
	err = collect(ctx, q, &calendars, `
		SELECT DISTINCT calendar_id FROM (
			SELECT DISTINCT ON (plan_id, starts_on) calendar_id, starts_on, ends_on FROM assignment WHERE participant_id = $1 ORDER BY plan_id, starts_on, version DESC) latest
		WHERE starts_on <= $2 AND (ends_on IS NULL OR ends_on >= $2) ORDER BY 1`, pgx.RowTo[string], participantID, day)
	if err != nil {
		return nil, fmt.Errorf("read which calendars pay %s: %w", participantID, err)
	}
	if len(calendars) == 0 {
		calendars = []string{""}
	}
	for _, calendar := range calendars {
		goesBy, err := policyOf(ctx, q, calendar)
		if err != nil {
			return nil, err
		}
		all = append(all, goesBy)
	}
	return all, nil
}

// PutPolicy keeps a policy as the next version of a calendar's. Periods go by it from
// their next step on.
func (s *Store) PutPolicy(ctx context.Context, actor, calendarID, document string) (version int, err error) {
	parsed, err := policy.Parse([]byte(document))
	if err != nil {
		return 0, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('policy ' || $1))`, calendarID); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `
			INSERT INTO policy_version (calendar_id, version, document, release_by_approver, set_by)
			SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM policy_version WHERE calendar_id = $1 RETURNING version`, calendarID, document, parsed.Release.ByApprover, actor).Scan(&version)
		if constraint(err) == "policy_version_calendar_id_fkey" {
			return incentive.Errorf(incentive.CodeNotFound, "there is no calendar %q", calendarID)
		}
		if err != nil {
			return fmt.Errorf("keep the policy of %s: %w", calendarID, err)
		}
		return audit(ctx, tx, actor, "put-policy", "calendar/"+calendarID, struct {
			Version  int    `json:"version"`
			Document string `json:"document_digest"`
		}{version, fmt.Sprintf("%x", sha256.Sum256([]byte(document)))})
	})
	return version, err
}

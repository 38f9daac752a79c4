package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/notice"
)

func init() {
	loaders["quota_relief"] = loader{sql: versioned("quota_relief",
		`n int, participant_id text, measure text, starts_on date, ends_on date, cause text, amount numeric, share numeric`,
		`t.participant_id = g.participant_id AND t.measure = g.measure AND t.starts_on = g.starts_on AND t.cause = g.cause`,
		`l.ends_on = g.ends_on AND l.amount IS NOT DISTINCT FROM g.amount AND l.share IS NOT DISTINCT FROM g.share`,
		`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'`) + `,
	put AS (INSERT INTO quota_relief (participant_id, measure, starts_on, cause, version, ends_on, amount, share)
		SELECT participant_id, measure, starts_on, cause, coalesce(version, 0) + 1, ends_on, amount, share
		FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n
		RETURNING record_id, participant_id),
	told AS (INSERT INTO notification (recipient, kind, subject, key)
		SELECT participant_id, '` + string(notice.QuotaRelieved) + `', 'relief/' || record_id, '` + string(notice.QuotaRelieved) + `/' || record_id FROM put ORDER BY record_id)
	SELECT n, outcome FROM judged ORDER BY n`,
		reasons: map[string]string{string(CodeUnknownParticipant): "there is no participant %s: import the participant first"}}
}

// takingReliefs is what of the quotas that a snapshot takes people are relieved of, between
// the same days.
func takingReliefs(back calculation.LookBack, lastGoal incentive.Date, n narrow) taking {
	of, arguments := whose("participant_id", n.measured, back.Since, lastGoal)
	return taking{"relief", `SELECT record_id FROM (
		SELECT DISTINCT ON (participant_id, measure, starts_on, cause) record_id, starts_on, ends_on, coalesce(amount, share) AS part
		FROM quota_relief WHERE true` + of + ` ORDER BY participant_id, measure, starts_on, cause, version DESC) r
		WHERE part > 0 AND starts_on <= $3::date AND ends_on >= $2::date`, arguments}
}

func loadReliefs(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	return collect(ctx, q, &snapshot.Reliefs, `
		SELECT participant_id, measure, starts_on, ends_on, cause, amount, share, version
		FROM snapshot_record r JOIN quota_relief USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'relief'
		ORDER BY participant_id COLLATE "C", measure COLLATE "C", starts_on, cause COLLATE "C"`, pgx.RowToStructByPos[incentive.Relief], id)
}

// Relief is a relief as it stands, with whose it is.
type Relief struct {
	incentive.Relief
	Name string // of the participant
}

// ReliefsOf says whose reliefs, of which quota and on which day; "" and no day for all.
type ReliefsOf struct {
	Person  string
	Measure string
	On      incentive.Date
	Search  string   // what the participant's id or name holds
	Visible []string // of these people only; nil for everybody
}

// ReliefKey names a relief: the next page of a list begins behind it.
type ReliefKey struct {
	StartsOn               incentive.Date
	Person, Measure, Cause string
}

// Reliefs lists up to limit reliefs as they stand, those that start last first, after one.
func (s *Store) Reliefs(ctx context.Context, of ReliefsOf, after *ReliefKey, limit int) (all []Relief, err error) {
	if after == nil {
		after = &ReliefKey{}
	}
	err = collect(ctx, s.pool, &all, `
		SELECT r.participant_id, r.measure, r.starts_on, r.ends_on, r.cause, r.amount, r.share, r.version, `+nameNow("r.participant_id")+`
		FROM quota_relief r
		WHERE NOT EXISTS (SELECT FROM quota_relief l WHERE (l.participant_id, l.measure, l.starts_on, l.cause) = (r.participant_id, r.measure, r.starts_on, r.cause) AND l.version > r.version)
			AND coalesce(r.amount, r.share) > 0
			AND (@person = '' OR r.participant_id = @person) AND (@measure = '' OR r.measure = @measure) AND `+among("r.participant_id", of.Visible)+` AND (@on::date IS NULL OR @on BETWEEN r.starts_on AND r.ends_on)
			AND `+found("r.participant_id")+`
			AND (@starts::date IS NULL OR r.starts_on < @starts OR r.starts_on = @starts AND (r.participant_id, r.measure, r.cause) > (@participant, @of, @cause))
		ORDER BY r.starts_on DESC, r.participant_id, r.measure, r.cause LIMIT @limit`, func(row pgx.CollectableRow) (r Relief, err error) {
		err = row.Scan(&r.ParticipantID, &r.Measure, &r.StartsOn, &r.EndsOn, &r.Cause, &r.Amount, &r.Share, &r.Version, &r.Name)
		return r, err
	}, plannedAnew, pgx.NamedArgs{"person": of.Person, "measure": of.Measure, "on": dayOrNil(of.On), "search": anywhere(of.Search), "visible": of.Visible,
		"starts": dayOrNil(after.StartsOn), "participant": after.Person, "of": after.Measure, "cause": after.Cause, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list reliefs of quotas: %w", err)
	}
	return all, nil
}

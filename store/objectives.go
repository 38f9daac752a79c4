package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// Objective is a manual objective as it stands, with who set or scored it last.
type Objective struct {
	incentive.Objective
	PersonName  string
	Description string
	ReasonID    string // of the score; "" while there is none
	Reason      string
	EnteredBy   string
	EnteredAt   time.Time
}

const objectiveColumns = `
	SELECT o.participant_id, o.period_id, o.name, o.weight, o.score, o.version, o.description, coalesce(o.reason_id::text, ''), coalesce(x.body, ''), o.entered_by, o.recorded_at,
		coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = o.participant_id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), '')
	FROM current_objective o LEFT JOIN free_text x ON x.id = o.reason_id`

func scanObjective(row pgx.CollectableRow) (o Objective, err error) {
	err = row.Scan(&o.ParticipantID, &o.PeriodID, &o.Name, &o.Weight, &o.Score, &o.Version, &o.Description, &o.ReasonID, &o.Reason, &o.EnteredBy, &o.EnteredAt, &o.PersonName)
	return o, err
}

// WhichObjectives says which objectives of a period are wanted.
type WhichObjectives struct {
	PeriodID string
	Visible  []string // participants; nil for all
	Without  string   // a participant whose are not wanted; "" for none
	Unscored bool     // only those without a score
	Search   string   // a part of the participant's id or name, in whatever case
}

// Objectives returns up to limit objectives, by participant and name, after the one of that
// participant and name.
func (s *Store) Objectives(ctx context.Context, of WhichObjectives, after [2]string, limit int) (all []Objective, err error) {
	err = collect(ctx, s.pool, &all, objectiveColumns+`
		WHERE o.period_id = @period AND o.weight > 0 AND `+among("o.participant_id", of.Visible)+` AND o.participant_id <> @without
			AND (NOT @unscored OR o.score IS NULL) AND `+found("o.participant_id")+` AND (o.participant_id COLLATE "C", o.name COLLATE "C") > (@person, @name)
		ORDER BY o.participant_id COLLATE "C", o.name COLLATE "C" LIMIT @limit`, scanObjective,
		plannedAnew, pgx.NamedArgs{"period": of.PeriodID, "visible": of.Visible, "without": of.Without, "unscored": of.Unscored, "search": anywhere(of.Search), "person": after[0], "name": after[1], "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the objectives of %s: %w", of.PeriodID, err)
	}
	return all, nil
}

// greatestScore is the most that an objective may be reached: ten times over.
var greatestScore = decimal.NewFromInt(10)

// SetObjective sets, scores or corrects an objective, or withdraws it by a weight of 0, until the
// period's lock. A score needs a reason.
func (s *Store) SetObjective(ctx context.Context, o Objective) (set Objective, err error) {
	o.Name, o.Description = strings.TrimSpace(o.Name), strings.TrimSpace(o.Description)
	switch {
	case o.EnteredBy == o.ParticipantID:
		return o, incentive.Errorf(incentive.CodeOwnPay, "nobody sets or scores their own objectives: your manager does")
	case o.Name == "":
		return o, incentive.Errorf(incentive.CodeInvalid, "an objective has a name")
	case o.Weight.IsNegative() || o.Weight.GreaterThan(decimal.NewFromInt(1)) || o.Weight.Exponent() < -6:
		return o, incentive.Errorf(incentive.CodeInvalid, "a weight lies between 0 and 100%%, with up to four decimals, and %s%% does not", o.Weight.Shift(2))
	case o.Score != nil && (o.Score.IsNegative() || o.Score.GreaterThan(greatestScore) || o.Score.Exponent() < -12):
		return o, incentive.Errorf(incentive.CodeInvalid, "a score lies between 0 and 1000%%, with up to ten decimals, and %s%% does not", o.Score.Shift(2))
	case o.Score != nil && o.ReasonID == "":
		return o, incentive.Errorf(CodeReasonMissing, "say why: a score needs a reason")
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		// As an import does, so that none is set while a lock freezes.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock to end: %w", err)
		}
		if err := takesObjectives(ctx, tx, o.PeriodID); err != nil {
			return err
		}
		// One at a time for each participant, as their weights are added up. A participant never changes.
		tag, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE`, o.ParticipantID)
		if err != nil {
			return fmt.Errorf("look for %s: %w", o.ParticipantID, err)
		}
		if tag.RowsAffected() == 0 {
			return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", o.ParticipantID)
		}
		var others decimal.Decimal
		err = tx.QueryRow(ctx, `SELECT coalesce(sum(weight), 0) FROM current_objective WHERE period_id = $1 AND participant_id = $2 AND name <> $3`, o.PeriodID, o.ParticipantID, o.Name).Scan(&others)
		if err != nil {
			return fmt.Errorf("add up what the objectives of %s weigh: %w", o.ParticipantID, err)
		}
		if sum := others.Add(o.Weight); sum.GreaterThan(decimal.NewFromInt(1)) {
			return incentive.Errorf(incentive.CodeInvalid, "the objectives of %s would weigh %s%% together, and weigh up to 100%%: give this one up to %s%%", o.ParticipantID, sum.Shift(2), decimal.NewFromInt(1).Sub(others).Shift(2))
		}
		var record int64
		err = tx.QueryRow(ctx, `
			INSERT INTO objective (participant_id, period_id, name, version, weight, description, score, reason_id, entered_by)
			SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6, $7, $8 FROM objective WHERE participant_id = $1 AND period_id = $2 AND name = $3 RETURNING record_id`,
			o.ParticipantID, o.PeriodID, o.Name, o.Weight, o.Description, o.Score, orNull(o.ReasonID), o.EnteredBy).Scan(&record)
		if err != nil {
			return fmt.Errorf("set an objective of %s: %w", o.ParticipantID, err)
		}
		err = audit(ctx, tx, o.EnteredBy, "set-objective", fmt.Sprintf("objective/%d", record), struct {
			Period   string           `json:"period"`
			Person   string           `json:"person"`
			Weight   decimal.Decimal  `json:"weight"`
			Score    *decimal.Decimal `json:"score,omitempty"`
			ReasonID string           `json:"reason_id,omitempty"`
		}{o.PeriodID, o.ParticipantID, o.Weight, o.Score, o.ReasonID})
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, objectiveColumns+` WHERE o.record_id = $1`, record)
		if err == nil {
			set, err = pgx.CollectExactlyOneRow(rows, scanObjective)
		}
		return err
	})
	return set, err
}

// takesObjectives refuses a period that has been locked.
func takesObjectives(ctx context.Context, tx pgx.Tx, periodID string) error {
	var state incentive.State
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT r.state FROM period_revision r WHERE r.period_id = p.id ORDER BY r.revision DESC LIMIT 1), $2) FROM pay_period p WHERE p.id = $1`, periodID, incentive.Open).Scan(&state)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return incentive.Errorf(incentive.CodeNotFound, "there is no period %q in any calendar", periodID)
	case err != nil:
		return fmt.Errorf("look at %s: %w", periodID, err)
	case state != incentive.Open && state != incentive.Cancelled:
		return incentive.Errorf(incentive.CodeNotAllowedNow, "%s is %s: its objectives are set and scored until it is locked, and what was wrong is mended by an adjustment", periodID, state)
	}
	return nil
}

// takingObjectives is what managers set and scored for the period.
func takingObjectives(p PeriodRevision, n narrow) taking {
	of, arguments := whose("participant_id", n.measured, p.ID)
	return taking{"objective", `SELECT record_id FROM current_objective WHERE weight > 0 AND period_id = $2` + of, arguments}
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
)

// TargetProposal is a set of quotas that is proposed for everybody on a plan, as it stands.
type TargetProposal struct {
	ID         string
	Name       string
	PlanID     string
	Measure    string
	Currency   incentive.Currency // of the deals that count as history
	StartsOn   incentive.Date
	EndsOn     incentive.Date
	Method     incentive.TargetMethod
	Target     decimal.Decimal // what the figures should come to
	Growth     decimal.Decimal // of the method growth: 0.1 is a tenth more
	RampMonths int             // of the method capacity: until somebody new counts wholly
	Seasonal   bool            // when it is proposed: months weigh as they did a year before
	Months     []decimal.Decimal
	ProposedBy string
	ProposedAt time.Time
	Outcome    string // "", "published" or "withdrawn"
	DecidedBy  string
	DecidedAt  *time.Time
	People     int
	Sum        decimal.Decimal // of the figures as they are
}

// TargetFigure is what is proposed for somebody, as it is and as it was at first.
type TargetFigure struct {
	ParticipantID string
	Name          string
	Version       int
	LastYear      decimal.Decimal
	Proposed      decimal.Decimal
	Amount        decimal.Decimal
	Reason        string // of the last change; "" once erased
	ChangedBy     string // "" where nobody has changed it
	ChangedAt     *time.Time
}

const standingFigure = `NOT EXISTS (SELECT FROM target_figure later WHERE later.proposal_id = f.proposal_id AND later.participant_id = f.participant_id AND later.version > f.version)`

const proposalColumns = `
	SELECT p.id::text, p.name, p.plan_id, p.measure, p.currency, p.starts_on, p.ends_on, p.method, p.target, p.growth, p.ramp_months, p.months::text, p.proposed_by, p.proposed_at,
		coalesce(o.outcome, ''), coalesce(o.decided_by, ''), o.decided_at, s.people, s.sum
	FROM target_proposal p LEFT JOIN target_outcome o ON o.proposal_id = p.id
	CROSS JOIN LATERAL (SELECT count(*) AS people, coalesce(sum(f.amount), 0) AS sum FROM target_figure f WHERE f.proposal_id = p.id AND ` + standingFigure + `) s`

func scanProposal(row pgx.CollectableRow) (p TargetProposal, err error) {
	var months string
	err = row.Scan(&p.ID, &p.Name, &p.PlanID, &p.Measure, &p.Currency, &p.StartsOn, &p.EndsOn, &p.Method, &p.Target, &p.Growth, &p.RampMonths, &months, &p.ProposedBy, &p.ProposedAt,
		&p.Outcome, &p.DecidedBy, &p.DecidedAt, &p.People, &p.Sum)
	if err == nil {
		err = json.Unmarshal([]byte(months), &p.Months)
	}
	p.Seasonal = len(p.Months) > 0
	return p, err
}

// TargetProposals returns up to limit proposals, the latest first, after one of that id.
func (s *Store) TargetProposals(ctx context.Context, after string, limit int) (all []TargetProposal, err error) {
	err = collect(ctx, s.pool, &all, proposalColumns+`
		WHERE $1 = '' OR (p.proposed_at, p.id) < (SELECT l.proposed_at, l.id FROM target_proposal l WHERE l.id = id_of($1))
		ORDER BY p.proposed_at DESC, p.id DESC LIMIT $2`, scanProposal, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list proposals of quotas: %w", err)
	}
	return all, nil
}

// TargetProposal returns a proposal, of code CodeNotFound where there is none of that id.
func (s *Store) TargetProposal(ctx context.Context, id string) (TargetProposal, error) {
	return targetProposal(ctx, s.pool, id)
}

func targetProposal(ctx context.Context, q querier, id string) (TargetProposal, error) {
	var found []TargetProposal
	if err := collect(ctx, q, &found, proposalColumns+` WHERE p.id = id_of($1)`, scanProposal, id); err != nil {
		return TargetProposal{}, fmt.Errorf("read proposal %s: %w", id, err)
	}
	if len(found) == 0 {
		return TargetProposal{}, incentive.Errorf(incentive.CodeNotFound, "there is no proposal %q", id)
	}
	return found[0], nil
}

// TargetFigures returns up to limit figures of a proposal after a participant, of all
// participants or ("visible" not nil) of those given.
func (s *Store) TargetFigures(ctx context.Context, proposalID string, visible []string, after string, limit int) (all []TargetFigure, err error) {
	err = collect(ctx, s.pool, &all, `
		SELECT f.participant_id, `+nameAt("f.participant_id", "p.ends_on")+`, f.version, f.last_year, first.amount, f.amount, coalesce(x.body, ''),
			CASE WHEN f.version > 1 THEN f.entered_by ELSE '' END, CASE WHEN f.version > 1 THEN f.entered_at END
		FROM target_figure f JOIN target_proposal p ON p.id = f.proposal_id
		JOIN target_figure first ON first.proposal_id = f.proposal_id AND first.participant_id = f.participant_id AND first.version = 1
		LEFT JOIN free_text x ON x.id = f.reason_id
		WHERE f.proposal_id = id_of($1) AND f.participant_id > $2 AND ($3::text[] IS NULL OR f.participant_id = ANY($3)) AND `+standingFigure+`
		ORDER BY f.participant_id LIMIT $4`, pgx.RowToStructByPos[TargetFigure], plannedAnew, proposalID, after, visible, limit)
	if err != nil {
		return nil, fmt.Errorf("list the figures of proposal %s: %w", proposalID, err)
	}
	return all, nil
}

// ProposeTargets makes a proposal of quotas for everybody who is on its plan on the first day
// of its interval, from what their sources credited them with in the same interval a year
// before. The same id again changes nothing.
func (s *Store) ProposeTargets(ctx context.Context, p TargetProposal) (TargetProposal, error) {
	var kept TargetProposal
	months := monthsOf(p.StartsOn, p.EndsOn)
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if p.StartsOn.Day != 1 || p.EndsOn.AddDays(1).Day != 1 || months < 1 || months > 36 {
			return incentive.Errorf(incentive.CodeInvalid, "quotas are proposed for 1 to 36 whole calendar months: from the first day of one to the last day of one")
		}
		people, byMonth, err := targetBase(ctx, tx, p)
		if err != nil {
			return err
		}
		if len(people) == 0 {
			return incentive.Errorf(incentive.CodeInvalid, "nobody is on plan %q on %s: assign people to it first", p.PlanID, p.StartsOn)
		}
		figures, sum, err := incentive.Targets(p.Method, p.Target, p.Growth, months, p.RampMonths, people)
		if err != nil {
			return err
		}
		if p.Months = []decimal.Decimal{}; p.Seasonal {
			p.Months = byMonth
		}
		encoded, err := json.Marshal(p.Months)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO target_proposal (id, name, plan_id, measure, currency, starts_on, ends_on, method, target, growth, ramp_months, months, proposed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING`,
			p.ID, p.Name, p.PlanID, p.Measure, p.Currency, p.StartsOn, p.EndsOn, p.Method, sum, p.Growth, p.RampMonths, encoded, p.ProposedBy)
		if err != nil {
			return fmt.Errorf("keep proposal %s: %w", p.Name, err)
		}
		if tag.RowsAffected() > 0 {
			_, err = tx.CopyFrom(ctx, pgx.Identifier{"target_figure"}, []string{"proposal_id", "participant_id", "version", "last_year", "amount", "entered_by"},
				pgx.CopyFromSlice(len(figures), func(i int) ([]any, error) {
					return []any{p.ID, figures[i].ParticipantID, 1, figures[i].LastYear, figures[i].Amount, p.ProposedBy}, nil
				}))
			if err != nil {
				return fmt.Errorf("keep the figures of proposal %s: %w", p.Name, err)
			}
			err = audit(ctx, tx, p.ProposedBy, "propose-targets", "target-proposal/"+p.ID, struct {
				Plan   string `json:"plan"`
				Method string `json:"method"`
				People int    `json:"people"`
			}{p.PlanID, string(p.Method), len(figures)})
			if err != nil {
				return err
			}
		}
		kept, err = targetProposal(ctx, tx, p.ID)
		return err
	})
	return kept, err
}

// monthsOf counts the calendar months between two days.
func monthsOf(first, last incentive.Date) int {
	end := last.AddDays(1)
	return (end.Year-first.Year)*12 + int(end.Month) - int(first.Month)
}

// targetBase reads what a proposal goes by: what is known of each person, and what each month
// of the interval weighed a year before.
func targetBase(ctx context.Context, tx pgx.Tx, p TargetProposal) (people []incentive.TargetBase, months []decimal.Decimal, err error) {
	type row struct {
		ParticipantID string
		Capacity      string
		Since         incentive.Date
	}
	var rows []row
	err = collect(ctx, tx, &rows, `
		WITH a AS (SELECT DISTINCT ON (participant_id, starts_on) * FROM assignment WHERE plan_id = $1 ORDER BY participant_id, starts_on, version DESC)
		SELECT a.participant_id, coalesce(f.attributes->>'capacity', '1'), min(a.starts_on)
		FROM a LEFT JOIN LATERAL (SELECT attributes FROM participant_fact WHERE participant_id = a.participant_id AND effective_from <= $2 ORDER BY effective_from DESC, version DESC LIMIT 1) f ON true
		WHERE EXISTS (SELECT FROM a now WHERE now.participant_id = a.participant_id AND now.starts_on <= $2 AND (now.ends_on IS NULL OR now.ends_on >= $2))
		GROUP BY 1, 2 ORDER BY a.participant_id COLLATE "C"`, pgx.RowToStructByPos[row], p.PlanID, p.StartsOn)
	if err != nil {
		return nil, nil, fmt.Errorf("find who is on plan %s: %w", p.PlanID, err)
	}
	type sold struct {
		ParticipantID string
		Month         int
		Amount        decimal.Decimal
	}
	var history []sold
	before := func(day incentive.Date) incentive.Date { return incentive.DateOf(day.UTC().AddDate(-1, 0, 0)) }
	first := before(p.StartsOn)
	err = collect(ctx, tx, &history, `
		SELECT c.participant_id, ((extract(year FROM t.date) - extract(year FROM $2::date)) * 12 + extract(month FROM t.date) - extract(month FROM $2::date))::int, sum(t.amount * c.share)
		FROM credit c JOIN transaction t USING (source, transaction_id)
		WHERE c.participant_id = ANY($1) AND t.date BETWEEN $2 AND $3 AND t.currency = $4 AND `+standingCredit+`
			AND NOT EXISTS (SELECT FROM transaction later WHERE later.source = t.source AND later.transaction_id = t.transaction_id AND later.version > t.version)
		GROUP BY 1, 2 ORDER BY 1, 2`, pgx.RowToStructByPos[sold], idsOf(rows, func(r row) string { return r.ParticipantID }), first, before(p.EndsOn.AddDays(1)).AddDays(-1), p.Currency)
	if err != nil {
		return nil, nil, fmt.Errorf("read what was sold a year before: %w", err)
	}
	byPerson := map[string]decimal.Decimal{}
	months = make([]decimal.Decimal, monthsOf(p.StartsOn, p.EndsOn))
	whole := decimal.Zero
	for _, h := range history {
		byPerson[h.ParticipantID] = byPerson[h.ParticipantID].Add(h.Amount)
		months[h.Month] = decimal.Max(months[h.Month].Add(h.Amount), decimal.Zero)
	}
	for _, m := range months {
		whole = whole.Add(m)
	}
	if p.Seasonal && !whole.IsPositive() {
		return nil, nil, incentive.Errorf(incentive.CodeInvalid, "nothing was sold in the same months a year before, so there are no seasons to go by: propose without them")
	}
	for _, r := range rows {
		capacity, err := decimal.NewFromString(r.Capacity)
		if err != nil || capacity.IsNegative() {
			return nil, nil, incentive.Errorf(incentive.CodeInvalid, "the attribute capacity of %s is %q, and it is a number such as 0.5", r.ParticipantID, r.Capacity)
		}
		people = append(people, incentive.TargetBase{
			ParticipantID: r.ParticipantID,
			LastYear:      byPerson[r.ParticipantID],
			Capacity:      capacity,
			Months:        max(0, monthsOf(r.Since, p.StartsOn.AddDays(-1))),
		})
	}
	return people, months, nil
}

func idsOf[T any](all []T, id func(T) string) []string {
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = id(all[i])
	}
	return ids
}

// openProposal locks a proposal that has not ended.
func openProposal(ctx context.Context, tx pgx.Tx, id string) (TargetProposal, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM target_proposal WHERE id = id_of($1) FOR UPDATE`, id); err != nil {
		return TargetProposal{}, fmt.Errorf("lock proposal %s: %w", id, err)
	}
	p, err := targetProposal(ctx, tx, id)
	if err == nil && p.Outcome != "" {
		err = incentive.Errorf(incentive.CodeConflict, "the proposal is %s already", p.Outcome)
	}
	return p, err
}

// ChangeTarget changes what is proposed for somebody, as version after the one that whoever
// changes it has seen. Nobody changes their own.
func (s *Store) ChangeTarget(ctx context.Context, actor, proposalID, participantID string, seen int, amount decimal.Decimal, reasonID string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := openProposal(ctx, tx, proposalID); err != nil {
			return err
		}
		if actor == participantID {
			return incentive.Errorf(incentive.CodeOwnDecision, "nobody changes their own quota: ask whoever you report to")
		}
		if amount.IsNegative() || !amount.Equal(amount.Truncate(2)) {
			return incentive.Errorf(incentive.CodeInvalid, "a quota is not below zero and has up to 2 decimal places")
		}
		if reasonID == "" {
			return incentive.Errorf(CodeReasonMissing, "say why: a change of what is proposed needs a reason")
		}
		var version int
		err := tx.QueryRow(ctx, `SELECT max(version) FROM target_figure WHERE proposal_id = id_of($1) AND participant_id = $2 HAVING count(*) > 0`, proposalID, participantID).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "the proposal has nothing for %q", participantID)
		}
		if err != nil {
			return fmt.Errorf("read what is proposed for %s: %w", participantID, err)
		}
		if version != seen {
			return incentive.Errorf(incentive.CodeConflict, "somebody has changed this figure meanwhile: look at it again")
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO target_figure (proposal_id, participant_id, version, last_year, amount, reason_id, entered_by)
			SELECT proposal_id, participant_id, version + 1, last_year, $4, $5, $6 FROM target_figure WHERE proposal_id = id_of($1) AND participant_id = $2 AND version = $3`,
			proposalID, participantID, version, amount, reasonID, actor)
		if err != nil {
			return fmt.Errorf("change what is proposed for %s: %w", participantID, err)
		}
		return audit(ctx, tx, actor, "change-target", "target-proposal/"+proposalID, struct {
			Participant string `json:"participant"`
			Version     int    `json:"version"`
			ReasonID    string `json:"reason_id"`
		}{participantID, version + 1, reasonID})
	})
}

// EndProposal publishes a proposal, which makes its figures quotas, all together, or withdraws
// it. Who publishes has seen what the figures come to: where that is another sum now it is
// refused with CodeConflict. A figure is one quota, or one for each month by their weights.
func (s *Store) EndProposal(ctx context.Context, actor, id, outcome string, seen decimal.Decimal) (TargetProposal, error) {
	var ended TargetProposal
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		p, err := openProposal(ctx, tx, id)
		if err != nil {
			return err
		}
		if outcome == "published" {
			if !p.Sum.Equal(seen) {
				return incentive.Errorf(incentive.CodeConflict, "the figures come to %s by now, and not to %s: look at them again", p.Sum, seen)
			}
			if err := publishTargets(ctx, tx, p); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO target_outcome (proposal_id, outcome, decided_by) VALUES ($1, $2, $3)`, id, outcome, actor); err != nil {
			return fmt.Errorf("end proposal %s: %w", id, err)
		}
		if err := audit(ctx, tx, actor, outcome+"-targets", "target-proposal/"+id, struct {
			People int    `json:"people"`
			Sum    string `json:"sum"`
		}{p.People, p.Sum.String()}); err != nil {
			return err
		}
		ended, err = targetProposal(ctx, tx, id)
		return err
	})
	return ended, err
}

func publishTargets(ctx context.Context, tx pgx.Tx, p TargetProposal) error {
	type figure struct {
		ParticipantID string
		Amount        decimal.Decimal
	}
	var figures []figure
	err := collect(ctx, tx, &figures, `SELECT participant_id, amount FROM target_figure f WHERE proposal_id = $1 AND `+standingFigure+` ORDER BY participant_id COLLATE "C"`, pgx.RowToStructByPos[figure], p.ID)
	if err != nil {
		return fmt.Errorf("read the figures of proposal %s: %w", p.ID, err)
	}
	type stretch struct{ first, last incentive.Date }
	stretches, weights := []stretch{{p.StartsOn, p.EndsOn}}, []decimal.Decimal{decimal.NewFromInt(1)}
	if p.Seasonal {
		stretches, weights = nil, p.Months
		for i := range p.Months {
			first := incentive.DateOf(p.StartsOn.UTC().AddDate(0, i, 0))
			stretches = append(stretches, stretch{first, incentive.DateOf(first.UTC().AddDate(0, 1, -1))})
		}
	}
	batch := &pgx.Batch{}
	for _, f := range figures {
		parts, err := incentive.SplitExactly(f.Amount, weights, 2)
		if err != nil {
			return err
		}
		for i, part := range parts {
			batch.Queue(`
				INSERT INTO quota (participant_id, measure, starts_on, version, ends_on, amount)
				SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5 FROM quota WHERE participant_id = $1 AND measure = $2 AND starts_on = $3`,
				f.ParticipantID, p.Measure, stretches[i].first, stretches[i].last, part)
		}
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("publish proposal %s: %w", p.ID, err)
	}
	return nil
}

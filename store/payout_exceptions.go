package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// CodeListAboveLimit is the code of a payout list that pays more than the calendar's policy
// lets one list pay.
const CodeListAboveLimit incentive.Code = "list-above-limit"

const (
	liftHold   = "lift-hold"
	clearDoubt = "clear-doubt"
)

// taxDetails is the attribute of participants whose tax details are on record.
const taxDetails = "tax_details"

// factToday joins, as f, what is known of the participant of a row today.
func factToday(row string) string {
	return `LATERAL (SELECT * FROM participant_fact known WHERE known.participant_id = ` + row + `.participant_id AND known.effective_from <= company_today()
		ORDER BY known.effective_from DESC, known.version DESC LIMIT 1) f ON true`
}

// keepBack holds, or carries forward, what was just planned on a payout list and the policy
// does not let leave by itself.
func keepBack(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, some []string, rules policy.Payouts) error {
	lists, err := readScreen(ctx, tx)
	if err != nil {
		return err
	}
	var ids, states, reasons []string
	hits, shared := map[string][]string{}, map[string][]string{} // by payout
	rows, err := tx.Query(ctx, `
		SELECT o.id::text, o.participant_id, coalesce(f.name, ''), o.amount_minor, o.currency, o.rail, coalesce(f.kind, ''), coalesce(f.country, ''), coalesce(f.employed_until < company_today(), false),
			coalesce(f.attributes ->> $5, '') <> '', coalesce(recent.minor, 0), sum(o.amount_minor) OVER (PARTITION BY o.participant_id, o.currency)::bigint, coalesce(same.ids, '{}'),
			`+notReady+`, `+refused+`
		FROM payout o
			LEFT JOIN `+factToday("o")+`
			LEFT JOIN LATERAL (SELECT sum(other.amount_minor)::bigint AS minor FROM payout other JOIN payout_list l USING (period_id, revision, supplement)
				WHERE other.participant_id = o.participant_id AND other.currency = o.currency AND other.id <> o.id AND other.state IN ('planned', 'submitted', 'paid')
				AND (l.released_at IS NULL OR l.released_at >= now() - make_interval(days => $6))) recent ON true
			LEFT JOIN LATERAL (SELECT array_agg(DISTINCT other.participant_id ORDER BY other.participant_id) AS ids FROM destination mine JOIN destination other ON other.account_index = mine.account_index AND other.participant_id <> mine.participant_id
				WHERE mine.id = o.destination_id AND (other.version = (SELECT max(version) FROM destination l WHERE l.participant_id = other.participant_id)
						OR EXISTS (SELECT FROM payout too WHERE (too.period_id, too.revision, too.supplement) = (o.period_id, o.revision, o.supplement) AND too.destination_id = other.id))
					AND NOT EXISTS (SELECT FROM shared_account_clearance c WHERE (c.participant_id, c.with_participant_id, c.account_index) = (o.participant_id, other.participant_id, mine.account_index))) same ON true
		WHERE o.period_id = $1 AND o.revision = $2 AND o.supplement = $3 AND ($4::text[] IS NULL OR o.participant_id = ANY($4)) AND o.state = 'planned' ORDER BY o.id`,
		p.ID, p.Revision, supplement, some, taxDetails, rules.Within.Days)
	if err != nil {
		return fmt.Errorf("read what is planned of %s: %w", p.ID, err)
	}
	var id, participant, name string
	var f policy.PayoutFacts
	var same []string
	_, err = pgx.ForEachRow(rows, []any{&id, &participant, &name, &f.Amount.Minor, &f.Amount.Currency, &f.Rail, &f.Kind, &f.Country, &f.Left, &f.TaxDetails, &f.Recent, &f.Whole, &same, &f.NotReady, &f.Refused}, func() error {
		if f.Shared = len(same) > 0; f.Shared {
			shared[id] = same
		}
		if found := lists.concern(participant, name); len(found) > 0 {
			hits[id], f.Listed = found, true
		} else {
			f.Listed = false
		}
		if reason := rules.Exception(f); reason != "" {
			state := "held"
			if reason == policy.BelowMinimum {
				state = "cancelled"
			}
			ids, states, reasons = append(ids, id), append(states, state), append(reasons, string(reason))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what is planned of %s: %w", p.ID, err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE payout SET state = kept.state, reason = kept.reason FROM unnest($1::text[]::uuid[], $2::text[], $3::text[]) kept (id, state, reason) WHERE payout.id = kept.id`, ids, states, reasons)
	if err != nil {
		return fmt.Errorf("keep payouts of %s back: %w", p.ID, err)
	}
	for _, id := range ids {
		if len(hits[id]) == 0 && len(shared[id]) == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE payout SET listed_as = coalesce($2::text[], '{}'), shared_with = coalesce($3::text[], '{}') WHERE id = $1`, id, hits[id], shared[id]); err != nil {
			return fmt.Errorf("note whom payout %s may pay: %w", id, err)
		}
	}
	return nil
}

// countsFrom is the last day on which a destination can have been changed for payouts to go
// there today.
func countsFrom(ctx context.Context, tx pgx.Tx, calendarID string, waits int) (zone string, day incentive.Date, err error) {
	_, zone, holidays, err := windowDays(ctx, tx, calendarID)
	if err != nil {
		return "", day, err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return "", day, fmt.Errorf("read the company's zone: %w", err)
	}
	var now time.Time
	if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&now); err != nil {
		return "", day, err
	}
	today := incentive.DateOf(now.In(location))
	for day = today; waits > 0 && incentive.AddBusinessDays(day, waits, holidays).After(today); {
		day = day.AddDays(-1)
	}
	return zone, day, nil
}

// refuseLargeList refuses to release a payout list that pays more than a list may.
func refuseLargeList(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int) error {
	goesBy, err := policyOf(ctx, tx, p.CalendarID)
	if err != nil {
		return err
	}
	var pays []incentive.Money
	err = collect(ctx, tx, &pays, `SELECT sum(amount_minor)::bigint, currency FROM payout WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND state = 'planned' GROUP BY currency ORDER BY currency`,
		pgx.RowToStructByPos[incentive.Money], p.ID, p.Revision, supplement)
	if err != nil {
		return fmt.Errorf("sum what %s pays: %w", p.ID, err)
	}
	if limit, exceeds := goesBy.Payouts.AboveList(pays); exceeds {
		return incentive.Errorf(CodeListAboveLimit, "the list pays more than %s, which is the most that the calendar's policy lets a list pay: cancel payouts, or have the limit raised", limit)
	}
	return nil
}

// LiftHold lets a payout that a limit of the policy holds be paid with its list, which is not
// released yet. Afterwards another person has to confirm it: see ProposeRedirection. One that
// sanctions lists hold pays somebody who is not meant by them, and under the same name is not
// held by the same entries again; one to an account that somebody else is paid to as well goes
// there by right, and those two are not held for it again.
func (s *Store) LiftHold(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, payoutAct{liftHold, `
		WITH cleared AS (
			INSERT INTO sanctions_clearance (participant_id, name, entry, payout_id, cleared_by, reason_id)
			SELECT o.participant_id, f.name, unnest(o.listed_as), o.id, $2, $3::text::uuid FROM payout o JOIN payout_list l USING (period_id, revision, supplement)
				JOIN ` + factToday("o") + `
			WHERE o.id = $1 AND o.state = 'held' AND o.destination_id IS NOT NULL AND l.released_by IS NULL
			ON CONFLICT DO NOTHING),
		known AS (
			INSERT INTO shared_account_clearance (participant_id, with_participant_id, account_index, payout_id, cleared_by, reason_id)
			SELECT pair.one, pair.other, d.account_index, o.id, $2, $3::text::uuid FROM payout o JOIN payout_list l USING (period_id, revision, supplement) JOIN destination d ON d.id = o.destination_id
				CROSS JOIN unnest(o.shared_with) with_them CROSS JOIN LATERAL (VALUES (o.participant_id, with_them), (with_them, o.participant_id)) pair (one, other)
			WHERE o.id = $1 AND o.state = 'held' AND l.released_by IS NULL
			ON CONFLICT DO NOTHING)
		UPDATE payout o SET state = 'planned', reason = '', lifted_by = $2, lifted_reason_id = $3::text::uuid
		FROM payout_list l WHERE o.id = $1 AND o.state = 'held' AND o.destination_id IS NOT NULL
			AND l.period_id = o.period_id AND l.revision = o.revision AND l.supplement = o.supplement AND l.released_by IS NULL`,
		"held by a limit, on a list that is not released: after that, ask for it to go to the same destination, which another person confirms"}, payoutID, reasonID, actor, reasonID)
}

// ClearDoubt notes that somebody has looked into what a bank left unclear of a payout that is
// submitted, paid or cancelled, and that it is right as it stands.
func (s *Store) ClearDoubt(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, payoutAct{clearDoubt, `UPDATE payout SET reason = '' WHERE id = $1 AND reason = $2 AND state IN ('submitted', 'paid', 'cancelled')`,
		"submitted, paid or cancelled and that the bank has left unclear: any other is tried again, sent elsewhere or given up"}, payoutID, reasonID, CodeBankUnclear)
}

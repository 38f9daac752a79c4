package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// disputedNow is what open disputes of a period keep from being paid, by participant, as
// the policy of its calendar says: $1 is the period, $2 its run, $3 what is held, $4 the
// open states. What a line takes back is never held.
const disputedNow = `
	WITH disputed AS (
		SELECT * FROM dispute WHERE period_id = $1 AND state = ANY($4)),
	lines AS (
		SELECT st.participant_id, st.currency, st.total_minor, l.id, l.amount_minor, EXISTS (
			SELECT FROM disputed d WHERE d.participant_id = st.participant_id AND d.component <> '' AND d.plan_id = l.plan_id AND d.component = l.component
			AND ($3 = 'line' OR d.source = '')) AS whole
		FROM statement st JOIN line l ON l.statement_id = st.id WHERE st.run_id = $2)
	SELECT participant_id, currency, sum(minor)::bigint FROM (
		SELECT participant_id, currency, greatest(amount_minor, 0) AS minor FROM lines WHERE whole AND $3 IN ('line', 'contribution')
		UNION ALL
		SELECT s.participant_id, s.currency, greatest(c.shown_minor, 0) FROM lines s JOIN contribution c ON c.line_id = s.id
		WHERE NOT s.whole AND $3 = 'contribution' AND EXISTS (
			SELECT FROM disputed d JOIN line l ON l.id = s.id WHERE d.participant_id = s.participant_id AND d.plan_id = l.plan_id AND d.component = l.component
			AND d.source = c.source AND d.transaction_id = c.transaction_id)
		UNION ALL
		SELECT DISTINCT participant_id, currency, greatest(total_minor, 0) FROM lines s
		WHERE $3 = 'statement' AND EXISTS (SELECT FROM disputed d WHERE d.participant_id = s.participant_id)) held
	GROUP BY participant_id, currency ORDER BY participant_id COLLATE "C", currency`

// heldOf is what a period holds of a participant's pay, in a currency.
type heldOf struct {
	participant string
	currency    incentive.Currency
	minor       int64
}

// hold keeps what open disputes hold back out of what an approval has just made payable:
// never more than that. The key names the approval.
func hold(ctx context.Context, tx pgx.Tx, p PeriodRevision, key string) error {
	disputed, err := disputedOf(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, d := range disputed {
		before, err := heldBalance(ctx, tx, p.ID, d.participant, d.currency)
		if err != nil {
			return err
		}
		var owed int64
		err = tx.QueryRow(ctx, `
			SELECT -coalesce(sum(t.amount_minor), 0)::bigint FROM posting t JOIN ledger_account a ON a.id = t.account_id JOIN journal_entry e ON e.id = t.entry_id
			WHERE e.period_id = $1 AND e.revision = $2 AND a.kind = $3 AND a.participant_id = $4 AND a.currency = $5`, p.ID, p.Revision, Payable, d.participant, d.currency).Scan(&owed)
		if err != nil {
			return fmt.Errorf("read what %s is owed by %s: %w", d.participant, p.ID, err)
		}
		d.minor = max(0, min(d.minor-before, owed))
		if err := post(ctx, tx, d.entry(p, "hold", key)); err != nil {
			return err
		}
	}
	return nil
}

// letHeldGo makes payable again what a participant's open disputes hold no longer. Until
// the period is closed it pays that itself, afterwards the next payouts of the calendar.
func letHeldGo(ctx context.Context, tx pgx.Tx, d Dispute) error {
	held, err := heldBalance(ctx, tx, d.PeriodID, d.ParticipantID, d.Expected.Currency)
	if err != nil || held == 0 {
		return err
	}
	p, err := lockStanding(ctx, tx, d.PeriodID)
	if err != nil {
		return err
	}
	if held, err = heldBalance(ctx, tx, d.PeriodID, d.ParticipantID, d.Expected.Currency); err != nil {
		return err
	}
	disputed, err := disputedOf(ctx, tx, p)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(disputed, func(o heldOf) bool { return o.participant == d.ParticipantID && o.currency == d.Expected.Currency }); i >= 0 {
		held -= min(held, disputed[i].minor)
	}
	free := heldOf{d.ParticipantID, d.Expected.Currency, -held}
	if err := post(ctx, tx, free.entry(p, "let go", "dispute/"+d.ID)); err != nil || held == 0 {
		return err
	}
	return planAgain(ctx, tx, p, d.ParticipantID)
}

// takeBackHeld makes payable again what a revision holds, whose approval is taken back.
func takeBackHeld(ctx context.Context, tx pgx.Tx, p PeriodRevision) error {
	var all []heldOf
	err := collect(ctx, tx, &all, `
		SELECT a.participant_id, a.currency, -sum(t.amount_minor)::bigint FROM posting t JOIN ledger_account a ON a.id = t.account_id JOIN journal_entry e ON e.id = t.entry_id
		WHERE e.period_id = $1 AND e.revision = $2 AND a.kind = $3 GROUP BY a.participant_id, a.currency ORDER BY a.participant_id COLLATE "C", a.currency`, scanHeld, p.ID, p.Revision, PayableHeld)
	if err != nil {
		return fmt.Errorf("read what %s holds: %w", p.ID, err)
	}
	var times int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM period_act WHERE period_id = $1 AND revision = $2`, p.ID, p.Revision).Scan(&times); err != nil {
		return err
	}
	for _, h := range all {
		h.minor = -h.minor
		if err := post(ctx, tx, h.entry(p, "let go", fmt.Sprintf("take back/%s/%d/%d", p.ID, p.Revision, times))); err != nil {
			return err
		}
	}
	return nil
}

// entry moves an amount from payable to payable held, or back where it is negative.
func (h heldOf) entry(p PeriodRevision, kind, key string) entry {
	return entry{
		key:      fmt.Sprintf("%s/%s/%s/%s", kind, key, h.participant, h.currency),
		kind:     kind,
		periodID: p.ID,
		revision: p.Revision,
		debit:    account{kind: Payable, participant: h.participant},
		credit:   account{kind: PayableHeld, participant: h.participant},
		amount:   incentive.Money{Minor: h.minor, Currency: h.currency},
	}
}

func scanHeld(row pgx.CollectableRow) (h heldOf, err error) {
	err = row.Scan(&h.participant, &h.currency, &h.minor)
	return h, err
}

func disputedOf(ctx context.Context, q querier, p PeriodRevision) (all []heldOf, err error) {
	goesBy, err := policyOf(ctx, q, p.CalendarID)
	if err != nil || goesBy.Disputes.Holds == policy.HoldNothing {
		return nil, err
	}
	if err := collect(ctx, q, &all, disputedNow, scanHeld, p.ID, p.RunID, goesBy.Disputes.Holds, incentive.OpenDisputeStates); err != nil {
		return nil, fmt.Errorf("read what disputes of %s hold: %w", p.ID, err)
	}
	return all, nil
}

// heldBalance is what a period holds of a participant's pay.
func heldBalance(ctx context.Context, q querier, periodID, participantID string, currency incentive.Currency) (minor int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT -coalesce(sum(t.amount_minor), 0)::bigint FROM posting t JOIN ledger_account a ON a.id = t.account_id JOIN journal_entry e ON e.id = t.entry_id
		WHERE e.period_id = $1 AND a.kind = $2 AND a.participant_id = $3 AND a.currency = $4`, periodID, PayableHeld, participantID, currency).Scan(&minor)
	if err != nil {
		err = fmt.Errorf("read what is held of %s: %w", participantID, err)
	}
	return minor, err
}

package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// payableLock is held by whoever reads what participants are owed in order to act on it,
// so that two approvals at once do not pay the same balance twice.
const payableLock = 0x67756572_03

func lockPayable(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, payableLock); err != nil {
		return fmt.Errorf("wait for other approvals to end: %w", err)
	}
	return nil
}

// ApprovePeriod moves a period whose every statement is approved on: what is owed is
// posted and the payouts are planned, all in one transaction.
func (s *Store) ApprovePeriod(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		if err := lockPayable(ctx, tx); err != nil {
			return err
		}
		left, err := notApproved(ctx, tx, *p)
		if err != nil {
			return err
		}
		if left > 0 {
			return incentive.Errorf(incentive.CodeConflict, "%d statements are not approved", left)
		}
		var times int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM period_act WHERE period_id = $1 AND revision = $2 AND act = $3`, p.ID, p.Revision, incentive.ApproveLast).Scan(&times); err != nil {
			return err
		}
		if err := refuseOverChanged(ctx, tx, *p); err != nil {
			return err
		}
		key := fmt.Sprintf("approve/%s/%d/%d", p.ID, p.Revision, times)
		if err := postLines(ctx, tx, *p, key); err != nil {
			return err
		}
		if err := hold(ctx, tx, *p, key); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO payout_list (period_id, revision, digest) VALUES ($1, $2, '')`, p.ID, p.Revision); err != nil {
			return fmt.Errorf("start the payout list of %s: %w", p.ID, err)
		}
		return planPayouts(ctx, tx, *p, 0, nil)
	})
}

// planPayouts makes payouts of what each participant is owed, all of them or some, on a
// payout list, one for each of their payout methods that count: their payable balance in a currency less what their other
// payouts that are still to be sent will pay of it, for whoever has been owed anything by
// the period's calendar. Where nothing is left, or less, nothing is paid, and the balance
// carries forward. The caller holds payableLock.
func planPayouts(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, some []string) error {
	goesBy, err := policyOf(ctx, tx, p.CalendarID)
	if err != nil {
		return err
	}
	zone, counts, err := countsFrom(ctx, tx, p.CalendarID, goesBy.Payouts.ChangeWaitsDays)
	if err != nil {
		return err
	}
	if err := withhold(ctx, tx, p, supplement, some, goesBy.Payouts); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		WITH owed AS (
			SELECT a.participant_id, a.currency, -sum(t.amount_minor) AS minor, -coalesce(sum(t.amount_minor) FILTER (WHERE e.period_id = $1 AND e.revision = $2 AND NOT e.kind = ANY($8)), 0) AS earned
			FROM ledger_account a JOIN posting t ON t.account_id = a.id JOIN journal_entry e ON e.id = t.entry_id JOIN pay_period period ON period.id = e.period_id
			WHERE a.kind = $3 AND ($4::text[] IS NULL OR a.participant_id = ANY($4))
			GROUP BY a.participant_id, a.currency HAVING bool_or(period.calendar_id = $5)),
		claimed AS (
			SELECT participant_id, currency, sum(amount_minor) AS minor FROM payout WHERE state NOT IN ('submitted', 'paid', 'cancelled') GROUP BY participant_id, currency),
		listed AS ( -- what other lists of the period pay of what was earned in it
			SELECT participant_id, currency, sum(amount_minor - carried_minor) AS minor FROM payout WHERE period_id = $1 AND revision = $2 AND state <> 'cancelled' GROUP BY participant_id, currency),
		kept AS (
			SELECT participant_id, currency, sum(amount_minor)::bigint AS minor FROM withholding WHERE period_id = $1 AND revision = $2 AND supplement = $9 GROUP BY participant_id, currency)
		SELECT owed.participant_id, owed.currency, (owed.minor - coalesce(claimed.minor, 0))::bigint, (owed.minor - coalesce(claimed.minor, 0) - owed.earned + coalesce(listed.minor, 0))::bigint, coalesce(kept.minor, 0),
			coalesce(f.kind, ''), coalesce(f.country, ''), coalesce(d.ids, '{}'), coalesce(d.rails, '{}'), coalesce(d.shares, '{}')
		FROM owed LEFT JOIN claimed USING (participant_id, currency) LEFT JOIN listed USING (participant_id, currency) LEFT JOIN kept USING (participant_id, currency)
			LEFT JOIN `+factToday("owed")+`
			LEFT JOIN LATERAL (
				SELECT array_agg(id ORDER BY position) AS ids, array_agg(rail ORDER BY position) AS rails, array_agg(share ORDER BY position) AS shares FROM destination d WHERE d.participant_id = owed.participant_id AND d.version = (
					SELECT max(version) FROM destination c WHERE c.participant_id = owed.participant_id AND (c.version = 1 OR (c.set_at AT TIME ZONE $6)::date <= $7))) d ON true
		WHERE owed.minor > coalesce(claimed.minor, 0) ORDER BY owed.participant_id COLLATE "C", owed.currency`, p.ID, p.Revision, Payable, some, p.CalendarID, zone, counts, movements, supplement)
	if err != nil {
		return fmt.Errorf("read what is owed by %s: %w", p.ID, err)
	}
	planned, err := pgx.CollectRows(rows, pgx.RowToStructByPos[owing])
	if err != nil {
		return fmt.Errorf("read what is owed by %s: %w", p.ID, err)
	}
	if err := keepPlanned(ctx, tx, p, supplement, planned, goesBy.Payouts); err != nil {
		return err
	}
	if err := keepBack(ctx, tx, p, supplement, some, goesBy.Payouts); err != nil {
		return err
	}
	digest, payouts, err := signList(ctx, tx, p.ID, p.Revision, supplement)
	if err != nil {
		return err
	}
	return audit(ctx, tx, System, "plan-payouts", incentive.PeriodSubject(p.ID, p.Revision), struct {
		Digest     string `json:"payout_list_digest"`
		Payouts    int    `json:"payouts"`
		Supplement int    `json:"supplement,omitempty"`
	}{fmt.Sprintf("%x", digest), payouts, supplement})
}

// owing is what is owed to a participant in a currency, and where they want it.
type owing struct {
	Participant              string
	Currency                 incentive.Currency
	Minor, Carried, Withheld int64
	Kind                     incentive.ParticipantKind
	Country                  string
	Destinations             []int64
	Rails                    []string
	Shares                   []decimal.Decimal
}

// keepPlanned makes the payouts of what is owed.
func keepPlanned(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, planned []owing, rules policy.Payouts) error {
	var participants, currencies, rails []string
	var amounts, carried, withheld []int64
	var methods []int32
	var destinations []*int64
	for _, o := range planned {
		ways, to := make([]policy.Method, len(o.Rails)), make([]*int64, len(o.Rails))
		for i := range o.Rails {
			ways[i], to[i] = policy.Method{Rail: o.Rails[i], Share: o.Shares[i]}, &o.Destinations[i]
		}
		if len(ways) == 0 {
			ways, to = []policy.Method{{Share: decimal.NewFromInt(1)}}, []*int64{nil}
		}
		parts := rules.Split(incentive.Money{Minor: o.Minor, Currency: o.Currency}, o.Kind, o.Country, ways)
		ofCarried, ofWithheld := inProportion(o.Carried, o.Currency, parts, o.Minor), inProportion(o.Withheld, o.Currency, parts, o.Minor)
		for i, part := range parts {
			if part == 0 {
				continue
			}
			participants, currencies, rails = append(participants, o.Participant), append(currencies, string(o.Currency)), append(rails, ways[i].Rail)
			amounts, carried, withheld = append(amounts, part), append(carried, ofCarried[i].Minor), append(withheld, ofWithheld[i].Minor)
			methods, destinations = append(methods, int32(i+1)), append(destinations, to[i])
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO payout (period_id, revision, supplement, participant_id, currency, rail, amount_minor, carried_minor, withheld_minor, method, destination_id, state, reason)
		SELECT $1, $2, $3, participant_id, currency, rail, amount, carried, withheld, method, destination, CASE WHEN destination IS NULL THEN 'held' ELSE 'planned' END, CASE WHEN destination IS NULL THEN $12 ELSE '' END
		FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::integer[], $11::bigint[]) planned (participant_id, currency, rail, amount, carried, withheld, method, destination)`,
		p.ID, p.Revision, supplement, participants, currencies, rails, amounts, carried, withheld, methods, destinations, CodeNoDestination)
	if err != nil {
		return fmt.Errorf("plan the payouts of %s: %w", p.ID, err)
	}
	return nil
}

// inProportion shares a sum as an amount is shared between parts.
func inProportion(minor int64, currency incentive.Currency, parts []int64, amount int64) []incentive.Money {
	sum := incentive.Money{Minor: minor, Currency: currency}
	exact := make([]decimal.Decimal, len(parts))
	for i, part := range parts {
		exact[i] = incentive.Ratio{Numerator: decimal.NewFromInt(part), Denominator: decimal.NewFromInt(amount)}.Of(sum.Decimal())
	}
	return incentive.Share(sum, exact)
}

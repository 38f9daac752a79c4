package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// AccountKind is a kind of account in the chart of accounts.
type AccountKind string

// The chart of accounts.
const (
	CommissionExpense  AccountKind = "commission expense"
	Payable            AccountKind = "payable"             // what is owed to a participant
	PayableHeld        AccountKind = "payable held"        // what an open dispute keeps from being paid
	DrawReceivable     AccountKind = "draw receivable"     // what a participant owes of draws
	ClawbackReceivable AccountKind = "clawback receivable" // what is still to be taken back of a participant
	HoldbackReserve    AccountKind = "holdback reserve"    // what a participant has earned and is paid later
	WithholdingPayable AccountKind = "withholding payable" // what was kept of a participant's pay as tax, and is owed to a tax office
	Clearing           AccountKind = "clearing"            // what has been handed to a rail
	Cash               AccountKind = "cash"

	Points        AccountKind = "points"         // what a participant has collected in points and may spend
	PointsExpired AccountKind = "points expired" // what nobody has spent in time: income
)

// account names one account: participant and rail are "" where the kind has none.
type account struct {
	kind        AccountKind
	participant string
	rail        string
}

// entry is one journal entry of two postings: the usual case here.
type entry struct {
	key         string // posted once only
	kind        string
	periodID    string
	revision    int
	effectiveOn incentive.Date
	debit       account
	credit      account
	amount      incentive.Money
}

// givenEntries reads entries as post writes them down for PostgreSQL.
const givenEntries = `WITH given AS (SELECT * FROM json_to_recordset($1) AS g(n int, key text, kind text, period_id text, revision int, effective_on date, amount bigint, currency text,
		debit_kind text, debit_participant text, debit_rail text, credit_kind text, credit_participant text, credit_rail text)),
	sides AS (SELECT g.key, g.currency, side.* FROM given g CROSS JOIN LATERAL (VALUES
		(0, g.debit_kind, g.debit_participant, g.debit_rail, g.amount), (1, g.credit_kind, g.credit_participant, g.credit_rail, -g.amount)) AS side(position, kind, participant_id, rail, amount))`

// accountOfSide looks the account of each side up by its key. A join would be planned for the many
// entries of an approval, and read every account for each single payout.
const accountOfSide = `(SELECT a.id FROM ledger_account a WHERE (a.kind, a.participant_id, a.rail, a.currency) = (sides.kind, sides.participant_id, sides.rail, sides.currency))`

// post writes journal entries, however many, in two statements and one round trip. An entry whose key has
// been posted is left alone; one of amount zero is not written. A negative amount swaps
// debit and credit.
func post(ctx context.Context, tx pgx.Tx, entries ...entry) error {
	var given []map[string]any
	for n, e := range entries {
		if e.amount.Minor == 0 {
			continue
		}
		row := map[string]any{"n": n, "key": e.key, "kind": e.kind, "period_id": e.periodID, "revision": e.revision, "amount": e.amount.Minor, "currency": e.amount.Currency,
			"debit_kind": e.debit.kind, "debit_participant": e.debit.participant, "debit_rail": e.debit.rail,
			"credit_kind": e.credit.kind, "credit_participant": e.credit.participant, "credit_rail": e.credit.rail}
		if !e.effectiveOn.IsZero() {
			row["effective_on"] = e.effectiveOn
		}
		given = append(given, row)
	}
	if len(given) == 0 {
		return nil
	}
	encoded, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("write down journal entries: %w", err)
	}
	// The first posting makes an account. Another transaction may make it at the same
	// time: the second statement sees what that one did.
	var both pgx.Batch
	both.Queue(givenEntries+`
		INSERT INTO ledger_account (kind, participant_id, rail, currency)
		SELECT DISTINCT kind, participant_id, rail, currency FROM sides
		WHERE `+accountOfSide+` IS NULL
		ORDER BY kind, participant_id, rail, currency ON CONFLICT DO NOTHING`, encoded)
	both.Queue(givenEntries+`,
		put AS (INSERT INTO journal_entry (key, kind, period_id, revision, effective_on)
			SELECT key, kind, period_id, revision, coalesce(effective_on, (now() AT TIME ZONE coalesce((SELECT time_zone FROM company), 'UTC'))::date) FROM given ORDER BY n ON CONFLICT (key) DO NOTHING RETURNING id, key)
		INSERT INTO posting (entry_id, position, account_id, amount_minor, currency)
		SELECT put.id, sides.position, `+accountOfSide+`, sides.amount, sides.currency FROM put JOIN sides USING (key)`, encoded)
	if err := tx.SendBatch(ctx, &both).Close(); err != nil {
		return fmt.Errorf("post from %s on: %w", entries[0].key, err)
	}
	return nil
}

// Balance is what the postings of one kind of account sum to. Debits are positive.
type Balance struct {
	Kind     AccountKind
	Rail     string
	Currency incentive.Currency
	Minor    int64
}

// Balances returns the balance of each kind of account, rail and currency: of everything
// or, with a period, of that revision's entries.
func (s *Store) Balances(ctx context.Context, periodID string, revision int) ([]Balance, error) {
	all, _, err := s.BalancesOf(ctx, BalancesOf{PeriodID: periodID, Revision: revision})
	return all, err
}

// BalancesOf says which postings are summed. What is zero leaves none out.
type BalancesOf struct {
	PeriodID    string
	Revision    int
	Participant string
	On          incentive.Date // at the end of this day
	Through     int64          // the last journal entry that counts
}

// BalancesOf returns balances. Those of a day come with the last journal entry that
// counts: they are the same again where that is named.
func (s *Store) BalancesOf(ctx context.Context, of BalancesOf) (all []Balance, through int64, err error) {
	var on *incentive.Date
	if !of.On.IsZero() || of.Through > 0 {
		if through, _, err = s.until(ctx, of.Through, 0); err != nil {
			return nil, 0, err
		}
	}
	if !of.On.IsZero() {
		on = &of.On
	}
	entries := "" // of all, which most ask for
	if of.PeriodID != "" || on != nil {
		entries = ` JOIN journal_entry e ON e.id = p.entry_id AND (@period = '' OR (e.period_id = @period AND e.revision = @revision)) AND (@on::date IS NULL OR e.effective_on <= @on::date)`
	}
	rows, err := s.pool.Query(ctx, `
		SELECT a.kind, a.rail, a.currency, sum(p.amount_minor)::bigint
		FROM posting p JOIN ledger_account a ON a.id = p.account_id`+entries+`
		WHERE (@participant = '' OR a.participant_id = @participant) AND (@through = 0 OR p.entry_id <= @through)
		GROUP BY a.kind, a.rail, a.currency ORDER BY a.kind, a.rail, a.currency`,
		pgx.NamedArgs{"period": of.PeriodID, "revision": of.Revision, "participant": of.Participant, "on": on, "through": through})
	if err != nil {
		return nil, 0, fmt.Errorf("sum the ledger: %w", err)
	}
	all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Balance])
	return all, through, err
}

// CodeLedgerBroken says that the ledger does not add up.
const CodeLedgerBroken incentive.Code = "ledger-broken"

// mostNamed is how many things that are wrong are named.
const mostNamed = 1000

// UnbalancedEntry says that a journal entry does not sum to zero.
func UnbalancedEntry(key string) error {
	return incentive.Errorf(CodeLedgerBroken, "journal entry %q does not balance", key)
}

// BrokenEntries returns how many journal entries there are, and of those that do not have at
// least two postings and sum to zero in every currency the first mostNamed.
func (s *Store) BrokenEntries(ctx context.Context) (entries int, broken []string, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*)::int, coalesce((array_agg(key ORDER BY key) FILTER (WHERE NOT balanced))[:$1], '{}') FROM (
			SELECT e.key, (SELECT coalesce(bool_and(total = 0), false) FROM (
				SELECT sum(amount_minor) AS total FROM posting p WHERE p.entry_id = e.id GROUP BY currency) t)
				AND (SELECT count(*) FROM posting p WHERE p.entry_id = e.id) >= 2 AS balanced
			FROM journal_entry e) checked`, mostNamed).Scan(&entries, &broken)
	if err != nil {
		return 0, nil, fmt.Errorf("check the ledger: %w", err)
	}
	return entries, broken, nil
}

// VerifyLedger checks that no journal entry is broken, and returns how many there are.
func (s *Store) VerifyLedger(ctx context.Context) (entries int, err error) {
	entries, broken, err := s.BrokenEntries(ctx)
	if err == nil && len(broken) > 0 {
		err = UnbalancedEntry(broken[0])
	}
	return entries, err
}

// WrongPayout is a payout of which the ledger tells another story.
type WrongPayout struct{ ID, ParticipantID string }

// Err says so.
func (o WrongPayout) Err() error {
	return incentive.Errorf(CodeLedgerBroken, "payout %s and the ledger tell different stories", o.ID)
}

// WrongPayouts returns how many payouts a revision has, of one participant or ("") of all,
// and of those whose story the ledger does not tell the first mostNamed. The story is: what is
// paid is cash out, what is submitted is in clearing, what came back, whole or in part, is owed
// again, and no payout is paid by more than one attempt.
func (s *Store) WrongPayouts(ctx context.Context, periodID string, revision int, participantID string) (payouts int, wrong []WrongPayout, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM payout WHERE period_id = $1 AND revision = $2 AND ($3 = '' OR participant_id = $3)`, periodID, revision, participantID).Scan(&payouts)
	if err != nil {
		return 0, nil, fmt.Errorf("count the payouts of %s: %w", periodID, err)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT o.id::text, o.participant_id FROM payout o CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE kind = 'submit') AS submitted, count(*) FILTER (WHERE kind = 'paid') AS paid,
				count(*) FILTER (WHERE kind = 'refused') AS refused, count(*) FILTER (WHERE kind = 'returned') AS returned
			FROM unnest(ARRAY['submit', 'paid', 'refused', 'returned']) k (kind), generate_series(0, o.times_back) n (times), LATERAL (
				SELECT FROM journal_entry e JOIN posting p ON p.entry_id = e.id
				WHERE e.key = k.kind || '/' || o.id || CASE n.times WHEN 0 THEN '' ELSE '/' || n.times END
				AND p.currency = o.currency AND p.amount_minor = o.amount_minor - CASE k.kind WHEN 'returned' THEN (
					SELECT coalesce(sum(q.amount_minor), 0) FROM payout_recall r JOIN journal_entry part ON part.key = concat_ws('/', 'recalled', o.id, nullif(n.times, 0), r.id) JOIN posting q ON q.entry_id = part.id AND q.position = 0
					WHERE r.payout_id = o.id AND r.times_back = n.times AND r.in_part) ELSE 0 END
				OFFSET 0) entry) posted -- each looked up by its key: PostgreSQL expects a thousand of a series, and would read the whole journal for each payout
		WHERE o.period_id = $1 AND o.revision = $2 AND ($3 = '' OR o.participant_id = $3) AND (
			EXISTS (SELECT FROM payout_recall r WHERE r.payout_id = o.id AND r.in_part AND NOT EXISTS (
				SELECT FROM journal_entry part JOIN posting q ON q.entry_id = part.id AND q.position = 0 WHERE part.key = concat_ws('/', 'recalled', o.id, nullif(r.times_back, 0), r.id) AND q.amount_minor = r.amount_minor))
			OR posted.submitted - posted.refused - posted.returned <> (o.state IN ('submitted', 'paid'))::int
			OR posted.paid - posted.returned <> (o.state = 'paid')::int
			OR posted.refused + posted.returned <> o.times_back
			OR (o.state IN ('submitted', 'paid')) <> (
				SELECT count(*) = 1 FROM payout_attempt a WHERE a.payout_id = o.id AND a.state = 'confirmed'))
		ORDER BY o.id::text LIMIT $4`, periodID, revision, participantID, mostNamed)
	if err != nil {
		return 0, nil, fmt.Errorf("check the payouts of %s: %w", periodID, err)
	}
	wrong, err = pgx.CollectRows(rows, pgx.RowToStructByPos[WrongPayout])
	return payouts, wrong, err
}

// VerifyPayouts checks that a revision's postings tell the story of its payouts.
func (s *Store) VerifyPayouts(ctx context.Context, periodID string, revision int) error {
	_, wrong, err := s.WrongPayouts(ctx, periodID, revision, "")
	if err == nil && len(wrong) > 0 {
		err = wrong[0].Err()
	}
	return err
}

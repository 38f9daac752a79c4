package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// AccountKind is a kind of account in the chart of accounts.
type AccountKind string

// The chart of accounts.
const (
	CommissionExpense AccountKind = "commission expense"
	Payable           AccountKind = "payable"          // what is owed to a participant
	DrawReceivable    AccountKind = "draw receivable"  // what a participant owes of draws
	HoldbackReserve   AccountKind = "holdback reserve" // what a participant has earned and is paid later
	Clearing          AccountKind = "clearing"         // what has been handed to a rail
	Cash              AccountKind = "cash"
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

const accountID = `SELECT id FROM ledger_account WHERE kind = $1 AND participant_id = $2 AND rail = $3 AND currency = $4`

const newAccount = `INSERT INTO ledger_account (kind, participant_id, rail, currency) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`

// accountOf returns the id of an account, which the first posting makes. Another
// transaction may make it at the same time: the second look sees what that one did.
func accountOf(ctx context.Context, tx pgx.Tx, a account, currency incentive.Currency) (id int64, err error) {
	if err := tx.QueryRow(ctx, accountID, a.kind, a.participant, a.rail, currency).Scan(&id); !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	if _, err := tx.Exec(ctx, newAccount, a.kind, a.participant, a.rail, currency); err != nil {
		return 0, fmt.Errorf("make the account %s: %w", a.kind, err)
	}
	if err := tx.QueryRow(ctx, accountID, a.kind, a.participant, a.rail, currency).Scan(&id); err != nil {
		return 0, fmt.Errorf("find the account %s: %w", a.kind, err)
	}
	return id, nil
}

// post writes journal entries. An entry whose key has been posted is left alone; one of
// amount zero is not written. A negative amount swaps debit and credit.
func post(ctx context.Context, tx pgx.Tx, entries ...entry) error {
	for _, e := range entries {
		if e.amount.Minor == 0 {
			continue
		}
		var id int64
		err := tx.QueryRow(ctx, `
			INSERT INTO journal_entry (key, kind, period_id, revision, effective_on) VALUES ($1, $2, $3, $4, coalesce($5::date, current_date))
			ON CONFLICT (key) DO NOTHING RETURNING id`, e.key, e.kind, e.periodID, e.revision, e.effectiveOn).Scan(&id)
		if err == pgx.ErrNoRows {
			continue
		}
		if err != nil {
			return fmt.Errorf("post %s: %w", e.key, err)
		}
		for position, side := range []struct {
			account
			amount int64
		}{{e.debit, e.amount.Minor}, {e.credit, -e.amount.Minor}} {
			accountNumber, err := accountOf(ctx, tx, side.account, e.amount.Currency)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO posting (entry_id, position, account_id, amount_minor, currency) VALUES ($1, $2, $3, $4, $5)`,
				id, position, accountNumber, side.amount, e.amount.Currency)
			if err != nil {
				return fmt.Errorf("post %s: %w", e.key, err)
			}
		}
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
	rows, err := s.pool.Query(ctx, `
		SELECT a.kind, a.rail, a.currency, sum(p.amount_minor)::bigint
		FROM posting p JOIN ledger_account a ON a.id = p.account_id JOIN journal_entry e ON e.id = p.entry_id
		WHERE $1 = '' OR (e.period_id = $1 AND e.revision = $2)
		GROUP BY a.kind, a.rail, a.currency ORDER BY a.kind, a.rail, a.currency`, periodID, revision)
	if err != nil {
		return nil, fmt.Errorf("sum the ledger: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Balance])
}

// CodeLedgerBroken says that the ledger does not add up.
const CodeLedgerBroken incentive.Code = "ledger-broken"

// VerifyLedger checks that every entry has at least two postings and sums to zero in
// every currency, and returns how many entries there are.
func (s *Store) VerifyLedger(ctx context.Context) (entries int, err error) {
	var broken *string
	err = s.pool.QueryRow(ctx, `
		SELECT count(*)::int, min(key) FILTER (WHERE NOT balanced) FROM (
			SELECT e.key, (SELECT coalesce(bool_and(total = 0), false) FROM (
				SELECT sum(amount_minor) AS total FROM posting p WHERE p.entry_id = e.id GROUP BY currency) t)
				AND (SELECT count(*) FROM posting p WHERE p.entry_id = e.id) >= 2 AS balanced
			FROM journal_entry e) checked`).Scan(&entries, &broken)
	if err != nil {
		return 0, fmt.Errorf("check the ledger: %w", err)
	}
	if broken != nil {
		return 0, incentive.Errorf(CodeLedgerBroken, "journal entry %q does not balance", *broken)
	}
	return entries, nil
}

// VerifyPayouts checks that a revision's postings tell the story of its payouts: what is
// paid is cash out, what is submitted is in clearing, and no payout was paid by more than
// one attempt.
func (s *Store) VerifyPayouts(ctx context.Context, periodID string, revision int) error {
	var wrong *string
	err := s.pool.QueryRow(ctx, `
		SELECT min(o.id::text) FROM payout o
		WHERE o.period_id = $1 AND o.revision = $2 AND (
			(o.state IN ('submitted', 'paid')) <> EXISTS (
				SELECT FROM journal_entry e JOIN posting p ON p.entry_id = e.id WHERE e.key = 'submit/' || o.id AND p.amount_minor = o.amount_minor AND p.currency = o.currency)
			OR (o.state = 'paid') <> EXISTS (
				SELECT FROM journal_entry e JOIN posting p ON p.entry_id = e.id WHERE e.key = 'paid/' || o.id AND p.amount_minor = o.amount_minor AND p.currency = o.currency)
			OR (o.state IN ('submitted', 'paid')) <> (
				SELECT count(*) = 1 FROM payout_attempt a WHERE a.payout_id = o.id AND a.state = 'confirmed'))`, periodID, revision).Scan(&wrong)
	if err != nil {
		return fmt.Errorf("check the payouts of %s: %w", periodID, err)
	}
	if wrong != nil {
		return incentive.Errorf(CodeLedgerBroken, "payout %s and the ledger tell different stories", *wrong)
	}
	return nil
}

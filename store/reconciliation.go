package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// CodeReconciliationUnknown is the code of a reconciliation that is not here.
const CodeReconciliationUnknown incentive.Code = "reconciliation-unknown"

// Reconciliation is a comparison of our record with a rail's, for one day.
type Reconciliation struct {
	ID          int64
	Rail        string
	Day         incentive.Date // in the company's zone
	RunBy       string         // System for that of each day
	RunAt       time.Time
	Agreed      int // payments that both have alike
	Differences int
	Open        int  // of the differences, those that nobody has explained
	Superseded  bool // the rail and day were compared again since
}

// ReconciliationTotal is what a reconciliation summed up in one currency.
type ReconciliationTotal struct {
	Currency  incentive.Currency
	Ours      int   // payments of the day that the rail has by our record
	OursMinor int64 // what they sum to
	Theirs    int   // and by the rail's
	TheirsSum int64
	InTransit int64  // what the ledger has with the rail
	Submitted int64  // what payouts are submitted and not paid
	Available *int64 // what the rail could pay out; nil where it does not say
}

// DifferenceKind says what two records do not agree about.
type DifferenceKind string

// The kinds of differences.
const (
	MissingThere  DifferenceKind = "missing-there"  // we have it with the rail, and the rail does not
	MissingHere   DifferenceKind = "missing-here"   // the rail has it, and we never asked for it
	AmountDiffers DifferenceKind = "amount-differs" // both have it, of different amounts
	StateDiffers  DifferenceKind = "state-differs"  // both have it, and it stands differently
	LedgerDiffers DifferenceKind = "ledger-differs" // our ledger has another sum in transit than our payouts
)

// RailDifference is one thing that two records do not agree about. An amount is nil where a
// side has none.
type RailDifference struct {
	Number     int
	Kind       DifferenceKind
	Reference  string // what the rail knows the payment by
	RailID     string // what it calls it
	PayoutID   string // "" where it is none of ours
	OurState   string
	OurMinor   *int64
	TheirState string
	TheirMinor *int64
	Currency   incentive.Currency

	// Of the payout, where it is one of ours.
	PeriodID      string
	ParticipantID string
	Name          string

	ExplainedBy string // "" where nobody has
	ExplainedAt *time.Time
	Explanation string
}

// KeepReconciliation stores what a comparison found, once for a key, and returns it.
func (s *Store) KeepReconciliation(ctx context.Context, key string, r Reconciliation, totals []ReconciliationTotal, differences []RailDifference) (Reconciliation, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO reconciliation (key, rail, day, run_by, agreed, differences) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING RETURNING id`,
			key, r.Rail, r.Day, r.RunBy, r.Agreed, len(differences)).Scan(&r.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, `SELECT id FROM reconciliation WHERE key = $1`, key).Scan(&r.ID)
		}
		if err != nil {
			return fmt.Errorf("keep the reconciliation of %s: %w", r.Rail, err)
		}
		for _, t := range totals {
			_, err := tx.Exec(ctx, `INSERT INTO reconciliation_total VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				r.ID, t.Currency, t.Ours, t.OursMinor, t.Theirs, t.TheirsSum, t.InTransit, t.Submitted, t.Available)
			if err != nil {
				return fmt.Errorf("keep the totals of the reconciliation of %s: %w", r.Rail, err)
			}
		}
		rows := make([][]any, len(differences))
		for i, d := range differences {
			rows[i] = []any{r.ID, i + 1, d.Kind, d.Reference, d.RailID, orNull(d.PayoutID), d.OurState, d.OurMinor, d.TheirState, d.TheirMinor, d.Currency}
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"reconciliation_difference"},
			[]string{"reconciliation_id", "number", "kind", "reference", "rail_id", "payout_id", "our_state", "our_minor", "their_state", "their_minor", "currency"}, pgx.CopyFromRows(rows))
		if err != nil {
			return fmt.Errorf("keep the differences of the reconciliation of %s: %w", r.Rail, err)
		}
		return audit(ctx, tx, r.RunBy, "reconcile", fmt.Sprintf("reconciliation/%d", r.ID), struct {
			Rail        string         `json:"rail"`
			Day         incentive.Date `json:"day"`
			Agreed      int            `json:"agreed"`
			Differences int            `json:"differences"`
		}{r.Rail, r.Day, r.Agreed, len(differences)})
	})
	if err != nil {
		return r, err
	}
	r, _, err = s.Reconciliation(ctx, r.ID)
	return r, err
}

// explained is the SQL of what was said of a difference d of a reconciliation r, here or
// where the same was found for the same rail and day.
const explained = `
	LEFT JOIN LATERAL (
		SELECT e.explained_by, e.explained_at, e.reason_id
		FROM reconciliation other JOIN reconciliation_explanation e ON e.reconciliation_id = other.id JOIN reconciliation_difference same USING (reconciliation_id, number)
		WHERE other.rail = r.rail AND other.day = r.day
			AND (same.kind, same.reference, same.rail_id, same.payout_id, same.our_state, same.our_minor, same.their_state, same.their_minor, same.currency)
				IS NOT DISTINCT FROM (d.kind, d.reference, d.rail_id, d.payout_id, d.our_state, d.our_minor, d.their_state, d.their_minor, d.currency)
		ORDER BY e.explained_at LIMIT 1) said ON true`

const reconciliationColumns = `
	SELECT id, rail, day, run_by, run_at, agreed, differences, open, superseded FROM (
		SELECT r.*, (SELECT count(*) FROM reconciliation_difference d ` + explained + ` WHERE d.reconciliation_id = r.id AND said.reason_id IS NULL) AS open,
			EXISTS (SELECT FROM reconciliation later WHERE later.rail = r.rail AND later.day = r.day AND later.id > r.id) AS superseded
		FROM reconciliation r) compared`

// Reconciliation returns a comparison with its totals.
func (s *Store) Reconciliation(ctx context.Context, id int64) (Reconciliation, []ReconciliationTotal, error) {
	rows, err := s.pool.Query(ctx, reconciliationColumns+` WHERE id = $1`, id)
	if err != nil {
		return Reconciliation{}, nil, fmt.Errorf("read reconciliation %d: %w", id, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Reconciliation])
	if errors.Is(err, pgx.ErrNoRows) {
		return r, nil, incentive.Errorf(CodeReconciliationUnknown, "there is no reconciliation %d", id)
	}
	if err != nil {
		return r, nil, fmt.Errorf("read reconciliation %d: %w", id, err)
	}
	rows, err = s.pool.Query(ctx, `
		SELECT currency, ours, ours_minor, theirs, theirs_minor, in_transit_minor, submitted_minor, available_minor FROM reconciliation_total WHERE reconciliation_id = $1 ORDER BY currency`, id)
	if err != nil {
		return r, nil, fmt.Errorf("read the totals of reconciliation %d: %w", id, err)
	}
	totals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ReconciliationTotal])
	return r, totals, err
}

// WhichReconciliations are those of a rail ("": of all), of a day (zero: of all) and, with
// Open, the latest of their rail and day that have a difference which nobody has explained.
type WhichReconciliations struct {
	Rail string
	Day  incentive.Date
	Open bool
}

// Reconciliations returns up to limit comparisons that were made before one (0: the
// latest), the latest first.
func (s *Store) Reconciliations(ctx context.Context, which WhichReconciliations, before int64, limit int) ([]Reconciliation, error) {
	var day *incentive.Date
	if !which.Day.IsZero() {
		day = &which.Day
	}
	rows, err := s.pool.Query(ctx, reconciliationColumns+`
		WHERE ($1 = '' OR rail = $1) AND ($2::date IS NULL OR day = $2) AND (NOT $3 OR differences > 0 AND NOT superseded AND open > 0) AND ($4 = 0 OR id < $4) ORDER BY id DESC LIMIT $5`,
		which.Rail, day, which.Open, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list reconciliations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Reconciliation])
}

const railDifferences = `
	SELECT d.number, d.kind, d.reference, d.rail_id, coalesce(d.payout_id::text, ''), d.our_state, d.our_minor, d.their_state, d.their_minor, d.currency,
		coalesce(o.period_id, ''), coalesce(o.participant_id, ''), coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = o.participant_id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ''),
		coalesce(said.explained_by, ''), said.explained_at, coalesce(x.body, '')
	FROM reconciliation r JOIN reconciliation_difference d ON d.reconciliation_id = r.id LEFT JOIN payout o ON o.id = d.payout_id ` + explained + ` LEFT JOIN free_text x ON x.id = said.reason_id
	WHERE r.id = $1 `

// RailDifferences returns up to limit differences of a comparison, after one.
func (s *Store) RailDifferences(ctx context.Context, id int64, after, limit int) ([]RailDifference, error) {
	rows, err := s.pool.Query(ctx, railDifferences+`AND d.number > $2 ORDER BY d.number LIMIT $3`, id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the differences of reconciliation %d: %w", id, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[RailDifference])
}

// ExplainDifferences keeps what a person says of some differences of a comparison: of all of
// them, or of none. Nobody explains what concerns their own payout.
func (s *Store) ExplainDifferences(ctx context.Context, actor string, id int64, numbers []int, reasonID string) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "say why: a difference is explained with a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var there int64
		err := tx.QueryRow(ctx, `SELECT id FROM reconciliation WHERE id = $1 FOR UPDATE`, id).Scan(&there)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(CodeReconciliationUnknown, "there is no reconciliation %d", id)
		}
		if err != nil {
			return fmt.Errorf("lock reconciliation %d: %w", id, err)
		}
		rows, err := tx.Query(ctx, railDifferences+`AND d.number = ANY($2)`, id, numbers)
		if err != nil {
			return fmt.Errorf("read the differences of reconciliation %d: %w", id, err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RailDifference])
		if err != nil {
			return fmt.Errorf("read the differences of reconciliation %d: %w", id, err)
		}
		if len(found) == 0 || len(found) < len(numbers) {
			return incentive.Errorf(incentive.CodeInvalid, "reconciliation %d does not have every difference that you name: name each once, by its number", id)
		}
		for _, d := range found {
			switch {
			case d.ParticipantID == actor:
				return incentive.Errorf(incentive.CodeOwnPay, "difference %d is about your own payout: somebody else explains it", d.Number)
			case d.ExplainedBy != "":
				return incentive.Errorf(incentive.CodeConflict, "difference %d is explained already, by %s", d.Number, d.ExplainedBy)
			}
		}
		_, err = tx.Exec(ctx, `INSERT INTO reconciliation_explanation (reconciliation_id, number, explained_by, reason_id) SELECT $1, number, $3, $4 FROM unnest($2::int[]) number`, id, numbers, actor, reasonID)
		if err != nil {
			return fmt.Errorf("keep the explanation of differences of reconciliation %d: %w", id, err)
		}
		return audit(ctx, tx, actor, "explain-differences", fmt.Sprintf("reconciliation/%d", id), struct {
			Differences []int  `json:"differences"`
			ReasonID    string `json:"reason_id"`
		}{numbers, reasonID})
	})
}

// LastReconciled returns the last day of a rail that was compared by itself; zero where
// none was.
func (s *Store) LastReconciled(ctx context.Context, rail string) (day incentive.Date, err error) {
	var last *incentive.Date
	if err := s.pool.QueryRow(ctx, `SELECT max(day) FROM reconciliation WHERE rail = $1 AND run_by = $2`, rail, System).Scan(&last); err != nil {
		return day, fmt.Errorf("look for the last reconciliation of %s: %w", rail, err)
	}
	if last != nil {
		day = *last
	}
	return day, nil
}

// SentAttempt is an attempt on a rail with how its payout stands.
type SentAttempt struct {
	PayoutID    string
	Key         string
	RailID      string
	State       AttemptState
	PayoutState string
	Amount      incentive.Money
	Answered    bool  // the bank has said something of the payout in one of its files
	Recalled    int64 // what recalls have brought back of it in part, in minor units
	Recalling   int64 // what one that is under way is to bring
}

var sentAttempts = sentAttemptsSQL()

func sentAttemptsSQL() string {
	done, underWay := recalledOf("a.payout_id", "a.number")
	return `
	SELECT o.id::text, a.key::text, a.rail_id, a.state, o.state, o.amount_minor, o.currency, EXISTS (SELECT FROM payout_outcome x WHERE x.payout_id = o.id), ` + done + `, ` + underWay + `
	FROM payout_attempt a JOIN payout o ON o.id = a.payout_id WHERE o.rail = $1 AND `
}

// sentRedemptions are rewards that were taken for points, which a rail knows as it does attempts: they
// are of no payout.
const sentRedemptions = `
	UNION ALL SELECT '', r.id::text, r.rail_id, CASE WHEN r.state IN ('submitted', 'paid') THEN 'confirmed' WHEN r.state = 'refused' THEN 'rejected' ELSE r.state END, r.state, r.amount_minor, r.currency, false, 0::bigint, 0::bigint
	FROM redemption r WHERE r.rail = $1 AND `

func scanSent(row pgx.CollectableRow) (a SentAttempt, err error) {
	err = row.Scan(&a.PayoutID, &a.Key, &a.RailID, &a.State, &a.PayoutState, &a.Amount.Minor, &a.Amount.Currency, &a.Answered, &a.Recalled, &a.Recalling)
	return a, err
}

// SentAttempts returns the attempts on a rail that were first sent from one moment on and
// before another.
func (s *Store) SentAttempts(ctx context.Context, rail string, from, until time.Time) ([]SentAttempt, error) {
	rows, err := s.pool.Query(ctx, sentAttempts+`a.sent_at >= $2 AND a.sent_at < $3`+sentRedemptions+`r.sent_at >= $2 AND r.sent_at < $3 ORDER BY 1, 2`, rail, from, until)
	if err != nil {
		return nil, fmt.Errorf("list what was sent by %s: %w", rail, err)
	}
	return pgx.CollectRows(rows, scanSent)
}

// AttemptsNamed returns the attempts on a rail that some references name, by key; of a
// rail of files (byPayout) the last one of each payout that they name.
func (s *Store) AttemptsNamed(ctx context.Context, rail string, references []string, byPayout bool) ([]SentAttempt, error) {
	var ids []string
	for _, r := range references {
		if uuidText.MatchString(r) {
			ids = append(ids, r)
		}
	}
	which := `a.key = ANY($2::text[]::uuid[])` + sentRedemptions + `r.id = ANY($2::text[]::uuid[])`
	if byPayout {
		which = `o.id = ANY($2::text[]::uuid[]) AND a.number = (SELECT max(number) FROM payout_attempt WHERE payout_id = o.id)`
	}
	rows, err := s.pool.Query(ctx, sentAttempts+which+` ORDER BY 1, 2`, rail, ids)
	if err != nil {
		return nil, fmt.Errorf("find what %s names: %w", rail, err)
	}
	return pgx.CollectRows(rows, scanSent)
}

// InTransit returns, by currency, what the ledger has with a rail beside what payouts of
// it are submitted and not paid, and what is taken of it for points and under way.
func (s *Store) InTransit(ctx context.Context, rail string) ([]ReconciliationTotal, error) {
	rows, err := s.pool.Query(ctx, `
		WITH ledger AS (
			SELECT a.currency, -sum(p.amount_minor)::bigint AS minor FROM ledger_account a JOIN posting p ON p.account_id = a.id WHERE a.kind = $2 AND a.rail = $1 GROUP BY a.currency),
		submitted AS (
			SELECT currency, sum(amount_minor)::bigint AS minor FROM (
				SELECT currency, amount_minor FROM payout WHERE rail = $1 AND state = 'submitted'
				UNION ALL SELECT currency, amount_minor FROM redemption WHERE rail = $1 AND state IN ('intended', 'sent', 'unknown', 'submitted')) sent GROUP BY currency)
		SELECT currency, 0, 0::bigint, 0, 0::bigint, coalesce(ledger.minor, 0), coalesce(submitted.minor, 0), NULL::bigint FROM ledger FULL JOIN submitted USING (currency) ORDER BY currency`, rail, Clearing)
	if err != nil {
		return nil, fmt.Errorf("sum what is in transit by %s: %w", rail, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ReconciliationTotal])
}

// StatusFilesOf returns the files of a rail's banks that were handed in from one moment on
// and before another.
func (s *Store) StatusFilesOf(ctx context.Context, rail string, from, until time.Time) (ids []string, err error) {
	err = collect(ctx, s.pool, &ids, `SELECT id::text FROM status_file WHERE rail = $1 AND uploaded_at >= $2 AND uploaded_at < $3 AND applied_at IS NOT NULL ORDER BY uploaded_at, id`, pgx.RowTo[string], rail, from, until)
	if err != nil {
		return nil, fmt.Errorf("list the files of banks of %s: %w", rail, err)
	}
	return ids, nil
}

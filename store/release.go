package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// signList keeps the digest of a payout list as it is now.
func signList(ctx context.Context, tx pgx.Tx, periodID string, revision, supplement int) (digest []byte, payouts int, err error) {
	if digest, payouts, err = payoutListDigest(ctx, tx, periodID, revision, supplement); err != nil {
		return nil, 0, err
	}
	if _, err := tx.Exec(ctx, `UPDATE payout_list SET digest = $4 WHERE period_id = $1 AND revision = $2 AND supplement = $3`, periodID, revision, supplement, digest); err != nil {
		return nil, 0, fmt.Errorf("sign the payout list of %s: %w", periodID, err)
	}
	return digest, payouts, nil
}

// payoutListDigest covers what a release signs: who gets how much, where, by which rail, and
// who of them is not paid by it.
func payoutListDigest(ctx context.Context, q querier, periodID string, revision, supplement int) (digest []byte, payouts int, err error) {
	rows, err := q.Query(ctx, `
		SELECT id::text, participant_id, amount_minor, currency, rail, coalesce(destination_id, 0), state = 'planned' FROM payout
		WHERE period_id = $1 AND revision = $2 AND supplement = $3 ORDER BY id`, periodID, revision, supplement)
	if err != nil {
		return nil, 0, fmt.Errorf("read the payout list of %s: %w", periodID, err)
	}
	h := sha256.New()
	h.Write([]byte("guerdon payout list 2\n"))
	var id, participant, currency, rail string
	var minor, destination int64
	var paid bool
	_, err = pgx.ForEachRow(rows, []any{&id, &participant, &minor, &currency, &rail, &destination, &paid}, func() error {
		payouts++
		return json.NewEncoder(h).Encode([]any{id, participant, minor, currency, rail, destination, paid})
	})
	return h.Sum(nil), payouts, err
}

// PayoutList is what a release signs.
type PayoutList struct {
	Supplement int // 0 for the first list of the period, and one more for each that supplements it
	Digest     []byte
	ReleasedBy string
	ReleasedAt *time.Time
	Totals     []PayoutTotal
}

// PayoutTotal is the sum of payouts of one rail, currency and state.
type PayoutTotal struct {
	Rail     string
	Currency incentive.Currency
	State    string
	Payouts  int
	Minor    int64
}

// PayoutList returns the latest payout list of a revision. It is of code CodeNotFound
// before the period is approved.
func (s *Store) PayoutList(ctx context.Context, periodID string, revision int) (PayoutList, error) {
	var list PayoutList
	err := s.pool.QueryRow(ctx, `SELECT supplement, digest, coalesce(released_by, ''), released_at FROM payout_list WHERE period_id = $1 AND revision = $2 ORDER BY supplement DESC LIMIT 1`, periodID, revision).
		Scan(&list.Supplement, &list.Digest, &list.ReleasedBy, &list.ReleasedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return list, incentive.Errorf(incentive.CodeNotFound, "period %q has no payouts yet: they are planned when its last statement is approved", periodID)
	}
	if err != nil {
		return list, fmt.Errorf("read the payout list of %s: %w", periodID, err)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT rail, currency, state, count(*)::int, sum(amount_minor)::bigint FROM payout
		WHERE period_id = $1 AND revision = $2 AND supplement = $3 GROUP BY rail, currency, state ORDER BY rail, currency, state`, periodID, revision, list.Supplement)
	if err != nil {
		return list, fmt.Errorf("sum the payouts of %s: %w", periodID, err)
	}
	list.Totals, err = pgx.CollectRows(rows, pgx.RowToStructByPos[PayoutTotal])
	return list, err
}

// Release lets a second person send the payout list on its way that is not released: the
// digest must be the list's, and the releaser nobody who prepared the period or approved
// for finance.
func (s *Store) Release(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct {
		Digest string `json:"payout_list_digest"`
	}{fmt.Sprintf("%x", c.PayoutListDigest)}, func(tx pgx.Tx, p *PeriodRevision) error {
		supplement, waits, err := listToRelease(ctx, tx, *p)
		if err != nil {
			return err
		}
		if !waits {
			return incentive.Errorf(incentive.CodeNotAllowedNow, "the period is released, and no supplementary payout waits to be")
		}
		if err := refusePreparer(ctx, tx, p.ID, p.Revision, c.Actor, "release"); err != nil {
			return err
		}
		var approved bool
		if err := tx.QueryRow(ctx, `SELECT approved_for_finance($1, $2, $3)`, p.ID, p.Revision, c.Actor).Scan(&approved); err != nil {
			return fmt.Errorf("look for the approvers of %s: %w", p.ID, err)
		}
		if approved {
			return incentive.Errorf(CodeApprover, "you approved for finance what this period pays, so somebody else must release it; the calendar's policy may allow it (release: by_approver)")
		}
		if err := refuseLargeList(ctx, tx, *p, supplement); err != nil {
			return err
		}
		digest, _, err := payoutListDigest(ctx, tx, p.ID, p.Revision, supplement)
		if err != nil {
			return err
		}
		if !bytes.Equal(digest, c.PayoutListDigest) {
			return incentive.Errorf(CodeChangedMeantime, "the payout list is not the one you looked at: look at it again and release it by its digest %x", digest)
		}
		if _, err := tx.Exec(ctx, `UPDATE payout_list SET released_by = $4, released_at = now() WHERE period_id = $1 AND revision = $2 AND supplement = $3`, p.ID, p.Revision, supplement, c.Actor); err != nil {
			return fmt.Errorf("release %s: %w", p.ID, err)
		}
		if err := analyze(ctx, tx, "payout"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE payout SET batch = numbered.batch FROM (
				SELECT id, (row_number() OVER (PARTITION BY rail ORDER BY id) - 1) / $4 + 1 + last.batch AS batch
				FROM payout JOIN (SELECT rail, max(batch) AS batch FROM payout WHERE period_id = $1 AND revision = $2 GROUP BY rail) last USING (rail)
				WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND state = 'planned') numbered
			WHERE payout.id = numbered.id`, p.ID, p.Revision, supplement, BatchSize)
		if err != nil {
			return fmt.Errorf("cut %s into batches: %w", p.ID, err)
		}
		return nil
	})
}

// listToRelease names the payout list of a revision that is not released yet, if there is one.
func listToRelease(ctx context.Context, q querier, p PeriodRevision) (supplement int, waits bool, err error) {
	err = q.QueryRow(ctx, `SELECT supplement FROM payout_list WHERE period_id = $1 AND revision = $2 AND released_by IS NULL`, p.ID, p.Revision).Scan(&supplement)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look what of %s is to be released: %w", p.ID, err)
	}
	return supplement, true, nil
}

package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// What salesReader reads of a transaction with one of its credits.
const (
	sold     = `t.source, t.transaction_id, t.version, t.date, t.amount, t.currency, nullif(t.attributes, '{}'), t.refund_of`
	credited = `c.participant_id, c.role, c.share, c.version`

	salesOfSnapshot = ` FROM snapshot_record rt JOIN transaction t ON t.record_id = rt.record_id
		LEFT JOIN (snapshot_record rc JOIN credit c ON c.record_id = rc.record_id AND rc.snapshot_id = $1 AND rc.kind = 'credit')
			ON c.source = t.source AND c.transaction_id = t.transaction_id
		WHERE rt.snapshot_id = $1 AND `
)

// Where what is sold goes: to one shard, or to all.
const everyShard = -1

// salesColumns is how many columns a row has.
const salesColumns = 12

// divideSales reads what was sold once, and puts it together for the shards that depend on it.
// Refunds, and what was paid for in earlier periods, are few and go to all of them. What its source
// credits nobody with goes to all where plans have rules for it, and else to the first, which
// counts it.
func (s *Store) divideSales(ctx context.Context, runID, snapshotID int64, shards []calculation.Needs) error {
	of := map[string][]int{} // to which shards somebody's credits go
	uncredited := 0
	for n, needs := range shards {
		for _, id := range needs.Credited {
			of[id] = append(of[id], n)
		}
		if needs.Uncredited {
			uncredited = everyShard
		}
	}
	together := map[int][]byte{}
	divide := func(columns [][]byte) {
		goes := []int{uncredited}
		switch participant := columns[1+8]; {
		case columns[0][0] == 't':
			goes = []int{everyShard}
		case participant != nil:
			goes = of[string(participant)]
		}
		for _, shard := range goes {
			together[shard] = appendRow(together[shard], columns[1:])
		}
	}
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		// One connection both reads and writes: many runs that wait for a second one would wait
		// for each other.
		for _, sql := range []string{`SET LOCAL work_mem = '128MB'`, `SET LOCAL cursor_tuple_fraction = 1`} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DECLARE sales NO SCROLL CURSOR FOR SELECT rt.kind = 'refunded' OR t.refund_of <> '', `+sold+`, `+credited+salesOfSnapshot+`rt.kind IN ('transaction', 'refunded')`, snapshotID); err != nil {
			return err
		}
		for more := true; more; {
			n, err := eachRow(ctx, tx, pgx.TextFormatCode, divide, `FETCH 20000 FROM sales`)
			if err != nil {
				return err
			}
			more = n > 0
			for shard := everyShard; shard < len(shards); shard++ {
				const enough = 256 << 10
				if rows := together[shard]; len(rows) >= enough || !more && len(rows) > 0 {
					if _, err := tx.Exec(ctx, `INSERT INTO run_sales VALUES ($1, nullif($2, -1), $3)`, runID, shard, rows); err != nil {
						return err
					}
					together[shard] = rows[:0]
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put together what the shards of run %d need: %w", runID, err)
	}
	return nil
}

// loadSales reads what was put together for a shard, and what earlier lines of its participants
// put off or paid, whoever has the credit now; of both what counts or, where that is nil, all.
func (s *Store) loadSales(ctx context.Context, runID, snapshotID int64, shard int, participants []string, counts func(t *incentive.Transaction) bool, snapshot *incentive.Snapshot) error {
	read := newSalesReader()
	read.counts = counts
	var wrong error
	_, err := eachRow(ctx, s.pool, pgx.BinaryFormatCode, func(columns [][]byte) {
		if wrong == nil {
			wrong = cutRows(columns[0], read.take)
		}
	}, `SELECT rows FROM run_sales WHERE run_id = $1 AND (shard = $2 OR shard IS NULL)`, runID, shard)
	if err = errorsIn(err, wrong); err != nil {
		return err
	}
	var sources, ids []string
	for _, l := range snapshot.Posted {
		if _, theirs := slices.BinarySearch(participants, l.ParticipantID); theirs {
			for _, c := range l.Contributions {
				sources, ids = append(sources, c.Transaction.Source), append(ids, c.Transaction.ID)
			}
		}
	}
	if len(ids) > 0 {
		err := read.rows(ctx, s.pool, `SELECT `+sold+`, `+credited+salesOfSnapshot+`rt.kind = 'transaction' AND (t.source, t.transaction_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))`, snapshotID, sources, ids)
		if err != nil {
			return err
		}
	}
	snapshot.Transactions, snapshot.Credits = read.inOrder()
	return nil
}

// appendRow appends columns, each with its length and one before it; NULL has none of both.
func appendRow(to []byte, columns [][]byte) []byte {
	for _, column := range columns {
		if column == nil {
			to = append(to, 0)
			continue
		}
		to = append(binary.AppendUvarint(to, uint64(len(column))+1), column...)
	}
	return to
}

// cutRows takes rows apart that were put together by appendRow, and hands each on.
func cutRows(rows []byte, take func(columns [][]byte) error) error {
	columns := make([][]byte, salesColumns)
	for len(rows) > 0 {
		for i := range columns {
			length, n := binary.Uvarint(rows)
			if n <= 0 || length > uint64(len(rows)-n)+1 {
				return fmt.Errorf("what was put together for a shard is cut off")
			}
			columns[i], rows = nil, rows[n:]
			if length > 0 {
				columns[i], rows = rows[:length-1:length-1], rows[length-1:]
			}
		}
		if err := take(columns); err != nil {
			return err
		}
	}
	return nil
}

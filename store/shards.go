package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// Sharding is how the calculation over a snapshot is divided.
type Sharding struct {
	RunID  int64 // that the calculation will have
	Shards int
	// Contests says that people compete, so that all of them are measured before any
	// statement is calculated.
	Contests bool
}

// BeginRun numbers the run over a snapshot and says how it is divided: into so many shards
// that each has about so many credits. Earlier periods are corrected all at once.
func (s *Store) BeginRun(ctx context.Context, snapshotID int64, creditsPerShard int) (Sharding, error) {
	var begun Sharding
	var credits int
	var corrects bool
	err := s.pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'credit'),
			EXISTS (SELECT FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'correction')`, snapshotID).Scan(&credits, &corrects)
	if err != nil {
		return begun, fmt.Errorf("measure snapshot %d: %w", snapshotID, err)
	}
	if begun.Shards = 1; !corrects {
		begun.Shards = max(1, (credits+creditsPerShard-1)/creditsPerShard)
	}
	if begun.Shards == 1 {
		return begun, nil
	}
	all, err := s.allButSales(ctx, snapshotID)
	if err != nil {
		return begun, err
	}
	shards, err := calculation.Shards(all, begun.Shards)
	if err != nil {
		return begun, err
	}
	contests, err := calculation.Contests(all)
	if err != nil {
		return begun, err
	}
	numbered, err := s.NumberRun(ctx)
	return Sharding{numbered.RunID, len(shards), len(contests) > 0}, err
}

// NumberRun begins a run in one shard.
func (s *Store) NumberRun(ctx context.Context) (Sharding, error) {
	begun := Sharding{Shards: 1}
	if err := s.pool.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('run', 'id'))`).Scan(&begun.RunID); err != nil {
		return begun, fmt.Errorf("number the run: %w", err)
	}
	return begun, nil
}

// allButSales returns a snapshot without transactions and credits. The last one asked for is
// kept: a snapshot never changes, and all shards of a calculation need the same.
func (s *Store) allButSales(ctx context.Context, id int64) (incentive.Snapshot, error) {
	s.lastMutex.Lock()
	defer s.lastMutex.Unlock()
	if s.lastID == id {
		return s.last, nil
	}
	p, since, _, err := snapshotHead(ctx, s.pool, id)
	if err != nil {
		return incentive.Snapshot{}, err
	}
	snapshot, err := loadAllButSales(ctx, s.pool, id, p, since)
	if err != nil {
		return snapshot, fmt.Errorf("read snapshot %d: %w", id, err)
	}
	s.lastID, s.last = id, snapshot
	return snapshot, nil
}

// shard returns what of a snapshot a shard, of so many, is calculated from, and whose
// statements it has.
func (s *Store) shard(ctx context.Context, snapshotID int64, shard, shards int) (incentive.Snapshot, calculation.Needs, error) {
	snapshot, err := s.allButSales(ctx, snapshotID)
	if err != nil {
		return snapshot, calculation.Needs{}, err
	}
	all, err := calculation.Shards(snapshot, shards)
	if err != nil {
		return snapshot, calculation.Needs{}, err
	}
	if shard < 0 || shard >= len(all) {
		return snapshot, calculation.Needs{}, fmt.Errorf("there is no shard %d of %d", shard, len(all))
	}
	needs := all[shard]
	needs.Uncredited = needs.Uncredited || shard == 0 // the first one counts them
	err = loadSalesOf(ctx, s.pool, snapshotID, needs, &snapshot)
	if err != nil {
		return snapshot, needs, fmt.Errorf("read what shard %d of snapshot %d needs: %w", shard, snapshotID, err)
	}
	return snapshot, needs, nil
}

// MeasureShard measures, once, those of a shard who compete.
func (s *Store) MeasureShard(ctx context.Context, of Sharding, snapshotID int64, shard int) error {
	snapshot, needs, err := s.shard(ctx, snapshotID, shard, of.Shards)
	if err != nil {
		return err
	}
	entrants, err := calculation.Enter(snapshot, needs.Of)
	if err != nil {
		return err
	}
	written, err := json.Marshal(entrants)
	if err != nil {
		return fmt.Errorf("write who competes: %w", err)
	}
	if _, err = s.pool.Exec(ctx, `INSERT INTO run_measured VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, of.RunID, shard, written); err != nil {
		return fmt.Errorf("keep who competes: %w", err)
	}
	return nil
}

// CalculateShard calculates the statements of a shard and writes them down, once, with lines,
// contributions and explanations. Nobody sees them before FinishRun.
func (s *Store) CalculateShard(ctx context.Context, of Sharding, snapshotID int64, shard int) error {
	var entrants []calculation.Entrant
	if of.Contests {
		var measured [][]byte
		if err := collect(ctx, s.pool, &measured, `SELECT entrants FROM run_measured WHERE run_id = $1 ORDER BY shard`, pgx.RowTo[[]byte], of.RunID); err != nil {
			return fmt.Errorf("read who competes in run %d: %w", of.RunID, err)
		}
		if len(measured) != of.Shards {
			return fmt.Errorf("of run %d, %d of %d shards are measured", of.RunID, len(measured), of.Shards)
		}
		for _, text := range measured {
			var some []calculation.Entrant
			if err := json.Unmarshal(text, &some); err != nil {
				return fmt.Errorf("read who competes: %w", err)
			}
			entrants = append(entrants, some...)
		}
	}
	snapshot, needs, err := s.shard(ctx, snapshotID, shard, of.Shards)
	if err != nil {
		return err
	}
	result, err := calculation.RunShard(ctx, snapshot, needs.Of, entrants)
	if err != nil {
		return err
	}
	if shard > 0 {
		result.Uncredited = 0
	}
	digests := digestsOf(result.Statements)
	first, err := s.reserve(ctx, result.Statements)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO run_shard VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, of.RunID, shard, result.Uncredited)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return keepStatements(ctx, tx, of.RunID, first, result.Statements, digests)
	})
}

// FinishRun makes a run of its shards once all of them are written down, and moves the period
// to calculated. A repeated command changes nothing.
func (s *Store) FinishRun(ctx context.Context, c PeriodCommand, of Sharding, snapshotID int64, engineVersion string) (PeriodRevision, error) {
	var snapshotDigest []byte
	if err := s.pool.QueryRow(ctx, `SELECT digest FROM snapshot WHERE id = $1`, snapshotID).Scan(&snapshotDigest); err != nil {
		return PeriodRevision{}, fmt.Errorf("read snapshot %d: %w", snapshotID, err)
	}
	var written []incentive.Digest
	err := collect(ctx, s.pool, &written, `SELECT digest FROM statement WHERE run_id = $1`, func(row pgx.CollectableRow) (incentive.Digest, error) {
		var digest []byte
		err := row.Scan(&digest)
		return incentive.Digest(digest), err
	}, of.RunID)
	if err != nil {
		return PeriodRevision{}, fmt.Errorf("read the statements of run %d: %w", of.RunID, err)
	}
	digest := incentive.RunDigest(incentive.Digest(snapshotDigest), engineVersion, written)
	return s.act(ctx, c, runBody(digest, len(written)), func(tx pgx.Tx, p *PeriodRevision) error {
		if p.SnapshotID == nil || *p.SnapshotID != snapshotID {
			return incentive.Errorf(CodeChangedMeantime, "the period has another snapshot than the one calculated")
		}
		var shards, uncredited int
		if err := tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(uncredited), 0) FROM run_shard WHERE run_id = $1`, of.RunID).Scan(&shards, &uncredited); err != nil {
			return fmt.Errorf("look for the shards of run %d: %w", of.RunID, err)
		}
		if shards != of.Shards {
			return fmt.Errorf("of run %d, %d of %d shards are calculated", of.RunID, shards, of.Shards)
		}
		_, err := tx.Exec(ctx, `INSERT INTO run (id, snapshot_id, engine_version, digest, statements, uncredited) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6)`,
			of.RunID, snapshotID, engineVersion, digest[:], len(written), uncredited)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM run_measured WHERE run_id = $1`, of.RunID)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM run_shard WHERE run_id = $1`, of.RunID)
		}
		if err != nil {
			return fmt.Errorf("keep the run: %w", err)
		}
		p.RunID = &of.RunID
		return nil
	})
}

// DropRun removes what was written down of a run that will never be whole.
func (s *Store) DropRun(ctx context.Context, runID int64) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`DELETE FROM contribution c USING line l JOIN statement st ON st.id = l.statement_id WHERE c.line_id = l.id AND st.run_id = $1`,
			`DELETE FROM line l USING statement st WHERE st.id = l.statement_id AND st.run_id = $1`,
			`DELETE FROM statement WHERE run_id = $1`,
			`DELETE FROM run_measured WHERE run_id = $1`,
			`DELETE FROM run_shard WHERE run_id = $1`,
		} {
			if _, err := tx.Exec(ctx, sql, runID); err != nil {
				return fmt.Errorf("remove what there is of run %d: %w", runID, err)
			}
		}
		return nil
	})
}

// loadSalesOf reads the transactions that some statements depend on, with the credits that
// count. Refunds, and what was paid for in earlier periods, are few and read whole.
func loadSalesOf(ctx context.Context, q querier, id int64, needs calculation.Needs, snapshot *incentive.Snapshot) error {
	var read salesReader
	const sold = `t.source, t.transaction_id, t.version, t.date, t.amount, t.currency, nullif(t.attributes, '{}'), t.refund_of`
	const credited = `c.participant_id, c.role, c.share, c.version`
	const ofSnapshot = `
		FROM snapshot_record rt JOIN transaction t ON t.record_id = rt.record_id
		LEFT JOIN (snapshot_record rc JOIN credit c ON c.record_id = rc.record_id AND rc.snapshot_id = $1 AND rc.kind = 'credit')
			ON c.source = t.source AND c.transaction_id = t.transaction_id
		WHERE rt.snapshot_id = $1 AND `
	err := errorsIn(
		read.rows(ctx, q, `SELECT `+sold+`, `+credited+`
			FROM credit c JOIN snapshot_record rc ON rc.snapshot_id = $1 AND rc.kind = 'credit' AND rc.record_id = c.record_id
			JOIN transaction t ON t.source = c.source AND t.transaction_id = c.transaction_id
			JOIN snapshot_record rt ON rt.snapshot_id = $1 AND rt.kind = 'transaction' AND rt.record_id = t.record_id
			WHERE c.participant_id = ANY($2) AND t.refund_of = ''`, id, needs.Credited),
		read.rows(ctx, q, `SELECT `+sold+`, `+credited+ofSnapshot+`(rt.kind = 'transaction' AND t.refund_of <> '' OR rt.kind = 'refunded')`, id),
	)
	var sources, ids []string // of what earlier lines put off or paid, whoever has the credit now
	for _, l := range snapshot.Posted {
		if _, theirs := slices.BinarySearch(needs.Of, l.ParticipantID); theirs {
			for _, c := range l.Contributions {
				sources, ids = append(sources, c.Transaction.Source), append(ids, c.Transaction.ID)
			}
		}
	}
	if err == nil && len(ids) > 0 {
		err = read.rows(ctx, q, `SELECT `+sold+`, `+credited+ofSnapshot+`rt.kind = 'transaction' AND (t.source, t.transaction_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))`, id, sources, ids)
	}
	if err == nil && needs.Uncredited {
		err = read.rows(ctx, q, `SELECT `+sold+`, NULL, NULL, NULL, NULL
			FROM snapshot_record rt JOIN transaction t ON t.record_id = rt.record_id
			WHERE rt.snapshot_id = $1 AND rt.kind = 'transaction' AND NOT EXISTS (
				SELECT FROM credit c JOIN snapshot_record rc ON rc.snapshot_id = $1 AND rc.kind = 'credit' AND rc.record_id = c.record_id
				WHERE c.source = t.source AND c.transaction_id = t.transaction_id)`, id)
	}
	if err != nil {
		return err
	}
	snapshot.Transactions, snapshot.Credits = read.inOrder()
	return nil
}

func digestsOf(statements []incentive.Statement) []incentive.Digest {
	digests := make([]incentive.Digest, len(statements))
	for i, statement := range statements {
		digests[i] = statement.Digest()
	}
	return digests
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

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

// BeginRun numbers the run over a snapshot and divides it, where it has more credits than one
// shard. Earlier periods are corrected all at once, in one.
func (s *Store) BeginRun(ctx context.Context, snapshotID int64, creditsPerShard int) (Sharding, error) {
	var credits int
	var corrects bool
	err := s.pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'credit'),
			EXISTS (SELECT FROM snapshot_record WHERE snapshot_id = $1 AND kind = 'correction')`, snapshotID).Scan(&credits, &corrects)
	if err != nil {
		return Sharding{}, fmt.Errorf("measure snapshot %d: %w", snapshotID, err)
	}
	shards := (credits + creditsPerShard - 1) / creditsPerShard
	if corrects || shards <= 1 {
		return Sharding{Shards: 1}, nil
	}
	return s.DivideRun(ctx, snapshotID, shards)
}

// DivideRun numbers a run over a snapshot, and puts what was sold where at most so many shards
// find it.
func (s *Store) DivideRun(ctx context.Context, snapshotID int64, shards int) (Sharding, error) {
	all, needs, err := s.division(ctx, snapshotID, shards)
	if err != nil {
		return Sharding{}, err
	}
	contests, err := calculation.Contests(all)
	if err != nil {
		return Sharding{}, err
	}
	divided := Sharding{Shards: len(needs), Contests: len(contests) > 0}
	if err := s.pool.QueryRow(ctx, `SELECT nextval(pg_get_serial_sequence('run', 'id'))`).Scan(&divided.RunID); err != nil {
		return divided, fmt.Errorf("number the run: %w", err)
	}
	return divided, s.divideSales(ctx, divided.RunID, snapshotID, needs)
}

// divisions keeps the snapshot that a calculation asked for last, without what was sold, and how
// it is divided: it never changes, and all shards need the same.
type divisions struct {
	mutex    sync.Mutex
	id       int64
	snapshot incentive.Snapshot
	shards   int
	needs    []calculation.Needs
}

// division returns a snapshot without transactions and credits, and what each of so many shards
// of it needs.
func (s *Store) division(ctx context.Context, id int64, shards int) (incentive.Snapshot, []calculation.Needs, error) {
	d := &s.divisions
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.id != id {
		p, since, _, err := snapshotHead(ctx, s.pool, id)
		if err != nil {
			return incentive.Snapshot{}, nil, err
		}
		snapshot, err := loadAllButSales(ctx, s.pool, id, p, since)
		if err != nil {
			return snapshot, nil, fmt.Errorf("read snapshot %d: %w", id, err)
		}
		d.id, d.snapshot, d.shards = id, snapshot, 0
	}
	if d.shards != shards {
		needs, err := calculation.Shards(d.snapshot, shards)
		if err != nil {
			return d.snapshot, nil, err
		}
		d.shards, d.needs = shards, needs
	}
	return d.snapshot, d.needs, nil
}

// shard returns what a shard of a run is calculated from, of what was sold only what counts
// or, where that is nil, all.
func (s *Store) shard(ctx context.Context, of Sharding, snapshotID int64, shard int, counts func(t *incentive.Transaction) bool) (*calculation.Shard, error) {
	snapshot, all, err := s.division(ctx, snapshotID, of.Shards)
	if err != nil {
		return nil, err
	}
	if shard < 0 || shard >= len(all) {
		return nil, fmt.Errorf("there is no shard %d of %d", shard, len(all))
	}
	if err = s.loadSales(ctx, of.RunID, snapshotID, shard, all[shard].Of, counts, &snapshot); err != nil {
		return nil, fmt.Errorf("read what shard %d of run %d needs: %w", shard, of.RunID, err)
	}
	return calculation.NewShard(snapshot, all[shard].Of)
}

// MeasureShard measures, once, those of a shard who compete.
func (s *Store) MeasureShard(ctx context.Context, of Sharding, snapshotID int64, shard int) error {
	snapshot, _, err := s.division(ctx, snapshotID, of.Shards)
	if err != nil {
		return err
	}
	counts, err := calculation.Entering(snapshot)
	if err != nil {
		return err
	}
	theirs, err := s.shard(ctx, of, snapshotID, shard, counts)
	if err != nil {
		return err
	}
	entrants, err := theirs.Enter()
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
	theirs, err := s.shard(ctx, of, snapshotID, shard, nil)
	if err != nil {
		return err
	}
	result, err := theirs.Run(ctx, entrants)
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
		for _, sql := range underWay {
			if err == nil {
				_, err = tx.Exec(ctx, sql, of.RunID)
			}
		}
		if err != nil {
			return fmt.Errorf("keep the run: %w", err)
		}
		p.RunID = &of.RunID
		return nil
	})
}

// underWay empties what is only there while a run is calculated.
var underWay = []string{`DELETE FROM run_sales WHERE run_id = $1`, `DELETE FROM run_measured WHERE run_id = $1`, `DELETE FROM run_shard WHERE run_id = $1`}

// DropRun removes what was written down of a run that will never be whole.
func (s *Store) DropRun(ctx context.Context, runID int64) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		for _, sql := range append([]string{
			`DELETE FROM contribution c USING line l JOIN statement st ON st.id = l.statement_id WHERE c.line_id = l.id AND st.run_id = $1`,
			`DELETE FROM line l USING statement st WHERE st.id = l.statement_id AND st.run_id = $1`,
			`DELETE FROM statement WHERE run_id = $1`,
		}, underWay...) {
			if _, err := tx.Exec(ctx, sql, runID); err != nil {
				return fmt.Errorf("remove what there is of run %d: %w", runID, err)
			}
		}
		return nil
	})
}

func digestsOf(statements []incentive.Statement) []incentive.Digest {
	digests := make([]incentive.Digest, len(statements))
	for i, statement := range statements {
		digests[i] = statement.Digest()
	}
	return digests
}

package store_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// calculateInShards writes down the run over a snapshot in so many shards, one after another
// from the last to the first, each of them twice, and makes it whole.
func calculateInShards(t require.TestingT, b *testing.T, s *store.Store, p store.PeriodRevision, shards int, key string) store.PeriodRevision {
	ctx := b.Context()
	begun, err := s.DivideRun(ctx, *p.SnapshotID, shards)
	require.NoError(t, err)
	begun.Contests = true
	command := store.PeriodCommand{PeriodID: p.ID, Revision: p.Revision, Act: incentive.Calculate, Actor: store.System, Key: key}
	if shards > 1 {
		_, err = s.FinishRun(ctx, command, begun, *p.SnapshotID, calculation.EngineVersion)
		require.ErrorContains(t, err, "0 of", "it is not whole")
	}
	for range 2 {
		for shard := shards - 1; shard >= 0; shard-- {
			require.NoError(t, s.MeasureShard(ctx, begun, *p.SnapshotID, shard))
		}
	}
	for range 2 {
		for shard := shards - 1; shard >= 0; shard-- {
			require.NoError(t, s.CalculateShard(ctx, begun, *p.SnapshotID, shard))
		}
	}
	done, err := s.FinishRun(ctx, command, begun, *p.SnapshotID, calculation.EngineVersion)
	require.NoError(t, err)
	return done
}

// TestShardsGiveTheSame holds for any company: in one shard or in as many as there are
// people, a run has the same statements, and the digest that calculating it as a whole gives.
func TestShardsGiveTheSame(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	company(t, s)
	tried := 0
	rapid.Check(t, func(r *rapid.T) {
		tried++
		c := &changing{t: t, s: s, prefix: fmt.Sprintf("c%d-", tried), calendar: fmt.Sprintf("calendar%d", tried)}
		c.begin(r)
		defer storetest.Exec(t, url, fmt.Sprintf(`UPDATE guerdon.period_revision SET state = 'cancelled' WHERE period_id = '%s-1'`, c.calendar))
		for range rapid.IntRange(3, 12).Draw(r, "changes") {
			c.change(r)
		}
		ctx, id := t.Context(), c.calendar+"-1"
		p, err := s.LockPeriod(ctx, store.PeriodCommand{PeriodID: id, Revision: 1, Act: incentive.Lock, Actor: "fin", Key: "lock"})
		require.NoError(r, err)
		snapshot, digest, err := s.Snapshot(ctx, *p.SnapshotID)
		require.NoError(r, err)
		whole, err := calculation.Run(ctx, snapshot)
		require.NoError(r, err)
		var digests []incentive.Digest
		for _, statement := range whole.Statements {
			digests = append(digests, statement.Digest())
		}
		want := incentive.RunDigest(incentive.Digest(digest), calculation.EngineVersion, digests)
		for _, shards := range []int{1, 2, 7, 16} {
			all, err := calculation.Shards(snapshot, shards)
			require.NoError(r, err)
			p = calculateInShards(r, t, s, p, len(all), fmt.Sprint("calculate in ", shards))
			run, err := s.Run(ctx, *p.RunID)
			require.NoError(r, err)
			require.Equal(r, fmt.Sprintf("%x", want[:]), fmt.Sprintf("%x", run.Digest), "%d shards", shards)
			runs, err := s.Runs(ctx, id, 1)
			require.NoError(r, err)
			require.Equal(r, len(whole.Statements), runs[len(runs)-1].Statements)
			stored, err := s.RunStatements(ctx, run.ID)
			require.NoError(r, err)
			require.Len(r, stored, len(whole.Statements))
			for i := range stored {
				require.Equal(r, digests[i], stored[i].Digest(), "of %s", stored[i].ParticipantID)
			}
			storetest.Exec(t, url, fmt.Sprintf(`UPDATE guerdon.period_revision SET state = 'locked' WHERE period_id = '%s'`, id))
		}
	})
}

// TestDroppedRun removes what is written down of a run that will not be whole, and of no other.
func TestDroppedRun(t *testing.T) {
	t.Parallel()
	s, url := storetest.NewWithURL(t)
	b := booksIn(t, s)
	b.deal("d1", "2026-01-05", "1000")
	b.open(monthOf(1))
	p, err := b.LockPeriod(t.Context(), b.command(monthOf(1), incentive.Lock))
	require.NoError(t, err)
	begun, err := b.DivideRun(t.Context(), *p.SnapshotID, 1)
	require.NoError(t, err)
	require.NoError(t, b.CalculateShard(t.Context(), begun, *p.SnapshotID, 0))
	runs, err := b.Runs(t.Context(), p.ID, p.Revision)
	require.NoError(t, err)
	require.Empty(t, runs, "nobody sees it")
	require.NoError(t, b.DropRun(t.Context(), begun.RunID))
	done := calculateInShards(t, t, s, p, 1, "again")
	require.Equal(t, "100.00", b.total(monthOf(1)))
	require.Error(t, b.DropRun(t.Context(), *done.RunID), "it is a result")
	require.ErrorContains(t, storetest.TryExec(t.Context(), url, `DELETE FROM guerdon.contribution`), "append-only")
	b.proved(monthOf(1))
}

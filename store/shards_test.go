package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// calculateInShards writes down the run over a snapshot in so many shards, one after another
// from the last to the first, one of them twice, and makes it whole.
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
	for _, phase := range []func(context.Context, store.Sharding, int64, int) error{s.MeasureShard, s.CalculateShard} {
		for shard := shards - 1; shard >= 0; shard-- {
			require.NoError(t, phase(ctx, begun, *p.SnapshotID, shard))
		}
		require.NoError(t, phase(ctx, begun, *p.SnapshotID, shards/2))
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
		for _, shards := range []int{1, rapid.IntRange(2, 16).Draw(r, "shards")} {
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

// arriving is the facts of a company as they arrive, @ standing for what its names begin with.
type arriving struct {
	kind    string
	records []map[string]any
}

// anyFacts draws a company on plans that people may be on whose transactions are all credited.
func anyFacts(r *rapid.T, plans []string) []arriving {
	who, amount := rapid.IntRange(0, everybody-1), rapid.IntRange(-50, 400)
	period := map[string]any{"id": "@c-1", "calendar_id": "@c", "code": "1", "starts_on": "2026-02-01", "ends_on": "2026-02-28"}
	var people, assignments, quotas, reliefs, deals, credits []map[string]any
	for n := range everybody {
		id := fmt.Sprintf("@p%d", n)
		record := participant(id, "")
		if n > 0 {
			record["manager_id"] = fmt.Sprintf("@p%d", rapid.IntRange(0, n-1).Draw(r, "manager"))
		}
		people = append(people, record)
		assignments = append(assignments, map[string]any{"participant_id": id, "plan_id": rapid.SampledFrom(plans).Draw(r, "plan"), "calendar_id": "@c", "starts_on": "2026-01-01"})
		quotas = append(quotas, map[string]any{"participant_id": id, "measure": "sales", "starts_on": "2026-02-01", "ends_on": "2026-02-28", "amount": fmt.Sprint(amount.Draw(r, "quota") + 51)})
		if rapid.Bool().Draw(r, "relieved") {
			reliefs = append(reliefs, map[string]any{"participant_id": id, "measure": "sales", "starts_on": days.Draw(r, "from"), "ends_on": "2026-04-30", "cause": "leave", "share": fmt.Sprintf("0.%02d", rapid.IntRange(1, 99).Draw(r, "share"))})
		}
	}
	for n := range rapid.IntRange(1, 12).Draw(r, "deals") {
		id := fmt.Sprintf("@%02d", n)
		deals = append(deals, map[string]any{"source": "crm", "transaction_id": id, "date": days.Draw(r, "on"), "amount": fmt.Sprint(amount.Draw(r, "amount")), "currency": "USD", "attributes": map[string]string{}})
		first := who.Draw(r, "whose")
		for other, share := range map[int]string{0: "0.65", 1 + rapid.IntRange(0, everybody-2).Draw(r, "whose too"): "0.35"} {
			credits = append(credits, map[string]any{"source": "crm", "transaction_id": id, "participant_id": fmt.Sprintf("@p%d", (first+other)%everybody), "role": "owner", "share": share})
		}
	}
	slices.SortFunc(credits, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["transaction_id"], a["participant_id"]), fmt.Sprint(b["transaction_id"], b["participant_id"]))
	})
	return []arriving{{"participant", people}, {"period", []map[string]any{period}}, {"assignment", assignments}, {"quota", quotas}, {"quota_relief", reliefs}, {"transaction", deals}, {"credit", credits}}
}

// revised has facts come in another order, and some of them wrong at first: what corrects them
// comes once everything else is there, in any order.
func revised(r *rapid.T, facts []arriving) (all []arriving) {
	var corrections []arriving
	for i, some := range facts {
		if i < 2 { // nobody comes before their manager
			all = append(all, some)
			continue
		}
		var first, later []map[string]any
		for _, record := range rapid.Permutation(some.records).Draw(r, some.kind) {
			wrong := maps.Clone(record)
			switch {
			case some.kind == "assignment" || !rapid.Bool().Draw(r, "wrong at first"):
				first = append(first, record)
				continue
			case some.kind == "transaction":
				wrong["date"] = rapid.SampledFrom([]string{"2026-01-31", "2026-02-11", "2026-03-01"}).Draw(r, "wrong day")
				wrong["amount"] = "77"
			case some.kind == "quota":
				wrong["amount"] = "7"
			default:
				wrong["share"] = rapid.SampledFrom([]string{"0", "0.5", "1"}).Draw(r, "wrong share")
			}
			first, later = append(first, wrong), append(later, record)
		}
		all = append(all, arriving{some.kind, first})
		corrections = append(corrections, arriving{some.kind, rapid.Permutation(later).Draw(r, "corrections of "+some.kind)})
	}
	return append(all, rapid.Permutation(corrections).Draw(r, "corrections")...)
}

// arrive loads facts in the order in which they come, at most so many at a time, and locks the
// period.
func arrive(t *testing.T, s *store.Store, prefix string, atOnce int, facts []arriving) store.PeriodRevision {
	for _, some := range facts {
		for records := range slices.Chunk(some.records, atOnce) {
			named := make([]map[string]any, len(records))
			for i, record := range records {
				named[i] = maps.Clone(record)
				for field, value := range record {
					if text, is := value.(string); is {
						named[i][field] = strings.ReplaceAll(text, "@", prefix)
					}
				}
			}
			require.Zero(t, load(t, s, some.kind, named...).Quarantined)
		}
	}
	_, err := s.OpenPeriod(t.Context(), "fin", prefix+"c-1")
	require.NoError(t, err)
	p, err := s.LockPeriod(t.Context(), store.PeriodCommand{PeriodID: prefix + "c-1", Revision: 1, Act: incentive.Lock, Actor: "fin", Key: "lock"})
	require.NoError(t, err)
	return p
}

// TestPayDoesNotDependOnHowFactsCome holds for any company: in whatever order its facts and what
// corrects them come, in one import or in many, and calculated as a whole or in shards, its statements are the same to the byte.
func TestPayDoesNotDependOnHowFactsCome(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	company(t, s)
	var plans []string
	for n, document := range changingPlans {
		if strings.Contains(document, "credits: [") {
			continue // it would credit what another company leaves open
		}
		id := fmt.Sprint("plan", n)
		_, err := s.PutPlan(t.Context(), "fin", id, incentive.MustParseDate("2026-01-01"), []byte("language: 1\nplan: "+id+"\nname: "+id+"\ncurrency: USD\n"+document+"\n"))
		require.NoError(t, err)
		plans = append(plans, id)
	}
	tried := 0
	rapid.Check(t, func(r *rapid.T) {
		tried++
		facts := anyFacts(r, plans)
		said := func(prefix string, statements []incentive.Statement) string {
			data, err := json.MarshalIndent(statements, "", " ")
			require.NoError(r, err)
			return strings.ReplaceAll(string(data), prefix, "@")
		}
		one := fmt.Sprintf("a%05d-", tried)
		p := calculateInShards(r, t, s, arrive(t, s, one, 1000, facts), 1, "calculate")
		whole, err := s.RunStatements(t.Context(), *p.RunID)
		require.NoError(r, err)
		require.NotEmpty(r, whole)

		other := fmt.Sprintf("b%05d-", tried)
		p = arrive(t, s, other, rapid.SampledFrom([]int{3, 8, 1000}).Draw(r, "at once"), revised(r, facts))
		snapshot, _, err := s.Snapshot(t.Context(), *p.SnapshotID)
		require.NoError(r, err)
		shards, err := calculation.Shards(snapshot, rapid.IntRange(1, 9).Draw(r, "shards"))
		require.NoError(r, err)
		p = calculateInShards(r, t, s, p, len(shards), "calculate")
		stored, err := s.RunStatements(t.Context(), *p.RunID)
		require.NoError(r, err)
		require.Equal(r, said(one, whole), said(other, stored))
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

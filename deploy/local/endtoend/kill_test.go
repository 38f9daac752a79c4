package endtoend

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/stripe"
	"github.com/guerdon/guerdon/payments/stripe/standin"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/worker"
)

// TestKilledInMidDisbursement kills everything but the bank, again and again, while 500
// payouts are made.
func TestKilledInMidDisbursement(t *testing.T) {
	t.Parallel()
	const reps = 500
	s := build(t)
	s.company(reps, stripe.Name, func(id string) map[string]string { return map[string]string{"account": "acct_" + id} })
	s.release(reps)
	for _, paid := range []int{60, 200, 350} {
		require.Eventually(t, func() bool { return len(s.bank.Report()) >= paid }, time.Minute, 5*time.Millisecond, "%d payouts should be made", paid)
		for _, name := range slices.Backward(processes.All) {
			s.kill(name)
		}
		for _, name := range processes.All {
			s.start(name)
		}
	}
	s.closed(reps)
	once(t, s.bank, reps)
}

// once checks that the bank has paid everybody exactly once.
func once(t *testing.T, bank *standin.Running, reps int) {
	t.Helper()
	paid := map[string]bool{}
	for _, group := range bank.Report() {
		require.Len(t, group.Transfers, 1, "attempt %s was paid more than once", group.TransferGroup)
		account := group.Transfers[0].Destination
		require.False(t, paid[account], "%s was paid more than once", account)
		paid[account] = true
	}
	require.Len(t, paid, reps, "everybody is paid")
}

// inTeam is how many reps each period of TestKilledAtAnyMoment pays.
const inTeam = 6

// point is a place inside a step of a period: a row that is about to be written. %s in
// where stands for the period's id.
type point struct {
	table string // with its schema
	event string // INSERT or UPDATE
	where string // over NEW
	rows  int    // how many such rows there are
}

// steps are the steps of a period with places inside each. Every step ends where it is
// done in the database and Temporal is about to be told.
var steps = []struct {
	name   string
	points []point
}{
	{"lock", []point{
		act("lock"), chained("lock"), {"guerdon.snapshot", "INSERT", "NEW.period_id = '%s'", 1}, {"guerdon.snapshot_record", "INSERT", "true", 4 * inTeam}, moved("locked"), told("lock"), answered("lock"),
	}},
	{"calculate", []point{
		act("calculate"), chained("calculate"), {"guerdon.run", "INSERT", "true", 1}, {"guerdon.statement", "INSERT", "true", inTeam}, {"guerdon.line", "INSERT", "true", inTeam},
		{"guerdon.contribution", "INSERT", "true", inTeam}, moved("calculated"), told("calculate"),
	}},
	{"publish", []point{act("publish"), chained("publish"), moved("published"), told("publish"), answered("publish")}},
	{"approve", []point{
		act("end-window"), {"guerdon.approval", "INSERT", "NEW.period_id = '%s'", inTeam}, {"guerdon.decision_set", "INSERT", "NEW.period_id = '%s'", 1}, {"guerdon.decision_set_item", "INSERT", "true", inTeam},
		{"guerdon.approval", "UPDATE", "NEW.period_id = '%s'", inTeam}, {"guerdon.audit_event", "INSERT", "NEW.act = 'approved'", 1}, act("approve-last"), entered("approve"),
		{"guerdon.payout", "INSERT", "NEW.period_id = '%s'", inTeam}, chained("plan-payouts"), moved("approved"), told("end-window"), told("approve-last"), answered("end-window"),
		{"temporal.history_node", "INSERT", "EXISTS (SELECT FROM guerdon.approval WHERE period_id = '%s' AND decision IS NOT NULL)", 1},
	}},
	{"disburse", []point{
		act("release"), act("disburse"), {"guerdon.payout_attempt", "INSERT", "true", inTeam}, {"guerdon.payout_attempt", "UPDATE", "NEW.state = 'confirmed'", inTeam},
		entered("submit"), entered("paid"), {"guerdon.payout", "UPDATE", "NEW.state = 'paid'", inTeam}, act("disburse-last"), told("release"), told("disburse"), told("disburse-last"),
		{"temporal.history_node", "INSERT", "EXISTS (SELECT FROM guerdon.payout WHERE period_id = '%s' AND state = 'paid')", 3},
	}},
	{"close", []point{act("close"), chained("close"), moved("closed"), told("close"), answered("close")}},
	{"archive", []point{
		{"guerdon.archived_history", "INSERT", "NEW.period_id = '%s'", 4}, {"guerdon.audit_event", "INSERT", "NEW.subject = 'archive/%s/1'", 1},
		{"temporal.history_node", "INSERT", "EXISTS (SELECT FROM guerdon.archived_history WHERE period_id = '%s')", 1},
		{"temporal.history_node", "INSERT", "EXISTS (SELECT FROM guerdon.audit_event WHERE subject = 'archive/%s/1')", 1},
	}},
}

func act(act incentive.Act) point {
	return point{"guerdon.period_act", "INSERT", "NEW.period_id = '%s' AND NEW.act = '" + string(act) + "'", 1}
}

func chained(act string) point {
	return point{"guerdon.audit_event", "INSERT", "NEW.subject = 'pay-period/%s/1' AND NEW.act = '" + act + "'", 1}
}

func moved(to incentive.State) point {
	return point{"guerdon.period_revision", "UPDATE", "NEW.period_id = '%s' AND OLD.state <> NEW.state AND NEW.state = '" + string(to) + "'", 1}
}

func entered(kind string) point {
	return point{"guerdon.journal_entry", "INSERT", "NEW.period_id = '%s' AND NEW.kind = '" + kind + "'", inTeam}
}

const done = "EXISTS (SELECT FROM guerdon.period_act WHERE period_id = '%%s' AND act = '%s')"

// told is where an act is done and Temporal is about to write that down.
func told(act incentive.Act) point {
	return point{"temporal.history_node", "INSERT", fmt.Sprintf(done, act), 1}
}

// answered is where an act is done and the API is about to keep its answer.
func answered(act incentive.Act) point {
	return point{"guerdon.command", "UPDATE", "NEW.status IS NOT NULL AND " + fmt.Sprintf(done, act), 1}
}

// TestKilledAtAnyMoment kills each process with SIGKILL inside each step of a period, at
// a place that a seed picks (GUERDON_SEED gives it back): exactly when the row named
// there is about to be written. People repeat what was not answered, with the same key.
// Everything must end as it does when nothing is killed.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("GUERDON_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("GUERDON_SEED=%d", seed)
	var houses sync.WaitGroup
	defer houses.Wait()
	for _, name := range processes.All {
		houses.Go(func() { t.Run(name, func(t *testing.T) { killInEachStep(t, name, seed) }) }) // they mostly wait
	}
}

func killInEachStep(t *testing.T, name string, seed uint64) {
	s := build(t)
	names := []string{"CALM"}
	for _, step := range steps {
		names = append(names, team(step.name))
	}
	s.teams(names)
	began := time.Now()
	require.NoError(t, s.drive(t.Context(), "CALM"))
	want := s.ending("CALM")
	require.Equal(t, map[string]int{"pay-period": 1, "approval": 1, "disburse": 1, "disburse batch": 1}, want.Histories)
	t.Logf("nothing is killed: %.1f s", time.Since(began).Seconds())
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			s.t = t
			hash := fnv.New64()
			fmt.Fprint(hash, name, step.name)
			dice := rand.New(rand.NewPCG(seed, hash.Sum64()))
			at := step.points[dice.IntN(len(step.points))]
			row := 1 + dice.IntN(at.rows)
			early := dice.IntN(2) == 0 || at.table == "temporal.history_node" // a new Temporal waits for the lock of the old one
			began := time.Now()
			gate := s.shut(team(step.name), at, row)
			driven := make(chan error, 1)
			go func() { driven <- s.drive(t.Context(), team(step.name)) }()
			reached, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, gate.Reached(reached), "the period should come to the gate: %s %d of %s where %s", at.event, row, at.table, at.where)
			t.Logf("%s is killed before %s %d of %s where %s", name, at.event, row, at.table, at.where)
			s.kill(name)
			if early || name == processes.Postgres {
				gate.Open()
			}
			s.start(name)
			gate.Open()
			require.NoError(t, <-driven)
			require.Equal(t, want, s.ending(team(step.name)))
			t.Logf("closed and archived after %.1f s", time.Since(began).Seconds())
		})
	}
}

// team is who is paid by the period in which something is killed inside a step.
func team(step string) string { return strings.ToUpper(step) }

func (s *site) idOf(team string) string { return team + "-2026-10" }

// teams fills the house with teams that are paid by calendars of their own.
func (s *site) teams(names []string) {
	s.t.Helper()
	ctx := s.t.Context()
	require.NoError(s.t, s.store.SetCompany(ctx, store.System, "Test", "Asia/Jakarta"))
	var people, periods, deals, credits, assignments []map[string]any
	person := func(id, manager string) {
		row := map[string]any{"participant_id": id, "effective_from": "2026-01-01", "name": "Name " + id, "email": id + "@example.com", "kind": "contractor",
			"country": "DE", "pay_currency": "USD", "attributes": map[string]string{"commission_rate": "0.1"}}
		if manager != "" {
			row["manager_id"] = manager
		}
		people = append(people, row)
	}
	person("fin1", "")
	person("fin2", "")
	for _, team := range names {
		person("boss-"+team, "")
		periods = append(periods, map[string]any{"id": s.idOf(team), "calendar_id": team, "code": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"})
		for n := range inTeam {
			id := fmt.Sprintf("%s%d", team, n+1)
			person(id, "boss-"+team)
			deals = append(deals, map[string]any{"source": "crm", "transaction_id": id, "date": "2026-10-05", "amount": fmt.Sprintf("%d.1", (n+1)*10), "currency": "USD", "attributes": map[string]string{}})
			credits = append(credits, map[string]any{"source": "crm", "transaction_id": id, "participant_id": id, "role": "owner", "share": "1"})
			assignments = append(assignments, map[string]any{"participant_id": id, "plan_id": "simple", "calendar_id": team, "starts_on": "2026-01-01"})
		}
	}
	s.loadAs("fin1", "participant", people...)
	s.loadAs("fin1", "period", periods...)
	s.loadAs("fin1", "transaction", deals...)
	s.loadAs("fin1", "credit", credits...)
	s.loadAs("fin1", "assignment", assignments...)
	_, err := s.store.PutPlan(ctx, "fin1", "simple", incentive.MustParseDate("2026-01-01"), []byte(plan))
	require.NoError(s.t, err)
	for _, a := range assignments {
		id := a["participant_id"].(string)
		_, err := s.store.SetDestination(ctx, id, store.Destination{ParticipantID: id, Rail: stripe.Name, Masked: "…", Details: map[string]string{"account": "acct_" + id}})
		require.NoError(s.t, err)
	}
	for _, id := range []string{"fin1", "fin2"} {
		require.NoError(s.t, s.store.Grant(ctx, "fin1", id, []incentive.Role{incentive.Finance}))
	}
	for _, team := range names {
		require.NoError(s.t, s.store.Grant(ctx, "fin1", "boss-"+team, []incentive.Role{incentive.Manager}))
	}
}

// ask repeats a request until it is answered.
func ask[T any](ctx context.Context, call func(key string) (*http.Response, error)) (T, error) {
	return processes.Ask(ctx, func(key string) (T, error) { return client.Read[T](call(key)) })
}

// drive takes a team's period from open to archived, through the API alone.
func (s *site) drive(ctx context.Context, team string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	period := s.idOf(team)
	people := map[string]*client.Client{}
	for _, id := range []string{"fin1", "fin2", "boss-" + team} {
		token, err := s.store.NewToken(ctx, "fin1", id, "test", time.Hour)
		if err != nil {
			return err
		}
		if people[id], err = client.New(s.url, token); err != nil {
			return err
		}
	}
	act := func(act client.ActRequestAct) error {
		_, err := ask[client.ActAnswer](ctx, func(key string) (*http.Response, error) {
			return people["fin1"].ActOnPeriod(ctx, period, &client.ActOnPeriodParams{IdempotencyKey: key}, client.ActOnPeriodJSONRequestBody{Act: act})
		})
		if err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
		return nil
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	await := func(state incentive.State) error {
		for ; ; <-tick.C {
			p, err := ask[client.Period](ctx, func(string) (*http.Response, error) {
				return people["fin1"].GetPeriod(ctx, period, &client.GetPeriodParams{})
			})
			if err != nil {
				return fmt.Errorf("the period should be %s, and is %s: %w", state, p.State, err)
			}
			if p.State == string(state) {
				return nil
			}
		}
	}
	steps := []func() error{
		func() error {
			_, err := ask[client.Period](ctx, func(key string) (*http.Response, error) {
				return people["fin1"].OpenPeriod(ctx, period, &client.OpenPeriodParams{IdempotencyKey: key})
			})
			return err
		},
		func() error { return act(client.ActRequestActLock) },
		func() error { return await(incentive.Calculated) },
		func() error { return act(client.ActRequestActPublish) },
		func() error { return act(client.ActRequestActEndWindow) },
		func() error {
			d, err := ask[client.DecisionAnswer](ctx, func(key string) (*http.Response, error) {
				return people["boss-"+team].Decide(ctx, period, &client.DecideParams{IdempotencyKey: key}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved})
			})
			if err == nil && (d != client.DecisionAnswer{Applied: inTeam}) {
				err = fmt.Errorf("the decision is answered by %+v", d)
			}
			return err
		},
		func() error { return await(incentive.Approved) },
		func() error {
			list, err := ask[client.PayoutList](ctx, func(string) (*http.Response, error) {
				return people["fin2"].GetPayoutList(ctx, period, &client.GetPayoutListParams{})
			})
			if err != nil {
				return err
			}
			_, err = ask[client.ActAnswer](ctx, func(key string) (*http.Response, error) {
				return people["fin2"].ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: key}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest})
			})
			return err
		},
		func() error { return await(incentive.Settling) },
		func() error { return act(client.ActRequestActClose) },
		func() error {
			for ; ctx.Err() == nil; <-tick.C {
				if replayed, err := worker.Replay(ctx, s.store, period, 1); err == nil && replayed.Histories > 0 || incentive.ErrorCode(err) != incentive.CodeInternal && err != nil {
					return err
				}
			}
			return fmt.Errorf("the period is not archived: %w", ctx.Err())
		},
	}
	for n, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d of %s: %w", n+1, team, err)
		}
	}
	return nil
}

// ending is all that a period leaves, with its team's name taken out.
type ending struct {
	Acts       []string
	Chain      []string // acts on the period and its archive, from the audit chain
	Statements int
	Approvals  []string
	Payouts    []string
	Ledger     []store.Balance
	Bank       map[string]int64
	Histories  map[string]int
}

// ending reads what a period has left, and proves it.
func (s *site) ending(team string) ending {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	period := s.idOf(team)
	proof, err := activities.Verify(ctx, s.store, period, 1)
	require.NoError(t, err)
	require.Equal(t, incentive.Closed, proof.State)
	e := ending{Statements: proof.Statements, Bank: map[string]int64{}, Histories: map[string]int{}}
	acts, err := s.store.PeriodActs(ctx, period, 1)
	require.NoError(t, err)
	for _, a := range acts {
		e.Acts = append(e.Acts, fmt.Sprint(a.From, " ", a.Act, " ", a.To))
	}
	for _, subject := range []string{incentive.PeriodSubject(period, 1), "archive/" + period + "/1"} {
		events, err := s.store.AuditEvents(ctx, subject, 0, 1000)
		require.NoError(t, err)
		for _, event := range events {
			e.Chain = append(e.Chain, event.Actor+" "+event.Act)
		}
	}
	connection, err := pgx.Connect(ctx, s.databaseURL)
	require.NoError(t, err)
	defer connection.Close(ctx)
	list := func(sql string) []string {
		rows, err := connection.Query(ctx, sql, period)
		require.NoError(t, err)
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		for i := range found {
			found[i] = strings.ReplaceAll(found[i], team, "team")
		}
		return found
	}
	e.Approvals = list(`SELECT concat_ws(' ', participant_id, level, approver_id, decision, decided_by) FROM guerdon.approval WHERE period_id = $1 ORDER BY participant_id, level`)
	e.Payouts = list(`
		SELECT concat_ws(' ', participant_id, amount_minor, currency, rail, o.state, reason, (SELECT string_agg(a.number || ' ' || a.state, ', ') FROM guerdon.payout_attempt a WHERE a.payout_id = o.id))
		FROM guerdon.payout o WHERE period_id = $1 ORDER BY participant_id`)
	for _, kind := range list(`SELECT split_part(workflow_id, '/', 1) || CASE WHEN workflow_id ~ '^disburse/.*/.*/.*/' THEN ' batch' ELSE '' END FROM guerdon.archived_history WHERE period_id = $1`) {
		e.Histories[kind]++
	}
	if e.Ledger, err = s.store.Balances(ctx, period, 1); err == nil {
		e.Ledger = slices.DeleteFunc(e.Ledger, func(b store.Balance) bool { return b.Minor == 0 })
	}
	require.NoError(t, err)
	paid := int64(0)
	for _, group := range s.bank.Report() {
		for _, transfer := range group.Transfers {
			if rep, ours := strings.CutPrefix(transfer.Destination, "acct_"+team); ours {
				require.NotContains(t, e.Bank, rep, "paid twice")
				e.Bank[rep] = transfer.Amount
				paid += transfer.Amount
			}
		}
	}
	require.Len(t, e.Bank, inTeam, "%v are paid", slices.Sorted(maps.Keys(e.Bank)))
	for _, b := range e.Ledger {
		if b.Kind == store.Cash {
			require.Equal(t, -paid, b.Minor, "the ledger and the bank tell the same story")
		}
	}
	return e
}

// shut makes a team's period stop at a point, once, before a row.
func (s *site) shut(team string, at point, row int) *processes.Gate {
	s.t.Helper()
	where := at.where
	if strings.Contains(where, "%s") {
		where = fmt.Sprintf(where, s.idOf(team))
	}
	g, err := s.Shut(s.t.Context(), processes.Point{Table: at.table, Event: at.event, Where: where}, row)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, g.Remove(context.Background())) })
	return g
}

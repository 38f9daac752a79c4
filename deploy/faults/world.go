package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/deploy/local/processes"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// world is a house with all that is outside of it.
type world struct {
	house   *processes.House
	rails   map[string]*outside
	post    *postOffice
	bank    *fileBank
	limit   time.Duration
	people  map[string]*client.Client
	working context.CancelFunc // what rails do in time
	log     *logbook           // of the cycle under way
}

// pace is how much shorter than in production the waits of a house are.
const pace = 10

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func written(p plan) string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // plans are texts and numbers
	}
	return string(text)
}

// build opens the rails, and builds a house with a company that pays by all of them.
func build(ctx context.Context, o options) (w *world, err error) {
	w = &world{post: openPostOffice(), bank: openBank(), limit: o.Limit, people: map[string]*client.Client{}, log: &logbook{}}
	defer func() {
		if err != nil {
			w.leave()
		}
	}()
	if w.rails, err = openOutside(w.post.server.URL + "/"); err != nil {
		return w, err
	}
	w.post.next("", w.rails)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.working = stop
	addresses := map[string]string{}
	for _, rail := range rails {
		if addresses[rail.name] = ""; rail.kind == called {
			addresses[rail.name] = w.rails[rail.name].wire.server.URL
			go w.rails[rail.name].work(working)
		}
	}
	if w.house, err = processes.Build(ctx, processes.Options{Rails: addresses, Pace: pace}); err != nil {
		return w, err
	}
	return w, w.staff(ctx)
}

// staff hires those who run periods, and makes the plans.
func (w *world) staff(ctx context.Context) error {
	s := w.house.Store
	if err := s.SetCompany(ctx, store.System, "Test", "UTC"); err != nil {
		return err
	}
	var people []map[string]any
	for _, id := range []string{"fin1", "fin2", "boss"} {
		people = append(people, person(id, "", "USD"))
	}
	if err := w.load(ctx, "participant", people...); err != nil {
		return err
	}
	for id, role := range map[string]incentive.Role{"fin1": incentive.Finance, "fin2": incentive.Finance, "boss": incentive.Manager} {
		if err := s.Grant(ctx, "fin1", id, []incentive.Role{role}); err != nil {
			return err
		}
	}
	planned := map[string]bool{}
	for _, rail := range rails {
		currency := string(rail.currency)
		name := "simple-" + strings.ToLower(currency)
		if planned[name] {
			continue
		}
		planned[name] = true
		document := fmt.Sprintf("language: 1\nplan: %s\nname: Simple commission\ncurrency: %s\ncomponents:\n  - name: commission\n    measure: {sum: credits}\n    rate: 1\n", name, currency)
		if _, err := s.PutPlan(ctx, "fin1", name, incentive.MustParseDate("2026-01-01"), []byte(document)); err != nil {
			return err
		}
	}
	for _, id := range []string{"fin1", "fin2", "boss"} {
		if err := w.signsIn(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) signsIn(ctx context.Context, id string) error {
	token, err := w.house.Store.NewToken(ctx, "fin1", id, "faults", 24*time.Hour)
	if err != nil {
		return err
	}
	w.people[id], err = client.New(w.house.URL, token)
	return err
}

func person(id, manager, currency string) map[string]any {
	row := map[string]any{"participant_id": id, "effective_from": "2026-01-01", "name": "Name " + id, "email": id + "@example.com", "kind": "contractor",
		"country": "DE", "pay_currency": currency, "attributes": map[string]string{}}
	if manager != "" {
		row["manager_id"] = manager
	}
	return row
}

func (w *world) load(ctx context.Context, kind string, records ...map[string]any) error {
	rows := make([]store.Row, len(records))
	for i, record := range records {
		rows[i] = store.Row{File: "faults", Line: i + 1, Key: "it", Record: record}
	}
	done, held, err := w.house.Store.Load(ctx, store.Import{Kind: kind, FileName: "faults", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "fin1"}, func(l *store.Loading) error {
		return l.Put(ctx, kind, rows)
	})
	if err == nil && (len(held) > 0 || done.Added != len(records)) {
		err = fmt.Errorf("%d of %d records of %s were taken: %+v", done.Added, len(records), kind, held)
	}
	return err
}

// hires brings the payees of a cycle in, each with a deal and somewhere to be paid.
func (w *world) hires(ctx context.Context, p plan) error {
	var people, deals, credits, assignments []map[string]any
	calendar := fmt.Sprintf("c%04d", p.Number)
	for _, one := range p.Payees {
		currency := string(one.Amount.Currency)
		who := person(one.ID, "boss", currency)
		if one.Reward != nil {
			who["country"] = "US" // where the shop has something
		}
		people = append(people, who)
		deals = append(deals, map[string]any{"source": "crm", "transaction_id": one.ID, "date": "2026-10-05", "amount": one.Amount.Amount(), "currency": currency, "attributes": map[string]string{}})
		credits = append(credits, map[string]any{"source": "crm", "transaction_id": one.ID, "participant_id": one.ID, "role": "owner", "share": "1"})
		assignments = append(assignments, map[string]any{"participant_id": one.ID, "plan_id": "simple-" + strings.ToLower(currency), "calendar_id": calendar, "starts_on": "2026-01-01"})
	}
	period := map[string]any{"id": periodOf(p.Number), "calendar_id": calendar, "code": "2026-10", "starts_on": "2026-10-01", "ends_on": "2026-10-31"}
	if err := errors.Join(w.load(ctx, "participant", people...), w.load(ctx, "period", period), w.load(ctx, "transaction", deals...), w.load(ctx, "credit", credits...), w.load(ctx, "assignment", assignments...)); err != nil {
		return err
	}
	for _, one := range p.Payees {
		to := store.Destination{ParticipantID: one.ID, Rail: one.Rail, Masked: "…", Details: destination(one)}
		if to.Try = one.Rail == processes.NACHATried; to.Try {
			to.Account = destination(one).Account()
		}
		if _, err := w.house.Store.SetDestination(ctx, one.ID, to); err != nil {
			return err
		}
		if rail := w.rails[one.Rail]; rail != nil && rail.letIn != nil {
			if err := rail.letIn(one); err != nil {
				return err
			}
		}
		if one.Reward == nil {
			continue
		}
		if err := w.house.Store.Grant(ctx, "fin1", one.ID, []incentive.Role{incentive.Rep}); err != nil {
			return err
		}
		if err := w.signsIn(ctx, one.ID); err != nil {
			return err
		}
	}
	return nil
}

// leave closes everything.
func (w *world) leave() {
	if w == nil {
		return
	}
	w.closeOutside()
	if w.house != nil {
		_ = w.house.Close() // what a killed process leaves is of no use
	}
}

func (w *world) closeOutside() {
	if w.working != nil {
		w.working()
	}
	for _, rail := range w.rails {
		rail.shut()
	}
	w.post.server.CloseClientConnections()
	w.post.server.Close()
}

// keep keeps what is left of a cycle that failed: the plan, the logbook, what each process
// has said and the database, Temporal's tables with it.
func (w *world) keep(o options, p plan, failed error) (at string, err error) {
	doing, held := w.activity()
	w.house.Confess()
	w.closeOutside()
	err = errors.Join(held, w.house.Stop())
	at = filepath.Join(o.Evidence, fmt.Sprintf("seed-%d-cycle-%d-%s", o.Seed, p.Number, time.Now().Format("150405")))
	err = cmp.Or(err, os.MkdirAll(at, 0o711))
	indented, _ := json.MarshalIndent(p, "", "  ")
	files := map[string]string{"plan.json": string(indented), "log.txt": w.log.String() + "\n" + failed.Error() + "\n", "activity.txt": doing}
	for _, name := range processes.All {
		files[strings.ToLower(name)+".txt"] = w.house.Said(name)
	}
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(at, name), []byte(text), 0o644))
	}
	return at, errors.Join(err, os.Rename(w.house.Directory, filepath.Join(at, "house")))
}

// activity says what PostgreSQL is doing for whom.
func (w *world) activity() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	lines, err := texts(ctx, w.house.DatabaseURL, `
		SELECT concat_ws(' ', pid, application_name, state, wait_event_type, wait_event, 'since', now() - xact_start, 'blocked by', pg_blocking_pids(pid), left(query, 200)) FROM pg_stat_activity WHERE datname IS NOT NULL ORDER BY pid`)
	return strings.Join(lines, "\n") + "\n", err
}

// compared has finance compare today's record of each rail with the rail's own: nothing may
// differ.
func (w *world) compared(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	today := incentive.DateOf(time.Now().UTC())
	for _, rail := range rails {
		if rail.kind == byFile {
			continue
		}
		found, err := processes.Ask(ctx, func(key string) (client.Reconciliation, error) {
			return client.Read[client.Reconciliation](w.people["fin1"].Reconcile(ctx, &client.ReconcileParams{IdempotencyKey: key}, client.ReconciliationRequest{Rail: rail.name, Day: today}))
		})
		if err != nil {
			return fmt.Errorf("compare %s: %w", rail.name, err)
		}
		if found.Differences > 0 {
			differences, err := w.house.Store.RailDifferences(ctx, found.Id, 0, 5)
			return fmt.Errorf("%s and our record differ in %d payments of today: %+v %w", rail.name, found.Differences, differences, err)
		}
	}
	return nil
}

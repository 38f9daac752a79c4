package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/api/web"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
)

//go:embed pages.sql
var pagesSQL string

// pages measures how long pages take: every page of the menu of somebody of each role, and
// what they open from there, while a period is in approval and once its payouts are planned.
type pages struct {
	People       int           `default:"20000" help:"How many participants, in five levels of twelve each."`
	Transactions int           `default:"1000000" help:"How many transactions, every fifth of them split."`
	Each         time.Duration `default:"2s" help:"How long each page is asked for."`
	AtOnce       uint64        `default:"2" help:"How many ask at once."`
	Only         string        `help:"Measure only the pages whose path has this in it."`
	Role         string        `help:"Measure only the pages of this role."`
	Company      string        `placeholder:"DIRECTORY" help:"Keep the company in this directory: it is made once, and what is measured is a copy of it."`
	Limit        time.Duration `help:"Fail where a page's 95th percentile is above this."`
}

// walks are what the people of each role open beside the pages of their menus.
func (o pages) walks() []walk {
	const period = "/periods/" + periodID
	leaf := fmt.Sprint("p", o.People-1)
	statement := period + "/statements/" + leaf
	return []walk{
		{"rep", leaf, []string{statement, "/account", "/notifications", "/disputes/new", "/plans/sales/versions/1"}},
		{"manager", fmt.Sprint("p", (o.People-2)/12), []string{period, period + "/statements", period + "/approvals", statement, "/delegations", "/team/" + leaf}},
		{"head of all", "p0", []string{period + "/statements", period + "/statements?sort=name", "/team?sort=name", "/team/" + leaf}},
		{"finance", "fin", []string{period, period + "/statements", period + "/statements?sort=name", period + "/statements?sort=-total", period + "/statements?search=" + leaf, statement,
			period + "/approvals?queue=finance", period + "/waiting", period + "/runs", period + "/changes", period + "/uncredited", period + "/payouts", period + "/payouts?sort=name", period + "/payouts?sort=-amount",
			period + "/release", period + "/files", period + "/rehearsal", "/people?sort=name", "/people?search=" + leaf, "/people/" + leaf, "/quotas?sort=name", "/delegations"}},
		{"administrator", "admin", []string{"/people?sort=-name", "/people/p0", "/hierarchy", "/quotas?sort=-amount", "/tour", "/plan-drafts", "/plans/sales/versions/1", "/calendars/monthly/policy"}},
		{"auditor", "aud", []string{period, period + "/proof", period + "/samples", "/audit?subject=pay-period/" + periodID + "/1", statement}},
	}
}

// walk is somebody with what they look at.
type walk struct {
	role, person string
	opens        []string
}

// Run measures, and prints a row for each page.
func (o *pages) Run(ctx context.Context, say func(line string)) (err error) {
	d, err := newDatabase(ctx, o.Company)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	began := time.Now()
	var people, transactions int
	if err := d.connection.QueryRow(ctx, `SELECT (SELECT count(*) FROM guerdon.assignment), (SELECT count(*) FROM guerdon.transaction)`).Scan(&people, &transactions); err != nil {
		return err
	}
	if people > 0 {
		o.People, o.Transactions = people, transactions
	} else if err := o.make(ctx, d.store, d.connection); err != nil {
		return err
	}
	if o.Company != "" {
		if err := d.copy(ctx); err != nil {
			return err
		}
	}
	say(fmt.Sprintf("%d participants, %d transactions, there in %s", o.People, o.Transactions, round(time.Since(began))))

	s, connection := d.store, d.connection
	database, err := backendsOf(ctx, connection)
	if err != nil {
		return err
	}
	house, err := open(s)
	if err != nil {
		return err
	}
	defer house.Close()
	var slow []string
	for _, stage := range []struct {
		name string
		to   func() error
	}{
		{"in approval", func() error { return nil }},
		{"payouts planned", func() error { return approve(ctx, s, connection) }},
	} {
		if err := stage.to(); err != nil {
			return err
		}
		say("")
		say("| " + stage.name + " | page | p50 | p95 | most | of processors | answers a second | kB |")
		say("|---|---|---|---|---|---|---|---|")
		for _, w := range o.walks() {
			if !strings.Contains(w.role, o.Role) {
				continue
			}
			over, err := o.walk(house.URL, w, database, say)
			if err != nil {
				return err
			}
			slow = append(slow, over...)
		}
	}
	if len(slow) > 0 {
		return fmt.Errorf("slower than %s: %s", o.Limit, strings.Join(slow, ", "))
	}
	return nil
}

// make makes the company, with a period in its approvals.
func (o *pages) make(ctx context.Context, s *store.Store, connection *pgx.Conn) error {
	if err := (company{o.People, o.Transactions}).seed(ctx, connection); err != nil {
		return err
	}
	took, err := calculate(ctx, s, 100_000)
	if err != nil {
		return err
	}
	return o.prepare(ctx, s, connection, took.runID)
}

// prepare takes the period from its run to its approvals, and writes what else pages show.
func (o *pages) prepare(ctx context.Context, s *store.Store, connection *pgx.Conn, run int64) error {
	if _, err := connection.PgConn().Exec(ctx, strings.ReplaceAll(pagesSQL, "@run", fmt.Sprint(run))).ReadAll(); err != nil {
		return fmt.Errorf("write what pages show: %w", err)
	}
	if _, err := s.Publish(ctx, store.PeriodCommand{PeriodID: periodID, Revision: 1, Act: incentive.Publish, Actor: "fin", Key: "publish"}, time.Now().Add(time.Hour)); err != nil {
		return err
	}
	if _, _, err := s.StartApproving(ctx, store.PeriodCommand{PeriodID: periodID, Revision: 1, Act: incentive.EndWindow, Actor: "fin", Key: "end-window"}); err != nil {
		return err
	}
	_, err := connection.Exec(ctx, `VACUUM ANALYZE`)
	return err
}

// approve approves every statement and plans the payouts.
func approve(ctx context.Context, s *store.Store, connection *pgx.Conn) error {
	if _, err := connection.Exec(ctx, `UPDATE guerdon.approval SET decision = 'approved', decided_by = coalesce(approver_id, 'fin'), decided_at = now()`); err != nil {
		return fmt.Errorf("approve every statement: %w", err)
	}
	if _, err := s.ApprovePeriod(ctx, store.PeriodCommand{PeriodID: periodID, Revision: 1, Act: incentive.ApproveLast, Actor: store.System, Key: "approve"}); err != nil {
		return err
	}
	_, err := connection.Exec(ctx, `VACUUM ANALYZE`)
	return err
}

// open serves the API and the pages of a company whose people say who they are.
func open(s *store.Store) (*httptest.Server, error) {
	rails, err := payments.NewRegistry(paymentfile.New("payment-file", "Benchmark"))
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	surface, err := api.New(api.Config{Store: s, Rails: rails, Log: log})
	if err != nil {
		return nil, err
	}
	const lifetime = 24 * time.Hour
	shown, err := web.New(web.Config{API: surface, Sessions: s, Rails: rails.Names, Log: log, SignIn: &web.PickAPerson{
		Lifetime: lifetime,
		Token:    func(ctx context.Context, id string) (string, error) { return s.NewSession(ctx, id, lifetime) },
		People:   func(context.Context) ([]client.Person, error) { return nil, nil },
	}})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", surface)
	mux.Handle("/", shown)
	return httptest.NewServer(mux), nil
}

var (
	menuOf = regexp.MustCompile(`(?s)class="menu".*?</nav>`)
	linkOf = regexp.MustCompile(`href="(/[^"#]*)"`)
)

// walk measures what somebody looks at, and returns what is too slow.
func (o *pages) walk(address string, w walk, database backends, say func(line string)) (slow []string, err error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar}
	answer, err := browser.PostForm(address+"/sign-in", url.Values{"person": {w.person}})
	if err != nil {
		return nil, err
	}
	home, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	var paths []string
	for _, link := range linkOf.FindAllStringSubmatch(menuOf.FindString(string(home)), -1) {
		paths = append(paths, link[1])
	}
	if len(paths) < 3 {
		return nil, fmt.Errorf("%s finds no menu", w.person)
	}
	base, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for _, cookie := range jar.Cookies(base) {
		header.Add("Cookie", cookie.String())
	}
	for _, path := range append(paths, w.opens...) {
		if !strings.Contains(path, o.Only) {
			continue
		}
		attacker := vegeta.NewAttacker(vegeta.Workers(o.AtOnce), vegeta.MaxWorkers(o.AtOnce), vegeta.Redirects(vegeta.NoFollow))
		var m vegeta.Metrics
		busy := begin(database)
		once := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: address + path, Header: header})
		for m.Requests == 0 { // a busy machine may let a short while pass before it asks at all
			for result := range attacker.Attack(once, vegeta.Rate{Per: time.Second}, o.Each, path) {
				m.Add(result)
			}
		}
		m.Close()
		took := busy.end()
		if m.Success < 1 {
			return nil, fmt.Errorf("%s at %s is answered %v %v", w.person, path, m.StatusCodes, m.Errors)
		}
		say(fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %.0f | %.0f |", w.role, path, tenths(m.Latencies.P50), tenths(m.Latencies.P95), tenths(m.Latencies.Max), tenths((took.own+took.database)/time.Duration(m.Requests)), m.Throughput, m.BytesIn.Mean/1000))
		if o.Limit > 0 && m.Latencies.P95 > o.Limit && !slices.Contains(slow, path) {
			slow = append(slow, path)
		}
	}
	return slow, nil
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

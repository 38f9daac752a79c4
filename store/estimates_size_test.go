package store_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// BenchmarkEstimatesOfOneDeal changes one deal after another in a large company. It waits each
// time until the estimates of whose deal it is and with whom it is split are kept ("own"), and
// then until those are of the managers above and of competitors ("above"). With a pool in the
// place of a SPIF it waits then for all who share it, which follow once a minute ("everybody").
// Whoever closed a deal may have a team of twelve whose deals their own estimate depends on
// ("own-with-team") or none ("own-alone").
func BenchmarkEstimatesOfOneDeal(b *testing.B) {
	people, deals := 20_000, 1_000_000
	if text := os.Getenv("GUERDON_DEALS"); text != "" {
		var err error
		deals, err = strconv.Atoi(text)
		require.NoError(b, err)
		people = max(100, deals/50)
	}
	competitors := 100
	if os.Getenv("GUERDON_COMPETITORS") == "all" {
		competitors = people
	}
	contest, pool := "ranking: {on: amount, prizes: [5000, 2500, 1000], ties: share}", os.Getenv("GUERDON_CONTEST") == "pool"
	if pool {
		contest = fmt.Sprintf("pool: {amount: %d}", 250*people)
	}
	s := largeCompany(b, people, deals, competitors, contest)
	began := time.Now()
	refresh(b, s, noon)
	b.Logf("all estimates of %d people with %d deals calculated in %s", people, deals, time.Since(began).Round(time.Second))
	took := map[string][]time.Duration{}
	until := func(at time.Time) time.Duration {
		began := time.Now()
		for done := false; !done; {
			var err error
			done, _, err = s.RefreshEstimates(b.Context(), at)
			require.NoError(b, err)
		}
		return time.Since(began)
	}
	for b.Loop() {
		changed := len(took["own"])
		n := changed*7919%deals + 1 // all over the company
		_, held, err := s.Load(b.Context(), store.Import{Kind: "transaction", FileName: "one", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "fin"}, func(l *store.Loading) error {
			return l.Put(b.Context(), "transaction", []store.Row{{File: "one", Line: 1, Key: "it", Record: map[string]any{"source": "crm", "transaction_id": fmt.Sprint("d", n),
				"date": "2026-01-10", "amount": fmt.Sprint(1000 + changed), "currency": "USD", "attributes": map[string]string{}}}})
		})
		require.NoError(b, err)
		require.Empty(b, held)
		own, whose := until(noon), "own-alone"
		if n%people*12+1 < people || n%5 == 0 && (n+1)%people*12+1 < people {
			whose = "own-with-team"
		}
		took["own"], took[whose] = append(took["own"], own), append(took[whose], own)
		took["above"] = append(took["above"], until(noon.Add(5*time.Second))+until(noon.Add(10*time.Second)))
		if pool {
			took["everybody"] = append(took["everybody"], until(noon.Add(2*time.Minute)))
		}
	}
	for name, took := range took {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/"+name+"-median")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/"+name+"-p99")
	}
}

// largeCompany has an open January: people in five levels of twelve each, deals of whom every
// fifth is split, on a plan of tiers with override, cap and draw, and so many of them in a contest. It is
// written past the store, as loading it is not what is measured.
func largeCompany(b *testing.B, people, deals, competitors int, contest string) *store.Store {
	b.Helper()
	s, url := storetest.NewWithURL(b)
	ctx := context.Background()
	require.NoError(b, s.SetCompany(ctx, store.System, "Large", "UTC"))
	plan := func(id, rest string) {
		_, err := s.PutPlan(ctx, "fin", id, incentive.MustParseDate("2026-01-01"), []byte("language: 1\nplan: "+id+"\nname: "+id+"\ncurrency: USD\n"+rest+"\n"))
		require.NoError(b, err)
	}
	storetest.Exec(b, url, fmt.Sprintf(`
		SET search_path = guerdon;
		SET session_replication_role = replica; -- no triggers: nothing is open yet
		INSERT INTO participant (id) SELECT 'fin' UNION ALL SELECT 'p' || n FROM generate_series(0, %[1]d - 1) n;
		INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes)
			SELECT 'p' || n, '2025-01-01', 1, 'Name of p' || n, 'p' || n || '@example.com', 'employee', CASE WHEN n > 0 THEN 'p' || (n - 1) / 12 END, 'US', 'USD', '{}' FROM generate_series(0, %[1]d - 1) n;
		INSERT INTO assignment (participant_id, plan_id, calendar_id, starts_on, version) SELECT 'p' || n, 'sales', 'monthly', '2026-01-01', 1 FROM generate_series(0, %[1]d - 1) n;
		INSERT INTO assignment (participant_id, plan_id, calendar_id, starts_on, version) SELECT 'p' || n, 'contest', 'monthly', '2026-01-01', 1 FROM generate_series(%[1]d - %[3]d, %[1]d - 1) n;
		INSERT INTO quota (participant_id, measure, starts_on, ends_on, version, amount) SELECT 'p' || n, 'bookings', '2026-01-01', '2026-01-31', 1, 50000 FROM generate_series(0, %[1]d - 1) n;
		INSERT INTO calendar (id) VALUES ('monthly');
		INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on) VALUES ('monthly-2026-01', 'monthly', '2026-01', '2026-01-01', '2026-01-31');
		INSERT INTO transaction (source, transaction_id, version, date, amount, currency, attributes)
			SELECT 'crm', 'd' || n, 1, '2026-01-01'::date + n %% 31, 500 + n %% 1000, 'USD', '{}' FROM generate_series(1, %[2]d) n;
		INSERT INTO credit (source, transaction_id, participant_id, role, version, share)
			SELECT 'crm', 'd' || n, 'p' || n %% %[1]d, 'owner', 1, CASE WHEN n %% 5 = 0 THEN 0.7 ELSE 1 END FROM generate_series(1, %[2]d) n
			UNION ALL SELECT 'crm', 'd' || n, 'p' || (n + 1) %% %[1]d, 'overlay', 1, 0.3 FROM generate_series(5, %[2]d, 5) n;
		ANALYZE`, people, deals, competitors))
	plan("sales", `components:
  - {name: commission, measure: {sum: credits}, rate_table: {on: attainment, quota: bookings, tiers: [{up_to: 100%, rate: 5%}, {rate: 8%}]}, cap: 100000}
  - {name: override, override: {level: 1}, measure: {sum: credits}, rate: 1%}
draw: {amount: 2000, kind: recoverable, recover_at_most: 500}`)
	plan("contest", "components: [{name: prize, measure: {sum: credits}, "+contest+"}]")
	_, err := s.OpenPeriod(ctx, "fin", "monthly-2026-01")
	require.NoError(b, err)
	return s
}

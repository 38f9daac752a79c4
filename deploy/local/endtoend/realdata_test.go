package endtoend

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
)

// shared is the folder of real data beside the repository.
func shared(t *testing.T) string {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "..", "shared", "data")
	if _, err := os.Stat(folder); os.IsNotExist(err) && os.Getenv("GUERDON_NO_SKIP") == "" {
		t.Skip("the folder of real data is not beside the repository")
	}
	return folder
}

// office is a house with its API and the people who use it.
type office struct {
	*house
	url string
}

// openOffice starts a house for a company with an administrator and three people of
// finance, which pays by a file.
func openOffice(t *testing.T) *office {
	t.Helper()
	return officeWith(t, paymentfile.New("payment-file", "Test company"))
}

func officeWith(t *testing.T, rail payments.Rail) *office {
	t.Helper()
	h := start(t, rail)
	rails, err := payments.NewRegistry(rail)
	require.NoError(t, err)
	surface, err := api.New(api.Config{Store: h.store, Client: h.client, Rails: rails, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	web := httptest.NewServer(surface)
	t.Cleanup(func() {
		web.Close()
		require.NoError(t, surface.Wait(context.Background()))
	})
	require.NoError(t, h.store.SetCompany(t.Context(), store.System, "Test company", "UTC"))
	var staff []map[string]any
	for _, id := range []string{"admin", "fin1", "fin2", "fin3"} {
		staff = append(staff, map[string]any{"participant_id": id, "effective_from": "1990-01-01", "name": id, "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	}
	h.loadAs("admin", "participant", staff...)
	require.NoError(t, h.store.Grant(t.Context(), "admin", "admin", []incentive.Role{incentive.Administrator}))
	for _, id := range []string{"fin1", "fin2", "fin3"} {
		require.NoError(t, h.store.Grant(t.Context(), "admin", id, []incentive.Role{incentive.Finance}))
	}
	return &office{h, web.URL}
}

// as is a client that somebody is signed in to.
func (o *office) as(id string) *client.Client {
	o.t.Helper()
	token, err := o.store.NewToken(o.t.Context(), "admin", id, "test", time.Hour)
	require.NoError(o.t, err)
	c, err := client.New(o.url, token)
	require.NoError(o.t, err)
	return c
}

// reads imports files of the shared folder through one of package mapping's examples.
func (o *office) reads(mapping string, files ...string) client.Import {
	o.t.Helper()
	document, err := os.ReadFile(filepath.Join("..", "..", "..", "incentive", "mapping", "testdata", mapping))
	require.NoError(o.t, err)
	return o.readsThrough(string(document), files...)
}

func (o *office) readsThrough(mapping string, files ...string) client.Import {
	o.t.Helper()
	var uploads []client.File
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(shared(o.t), name))
		require.NoError(o.t, err)
		uploads = append(uploads, client.File{Name: filepath.Base(name), Content: bytes.NewReader(data)})
	}
	done, err := o.as("admin").Import(o.t.Context(), client.NewKey(), []byte(mapping), uploads...)
	require.NoError(o.t, err)
	require.Empty(o.t, done.Rows)
	return done
}

func (o *office) plan(document string) {
	o.t.Helper()
	_, err := client.Read[client.Plan](o.as("admin").PutPlan(o.t.Context(), &client.PutPlanParams{IdempotencyKey: client.NewKey()},
		client.PutPlanJSONRequestBody{Document: document, EffectiveFrom: incentive.MustParseDate("1990-01-01")}))
	require.NoError(o.t, err)
}

// act does an act on a period as somebody.
func (o *office) act(id, period string, act client.ActRequestAct) error {
	_, err := client.Read[client.ActAnswer](o.as(id).ActOnPeriod(o.t.Context(), period, &client.ActOnPeriodParams{IdempotencyKey: client.NewKey()}, client.ActOnPeriodJSONRequestBody{Act: act}))
	return err
}

// calculate opens and locks a period and waits for its results.
func (o *office) calculate(period string) {
	o.t.Helper()
	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(o.t.Context(), period, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(o.t, err)
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActLock))
	o.await(period, incentive.Calculated)
}

// results returns a period's amounts by "<participant> <plan> <component>", and the
// unrounded amounts by the same with " unrounded".
func (o *office) results(period string) map[string]string {
	o.t.Helper()
	found := map[string]string{}
	for _, s := range o.statements(period) {
		for _, line := range s.Lines {
			key := fmt.Sprint(s.Person, " ", line.Plan, " ", line.Component)
			found[key], found[key+" unrounded"] = line.Amount.Amount(), line.Unrounded
		}
	}
	return found
}

func (o *office) statements(period string) []client.Statement {
	o.t.Helper()
	auditor := o.as("fin1")
	list, err := client.Read[client.Statements](auditor.ListStatements(o.t.Context(), period, &client.ListStatementsParams{}))
	require.NoError(o.t, err)
	var all []client.Statement
	for _, summary := range list.Statements {
		s, err := client.Read[client.Statement](auditor.GetStatement(o.t.Context(), period, summary.Person, &client.GetStatementParams{}))
		require.NoError(o.t, err)
		all = append(all, s)
	}
	return all
}

// table reads a CSV file of the shared folder.
func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(shared(t), name))
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	require.NoError(t, err)
	var all []map[string]string
	for _, row := range rows[1:] {
		one := map[string]string{}
		for i, name := range rows[0] {
			one[name] = row[i]
		}
		all = append(all, one)
	}
	return all
}

// codes lists the periods of a file of expected results, in order.
func codes(rows []map[string]string) []string {
	var all []string
	for _, row := range rows {
		if len(all) == 0 || all[len(all)-1] != row["period"] {
			all = append(all, row["period"])
		}
	}
	return all
}

// holds compares what is expected in a period with what the API shows, and demands that
// everything that is not expected is zero.
func holds(t *testing.T, period string, expected, found map[string]string) {
	t.Helper()
	for key, want := range expected {
		got := found[key]
		if strings.HasSuffix(key, " unrounded") {
			exact, err := decimal.NewFromString(got)
			require.NoError(t, err, "%s of %s", key, period)
			require.True(t, exact.Equal(decimal.RequireFromString(want)), "%s of %s: %s, not %s", key, period, got, want)
		} else {
			require.Equal(t, want, got, "%s of %s", key, period)
		}
		delete(found, key)
	}
	for key, got := range found {
		if _, named := expected[strings.TrimSuffix(key, " unrounded")]; !named {
			require.Empty(t, strings.Trim(got, "0."), "%s of %s is not expected", key, period)
		}
	}
}

const assign = `records:
  - kind: assignment
    fields: {participant_id: rep_id, plan_id: {constant: %s}, calendar_id: {constant: quarters}, starts_on: {constant: "2011-01-01"}}
`

// flat and tiered are plans A and B of the shared folder's README, in one of the two
// roundings.
func flat(id, mode string) string {
	return fmt.Sprintf("language: 1\nplan: %s\nname: Flat personal rate\ncurrency: USD\nrounding: {mode: %s}\nreads: {participant: {commission_rate: number}}\ncomponents:\n  - {name: commission, measure: {sum: credits}, rate: participant.commission_rate}\n", id, mode)
}

func tiered(id, mode string) string {
	return fmt.Sprintf(`language: 1
plan: %s
name: Marginal tiers and bonus
currency: USD
rounding: {mode: %s}
reads: {participant: {bonus: number}}
components:
  - name: commission
    measure: {sum: credits}
    rate_table:
      on: attainment
      quota: sales
      without_quota: nothing
      tiers: [{up_to: 100%%, rate: 1%%}, {up_to: 150%%, rate: 1.5%%}, {rate: 2%%}]
  - name: bonus
    measure: {sum: credits}
    bonus: participant.bonus
    gate: {on: attainment, quota: sales, without_quota: nothing, at_least: 100%%}
`, id, mode)
}

var modes = map[string]incentive.Rounding{"hu": incentive.HalfAwayFromZero, "he": incentive.HalfToEven}

// adventureWorks fills an office with the bicycle maker.
func adventureWorks(t *testing.T, calendar string, plans map[string]string) *office {
	t.Helper()
	shared(t)
	o := openOffice(t)
	o.reads("adventureworks-people.yaml", "inputs/aw_salespeople.csv")
	o.reads("adventureworks-calendar.yaml", "inputs/"+calendar)
	for id, document := range plans {
		o.plan(document)
		o.readsThrough(fmt.Sprintf(assign, id), "inputs/aw_salespeople.csv")
	}
	orders := o.reads("adventureworks-orders.yaml", "adventureworks/SalesOrderHeader.csv")
	require.Equal(t, 2*3806, orders.Added, "each order with its credit")
	require.Equal(t, 27659, orders.Skipped, "online orders")
	again := o.reads("adventureworks-orders.yaml", "adventureworks/SalesOrderHeader.csv")
	require.Zero(t, again.Added+again.Changed, "the same file again changes nothing")
	require.Equal(t, 2*3806, again.Unchanged)
	return o
}

// TestAdventureWorksByFiscalQuarters pays plans A and B in all fiscal quarters to the cent,
// and drives one quarter to paid and closed.
func TestAdventureWorksByFiscalQuarters(t *testing.T) {
	t.Parallel()
	plans := map[string]string{}
	for short, mode := range modes {
		plans["a-"+short], plans["b-"+short] = flat("a-"+short, string(mode)), tiered("b-"+short, string(mode))
	}
	o := adventureWorks(t, "aw_fiscal_quarters.csv", plans)
	o.reads("adventureworks-quotas.yaml", "adventureworks/SalesPersonQuotaHistory.csv")
	a, b := table(t, "expected/A_fiscal.csv"), table(t, "expected/B_fiscal.csv")
	require.Len(t, a, 163)
	require.Len(t, b, 163)
	for _, code := range codes(b) {
		o.calculate("quarters-" + code)
		expected := map[string]string{}
		for short := range modes {
			for _, row := range a {
				if row["period"] == code {
					expected[row["rep_id"]+" a-"+short+" commission"] = row["pay_"+short]
					expected[row["rep_id"]+" a-"+short+" commission unrounded"] = row["unrounded"]
				}
			}
			for _, row := range b {
				if row["period"] == code {
					expected[row["rep_id"]+" b-"+short+" commission"] = row["commission_"+short]
					expected[row["rep_id"]+" b-"+short+" commission unrounded"] = row["commission_unrounded"]
					expected[row["rep_id"]+" b-"+short+" bonus"] = row["bonus"]
				}
			}
		}
		holds(t, code, expected, o.results("quarters-"+code))
	}
	o.toClosed("quarters-"+codes(b)[0], "274", "285", "287")
}

// TestAdventureWorksByCalendarQuarters pays plan A by calendar quarters.
func TestAdventureWorksByCalendarQuarters(t *testing.T) {
	t.Parallel()
	o := adventureWorks(t, "aw_calendar_quarters.csv", map[string]string{"a-hu": flat("a-hu", "half_away_from_zero"), "a-he": flat("a-he", "half_to_even")})
	rows := table(t, "expected/A_calendar.csv")
	require.Len(t, rows, 177)
	for _, code := range codes(rows) {
		o.calculate("quarters-" + code)
		expected := map[string]string{}
		for _, row := range rows {
			for short := range modes {
				if row["period"] == code {
					expected[row["rep_id"]+" a-"+short+" commission"] = row["pay_"+short]
					expected[row["rep_id"]+" a-"+short+" commission unrounded"] = row["unrounded"]
				}
			}
		}
		holds(t, code, expected, o.results("quarters-"+code))
	}
}

// TestNorthwind pays product rates by month in both roundings, once a line of the
// statement and once an order line, with overrides over two levels.
func TestNorthwind(t *testing.T) {
	t.Parallel()
	shared(t)
	o := openOffice(t)
	o.reads("northwind-people.yaml", "northwind/Employees.csv")
	rows, overrides := table(t, "expected/N.csv"), table(t, "expected/N_override.csv")
	require.Len(t, rows, 193)
	require.Len(t, overrides, 69)
	var months []map[string]any
	for _, code := range codes(rows) {
		first := incentive.MustParseDate(code + "-01")
		last := incentive.DateOf(first.UTC().AddDate(0, 1, -1))
		months = append(months, map[string]any{"id": "months-" + code, "calendar_id": "months", "code": code, "starts_on": first, "ends_on": last})
	}
	o.loadAs("admin", "period", months...)
	for short, mode := range modes {
		for each, columns := range map[string]string{"line": "once", "contribution": "line"} {
			id := "northwind-" + columns + "-" + short
			o.plan(fmt.Sprintf(`language: 1
plan: %s
name: Northwind
currency: USD
rounding: {mode: %s, each: %s}
reads: {transaction: {category: text}}
components:
  - name: commission
    measure: {sum: credits}
    rates:
      - {where: transaction.category == "1", rate: 4%%}
      - {where: 'transaction.category in ["7", "8"]', rate: 3%%}
      - {rate: 2.5%%}
  - {name: override 1, override: {level: 1}, measure: {sum: credits}, rate: 0.5%%}
  - {name: override 2, override: {level: 2}, measure: {sum: credits}, rate: 0.25%%}
`, id, mode, each))
			o.readsThrough("file: {dates: MM/DD/YYYY}\nrecords:\n  - kind: assignment\n    fields: {participant_id: EmployeeID, plan_id: {constant: "+id+"}, calendar_id: {constant: months}, starts_on: {constant: 01/01/1996}}\n", "northwind/Employees.csv")
		}
	}
	lines := o.reads("northwind-lines.yaml", "northwind/OrderDetails.csv", "northwind/Orders.csv", "northwind/Products.csv")
	require.Equal(t, 2155, lines.Added/2+lines.Skipped)
	for _, code := range codes(rows) {
		o.calculate("months-" + code)
		expected := map[string]string{}
		for short := range modes {
			for _, row := range rows {
				if row["period"] == code {
					expected[row["rep_id"]+" northwind-once-"+short+" commission"] = row["pay_once_"+short]
					expected[row["rep_id"]+" northwind-once-"+short+" commission unrounded"] = row["unrounded"]
					expected[row["rep_id"]+" northwind-line-"+short+" commission"] = row["pay_per_line_"+short]
				}
			}
			for _, row := range overrides {
				if row["period"] == code {
					expected[row["manager_id"]+" northwind-once-"+short+" override "+row["level"]] = row["pay_"+short]
				}
			}
		}
		found := o.results("months-" + code)
		for key := range found {
			if strings.Contains(key, " northwind-line-") && strings.Contains(key, "override") {
				delete(found, key) // nobody has published overrides rounded order line by order line
			}
		}
		holds(t, code, expected, found)
	}
}

// toClosed drives a calculated period through the API to paid and closed, and proves it.
func (o *office) toClosed(period string, managers ...string) {
	t, ctx := o.t, o.t.Context()
	t.Helper()
	key := func() string { return client.NewKey() }
	admin := o.as("admin")
	var people []string
	for n, s := range o.statements(period) {
		people = append(people, s.Person)
		_, err := client.Read[client.Person](admin.PutRoles(ctx, s.Person, &client.PutRolesParams{IdempotencyKey: key()}, client.PutRolesJSONRequestBody{Roles: []client.RolesRoles{client.RolesRolesRep, client.RolesRolesManager}}))
		require.NoError(t, err)
		_, err = client.Read[client.Destination](o.as(s.Person).PutDestination(ctx, s.Person, &client.PutDestinationParams{IdempotencyKey: key()},
			client.PutDestinationJSONRequestBody{Rail: "payment-file", Details: map[string]string{"holder": s.Name, "account": iban(n)}}))
		require.NoError(t, err)
	}
	require.Equal(t, incentive.CodeNotAllowedNow, incentive.ErrorCode(o.act("fin1", period, client.ActRequestActClose)), "what is not possible is refused at once")
	require.NoError(t, o.act("fin1", period, client.ActRequestActPublish))
	before, err := client.Read[client.Period](admin.GetPeriod(ctx, period, &client.GetPeriodParams{}))
	require.NoError(t, err)
	reason, days := "a public holiday in between", 2
	_, err = client.Read[client.ActAnswer](o.as("fin1").ActOnPeriod(ctx, period, &client.ActOnPeriodParams{IdempotencyKey: key()}, client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActExtendWindow, Days: &days, Reason: &reason}))
	require.NoError(t, err)
	after, err := client.Read[client.Period](admin.GetPeriod(ctx, period, &client.GetPeriodParams{}))
	require.NoError(t, err)
	require.GreaterOrEqual(t, after.WindowDeadline.Sub(*before.WindowDeadline), 48*time.Hour, "two business days are two days or more")
	require.NoError(t, o.act("fin1", period, client.ActRequestActEndWindow))
	o.await(period, incentive.Approving)
	decide := func(id string, queue *string) client.DecisionAnswer {
		d, err := client.Read[client.DecisionAnswer](o.as(id).Decide(ctx, period, &client.DecideParams{IdempotencyKey: key()}, client.DecideJSONRequestBody{Decision: client.DecisionRequestDecisionApproved, Queue: queue}))
		require.NoError(t, err)
		return d
	}
	applied, finance := 0, "finance"
	for _, manager := range managers {
		waiting, err := client.Read[client.Approvals](o.as(manager).ListApprovals(ctx, period, &client.ListApprovalsParams{}))
		require.NoError(t, err)
		if len(waiting.Approvals) > 0 {
			applied += decide(manager, nil).Applied
		}
	}
	applied += decide("fin2", &finance).Applied // of those without a manager
	require.Equal(t, len(people), applied)
	o.await(period, incentive.Approved)
	list, err := client.Read[client.PayoutList](o.as("fin3").GetPayoutList(ctx, period, &client.GetPayoutListParams{}))
	require.NoError(t, err)
	_, err = client.Read[client.ActAnswer](o.as("fin3").ReleasePeriod(ctx, period, &client.ReleasePeriodParams{IdempotencyKey: key()}, client.ReleasePeriodJSONRequestBody{PayoutListDigest: list.Digest}))
	require.NoError(t, err)
	if len(list.Totals) > 0 {
		var files client.PaymentFiles
		require.Eventually(t, func() bool {
			files, err = client.Read[client.PaymentFiles](o.as("fin3").ListPaymentFiles(ctx, period, &client.ListPaymentFilesParams{}))
			require.NoError(t, err)
			return len(files.Files) == 1
		}, 30*time.Second, 50*time.Millisecond)
		one := 1
		for after, want := (*string)(nil), 1; want >= 0; want-- {
			page, err := client.Read[client.PaymentFiles](o.as("fin3").ListPaymentFiles(ctx, period, &client.ListPaymentFilesParams{After: after, Limit: &one}))
			require.NoError(t, err)
			require.Len(t, page.Files, want)
			require.Equal(t, want == 0, page.Next == nil, "a full page may not be the last")
			after = page.Next
		}
		content, err := client.Bytes(o.as("fin3").GetPaymentFile(ctx, files.Files[0].Id))
		require.NoError(t, err)
		require.Regexp(t, `DE\d{2}370400440\d{9}`, string(content))
		for _, paid := range []bool{false, true} {
			_, err = client.Read[client.PaymentFile](o.as("fin3").ConfirmPaymentFile(ctx, files.Files[0].Id, &client.ConfirmPaymentFileParams{IdempotencyKey: key()}, client.ConfirmPaymentFileJSONRequestBody{Paid: paid}))
			require.NoError(t, err)
		}
	}
	o.await(period, incentive.Settling)
	require.NoError(t, o.act("fin1", period, client.ActRequestActClose))
	proof, err := activities.Verify(ctx, o.store, period, 0)
	require.NoError(t, err)
	require.Equal(t, len(people), proof.Statements)
}

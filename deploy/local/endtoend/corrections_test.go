package endtoend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/proof"
	"github.com/guerdon/guerdon/store"
)

// flatOffice is an office with a rep who is paid 10 % of what they sell, and three months.
func flatOffice(t *testing.T) *office {
	t.Helper()
	o := openOffice(t)
	o.flat()
	return o
}

// flat makes the company of a flatOffice.
func (o *office) flat() {
	o.t.Helper()
	o.loadAs("admin", "participant", map[string]any{"participant_id": "r1", "effective_from": "2025-01-01", "name": "R One", "email": "", "kind": "contractor", "country": "US", "pay_currency": "USD", "attributes": map[string]string{}})
	for month := 1; month <= 3; month++ {
		first := incentive.Date{Year: 2026, Month: time.Month(month), Day: 1}
		o.loadAs("admin", "period", map[string]any{"id": fmt.Sprintf("m-2026-%02d", month), "calendar_id": "m", "code": fmt.Sprintf("2026-%02d", month), "starts_on": first.String(),
			"ends_on": incentive.DateOf(first.UTC().AddDate(0, 1, -1)).String()})
	}
	o.loadAs("admin", "assignment", map[string]any{"participant_id": "r1", "plan_id": "flat", "calendar_id": "m", "starts_on": "2026-01-01"})
	o.plan("language: 1\nplan: flat\nname: Flat\ncurrency: USD\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%}]\n")
}

// deal is a sale of r1, or what is known of it now.
func (o *office) deal(id, date, amount string) {
	o.t.Helper()
	_, held, err := o.store.Load(o.t.Context(), store.Import{Kind: "transaction", FileName: "deals", SHA256: []byte{1}, Mapping: []byte{}, ImportedBy: "admin"}, func(l *store.Loading) error {
		err := l.Put(o.t.Context(), "transaction", []store.Row{{Key: id, Record: map[string]any{"source": "crm", "transaction_id": id, "date": date, "amount": amount, "currency": "USD", "attributes": map[string]string{}}}})
		if err != nil {
			return err
		}
		return l.Put(o.t.Context(), "credit", []store.Row{{Key: id, Record: map[string]any{"source": "crm", "transaction_id": id, "participant_id": "r1", "role": "owner", "share": "1"}}})
	})
	require.NoError(o.t, err)
	require.Empty(o.t, held)
}

func (o *office) reopen(period string) {
	o.t.Helper()
	p, err := client.Read[client.Period](o.as("fin1").ReopenPeriod(o.t.Context(), period, &client.ReopenPeriodParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: "it was wrong"}))
	require.NoError(o.t, err)
	require.Equal(o.t, string(incentive.Open), p.State)
	require.NoError(o.t, o.act("fin1", period, client.ActRequestActLock))
	o.await(period, incentive.Calculated)
}

// payouts are a period's payouts by what was earned in it and what was carried.
func (o *office) payouts(period string) []string {
	o.t.Helper()
	list, err := client.Read[client.Payouts](o.as("fin1").ListPayouts(o.t.Context(), period, &client.ListPayoutsParams{}))
	require.NoError(o.t, err)
	all := []string{}
	for _, one := range list.Payouts {
		all = append(all, fmt.Sprintf("%s: %s earned, %s carried, %s", one.Amount.Amount(), one.Earned.Amount(), one.Carried.Amount(), one.State))
	}
	return all
}

// ledger is what the postings of a kind of account sum to, debits positive.
func (o *office) ledger(kind store.AccountKind) string {
	o.t.Helper()
	balances, err := o.store.Balances(o.t.Context(), "", 0)
	require.NoError(o.t, err)
	sum := incentive.Money{Currency: "USD"}
	for _, b := range balances {
		if b.Kind == kind {
			sum.Minor += b.Minor
		}
	}
	return sum.Amount()
}

// TestReopening pays a difference, and takes one back from the next payout.
func TestReopening(t *testing.T) {
	t.Parallel()
	const january = "m-2026-01"
	o := flatOffice(t)
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toClosed(january)

	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(t.Context(), january, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.Equal(t, store.CodeAlreadyOpen, incentive.ErrorCode(err))
	_, err = client.Read[client.Period](o.as("fin1").ReopenPeriod(t.Context(), january, &client.ReopenPeriodParams{IdempotencyKey: client.NewKey()}, client.Reason{Reason: " "}))
	require.Equal(t, store.CodeReasonMissing, incentive.ErrorCode(err))

	o.deal("d2", "2026-01-20", "500")
	o.reopen(january)
	mine := func() client.Statement {
		s, err := client.Read[client.Statement](o.as("r1").GetStatement(t.Context(), january, "r1", &client.GetStatementParams{}))
		require.NoError(t, err)
		return s
	}
	require.Equal(t, "100.00", mine().Total.Amount(), "until it is published anew, the rep sees what stands")
	o.toClosed(january)
	require.Equal(t, 2, mine().Revision)
	require.Equal(t, "150.00", mine().Total.Amount())
	require.Equal(t, "100.00", mine().PostedBefore.Amount())
	require.Equal(t, "50.00", mine().Difference.Amount())
	require.Equal(t, []string{"50.00: 50.00 earned, 0.00 carried, paid"}, o.payouts(january))

	o.deal("d1", "2026-01-10", "200")
	o.reopen(january)
	o.toClosed(january)
	require.Equal(t, "-80.00", mine().Difference.Amount())
	require.Empty(t, o.payouts(january))
	require.Equal(t, "80.00", o.ledger(store.Payable), "r1 owes it")

	o.deal("d3", "2026-02-10", "3000")
	o.calculate("m-2026-02")
	o.toClosed("m-2026-02")
	require.Equal(t, []string{"220.00: 300.00 earned, -80.00 carried, paid"}, o.payouts("m-2026-02"))
	require.Equal(t, "0.00", o.ledger(store.Payable))
	require.Equal(t, "370.00", o.ledger(store.CommissionExpense))
	require.Equal(t, "-370.00", o.ledger(store.Cash))
}

// lines are what is in r1's statement, with the period that a difference corrects.
func (o *office) lines(period string) []string {
	o.t.Helper()
	all := []string{}
	for _, s := range o.statements(period) {
		for _, line := range s.Lines {
			of := ""
			if line.Corrects != nil {
				of = " of " + *line.Corrects
			}
			all = append(all, line.Component+of+" "+line.Amount.Amount())
		}
	}
	return all
}

// TestRefunds takes back in February, from a file of refunds, what January paid for a deal: in
// part at first, and the rest when January itself is known to have sold less. What is taken
// back is proved offline with the deal that it is taken for.
func TestRefunds(t *testing.T) {
	t.Parallel()
	const january, february, march = "m-2026-01", "m-2026-02", "m-2026-03"
	o := flatOffice(t)
	o.plan("language: 1\nplan: flat\nname: Flat\ncurrency: USD\ncomponents: [{name: commission, measure: {sum: credits}, rate: 10%, clawback: {within_months: 3}}]\n")
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toClosed(january)

	done, err := o.as("admin").Import(t.Context(), client.NewKey(), []byte("records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: id, date: day, amount: amount, currency: {constant: USD}, refund_of: deal}}]\n"),
		client.File{Name: "refunds.csv", Content: strings.NewReader("id,deal,day,amount\nr1,d1,2026-02-03,-400\nr2,d9,2026-02-03,-1\n")})
	require.NoError(t, err)
	require.Equal(t, 1, done.Added)
	require.Len(t, done.Rows, 1)
	require.Contains(t, done.Rows[0].Reason, "there is no such transaction")
	o.calculate(february)
	require.Equal(t, []string{"commission 0.00", "commission, clawed back -40.00"}, o.lines(february))
	o.toClosed(february)
	require.Equal(t, "40.00", o.ledger(store.Payable), "r1 owes it")

	response, err := o.as("r1").GetProof(t.Context(), february, "r1", &client.GetProofParams{})
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	file, err := proof.Read(content)
	require.NoError(t, err, "%s", content)
	report, err := file.Verify(t.Context())
	require.NoError(t, err)
	require.Equal(t, "-40.00", report.Total.Amount())

	o.deal("d1", "2026-01-10", "900")
	o.deal("d3", "2026-03-10", "5000")
	_, err = o.as("admin").Import(t.Context(), client.NewKey(), []byte("records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: id, date: day, amount: amount, currency: {constant: USD}, refund_of: deal}}]\n"),
		client.File{Name: "refunds.csv", Content: strings.NewReader("id,deal,day,amount\nr3,d1,2026-03-03,-500\n")})
	require.NoError(t, err)
	o.calculate(march)
	require.Equal(t, []string{"commission 500.00", "commission, clawed back -50.00", "commission of m-2026-01 -10.00"}, o.lines(march))
	o.toClosed(march)
	require.Equal(t, []string{"400.00: 440.00 earned, -40.00 carried, paid"}, o.payouts(march))
	require.Equal(t, "500.00", o.ledger(store.CommissionExpense), "d1 has come to nothing")
	require.Equal(t, "0.00", o.ledger(store.Payable))
}

// TestLateDeals pays a deal that came after its month was closed in the next one, and does
// not pay it again when that month is reopened.
func TestLateDeals(t *testing.T) {
	t.Parallel()
	const january, february, march = "m-2026-01", "m-2026-02", "m-2026-03"
	o := flatOffice(t)
	o.deal("d1", "2026-01-10", "1000")
	o.calculate(january)
	o.toClosed(january)

	o.deal("d2", "2026-01-20", "500")
	_, err := client.Read[client.Period](o.as("fin1").OpenPeriod(t.Context(), february, &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	late, err := client.Read[client.LateData](o.as("fin1").ListLateData(t.Context(), february, &client.ListLateDataParams{}))
	require.NoError(t, err)
	require.Equal(t, []client.LateChange{{Period: january, Kind: "transaction", Id: "crm/d2", What: "new"}}, late.Changes)
	require.NoError(t, o.act("fin1", february, client.ActRequestActLock))
	o.await(february, incentive.Calculated)
	require.Equal(t, []string{"commission 0.00", "commission of m-2026-01 50.00"}, o.lines(february))
	o.toClosed(february)
	require.Equal(t, []string{"50.00: 50.00 earned, 0.00 carried, paid"}, o.payouts(february))

	o.deal("d3", "2026-01-25", "200")
	o.reopen(january)
	o.toClosed(january)
	s := o.statements(january)[0]
	require.Equal(t, "170.00", s.Total.Amount())
	require.Equal(t, "150.00", s.PostedBefore.Amount(), "February has paid 50 of it")
	require.Equal(t, []string{"20.00: 20.00 earned, 0.00 carried, paid"}, o.payouts(january))

	o.calculate(march)
	require.Equal(t, []string{"commission 0.00"}, o.lines(march))
	o.toClosed(march)
	require.Equal(t, "170.00", o.ledger(store.CommissionExpense))
	require.Equal(t, "-170.00", o.ledger(store.Cash))
	require.Equal(t, "0.00", o.ledger(store.Payable))
}

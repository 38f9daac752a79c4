package api

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// estimating is a site where r1 has sold 600 of a quota of 1000 in the open January, and r2
// nothing, with the estimates calculated.
func estimating(t *testing.T) *site {
	t.Helper()
	s := open(t, time.Second)
	_, err := s.store.PutPlan(t.Context(), "admin", "p", incentive.MustParseDate("2026-01-01"), []byte(`language: 1
plan: p
name: P
currency: USD
components:
  - name: commission
    measure: {sum: credits}
    rate_table: {on: attainment, quota: sales, tiers: [{up_to: 100%, rate: 10%}, {rate: 20%}]}
`))
	require.NoError(t, err)
	s.imports("admin", `records: [{kind: assignment, fields: {participant_id: id, plan_id: {constant: p}, calendar_id: {constant: m}, starts_on: {constant: "2026-01-01"}}}, {kind: quota, fields: {participant_id: id, measure: {constant: sales}, starts_on: {constant: "2026-01-01"}, ends_on: {constant: "2026-01-31"}, amount: quota}}]`, "id,quota\nr1,1000\nr2,1000\n")
	s.sells("d1", "600")
	_, err = s.store.OpenPeriod(t.Context(), "fin", "m-2026-01")
	require.NoError(t, err)
	s.refresh()
	return s
}

func (s *site) sells(id, amount string) {
	s.Helper()
	s.imports("fin", `records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: id, date: {constant: "2026-01-05"}, amount: amount, currency: {constant: USD}}}, {kind: credit, fields: {source: {constant: crm}, transaction_id: id, participant_id: {constant: r1}, role: {constant: owner}}}]`, "id,amount\n"+id+","+amount+"\n")
}

func (s *site) refresh() {
	s.Helper()
	for done := false; !done; {
		var err error
		done, _, err = s.store.RefreshEstimates(s.Context(), time.Now())
		require.NoError(s, err)
	}
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	s := estimating(t)
	list := func(id string) (people []string) {
		all, err := client.Read[client.Estimates](s.as(id).ListEstimates(t.Context(), "m-2026-01", &client.ListEstimatesParams{}))
		require.NoError(t, err)
		for _, e := range all.Estimates {
			people = append(people, e.Person+" "+e.Total.String())
		}
		return people
	}
	require.Equal(t, []string{"r1 60.00 USD", "r2 0.00 USD"}, list("fin"))
	require.Equal(t, []string{"r1 60.00 USD"}, list("m"), "a manager sees the team")
	require.Equal(t, []string{"r2 0.00 USD"}, list("r2"), "a rep sees their own")
	limit := 1
	page, err := client.Read[client.Estimates](s.as("fin").ListEstimates(t.Context(), "m-2026-01", &client.ListEstimatesParams{Limit: &limit}))
	require.NoError(t, err)
	require.Equal(t, "r1", *page.Next)

	e, err := client.Read[client.Estimate](s.as("r1").GetEstimate(t.Context(), "m-2026-01", "r1"))
	require.NoError(t, err)
	require.Equal(t, "0.00 USD", e.Pending.String())
	require.Contains(t, e.Lines[0].InWords[len(e.Lines[0].InWords)-1], "60")
	p := e.Progress[0]
	require.Equal(t, []string{"600", "1000", "0.6", "1000", "400", "40.00 USD"}, []string{p.Measured, *p.Goal, *p.Attainment, p.Next.At, p.Next.Distance, p.Next.Worth.String()})

	_, err = client.Read[client.Estimate](s.as("r2").GetEstimate(t.Context(), "m-2026-01", "r1"))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "somebody else's")
	_, err = client.Read[client.Estimate](s.as("fin").GetEstimate(t.Context(), "m-2026-02", "r1"))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "not opened")
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	s := estimating(t)
	ask := func(id string, deals ...client.Deal) (client.WhatIf, error) {
		return client.Read[client.WhatIf](s.as(id).WhatIf(t.Context(), "m-2026-01", "r1", &client.WhatIfParams{IdempotencyKey: client.NewKey()}, client.WhatIfRequest{Deals: &deals}))
	}
	half := "0.5"
	answer, err := ask("r1", client.Deal{Amount: "800"}, client.Deal{Amount: "400", Share: &half})
	require.NoError(t, err)
	require.Equal(t, []string{"60.00 USD", "220.00 USD", "160.00 USD"}, []string{answer.Before.Total.String(), answer.After.Total.String(), answer.Difference.String()})
	require.Equal(t, "1.6", *answer.After.Progress[0].Attainment)
	require.Nil(t, answer.After.Progress[0].Next)
	require.Equal(t, "r1", answer.After.Name)
	after := incentive.MustParseDate("2026-02-01")
	_, err = ask("r1", client.Deal{Amount: "1", Date: &after})
	require.Equal(t, incentive.CodeInvalid, incentive.ErrorCode(err))
	require.ErrorContains(t, err, "2026-02-01 is not between 2026-01-01 and 2026-01-31")
	_, err = ask("r2", client.Deal{Amount: "1"})
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err), "somebody else's")
}

// TestSimulatePlan asks what a draft would pay, which only those may know who see everybody's pay.
func TestSimulatePlan(t *testing.T) {
	t.Parallel()
	s := estimating(t)
	ask := func(id, document string, limit int) (client.Simulation, error) {
		return client.Read[client.Simulation](s.as(id).SimulatePlan(t.Context(), "m-2026-01", &client.SimulatePlanParams{IdempotencyKey: client.NewKey()}, client.SimulationRequest{Document: document, Limit: &limit}))
	}
	const draft = "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: commission, measure: {sum: credits}, rate: 15%}]\n"
	answer, err := ask("fin", draft, 1)
	require.NoError(t, err)
	require.Equal(t, []string{"60.00 USD", "90.00 USD", "30.00 USD"}, []string{answer.Sums[0].Before.String(), answer.Sums[0].After.String(), answer.Sums[0].Difference.String()})
	require.Equal(t, []int{1, 0, 1, 2, 1}, []int{answer.Sums[0].Winners, answer.Sums[0].Losers, answer.Sums[0].Others, answer.People, len(answer.Changes)})
	require.Equal(t, "r1", answer.Changes[0].Person)
	require.Equal(t, "90.00 USD", answer.Sums[0].SpreadAfter.Highest.String())
	require.Nil(t, answer.Snapshot, "an open period is simulated from the facts")
	_, err = ask("fin", "plan: p", 1)
	require.Equal(t, incentive.Code("invalid-document"), incentive.ErrorCode(err))
	_, err = ask("fin", strings.Replace(draft, "plan: p", "plan: q", 1), 1)
	require.ErrorContains(t, err, `nobody is on a version of plan "q"`)
	for _, id := range []string{"admin", "m", "r1"} {
		_, err = ask(id, draft, 1)
		require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), id)
	}
}

// TestEventsOfEstimates hears of one's own estimates, and of nobody else's, until the
// server stops.
func TestEventsOfEstimates(t *testing.T) {
	t.Parallel()
	s := estimating(t)
	listen := func(id string) *bufio.Scanner {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+Prefix+"/estimates/events", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+s.token(id))
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = answer.Body.Close() })
		require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
		lines := bufio.NewScanner(answer.Body)
		require.True(t, lines.Scan(), "it is there")
		return lines
	}
	mine, others := listen("r1"), listen("r2")
	s.sells("d2", "100")
	s.refresh()
	heard, is := "", false
	for !is && mine.Scan() {
		heard, is = strings.CutPrefix(mine.Text(), "data: ")
	}
	require.JSONEq(t, `{"period": "m-2026-01", "person": "r1"}`, heard)
	s.surface.EndStreams()
	for others.Scan() {
		require.NotContains(t, others.Text(), "data")
	}
	_, _, answer := s.send("r1", http.MethodGet, Prefix+"/estimates/events", "", "")
	require.Contains(t, answer, "about to stop")
}

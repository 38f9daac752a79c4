package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	temporal "go.temporal.io/sdk/client"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/iso20022"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/workflows"
)

// engineRoom stands for Temporal: an Update is what the test makes of it.
type engineRoom struct {
	temporal.Client
	update  func(ctx context.Context, o temporal.UpdateWorkflowOptions) (any, error)
	started []string
	refuse  error                                         // of workflows to start
	execute func(ctx context.Context, input ...any) error // what a workflow that is waited for does
}

func (e *engineRoom) UpdateWorkflow(ctx context.Context, o temporal.UpdateWorkflowOptions) (temporal.WorkflowUpdateHandle, error) {
	answer, err := e.update(ctx, o)
	return handle{answer: answer}, err
}

func (e *engineRoom) ExecuteWorkflow(_ context.Context, o temporal.StartWorkflowOptions, _ any, input ...any) (temporal.WorkflowRun, error) {
	if e.refuse != nil {
		return nil, e.refuse
	}
	e.started = append(e.started, o.ID)
	return execution{do: func(ctx context.Context) error { return e.execute(ctx, input...) }}, nil
}

type execution struct {
	temporal.WorkflowRun
	do func(context.Context) error
}

func (x execution) Get(ctx context.Context, _ any) error { return x.do(ctx) }

type handle struct {
	temporal.WorkflowUpdateHandle
	answer any
}

func (h handle) Get(_ context.Context, into any) error {
	data, err := json.Marshal(h.answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// site is an API with a company: admin, fin and aud, a manager m with the rep r1, and a
// rep r2 of nobody's.
type site struct {
	*testing.T
	url      string
	database string
	store    *store.Store
	room     *engineRoom
	tokens   map[string]string
	surface  *API
}

func open(t *testing.T, wait time.Duration, more ...payments.Rail) *site {
	t.Helper()
	return openAs(t, wait, func(*Config) {}, more...)
}

// openAs is open with other settings.
func openAs(t *testing.T, wait time.Duration, change func(*Config), more ...payments.Rail) *site {
	t.Helper()
	s, database := storetest.NewWithURL(t)
	sepa, err := iso20022.New(iso20022.Config{Scheme: iso20022.SEPA, Debtor: iso20022.Debtor{Name: "Test"}, Accounts: map[incentive.Currency]iso20022.Account{"EUR": {Number: "DE89370400440532013000"}}, Now: time.Now})
	require.NoError(t, err)
	rails, err := payments.NewRegistry(append(more, paymentfile.New("payment-file", "Test"), sepa)...)
	require.NoError(t, err)
	room := &engineRoom{update: func(context.Context, temporal.UpdateWorkflowOptions) (any, error) {
		return workflows.Answer{State: incentive.Locked}, nil
	}}
	room.execute = func(ctx context.Context, input ...any) error {
		return (&activities.Activities{Store: s, Rails: rails, Client: room}).ApplyStatusFile(ctx, input[0].(string))
	}
	config := Config{Store: s, Client: room, Rails: rails, Log: slog.New(slog.DiscardHandler), CommandWait: wait, LargestImport: 1 << 16}
	change(&config)
	surface, err := New(config)
	require.NoError(t, err)
	web := httptest.NewServer(surface)
	t.Cleanup(func() {
		surface.EndStreams()
		web.Close()
		require.NoError(t, surface.Wait(context.Background()))
	})
	_, err = s.FirstAdministrator(t.Context(), "admin", "Test", "UTC", time.Hour)
	require.NoError(t, err)
	site := &site{T: t, url: web.URL, database: database, store: s, room: room, tokens: map[string]string{}, surface: surface}
	site.imports("admin", people, "id,manager,country\nfin,,US\naud,,US\nm,,US\nr1,m,US\nr2,,US\n")
	site.imports("admin", "records: [{kind: period, fields: {calendar_id: {constant: m}, code: code, starts_on: first, ends_on: last}}]", "code,first,last\n2026-01,2026-01-01,2026-01-31\n2026-02,2026-02-01,2026-02-28\n")
	for id, role := range map[string]incentive.Role{"fin": incentive.Finance, "aud": incentive.Auditor, "m": incentive.Manager, "r1": incentive.Rep, "r2": incentive.Rep} {
		require.NoError(t, s.Grant(t.Context(), "admin", id, []incentive.Role{role}))
	}
	return site
}

const people = `records:
  - kind: participant
    fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: id, manager_id: manager, country: country, pay_currency: {constant: USD}}
`

// contractors are people whom any rail may pay.
var contractors = strings.Replace(people, "country: country", "country: country, kind: {constant: contractor}", 1)

func (s *site) token(id string) string {
	s.Helper()
	if s.tokens[id] == "" && id != "" {
		secret, err := s.store.NewToken(s.Context(), "admin", id, "test", time.Hour)
		require.NoError(s, err)
		s.tokens[id] = secret
	}
	return s.tokens[id]
}

func (s *site) as(id string) *client.Client {
	s.Helper()
	c, err := client.New(s.url, s.token(id))
	require.NoError(s, err)
	return c
}

func (s *site) imports(id, mapping, content string) client.Import {
	s.Helper()
	done, err := s.as(id).Import(s.Context(), client.NewKey(), []byte(mapping), client.File{Name: "file.csv", Content: strings.NewReader(content)})
	require.NoError(s, err)
	return done
}

// send sends a request as it is and returns the answer.
func (s *site) send(id, method, path, key, body string) (status int, contentType, answer string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s, err)
	if id != "" {
		request.Header.Set("Authorization", "Bearer "+s.token(id))
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s, err)
	defer response.Body.Close()
	if contentType := response.Header.Get("Content-Type"); contentType == "text/event-stream" {
		return response.StatusCode, contentType, "" // without end
	}
	data, err := io.ReadAll(response.Body)
	require.NoError(s, err)
	s.checkAnswer(request, response, data)
	return response.StatusCode, response.Header.Get("Content-Type"), string(data)
}

var described = sync.OnceValues(func() (map[string]operation, error) { return load(Document) })

// checkAnswer holds an answer of an operation to the document.
func (s *site) checkAnswer(request *http.Request, response *http.Response, body []byte) {
	s.Helper()
	operations, err := described()
	require.NoError(s, err)
	for key, o := range operations {
		pattern := strings.Split(strings.TrimPrefix(key, request.Method+" "), "/")
		path := strings.Split(request.URL.Path, "/")
		if !strings.HasPrefix(key, request.Method+" ") || len(pattern) != len(path) {
			continue
		}
		same := true
		for i := range path {
			same = same && (strings.HasPrefix(pattern[i], ":") || pattern[i] == path[i])
		}
		if !same {
			continue
		}
		err := openapi3filter.ValidateResponse(s.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, Route: &o.route},
			Status:                 response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)),
		})
		require.NoError(s, err, "%s %s", request.Method, request.URL.Path)
	}
}

// TestDocument holds the document to the rules of the house.
func TestDocument(t *testing.T) {
	t.Parallel()
	operations, err := described()
	require.NoError(t, err)
	require.Greater(t, len(operations), 30)
	actions := map[incentive.Action]bool{}
	for _, action := range incentive.Actions() {
		actions[action] = true
	}
	for key, o := range operations {
		require.True(t, o.action == "" || actions[o.action], "%s declares an action that is not in the rights table: %q", key, o.action)
		if o.action == "" {
			require.Equal(t, "GET /api/v1/health", key, "everything else needs somebody who is signed in")
		}
		if !strings.HasPrefix(key, "GET ") {
			require.NotNil(t, o.route.Operation.Parameters.GetByInAndName("header", "Idempotency-Key"), "%s must take an Idempotency-Key", key)
		}
	}
	require.NotContains(t, string(Document), "type: number", "no amount and no rate is a number")
	loaded, err := openapi3.NewLoader().LoadFromData(Document)
	require.NoError(t, err)
	for name, schema := range loaded.Components.Schemas {
		if name != "CommandAnswer" {
			require.NotNil(t, schema.Value.AdditionalProperties.Has, "schema %s should refuse fields that it does not know", name)
		}
	}
}

// TestReach is how far rights go: own, team, all.
func TestReach(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	put := func(id, person string) int {
		status, _, _ := s.send(id, http.MethodPut, "/api/v1/people/"+person+"/destination", client.NewKey(), `{"rail":"payment-file","details":{"holder":"R One","account":"DE89 3704 0044 0532 0130 00"}}`)
		return status
	}
	require.Equal(t, http.StatusOK, put("r1", "r1"))
	require.Equal(t, http.StatusForbidden, put("r1", "r2"))
	require.Equal(t, http.StatusForbidden, put("m", "r1"), "not even a manager")
	status, _, answer := s.send("r1", http.MethodGet, "/api/v1/people/r1/destination", "", "")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, answer, "0532", "masked")
	require.Contains(t, answer, "payment-file")
	_, err := client.Read[client.Period](s.as("fin").OpenPeriod(t.Context(), "m-2026-01", &client.OpenPeriodParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	for path, want := range map[string]int{"approvals?queue=finance": http.StatusForbidden, "approvals?queue=r1": http.StatusForbidden, "approvals": http.StatusOK} {
		status, _, _ := s.send("m", http.MethodGet, "/api/v1/periods/m-2026-01/"+path, "", "")
		require.Equal(t, want, status, path)
	}
	status, _, _ = s.send("r1", http.MethodGet, "/api/v1/periods/m-2026-01/statements/r2", "", "")
	require.Equal(t, http.StatusNotFound, status)
}

// TestRefusals is how bad requests are answered.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := open(t, time.Second)
	for name, c := range map[string]struct {
		id, method, path, key, body string
		status                      int
		code, detail                string
	}{
		"no token":            {"", "GET", "/api/v1/me", "", "", 401, "unauthenticated", "Authorization: Bearer"},
		"nowhere":             {"fin", "GET", "/api/v1/nowhere", "", "", 404, "not-found", "there is nothing at /api/v1/nowhere"},
		"method":              {"fin", "DELETE", "/api/v1/me", "k", "", 405, "method-not-allowed", "DELETE cannot be done"},
		"no key":              {"fin", "POST", "/api/v1/periods/m-2026-01/open", "", "", 400, "idempotency-key-missing", "Idempotency-Key"},
		"key too long":        {"fin", "POST", "/api/v1/periods/m-2026-01/open", strings.Repeat("k", 101), "", 400, "invalid", "parameter Idempotency-Key"},
		"no such period":      {"fin", "POST", "/api/v1/periods/m-1999-01/open", "k1", "", 404, "not-found", ""},
		"not opened":          {"fin", "GET", "/api/v1/periods/m-2026-02", "", "", 404, "not-found", "has not been opened"},
		"no JSON":             {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k2", "{", 400, "invalid", "the body"},
		"unknown field":       {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k3", `{"act":"lock","speed":1}`, 400, "invalid", `property "speed" is unsupported`},
		"unknown act":         {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k4", `{"act":"pay"}`, 400, "invalid", "the body at act"},
		"extend by nothing":   {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k19", `{"act":"extend-window","reason":"x"}`, 400, "invalid", "extend-window takes a number of business days"},
		"days to lock":        {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k20", `{"act":"lock","days":3}`, 400, "invalid", "extend-window takes a number of business days"},
		"release by act":      {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k5", `{"act":"release"}`, 400, "invalid", "the body at act"},
		"no reason":           {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k6", `{"act":"cancel","reason":" "}`, 400, "reason-missing", "cancel needs a reason"},
		"digest":              {"fin", "POST", "/api/v1/periods/m-2026-01/release", "k7", `{"payout_list_digest":"12"}`, 400, "invalid", "the body at payout_list_digest"},
		"limit":               {"fin", "GET", "/api/v1/periods?limit=501", "", "", 400, "invalid", "parameter limit"},
		"limit of no number":  {"fin", "GET", "/api/v1/periods?limit=x", "", "", 400, "invalid", "parameter limit"},
		"too large":           {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k8", `{"act":"` + strings.Repeat("x", largestBody) + `"}`, 413, "too-large", "larger than"},
		"no multipart":        {"admin", "POST", "/api/v1/imports", "k9", `{}`, 400, "invalid", "multipart/form-data"},
		"bad plan":            {"admin", "POST", "/api/v1/plans", "k10", `{"document":"language: 1\nplan: p","effective_from":"2026-01-01"}`, 422, "invalid-document", `line 1, column 1: a plan lacks`},
		"bad example":         {"admin", "POST", "/api/v1/plans", "k18", `{"document":"{language: 1, plan: p, name: P, currency: USD, components: [{name: c, bonus: 1}], examples: [{name: e, pays: {c: 2}}]}","effective_from":"2026-01-01"}`, 422, "example-fails", "c pays 1.00, not 2"},
		"bad date":            {"admin", "POST", "/api/v1/plans", "k11", `{"document":"x","effective_from":"2026-02-30"}`, 400, "invalid", ""},
		"unknown rail":        {"r1", "PUT", "/api/v1/people/r1/destination", "k12", `{"rail":"cash","details":{}}`, 422, "rail-unknown", "cash"},
		"bad account":         {"r1", "PUT", "/api/v1/people/r1/destination", "k13", `{"rail":"payment-file","details":{"holder":"x","account":"DE00370400440532013000"}}`, 422, "destination-invalid", ""},
		"an employee by bank": {"r1", "PUT", "/api/v1/people/r1/destination", "k13b", `{"rail":"iso20022-sepa","details":{"holder":"x","account":"DE89370400440532013000"}}`, 422, "payout-method-not-allowed", "it lets them be paid by payment-file"},
		"shares":              {"r1", "PUT", "/api/v1/people/r1/methods", "k13c", `{"methods":[{"rail":"payment-file","details":{"holder":"x","account":"DE89370400440532013000"},"share":"0.9"}]}`, 422, "shares-wrong", "they have to be 100 %"},
		"share in percent":    {"r1", "PUT", "/api/v1/people/r1/methods", "k13d", `{"methods":[{"rail":"payment-file","details":{"holder":"x","account":"DE89370400440532013000"},"share":"100"}]}`, 400, "invalid", "share"},
		"method of nobody":    {"r1", "PUT", "/api/v1/people/r1/methods", "k13e", `{"methods":[{"id":99,"share":"1"}]}`, 404, "not-found", "no payout method 99"},
		"method named twice":  {"r1", "PUT", "/api/v1/people/r1/methods", "k13f", `{"methods":[{"id":1,"rail":"payment-file","share":"1"}]}`, 400, "invalid", "by its id, or by a rail"},
		"methods since":       {"r1", "PUT", "/api/v1/people/r1/methods", "k13g", `{"version":7,"methods":[{"rail":"payment-file","details":{"holder":"x","account":"DE89370400440532013000"},"share":"1"}]}`, 409, "changed-meantime", "look at them again"},
		"unknown participant": {"admin", "PUT", "/api/v1/people/nobody/roles", "k14", `{"roles":["rep"]}`, 404, "not-found", "nobody"},
		"unknown role":        {"admin", "PUT", "/api/v1/people/r1/roles", "k15", `{"roles":["king"]}`, 400, "invalid", "the body at roles.0"},
		"nothing decided":     {"m", "POST", "/api/v1/periods/m-2026-01/decisions", "k16", `{"decision":"approved","statements":[]}`, 400, "invalid", "leave it out"},
		"rejected why":        {"m", "POST", "/api/v1/periods/m-2026-01/decisions", "k17", `{"decision":"rejected"}`, 400, "reason-missing", "only an approval needs no reason"},
		"adjusting why":       {"fin", "POST", "/api/v1/adjustments", "k40", `{"period":"m-2026-01","person":"r1","type":"goodwill","amount":{"amount":"1","currency":"USD"},"reason":" "}`, 400, "reason-missing", "needs a reason"},
		"own adjustment":      {"fin", "POST", "/api/v1/adjustments", "k41", `{"period":"m-2026-01","person":"fin","type":"goodwill","amount":{"amount":"1","currency":"USD"},"reason":"x"}`, 403, "own-pay", "their own pay"},
		"half a cent":         {"fin", "POST", "/api/v1/adjustments", "k42", `{"period":"m-2026-01","person":"r1","type":"goodwill","amount":{"amount":"0.005","currency":"USD"},"reason":"x"}`, 400, "invalid", ""},
		"no dispute":          {"fin", "POST", "/api/v1/adjustments", "k43", `{"period":"m-2026-01","person":"r1","type":"dispute","amount":{"amount":"1","currency":"USD"},"reason":"x"}`, 400, "invalid", "the body at type"},
		"no such adjustment":  {"fin", "POST", "/api/v1/adjustments/x/decision", "k44", `{"decision":"approved"}`, 404, "not-found", ""},
		"adjustments after":   {"fin", "GET", "/api/v1/adjustments?after=x", "", "", 400, "invalid", "parameter after"},
		"no such dispute":     {"m", "POST", "/api/v1/disputes/x/answers", "k50", `{"act":"reject","text":"x"}`, 404, "not-found", "that you may see"},
		"nothing granted":     {"m", "POST", "/api/v1/disputes/x/answers", "k51", `{"act":"accept","text":"x"}`, 400, "invalid", "accept grants an amount"},
		"granted and changed": {"m", "POST", "/api/v1/disputes/x/answers", "k52", `{"act":"accept","text":"x","amount":{"amount":"1","currency":"USD"},"changes":[{"kind":"plan","id":"x"}]}`, 400, "invalid", "accept grants an amount"},
		"a reply of nothing":  {"r1", "POST", "/api/v1/disputes/x/replies", "k53", `{"act":"accept"}`, 400, "invalid", "the body at act"},
		"not published":       {"r1", "POST", "/api/v1/disputes", "k54", `{"period":"m-2026-01","type":"missing","expected":{"amount":"1","currency":"USD"},"comment":"x"}`, 404, "not-found", "has not been opened"},
		"disputing why":       {"r1", "POST", "/api/v1/disputes", "k55", `{"period":"m-2026-01","type":"missing","expected":{"amount":"1","currency":"USD"},"comment":" "}`, 400, "reason-missing", "needs a comment"},
		"evidence as JSON":    {"r1", "POST", "/api/v1/disputes/x/evidence", "k56", `{}`, 400, "invalid", "multipart/form-data"},
		"evidence of nothing": {"r1", "GET", "/api/v1/disputes/x/evidence/y", "", "", 404, "not-found", "that you may see"},
		"two values":          {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k21", `{"act":"lock"}{"act":"publish"}`, 400, "invalid", "not one JSON value"},
		"a field twice":       {"fin", "POST", "/api/v1/periods/m-2026-01/acts", "k22", `{"act":"lock","act":"cancel"}`, 400, "invalid", `it says "act" twice`},
		"key with a slash":    {"fin", "POST", "/api/v1/periods/m-2026-01/open", "a/b", "", 400, "invalid", "parameter Idempotency-Key"},
		"unknown parameter":   {"fin", "GET", "/api/v1/periods?limitt=5", "", "", 400, "invalid", "parameter limitt"},
		"no command":          {"m", "GET", "/api/v1/commands/none", "", "", 404, "not-found", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			status, contentType, answer := s.send(c.id, c.method, c.path, c.key, c.body)
			require.Equal(t, c.status, status, answer)
			require.Equal(t, problemType, contentType)
			var p client.Problem
			require.NoError(t, json.Unmarshal([]byte(answer), &p))
			require.Equal(t, c.code, p.Code, p.Detail)
			require.Equal(t, "/problems/"+c.code, p.Type)
			require.Contains(t, p.Detail, c.detail)
			require.NotEmpty(t, p.RequestId)
		})
	}
}

// TestOnce is what an idempotency key promises.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	_, err := client.Read[client.Period](s.as("fin").OpenPeriod(t.Context(), "m-2026-01", &client.OpenPeriodParams{IdempotencyKey: "open"}))
	require.NoError(t, err)
	require.Equal(t, []string{"pay-period/m-2026-01/1"}, s.room.started)
	again, err := client.Read[client.Period](s.as("fin").OpenPeriod(t.Context(), "m-2026-01", &client.OpenPeriodParams{IdempotencyKey: "open"}))
	require.NoError(t, err)
	require.Equal(t, "open", again.State)
	require.Len(t, s.room.started, 1, "the same key does it once")

	const path = "/api/v1/periods/m-2026-01/acts"
	var ids []string
	begun, go_ := make(chan bool), make(chan bool)
	s.room.update = func(_ context.Context, o temporal.UpdateWorkflowOptions) (any, error) {
		ids = append(ids, o.UpdateID)
		begun <- true
		<-go_
		return workflows.Answer{State: incentive.Locked}, nil
	}
	first := make(chan string)
	go func() {
		_, _, answer := s.send("fin", "POST", path, "act", `{"act":"lock"}`)
		first <- answer
	}()
	<-begun
	status, _, answer := s.send("fin", "POST", path, "act", `{"act":"lock"}`)
	require.Equal(t, http.StatusConflict, status, answer)
	require.Contains(t, answer, "in-progress")
	close(go_)
	kept := <-first
	require.JSONEq(t, `{"period":"m-2026-01","revision":1,"state":"locked"}`, kept)
	status, _, answer = s.send("fin", "POST", path, "act", `{"act":"lock"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, kept, answer)
	require.Len(t, ids, 1)
	status, _, answer = s.send("fin", "POST", path, "act", `{"act":"publish"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, answer, "idempotency-key-reused")

	// Another person's key is another key, and so another Update.
	require.NoError(t, s.store.Grant(t.Context(), "admin", "m", []incentive.Role{incentive.Finance}))
	s.room.update = func(_ context.Context, o temporal.UpdateWorkflowOptions) (any, error) {
		ids = append(ids, o.UpdateID)
		return nil, errors.New("Temporal is away")
	}
	status, _, answer = s.send("m", "POST", path, "act", `{"act":"lock"}`)
	require.Equal(t, http.StatusInternalServerError, status)
	require.NotContains(t, answer, "Temporal is away", "internals stay inside")
	require.NotEqual(t, ids[0], ids[1])
	// What failed on our side may be tried again with the same key.
	s.room.update = func(_ context.Context, o temporal.UpdateWorkflowOptions) (any, error) {
		return workflows.Answer{State: incentive.Open, Code: "preparer", Message: "not you"}, nil
	}
	status, _, answer = s.send("m", "POST", path, "act", `{"act":"lock"}`)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, answer, "not you")
	status, _, again2 := s.send("m", "POST", path, "act", `{"act":"lock"}`)
	require.Equal(t, http.StatusForbidden, status, "a refusal is an answer and is kept")
	require.Equal(t, answer, again2)
}

// TestSlowCommand answers 202 and tells the outcome to whoever asks.
func TestSlowCommand(t *testing.T) {
	t.Parallel()
	s := open(t, time.Millisecond)
	_, err := s.store.OpenPeriod(t.Context(), "fin", "m-2026-01")
	require.NoError(t, err)
	done := make(chan bool)
	s.room.update = func(context.Context, temporal.UpdateWorkflowOptions) (any, error) {
		<-done
		return workflows.Answer{State: incentive.Locked}, nil
	}
	status, _, answer := s.send("fin", "POST", "/api/v1/periods/m-2026-01/acts", "slow", `{"act":"lock"}`)
	require.Equal(t, http.StatusAccepted, status)
	require.JSONEq(t, `{"location":"/api/v1/commands/slow"}`, answer)
	status, _, _ = s.send("fin", "GET", "/api/v1/commands/slow", "", "")
	require.Equal(t, http.StatusAccepted, status)
	status, _, _ = s.send("r1", "GET", "/api/v1/commands/slow", "", "")
	require.Equal(t, http.StatusNotFound, status, "a command is its giver's")
	close(done)
	require.Eventually(t, func() bool {
		status, _, answer = s.send("fin", "GET", "/api/v1/commands/slow", "", "")
		return status == http.StatusOK
	}, 10*time.Second, 5*time.Millisecond)
	require.JSONEq(t, `{"period":"m-2026-01","revision":1,"state":"locked"}`, answer)
	// The client waits by itself.
	got, err := client.Read[client.ActAnswer](s.as("fin").ActOnPeriod(t.Context(), "m-2026-01", &client.ActOnPeriodParams{IdempotencyKey: "slow"}, client.ActOnPeriodJSONRequestBody{Act: client.ActRequestActLock}))
	require.NoError(t, err)
	require.Equal(t, "locked", got.State)
}

// TestAKeyIsHeldWhileItsCommandIsWorkedOn lets nobody else take over a command that
// takes longer than a claim lasts.
func TestAKeyIsHeldWhileItsCommandIsWorkedOn(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	_, err := s.store.OpenPeriod(t.Context(), "fin", "m-2026-01")
	require.NoError(t, err)
	begun, done := make(chan bool), make(chan bool)
	s.room.update = func(context.Context, temporal.UpdateWorkflowOptions) (any, error) {
		close(begun) // a second time would panic
		<-done
		return workflows.Answer{State: incentive.Locked}, nil
	}
	const path, body = "/api/v1/periods/m-2026-01/acts", `{"act":"lock"}`
	first := make(chan int, 1)
	go func() {
		status, _, _ := s.send("fin", "POST", path, "k", body)
		first <- status
	}()
	<-begun
	storetest.Exec(t, s.database, `UPDATE guerdon.command SET created_at = now() - interval '14 seconds' WHERE key = 'k'`)
	connection, err := pgx.Connect(t.Context(), s.database)
	require.NoError(t, err)
	defer connection.Close(context.Background())
	require.Eventually(t, func() bool {
		var held bool
		require.NoError(t, connection.QueryRow(t.Context(), `SELECT created_at > now() - interval '10 seconds' FROM guerdon.command WHERE key = 'k'`).Scan(&held))
		return held
	}, 14*time.Second, 20*time.Millisecond)
	status, _, answer := s.send("fin", "POST", path, "k", body)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, string(store.CodeKeyInProgress))
	close(done)
	require.Equal(t, http.StatusOK, <-first)
}

// TestWorkflowGone says why where a workflow has ended, and starts one that should run.
func TestWorkflowGone(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	_, err := s.store.OpenPeriod(t.Context(), "fin", "m-2026-01")
	require.NoError(t, err)
	s.room.update = func(context.Context, temporal.UpdateWorkflowOptions) (any, error) {
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	status, _, answer := s.send("fin", "POST", "/api/v1/periods/m-2026-01/acts", "k", `{"act":"close"}`)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, answer, "the period is open")
	status, _, answer = s.send("fin", "POST", "/api/v1/periods/m-2026-01/acts", "k2", `{"act":"lock"}`)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, answer, "ask again shortly")
	require.Equal(t, []string{"pay-period/m-2026-01/1"}, s.room.started)
}

// TestImports reads files, quarantines what is wrong, and keeps 17 digits.
func TestImports(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	const deals = `records:
  - kind: transaction
    fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}
  - kind: credit
    fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}
`
	content := "deal,day,amount,owner\nD1,2026-01-05,12345678901234567.89,r1\nD2,2026-01-06,1e3,r1\nD3,2026-01-07,10,nobody\n"
	first := s.imports("fin", deals, content)
	require.Equal(t, 3, first.Added, "D1 with its credit, and D3 whose credit nobody can have")
	require.Len(t, first.Rows, 2)
	reasons := fmt.Sprint(first.Rows)
	require.Contains(t, reasons, "a number is written such as")
	require.Contains(t, reasons, "there is no participant nobody")
	again := s.imports("fin", deals, content)
	require.Equal(t, 3, again.Unchanged)
	require.Zero(t, again.Added+again.Changed)
	changed := s.imports("fin", deals, strings.Replace(content, "67.89", "67.90", 1))
	require.Equal(t, 1, changed.Changed)
	kept, err := client.Read[client.Import](s.as("fin").GetImport(t.Context(), first.Id, &client.GetImportParams{}))
	require.NoError(t, err)
	require.Equal(t, first.Rows, kept.Rows)

	_, err = s.as("fin").Import(t.Context(), client.NewKey(), []byte(people), client.File{Name: "people.csv", Content: strings.NewReader("id,manager,country\nx,,US\n")})
	require.Equal(t, incentive.CodeForbidden, incentive.ErrorCode(err), "finance imports deals, not people")
	_, err = s.as("fin").Import(t.Context(), client.NewKey(), []byte("records: x"), client.File{Name: "deals.csv", Content: strings.NewReader("a\n")})
	require.Equal(t, incentive.Code("invalid-document"), incentive.ErrorCode(err))
	_, err = s.as("fin").Import(t.Context(), client.NewKey(), []byte(deals), client.File{Name: "deals.csv", Content: strings.NewReader("deal,day\n")})
	require.Equal(t, incentive.Code("unreadable-file"), incentive.ErrorCode(err))
	_, err = s.as("fin").Import(t.Context(), client.NewKey(), []byte(deals))
	require.ErrorContains(t, err, "at least one file")
	_, err = s.as("fin").Import(t.Context(), client.NewKey(), []byte(deals), client.File{Name: "deals.csv", Content: strings.NewReader(strings.Repeat("x", 1<<17))})
	require.Error(t, err, "an import has a size")

	// The same command again, with another boundary, is the same command.
	one, err := s.as("fin").Import(t.Context(), "once", []byte(deals), client.File{Name: "deals.csv", Content: strings.NewReader(content)})
	require.NoError(t, err)
	two, err := s.as("fin").Import(t.Context(), "once", []byte(deals), client.File{Name: "deals.csv", Content: strings.NewReader(content)})
	require.NoError(t, err)
	require.Equal(t, one.Id, two.Id)
	_, err = s.as("fin").Import(t.Context(), "once", []byte(deals), client.File{Name: "deals.csv", Content: strings.NewReader(content + " ")})
	require.Equal(t, store.CodeKeyReused, incentive.ErrorCode(err))
}

// TestPlans stores versions of a plan.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	const text = "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: c, measure: {sum: credits}, rate: 5%}]\n"
	put := func(document string) client.Plan {
		p, err := client.Read[client.Plan](s.as("admin").PutPlan(t.Context(), &client.PutPlanParams{IdempotencyKey: client.NewKey()}, client.PutPlanJSONRequestBody{Document: document, EffectiveFrom: incentive.MustParseDate("2026-01-01")}))
		require.NoError(t, err)
		return p
	}
	require.Equal(t, 1, put(text).Version)
	require.Equal(t, 1, put(text).Version, "the same document again changes nothing")
	require.Equal(t, 2, put(strings.Replace(text, "5%", "6%", 1)).Version)
	p, err := client.Read[client.Plan](s.as("r1").GetPlan(t.Context(), "p", 1))
	require.NoError(t, err)
	require.Equal(t, text, p.Document)
	require.Equal(t, "P", p.Name)
	require.Equal(t, []string{"P (plan p) pays in USD. Each component is rounded once, half away from zero.", "c: pays 5% of what is credited."}, p.Reads)
	put(strings.Replace(text, "name: P", "name: Renamed", 1))
	all, err := client.Read[client.Plans](s.as("r1").ListPlans(t.Context()))
	require.NoError(t, err)
	var names []string
	for _, v := range all.Plans {
		names = append(names, v.Name)
	}
	require.Equal(t, []string{"P", "P", "Renamed"}, names, "each version by its own name")

	// What cannot be read any more, as an engine to come may not, is there by its id.
	_, err = s.store.PutPlan(t.Context(), "admin", "old", incentive.MustParseDate("2026-01-01"), []byte("language: 0"))
	require.NoError(t, err)
	old, err := client.Read[client.Plan](s.as("r1").GetPlan(t.Context(), "old", 1))
	require.NoError(t, err)
	require.Equal(t, client.Plan{Plan: "old", Name: "old", Version: 1, EffectiveFrom: incentive.MustParseDate("2026-01-01"), Document: "language: 0", Reads: []string{}}, old)
	_, err = client.Read[client.Plan](s.as("r1").GetPlan(t.Context(), "p", 4))
	require.Equal(t, incentive.CodeNotFound, incentive.ErrorCode(err))
}

// TestSecretsAreShownOnce keeps no token, not even as the answer to a command.
func TestSecretsAreShownOnce(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	const path, body = "/api/v1/people/r1/tokens", `{"name":"laptop","days":3}`
	status, _, answer := s.send("admin", "POST", path, "token", body)
	require.Equal(t, http.StatusCreated, status)
	var token client.Token
	require.NoError(t, json.Unmarshal([]byte(answer), &token))
	for method, again := range map[string]string{"POST": path, "GET": "/api/v1/commands/token"} {
		sent := body
		if method == "GET" {
			sent = ""
		}
		status, _, answer = s.send("admin", method, again, "token", sent)
		require.Equal(t, http.StatusConflict, status)
		require.Contains(t, answer, "shown-once")
		require.NotContains(t, answer, token.Secret)
	}
	me, err := s.store.Authenticate(t.Context(), token.Secret)
	require.NoError(t, err)
	require.Equal(t, "r1", me.ID)
}

// TestTokens is who keeps whose tokens, and how narrow a narrow one is.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	makes := func(id, person, only string) (int, string) {
		t.Helper()
		status, _, answer := s.send(id, "POST", "/api/v1/people/"+person+"/tokens", client.NewKey(), `{"name":"laptop","days":3`+only+`}`)
		return status, answer
	}
	for _, id := range []string{"r1", "m", "fin", "aud"} {
		status, answer := makes(id, id, "")
		require.Equal(t, http.StatusCreated, status, answer)
		for method, path := range map[string]string{"POST": "", "GET": "", "DELETE": "/" + strings.Repeat("0", 64)} {
			body := map[string]string{"POST": `{"name":"laptop","days":3}`}[method]
			status, _, answer := s.send(id, method, "/api/v1/people/r2/tokens"+path, client.NewKey(), body)
			require.Equal(t, http.StatusForbidden, status, "%s as %s", method, id)
			require.Contains(t, answer, "your own tokens only")
		}
	}
	status, answer := makes("r1", "r1", `,"only":["fly"]`)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, answer, `there is no action \"fly\"`)

	status, answer = makes("admin", "admin", `,"only":["keep-tokens","read-company"]`)
	require.Equal(t, http.StatusCreated, status)
	var token client.Token
	require.NoError(t, json.Unmarshal([]byte(answer), &token))
	s.tokens["narrow"] = token.Secret
	status, _, _ = s.send("narrow", "GET", "/api/v1/me", "", "")
	require.Equal(t, http.StatusOK, status)
	status, _, answer = s.send("narrow", "PUT", "/api/v1/people/r1/roles", client.NewKey(), `{"roles":[]}`)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, answer, "was not made to administer people")
	for only, want := range map[string]int{"": http.StatusForbidden, `,"only":["administer-people"]`: http.StatusForbidden, `,"only":["read-company"]`: http.StatusCreated} {
		status, answer = makes("narrow", "admin", only)
		require.Equal(t, want, status, answer)
	}

	list, err := client.Read[client.Tokens](s.as("admin").ListTokens(t.Context(), "r1"))
	require.NoError(t, err)
	require.Equal(t, "laptop", list.Tokens[0].Name)
	_, err = client.Read[client.Revoked](s.as("r1").RevokeToken(t.Context(), "r1", list.Tokens[0].Id, &client.RevokeTokenParams{IdempotencyKey: client.NewKey()}))
	require.NoError(t, err)
	left, err := client.Read[client.Tokens](s.as("r1").ListTokens(t.Context(), "r1"))
	require.NoError(t, err)
	require.Len(t, left.Tokens, len(list.Tokens)-1)
}

// TestNobodyActsForSomebodyElse is an installation where people sign in by themselves.
func TestNobodyActsForSomebodyElse(t *testing.T) {
	t.Parallel()
	s := openAs(t, time.Minute, func(c *Config) { c.SignIn = true })
	for person, want := range map[string]int{"fin": http.StatusForbidden, "admin": http.StatusCreated} {
		status, _, _ := s.send("admin", "POST", "/api/v1/people/"+person+"/tokens", client.NewKey(), `{"name":"laptop","days":3}`)
		require.Equal(t, want, status, person)
	}
}

// TestLimit is how fast one person may write. Others are not held up, nor is reading.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	write := func(id string) int {
		status, _, _ := s.send(id, "PUT", "/api/v1/company", "", "")
		return status
	}
	require.Eventually(t, func() bool { return write("admin") == http.StatusTooManyRequests }, time.Minute, time.Nanosecond)
	require.Equal(t, http.StatusForbidden, write("r1"))
	status, _, _ := s.send("admin", "GET", "/api/v1/company", "", "")
	require.Equal(t, http.StatusOK, status)
}

// TestPages walks a list page by page.
func TestPages(t *testing.T) {
	t.Parallel()
	s := open(t, time.Minute)
	limit := 2
	var seen []string
	for after := (*string)(nil); ; {
		page, err := client.Read[client.People](s.as("r1").ListPeople(t.Context(), &client.ListPeopleParams{Limit: &limit, After: after}))
		require.NoError(t, err)
		for _, p := range page.People {
			seen = append(seen, p.Id)
		}
		if after = page.Next; after == nil {
			break
		}
	}
	require.Equal(t, []string{"admin", "aud", "fin", "m", "r1", "r2"}, seen)
	periods, err := client.Read[client.Periods](s.as("r1").ListPeriods(t.Context(), &client.ListPeriodsParams{}))
	require.NoError(t, err)
	require.Len(t, periods.Periods, 2)
	require.Equal(t, "not-opened", periods.Periods[0].State)
}

package web

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	temporal "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"golang.org/x/net/html"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/api/openid"
	"github.com/guerdon/guerdon/api/openid/openidtest"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments"
	"github.com/guerdon/guerdon/payments/paymentfile"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
	"github.com/guerdon/guerdon/worker"
	"github.com/guerdon/guerdon/workflows"
)

// engineRoom stands for Temporal: an Update does its activities at once.
type engineRoom struct {
	temporal.Client
	*testing.T
	work *activities.Activities
	key  int
	hold chan bool // where it is not nil, an Update waits for it
}

// run does an activity as a worker would.
func run[T any](r *engineRoom, activity any, arguments ...any) (answer T) {
	r.Helper()
	var suite testsuite.WorkflowTestSuite
	environment := suite.NewTestActivityEnvironment()
	environment.RegisterActivity(r.work)
	value, err := environment.ExecuteActivity(activity, arguments...)
	require.NoError(r, err)
	require.NoError(r, value.Get(&answer))
	return answer
}

func (r *engineRoom) act(period string, act incentive.Act, in workflows.ActInput) activities.Outcome {
	r.key++
	return run[activities.Outcome](r, r.work.Act, activities.PeriodAct{PeriodID: period, Revision: 1, Act: act, Actor: in.Actor, Key: fmt.Sprint(r.key), ReasonID: in.ReasonID, PayoutListDigest: in.PayoutListDigest, Days: in.Days, AmendmentID: in.AmendmentID})
}

// UpdateWorkflow does what the workflow would do.
func (r *engineRoom) UpdateWorkflow(_ context.Context, o temporal.UpdateWorkflowOptions) (temporal.WorkflowUpdateHandle, error) {
	if r.hold != nil {
		<-r.hold
	}
	if id, is := strings.CutPrefix(o.WorkflowID, activities.DisputeID("")); is {
		in := o.Args[0].(workflows.DisputeActInput)
		done := run[activities.DisputeOutcome](r, r.work.ActOnDispute, activities.DisputeAct{DisputeID: id, Act: incentive.DisputeAct(o.UpdateName), Actor: in.Actor, TextID: in.TextID, AnswerID: in.AnswerID, Key: o.UpdateID})
		return handle{answer: workflows.DisputeAnswer{State: done.State, Code: done.Code, Message: done.Message}}, nil
	}
	period := strings.Split(o.WorkflowID, "/")[1]
	switch o.UpdateName {
	case workflows.RemindUpdate:
		in := o.Args[0].(workflows.RemindInput)
		return handle{answer: workflows.RemindAnswer(run[activities.Reminded](r, r.work.RemindParty, activities.Reminder{PeriodID: period, Revision: 1, Item: in.Item, Party: in.Party, Actor: in.Actor, Key: o.UpdateID}))}, nil
	case workflows.DecideUpdate:
		d := run[activities.Decided](r, r.work.Decide, period, 1, o.Args[0])
		return handle{answer: workflows.DecideAnswer{Answer: workflows.Answer{Code: d.Code, Message: d.Message}, Applied: d.Applied, Refused: d.Refused, LeftHere: d.LeftHere}}, nil
	case workflows.ReassignUpdate:
		in, queue := o.Args[0].(workflows.ReassignInput), activities.ApprovalQueue{PeriodID: period, Revision: 1, Queue: strings.SplitN(o.WorkflowID, "/", 4)[3]}
		d := run[activities.Decided](r, r.work.MoveQueue, queue, activities.QueueMove{Actor: in.Actor, To: in.To, ReasonID: in.ReasonID, Key: o.UpdateID})
		return handle{answer: workflows.DecideAnswer{Answer: workflows.Answer{Code: d.Code, Message: d.Message}, Applied: d.Applied}}, nil
	case workflows.ConfirmFileUpdate:
		in := o.Args[0].(workflows.ConfirmFileInput)
		done := run[activities.Outcome](r, r.work.ConfirmFile, in.Actor, in.FileID, in.Paid)
		return handle{answer: workflows.Answer{Code: done.Code, Message: done.Message}}, nil
	}
	act := incentive.Act(o.UpdateName)
	done := r.act(period, act, o.Args[0].(workflows.ActInput))
	bySystem := workflows.ActInput{Actor: workflows.System}
	if done.Code == "" {
		switch act {
		case incentive.Lock, incentive.Recalculate:
			r.key++
			done = run[activities.Outcome](r, r.work.Calculate, activities.PeriodAct{PeriodID: period, Revision: 1, Act: incentive.Calculate, Actor: workflows.System, Key: fmt.Sprint(r.key)}, done.SnapshotID)
		case incentive.Release:
			r.act(period, incentive.Disburse, bySystem)
			run[activities.RailWork](r, r.work.PrepareRail, period, 1, "payment-file")
			done = r.act(period, incentive.DisburseLast, bySystem)
		}
	}
	return handle{answer: workflows.Answer{State: done.State, Code: done.Code, Message: done.Message}}, nil
}

// UpdateWithStartWorkflow is the same: every approval queue has its workflow here.
func (r *engineRoom) UpdateWithStartWorkflow(ctx context.Context, o temporal.UpdateWithStartWorkflowOptions) (temporal.WorkflowUpdateHandle, error) {
	return r.UpdateWorkflow(ctx, o.UpdateOptions)
}

func (r *engineRoom) NewWithStartWorkflowOperation(temporal.StartWorkflowOptions, any, ...any) temporal.WithStartWorkflowOperation {
	return nil
}

func (r *engineRoom) SignalWithStartWorkflow(context.Context, string, string, any, temporal.StartWorkflowOptions, any, ...any) (temporal.WorkflowRun, error) {
	return nil, nil
}

// ExecuteWorkflow compares with a rail, or proves; whatever else is started is not waited for.
func (r *engineRoom) ExecuteWorkflow(_ context.Context, o temporal.StartWorkflowOptions, _ any, input ...any) (temporal.WorkflowRun, error) {
	if id, is := input[0].(int64); is && o.ID == activities.VerificationID(id) && r.hold == nil {
		var suite testsuite.WorkflowTestSuite
		environment := suite.NewTestActivityEnvironment()
		environment.RegisterActivity(r.work)
		_, err := environment.ExecuteActivity(r.work.Verify, id)
		require.NoError(r, err)
	}
	if in, is := input[0].(activities.ReconcileInput); is {
		return comparison{id: run[int64](r, r.work.Reconcile, in)}, nil
	}
	return nil, nil
}

type comparison struct {
	temporal.WorkflowRun
	id int64
}

func (c comparison) Get(_ context.Context, into any) error {
	*into.(*int64) = c.id
	return nil
}

// SignalWorkflow hears that the last approval came in.
func (r *engineRoom) SignalWorkflow(_ context.Context, workflowID, _, signal string, _ any) error {
	if signal == activities.LastApprovalSignal {
		r.act(strings.Split(workflowID, "/")[1], incentive.ApproveLast, workflows.ActInput{Actor: workflows.System})
	}
	return nil
}

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

// house is a company at its pages: an administrator, two of finance, an auditor, a
// manager m of the rep r1, and a rep r2 of nobody's.
type house struct {
	*testing.T
	url      string
	database string
	store    *store.Store
	room     *engineRoom
}

func open(t *testing.T, picks bool, wait time.Duration, more ...payments.Rail) *house {
	t.Helper()
	return openAs(t, picks, wait, func(string, *Config) {}, more...)
}

// openAs is open with other settings, which may depend on where the pages are.
func openAs(t *testing.T, picks bool, wait time.Duration, change func(address string, c *Config), more ...payments.Rail) *house {
	t.Helper()
	s, database := storetest.NewWithURL(t)
	rails, err := payments.NewRegistry(append(more, paymentfile.New("payment-file", "Test"))...)
	require.NoError(t, err)
	room := &engineRoom{T: t}
	room.work = &activities.Activities{Store: s, Rails: rails, Client: room, Now: time.Now, Replay: worker.Replay}
	log := slog.New(slog.DiscardHandler)
	surface, err := api.New(api.Config{Store: s, Client: room, Rails: rails, Log: log, CommandWait: wait, EvidenceKey: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Pages: "https://pay.example.com", FileDefaults: func(c store.CompanySettings) (store.FileSettings, error) {
		days := 1
		return store.FileSettings{Company: c.Name, NachaLeadDays: &days, IndiaTemplate: "{payment: [<b>]}"}, nil
	}})
	require.NoError(t, err)
	config := Config{API: surface, Sessions: s, Rails: rails.Names, Log: log}
	if picks {
		config.SignIn = &PickAPerson{
			Lifetime: time.Hour,
			Token: func(ctx context.Context, id string) (string, error) {
				return s.NewSession(ctx, id, time.Hour)
			},
			People: func(ctx context.Context) ([]client.Person, error) {
				return []client.Person{{Id: "r1", Name: "R <One>", Roles: []string{"rep"}}, {Id: "fin", Name: "Fin", Roles: []string{"finance"}}}, nil
			},
		}
	}
	server := httptest.NewUnstartedServer(nil)
	change("http://"+server.Listener.Addr().String(), &config)
	pages, err := New(config)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/", surface)
	mux.Handle("/", pages)
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, surface.Wait(context.Background()))
	})
	_, err = s.FirstAdministrator(t.Context(), "admin", "Test & Sons", "Asia/Jakarta", time.Hour)
	require.NoError(t, err)
	return &house{T: t, url: server.URL, database: database, store: s, room: room}
}

// visitor is somebody at the pages.
type visitor struct {
	*house
	id  string
	web *http.Client
}

func (h *house) as(id string) *visitor {
	h.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(h, err)
	v := &visitor{house: h, id: id, web: &http.Client{Jar: jar}}
	if id != "" {
		status, _ := v.send(http.MethodPost, "/sign-in", url.Values{"person": {id}})
		require.Equal(h, http.StatusOK, status)
	}
	return v
}

// send sends a request and follows where it leads.
func (v *visitor) send(method, path string, form url.Values) (status int, text string) {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), method, v.url+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return v.do(request)
}

func (v *visitor) do(request *http.Request) (status int, text string) {
	v.Helper()
	response, err := v.web.Do(request)
	require.NoError(v, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(v, err)
	if !strings.HasPrefix(response.Request.URL.Path, "/api/") {
		guardedAnswer(v, response)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		v.check(response, string(data))
	}
	return response.StatusCode, string(data)
}

// visit returns a page that is to be shown.
func (v *visitor) visit(path string) string {
	v.Helper()
	status, text := v.send(http.MethodGet, path, nil)
	require.Equal(v, http.StatusOK, status, "%s visits %s: %s", v.id, path, text)
	return text
}

var emptyElements = map[string]bool{"meta": true, "link": true, "input": true, "br": true, "img": true, "rect": false, "path": false}

// check holds every page that a test sees to the rules of all pages.
func (v *visitor) check(response *http.Response, text string) {
	v.Helper()
	at := response.Request.URL.Path
	require.Equal(v, "no-store", response.Header.Get("Cache-Control"), at)
	var within []string
	ids, captions, tables := map[string]bool{}, 0, 0
	tokens := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			require.ErrorIs(v, tokens.Err(), io.EOF, at)
			break
		}
		token := tokens.Token()
		switch kind {
		case html.StartTagToken:
			attributes := map[string]string{}
			for _, a := range token.Attr {
				require.False(v, strings.HasPrefix(a.Key, "on") || a.Key == "style", "%s: <%s %s> is script or style within the page", at, token.Data, a.Key)
				require.False(v, strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:"), at)
				require.NotContains(v, attributes, a.Key, "%s: <%s> twice has %s", at, token.Data, a.Key)
				attributes[a.Key] = a.Val
			}
			require.NotEqual(v, "style", token.Data, at)
			if token.Data == "script" {
				require.NotEmpty(v, attributes["src"], "%s: a script within the page", at)
			}
			if id := attributes["id"]; id != "" {
				require.False(v, ids[id], "%s: two elements are #%s", at, id)
				ids[id] = true
			}
			if token.Data == "form" && attributes["method"] == "post" && !strings.HasPrefix(attributes["action"], "/sign-") {
				form := text[strings.Index(text, token.String()):]
				require.Regexp(v, `(name="key" value="|\?key=)[0-9A-Z]{26}"`, form[:strings.Index(form, "</form>")], "%s: a form without a key", at)
			}
			switch token.Data {
			case "table":
				tables++
			case "caption":
				captions++
			}
			if !emptyElements[token.Data] {
				within = append(within, token.Data)
			}
		case html.EndTagToken:
			require.NotEmpty(v, within, "%s: </%s> ends nothing", at, token.Data)
			require.Equal(v, within[len(within)-1], token.Data, "%s: elements are not nested", at)
			within = within[:len(within)-1]
		case html.TextToken:
			if len(within) > 0 && within[len(within)-1] == "script" {
				require.Empty(v, strings.TrimSpace(token.Data), at)
			}
		}
	}
	require.Empty(v, within, "%s: elements are left open", at)
	require.Equal(v, tables, captions, "%s: every table has a caption", at)
	if response.Header.Get("HX-Refresh") == "" && strings.HasPrefix(text, "<!doctype") {
		for _, landmark := range []string{"<main", "<header", `href="#main"`, "<h1", `<html lang="`} {
			require.Contains(v, text, landmark, at)
		}
		require.Equal(v, 1, strings.Count(text, "<h1"), at)
	}
}

var (
	keyOf       = regexp.MustCompile(`name="key" value="([0-9A-Z]{26})"`)
	statementOf = regexp.MustCompile(`name="statement" value="([^"]+)"`)
	digestOf    = regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`)
	payoutOf    = regexp.MustCompile(`name="payout" value="([^"]+)"`)
	fileOf      = regexp.MustCompile(`name="file" value="([^"]+)"`)
	linkOf      = regexp.MustCompile(`<a [^>]*href="([^"#?][^"]*)"`)
)

// fill takes the key from the page and sends a form of it.
func (v *visitor) fill(page, action string, form url.Values) (status int, text string) {
	v.Helper()
	key := keyOf.FindStringSubmatch(v.visit(page))
	require.NotNil(v, key, "%s has no form", page)
	form.Set("key", key[1])
	return v.send(http.MethodPost, action, form)
}

// does sends a form that is to be taken.
func (v *visitor) does(page, action string, form url.Values, says string) {
	v.Helper()
	status, text := v.fill(page, action, form)
	require.Equal(v, http.StatusOK, status, text)
	require.Contains(v, text, says)
}

// imports sends files through the page.
func (v *visitor) imports(mapping, content string) (status int, text string) {
	v.Helper()
	action := regexp.MustCompile(`action="(/imports\?key=[0-9A-Z]{26})"`).FindStringSubmatch(v.visit("/imports"))
	require.NotNil(v, action)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, f := range []struct{ field, name, content string }{{"mapping", "mapping.yaml", mapping}, {"files", "file.csv", content}} {
		part, err := parts.CreateFormFile(f.field, f.name)
		require.NoError(v, err)
		_, err = io.WriteString(part, f.content)
		require.NoError(v, err)
	}
	require.NoError(v, parts.Close())
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.url+action[1], &body)
	require.NoError(v, err)
	request.Header.Set("Content-Type", parts.FormDataContentType())
	return v.do(request)
}

// settled fills the house by its pages: people with roles, a plan, two months with deals.
// Only r1 has said where to be paid.
func settled(t *testing.T, wait time.Duration, more ...payments.Rail) *house {
	t.Helper()
	h := open(t, true, wait, more...)
	h.settle()
	return h
}

func (h *house) settle() {
	h.Helper()
	admin := h.as("admin")
	for _, file := range []struct{ mapping, content string }{
		{`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: name, manager_id: manager, country: {constant: US}, pay_currency: {constant: USD}}}]`,
			"id,name,manager\nfin,Fin,\nfin2,Finn,\nfin3,Finley,\naud,Aud,\nm,Em,\nr1,R <One>,m\nr2,R Two,\n"},
		{`records: [{kind: period, fields: {calendar_id: {constant: m}, code: code, starts_on: first, ends_on: last}}]`,
			"code,first,last\n2026-01,2026-01-01,2026-01-31\n2026-02,2026-02-01,2026-02-28\n"},
		{"records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n",
			"deal,day,amount,owner\nD1,2026-01-05,123456.78,r1\nD2,2026-01-06,1000,r2\nD3,2026-02-06,2000,r1\nD0,2026-01-07,0,r1\n"},
	} {
		status, text := admin.imports(file.mapping, file.content)
		require.Equal(h, http.StatusOK, status, text)
		require.Contains(h, text, "Every row was taken.")
	}
	admin.does("/plans", "/plans", url.Values{"document": {"language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate: 5%}]\n"}, "effective_from": {"2026-01-01"}}, "Plan P is kept as version 1.")
	status, text := admin.imports(`records: [{kind: assignment, fields: {participant_id: id, plan_id: {constant: p}, calendar_id: {constant: m}, starts_on: {constant: "2026-01-01"}}}]`, "id\nr1\nr2\n")
	require.Equal(h, http.StatusOK, status, text)
	require.Contains(h, text, "Every row was taken.", text)
	for id, role := range map[string]string{"fin": "finance", "fin2": "finance", "fin3": "finance", "aud": "auditor", "m": "manager", "r1": "rep", "r2": "rep"} {
		admin.does("/people/"+id, "/people/"+id, url.Values{"form": {"roles"}, "role": {role}}, "are saved.")
	}
	h.as("r1").does("/account", "/account", url.Values{"rail": {"payment-file"}, "holder": {"R"}, "account": {"DE89 3704 0044 0532 0130 00"}}, "From now on you are paid there.")
}

// contractor makes a rep one whom any rail may pay.
func (h *house) contractor(id string) {
	h.Helper()
	status, text := h.as("admin").imports(`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: name, manager_id: manager, kind: {constant: contractor}, country: {constant: US}, pay_currency: {constant: USD}}}]`,
		"id,name,manager\n"+id+",R <One>,m\n")
	require.Equal(h, http.StatusOK, status, text)
}

// TestAPeriod takes a month from opened to closed and looks at every page on the way.
func TestAPeriod(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin, fin2, m, r1 := h.as("fin"), h.as("fin2"), h.as("m"), h.as("r1")
	const at = "/periods/m-2026-01"
	require.Contains(t, fin.visit("/"), "January 2026 can be opened")
	require.Contains(t, r1.visit("/"), "You have no statement yet")
	_, err := h.store.PutPolicy(t.Context(), "fin", "m", "payouts: {largest: [5000 USD], withholding: [{of: [employee], rate: 10%}]}")
	require.NoError(t, err)
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	require.Contains(t, fin.visit("/"), "January 2026 has ended and can be locked")
	fin.does(at, at, url.Values{"act": {"lock"}}, "the statements are being calculated.")
	for _, page := range []string{"/", at, at + "/statements/r1", at + "/payouts"} {
		status, text := r1.send(http.MethodGet, page, nil)
		require.NotContains(t, text, "6,172.84", "%d: nothing is seen before it is published", status)
	}
	require.Contains(t, fin.visit(at), "6,222.84\u00a0USD")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	require.Contains(t, fin.visit(at), "The dispute window ends on")
	statement := r1.visit(at + "/statements/r1")
	require.Contains(t, statement, "123,456.78 × 0.05 = 6,172.839")
	require.Contains(t, statement, "6,172.84\u00a0USD")
	require.Contains(t, statement, "D1")
	require.Regexp(t, `(?s)What no line pays for, and why.*D0.*Commission: nothing of it is credited`, statement)
	require.Contains(t, r1.visit("/"), "6,172.84\u00a0USD")
	status, text := r1.send(http.MethodGet, at+"/statements/r2", nil)
	require.Equal(t, http.StatusNotFound, status)
	require.NotContains(t, text, "50.00")
	fin.does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")

	require.Contains(t, m.visit("/"), "1 statement of January 2026 waits for your approval")
	queue := m.visit(at + "/approvals")
	require.Contains(t, queue, "R &lt;One&gt;", "names are written as text")
	status, text = m.fill(at+"/approvals", at+"/approvals", url.Values{"decision": {"approved"}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Nothing is chosen.")
	chosen := statementOf.FindStringSubmatch(queue)[1]
	status, text = m.fill(at+"/approvals", at+"/approvals", url.Values{"decision": {"rejected"}, "statement": {chosen}, "reason": {" "}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "only an approval needs no reason")
	require.Contains(t, text, "checked", "what was chosen stays chosen")
	require.Contains(t, fin2.visit(at+"/waiting"), "2 statements wait for a decision.")
	needed := fin2.visit(at)
	require.Contains(t, needed, `<a href="`+at+`/waiting">Approve the statements</a> <strong>2</strong>`)
	require.Regexp(t, `class="did">Publish the results\s*<span>Fin, `, needed)
	m.does(at+"/approvals", at+"/approvals", url.Values{"decision": {"approved"}, "statement": {chosen}}, "1 approved. 0 left.")
	fin3 := h.as("fin3")
	mine := statementOf.FindStringSubmatch(fin3.visit(at + "/approvals?queue=finance"))[1]
	fin3.does(at+"/approvals?queue=finance", at+"/approvals", url.Values{"queue": {"finance"}, "decision": {"approved"}, "statement": {mine}}, "1 approved. 0 left.")
	require.Contains(t, fin2.visit(at+"/waiting"), "Everything is decided.")
	kept := payoutOf.FindAllStringSubmatch(fin.visit(at+"/payouts"), -1)
	require.Len(t, kept, 2, "one is above the limit, and one goes nowhere yet")
	require.Contains(t, fin.visit(at+"/payouts"), "More than one payout may pay.")
	for _, page := range []string{fin.visit(at + "/payouts"), r1.visit("/"), r1.visit("/payouts"), r1.visit(at + "/statements/r1")} {
		require.Contains(t, page, "617.28\u00a0USD was kept as tax.")
	}
	lifted := 0
	for _, one := range kept {
		form := url.Values{"payout": {one[1]}, "act": {"lift"}, "reason": {"a large deal"}}
		if status, _ := fin.fill(at+"/payouts", at+"/payouts", form); status == http.StatusOK {
			lifted++
		} else {
			require.Equal(t, http.StatusConflict, status)
		}
	}
	require.Equal(t, 1, lifted, "and nobody lets go what has nowhere to go")
	require.Contains(t, fin2.visit(at+"/payouts"), "Let go by fin, though a limit held it.")
	_, err = h.store.PutSanctionsList(t.Context(), "fin", "ours", "id,name\n5,One R\n")
	require.NoError(t, err)
	require.Contains(t, fin2.visit(at+"/payouts"), "May be ours/5 of the sanctions lists.")
	checked := r1.visit("/payouts")
	require.Contains(t, checked, "held")
	require.NotContains(t, checked, "ours/5", "nobody tells those whom a list may mean")
	again := url.Values{"payout": {payoutOf.FindStringSubmatch(fin.visit(at + "/payouts"))[1]}, "act": {"lift"}, "reason": {"somebody else"}}
	if status, _ := fin.fill(at+"/payouts", at+"/payouts", again); status != http.StatusOK {
		again.Set("payout", payoutOf.FindAllStringSubmatch(fin.visit(at+"/payouts"), -1)[1][1])
		status, _ = fin.fill(at+"/payouts", at+"/payouts", again)
		require.Equal(t, http.StatusOK, status)
	}

	require.Contains(t, fin.visit(at+"/release"), "See what would be sent")
	rehearsal := fin.visit(at + "/rehearsal")
	require.Contains(t, rehearsal, "1 payout")
	require.Contains(t, rehearsal, "5,555.56\u00a0USD")
	require.Contains(t, fin.visit(at+"/rehearsal/payment-file/USD"), "DE89370400440532013000")
	status, text = fin.send(http.MethodGet, at+"/rehearsal/payment-file/EUR", nil)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, "no file by payment-file in EUR")
	require.Contains(t, fin.visit(at+"/release"), "You prepared this period")
	digest := digestOf.FindStringSubmatch(fin2.visit(at + "/release"))[1]
	status, text = fin.send(http.MethodPost, at+"/release", url.Values{"digest": {digest}, "key": {client.NewKey()}})
	require.Equal(t, http.StatusForbidden, status, "and not by a forged form either")
	require.Contains(t, text, "That did not work.")
	status, _ = fin2.fill(at+"/release", at+"/release", url.Values{"digest": {strings.Repeat("0", 64)}})
	require.Equal(t, http.StatusConflict, status, "another list than the one that stands")
	fin2.does(at+"/release", at+"/release", url.Values{"digest": {digest}}, "The payouts are released.")
	require.Contains(t, fin2.visit("/"), "January 2026 has a file to take to the bank")
	file := fileOf.FindStringSubmatch(fin2.visit(at + "/files"))[1]
	require.Contains(t, fin2.visit("/payment-files/"+file), "DE89370400440532013000")
	status, text = fin2.fill(at, at, url.Values{"act": {"close"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "That did not work.")
	require.Contains(t, h.as("r2").visit("/"), "You have not said where you want to be paid")
	require.Contains(t, fin2.visit("/"), "1 payout of January 2026 needs you")
	exceptions := fin2.visit(at + "/payouts")
	require.Contains(t, exceptions, "This person has not said where to be paid.")
	held := payoutOf.FindStringSubmatch(exceptions)[1]
	status, text = fin2.fill(at+"/payouts", at+"/payouts", url.Values{"payout": {held}, "act": {"retry"}, "reason": {"again"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "This is possible only for a payout that is failed")
	require.Contains(t, fin2.visit("/exceptions?period=m-2026-01&reason=no-destination"), held)
	require.NotContains(t, fin2.visit("/exceptions?rail=stripe"), held)
	_, err = h.store.PutPolicy(t.Context(), "fin", "m", "payouts: {second_person_above: [1 USD]}")
	require.NoError(t, err)
	fin2.does("/exceptions", "/exceptions", url.Values{"payout": {held}, "act": {"cancel"}, "reason": {"paid in cash"}}, "Somebody else of finance is asked to confirm it.")
	require.Contains(t, fin2.visit("/exceptions"), "It waits for somebody else of finance")
	audited := h.as("aud").visit("/exceptions")
	require.NotContains(t, audited, "has asked for it to be given up", "auditors only read")
	require.Contains(t, audited, `href="/audit?subject=payout/`, "who did what about it is one step away")
	h.as("fin").does("/exceptions", "/exceptions", url.Values{"payout": {held}, "of": {"cancel-payout"}, "act": {"confirm"}}, "It is confirmed, and done.")
	require.Contains(t, fin2.visit("/exceptions"), "No payout waits for a person.")
	stop := store.RailStop{PeriodID: "m-2026-01", Revision: 1, Rail: "payment-file", Code: "balance-too-small", Available: incentive.Money{Minor: 10000, Currency: "USD"}, Needed: incentive.Money{Minor: 25000, Currency: "USD"}}
	require.NoError(t, h.store.StopRail(t.Context(), stop, nil))
	require.Contains(t, fin2.visit("/cockpit"), "Rails that are stopped")
	require.Contains(t, fin2.visit(at+"/payouts"), "It holds 100.00\u00a0USD, and 250.00\u00a0USD are to be paid.")
	require.NotContains(t, h.as("aud").visit(at+"/payouts"), "Set aside what is left")
	fin2.does(at+"/payouts", at+"/payouts", url.Values{"rail": {"payment-file"}, "act": {"resumed"}, "reason": {"filled up"}}, "The rail goes on.")
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}}, "Sent by Finn")
	require.Contains(t, fin2.visit("/"), "Say when the bank has carried out the file")
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}, "paid": {"true"}}, "Carried out by the bank")
	require.Contains(t, r1.visit("/payouts"), "paid")
	odd, err := h.store.KeepStatusFile(t.Context(), store.StatusFile{Rail: "payment-file", Name: "odd", UploadedBy: "fin2"}, []byte("odd"))
	require.NoError(t, err)
	all, err := h.store.Payouts(t.Context(), "m-2026-01", 1, []string{"r1"}, "", 1)
	require.NoError(t, err)
	require.NoError(t, h.store.ApplyOutcomes(t.Context(), odd.ID, []store.PayoutOutcome{{PayoutID: all[0].ID, State: "paid", Amount: all[0].Amount, Unclear: true}}))
	require.Contains(t, fin2.visit(at+"/payouts"), "It is right as it stands")
	require.NotContains(t, h.as("aud").visit(at+"/payouts"), "It is right as it stands")
	fin2.does(at+"/payouts", at+"/payouts", url.Values{"payout": {all[0].ID}, "act": {"clear"}, "reason": {"the bank has said so"}}, "The payout is cleared.")
	require.NotContains(t, fin2.visit(at+"/payouts"), "It is right as it stands")

	require.NotContains(t, fin.visit(at+"/files"), "Pay by another file")
	back, err := h.store.KeepStatusFile(t.Context(), store.StatusFile{Rail: "payment-file", Name: "back", UploadedBy: "fin2"}, []byte("back"))
	require.NoError(t, err)
	require.NoError(t, h.store.ApplyOutcomes(t.Context(), back.ID, []store.PayoutOutcome{{PayoutID: all[0].ID, State: "returned", Code: "AC04"}}))
	require.Contains(t, fin.visit(at+"/files"), "1 payout was not paid by this file.")
	require.Contains(t, fin.visit(at+"/payouts"), "another file of the period can pay it")
	require.NotContains(t, h.as("aud").visit(at+"/files"), "Pay by another file", "auditors only read")
	fin.does(at+"/files", at+"/files/again", url.Values{"file": {file}, "reason": {"the account is open again"}}, "What the file did not pay is on the payout list to be released.")
	require.NotContains(t, fin.visit(at+"/files"), "Pay by another file")
	digest = digestOf.FindStringSubmatch(fin2.visit(at + "/release"))[1]
	fin2.does(at+"/release", at+"/release", url.Values{"digest": {digest}}, "The payouts are released.")
	next := fileOf.FindAllStringSubmatch(fin2.visit(at+"/files"), -1)
	file = next[len(next)-1][1]
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}}, "Sent by Finn")
	fin2.does(at+"/files", at+"/files", url.Values{"file": {file}, "paid": {"true"}}, "Carried out by the bank")
	require.Contains(t, fin2.visit("/"), "Everything of January 2026 is paid")
	fin2.does(at, at, url.Values{"act": {"close"}}, "The period is closed.")
	require.Contains(t, h.as("aud").visit("/ledger?period=m-2026-01"), "Commission expense")
	require.Contains(t, h.as("aud").visit("/audit?subject=pay-period/m-2026-01/1"), "Dispute window ended early")

	aud := h.as("aud")
	exports := aud.visit("/exports")
	for _, part := range []string{`<option value="m-2026-01">`, `name="from" required value="2026-01-01"`, `name="to" required value="2026-01-31"`, `value="2026"`, "<option selected>payroll</option>", "<option>quickbooks</option>"} {
		require.Contains(t, exports, part)
	}
	for path, says := range map[string]string{
		"/exports/payroll?period=m-2026-01&template=payroll-components":             "Participant,Name,Kind,Country,Period,Revision,Plan,Component,Kind of line,Currency,Amount\nr1,",
		"/exports/journal?from=2026-01-31&to=2026-01-31&currency=USD&template=xero": "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount\n\"m-2026-01, revision 1: approve (USD)\",31/01/2026,commission expense,",
		"/exports/register?from=2026-01-01&to=9999-12-31&template=register":         ",payment-file,",
		"/exports/year-end?year=2026&template=year-end":                             "2026,r1,",
		"/exports/contractors?year=2026&least=2000":                                 "Year,Participant,Name,Country,Currency,Nonemployee compensation,Federal income tax withheld\n",
		"/exports/contract-costs?from=2026-01-01&to=2026-12-31&longest=12":          "Month,Contract,Currency,Opening,Capitalised,Amortised,Written off,Closing\n",
		"/exports/company": "PK",
	} {
		require.Contains(t, aud.visit(path), says, path)
	}
	require.Contains(t, aud.visit("/audit?subject=file/payroll"), "Exported")
	for path, want := range map[string]int{
		"/exports/payroll?period=none": http.StatusNotFound, "/exports/journal?from=2026-01-31": http.StatusBadRequest, "/exports/register?to=2026-01-31": http.StatusBadRequest,
		"/exports/contractors?year=2027": http.StatusBadRequest, "/exports/contractors?year=now&least=1": http.StatusBadRequest, "/exports/contract-costs?from=2026-01-01&to=2026-12-31&longest=a": http.StatusBadRequest,
		"/exports/year-end?year=now": http.StatusBadRequest, "/exports/journal?from=2026-01-01&to=2026-01-31&template=register": http.StatusBadRequest,
	} {
		status, text := aud.send(http.MethodGet, path, nil)
		require.Equal(t, want, status, path)
		require.Contains(t, text, "<h1>This page cannot be shown</h1>", path)
	}

	t.Run("links", func(t *testing.T) { // every link of every page that somebody can reach leads to a page
		for _, id := range []string{"admin", "fin", "aud", "m", "r1"} {
			v := h.as(id)
			seen, left := map[string]bool{"/": true}, []string{"/", "/components", at, "/periods/m-2026-02"}
			for len(left) > 0 {
				page := left[0]
				left = left[1:]
				for _, link := range linkOf.FindAllStringSubmatch(v.visit(page), -1) {
					to := strings.ReplaceAll(link[1], "&amp;", "&")
					if page == "/components" || seen[to] || !strings.HasPrefix(to, "/") {
						continue
					}
					seen[to] = true
					left = append(left, to)
				}
			}
			require.Greater(t, len(seen), 4, "%s has somewhere to go", id)
		}
	})
	t.Run("roles", func(t *testing.T) { // every role on every page: as the rights table says
		people := map[string]incentive.Role{"admin": incentive.Administrator, "fin": incentive.Finance, "aud": incentive.Auditor, "m": incentive.Manager, "r1": incentive.Rep}
		visitors := map[string]*visitor{}
		for id := range people {
			visitors[id] = h.as(id)
		}
		for pattern := range (&site{}).routes() {
			method, path, _ := strings.Cut(pattern, " ")
			path = strings.NewReplacer("{$}", "", "{period}", "m-2026-01", "{person}", "r1", "{plan}", "p", "{version}", "1", "{file}", file, "{key}", "none", "{token}", strings.Repeat("0", 64), "{import}", "none", "{dispute}", "none", "{evidence}", "none", "{adjustment}", "none").Replace(path)
			path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "1")
			for id, role := range people {
				action, guarded := needs[pattern]
				if pattern == "POST /sign-out" || pattern == "GET /" || strings.HasSuffix(pattern, "/events") { // which has no end
					continue
				}
				require.True(t, guarded, "what may %s?", pattern)
				status, text := visitors[id].send(method, path, url.Values{"person": {"r2"}, "act": {map[bool]string{true: "retry", false: "hold"}[strings.HasSuffix(path, "payouts") || path == "/exceptions"]}, "statement": {"r1 " + strings.Repeat("0", 64)}, "effective_from": {"2026-01-01"}, "reason": {"why"}})
				allowed := action == "" || incentive.Right([]incentive.Role{role}, action) > incentive.None
				if !allowed {
					require.Equal(t, http.StatusForbidden, status, "%s as %s", pattern, id)
					continue
				}
				require.Less(t, status, 500, "%s as %s: %s", pattern, id, text)
				require.NotContains(t, text, "none of your roles", "%s as %s", pattern, id)
			}
			status, text := h.as("").send(method, path, nil)
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, text, "<h1>Sign in</h1>", "%s asks who is there", pattern)
		}
	})
}

// needs is the action that a page needs of the rights table; "" where everybody may.
var needs = map[string]incentive.Action{
	"GET /{$}": "", "GET /components": "", "GET /account": "", "POST /account": incentive.ChooseMethod, "POST /account/methods": incentive.ChooseMethod, "POST /account/accounts": incentive.ChooseMethod, "POST /account/confirmation": incentive.ChooseMethod, "POST /account/tokens": incentive.KeepTokens, "POST /account/tokens/{token}": incentive.KeepTokens, "GET /rewards": incentive.ChooseMethod, "POST /rewards": incentive.ChooseMethod, "GET /commands/{key}": "",
	"POST /account/settings": incentive.KeepSettings, "GET /notifications": incentive.KeepSettings, "POST /notifications": incentive.KeepSettings,
	"GET /points": incentive.RedeemPoints, "POST /points": incentive.RedeemPoints, "GET /redemptions": incentive.ReadTotals, "POST /redemptions": incentive.RunPeriod,
	"GET /live": incentive.ReadStatements, "POST /live": incentive.ReadStatements, "GET /team": incentive.ReadStatements, "GET /team/{person}": incentive.ReadStatements,
	"GET /pipeline": incentive.ReadStatements, "POST /pipeline": incentive.ReadStatements, "GET /objectives": incentive.ReadStatements, "POST /objectives": incentive.SetObjectives,
	"GET /deals": incentive.ReadStatements, "POST /deals": incentive.EnterDeals, "POST /deals/decisions": incentive.DecideDeals, "GET /deals/{deal}": incentive.ReadStatements, "POST /deals/{deal}": incentive.EnterDeals, "GET /deals/{deal}/files/{deal_file}": incentive.ReadStatements,
	"GET /statements": incentive.ReadStatements, "GET /payouts": incentive.ReadStatements,
	"GET /disputes": incentive.ReadStatements, "POST /disputes": incentive.RaiseDispute, "GET /disputes/new": incentive.RaiseDispute, "GET /disputes/{dispute}": incentive.ReadStatements, "POST /disputes/{dispute}/replies": incentive.RaiseDispute,
	"POST /disputes/{dispute}/answers": incentive.AnswerDispute, "GET /disputes/{dispute}/changes": incentive.RunPeriod, "GET /periods/{period}/runs": incentive.ReadTotals, "POST /quotas/file": incentive.ImportData, "GET /periods/{period}/changes": incentive.RunPeriod, "POST /periods/{period}/changes": incentive.RunPeriod,
	"GET /adjustments": incentive.ReadTotals, "POST /adjustments": incentive.AdjustPay, "POST /adjustments/{adjustment}/decision": incentive.AdjustPay,
	"POST /disputes/{dispute}/files": incentive.RaiseDispute, "GET /disputes/{dispute}/files/{evidence}": incentive.ReadStatements,
	"GET /cockpit": incentive.ReadTotals, "POST /cockpit": incentive.RunPeriod, "GET /approvals": incentive.DecideApproval, "GET /periods": "", "GET /periods/{period}": "", "POST /periods/{period}": incentive.RunPeriod,
	"GET /periods/{period}/statements": incentive.ReadStatements, "GET /periods/{period}/statements/{person}": incentive.ReadStatements,
	"GET /periods/{period}/approvals": incentive.ReadApprovals, "POST /periods/{period}/approvals": incentive.DecideApproval, "GET /periods/{period}/waiting": incentive.ReadTotals, "POST /periods/{period}/waiting": incentive.RunPeriod,
	"GET /delegations": incentive.ReadApprovals, "POST /delegations": incentive.DecideApproval,
	"GET /periods/{period}/payouts": incentive.ReadStatements, "POST /periods/{period}/payouts": incentive.RunPeriod,
	"GET /periods/{period}/release": incentive.ReadTotals, "POST /periods/{period}/release": incentive.ReleasePeriod, "GET /periods/{period}/rehearsal": incentive.ReadTotals, "GET /periods/{period}/rehearsal/{rail}/{currency}": incentive.ReadTotals,
	"GET /periods/{period}/files": incentive.ReadTotals, "POST /periods/{period}/files": incentive.ReleasePeriod, "POST /periods/{period}/files/again": incentive.RunPeriod, "GET /payment-files/{file}": incentive.ReadTotals, "GET /bank-accounts": incentive.ReadTotals, "POST /bank-accounts": incentive.ReleasePeriod, "GET /prenotes/{file}": incentive.ReadTotals,
	"GET /exports": incentive.ReadTotals, "GET /exports/payroll": incentive.ReadTotals, "GET /exports/journal": incentive.ReadTotals, "GET /exports/register": incentive.ReadTotals,
	"GET /exports/year-end": incentive.ReadTotals, "GET /exports/contractors": incentive.ReadTotals, "GET /exports/contract-costs": incentive.ReadTotals, "GET /exports/company": incentive.ReadEverything,
	"POST /sending": incentive.ReconcileRails, "GET /reconciliations": incentive.ReadTotals, "POST /reconciliations": incentive.ReconcileRails, "GET /reconciliations/{reconciliation}": incentive.ReadTotals, "POST /reconciliations/{reconciliation}": incentive.ReconcileRails,
	"GET /periods/{period}/proof": incentive.ReadAudit, "POST /periods/{period}/proof": incentive.Prove, "GET /verifications/{verification}": incentive.ReadAudit, "GET /verifications/{verification}/report": incentive.ReadAudit,
	"GET /periods/{period}/evidence-pack": incentive.Prove,
	"GET /periods/{period}/samples":       incentive.ReadAudit, "POST /periods/{period}/samples": incentive.Prove, "GET /samples/{sample}": incentive.ReadAudit, "POST /samples/{sample}": incentive.Prove, "GET /duties": incentive.ReadAudit, "GET /duties/document": incentive.ReadAudit, "GET /duties/file": incentive.ReadAudit,
	"GET /verifications/{verification}/document": incentive.ReadAudit, "GET /periods/{period}/statements/{person}/document": incentive.ReadStatements, "GET /periods/{period}/statements/{person}/certificates/{line}": incentive.ReadStatements, "GET /payouts/{payout}/document": incentive.ReadStatements,
	"GET /targets": incentive.ReadTargets, "POST /targets": incentive.ProposeTargets, "GET /targets/{proposal}": incentive.ReadTargets, "POST /targets/{proposal}/figures": incentive.ReviewTargets, "POST /targets/{proposal}/outcome": incentive.ProposeTargets,
	"GET /territories": incentive.ReadTerritories, "GET /territories/{territory}": incentive.ReadTerritories, "GET /teams/{team}": incentive.ReadTerritories,
	"GET /exceptions": incentive.ReadTotals, "POST /exceptions": incentive.RunPeriod, "GET /periods/{period}/uncredited": incentive.ReadTotals, "POST /periods/{period}/approvals/file": incentive.DecideApproval,
	"GET /ledger": incentive.ReadTotals, "GET /audit": incentive.ReadAudit, "GET /rails": incentive.ReadRails, "GET /rails/{rail}": incentive.ReadRails, "POST /rails/{rail}": incentive.AdministerRails, "GET /tokens": incentive.AdministerPeople, "POST /tokens": incentive.AdministerPeople, "GET /people": incentive.ReadRecords,
	"GET /tour": incentive.AdministerPeople, "GET /settings": incentive.ReadRecords, "POST /settings/payment-files": incentive.AdministerPeople, "POST /settings": incentive.AdministerPeople,
	"GET /plans": "", "POST /plans": incentive.ImportStructure, "GET /plans/{plan}/versions/{version}": "", "POST /plans/{plan}/versions/{version}": incentive.AcceptPlan,
	"POST /people": incentive.ImportStructure, "GET /people/{person}": incentive.ReadRecords, "POST /people/{person}": incentive.ImportData, "GET /hierarchy": incentive.ReadRecords, "GET /quotas": incentive.ReadRecords, "POST /quotas": incentive.ImportData, "GET /reliefs": incentive.ReadReliefs, "POST /reliefs": incentive.ImportData, "POST /reliefs/proposals": incentive.ProposeReliefs, "POST /reliefs/proposals/{relief_proposal}": incentive.DecideReliefs,
	"GET /calendars": incentive.ReadRecords, "POST /calendars": incentive.ImportStructure, "GET /calendars/{calendar}/policy": incentive.ReadRecords, "POST /calendars/{calendar}/policy": incentive.ImportStructure,
	"GET /plan-drafts": incentive.ImportStructure, "POST /plan-drafts": incentive.ImportStructure, "GET /plan-drafts/{draft}": incentive.ImportStructure, "POST /plan-drafts/{draft}": incentive.ImportStructure,
	"GET /simulation": incentive.ReadTotals, "POST /simulation": incentive.ReadTotals,
	"GET /imports": incentive.ReadRecords, "POST /imports": incentive.ImportData, "GET /imports/{import}": incentive.ReadRecords, "POST /imports/{import}": incentive.ImportData,
}

// TestSignIn is how a session begins and ends.
func TestSignIn(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	stranger := h.as("")
	page := stranger.visit("/ledger?period=m-2026-01")
	require.Contains(t, page, `name="to" value="/ledger?period=m-2026-01"`, "one goes on where one wanted to")
	require.Contains(t, page, "R &lt;One&gt;")
	for _, to := range []string{"https://evil.example/", "//evil.example/", `/\evil.example`, "javascript:alert(1)", "evil"} {
		require.Equal(t, "/", local(to), to)
		require.Contains(t, stranger.visit("/sign-in?to="+url.QueryEscape(to)), `name="to" value="/"`)
	}
	status, text := stranger.send(http.MethodPost, "/sign-in", url.Values{"person": {"nobody"}})
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, "There is no participant")

	// The cookie is out of the reach of scripts and of other sites' forms.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/sign-in", strings.NewReader("person=r1"))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	cookie := answer.Header.Get("Set-Cookie")
	for _, part := range []string{"guerdon=guerdon_", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=3600"} {
		require.Contains(t, cookie, part)
	}
	require.NotContains(t, cookie, "Secure", "over plain HTTP")
	encrypted := httptest.NewRecorder()
	(&site{Config: Config{HTTPS: true}}).setCookie(encrypted, sessionCookie, "x", time.Hour)
	require.Regexp(t, "^__Host-guerdon=x; Path=/; .*; Secure", encrypted.Header().Get("Set-Cookie"))
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		forged := request.Clone(t.Context())
		forged.Body = io.NopCloser(strings.NewReader("person=r1"))
		forged.Header.Set(header, value)
		answer, err := http.DefaultTransport.RoundTrip(forged)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusForbidden, answer.StatusCode, header)
		require.Empty(t, answer.Header.Get("Set-Cookie"))
	}

	// Signing out makes the token worthless, here or everywhere.
	here, there := h.as("r1"), h.as("r1")
	kept := here.session()
	_, text = here.send(http.MethodPost, "/sign-out", url.Values{})
	require.Contains(t, text, "<h1>Sign in</h1>")
	require.Empty(t, here.session())
	_, err = h.store.Authenticate(t.Context(), kept)
	require.Equal(t, store.CodeUnauthenticated, incentive.ErrorCode(err))
	require.Contains(t, there.visit("/"), "Hello, R &lt;One&gt;")
	third := h.as("r1")
	there.send(http.MethodPost, "/sign-out", url.Values{"everywhere": {"yes"}})
	require.Contains(t, third.visit("/"), "<h1>Sign in</h1>")
	require.Contains(t, h.as("fin").visit("/"), "Hello, Fin", "others stay")
}

// TestOpenID signs people in by the word of a real provider.
func TestOpenID(t *testing.T) {
	t.Parallel()
	var settings openid.Settings
	h := openAs(t, true, time.Minute, func(address string, c *Config) {
		settings = openidtest.Start(t, address, openidtest.User{Email: "ann@example.com", Verified: true}, openidtest.User{Email: "eve@example.com", Verified: true})
		var err error
		c.OpenID, err = openid.New(t.Context(), settings)
		require.NoError(t, err)
	})
	status, text := h.as("admin").imports(`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: id, email: email, country: {constant: US}, pay_currency: {constant: USD}}}]`, "id,email\nann,ann@example.com\n")
	require.Equal(t, http.StatusOK, status, text)
	require.NoError(t, h.store.Grant(t.Context(), "admin", "ann", []incentive.Role{incentive.Rep}))

	// begin goes as far as the provider, and returns where that is.
	begin := func(v *visitor) string {
		v.web.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), settings.Issuer) {
				return http.ErrUseLastResponse
			}
			return nil
		}
		answer, err := v.web.Get(h.url + "/sign-in/begin?to=/account")
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		to, err := answer.Location()
		require.NoError(t, err)
		require.Equal(t, "S256", to.Query().Get("code_challenge_method"))
		return to.String()
	}
	const back = openid.ReturnPath + "?"
	ann := h.as("")
	require.Contains(t, ann.visit("/account"), `href="/sign-in/begin?to=%2faccount"`)
	answer := openidtest.SignIn(t, begin(ann), "ann@example.com")

	thief := h.as("") // the answer in another browser is worth nothing
	status, text = thief.send(http.MethodGet, back+answer.Encode(), nil)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "begun elsewhere")
	at, err := url.Parse(h.url)
	require.NoError(t, err)
	for _, forged := range []string{"x", "e30", base64.RawURLEncoding.EncodeToString([]byte(`{"state":""}`))} {
		thief.web.Jar.SetCookies(at, []*http.Cookie{{Name: attemptCookie, Value: forged}})
		status, _ = thief.send(http.MethodGet, openid.ReturnPath, nil)
		require.Equal(t, http.StatusForbidden, status, forged)
	}

	require.Contains(t, ann.visit(back+answer.Encode()), "<h1>ann</h1>", "signed in, where one wanted to go")
	status, _ = ann.send(http.MethodGet, back+answer.Encode(), nil)
	require.Equal(t, http.StatusForbidden, status, "the same answer again")
	require.Contains(t, ann.visit("/account"), "<h1>ann</h1>", "and the session stays")

	stranger := h.as("")
	status, text = stranger.send(http.MethodGet, back+openidtest.SignIn(t, begin(stranger), "eve@example.com").Encode(), nil)
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "Nobody here has the e-mail address eve@example.com")

	// Who tries faster than a person would is held up, and no one else's page is.
	require.Eventually(t, func() bool {
		status, text = stranger.send(http.MethodPost, "/sign-in", url.Values{"person": {"nobody"}})
		return status == http.StatusTooManyRequests
	}, time.Minute, time.Nanosecond)
	require.Contains(t, text, "Wait a moment")
	require.Contains(t, ann.visit("/account"), "<h1>ann</h1>")
}

// TestTokens makes a token on the page of one's account, sees it once, and ends it.
func TestTokens(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	rep := h.as("r1")
	status, text := rep.fill("/account", "/account/tokens", url.Values{"name": {"My <laptop>"}, "days": {"3"}, "only": {"read-statements"}})
	require.Equal(t, http.StatusOK, status)
	secret := regexp.MustCompile(`guerdon_[0-9A-Z]{26}`).FindString(text)
	me, err := h.store.Authenticate(t.Context(), secret)
	require.NoError(t, err)
	require.Equal(t, []incentive.Action{incentive.ReadStatements}, me.Only)
	page := rep.visit("/account")
	require.NotContains(t, page, secret)
	require.Contains(t, page, "My &lt;laptop&gt;")
	require.Contains(t, page, "Session of these pages")
	for form, want := range map[string]int{"name=x&days=never": http.StatusBadRequest, "name=x&days=400": http.StatusBadRequest, "name=x&days=3&only=fly": http.StatusBadRequest, "name=&days=3": http.StatusBadRequest} {
		sent, err := url.ParseQuery(form)
		require.NoError(t, err)
		status, _ := rep.fill("/account", "/account/tokens", sent)
		require.Equal(t, want, status, form)
	}
	kept, err := h.store.Tokens(t.Context(), "r1")
	require.NoError(t, err)
	for _, one := range kept {
		if one.Name != "My <laptop>" {
			continue
		}
		rep.does("/account", "/account/tokens/"+one.ID, url.Values{}, "It is worth nothing any more.")
		status, _ := rep.fill("/account", "/account/tokens/"+one.ID, url.Values{})
		require.Equal(t, http.StatusNotFound, status)
	}
	_, err = h.store.Authenticate(t.Context(), secret)
	require.Equal(t, store.CodeUnauthenticated, incentive.ErrorCode(err))
}

// TestNobodyPicks is an installation whose sign-in is not configured.
func TestNobodyPicks(t *testing.T) {
	t.Parallel()
	h := open(t, false, time.Minute)
	v := h.as("")
	require.Contains(t, v.visit("/"), "Sign-in by OpenID Connect is to be configured")
	status, _ := v.send(http.MethodPost, "/sign-in", url.Values{"person": {"admin"}})
	require.Equal(t, http.StatusNotFound, status)
}

// TestRefusals shows what the API refuses, in place and in words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin, r1, admin := h.as("fin"), h.as("r1"), h.as("admin")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	status, text := fin.fill(at, at, url.Values{"act": {"cancel"}, "reason": {""}})
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, text, "Say why: cancel needs a reason")
	status, text = fin.fill(at, at, url.Values{"act": {"publish"}})
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "The period is open")
	status, text = r1.fill("/account", "/account", url.Values{"rail": {"payment-file"}, "holder": {"Keep Me"}, "account": {"DE00 3704"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "Keep Me", "what was written stays written")
	require.Contains(t, text, "That did not work.")
	status, text = admin.fill("/plans", "/plans", url.Values{"document": {"plan: <b>"}, "effective_from": {"2026-01-01"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "plan: &lt;b&gt;</textarea>")
	status, text = admin.imports("records: x", "a\n")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, text, "That did not work.")
	status, text = admin.imports(`records: [{kind: assignment, fields: {participant_id: id, plan_id: {constant: p}, calendar_id: {constant: m}, starts_on: {constant: "2026-01-01"}}}]`, "id\nnobody\n")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "Rows that wait")
	require.Contains(t, text, "nobody")
	status, text = fin.send(http.MethodGet, "/nowhere", nil)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, text, "There is no page at /nowhere.")
	status, _ = fin.send(http.MethodPost, at, url.Values{"act": {"lock"}})
	require.Equal(t, http.StatusBadRequest, status, "a form without a key does nothing")

	// The same form again does nothing again.
	form := url.Values{"act": {"hold"}, "reason": {"audit"}, "key": {client.NewKey()}}
	for range 2 {
		status, text = fin.send(http.MethodPost, at, form)
		require.Equal(t, http.StatusOK, status, text)
	}
	require.Equal(t, 1, strings.Count(fin.visit(at), "<strong>Put on hold</strong>"))
}

// TestRejection sends a statement to finance, who take the period back.
func TestRejection(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin, m := h.as("fin"), h.as("m")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	fin.does(at, at, url.Values{"act": {"lock"}}, "The data are locked")
	fin.does(at, at, url.Values{"act": {"publish"}}, "The statements are published.")
	fin.does(at, at, url.Values{"act": {"extend-window"}, "days": {"3"}, "reason": {"holidays"}}, "The dispute window is extended.")
	fin.does(at, at, url.Values{"act": {"end-window"}}, "with their approvers")
	queue := at + "/approvals"
	chosen := statementOf.FindStringSubmatch(m.visit(queue))[1]
	m.does(queue, queue, url.Values{"decision": {"rejected"}, "statement": {chosen}, "reason": {"D1 is not his"}}, "1 rejected and sent to finance. 0 left.")
	require.Contains(t, m.visit(queue), "The 1 statement here is decided.")
	status, text := m.send(http.MethodPost, queue, url.Values{"key": {client.NewKey()}, "decision": {"approved"}, "statement": {chosen}})
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "0 decided, 1 not", "a decision is not taken back by a stale page")
	fin.does(at, at, url.Values{"act": {"withdraw"}, "reason": {"D1 goes elsewhere"}}, "The statements are withdrawn.")
	require.Contains(t, h.as("r1").visit("/statements"), "You have no statement yet")
}

// TestRefresh is how a page follows a period that moves on by itself.
func TestRefresh(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Minute)
	fin := h.as("fin")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	for seen, refresh := range map[string]string{"open": "", "locked": "true"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+at+"?seen="+seen, nil)
		require.NoError(t, err)
		request.Header.Set("HX-Request", "true")
		answer, err := fin.web.Do(request)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, refresh, answer.Header.Get("HX-Refresh"), seen)
		require.NotContains(t, string(text), "<html", "a part of a page")
	}
}

// TestStaticFilesAreOfThisVersion has browsers keep styles and scripts, and never show a
// page with those of an earlier version.
func TestStaticFilesAreOfThisVersion(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"static/style.css": {Data: []byte("a {}")}}
	get := func(have string) *httptest.ResponseRecorder {
		request := httptest.NewRequest(http.MethodGet, "/static/style.css", nil)
		request.Header.Set("If-None-Match", have)
		answer := httptest.NewRecorder()
		kept(files, http.FileServerFS(files)).ServeHTTP(answer, request)
		return answer
	}
	first := get("")
	require.Equal(t, http.StatusOK, first.Code)
	require.Equal(t, "no-cache", first.Header().Get("Cache-Control"))
	tag := first.Header().Get("ETag")
	require.Equal(t, http.StatusNotModified, get(tag).Code)
	files["static/style.css"].Data = []byte("b {}")
	require.Equal(t, http.StatusOK, get(tag).Code)
}

// TestSlow waits with the visitor for a command that takes long, and says how it ended.
func TestSlow(t *testing.T) {
	t.Parallel()
	h := settled(t, time.Second)
	fin := h.as("fin")
	const at = "/periods/m-2026-01"
	fin.does(at, at, url.Values{"act": {"open"}}, "The period is open.")
	hold := make(chan bool)
	h.room.hold = hold
	fin.web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	slow := func(act string) (waiting string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+at, strings.NewReader(url.Values{"act": {act}, "key": {client.NewKey()}}.Encode()))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := fin.web.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusSeeOther, answer.StatusCode)
		waiting = answer.Header.Get("Location")
		require.Regexp(t, `^/commands/`, waiting)
		page := fin.visit(waiting)
		require.Contains(t, page, "The page goes on by itself.")
		require.Contains(t, page, `hx-get="/commands/`)
		return waiting
	}
	asks := func(waiting string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+waiting, nil)
		require.NoError(t, err)
		request.Header.Set("HX-Request", "true")
		answer, err := fin.web.Do(request)
		require.NoError(t, err)
		return answer
	}
	waiting := slow("lock")
	hold <- true
	require.Eventually(t, func() bool {
		answer := asks(waiting)
		require.NoError(t, answer.Body.Close())
		return answer.Header.Get("HX-Redirect") == at
	}, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, fin.visit(at), "The data are locked")

	waiting = slow("end-window") // not possible now
	hold <- true
	var text []byte
	require.Eventually(t, func() bool {
		answer := asks(waiting)
		defer answer.Body.Close()
		var err error
		text, err = io.ReadAll(answer.Body)
		require.NoError(t, err)
		return strings.Contains(string(text), "That did not work.")
	}, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, string(text), "The period is calculated")
	status, _ := fin.send(http.MethodGet, "/commands/other", nil)
	require.Equal(t, http.StatusNotFound, status)
}

package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/api"
	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/language"
	"github.com/guerdon/guerdon/store"
)

// relation is how somebody stands to whoever a record is about.
type relation string

const (
	own   relation = "own"
	team  relation = "team"
	other relation = "other"
)

// needed is how far a right must reach to a record of such a relation.
var needed = map[relation]incentive.Scope{own: incentive.Own, team: incentive.Team, other: incentive.All}

// everyRole is every role, and that of somebody without any.
var everyRole = append(slices.Clone(incentive.Roles), "nobody")

// rightsCompany has a person for each role, with somebody below each and one of nobody's,
// who all are paid, dispute and are decided about. January's payouts are released, February
// is being approved, March is open, and April waits.
type rightsCompany struct {
	*house
	tokens map[string]string
	things map[string]map[string]string // of each person, what an operation's path names
	sums   map[string][]incentive.Money // of each person, which nobody else has
}

const january, february, march = "m-2026-01", "m-2026-02", "m-2026-03"

// about returns whom a record of such a relation is about.
func about(role incentive.Role, to relation) string {
	return map[relation]string{own: "the-" + string(role), team: "below-" + string(role), other: "other"}[to]
}

// paid are all that are paid.
func paid() (people []string) {
	for _, role := range everyRole {
		people = append(people, about(role, own), about(role, team))
	}
	return append(people, "other")
}

// openRights fills the company.
func openRights(t *testing.T) *rightsCompany {
	t.Helper()
	c := &rightsCompany{house: open(t, true, time.Minute), tokens: map[string]string{}, things: map[string]map[string]string{}, sums: map[string][]incentive.Money{}}
	admin := c.as("admin")
	var people, deals, credits strings.Builder
	people.WriteString("id,manager\nf1,\nf2,\nf3,\n")
	deals.WriteString("deal,day,amount,owner\n")
	for i, id := range paid() {
		above, isBelow := strings.CutPrefix(id, "below-")
		if above = "the-" + above; !isBelow {
			above = ""
		}
		fmt.Fprintf(&people, "%s,%s\n", id, above)
		fmt.Fprintf(&credits, "%s\n", id)
		for month := 1; month <= 3; month++ {
			fmt.Fprintf(&deals, "D%d-%s,2026-%02d-05,%d.40,%s\n", month, id, month, 20*(1000*month+101+13*i), id)
		}
	}
	for _, file := range []struct{ mapping, content string }{
		{`records: [{kind: participant, fields: {participant_id: id, effective_from: {constant: "2025-01-01"}, name: id, manager_id: manager, country: {constant: US}, pay_currency: {constant: USD}}}]`, people.String()},
		{`records: [{kind: period, fields: {calendar_id: {constant: m}, code: code, starts_on: first, ends_on: last}}]`,
			"code,first,last\n2026-01,2026-01-01,2026-01-31\n2026-02,2026-02-01,2026-02-28\n2026-03,2026-03-01,2026-03-31\n2026-04,2026-04-01,2026-04-30\n"},
		{"records:\n  - {kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}}\n  - {kind: credit, fields: {source: {constant: crm}, transaction_id: deal, participant_id: owner}}\n", deals.String()},
		{"records:\n  - {kind: territory, fields: {territory_id: {constant: west}, effective_from: day, name: {constant: West}}}\n  - {kind: team, fields: {team_id: {constant: inside}, effective_from: day, name: {constant: Inside}}}\n", "day\n2026-01-01\n"},
	} {
		status, text := admin.imports(file.mapping, file.content)
		require.Equal(t, http.StatusOK, status, text)
		require.Contains(t, text, "Every row was taken.")
	}
	admin.does("/plans", "/plans", url.Values{"document": {rightsPlan}, "effective_from": {"2026-01-01"}}, "is kept as version 1.")
	status, text := admin.imports(`records: [{kind: assignment, fields: {participant_id: id, plan_id: {constant: p}, calendar_id: {constant: m}, starts_on: {constant: "2026-01-01"}}}]`, "id\n"+credits.String())
	require.Equal(t, http.StatusOK, status, text)
	for _, id := range []string{"f1", "f2", "f3"} {
		require.NoError(t, c.store.Grant(t.Context(), "admin", id, []incentive.Role{incentive.Finance}))
	}
	for _, id := range paid() {
		c.things[id] = map[string]string{"person": id, "queue": id}
		_, err := c.store.SetDestination(t.Context(), id, store.Destination{ParticipantID: id, Rail: "payment-file", Details: map[string]string{"holder": id, "account": "DE89370400440532013000"}, Masked: "DE…3000"})
		require.NoError(t, err)
	}
	for _, role := range everyRole { // whoever has somebody below approves
		require.NoError(t, c.store.Grant(t.Context(), "admin", about(role, own), []incentive.Role{incentive.Manager}))
	}
	c.to(february)
	for _, role := range everyRole {
		var roles []incentive.Role
		if role != "nobody" {
			roles = append(roles, role)
		}
		require.NoError(t, c.store.Grant(t.Context(), "admin", about(role, own), roles))
	}
	for done := false; !done; {
		var err error
		done, _, err = c.store.RefreshEstimates(t.Context(), time.Now())
		require.NoError(t, err)
	}
	c.note()
	return c
}

const rightsPlan = "language: 1\nplan: p\nname: P\ncurrency: USD\ncomponents: [{name: Commission, measure: {sum: credits}, rate: 5%}]\n"

// to takes January to its payment file, and February to its approvers.
func (c *rightsCompany) to(february string) {
	c.Helper()
	post := func(id, path, body string) string {
		c.Helper()
		status, text := c.ask(id, http.MethodPost, path, body, nil)
		require.Less(c, status, 300, "%s as %s: %s", path, id, text)
		return text
	}
	for _, period := range []string{january, february} {
		at := "/periods/" + period
		post("f1", at+"/open", "")
		for _, act := range []string{"lock", "publish"} {
			post("f1", at+"/acts", fmt.Sprintf(`{"act":%q}`, act))
		}
		if period == february {
			c.dispute()
		}
		post("f1", at+"/acts", `{"act":"end-window"}`)
		if period == february {
			break
		}
		for _, role := range everyRole {
			post(about(role, own), at+"/decisions", `{"decision":"approved"}`)
		}
		post("f2", at+"/decisions", `{"decision":"approved","queue":"finance"}`)
		_, list := c.ask("f3", http.MethodGet, at+"/payout-list", "", nil)
		digest := regexp.MustCompile(`"digest":"([0-9a-f]{64})"`).FindStringSubmatch(list)
		require.NotNil(c, digest, list)
		post("f3", at+"/release", fmt.Sprintf(`{"payout_list_digest":%q}`, digest[1]))
	}
	post("f1", "/periods/"+march+"/open", "")
}

// dispute lets everybody dispute their February with a file, and enters an adjustment for
// and a delegation of each.
func (c *rightsCompany) dispute() {
	c.Helper()
	ctx := c.Context()
	text, err := c.store.WriteText(ctx, "f1", "it is wrong")
	require.NoError(c, err)
	for _, id := range paid() {
		d, err := c.store.RaiseDispute(ctx, store.Dispute{ID: uuid.NewString(), PeriodID: february, ParticipantID: id, Type: incentive.MissingDeal, Expected: incentive.Money{Minor: 100, Currency: "USD"},
			Item: incentive.DisputedItem{Transaction: incentive.TransactionKey{Source: "crm", ID: "lost of " + id}}, CommentID: text}, incentive.MustParseDate("2026-03-02"))
		require.NoError(c, err)
		e, err := c.store.AddEvidence(ctx, store.Evidence{ID: uuid.NewString(), DisputeID: d.ID, Name: "proof.txt", Content: []byte("the proof of " + id), AddedBy: id})
		require.NoError(c, err)
		a := store.Adjustment{EnteredBy: "f1", ReasonID: text, Adjustment: incentive.Adjustment{ID: uuid.NewString(), ParticipantID: id, PeriodID: march, Type: incentive.Goodwill, Amount: incentive.Money{Minor: 700, Currency: "USD"}}}
		_, err = c.store.EnterAdjustment(ctx, a)
		require.NoError(c, err)
		sold, err := c.store.EnterDeal(ctx, store.EnteredDeal{ID: uuid.NewString(), ParticipantID: id, Date: incentive.MustParseDate("2026-02-10"), Amount: decimal.NewFromInt(7), Currency: "USD"}, incentive.MustParseDate("2026-03-02"))
		require.NoError(c, err)
		order, err := c.store.AddEvidence(ctx, store.Evidence{ID: uuid.NewString(), DealID: sold.ID, Name: "order.txt", Content: []byte("the order of " + id), AddedBy: id})
		require.NoError(c, err)
		today := incentive.DateOf(time.Now())
		g, err := c.store.Delegate(ctx, store.Delegation{ID: uuid.NewString(), From: id, To: "f3", StartsOn: today.AddDays(30), EndsOn: today.AddDays(31), MadeBy: "f1"})
		require.NoError(c, err)
		maps.Copy(c.things[id], map[string]string{"dispute": d.ID, "evidence": e.ID, "adjustment": a.ID, "delegation": g.ID, "deal": sold.ID, "deal_file": order.ID, "relief_proposal": c.propose(id, text)})
	}
}

// propose lets somebody propose a relief for everybody: the manager for their own team.
func (c *rightsCompany) propose(id, reasonID string) string {
	c.Helper()
	by := "f1"
	if id == about(incentive.Manager, team) {
		by = about(incentive.Manager, own)
	}
	half := decimal.New(5, -1)
	p, err := c.store.ProposeRelief(c.Context(), store.ReliefProposal{ID: uuid.NewString(), ProposedBy: by, ReasonID: reasonID,
		Relief: incentive.Relief{ParticipantID: id, Measure: "sales", StartsOn: incentive.MustParseDate("2026-04-01"), EndsOn: incentive.MustParseDate("2026-04-30"), Cause: incentive.ReliefLeave, Share: &half}})
	require.NoError(c, err)
	return p.ID
}

// note writes down what is whose.
func (c *rightsCompany) note() {
	c.Helper()
	finance, err := c.client("f1")
	require.NoError(c, err)
	for _, period := range []string{january, february} {
		all, err := client.Read[client.Statements](finance.ListStatements(c.Context(), period, &client.ListStatementsParams{}))
		require.NoError(c, err)
		for _, s := range all.Statements {
			c.sums[s.Person] = append(c.sums[s.Person], s.Total)
		}
	}
	estimates, err := client.Read[client.Estimates](finance.ListEstimates(c.Context(), march, &client.ListEstimatesParams{}))
	require.NoError(c, err)
	for _, e := range estimates.Estimates {
		c.sums[e.Person] = append(c.sums[e.Person], *e.Total)
	}
	payouts, err := client.Read[client.Payouts](finance.ListPayouts(c.Context(), january, &client.ListPayoutsParams{}))
	require.NoError(c, err)
	for _, p := range payouts.Payouts {
		c.things[p.Person]["payout"] = p.Id
	}
	for _, id := range paid() {
		require.Len(c, c.sums[id], 3, id)
		require.NotEmpty(c, c.things[id]["payout"], id)
	}
	status, text := c.ask("f1", http.MethodPost, "/periods/"+january+"/verifications", `{}`, nil)
	require.Equal(c, http.StatusCreated, status, text)
	status, text = c.ask("f1", http.MethodPost, "/periods/"+january+"/samples", `{"size":2}`, nil)
	require.Equal(c, http.StatusCreated, status, text)
	differs := store.RailDifference{Kind: store.StateDiffers, PayoutID: c.things["other"]["payout"], OurMinor: &c.sums["other"][0].Minor, Currency: "USD"}
	_, err = c.store.KeepReconciliation(c.Context(), "k", store.Reconciliation{Rail: "payment-file", Day: incentive.MustParseDate("2026-02-05"), RunBy: store.System}, nil, []store.RailDifference{differs})
	require.NoError(c, err)
}

func (c *rightsCompany) token(id string) string {
	c.Helper()
	if c.tokens[id] == "" {
		secret, err := c.store.NewToken(c.Context(), "admin", id, "test", time.Hour)
		require.NoError(c, err)
		c.tokens[id] = secret
	}
	return c.tokens[id]
}

func (c *rightsCompany) client(id string) (*client.Client, error) {
	return client.New(c.url, c.token(id))
}

// ask asks the API. A form is sent as files.
func (c *rightsCompany) ask(id, method, path, body string, files map[string]string) (status int, text string) {
	c.Helper()
	content, kind := io.Reader(strings.NewReader(body)), "application/json"
	if files != nil {
		var form bytes.Buffer
		parts := multipart.NewWriter(&form)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			part, err := parts.CreateFormFile(name, name+".txt")
			require.NoError(c, err)
			_, err = io.WriteString(part, files[name])
			require.NoError(c, err)
		}
		require.NoError(c, parts.Close())
		content, kind = &form, parts.FormDataContentType()
	}
	ctx, leave := context.WithCancel(c.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, method, c.url+api.Prefix+path, content)
	require.NoError(c, err)
	if id != "" {
		request.Header.Set("Authorization", "Bearer "+c.token(id))
	}
	if method != http.MethodGet {
		request.Header.Set("Idempotency-Key", client.NewKey())
		if body != "" || files != nil {
			request.Header.Set("Content-Type", kind)
		}
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(c, err)
	defer response.Body.Close()
	if response.Header.Get("Content-Type") == "text/event-stream" {
		return response.StatusCode, "" // without end
	}
	data, err := io.ReadAll(response.Body)
	require.NoError(c, err)
	return response.StatusCode, string(data)
}

// sees holds what somebody was shown against the table: no amount of anybody out of reach.
func (c *rightsCompany) sees(role incentive.Role, text, where string) {
	c.Helper()
	reach := incentive.Right([]incentive.Role{role}, incentive.ReadStatements)
	for _, id := range paid() {
		if reach >= needed[c.relation(role, id)] {
			continue
		}
		for _, sum := range c.sums[id] {
			for _, written := range []string{language.English.Money(sum), `"` + sum.Decimal().StringFixed(2) + `"`} {
				require.NotContains(c, text, written, "%s shows %s what %s earns", where, role, id)
			}
		}
	}
}

func (c *rightsCompany) relation(role incentive.Role, id string) relation {
	for _, r := range []relation{own, team} {
		if about(role, r) == id {
			return r
		}
	}
	return other
}

// asked is how an operation is asked for in the walk.
type asked struct {
	path    string // what stands in the place of a parameter, as period=m-2026-02; the rest has its own
	query   string
	body    string                              // PERSON is whom it is about, DEAL the deal that they entered
	files   map[string]string                   // instead of a body
	narrow  map[incentive.Scope]incentive.Scope // how far it goes, where that is less than the table says
	notOwn  bool                                // nobody does it about themselves
	status  int                                 // of whoever may; 200 when 0
	refused int                                 // of whoever may, about somebody out of reach; 404 when 0
	lists   string                              // the field of its answer that says whom it lists: everybody within reach
}

// Rights whose reach is that to statements, while their acts are one's own.
var (
	ownOfTeam = map[incentive.Scope]incentive.Scope{incentive.Team: incentive.Own}
	ownOfAll  = map[incentive.Scope]incentive.Scope{incentive.Team: incentive.Own, incentive.All: incentive.Own}
)

// walked is every operation of the document.
var walked = map[string]asked{
	"getHealth": {}, "getMe": {}, "getSettings": {}, "putSettings": {body: `{"language":"en","messages":"daily","by_email":true}`}, "listNotifications": {}, "seeNotifications": {body: `{"up_to":1}`}, "getCompany": {}, "putCompany": {body: `{"name":"Test","time_zone":"Asia/Jakarta"}`},
	"listPlanGallery": {}, "checkPlan": {body: fmt.Sprintf(`{"document":%q}`, rightsPlan)}, "listPlanDrafts": {}, "beginPlanDraft": {body: `{"document":"x"}`, status: 201}, "getPlanDraft": {}, "costPlan": {body: fmt.Sprintf(`{"document":%q}`, rightsPlan)},
	"putPlanDraft": {body: `{"version":9,"document":"x"}`, status: 409}, "discardPlanDraft": {path: "draft=" + uuid.Nil.String(), status: 404},
	"getHistory": {}, "getHierarchy": {}, "listQuotas": {}, "listReliefs": {}, "listHolidays": {query: "year=2026"}, "listCalendars": {},
	"enterRecords":  {body: `{"kind":"quota","records":[{"fields":{"participant_id":"other","measure":"sales","starts_on":"2026-04-01","ends_on":"2026-04-30","amount":"1000"}}]}`, status: 201},
	"removeHoliday": {path: "date=2026-12-25", status: 404}, "makePeriods": {body: `{"pattern":"monthly","count":1}`, path: "calendar=m", status: 201},
	"listPeople": {}, "putRoles": {body: `{"roles":[]}`, path: "person=f3"},
	"getSetup": {}, "getCompanyHistory": {}, "getFileSettings": {}, "getFileDefaults": {}, "putFileSettings": {body: `{"nacha_lead_days":2}`},
	"listAllTokens": {}, "getAuditFile": {}, "listRails": {}, "getRail": {path: "rail=payment-file"}, "putRailLimits": {path: "rail=payment-file", body: `{"largest":[{"amount":"900000","currency":"USD"}],"reason":"x"}`},
	"listTokens": {refused: 403}, "makeToken": {body: `{"name":"t","days":1}`, status: 201, refused: 403}, "revokeToken": {status: 404, refused: 403},
	"getDestination": {refused: 403}, "putDestination": {body: `{"rail":"payment-file","details":{"holder":"R","account":"DE89 3704 0044 0532 0130 00"}}`, refused: 403}, "listRewards": {refused: 403},
	"getPoints": {refused: 403}, "redeemPoints": {body: `{"rail":"payment-file","product":"x","currency":"USD","points":1}`, status: 422, refused: 403}, "listRedemptions": {}, "giveBackPoints": {body: `{"reason":"x"}`, status: 404},
	"openAccount": {body: `{"rail":"payment-file"}`, status: 400, refused: 403}, "confirmAccount": {path: "method=999999", status: 404, refused: 403},
	"getMethods": {refused: 403}, "putMethods": {body: `{"methods":[{"rail":"payment-file","details":{"holder":"R","account":"DE89 3704 0044 0532 0130 00"},"share":"1"}]}`, refused: 403},
	"importFiles": {files: map[string]string{"mapping": `records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}}]`, "files": "deal,day,amount\nX,2026-04-01,1\n"}, status: 201},
	"getImport":   {}, "listImports": {}, "retryRows": {body: `{"rows":[{"position":99}]}`, status: 409}, "leaveRowOut": {path: "row=99", body: `{"reason":"x"}`, status: 404},
	"listPlans": {}, "putPlan": {body: fmt.Sprintf(`{"document":%q,"effective_from":"2026-01-01"}`, rightsPlan), status: 201}, "getPlan": {},
	"simulatePlan": {body: fmt.Sprintf(`{"document":%q}`, rightsPlan)}, "getPolicy": {}, "putPolicy": {body: `{"document":"disputes: {answer_within_days: 3}"}`},
	"listPeriods": {}, "getPeriod": {}, "openPeriod": {path: "period=m-2026-04", status: 201}, "reopenPeriod": {body: `{"reason":"x"}`, status: 409},
	"listActs": {}, "actOnPeriod": {path: "period=" + march, body: `{"act":"hold","reason":"x"}`}, "getChecklist": {}, "listRuns": {}, "listDifferences": {query: "from=1&to=1"}, "getDistribution": {},
	"listAcceptances": {lists: "person"}, "acceptPlan": {body: `{"signature":"PERSON"}`, status: 201, refused: 201}, // the first signature stands
	"remind":         {path: "period=" + february, body: `{"item":"approvals","person":"below-manager"}`, status: 409},
	"listUncredited": {}, "listChanges": {}, "listLateData": {path: "period=" + march},
	"listDisputes": {lists: "person"}, "raiseDispute": {body: `{"period":"m-2026-02","type":"calculation","plan":"p","component":"Commission","expected":{"amount":"1","currency":"USD"},"comment":"x"}`, status: 201},
	"getDispute": {}, "replyToDispute": {body: `{"act":"withdraw"}`}, "answerDispute": {body: `{"act":"ask","text":"x"}`, notOwn: true},
	"addEvidence": {files: map[string]string{"file": "x"}, status: 201}, "getEvidence": {},
	"listAdjustments": {}, "enterAdjustment": {body: `{"period":"m-2026-03","person":"PERSON","type":"goodwill","amount":{"amount":"1","currency":"USD"},"reason":"x"}`, notOwn: true, status: 201},
	"decideAdjustment": {body: `{"decision":"approved"}`, notOwn: true}, "releasePeriod": {body: `{"payout_list_digest":"` + strings.Repeat("0", 64) + `"}`, status: 409},
	"listEstimates": {path: "period=" + march, lists: "person"}, "getEstimate": {path: "period=" + march}, "whatIf": {path: "period=" + march, body: `{"deals":[{"amount":"1"}]}`}, "streamEstimates": {},
	"listStatements": {lists: "person"}, "getStatement": {}, "getProof": {},
	"listApprovals": {path: "period=" + february, query: "queue=PERSON", refused: 403},
	"decide":        {path: "period=" + february, body: `{"decision":"approved","queue":"PERSON"}`, narrow: ownOfAll, refused: 403},
	"listQueues":    {path: "period=" + february}, "reassign": {path: "period=" + february, body: `{"to":"f2","reason":"x"}`},
	"listDelegations": {}, "delegate": {body: `{"from":"PERSON","to":"f2","starts_on":"2026-11-01","ends_on":"2026-11-01"}`, narrow: ownOfTeam, status: 201, refused: 403}, "endDelegation": {narrow: ownOfTeam},
	"getPayoutList": {}, "rehearseRelease": {}, "rehearseFile": {status: 404}, "listExceptions": {}, "listDestinationCorrections": {}, "decideDestinationCorrection": {body: `{"decision":"confirmed"}`, status: 404}, "listPayouts": {lists: "person"}, "retryPayout": {body: `{"reason":"x"}`, status: 409}, "cancelPayout": {body: `{"reason":"x"}`, status: 409}, "clearDoubt": {body: `{"reason":"x"}`, notOwn: true, status: 409}, "liftHold": {body: `{"reason":"x"}`, notOwn: true, status: 409}, "decideRailStop": {body: `{"decision":"resumed","reason":"x"}`, status: 409},
	"redirectPayout": {body: `{"reason":"x","destination_version":1}`, notOwn: true, status: 409}, "recallPayout": {body: `{"reason":"x"}`, status: 409}, "decidePayout": {body: `{"decision":"confirmed"}`, status: 409},
	"listPaymentFiles": {}, "getPaymentFile": {}, "listPrenotes": {}, "buildPrenotes": {body: `{"rail":"payment-file"}`, status: 400}, "getPrenotes": {path: "file=" + uuid.Nil.String(), status: 404}, "confirmPrenotes": {path: "file=" + uuid.Nil.String(), status: 404}, "confirmPaymentFile": {body: `{"paid":false}`}, "payAgain": {body: `{"reason":"x"}`, status: 409}, "uploadStatusFile": {files: map[string]string{"file": "x"}, status: 400}, "getStatusFile": {path: "file=" + uuid.Nil.String(), status: 404},
	"getSending": {}, "clearSending": {body: `{"reason":"x"}`, status: 409},
	"listReconciliations": {}, "getReconciliation": {}, "listRailDifferences": {}, "reconcile": {body: `{"rail":"payment-file","day":"2999-01-01"}`, status: 400}, "explainDifferences": {body: `{"differences":[1],"reason":"x"}`},
	"listSamples": {}, "drawSample": {body: `{"size":2}`, status: 201}, "getSample": {}, "remarkSample": {body: `{"number":1,"verdict":"fine"}`}, "getDuties": {query: "from=2026-01-01&to=2026-12-31"},
	"getDutiesDocument": {query: "from=2026-01-01&to=2026-12-31"}, "getDutiesFile": {query: "from=2026-01-01&to=2026-12-31"},
	"getEvidencePack":   {},
	"listVerifications": {}, "verify": {body: `{}`, status: 201}, "getVerification": {}, "getVerificationReport": {}, "getVerificationDocument": {}, "getStatementDocument": {}, "getPayoutDocument": {}, "getCertificate": {status: 404},
	"listTargetProposals": {}, "proposeTargets": {body: `{"name":"x","plan":"p","measure":"m","currency":"USD","starts_on":"2027-01-01","ends_on":"2027-03-31","method":"evenly","target":"1"}`, status: 201},
	"getTargetProposal": {}, "changeTarget": {body: `{"person":"PERSON","version":9,"amount":"1","reason":"x"}`, notOwn: true, status: 409, refused: 403}, "endTargetProposal": {body: `{"outcome":"published","sum":"0"}`, status: 409},
	"listOpportunities": {query: "person=PERSON"}, "getPipeline": {path: "period=" + march},
	"listEnteredDeals": {lists: "person"}, "getEnteredDeal": {}, "getDealEvidence": {}, "getPendingDeals": {path: "period=" + march}, "enterDeal": {body: `{"date":"2026-02-10","amount":"1","currency":"USD"}`, status: 201},
	"addDealEvidence": {files: map[string]string{"file": "x"}, status: 201}, "correctDeal": {body: `{"version":1,"date":"2026-02-10","amount":"1","currency":"USD"}`}, "withdrawDeal": {body: `{"version":2}`},
	"decideDeals":    {body: `{"decision":"rejected","reason":"x","deals":[{"deal":"DEAL","version":1}]}`, notOwn: true},
	"listObjectives": {}, "setObjective": {path: "period=" + march, body: `{"person":"PERSON","name":"Launch","weight":"0.1"}`, notOwn: true, refused: 403},
	"listReliefProposals": {lists: "person"}, "proposeRelief": {body: `{"person":"PERSON","measure":"m","starts_on":"2026-04-01","ends_on":"2026-04-30","cause":"leave","share":"0.5","reason":"x"}`, notOwn: true, status: 201, refused: 403},
	"decideRelief": {body: `{"decision":"granted"}`, notOwn: true}, "withdrawRelief": {notOwn: true},
	"listTerritories": {}, "getTerritory": {}, "listTeams": {}, "getTeam": {},
	"getBalances": {}, "listAuditEvents": {}, "streamAudit": {},
	"getPayrollFile": {query: "period=" + january}, "getJournalFile": {query: "from=2026-01-01&to=2026-12-31"}, "getRegisterFile": {query: "from=2026-01-01&to=2026-12-31"}, "getYearEndFile": {query: "year=2026"},
	"getContractorsFile": {query: "year=2026&least=600"}, "getContractCostsFile": {query: "from=2026-01-01&to=2026-12-31"},
	"listFileTemplates": {}, "putFileTemplate": {body: `{"document":"x"}`, status: 422}, "getFileTemplate": {}, "listSanctionsLists": {}, "putSanctionsList": {body: `{"document":"x"}`, status: 400}, "exportCompany": {}, "getCommand": {status: 404},
}

// everywhere is what a path names that is nobody's.
func (c *rightsCompany) everywhere() map[string]string {
	c.Helper()
	all := map[string]string{"plan": "p", "version": "1", "calendar": "m", "rail": "payment-file", "template": "xero", "list": "ours", "currency": "USD", "key": "none", "token": strings.Repeat("0", 64), "period": january, "reconciliation": "1", "verification": "1", "sample": "1", "correction": "none", "redemption": "none", "line": "1"}
	all["territory"], all["team"] = "west", "inside"
	status, proposal := c.ask("f1", http.MethodPost, "/target-proposals", `{"name":"x","plan":"p","measure":"m","currency":"USD","starts_on":"2027-01-01","ends_on":"2027-03-31","method":"evenly","target":"1000"}`, nil)
	require.Equal(c, http.StatusCreated, status, proposal)
	all["proposal"] = regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(proposal)[1]
	status, text := c.ask("admin", http.MethodPost, "/plan-drafts", fmt.Sprintf(`{"document":%q}`, rightsPlan), nil)
	require.Equal(c, http.StatusCreated, status, text)
	all["draft"] = regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(text)[1]
	status, text = c.ask("f1", http.MethodPost, "/imports", "", map[string]string{
		"mapping": `records: [{kind: transaction, fields: {source: {constant: crm}, transaction_id: deal, date: day, amount: amount, currency: {constant: USD}}}]`, "files": "deal,day,amount\nY,2026-04-01,1\n"})
	require.Equal(c, http.StatusCreated, status, text)
	all["import"] = regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(text)[1]
	_, text = c.ask("f1", http.MethodGet, "/periods/"+january+"/payment-files", "", nil)
	file := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(text)
	require.NotNil(c, file, text)
	all["file"] = file[1]
	return all
}

var pathParameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// TestRights walks every role through every operation of the document, about oneself, one's
// team and others: each is answered as the rights table says, and shows nobody what
// somebody out of reach earns.
func TestRights(t *testing.T) {
	t.Parallel()
	c := openRights(t)
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	require.NoError(t, err)
	everywhere := c.everywhere()
	type operation struct {
		method, path string
		action       incentive.Action
	}
	operations := map[string]operation{}
	for path, item := range document.Paths.Map() {
		for method, o := range item.Operations() {
			_, said := walked[o.OperationID]
			require.True(t, said, "say here how %s is asked for", o.OperationID)
			action, _ := o.Extensions["x-action"].(string)
			operations[o.OperationID] = operation{method, path, incentive.Action(action)}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(walked)) { // in one order, as some change what others ask about
		o, is := operations[id]
		require.True(t, is, "%s is no more", id)
		status, text := c.ask("", o.method, pathParameter.ReplaceAllString(o.path, "x"), "", nil)
		if o.action != "" {
			require.Equal(t, http.StatusUnauthorized, status, "%s without a token: %s", id, text)
		}
		for _, role := range everyRole {
			c.walk(role, o.method, o.path, o.action, walked[id], everywhere)
		}
	}
}

// walk asks for one operation as one role.
func (c *rightsCompany) walk(role incentive.Role, method, path string, action incentive.Action, w asked, everywhere map[string]string) {
	c.Helper()
	scope := incentive.Right([]incentive.Role{role}, action)
	for _, to := range []relation{own, team, other} {
		id := about(role, to)
		somebody := strings.Contains(w.body+w.query, "PERSON") || strings.Contains(w.body, "DEAL")
		at := pathParameter.ReplaceAllStringFunc(path, func(parameter string) string {
			name := strings.Trim(parameter, "{}")
			if given, value, _ := strings.Cut(w.path, "="); given == name {
				return value
			}
			if thing := c.things[id][name]; thing != "" {
				somebody = true
				return thing
			}
			return everywhere[name]
		})
		if !somebody && to != own {
			continue
		}
		person := strings.NewReplacer("PERSON", id, "DEAL", c.things[id]["deal"])
		if w.query != "" {
			at += "?" + person.Replace(w.query)
		}
		where := fmt.Sprintf("%s %s as %s", method, at, role)
		status, text := c.ask(about(role, own), method, at, person.Replace(w.body), w.files)
		want := max(w.status, http.StatusOK)
		reaches := scope
		if narrow, is := w.narrow[scope]; is {
			reaches = narrow
		}
		switch {
		case action == "": // anybody may
		case scope == incentive.None:
			want = http.StatusForbidden
			require.Contains(c, text, "none of your roles may", where)
		case somebody && to == own && w.notOwn:
			want = http.StatusForbidden
			require.Contains(c, text, "own", where)
		case somebody && reaches < needed[to]:
			want = http.StatusNotFound
			if w.refused != 0 {
				want = w.refused
			}
		}
		require.Equal(c, want, status, "%s: %s", where, text)
		c.sees(role, text, where)
		if w.lists != "" && status == http.StatusOK {
			listed := map[string]bool{}
			for _, found := range regexp.MustCompile(`"`+w.lists+`":"([^"]+)"`).FindAllStringSubmatch(text, -1) {
				listed[found[1]] = true
			}
			for _, one := range paid() {
				require.Equal(c, scope >= needed[c.relation(role, one)], listed[one], "%s lists %s", where, one)
			}
		}
	}
}

// TestRightsOfPages visits every page as every role, about oneself, one's team and others:
// it is shown or refused as the rights table says, and shows nobody what somebody out of
// reach earns.
func TestRightsOfPages(t *testing.T) {
	t.Parallel()
	c := openRights(t)
	everywhere := c.everywhere()
	for _, role := range everyRole {
		v := c.as(about(role, own))
		for pattern := range (&site{}).routes() {
			method, path, _ := strings.Cut(pattern, " ")
			if method != http.MethodGet || path == "/" || strings.HasSuffix(path, "/events") { // which has no end
				continue
			}
			action, guarded := needs[pattern]
			require.True(t, guarded, "what may %s?", pattern)
			reach := incentive.Right([]incentive.Role{role}, action)
			for _, to := range []relation{own, team, other} {
				id := about(role, to)
				for _, period := range []string{january, february, march} {
					at, somebody := strings.NewReplacer("{$}", "", "{period}", period).Replace(path), false
					at = pathParameter.ReplaceAllStringFunc(at, func(parameter string) string {
						name := strings.Trim(parameter, "{}")
						if thing := c.things[id][name]; thing != "" {
							somebody = true
							return thing
						}
						return everywhere[name]
					})
					queue := strings.HasSuffix(path, "/approvals") && path != "/approvals"
					if queue {
						at += "?queue=" + id
					}
					status, text := v.send(method, at, nil)
					where := fmt.Sprintf("%s as %s", at, role)
					c.sees(role, text, where)
					switch {
					case action == "" && role == "nobody": // who sees that there is nothing for them
						require.Less(t, status, http.StatusInternalServerError, where)
					case action != "" && reach == incentive.None:
						require.Equal(t, http.StatusForbidden, status, where)
					case queue && reach < needed[to]:
						require.Equal(t, http.StatusForbidden, status, where)
					case somebody && reach < needed[to], strings.Contains(path, "/statements/{person}") && period == march, strings.Contains(path, "/certificates/"): // no line achieves anything
						require.Equal(t, http.StatusNotFound, status, where)
					case strings.HasSuffix(path, "/evidence-pack"), strings.HasPrefix(path, "/exports/"), strings.HasPrefix(path, "/commands/"), path == "/prenotes/{file}", strings.HasSuffix(path, "/rehearsal/{rail}/{currency}"), path == "/disputes/new": // asked for nothing that there is
						require.Less(t, status, http.StatusInternalServerError, where)
					default:
						require.Equal(t, http.StatusOK, status, "%s: %s", where, text)
					}
				}
			}
		}
	}
}

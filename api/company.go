package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guerdon/guerdon/api/spec"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
	"github.com/guerdon/guerdon/incentive/plan"
	"github.com/guerdon/guerdon/store"
	"github.com/shopspring/decimal"
)

// value returns what is pointed at, or nothing.
func value[T any](pointer *T) (v T) {
	if pointer != nil {
		v = *pointer
	}
	return v
}

func orNil[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// exactly is a decimal as the API writes it, nil where there is none.
func exactly(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	text := d.String()
	return &text
}

// limitOf is how many items a page has.
func limitOf(limit *int) int {
	if limit == nil {
		return 100
	}
	return *limit
}

// listing is what of a list is asked for.
func listing(search, sort *string) store.Listing {
	return store.Listing{Search: value(search), Sort: value(sort)}
}

// next returns where the next page begins, nil after a page that is not full.
func next[T any](items, limit int, last func() T) *T {
	if items < limit {
		return nil
	}
	at := last()
	return &at
}

func accepted(ctx context.Context) spec.AcceptedJSONResponse {
	at := location(ctx)
	return spec.AcceptedJSONResponse{Body: spec.Accepted{Location: at}, Headers: spec.AcceptedResponseHeaders{Location: &at}}
}

func (s *server) today() incentive.Date { return incentive.DateOf(time.Now()) }

// GetHealth says whether the database answers.
func (s *server) GetHealth(ctx context.Context, _ spec.GetHealthRequestObject) (spec.GetHealthResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		return nil, incentive.Errorf(codeBusy, "the database does not answer")
	}
	return spec.GetHealth200JSONResponse{Status: spec.HealthStatusOk}, nil
}

// GetMe says who is signed in.
func (s *server) GetMe(ctx context.Context, _ spec.GetMeRequestObject) (spec.GetMeResponseObject, error) {
	me := personOf(ctx)
	unseen, err := s.Store.UnseenNotices(ctx, me.ID)
	return spec.GetMe200JSONResponse{Id: me.ID, Name: me.Name, Roles: textsOf(me.Roles), Language: orNil(string(me.Language)), Unseen: &unseen}, err
}

// textsOf returns roles or actions as the API writes them.
func textsOf[T ~string](named []T) []string {
	names := []string{}
	for _, name := range named {
		names = append(names, string(name))
	}
	return names
}

// GetCompany returns the company.
func (s *server) GetCompany(ctx context.Context, _ spec.GetCompanyRequestObject) (spec.GetCompanyResponseObject, error) {
	name, zone, err := s.Store.Company(ctx)
	return spec.GetCompany200JSONResponse{Name: name, TimeZone: zone}, err
}

// PutCompany names the company.
func (s *server) PutCompany(ctx context.Context, request spec.PutCompanyRequestObject) (spec.PutCompanyResponseObject, error) {
	err := s.Store.SetCompanySettings(ctx, personOf(ctx).ID, request.Body.Name, request.Body.TimeZone, value(request.Body.WebhookHosts))
	return spec.PutCompany200JSONResponse(*request.Body), err
}

// ListPeople lists participants with their roles.
func (s *server) ListPeople(ctx context.Context, request spec.ListPeopleRequestObject) (spec.ListPeopleResponseObject, error) {
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.FindPeople(ctx, store.WhichPeople{Role: incentive.Role(value(request.Params.Role)), Listing: listing(request.Params.Search, request.Params.Sort)}, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListPeople200JSONResponse{People: []spec.Person{}}
	for _, p := range all {
		answer.People = append(answer.People, spec.Person{Id: p.ID, Name: p.Name, Roles: textsOf(p.Roles)})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ID })
	return answer, nil
}

// PutRoles gives a participant exactly these roles.
func (s *server) PutRoles(ctx context.Context, request spec.PutRolesRequestObject) (spec.PutRolesResponseObject, error) {
	roles := []incentive.Role{}
	for _, role := range request.Body.Roles {
		roles = append(roles, incentive.Role(role))
	}
	if err := s.Store.Grant(ctx, personOf(ctx).ID, request.Person, roles); err != nil {
		return nil, err
	}
	p, err := s.Store.Person(ctx, request.Person)
	return spec.PutRoles200JSONResponse{Id: p.ID, Name: p.Name, Roles: textsOf(p.Roles)}, err
}

// keepsTokens refuses whoever may keep their own tokens alone and names somebody else's.
func keepsTokens(ctx context.Context, person string) error {
	if scopeOf(ctx) != incentive.All && person != personOf(ctx).ID {
		return incentive.Errorf(incentive.CodeForbidden, "you may keep your own tokens only")
	}
	return nil
}

// ListTokens lists the tokens of a participant.
func (s *server) ListTokens(ctx context.Context, request spec.ListTokensRequestObject) (spec.ListTokensResponseObject, error) {
	if err := keepsTokens(ctx, request.Person); err != nil {
		return nil, err
	}
	all, err := s.Store.Tokens(ctx, request.Person)
	answer := spec.ListTokens200JSONResponse{Tokens: []spec.KeptToken{}}
	for _, t := range all {
		answer.Tokens = append(answer.Tokens, tokenOf(t))
	}
	return answer, err
}

func tokenOf(t store.Token) spec.KeptToken {
	kept := spec.KeptToken{Id: t.ID, Name: t.Name, Session: t.Session, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsed}
	if t.Only != nil {
		only := textsOf(t.Only)
		kept.Only = &only
	}
	return kept
}

// ListAllTokens lists everybody's tokens, or those of the caller where they keep no others.
func (s *server) ListAllTokens(ctx context.Context, request spec.ListAllTokensRequestObject) (spec.ListAllTokensResponseObject, error) {
	person := value(request.Params.Person)
	if person == "" && scopeOf(ctx) != incentive.All {
		person = personOf(ctx).ID
	}
	if err := keepsTokens(ctx, person); err != nil {
		return nil, err
	}
	limit, owner, id := limitOf(request.Params.Limit), value(request.Params.After), ""
	if at := strings.LastIndexByte(owner, '/'); at >= 0 {
		owner, id = owner[:at], owner[at+1:]
	}
	all, err := s.Store.AllTokens(ctx, person, value(request.Params.Sessions), owner, id, limit)
	answer := spec.ListAllTokens200JSONResponse{Tokens: []spec.OwnedToken{}}
	for _, t := range all {
		answer.Tokens = append(answer.Tokens, spec.OwnedToken{Person: t.ParticipantID, Owner: t.Name, Token: tokenOf(t.Token)})
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID + "/" + all[len(all)-1].ID })
	return answer, err
}

// MakeToken makes an API token, which may be used for no more than the one that makes it.
func (s *server) MakeToken(ctx context.Context, request spec.MakeTokenRequestObject) (spec.MakeTokenResponseObject, error) {
	if err := keepsTokens(ctx, request.Person); err != nil {
		return nil, err
	}
	me := personOf(ctx)
	if s.SignIn && request.Person != me.ID {
		return nil, incentive.Errorf(incentive.CodeForbidden, "nobody acts for somebody else: %s signs in and makes a token for themselves", request.Person)
	}
	var only []incentive.Action
	for _, name := range value(request.Body.Only) {
		action := incentive.Action(name)
		if !slices.Contains(incentive.Actions(), action) {
			return nil, incentive.Errorf(incentive.CodeInvalid, "there is no action %q", name)
		}
		only = append(only, action)
	}
	if me.Only != nil {
		if only == nil || slices.ContainsFunc(only, func(action incentive.Action) bool { return !slices.Contains(me.Only, action) }) {
			return nil, incentive.Errorf(incentive.CodeForbidden, "a token cannot make one that may be used for more than itself")
		}
	}
	secret, err := s.Store.NewToken(ctx, me.ID, request.Person, request.Body.Name, time.Duration(request.Body.Days)*24*time.Hour, only...)
	return spec.MakeToken201JSONResponse{Secret: secret}, err
}

// RevokeToken makes a token worthless.
func (s *server) RevokeToken(ctx context.Context, request spec.RevokeTokenRequestObject) (spec.RevokeTokenResponseObject, error) {
	if err := keepsTokens(ctx, request.Person); err != nil {
		return nil, err
	}
	err := s.Store.RevokeToken(ctx, personOf(ctx).ID, request.Person, request.Token)
	return spec.RevokeToken200JSONResponse{Token: request.Token}, err
}

// ListPlans lists every version of every plan.
func (s *server) ListPlans(ctx context.Context, _ spec.ListPlansRequestObject) (spec.ListPlansResponseObject, error) {
	all, err := s.Store.Plans(ctx, "")
	if err != nil {
		return nil, err
	}
	own, err := s.Store.OwnPlans(ctx, personOf(ctx).ID)
	answer := spec.ListPlans200JSONResponse{Plans: []spec.PlanVersion{}}
	for _, v := range all {
		mine := slices.IndexFunc(own, func(p store.OwnPlan) bool { return p.PlanID == v.PlanID })
		answer.Plans = append(answer.Plans, spec.PlanVersion{
			Plan:          v.PlanID,
			Name:          s.plans.name(v),
			Version:       v.Version,
			EffectiveFrom: v.EffectiveFrom,
			Yours:         mine >= 0,
			ToAccept:      mine >= 0 && own[mine].Version == v.Version && !own[mine].Accepted,
		})
	}
	return answer, err
}

func acceptanceOf(a store.Acceptance) spec.Acceptance {
	return spec.Acceptance{Person: a.ParticipantID, Name: a.Name, Signature: orNil(a.Signature), AcceptedAt: a.AcceptedAt}
}

// ListAcceptances lists who has accepted a version of a plan.
func (s *server) ListAcceptances(ctx context.Context, request spec.ListAcceptancesRequestObject) (spec.ListAcceptancesResponseObject, error) {
	today, err := s.todayThere(ctx)
	if err != nil {
		return nil, err
	}
	people, err := s.visibleOf(ctx, today, value(request.Params.Person))
	if err != nil {
		return nil, err
	}
	of := store.WhichAcceptances{
		PlanVersionID: store.PlanVersionID{PlanID: request.Plan, Version: request.Version},
		Visible:       people,
		Missing:       value(request.Params.Missing),
		Search:        value(request.Params.Search),
	}
	limit := limitOf(request.Params.Limit)
	all, err := s.Store.Acceptances(ctx, of, value(request.Params.After), limit)
	if err != nil {
		return nil, err
	}
	answer := spec.ListAcceptances200JSONResponse{Acceptances: []spec.Acceptance{}}
	if answer.People, answer.Accepted, err = s.Store.CountAcceptances(ctx, of); err != nil {
		return nil, err
	}
	for _, a := range all {
		answer.Acceptances = append(answer.Acceptances, acceptanceOf(a))
	}
	answer.Next = next(len(all), limit, func() string { return all[len(all)-1].ParticipantID })
	return answer, nil
}

// AcceptPlan puts on record that the caller accepts a version of their plan.
func (s *server) AcceptPlan(ctx context.Context, request spec.AcceptPlanRequestObject) (spec.AcceptPlanResponseObject, error) {
	a, err := s.Store.AcceptPlan(ctx, personOf(ctx).ID, store.PlanVersionID{PlanID: request.Plan, Version: request.Version}, request.Body.Signature)
	return spec.AcceptPlan201JSONResponse(acceptanceOf(a)), err
}

// GetPlan returns one version of a plan.
func (s *server) GetPlan(ctx context.Context, request spec.GetPlanRequestObject) (spec.GetPlanResponseObject, error) {
	versions, err := s.Store.Plans(ctx, request.Plan)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		if v.Version == request.Version {
			answer := spec.GetPlan200JSONResponse{Plan: v.PlanID, Name: s.plans.name(v), Version: v.Version, EffectiveFrom: v.EffectiveFrom, Document: string(v.Document), Reads: []string{}}
			if p, err := plan.Parse(v.Document); err == nil {
				answer.Reads = p.Describe(languageOf(ctx))
			}
			return answer, nil
		}
	}
	return nil, incentive.Errorf(incentive.CodeNotFound, "plan %q has no version %d", request.Plan, request.Version)
}

// PutPlan keeps a plan as its next version.
func (s *server) PutPlan(ctx context.Context, request spec.PutPlanRequestObject) (spec.PutPlanResponseObject, error) {
	p, err := plan.Parse([]byte(request.Body.Document))
	if err != nil {
		return nil, err
	}
	if err := calculation.CheckExamples(ctx, []byte(request.Body.Document)); err != nil {
		return nil, err
	}
	version, err := s.Store.PutPlan(ctx, personOf(ctx).ID, p.ID, request.Body.EffectiveFrom, []byte(request.Body.Document))
	return spec.PutPlan201JSONResponse{Plan: p.ID, Name: p.Name, Version: version, EffectiveFrom: request.Body.EffectiveFrom, Document: request.Body.Document, Reads: p.Describe(languageOf(ctx))}, err
}

// GetBalances sums the ledger up.
func (s *server) GetBalances(ctx context.Context, request spec.GetBalancesRequestObject) (spec.GetBalancesResponseObject, error) {
	periodID, revision := value(request.Params.Period), 0
	if periodID != "" {
		p, err := s.Store.PeriodRevision(ctx, periodID, 0)
		if err != nil {
			return nil, err
		}
		revision = p.Revision
	}
	of := store.BalancesOf{PeriodID: periodID, Revision: revision, Participant: value(request.Params.Person), Through: value(request.Params.Through)}
	if on := request.Params.AsOf; on != nil {
		of.On = incentive.DateOf(on.Time)
	}
	all, through, err := s.Store.BalancesOf(ctx, of)
	answer := spec.GetBalances200JSONResponse{Balances: []spec.Balance{}, Through: orNil(through)}
	for _, b := range all {
		answer.Balances = append(answer.Balances, spec.Balance{Account: string(b.Kind), Rail: b.Rail, Balance: incentive.Money{Minor: b.Minor, Currency: b.Currency}})
	}
	return answer, err
}

// keptAnswer gives the answer of a command again, as it was.
type keptAnswer struct {
	status      int
	contentType string
	body        []byte
}

// VisitGetCommandResponse writes the answer.
func (a keptAnswer) VisitGetCommandResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	return err
}

// GetCommand returns what became of a command of the caller's.
func (s *server) GetCommand(ctx context.Context, request spec.GetCommandRequestObject) (spec.GetCommandResponseObject, error) {
	answer, done, err := s.Store.CommandAnswer(ctx, personOf(ctx).ID, request.Key)
	if err != nil {
		return nil, err
	}
	if !done {
		at := Prefix + "/commands/" + request.Key
		return spec.GetCommand202JSONResponse{AcceptedJSONResponse: spec.AcceptedJSONResponse{Body: spec.Accepted{Location: at}, Headers: spec.AcceptedResponseHeaders{Location: &at}}}, nil
	}
	return keptAnswer{answer.Status, answer.ContentType, answer.Body}, nil
}

package web

import (
	"net/url"
	"slices"
	"sort"
	"strings"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type peoplePage struct {
	People    []client.Person
	Table     table
	MayChange bool
}

// people lists participants with their roles, all or those that were searched for.
func (v *visit) people() error {
	if v.may(incentive.ReadRecords) == incentive.None {
		return v.forbidden()
	}
	body := peoplePage{MayChange: v.may(incentive.ImportStructure) > incentive.None}
	var err error
	body.People, body.Table, err = listed(v, listing[client.Person]{
		name: "people", path: "/people", search: "people.search",
		columns: []column[client.Person]{
			{head: "column.person", sort: "name", value: func(p client.Person) any { return p.Name }},
			{head: "column.id", sort: "id", value: func(p client.Person) any { return p.Id }},
			{head: "column.roles", value: func(p client.Person) any { return strings.Join(p.Roles, ", ") }},
		},
		choices: []choice{{Name: "role", Label: "column.roles", All: "filter.everybody", Options: termOptions(v, "role", incentive.Roles...)}},
		read: func(of wanted) ([]client.Person, *string, error) {
			role := (*client.ListPeopleParamsRole)(v.asked("role"))
			list, err := client.Read[client.People](v.api.ListPeople(v.r.Context(), &client.ListPeopleParams{After: of.after, Search: of.search, Sort: of.sort, Limit: of.limit, Role: role}))
			return list.People, list.Next, err
		},
	})
	if err != nil {
		return err
	}
	return v.show("people", "people.title", body)
}

// fields are what a form has of these names, which are those of imports.
func (v *visit) fields(names ...string) map[string]string {
	fields := map[string]string{}
	for _, name := range names {
		fields[name] = strings.TrimSpace(v.r.PostFormValue(name))
	}
	return fields
}

// enter sends one record of its kind, with the attributes that the form has as lines of "name: value".
func (v *visit) enter(kind client.EntryRequestKind, fields map[string]string) (client.Entered, error) {
	entry := client.Entry{Fields: fields}
	if v.r.PostForm.Has("attributes") {
		attributes, err := v.attributes(v.r.PostFormValue("attributes"))
		if err != nil {
			return client.Entered{}, err
		}
		entry.Attributes = &attributes
	}
	request := client.EntryRequest{Kind: kind, Records: []client.Entry{entry}}
	if reason := v.r.PostFormValue("reason"); reason != "" {
		request.Reason = &reason
	}
	defer v.names.forget()
	return command[client.Entered](v.api.EnterRecords(v.r.Context(), &client.EnterRecordsParams{IdempotencyKey: v.key()}, request))
}

// attributes reads lines of "name: value".
func (v *visit) attributes(text string) (map[string]string, error) {
	attributes := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return nil, incentive.Errorf(incentive.CodeInvalid, "%s", v.texts.Fill("person.attributes.wrong", map[string]any{"line": line}))
		}
		attributes[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return attributes, nil
}

// participantFields are those of the form about a person.
var participantFields = []string{"participant_id", "effective_from", "name", "email", "kind", "manager_id", "country", "pay_currency", "employed_until"}

// newPerson makes a participant, or says what is true of one from a day on.
func (v *visit) newPerson() error {
	if v.may(incentive.ImportStructure) == incentive.None {
		return v.forbidden()
	}
	id := strings.TrimSpace(v.r.PostFormValue("participant_id"))
	_, err := v.enter("participant", v.fields(participantFields...))
	return v.done(err, "/people/"+url.PathEscape(id), message{Key: "done.person", With: map[string]any{"name": v.r.PostFormValue("name")}}, (*visit).people)
}

type personPage struct {
	client.History
	Now         *client.ParticipantRecord // what the form begins with
	Attributes  string                    // of it, as lines
	Tokens      []client.KeptToken
	Plans       []string
	Calendars   []client.Calendar
	AllRoles    []incentive.Role
	MayChange   bool
	MayQuota    bool
	Relieved    []relief
	MayRelieve  bool // of their quota
	Causes      []incentive.ReliefCause
	Administers bool
	Failed      string // the form that was refused
}

// person shows what is recorded of one person over time.
func (v *visit) person() error {
	id := v.r.PathValue("person")
	h, err := client.Read[client.History](v.api.GetHistory(v.r.Context(), id))
	if err != nil {
		return err
	}
	body := personPage{
		History:     h,
		AllRoles:    incentive.Roles,
		MayChange:   v.may(incentive.ImportStructure) > incentive.None,
		MayQuota:    v.may(incentive.ImportData) > incentive.None,
		Administers: v.may(incentive.AdministerPeople) > incentive.None,
		Failed:      v.failed("form"),
		Relieved:    v.shownReliefs(h.Reliefs),
		Causes:      incentive.ReliefCauses,
	}
	body.MayRelieve = body.MayQuota && id != v.me.Id
	if at := slices.IndexFunc(h.Records, func(r client.ParticipantRecord) bool { return r.Stands }); at >= 0 {
		body.Now = &h.Records[at]
		body.Attributes = lines(body.Now.Attributes)
	}
	if body.Administers {
		list, err := client.Read[client.Tokens](v.api.ListTokens(v.r.Context(), id))
		if err != nil {
			return err
		}
		body.Tokens = list.Tokens
	}
	if body.MayChange {
		plans, err := client.Read[client.Plans](v.api.ListPlans(v.r.Context()))
		if err != nil {
			return err
		}
		for _, p := range plans.Plans {
			body.Plans = append(body.Plans, p.Plan)
		}
		body.Plans = slices.Compact(body.Plans)
		calendars, err := client.Read[client.Calendars](v.api.ListCalendars(v.r.Context()))
		if err != nil {
			return err
		}
		body.Calendars = calendars.Calendars
	}
	return v.show("person", "person.title", body, "name", h.Name)
}

// lines writes attributes as attributes reads them.
func lines(attributes map[string]string) string {
	var all []string
	for name, value := range attributes {
		all = append(all, name+": "+value)
	}
	sort.Strings(all)
	return strings.Join(all, "\n")
}

// changePerson takes one of the forms of a person's page.
func (v *visit) changePerson() error {
	if v.may(incentive.ImportData) == incentive.None {
		return v.forbidden()
	}
	id := v.r.PathValue("person")
	here := "/people/" + url.PathEscape(id)
	v.r.PostForm.Set("participant_id", id)
	v.r.Form.Set("participant_id", id)
	say := message{Key: "done.recorded"}
	var err error
	switch v.r.PostFormValue("form") {
	case "record":
		_, err = v.enter("participant", v.fields(participantFields...))
	case "plan":
		_, err = v.enter("assignment", v.fields("participant_id", "plan_id", "calendar_id", "starts_on", "ends_on"))
	case "quota":
		err = v.enterQuota()
	case "relief":
		err = v.enterRelief()
	case "roles":
		roles := client.Roles{Roles: []client.RolesRoles{}}
		for _, role := range v.r.PostForm["role"] {
			roles.Roles = append(roles.Roles, client.RolesRoles(role))
		}
		var p client.Person
		p, err = command[client.Person](v.api.PutRoles(v.r.Context(), id, &client.PutRolesParams{IdempotencyKey: v.key()}, roles))
		say = message{Key: "done.roles", With: map[string]any{"name": p.Name}}
	case "token":
		_, err = command[client.Revoked](v.api.RevokeToken(v.r.Context(), id, v.r.PostFormValue("token"), &client.RevokeTokenParams{IdempotencyKey: v.key()}))
		say = message{Key: "done.token-ended"}
	default:
		return v.nowhere()
	}
	return v.done(err, here, say, (*visit).person)
}

// reporter is somebody in the hierarchy with those below, where they are shown at once.
type reporter struct {
	client.Reporting
	On    incentive.Date
	Below []reporter
	Next  string // where those below go on
}

type hierarchyPage struct {
	On    incentive.Date
	Under string // "" for the top
	Tops  []reporter
	Next  string
}

// hierarchy shows who reports to whom on a day. What is not shown at once comes when it is
// opened.
func (v *visit) hierarchy() error {
	query := v.r.URL.Query()
	parameters := client.GetHierarchyParams{}
	if text := query.Get("on"); text != "" {
		on, err := incentive.ParseDate(text)
		if err != nil {
			return err
		}
		parameters.On = &openapi_types.Date{Time: on.UTC()}
	}
	body := hierarchyPage{Under: query.Get("under")}
	if body.Under != "" {
		parameters.Under = &body.Under
	}
	if after := query.Get("after"); after != "" {
		parameters.After = &after
	}
	list, err := client.Read[client.Hierarchy](v.api.GetHierarchy(v.r.Context(), &parameters))
	if err != nil {
		return err
	}
	const atOnce = 5 // tops whose people are shown as well
	body.On = list.On
	if list.Next != nil {
		body.Next = *list.Next
	}
	for _, p := range list.People {
		b := reporter{Reporting: p, On: list.On}
		if body.Under == "" && len(list.People) <= atOnce && p.Below > 0 && !p.Circle {
			below, err := client.Read[client.Hierarchy](v.api.GetHierarchy(v.r.Context(), &client.GetHierarchyParams{On: &openapi_types.Date{Time: list.On.UTC()}, Under: &p.Person}))
			if err != nil {
				return err
			}
			for _, one := range below.People {
				b.Below = append(b.Below, reporter{Reporting: one, On: list.On})
			}
			if below.Next != nil {
				b.Next = *below.Next
			}
		}
		body.Tops = append(body.Tops, b)
	}
	return v.show("hierarchy", "hierarchy.title", body)
}

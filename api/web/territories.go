package web

import (
	"maps"
	"slices"

	"github.com/oapi-codegen/runtime/types"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// grouped is a territory or team in a list, below the one that it stands below.
type grouped struct {
	client.Group
	Depth  []struct{} // one for each level above
	Covers []coveredBy
}

// coveredBy is what a territory or team covers by an attribute.
type coveredBy struct{ Attribute, Values string }

func coverage(g client.Group) []coveredBy { return covers(g.Covers) }

// covers are attributes in order.
func covers(attributes map[string]string) (all []coveredBy) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		all = append(all, coveredBy{name, attributes[name]})
	}
	return all
}

// below puts groups in the order of a tree, each with its depth. What stands in a circle, or
// below what is not there, comes as if at the top.
func below(all []client.Group) (shown []grouped) {
	placed := map[string]bool{}
	var place func(g client.Group, depth int)
	place = func(g client.Group, depth int) {
		if placed[g.Id] {
			return
		}
		placed[g.Id] = true
		shown = append(shown, grouped{Group: g, Depth: make([]struct{}, depth), Covers: coverage(g)})
		for _, child := range all {
			if text(child.Parent) == g.Id {
				place(child, depth+1)
			}
		}
	}
	for _, g := range all {
		if !slices.ContainsFunc(all, func(o client.Group) bool { return o.Id == text(g.Parent) }) {
			place(g, 0)
		}
	}
	for _, g := range all {
		place(g, 0)
	}
	return shown
}

type groupsOfKind struct {
	Kind string
	Path string
	List []grouped
	More bool
}

type territoriesPage struct {
	Day     incentive.Date
	Kinds   []groupsOfKind
	Imports bool
}

// territories lists territories and teams as they are on a day.
func (v *visit) territories() error {
	body := territoriesPage{Imports: v.may(incentive.ImportStructure) > incentive.None}
	var day *types.Date
	if chosen, err := incentive.ParseDate(v.r.URL.Query().Get("day")); err == nil {
		day = &types.Date{Time: chosen.UTC()}
	}
	all, err := client.Read[client.Groups](v.api.ListTerritories(v.r.Context(), &client.ListTerritoriesParams{Day: day, Limit: &most}))
	if err != nil {
		return err
	}
	body.Day = all.Day
	body.Kinds = append(body.Kinds, groupsOfKind{string(incentive.KindTerritory), "/territories/", below(all.Groups), all.Next != nil})
	if all, err = client.Read[client.Groups](v.api.ListTeams(v.r.Context(), &client.ListTeamsParams{Day: &types.Date{Time: body.Day.UTC()}, Limit: &most})); err != nil {
		return err
	}
	body.Kinds = append(body.Kinds, groupsOfKind{string(incentive.KindTeam), "/teams/", below(all.Groups), all.Next != nil})
	return v.show("territories", "territories.title", body)
}

type memberOf struct {
	client.Membership
	Name  string
	Share string // in percent
}

type territoryPage struct {
	client.GroupHistory
	Facts   []grouped
	Members []memberOf
	Path    string
}

// territory shows a territory over time.
func (v *visit) territory() error {
	one, err := client.Read[client.GroupHistory](v.api.GetTerritory(v.r.Context(), v.r.PathValue("territory")))
	return v.group(one, err, "/territories/")
}

// salesTeam shows a team over time.
func (v *visit) salesTeam() error {
	one, err := client.Read[client.GroupHistory](v.api.GetTeam(v.r.Context(), v.r.PathValue("team")))
	return v.group(one, err, "/teams/")
}

func (v *visit) group(one client.GroupHistory, err error, path string) error {
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body := territoryPage{GroupHistory: one, Path: path}
	for _, g := range one.Facts {
		body.Facts = append(body.Facts, grouped{Group: g, Covers: coverage(g)})
	}
	for _, m := range one.Members {
		share, err := decimal.NewFromString(m.Share)
		if err != nil {
			return err
		}
		body.Members = append(body.Members, memberOf{m, name(called, m.Person), share.Shift(2).String()})
	}
	return v.show("territory", "territory.title", body, "name", one.Facts[len(one.Facts)-1].Name)
}

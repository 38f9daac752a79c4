package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/oapi-codegen/runtime/types"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

// grouped is a territory or team in a list, below the one that it stands below.
type grouped struct {
	client.Group
	Kind   incentive.GroupKind
	Path   string     // of its page
	Depth  []struct{} // one for each level above, where the list is in the order of the tree
	Covers []coveredBy
}

// coveredBy is what a territory or team covers by an attribute.
type coveredBy struct{ Attribute, Values string }

// coverage says what is covered by which attribute, in one text.
func (g grouped) coverage() string {
	var all []string
	for _, c := range g.Covers {
		all = append(all, c.Attribute+": "+c.Values)
	}
	return strings.Join(all, ", ")
}

// covers are attributes in order.
func covers(attributes map[string]string) (all []coveredBy) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		all = append(all, coveredBy{name, attributes[name]})
	}
	return all
}

// groupPaths is where the pages of territories and teams are.
var groupPaths = map[incentive.GroupKind]string{incentive.KindTerritory: "/territories/", incentive.KindTeam: "/teams/"}

// below puts groups of a kind in the order of a tree, each with its depth. What stands in a
// circle, or below what is not there, comes as if at the top.
func below(kind incentive.GroupKind, all []client.Group) (shown []grouped) {
	under, known := map[string][]client.Group{}, map[string]bool{}
	for _, g := range all {
		known[g.Id] = true
		under[text(g.Parent)] = append(under[text(g.Parent)], g)
	}
	placed := map[string]bool{}
	var place func(g client.Group, depth int)
	place = func(g client.Group, depth int) {
		if placed[g.Id] {
			return
		}
		placed[g.Id] = true
		shown = append(shown, grouped{Group: g, Kind: kind, Path: groupPaths[kind] + url.PathEscape(g.Id), Depth: make([]struct{}, depth), Covers: covers(g.Covers)})
		for _, child := range under[g.Id] {
			place(child, depth+1)
		}
	}
	for _, g := range all {
		if !known[text(g.Parent)] {
			place(g, 0)
		}
	}
	for _, g := range all {
		place(g, 0)
	}
	return shown
}

type territoriesPage struct {
	Day     incentive.Date
	Groups  []grouped
	Table   table
	Imports bool
}

// territories lists territories and teams as they are on a day, in the order of their trees
// where no other is asked for.
func (v *visit) territories() error {
	body := territoriesPage{Imports: v.may(incentive.ImportStructure) > incentive.None, Day: v.today()}
	if chosen := v.asked("day"); chosen != nil {
		day, err := incentive.ParseDate(*chosen)
		if err != nil {
			return err
		}
		body.Day = day
	}
	day := &types.Date{Time: body.Day.UTC()}
	kinds := []incentive.GroupKind{incentive.KindTerritory, incentive.KindTeam}
	var err error
	body.Groups, body.Table, err = listed(v, listing[grouped]{
		name: "territories", search: "table.search-person", whole: true,
		columns: []column[grouped]{
			{head: "column.name", sort: "name", value: func(g grouped) any { return g.Name }},
			{head: "column.id", file: true, value: func(g grouped) any { return g.Id }},
			{head: "column.type", sort: "kind", value: func(g grouped) any { return v.texts.Term("group-kind", g.Kind) }},
			{head: "column.below", sort: "parent", value: func(g grouped) any { return text(g.Parent) }},
			{head: "column.covers", value: func(g grouped) any { return g.coverage() }},
			{head: "territories.members", sort: "members", class: "amount", value: func(g grouped) any { return g.Members }},
		},
		choices: []choice{
			{Name: "day", Label: "column.day", Type: "date", Is: body.Day.String()},
			{Name: "kind", Label: "column.type", All: "filter.everything", Options: termOptions(v, "group-kind", kinds...)},
		},
		read: func(wanted) (all []grouped, next *string, err error) {
			for _, kind := range kinds {
				if chosen := text(v.asked("kind")); chosen != "" && chosen != string(kind) {
					continue
				}
				groups, more, err := every(mostExported/most, func(after *string) ([]client.Group, *string, error) {
					if kind == incentive.KindTeam {
						list, err := client.Read[client.Groups](v.api.ListTeams(v.r.Context(), &client.ListTeamsParams{Day: day, After: after, Limit: &most}))
						return list.Groups, list.Next, err
					}
					list, err := client.Read[client.Groups](v.api.ListTerritories(v.r.Context(), &client.ListTerritoriesParams{Day: day, After: after, Limit: &most}))
					return list.Groups, list.Next, err
				})
				if err != nil {
					return nil, nil, err
				}
				if more {
					return nil, nil, incentive.Errorf("too-large", "%s", v.texts.Fill("table.too-many", map[string]any{"rows": mostExported}))
				}
				all = append(all, below(kind, groups)...)
			}
			return all, nil, nil
		},
	})
	if err != nil {
		return err
	}
	if body.Table.Sought != "" || v.asked("sort") != nil {
		for i := range body.Groups {
			body.Groups[i].Depth = nil // it is no tree then
		}
	}
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
	Path    string // of those of its kind
}

// territory shows a territory over time.
func (v *visit) territory() error {
	one, err := client.Read[client.GroupHistory](v.api.GetTerritory(v.r.Context(), v.r.PathValue("territory")))
	return v.group(one, err, incentive.KindTerritory)
}

// salesTeam shows a team over time.
func (v *visit) salesTeam() error {
	one, err := client.Read[client.GroupHistory](v.api.GetTeam(v.r.Context(), v.r.PathValue("team")))
	return v.group(one, err, incentive.KindTeam)
}

func (v *visit) group(one client.GroupHistory, err error, kind incentive.GroupKind) error {
	if err != nil {
		return err
	}
	called, err := v.called()
	if err != nil {
		return err
	}
	body := territoryPage{GroupHistory: one, Path: groupPaths[kind]}
	for _, g := range one.Facts {
		body.Facts = append(body.Facts, grouped{Group: g, Kind: kind, Covers: covers(g.Covers)})
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

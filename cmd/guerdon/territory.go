package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/oapi-codegen/runtime/types"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
)

type territories struct {
	Territory string `arg:"" optional:"" help:"One of them, with its members and quotas over time."`
	On        string `help:"The day as of which they are listed, such as 2026-01-31; today when absent."`
}

func (t territories) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Territory != "" {
		return showGroup(d)(client.Read[client.GroupHistory](c.GetTerritory(ctx, t.Territory)))
	}
	return listGroups(d, t.On, func(day *types.Date, after *string) (client.Groups, error) {
		return client.Read[client.Groups](c.ListTerritories(ctx, &client.ListTerritoriesParams{Day: day, After: after}))
	})
}

type teams struct {
	Team string `arg:"" optional:"" help:"One of them, with its members and quotas over time."`
	On   string `help:"The day as of which they are listed, such as 2026-01-31; today when absent."`
}

func (t teams) Run(ctx context.Context, d *desk) error {
	c, err := d.api()
	if err != nil {
		return err
	}
	if t.Team != "" {
		return showGroup(d)(client.Read[client.GroupHistory](c.GetTeam(ctx, t.Team)))
	}
	return listGroups(d, t.On, func(day *types.Date, after *string) (client.Groups, error) {
		return client.Read[client.Groups](c.ListTeams(ctx, &client.ListTeamsParams{Day: day, After: after}))
	})
}

func listGroups(d *desk, on string, page func(day *types.Date, after *string) (client.Groups, error)) error {
	var day *types.Date
	if on != "" {
		chosen, err := incentive.ParseDate(on)
		if err != nil {
			return err
		}
		day = &types.Date{Time: chosen.UTC()}
	}
	all, err := every(func(after *string) ([]client.Group, *string, error) {
		one, err := page(day, after)
		return one.Groups, one.Next, err
	})
	if err != nil {
		return err
	}
	return d.show(all, func(w *tabwriter.Writer) {
		for _, g := range all {
			row(w, g.Id, g.Name, "below "+value(g.Parent), covers(g), g.Members)
		}
	})
}

func covers(g client.Group) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(g.Covers)) {
		all = append(all, name+": "+g.Covers[name])
	}
	return strings.Join(all, ", ")
}

func showGroup(d *desk) func(client.GroupHistory, error) error {
	return func(one client.GroupHistory, err error) error {
		if err != nil {
			return err
		}
		return d.show(one, func(w *tabwriter.Writer) {
			for _, g := range one.Facts {
				row(w, "from "+g.EffectiveFrom.String(), g.Name, "below "+value(g.Parent), covers(g))
			}
			for _, m := range one.Members {
				row(w, "member", m.Person, m.Role, m.Share, m.StartsOn, value(m.EndsOn))
			}
			for _, q := range one.Quotas {
				row(w, "quota", q.Measure, q.Amount, q.StartsOn, q.EndsOn)
			}
		})
	}
}

// value returns what a pointer points to, and nothing where it is nil.
func value[T any](v *T) (held T) {
	if v != nil {
		held = *v
	}
	return held
}

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// CodeUnknownGroup says that there is no such territory or team.
const CodeUnknownGroup incentive.Code = "unknown-group"

// groupLoaders read territories and teams with their members and quotas, which differ in what
// a file calls them.
func groupLoaders() map[string]loader {
	loaders := map[string]loader{}
	for _, kind := range []incentive.GroupKind{incentive.KindTerritory, incentive.KindTeam} {
		is := func(sql string) string {
			return strings.NewReplacer("KIND", "'"+string(kind)+"'", "ID", string(kind)+"_id").Replace(sql)
		}
		known := is(`WHEN NOT EXISTS (SELECT FROM sales_group k WHERE k.kind = KIND AND k.group_id = g.ID) THEN 'unknown-group'`)
		unknown := fmt.Sprintf("there is no such %s for %%s: import it first", kind)
		loaders[string(kind)] = loader{sql: versioned("sales_group",
			is(`n int, ID text, effective_from date, name text, parent_id text, until date, attributes jsonb`),
			is(`t.kind = KIND AND t.group_id = g.ID AND t.effective_from = g.effective_from`),
			`(l.name, l.covers) = (g.name, g.attributes) AND l.parent_id IS NOT DISTINCT FROM g.parent_id AND l.until IS NOT DISTINCT FROM g.until`,
			is(`WHEN g.parent_id IS NOT NULL AND NOT EXISTS (SELECT FROM sales_group k WHERE k.kind = KIND AND k.group_id = g.parent_id)
				AND NOT EXISTS (SELECT FROM given k WHERE k.ID = g.parent_id) THEN 'unknown-group'`)) + is(`,
		put AS (INSERT INTO sales_group (kind, group_id, effective_from, version, name, parent_id, until, covers)
			SELECT KIND, ID, effective_from, coalesce(version, 0) + 1, name, parent_id, until, attributes
			FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
		SELECT n, outcome FROM judged ORDER BY n`),
			reasons: map[string]string{string(CodeUnknownGroup): fmt.Sprintf("what %s %%s stands below is not there: import that one too", kind)}}
		loaders[string(kind)+"_member"] = loader{sql: versioned("membership",
			is(`n int, ID text, participant_id text, starts_on date, ends_on date, role text, share numeric`),
			is(`t.kind = KIND AND t.group_id = g.ID AND t.participant_id = g.participant_id AND t.starts_on = g.starts_on`),
			`(l.role, l.share) = (g.role, g.share) AND l.ends_on IS NOT DISTINCT FROM g.ends_on`,
			`WHEN NOT EXISTS (SELECT FROM participant p WHERE p.id = g.participant_id) THEN 'unknown-participant'
			 `+known+`
			 WHEN EXISTS (SELECT FROM membership a WHERE a.kind = KIND AND a.group_id = g.ID AND a.participant_id = g.participant_id AND a.starts_on <> g.starts_on
				AND NOT EXISTS (SELECT FROM membership n WHERE n.kind = a.kind AND n.group_id = a.group_id AND n.participant_id = a.participant_id AND n.starts_on = a.starts_on AND n.version > a.version)
				AND NOT EXISTS (SELECT FROM given o WHERE o.ID = a.group_id AND o.participant_id = a.participant_id AND o.starts_on = a.starts_on)
				AND daterange(a.starts_on, a.ends_on, '[]') && daterange(g.starts_on, g.ends_on, '[]'))
				OR EXISTS (SELECT FROM given o WHERE o.n <> g.n AND o.ID = g.ID AND o.participant_id = g.participant_id
				AND daterange(o.starts_on, o.ends_on, '[]') && daterange(g.starts_on, g.ends_on, '[]')) THEN 'overlap'`) + `,
		put AS (INSERT INTO membership (kind, group_id, participant_id, starts_on, version, ends_on, role, share)
			SELECT KIND, ID, participant_id, starts_on, coalesce(version, 0) + 1, ends_on, role, share
			FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
		SELECT n, outcome FROM judged ORDER BY n`,
			reasons: map[string]string{
				string(CodeUnknownParticipant): "there is no participant %s: import the participant first",
				string(CodeUnknownGroup):       unknown,
				string(CodeOverlap):            fmt.Sprintf("%%s is a member of the same %s on some of these days already: end that membership first", kind)}}
		loaders[string(kind)+"_quota"] = loader{sql: versioned("group_quota",
			is(`n int, ID text, measure text, starts_on date, ends_on date, amount numeric`),
			is(`t.kind = KIND AND t.group_id = g.ID AND t.measure = g.measure AND t.starts_on = g.starts_on`),
			`(l.ends_on, l.amount) = (g.ends_on, g.amount)`, known) + is(`,
		put AS (INSERT INTO group_quota (kind, group_id, measure, starts_on, version, ends_on, amount)
			SELECT KIND, ID, measure, starts_on, coalesce(version, 0) + 1, ends_on, amount
			FROM given JOIN judged USING (n) WHERE outcome IN ('added', 'changed') ORDER BY n)
		SELECT n, outcome FROM judged ORDER BY n`),
			reasons: map[string]string{string(CodeUnknownGroup): fmt.Sprintf("there is no %s %%s: import it first", kind)}}
		member := loaders[string(kind)+"_member"]
		member.sql = is(member.sql)
		loaders[string(kind)+"_member"] = member
	}
	return loaders
}

// takingGroups is the territories and teams that may matter to a period, with their members
// and quotas from the first day that matters on.
func takingGroups(p PeriodRevision, back calculation.LookBack) []taking {
	const longestGoal = 366
	return []taking{
		{"group", `SELECT DISTINCT ON (kind, group_id, effective_from) record_id
			FROM sales_group WHERE effective_from <= $2::date ORDER BY kind, group_id, effective_from, version DESC`, []any{p.EndsOn}},
		{"membership", `SELECT record_id FROM (
			SELECT DISTINCT ON (kind, group_id, participant_id, starts_on) record_id, starts_on, ends_on
			FROM membership ORDER BY kind, group_id, participant_id, starts_on, version DESC) m
			WHERE starts_on <= $3::date AND (ends_on IS NULL OR ends_on >= $2::date)`, []any{back.Since, back.Since.AddDays(longestGoal)}},
		{"group_quota", `SELECT record_id FROM (
			SELECT DISTINCT ON (kind, group_id, measure, starts_on) record_id, starts_on, ends_on
			FROM group_quota ORDER BY kind, group_id, measure, starts_on, version DESC) q
			WHERE starts_on <= $3::date AND ends_on >= $2::date`, []any{back.Since, back.Since.AddDays(longestGoal)}},
	}
}

func loadGroups(ctx context.Context, q querier, id int64, snapshot *incentive.Snapshot) error {
	return errorsIn(
		collect(ctx, q, &snapshot.Groups, `
			SELECT g.kind, group_id, effective_from, name, coalesce(parent_id, ''), until, covers, version
			FROM snapshot_record r JOIN sales_group g USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'group'
			ORDER BY g.kind, group_id COLLATE "C", effective_from`, scanGroup, id),
		collect(ctx, q, &snapshot.Memberships, `
			SELECT m.kind, group_id, participant_id, role, share, starts_on, ends_on, version
			FROM snapshot_record r JOIN membership m USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'membership'
			ORDER BY m.kind, group_id COLLATE "C", participant_id COLLATE "C", starts_on`, scanMembership, id),
		collect(ctx, q, &snapshot.GroupQuotas, `
			SELECT g.kind, group_id, measure, starts_on, ends_on, amount, version
			FROM snapshot_record r JOIN group_quota g USING (record_id) WHERE r.snapshot_id = $1 AND r.kind = 'group_quota'
			ORDER BY g.kind, group_id COLLATE "C", measure COLLATE "C", starts_on`, scanGroupQuota, id),
	)
}

func scanGroup(row pgx.CollectableRow) (g incentive.Group, err error) {
	err = row.Scan(&g.Kind, &g.ID, &g.EffectiveFrom, &g.Name, &g.ParentID, &g.Until, &g.Covers, &g.Version)
	return g, err
}

func scanMembership(row pgx.CollectableRow) (m incentive.Membership, err error) {
	err = row.Scan(&m.Group.Kind, &m.Group.ID, &m.ParticipantID, &m.Role, &m.Share, &m.StartsOn, &m.EndsOn, &m.Version)
	return m, err
}

func scanGroupQuota(row pgx.CollectableRow) (q incentive.GroupQuota, err error) {
	err = row.Scan(&q.Group.Kind, &q.Group.ID, &q.Measure, &q.StartsOn, &q.EndsOn, &q.Amount, &q.Version)
	return q, err
}

// GroupNow is a territory or team as it is on a day.
type GroupNow struct {
	incentive.Group
	Members int // that day
}

// Groups returns up to limit territories or teams, as they are on a day, after one of them.
func (s *Store) Groups(ctx context.Context, kind incentive.GroupKind, day incentive.Date, after string, limit int) (all []GroupNow, err error) {
	err = collect(ctx, s.pool, &all, `
		WITH m AS (SELECT DISTINCT ON (group_id, participant_id, starts_on) * FROM membership WHERE kind = $1 ORDER BY group_id, participant_id, starts_on, version DESC)
		SELECT kind, group_id, effective_from, name, coalesce(parent_id, ''), until, covers, version,
			(SELECT count(*) FROM m WHERE m.group_id = g.group_id AND m.starts_on <= $2 AND (m.ends_on IS NULL OR m.ends_on >= $2)) FROM (
			SELECT DISTINCT ON (group_id) * FROM sales_group WHERE kind = $1 AND effective_from <= $2 ORDER BY group_id, effective_from DESC, version DESC) g
		WHERE (until IS NULL OR until >= $2) AND group_id > $3 ORDER BY group_id LIMIT $4`, func(row pgx.CollectableRow) (g GroupNow, err error) {
		err = row.Scan(&g.Kind, &g.ID, &g.EffectiveFrom, &g.Name, &g.ParentID, &g.Until, &g.Covers, &g.Version, &g.Members)
		return g, err
	}, kind, day, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list what there is of kind %s: %w", kind, err)
	}
	return all, nil
}

// MembersOn counts who is a member on a day.
func MembersOn(members []incentive.Membership, day incentive.Date) (n int) {
	for _, m := range members {
		if m.Holds(day) {
			n++
		}
	}
	return n
}

// Group returns everything that was and is true of a territory or team, with all of its
// members and quotas, of code CodeNotFound where there is none.
func (s *Store) Group(ctx context.Context, key incentive.GroupKey) (facts []incentive.Group, members []incentive.Membership, quotas []incentive.GroupQuota, err error) {
	err = errorsIn(
		collect(ctx, s.pool, &facts, `
			SELECT DISTINCT ON (effective_from) kind, group_id, effective_from, name, coalesce(parent_id, ''), until, covers, version
			FROM sales_group WHERE kind = $1 AND group_id = $2 ORDER BY effective_from, version DESC`, scanGroup, key.Kind, key.ID),
		collect(ctx, s.pool, &members, `
			SELECT kind, group_id, participant_id, role, share, starts_on, ends_on, version FROM (
				SELECT DISTINCT ON (participant_id, starts_on) * FROM membership WHERE kind = $1 AND group_id = $2 ORDER BY participant_id, starts_on, version DESC) m
			ORDER BY starts_on DESC, participant_id`, scanMembership, key.Kind, key.ID),
		collect(ctx, s.pool, &quotas, `
			SELECT kind, group_id, measure, starts_on, ends_on, amount, version FROM (
				SELECT DISTINCT ON (measure, starts_on) * FROM group_quota WHERE kind = $1 AND group_id = $2 ORDER BY measure, starts_on, version DESC) q
			ORDER BY starts_on DESC, measure`, scanGroupQuota, key.Kind, key.ID))
	if err == nil && len(facts) == 0 {
		err = incentive.Errorf(incentive.CodeNotFound, "there is no %s %q", key.Kind, key.ID)
	}
	return facts, members, quotas, err
}

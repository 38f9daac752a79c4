package store

import (
	"maps"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// Listing says what of a list is wanted, and in which order. Its zero value is all of the
// list in its own order.
type Listing struct {
	Search string // a part of the participant's id or name, in whatever case
	Sort   string // one of the list's orders, with "-" before it from the end
}

// orders are those that a list can be put into: by their name, the SQL of what is compared,
// none of it NULL.
type orders map[string][]string

// missing stands in an order for a number that there is none of: it comes last from either end.
const missing = "@missing"

// seek returns the SQL that puts a list into the order asked for and that goes on after a
// row: a condition, and what follows WHERE. id is what names a row, which decides between
// equals; last is the FROM and WHERE of the row after which the list goes on, "" where it begins.
func (o orders) seek(l Listing, own []string, id []string, last string) (condition, order string, err error) {
	compared, direction, sign, end := own, "", " > ", "'Infinity'::numeric"
	if l.Sort != "" {
		name, reversed := strings.CutPrefix(l.Sort, "-")
		known := false
		if compared, known = o[name]; !known {
			return "", "", incentive.Errorf(incentive.CodeInvalid, "this list cannot be sorted by %q, but by %s, with - before it from the end", l.Sort, strings.Join(slices.Sorted(maps.Keys(o)), ", "))
		}
		if reversed {
			direction, sign, end = " DESC", " < ", "'-Infinity'::numeric"
		}
	}
	compared = slices.Concat(compared, id)
	for i := range compared {
		compared[i] = strings.ReplaceAll(compared[i], missing, end)
	}
	if condition = "true"; last != "" {
		all := strings.Join(compared, ", ")
		condition = "(" + all + ")" + sign + "(SELECT " + all + " " + last + ")"
	}
	return condition, "ORDER BY " + strings.Join(compared, direction+", ") + direction, nil
}

// nameNow is the SQL of what a participant is called last.
func nameNow(participant string) string {
	return `coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = ` + participant + ` ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ` + participant + `)`
}

// fewToCall is of how many participants it is quicker to look up what each is called than to read it of everybody.
const fewToCall = 1000

// among is the SQL of whether a participant is one of those in @visible; nil is everybody. PostgreSQL would estimate how
// often each of a long list occurs, or look each of them up; behind a CASE it does neither, and puts them into a hash table.
func among(participant string, visible []string) string {
	switch {
	case visible == nil:
		return "true"
	case len(visible) <= fewToCall:
		return participant + " = ANY(@visible::text[])"
	}
	return "CASE WHEN " + participant + " = ANY(@visible::text[]) THEN true END"
}

// sortingNames is the SQL of what a list is sorted by where that is the name of a participant on a day, and of what is
// joined to it for that: what everybody is called, where not only a few may be in it (visible; nil for everybody).
func sortingNames(l Listing, visible []string, participant, day string) (name, join string) {
	if strings.TrimPrefix(l.Sort, "-") != "name" || visible != nil && len(visible) <= fewToCall {
		return "lower(" + nameAt(participant, day) + ")", ""
	}
	return "coalesce(called.name, lower(" + participant + "))", ` LEFT JOIN (
		SELECT DISTINCT ON (participant_id) participant_id, lower(name) AS name FROM participant_fact WHERE effective_from <= ` + day + `
		ORDER BY participant_id DESC, effective_from DESC, version DESC) called ON called.participant_id = ` + participant
}

// endOfPeriod is the SQL of the last day of the period that is asked for.
const endOfPeriod = `(SELECT ends_on FROM pay_period WHERE id = @period)`

// found is the SQL of whether a participant is one that is searched for with @search, a
// pattern or "" for all.
func found(participant string) string {
	return `(@search = '' OR ` + participant + ` ILIKE @search OR EXISTS (SELECT FROM participant_fact f WHERE f.participant_id = ` + participant + ` AND f.name ILIKE @search))`
}

package mapping

import (
	"maps"
	"slices"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/document"
)

// CodeRefused says that a record which somebody entered cannot be taken.
const CodeRefused incentive.Code = "record-refused"

// Entry is a record as a person enters it: days as YYYY-MM-DD, numbers with a point, and
// "" for what is left out.
type Entry struct {
	Fields     map[string]string
	Attributes map[string]string
}

// Enter reads records of one kind by the rules of imports. Its error, of code CodeRefused,
// names the first that cannot be taken, and why.
func Enter(kind Kind, entries []Entry) ([]Row, error) {
	known := fieldNames(kind)
	if known == nil {
		return nil, incentive.Errorf(CodeRefused, "%q is no kind of record: write %s", kind, document.Listed(Kinds))
	}
	seen := map[string]first{}
	var rows []Row
	for i, e := range entries {
		one := record{kind: kind, fields: map[string]source{}, attributes: map[string]source{}, names: slices.Sorted(maps.Keys(e.Attributes))}
		for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
			if !slices.Contains(known, name) {
				return nil, incentive.Errorf(CodeRefused, "record %d: a %s has no %q; its fields are %s", i+1, kind, name, document.Listed(known))
			}
			text := e.Fields[name]
			one.fields[name] = source{constant: &text}
		}
		if len(one.names) > 0 && !kind.hasAttributes() {
			return nil, incentive.Errorf(CodeRefused, "record %d: a %s has no attributes; its fields are %s", i+1, kind, document.Listed(known))
		}
		for _, name := range one.names {
			if !incentive.IsAttributeName(name) {
				return nil, incentive.Errorf(CodeRefused, "record %d: %q cannot name an attribute: use small letters, digits and underscores", i+1, name)
			}
			text := e.Attributes[name]
			if _, err := identifier(text, usual); err != nil {
				return nil, incentive.Errorf(CodeRefused, "record %d, attribute %s: %v", i+1, name, err)
			}
			one.attributes[name] = source{constant: &text}
		}
		m := &Mapping{dialect: dialect{format: usual}, records: []record{one}}
		typed := &sheet{header: []string{"typed"}, index: map[string]int{}, line: i + 1}
		err := m.take(typed, []string{"typed"}, nil, seen, Sink{
			Row: func(r Row) error { rows = append(rows, r); return nil },
			Reject: func(r Rejection) error {
				place := ""
				if r.Field != "" {
					place = ", " + r.Field
				}
				return incentive.Errorf(CodeRefused, "record %d%s: %s", i+1, place, r.Reason)
			},
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

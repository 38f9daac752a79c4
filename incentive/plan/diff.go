package plan

import "github.com/guerdon/guerdon/incentive/language"

// Difference is a part of a plan that reads otherwise in another version of it.
type Difference struct {
	Part string `json:"part"` // a component's name, for example
	Was  string `json:"was"`  // empty where the part is new
	Is   string `json:"is"`   // empty where the part is gone
}

// Diff says in plain words of a language what differs between two plans, their examples among it, in the order
// of the new one; what is gone comes last.
func Diff(l language.Language, before, after *Plan) []Difference {
	was := map[part]string{}
	for _, p := range before.compared(l) {
		was[p.part] = p.text
	}
	var differences []Difference
	is := map[part]bool{}
	for _, p := range after.compared(l) {
		is[p.part] = true
		if old, known := was[p.part]; !known || old != p.text {
			differences = append(differences, Difference{p.title, old, p.text})
		}
	}
	for _, p := range before.compared(l) {
		if !is[p.part] {
			differences = append(differences, Difference{Part: p.title, Was: p.text})
		}
	}
	return differences
}

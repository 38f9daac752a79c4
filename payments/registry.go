package payments

import (
	"regexp"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
)

// Known lists the rails that Guerdon has, by the names that they have unless they are given others.
var Known = []string{"india", "iso20022-general", "iso20022-sepa", "nacha", "payment-file", "stripe", "tremendous", "xendit", "xoxoday"}

// CodeRailUnknown is the code of a rail that this installation does not have.
const CodeRailUnknown incentive.Code = "rail-unknown"

// Registry holds the rails of an installation by name. The zero Registry has none.
type Registry struct {
	rails map[string]Rail
	names []string // sorted

	remade func() map[string]Rail // rails of which it has others than rails now
}

var railName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// NewRegistry returns a registry of those rails. It refuses two of one name, a name that
// is not lower-case letters, digits and hyphens, and a rail that is neither a SingleRail
// nor a FileRail as its Capabilities say.
func NewRegistry(rails ...Rail) (Registry, error) {
	r := Registry{rails: make(map[string]Rail, len(rails))}
	for _, rail := range rails {
		name := rail.Name()
		if !railName.MatchString(name) {
			return Registry{}, incentive.Errorf(incentive.CodeInvalid, "%q is not a name for a rail: use lower-case letters, digits and hyphens, such as payment-file", name)
		}
		if r.rails[name] != nil {
			return Registry{}, incentive.Errorf(incentive.CodeInvalid, "two rails are named %q", name)
		}
		_, single := rail.(SingleRail)
		_, file := rail.(FileRail)
		if single == file || file != rail.Capabilities().File {
			return Registry{}, incentive.Errorf(incentive.CodeInvalid, "the rail %q must be either a rail of single payouts or one of files", name)
		}
		r.rails[name] = rail
		r.names = append(r.names, name)
	}
	slices.Sort(r.names)
	return r, nil
}

// Remade returns the registry with rails that change with the settings they are made by: now returns those which stand
// in the place of others of their name, or beside them.
func (r Registry) Remade(now func() map[string]Rail) Registry {
	r.remade = now
	return r
}

// Names lists the rails, sorted.
func (r Registry) Names() []string {
	names := slices.Clone(r.names)
	if r.remade != nil {
		for name := range r.remade() {
			names = append(names, name)
		}
		slices.Sort(names)
		names = slices.Compact(names)
	}
	return names
}

// Rail returns the rail of that name, or an error of code CodeRailUnknown.
func (r Registry) Rail(name string) (Rail, error) {
	if _, single := r.rails[name].(SingleRail); r.remade != nil && !single {
		if rail, known := r.remade()[name]; known {
			return rail, nil
		}
	}
	if rail, known := r.rails[name]; known {
		return rail, nil
	}
	return nil, incentive.Errorf(CodeRailUnknown, "there is no rail %q here; there is %s", name, strings.Join(r.Names(), ", "))
}

// Single returns the rail of that name, which must be one of single payouts.
func (r Registry) Single(name string) (SingleRail, error) {
	rail, err := r.Rail(name)
	if err != nil {
		return nil, err
	}
	if single, ok := rail.(SingleRail); ok {
		return single, nil
	}
	return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %q pays by file, not payout by payout", name)
}

// File returns the rail of that name, which must be one of files.
func (r Registry) File(name string) (FileRail, error) {
	rail, err := r.Rail(name)
	if err != nil {
		return nil, err
	}
	if file, ok := rail.(FileRail); ok {
		return file, nil
	}
	return nil, incentive.Errorf(incentive.CodeInvalid, "the rail %q pays payout by payout, not by file", name)
}

// PerSecond is how many calls a second the rail of that name bears; 0 is no limit.
func (r Registry) PerSecond(name string) float64 {
	if rail, known := r.rails[name]; known {
		return rail.Capabilities().PerSecond
	}
	return 0
}

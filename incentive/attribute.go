package incentive

import "regexp"

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// IsAttributeName reports whether an attribute of a transaction or a participant may be called so,
// as plans can read it: small letters, digits and _, 63 at most.
func IsAttributeName(name string) bool { return attributeName.MatchString(name) }

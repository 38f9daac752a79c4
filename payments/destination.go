package payments

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/payments/bankaccount"
)

// CodeDestinationInvalid is the code of a destination that a rail cannot pay to.
const CodeDestinationInvalid incentive.Code = "destination-invalid"

// CodeEventRefused is the code of an event that did not come from the rail, or not now.
const CodeEventRefused incentive.Code = "event-refused"

// Destination is where a rail pays to: details by the names the rail gives them. It is
// secret, and so hidden from fmt and slog.
type Destination map[string]string

const hidden = "[destination]"

// String hides the details.
func (Destination) String() string { return hidden }

// GoString hides the details.
func (Destination) GoString() string { return hidden }

// LogValue hides the details.
func (Destination) LogValue() slog.Value { return slog.StringValue(hidden) }

// aside are details that do not say which account it is.
var aside = []string{"holder", "name", "product", "town", "country"}

// Account is what two clean destinations have in common where they are the same account,
// whatever rail pays to it and whatever name its holder goes by. It is secret.
func (d Destination) Account() string {
	if account := d["account"]; bankaccount.LooksLikeIBAN(account) {
		return "account=" + account // which names its bank
	}
	var parts []string
	for _, detail := range slices.Sorted(maps.Keys(d)) {
		if !slices.Contains(aside, detail) {
			parts = append(parts, detail+"="+strings.ToLower(d[detail]))
		}
	}
	return strings.Join(parts, "\n")
}

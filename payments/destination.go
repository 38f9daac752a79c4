package payments

import (
	"log/slog"

	"github.com/guerdon/guerdon/incentive"
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

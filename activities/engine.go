package activities

import (
	"context"

	"github.com/guerdon/guerdon/incentive"
)

// Engine is what turns a snapshot into statements. The same snapshot and version give
// the same statements, byte for byte.
type Engine struct {
	Version   string
	Calculate func(context.Context, incentive.Snapshot) ([]incentive.Statement, error)
}

package processes

import (
	"context"
	"time"

	"github.com/guerdon/guerdon/api/client"
	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// Ask repeats a request as people do whose request was not answered: with the same key,
// until it is.
func Ask[T any](ctx context.Context, call func(key string) (T, error)) (T, error) {
	key := client.NewKey()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		answer, err := call(key)
		switch incentive.ErrorCode(err) {
		case client.CodeUnreachable, store.CodeKeyInProgress, incentive.CodeInternal, client.CodeTryAgain:
		default:
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-tick.C:
		}
	}
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/store"
)

// identity is who Temporal says has set a rate.
const identity = "guerdon"

// keepRates has Temporal hold the calls to rails to what administrators allow, until ctx ends.
// The record counts: whatever worker comes first tells Temporal, whose limit goes before the one
// with which workers begin, and holds for all of them together.
func (config Config) keepRates(ctx context.Context) {
	told := map[string]float32{}
	for ctx.Err() == nil {
		err := config.followRates(ctx, told)
		if unknown := (*serviceerror.Unimplemented)(nil); errors.As(err, &unknown) {
			config.Log.ErrorContext(ctx, "this Temporal server cannot change how often rails are called while it runs: limits hold from the next start of a worker on", "error", err)
			return
		}
		if err != nil && ctx.Err() == nil {
			config.Log.ErrorContext(ctx, "could not tell Temporal how often rails may be called", "error", err)
			rest(ctx, afterFailure)
		}
	}
}

// followRates tells Temporal what is allowed whenever it changes, until something goes wrong.
// told is what Temporal was told of each rail; 0 is that nobody has said anything.
func (config Config) followRates(ctx context.Context, told map[string]float32) error {
	acts, err := config.Store.Listen(ctx, store.ChannelAudited)
	if err != nil {
		return err
	}
	defer acts.Close()
	for ctx.Err() == nil {
		rates, err := config.Store.RailRates(ctx)
		if err != nil {
			return err
		}
		for _, rail := range config.Rails.Names() {
			rate := rates[rail]
			allowed := float32(rate.InexactFloat64())
			if before, known := told[rail]; known && before == allowed {
				continue
			}
			if err := config.tellRate(ctx, rail, allowed); err != nil {
				return err
			}
			told[rail] = allowed
		}
		if err := until(ctx, acts, func(subject string) bool { return strings.HasPrefix(subject, store.RailSubject("")) }); err != nil {
			return err
		}
	}
	return nil
}

// until waits until something is put on record about one of some subjects, or longestRest is over.
func until(ctx context.Context, acts *store.Listener, about func(subject string) bool) error {
	waiting, cancel := context.WithTimeout(ctx, longestRest)
	defer cancel()
	for {
		subject, err := acts.Wait(waiting)
		if waiting.Err() != nil {
			return nil
		}
		if err != nil || about(subject) {
			return err
		}
	}
}

// tellRate tells Temporal how many calls a second the queue of a rail may be given; 0 leaves it
// to what workers begin with.
func (config Config) tellRate(ctx context.Context, rail string, perSecond float32) error {
	update := &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{Reason: "limits of the rail"}
	if perSecond > 0 {
		update.RateLimit = &taskqueue.RateLimit{RequestsPerSecond: perSecond}
	}
	call, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := config.Client.WorkflowService().UpdateTaskQueueConfig(call, &workflowservice.UpdateTaskQueueConfigRequest{
		Namespace:            config.Namespace,
		Identity:             identity,
		TaskQueue:            activities.RailQueue(rail),
		TaskQueueType:        enums.TASK_QUEUE_TYPE_ACTIVITY,
		UpdateQueueRateLimit: update,
	})
	if err != nil {
		return fmt.Errorf("limit the calls to %s: %w", rail, err)
	}
	return nil
}

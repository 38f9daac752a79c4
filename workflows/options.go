package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// System is the actor of what a workflow does by itself.
const System = "system"

// systemKey names an act of the system: it is the same when the workflow is replayed,
// and another one each time the workflow comes to do the act.
func systemKey[T ~string](ctx workflow.Context, act T) string {
	info := workflow.GetInfo(ctx)
	return fmt.Sprintf("system/%s/%s/%d", act, info.WorkflowExecution.RunID, info.GetCurrentHistoryLength())
}

// UpdateKey names what an Update with an id does: the same when it is sent again.
func UpdateKey(id string) string { return "update/" + id }

// retry goes on for ever: what activities meet here is a database or a worker that is
// away, and it comes back. What no retry can mend is a result, not an error.
func retry() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{InitialInterval: activities.Wait(200 * time.Millisecond), BackoffCoefficient: 2, MaximumInterval: activities.Wait(30 * time.Second)}
}

// quickOptions are for activities that read or write a few rows.
func quickOptions() workflow.ActivityOptions {
	return workflow.ActivityOptions{StartToCloseTimeout: activities.Wait(time.Minute), RetryPolicy: retry()}
}

// railOptions are for activities that ask a rail, which may not answer for long.
func railOptions(rail, summary string) workflow.ActivityOptions {
	ask := longOptions(summary)
	ask.TaskQueue = activities.RailQueue(rail)
	ask.RetryPolicy = &temporal.RetryPolicy{InitialInterval: activities.Wait(time.Second), BackoffCoefficient: 2, MaximumInterval: activities.Wait(longestPause)}
	return ask
}

// longOptions are for activities that work through a whole period and say by heartbeats
// that they are alive.
func longOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: activities.Wait(10 * time.Second), RetryPolicy: retry(), Summary: summary}
}

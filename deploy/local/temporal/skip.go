package temporal

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	common "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	workflow "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// SkipTime moves the clock of one workflow, and of the children it starts, forward and
// returns when it is there, or the workflow has ended before: timers on the way fire, and
// what they set off is waited for. Clocks outside, PostgreSQL's now() for one, stay. The
// server must have been started with TimeSkipping; an empty runID means the latest run.
//
// Temporal calls this interface unstable: it is used here only. For tests and demos.
func SkipTime(ctx context.Context, connection client.Client, workflowID, runID string, duration time.Duration) error {
	service := connection.WorkflowService()
	execution := &common.WorkflowExecution{WorkflowId: workflowID, RunId: runID}
	id := rand.Text()
	_, err := service.UpdateWorkflowExecutionOptions(ctx, &workflowservice.UpdateWorkflowExecutionOptionsRequest{
		Namespace:         Namespace,
		WorkflowExecution: execution,
		WorkflowExecutionOptions: &workflow.WorkflowExecutionOptions{TimeSkippingConfig: &common.TimeSkippingConfig{
			Enabled:           true,
			FastForwardConfig: &common.FastForwardConfig{Id: id, Duration: durationpb.New(duration)},
		}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"time_skipping_config"}},
	})
	if err != nil {
		return fmt.Errorf("skipping %v in workflow %s: %w", duration, workflowID, err)
	}
	for {
		poll, err := service.PollWorkflowExecutionTimeSkipping(ctx, &workflowservice.PollWorkflowExecutionTimeSkippingRequest{
			Namespace: Namespace, WorkflowExecution: execution, FastForwardId: id,
		})
		if err != nil {
			return fmt.Errorf("skipping %v in workflow %s: %w", duration, workflowID, err)
		}
		switch poll.GetFastForwardPollingResult() {
		case enums.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
			return nil
		case enums.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
			return skipEnd(ctx, service, execution, duration, poll.GetFailedReason())
		}
	}
}

// skipEnd tells the workflow that has ended on the way from a real failure.
func skipEnd(ctx context.Context, service workflowservice.WorkflowServiceClient, execution *common.WorkflowExecution, duration time.Duration, reason string) error {
	description, err := service.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{Namespace: Namespace, Execution: execution})
	if err == nil && description.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil
	}
	return fmt.Errorf("skipping %v in workflow %s: %s", duration, execution.GetWorkflowId(), reason)
}

package workflows

import (
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// Registry is what workflows are registered with: a worker, or a replayer.
type Registry interface {
	RegisterWorkflow(w any)
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}

// Register registers every workflow.
func Register(r Registry) {
	r.RegisterWorkflow(PayPeriod)
	r.RegisterWorkflow(Calculation)
	r.RegisterWorkflowWithOptions(Approval, workflow.RegisterOptions{Name: activities.ApprovalWorkflow})
	r.RegisterWorkflow(Dispute)
	r.RegisterWorkflow(Disburse)
	r.RegisterWorkflow(Batch)
	r.RegisterWorkflow(StatusFile)
	r.RegisterWorkflow(RailEvent)
	r.RegisterWorkflow(Reconciliation)
	r.RegisterWorkflow(ReconcileDay)
	r.RegisterWorkflow(Notifications)
	r.RegisterWorkflowWithOptions(Archive, workflow.RegisterOptions{Name: activities.ArchiveWorkflow})
	r.RegisterWorkflowWithOptions(ArchiveDispute, workflow.RegisterOptions{Name: activities.ArchiveDisputeWorkflow})

	r.RegisterWorkflow(Verify)

	r.RegisterWorkflow(Recall)
	r.RegisterWorkflow(Redemption)
	r.RegisterWorkflow(ExpirePoints)

	r.RegisterWorkflow(Prenotes)

	r.RegisterWorkflow(DealReminders)
}

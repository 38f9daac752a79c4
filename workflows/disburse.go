package workflows

import (
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
)

// RailSubmittedSignal tells a period that everything of a rail has been submitted or
// waits for a person. Its argument is the rail.
const RailSubmittedSignal = "rail-submitted"

// SupplementSignal tells a disbursement that the period's next payout list is released, and
// waits to hear again that all of it has been submitted.
const SupplementSignal = "supplement"

// ConfirmFileUpdate is the Update by which a person says that a payment file has been
// taken to the bank, or carried out by it.
const ConfirmFileUpdate = "confirm-file"

// ConfirmFileInput is the argument of ConfirmFileUpdate.
type ConfirmFileInput struct {
	Actor  string
	FileID string
	Paid   bool // the bank has carried the file out
}

// DisburseInput names what one disbursement pays.
type DisburseInput struct {
	PeriodID  string
	Revision  int
	Rail      string
	Submitted bool // the period has been told
}

// atOnce is how many batches of a rail are under way together, and inBatch how many
// payouts of a batch.
const (
	atOnce  = 8
	inBatch = 50
)

// What a rail has taken and not paid is asked after, at first after firstPause and then
// ever more seldom.
const (
	firstPause   = time.Minute
	longestPause = time.Hour
)

// A rail that was away is asked whether it answers again, at first after firstProbe and then
// ever more seldom.
const (
	firstProbe   = 30 * time.Second
	longestProbe = 5 * time.Minute
)

// Disburse pays what a revision pays by one rail, and ends when each of its payouts is
// paid or cancelled.
func Disburse(ctx workflow.Context, input DisburseInput) error {
	changed := true
	err := workflow.SetUpdateHandler(ctx, ConfirmFileUpdate, func(ctx workflow.Context, in ConfirmFileInput) (Answer, error) {
		var o activities.Outcome
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("confirm file")), do.ConfirmFile, in.Actor, in.FileID, in.Paid).Get(ctx, &o)
		changed = changed || err == nil && o.Code == ""
		return Answer{Code: o.Code, Message: o.Message}, err
	})
	if err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, activities.RetrySignal)
		for signals.Receive(ctx, nil) {
			changed = true
		}
	})
	err = workflow.UpsertTypedSearchAttributes(ctx, periodAttribute.ValueSet(input.PeriodID), stageAttribute.ValueSet("disbursement"), railAttribute.ValueSet(input.Rail))
	if err != nil {
		return err
	}
	supplement := workflow.GetSignalChannel(ctx, SupplementSignal)
	probe := activities.Wait(firstProbe)
	for pause := activities.Wait(firstPause); ; {
		changed = false
		for supplement.ReceiveAsync(nil) {
			input.Submitted = false
		}
		var work activities.RailWork
		if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("look at the rail")), do.PrepareRail, input.PeriodID, input.Revision, input.Rail).Get(ctx, &work); err != nil {
			return err
		}
		if supplement.Len() > 0 {
			continue // what was looked at is out of date
		}
		if len(work.Batches) > 0 {
			if err := runBatches(ctx, input, work.Batches); err != nil {
				return err
			}
			pause = activities.Wait(firstPause)
			continue
		}
		// A bank may have answered everything before anybody said that its file was taken there.
		if !work.OnHold && !input.Submitted && (work.WaitingFiles == 0 || work.Open == 0) {
			err := workflow.SignalExternalWorkflow(ctx, activities.PayPeriodID(input.PeriodID, input.Revision), "", RailSubmittedSignal, input.Rail).Get(ctx, nil)
			if err != nil {
				return err
			}
			input.Submitted = true
		}
		if !work.OnHold && work.Open == 0 {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil || supplement.Len() == 0 {
				return err
			}
			continue
		}
		due := func() bool {
			return changed || supplement.Len() > 0 || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
		}
		asking, wait := false, time.Duration(0)
		switch {
		case work.Away:
			wait = probe
		case work.Submitted > 0:
			wait = pause
		}
		if wait == 0 {
			err = workflow.Await(ctx, due)
		} else {
			var inTime bool
			inTime, err = workflow.AwaitWithTimeout(ctx, wait, due)
			asking = !inTime
		}
		if err != nil {
			return err
		}
		if asking && work.Away {
			if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, railOptions(input.Rail, "ask whether the rail answers again")), do.Probe, input.PeriodID, input.Revision, input.Rail).Get(ctx, nil); err != nil {
				return err
			}
			probe = min(2*probe, activities.Wait(longestProbe))
			continue
		}
		if asking {
			ask := longOptions("ask after what was submitted")
			ask.TaskQueue, ask.StartToCloseTimeout = activities.RailQueue(input.Rail), 12*time.Hour
			if err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, ask), do.AskAfter, input.PeriodID, input.Revision, input.Rail).Get(ctx, nil); err != nil {
				return err
			}
			pause = min(2*pause, activities.Wait(longestPause))
			continue
		}
		if !changed && supplement.Len() == 0 {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
				return err
			}
			if supplement.ReceiveAsync(nil) {
				input.Submitted = false
			}
			return workflow.NewContinueAsNewError(ctx, Disburse, input)
		}
	}
}

// runBatches runs a child workflow for each batch, at most atOnce together.
func runBatches(ctx workflow.Context, input DisburseInput, batches []int) error {
	slots := workflow.NewSemaphore(ctx, atOnce)
	var running []workflow.ChildWorkflowFuture
	for _, number := range batches {
		if err := slots.Acquire(ctx, 1); err != nil {
			return err
		}
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:            activities.BatchID(input.PeriodID, input.Revision, input.Rail, number),
			WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, // a retry runs a batch again
		})
		f := workflow.ExecuteChildWorkflow(child, Batch, BatchInput{PeriodID: input.PeriodID, Revision: input.Revision, Rail: input.Rail, Number: number})
		workflow.Go(ctx, func(ctx workflow.Context) {
			_ = f.Get(ctx, nil) // read again below
			slots.Release(1)
		})
		running = append(running, f)
	}
	for _, f := range running {
		if err := f.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// BatchInput names one batch.
type BatchInput struct {
	PeriodID string
	Revision int
	Rail     string
	Number   int
}

// Batch makes the payouts of one batch, inBatch at a time. A payout that cannot be made
// is set aside for a person and holds up no other. When the period is put on hold, or the
// rail stops for a fault that is no payout's, the rest stays as it is, for a run of the batch
// after a person has let it go on.
func Batch(ctx workflow.Context, input BatchInput) error {
	quick := workflow.WithActivityOptions(ctx, quickOptions())
	var payouts []string
	if err := workflow.ExecuteActivity(quick, do.ListPayouts, input.PeriodID, input.Revision, input.Rail, input.Number).Get(ctx, &payouts); err != nil {
		return err
	}
	call := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           activities.RailQueue(input.Rail),
		StartToCloseTimeout: 2 * time.Minute,
		HeartbeatTimeout:    activities.Wait(15 * time.Second), // a worker that was killed is missed soon
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    activities.Wait(time.Second),
			BackoffCoefficient: 2,
			MaximumInterval:    activities.Wait(time.Minute),
			MaximumAttempts:    12,
		},
	})
	slots := workflow.NewSemaphore(ctx, inBatch)
	onHold := false
	var failed error
	left := len(payouts)
	for _, id := range payouts {
		if err := slots.Acquire(ctx, 1); err != nil {
			return err
		}
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer func() { slots.Release(1); left-- }()
			if onHold {
				return
			}
			var sent activities.SubmitOutcome
			err := workflow.ExecuteActivity(call, do.SubmitPayout, id).Get(ctx, &sent)
			switch {
			case err != nil && temporal.IsCanceledError(err):
				failed = err
			case err != nil:
				if err := workflow.ExecuteActivity(quick, do.SetAside, id, activities.UnknownOutcome).Get(ctx, nil); err != nil {
					failed = err
				}
			case sent.OnHold:
				onHold = true
			}
		})
	}
	if err := workflow.Await(ctx, func() bool { return left == 0 }); err != nil {
		return err
	}
	return failed
}

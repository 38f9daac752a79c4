// Package workflows holds the durable side of Guerdon: the pay period, its approval
// queues and its disbursement. Workflows decide order and time; what they decide about
// lies in PostgreSQL, and only ids and digests pass through here.
package workflows

import (
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/guerdon/guerdon/activities"
	"github.com/guerdon/guerdon/incentive"
)

// Activities by reference: workflows name methods, and workers hold the real thing.
var do *activities.Activities

// ActInput is the argument of an Update of a pay period. The Update's id names the
// command: with the same id an act is done once.
type ActInput struct {
	Actor            string
	ReasonID         string
	PayoutListDigest []byte
	Days             int    // business days by which the dispute window is extended
	AmendmentID      string // of the changes that a recalculation takes over; "" for none
}

// Answer is what an Update answers: the state after it or, with a Code, why it was
// refused.
type Answer struct {
	State   incentive.State
	Code    incentive.Code
	Message string
}

// RemindUpdate is the Update by which finance reminds whoever an item of the period's
// checklist waits for.
const RemindUpdate = "remind"

// RemindInput is the argument of RemindUpdate.
type RemindInput struct {
	Actor string
	Item  string
	Party string // a participant's id, or finance
}

// RemindAnswer is how many people were told or, with a Code, why nobody was.
type RemindAnswer struct {
	Told    int
	Code    incentive.Code
	Message string
}

// PayPeriodInput starts a pay period's workflow, or carries it over into a new run.
type PayPeriodInput struct {
	PeriodID string
	Revision int
	// What a former run of the same workflow knew; empty at the start.
	State      incentive.State
	OnHold     bool
	SnapshotID int64
	Deadline   time.Time
	Disbursed  bool // a payout list has been; another one supplements it
}

// Search attributes by which operators list periods in Temporal's own interface.
var (
	periodAttribute   = temporal.NewSearchAttributeKeyKeyword("GuerdonPeriod")
	stageAttribute    = temporal.NewSearchAttributeKeyKeyword("GuerdonStage")
	railAttribute     = temporal.NewSearchAttributeKeyKeyword("GuerdonRail")
	deadlineAttribute = temporal.NewSearchAttributeKeyTime("GuerdonDeadline")
)

// PayPeriod looks after one revision of a pay period from open to closed or cancelled.
func PayPeriod(ctx workflow.Context, input PayPeriodInput) error {
	p := &payPeriod{PayPeriodInput: input, mutex: workflow.NewMutex(ctx)}
	if p.State == "" {
		p.State = incentive.Open
	}
	if err := p.receive(ctx); err != nil {
		return err
	}
	if err := p.show(ctx); err != nil {
		return err
	}
	return p.run(ctx)
}

type payPeriod struct {
	PayPeriodInput
	mutex        workflow.Mutex // acts, of people and of the system, happen one by one
	lastApproval bool           // nothing waits for approval any more
	submitted    map[string]bool
	rails        []string // the rails that pay this revision, while it disburses
}

// receive registers every Update and listens to signals.
func (p *payPeriod) receive(ctx workflow.Context) error {
	for _, act := range incentive.PersonActs() {
		err := workflow.SetUpdateHandlerWithOptions(ctx, string(act), func(ctx workflow.Context, in ActInput) (Answer, error) {
			return p.byPerson(ctx, act, in)
		}, workflow.UpdateHandlerOptions{Validator: func(in ActInput) error {
			if p.mutex.IsLocked() {
				return nil // the database may be ahead of this workflow; the handler asks it in turn
			}
			if _, err := incentive.Next(p.State, p.OnHold, act); err != nil {
				return temporal.NewNonRetryableApplicationError(incentive.ErrorMessage(err), string(incentive.ErrorCode(err)), nil)
			}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	err := workflow.SetUpdateHandler(ctx, RemindUpdate, func(ctx workflow.Context, in RemindInput) (RemindAnswer, error) {
		var r activities.Reminded
		err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, quickOptions()), do.RemindParty, activities.Reminder{
			PeriodID: p.PeriodID,
			Revision: p.Revision,
			Item:     in.Item,
			Party:    in.Party,
			Actor:    in.Actor,
			Key:      UpdateKey(workflow.GetCurrentUpdateInfo(ctx).ID),
		}).Get(ctx, &r)
		return RemindAnswer(r), err
	})
	if err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, activities.LastApprovalSignal)
		for signals.Receive(ctx, nil) {
			p.lastApproval = true
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, RailSubmittedSignal)
		var rail string
		for signals.Receive(ctx, &rail) {
			if p.submitted == nil {
				p.submitted = map[string]bool{}
			}
			p.submitted[rail] = true
		}
	})
	return nil
}

func (p *payPeriod) byPerson(ctx workflow.Context, act incentive.Act, in ActInput) (Answer, error) {
	o, err := p.act(ctx, activities.PeriodAct{
		Act:              act,
		Actor:            in.Actor,
		ReasonID:         in.ReasonID,
		PayoutListDigest: in.PayoutListDigest,
		Days:             in.Days,
		AmendmentID:      in.AmendmentID,
		Key:              UpdateKey(workflow.GetCurrentUpdateInfo(ctx).ID),
	})
	return Answer{State: o.State, Code: o.Code, Message: o.Message}, err
}

// bySystem does an act of the workflow's own. The key holds the run and the history's
// length, so that the same act later in the period's life is another one.
func (p *payPeriod) bySystem(ctx workflow.Context, act incentive.Act) (activities.Outcome, error) {
	return p.act(ctx, activities.PeriodAct{Act: act, Actor: System, Key: systemKey(ctx, act)})
}

func (p *payPeriod) act(ctx workflow.Context, act activities.PeriodAct) (activities.Outcome, error) {
	act.PeriodID, act.Revision = p.PeriodID, p.Revision
	if err := p.mutex.Lock(ctx); err != nil {
		return activities.Outcome{}, err
	}
	defer p.mutex.Unlock()
	var o activities.Outcome
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions(string(act.Act))), do.Act, act).Get(ctx, &o)
	if err != nil {
		return o, err
	}
	return o, p.follow(ctx, o)
}

// follow takes over what an act left in the database.
func (p *payPeriod) follow(ctx workflow.Context, o activities.Outcome) error {
	if o.Code != "" {
		return nil
	}
	p.State, p.OnHold, p.SnapshotID, p.Deadline = o.State, o.OnHold, o.SnapshotID, o.WindowDeadline
	return p.show(ctx)
}

func (p *payPeriod) show(ctx workflow.Context) error {
	stage := string(p.State)
	if p.OnHold {
		stage = "on hold"
	}
	updates := []temporal.SearchAttributeUpdate{periodAttribute.ValueSet(p.PeriodID), stageAttribute.ValueSet(stage)}
	if p.Deadline.IsZero() {
		updates = append(updates, deadlineAttribute.ValueUnset())
	} else {
		updates = append(updates, deadlineAttribute.ValueSet(p.Deadline))
	}
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// run does the system's part until the period has ended.
func (p *payPeriod) run(ctx workflow.Context) error {
	for {
		was := p.State
		if err := p.step(ctx); err != nil {
			return err
		}
		if p.State == incentive.Closed || p.State == incentive.Cancelled {
			return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
		}
		if p.State == was && workflow.GetInfo(ctx).GetContinueAsNewSuggested() && p.State != incentive.Disbursing {
			if err := workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) }); err != nil {
				return err
			}
			return workflow.NewContinueAsNewError(ctx, PayPeriod, p.PayPeriodInput)
		}
	}
}

// step does what the system has to do in the present state, and returns when the state
// has changed or a new run is due.
func (p *payPeriod) step(ctx workflow.Context) error {
	was := p.State
	moved := func() bool { return p.State != was }
	movedOrFull := func() bool { return moved() || workflow.GetInfo(ctx).GetContinueAsNewSuggested() }
	free := func() bool { return moved() || !p.OnHold }
	switch was {
	case incentive.Locked:
		if err := workflow.Await(ctx, free); err != nil || moved() {
			return err
		}
		return p.calculate(ctx)
	case incentive.Published:
		for set := p.Deadline; ; set = p.Deadline { // it may be extended
			_, err := workflow.AwaitWithTimeout(ctx, set.Sub(workflow.Now(ctx)), func() bool { return moved() || !p.Deadline.Equal(set) })
			if err != nil || moved() {
				return err
			}
			if p.Deadline.Equal(set) {
				break
			}
		}
		if err := workflow.Await(ctx, free); err != nil || moved() {
			return err
		}
		p.lastApproval = false
		_, err := p.bySystem(ctx, incentive.WindowEnds)
		return err
	case incentive.Approving:
		// The first try finds a period in which there is nothing to approve, and one
		// whose last approval came in between two runs.
		for {
			if err := workflow.Await(ctx, free); err != nil || moved() {
				return err
			}
			p.lastApproval = false
			if _, err := p.bySystem(ctx, incentive.ApproveLast); err != nil || moved() {
				return err
			}
			err := workflow.Await(ctx, func() bool { return p.lastApproval || movedOrFull() })
			if err != nil || !p.lastApproval {
				return err
			}
		}
	case incentive.Released:
		if err := workflow.Await(ctx, free); err != nil || moved() {
			return err
		}
		_, err := p.bySystem(ctx, incentive.Disburse)
		return err
	case incentive.Disbursing:
		return p.disburse(ctx)
	default:
		return workflow.Await(ctx, movedOrFull)
	}
}

// calculate stores a run, or opens the period again where the data do not allow one.
func (p *payPeriod) calculate(ctx workflow.Context) error {
	if err := p.mutex.Lock(ctx); err != nil {
		return err
	}
	defer p.mutex.Unlock()
	if p.State != incentive.Locked {
		return nil
	}
	act := activities.PeriodAct{PeriodID: p.PeriodID, Revision: p.Revision, Act: incentive.Calculate, Actor: System, Key: systemKey(ctx, incentive.Calculate)}
	var o activities.Outcome
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, longOptions("calculate")), do.Calculate, act, p.SnapshotID).Get(ctx, &o)
	if err == nil && o.Sharding != nil {
		child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: activities.CalculationID(p.PeriodID, p.Revision, o.Sharding.RunID)})
		in := CalculationInput{Act: act, SnapshotID: p.SnapshotID, Sharding: *o.Sharding}
		o = activities.Outcome{}
		err = workflow.ExecuteChildWorkflow(child, Calculation, in).Get(ctx, &o)
	}
	if err != nil {
		return err
	}
	return p.follow(ctx, o)
}

// disburse starts what pays by each rail and waits until all of it has been submitted.
func (p *payPeriod) disburse(ctx workflow.Context) error {
	p.submitted = nil
	quick := workflow.WithActivityOptions(ctx, quickOptions())
	if err := workflow.ExecuteActivity(quick, do.ListRails, p.PeriodID, p.Revision).Get(ctx, &p.rails); err != nil {
		return err
	}
	for _, rail := range p.rails {
		if err := p.startRail(ctx, rail); err != nil {
			return err
		}
	}
	err := workflow.Await(ctx, func() bool {
		for _, rail := range p.rails {
			if !p.submitted[rail] {
				return false
			}
		}
		return !p.OnHold
	})
	if err != nil {
		return err
	}
	_, err = p.bySystem(ctx, incentive.DisburseLast)
	p.Disbursed = p.Disbursed || p.State != incentive.Disbursing
	return err
}

// startRail starts what pays by a rail. Where that is still under way for an earlier
// payout list of the period, it is told that there is another one.
func (p *payPeriod) startRail(ctx workflow.Context, rail string) error {
	id := activities.DisburseID(p.PeriodID, p.Revision, rail)
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            id,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON, // a file may be settled after everything else
	})
	for {
		started := workflow.ExecuteChildWorkflow(child, Disburse, DisburseInput{PeriodID: p.PeriodID, Revision: p.Revision, Rail: rail})
		err := started.GetChildWorkflowExecution().Get(ctx, nil)
		if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return err
		}
		if !p.Disbursed || workflow.SignalExternalWorkflow(ctx, id, "", SupplementSignal, nil).Get(ctx, nil) == nil {
			return nil
		}
		// It has just ended: then it can be started.
	}
}

package incentive

import "slices"

// State is where a pay period stands.
type State string

// The states of a pay period, in the order of a period that goes well.
const (
	Open       State = "open"
	Locked     State = "locked"
	Calculated State = "calculated"
	Published  State = "published" // visible to reps, and frozen
	Approving  State = "approving"
	Approved   State = "approved"
	Released   State = "released"
	Disbursing State = "disbursing"
	Settling   State = "settling"
	Closed     State = "closed"
	Cancelled  State = "cancelled"
)

// States lists every state.
var States = []State{Open, Locked, Calculated, Published, Approving, Approved, Released, Disbursing, Settling, Closed, Cancelled}

// Act is something that moves a pay period on.
type Act string

// The acts of people on a pay period. Each is an Update of its workflow.
const (
	Lock         Act = "lock"
	Recalculate  Act = "recalculate"
	Publish      Act = "publish"
	ExtendWindow Act = "extend-window"
	EndWindow    Act = "end-window"
	Withdraw     Act = "withdraw"
	Release      Act = "release"
	Close        Act = "close"
	Cancel       Act = "cancel"
	Hold         Act = "hold"
	Resume       Act = "resume"
)

// Reopen begins another revision of a closed period. It is no transition, as each revision
// has a life of its own.
const Reopen Act = "reopen"

// The acts of the system itself.
const (
	Calculate        Act = "calculate"         // a run has been stored
	CalculationFails Act = "calculation-fails" // the data do not allow a result; the period is open again
	WindowEnds       Act = "window-ends"       // the dispute window's timer fired
	ApproveLast      Act = "approve-last"      // the last approval came in
	Disburse         Act = "disburse"          // the first batch is about to start
	DisburseLast     Act = "disburse-last"     // the last batch has ended
)

// Transition is one row of the table of what may happen to a pay period.
type Transition struct {
	Act       Act
	From      []State
	To        State
	ByPerson  bool
	NeedsText bool // a reason must be given
}

// Transitions is the life of a pay period: workflow, database checks, API and
// documentation derive from it. Hold and resume change a flag and no state; while a
// period is on hold no other transition happens, except cancel.
var Transitions = []Transition{
	{Act: Lock, From: []State{Open}, To: Locked, ByPerson: true},
	{Act: Calculate, From: []State{Locked}, To: Calculated},
	{Act: CalculationFails, From: []State{Locked}, To: Open},
	{Act: Recalculate, From: []State{Calculated}, To: Locked, ByPerson: true},
	{Act: Publish, From: []State{Calculated}, To: Published, ByPerson: true},
	{Act: WindowEnds, From: []State{Published}, To: Approving},
	{Act: ExtendWindow, From: []State{Published}, To: Published, ByPerson: true, NeedsText: true},
	{Act: EndWindow, From: []State{Published}, To: Approving, ByPerson: true},
	{Act: ApproveLast, From: []State{Approving}, To: Approved},
	{Act: Withdraw, From: []State{Published, Approving, Approved}, To: Calculated, ByPerson: true, NeedsText: true},
	{Act: Release, From: []State{Approved, Settling}, To: Released, ByPerson: true}, // once settling, of a supplementary payout list
	{Act: Disburse, From: []State{Released}, To: Disbursing},
	{Act: DisburseLast, From: []State{Disbursing}, To: Settling},
	{Act: Close, From: []State{Settling}, To: Closed, ByPerson: true},
	{Act: Cancel, From: []State{Open, Locked, Calculated, Published, Approving, Approved}, To: Cancelled, ByPerson: true, NeedsText: true},
}

// CodeNotAllowedNow says that the period's state does not allow the act.
const CodeNotAllowedNow Code = "not-allowed-now"

// CodeOnHold says that the period is on hold.
const CodeOnHold Code = "period-on-hold"

// Next returns the state that act leads to from a state, or an error of code
// CodeNotAllowedNow or CodeOnHold that says what is allowed.
func Next(from State, onHold bool, act Act) (State, error) {
	switch {
	case act == Hold && onHold:
		return "", Errorf(CodeOnHold, "the period is already on hold")
	case act == Resume && !onHold:
		return "", Errorf(CodeNotAllowedNow, "the period is not on hold")
	case act == Hold || act == Resume:
		if from == Closed || from == Cancelled {
			return "", Errorf(CodeNotAllowedNow, "the period is %s, so it can no longer be put on hold", from)
		}
		return from, nil
	case onHold && act != Cancel:
		return "", Errorf(CodeOnHold, "the period is on hold: resume it first")
	}
	for _, t := range Transitions {
		if t.Act == act && slices.Contains(t.From, from) {
			return t.To, nil
		}
	}
	return "", Errorf(CodeNotAllowedNow, "the period is %s, and %q is possible only when it is %s", from, act, listed(origins(act)))
}

// PersonActs lists the acts that people do on a period, in the table's order.
func PersonActs() []Act {
	var acts []Act
	for _, t := range Transitions {
		if t.ByPerson {
			acts = append(acts, t.Act)
		}
	}
	return append(acts, Hold, Resume)
}

// NeedsReason reports whether an act must come with a reason.
func NeedsReason(act Act) bool {
	for _, t := range Transitions {
		if t.Act == act {
			return t.NeedsText
		}
	}
	return act == Hold || act == Reopen
}

func origins(act Act) []State {
	for _, t := range Transitions {
		if t.Act == act {
			return t.From
		}
	}
	return nil
}

func listed(states []State) string {
	text := ""
	for i, s := range states {
		switch {
		case i == 0:
		case i == len(states)-1:
			text += " or "
		default:
			text += ", "
		}
		text += string(s)
	}
	return text
}

// Move is one change of state, or of the flag, that an act may make.
type Move struct {
	From State
	Act  Act
	To   State
}

// AllMoves lists every move that Next allows.
func AllMoves() []Move {
	var moves []Move
	for _, t := range Transitions {
		for _, from := range t.From {
			moves = append(moves, Move{From: from, Act: t.Act, To: t.To})
		}
	}
	for _, state := range States {
		for _, act := range []Act{Hold, Resume} {
			if _, err := Next(state, act == Resume, act); err == nil {
				moves = append(moves, Move{From: state, Act: act, To: state})
			}
		}
	}
	return moves
}

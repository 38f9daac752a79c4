package incentive

import "slices"

// DisputeState is where a dispute stands.
type DisputeState string

// The states of a dispute.
const (
	DisputeOpen           DisputeState = "open"                       // whoever handles it has to answer
	DisputeWaiting        DisputeState = "waiting-for-information"    // the participant has to reply
	DisputeGranted        DisputeState = "accepted-awaiting-approval" // an adjustment waits for its approval
	DisputeAccepted       DisputeState = "accepted"
	DisputePartlyAccepted DisputeState = "partly-accepted"
	DisputeRejected       DisputeState = "rejected"
	DisputeWithdrawn      DisputeState = "withdrawn"
)

// DisputeStates lists every state.
var DisputeStates = []DisputeState{DisputeOpen, DisputeWaiting, DisputeGranted, DisputeAccepted, DisputePartlyAccepted, DisputeRejected, DisputeWithdrawn}

// OpenDisputeStates lists the states of a dispute that has no outcome yet.
var OpenDisputeStates = []DisputeState{DisputeOpen, DisputeWaiting, DisputeGranted}

// Ended reports whether the dispute has its outcome.
func (s DisputeState) Ended() bool { return !slices.Contains(OpenDisputeStates, s) }

// DisputeAct is something that is done about a dispute.
type DisputeAct string

// The acts on a dispute. Each of a person's is an Update of its workflow.
const (
	AskBack               DisputeAct = "ask"
	Reply                 DisputeAct = "reply"
	Grant                 DisputeAct = "accept"                  // by an adjustment, which another person approves
	AcceptByRecalculation DisputeAct = "accept-by-recalculation" // of the period, with the changes that are named
	RejectDispute         DisputeAct = "reject"
	WithdrawDispute       DisputeAct = "withdraw"
	Escalate              DisputeAct = "escalate"      // nobody has answered in time
	ApproveGrant          DisputeAct = "approve-grant" // the adjustment is approved
	RefuseGrant           DisputeAct = "refuse-grant"  // the adjustment is rejected; another answer is due
)

// DisputeBy says who does an act.
type DisputeBy int

// Who does what about a dispute.
const (
	ByParticipant DisputeBy = iota // whose pay it is about
	ByHandler                      // whoever answers
	BySystem
)

// DisputeTransition is one row of the table of what may happen to a dispute. Where it
// leads to two states, the second is for what is accepted in part.
type DisputeTransition struct {
	Act  DisputeAct
	From []DisputeState
	To   []DisputeState
	By   DisputeBy
}

// DisputeTransitions is the life of a dispute: workflow, database checks, API and
// documentation derive from it.
var DisputeTransitions = []DisputeTransition{
	{AskBack, []DisputeState{DisputeOpen}, []DisputeState{DisputeWaiting}, ByHandler},
	{Reply, []DisputeState{DisputeWaiting}, []DisputeState{DisputeOpen}, ByParticipant},
	{Grant, []DisputeState{DisputeOpen, DisputeWaiting}, []DisputeState{DisputeGranted}, ByHandler},
	{AcceptByRecalculation, []DisputeState{DisputeOpen, DisputeWaiting}, []DisputeState{DisputeAccepted, DisputePartlyAccepted}, ByHandler},
	{RejectDispute, []DisputeState{DisputeOpen, DisputeWaiting}, []DisputeState{DisputeRejected}, ByHandler},
	{WithdrawDispute, []DisputeState{DisputeOpen, DisputeWaiting}, []DisputeState{DisputeWithdrawn}, ByParticipant},
	{Escalate, []DisputeState{DisputeOpen}, []DisputeState{DisputeOpen}, BySystem},
	{ApproveGrant, []DisputeState{DisputeGranted}, []DisputeState{DisputeAccepted, DisputePartlyAccepted}, BySystem},
	{RefuseGrant, []DisputeState{DisputeGranted}, []DisputeState{DisputeOpen}, BySystem},
}

// NextDispute returns the state that act leads to from a state, with partly where only a
// part is accepted. Its error is of code CodeNotAllowedNow.
func NextDispute(from DisputeState, act DisputeAct, partly bool) (DisputeState, error) {
	for _, t := range DisputeTransitions {
		if t.Act == act && slices.Contains(t.From, from) {
			if partly {
				return t.To[len(t.To)-1], nil
			}
			return t.To[0], nil
		}
	}
	return "", Errorf(CodeNotAllowedNow, "the dispute is %s, which does not allow %q", from, act)
}

// DisputeActs lists the acts that people do on a dispute.
func DisputeActs() []DisputeAct {
	var acts []DisputeAct
	for _, t := range DisputeTransitions {
		if t.By != BySystem {
			acts = append(acts, t.Act)
		}
	}
	return acts
}

// DisputeMove is one change of state that an act may make.
type DisputeMove struct {
	From DisputeState
	Act  DisputeAct
	To   DisputeState
}

// AllDisputeMoves lists every move of the table.
func AllDisputeMoves() []DisputeMove {
	var moves []DisputeMove
	for _, t := range DisputeTransitions {
		for _, from := range t.From {
			for _, to := range t.To {
				moves = append(moves, DisputeMove{from, t.Act, to})
			}
		}
	}
	return moves
}

// DoneBy returns who does an act.
func (a DisputeAct) DoneBy() DisputeBy {
	for _, t := range DisputeTransitions {
		if t.Act == a {
			return t.By
		}
	}
	return BySystem
}

// DisputeType says what is held to be wrong.
type DisputeType string

// The types of dispute.
const (
	WrongCalculation DisputeType = "calculation"
	WrongData        DisputeType = "data"
	WrongCrediting   DisputeType = "crediting"
	PlanMeaning      DisputeType = "plan-interpretation"
	MissingDeal      DisputeType = "missing"
)

// DisputeTypes lists every type.
var DisputeTypes = []DisputeType{WrongCalculation, WrongData, WrongCrediting, PlanMeaning, MissingDeal}

// DisputedItem is what a dispute is about: a line of a statement, one transaction's
// contribution to it, or a transaction that is missing, as far as it can be named.
type DisputedItem struct {
	PlanID      string
	Component   string
	Transaction TransactionKey // zero where no transaction is named
}

// Check refuses an item that a dispute of a type cannot be about.
func (i DisputedItem) Check(of DisputeType) error {
	switch {
	case !slices.Contains(DisputeTypes, of):
		return Errorf(CodeInvalid, "%q is no type of dispute: write one of %v", of, DisputeTypes)
	case of == MissingDeal && i.Component != "":
		return Errorf(CodeInvalid, "what is missing is on no line: name the transaction, or describe it")
	case of != MissingDeal && i.Component == "":
		return Errorf(CodeInvalid, "name the line of the statement that you dispute")
	case (i.Transaction.Source == "") != (i.Transaction.ID == ""):
		return Errorf(CodeInvalid, "name a transaction by its source and its id there")
	}
	return nil
}

package incentive

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDisputeTable walks every act from every state: what is not in the table is refused.
func TestDisputeTable(t *testing.T) {
	t.Parallel()
	want := map[DisputeState]map[DisputeAct]string{
		DisputeOpen: {AskBack: "waiting-for-information", Grant: "accepted-awaiting-approval", AcceptByRecalculation: "accepted|partly-accepted",
			RejectDispute: "rejected", WithdrawDispute: "withdrawn", Escalate: "open"},
		DisputeWaiting: {Reply: "open", Grant: "accepted-awaiting-approval", AcceptByRecalculation: "accepted|partly-accepted", RejectDispute: "rejected", WithdrawDispute: "withdrawn"},
		DisputeGranted: {ApproveGrant: "accepted|partly-accepted", RefuseGrant: "open"},
	}
	moves := 0
	for _, from := range DisputeStates {
		require.Equal(t, want[from] == nil, from.Ended())
		for _, act := range []DisputeAct{AskBack, Reply, Grant, AcceptByRecalculation, RejectDispute, WithdrawDispute, Escalate, ApproveGrant, RefuseGrant} {
			whole, err := NextDispute(from, act, false)
			if want[from][act] == "" {
				require.Equal(t, CodeNotAllowedNow, ErrorCode(err), "%s %s", act, from)
				continue
			}
			require.NoError(t, err)
			partly, err := NextDispute(from, act, true)
			require.NoError(t, err)
			moves++
			if to := string(whole); partly != whole {
				moves++
				require.Equal(t, want[from][act], to+"|"+string(partly))
			} else {
				require.Equal(t, want[from][act], to)
			}
		}
	}
	require.Len(t, AllDisputeMoves(), moves)
	require.Equal(t, []DisputeAct{AskBack, Reply, Grant, AcceptByRecalculation, RejectDispute, WithdrawDispute}, DisputeActs())
	require.Equal(t, ByParticipant, Reply.DoneBy())
	require.Equal(t, ByHandler, Grant.DoneBy())
	require.Equal(t, BySystem, Escalate.DoneBy())
}

func TestDisputedItems(t *testing.T) {
	t.Parallel()
	line, deal := DisputedItem{PlanID: "p", Component: "c"}, TransactionKey{"crm", "1"}
	for name, c := range map[string]struct {
		item DisputedItem
		of   DisputeType
		code Code
	}{
		"a line":              {line, WrongCalculation, ""},
		"a contribution":      {DisputedItem{PlanID: "p", Component: "c", Transaction: deal}, WrongCrediting, ""},
		"a missing deal":      {DisputedItem{Transaction: deal}, MissingDeal, ""},
		"one without a name":  {DisputedItem{}, MissingDeal, ""},
		"unknown type":        {line, "mood", CodeInvalid},
		"missing from a line": {line, MissingDeal, CodeInvalid},
		"no line":             {DisputedItem{Transaction: deal}, WrongData, CodeInvalid},
		"half a transaction":  {DisputedItem{PlanID: "p", Component: "c", Transaction: TransactionKey{ID: "1"}}, WrongData, CodeInvalid},
	} {
		require.Equal(t, c.code, ErrorCode(c.item.Check(c.of)), name)
	}
}

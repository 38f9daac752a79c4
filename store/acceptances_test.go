package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
	"github.com/guerdon/guerdon/store/storetest"
)

// TestAcceptPlan puts on record who accepts which version of a plan.
func TestAcceptPlan(t *testing.T) {
	t.Parallel()
	s, database := storetest.NewWithURL(t)
	b := booksIn(t, s)
	ctx := t.Context()
	first := store.PlanVersionID{PlanID: "flat", Version: 1}
	list := func(version int, visible []string) []store.Acceptance {
		of := store.WhichAcceptances{PlanVersionID: store.PlanVersionID{PlanID: "flat", Version: version}, Visible: visible}
		all, err := b.Acceptances(ctx, of, "", 100)
		require.NoError(t, err)
		people, accepted, err := b.CountAcceptances(ctx, of)
		require.NoError(t, err)
		require.Len(t, all, people)
		of.Missing = true
		missing, err := b.Acceptances(ctx, of, "", 100)
		require.NoError(t, err)
		require.Len(t, missing, people-accepted)
		of.Search = "nobody"
		none, err := b.Acceptances(ctx, of, "", 100)
		require.NoError(t, err)
		require.Empty(t, none)
		return all
	}
	own := func(want ...store.OwnPlan) {
		t.Helper()
		all, err := b.OwnPlans(ctx, "ann")
		require.NoError(t, err)
		require.Equal(t, want, all)
	}
	own(store.OwnPlan{PlanVersionID: first})
	name := list(1, nil)[0].Name

	for who, c := range map[string]struct {
		participant, signature string
		version                store.PlanVersionID
		code                   incentive.Code
	}{
		"another name":    {"ann", "Somebody Else", first, incentive.CodeInvalid},
		"no name":         {"ann", " ", first, incentive.CodeInvalid},
		"no such version": {"ann", name, store.PlanVersionID{PlanID: "flat", Version: 2}, incentive.CodeNotFound},
		"not on the plan": {"bob", "bob", first, incentive.CodeNotFound},
	} {
		_, err := b.AcceptPlan(ctx, c.participant, c.version, c.signature)
		require.Equal(t, c.code, incentive.ErrorCode(err), who)
	}
	require.Nil(t, list(1, nil)[0].AcceptedAt)

	accepted, err := b.AcceptPlan(ctx, "ann", first, name+" ")
	require.NoError(t, err)
	require.NotNil(t, accepted.AcceptedAt)
	again, err := b.AcceptPlan(ctx, "ann", first, name)
	require.NoError(t, err)
	require.Equal(t, accepted, again, "once")
	require.Equal(t, []store.Acceptance{accepted}, list(1, nil))
	require.Empty(t, list(1, []string{"bob"}))
	own(store.OwnPlan{PlanVersionID: first, Accepted: true})
	events, err := b.AuditEvents(ctx, "plan/flat", 0, 100)
	require.NoError(t, err)
	last := events[len(events)-1]
	require.Equal(t, []string{"ann", "accept-plan"}, []string{last.Actor, last.Act})
	require.NotContains(t, last.Body, name)
	require.ErrorContains(t, storetest.TryExec(ctx, database, `DELETE FROM guerdon.plan_acceptance`), "append-only")

	b.plan("flat", "components: [{name: commission, measure: {sum: credits}, rate: 11%}]") // which is accepted anew
	own(store.OwnPlan{PlanVersionID: store.PlanVersionID{PlanID: "flat", Version: 2}})
	require.Nil(t, list(2, nil)[0].AcceptedAt)
	require.NotNil(t, list(1, nil)[0].AcceptedAt)
}

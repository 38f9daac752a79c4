package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/store"
)

// needs is the checklist of a period without what is done or comes later: an item a line.
func (b *books) needs(period string) []string {
	b.Helper()
	p, err := b.PeriodRevision(b.Context(), period, 0)
	require.NoError(b, err)
	items, err := b.Checklist(b.Context(), p)
	require.NoError(b, err)
	var found []string
	for _, one := range items {
		if one.State == store.ItemDone || one.State == store.ItemLater {
			require.Empty(b, one.Waiting, one.Item)
			continue
		}
		line := one.Item
		if one.Subject != "" {
			line += " of " + one.Subject
		}
		if one.Count > 0 {
			line += fmt.Sprintf(" (%d)", one.Count)
		}
		if one.Total > 0 {
			line += fmt.Sprintf(" [%d of %d]", one.Done, one.Total)
		}
		if one.State == store.ItemUnderWay {
			line += " is under way"
		}
		var who []string
		for _, party := range one.Waiting {
			who = append(who, party.ID)
		}
		if len(who) > 0 {
			line += ": " + strings.Join(who, ", ")
		}
		if one.Optional {
			line += ", if they like"
		}
		found = append(found, line)
	}
	return found
}

func TestChecklist(t *testing.T) {
	t.Parallel()
	b := openBooks(t)
	ctx, month := t.Context(), monthOf(2)
	b.open(monthOf(1))
	b.open(month)
	b.deal("d1", "2026-02-10", "1000")
	b.put("transaction", map[string]any{"source": "crm", "transaction_id": "d2", "date": "2026-02-11", "amount": "10", "currency": "USD", "attributes": map[string]string{}})
	b.assign("bob", "flat", "2026-01-01")
	b.put("credit", map[string]any{"source": "crm", "transaction_id": "d1", "participant_id": "bob", "role": "helper", "share": "0.5"})
	load(t, b.Store, "quota", map[string]any{"participant_id": "nobody", "measure": "m", "period_id": month, "amount": "1"})
	require.Equal(t, []string{"refused-records (1): fin, if they like", "lock: finance", "period-before of " + monthOf(1) + " (1): finance"}, b.needs(month))

	b.calculate(month)
	b.deal("d3", "2026-02-12", "5")
	correction, err := b.EnterAdjustment(ctx, b.adjustment(month, 500))
	require.NoError(t, err)
	require.Equal(t, []string{"records-since-lock (2): finance, if they like", "uncredited (1): finance, if they like", "adjustments (1): finance, if they like", "period-before of " + monthOf(1) + " (1): finance",
		"publish: finance", "destinations (1): bob, if they like"}, b.needs(month))

	b.calculate(monthOf(1))
	b.approve(monthOf(1))
	_, err = b.DecideAdjustment(ctx, "fin2", correction.ID, "approved", "")
	require.NoError(t, err)
	_, err = b.Publish(ctx, b.command(month, incentive.Publish), time.Now())
	require.NoError(t, err)
	require.Equal(t, []string{"window is under way", "destinations (1): bob, if they like"}, b.needs(month))
	_, _, err = b.StartApproving(ctx, b.command(month, incentive.EndWindow))
	require.NoError(t, err)
	require.Equal(t, []string{"approvals (2) [0 of 2]: boss", "destinations (1): bob, if they like"}, b.needs(month))

	_, err = b.Act(ctx, b.command(month, incentive.Hold))
	require.NoError(t, err)
	require.Equal(t, "hold: finance", b.needs(month)[0])
	_, err = b.Act(ctx, b.command(month, incentive.Resume))
	require.NoError(t, err)

	require.NoError(t, b.decide(month))
	_, err = b.ApprovePeriod(ctx, b.command(month, incentive.ApproveLast))
	require.NoError(t, err)
	require.Equal(t, []string{"release: fin2, fin3"}, b.needs(month), "fin has locked it")
	b.pay(month)
	require.Equal(t, []string{"exceptions (1): finance"}, b.needs(month), "bob has nowhere to be paid")
	for _, o := range b.payouts(month) {
		if o.State == "held" {
			require.NoError(t, b.CancelPayout(ctx, "fin2", o.ID, b.reason()))
		}
	}
	require.Equal(t, []string{"close: finance"}, b.needs(month))
	b.shut(month)
	require.Equal(t, []string{"archive is under way"}, b.needs(month))
	require.NoError(t, b.FinishArchive(ctx, store.System, store.Archived{PeriodID: month, Revision: 1}))
	require.Empty(t, b.needs(month))

	p, err := b.PeriodRevision(ctx, month, 0)
	require.NoError(t, err)
	items, err := b.Checklist(ctx, p)
	require.NoError(t, err)
	did := map[string]string{}
	for _, one := range items {
		did[one.Item] = one.DoneBy
	}
	require.Equal(t, map[string]string{"lock": "fin", "calculate": "fin", "publish": "fin", "window": "fin", "disputes": "", "approvals": "fin", "release": "fin2", "disburse": "fin", "close": "fin", "archive": store.System}, did)

	b.open(monthOf(3))
	_, err = b.Act(ctx, b.command(monthOf(3), incentive.Cancel))
	require.NoError(t, err)
	require.Empty(t, b.needs(monthOf(3)), "a cancelled period needs nothing")
}

package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// What a period's checklist asks about: the steps of the period, and what is looked at
// on the way to each.
const (
	ItemHold           = "hold"            // the period is on hold
	ItemRefusedRecords = "refused-records" // rows of the latest imports that were not taken
	ItemObjectives     = "objectives"      // which nobody has scored
	ItemLock           = "lock"
	ItemCalculate      = "calculate"
	ItemRecordsSince   = "records-since-lock" // imported since, and not in the calculation
	ItemUncredited     = "uncredited"         // transactions that nobody is credited with
	ItemAdjustments    = "adjustments"        // entered, and not decided by another person
	ItemPeriodBefore   = "period-before"      // which must be approved first
	ItemPublish        = "publish"
	ItemWindow         = "window"
	ItemDisputes       = "disputes" // without an outcome
	ItemApprovals      = "approvals"
	ItemDestinations   = "destinations" // people with pay and nowhere to pay it to
	ItemRelease        = "release"
	ItemDisburse       = "disburse"
	ItemStoppedRails   = "stopped-rails" // which send nothing until a person decides
	ItemPaymentFiles   = "payment-files" // built, and not confirmed by a person
	ItemExceptions     = "exceptions"    // payouts that wait for a person
	ItemSettle         = "settle"        // payouts that their rails have not answered about
	ItemClose          = "close"
	ItemArchive        = "archive"
)

// Where an item of a checklist stands.
const (
	ItemDone     = "done"
	ItemToDo     = "to-do"     // somebody has to do it now
	ItemUnderWay = "under-way" // the system, a timer or a rail does it
	ItemLater    = "later"
)

// ChecklistItem is one thing that a period needs before it is closed and archived.
type ChecklistItem struct {
	Item     string
	State    string
	Optional bool             // the period goes on without it
	Count    int              // how many are left, where they are counted
	Done     int              // of long work, how much is done
	Total    int              // of how much; 0 where it is not counted
	Subject  string           // the period that is meant, where it is another one
	Waiting  []ChecklistParty // who has to do it, those with most of it first: a few of them
	Due      *time.Time       // when it happens by itself
	DoneBy   string
	DoneAt   *time.Time
}

// ChecklistParty is somebody who has to do something, or finance together.
type ChecklistParty struct {
	ID    string // a participant's id, or FinanceQueue
	Name  string // "" of finance
	Count int    // how much of it is theirs, where it is counted
}

// partiesShown is how many people an item names.
const partiesShown = 20

// Checklist says what a revision of a period needs, in the order of its life: what is
// done, what is to do and by whom, and what is missing. A cancelled one needs nothing.
func (s *Store) Checklist(ctx context.Context, p PeriodRevision) ([]ChecklistItem, error) {
	return s.checklist(ctx, p, partiesShown)
}

func (s *Store) checklist(ctx context.Context, p PeriodRevision, shown int) ([]ChecklistItem, error) {
	if p.State == incentive.Cancelled {
		return nil, nil
	}
	l := &checklist{ctx: ctx, store: s, period: p, shown: shown, at: slices.Index(incentive.States, p.State)}
	var err error
	if l.acts, err = s.PeriodActs(ctx, p.ID, p.Revision); err != nil {
		return nil, err
	}
	for _, look := range []func() error{l.beforePublishing, l.beforeRelease, l.afterRelease} {
		if err := look(); err != nil {
			return nil, fmt.Errorf("look at what %s needs: %w", p.ID, err)
		}
	}
	return l.items, nil
}

type checklist struct {
	ctx    context.Context
	store  *Store
	period PeriodRevision
	shown  int // how many people an item names
	at     int // where the period stands, as a position in incentive.States
	acts   []PeriodAct
	items  []ChecklistItem
}

func (l *checklist) is(states ...incentive.State) bool {
	return slices.Contains(states, l.period.State)
}

// passed says whether the period is further than a state.
func (l *checklist) passed(state incentive.State) bool {
	return l.at > slices.Index(incentive.States, state)
}

// step adds a step that moves the period out of a state, by one of some acts.
func (l *checklist) step(item string, from incentive.State, now ChecklistItem, acts ...incentive.Act) {
	one := ChecklistItem{Item: item, State: ItemLater}
	switch {
	case l.is(from):
		one = now
		one.Item = item
	case l.passed(from):
		one.State = ItemDone
		for _, act := range l.acts { // the last one counts: a period may have been withdrawn
			if slices.Contains(acts, act.Act) {
				one.DoneBy, one.DoneAt = act.Actor, &act.At
			}
		}
	}
	l.items = append(l.items, one)
}

// counted adds what is to do as long as the query finds some of it: per party who has to
// do it, and how much. Of many parties those with most are named.
func (l *checklist) counted(one ChecklistItem, sql string, arguments ...any) error {
	return l.countedOf(one, `SELECT party, n, 0, 0 FROM (`+sql+`) counted(party, n)`, arguments...)
}

// countedOf is counted where the query also says, per party, how much is done and of how much.
func (l *checklist) countedOf(one ChecklistItem, sql string, arguments ...any) error {
	rows, err := l.store.pool.Query(l.ctx, fmt.Sprintf(`
		WITH parties(party, n, done, total) AS MATERIALIZED (%s), shown AS (SELECT party, n FROM parties ORDER BY n DESC, party LIMIT %d)
		SELECT coalesce(party, ''), CASE WHEN party = '%s' THEN '' ELSE coalesce(%s, '') END, coalesce(n, 0), sums.* FROM (SELECT coalesce(sum(n), 0)::int, coalesce(sum(done), 0)::int, coalesce(sum(total), 0)::int FROM parties) sums LEFT JOIN shown ON true ORDER BY n DESC, party`,
		sql, l.shown, FinanceQueue, named("party")), arguments...)
	if err == nil {
		var party ChecklistParty
		_, err = pgx.ForEachRow(rows, []any{&party.ID, &party.Name, &party.Count, &one.Count, &one.Done, &one.Total}, func() error {
			if party.ID != "" {
				one.Waiting = append(one.Waiting, party)
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("count what is to do of %s in %s: %w", one.Item, l.period.ID, err)
	}
	if one.State = ItemDone; one.Count > 0 {
		one.State = ItemToDo
	}
	l.items = append(l.items, one)
	return nil
}

// progress counts how much of the last item's work is done, of how much.
func (l *checklist) progress(sql string) error {
	last := &l.items[len(l.items)-1]
	return l.store.pool.QueryRow(l.ctx, sql, l.period.ID, l.period.Revision).Scan(&last.Done, &last.Total)
}

// waitsForNothing is true of a party with nothing to do.
func waitsForNothing(p ChecklistParty) bool { return p.Count == 0 }

// ofFinance is a count that is finance's to bring to nothing.
const ofFinance = `SELECT $1::text, n FROM (%s) counted (n) WHERE n > 0`

func named(party string) string { return nameAt(party, "company_today()") }

func finance() []ChecklistParty { return []ChecklistParty{{ID: FinanceQueue}} }

func (l *checklist) beforePublishing() error {
	p := l.period
	byFinance := ChecklistItem{State: ItemToDo, Waiting: finance()}
	if p.OnHold {
		one := byFinance
		one.Item = ItemHold
		l.items = append(l.items, one)
	}
	if l.is(incentive.Open) {
		err := l.counted(ChecklistItem{Item: ItemRefusedRecords, Optional: true}, `
			SELECT imported_by, sum(waiting)::int FROM (
				SELECT DISTINCT ON (kind, file_name) imported_by, quarantined - (SELECT count(*) FROM quarantine_outcome o WHERE o.import_id = i.id) AS waiting FROM import i ORDER BY kind, file_name, imported_at DESC) latest
			WHERE waiting > 0 GROUP BY 1`)
		if err != nil {
			return err
		}
	}
	if l.is(incentive.Open) {
		if err := l.objectives(); err != nil {
			return err
		}
	}
	l.step(ItemLock, incentive.Open, byFinance, incentive.Lock, incentive.Recalculate)
	l.step(ItemCalculate, incentive.Locked, ChecklistItem{State: ItemUnderWay}, incentive.Calculate)
	if l.is(incentive.Calculated) {
		err := errorsIn(
			l.counted(ChecklistItem{Item: ItemRecordsSince, Optional: true}, fmt.Sprintf(ofFinance, `
				SELECT coalesce(sum(added + changed), 0)::int FROM import WHERE imported_at > (SELECT created_at FROM snapshot WHERE id = $2)`), FinanceQueue, p.SnapshotID),
			l.counted(ChecklistItem{Item: ItemUncredited, Optional: true}, fmt.Sprintf(ofFinance, `SELECT coalesce(uncredited, 0) FROM run WHERE id = $2`), FinanceQueue, p.RunID))
		if err != nil {
			return err
		}
	}
	if !l.is(incentive.Closed) {
		err := l.counted(ChecklistItem{Item: ItemAdjustments, Optional: true}, fmt.Sprintf(ofFinance, `
			SELECT count(*)::int FROM adjustment a WHERE period_id = $2 AND NOT EXISTS (SELECT FROM adjustment_decision d WHERE d.adjustment_id = a.id)`), FinanceQueue, p.ID)
		if err != nil {
			return err
		}
	}
	if !l.passed(incentive.Calculated) {
		before, _, err := notApprovedBefore(l.ctx, l.store.pool, p)
		if err != nil {
			return err
		}
		one := ChecklistItem{Item: ItemPeriodBefore, State: ItemDone}
		if before != "" {
			one = byFinance
			one.Item, one.Subject, one.Count = ItemPeriodBefore, before, 1
		}
		l.items = append(l.items, one)
	}
	l.step(ItemPublish, incentive.Calculated, byFinance, incentive.Publish)
	return nil
}

// objectives adds what managers have not scored, where the period has objectives at all.
func (l *checklist) objectives() error {
	err := l.counted(ChecklistItem{Item: ItemObjectives, Optional: true}, `
		SELECT manager, count(*) FILTER (WHERE score IS NULL)::int FROM (
			SELECT o.score, coalesce((SELECT f.manager_id FROM participant_fact f WHERE f.participant_id = o.participant_id AND f.effective_from <= company_today()
				ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), $2) AS manager FROM current_objective o WHERE o.period_id = $1 AND o.weight > 0) o
		GROUP BY 1`, l.period.ID, FinanceQueue)
	if err != nil {
		return err
	}
	last := &l.items[len(l.items)-1]
	if len(last.Waiting) == 0 {
		l.items = l.items[:len(l.items)-1]
		return nil
	}
	last.Waiting = slices.DeleteFunc(last.Waiting, waitsForNothing)
	return nil
}

func (l *checklist) beforeRelease() error {
	p := l.period
	l.step(ItemWindow, incentive.Published, ChecklistItem{State: ItemUnderWay, Due: p.WindowDeadline}, incentive.WindowEnds, incentive.EndWindow)
	if l.passed(incentive.Calculated) {
		err := l.counted(ChecklistItem{Item: ItemDisputes, Optional: true}, `
			SELECT coalesce(handler_id, $3), count(*)::int FROM dispute WHERE period_id = $1 AND state = ANY ($2) GROUP BY 1`,
			p.ID, incentive.OpenDisputeStates, FinanceQueue)
		if err != nil {
			return err
		}
	}
	if l.is(incentive.Approving) {
		err := l.countedOf(ChecklistItem{Item: ItemApprovals}, `
			SELECT CASE WHEN decision = 'rejected' THEN $3 ELSE coalesce(approver_id, $3) END, count(*) FILTER (WHERE decision IS NULL AND opened_at IS NOT NULL OR decision = 'rejected')::int,
				count(*) FILTER (WHERE decision = 'approved'), count(*)
			FROM `+standingApprovals+` GROUP BY 1`, p.ID, p.Revision, FinanceQueue)
		if err != nil {
			return err
		}
		last := &l.items[len(l.items)-1]
		last.Waiting = slices.DeleteFunc(last.Waiting, waitsForNothing)
	} else {
		l.step(ItemApprovals, incentive.Approving, ChecklistItem{}, incentive.ApproveLast)
	}
	if l.passed(incentive.Locked) && !l.passed(incentive.Approving) {
		err := l.counted(ChecklistItem{Item: ItemDestinations, Optional: true}, `
			SELECT participant_id, 1 FROM statement st WHERE run_id = $1 AND total_minor > 0 AND NOT EXISTS (SELECT FROM destination d WHERE d.participant_id = st.participant_id)`, p.RunID)
		if err != nil {
			return err
		}
	}
	releasers := ChecklistItem{State: ItemToDo}
	if p.ToRelease {
		err := collect(l.ctx, l.store.pool, &releasers.Waiting, `
			SELECT participant_id, `+named("participant_id")+`, 0 FROM role_grant
			WHERE role = $3 AND participant_id NOT IN (SELECT preparers($1, $2, false)) AND NOT approved_for_finance($1, $2, participant_id) ORDER BY 1 LIMIT $4`,
			pgx.RowToStructByPos[ChecklistParty], p.ID, p.Revision, incentive.Finance, partiesShown)
		if err != nil {
			return err
		}
	}
	from := incentive.Approved
	if p.ToRelease { // a supplementary list, where it is further
		from = p.State
	}
	l.step(ItemRelease, from, releasers, incentive.Release)
	return nil
}

func (l *checklist) afterRelease() error {
	p := l.period
	underWay := ChecklistItem{State: ItemUnderWay}
	if l.is(incentive.Released) {
		l.step(ItemDisburse, incentive.Released, underWay)
	} else {
		l.step(ItemDisburse, incentive.Disbursing, underWay, incentive.DisburseLast)
	}
	if l.is(incentive.Released, incentive.Disbursing) {
		if err := l.progress(`SELECT count(*) FILTER (WHERE state <> 'planned')::int, count(*)::int FROM payout WHERE period_id = $1 AND revision = $2`); err != nil {
			return err
		}
	}
	closing := ChecklistItem{State: ItemToDo, Waiting: finance()}
	if l.passed(incentive.Approved) && !l.is(incentive.Closed) {
		err := errorsIn(
			l.counted(ChecklistItem{Item: ItemStoppedRails}, fmt.Sprintf(ofFinance, `
				SELECT count(*)::int FROM rail_stop s WHERE period_id = $2 AND revision = $3 AND `+undecidedStop), FinanceQueue, p.ID, p.Revision),
			l.counted(ChecklistItem{Item: ItemPaymentFiles}, fmt.Sprintf(ofFinance, `
				SELECT count(*)::int FROM payment_file f WHERE period_id = $2 AND revision = $3 AND confirmed_at IS NULL AND NOT `+settledFile), FinanceQueue, p.ID, p.Revision),
			l.counted(ChecklistItem{Item: ItemExceptions}, fmt.Sprintf(ofFinance, `
				SELECT count(*)::int FROM payout WHERE period_id = $2 AND revision = $3 AND state IN ('held', 'failed', 'returned')`), FinanceQueue, p.ID, p.Revision))
		if err != nil {
			return err
		}
		settle := ChecklistItem{Item: ItemSettle, State: ItemUnderWay}
		err = l.store.pool.QueryRow(l.ctx, `SELECT count(*)::int FROM payout WHERE period_id = $1 AND revision = $2 AND (state = 'submitted' OR state = 'planned' AND batch > 0)`, p.ID, p.Revision).Scan(&settle.Count)
		if err != nil {
			return err
		}
		if settle.Count == 0 {
			settle.State = ItemDone
		}
		l.items = append(l.items, settle)
		if err := l.progress(`SELECT count(*) FILTER (WHERE state IN ('paid', 'cancelled'))::int, count(*)::int FROM payout WHERE period_id = $1 AND revision = $2`); err != nil {
			return err
		}
		if p.ToRelease || slices.ContainsFunc(l.items[len(l.items)-4:], func(one ChecklistItem) bool { return one.State != ItemDone }) {
			closing = ChecklistItem{State: ItemLater}
		}
	}
	l.step(ItemClose, incentive.Settling, closing, incentive.Close)
	archive := ChecklistItem{Item: ItemArchive, State: ItemLater}
	if l.is(incentive.Closed) {
		archive.State = ItemUnderWay
		var at *time.Time
		if err := l.store.pool.QueryRow(l.ctx, `SELECT max(at) FROM audit_event WHERE subject = $1`, Archived{PeriodID: p.ID, Revision: p.Revision}.subject()).Scan(&at); err != nil {
			return err
		}
		if at != nil {
			archive.State, archive.DoneBy, archive.DoneAt = ItemDone, System, at
		}
	}
	l.items = append(l.items, archive)
	return nil
}

package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/calculation"
)

// Channels on which PostgreSQL tells whoever listens.
const (
	ChannelTouched   = "estimate_touched" // something changed on which estimates depend
	ChannelEstimated = "estimate_changed" // an estimate is another one; the payload is "<period> <participant>"
)

const (
	// estimatesLock is held by whoever calculates estimates, one process at a time.
	estimatesLock = 0x67756572_03
	// estimatesAtOnce is how many statements one transaction calculates, and touchedAtOnce
	// how many changes one looks into.
	estimatesAtOnce, touchedAtOnce = 500, 100_000
	// managersWait is how long the estimates wait of those above whoever is touched, and
	// competitorsWait that of those whose rank somebody else's deal may have changed: they
	// depend on much more, and many deals make one calculation of them.
	managersWait, competitorsWait = 250 * time.Millisecond, 2 * time.Second
	// poolWait is how long those wait whom somebody else's deal pays no other amount: each deal
	// changes what a pool has come to in all, of which everybody's statement tells, and hardly
	// anybody's part of it.
	poolWait = time.Minute
)

// Estimate is what somebody's statement of an open period comes to as things stand. Where it
// has a Problem there is none.
type Estimate struct {
	PeriodID      string
	ParticipantID string
	Name          string // at the end of the period
	Problem       string
	Total         incentive.Money
	Booked        incentive.Money // of the total, by what is dated up to the day of the calculation
	Digest        []byte          // what a statement of a run would have
	Lines         []incentive.Line
	Progress      []calculation.Progress
	ChangesOn     incentive.Date // the day on which more of it is booked by itself; zero for none
	CalculatedAt  time.Time
}

// estimated says what a calculation gave: as it is kept, without contributions, which
// may be those of everybody below.
func estimated(e calculation.Estimate, booked incentive.Money) Estimate {
	kept := Estimate{PeriodID: e.PeriodID, ParticipantID: e.ParticipantID, Progress: e.Progress, Booked: booked, Digest: []byte{}}
	if e.Problem != nil {
		kept.Problem, kept.Progress = incentive.ErrorMessage(e.Problem), nil
		return kept
	}
	digest := e.Digest()
	kept.Total, kept.Digest = e.Total(), digest[:]
	for _, line := range e.Lines {
		line.Contributions = nil
		kept.Lines = append(kept.Lines, line)
	}
	return kept
}

// estimatesOf calculates estimates from a snapshot, as of a day: what they come to and, where
// that may be another figure, what of it is booked.
func estimatesOf(snapshot incentive.Snapshot, today incentive.Date, contested bool, calculate func(of incentive.Snapshot, booked bool) ([]calculation.Estimate, error)) ([]Estimate, error) {
	all, err := calculate(snapshot, false)
	if err != nil {
		return nil, err
	}
	booked := map[string]incentive.Money{}
	later := map[incentive.TransactionKey]incentive.Date{}
	for _, t := range snapshot.Transactions {
		if t.Date.After(today) {
			later[t.TransactionKey] = t.Date
			if before, is := later[t.Refunded()]; t.RefundOf != "" && (!is || t.Date.Before(before)) {
				later[t.Refunded()] = t.Date
			}
		}
	}
	differs := len(later) > 0 || contested // by what competitors have still to come
	if differs {
		upToNow, err := calculate(calculation.UpTo(snapshot, today), true)
		if err != nil {
			return nil, err
		}
		for _, e := range upToNow {
			booked[e.ParticipantID] = e.Total()
		}
	}
	var estimates []Estimate
	for _, e := range all {
		if _, is := booked[e.ParticipantID]; !is {
			booked[e.ParticipantID] = incentive.Money{Currency: e.Currency} // there was nothing to settle yet
		}
		if !differs {
			booked[e.ParticipantID] = e.Total()
		}
		one := estimated(e, booked[e.ParticipantID])
		for _, line := range e.Lines {
			for _, c := range line.Contributions {
				if day, is := later[c.Transaction]; is && (one.ChangesOn.IsZero() || day.Before(one.ChangesOn)) {
					one.ChangesOn = day
				}
			}
		}
		estimates = append(estimates, one)
	}
	return estimates, nil
}

// Today is the day in the company's time zone.
func (s *Store) Today(ctx context.Context, now time.Time) (incentive.Date, error) {
	_, zone, err := s.Company(ctx)
	if err != nil {
		return incentive.Date{}, err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return incentive.Date{}, fmt.Errorf("read the company's zone: %w", err)
	}
	return incentive.DateOf(now.In(location)), nil
}

// RefreshEstimates looks into what has changed and calculates some of the estimates that
// it touches, at most estimatesAtOnce. done is false where there is more to do at once, and
// next is when something falls due, or zero. Another process that is at it already does
// it instead.
func (s *Store) RefreshEstimates(ctx context.Context, now time.Time) (done bool, next time.Time, err error) {
	today, err := s.Today(ctx, now)
	if incentive.ErrorCode(err) == incentive.CodeNotFound {
		return true, next, nil // there is no company yet
	}
	if err != nil {
		return false, next, err
	}
	connection, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, next, fmt.Errorf("connect to calculate estimates: %w", err)
	}
	defer connection.Release()
	var mine bool
	if err := connection.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, estimatesLock).Scan(&mine); err != nil || !mine {
		return true, next, err
	}
	defer func() {
		_, unlocked := connection.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, estimatesLock)
		err = errors.Join(err, unlocked)
	}()
	// Nobody waits for the disk: what a crash loses of this is wanted again with it.
	const quickly = `BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL synchronous_commit = off`
	begin := func(do func(tx unkept) error) error {
		return pgx.BeginTxFunc(ctx, connection, pgx.TxOptions{BeginQuery: quickly}, func(tx pgx.Tx) error { return do(unkept{tx}) })
	}
	looked := 0
	err = begin(func(tx unkept) error {
		looked, err = lookIntoTouched(ctx, tx, now, today)
		return err
	})
	if err != nil {
		return false, next, err
	}
	calculated := 0
	err = begin(func(tx unkept) error {
		calculated, err = calculateWanted(ctx, tx, now, today)
		return err
	})
	if err != nil {
		return false, next, err
	}
	if looked > 0 || calculated > 0 {
		return false, next, nil
	}
	var due *time.Time
	err = connection.QueryRow(ctx, `SELECT min(due_at) FROM estimate_wanted`).Scan(&due)
	if due != nil {
		next = *due
	}
	return true, next, err
}

// lookIntoTouched writes down whose estimates changes touch, and returns how many changes.
func lookIntoTouched(ctx context.Context, tx unkept, now time.Time, today incentive.Date) (int, error) {
	type change struct{ Kind, Subject, Source string }
	var changes []change
	err := collect(ctx, tx, &changes, `
		DELETE FROM estimate_touched WHERE id <= (SELECT max(id) FROM (SELECT id FROM estimate_touched ORDER BY id LIMIT $1) first) RETURNING kind, subject, source`, pgx.RowToStructByPos[change], touchedAtOnce)
	if err != nil {
		return 0, fmt.Errorf("read what touches estimates: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO estimate_wanted SELECT e.period_id, e.participant_id, $1 FROM estimate e
		JOIN period_revision r ON r.period_id = e.period_id AND r.state = 'open' WHERE e.changes_on <= $2 ON CONFLICT DO NOTHING`, now, today)
	if err != nil {
		return 0, fmt.Errorf("find the estimates that change by themselves: %w", err)
	}
	if len(changes) == 0 {
		return 0, nil
	}
	subjects := map[string][]string{}
	var sources []string
	for _, c := range changes {
		subjects[c.Kind] = append(subjects[c.Kind], c.Subject)
		if c.Kind == "transaction" {
			sources = append(sources, c.Source)
		}
	}
	open, err := openPeriods(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, p := range open {
		reaches, err := reaches(ctx, tx, p)
		if err != nil {
			return 0, err
		}
		if slices.Contains(subjects["period"], p.ID) {
			if err := forgetEntrants(ctx, tx, p); err != nil {
				return 0, err
			}
		}
		touched := union(subjects["participant"], subjects["structure"])
		plans := slices.Clone(subjects["plan"])
		var rules []string
		for id, r := range reaches {
			if r.Rules {
				rules = append(rules, id)
			}
			if len(subjects["rates"]) > 0 || slices.Contains(subjects["period"], p.ID) || len(subjects["structure"]) > 0 && r.Rules {
				plans = append(plans, id)
			}
		}
		if len(plans) > 0 {
			all, err := tx.peopleOn(ctx, p, plans)
			if err != nil {
				return 0, err
			}
			touched = union(touched, all)
		}
		if len(rules) > 0 && len(sources) > 0 {
			byRules, err := creditedByRules(ctx, tx, p, rules, sources, subjects["transaction"])
			if err != nil {
				return 0, err
			}
			touched = union(touched, byRules)
		}
		managers, err := tx.hierarchy(ctx, p, touched, above, deepestHierarchy)
		if err != nil {
			return 0, err
		}
		if err := want(ctx, tx, p, touched, now, false); err != nil {
			return 0, err
		}
		if err := want(ctx, tx, p, managers, now.Add(managersWait), false); err != nil {
			return 0, err
		}
	}
	return len(changes), nil
}

// openPeriods returns the periods whose statements are estimated.
func openPeriods(ctx context.Context, q querier) ([]PeriodRevision, error) {
	var open []PeriodRevision
	if err := collect(ctx, q, &open, periodColumns+` WHERE r.state = 'open' ORDER BY r.period_id`, scanPeriod); err != nil {
		return nil, fmt.Errorf("list the open periods: %w", err)
	}
	return open, nil
}

// creditedByRules returns whom the rules of plans credit, or would without their sources,
// with any version of some transactions.
func creditedByRules(ctx context.Context, tx unkept, p PeriodRevision, rules, sources, ids []string) ([]string, error) {
	ruled, err := tx.peopleOn(ctx, p, rules)
	if err != nil {
		return nil, err
	}
	managers, err := tx.hierarchy(ctx, p, ruled, above, deepestHierarchy)
	if err != nil {
		return nil, err
	}
	snapshot, err := tx.snapshot(ctx, p, narrow{assigned: ruled, known: union(ruled, managers), measured: []string{}, credited: []string{}})
	if err != nil {
		return nil, err
	}
	err = collect(ctx, tx, &snapshot.Transactions, `
		SELECT t.source, t.transaction_id, t.version, t.date, t.amount, t.currency, t.attributes, t.refund_of
		FROM transaction t JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS x(source, transaction_id)) x USING (source, transaction_id)
		WHERE t.date <= $3`, scanTransaction, sources, ids, p.EndsOn)
	if err != nil {
		return nil, fmt.Errorf("read the transactions that changed: %w", err)
	}
	people, err := calculation.CreditedBy(snapshot)
	if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
		return ruled, nil // each of their estimates says what is wrong
	}
	return people, err
}

// want writes down that the estimates are to be calculated of those of some people who have
// a statement, or had one. Those that only follow others wait for those that are touched.
func want(ctx context.Context, tx unkept, p PeriodRevision, people []string, due time.Time, follows bool) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO estimate_wanted AS was SELECT $4, t.id, $6, $7 FROM unnest($5::text[]) t(id)
		WHERE EXISTS (SELECT FROM assignment a WHERE a.participant_id = t.id AND `+onPlan+`)
			OR EXISTS (SELECT FROM estimate e WHERE e.period_id = $4 AND e.participant_id = t.id)
			OR EXISTS (SELECT FROM adjustment j WHERE j.participant_id = t.id)
		ON CONFLICT (period_id, participant_id) DO UPDATE SET due_at = least(was.due_at, excluded.due_at), follows = was.follows AND excluded.follows
		WHERE excluded.due_at < was.due_at OR was.follows AND NOT excluded.follows`, p.StartsOn, p.EndsOn, p.CalendarID, p.ID, people, due, follows)
	if err != nil {
		return fmt.Errorf("write down whose estimates of %s are wanted: %w", p.ID, err)
	}
	return nil
}

// calculateWanted calculates some of the estimates that are due, of one period, and returns
// how many: none that only follows others before those that are touched.
func calculateWanted(ctx context.Context, tx unkept, now time.Time, today incentive.Date) (int, error) {
	type wanted struct{ PeriodID, ParticipantID string }
	var all []wanted
	err := collect(ctx, tx, &all, `
		DELETE FROM estimate_wanted w USING (SELECT * FROM estimate_wanted
			WHERE due_at <= $1 AND (period_id, follows) = (SELECT period_id, follows FROM estimate_wanted WHERE due_at <= $1 ORDER BY follows, due_at LIMIT 1)
			ORDER BY due_at LIMIT $2) due
		WHERE w.period_id = due.period_id AND w.participant_id = due.participant_id RETURNING w.period_id, w.participant_id`, pgx.RowToStructByPos[wanted], now, estimatesAtOnce)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	p, err := periodRevision(ctx, tx, all[0].PeriodID, 0, "")
	if err != nil || p.State != incentive.Open {
		return len(all), err
	}
	var of []string
	for _, w := range all {
		of = append(of, w.ParticipantID)
	}
	estimates, err := currentEstimates(ctx, tx, p, of, now, today)
	if err != nil {
		return 0, err
	}
	return len(all), keepEstimates(ctx, tx, p, of, estimates)
}

// currentEstimates calculates the estimates of some participants from the facts as they
// are, and from what is kept of whom they compete with. Where one has a problem that stops the others,
// each is calculated alone.
func currentEstimates(ctx context.Context, tx unkept, p PeriodRevision, of []string, now time.Time, today incentive.Date) ([]Estimate, error) {
	reaches, err := reaches(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	var contests []string
	for id, r := range reaches {
		if r.Everybody {
			contests = append(contests, id)
		}
		r.Everybody = false
		reaches[id] = r
	}
	contested := false
	if len(contests) > 0 {
		plans, err := tx.plansOf(ctx, p, of, reaches)
		if err != nil {
			return nil, err
		}
		contested = slices.ContainsFunc(plans, func(id string) bool { return slices.Contains(contests, id) })
	}
	alone := func(of []string) ([]Estimate, error) {
		snapshot, err := tx.theirs(ctx, p, of, reaches)
		if err != nil {
			return nil, err
		}
		return estimatesOf(snapshot, today, contested, func(snapshot incentive.Snapshot, booked bool) ([]calculation.Estimate, error) {
			return estimatesAmong(ctx, tx, p, snapshot, of, booked, now)
		})
	}
	estimates, err := alone(of)
	if err == nil || incentive.ErrorCode(err) == incentive.CodeInternal {
		return estimates, err
	}
	for _, id := range of {
		one, err := alone([]string{id})
		if code := incentive.ErrorCode(err); err != nil && code != incentive.CodeInternal {
			one = []Estimate{estimated(calculation.Estimate{Statement: incentive.Statement{PeriodID: p.ID, ParticipantID: id}, Problem: err}, incentive.Money{})}
		} else if err != nil {
			return nil, err
		}
		estimates = append(estimates, one...)
	}
	return estimates, nil
}

// keepEstimates puts estimates into the place of those that some participants had, and
// tells whoever listens which ones are others now.
func keepEstimates(ctx context.Context, tx unkept, p PeriodRevision, of []string, estimates []Estimate) error {
	has := map[string]bool{}
	batch := &pgx.Batch{}
	const changed = ` SELECT pg_notify('` + ChannelEstimated + `', period_id || ' ' || participant_id) FROM changed`
	for _, e := range estimates {
		has[e.ParticipantID] = true
		lines, err := json.Marshal(e.Lines)
		if err != nil {
			return fmt.Errorf("write the estimate of %s: %w", e.ParticipantID, err)
		}
		progress, err := json.Marshal(e.Progress)
		if err != nil {
			return fmt.Errorf("write the progress of %s: %w", e.ParticipantID, err)
		}
		var changesOn any
		if !e.ChangesOn.IsZero() {
			changesOn = e.ChangesOn
		}
		batch.Queue(`
			WITH changed AS (INSERT INTO estimate AS was (period_id, participant_id, problem, currency, total_minor, booked_minor, digest, lines, progress, changes_on)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
				ON CONFLICT (period_id, participant_id) DO UPDATE SET problem = excluded.problem, currency = excluded.currency, total_minor = excluded.total_minor,
					booked_minor = excluded.booked_minor, digest = excluded.digest, lines = excluded.lines, progress = excluded.progress, changes_on = excluded.changes_on, calculated_at = now()
				WHERE (was.problem, was.digest, was.booked_minor, was.progress::text, was.changes_on) IS DISTINCT FROM (excluded.problem, excluded.digest, excluded.booked_minor, excluded.progress::text, excluded.changes_on)
				RETURNING period_id, participant_id)`+changed,
			p.ID, e.ParticipantID, e.Problem, e.Total.Currency, e.Total.Minor, e.Booked.Minor, e.Digest, lines, progress, changesOn)
	}
	gone := slices.DeleteFunc(slices.Clone(of), func(id string) bool { return has[id] })
	batch.Queue(`WITH changed AS (DELETE FROM estimate WHERE period_id = $1 AND participant_id = ANY($2) RETURNING period_id, participant_id)`+changed, p.ID, gone)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("keep the estimates of %s: %w", p.ID, err)
	}
	return nil
}

// WhichEstimates says which estimates of a period are wanted.
type WhichEstimates struct {
	PeriodID string
	Visible  []string // participants; nil for all
	Without  string   // a participant whose is not wanted; "" for none
	Listing
}

// wanted is the WHERE of the estimates e that are wanted.
func (of WhichEstimates) wanted() string {
	return ` WHERE e.period_id = @period AND ` + among("e.participant_id", of.Visible) + ` AND e.participant_id <> @without`
}

// Estimates returns up to limit estimates after a participant's.
func (s *Store) Estimates(ctx context.Context, of WhichEstimates, after string, limit int) ([]Estimate, error) {
	name, names := sortingNames(of.Listing, of.Visible, "e.participant_id", endOfPeriod)
	from, last := ` FROM estimate e`+names, ""
	if after != "" {
		last = from + ` WHERE e.period_id = @period AND e.participant_id = @after`
	}
	// By how far the first component has come that measures against a quota, among others.
	goesOn, order, err := orders{
		"name":       {name},
		"quota":      {"coalesce(e.goal, " + missing + ")"},
		"attainment": {"coalesce(e.measured / nullif(e.goal, 0), " + missing + ")"},
		"next":       {"coalesce(e.distance, " + missing + ")"},
		"estimate":   {"e.currency", "e.total_minor"},
	}.seek(of.Listing, nil, []string{"e.participant_id"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT e.period_id, e.participant_id, `+nameAt("e.participant_id", endOfPeriod)+`, e.problem, e.currency, e.total_minor, e.booked_minor, e.digest, e.lines, e.progress, e.calculated_at`+from+of.wanted()+`
			AND `+goesOn+` AND `+found("e.participant_id")+` `+order+` LIMIT @limit`,
		plannedAnew, pgx.NamedArgs{"period": of.PeriodID, "visible": of.Visible, "without": of.Without, "search": anywhere(of.Search), "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the estimates of %s: %w", of.PeriodID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Estimate, err error) {
		err = row.Scan(&e.PeriodID, &e.ParticipantID, &e.Name, &e.Problem, &e.Total.Currency, &e.Total.Minor, &e.Booked.Minor, &e.Digest, &e.Lines, &e.Progress, &e.CalculatedAt)
		e.Booked.Currency = e.Total.Currency
		return e, err
	})
}

// Standing says how many people's estimates stand where, each by the first component that
// measures against a quota.
type Standing struct {
	People  int
	Reached int // their quota
	Behind  int // their quota is further away than the end of the period
}

// Standing counts the estimates wanted. passed is the share of the period that is over.
func (s *Store) Standing(ctx context.Context, of WhichEstimates, passed decimal.Decimal) (n Standing, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE e.measured >= e.goal), count(*) FILTER (WHERE e.measured < e.goal AND e.measured < e.goal * @passed::numeric) FROM estimate e`+of.wanted(),
		plannedAnew, pgx.NamedArgs{"period": of.PeriodID, "visible": of.Visible, "without": of.Without, "passed": passed.String()}).Scan(&n.People, &n.Reached, &n.Behind)
	if err != nil {
		return n, fmt.Errorf("count where the estimates of %s stand: %w", of.PeriodID, err)
	}
	return n, nil
}

// Estimate returns one participant's estimate, of code CodeNotFound where there is none.
func (s *Store) Estimate(ctx context.Context, periodID, participantID string) (Estimate, error) {
	found, err := s.Estimates(ctx, WhichEstimates{PeriodID: periodID, Visible: []string{participantID}}, "", 1)
	if err != nil {
		return Estimate{}, err
	}
	if len(found) == 0 {
		return Estimate{}, incentive.Errorf(incentive.CodeNotFound, "there is no estimate of %q in period %q: the period is not open, or they are on no plan in it", participantID, periodID)
	}
	return found[0], nil
}

// Deal is one that somebody might close.
type Deal struct {
	Date       incentive.Date
	Amount     decimal.Decimal
	Currency   incentive.Currency // "" is that of the estimate
	Role       string
	Share      decimal.Decimal
	Attributes map[string]string
}

// whatIfSource is where the transactions come from that are only supposed.
const whatIfSource = "what-if"

// WhatIf calculates somebody's estimate of an open period from the facts as they are, and
// again as if they had closed some deals too.
func (s *Store) WhatIf(ctx context.Context, p PeriodRevision, participantID string, deals []Deal, today incentive.Date) (before, after Estimate, err error) {
	both, err := s.suppose(ctx, p, participantID, today, nil, deals)
	if err != nil {
		return before, after, err
	}
	return both[0], both[1], nil
}

// suppose calculates somebody's estimate of an open period from the same facts several times,
// each as if they had closed some deals too.
func (s *Store) suppose(ctx context.Context, p PeriodRevision, participantID string, today incentive.Date, cases ...[]Deal) (estimates []Estimate, err error) {
	if p.State != incentive.Open {
		return nil, incentive.Errorf(incentive.CodeNotAllowedNow, "the period is %s: deals count in an open one", p.State)
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		reaches, err := reaches(ctx, tx, p)
		if err != nil {
			return err
		}
		snapshot, err := unkept{tx}.theirs(ctx, p, []string{participantID}, reaches)
		if err != nil {
			return err
		}
		for _, deals := range cases {
			if len(deals) == 0 && len(estimates) > 0 {
				estimates = append(estimates, estimates[0])
				continue
			}
			for i := range deals {
				if deals[i].Currency == "" {
					deals[i].Currency = estimates[0].Total.Currency
				}
			}
			found, err := estimatesOf(supposing(snapshot, participantID, deals), today, false, func(snapshot incentive.Snapshot, _ bool) ([]calculation.Estimate, error) {
				return calculation.Estimates(ctx, snapshot, []string{participantID})
			})
			if err == nil && len(found) == 0 {
				err = incentive.Errorf(incentive.CodeNotFound, "%s is on no plan in %s", participantID, p.ID)
			}
			if err == nil && found[0].Problem != "" {
				err = incentive.Errorf(incentive.CodeInvalid, "%s", found[0].Problem)
			}
			if err != nil {
				return err
			}
			estimates = append(estimates, found[0])
		}
		return nil
	})
	return estimates, err
}

// supposing adds deals that nobody has closed to a snapshot, in their place.
func supposing(snapshot incentive.Snapshot, participantID string, deals []Deal) incentive.Snapshot {
	for i, d := range deals {
		key := incentive.TransactionKey{Source: whatIfSource, ID: fmt.Sprintf("%03d", i+1)}
		t := incentive.Transaction{TransactionKey: key, Version: 1, Date: d.Date, Amount: d.Amount, Currency: d.Currency, Attributes: d.Attributes}
		at, _ := slices.BinarySearchFunc(snapshot.Transactions, t, func(a, b incentive.Transaction) int {
			return cmp.Or(a.Date.Compare(b.Date), strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
		})
		snapshot.Transactions = slices.Insert(slices.Clone(snapshot.Transactions), at, t)
		c := incentive.Credit{Transaction: key, ParticipantID: participantID, Role: d.Role, Share: d.Share, Version: 1}
		at, _ = slices.BinarySearchFunc(snapshot.Credits, c, func(a, b incentive.Credit) int {
			return cmp.Or(strings.Compare(a.Transaction.Source, b.Transaction.Source), strings.Compare(a.Transaction.ID, b.Transaction.ID))
		})
		snapshot.Credits = slices.Insert(slices.Clone(snapshot.Credits), at, c)
	}
	return snapshot
}

// DrawOwed returns what a participant still owes of draws, by currency.
func (s *Store) DrawOwed(ctx context.Context, participantID string) ([]incentive.Money, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT sum(p.amount_minor)::bigint, a.currency FROM ledger_account a JOIN posting p ON p.account_id = a.id
		WHERE a.kind = $1 AND a.participant_id = $2 GROUP BY a.currency HAVING sum(p.amount_minor) <> 0 ORDER BY a.currency`, DrawReceivable, participantID)
	if err != nil {
		return nil, fmt.Errorf("read what %s owes of draws: %w", participantID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[incentive.Money])
}

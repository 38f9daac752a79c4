package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/mapping"
)

// Entered is what became of records that somebody entered.
type Entered struct{ Added, Changed, Unchanged int }

// Enter writes records of one kind that somebody entered, all or none: put is given a
// Loading to put them into. subject is what the audit chain says they are about; reason is
// kept where there is one. A record that cannot be taken is an error of code
// mapping.CodeRefused.
func (s *Store) Enter(ctx context.Context, actor, kind, subject, reason string, put func(l *Loading) error) (done Entered, err error) {
	reasonID := ""
	if reason != "" {
		if reasonID, err = s.WriteText(ctx, actor, reason); err != nil {
			return done, err
		}
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		l := &Loading{tx: tx, result: &Import{}, entered: sha256.New()}
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		if err := put(l); err != nil {
			return err
		}
		if len(l.held) > 0 {
			return incentive.Errorf(mapping.CodeRefused, "%s", l.held[0].Reason)
		}
		done = Entered{l.result.Added, l.result.Changed, l.result.Unchanged}
		if done.Added+done.Changed == 0 {
			return nil
		}
		return audit(ctx, tx, actor, "enter-records", subject, struct {
			Kind     string `json:"kind"`
			Added    int    `json:"added"`
			Changed  int    `json:"changed"`
			Digest   string `json:"digest"`
			ReasonID string `json:"reason_id,omitempty"`
		}{kind, done.Added, done.Changed, hex.EncodeToString(l.entered.Sum(nil)), reasonID})
	})
	return done, err
}

// ParticipantRecord is what is true of a participant from a day on, in one version.
type ParticipantRecord struct {
	EffectiveFrom incentive.Date
	Version       int
	Stands        bool // no later version corrects it
	Name          string
	Email         string
	Kind          string
	Manager       string // "" at the top
	Country       string
	PayCurrency   string
	EmployedUntil *incentive.Date
	Attributes    map[string]string
	RecordedAt    time.Time
}

// AssignedPlan is an assignment of a participant to a plan, as it stands.
type AssignedPlan struct {
	Plan     string
	Calendar string
	StartsOn incentive.Date
	EndsOn   *incentive.Date
	Version  int
}

// SetQuota is a quota as it stands.
type SetQuota struct {
	Person   string
	Name     string // of the person
	Measure  string
	StartsOn incentive.Date
	EndsOn   incentive.Date
	Amount   decimal.Decimal
	Version  int
}

// ParticipantHistory is all that is recorded of a participant over time, the latest first.
type ParticipantHistory struct {
	Records     []ParticipantRecord
	Assignments []AssignedPlan
	Quotas      []SetQuota
	Reliefs     []Relief
}

// ParticipantHistory returns what is recorded of a participant.
func (s *Store) ParticipantHistory(ctx context.Context, id string) (h ParticipantHistory, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT effective_from, version, version = max(version) OVER (PARTITION BY effective_from), name, email, kind, coalesce(manager_id, ''), country, pay_currency, employed_until, attributes, recorded_at
		FROM participant_fact WHERE participant_id = $1 ORDER BY effective_from DESC, version DESC`, id)
	if err == nil {
		h.Records, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ParticipantRecord])
	}
	if err != nil {
		return h, fmt.Errorf("read the records of %s: %w", id, err)
	}
	rows, err = s.pool.Query(ctx, `
		SELECT * FROM (SELECT DISTINCT ON (plan_id, starts_on) plan_id, calendar_id, starts_on, ends_on, version FROM assignment WHERE participant_id = $1 ORDER BY plan_id, starts_on, version DESC) a
		ORDER BY starts_on DESC, plan_id`, id)
	if err == nil {
		h.Assignments, err = pgx.CollectRows(rows, pgx.RowToStructByPos[AssignedPlan])
	}
	if err != nil {
		return h, fmt.Errorf("read the plans of %s: %w", id, err)
	}
	if h.Quotas, err = s.Quotas(ctx, QuotasOf{Person: id}, nil, 500); err == nil {
		h.Reliefs, err = s.Reliefs(ctx, ReliefsOf{Person: id}, nil, 500)
	}
	return h, err
}

// QuotasOf says whose quotas, and of what; "" and no day for all.
type QuotasOf struct {
	Person  string
	Measure string
	On      incentive.Date
	Listing
}

// quotaOrders are how quotas can be sorted.
var quotaOrders = orders{"name": {"lower(" + nameNow("q.participant_id") + ")"}, "measure": {"q.measure"}, "starts": {"q.starts_on"}, "ends": {"q.ends_on"}, "amount": {"q.amount"}}

// QuotaKey names a quota: the next page of a list begins behind it.
type QuotaKey struct {
	StartsOn        incentive.Date
	Person, Measure string
}

// Quotas lists up to limit quotas as they stand, those that start last first.
func (s *Store) Quotas(ctx context.Context, of QuotasOf, after *QuotaKey, limit int) ([]SetQuota, error) {
	listing, last := of.Listing, ""
	if listing.Sort == "" {
		listing.Sort = "-starts"
	}
	const stands = ` FROM quota q WHERE NOT EXISTS (SELECT FROM quota l WHERE (l.participant_id, l.measure, l.starts_on) = (q.participant_id, q.measure, q.starts_on) AND l.version > q.version)`
	if after == nil {
		after = &QuotaKey{}
	} else {
		last = stands + ` AND (q.participant_id, q.measure, q.starts_on) = (@participant, @of, @starts)`
	}
	goesOn, order, err := quotaOrders.seek(listing, nil, []string{"q.participant_id", "q.measure", "q.starts_on"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT q.participant_id, `+nameNow("q.participant_id")+`, q.measure, q.starts_on, q.ends_on, q.amount, q.version`+stands+`
			AND (@person = '' OR q.participant_id = @person) AND (@measure = '' OR q.measure = @measure) AND (@on::date IS NULL OR @on BETWEEN q.starts_on AND q.ends_on)
			AND `+found("q.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"person": of.Person, "measure": of.Measure, "on": dayOrNil(of.On), "search": anywhere(of.Search), "participant": after.Person, "of": after.Measure, "starts": dayOrNil(after.StartsOn), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list quotas: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[SetQuota])
}

func dayOrNil(d incentive.Date) any {
	if d.IsZero() {
		return nil
	}
	return d
}

// Reporting is somebody in the hierarchy of a day.
type Reporting struct {
	Person  string
	Name    string
	Below   int    // how many report to them directly
	Manager string // "" at the top
	Circle  bool   // they are above themselves, so that nobody is at their top
}

// employed is true of a fact that holds on a day, of somebody who has not left by then.
func employed(fact, day string) string {
	return holds(fact, day) + ` AND (` + fact + `.employed_until IS NULL OR ` + fact + `.employed_until >= ` + day + `)`
}

// Hierarchy lists up to limit people after an id who report directly to somebody on a day,
// or ("") who report to nobody. Who has left by then is not in it. With the top stand those
// whose managers run in a circle or are not in it.
func (s *Store) Hierarchy(ctx context.Context, under string, on incentive.Date, after string, limit int) ([]Reporting, error) {
	if under == "" {
		return s.top(ctx, on, after, limit)
	}
	rows, err := s.pool.Query(ctx, `
		WITH RECURSIVE up AS (
			SELECT $1::text AS participant_id, false AS ends
			UNION SELECT coalesce(f.manager_id, up.participant_id), f.participant_id IS NULL OR f.manager_id IS NULL
				FROM up LEFT JOIN participant_fact f ON f.participant_id = up.participant_id AND `+employed("f", "$2")+` WHERE NOT up.ends
		)
		SELECT f.participant_id, f.name, (SELECT count(*) FROM participant_fact b WHERE b.manager_id = f.participant_id AND `+employed("b", "$2")+`)::int, f.manager_id, NOT EXISTS (SELECT FROM up WHERE ends)
		FROM participant_fact f WHERE f.manager_id = $1 AND `+employed("f", "$2")+` AND f.participant_id > $3 ORDER BY f.participant_id LIMIT $4`, under, on, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read who reports to %s: %w", under, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Reporting])
}

// top lists up to limit people after an id above whom nobody stands on a day, or only people
// who run in a circle.
func (s *Store) top(ctx context.Context, on incentive.Date, after string, limit int) ([]Reporting, error) {
	var facts int
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM participant_fact`).Scan(&facts); err != nil {
		return nil, fmt.Errorf("read the hierarchy of %s: %w", on, err)
	}
	all, err := s.tops.of(on, facts, func() ([]Reporting, int, error) { return s.topOf(ctx, on) })
	if err != nil {
		return nil, err
	}
	from, _ := slices.BinarySearchFunc(all, after, func(r Reporting, id string) int { return strings.Compare(r.Person, id) })
	if from < len(all) && all[from].Person == after {
		from++
	}
	return slices.Clone(all[from:min(from+limit, len(all))]), nil
}

// topOf reads the whole top of a day, by id, and of how many facts of participants.
func (s *Store) topOf(ctx context.Context, on incentive.Date) (found []Reporting, facts int, err error) {
	var everybody []Reporting
	err = collect(ctx, s.pool, &everybody, `
		SELECT (SELECT count(*) FROM participant_fact), participant_id, name, coalesce(manager_id, '') FROM (
			SELECT DISTINCT ON (participant_id) * FROM participant_fact WHERE effective_from <= $1 ORDER BY participant_id, effective_from DESC, version DESC) f
		WHERE employed_until IS NULL OR employed_until >= $1 ORDER BY participant_id COLLATE "C"`, func(row pgx.CollectableRow) (r Reporting, err error) {
		err = row.Scan(&facts, &r.Person, &r.Name, &r.Manager)
		return r, err
	}, on)
	if err != nil {
		return nil, 0, fmt.Errorf("read the hierarchy of %s: %w", on, err)
	}
	manager, below := map[string]string{}, map[string]int{}
	for _, r := range everybody {
		manager[r.Person] = r.Manager
		below[r.Manager]++
	}
	ends := map[string]bool{} // whether the way up from somebody does
	for _, r := range everybody {
		var way []string
		at, is := r.Person, true
		for {
			known, seen := ends[at]
			if _, in := manager[at]; !in || seen {
				is = !in || known
				break
			}
			ends[at], way = false, append(way, at) // so it runs in a circle where it comes here again
			at = manager[at]
		}
		for _, id := range way {
			ends[id] = is
		}
		_, managed := manager[r.Manager]
		if !managed || !is {
			r.Below, r.Circle = below[r.Person], !is
			found = append(found, r)
		}
	}
	return found, facts, nil
}

// Calendar is a calendar with what stands in it.
type Calendar struct {
	ID      string
	Periods int
	Last    *incentive.Date // the last day of the last period
	Policy  int             // the version of its policy; 0 for none
}

// Calendars lists every calendar.
func (s *Store) Calendars(ctx context.Context) ([]Calendar, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.id, count(p.id)::int, max(p.ends_on), coalesce((SELECT max(version) FROM policy_version v WHERE v.calendar_id = c.id), 0)
		FROM calendar c LEFT JOIN pay_period p ON p.calendar_id = c.id GROUP BY c.id ORDER BY c.id`)
	if err != nil {
		return nil, fmt.Errorf("list calendars: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Calendar])
}

// Holiday is a day on which the company does not work.
type Holiday struct {
	Date incentive.Date
	Name string
}

// Holidays lists the holidays of a year.
func (s *Store) Holidays(ctx context.Context, year int) ([]Holiday, error) {
	rows, err := s.pool.Query(ctx, `SELECT date, name FROM holiday WHERE extract(year FROM date) = $1 ORDER BY date`, year)
	if err != nil {
		return nil, fmt.Errorf("list the holidays of %d: %w", year, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Holiday])
}

// RemoveHoliday makes a holiday a working day again, and returns its name. Deadlines that
// were computed stay.
func (s *Store) RemoveHoliday(ctx context.Context, actor string, day incentive.Date) (name string, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `DELETE FROM holiday WHERE date = $1 RETURNING name`, day).Scan(&name)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "%s is no holiday", day)
		}
		if err != nil {
			return fmt.Errorf("remove the holiday %s: %w", day, err)
		}
		return audit(ctx, tx, actor, "remove-holiday", "holiday/"+day.String(), struct {
			Name string `json:"name"`
		}{name})
	})
	return name, err
}

// digestRows adds rows to the digest of what was entered.
func (l *Loading) digestRows(rows []Row) error {
	if l.entered == nil {
		return nil
	}
	for _, row := range rows {
		encoded, err := json.Marshal(row.Record)
		if err != nil {
			return fmt.Errorf("digest what was entered: %w", err)
		}
		l.entered.Write(append(encoded, '\n'))
	}
	return nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// EnteredSource is the source of the transactions that approved deals become.
const EnteredSource = "entered"

// Attributes that the transaction of an approved deal has besides those that were entered:
// the ids of who entered and who approved it.
const (
	attributeEnteredBy  = "entered_by"
	attributeApprovedBy = "approved_by"
)

// DealState is how a deal that somebody entered stands.
type DealState string

// The states. Only a deal that waits can be corrected, withdrawn or decided about.
const (
	DealWaiting   DealState = "waiting"
	DealWithdrawn DealState = "withdrawn"
	DealApproved  DealState = "approved"
	DealRejected  DealState = "rejected"
)

// EnteredDeal is a deal that a participant entered, in its latest version.
type EnteredDeal struct {
	ID            string // a UUID, and the id of the transaction that it becomes
	ParticipantID string // who entered it
	PersonName    string
	Version       int
	Date          incentive.Date
	Amount        decimal.Decimal // major units, exact
	Currency      incentive.Currency
	Attributes    map[string]string // product, customer and whatever else plans filter by
	NoteID        string            // "" for none
	Note          string
	State         DealState
	EnteredAt     time.Time
	CorrectedAt   time.Time // of the latest version
	Approver      string    // who is to decide while it waits; "" for anyone of finance
	DecidedBy     string    // "" while nobody has
	OnBehalfOf    string
	DecidedAt     *time.Time
	Reason        string
	Decides       bool // it waits for whoever reads it
}

// dealColumns is completed by a condition; $1 is the reader.
var dealColumns = `
	SELECT d.id::text, d.participant_id, ` + nameNow("d.participant_id") + `, v.version, v.date, v.amount, v.currency, v.attributes, coalesce(v.note_id::text, ''), coalesce(n.body, ''), d.state, d.entered_at, v.recorded_at,
		coalesce(a.approver, ''), coalesce(x.decided_by, ''), coalesce(x.on_behalf_of, ''), x.decided_at, coalesce(r.body, ''), coalesce(` + dealWaitsFor + `, false)
	FROM entered_deal d
	CROSS JOIN LATERAL (SELECT * FROM entered_deal_version v WHERE v.deal_id = d.id ORDER BY v.version DESC LIMIT 1) v
	CROSS JOIN LATERAL (SELECT CASE WHEN d.state = 'waiting' THEN deal_approver(d.participant_id, v.date) END AS approver) a
	LEFT JOIN free_text n ON n.id = v.note_id LEFT JOIN entered_deal_decision x ON x.deal_id = d.id LEFT JOIN free_text r ON r.id = x.reason_id `

// dealWaitsFor is the SQL of whether a deal waits for $1, as queues of approvals do: for the
// manager, whoever they have delegated to, or finance where there is no manager.
const dealWaitsFor = `(d.state = 'waiting' AND d.participant_id <> $1 AND (a.approver = $1 OR a.approver IS NULL AND ` + isFinance + `
	OR EXISTS (SELECT FROM delegation_in_force f WHERE f.delegator_id = a.approver AND f.delegate_id = $1)))`

// mayReadDeal is the SQL of whether $1, whose scope is $2, may read a deal.
const mayReadDeal = `(d.participant_id = $1 OR $2 <> 'own' AND x.decided_by = $1 OR $2 = 'all' OR $2 = 'team' AND (` + dealWaitsFor + `
	OR $1 IN (SELECT managers_above(d.participant_id, company_today())) OR $1 IN (SELECT managers_above(d.participant_id, v.date))))`

func scanDeal(row pgx.CollectableRow) (d EnteredDeal, err error) {
	err = row.Scan(&d.ID, &d.ParticipantID, &d.PersonName, &d.Version, &d.Date, &d.Amount, &d.Currency, &d.Attributes, &d.NoteID, &d.Note, &d.State, &d.EnteredAt, &d.CorrectedAt,
		&d.Approver, &d.DecidedBy, &d.OnBehalfOf, &d.DecidedAt, &d.Reason, &d.Decides)
	return d, err
}

func dealSubject(id string) string { return "deal/" + id }

// EnteredDeal returns a deal that somebody may read, of code CodeNotFound otherwise.
func (s *Store) EnteredDeal(ctx context.Context, reader string, scope incentive.Scope, id string) (EnteredDeal, error) {
	return enteredDeal(ctx, s.pool, reader, scope, id)
}

func enteredDeal(ctx context.Context, q querier, reader string, scope incentive.Scope, id string) (EnteredDeal, error) {
	rows, err := q.Query(ctx, dealColumns+`WHERE d.id = id_of($3) AND `+mayReadDeal, reader, scopeText(scope), id)
	if err != nil {
		return EnteredDeal{}, fmt.Errorf("read deal %s: %w", id, err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDeal)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, incentive.Errorf(incentive.CodeNotFound, "there is no entered deal %q that you may see", id)
	}
	return d, err
}

// WhichDeals chooses entered deals.
type WhichDeals struct {
	ParticipantID string    // "" for anyone
	State         DealState // "" for any
	Waiting       bool      // only those that wait for the reader's decision
}

// EnteredDeals returns up to limit deals that somebody may read, the latest first, after one
// of that id.
func (s *Store) EnteredDeals(ctx context.Context, reader string, scope incentive.Scope, which WhichDeals, after string, limit int) (all []EnteredDeal, err error) {
	err = collect(ctx, s.pool, &all, dealColumns+`
		WHERE `+mayReadDeal+` AND ($3 = '' OR d.participant_id = $3) AND ($4 = '' OR d.state = $4) AND (NOT $5 OR d.state = 'waiting' AND `+dealWaitsFor+`)
			AND ($6 = '' OR (d.entered_at, d.id) < (SELECT l.entered_at, l.id FROM entered_deal l WHERE l.id = id_of($6)))
		ORDER BY d.entered_at DESC, d.id DESC LIMIT $7`, scanDeal, reader, scopeText(scope), which.ParticipantID, string(which.State), which.Waiting, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list entered deals: %w", err)
	}
	return all, nil
}

// Bounds of the attributes of a deal: how many there are, and how long their names are.
const (
	mostAttributes   = 30
	longestAttribute = 50
)

// check refuses a deal that cannot be one.
func (d EnteredDeal) check(today incentive.Date) error {
	switch {
	case d.Date.IsZero() || d.Date.After(today):
		return incentive.Errorf(incentive.CodeInvalid, "a deal is entered once it is closed: its day is %s at the latest", today)
	case !d.Amount.IsPositive():
		return incentive.Errorf(incentive.CodeInvalid, "the amount of a deal is above zero, and %s is not", d.Amount)
	case len(d.Attributes) > mostAttributes:
		return incentive.Errorf(incentive.CodeInvalid, "a deal has up to %d attributes", mostAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Attributes)) {
		switch value := d.Attributes[name]; {
		case !incentive.IsAttributeName(name) || len(name) > longestAttribute || name == attributeEnteredBy || name == attributeApprovedBy:
			return incentive.Errorf(incentive.CodeInvalid, "%q is no name of an attribute that may be entered: write small letters, digits and _, such as product", name)
		case value == "" || len(value) > 500 || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' }):
			return incentive.Errorf(incentive.CodeInvalid, "attribute %q of a deal is a text of one line and at most 500 bytes", name)
		}
	}
	return nil
}

// CodeDealsNotEntered says that the company takes deals from source systems only.
const CodeDealsNotEntered incentive.Code = "deals-not-entered"

// EntersDeals reports whether a participant may enter deals of a day: whether the policy of
// one of the calendars that pay them then takes any.
func (s *Store) EntersDeals(ctx context.Context, participantID string, day incentive.Date) (bool, error) {
	goesBy, err := policiesOf(ctx, s.pool, participantID, day)
	return slices.ContainsFunc(goesBy, takesDeals), err
}

func refuseEntry(ctx context.Context, q querier, participantID string, day incentive.Date) error {
	goesBy, err := policiesOf(ctx, q, participantID, day)
	if err == nil && !slices.ContainsFunc(goesBy, takesDeals) {
		err = incentive.Errorf(CodeDealsNotEntered, "deals are not entered by people here: the policy of your calendar takes only those of source systems")
	}
	return err
}

func takesDeals(p PolicyVersion) bool { return p.Deals.Entered }

// EnterDeal keeps a deal that a participant has entered and their manager is to decide about.
// today is the company's. The same id again changes nothing.
func (s *Store) EnterDeal(ctx context.Context, d EnteredDeal, today incentive.Date) (kept EnteredDeal, err error) {
	if err := d.check(today); err != nil {
		return d, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := refuseEntry(ctx, tx, d.ParticipantID, d.Date); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO entered_deal (id, participant_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, d.ID, d.ParticipantID)
		if err != nil {
			return fmt.Errorf("enter a deal: %w", err)
		}
		if tag.RowsAffected() > 0 {
			d.Version = 1
			if err := writeDeal(ctx, tx, d, "enter-deal"); err != nil {
				return err
			}
		}
		kept, err = enteredDeal(ctx, tx, d.ParticipantID, incentive.Own, d.ID)
		return err
	})
	return kept, err
}

// writeDeal writes a version of a deal with its audit row, and tells whoever decides.
func writeDeal(ctx context.Context, tx pgx.Tx, d EnteredDeal, act string) error {
	if d.Attributes == nil {
		d.Attributes = map[string]string{}
	}
	_, err := tx.Exec(ctx, `INSERT INTO entered_deal_version (deal_id, version, date, amount, currency, attributes, note_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.ID, d.Version, d.Date, d.Amount, d.Currency, d.Attributes, orNull(d.NoteID))
	if err != nil {
		return fmt.Errorf("write a deal: %w", err)
	}
	err = audit(ctx, tx, d.ParticipantID, act, dealSubject(d.ID), struct {
		Version  int                `json:"version"`
		Date     incentive.Date     `json:"date"`
		Amount   decimal.Decimal    `json:"amount"`
		Currency incentive.Currency `json:"currency"`
		NoteID   string             `json:"note_id,omitempty"`
	}{d.Version, d.Date, d.Amount, d.Currency, d.NoteID})
	if err != nil {
		return err
	}
	return tellDeciders(ctx, tx, d, notice.DealWaiting, strconv.Itoa(d.Version))
}

// tellDeciders tells whoever decides about a deal, and those they have delegated to, once for
// each occasion.
func tellDeciders(ctx context.Context, q querier, d EnteredDeal, kind notice.Kind, occasion string) error {
	_, err := q.Exec(ctx, `
		INSERT INTO notification (recipient, kind, subject, key)
		SELECT person, $3::text, $4::text, concat_ws('/', $3, $4, $5::text) FROM (
			SELECT deal_approver($1, $2) AS person
			UNION SELECT delegate_id FROM delegation_in_force WHERE delegator_id = deal_approver($1, $2)
			UNION SELECT participant_id FROM role_grant WHERE role = 'finance' AND deal_approver($1, $2) IS NULL) people
		WHERE person <> $1 ORDER BY person ON CONFLICT DO NOTHING`, d.ParticipantID, d.Date, kind, dealSubject(d.ID), occasion)
	if err != nil {
		return fmt.Errorf("tell who decides about a deal: %w", err)
	}
	return nil
}

// RemindOfDeals reminds whoever decides about deals that still wait, each so many business days
// of its calendar after its latest version came. today is the company's; the same day again
// reminds nobody again.
func (s *Store) RemindOfDeals(ctx context.Context, today incentive.Date) error {
	type waiting struct {
		EnteredDeal
		since incentive.Date
	}
	var all []waiting
	err := collect(ctx, s.pool, &all, `
		SELECT d.id::text, d.participant_id, v.date, (v.recorded_at AT TIME ZONE c.time_zone)::date FROM entered_deal d CROSS JOIN company c
		CROSS JOIN LATERAL (SELECT * FROM entered_deal_version v WHERE v.deal_id = d.id ORDER BY v.version DESC LIMIT 1) v
		WHERE d.state = 'waiting' ORDER BY d.entered_at, d.id`, func(row pgx.CollectableRow) (w waiting, err error) {
		err = row.Scan(&w.ID, &w.ParticipantID, &w.Date, &w.since)
		return w, err
	})
	if err != nil {
		return fmt.Errorf("look for deals that wait: %w", err)
	}
	holidays, err := holidays(ctx, s.pool)
	if err != nil {
		return err
	}
	for _, d := range all {
		goesBy, err := policiesOf(ctx, s.pool, d.ParticipantID, d.Date)
		if err != nil {
			return err
		}
		if !remindsOn(today, d.since, goesBy[0].Deals.RemindAfterDays, holidays) {
			continue
		}
		if err := tellDeciders(ctx, s.pool, d.EnteredDeal, notice.DealReminder, today.String()); err != nil {
			return err
		}
	}
	return nil
}

// lockDeal holds a deal, so that nothing else becomes of it meanwhile.
func lockDeal(ctx context.Context, tx pgx.Tx, id string) error {
	if _, err := tx.Exec(ctx, `SELECT FROM entered_deal WHERE id = id_of($1) FOR UPDATE`, id); err != nil {
		return fmt.Errorf("hold deal %s: %w", id, err)
	}
	return nil
}

// ownWaiting returns a deal that its participant may still change, held. version is the one
// that they saw.
func ownWaiting(ctx context.Context, tx pgx.Tx, participantID, id string, version int) (EnteredDeal, error) {
	if err := lockDeal(ctx, tx, id); err != nil {
		return EnteredDeal{}, err
	}
	d, err := enteredDeal(ctx, tx, participantID, incentive.Own, id)
	if err == nil {
		err = d.refuseMoved(version)
	}
	return d, err
}

// refuseMoved refuses what concerns a deal that has moved on since somebody saw a version.
func (d EnteredDeal) refuseMoved(version int) error {
	switch {
	case d.State != DealWaiting:
		return incentive.Errorf(incentive.CodeNotAllowedNow, "the deal is %s: only one that waits is changed or decided about", d.State)
	case d.Version != version:
		return incentive.Errorf(incentive.CodeConflict, "the deal was corrected meanwhile: look at version %d of it", d.Version)
	}
	return nil
}

// CorrectDeal puts another version in the place of one that waits. d.Version is the one that
// it corrects.
func (s *Store) CorrectDeal(ctx context.Context, d EnteredDeal, today incentive.Date) (kept EnteredDeal, err error) {
	if err := d.check(today); err != nil {
		return d, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := ownWaiting(ctx, tx, d.ParticipantID, d.ID, d.Version); err != nil {
			return err
		}
		if err := refuseEntry(ctx, tx, d.ParticipantID, d.Date); err != nil {
			return err
		}
		d.Version++
		if err := writeDeal(ctx, tx, d, "correct-deal"); err != nil {
			return err
		}
		kept, err = enteredDeal(ctx, tx, d.ParticipantID, incentive.Own, d.ID)
		return err
	})
	return kept, err
}

// WithdrawDeal takes back a deal that waits. version is the one that was seen.
func (s *Store) WithdrawDeal(ctx context.Context, participantID, id string, version int) (withdrawn EnteredDeal, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := ownWaiting(ctx, tx, participantID, id, version); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE entered_deal SET state = $2 WHERE id = $1`, id, DealWithdrawn); err != nil {
			return fmt.Errorf("withdraw deal %s: %w", id, err)
		}
		if err := audit(ctx, tx, participantID, "withdraw-deal", dealSubject(id), struct{}{}); err != nil {
			return err
		}
		withdrawn, err = enteredDeal(ctx, tx, participantID, incentive.Own, id)
		return err
	})
	return withdrawn, err
}

// DealVersion names a version of a deal, as whoever decides saw it.
type DealVersion struct {
	ID      string
	Version int
}

// MostDealsDecided is how many deals are decided about together.
const MostDealsDecided = 200

// DecideDeals approves or rejects deals that wait for somebody, all or none. An approved one
// becomes a transaction with its credits at once. A rejection needs a reason.
func (s *Store) DecideDeals(ctx context.Context, actor string, scope incentive.Scope, decision DealState, reasonID string, deals []DealVersion) (decided []EnteredDeal, err error) {
	switch {
	case decision != DealApproved && decision != DealRejected:
		return nil, incentive.Errorf(incentive.CodeInvalid, "deals are approved or rejected")
	case decision == DealRejected && reasonID == "":
		return nil, incentive.Errorf(CodeReasonMissing, "say why: a rejection needs a reason")
	case len(deals) == 0 || len(deals) > MostDealsDecided:
		return nil, incentive.Errorf(incentive.CodeInvalid, "name the deals, %d at most", MostDealsDecided)
	}
	// In one order, so that two who decide wait for each other and not in a circle.
	deals = slices.SortedFunc(slices.Values(deals), func(a, b DealVersion) int { return strings.Compare(a.ID, b.ID) })
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		// As an import does, so that none is written while a lock freezes.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, dataLock); err != nil {
			return fmt.Errorf("wait for a lock of a period to end: %w", err)
		}
		for _, one := range deals {
			d, err := decideDeal(ctx, tx, actor, scope, decision, reasonID, one)
			if err != nil {
				return err
			}
			decided = append(decided, d)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return decided, nil
}

func decideDeal(ctx context.Context, tx pgx.Tx, actor string, scope incentive.Scope, decision DealState, reasonID string, of DealVersion) (EnteredDeal, error) {
	if err := lockDeal(ctx, tx, of.ID); err != nil {
		return EnteredDeal{}, err
	}
	d, err := enteredDeal(ctx, tx, actor, scope, of.ID)
	if err != nil {
		return d, err
	}
	if d.ParticipantID == actor {
		return d, incentive.Errorf(CodeOwnPay, "nobody decides about their own deal: your manager does")
	}
	if err := d.refuseMoved(of.Version); err != nil {
		return d, err
	}
	if !d.Decides {
		return d, incentive.Errorf(incentive.CodeForbidden, "the deal waits for the manager of its day, whoever they have delegated to, or finance where there is no manager")
	}
	if d.Approver == actor {
		d.Approver = ""
	}
	_, err = tx.Exec(ctx, `INSERT INTO entered_deal_decision (deal_id, version, participant_id, decision, decided_by, on_behalf_of, reason_id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.ID, d.Version, d.ParticipantID, decision, actor, orNull(d.Approver), orNull(reasonID))
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE entered_deal SET state = $2 WHERE id = $1`, d.ID, decision)
	}
	if err != nil {
		return d, fmt.Errorf("decide about deal %s: %w", d.ID, err)
	}
	kind, act := notice.DealRejected, "reject-deal"
	if decision == DealApproved {
		kind, act = notice.DealApproved, "approve-deal"
		if err := bookDeal(ctx, tx, d, actor); err != nil {
			return d, err
		}
	}
	err = audit(ctx, tx, actor, act, dealSubject(d.ID), struct {
		Version    int    `json:"version"`
		OnBehalfOf string `json:"on_behalf_of,omitempty"`
		ReasonID   string `json:"reason_id,omitempty"`
	}{d.Version, d.Approver, reasonID})
	if err != nil {
		return d, err
	}
	if err := notify(ctx, tx, Notification{Recipient: d.ParticipantID, Kind: kind, Subject: dealSubject(d.ID), Key: string(kind) + "/" + d.ID}); err != nil {
		return d, err
	}
	return enteredDeal(ctx, tx, actor, scope, d.ID)
}

// bookDeal writes the transaction that an approved deal becomes. Where a crediting rule of a
// plan takes it, the rules say whose it is, as of any other that its source credits nobody
// with; otherwise it is all theirs who entered it.
func bookDeal(ctx context.Context, tx pgx.Tx, d EnteredDeal, approvedBy string) error {
	attributes := map[string]string{attributeEnteredBy: d.ParticipantID, attributeApprovedBy: approvedBy}
	maps.Copy(attributes, d.Attributes)
	l := &Loading{tx: tx, result: &Import{}}
	put := func(kind string, record map[string]any) error {
		err := l.Put(ctx, kind, []Row{{Key: d.ID, Record: record}})
		if err == nil && len(l.held) > 0 {
			err = incentive.Errorf(l.held[0].Code, "%s", l.held[0].Reason)
		}
		return err
	}
	err := put("transaction", map[string]any{"source": EnteredSource, "transaction_id": d.ID, "date": d.Date, "amount": d.Amount, "currency": d.Currency, "attributes": attributes})
	if err != nil {
		return err
	}
	ruled, err := takenByRules(ctx, tx, d)
	if err != nil || ruled {
		return err
	}
	return put("credit", map[string]any{"source": EnteredSource, "transaction_id": d.ID, "participant_id": d.ParticipantID, "role": "owner", "share": decimal.NewFromInt(1)})
}

// takenByRules reports whether a crediting rule of a plan credits somebody with the
// transaction of a deal.
func takenByRules(ctx context.Context, tx pgx.Tx, d EnteredDeal) (bool, error) {
	var periods []incentive.Period
	err := collect(ctx, tx, &periods, `SELECT id, calendar_id, code, starts_on, ends_on, 0 FROM pay_period WHERE $1 BETWEEN starts_on AND ends_on ORDER BY id`, pgx.RowToStructByPos[incentive.Period], d.Date)
	if err != nil {
		return false, fmt.Errorf("look for the periods of deal %s: %w", d.ID, err)
	}
	for _, period := range periods {
		p := PeriodRevision{Period: period}
		plans, err := reaches(ctx, tx, p)
		if err != nil {
			return false, err
		}
		var rules []string
		for id, r := range plans {
			if r.Rules {
				rules = append(rules, id)
			}
		}
		if len(rules) == 0 {
			continue
		}
		credited, err := creditedByRules(ctx, unkept{tx}, p, rules, []string{EnteredSource}, []string{d.ID})
		if err != nil {
			return false, err
		}
		if len(credited) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// PendingDeals is what somebody's deals that wait for approval would bring in an open period.
type PendingDeals struct {
	Deals      []EnteredDeal
	Now        Estimate // as things stand
	IfApproved Estimate // with all of them credited to whoever entered them
}

// PendingDeals returns what somebody's waiting deals of an open period would bring.
func (s *Store) PendingDeals(ctx context.Context, p PeriodRevision, participantID string, today incentive.Date) (l PendingDeals, err error) {
	err = collect(ctx, s.pool, &l.Deals, dealColumns+`WHERE d.participant_id = $1 AND d.state = 'waiting' AND v.date BETWEEN $2 AND $3 ORDER BY v.date, d.id LIMIT $4`,
		scanDeal, participantID, p.StartsOn, p.EndsOn, MostInPipeline)
	if err != nil {
		return l, fmt.Errorf("list the deals of %s that wait: %w", participantID, err)
	}
	var deals []Deal
	for _, d := range l.Deals {
		deals = append(deals, Deal{Date: d.Date, Amount: d.Amount, Currency: d.Currency, Role: "owner", Share: decimal.NewFromInt(1), Attributes: d.Attributes})
	}
	both, err := s.suppose(ctx, p, participantID, today, nil, deals)
	if err != nil {
		return l, err
	}
	l.Now, l.IfApproved = both[0], both[1]
	return l, nil
}

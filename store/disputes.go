package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Codes of refusals about disputes.
const (
	CodeWindowClosed    incentive.Code = "dispute-window-closed"
	CodeAlreadyDisputed incentive.Code = "already-disputed"
)

// Dispute is what a participant holds to be wrong with their pay.
type Dispute struct {
	ID            string // a UUID
	PeriodID      string
	Revision      int
	ParticipantID string
	Name          string // the participant's
	Type          incentive.DisputeType
	Item          incentive.DisputedItem
	Expected      incentive.Money
	CommentID     string
	Comment       string
	Late          bool // raised after the window
	RaisedAt      time.Time
	State         incentive.DisputeState
	Partly        bool   // what was accepted is a part
	Handler       string // who has to answer; "" for anyone of finance
	Since         time.Time
	Reminders     int
	AnswerBy      *time.Time // what the participant is told
}

const disputeColumns = `
	SELECT d.id::text, d.period_id, d.revision, d.participant_id, ` +
	`coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = d.participant_id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ''),
		d.type, d.plan_id, d.component, d.source, d.transaction_id, d.expected_minor, d.currency, d.comment_id::text, coalesce(x.body, ''), d.late, d.raised_at,
		d.state, d.partly, coalesce(d.handler_id, ''), d.since, d.reminders, d.answer_by
	FROM dispute d JOIN free_text x ON x.id = d.comment_id`

func scanDispute(row pgx.CollectableRow) (d Dispute, err error) {
	err = row.Scan(&d.ID, &d.PeriodID, &d.Revision, &d.ParticipantID, &d.Name, &d.Type, &d.Item.PlanID, &d.Item.Component, &d.Item.Transaction.Source, &d.Item.Transaction.ID,
		&d.Expected.Minor, &d.Expected.Currency, &d.CommentID, &d.Comment, &d.Late, &d.RaisedAt, &d.State, &d.Partly, &d.Handler, &d.Since, &d.Reminders, &d.AnswerBy)
	return d, err
}

func dispute(ctx context.Context, q querier, id, lock string) (Dispute, error) {
	rows, err := q.Query(ctx, disputeColumns+` WHERE d.id = id_of($1)`+lock, id)
	if err != nil {
		return Dispute{}, fmt.Errorf("read dispute %s: %w", id, err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDispute)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, incentive.Errorf(incentive.CodeNotFound, "there is no dispute %q that you may see", id)
	}
	return d, err
}

// mayRead is the SQL of whether $1, whose scope is $2, may read dispute d: finance and
// auditors all, others their own and those of everybody below them at the period's end.
const mayRead = `($2 = 'all' OR d.participant_id = $1 OR $2 = 'team' AND $1 IN (SELECT managers_above(d.participant_id, (SELECT ends_on FROM pay_period WHERE id = d.period_id))))`

func scopeText(scope incentive.Scope) string {
	return map[incentive.Scope]string{incentive.Own: "own", incentive.Team: "team", incentive.All: "all"}[scope]
}

// Dispute returns a dispute that somebody may read, of code CodeNotFound otherwise.
func (s *Store) Dispute(ctx context.Context, reader string, scope incentive.Scope, id string) (Dispute, error) {
	d, err := dispute(ctx, s.pool, id, "")
	if err != nil {
		return d, err
	}
	var may bool
	if err := s.pool.QueryRow(ctx, `SELECT `+mayRead+` FROM dispute d WHERE d.id = $3`, reader, scopeText(scope), id).Scan(&may); err != nil {
		return d, fmt.Errorf("look who may read dispute %s: %w", id, err)
	}
	if !may {
		return Dispute{}, incentive.Errorf(incentive.CodeNotFound, "there is no dispute %q that you may see", id)
	}
	return d, nil
}

// WhichDisputes chooses disputes.
type WhichDisputes struct {
	PeriodID      string // "" for any
	ParticipantID string // "" for anyone
	Open          bool   // only those that have no outcome yet
	Waiting       bool   // only those that wait for the reader: to answer, to reply or to decide about what was granted
	Listing
}

// disputeOrders are how disputes can be sorted.
var disputeOrders = orders{"name": {"lower(" + nameNow("d.participant_id") + ")"}, "amount": {"d.currency", "d.expected_minor"}, "state": {"d.state"}, "raised": {"d.raised_at"}, "due": {"coalesce(d.answer_by, 'infinity')"}}

// waitsFor is the SQL of whether dispute d waits for $1.
const waitsFor = `CASE d.state
	WHEN 'waiting-for-information' THEN d.participant_id = $1
	WHEN 'open' THEN d.participant_id <> $1 AND CASE WHEN d.handler_id IS NULL THEN ` + isFinance + ` ELSE d.handler_id = $1 END
	WHEN 'accepted-awaiting-approval' THEN d.participant_id <> $1 AND ` + isFinance + ` AND NOT EXISTS (
		SELECT FROM adjustment a WHERE a.dispute_id = d.id AND a.entered_by = $1 AND NOT EXISTS (SELECT FROM adjustment_decision x WHERE x.adjustment_id = a.id))
	ELSE false END`

const isFinance = `EXISTS (SELECT FROM role_grant WHERE participant_id = $1 AND role = 'finance')`

// Disputes returns up to limit disputes that somebody may read, the oldest first, after
// one of that id.
func (s *Store) Disputes(ctx context.Context, reader string, scope incentive.Scope, which WhichDisputes, after string, limit int) ([]Dispute, error) {
	last := ""
	if after != "" {
		last = `FROM dispute d WHERE d.id = $8::uuid`
	}
	goesOn, order, err := disputeOrders.seek(which.Listing, disputeOrders["raised"], []string{"d.id"}, last)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, disputeColumns+`
		WHERE `+mayRead+` AND ($3 = '' OR d.period_id = $3) AND ($4 = '' OR d.participant_id = $4) AND (NOT $5 OR d.state = ANY($6)) AND (NOT $7 OR `+waitsFor+`)
		AND ($8 = '' OR `+goesOn+`) AND `+strings.ReplaceAll(found("d.participant_id"), "@search", "$10")+` `+order+` LIMIT $9`,
		reader, scopeText(scope), which.PeriodID, which.ParticipantID, which.Open, incentive.OpenDisputeStates, which.Waiting, after, limit, anywhere(which.Search))
	if err != nil {
		return nil, fmt.Errorf("list disputes: %w", err)
	}
	return pgx.CollectRows(rows, scanDispute)
}

// DisputesOf returns every dispute of a revision.
func (s *Store) DisputesOf(ctx context.Context, periodID string, revision int) ([]Dispute, error) {
	rows, err := s.pool.Query(ctx, disputeColumns+` WHERE d.period_id = $1 AND d.revision = $2 ORDER BY d.id`, periodID, revision)
	if err != nil {
		return nil, fmt.Errorf("list the disputes of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, scanDispute)
}

// RunningDisputes returns up to limit disputes that a workflow should be looking after,
// after an id.
func (s *Store) RunningDisputes(ctx context.Context, after string, limit int) ([]Dispute, error) {
	return s.Disputes(ctx, "", incentive.All, WhichDisputes{Open: true}, after, limit)
}

// RaiseDispute keeps a dispute of a published statement and tells whoever has to answer.
// today, in the company's zone, decides whether a late one is too late. The same id again
// changes nothing.
func (s *Store) RaiseDispute(ctx context.Context, d Dispute, today incentive.Date) (Dispute, error) {
	if err := d.Item.Check(d.Type); err != nil {
		return d, err
	}
	if d.CommentID == "" {
		return d, incentive.Errorf(CodeReasonMissing, "say what is wrong: a dispute needs a comment")
	}
	var raised Dispute
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var err error
		if raised, err = dispute(ctx, tx, d.ID, ""); incentive.ErrorCode(err) != incentive.CodeNotFound {
			return err
		}
		p, err := periodRevision(ctx, tx, d.PeriodID, 0, " FOR UPDATE OF r")
		if err != nil {
			return err
		}
		late, err := late(ctx, tx, p, today)
		if err != nil {
			return err
		}
		if err := refuseUnknownItem(ctx, tx, p, d); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO dispute (id, period_id, revision, participant_id, type, plan_id, component, source, transaction_id, expected_minor, currency, comment_id, late, state, handler_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, (SELECT managers_above($4, $15) LIMIT 1))`,
			d.ID, p.ID, p.Revision, d.ParticipantID, d.Type, d.Item.PlanID, d.Item.Component, d.Item.Transaction.Source, d.Item.Transaction.ID, d.Expected.Minor, d.Expected.Currency,
			d.CommentID, late, incentive.DisputeOpen, p.EndsOn)
		if constraint(err) == "one_open_dispute" {
			return incentive.Errorf(CodeAlreadyDisputed, "you have disputed this already, and the dispute is not answered yet")
		}
		if err != nil {
			return fmt.Errorf("raise a dispute: %w", err)
		}
		if raised, err = dispute(ctx, tx, d.ID, ""); err != nil {
			return err
		}
		err = audit(ctx, tx, d.ParticipantID, "raise-dispute", disputeSubject(d.ID), struct {
			Period    string `json:"period"`
			Revision  int    `json:"revision"`
			Type      string `json:"type"`
			Late      bool   `json:"late"`
			CommentID string `json:"comment_id"`
		}{p.ID, p.Revision, string(d.Type), late, d.CommentID})
		if err != nil {
			return err
		}
		return tellHandler(ctx, tx, raised, "dispute-raised", "raised")
	})
	return raised, err
}

func disputeSubject(id string) string { return "dispute/" + id }

// MayDispute reports whether statements of a period can be disputed today, a day in the
// company's zone.
func (s *Store) MayDispute(ctx context.Context, p PeriodRevision, today incentive.Date) (bool, error) {
	_, err := late(ctx, s.pool, p, today)
	if incentive.ErrorCode(err) == CodeWindowClosed {
		return false, nil
	}
	return err == nil, err
}

// late reports whether a dispute of the period comes after the window, and refuses one
// that comes before it or too late.
func late(ctx context.Context, q querier, p PeriodRevision, today incentive.Date) (bool, error) {
	if p.State == incentive.Published {
		return false, nil
	}
	var ended *time.Time
	err := q.QueryRow(ctx, `SELECT max(acted_at) FROM period_act WHERE period_id = $1 AND revision = $2 AND act IN ('window-ends', 'end-window')`, p.ID, p.Revision).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("read when the dispute window of %s ended: %w", p.ID, err)
	}
	if ended == nil || !slices.Contains(append([]incentive.State{incentive.Approving}, posts...), p.State) {
		return false, incentive.Errorf(CodeWindowClosed, "%s is %s: a statement is disputed once it is published", p.ID, p.State)
	}
	goesBy, err := policyOf(ctx, q, p.CalendarID)
	if err != nil {
		return false, err
	}
	_, zone, holidays, err := windowDays(ctx, q, p.CalendarID)
	if err != nil {
		return false, err
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		return false, fmt.Errorf("read the company's zone: %w", err)
	}
	last := incentive.AddBusinessDays(incentive.DateOf(ended.In(location)), goesBy.Disputes.LateDays, holidays)
	if goesBy.Disputes.LateDays == 0 || today.After(last) {
		return false, incentive.Errorf(CodeWindowClosed, "the dispute window of %s has ended, and late disputes were taken until %s", p.ID, last)
	}
	return true, nil
}

// refuseUnknownItem refuses what does not stand on the participant's statement.
func refuseUnknownItem(ctx context.Context, tx pgx.Tx, p PeriodRevision, d Dispute) error {
	var currency *incentive.Currency
	var line, contribution bool
	err := tx.QueryRow(ctx, `
		SELECT max(st.currency), coalesce(bool_or(l.plan_id = $3 AND l.component = $4), false), coalesce(bool_or(l.plan_id = $3 AND l.component = $4 AND EXISTS (
			SELECT FROM contribution c WHERE c.line_id = l.id AND c.source = $5 AND c.transaction_id = $6)), false)
		FROM statement st LEFT JOIN line l ON l.statement_id = st.id WHERE st.run_id = $1 AND st.participant_id = $2`,
		p.RunID, d.ParticipantID, d.Item.PlanID, d.Item.Component, d.Item.Transaction.Source, d.Item.Transaction.ID).Scan(&currency, &line, &contribution)
	missing := d.Type == incentive.MissingDeal
	switch {
	case err != nil:
		return fmt.Errorf("look for what is disputed: %w", err)
	case currency == nil && !missing:
		return incentive.Errorf(incentive.CodeNotFound, "you have no statement in %s", p.ID)
	case currency != nil && *currency != d.Expected.Currency:
		return incentive.Errorf(incentive.CodeInvalid, "your statement is in %s, so what you expect is too", *currency)
	case !missing && !line:
		return incentive.Errorf(incentive.CodeNotFound, "your statement in %s has no line %q of plan %q", p.ID, d.Item.Component, d.Item.PlanID)
	case !missing && d.Item.Transaction.ID != "" && !contribution:
		return incentive.Errorf(incentive.CodeNotFound, "transaction %s of %s is not on that line", d.Item.Transaction.ID, d.Item.Transaction.Source)
	}
	return nil
}

// tellHandler tells whoever has to answer: the handler, or everybody of finance.
func tellHandler(ctx context.Context, tx pgx.Tx, d Dispute, kind, key string) error {
	recipients := []string{d.Handler}
	if d.Handler == "" || d.State == incentive.DisputeGranted {
		err := collect(ctx, tx, &recipients, `SELECT participant_id FROM role_grant WHERE role = 'finance' AND participant_id <> $1 ORDER BY participant_id`, pgx.RowTo[string], d.ParticipantID)
		if err != nil {
			return fmt.Errorf("list finance: %w", err)
		}
	}
	return tell(ctx, tx, d, kind, key, recipients...)
}

func tell(ctx context.Context, tx pgx.Tx, d Dispute, kind, key string, recipients ...string) error {
	for _, recipient := range recipients {
		err := notify(ctx, tx, Notification{Recipient: recipient, Kind: notice.Kind(kind), Subject: disputeSubject(d.ID), Key: disputeSubject(d.ID) + "/" + key})
		if err != nil {
			return err
		}
	}
	return nil
}

// DisputeCommand is one act on a dispute.
type DisputeCommand struct {
	ID     string
	Act    incentive.DisputeAct
	Actor  string // a participant's id, or System
	Key    string // names the command: with the same key an act is done once
	TextID string // of a stored text
	Answer string // of what is granted, see KeepDisputeAnswer; "" for none
}

// DisputeAnswer is what a handler grants, kept before the act that names it.
type DisputeAnswer struct {
	ID        string // a UUID, which becomes the adjustment's
	DisputeID string
	By        string
	Amount    incentive.Money // of the adjustment; zero for a recalculation
	Partly    bool
	Changes   []Change // that the recalculation is to take over
}

// ActOnDispute does an act of a person or of the workflow. The rights of people are
// checked here: a participant speaks for themselves, and their managers and finance
// answer.
func (s *Store) ActOnDispute(ctx context.Context, c DisputeCommand) (Dispute, error) {
	var result Dispute
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		d, err := dispute(ctx, tx, c.ID, " FOR UPDATE OF d")
		if err != nil {
			return err
		}
		result = d
		var before bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM dispute_act WHERE dispute_id = $1 AND key = $2)`, c.ID, c.Key).Scan(&before); err != nil || before {
			return err
		}
		if err := refuseActor(ctx, tx, d, c); err != nil {
			return err
		}
		var answer DisputeAnswer
		if c.Act == incentive.Grant || c.Act == incentive.AcceptByRecalculation {
			if answer, err = disputeAnswer(ctx, tx, c); err != nil {
				return err
			}
			d.Partly = answer.Partly
		}
		if result, err = moveDispute(ctx, tx, d, c); err != nil {
			return err
		}
		if c.Act != incentive.Grant {
			return nil
		}
		return enterAdjustment(ctx, tx, Adjustment{EnteredBy: c.Actor, ReasonID: c.TextID, Adjustment: incentive.Adjustment{
			ID: answer.ID, PeriodID: d.PeriodID, ParticipantID: d.ParticipantID, Type: incentive.OfDispute, Amount: answer.Amount, DisputeID: d.ID}})
	})
	return result, err
}

// refuseActor refuses whoever may not do the act.
func refuseActor(ctx context.Context, tx pgx.Tx, d Dispute, c DisputeCommand) error {
	switch c.Act.DoneBy() {
	case incentive.ByParticipant:
		if c.Actor != d.ParticipantID {
			return incentive.Errorf(incentive.CodeForbidden, "only whoever raised the dispute can %s", c.Act)
		}
	case incentive.ByHandler:
		if c.Actor == d.ParticipantID {
			return incentive.Errorf(CodeOwnPay, "nobody answers a dispute about their own pay")
		}
		var may bool
		err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM role_grant WHERE participant_id = $1 AND role = 'finance')
			OR $1 IN (SELECT managers_above($2, ends_on)) FROM pay_period WHERE id = $3`, c.Actor, d.ParticipantID, d.PeriodID).Scan(&may)
		if err != nil {
			return fmt.Errorf("look who answers dispute %s: %w", d.ID, err)
		}
		if !may {
			return incentive.Errorf(incentive.CodeForbidden, "a dispute is answered by the participant's managers or by finance")
		}
	default:
		return fmt.Errorf("%s is no act of a person", c.Act)
	}
	if c.TextID == "" && c.Act != incentive.WithdrawDispute {
		return incentive.Errorf(CodeReasonMissing, "to %s needs a text that the other side can read", c.Act)
	}
	return nil
}

// moveDispute changes the state as the command says, writes act and audit row, and tells
// the other side.
func moveDispute(ctx context.Context, tx pgx.Tx, d Dispute, c DisputeCommand) (Dispute, error) {
	next, err := incentive.NextDispute(d.State, c.Act, d.Partly)
	if err != nil {
		return d, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO dispute_act (dispute_id, participant_id, act, from_state, to_state, actor, text_id, key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		d.ID, d.ParticipantID, c.Act, d.State, next, c.Actor, orNull(c.TextID), c.Key)
	if err != nil {
		return d, fmt.Errorf("record %s of dispute %s: %w", c.Act, d.ID, err)
	}
	_, err = tx.Exec(ctx, `UPDATE dispute SET state = $2, partly = $3, handler_id = $4, since = clock_timestamp(), reminders = 0 WHERE id = $1`, d.ID, next, d.Partly, orNull(d.Handler))
	if err != nil {
		return d, fmt.Errorf("move dispute %s: %w", d.ID, err)
	}
	err = audit(ctx, tx, c.Actor, string(c.Act), disputeSubject(d.ID), struct {
		TextID string `json:"text_id,omitempty"`
		Answer string `json:"answer,omitempty"`
	}{c.TextID, c.Answer})
	if err != nil {
		return d, err
	}
	moved, err := dispute(ctx, tx, d.ID, "")
	if err != nil {
		return d, err
	}
	if moved.State.Ended() {
		if err := letHeldGo(ctx, tx, moved); err != nil {
			return moved, err
		}
	}
	if moved.State == incentive.DisputeOpen || moved.State == incentive.DisputeGranted || moved.State == incentive.DisputeWithdrawn {
		return moved, tellHandler(ctx, tx, moved, "dispute-"+string(c.Act), c.Key)
	}
	return moved, tell(ctx, tx, moved, "dispute-"+string(c.Act), c.Key, moved.ParticipantID)
}

// settleGrant moves a dispute on whose adjustment was decided about.
func settleGrant(ctx context.Context, tx pgx.Tx, a Adjustment, decision string) error {
	d, err := dispute(ctx, tx, a.DisputeID, " FOR UPDATE OF d")
	if err != nil {
		return err
	}
	act := incentive.ApproveGrant
	if decision == "rejected" {
		act, d.Partly = incentive.RefuseGrant, false
	}
	if _, err = moveDispute(ctx, tx, d, DisputeCommand{ID: d.ID, Act: act, Actor: System, Key: "adjustment/" + a.ID}); err != nil || decision == "rejected" {
		return err
	}
	return paySupplement(ctx, tx, a)
}

// KeepDisputeAnswer stores what a handler grants before the act that names it. The same
// id again changes nothing.
func (s *Store) KeepDisputeAnswer(ctx context.Context, a DisputeAnswer) error {
	if (a.Amount.Minor == 0) == (len(a.Changes) == 0) {
		return incentive.Errorf(incentive.CodeInvalid, "grant an amount, or name the changes that a recalculation is to take over")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO dispute_answer (id, dispute_id, answered_by, amount_minor, currency, partly) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			a.ID, a.DisputeID, a.By, a.Amount.Minor, string(a.Amount.Currency), a.Partly)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		for _, change := range a.Changes {
			_, err := tx.Exec(ctx, `INSERT INTO dispute_change (answer_id, kind, id) VALUES ($1, $2, $3)`, a.ID, change.Kind, change.ID)
			if constraint(err) == "dispute_change_pkey" {
				return incentive.Errorf(incentive.CodeInvalid, "a change is named twice")
			}
			if err != nil {
				return fmt.Errorf("keep the answer to a dispute: %w", err)
			}
		}
		return nil
	})
}

// disputeAnswer reads the answer that an act names, which must be of its kind.
func disputeAnswer(ctx context.Context, tx pgx.Tx, c DisputeCommand) (a DisputeAnswer, err error) {
	err = tx.QueryRow(ctx, `SELECT id::text, dispute_id::text, answered_by, amount_minor, currency, partly FROM dispute_answer WHERE id = id_of($1) AND dispute_id = $2 AND answered_by = $3`, c.Answer, c.ID, c.Actor).
		Scan(&a.ID, &a.DisputeID, &a.By, &a.Amount.Minor, &a.Amount.Currency, &a.Partly)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, incentive.Errorf(incentive.CodeInvalid, "say what you grant")
	}
	if err != nil {
		return a, fmt.Errorf("read the answer to dispute %s: %w", c.ID, err)
	}
	if (a.Amount.Minor != 0) != (c.Act == incentive.Grant) {
		return a, incentive.Errorf(incentive.CodeInvalid, "%s grants an amount, and %s names changes", incentive.Grant, incentive.AcceptByRecalculation)
	}
	return a, nil
}

// Nudge reminds whoever is waited for or, with escalate, hands an open dispute one up in
// the hierarchy, in the end to finance. Where the dispute has moved on since, or was
// reminded before, nothing happens.
func (s *Store) Nudge(ctx context.Context, id string, since time.Time, reminders int, escalate bool) (Dispute, error) {
	var result Dispute
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		d, err := dispute(ctx, tx, id, " FOR UPDATE OF d")
		if err != nil {
			return err
		}
		result = d
		if d.State.Ended() || !d.Since.Equal(since) || d.Reminders != reminders {
			return nil
		}
		key := fmt.Sprintf("%d/%d", since.UnixMicro(), reminders)
		if escalate && d.State == incentive.DisputeOpen && d.Handler != "" {
			var above *string
			err := tx.QueryRow(ctx, `SELECT (SELECT m FROM managers_above($1, ends_on) m WHERE m <> $2 LIMIT 1) FROM pay_period WHERE id = $3`, d.Handler, d.ParticipantID, d.PeriodID).Scan(&above)
			if err != nil {
				return fmt.Errorf("look above %s: %w", d.Handler, err)
			}
			if d.Handler = ""; above != nil {
				d.Handler = *above
			}
			result, err = moveDispute(ctx, tx, d, DisputeCommand{ID: id, Act: incentive.Escalate, Actor: System, Key: "escalate/" + key})
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE dispute SET reminders = reminders + 1 WHERE id = $1`, id); err != nil {
			return fmt.Errorf("count the reminders of dispute %s: %w", id, err)
		}
		result.Reminders++
		if d.State == incentive.DisputeWaiting {
			return tell(ctx, tx, d, "dispute-reminder", "remind/"+key, d.ParticipantID)
		}
		return tellHandler(ctx, tx, d, "dispute-reminder", "remind/"+key)
	})
	return result, err
}

// PromiseAnswer keeps, once, until when a dispute's participant is told to have an answer.
func (s *Store) PromiseAnswer(ctx context.Context, id string, by time.Time) error {
	if _, err := s.pool.Exec(ctx, `UPDATE dispute SET answer_by = $2 WHERE id = $1 AND answer_by IS NULL`, id, by); err != nil {
		return fmt.Errorf("promise an answer to dispute %s: %w", id, err)
	}
	return nil
}

// DisputeAct is one act that was done on a dispute, with its text.
type DisputeAct struct {
	Act   incentive.DisputeAct
	To    incentive.DisputeState
	Actor string
	Text  string // "" for none, or once erased
	At    time.Time
}

// DisputeActs returns what was done on a dispute, in order.
func (s *Store) DisputeActs(ctx context.Context, id string) ([]DisputeAct, error) {
	rows, err := s.pool.Query(ctx, `SELECT a.act, a.to_state, a.actor, coalesce(x.body, ''), a.acted_at FROM dispute_act a LEFT JOIN free_text x ON x.id = a.text_id WHERE a.dispute_id = $1 ORDER BY a.id`, id)
	if err != nil {
		return nil, fmt.Errorf("read the acts of dispute %s: %w", id, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DisputeAct])
}

// Evidence is a file that somebody added to a dispute, or to a deal that they entered.
type Evidence struct {
	ID        string // a UUID
	DisputeID string // "" where it is of a deal
	DealID    string // "" where it is of a dispute
	Name      string
	MediaType string
	Content   []byte // empty in a list
	SHA256    []byte
	Bytes     int
	AddedBy   string
	AddedAt   time.Time
}

// mostEvidence is how many files a dispute or a deal may have.
const mostEvidence = 20

// AddEvidence keeps a file with a dispute that has no outcome yet, or with a deal that waits,
// of whoever adds it. The same id again changes nothing.
func (s *Store) AddEvidence(ctx context.Context, e Evidence) (Evidence, error) {
	mediaType, err := incentive.EvidenceType(e.Name, e.Content)
	if err != nil {
		return e, err
	}
	digest := sha256.Sum256(e.Content)
	of, subject := e.DisputeID, disputeSubject(e.DisputeID)
	if e.DealID != "" {
		of, subject = e.DealID, dealSubject(e.DealID)
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := takesEvidence(ctx, tx, e); err != nil {
			return err
		}
		var there int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM evidence WHERE (dispute_id = $1 OR deal_id = $1) AND id <> $2`, of, e.ID).Scan(&there); err != nil {
			return err
		}
		if there >= mostEvidence {
			return incentive.Errorf(incentive.CodeConflict, "there are at most %d files", mostEvidence)
		}
		tag, err := tx.Exec(ctx, `INSERT INTO evidence (id, dispute_id, deal_id, name, media_type, content, sha256, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
			e.ID, orNull(e.DisputeID), orNull(e.DealID), e.Name, mediaType, e.Content, digest[:], e.AddedBy)
		if err != nil {
			return fmt.Errorf("keep evidence: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit(ctx, tx, e.AddedBy, "add-evidence", subject, struct {
			ID     string `json:"evidence"`
			SHA256 string `json:"sha256"`
		}{e.ID, fmt.Sprintf("%x", digest)})
	})
	if err != nil {
		return e, err
	}
	return s.Evidence(ctx, of, e.ID)
}

// takesEvidence holds what a file is added to, and refuses what takes none.
func takesEvidence(ctx context.Context, tx pgx.Tx, e Evidence) error {
	if e.DealID != "" {
		if err := lockDeal(ctx, tx, e.DealID); err != nil {
			return err
		}
		d, err := enteredDeal(ctx, tx, e.AddedBy, incentive.Own, e.DealID)
		if err == nil && d.State != DealWaiting {
			err = incentive.Errorf(incentive.CodeNotAllowedNow, "the deal is %s: it takes no more evidence", d.State)
		}
		return err
	}
	d, err := dispute(ctx, tx, e.DisputeID, " FOR UPDATE OF d")
	if err == nil && d.State.Ended() {
		err = incentive.Errorf(incentive.CodeNotAllowedNow, "the dispute is %s: it takes no more evidence", d.State)
	}
	return err
}

// evidenceColumns and ofEvidence are the SQL of files of $1, before and after their content.
const (
	evidenceColumns = `SELECT id::text, coalesce(dispute_id::text, ''), coalesce(deal_id::text, ''), name, media_type`
	ofEvidence      = `, sha256, length(content), added_by, added_at FROM evidence WHERE (dispute_id = $1::uuid OR deal_id = $1::uuid)`
)

// EvidenceOf lists the files of a dispute or a deal, without their content.
func (s *Store) EvidenceOf(ctx context.Context, of string) ([]Evidence, error) {
	rows, err := s.pool.Query(ctx, evidenceColumns+`, ''::bytea`+ofEvidence+` ORDER BY added_at, id`, of)
	if err != nil {
		return nil, fmt.Errorf("list the evidence of %s: %w", of, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Evidence])
}

// Evidence returns a file of a dispute or a deal, of code CodeNotFound where there is none.
func (s *Store) Evidence(ctx context.Context, of, id string) (Evidence, error) {
	rows, err := s.pool.Query(ctx, evidenceColumns+`, content`+ofEvidence+` AND id = id_of($2)`, of, id)
	if err != nil {
		return Evidence{}, fmt.Errorf("read evidence %s: %w", id, err)
	}
	e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Evidence])
	if errors.Is(err, pgx.ErrNoRows) {
		return e, incentive.Errorf(incentive.CodeNotFound, "there is no file %q there", id)
	}
	return e, err
}

package store

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/guerdon/guerdon/incentive"
)

// remindsOn reports whether a day is one on which people are reminded of what has waited since
// another: each so many business days.
func remindsOn(day, since incentive.Date, each int, holidays []incentive.Date) bool {
	for since.Before(day) {
		since = incentive.AddBusinessDays(since, each, holidays)
		if since == day {
			return true
		}
	}
	return false
}

// CodeReminded says that somebody was reminded of the same thing already today.
const CodeReminded incentive.Code = "reminded-today"

// Reminder is a person's word to another that an item of a period's checklist waits for
// them.
type Reminder struct {
	PeriodID string
	Revision int
	Item     string
	Party    string // a participant's id, or FinanceQueue
	Actor    string
	Key      string // with the same key somebody is reminded once
}

// Remind tells whoever an item waits for, with an approver their delegates, and returns
// how many people were told. Nobody is told of the same item twice a day, not even by the
// system.
func (s *Store) Remind(ctx context.Context, r Reminder) (told int, err error) {
	p, err := s.PeriodRevision(ctx, r.PeriodID, r.Revision)
	if err != nil {
		return 0, err
	}
	items, err := s.checklist(ctx, p, math.MaxInt)
	if err != nil {
		return 0, err
	}
	body := struct {
		Item  string `json:"item"`
		Party string `json:"party"`
		Key   string `json:"key"`
		Told  int    `json:"told"`
	}{Item: r.Item, Party: r.Party, Key: r.Key}
	subject := incentive.PeriodSubject(p.ID, p.Revision)
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('remind ' || $1))`, subject); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT (body::jsonb->>'told')::int FROM audit_event WHERE subject = $1 AND act = 'remind' AND body::jsonb->>'key' = $2`, subject, r.Key).Scan(&told)
		if err == nil {
			return nil
		}
		if err != pgx.ErrNoRows {
			return fmt.Errorf("look for a reminder: %w", err)
		}
		waits := slices.ContainsFunc(items, func(one ChecklistItem) bool {
			return one.Item == r.Item && slices.ContainsFunc(one.Waiting, func(party ChecklistParty) bool { return party.ID == r.Party })
		})
		if !waits {
			return incentive.Errorf(incentive.CodeNotAllowedNow, "nothing of %q waits for %s in %s now", r.Item, r.Party, p.ID)
		}
		if r.Item == ItemApprovals || r.Party == FinanceQueue {
			told, err = tellApprovers(ctx, tx, p, r.Item+"-reminder", r.Party)
		} else {
			var tag pgconn.CommandTag
			tag, err = tx.Exec(ctx, `INSERT INTO notification (recipient, kind, subject, key) VALUES ($1, $2::text, $3::text, concat_ws('/', $2, $3, company_today())) ON CONFLICT DO NOTHING`,
				r.Party, r.Item+"-reminder", subject)
			told = int(tag.RowsAffected())
		}
		if err != nil {
			return fmt.Errorf("remind %s: %w", r.Party, err)
		}
		if told == 0 {
			return incentive.Errorf(CodeReminded, "%s was reminded of it already today", r.Party)
		}
		body.Told = told
		return audit(ctx, tx, r.Actor, "remind", subject, body)
	})
	return told, err
}

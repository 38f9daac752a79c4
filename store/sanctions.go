package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
	"github.com/guerdon/guerdon/incentive/screening"
)

// SanctionsList is a version of a list of whom the company must not pay.
type SanctionsList struct {
	Name    string
	Version int
	Entries int
	SetBy   string
	SetAt   time.Time
}

var listName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// PutSanctionsList keeps a list as the next version of its name. Payouts that are planned and not
// sent yet, and that it concerns, are held.
func (s *Store) PutSanctionsList(ctx context.Context, actor, name, document string) (SanctionsList, error) {
	list := SanctionsList{Name: name, SetBy: actor}
	if !listName.MatchString(name) {
		return list, incentive.Errorf(incentive.CodeInvalid, "%q is no name of a list: write lower-case letters, digits and hyphens, such as un-consolidated", name)
	}
	entries, err := screening.ParseList([]byte(document))
	if err != nil {
		return list, err
	}
	list.Entries = len(entries)
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		if err := lockPayable(ctx, tx); err != nil { // payouts are planned by the list or before it
			return err
		}
		err := tx.QueryRow(ctx, `
			INSERT INTO sanctions_list (name, version, document, entries, set_by) SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4 FROM sanctions_list WHERE name = $1 RETURNING version, set_at`,
			name, document, list.Entries, actor).Scan(&list.Version, &list.SetAt)
		if err != nil {
			return fmt.Errorf("keep list %s: %w", name, err)
		}
		err = audit(ctx, tx, actor, "put-sanctions-list", "sanctions-list/"+name, struct {
			Version  int    `json:"version"`
			Document string `json:"document_digest"`
		}{list.Version, fmt.Sprintf("%x", sha256.Sum256([]byte(document)))})
		if err != nil {
			return err
		}
		return holdListed(ctx, tx)
	})
	return list, err
}

// SanctionsLists returns the latest version of every list.
func (s *Store) SanctionsLists(ctx context.Context) ([]SanctionsList, error) {
	all := []SanctionsList{}
	err := collect(ctx, s.pool, &all, `SELECT DISTINCT ON (name) name, version, entries, set_by, set_at FROM sanctions_list ORDER BY name, version DESC`, pgx.RowToStructByPos[SanctionsList])
	if err != nil {
		return nil, fmt.Errorf("read the sanctions lists: %w", err)
	}
	return all, nil
}

// screen is what names are compared with, and who was found not to be meant.
type screen struct {
	screening.Screen
	cleared map[[2]string][]string // entries, by participant and name
}

func readScreen(ctx context.Context, q querier) (s screen, err error) {
	var name, document string
	rows, err := q.Query(ctx, `SELECT DISTINCT ON (name) name, document FROM sanctions_list ORDER BY name, version DESC`)
	if err != nil {
		return s, fmt.Errorf("read the sanctions lists: %w", err)
	}
	_, err = pgx.ForEachRow(rows, []any{&name, &document}, func() error {
		entries, err := screening.ParseList([]byte(document))
		s.Add(name, entries)
		return err
	})
	if err != nil {
		return s, fmt.Errorf("read the sanctions lists: %w", err)
	}
	s.cleared = map[[2]string][]string{}
	var participant, entry string
	if rows, err = q.Query(ctx, `SELECT participant_id, name, entry FROM sanctions_clearance`); err == nil {
		_, err = pgx.ForEachRow(rows, []any{&participant, &name, &entry}, func() error {
			s.cleared[[2]string{participant, name}] = append(s.cleared[[2]string{participant, name}], entry)
			return nil
		})
	}
	if err != nil {
		return s, fmt.Errorf("read who is cleared: %w", err)
	}
	return s, nil
}

// concern returns the entries that somebody may be and was not found not to be.
func (s screen) concern(participant, name string) []string {
	cleared := s.cleared[[2]string{participant, name}]
	return slices.DeleteFunc(s.Hits(name), func(entry string) bool { return slices.Contains(cleared, entry) })
}

// holdListed holds what is planned for those whom the lists concern, released or not. What may have
// been sent, or is in a payment file, is not.
func holdListed(ctx context.Context, tx pgx.Tx) error {
	s, err := readScreen(ctx, tx)
	if err != nil {
		return err
	}
	type onList struct {
		period               string
		revision, supplement int
	}
	type planned struct {
		onList
		payout, participant, name string
		released                  bool
	}
	var all []planned
	err = collect(ctx, tx, &all, `
		SELECT o.period_id, o.revision, o.supplement, o.id::text, o.participant_id, coalesce(f.name, ''), l.released_by IS NOT NULL FROM payout o JOIN payout_list l USING (period_id, revision, supplement)
			LEFT JOIN `+factToday("o")+`
		WHERE o.state = 'planned' ORDER BY o.period_id, o.revision, o.supplement, o.id FOR UPDATE OF l`,
		func(row pgx.CollectableRow) (p planned, err error) {
			err = row.Scan(&p.period, &p.revision, &p.supplement, &p.payout, &p.participant, &p.name, &p.released)
			return p, err
		})
	if err != nil {
		return fmt.Errorf("read what is planned: %w", err)
	}
	var signs []onList
	for _, p := range all {
		hits := s.concern(p.participant, p.name)
		if len(hits) == 0 {
			continue
		}
		if _, _, _, err := lockPayout(ctx, tx, p.payout); err != nil { // whoever sends it has noted so, or finds it held
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE payout SET state = 'held', reason = $2, listed_as = $3, lifted_by = NULL, lifted_reason_id = NULL WHERE id = $1 AND state = 'planned'
				AND `+noLiveAttempt("$1"), p.payout, policy.Listed, hits)
		if err != nil {
			return fmt.Errorf("hold payout %s: %w", p.payout, err)
		}
		if !p.released && !slices.Contains(signs, p.onList) {
			signs = append(signs, p.onList)
		}
	}
	for _, l := range signs {
		if _, _, err := signList(ctx, tx, l.period, l.revision, l.supplement); err != nil {
			return err
		}
	}
	return nil
}

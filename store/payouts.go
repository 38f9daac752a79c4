package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/policy"
)

// BatchSize is how many payouts one batch of a disbursement holds at most.
const BatchSize = 500

// Codes of why a payout waits for a person, and of refusals about payouts.
const (
	CodeNoDestination incentive.Code = "no-destination" // the participant has not said where to pay
	CodeFileUnknown   incentive.Code = "file-unknown"   // there is no such payment file
	// CodeNotFoundAtRail is of a payout that was sent so long ago that its key cannot be used
	// again, and that the rail knows nothing of: a person, who can ask the rail, decides.
	CodeNotFoundAtRail incentive.Code = "not-found-at-rail"
)

// payableLock is held by whoever reads what participants are owed in order to act on it,
// so that two approvals at once do not pay the same balance twice.
const payableLock = 0x67756572_03

func lockPayable(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, payableLock); err != nil {
		return fmt.Errorf("wait for other approvals to end: %w", err)
	}
	return nil
}

// ApprovePeriod moves a period whose every statement is approved on: what is owed is
// posted and the payouts are planned, all in one transaction.
func (s *Store) ApprovePeriod(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, func(tx pgx.Tx, p *PeriodRevision) error {
		if err := lockPayable(ctx, tx); err != nil {
			return err
		}
		left, err := notApproved(ctx, tx, *p)
		if err != nil {
			return err
		}
		if left > 0 {
			return incentive.Errorf(incentive.CodeConflict, "%d statements are not approved", left)
		}
		var times int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM period_act WHERE period_id = $1 AND revision = $2 AND act = $3`, p.ID, p.Revision, incentive.ApproveLast).Scan(&times); err != nil {
			return err
		}
		if err := refuseOverChanged(ctx, tx, *p); err != nil {
			return err
		}
		key := fmt.Sprintf("approve/%s/%d/%d", p.ID, p.Revision, times)
		if err := postLines(ctx, tx, *p, key); err != nil {
			return err
		}
		if err := hold(ctx, tx, *p, key); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO payout_list (period_id, revision, digest) VALUES ($1, $2, '')`, p.ID, p.Revision); err != nil {
			return fmt.Errorf("start the payout list of %s: %w", p.ID, err)
		}
		return planPayouts(ctx, tx, *p, 0, nil)
	})
}

// planPayouts makes payouts of what each participant is owed, all of them or some, on a
// payout list, one for each of their payout methods that count: their payable balance in a currency less what their other
// payouts that are still to be sent will pay of it, for whoever has been owed anything by
// the period's calendar. Where nothing is left, or less, nothing is paid, and the balance
// carries forward. The caller holds payableLock.
func planPayouts(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, some []string) error {
	goesBy, err := policyOf(ctx, tx, p.CalendarID)
	if err != nil {
		return err
	}
	zone, counts, err := countsFrom(ctx, tx, p.CalendarID, goesBy.Payouts.ChangeWaitsDays)
	if err != nil {
		return err
	}
	if err := withhold(ctx, tx, p, supplement, some, goesBy.Payouts); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		WITH owed AS (
			SELECT a.participant_id, a.currency, -sum(t.amount_minor) AS minor, -coalesce(sum(t.amount_minor) FILTER (WHERE e.period_id = $1 AND e.revision = $2 AND NOT e.kind = ANY($8)), 0) AS earned
			FROM ledger_account a JOIN posting t ON t.account_id = a.id JOIN journal_entry e ON e.id = t.entry_id JOIN pay_period period ON period.id = e.period_id
			WHERE a.kind = $3 AND ($4::text[] IS NULL OR a.participant_id = ANY($4))
			GROUP BY a.participant_id, a.currency HAVING bool_or(period.calendar_id = $5)),
		claimed AS (
			SELECT participant_id, currency, sum(amount_minor) AS minor FROM payout WHERE state NOT IN ('submitted', 'paid', 'cancelled') GROUP BY participant_id, currency),
		listed AS ( -- what other lists of the period pay of what was earned in it
			SELECT participant_id, currency, sum(amount_minor - carried_minor) AS minor FROM payout WHERE period_id = $1 AND revision = $2 AND state <> 'cancelled' GROUP BY participant_id, currency),
		kept AS (
			SELECT participant_id, currency, sum(amount_minor)::bigint AS minor FROM withholding WHERE period_id = $1 AND revision = $2 AND supplement = $9 GROUP BY participant_id, currency)
		SELECT owed.participant_id, owed.currency, (owed.minor - coalesce(claimed.minor, 0))::bigint, (owed.minor - coalesce(claimed.minor, 0) - owed.earned + coalesce(listed.minor, 0))::bigint, coalesce(kept.minor, 0),
			coalesce(f.kind, ''), coalesce(f.country, ''), coalesce(d.ids, '{}'), coalesce(d.rails, '{}'), coalesce(d.shares, '{}')
		FROM owed LEFT JOIN claimed USING (participant_id, currency) LEFT JOIN listed USING (participant_id, currency) LEFT JOIN kept USING (participant_id, currency)
			LEFT JOIN `+factToday("owed")+`
			LEFT JOIN LATERAL (
				SELECT array_agg(id ORDER BY position) AS ids, array_agg(rail ORDER BY position) AS rails, array_agg(share ORDER BY position) AS shares FROM destination d WHERE d.participant_id = owed.participant_id AND d.version = (
					SELECT max(version) FROM destination c WHERE c.participant_id = owed.participant_id AND (c.version = 1 OR (c.set_at AT TIME ZONE $6)::date <= $7))) d ON true
		WHERE owed.minor > coalesce(claimed.minor, 0) ORDER BY owed.participant_id COLLATE "C", owed.currency`, p.ID, p.Revision, Payable, some, p.CalendarID, zone, counts, movements, supplement)
	if err != nil {
		return fmt.Errorf("read what is owed by %s: %w", p.ID, err)
	}
	planned, err := pgx.CollectRows(rows, pgx.RowToStructByPos[owing])
	if err != nil {
		return fmt.Errorf("read what is owed by %s: %w", p.ID, err)
	}
	if err := keepPlanned(ctx, tx, p, supplement, planned, goesBy.Payouts); err != nil {
		return err
	}
	if err := keepBack(ctx, tx, p, supplement, some, goesBy.Payouts); err != nil {
		return err
	}
	digest, payouts, err := signList(ctx, tx, p.ID, p.Revision, supplement)
	if err != nil {
		return err
	}
	return audit(ctx, tx, System, "plan-payouts", incentive.PeriodSubject(p.ID, p.Revision), struct {
		Digest     string `json:"payout_list_digest"`
		Payouts    int    `json:"payouts"`
		Supplement int    `json:"supplement,omitempty"`
	}{fmt.Sprintf("%x", digest), payouts, supplement})
}

// owing is what is owed to a participant in a currency, and where they want it.
type owing struct {
	Participant              string
	Currency                 incentive.Currency
	Minor, Carried, Withheld int64
	Kind                     incentive.ParticipantKind
	Country                  string
	Destinations             []int64
	Rails                    []string
	Shares                   []decimal.Decimal
}

// keepPlanned makes the payouts of what is owed.
func keepPlanned(ctx context.Context, tx pgx.Tx, p PeriodRevision, supplement int, planned []owing, rules policy.Payouts) error {
	var participants, currencies, rails []string
	var amounts, carried, withheld []int64
	var methods []int32
	var destinations []*int64
	for _, o := range planned {
		ways, to := make([]policy.Method, len(o.Rails)), make([]*int64, len(o.Rails))
		for i := range o.Rails {
			ways[i], to[i] = policy.Method{Rail: o.Rails[i], Share: o.Shares[i]}, &o.Destinations[i]
		}
		if len(ways) == 0 {
			ways, to = []policy.Method{{Share: decimal.NewFromInt(1)}}, []*int64{nil}
		}
		parts := rules.Split(incentive.Money{Minor: o.Minor, Currency: o.Currency}, o.Kind, o.Country, ways)
		ofCarried, ofWithheld := inProportion(o.Carried, o.Currency, parts, o.Minor), inProportion(o.Withheld, o.Currency, parts, o.Minor)
		for i, part := range parts {
			if part == 0 {
				continue
			}
			participants, currencies, rails = append(participants, o.Participant), append(currencies, string(o.Currency)), append(rails, ways[i].Rail)
			amounts, carried, withheld = append(amounts, part), append(carried, ofCarried[i].Minor), append(withheld, ofWithheld[i].Minor)
			methods, destinations = append(methods, int32(i+1)), append(destinations, to[i])
		}
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO payout (period_id, revision, supplement, participant_id, currency, rail, amount_minor, carried_minor, withheld_minor, method, destination_id, state, reason)
		SELECT $1, $2, $3, participant_id, currency, rail, amount, carried, withheld, method, destination, CASE WHEN destination IS NULL THEN 'held' ELSE 'planned' END, CASE WHEN destination IS NULL THEN $12 ELSE '' END
		FROM unnest($4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::integer[], $11::bigint[]) planned (participant_id, currency, rail, amount, carried, withheld, method, destination)`,
		p.ID, p.Revision, supplement, participants, currencies, rails, amounts, carried, withheld, methods, destinations, CodeNoDestination)
	if err != nil {
		return fmt.Errorf("plan the payouts of %s: %w", p.ID, err)
	}
	return nil
}

// inProportion shares a sum as an amount is shared between parts.
func inProportion(minor int64, currency incentive.Currency, parts []int64, amount int64) []incentive.Money {
	sum := incentive.Money{Minor: minor, Currency: currency}
	exact := make([]decimal.Decimal, len(parts))
	for i, part := range parts {
		exact[i] = incentive.Ratio{Numerator: decimal.NewFromInt(part), Denominator: decimal.NewFromInt(amount)}.Of(sum.Decimal())
	}
	return incentive.Share(sum, exact)
}

// signList keeps the digest of a payout list as it is now.
func signList(ctx context.Context, tx pgx.Tx, periodID string, revision, supplement int) (digest []byte, payouts int, err error) {
	if digest, payouts, err = payoutListDigest(ctx, tx, periodID, revision, supplement); err != nil {
		return nil, 0, err
	}
	if _, err := tx.Exec(ctx, `UPDATE payout_list SET digest = $4 WHERE period_id = $1 AND revision = $2 AND supplement = $3`, periodID, revision, supplement, digest); err != nil {
		return nil, 0, fmt.Errorf("sign the payout list of %s: %w", periodID, err)
	}
	return digest, payouts, nil
}

// payoutListDigest covers what a release signs: who gets how much, where, by which rail, and
// who of them is not paid by it.
func payoutListDigest(ctx context.Context, q querier, periodID string, revision, supplement int) (digest []byte, payouts int, err error) {
	rows, err := q.Query(ctx, `
		SELECT id::text, participant_id, amount_minor, currency, rail, coalesce(destination_id, 0), state = 'planned' FROM payout
		WHERE period_id = $1 AND revision = $2 AND supplement = $3 ORDER BY id`, periodID, revision, supplement)
	if err != nil {
		return nil, 0, fmt.Errorf("read the payout list of %s: %w", periodID, err)
	}
	h := sha256.New()
	h.Write([]byte("guerdon payout list 2\n"))
	var id, participant, currency, rail string
	var minor, destination int64
	var paid bool
	_, err = pgx.ForEachRow(rows, []any{&id, &participant, &minor, &currency, &rail, &destination, &paid}, func() error {
		payouts++
		return json.NewEncoder(h).Encode([]any{id, participant, minor, currency, rail, destination, paid})
	})
	return h.Sum(nil), payouts, err
}

// PayoutList is what a release signs.
type PayoutList struct {
	Supplement int // 0 for the first list of the period, and one more for each that supplements it
	Digest     []byte
	ReleasedBy string
	ReleasedAt *time.Time
	Totals     []PayoutTotal
}

// PayoutTotal is the sum of payouts of one rail, currency and state.
type PayoutTotal struct {
	Rail     string
	Currency incentive.Currency
	State    string
	Payouts  int
	Minor    int64
}

// PayoutList returns the latest payout list of a revision. It is of code CodeNotFound
// before the period is approved.
func (s *Store) PayoutList(ctx context.Context, periodID string, revision int) (PayoutList, error) {
	var list PayoutList
	err := s.pool.QueryRow(ctx, `SELECT supplement, digest, coalesce(released_by, ''), released_at FROM payout_list WHERE period_id = $1 AND revision = $2 ORDER BY supplement DESC LIMIT 1`, periodID, revision).
		Scan(&list.Supplement, &list.Digest, &list.ReleasedBy, &list.ReleasedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return list, incentive.Errorf(incentive.CodeNotFound, "period %q has no payouts yet: they are planned when its last statement is approved", periodID)
	}
	if err != nil {
		return list, fmt.Errorf("read the payout list of %s: %w", periodID, err)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT rail, currency, state, count(*)::int, sum(amount_minor)::bigint FROM payout
		WHERE period_id = $1 AND revision = $2 AND supplement = $3 GROUP BY rail, currency, state ORDER BY rail, currency, state`, periodID, revision, list.Supplement)
	if err != nil {
		return list, fmt.Errorf("sum the payouts of %s: %w", periodID, err)
	}
	list.Totals, err = pgx.CollectRows(rows, pgx.RowToStructByPos[PayoutTotal])
	return list, err
}

// Release lets a second person send the payout list on its way that is not released: the
// digest must be the list's, and the releaser nobody who prepared the period or approved
// for finance.
func (s *Store) Release(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct {
		Digest string `json:"payout_list_digest"`
	}{fmt.Sprintf("%x", c.PayoutListDigest)}, func(tx pgx.Tx, p *PeriodRevision) error {
		supplement, waits, err := listToRelease(ctx, tx, *p)
		if err != nil {
			return err
		}
		if !waits {
			return incentive.Errorf(incentive.CodeNotAllowedNow, "the period is released, and no supplementary payout waits to be")
		}
		if err := refusePreparer(ctx, tx, p.ID, p.Revision, c.Actor, "release"); err != nil {
			return err
		}
		var approved bool
		if err := tx.QueryRow(ctx, `SELECT approved_for_finance($1, $2, $3)`, p.ID, p.Revision, c.Actor).Scan(&approved); err != nil {
			return fmt.Errorf("look for the approvers of %s: %w", p.ID, err)
		}
		if approved {
			return incentive.Errorf(CodeApprover, "you approved for finance what this period pays, so somebody else must release it; the calendar's policy may allow it (release: by_approver)")
		}
		if err := refuseLargeList(ctx, tx, *p, supplement); err != nil {
			return err
		}
		digest, _, err := payoutListDigest(ctx, tx, p.ID, p.Revision, supplement)
		if err != nil {
			return err
		}
		if !bytes.Equal(digest, c.PayoutListDigest) {
			return incentive.Errorf(CodeChangedMeantime, "the payout list is not the one you looked at: look at it again and release it by its digest %x", digest)
		}
		if _, err := tx.Exec(ctx, `UPDATE payout_list SET released_by = $4, released_at = now() WHERE period_id = $1 AND revision = $2 AND supplement = $3`, p.ID, p.Revision, supplement, c.Actor); err != nil {
			return fmt.Errorf("release %s: %w", p.ID, err)
		}
		_, err = tx.Exec(ctx, `
			UPDATE payout SET batch = numbered.batch FROM (
				SELECT id, (row_number() OVER (PARTITION BY rail ORDER BY id) - 1) / $4 + 1 + (
					SELECT max(earlier.batch) FROM payout earlier WHERE earlier.period_id = $1 AND earlier.revision = $2 AND earlier.rail = planned.rail) AS batch
				FROM payout planned WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND state = 'planned') numbered
			WHERE payout.id = numbered.id`, p.ID, p.Revision, supplement, BatchSize)
		if err != nil {
			return fmt.Errorf("cut %s into batches: %w", p.ID, err)
		}
		return nil
	})
}

// listToRelease names the payout list of a revision that is not released yet, if there is one.
func listToRelease(ctx context.Context, q querier, p PeriodRevision) (supplement int, waits bool, err error) {
	err = q.QueryRow(ctx, `SELECT supplement FROM payout_list WHERE period_id = $1 AND revision = $2 AND released_by IS NULL`, p.ID, p.Revision).Scan(&supplement)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look what of %s is to be released: %w", p.ID, err)
	}
	return supplement, true, nil
}

// RailBatches is how many batches a revision has on a rail.
type RailBatches struct {
	Rail    string
	Batches int
}

// Batches lists the rails of a released revision with their number of batches.
func (s *Store) Batches(ctx context.Context, periodID string, revision int) ([]RailBatches, error) {
	rows, err := s.pool.Query(ctx, `SELECT rail, max(batch) FROM payout WHERE period_id = $1 AND revision = $2 AND batch > 0 GROUP BY rail ORDER BY rail`, periodID, revision)
	if err != nil {
		return nil, fmt.Errorf("list the batches of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[RailBatches])
}

// OpenBatches lists the batches of a rail with a payout that is still to be sent.
func (s *Store) OpenBatches(ctx context.Context, periodID string, revision int, rail string) ([]int, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT batch FROM payout WHERE period_id = $1 AND revision = $2 AND rail = $3 AND batch > 0 AND state = 'planned' ORDER BY batch`,
		periodID, revision, rail)
	if err != nil {
		return nil, fmt.Errorf("list the open batches of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// OpenOnRail counts the payouts of a rail that are neither paid nor cancelled.
func (s *Store) OpenOnRail(ctx context.Context, periodID string, revision int, rail string) (open int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*)::int FROM payout WHERE period_id = $1 AND revision = $2 AND rail = $3 AND batch > 0 AND state NOT IN ('paid', 'cancelled')`,
		periodID, revision, rail).Scan(&open)
	if err != nil {
		err = fmt.Errorf("count the open payouts of %s: %w", periodID, err)
	}
	return open, err
}

// PayoutsToSend lists the payouts of a batch that are not yet with the rail.
func (s *Store) PayoutsToSend(ctx context.Context, periodID string, revision int, rail string, batch int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text FROM payout WHERE period_id = $1 AND revision = $2 AND rail = $3 AND batch = $4 AND state = 'planned' ORDER BY id`,
		periodID, revision, rail, batch)
	if err != nil {
		return nil, fmt.Errorf("list the payouts of batch %d: %w", batch, err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Payout is one payment to one participant.
type Payout struct {
	ID            string
	PeriodID      string
	Revision      int
	ParticipantID string
	Name          string
	Amount        incentive.Money
	Withheld      incentive.Money // what was kept as tax when it was planned, which is not in Amount
	Carried       incentive.Money // the part of Amount that earlier periods left; negative where they were overpaid
	Rail          string
	DestinationID int64
	Masked        string // the destination, as far as it may be shown
	State         string
	Reason        string
	Batch         int
	TimesBack     int // how often what the rail had taken came back
	Supplement    int // the payout list that it is on: 0 for the first of the period
	// Where somebody has asked for it to go instead, which waits for somebody else; "" where
	// nobody has.
	ToRail, ToMasked, ToBy string
	Newer                  Destination // of one that waits for a person: where the participant wants to be paid now; none where a failed one goes there
	Released               bool        // its list is
	ListedAs               []string    // entries of sanctions lists that the participant may be, as <list>/<id>
	LiftedBy               string      // who let it go before, where a limit held it
	SharedWith             []string    // participants who are paid to the same account

	Recalled incentive.Money // what the rail has given back in part; it is owed again
	Recall   Recalled        // the last one
	Proposal Proposal
}

// Recalled is how the last recall of a payout stands; of state "" where there was none.
type Recalled struct {
	Amount incentive.Money
	State  RecallState
	Code   string // of why it was refused or is unclear
}

const payoutColumns = `
	SELECT o.id::text, o.period_id, o.revision, o.participant_id, ` + `coalesce((SELECT f.name FROM participant_fact f WHERE f.participant_id = o.participant_id ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), ''),
		o.amount_minor, o.carried_minor, o.currency, o.withheld_minor, o.rail, coalesce(o.destination_id, 0), coalesce(d.masked, ''), o.state, o.reason, o.batch, o.times_back, o.supplement,
		coalesce(nd.rail, ''), coalesce(nd.masked, ''), coalesce(r.proposed_by, ''), coalesce(newer.id, 0), coalesce(newer.version, 0), coalesce(newer.rail, ''), coalesce(newer.masked, ''), (SELECT l.released_by IS NOT NULL FROM payout_list l WHERE l.period_id = o.period_id AND l.revision = o.revision AND l.supplement = o.supplement), o.listed_as, coalesce(o.lifted_by, ''), o.shared_with,
		(SELECT coalesce(sum(rc.amount_minor), 0)::bigint FROM payout_recall rc WHERE rc.payout_id = o.id AND rc.in_part AND rc.times_back = o.times_back), coalesce(rl.amount_minor, 0), coalesce(rl.state, ''), coalesce(rl.code, ''),
		coalesce(pp.act, ''), coalesce(pp.proposed_by, ''), coalesce(pp.amount_minor, 0)
	FROM payout o LEFT JOIN destination d ON d.id = o.destination_id
		LEFT JOIN LATERAL (SELECT amount_minor, state, code FROM payout_recall l JOIN proposal_decision ld ON ld.proposal_id = l.id WHERE l.payout_id = o.id ORDER BY ld.decided_at DESC LIMIT 1) rl ON true
		LEFT JOIN payout_proposal pp ON pp.payout_id = o.id AND ` + undecidedProposal + `
		LEFT JOIN payout_redirection r ON r.payout_id = o.id AND ` + undecided + ` LEFT JOIN destination nd ON nd.id = r.destination_id
		LEFT JOIN LATERAL (SELECT id, version, rail, masked FROM destination l WHERE l.participant_id = o.participant_id ORDER BY version DESC, position LIMIT 1) newer
			ON o.state IN ('held', 'failed', 'returned') AND (newer.id IS DISTINCT FROM o.destination_id OR o.state = 'held')`

func scanPayout(row pgx.CollectableRow) (o Payout, err error) {
	err = row.Scan(&o.ID, &o.PeriodID, &o.Revision, &o.ParticipantID, &o.Name, &o.Amount.Minor, &o.Carried.Minor, &o.Amount.Currency, &o.Withheld.Minor, &o.Rail, &o.DestinationID, &o.Masked, &o.State, &o.Reason, &o.Batch, &o.TimesBack, &o.Supplement, &o.ToRail, &o.ToMasked, &o.ToBy, &o.Newer.ID, &o.Newer.Version, &o.Newer.Rail, &o.Newer.Masked, &o.Released, &o.ListedAs, &o.LiftedBy, &o.SharedWith,
		&o.Recalled.Minor, &o.Recall.Amount.Minor, &o.Recall.State, &o.Recall.Code, &o.Proposal.Act, &o.Proposal.By, &o.Proposal.Amount.Minor)
	o.Carried.Currency, o.Withheld.Currency = o.Amount.Currency, o.Amount.Currency
	o.Recalled.Currency, o.Recall.Amount.Currency, o.Proposal.Amount.Currency = o.Amount.Currency, o.Amount.Currency, o.Amount.Currency
	return o, err
}

// WhichPayouts says which payouts of a revision are listed.
type WhichPayouts struct {
	PeriodID string
	Revision int
	Visible  []string // participants; nil for everybody
	Person   string   // "" for any
	State    string   // "" for any
	Rail     string   // "" for any
	Listing
}

// payoutOrders are how payouts can be sorted: by attention, those that need a person come
// first.
var payoutOrders = orders{"name": {"lower(" + nameNow("o.participant_id") + ")"}, "amount": {"o.currency", "o.amount_minor"}, "rail": {"o.rail"}, "state": {"o.state"}, "period": {"o.period_id"},
	"attention": {"o.state NOT IN ('failed', 'held', 'returned')"}}

// Payouts returns up to limit payouts of a revision after a payout id: of everybody, or
// (visible not nil) of some participants.
func (s *Store) Payouts(ctx context.Context, periodID string, revision int, visible []string, after string, limit int) ([]Payout, error) {
	return s.FindPayouts(ctx, WhichPayouts{PeriodID: periodID, Revision: revision, Visible: visible}, after, limit)
}

// FindPayouts returns up to limit payouts after a payout id.
func (s *Store) FindPayouts(ctx context.Context, of WhichPayouts, after string, limit int) ([]Payout, error) {
	goesOn, order, err := payoutOrders.seek(of.Listing, nil, []string{"o.id"}, lastPayout(after))
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, payoutColumns+`
		WHERE o.period_id = @period AND o.revision = @revision AND (@visible::text[] IS NULL OR o.participant_id = ANY(@visible)) AND (@person = '' OR o.participant_id = @person) AND @state IN ('', o.state) AND @rail IN ('', o.rail)
			AND `+found("o.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`,
		pgx.NamedArgs{"person": of.Person, "period": of.PeriodID, "revision": of.Revision, "visible": of.Visible, "state": of.State, "rail": of.Rail, "search": anywhere(of.Search), "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the payouts of %s: %w", of.PeriodID, err)
	}
	return pgx.CollectRows(rows, scanPayout)
}

// lastPayout is where a list of payouts goes on after @after.
func lastPayout(after string) string {
	if after == "" {
		return ""
	}
	return `FROM payout o WHERE o.id = @after::uuid`
}

// PlannedPayouts returns every payout of a released revision on a rail that is not yet
// with the rail, in the order of their ids: what a payment file is built from.
func (s *Store) PlannedPayouts(ctx context.Context, periodID string, revision int, rail string) ([]Payout, error) {
	rows, err := s.pool.Query(ctx, payoutColumns+` WHERE o.period_id = $1 AND o.revision = $2 AND o.rail = $3 AND o.batch > 0 AND o.state = 'planned' ORDER BY o.id`, periodID, revision, rail)
	if err != nil {
		return nil, fmt.Errorf("list the planned payouts of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, scanPayout)
}

// UnreleasedPayouts returns what the release of a revision's payout list would pay, by rail,
// currency and payout: of all rails and currencies, or (not "") of one.
func (s *Store) UnreleasedPayouts(ctx context.Context, periodID string, revision int, rail, currency string) ([]Payout, error) {
	rows, err := s.pool.Query(ctx, payoutColumns+` JOIN payout_list l ON (l.period_id, l.revision, l.supplement) = (o.period_id, o.revision, o.supplement)
		WHERE o.period_id = $1 AND o.revision = $2 AND o.state = 'planned' AND l.released_by IS NULL AND $3 IN ('', o.rail) AND $4 IN ('', o.currency)
		ORDER BY o.rail, o.currency, o.id`, periodID, revision, rail, currency)
	if err != nil {
		return nil, fmt.Errorf("list what a release of %s would pay: %w", periodID, err)
	}
	return pgx.CollectRows(rows, scanPayout)
}

// AttemptState is where one attempt to make a payout stands.
type AttemptState string

// The states of an attempt.
const (
	Intended  AttemptState = "intended"  // in a payment file that nobody has taken to the bank
	Sent      AttemptState = "sent"      // the call is about to be made, or was
	Confirmed AttemptState = "confirmed" // the rail has it
	Rejected  AttemptState = "rejected"  // the rail says that it did not and will not pay
	Unknown   AttemptState = "unknown"   // the answer was lost: to be looked up

	ReturnedAttempt AttemptState = "returned" // the rail had paid, and it came back
)

// Attempt is one attempt to make a payout.
type Attempt struct {
	PayoutID   string
	Number     int
	Key        string // a UUID: idempotency key and reference at the rail
	State      AttemptState
	RailID     string
	SentAt     *time.Time
	IntendedAt time.Time
}

// PaymentOrder is what of a payout its sending and its settlement go by.
type PaymentOrder struct {
	ID            string
	PeriodID      string
	Revision      int
	ParticipantID string
	Amount        incentive.Money
	Rail          string
	DestinationID int64 // 0 where there is none yet
	State         string
	TimesBack     int // how often what the rail had taken came back
}

const orderColumns = `o.id::text, o.period_id, o.revision, o.participant_id, o.amount_minor, o.currency, o.rail, coalesce(o.destination_id, 0), o.state, o.times_back`

func (o *PaymentOrder) columns() []any {
	return []any{&o.ID, &o.PeriodID, &o.Revision, &o.ParticipantID, &o.Amount.Minor, &o.Amount.Currency, &o.Rail, &o.DestinationID, &o.State, &o.TimesBack}
}

// lockOrders locks and returns the payouts o that where, which may begin with a join, selects.
func lockOrders(ctx context.Context, tx pgx.Tx, where string, arguments ...any) ([]PaymentOrder, error) {
	rows, err := tx.Query(ctx, `SELECT `+orderColumns+` FROM payout o `+where+` ORDER BY o.id FOR UPDATE OF o`, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o PaymentOrder, err error) { return o, row.Scan(o.columns()...) })
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	return orders, nil
}

// BegunAttempt is an attempt of which the call can be made.
type BegunAttempt struct {
	Attempt
	New   bool // it has just been written down: nothing can have been sent
	Order PaymentOrder
	To    Destination
}

// BeginAttempt returns the payout's live attempt, writing a new one down when there is
// none: before the call, so that whatever is killed, what may have been sent is known.
// The attempt's number and key come from here alone, so that however often Temporal
// runs an activity again, the key stays the same. A payout that is not planned any more
// has no attempt to make: live is false. While the period is on hold it refuses with
// incentive.CodeOnHold, while the rail is stopped with CodeRailStopped, and while sending is locked
// with CodeSendingLocked.
func (s *Store) BeginAttempt(ctx context.Context, payoutID string) (begun BegunAttempt, live bool, err error) {
	o := &begun.Order
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var onHold, locked bool
		err := tx.QueryRow(ctx, `
			SELECT r.on_hold, sending_locked(), `+orderColumns+` FROM payout o JOIN period_revision r USING (period_id, revision) WHERE o.id = $1 FOR SHARE OF r FOR UPDATE OF o`, payoutID).
			Scan(append([]any{&onHold, &locked}, o.columns()...)...)
		if err != nil {
			return fmt.Errorf("read payout %s: %w", payoutID, err)
		}
		if onHold {
			return errOnHold
		}
		if locked {
			return errSendingLocked
		}
		if live = o.State == "planned"; !live {
			return nil
		}
		if err := refuseStopped(ctx, tx, o.PeriodID, o.Revision, o.Rail); err != nil {
			return err
		}
		if begun.To, err = s.destination(ctx, tx, o.DestinationID); err != nil {
			return err
		}
		if held, err := holdNotReady(ctx, tx, payoutID, begun.To); err != nil || held {
			live = false
			return err
		}
		rows, err := tx.Query(ctx, `
			INSERT INTO payout_attempt (payout_id, number, state, sent_at)
			SELECT $1, coalesce(max(number), 0) + 1, 'sent', now() FROM payout_attempt WHERE payout_id = $1
			ON CONFLICT (payout_id) WHERE state NOT IN ('rejected', 'returned') DO UPDATE SET state = 'sent', sent_at = now() WHERE payout_attempt.state = 'intended'
			RETURNING `+attemptColumns, payoutID)
		if err != nil {
			return fmt.Errorf("write down an attempt of payout %s: %w", payoutID, err)
		}
		begun.Attempt, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
		begun.New = err == nil
		if errors.Is(err, pgx.ErrNoRows) {
			begun.Attempt, err = liveAttempt(ctx, tx, payoutID)
		}
		return err
	})
	return begun, live, err
}

var errOnHold = incentive.Errorf(incentive.CodeOnHold, "the period is on hold: resume it first")

// refuseOnHold lets nothing new be submitted while a period is on hold. Whoever puts it
// on hold waits for the transactions that were let through.
func refuseOnHold(ctx context.Context, tx pgx.Tx, periodID string, revision int) error {
	var onHold bool
	if err := tx.QueryRow(ctx, `SELECT on_hold FROM period_revision WHERE period_id = $1 AND revision = $2 FOR SHARE`, periodID, revision).Scan(&onHold); err != nil {
		return fmt.Errorf("look whether %s is on hold: %w", periodID, err)
	}
	if onHold {
		return errOnHold
	}
	return nil
}

const attemptColumns = `payout_id::text, number, key::text, state, rail_id, sent_at, intended_at`

func liveAttempt(ctx context.Context, q querier, payoutID string) (Attempt, error) {
	rows, err := q.Query(ctx, `SELECT `+attemptColumns+` FROM payout_attempt WHERE payout_id = $1 AND state NOT IN ('rejected', 'returned')`, payoutID)
	if err != nil {
		return Attempt{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
}

func lastAttempt(ctx context.Context, q querier, payoutID string) (Attempt, error) {
	rows, err := q.Query(ctx, `SELECT `+attemptColumns+` FROM payout_attempt WHERE payout_id = $1 ORDER BY number DESC LIMIT 1`, payoutID)
	if err != nil {
		return Attempt{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Attempt])
}

// SendAgain notes, before the call, that an attempt is about to be sent again. The time of the first
// call stays: it is the age of the rail's idempotency key. An attempt whose end is known
// meanwhile is not sent again.
func (s *Store) SendAgain(ctx context.Context, a Attempt) error {
	tag, err := s.pool.Exec(ctx, `UPDATE payout_attempt SET state = 'sent' WHERE payout_id = $1 AND number = $2 AND state IN ('sent', 'unknown')`, a.PayoutID, a.Number)
	if err != nil {
		return fmt.Errorf("send payout %s again: %w", a.PayoutID, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("send payout %s again: its attempt has gone on meanwhile", a.PayoutID)
	}
	return nil
}

// MarkUnknown notes that the answer to a call was lost.
func (s *Store) MarkUnknown(ctx context.Context, a Attempt) error {
	_, err := s.pool.Exec(ctx, `UPDATE payout_attempt SET state = 'unknown' WHERE payout_id = $1 AND number = $2 AND state = 'sent'`, a.PayoutID, a.Number)
	if err != nil {
		return fmt.Errorf("mark payout %s as unknown: %w", a.PayoutID, err)
	}
	return nil
}

// Confirm notes that the rail has the payout, and with paid that the money is there,
// with the postings of both. Doing it again changes nothing.
func (s *Store) Confirm(ctx context.Context, a Attempt, railID string, paid bool) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE payout_attempt SET state = 'confirmed', rail_id = $3, sent_at = coalesce(sent_at, now()), finished_at = now()
			WHERE payout_id = $1 AND number = $2 AND state IN ('intended', 'sent', 'unknown')`, a.PayoutID, a.Number, railID)
		if err != nil {
			return fmt.Errorf("confirm payout %s: %w", a.PayoutID, err)
		}
		return advance(ctx, tx, paid, `o.id = $1`, a.PayoutID)
	})
}

// advance moves planned payouts to submitted and, with paid, submitted ones to paid, and
// posts what that means. where selects them from payout o.
func advance(ctx context.Context, tx pgx.Tx, paid bool, where string, arguments ...any) error {
	payouts, err := lockOrders(ctx, tx, `WHERE o.state IN ('planned', 'submitted') AND `+where, arguments...)
	if err != nil {
		return err
	}
	return moveOn(ctx, tx, paid, incentive.Date{}, payouts...)
}

// moveOn moves payouts to submitted or, with paid, to paid, as of a day or of today.
func moveOn(ctx context.Context, tx pgx.Tx, paid bool, on incentive.Date, payouts ...PaymentOrder) error {
	state := "submitted"
	if paid {
		state = "paid"
	}
	var entries []entry
	ids := make([]string, len(payouts))
	for i, o := range payouts {
		ids[i] = o.ID
		base := entry{periodID: o.PeriodID, revision: o.Revision, amount: o.Amount, effectiveOn: on}
		clearing := account{kind: Clearing, rail: o.Rail}
		if o.State != "submitted" && o.State != "paid" {
			submit := base
			submit.key, submit.kind = o.posting("submit"), "submit"
			submit.debit, submit.credit = account{kind: Payable, participant: o.ParticipantID}, clearing
			entries = append(entries, submit)
		}
		if paid {
			settle := base
			settle.key, settle.kind = o.posting("paid"), "paid"
			settle.debit, settle.credit = clearing, account{kind: Cash}
			if o.Rail == incentive.PointsRail { // what is paid is owed on
				settle.credit = account{kind: Points, participant: o.ParticipantID}
			}
			entries = append(entries, settle)
		}
	}
	if err := post(ctx, tx, entries...); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE payout SET state = $2, reason = '' WHERE id = ANY($1::uuid[])`, ids, state); err != nil {
		return fmt.Errorf("move payouts to %s: %w", state, err)
	}
	return nil
}

// posting is the key of a journal entry of a payout: once more for each time that the
// money came back.
func (o PaymentOrder) posting(kind string) string {
	if o.TimesBack == 0 {
		return kind + "/" + o.ID
	}
	return fmt.Sprintf("%s/%s/%d", kind, o.ID, o.TimesBack)
}

// Reject notes that the rail did not and will not pay this attempt, and why. The payout
// fails and waits for a person.
func (s *Store) Reject(ctx context.Context, a Attempt, code string) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		if rejected, err := reject(ctx, tx, a, code); err != nil || !rejected {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE payout SET state = 'failed', reason = $2 WHERE id = $1 AND state = 'planned'`, a.PayoutID, code)
		return err
	})
}

// reject notes that the rail did not and will not pay an attempt, unless its end is known.
func reject(ctx context.Context, tx pgx.Tx, a Attempt, code string) (rejected bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE payout_attempt SET state = 'rejected', error_code = $3, sent_at = coalesce(sent_at, now()), finished_at = now()
		WHERE payout_id = $1 AND number = $2 AND state IN ('intended', 'sent', 'unknown')`, a.PayoutID, a.Number, code)
	if err != nil {
		return false, fmt.Errorf("reject payout %s: %w", a.PayoutID, err)
	}
	return tag.RowsAffected() > 0, nil
}

// SetAside makes a payout whose attempt stays unknown an exception for a person. The
// attempt stays live, so that nothing can pay it a second time.
func (s *Store) SetAside(ctx context.Context, payoutID, code string) error {
	_, err := s.pool.Exec(ctx, `UPDATE payout SET state = 'failed', reason = $2 WHERE id = $1 AND state = 'planned'`, payoutID, code)
	if err != nil {
		return fmt.Errorf("set payout %s aside: %w", payoutID, err)
	}
	return nil
}

// RetryPayout lets a person put a failed payout back, to the destination that was released. An attempt that is still unknown keeps its key; one that
// the rail knows nothing of is given up for a new one. A payment file takes nothing in
// once it is built: what was left out of it is cancelled, and the next period pays it.
// Above the limit of the policy it waits for a second person: see DecidePayout.
func (s *Store) RetryPayout(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, retryPayout, payoutID, reasonID)
}

var retryPayout = payoutAct{"retry-payout", `
		UPDATE payout SET state = 'planned', reason = ''
		WHERE id = $1 AND state = 'failed' AND NOT EXISTS (
			SELECT FROM period_revision p WHERE p.period_id = payout.period_id AND p.revision = payout.revision AND p.state = 'closed') AND NOT EXISTS (
			SELECT FROM payment_file f WHERE f.period_id = payout.period_id AND f.revision = payout.revision AND f.supplement = payout.supplement AND f.rail = payout.rail AND f.currency = payout.currency)`,
	"failed, of a period that is not closed, and for which no payment file was built: any other is cancelled, and the next period pays it"}

// CancelPayout lets a person give a held, failed or returned payout up; what is owed stays in the
// participant's payable account, and the next payout of the calendar pays it. A payout whose last attempt may
// have paid cannot be cancelled, until the rail knows nothing of it. Above the limit of the
// policy it waits for a second person: see DecidePayout.
func (s *Store) CancelPayout(ctx context.Context, actor, payoutID, reasonID string) error {
	return s.decidePayout(ctx, actor, cancelPayout, payoutID, reasonID)
}

var cancelPayout = payoutAct{"cancel-payout", `
		UPDATE payout SET state = 'cancelled' WHERE id = $1 AND state IN ('held', 'failed', 'returned')
		AND NOT EXISTS (SELECT FROM payout_attempt a WHERE a.payout_id = $1 AND a.state NOT IN ('rejected', 'returned'))`, "held, failed or returned, with no attempt that may have paid"}

// listOfPayout is the payout list of a payout about which somebody decides.
type listOfPayout struct {
	periodID             string
	revision, supplement int
	released             bool
}

// lockList locks the list of a payout, before the payout itself.
func lockList(ctx context.Context, tx pgx.Tx, payoutID string) (l listOfPayout, err error) {
	err = tx.QueryRow(ctx, `
		SELECT period_id, revision, supplement, l.released_by IS NOT NULL FROM payout o JOIN payout_list l USING (period_id, revision, supplement) JOIN period_revision r USING (period_id, revision)
		WHERE o.id = $1 FOR SHARE OF r FOR UPDATE OF l`, payoutID).Scan(&l.periodID, &l.revision, &l.supplement, &l.released)
	if err != nil {
		err = fmt.Errorf("read the list of payout %s: %w", payoutID, err)
	}
	return l, err
}

// does does an act about a payout. Where its list is not released, a release signs it anew.
func (l listOfPayout) does(ctx context.Context, tx pgx.Tx, act payoutAct, payoutID string, more ...any) error {
	if err := giveUpAbsent(ctx, tx, payoutID); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, act.sql, append([]any{payoutID}, more...)...)
	if err != nil {
		return fmt.Errorf("%s %s: %w", act.name, payoutID, err)
	}
	if tag.RowsAffected() == 0 {
		return incentive.Errorf(incentive.CodeConflict, "this is possible only for a payout that is %s", act.possible)
	}
	if !l.released {
		_, _, err = signList(ctx, tx, l.periodID, l.revision, l.supplement)
	}
	return err
}

// decidePayout does what a person decides about a payout, or notes that they ask for it where
// a second person confirms it.
func (s *Store) decidePayout(ctx context.Context, actor string, act payoutAct, payoutID, reasonID string, more ...any) error {
	if reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a decision about a payout needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		list, err := lockList(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		payee, _, _, err := lockPayout(ctx, tx, payoutID)
		if err != nil {
			return err
		}
		var shares bool // the account to which it goes
		if err := tx.QueryRow(ctx, `SELECT $2 = ANY(shared_with) FROM payout WHERE id = $1`, payoutID, actor).Scan(&shares); err != nil {
			return fmt.Errorf("look who shares the account of payout %s: %w", payoutID, err)
		}
		if (actor == payee || shares) && (act.name == liftHold || act.name == clearDoubt) {
			return incentive.Errorf(incentive.CodeOwnPay, "nobody lets their own payout go")
		}
		if err := refuseWaiting(ctx, tx, payoutID); err != nil {
			return err
		}
		waits := false
		if _, may := proposable[act.name]; may {
			if waits, err = needsSecond(ctx, tx, payoutID); err != nil {
				return err
			}
		}
		if !waits {
			err := list.does(ctx, tx, act, payoutID, more...)
			if incentive.ErrorCode(err) == incentive.CodeConflict {
				if again, lookErr := doneAlready(ctx, tx, actor, act, payoutID); again || lookErr != nil {
					return lookErr
				}
			}
			if err != nil {
				return err
			}
			return audit(ctx, tx, actor, act.name, "payout/"+payoutID, reasonBody{reasonID})
		}
		// What is not possible is refused now, and not only when it is confirmed.
		attempt, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		err = list.does(ctx, attempt, act, payoutID, more...)
		if err := errors.Join(err, attempt.Rollback(ctx)); err != nil {
			return err
		}
		return propose(ctx, tx, actor, payee, act.name, payoutID, reasonID, nil)
	})
}

// doneAlready reports whether an act, after which a payout stands as it does, is the last that was done about it, by the
// same person: who asks again has not had the answer.
func doneAlready(ctx context.Context, tx pgx.Tx, actor string, act payoutAct, payoutID string) (done bool, err error) {
	leaves := map[string]string{retryPayout.name: "planned", cancelPayout.name: "cancelled"}[act.name]
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM payout WHERE id = $1 AND state = $2)
			AND coalesce((SELECT (actor, act) = ($3, $4) FROM audit_event WHERE subject = 'payout/' || $1::text ORDER BY number DESC LIMIT 1), false)`, payoutID, leaves, actor, act.name).Scan(&done)
	if err != nil {
		err = fmt.Errorf("look whether %s %s is done: %w", act.name, payoutID, err)
	}
	return done, err
}

// PaymentFile is a file that a person takes to a bank or payroll system.
type PaymentFile struct {
	ID          string
	PeriodID    string
	Revision    int
	Supplement  int // the payout list that it pays
	Rail        string
	Currency    incentive.Currency
	Name        string
	MessageID   string
	Content     []byte
	SHA256      []byte
	Payouts     int
	TotalMinor  int64
	BuiltAt     time.Time
	ConfirmedBy string
	ConfirmedAt *time.Time
	Settled     bool              // none of its payouts waits to be carried out any more
	EffectiveOn incentive.Date    // when the bank is asked to pay; zero where the file does not say
	Traces      map[string]string // by payout, where the bank speaks of payments by numbers: kept, not read
}

// KeepPaymentFile stores the one file of a run, rail and currency and returns what
// stands, without the content: a file built before is kept as it was. While the period is on hold it refuses
// with incentive.CodeOnHold.
func (s *Store) KeepPaymentFile(ctx context.Context, f PaymentFile) (PaymentFile, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		if err := refuseOnHold(ctx, tx, f.PeriodID, f.Revision); err != nil {
			return err
		}
		if err := refuseSendingLocked(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO payment_file (period_id, revision, supplement, rail, currency, name, message_id, content, sha256, payouts, total_minor, effective_on)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (period_id, revision, supplement, rail, currency) DO NOTHING`,
			f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency, f.Name, f.MessageID, f.Content, f.SHA256, f.Payouts, f.TotalMinor, f.EffectiveOn)
		if err != nil {
			return fmt.Errorf("keep payment file %s: %w", f.Name, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		tag, err = tx.Exec(ctx, `
			INSERT INTO payout_attempt (payout_id, number, state)
			SELECT o.id, 1, 'intended' FROM payout o
			WHERE o.period_id = $1 AND o.revision = $2 AND o.supplement = $3 AND o.rail = $4 AND o.currency = $5 AND o.state = 'planned' AND o.batch > 0
			ON CONFLICT DO NOTHING`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency)
		if err != nil {
			return fmt.Errorf("write down the attempts of payment file %s: %w", f.Name, err)
		}
		if planned := tag.RowsAffected(); planned != int64(f.Payouts) {
			return fmt.Errorf("%d payouts are planned, and payment file %s holds %d: it must be built again", planned, f.Name, f.Payouts)
		}
		traced := slices.Sorted(maps.Keys(f.Traces))
		numbers := make([]string, len(traced))
		for i, payout := range traced {
			numbers[i] = f.Traces[payout]
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO payment_trace (file_id, payout_id, trace) SELECT f.id, t.payout, t.trace FROM payment_file f, unnest($2::text[]::uuid[], $3::text[]) t (payout, trace) WHERE f.message_id = $1`, f.MessageID, traced, numbers)
		if err != nil {
			return fmt.Errorf("write down the numbers of payment file %s: %w", f.Name, err)
		}
		return audit(ctx, tx, System, "build-file", incentive.PeriodSubject(f.PeriodID, f.Revision), struct {
			Rail   string `json:"rail"`
			SHA256 string `json:"sha256"`
		}{f.Rail, fmt.Sprintf("%x", f.SHA256)})
	})
	if err != nil {
		return f, err
	}
	rows, err := s.pool.Query(ctx, paymentFileColumns+` WHERE period_id = $1 AND revision = $2 AND supplement = $3 AND rail = $4 AND currency = $5`, f.PeriodID, f.Revision, f.Supplement, f.Rail, f.Currency)
	if err != nil {
		return f, fmt.Errorf("read payment file %s: %w", f.Name, err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PaymentFile])
}

// paymentFileColumns has an empty content: that of a large period has megabytes.
const paymentFileColumns = `SELECT id::text, period_id, revision, supplement, rail, currency, name, message_id, ''::bytea, ` + paymentFileRest

const paymentFileRest = `sha256, payouts, total_minor, built_at, coalesce(confirmed_by, ''), confirmed_at, ` + settledFile + `, effective_on, NULL::jsonb FROM payment_file`

// settledFile is the SQL of a payment_file of which no payout waits to be carried out.
const settledFile = `NOT EXISTS (SELECT FROM payout o WHERE o.batch > 0 AND o.state IN ('planned', 'submitted')
	AND (o.period_id, o.revision, o.supplement, o.rail, o.currency) = (payment_file.period_id, payment_file.revision, payment_file.supplement, payment_file.rail, payment_file.currency))`

// PaymentFiles returns up to limit payment files of a revision after a file's id, without
// their content, by payout list, rail and currency.
func (s *Store) PaymentFiles(ctx context.Context, periodID string, revision int, after string, limit int) ([]PaymentFile, error) {
	rows, err := s.pool.Query(ctx, paymentFileColumns+`
		WHERE period_id = $1 AND revision = $2 AND ($3 = '' OR (supplement, rail, currency) > (SELECT f.supplement, f.rail, f.currency FROM payment_file f WHERE f.id::text = $3)) ORDER BY supplement, rail, currency LIMIT $4`,
		periodID, revision, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list the payment files of %s: %w", periodID, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PaymentFile])
}

// FilesOfRail returns a revision's payment files by one rail, one for each payout list and
// currency, without their content.
func (s *Store) FilesOfRail(ctx context.Context, periodID string, revision int, rail string) ([]PaymentFile, error) {
	rows, err := s.pool.Query(ctx, paymentFileColumns+` WHERE period_id = $1 AND revision = $2 AND rail = $3 ORDER BY supplement, currency`, periodID, revision, rail)
	if err != nil {
		return nil, fmt.Errorf("list the payment files of %s by %s: %w", periodID, rail, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[PaymentFile])
}

// PaymentFile returns one payment file, of code CodeFileUnknown where there is none.
func (s *Store) PaymentFile(ctx context.Context, id string) (PaymentFile, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id::text, period_id, revision, supplement, rail, currency, name, message_id, content, `+paymentFileRest+` WHERE id::text = $1`, id)
	if err != nil {
		return PaymentFile{}, fmt.Errorf("read payment file %s: %w", id, err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PaymentFile])
	if errors.Is(err, pgx.ErrNoRows) {
		return f, incentive.Errorf(CodeFileUnknown, "there is no payment file %q", id)
	}
	return f, err
}

// ConfirmFile notes, once, that a person has taken the file to the bank (paid false), or
// that the bank has carried it out (paid true). No file of a period on hold is taken.
func (s *Store) ConfirmFile(ctx context.Context, actor, fileID string, paid bool) (PaymentFile, error) {
	err := s.inTx(ctx, func(tx pgx.Tx) error {
		var periodID, rail, currency string
		var revision, supplement int
		var confirmed bool
		err := tx.QueryRow(ctx, `SELECT period_id, revision, supplement, rail, currency, confirmed_at IS NOT NULL FROM payment_file WHERE id::text = $1 FOR UPDATE`, fileID).
			Scan(&periodID, &revision, &supplement, &rail, &currency, &confirmed)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(CodeFileUnknown, "there is no payment file %q", fileID)
		}
		if err != nil {
			return fmt.Errorf("read payment file %s: %w", fileID, err)
		}
		if err := refusePreparer(ctx, tx, periodID, revision, actor, "confirm the payment file of"); err != nil {
			return err
		}
		if paid && !confirmed {
			return incentive.Errorf(incentive.CodeConflict, "the file has not been confirmed as taken to the bank yet")
		}
		act, subject := "confirm-file", "payment-file/"+fileID
		if paid {
			act = "settle-file"
		}
		var done bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM audit_event WHERE subject = $1 AND act = $2)`, subject, act).Scan(&done); err != nil || done {
			return err
		}
		if !paid {
			if err := refuseOnHold(ctx, tx, periodID, revision); err != nil {
				return err
			}
			if err := refuseSendingLocked(ctx, tx); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE payment_file SET confirmed_by = $2, confirmed_at = now() WHERE id::text = $1 AND confirmed_at IS NULL`, fileID, actor)
			if err != nil {
				return fmt.Errorf("confirm payment file %s: %w", fileID, err)
			}
			_, err = tx.Exec(ctx, `
				UPDATE payout_attempt a SET state = 'confirmed', rail_id = f.message_id, sent_at = now(), finished_at = now()
				FROM payout o JOIN payment_file f USING (period_id, revision, supplement, rail, currency)
				WHERE f.id::text = $1 AND a.payout_id = o.id AND a.state = 'intended' AND o.batch > 0`, fileID)
			if err != nil {
				return fmt.Errorf("confirm the payouts of payment file %s: %w", fileID, err)
			}
		}
		inFile := `o.period_id = $1 AND o.revision = $2 AND o.supplement = $3 AND o.rail = $4 AND o.currency = $5 AND o.batch > 0`
		if err := advance(ctx, tx, paid, inFile, periodID, revision, supplement, rail, currency); err != nil {
			return err
		}
		return audit(ctx, tx, actor, act, subject, struct{}{})
	})
	if err != nil {
		return PaymentFile{}, err
	}
	return s.PaymentFile(ctx, fileID)
}

// Destinations returns destinations by their ids, with their details decrypted.
func (s *Store) Destinations(ctx context.Context, ids []int64) (map[int64]Destination, error) {
	read, err := s.destinations(ctx, s.pool, `id = ANY($1)`, ids)
	if err != nil {
		return nil, err
	}
	found := map[int64]Destination{}
	for _, d := range read {
		found[d.ID] = d
	}
	for _, id := range ids {
		if _, there := found[id]; !there {
			return nil, fmt.Errorf("there is no destination %d", id)
		}
	}
	return found, nil
}

// destination returns a destination with its details decrypted.
func (s *Store) destination(ctx context.Context, q querier, id int64) (Destination, error) {
	read, err := s.destinations(ctx, q, `id = $1`, id)
	if err == nil && len(read) == 0 {
		err = fmt.Errorf("there is no destination %d", id)
	}
	if err != nil {
		return Destination{}, err
	}
	return read[0], nil
}

func (s *Store) destinations(ctx context.Context, q querier, where string, argument any) ([]Destination, error) {
	rows, err := q.Query(ctx, `SELECT d.id, d.participant_id, version, d.rail, masked, d.key_version, details, coalesce((SELECT a.state FROM rail_account a WHERE a.id = d.rail_account_id), '') FROM destination d WHERE d.`+where, argument)
	if err != nil {
		return nil, fmt.Errorf("read destinations: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Destination, err error) {
		var keyVersion int
		var sealed []byte
		if err := row.Scan(&d.ID, &d.ParticipantID, &d.Version, &d.Rail, &d.Masked, &keyVersion, &sealed, &d.Standing); err != nil {
			return d, err
		}
		plain, err := s.keys.decrypt(keyVersion, sealed, "destination/"+d.ParticipantID)
		if err != nil {
			return d, err
		}
		if err := json.Unmarshal(plain, &d.Details); err != nil {
			return d, fmt.Errorf("read destination %d: %w", d.ID, err)
		}
		return d, nil
	})
}

// FinishDisbursing moves a period on once every batch has ended.
func (s *Store) FinishDisbursing(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, nil)
}

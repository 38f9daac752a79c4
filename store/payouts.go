package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
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
	Filed                  bool        // a payment file of its list was built, which takes nothing in any more
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
		coalesce(pp.act, ''), coalesce(pp.proposed_by, ''), coalesce(pp.amount_minor, 0),
		` + filed + `
	FROM payout o LEFT JOIN destination d ON d.id = o.destination_id
		LEFT JOIN LATERAL (SELECT amount_minor, state, code FROM payout_recall l JOIN proposal_decision ld ON ld.proposal_id = l.id WHERE l.payout_id = o.id ORDER BY ld.decided_at DESC LIMIT 1) rl ON true
		LEFT JOIN payout_proposal pp ON pp.payout_id = o.id AND ` + undecidedProposal + `
		LEFT JOIN payout_redirection r ON r.payout_id = o.id AND ` + undecided + ` LEFT JOIN destination nd ON nd.id = r.destination_id
		LEFT JOIN LATERAL (SELECT id, version, rail, masked FROM destination l WHERE l.participant_id = o.participant_id ORDER BY version DESC, position LIMIT 1) newer
			ON o.state IN ('held', 'failed', 'returned') AND (newer.id IS DISTINCT FROM o.destination_id OR o.state = 'held')`

func scanPayout(row pgx.CollectableRow) (o Payout, err error) {
	err = row.Scan(&o.ID, &o.PeriodID, &o.Revision, &o.ParticipantID, &o.Name, &o.Amount.Minor, &o.Carried.Minor, &o.Amount.Currency, &o.Withheld.Minor, &o.Rail, &o.DestinationID, &o.Masked, &o.State, &o.Reason, &o.Batch, &o.TimesBack, &o.Supplement, &o.ToRail, &o.ToMasked, &o.ToBy, &o.Newer.ID, &o.Newer.Version, &o.Newer.Rail, &o.Newer.Masked, &o.Released, &o.ListedAs, &o.LiftedBy, &o.SharedWith,
		&o.Recalled.Minor, &o.Recall.Amount.Minor, &o.Recall.State, &o.Recall.Code, &o.Proposal.Act, &o.Proposal.By, &o.Proposal.Amount.Minor, &o.Filed)
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
	var ids []string // first, as the rest of a payout is looked up for a page and not for all that are sorted
	err = collect(ctx, s.pool, &ids, `SELECT o.id::text FROM payout o
		WHERE o.period_id = @period AND o.revision = @revision AND `+among("o.participant_id", of.Visible)+` AND (@person = '' OR o.participant_id = @person) AND @state IN ('', o.state) AND @rail IN ('', o.rail)
			AND `+found("o.participant_id")+` AND `+goesOn+` `+order+` LIMIT @limit`, pgx.RowTo[string],
		plannedAnew, pgx.NamedArgs{"person": of.Person, "period": of.PeriodID, "revision": of.Revision, "visible": of.Visible, "state": of.State, "rail": of.Rail, "search": anywhere(of.Search), "after": after, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list the payouts of %s: %w", of.PeriodID, err)
	}
	return s.payoutsOf(ctx, ids)
}

// payoutsOf returns payouts in the order of their ids as given.
func (s *Store) payoutsOf(ctx context.Context, ids []string) (all []Payout, err error) {
	if err := collect(ctx, s.pool, &all, payoutColumns+` WHERE o.id = ANY($1::text[]::uuid[]) ORDER BY array_position($1::text[]::uuid[], o.id)`, scanPayout, ids); err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	return all, nil
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

// FinishDisbursing moves a period on once every batch has ended.
func (s *Store) FinishDisbursing(ctx context.Context, c PeriodCommand) (PeriodRevision, error) {
	return s.act(ctx, c, struct{}{}, nil)
}

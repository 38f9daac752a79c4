package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
	"github.com/guerdon/guerdon/incentive/policy"
)

// CodeMethodNotAllowed is the code of a payout method that no policy of the participant's
// calendars lets them be paid by.
const CodeMethodNotAllowed incentive.Code = "payout-method-not-allowed"

// CodeSharesWrong is the code of payout methods whose shares are not the whole.
const CodeSharesWrong incentive.Code = "shares-wrong"

// Destination is where a share of a participant's money goes.
type Destination struct {
	ID            int64
	ParticipantID string
	Version       int // of all their payout methods together
	Position      int // of the method among them: 1 for the first
	Share         decimal.Decimal
	Rail          string
	Details       map[string]string // what the rail needs: secret
	Masked        string
	AtRail        string // the participant's account at a rail that has one for each of its recipients
	Standing      string // of that account, or of one that is tried: open, submitted, ready or refused; "" where there is neither
	Refused       string // the rail's code of why the last payment to the account could not be made, "" where it could
	Try           bool   // the account is tried before it is first paid
	Known         bool   // the bank itself has named the account, so that it need not be tried
	Account       string // what is the same for everybody who is paid to the same account: secret; "" where nothing is
}

// SetDestination keeps where all of a participant's pay is to go, as their only method.
func (s *Store) SetDestination(ctx context.Context, actor string, d Destination) (Destination, error) {
	d.Share = decimal.NewFromInt(1)
	set, err := s.SetMethods(ctx, actor, d.ParticipantID, AnyVersion, []Destination{d})
	if err != nil {
		return d, err
	}
	return set[0], nil
}

// AnyVersion has methods replace whatever there is.
const AnyVersion = -1

// SetMethods keeps a participant's payout methods in their order, encrypted, as the version
// that follows the one seen, and tells the participant where they replace others. One without details stays as
// the destination ID says, which is among those seen, with another share perhaps.
func (s *Store) SetMethods(ctx context.Context, actor, participantID string, seen int, methods []Destination) ([]Destination, error) {
	if err := checkShares(methods); err != nil {
		return nil, err
	}
	var set []Destination
	err := s.inTx(ctx, func(tx pgx.Tx) (err error) {
		set, err = s.setMethods(ctx, tx, actor, participantID, seen, methods)
		return err
	})
	return set, err
}

func (s *Store) setMethods(ctx context.Context, tx pgx.Tx, actor, participantID string, seen int, methods []Destination) ([]Destination, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM participant WHERE id = $1 FOR UPDATE`, participantID); err != nil {
		return nil, err
	}
	version := 0
	if err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) + 1 FROM destination WHERE participant_id = $1`, participantID).Scan(&version); err != nil {
		return nil, fmt.Errorf("read the methods of %s: %w", participantID, err)
	}
	if seen != AnyVersion && seen != version-1 {
		return nil, incentive.Errorf(CodeChangedMeantime, "the payout methods of %s are version %d now: look at them again", participantID, version-1)
	}
	type said struct {
		Rail  string          `json:"rail"`
		Share decimal.Decimal `json:"share"`
	}
	var all []said
	set := make([]Destination, len(methods))
	for i, d := range methods {
		d.ParticipantID, d.Version, d.Position = participantID, version, i+1
		if err := s.keepMethod(ctx, tx, actor, &d); err != nil {
			return nil, err
		}
		set[i], all = d, append(all, said{d.Rail, d.Share})
	}
	if version > 1 {
		changed := Notification{
			Recipient: participantID,
			Kind:      notice.DestinationChanged,
			Subject:   "participant/" + participantID,
			Key:       fmt.Sprintf("%s/%d", notice.DestinationChanged, version),
		}
		if err := notify(ctx, tx, changed); err != nil {
			return nil, err
		}
	}
	return set, audit(ctx, tx, actor, "set-destination", "participant/"+participantID, struct {
		Version int    `json:"version"`
		Methods []said `json:"methods"`
	}{version, all})
}

func checkShares(methods []Destination) error {
	if len(methods) == 0 || len(methods) > policy.MostMethods {
		return incentive.Errorf(CodeSharesWrong, "there are 1 to %d payout methods", policy.MostMethods)
	}
	sum := decimal.Zero
	for _, d := range methods {
		if !d.Share.IsPositive() || d.Share.Exponent() < -4 {
			return incentive.Errorf(CodeSharesWrong, "the share of a payout method is above 0 %% and has at most two decimal places of a percent")
		}
		sum = sum.Add(d.Share)
	}
	if !sum.Equal(decimal.NewFromInt(1)) {
		return incentive.Errorf(CodeSharesWrong, "the shares of the payout methods add up to %s %%: they have to be 100 %%", sum.Shift(2))
	}
	return nil
}

// keepMethod keeps one method of a version.
func (s *Store) keepMethod(ctx context.Context, tx pgx.Tx, actor string, d *Destination) error {
	if d.Details == nil {
		err := tx.QueryRow(ctx, `
			INSERT INTO destination (participant_id, version, position, share, rail, key_version, details, masked, set_by, account_index, rail_account_id)
			SELECT participant_id, $3, $4, $5, rail, key_version, details, masked, $6, account_index, rail_account_id FROM destination WHERE id = $1 AND participant_id = $2 AND version = $3 - 1 RETURNING id, rail, masked`,
			d.ID, d.ParticipantID, d.Version, d.Position, d.Share, actor).Scan(&d.ID, &d.Rail, &d.Masked)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "%s has no payout method %d to keep", d.ParticipantID, d.ID)
		}
		if err != nil {
			return fmt.Errorf("keep a method of %s: %w", d.ParticipantID, err)
		}
		return nil
	}
	plain, err := json.Marshal(d.Details)
	if err != nil {
		return err
	}
	keyVersion, sealed, err := s.keys.encrypt(plain, "destination/"+d.ParticipantID)
	if err != nil {
		return err
	}
	index, err := s.accountIndex(ctx, tx, d.Account)
	if err != nil {
		return err
	}
	var atRail *int64
	if d.AtRail != "" {
		if atRail, err = railAccount(ctx, tx, d.ParticipantID, d.Rail, d.AtRail); err != nil {
			return err
		}
	}
	if d.Try {
		if atRail, err = triedAccount(ctx, tx, d.ParticipantID, d.Rail, index, d.Known); err != nil {
			return err
		}
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO destination (participant_id, version, position, share, rail, key_version, details, masked, set_by, account_index, rail_account_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`,
		d.ParticipantID, d.Version, d.Position, d.Share, d.Rail, keyVersion, sealed, d.Masked, actor, index, atRail).Scan(&d.ID)
	if constraint(err) == "destination_participant_id_fkey" {
		return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", d.ParticipantID)
	}
	if err != nil {
		return fmt.Errorf("keep a method of %s: %w", d.ParticipantID, err)
	}
	_, err = releaseAccount(ctx, tx, actor, d.ID, "") // it is named again
	return err
}

// Methods returns a participant's latest payout methods in their order, without the secret
// details: none where they have not said where to be paid.
func (s *Store) Methods(ctx context.Context, participantID string) ([]Destination, error) {
	return methodsOf(ctx, s.pool, participantID)
}

func methodsOf(ctx context.Context, q querier, participantID string) ([]Destination, error) {
	rows, err := q.Query(ctx, `SELECT d.id, d.participant_id, version, position, share, d.rail, masked, coalesce(a.account, ''), coalesce(a.state, ''), `+refusedFor+` FROM destination d LEFT JOIN rail_account a ON a.id = d.rail_account_id
		WHERE d.participant_id = $1 AND version = (SELECT max(version) FROM destination l WHERE l.participant_id = d.participant_id) ORDER BY position`, participantID)
	if err != nil {
		return nil, fmt.Errorf("read the methods of %s: %w", participantID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Destination, err error) {
		err = row.Scan(&d.ID, &d.ParticipantID, &d.Version, &d.Position, &d.Share, &d.Rail, &d.Masked, &d.AtRail, &d.Standing, &d.Refused)
		return d, err
	})
}

// AllowedRails returns which of some rails a participant may be paid by: what the policy of
// one of the calendars that pay them lets people of their kind and country be paid by.
func (s *Store) AllowedRails(ctx context.Context, participantID string, rails []string) (allowed []string, err error) {
	var kind incentive.ParticipantKind
	var country string
	err = s.pool.QueryRow(ctx, `SELECT coalesce(f.kind, ''), coalesce(f.country, '') FROM (SELECT $1::text AS participant_id) o LEFT JOIN `+factToday("o"), participantID).Scan(&kind, &country)
	if err != nil {
		return nil, fmt.Errorf("read who %s is: %w", participantID, err)
	}
	var calendars []string
	err = collect(ctx, s.pool, &calendars, `
		SELECT DISTINCT calendar_id FROM (
			SELECT DISTINCT ON (plan_id, starts_on) calendar_id, ends_on FROM assignment WHERE participant_id = $1 ORDER BY plan_id, starts_on, version DESC) latest
		WHERE ends_on IS NULL OR ends_on >= company_today() ORDER BY 1`, pgx.RowTo[string], participantID)
	if err != nil {
		return nil, fmt.Errorf("read which calendars pay %s: %w", participantID, err)
	}
	if len(calendars) == 0 {
		calendars = []string{""} // which goes by the standard policy
	}
	var all []policy.Payouts
	for _, calendar := range calendars {
		goesBy, err := policyOf(ctx, s.pool, calendar)
		if err != nil {
			return nil, err
		}
		all = append(all, goesBy.Payouts)
	}
	for _, rail := range rails {
		for _, p := range all {
			if p.Allows(kind, country, rail) {
				allowed = append(allowed, rail)
				break
			}
		}
	}
	return allowed, nil
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
	rows, err := q.Query(ctx, `SELECT d.id, d.participant_id, version, d.rail, masked, d.key_version, details, coalesce((SELECT a.state FROM rail_account a WHERE a.id = d.rail_account_id), ''), `+refusedFor+` FROM destination d WHERE d.`+where, argument)
	if err != nil {
		return nil, fmt.Errorf("read destinations: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Destination, err error) {
		var keyVersion int
		var sealed []byte
		if err := row.Scan(&d.ID, &d.ParticipantID, &d.Version, &d.Rail, &d.Masked, &keyVersion, &sealed, &d.Standing, &d.Refused); err != nil {
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

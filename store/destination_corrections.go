package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// DestinationCorrection is what a bank says that the account of a payment it made is now.
type DestinationCorrection struct {
	ID            string
	ParticipantID string
	Name          string
	Rail          string
	Version       int    // of the destination as it stands
	Masked        string // as it stands
	ToMasked      string // as the bank has it
	Code          string // the bank's
	Reason        string
	ProposedBy    string // who handed the bank's file in
	ProposedAt    time.Time
}

// correctedDetails is what of a correction is secret.
type correctedDetails struct {
	Details map[string]string `json:"details"`
	Account string            `json:"account"`
}

// DestinationCorrections lists up to limit corrections after one that nobody has decided about, the oldest first.
func (s *Store) DestinationCorrections(ctx context.Context, after string, limit int) ([]DestinationCorrection, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.id::text, c.participant_id, coalesce(f.name, ''), c.rail, d.version, d.masked, c.masked, c.code, c.reason, c.proposed_by, c.proposed_at
		FROM destination_correction c JOIN destination d ON d.id = c.destination_id LEFT JOIN `+factToday("c")+`
		WHERE c.decision IS NULL AND ($1 = '' OR (c.proposed_at, c.id) > (SELECT a.proposed_at, a.id FROM destination_correction a WHERE a.id = id_of($1))) ORDER BY c.proposed_at, c.id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list corrections of destinations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DestinationCorrection])
}

// proposeCorrection keeps what a bank says of a destination, unless that is no longer the
// participant's or a correction of it waits already.
func (s *Store) proposeCorrection(ctx context.Context, tx pgx.Tx, fileID string, number int, by, participant, rail string, destination int64, o PayoutOutcome) (effect string, err error) {
	var stands int64
	err = tx.QueryRow(ctx, `
		SELECT l.id FROM destination l JOIN destination d USING (participant_id)
		WHERE d.id = $1 AND (l.id = d.id OR l.rail = d.rail AND l.details = d.details) AND l.version = (SELECT max(version) FROM destination m WHERE m.participant_id = d.participant_id)
		ORDER BY l.position LIMIT 1`, destination).Scan(&stands) // kept beside another method, it is another row
	if errors.Is(err, pgx.ErrNoRows) {
		return "none", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the destination %d: %w", destination, err)
	}
	plain, err := json.Marshal(correctedDetails{o.Correction.Details, o.Correction.Account})
	if err != nil {
		return "", err
	}
	version, sealed, err := s.keys.encrypt(plain, "destination/"+participant)
	if err != nil {
		return "", err
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO destination_correction (file_id, number, participant_id, destination_id, rail, key_version, details, masked, code, reason, proposed_by)
		VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		fileID, number, participant, stands, rail, version, sealed, o.Correction.Masked, o.Code, o.Reason, by)
	if err != nil {
		return "", fmt.Errorf("keep a correction of the destination of %s: %w", participant, err)
	}
	if tag.RowsAffected() == 0 {
		return "none", nil
	}
	return "correction", nil
}

// DecideCorrection makes what a bank says the participant's destination, or refuses it with a
// reason: neither whoever handed the bank's file in does so nor the participant.
func (s *Store) DecideCorrection(ctx context.Context, actor, id string, confirms bool, reasonID string) error {
	if !confirms && reasonID == "" {
		return incentive.Errorf(CodeReasonMissing, "a refusal needs a reason")
	}
	return s.inTx(ctx, func(tx pgx.Tx) error {
		var participant, proposedBy string
		var destination int64
		var decided, again bool // by the same person in the same way, who has not had the answer
		err := tx.QueryRow(ctx, `SELECT participant_id, destination_id, proposed_by, decision IS NOT NULL, coalesce((decided_by, decision) = ($2, $3), false) FROM destination_correction WHERE id = id_of($1) FOR UPDATE`,
			id, actor, map[bool]string{true: "confirmed", false: "refused"}[confirms]).Scan(&participant, &destination, &proposedBy, &decided, &again)
		if errors.Is(err, pgx.ErrNoRows) {
			return incentive.Errorf(incentive.CodeNotFound, "there is no correction %q of a destination", id)
		}
		if err != nil {
			return fmt.Errorf("read the correction %s: %w", id, err)
		}
		switch {
		case again:
			return nil
		case decided:
			return incentive.Errorf(incentive.CodeConflict, "somebody has decided about this correction already")
		case actor == participant:
			return incentive.Errorf(incentive.CodeOwnPay, "nobody decides where they are paid by a bank's word")
		case actor == proposedBy:
			return incentive.Errorf(CodePreparer, "you have handed the bank's file in: somebody else decides about what it corrects")
		}
		act, decision, version := "refuse-correction", "refused", 0
		if confirms {
			act, decision = "confirm-correction", "confirmed"
			if version, err = s.applyCorrection(ctx, tx, actor, id, participant, destination); err != nil {
				return err
			}
		} else if err := tryAgain(ctx, tx, destination); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE destination_correction SET decision = $2, decided_by = $3, decided_at = now(), reason_id = nullif($4, '')::uuid WHERE id = id_of($1)`, id, decision, actor, reasonID)
		if err != nil {
			return fmt.Errorf("decide about the correction %s: %w", id, err)
		}
		return audit(ctx, tx, actor, act, "participant/"+participant, struct {
			CorrectionID string `json:"correction_id"`
			Version      int    `json:"destination_version,omitempty"`
			ReasonID     string `json:"reason_id,omitempty"`
		}{id, version, reasonID})
	})
}

// applyCorrection puts what a bank says in the place of one of a participant's payout methods, and returns
// their version.
func (s *Store) applyCorrection(ctx context.Context, tx pgx.Tx, actor, id, participant string, destination int64) (version int, err error) {
	methods, err := methodsOf(ctx, tx, participant)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(methods, func(d Destination) bool { return d.ID == destination })
	if i < 0 {
		return 0, incentive.Errorf(CodeChangedMeantime, "%s has named another destination since: refuse this correction", participant)
	}
	var keyVersion int
	var sealed []byte
	err = tx.QueryRow(ctx, `SELECT masked, key_version, details FROM destination_correction WHERE id = id_of($1)`, id).Scan(&methods[i].Masked, &keyVersion, &sealed)
	if err != nil {
		return 0, fmt.Errorf("read the correction %s: %w", id, err)
	}
	plain, err := s.keys.decrypt(keyVersion, sealed, "destination/"+participant)
	if err != nil {
		return 0, err
	}
	var corrected correctedDetails
	if err := json.Unmarshal(plain, &corrected); err != nil {
		return 0, fmt.Errorf("read the correction %s: %w", id, err)
	}
	methods[i].Details, methods[i].Account = corrected.Details, corrected.Account
	methods[i].Try, methods[i].Known = methods[i].Standing != "", true
	if _, err := s.setMethods(ctx, tx, actor, participant, methods[i].Version, methods); err != nil {
		return 0, err
	}
	return methods[i].Version + 1, nil
}

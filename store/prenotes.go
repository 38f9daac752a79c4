package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
	"github.com/guerdon/guerdon/incentive/notice"
)

// Prenote is an entry of nothing that tries an account.
type Prenote struct {
	ID            string
	AccountID     int64 // of the RailAccount
	DestinationID int64
	Trace         string // by which the bank speaks of it
}

// PrenoteFile is a file of prenotes.
type PrenoteFile struct {
	ID          string
	Rail        string
	Name        string
	MessageID   string
	SHA256      []byte
	Accounts    int
	Back        int            // of these, how many the bank has sent back or corrected
	EffectiveOn incentive.Date // for when the bank is asked to pass it on
	BuiltBy     string
	BuiltAt     time.Time
	ConfirmedBy string
	ConfirmedAt *time.Time     // taken to the bank
	TriedOn     incentive.Date // from when accounts of which nothing came back may be paid; zero before it is taken there
	PassedAt    *time.Time     // since when they may
}

// triedAccount returns the row of an account that is tried before it is first paid: one that
// has been paid before, or that the bank itself has named, needs no prenote. One that the bank
// sent back is tried anew where it is named again.
func triedAccount(ctx context.Context, tx pgx.Tx, participantID, rail string, index []byte, known bool) (id *int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO rail_account (participant_id, rail, opened, account_index, state)
		SELECT $1, $2, false, $3, CASE WHEN $4 OR EXISTS (SELECT FROM payout o JOIN destination d ON d.id = o.destination_id
			WHERE o.participant_id = $1 AND o.state = 'paid' AND d.rail = $2 AND d.account_index = $3) THEN 'ready' ELSE 'open' END
		ON CONFLICT ON CONSTRAINT rail_account_tried DO UPDATE SET state = CASE WHEN $4 THEN 'ready' WHEN rail_account.state = 'refused' THEN 'open' ELSE rail_account.state END RETURNING id`,
		participantID, rail, index, known).Scan(&id)
	if err != nil {
		err = fmt.Errorf("keep the account of %s that is to be tried: %w", participantID, err)
	}
	return id, err
}

// AccountsToTry are accounts of a rail for which no prenote is written yet, each with an id for
// one: those that somebody wants to be paid to as of now.
func (s *Store) AccountsToTry(ctx context.Context, rail string) (all []Prenote, err error) {
	err = collect(ctx, s.pool, &all, `
		SELECT gen_random_uuid()::text, a.id, min(d.id), '' FROM rail_account a JOIN destination d ON d.rail_account_id = a.id
		WHERE a.rail = $1 AND a.account_index IS NOT NULL AND a.state = 'open' AND d.version = (SELECT max(version) FROM destination l WHERE l.participant_id = d.participant_id)
		GROUP BY a.id ORDER BY a.id`, pgx.RowToStructByPos[Prenote], rail)
	if err != nil {
		err = fmt.Errorf("list the accounts of %s to try: %w", rail, err)
	}
	return all, err
}

func prenoteSecret(digest []byte) string { return fmt.Sprintf("prenote-file/%x", digest) }

// KeepPrenoteFile keeps a file of prenotes that was built, encrypted; from then on their
// accounts are tried. Where one of them is tried by another file meanwhile it is of code CodeConflict.
func (s *Store) KeepPrenoteFile(ctx context.Context, f PrenoteFile, content []byte, prenotes []Prenote) (PrenoteFile, error) {
	version, sealed, err := s.keys.encrypt(content, prenoteSecret(f.SHA256))
	if err != nil {
		return f, err
	}
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var accounts, destinations []int64
		var ids, traces []string
		for _, p := range prenotes {
			accounts, destinations, ids, traces = append(accounts, p.AccountID), append(destinations, p.DestinationID), append(ids, p.ID), append(traces, p.Trace)
		}
		tag, err := tx.Exec(ctx, `UPDATE rail_account SET state = 'submitted', checked_at = now() WHERE id = ANY($1) AND state = 'open'`, accounts)
		if err != nil {
			return fmt.Errorf("note that accounts of %s are tried: %w", f.Rail, err)
		}
		if tag.RowsAffected() != int64(len(prenotes)) {
			return incentive.Errorf(incentive.CodeConflict, "somebody else has had a file of these prenotes built meanwhile")
		}
		err = tx.QueryRow(ctx, `
			INSERT INTO prenote_file (rail, name, message_id, key_version, content, sha256, accounts, effective_on, built_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id::text`,
			f.Rail, f.Name, f.MessageID, version, sealed, f.SHA256, len(prenotes), f.EffectiveOn, f.BuiltBy).Scan(&f.ID)
		if err != nil {
			return fmt.Errorf("keep the prenotes %s: %w", f.Name, err)
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO prenote (id, file_id, rail_account_id, destination_id, trace) SELECT p.id::uuid, $1::uuid, p.account, p.destination, p.trace
			FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[]) p (id, account, destination, trace)`, f.ID, ids, accounts, destinations, traces)
		if err != nil {
			return fmt.Errorf("keep the prenotes of %s: %w", f.Name, err)
		}
		return audit(ctx, tx, f.BuiltBy, "build-prenotes", "prenote-file/"+f.ID, struct {
			Rail     string `json:"rail"`
			SHA256   string `json:"sha256"`
			Accounts int    `json:"accounts"`
		}{f.Rail, fmt.Sprintf("%x", f.SHA256), len(prenotes)})
	})
	if err != nil {
		return f, err
	}
	return s.PrenoteFile(ctx, f.ID)
}

const prenoteFiles = `SELECT f.id::text, f.rail, f.name, f.message_id, f.sha256, f.accounts, (SELECT count(DISTINCT p.id)::int FROM prenote p JOIN prenote_outcome o ON o.prenote_id = p.id WHERE p.file_id = f.id AND o.effect <> 'none'),
	f.effective_on, f.built_by, f.built_at, coalesce(f.confirmed_by, ''), f.confirmed_at, f.tried_on, f.passed_at FROM prenote_file f `

// PrenoteFiles returns up to limit files of prenotes after one, the latest first.
func (s *Store) PrenoteFiles(ctx context.Context, after string, limit int) (all []PrenoteFile, err error) {
	err = collect(ctx, s.pool, &all, prenoteFiles+`WHERE $1 = '' OR (f.built_at, f.id) < (SELECT a.built_at, a.id FROM prenote_file a WHERE a.id = id_of($1)) ORDER BY f.built_at DESC, f.id DESC LIMIT $2`,
		pgx.RowToStructByPos[PrenoteFile], after, limit)
	if err != nil {
		err = fmt.Errorf("list files of prenotes: %w", err)
	}
	return all, err
}

// PrenoteFile returns a file of prenotes, of code CodeFileUnknown where there is none.
func (s *Store) PrenoteFile(ctx context.Context, id string) (PrenoteFile, error) {
	rows, err := s.pool.Query(ctx, prenoteFiles+`WHERE f.id = id_of($1)`, id)
	if err != nil {
		return PrenoteFile{}, fmt.Errorf("read the prenotes %s: %w", id, err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PrenoteFile])
	if errors.Is(err, pgx.ErrNoRows) {
		return f, incentive.Errorf(CodeFileUnknown, "there is no file of prenotes %q", id)
	}
	return f, err
}

// UntakenPrenotes returns the latest file of prenotes of a rail that somebody has had built and that
// is not taken to the bank: found says whether there is one.
func (s *Store) UntakenPrenotes(ctx context.Context, builtBy, rail string) (f PrenoteFile, found bool, err error) {
	rows, err := s.pool.Query(ctx, prenoteFiles+`WHERE f.built_by = $1 AND f.rail = $2 AND f.confirmed_at IS NULL ORDER BY f.built_at DESC, f.id DESC LIMIT 1`, builtBy, rail)
	if err == nil {
		f, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[PrenoteFile])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return f, false, nil
	}
	if err != nil {
		return f, false, fmt.Errorf("look for prenotes of %s that are not taken to the bank: %w", rail, err)
	}
	return f, true, nil
}

// PrenoteContent returns a file of prenotes with its content.
func (s *Store) PrenoteContent(ctx context.Context, id string) (f PrenoteFile, content []byte, err error) {
	if f, err = s.PrenoteFile(ctx, id); err != nil {
		return f, nil, err
	}
	var version int
	if err := s.pool.QueryRow(ctx, `SELECT key_version, content FROM prenote_file WHERE id = id_of($1)`, id).Scan(&version, &content); err != nil {
		return f, nil, fmt.Errorf("read the prenotes %s: %w", id, err)
	}
	content, err = s.keys.decryptFile(version, content, prenoteSecret(f.SHA256), f.SHA256)
	return f, content, err
}

// ConfirmPrenotes notes, once, that a person has taken a file of prenotes to the bank, and from
// which day its accounts may be paid.
func (s *Store) ConfirmPrenotes(ctx context.Context, actor, id string, triedOn incentive.Date) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE prenote_file SET confirmed_by = $2, confirmed_at = now(), tried_on = $3 WHERE id = id_of($1) AND confirmed_at IS NULL`, id, actor, triedOn)
		if err != nil {
			return fmt.Errorf("confirm the prenotes %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit(ctx, tx, actor, "confirm-prenotes", "prenote-file/"+id, struct {
			TriedOn incentive.Date `json:"tried_on"`
		}{triedOn})
	})
}

// PrenotesUnderWay are the files of prenotes that were taken to the bank and whose days are not over.
func (s *Store) PrenotesUnderWay(ctx context.Context) (ids []string, err error) {
	if err = collect(ctx, s.pool, &ids, `SELECT id::text FROM prenote_file WHERE confirmed_at IS NOT NULL AND passed_at IS NULL ORDER BY built_at, id`, pgx.RowTo[string]); err != nil {
		err = fmt.Errorf("list the prenotes under way: %w", err)
	}
	return ids, err
}

// PassPrenotes lets the accounts of a file be paid of which nothing has come back, once. It
// returns which disbursements have to hear of it.
func (s *Store) PassPrenotes(ctx context.Context, id string) (tell []Disbursing, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		tell = nil
		tag, err := tx.Exec(ctx, `UPDATE prenote_file SET passed_at = now() WHERE id = id_of($1) AND confirmed_at IS NOT NULL AND passed_at IS NULL`, id)
		if err != nil {
			return fmt.Errorf("pass the prenotes %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		var accounts []int64
		err = collect(ctx, tx, &accounts, `
			SELECT a.id FROM prenote p JOIN rail_account a ON a.id = p.rail_account_id
			WHERE p.file_id = id_of($1) AND a.state = 'submitted' AND NOT EXISTS (SELECT FROM prenote_outcome o WHERE o.prenote_id = p.id AND o.effect <> 'none') ORDER BY a.id`, pgx.RowTo[int64], id)
		if err != nil {
			return fmt.Errorf("list the accounts of the prenotes %s: %w", id, err)
		}
		if tell, err = noteStanding(ctx, tx, readyAccount, accounts...); err != nil {
			return err
		}
		return audit(ctx, tx, System, "pass-prenotes", "prenote-file/"+id, struct {
			Accounts int `json:"accounts"`
		}{len(accounts)})
	})
	return tell, err
}

// answerPrenote does what a bank says of a prenote. A correction is for somebody to decide
// about; after anything else the account is not paid, which its owner is told.
func (s *Store) answerPrenote(ctx context.Context, tx pgx.Tx, fileID string, number int, rail, by string, o PayoutOutcome) (effect string, err error) {
	var account int64
	var participant, state string
	var latest bool
	err = tx.QueryRow(ctx, `
		SELECT a.id, a.participant_id, a.state, NOT EXISTS (SELECT FROM prenote l JOIN prenote_file lf ON lf.id = l.file_id JOIN prenote_file f ON f.id = p.file_id WHERE l.rail_account_id = a.id AND lf.built_at > f.built_at)
		FROM prenote p JOIN rail_account a ON a.id = p.rail_account_id WHERE p.id = id_of($1)`, o.Prenote.ID).Scan(&account, &participant, &state, &latest)
	if err != nil {
		return "", fmt.Errorf("read the prenote %s: %w", o.Prenote.ID, err)
	}
	switch {
	case !latest || state == openAccount || state == RefusedAccount: // it was named again, or is refused already
		effect = "none"
	case o.Correction != nil && !o.Unclear:
		effect, err = s.proposeCorrection(ctx, tx, fileID, number, by, participant, rail, o.Prenote.DestinationID, o)
	default:
		effect = "refused"
		if _, err = noteStanding(ctx, tx, RefusedAccount, account); err == nil {
			err = notify(ctx, tx, Notification{
				Recipient: participant,
				Kind:      notice.AccountRefused,
				Subject:   "participant/" + participant,
				Key:       "prenote/" + o.Prenote.ID,
			})
		}
	}
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO prenote_outcome (file_id, number, prenote_id, code, reason, said_on, effect) VALUES ($1::text::uuid, $2, $3::text::uuid, $4, $5, $6, $7)`,
		fileID, number, o.Prenote.ID, o.Code, o.Reason, o.On, effect)
	if err != nil {
		return "", fmt.Errorf("keep what the bank says of the prenote %s: %w", o.Prenote.ID, err)
	}
	return effect, nil
}

// refuseTried has an account refused that is tried before it is paid, where a payment to it shows that it
// is not good: its owner is told to name another one, or the same again.
func refuseTried(ctx context.Context, tx pgx.Tx, payout PaymentOrder, account int64) error {
	if _, err := noteStanding(ctx, tx, RefusedAccount, account); err != nil {
		return err
	}
	return notify(ctx, tx, Notification{
		Recipient: payout.ParticipantID,
		Kind:      notice.AccountRefused,
		Subject:   "participant/" + payout.ParticipantID,
		Key:       payout.posting("account-refused"),
	})
}

// tryAgain has the account of a destination tried anew where a correction by which its prenote
// was answered is refused.
func tryAgain(ctx context.Context, tx pgx.Tx, destination int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE rail_account a SET state = 'open' FROM destination d WHERE d.id = $1 AND d.rail_account_id = a.id AND a.account_index IS NOT NULL AND a.state = 'submitted'
			AND EXISTS (SELECT FROM prenote p JOIN prenote_outcome o ON o.prenote_id = p.id WHERE p.rail_account_id = a.id AND o.effect = 'correction')`, destination)
	if err != nil {
		return fmt.Errorf("have destination %d tried again: %w", destination, err)
	}
	return nil
}

// StopTrying lets accounts be paid that wait for a prenote of a rail which does not ask for them
// any more. It returns which disbursements have to hear of it.
func (s *Store) StopTrying(ctx context.Context, rail string) (tell []Disbursing, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var accounts []int64
		err := collect(ctx, tx, &accounts, `SELECT id FROM rail_account WHERE rail = $1 AND account_index IS NOT NULL AND state IN ('open', 'submitted') ORDER BY id`, pgx.RowTo[int64], rail)
		if err != nil || len(accounts) == 0 {
			return err
		}
		if tell, err = noteStanding(ctx, tx, readyAccount, accounts...); err != nil {
			return err
		}
		return audit(ctx, tx, System, "stop-trying", RailSubject(rail), struct {
			Accounts int `json:"accounts"`
		}{len(accounts)})
	})
	return tell, err
}

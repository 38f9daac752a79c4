package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// Token is a bearer token without its secret, which the database does not have.
type Token struct {
	ID        string // the SHA-256 of its secret
	Name      string
	Session   bool               // of the pages
	Only      []incentive.Action // what it may be used for; nil where for all that its owner may
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  *time.Time // to within useNoted; nil where it never was
}

// useNoted is how exactly the use of a token is noted.
const useNoted = 5 * time.Minute

// NewToken makes a bearer token for a participant, for some actions only where there are
// any, and returns its secret, which is never stored: the database has its SHA-256 alone.
func (s *Store) NewToken(ctx context.Context, actor, participantID, name string, lifetime time.Duration, only ...incentive.Action) (secret string, err error) {
	return s.newToken(ctx, actor, participantID, Token{Name: name, Only: only}, lifetime)
}

// NewSession makes a token for somebody who has signed in at the pages.
func (s *Store) NewSession(ctx context.Context, participantID string, lifetime time.Duration) (secret string, err error) {
	return s.newToken(ctx, participantID, participantID, Token{Name: "session", Session: true}, lifetime)
}

func (s *Store) newToken(ctx context.Context, actor, participantID string, t Token, lifetime time.Duration) (secret string, err error) {
	secret = "guerdon_" + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO api_token (hash, participant_id, name, session, actions, expires_at) VALUES ($1, $2, $3, $4, $5, now() + $6)`,
			hash[:], participantID, t.Name, t.Session, t.Only, lifetime)
		if constraint(err) == "api_token_participant_id_fkey" {
			return incentive.Errorf(incentive.CodeNotFound, "there is no participant %q", participantID)
		}
		if err != nil {
			return fmt.Errorf("keep a token: %w", err)
		}
		return audit(ctx, tx, actor, "make-token", "participant/"+participantID, struct {
			Hash string             `json:"hash"`
			Only []incentive.Action `json:"only,omitempty"`
		}{hex.EncodeToString(hash[:]), t.Only})
	})
	return secret, err
}

// Tokens lists the tokens of a participant that are worth something, sessions included,
// the newest first.
func (s *Store) Tokens(ctx context.Context, participantID string) ([]Token, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT encode(hash, 'hex'), name, session, actions, created_at, expires_at, last_used_at FROM api_token
		WHERE participant_id = $1 AND expires_at > now() ORDER BY created_at DESC, hash`, participantID)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Token, err error) {
		err = row.Scan(&t.ID, &t.Name, &t.Session, &t.Only, &t.CreatedAt, &t.ExpiresAt, &t.LastUsed)
		return t, err
	})
}

// OwnedToken is a token with whose it is.
type OwnedToken struct {
	Token
	ParticipantID, Name string
}

// AllTokens returns up to limit tokens that are worth something, of one participant or ("")
// of anybody, by their owner; sessions only where these are asked for. after is the owner and the
// id of the last one of the page before.
func (s *Store) AllTokens(ctx context.Context, participantID string, sessions bool, afterOwner, afterID string, limit int) ([]OwnedToken, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT encode(hash, 'hex'), t.name, session, actions, t.created_at, expires_at, last_used_at, participant_id, `+nameAt("t.participant_id", "company_today()")+` FROM api_token t
		WHERE expires_at > now() AND ($1 = '' OR participant_id = $1) AND ($2 OR NOT session) AND (participant_id COLLATE "C", encode(hash, 'hex')) > ($3, $4)
		ORDER BY participant_id COLLATE "C", encode(hash, 'hex') LIMIT $5`, participantID, sessions, afterOwner, afterID, limit)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (o OwnedToken, err error) {
		err = row.Scan(&o.ID, &o.Token.Name, &o.Session, &o.Only, &o.CreatedAt, &o.ExpiresAt, &o.LastUsed, &o.ParticipantID, &o.Name)
		return o, err
	})
}

// RevokeToken makes a token of a participant's worthless from now on.
func (s *Store) RevokeToken(ctx context.Context, actor, participantID, id string) error {
	ended, err := s.endTokens(ctx, actor, `participant_id = $1 AND encode(hash, 'hex') = $2`, participantID, id)
	if err == nil && ended == 0 {
		return incentive.Errorf(incentive.CodeNotFound, "%s has no such token any more", participantID)
	}
	return err
}

// EndToken makes a token worthless from now on. One that is unknown, or has expired, is no
// error.
func (s *Store) EndToken(ctx context.Context, secret string) error {
	hash := sha256.Sum256([]byte(secret))
	_, err := s.endTokens(ctx, "", `hash = $1`, hash[:])
	return err
}

// EndTokens makes every token of a participant worthless from now on.
func (s *Store) EndTokens(ctx context.Context, participantID string) error {
	_, err := s.endTokens(ctx, participantID, `participant_id = $1`, participantID)
	return err
}

// endTokens ends those tokens for which a condition holds, and records which; their owner
// did it where actor is empty.
func (s *Store) endTokens(ctx context.Context, actor, condition string, arguments ...any) (count int, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `UPDATE api_token SET expires_at = now() WHERE `+condition+` AND expires_at > now() RETURNING participant_id, encode(hash, 'hex')`, arguments...)
		if err != nil {
			return fmt.Errorf("end tokens: %w", err)
		}
		type ended struct{ participantID, hash string }
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e ended, err error) {
			err = row.Scan(&e.participantID, &e.hash)
			return e, err
		})
		if err != nil {
			return fmt.Errorf("end tokens: %w", err)
		}
		count = len(all)
		for _, e := range all {
			by := actor
			if by == "" {
				by = e.participantID
			}
			err := audit(ctx, tx, by, "end-token", "participant/"+e.participantID, struct {
				Hash string `json:"hash"`
			}{e.hash})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return count, err
}

// CodeNobody says that whoever signed in elsewhere is nobody here.
const CodeNobody incentive.Code = "nobody-here"

// ByEmail returns the participant whose record has an e-mail address, or an error of code
// CodeNobody where it is nobody's, or more than one participant's.
func (s *Store) ByEmail(ctx context.Context, email string) (participantID string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id FROM (SELECT DISTINCT ON (participant_id) participant_id AS id, email FROM participant_fact ORDER BY participant_id, effective_from DESC, version DESC) AS latest
		WHERE lower(email) = lower($1) AND email <> ''`, strings.TrimSpace(email))
	if err != nil {
		return "", fmt.Errorf("look an address up: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return "", fmt.Errorf("look an address up: %w", err)
	case len(ids) == 0:
		return "", incentive.Errorf(CodeNobody, "nobody here has the e-mail address %s: ask an administrator to import you with it", email)
	case len(ids) > 1:
		return "", incentive.Errorf(CodeNobody, "more than one person here has the e-mail address %s: ask an administrator to correct their records", email)
	}
	return ids[0], nil
}

package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/guerdon/guerdon/incentive"
)

// ChannelAudited is where the database tells of each new link of the audit chain; the
// payload is its subject.
const ChannelAudited = "audited"

// auditLock serialises the writers of the audit chain.
const auditLock = 0x67756572_01

// AuditEvent is one link of the audit chain, with the hash of the link before.
type AuditEvent struct {
	incentive.AuditEntry
	PreviousHash []byte
	Hash         []byte
}

func (e AuditEvent) hashOf() []byte {
	hash := incentive.AuditHash(e.PreviousHash, e.Digest())
	return hash[:]
}

// audit appends to the chain, in the transaction of the act itself. body must marshal
// to JSON of ids, digests and counts; a struct keeps the order of its fields.
func audit(ctx context.Context, tx pgx.Tx, actor, act, subject string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write the audit body of %s: %w", act, err)
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, auditLock); err != nil {
		return fmt.Errorf("take the audit chain's lock: %w", err)
	}
	event := AuditEvent{AuditEntry: incentive.AuditEntry{Number: 1, Actor: actor, Act: act, Subject: subject, Body: string(encoded)}, PreviousHash: []byte{}}
	err = tx.QueryRow(ctx, `SELECT number + 1, hash FROM audit_event ORDER BY number DESC LIMIT 1`).Scan(&event.Number, &event.PreviousHash)
	if err != nil && err != pgx.ErrNoRows {
		return fmt.Errorf("read the end of the audit chain: %w", err)
	}
	if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&event.At); err != nil {
		return err
	}
	event.Hash = event.hashOf()
	_, err = tx.Exec(ctx, `INSERT INTO audit_event (number, at, actor, act, subject, body, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		event.Number, event.At, event.Actor, event.Act, event.Subject, event.Body, event.PreviousHash, event.Hash)
	if err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	return nil
}

// AuditEvents returns up to limit events after a number, of one subject or ("") of all.
func (s *Store) AuditEvents(ctx context.Context, subject string, after int64, limit int) ([]AuditEvent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT number, at, actor, act, subject, body, previous_hash, hash FROM audit_event
		WHERE number > $1 AND ($2 = '' OR subject = $2) ORDER BY number LIMIT $3`, after, subject, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit chain: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AuditEvent])
}

// CodeChainBroken says that the audit chain has been tampered with.
const CodeChainBroken incentive.Code = "audit-chain-broken"

// VerifyAudit recomputes the whole chain and returns how many links it has and the hash
// of the last. An altered, missing or inserted link is an error of code CodeChainBroken
// that names its number.
func (s *Store) VerifyAudit(ctx context.Context) (links int64, head []byte, err error) {
	head = []byte{}
	for {
		events, err := s.AuditEvents(ctx, "", links, 1000)
		if err != nil {
			return 0, nil, err
		}
		for _, e := range events {
			switch {
			case e.Number != links+1:
				return 0, nil, incentive.Errorf(CodeChainBroken, "the audit chain has no link %d", links+1)
			case !bytes.Equal(e.PreviousHash, head), !bytes.Equal(e.Hash, e.hashOf()):
				return 0, nil, incentive.Errorf(CodeChainBroken, "link %d of the audit chain has been altered", e.Number)
			}
			links, head = e.Number, e.Hash
		}
		if len(events) == 0 {
			return links, head, nil
		}
	}
}

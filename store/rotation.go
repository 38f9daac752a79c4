package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// encrypted are the tables that hold what is encrypted: how a row is named, its encrypted
// column, and for what it is sealed.
var encrypted = []struct{ table, row, column, about string }{
	{"destination", "id::text", "details", "'destination/' || participant_id"},
	{"index_key", "name", "sealed", "'index-key/' || name"},
	{"destination_correction", "id::text", "details", "'destination/' || participant_id"},
	{"redemption", "id::text", "details", "'destination/' || participant_id"},
	{"status_file", "id::text", "content", "'status-file/' || encode(sha256, 'hex')"},
	{"prenote_file", "id::text", "content", "'prenote-file/' || encode(sha256, 'hex')"},
	{"rail_event", "number::text", "content", "'rail-event/' || rail || '/' || event_id"},
}

// rotationBatch is how many values are written anew at a time.
const rotationBatch = 500

// RotateKeys writes everything that an older key has encrypted anew with the newest one, so
// that the older ones can be thrown away, and returns how many values it wrote. It may be
// stopped and run again at any time, also while people and workers go on.
func (s *Store) RotateKeys(ctx context.Context) (written int, err error) {
	for _, e := range encrypted {
		for more := true; more; {
			batch := 0
			err := s.inTx(ctx, func(tx pgx.Tx) error {
				batch, err = s.rotate(ctx, tx, e.table, e.row, e.column, e.about)
				if err != nil || batch == 0 {
					return err
				}
				return audit(ctx, tx, System, "rotate-keys", "encrypted/"+e.table, struct {
					Key    int `json:"key_version"`
					Values int `json:"values"`
				}{s.keys.newest, batch})
			})
			if err != nil {
				return written, fmt.Errorf("encrypt %s anew: %w", e.table, err)
			}
			written += batch
			more = batch > 0
		}
	}
	return written, nil
}

func (s *Store) rotate(ctx context.Context, tx pgx.Tx, table, row, column, about string) (int, error) {
	type value struct {
		row, about string
		version    int
		sealed     []byte
	}
	var values []value
	err := collect(ctx, tx, &values, `SELECT `+row+`, `+about+`, key_version, `+column+` FROM `+table+` WHERE key_version < $1 ORDER BY 1 LIMIT $2 FOR UPDATE`,
		func(r pgx.CollectableRow) (v value, err error) {
			err = r.Scan(&v.row, &v.about, &v.version, &v.sealed)
			return v, err
		}, s.keys.newest, rotationBatch)
	if err != nil {
		return 0, err
	}
	rows, sealed := make([]string, len(values)), make([][]byte, len(values))
	for i, v := range values {
		plain, err := s.keys.decrypt(v.version, v.sealed, v.about)
		if err != nil {
			return 0, err
		}
		rows[i] = v.row
		if _, sealed[i], err = s.keys.encrypt(plain, v.about); err != nil {
			return 0, err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE `+table+` SET key_version = $1, `+column+` = given.sealed FROM unnest($2::text[], $3::bytea[]) given (named, sealed) WHERE `+row+` = given.named`, s.keys.newest, rows, sealed)
	return len(values), err
}

-- +goose Up

-- A dispute may end long after its period: its histories are an archive of their own.
ALTER TABLE archived_history ADD COLUMN dispute_id uuid REFERENCES dispute;
CREATE INDEX archived_history_dispute ON archived_history (dispute_id) WHERE dispute_id IS NOT NULL;

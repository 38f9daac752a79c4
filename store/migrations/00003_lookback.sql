-- +goose Up

-- What a plan that looks back needs of the time before a period, and what a line is in
-- the ledger.

ALTER TABLE snapshot ADD COLUMN since date; -- NULL: the period's first day
ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check
    CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'posted'));
ALTER TABLE line ADD COLUMN kind text NOT NULL DEFAULT 'earning' CHECK (kind IN ('earning', 'draw'));

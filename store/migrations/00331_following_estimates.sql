-- +goose Up

-- Estimates that are wanted only because somebody else competes: they wait for those that are
-- touched themselves.
ALTER TABLE estimate_wanted ADD COLUMN follows boolean NOT NULL DEFAULT false;
DROP INDEX estimate_wanted_by_due;
CREATE INDEX estimate_wanted_by_due ON estimate_wanted (follows, due_at);
CREATE INDEX estimate_wanted_next ON estimate_wanted (due_at);

-- +goose Up

-- A payout pays what a participant is owed: what this period's approval made payable and
-- what earlier ones left.
ALTER TABLE payout ADD COLUMN carried_minor bigint NOT NULL DEFAULT 0;

-- +goose Up

-- Accounts of participants at rails where they say themselves what the rail asks for: nothing
-- is sent to one that the rail does not call ready. One without an account is being opened,
-- by its key.
CREATE TABLE rail_account (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    rail           text NOT NULL,
    key            uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    opened         boolean NOT NULL, -- by us; otherwise the participant has named it
    account        text,
    state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'submitted', 'ready')),
    checked_at     timestamptz, -- when the rail was last asked
    UNIQUE (participant_id, rail, account)
);
CREATE UNIQUE INDEX rail_account_opened ON rail_account (participant_id, rail) WHERE opened;
CREATE INDEX rail_account_by_account ON rail_account (rail, account);
ALTER TABLE destination ADD COLUMN rail_account_id bigint REFERENCES rail_account;

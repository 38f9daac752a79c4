-- +goose Up

-- A token says whether it is a session of the pages, and what it may be used for: all that
-- its owner may where actions is null.
ALTER TABLE api_token
    ADD COLUMN session boolean NOT NULL DEFAULT false,
    ADD COLUMN actions text[] CHECK (cardinality(actions) > 0);
CREATE INDEX api_token_by_participant ON api_token (participant_id);

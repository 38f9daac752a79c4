-- +goose Up

-- Accounts that a rail tries before it pays to them are kept beside those that people have at rails,
-- named by the digest of the account: open until a prenote is written, submitted while the bank may
-- send it back, then ready or refused.
ALTER TABLE rail_account DROP CONSTRAINT rail_account_state_check;
ALTER TABLE rail_account ADD CONSTRAINT rail_account_state_check CHECK (state IN ('open', 'submitted', 'ready', 'refused'));
ALTER TABLE rail_account ADD COLUMN account_index bytea; -- of one that is tried; of others the rail is asked how they stand
ALTER TABLE rail_account ADD CONSTRAINT rail_account_tried UNIQUE (participant_id, rail, account_index);

-- Prenotes, entries of nothing that try accounts: a file of them is taken to the bank as a payment
-- file is.
CREATE TABLE prenote_file (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rail         text NOT NULL,
    name         text NOT NULL,
    message_id   text NOT NULL UNIQUE,
    key_version  integer NOT NULL,
    content      bytea NOT NULL, -- encrypted
    sha256       bytea NOT NULL,
    accounts     integer NOT NULL CHECK (accounts > 0),
    effective_on date NOT NULL, -- for when the bank is asked to pass it on
    built_by     text NOT NULL REFERENCES participant,
    built_at     timestamptz NOT NULL DEFAULT now(),
    confirmed_by text REFERENCES participant,
    confirmed_at timestamptz, -- taken to the bank
    tried_on     date,        -- accounts of which nothing has come back may be paid from then on
    passed_at    timestamptz, -- since when they may
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL) AND (confirmed_by IS NULL) = (tried_on IS NULL))
);
CREATE TABLE prenote (
    id              uuid PRIMARY KEY,
    file_id         uuid NOT NULL REFERENCES prenote_file,
    rail_account_id bigint NOT NULL REFERENCES rail_account,
    destination_id  bigint NOT NULL REFERENCES destination, -- as it was then
    trace           text NOT NULL,                          -- by which the bank speaks of it
    UNIQUE (file_id, trace)
);
CREATE INDEX prenote_by_trace ON prenote (trace);
CREATE INDEX prenote_of_account ON prenote (rail_account_id);

-- What banks say of prenotes.
CREATE TABLE prenote_outcome (
    file_id    uuid NOT NULL REFERENCES status_file,
    number     integer NOT NULL, -- its place in the file
    prenote_id uuid NOT NULL REFERENCES prenote,
    code       text NOT NULL,
    reason     text NOT NULL,
    said_on    date,
    effect     text NOT NULL CHECK (effect IN ('none', 'refused', 'correction')),
    PRIMARY KEY (file_id, number)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['prenote', 'prenote_outcome'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

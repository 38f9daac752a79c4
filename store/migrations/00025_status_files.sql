-- +goose Up

-- What a bank says of payment files: each of its files as it came, once, and what was
-- said in it of each payout with what that changed.
CREATE TABLE status_file (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    rail        text NOT NULL,
    name        text NOT NULL,
    sha256      bytea NOT NULL,
    key_version integer NOT NULL,
    content     bytea NOT NULL, -- encrypted: it holds names and accounts; see store.Keys
    uploaded_by text NOT NULL REFERENCES participant,
    uploaded_at timestamptz NOT NULL DEFAULT now(),
    foreign_outcomes integer NOT NULL DEFAULT 0, -- of payments that are not ours
    applied_at  timestamptz,
    UNIQUE (rail, sha256)
);

CREATE TABLE payout_outcome (
    file_id   uuid NOT NULL REFERENCES status_file,
    number    integer NOT NULL, -- its place in the file
    payout_id uuid NOT NULL REFERENCES payout,
    state     text NOT NULL CHECK (state IN ('', 'submitted', 'paid', 'refused', 'returned')),
    code      text NOT NULL,    -- the bank's
    reason    text NOT NULL,    -- in words
    said_on   date,
    effect    text NOT NULL CHECK (effect IN ('none', 'submitted', 'paid', 'failed', 'returned', 'unclear')),
    PRIMARY KEY (file_id, number, payout_id)
);
CREATE INDEX payout_outcome_by_payout ON payout_outcome (payout_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON payout_outcome FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON payout_outcome FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What a rail had taken may come back: as often as it did, its postings have been reversed.
ALTER TABLE payout ADD COLUMN times_back integer NOT NULL DEFAULT 0 CHECK (times_back >= 0);

ALTER TABLE payout_attempt DROP CONSTRAINT payout_attempt_state_check;
ALTER TABLE payout_attempt ADD CONSTRAINT payout_attempt_state_check CHECK (state IN ('intended', 'sent', 'confirmed', 'rejected', 'unknown', 'returned'));
ALTER TABLE payout_attempt DROP CONSTRAINT payout_attempt_check1;
ALTER TABLE payout_attempt ADD CONSTRAINT payout_attempt_check1 CHECK ((state IN ('confirmed', 'rejected', 'returned')) = (finished_at IS NOT NULL));
DROP INDEX one_live_attempt;
CREATE UNIQUE INDEX one_live_attempt ON payout_attempt (payout_id) WHERE state NOT IN ('rejected', 'returned');

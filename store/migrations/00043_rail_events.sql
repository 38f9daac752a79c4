-- +goose Up

-- What a rail tells of a payment is kept as it came, and once only; what a look-up at the
-- rail then changed stands beside it.
ALTER TABLE rail_event
    ADD COLUMN number      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN account     text NOT NULL DEFAULT '', -- the recipient's at the rail, where the event is about one
    ADD COLUMN claims      text NOT NULL DEFAULT '', -- the state of the attempt that the event speaks of: no proof
    ADD COLUMN happened_at timestamptz,              -- by the rail's clock
    ADD COLUMN key_version integer,
    ADD COLUMN content     bytea;                    -- encrypted: it may hold names; see store.Keys

CREATE TABLE rail_event_outcome (
    event      bigint PRIMARY KEY REFERENCES rail_event (number),
    payout_id  uuid REFERENCES payout, -- NULL: the event is about no payout of ours
    effect     text NOT NULL CHECK (effect IN ('none', 'not-ours', 'submitted', 'paid', 'failed', 'returned', 'unclear')),
    applied_at timestamptz NOT NULL DEFAULT now(),
    CHECK (effect IN ('none', 'not-ours') OR payout_id IS NOT NULL)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rail_event_outcome FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON rail_event_outcome FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE INDEX payout_attempt_by_rail_id ON payout_attempt (rail_id) WHERE rail_id <> '';

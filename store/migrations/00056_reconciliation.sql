-- +goose Up

-- What a comparison of our record with a rail's, for one day, found. It may be made again:
-- each stands as it was.
CREATE TABLE reconciliation (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE, -- made once only
    rail        text NOT NULL,
    day         date NOT NULL,        -- in the company's zone
    run_by      text NOT NULL,        -- a participant, or system for that of each day
    run_at      timestamptz NOT NULL DEFAULT now(),
    agreed      integer NOT NULL CHECK (agreed >= 0),
    differences integer NOT NULL CHECK (differences >= 0)
);
CREATE INDEX reconciliation_by_rail ON reconciliation (rail, day);

CREATE TABLE reconciliation_total (
    reconciliation_id bigint NOT NULL REFERENCES reconciliation,
    currency          text NOT NULL,
    ours              integer NOT NULL, -- payments of the day that the rail has by our record
    ours_minor        bigint NOT NULL,
    theirs            integer NOT NULL, -- and by the rail's
    theirs_minor      bigint NOT NULL,
    in_transit_minor  bigint NOT NULL,  -- what the ledger has with the rail
    submitted_minor   bigint NOT NULL,  -- what payouts are submitted and not paid
    available_minor   bigint,           -- what the rail could pay out; NULL where it does not say
    PRIMARY KEY (reconciliation_id, currency)
);

CREATE TABLE reconciliation_difference (
    reconciliation_id bigint NOT NULL REFERENCES reconciliation,
    number            integer NOT NULL CHECK (number > 0),
    kind              text NOT NULL CHECK (kind IN ('missing-there', 'missing-here', 'amount-differs', 'state-differs', 'ledger-differs')),
    reference         text NOT NULL,    -- what the rail knows the payment by
    rail_id           text NOT NULL,    -- what it calls it
    payout_id         uuid REFERENCES payout,
    our_state         text NOT NULL,
    our_minor         bigint,
    their_state       text NOT NULL,
    their_minor       bigint,
    currency          text NOT NULL,
    PRIMARY KEY (reconciliation_id, number)
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['reconciliation', 'reconciliation_total', 'reconciliation_difference'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE INDEX payout_attempt_by_sent ON payout_attempt (sent_at);

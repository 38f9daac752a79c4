-- +goose Up

-- Who asked for a result to be proved again, and what was found.
CREATE TABLE verification (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key            text NOT NULL UNIQUE,      -- asked for once only
    period_id      text NOT NULL,
    revision       integer NOT NULL,
    participant_id text REFERENCES participant, -- whose statement; NULL for everybody's
    asked_by       text NOT NULL REFERENCES participant,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);
CREATE INDEX verification_by_period ON verification (period_id, revision, id);

CREATE TABLE verification_result (
    verification_id bigint PRIMARY KEY REFERENCES verification,
    ended_at        timestamptz NOT NULL DEFAULT now(),
    proved          boolean NOT NULL, -- no check failed
    report          text NOT NULL,    -- JSON
    sha256          bytea NOT NULL    -- of the report; the audit chain names it
);

-- How far a verification under way has come. It is written over, and gone once there is a result.
CREATE TABLE verification_progress (
    verification_id bigint PRIMARY KEY REFERENCES verification,
    "check"         text NOT NULL,
    done            integer NOT NULL, -- statements, where they are what is checked
    total           integer NOT NULL
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['verification', 'verification_result'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

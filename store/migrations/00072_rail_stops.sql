-- +goose Up

-- A rail sends nothing more of a revision from when it is stopped until a person has decided.
CREATE TABLE rail_stop (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    period_id       text NOT NULL,
    revision        integer NOT NULL,
    rail            text NOT NULL,
    code            text NOT NULL CHECK (code <> ''),
    currency        text,   -- of a balance that was too small: what was there, and what was to be paid
    available_minor bigint,
    needed_minor    bigint,
    stopped_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision,
    CHECK ((currency IS NULL) = (available_minor IS NULL) AND (currency IS NULL) = (needed_minor IS NULL))
);
CREATE INDEX rail_stop_of_period ON rail_stop (period_id, revision, rail);
CREATE TABLE rail_stop_decision (
    stop_id    uuid PRIMARY KEY REFERENCES rail_stop,
    decision   text NOT NULL CHECK (decision IN ('resumed', 'set-aside')),
    decided_by text NOT NULL REFERENCES participant,
    reason_id  uuid NOT NULL REFERENCES free_text,
    decided_at timestamptz NOT NULL DEFAULT now()
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['rail_stop', 'rail_stop_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

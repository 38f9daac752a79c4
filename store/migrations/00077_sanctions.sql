-- +goose Up

-- Lists of whom the company must not pay: each version whole, as it was handed in.
CREATE TABLE sanctions_list (
    name     text NOT NULL,
    version  integer NOT NULL CHECK (version > 0),
    document text NOT NULL,
    entries  integer NOT NULL,
    set_by   text NOT NULL REFERENCES participant,
    set_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
-- Who was found not to be an entry of a list, under the name that they had then.
CREATE TABLE sanctions_clearance (
    participant_id text NOT NULL REFERENCES participant,
    name           text NOT NULL,
    entry          text NOT NULL,
    payout_id      uuid NOT NULL,
    cleared_by     text NOT NULL REFERENCES participant CONSTRAINT nobody_clears_themselves CHECK (cleared_by <> participant_id),
    reason_id      uuid NOT NULL REFERENCES free_text,
    cleared_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (participant_id, name, entry)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sanctions_list', 'sanctions_clearance'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd
ALTER TABLE payout ADD COLUMN listed_as text[] NOT NULL DEFAULT '{}';

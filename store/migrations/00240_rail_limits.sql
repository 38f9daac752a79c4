-- +goose Up

-- What an administrator lets a rail do; the latest version counts. Without a row it does what it
-- bears by itself.
CREATE TABLE rail_limit (
    rail       text NOT NULL,
    version    integer NOT NULL CHECK (version > 0),
    per_second numeric CHECK (per_second > 0 AND per_second <= 1000), -- calls; null: as many as it bears
    set_by     text NOT NULL REFERENCES participant,
    reason_id  uuid NOT NULL REFERENCES free_text,
    set_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rail, version)
);

-- The largest payout in a currency. Where a version has any, other currencies are held.
CREATE TABLE rail_limit_largest (
    rail         text NOT NULL,
    version      integer NOT NULL,
    currency     text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (rail, version, currency),
    FOREIGN KEY (rail, version) REFERENCES rail_limit
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['rail_limit', 'rail_limit_largest'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

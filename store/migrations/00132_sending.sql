-- +goose Up
-- Nothing is sent from a database that somebody has put back as it was before, until finance has
-- compared it with what the rails have done since.

-- database_now says which database this is: another one after a restore by another server, from a
-- backup with its log, as a copy, or from a dump.
-- +goose StatementBegin
CREATE FUNCTION database_now() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE server text := ''; line text := '';
BEGIN
    BEGIN -- not every service lets these be asked
        SELECT system_identifier::text INTO server FROM pg_control_system();
        line := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    RETURN concat_ws('/', server, line, (SELECT oid FROM pg_database WHERE datname = current_database()), 'guerdon.payout_attempt'::regclass::oid);
END $$;
-- +goose StatementEnd

-- From which database payouts may be sent: the last row counts.
CREATE TABLE sending_clearance (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    database   text NOT NULL,
    cleared_by text REFERENCES participant, -- nobody of a new one
    reason_id  uuid REFERENCES free_text,
    cleared_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((cleared_by IS NULL) = (reason_id IS NULL))
);
INSERT INTO sending_clearance (database) VALUES (database_now());

-- Why nothing is sent: it holds until the next clearance.
CREATE TABLE sending_lock (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code      text NOT NULL CHECK (code IN ('restored', 'foreign-payments')),
    rail      text NOT NULL DEFAULT '', -- that has payments which are not on record
    payments  integer NOT NULL DEFAULT 0,
    sent_last timestamptz, -- by the record, when it was noticed
    locked_at timestamptz NOT NULL DEFAULT clock_timestamp() -- that of the transaction may be before a clearance
);

CREATE FUNCTION sending_locked() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT c.database <> guerdon.database_now() OR EXISTS (SELECT FROM guerdon.sending_lock l WHERE l.locked_at > c.cleared_at)
    FROM guerdon.sending_clearance c ORDER BY c.id DESC LIMIT 1
$$;

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sending_clearance', 'sending_lock'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

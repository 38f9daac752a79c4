-- +goose Up

-- What participants are relieved of: a part of a quota between two days, an amount or a share. A
-- row is a version; an amount or share of 0 takes the relief back.
CREATE TABLE quota_relief (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    measure        text NOT NULL,
    starts_on      date NOT NULL,
    cause          text NOT NULL CHECK (cause IN ('leave', 'territory', 'account', 'other')),
    version        integer NOT NULL,
    ends_on        date NOT NULL CHECK (ends_on >= starts_on),
    amount         numeric CHECK (amount >= 0),
    share          numeric CHECK (share BETWEEN 0 AND 1),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(amount, share) = 1),
    UNIQUE (participant_id, measure, starts_on, cause, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON quota_relief FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON quota_relief FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER touches_estimates AFTER INSERT ON quota_relief REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION touches_estimates();

-- A snapshot takes them, besides whatever else it takes; in an amendment they go with the quotas of
-- their participant.
-- +goose StatementBegin
DO $$
DECLARE said text;
BEGIN
    SELECT replace(pg_get_constraintdef(oid), 'ARRAY[', 'ARRAY[''relief''::text, ') INTO said FROM pg_constraint WHERE conname = 'snapshot_record_kind_check';
    ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
    EXECUTE 'ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check ' || said;
END $$;
-- +goose StatementEnd

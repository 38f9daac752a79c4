-- +goose Up

-- Manual objectives of a participant in a period. A row is a version: what was set, or
-- scored, is corrected by another one. A weight of 0 withdraws it.
CREATE TABLE objective (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    period_id      text NOT NULL REFERENCES pay_period,
    name           text NOT NULL CHECK (name <> ''),
    version        integer NOT NULL,
    weight         numeric NOT NULL CHECK (weight BETWEEN 0 AND 1),
    description    text NOT NULL,
    score          numeric CHECK (score >= 0),
    reason_id      uuid REFERENCES free_text, -- why the score is what it is
    entered_by     text NOT NULL REFERENCES participant,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (entered_by <> participant_id),
    CHECK (score IS NULL OR reason_id IS NOT NULL),
    UNIQUE (period_id, participant_id, name, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON objective FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON objective FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER touches_estimates AFTER INSERT ON objective REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION touches_estimates();

-- A snapshot takes them, besides whatever else it takes.
-- +goose StatementBegin
DO $$
DECLARE said text;
BEGIN
    SELECT replace(pg_get_constraintdef(oid), 'ARRAY[', 'ARRAY[''objective''::text, ') INTO said FROM pg_constraint WHERE conname = 'snapshot_record_kind_check';
    ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
    EXECUTE 'ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check ' || said;
END $$;
-- +goose StatementEnd

CREATE VIEW current_objective AS
SELECT DISTINCT ON (period_id, participant_id, name) * FROM objective ORDER BY period_id, participant_id, name, version DESC;

-- +goose Up

-- A line may put off what was earned, or pay what was put off.
ALTER TABLE line DROP CONSTRAINT line_kind_check, ADD CONSTRAINT line_kind_check CHECK (kind IN ('earning', 'draw', 'holdback'));

-- What one unit of a currency is worth in another on a day, as a source says.
CREATE TABLE exchange_rate (
    record_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rate_source   text NOT NULL,
    from_currency text NOT NULL,
    to_currency   text NOT NULL CHECK (to_currency <> from_currency),
    date          date NOT NULL,
    version       integer NOT NULL,
    rate          numeric NOT NULL CHECK (rate > 0),
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (rate_source, from_currency, to_currency, date, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON exchange_rate FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON exchange_rate FOR EACH STATEMENT EXECUTE FUNCTION append_only();

ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check
    CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'posted', 'adjustment', 'exchange_rate'));
ALTER TABLE amendment_item DROP CONSTRAINT amendment_item_kind_check;
ALTER TABLE amendment_item ADD CONSTRAINT amendment_item_kind_check
    CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan', 'posted', 'adjustment', 'exchange_rate'));

-- What somebody is credited with is looked up for their statement.
CREATE INDEX credit_of_participant ON credit (participant_id);

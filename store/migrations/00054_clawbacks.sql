-- +goose Up

-- A refund or cancellation is a transaction that names the one it gives back.
ALTER TABLE transaction ADD COLUMN refund_of text NOT NULL DEFAULT '' CHECK (refund_of <> transaction_id);
CREATE INDEX transaction_by_refunded ON transaction (source, refund_of) WHERE refund_of <> '';

-- A line may put off what is taken back, or take it.
ALTER TABLE line DROP CONSTRAINT line_kind_check, ADD CONSTRAINT line_kind_check CHECK (kind IN ('earning', 'draw', 'holdback', 'clawback'));

-- paid: a line of an earlier period that may be taken back; refunded: an earlier transaction
-- that is refunded or cancelled, or its refund.
ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check
    CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'posted', 'correction', 'corrected', 'adjustment', 'exchange_rate', 'paid', 'refunded'));

-- A refund touches whom the transactions touch that any version of it gives back.
-- +goose StatementBegin
CREATE FUNCTION refund_touches_estimates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'participant', c.participant_id
        FROM added a JOIN transaction t USING (source, transaction_id) JOIN credit c ON c.source = t.source AND c.transaction_id = t.refund_of WHERE t.refund_of <> '';
    INSERT INTO estimate_touched (kind, subject, source) SELECT DISTINCT 'transaction', t.refund_of, t.source
        FROM added a JOIN transaction t USING (source, transaction_id) WHERE t.refund_of <> '';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER refund_touches_estimates AFTER INSERT ON transaction REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refund_touches_estimates();

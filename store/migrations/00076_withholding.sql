-- +goose Up

-- What was kept as tax of what a period made payable to somebody, each time that payouts were
-- planned: base is what the period had made payable to them by then.
CREATE TABLE withholding (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id      text NOT NULL,
    revision       integer NOT NULL,
    supplement     integer NOT NULL,
    of_period_id   text NOT NULL REFERENCES pay_period,
    participant_id text NOT NULL REFERENCES participant,
    currency       text NOT NULL,
    base_minor     bigint NOT NULL,
    rate           numeric NOT NULL CHECK (rate BETWEEN 0 AND 1),
    amount_minor   bigint NOT NULL,
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);
CREATE INDEX withholding_of_period ON withholding (of_period_id, participant_id, currency);
CREATE INDEX withholding_by_list ON withholding (period_id, revision, supplement, participant_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON withholding FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON withholding FOR EACH STATEMENT EXECUTE FUNCTION append_only();

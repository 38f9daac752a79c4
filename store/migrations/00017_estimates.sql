-- +goose Up

-- What people's statements of open periods come to as things stand.
CREATE TABLE estimate (
    period_id      text NOT NULL REFERENCES pay_period,
    participant_id text NOT NULL REFERENCES participant,
    problem        text NOT NULL, -- why there is none; '' where there is one
    currency       text NOT NULL,
    total_minor    bigint NOT NULL,
    booked_minor   bigint NOT NULL, -- of it, by what is dated up to the day of the calculation
    digest         bytea NOT NULL,  -- what a statement of a run would have
    lines          json NOT NULL,
    progress       json NOT NULL,
    changes_on     date,            -- the day on which more of it is booked, without anything that is new
    calculated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (period_id, participant_id)
);
CREATE INDEX estimate_that_changes ON estimate (changes_on);

-- Whose estimates are to be calculated again. Only whoever calculates estimates writes it.
CREATE TABLE estimate_wanted (
    period_id      text NOT NULL,
    participant_id text NOT NULL,
    due_at         timestamptz NOT NULL,
    PRIMARY KEY (period_id, participant_id)
);
CREATE INDEX estimate_wanted_by_due ON estimate_wanted (due_at);

-- What has changed, as it was written down together with the change, and whom it touches
-- has not been looked into yet. Nothing here is unique, so that nobody waits for anybody.
CREATE TABLE estimate_touched (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text NOT NULL CHECK (kind IN ('participant', 'structure', 'transaction', 'plan', 'period', 'rates')),
    subject text NOT NULL,
    source  text NOT NULL DEFAULT '' -- of a transaction
);

-- +goose StatementBegin
CREATE FUNCTION touches_estimates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'transaction' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'participant', c.participant_id FROM added a JOIN credit c USING (source, transaction_id);
        INSERT INTO estimate_touched (kind, subject, source) SELECT 'transaction', transaction_id, source FROM added;
    WHEN 'credit' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'participant', participant_id FROM added;
        INSERT INTO estimate_touched (kind, subject, source) SELECT DISTINCT 'transaction', transaction_id, source FROM added;
    WHEN 'participant_fact', 'assignment' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'structure', participant_id FROM added;
    WHEN 'plan_version' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'plan', plan_id FROM added;
    WHEN 'period_revision' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'period', period_id FROM added;
    WHEN 'exchange_rate' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'rates', rate_source FROM added;
    ELSE
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'participant', participant_id FROM added;
    END CASE;
    PERFORM pg_notify('estimate_touched', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['transaction', 'credit', 'participant_fact', 'assignment', 'plan_version', 'period_revision', 'exchange_rate', 'quota', 'posted_line', 'adjustment_decision'] LOOP
        EXECUTE format('CREATE TRIGGER touches_estimates AFTER INSERT ON %I REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION touches_estimates()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Somebody's own records and those of their team are looked up for their estimate.
CREATE INDEX posted_line_by_participant ON posted_line (participant_id);
CREATE INDEX participant_fact_by_manager ON participant_fact (manager_id);
CREATE INDEX assignment_by_plan ON assignment (plan_id);

-- Periods that are open already.
INSERT INTO estimate_touched (kind, subject) SELECT 'period', period_id FROM period_revision WHERE state = 'open';

-- +goose Up

-- What everybody who competes has come to in a contest of an open period, in all and by what is
-- booked, and where their estimate says that they stand: whoever stands elsewhere is calculated again.
-- Only whoever calculates estimates writes it.
CREATE TABLE estimate_entrant (
    period_id      text NOT NULL,
    booked         boolean NOT NULL,
    plan_id        text NOT NULL,
    component      text NOT NULL,
    participant_id text NOT NULL,
    total          numeric NOT NULL, -- of the measure
    unit           numeric NOT NULL, -- the quota, or one
    qualified      boolean NOT NULL,
    last_source    text NOT NULL, -- the transaction by which the total was reached; '' where there is none
    last_id        text NOT NULL,
    last_on        date,
    problem        text NOT NULL, -- why they could not be measured; '' where they were
    standing       text NOT NULL,
    PRIMARY KEY (period_id, booked, plan_id, component, participant_id)
);
CREATE INDEX estimate_entrant_by_participant ON estimate_entrant (period_id, participant_id);

-- Periods that are open already.
INSERT INTO estimate_touched (kind, subject) SELECT 'period', period_id FROM period_revision WHERE state = 'open';

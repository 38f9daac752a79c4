-- +goose Up

-- Quotas that are proposed for everybody on a plan over a future interval.
CREATE TABLE target_proposal (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    plan_id     text NOT NULL,
    measure     text NOT NULL,
    currency    text NOT NULL, -- of the deals that count as history
    starts_on   date NOT NULL,
    ends_on     date NOT NULL CHECK (ends_on >= starts_on),
    method      text NOT NULL CHECK (method IN ('last-year', 'evenly', 'capacity', 'growth')),
    target      numeric NOT NULL CHECK (target >= 0),
    growth      numeric NOT NULL,
    ramp_months integer NOT NULL CHECK (ramp_months >= 0),
    months      json NOT NULL, -- the weight of each month of the interval; empty: one quota over all of it
    proposed_by text NOT NULL REFERENCES participant,
    proposed_at timestamptz NOT NULL DEFAULT now()
);

-- What is proposed for somebody; a change is another version with its reason.
CREATE TABLE target_figure (
    proposal_id    uuid NOT NULL REFERENCES target_proposal,
    participant_id text NOT NULL REFERENCES participant,
    version        integer NOT NULL,
    last_year      numeric NOT NULL,
    amount         numeric NOT NULL CHECK (amount >= 0),
    reason_id      uuid REFERENCES free_text, -- of a change
    entered_by     text NOT NULL REFERENCES participant,
    entered_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (proposal_id, participant_id, version),
    CHECK ((version = 1) = (reason_id IS NULL))
);

-- A proposal ends once.
CREATE TABLE target_outcome (
    proposal_id uuid PRIMARY KEY REFERENCES target_proposal,
    outcome     text NOT NULL CHECK (outcome IN ('published', 'withdrawn')),
    decided_by  text NOT NULL REFERENCES participant,
    decided_at  timestamptz NOT NULL DEFAULT now()
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['target_proposal', 'target_figure', 'target_outcome'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

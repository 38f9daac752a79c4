-- +goose Up

-- Reliefs of quotas that managers propose for their team. Nothing that is paid looks at one before
-- finance has granted it: then it is a relief like any other.
CREATE TABLE relief_proposal (
    id             uuid PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant, -- who is to be relieved
    measure        text NOT NULL,
    starts_on      date NOT NULL,
    cause          text NOT NULL CHECK (cause IN ('leave', 'territory', 'account', 'other')),
    ends_on        date NOT NULL CHECK (ends_on >= starts_on),
    amount         numeric CHECK (amount >= 0),
    share          numeric CHECK (share BETWEEN 0 AND 1),
    stood          integer NOT NULL, -- the version of the relief that it is to revise; 0 for a new one
    reason_id      uuid NOT NULL REFERENCES free_text,
    proposed_by    text NOT NULL REFERENCES participant,
    proposed_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(amount, share) = 1),
    CONSTRAINT nobody_proposes_own_relief CHECK (proposed_by <> participant_id),
    UNIQUE (id, participant_id, proposed_by)
);
CREATE INDEX relief_proposal_by_participant ON relief_proposal (participant_id, measure, starts_on, cause);
CREATE INDEX relief_proposal_by_time ON relief_proposal (proposed_at, id);

-- What became of a proposal, once.
CREATE TABLE relief_decision (
    proposal_id    uuid PRIMARY KEY,
    participant_id text NOT NULL,
    proposed_by    text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('granted', 'refused', 'withdrawn')),
    decided_by     text NOT NULL REFERENCES participant,
    reason_id      uuid REFERENCES free_text,
    decided_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (proposal_id, participant_id, proposed_by) REFERENCES relief_proposal (id, participant_id, proposed_by),
    CHECK (decision <> 'refused' OR reason_id IS NOT NULL),
    CONSTRAINT nobody_decides_own_relief CHECK (decided_by <> participant_id),
    CONSTRAINT another_decides_about_relief CHECK ((decision = 'withdrawn') = (decided_by = proposed_by))
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['relief_proposal', 'relief_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

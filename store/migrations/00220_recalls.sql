-- +goose Up

-- What one of finance asks for about a payout and another one confirms: that the rail gives back
-- what it has taken, always; above the policy's limit, also that it is sent again or given up.
CREATE TABLE payout_proposal (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    payout_id      uuid NOT NULL REFERENCES payout,
    participant_id text NOT NULL REFERENCES participant,
    act            text NOT NULL CHECK (act IN ('retry-payout', 'cancel-payout', 'recall-payout')),
    amount_minor   bigint CHECK (amount_minor > 0), -- of a recall: what the rail is to give back
    proposed_by    text NOT NULL REFERENCES participant,
    reason_id      uuid NOT NULL REFERENCES free_text,
    proposed_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, participant_id, proposed_by),
    CHECK ((act = 'recall-payout') = (amount_minor IS NOT NULL)),
    CONSTRAINT nobody_proposes_for_own_payout CHECK (proposed_by <> participant_id)
);
CREATE INDEX payout_proposal_of_payout ON payout_proposal (payout_id);
CREATE TABLE proposal_decision (
    proposal_id    uuid PRIMARY KEY,
    participant_id text NOT NULL,
    proposed_by    text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('confirmed', 'refused')),
    decided_by     text NOT NULL REFERENCES participant,
    reason_id      uuid REFERENCES free_text CHECK (decision = 'confirmed' OR reason_id IS NOT NULL),
    decided_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (proposal_id, participant_id, proposed_by) REFERENCES payout_proposal (id, participant_id, proposed_by),
    CONSTRAINT nobody_confirms_own_proposal CHECK (decided_by <> participant_id AND decided_by <> proposed_by)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['payout_proposal', 'proposal_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- What a rail is asked to give back of an attempt, and what came of it. Its id is the key at
-- the rail. One at a time for a payout, so that what has come back since can only be its own.
CREATE TABLE payout_recall (
    id           uuid PRIMARY KEY REFERENCES payout_proposal,
    payout_id    uuid NOT NULL,
    number       integer NOT NULL, -- of the attempt
    times_back   integer NOT NULL, -- of the payout
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state        text NOT NULL DEFAULT 'confirmed' CHECK (state IN ('confirmed', 'sent', 'done', 'refused', 'unclear')),
    in_part      boolean NOT NULL DEFAULT false, -- of one that is done: it is posted by itself, and the payout stays paid
    code         text NOT NULL DEFAULT '',       -- why it is refused or unclear
    sent_at      timestamptz,                    -- the first call
    finished_at  timestamptz,
    FOREIGN KEY (payout_id, number) REFERENCES payout_attempt,
    CHECK ((state IN ('done', 'refused', 'unclear')) = (finished_at IS NOT NULL)),
    CHECK (NOT in_part OR state = 'done')
);
CREATE UNIQUE INDEX one_open_recall ON payout_recall (payout_id) WHERE state IN ('confirmed', 'sent');
CREATE INDEX payout_recall_of_attempt ON payout_recall (payout_id, number);

-- +goose Up

-- Deals that people enter themselves, where no source system knows them. Nothing that is paid
-- looks at one before it is approved: then it is a transaction of source "entered" and its id.
CREATE TABLE entered_deal (
    id             uuid PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant, -- who entered it
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'withdrawn', 'approved', 'rejected')),
    entered_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, participant_id)
);
CREATE INDEX entered_deal_by_participant ON entered_deal (participant_id, entered_at);
CREATE INDEX entered_deal_waiting ON entered_deal (entered_at) WHERE state = 'waiting';

-- What it says, which may be corrected while it waits.
CREATE TABLE entered_deal_version (
    deal_id     uuid NOT NULL REFERENCES entered_deal,
    version     integer NOT NULL CHECK (version > 0),
    date        date NOT NULL,
    amount      numeric NOT NULL CHECK (amount > 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    attributes  jsonb NOT NULL DEFAULT '{}', -- product, customer and whatever else plans filter by
    note_id     uuid REFERENCES free_text,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (deal_id, version)
);

CREATE TABLE entered_deal_decision (
    deal_id        uuid PRIMARY KEY,
    version        integer NOT NULL, -- the one that was decided about
    participant_id text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    decided_by     text NOT NULL REFERENCES participant,
    on_behalf_of   text REFERENCES participant, -- the manager who has delegated it
    reason_id      uuid REFERENCES free_text CHECK (decision = 'approved' OR reason_id IS NOT NULL),
    decided_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (deal_id, participant_id) REFERENCES entered_deal (id, participant_id),
    FOREIGN KEY (deal_id, version) REFERENCES entered_deal_version,
    CONSTRAINT nobody_decides_own_deal CHECK (decided_by <> participant_id)
);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['entered_deal_version', 'entered_deal_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- Who decides about a deal of a day: the nearest above on it who is still there and has a role
-- that decides; NULL for anyone of finance.
-- +goose StatementBegin
CREATE FUNCTION deal_approver(participant text, day date) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT above.id FROM managers_above(participant, day) WITH ORDINALITY AS above (id, level)
    WHERE EXISTS (SELECT FROM role_grant g WHERE g.participant_id = above.id AND g.role IN ('manager', 'finance'))
        AND NOT coalesce((SELECT f.employed_until < company_today() FROM participant_fact f WHERE f.participant_id = above.id AND f.effective_from <= company_today()
            ORDER BY f.effective_from DESC, f.version DESC LIMIT 1), false)
    ORDER BY above.level LIMIT 1
$$;
-- +goose StatementEnd

-- A file belongs to a dispute or to a deal.
ALTER TABLE evidence ALTER COLUMN dispute_id DROP NOT NULL, ADD COLUMN deal_id uuid REFERENCES entered_deal,
    ADD CONSTRAINT evidence_of_one CHECK (num_nonnulls(dispute_id, deal_id) = 1);
CREATE INDEX evidence_by_deal ON evidence (deal_id);

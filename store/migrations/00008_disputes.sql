-- +goose Up

-- Everybody above a participant in the hierarchy of a day, from the next one up.
-- +goose StatementBegin
CREATE FUNCTION managers_above(participant text, day date) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE above AS (
        SELECT participant AS id, ARRAY[participant] AS path
        UNION ALL
        SELECT m.manager_id, path || m.manager_id FROM above, LATERAL (
            SELECT f.manager_id FROM participant_fact f WHERE f.participant_id = above.id AND f.effective_from <= day
            ORDER BY f.effective_from DESC, f.version DESC LIMIT 1) m
        WHERE m.manager_id <> ALL (path)
    ) SELECT id FROM above WHERE id <> participant ORDER BY cardinality(path)
$$;
-- +goose StatementEnd

-- Disputes: what a participant holds to be wrong with their pay, and how it was answered.

-- Filled from the table of transitions in the domain at every migration; the acts below refer to it.
CREATE TABLE dispute_transition (
    from_state text NOT NULL,
    act        text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, act, to_state)
);

CREATE TABLE dispute (
    id             uuid PRIMARY KEY,
    period_id      text NOT NULL,
    revision       integer NOT NULL,
    participant_id text NOT NULL REFERENCES participant,
    type           text NOT NULL CHECK (type IN ('calculation', 'data', 'crediting', 'plan-interpretation', 'missing')),
    plan_id        text NOT NULL, -- '' for a line that is of no plan, and where something is missing
    component      text NOT NULL, -- '' where something is missing
    source         text NOT NULL, -- '' where no transaction is named
    transaction_id text NOT NULL,
    expected_minor bigint NOT NULL,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    comment_id     uuid NOT NULL REFERENCES free_text,
    late           boolean NOT NULL, -- raised after the window
    raised_at      timestamptz NOT NULL DEFAULT now(),
    state          text NOT NULL,
    partly         boolean NOT NULL DEFAULT false,
    handler_id     text REFERENCES participant, -- NULL: anyone of finance
    since          timestamptz NOT NULL DEFAULT now(), -- somebody has been waited for
    reminders      integer NOT NULL DEFAULT 0,
    answer_by      timestamptz, -- what the participant is told
    UNIQUE (id, participant_id),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision,
    CHECK ((type = 'missing') = (component = '')),
    CHECK (handler_id <> participant_id)
);
CREATE INDEX dispute_by_period ON dispute (period_id);
CREATE UNIQUE INDEX one_open_dispute ON dispute (participant_id, period_id, plan_id, component, source, transaction_id)
    WHERE type <> 'missing' AND state IN ('open', 'waiting-for-information', 'accepted-awaiting-approval');

CREATE TABLE dispute_act (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispute_id     uuid NOT NULL,
    participant_id text NOT NULL,
    act            text NOT NULL,
    from_state     text NOT NULL,
    to_state       text NOT NULL,
    actor          text NOT NULL, -- a participant's id, or "system"
    text_id        uuid REFERENCES free_text,
    key            text NOT NULL, -- the command's, so that an act done is not done again
    acted_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dispute_id, key),
    FOREIGN KEY (dispute_id, participant_id) REFERENCES dispute (id, participant_id),
    FOREIGN KEY (from_state, act, to_state) REFERENCES dispute_transition,
    CONSTRAINT nobody_answers_own_dispute CHECK ((actor = participant_id) = (act IN ('reply', 'withdraw')))
);

-- What is granted: an amount, or changes that a recalculation is to take over.
CREATE TABLE dispute_answer (
    id           uuid PRIMARY KEY,
    dispute_id   uuid NOT NULL REFERENCES dispute,
    answered_by  text NOT NULL REFERENCES participant,
    amount_minor bigint NOT NULL, -- 0 for a recalculation
    currency     text NOT NULL,
    partly       boolean NOT NULL,
    answered_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dispute_change (
    answer_id uuid NOT NULL REFERENCES dispute_answer,
    kind      text NOT NULL CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan', 'posted', 'adjustment')),
    id        text NOT NULL,
    PRIMARY KEY (answer_id, kind, id)
);

CREATE TABLE evidence (
    id         uuid PRIMARY KEY,
    dispute_id uuid NOT NULL REFERENCES dispute,
    name       text NOT NULL,
    media_type text NOT NULL,
    content    bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 10485760),
    sha256     bytea NOT NULL,
    added_by   text NOT NULL REFERENCES participant,
    added_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evidence_by_dispute ON evidence (dispute_id);

-- Amounts that people enter, and what other people decide about them.

CREATE TABLE adjustment (
    id             uuid PRIMARY KEY,
    record_id      bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- by which a snapshot names it
    period_id      text NOT NULL REFERENCES pay_period, -- the one it concerns
    participant_id text NOT NULL REFERENCES participant,
    type           text NOT NULL CHECK (type IN ('correction', 'dispute', 'goodwill', 'write-off')),
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason_id      uuid NOT NULL REFERENCES free_text,
    dispute_id     uuid REFERENCES dispute,
    entered_by     text NOT NULL REFERENCES participant,
    entered_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, participant_id, entered_by),
    CHECK ((type = 'dispute') = (dispute_id IS NOT NULL)),
    CONSTRAINT nobody_adjusts_own_pay CHECK (entered_by <> participant_id)
);
CREATE INDEX adjustment_by_period ON adjustment (period_id);

CREATE TABLE adjustment_decision (
    adjustment_id  uuid PRIMARY KEY,
    participant_id text NOT NULL,
    entered_by     text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    decided_by     text NOT NULL REFERENCES participant,
    decided_at     timestamptz NOT NULL DEFAULT now(),
    reason_id      uuid REFERENCES free_text CHECK (decision = 'approved' OR reason_id IS NOT NULL),
    FOREIGN KEY (adjustment_id, participant_id, entered_by) REFERENCES adjustment (id, participant_id, entered_by),
    CONSTRAINT nobody_decides_own_adjustment CHECK (decided_by <> participant_id AND decided_by <> entered_by)
);

-- The one period whose snapshots hold an adjustment. A cancelled revision lets go of it.
CREATE TABLE adjustment_taken (
    adjustment_id uuid PRIMARY KEY REFERENCES adjustment,
    period_id     text NOT NULL REFERENCES pay_period
);

ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check
    CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'posted', 'adjustment'));
ALTER TABLE amendment_item DROP CONSTRAINT amendment_item_kind_check;
ALTER TABLE amendment_item ADD CONSTRAINT amendment_item_kind_check CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan', 'posted', 'adjustment'));

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['adjustment', 'adjustment_decision', 'dispute_act', 'dispute_answer', 'dispute_change', 'evidence'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

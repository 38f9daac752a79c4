-- +goose Up

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
    dispute_id     uuid,
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
    FOREACH t IN ARRAY ARRAY['adjustment', 'adjustment_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Up

-- A payout goes where its release said. Somebody may ask for another destination of the
-- participant's, and somebody else confirms it.
CREATE TABLE payout_redirection (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    payout_id           uuid NOT NULL REFERENCES payout,
    participant_id      text NOT NULL REFERENCES participant,
    from_destination_id bigint REFERENCES destination, -- none where there was none
    destination_id      bigint NOT NULL REFERENCES destination CHECK (destination_id IS DISTINCT FROM from_destination_id),
    proposed_by         text NOT NULL REFERENCES participant,
    reason_id           uuid NOT NULL REFERENCES free_text,
    proposed_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, participant_id, proposed_by),
    CONSTRAINT nobody_redirects_own_payout CHECK (proposed_by <> participant_id)
);
CREATE INDEX payout_redirection_of_payout ON payout_redirection (payout_id);
CREATE TABLE redirection_decision (
    redirection_id uuid PRIMARY KEY,
    participant_id text NOT NULL,
    proposed_by    text NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('confirmed', 'refused')),
    decided_by     text NOT NULL REFERENCES participant,
    reason_id      uuid REFERENCES free_text CHECK (decision = 'confirmed' OR reason_id IS NOT NULL),
    decided_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (redirection_id, participant_id, proposed_by) REFERENCES payout_redirection (id, participant_id, proposed_by),
    CONSTRAINT nobody_confirms_own_redirection CHECK (decided_by <> participant_id AND decided_by <> proposed_by)
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['payout_redirection', 'redirection_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

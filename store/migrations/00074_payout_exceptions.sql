-- +goose Up

-- A payout that a limit holds is let go by one of finance before its list is released, and by
-- two afterwards.
ALTER TABLE payout ADD COLUMN lifted_by text REFERENCES participant CONSTRAINT nobody_lifts_own_payout CHECK (lifted_by <> participant_id),
    ADD COLUMN lifted_reason_id uuid REFERENCES free_text, ADD CHECK ((lifted_by IS NULL) = (lifted_reason_id IS NULL));
ALTER TABLE payout_redirection DROP CONSTRAINT payout_redirection_check;
CREATE INDEX payout_by_participant ON payout (participant_id, currency);

-- Who let a held payout go does not release it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION preparers(of_period text, of_revision integer, to_approve boolean) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT actor FROM period_act WHERE period_id = of_period AND revision = of_revision AND act IN ('lock', 'recalculate')
    UNION SELECT a.entered_by FROM adjustment a LEFT JOIN adjustment_taken t ON t.adjustment_id = a.id
    WHERE of_period IN (a.period_id, t.period_id) AND NOT (to_approve AND a.type = 'dispute')
    UNION SELECT lifted_by FROM payout WHERE period_id = of_period AND revision = of_revision AND lifted_by IS NOT NULL AND NOT to_approve
$$;
-- +goose StatementEnd

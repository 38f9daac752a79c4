-- +goose Up

-- What a payment file did not pay is given up and planned on another list of its period. Who has that done does not release it.
ALTER TABLE payout ADD COLUMN again_by text REFERENCES participant, ADD COLUMN again_reason_id uuid REFERENCES free_text,
    ADD CHECK ((again_by IS NULL) = (again_reason_id IS NULL)), ADD CHECK (again_by IS NULL OR state = 'cancelled');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION preparers(of_period text, of_revision integer, to_approve boolean) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT actor FROM period_act WHERE period_id = of_period AND revision = of_revision AND act IN ('lock', 'recalculate')
    UNION SELECT a.entered_by FROM adjustment a LEFT JOIN adjustment_taken t ON t.adjustment_id = a.id
    WHERE of_period IN (a.period_id, t.period_id) AND NOT (to_approve AND a.type = 'dispute')
    UNION SELECT lifted_by FROM payout WHERE period_id = of_period AND revision = of_revision AND lifted_by IS NOT NULL AND NOT to_approve
    UNION SELECT again_by FROM payout WHERE period_id = of_period AND revision = of_revision AND again_by IS NOT NULL AND NOT to_approve
$$;
-- +goose StatementEnd

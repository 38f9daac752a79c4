-- +goose Up

-- Who approved an adjustment does not release the supplementary payout list that pays it,
-- unless the calendar's policy allows approvers to.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION approved_for_finance(of_period text, of_revision integer, by_person text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (EXISTS (SELECT FROM current_approval WHERE period_id = of_period AND revision = of_revision AND approver_id IS NULL AND decided_by = by_person)
        OR EXISTS (
            SELECT FROM adjustment_taken t JOIN adjustment_decision d USING (adjustment_id) JOIN run ON run.id = t.run_id JOIN snapshot s ON s.id = run.snapshot_id
            WHERE s.period_id = of_period AND s.revision = of_revision AND d.decided_by = by_person))
    AND NOT coalesce((SELECT v.release_by_approver FROM policy_version v JOIN pay_period p ON p.calendar_id = v.calendar_id WHERE p.id = of_period ORDER BY v.version DESC LIMIT 1), false)
$$;
-- +goose StatementEnd

-- +goose Up

-- What waits in a queue, and whether anything of a period does, is asked at every decision:
-- it must not cost more where the period is larger.
DROP INDEX approval_by_queue;
CREATE INDEX approval_by_queue ON approval (coalesce(approver_id, 'finance'), period_id, revision) WHERE decision IS NULL;
CREATE INDEX approval_that_lacks ON approval (period_id, revision) WHERE decision IS DISTINCT FROM 'approved';

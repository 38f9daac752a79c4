-- +goose Up

-- Approvals are decided by the thousand: each is found by its participant, whatever is expected of the queue.
DROP INDEX approval_by_queue;
CREATE INDEX approval_by_queue ON approval (coalesce(approver_id, 'finance'), period_id, revision, participant_id) WHERE decision IS NULL;
DROP INDEX approval_that_lacks;
CREATE INDEX approval_that_lacks ON approval (period_id, revision, participant_id) WHERE decision IS DISTINCT FROM 'approved';

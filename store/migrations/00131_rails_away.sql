-- +goose Up
-- A rail that was away goes on by itself once it answers: that decision is nobody's.

ALTER TABLE rail_stop_decision
    ALTER decided_by DROP NOT NULL,
    ALTER reason_id DROP NOT NULL,
    ADD CHECK ((decided_by IS NULL) = (reason_id IS NULL) AND (decided_by IS NOT NULL OR decision = 'resumed'));

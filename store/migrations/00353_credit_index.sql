-- +goose Up

-- It is the same as credit_by_participant.
DROP INDEX credit_of_participant;

-- +goose Up

-- What a person says of a difference between our record and a rail's. It holds for the same
-- difference wherever the rail and day are compared again.
CREATE TABLE reconciliation_explanation (
    reconciliation_id bigint NOT NULL,
    number            integer NOT NULL,
    explained_by      text NOT NULL REFERENCES participant,
    reason_id         uuid NOT NULL REFERENCES free_text,
    explained_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (reconciliation_id, number),
    FOREIGN KEY (reconciliation_id, number) REFERENCES reconciliation_difference
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reconciliation_explanation FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON reconciliation_explanation FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Up

-- The histories of a closed period's workflows, so that an audit never depends on how
-- long Temporal keeps them.

CREATE TABLE archived_history (
    period_id   text NOT NULL REFERENCES pay_period,
    revision    integer NOT NULL,
    workflow_id text NOT NULL,
    run_id      text NOT NULL,
    content     bytea NOT NULL, -- the history's JSON, compressed by gzip
    sha256      bytea NOT NULL, -- of the JSON
    archived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workflow_id, run_id)
);
CREATE INDEX archived_history_period ON archived_history (period_id, revision);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON archived_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON archived_history FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Up

-- What a calendar's periods go by besides the plans: who approves, what stands out, how
-- disputes are answered. The latest version of a calendar is in force.

CREATE TABLE policy_version (
    calendar_id text NOT NULL REFERENCES calendar,
    version     integer NOT NULL CHECK (version > 0),
    document    text NOT NULL, -- YAML, as it was written
    set_by      text NOT NULL REFERENCES participant,
    set_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (calendar_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON policy_version FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON policy_version FOR EACH STATEMENT EXECUTE FUNCTION append_only();

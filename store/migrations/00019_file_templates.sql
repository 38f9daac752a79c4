-- +goose Up

-- Templates of the files that payroll and accounting take over. The latest version of a
-- name counts; a name that has none is that of a template which every company has.

CREATE TABLE file_template (
    name     text NOT NULL,
    version  integer NOT NULL CHECK (version > 0),
    document text NOT NULL, -- YAML, as it was written
    set_by   text NOT NULL REFERENCES participant,
    set_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON file_template FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON file_template FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- The journal is read by day.
CREATE INDEX journal_entry_by_day ON journal_entry (effective_on);

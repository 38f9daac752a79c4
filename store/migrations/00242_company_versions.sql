-- +goose Up

-- What the company was called over time, and in what zone its days were counted; the latest is
-- that of the table company.
CREATE TABLE company_version (
    version   integer PRIMARY KEY CHECK (version > 0),
    name      text NOT NULL,
    time_zone text NOT NULL,
    set_by    text NOT NULL, -- a participant, or system
    set_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO company_version (version, name, time_zone, set_by, set_at) SELECT 1, name, time_zone, 'system', created_at FROM company;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON company_version FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON company_version FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Up

-- What becomes of quarantined rows: each is taken, as it stands or mended, or left out with
-- a reason. The columns of the file and the files that its mapping looks values up in are
-- kept for reading rows again.

ALTER TABLE import ADD COLUMN columns text[] NOT NULL DEFAULT '{}';

CREATE TABLE import_lookup (
    import_id uuid NOT NULL REFERENCES import,
    file_name text NOT NULL,
    content   bytea NOT NULL,
    PRIMARY KEY (import_id, file_name)
);

CREATE TABLE quarantine_outcome (
    import_id  uuid NOT NULL,
    position   integer NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('taken', 'left-out')),
    raw        text NOT NULL, -- the row as it was taken; '' of one that is left out
    reason_id  uuid REFERENCES free_text,
    decided_by text NOT NULL REFERENCES participant,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (import_id, position),
    FOREIGN KEY (import_id, position) REFERENCES quarantine,
    CHECK ((outcome = 'left-out') = (reason_id IS NOT NULL))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON quarantine_outcome FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON quarantine_outcome FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE INDEX import_at ON import (imported_at DESC, id DESC);

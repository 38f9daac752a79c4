-- +goose Up

-- Drafts of plans, on which several people may work before one becomes a version. Each time
-- that a draft is kept is a row; the last one stands. A draft without a document is discarded.

CREATE TABLE plan_draft (
    draft_id uuid NOT NULL,
    version  integer NOT NULL CHECK (version > 0),
    document text,
    saved_by text NOT NULL REFERENCES participant,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (draft_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON plan_draft FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON plan_draft FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- +goose Up

-- Named changes by which a recalculation amends the snapshot before it.

CREATE TABLE amendment (
    id         uuid PRIMARY KEY,
    period_id  text NOT NULL,
    revision   integer NOT NULL,
    created_by text NOT NULL REFERENCES participant,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);

CREATE TABLE amendment_item (
    amendment_id uuid NOT NULL REFERENCES amendment,
    kind         text NOT NULL CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan')),
    id           text NOT NULL, -- of a transaction "<source>/<id>", of a plan, or of a participant
    PRIMARY KEY (amendment_id, kind, id)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON amendment FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON amendment_item FOR EACH ROW EXECUTE FUNCTION append_only();

-- +goose Up

-- What people are told: that something waits for them, or has been answered. Pages and
-- e-mail read it.

CREATE TABLE notification (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient  text NOT NULL REFERENCES participant,
    kind       text NOT NULL,
    subject    text NOT NULL, -- what it is about, by the ids of the audit chain: "dispute/<id>", "pay-period/<id>/<revision>"
    key        text NOT NULL, -- of what is told once only
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (recipient, key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notification FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON notification FOR EACH STATEMENT EXECUTE FUNCTION append_only();

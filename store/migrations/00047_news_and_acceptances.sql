-- +goose Up

-- Whoever looks at where periods stand hears of every act. The chain's writers wait for each
-- other anyway, so that what they tell in order costs nobody more.
-- +goose StatementBegin
CREATE FUNCTION tell_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('audited', NEW.subject);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tell AFTER INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION tell_audit();

-- Who has accepted which version of a plan, signed with their typed name.
CREATE TABLE plan_acceptance (
    plan_id         text NOT NULL,
    version         integer NOT NULL,
    participant_id  text NOT NULL REFERENCES participant,
    document_sha256 bytea NOT NULL,
    signature_id    uuid NOT NULL REFERENCES free_text,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, version, participant_id),
    FOREIGN KEY (plan_id, version) REFERENCES plan_version (plan_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON plan_acceptance FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON plan_acceptance FOR EACH STATEMENT EXECUTE FUNCTION append_only();

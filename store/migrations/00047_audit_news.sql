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

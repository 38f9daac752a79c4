-- +goose Up

-- What is encrypted is written anew by a newer key, and stays what it says.
-- +goose StatementBegin
CREATE FUNCTION append_only_but_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.key_version IS NOT NULL AND NEW.key_version > OLD.key_version
        AND to_jsonb(NEW) - ARRAY['key_version', 'details', 'content'] = to_jsonb(OLD) - ARRAY['key_version', 'details', 'content'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END $$;
-- +goose StatementEnd
DROP TRIGGER append_only ON destination;
DROP TRIGGER append_only ON rail_event;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON destination FOR EACH ROW EXECUTE FUNCTION append_only_but_keys();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rail_event FOR EACH ROW EXECUTE FUNCTION append_only_but_keys();

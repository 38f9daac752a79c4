-- +goose Up

-- The id that a text is, NULL where it is none: what comes from outside is looked up by the key's index.
CREATE FUNCTION id_of(written text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN written ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN written::uuid END;

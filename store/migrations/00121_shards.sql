-- +goose Up

-- A run over a large snapshot is written down by several at once, a shard each, and only then
-- is there a row of run: whose run has none is no result yet, and nothing shows it.
ALTER TABLE statement DROP CONSTRAINT statement_run_id_fkey;
-- A line and its contributions are written in one transaction and never change. Looking the line
-- up again for each of millions of them took as long as writing them.
ALTER TABLE contribution DROP CONSTRAINT contribution_line_id_fkey;

-- Whom a shard has measured for the contests of a run, as JSON of calculation.Entrant.
CREATE TABLE run_measured (
    run_id   bigint NOT NULL,
    shard    integer NOT NULL,
    entrants json NOT NULL,
    PRIMARY KEY (run_id, shard)
);
-- Which shards of a run are written down.
CREATE TABLE run_shard (
    run_id     bigint NOT NULL,
    shard      integer NOT NULL,
    uncredited integer NOT NULL,
    PRIMARY KEY (run_id, shard)
);

-- What a run has that is not whole may go again: a shard may find that there is no result.
-- +goose StatementBegin
CREATE FUNCTION append_only_once_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_run bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF TG_TABLE_NAME = 'statement' THEN
            of_run := OLD.run_id;
        ELSIF TG_TABLE_NAME = 'line' THEN
            SELECT run_id INTO of_run FROM statement WHERE id = OLD.statement_id;
        ELSE
            SELECT st.run_id INTO of_run FROM line l JOIN statement st ON st.id = l.statement_id WHERE l.id = OLD.line_id;
        END IF;
        IF of_run IS NOT NULL AND NOT EXISTS (SELECT FROM run WHERE id = of_run) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['statement', 'line', 'contribution'] LOOP
        EXECUTE format('DROP TRIGGER append_only ON %I', t);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only_once_whole()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

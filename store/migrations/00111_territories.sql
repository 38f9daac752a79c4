-- +goose Up

-- What is true of a territory or team from a day on.
CREATE TABLE sales_group (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('territory', 'team')),
    group_id       text NOT NULL CHECK (group_id <> ''),
    effective_from date NOT NULL,
    version        integer NOT NULL,
    name           text NOT NULL,
    parent_id      text, -- of the same kind
    until          date CHECK (until >= effective_from),
    covers         jsonb NOT NULL, -- by attribute of transactions: values divided by semicolons
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, group_id, effective_from, version)
);

CREATE TABLE membership (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('territory', 'team')),
    group_id       text NOT NULL,
    participant_id text NOT NULL REFERENCES participant,
    starts_on      date NOT NULL,
    ends_on        date,
    version        integer NOT NULL,
    role           text NOT NULL,
    share          numeric NOT NULL CHECK (share BETWEEN 0 AND 1),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_on >= starts_on),
    UNIQUE (kind, group_id, participant_id, starts_on, version)
);
CREATE INDEX membership_by_participant ON membership (participant_id);

CREATE TABLE group_quota (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('territory', 'team')),
    group_id       text NOT NULL,
    measure        text NOT NULL,
    starts_on      date NOT NULL,
    ends_on        date NOT NULL CHECK (ends_on >= starts_on),
    version        integer NOT NULL,
    amount         numeric NOT NULL CHECK (amount >= 0),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, group_id, measure, starts_on, version)
);

-- Whoever is a member, or becomes one, and everybody on a plan that credits by rules, who may
-- have been credited until now: a structure of somebody touches both.
-- +goose StatementBegin
CREATE FUNCTION groups_touch_estimates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'membership' THEN
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'structure', participant_id FROM added;
    ELSE
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'structure', m.participant_id FROM added a JOIN membership m USING (kind, group_id);
        INSERT INTO estimate_touched (kind, subject) SELECT DISTINCT 'structure', '' FROM added;
    END IF;
    PERFORM pg_notify('estimate_touched', '');
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A snapshot takes them, and a recalculation takes changes of a territory or team over.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
    t text;
BEGIN
    FOR c IN SELECT conname, conrelid::regclass AS of, pg_get_constraintdef(oid) AS said FROM pg_constraint WHERE conname IN ('snapshot_record_kind_check', 'amendment_item_kind_check') LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', c.of, c.conname, c.conname,
            replace(c.said, 'ARRAY[', 'ARRAY[' || CASE c.conname WHEN 'snapshot_record_kind_check' THEN '''group''::text, ''membership''::text, ''group_quota''::text, ' ELSE '''territory''::text, ''team''::text, ' END));
    END LOOP;
    FOREACH t IN ARRAY ARRAY['sales_group', 'membership', 'group_quota'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER touches_estimates AFTER INSERT ON %I REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION groups_touch_estimates()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

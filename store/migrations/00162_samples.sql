-- +goose Up

-- Statements that an auditor has drawn at random, to be worked through. The same seed draws the
-- same ones of the same run.
CREATE TABLE sample (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        text NOT NULL UNIQUE, -- drawn once only
    period_id  text NOT NULL,
    revision   integer NOT NULL,
    run_id     bigint NOT NULL REFERENCES run,
    seed       text NOT NULL,
    size       integer NOT NULL CHECK (size > 0),
    strata     integer NOT NULL CHECK (strata > 0), -- parts by amount, each drawn from alike
    population integer NOT NULL,
    drawn_by   text NOT NULL REFERENCES participant,
    drawn_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);
CREATE INDEX sample_by_period ON sample (period_id, revision, id);

CREATE TABLE sample_item (
    sample_id      bigint NOT NULL REFERENCES sample,
    number         integer NOT NULL CHECK (number > 0),
    participant_id text NOT NULL REFERENCES participant,
    stratum        integer NOT NULL CHECK (stratum > 0), -- 1 holds the largest amounts
    total_minor    bigint NOT NULL,
    currency       text NOT NULL,
    PRIMARY KEY (sample_id, number),
    UNIQUE (sample_id, participant_id)
);

-- What an auditor says of a statement that was drawn; the latest counts.
CREATE TABLE sample_remark (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sample_id bigint NOT NULL,
    number    integer NOT NULL,
    verdict   text NOT NULL CHECK (verdict IN ('fine', 'exception')),
    text_id   uuid REFERENCES free_text CHECK (verdict = 'fine' OR text_id IS NOT NULL),
    made_by   text NOT NULL REFERENCES participant,
    made_at   timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (sample_id, number) REFERENCES sample_item
);
CREATE INDEX sample_remark_by_item ON sample_remark (sample_id, number, id);

-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sample', 'sample_item', 'sample_remark'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Up

-- What people have not closed yet, as a source tells it. Nothing that is paid looks at it.
CREATE TABLE opportunity (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    opportunity_id text NOT NULL,
    version        int NOT NULL CHECK (version > 0),
    participant_id text NOT NULL REFERENCES participant, -- who owns it
    name           text NOT NULL,
    stage          text NOT NULL,
    probability    numeric NOT NULL CHECK (probability BETWEEN 0 AND 1),
    expected_close date NOT NULL,
    amount         numeric NOT NULL,
    currency       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('open', 'won', 'lost')),
    attributes     jsonb NOT NULL DEFAULT '{}', -- product, region and whatever else plans filter by
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, opportunity_id, version)
);
CREATE INDEX opportunity_by_owner ON opportunity (participant_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON opportunity FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON opportunity FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Those that are open: what has become a transaction of the same source and id is won,
-- whether or not the source has said so.
CREATE VIEW open_opportunity AS
SELECT o.* FROM opportunity o
WHERE o.status = 'open'
    AND NOT EXISTS (SELECT FROM opportunity l WHERE l.source = o.source AND l.opportunity_id = o.opportunity_id AND l.version > o.version)
    AND NOT EXISTS (SELECT FROM transaction t WHERE t.source = o.source AND t.transaction_id = o.opportunity_id);

-- +goose Up

-- A payout pays what a participant is owed: what this period's approval made payable and
-- what earlier ones left.
ALTER TABLE payout ADD COLUMN carried_minor bigint NOT NULL DEFAULT 0;

-- What approvals have posted, line by line: 1 where a line was posted, -1 where its
-- approval was taken back or a later revision posted others in its place.
CREATE TABLE posted_line (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id        bigint NOT NULL REFERENCES line,
    participant_id text NOT NULL REFERENCES participant,
    earned_in      text NOT NULL REFERENCES pay_period,
    period_id      text NOT NULL, -- whose approval it was
    revision       integer NOT NULL,
    sign           smallint NOT NULL CHECK (sign IN (1, -1)),
    posted_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);
CREATE INDEX posted_line_by_line ON posted_line (line_id, id);
CREATE INDEX posted_line_earned_in ON posted_line (earned_in);
CREATE INDEX posted_line_by_approval ON posted_line (period_id, revision);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON posted_line FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON posted_line FOR EACH STATEMENT EXECUTE FUNCTION append_only();

INSERT INTO posted_line (line_id, participant_id, earned_in, period_id, revision, sign)
SELECT l.id, st.participant_id, r.period_id, r.period_id, r.revision, 1
FROM period_revision r JOIN statement st ON st.run_id = r.run_id JOIN line l ON l.statement_id = st.id
WHERE r.state IN ('approved', 'released', 'disbursing', 'settling', 'closed') ORDER BY l.id;

-- The lines that stand.
CREATE VIEW standing_line AS
SELECT p.line_id, p.participant_id, p.earned_in FROM posted_line p
WHERE p.sign = 1 AND NOT EXISTS (SELECT FROM posted_line later WHERE later.line_id = p.line_id AND later.id > p.id);

-- A closed period is opened again for a reason.
ALTER TABLE period_revision ADD COLUMN reason_id uuid REFERENCES free_text;

-- A recalculation may also take over what earlier periods post now.
ALTER TABLE amendment_item DROP CONSTRAINT amendment_item_kind_check;
ALTER TABLE amendment_item ADD CONSTRAINT amendment_item_kind_check CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan', 'posted'));

-- +goose Up

-- Levels of approval: each statement has a row for every level that it must pass; a level
-- opens when the one below has approved. A queue is all that waits for one approver.

ALTER TABLE approval
    ADD COLUMN opened_at    timestamptz, -- NULL: a level below has not approved yet
    ADD COLUMN automatic    boolean NOT NULL DEFAULT false, -- the policy asks nobody
    ADD COLUMN on_behalf_of text REFERENCES participant, -- whose delegate decided
    DROP CONSTRAINT approval_check,
    ADD CONSTRAINT decided_by_somebody CHECK ((decision IS NULL) = (decided_at IS NULL) AND (decision IS NOT NULL AND NOT automatic) = (decided_by IS NOT NULL));
UPDATE approval SET opened_at = coalesce(decided_at, now());
DROP INDEX approval_by_queue;
CREATE INDEX approval_by_queue ON approval (approver_id, period_id, revision) WHERE decision IS NULL;

-- The approvals of the statements that stand: an approval falls away when, and only when,
-- the statement's digest is another one.
CREATE VIEW current_approval AS
SELECT a.period_id, a.revision, a.participant_id, a.level, a.statement_digest, a.approver_id, a.decision, a.decided_by, a.decided_at, a.reason_id, a.opened_at, a.automatic, a.on_behalf_of,
    st.total_minor, st.currency
FROM approval a JOIN period_revision r USING (period_id, revision)
JOIN statement st ON st.run_id = r.run_id AND st.participant_id = a.participant_id AND st.digest = a.statement_digest;

-- What an approver sees beside a statement.
CREATE TABLE statement_review (
    period_id        text NOT NULL,
    revision         integer NOT NULL,
    participant_id   text NOT NULL,
    statement_digest bytea NOT NULL,
    before_minor     bigint, -- the total of the period before, in the same currency
    shown_minor      bigint, -- the total when the period was last handed out, where it was another
    reasons          text[] NOT NULL, -- why it stands out
    PRIMARY KEY (period_id, revision, participant_id, statement_digest)
);

ALTER TABLE decision_set DROP CONSTRAINT decision_set_decision_check, DROP COLUMN level,
    ADD CONSTRAINT decision_set_decision_check CHECK (decision IN ('approved', 'rejected', 'returned', 'resubmitted'));

CREATE TABLE delegation (
    id           uuid PRIMARY KEY,
    delegator_id text NOT NULL REFERENCES participant,
    delegate_id  text NOT NULL REFERENCES participant,
    starts_on    date NOT NULL,
    ends_on      date NOT NULL,
    made_by      text NOT NULL REFERENCES participant,
    made_at      timestamptz NOT NULL DEFAULT now(),
    ended_by     text REFERENCES participant,
    ended_at     timestamptz,
    CHECK (delegator_id <> delegate_id),
    CHECK (ends_on >= starts_on),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL))
);
CREATE INDEX delegation_by_delegate ON delegation (delegate_id, ends_on);
CREATE INDEX delegation_by_delegator ON delegation (delegator_id, ends_on);

-- +goose StatementBegin
CREATE FUNCTION company_today() RETURNS date LANGUAGE sql STABLE AS $$ SELECT (now() AT TIME ZONE (SELECT time_zone FROM company))::date $$;
-- +goose StatementEnd

CREATE VIEW delegation_in_force AS
SELECT id, delegator_id, delegate_id FROM delegation WHERE ended_at IS NULL AND company_today() BETWEEN starts_on AND ends_on;

-- Segregation of duties, whatever the code above says.

-- Who prepared a revision neither approves nor releases it: who locked or recalculated it,
-- or entered an adjustment of it. A manager who answered a dispute with an adjustment may
-- approve still: somebody of finance approved that, and nobody else could approve the team.
-- +goose StatementBegin
CREATE FUNCTION preparers(of_period text, of_revision integer, to_approve boolean) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT actor FROM period_act WHERE period_id = of_period AND revision = of_revision AND act IN ('lock', 'recalculate')
    UNION SELECT a.entered_by FROM adjustment a LEFT JOIN adjustment_taken t ON t.adjustment_id = a.id
    WHERE of_period IN (a.period_id, t.period_id) AND NOT (to_approve AND a.type = 'dispute')
$$;
-- +goose StatementEnd

-- Who approved for finance releases only where the calendar's policy allows it.
ALTER TABLE policy_version ADD COLUMN release_by_approver boolean NOT NULL DEFAULT false; -- as the document says
-- +goose StatementBegin
CREATE FUNCTION approved_for_finance(of_period text, of_revision integer, by_person text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM current_approval WHERE period_id = of_period AND revision = of_revision AND approver_id IS NULL AND decided_by = by_person)
    AND NOT coalesce((SELECT v.release_by_approver FROM policy_version v JOIN pay_period p ON p.calendar_id = v.calendar_id WHERE p.id = of_period ORDER BY v.version DESC LIMIT 1), false)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION duties_are_segregated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE person text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF person IN (SELECT preparers(NEW.period_id, NEW.revision, TG_ARGV[0] = 'decided_by')) OR TG_ARGV[0] = 'released_by' AND approved_for_finance(NEW.period_id, NEW.revision, person) THEN
        RAISE EXCEPTION '% has had a hand in % already', person, NEW.period_id USING ERRCODE = 'restrict_violation', CONSTRAINT = 'duties_are_segregated';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- Who approved a statement of a revision does not recalculate it.
-- +goose StatementBegin
CREATE FUNCTION approvers_do_not_prepare() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM approval WHERE period_id = NEW.period_id AND revision = NEW.revision AND decision = 'approved' AND decided_by = NEW.actor) THEN
        RAISE EXCEPTION '% has approved statements of % already', NEW.actor, NEW.period_id USING ERRCODE = 'restrict_violation', CONSTRAINT = 'duties_are_segregated';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER duties_are_segregated BEFORE INSERT ON period_act FOR EACH ROW WHEN (NEW.act = 'recalculate') EXECUTE FUNCTION approvers_do_not_prepare();
CREATE TRIGGER duties_are_segregated BEFORE INSERT OR UPDATE OF decided_by ON approval FOR EACH ROW WHEN (NEW.decided_by IS NOT NULL) EXECUTE FUNCTION duties_are_segregated('decided_by');
CREATE TRIGGER duties_are_segregated BEFORE INSERT OR UPDATE OF released_by ON payout_list FOR EACH ROW WHEN (NEW.released_by IS NOT NULL) EXECUTE FUNCTION duties_are_segregated('released_by');

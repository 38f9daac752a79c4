-- +goose Up

-- Points that participants were paid and spend on rewards: one is worth the smallest unit of its
-- currency. Each row is what was collected at a time. What expires first is spent first.
CREATE TABLE points (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference      uuid NOT NULL UNIQUE, -- of the attempt by which they were paid
    payout_id      uuid NOT NULL REFERENCES payout,
    participant_id text NOT NULL REFERENCES participant,
    currency       text NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    collected_at   timestamptz NOT NULL DEFAULT now(),
    expires_on     date -- the day from which they are worth nothing; NULL: they do not expire
);
CREATE INDEX points_by_participant ON points (participant_id, currency);
CREATE INDEX points_by_time ON points (collected_at);

-- A reward that somebody takes for points. Its id is its idempotency key and reference at the rail.
CREATE TABLE redemption (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    participant_id text NOT NULL REFERENCES participant,
    currency       text NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    rail           text NOT NULL,
    reward         text NOT NULL, -- its name in the catalogue
    masked         text NOT NULL, -- where it is sent
    key_version    integer NOT NULL,
    details        bytea NOT NULL, -- encrypted, as those of a destination are
    state          text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'sent', 'unknown', 'submitted', 'paid', 'refused', 'returned')),
    reason         text NOT NULL DEFAULT '', -- why it waits, was refused, or came back: a code
    rail_id        text NOT NULL DEFAULT '',
    asked_at       timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz, -- the first time: the age of the key
    finished_at    timestamptz,
    given_back_by  text REFERENCES participant CHECK (given_back_by <> participant_id),
    reason_id      uuid REFERENCES free_text,
    CHECK (state = 'intended' OR sent_at IS NOT NULL OR state = 'refused'),
    CHECK ((given_back_by IS NULL) = (reason_id IS NULL))
);
CREATE INDEX redemption_by_participant ON redemption (participant_id, asked_at);
CREATE INDEX redemption_under_way ON redemption (asked_at) WHERE state IN ('intended', 'sent', 'unknown', 'submitted');
CREATE INDEX redemption_by_sending ON redemption (rail, sent_at);

-- What became of points: spent on a reward, back where there was none, or expired.
CREATE TABLE points_use (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    points_id     bigint NOT NULL REFERENCES points,
    kind          text NOT NULL CHECK (kind IN ('redeemed', 'back', 'expired')),
    redemption_id uuid REFERENCES redemption CHECK ((redemption_id IS NULL) = (kind = 'expired')),
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    used_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX points_use_by_points ON points_use (points_id);
CREATE UNIQUE INDEX points_once ON points_use (redemption_id, points_id, kind) WHERE redemption_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION points_not_overspent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT coalesce(sum(CASE kind WHEN 'back' THEN -amount_minor ELSE amount_minor END), 0) FROM points_use WHERE points_id = NEW.points_id) > (SELECT amount_minor FROM points WHERE id = NEW.points_id) THEN
        RAISE EXCEPTION 'more points are used than were collected' USING ERRCODE = 'check_violation', CONSTRAINT = 'points_not_overspent';
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['points', 'points_use'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER points_not_overspent AFTER INSERT ON points_use DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION points_not_overspent();

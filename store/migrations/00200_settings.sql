-- +goose Up

-- How a person wants to be spoken to. Whoever has no row has said nothing yet.
CREATE TABLE person_setting (
    participant_id text PRIMARY KEY REFERENCES participant (id),
    language   text NOT NULL DEFAULT '' CHECK (language IN ('', 'en', 'id')),
    time_zone  text NOT NULL DEFAULT '', -- of their messages; '' for the company's
    messages   text NOT NULL DEFAULT 'at-once' CHECK (messages IN ('at-once', 'daily', 'never')),
    by_email   boolean NOT NULL DEFAULT true,
    webhook    text NOT NULL DEFAULT '', -- an address that takes messages as Slack's do; '' for none
    seen       bigint NOT NULL DEFAULT 0, -- the last notification that they have seen on their page
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX notification_by_recipient ON notification (recipient, id);

-- What is to be sent of what people are told: due is when, and null until somebody has looked
-- at how the recipient wants it. A row goes once its message is written.
CREATE TABLE notification_due (
    notification_id bigint PRIMARY KEY REFERENCES notification (id),
    recipient       text NOT NULL REFERENCES participant (id),
    due             timestamptz
);
CREATE INDEX notification_due_by_time ON notification_due (due NULLS FIRST);
CREATE INDEX notification_due_by_recipient ON notification_due (recipient);
-- +goose StatementBegin
CREATE FUNCTION notification_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notification_due (notification_id, recipient) SELECT id, recipient FROM told;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER due AFTER INSERT ON notification REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION notification_is_due();

-- A message to one person by one channel, with all that it tells. Its id names it to mail
-- servers too, so that one which was sent twice after a crash is known as the same.
CREATE TABLE message (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    recipient     text NOT NULL REFERENCES participant (id),
    channel       text NOT NULL CHECK (channel IN ('email', 'webhook')),
    notifications bigint[] NOT NULL CHECK (cardinality(notifications) > 0),
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts      integer NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL DEFAULT now(),
    error_code    text NOT NULL DEFAULT '',
    written_at    timestamptz NOT NULL DEFAULT now(),
    sent_at       timestamptz,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX message_waiting ON message (next_at) WHERE state = 'waiting';
CREATE INDEX message_by_recipient ON message (recipient, written_at);

-- Whoever is paid is told so, and finance of payouts that wait for a person, once a day for a
-- period: whatever moves a payout tells it.
-- +goose StatementBegin
CREATE FUNCTION tell_payouts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notification (recipient, kind, subject, key)
    SELECT n.participant_id, 'payout-paid', 'payout/' || n.id, concat_ws('/', 'payout-paid', n.id, n.times_back)
    FROM moved n JOIN before o ON o.id = n.id WHERE n.state = 'paid' AND o.state <> 'paid'
    ON CONFLICT DO NOTHING;
    INSERT INTO notification (recipient, kind, subject, key)
    SELECT DISTINCT g.participant_id, 'payout-exception', concat_ws('/', 'pay-period', n.period_id, n.revision), concat_ws('/', 'payout-exception', n.period_id, n.revision, company_today())
    FROM moved n JOIN before o ON o.id = n.id JOIN role_grant g ON g.role = 'finance'
    WHERE n.state IN ('failed', 'returned') AND o.state <> n.state
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tell AFTER UPDATE ON payout REFERENCING OLD TABLE AS before NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION tell_payouts();

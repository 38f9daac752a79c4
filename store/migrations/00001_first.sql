-- +goose Up

-- Facts. Rows are appended and never changed: a later version of the same key stands
-- beside the earlier one, and a snapshot names the row it froze by its record_id.

CREATE TABLE company (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    name       text NOT NULL,
    time_zone  text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE participant (
    id         text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE participant_fact (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    effective_from date NOT NULL,
    version        integer NOT NULL,
    name           text NOT NULL,
    email          text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('employee', 'contractor', 'company')),
    manager_id     text REFERENCES participant CHECK (manager_id <> participant_id),
    country        text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    pay_currency   text NOT NULL CHECK (pay_currency ~ '^[A-Z]{3}$'),
    employed_until date,
    attributes     jsonb NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (participant_id, effective_from, version)
);

CREATE TABLE transaction (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    transaction_id text NOT NULL,
    version        integer NOT NULL,
    date           date NOT NULL,
    amount         numeric NOT NULL,
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    attributes     jsonb NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, transaction_id, version)
);
CREATE INDEX transaction_by_date ON transaction (date);

CREATE TABLE credit (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source         text NOT NULL,
    transaction_id text NOT NULL,
    participant_id text NOT NULL REFERENCES participant,
    role           text NOT NULL,
    version        integer NOT NULL,
    share          numeric NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, transaction_id, participant_id, role, version)
);
CREATE INDEX credit_by_participant ON credit (participant_id);

CREATE TABLE quota (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    measure        text NOT NULL,
    starts_on      date NOT NULL,
    ends_on        date NOT NULL CHECK (ends_on >= starts_on),
    version        integer NOT NULL,
    amount         numeric NOT NULL CHECK (amount >= 0),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (participant_id, measure, starts_on, version)
);

CREATE TABLE plan_version (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan_id        text NOT NULL,
    version        integer NOT NULL,
    effective_from date NOT NULL,
    document       bytea NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (plan_id, version)
);

CREATE TABLE assignment (
    record_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    plan_id        text NOT NULL,
    calendar_id    text NOT NULL,
    starts_on      date NOT NULL,
    version        integer NOT NULL,
    ends_on        date CHECK (ends_on >= starts_on),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (participant_id, plan_id, starts_on, version)
);

-- People and what they may do.

CREATE TABLE role_grant (
    participant_id text NOT NULL REFERENCES participant,
    role           text NOT NULL CHECK (role IN ('rep', 'manager', 'finance', 'administrator', 'auditor')),
    granted_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (participant_id, role)
);

CREATE TABLE api_token (
    hash           bytea PRIMARY KEY, -- SHA-256 of the secret; the secret itself is never kept
    participant_id text NOT NULL REFERENCES participant,
    name           text NOT NULL,
    expires_at     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- Calendars and periods.

CREATE TABLE calendar (
    id             text PRIMARY KEY,
    window_days    integer NOT NULL DEFAULT 5 CHECK (window_days BETWEEN 0 AND 60) -- business days a published period is open to disputes
);

CREATE TABLE holiday (
    date date PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE pay_period (
    id          text PRIMARY KEY,
    calendar_id text NOT NULL REFERENCES calendar,
    code        text NOT NULL,
    starts_on   date NOT NULL,
    ends_on     date NOT NULL CHECK (ends_on >= starts_on),
    UNIQUE (calendar_id, code),
    EXCLUDE USING gist (calendar_id WITH =, daterange(starts_on, ends_on, '[]') WITH &&)
);

-- Filled from the table of transitions in the domain at every migration; the acts below refer to it.
CREATE TABLE period_transition (
    from_state text NOT NULL,
    act        text NOT NULL,
    to_state   text NOT NULL,
    PRIMARY KEY (from_state, act, to_state)
);

CREATE TABLE free_text (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    body       text, -- NULL once erased
    digest     bytea NOT NULL,
    written_by text NOT NULL REFERENCES participant,
    written_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE snapshot (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id  text NOT NULL REFERENCES pay_period,
    revision   integer NOT NULL,
    digest     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE snapshot_record (
    snapshot_id bigint NOT NULL REFERENCES snapshot DEFERRABLE INITIALLY DEFERRED, -- the digest is known once the members are
    kind        text NOT NULL CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment')),
    record_id   bigint NOT NULL,
    PRIMARY KEY (snapshot_id, kind, record_id)
);

CREATE TABLE run (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    snapshot_id    bigint NOT NULL REFERENCES snapshot,
    engine_version text NOT NULL,
    digest         bytea NOT NULL,
    statements     integer NOT NULL,
    completed_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE period_revision (
    period_id       text NOT NULL REFERENCES pay_period,
    revision        integer NOT NULL CHECK (revision > 0),
    state           text NOT NULL,
    on_hold         boolean NOT NULL DEFAULT false,
    opened_by       text NOT NULL REFERENCES participant,
    opened_at       timestamptz NOT NULL DEFAULT now(),
    snapshot_id     bigint REFERENCES snapshot,
    run_id          bigint REFERENCES run,
    window_deadline timestamptz,
    problem         text NOT NULL DEFAULT '', -- why the last calculation failed
    PRIMARY KEY (period_id, revision),
    CHECK (state IN ('open', 'cancelled') OR snapshot_id IS NOT NULL),
    CHECK (state IN ('open', 'locked', 'cancelled') OR run_id IS NOT NULL),
    CHECK (state <> 'published' OR window_deadline IS NOT NULL)
);
-- One revision of a period is under way at a time.
CREATE UNIQUE INDEX one_open_revision ON period_revision (period_id) WHERE state NOT IN ('closed', 'cancelled');

CREATE TABLE period_act (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period_id  text NOT NULL,
    revision   integer NOT NULL,
    act        text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    actor      text NOT NULL, -- a participant's id, or "system"
    reason_id  uuid REFERENCES free_text,
    key        text NOT NULL, -- the command's, so that an act done is not done again
    acted_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (period_id, revision, key),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision,
    FOREIGN KEY (from_state, act, to_state) REFERENCES period_transition
);

-- Results.

CREATE TABLE statement (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id         bigint NOT NULL REFERENCES run,
    participant_id text NOT NULL REFERENCES participant,
    currency       text NOT NULL,
    total_minor    bigint NOT NULL,
    digest         bytea NOT NULL,
    UNIQUE (run_id, participant_id)
);
CREATE INDEX statement_by_participant ON statement (participant_id);

CREATE TABLE line (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement_id bigint NOT NULL REFERENCES statement,
    position     integer NOT NULL,
    plan_id      text NOT NULL,
    plan_version integer NOT NULL,
    component    text NOT NULL,
    unrounded    numeric NOT NULL,
    amount_minor bigint NOT NULL,
    explanation  json NOT NULL,
    UNIQUE (statement_id, position)
);

CREATE TABLE contribution (
    line_id        bigint NOT NULL REFERENCES line,
    position       integer NOT NULL,
    source         text NOT NULL,
    transaction_id text NOT NULL,
    participant_id text NOT NULL,
    role           text NOT NULL,
    credited       numeric NOT NULL,
    amount         numeric NOT NULL,
    shown_minor    bigint NOT NULL,
    PRIMARY KEY (line_id, position)
);

-- Approvals.

CREATE TABLE approval (
    period_id        text NOT NULL,
    revision         integer NOT NULL,
    participant_id   text NOT NULL REFERENCES participant,
    level            integer NOT NULL CHECK (level > 0),
    statement_digest bytea NOT NULL,
    approver_id      text REFERENCES participant, -- NULL: anyone of finance
    decision         text CHECK (decision IN ('approved', 'rejected')),
    decided_by       text REFERENCES participant,
    decided_at       timestamptz,
    reason_id        uuid REFERENCES free_text,
    PRIMARY KEY (period_id, revision, participant_id, level, statement_digest),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision,
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT nobody_decides_own_pay CHECK (decided_by <> participant_id AND approver_id <> participant_id)
);
CREATE INDEX approval_by_queue ON approval (period_id, revision, level, approver_id) WHERE decision IS NULL;

CREATE TABLE decision_set (
    id         uuid PRIMARY KEY,
    period_id  text NOT NULL,
    revision   integer NOT NULL,
    level      integer NOT NULL,
    approver   text NOT NULL, -- whose queue: a participant's id, or "finance"
    decision   text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    reason_id  uuid REFERENCES free_text,
    decided_by text NOT NULL REFERENCES participant,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision
);

CREATE TABLE decision_set_item (
    set_id           uuid NOT NULL REFERENCES decision_set,
    participant_id   text NOT NULL,
    statement_digest bytea NOT NULL,
    PRIMARY KEY (set_id, participant_id)
);

-- Payouts.

CREATE TABLE destination (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    version        integer NOT NULL,
    rail           text NOT NULL,
    key_version    integer NOT NULL,
    details        bytea NOT NULL, -- encrypted by field; see store.Keys
    masked         text NOT NULL,
    set_by         text NOT NULL REFERENCES participant,
    set_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (participant_id, version)
);

CREATE TABLE payout_list (
    period_id   text NOT NULL,
    revision    integer NOT NULL,
    digest      bytea NOT NULL,
    planned_at  timestamptz NOT NULL DEFAULT now(),
    released_by text REFERENCES participant,
    released_at timestamptz,
    PRIMARY KEY (period_id, revision),
    FOREIGN KEY (period_id, revision) REFERENCES period_revision,
    CHECK ((released_by IS NULL) = (released_at IS NULL))
);

CREATE TABLE payout (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    period_id      text NOT NULL,
    revision       integer NOT NULL,
    participant_id text NOT NULL REFERENCES participant,
    amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
    currency       text NOT NULL,
    rail           text NOT NULL, -- '' while there is no destination
    destination_id bigint REFERENCES destination,
    state          text NOT NULL CHECK (state IN ('planned', 'held', 'submitted', 'paid', 'failed', 'returned', 'cancelled')),
    reason         text NOT NULL DEFAULT '', -- why it is held or failed: a code
    batch          integer NOT NULL DEFAULT 0,
    UNIQUE (period_id, revision, participant_id, currency),
    FOREIGN KEY (period_id, revision) REFERENCES payout_list,
    CHECK (state IN ('held', 'cancelled') OR (rail <> '' AND destination_id IS NOT NULL))
);
CREATE INDEX payout_by_batch ON payout (period_id, revision, rail, batch);

CREATE TABLE payout_attempt (
    payout_id      uuid NOT NULL REFERENCES payout,
    number         integer NOT NULL CHECK (number > 0),
    key            uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- idempotency key and reference at the rail
    state          text NOT NULL CHECK (state IN ('intended', 'sent', 'confirmed', 'rejected', 'unknown')),
    rail_id        text NOT NULL DEFAULT '', -- the rail's own id of what it did
    error_code     text NOT NULL DEFAULT '',
    intended_at    timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz,
    finished_at    timestamptz,
    PRIMARY KEY (payout_id, number),
    CHECK (state = 'intended' OR sent_at IS NOT NULL),
    CHECK ((state IN ('confirmed', 'rejected')) = (finished_at IS NOT NULL))
);
-- A new attempt only when every earlier one is known not to have paid.
CREATE UNIQUE INDEX one_live_attempt ON payout_attempt (payout_id) WHERE state <> 'rejected';

CREATE TABLE payment_file (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    period_id    text NOT NULL,
    revision     integer NOT NULL,
    rail         text NOT NULL,
    currency     text NOT NULL,
    name         text NOT NULL,
    message_id   text NOT NULL UNIQUE,
    content      bytea NOT NULL,
    sha256       bytea NOT NULL,
    payouts      integer NOT NULL,
    total_minor  bigint NOT NULL,
    built_at     timestamptz NOT NULL DEFAULT now(),
    confirmed_by text REFERENCES participant,
    confirmed_at timestamptz,
    UNIQUE (period_id, revision, rail, currency),
    FOREIGN KEY (period_id, revision) REFERENCES payout_list,
    CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);

CREATE TABLE rail_event (
    rail        text NOT NULL,
    event_id    text NOT NULL,
    kind        text NOT NULL,
    reference   text NOT NULL, -- the attempt's key, where the event names one
    rail_id     text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rail, event_id)
);

-- The double-entry ledger. Amounts are minor units; debits are positive.

CREATE TABLE ledger_account (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text NOT NULL,
    participant_id text NOT NULL DEFAULT '',
    rail           text NOT NULL DEFAULT '',
    currency       text NOT NULL,
    UNIQUE (kind, participant_id, rail, currency)
);

CREATE TABLE journal_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text NOT NULL UNIQUE, -- what is posted once only
    kind         text NOT NULL,
    period_id    text NOT NULL REFERENCES pay_period,
    revision     integer NOT NULL,
    effective_on date NOT NULL,
    posted_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX journal_entry_by_period ON journal_entry (period_id, revision);

CREATE TABLE posting (
    entry_id     bigint NOT NULL REFERENCES journal_entry,
    position     integer NOT NULL,
    account_id   bigint NOT NULL REFERENCES ledger_account,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency     text NOT NULL,
    PRIMARY KEY (entry_id, position)
);
CREATE INDEX posting_by_account ON posting (account_id);

-- +goose StatementBegin
CREATE FUNCTION entry_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM posting WHERE entry_id = NEW.entry_id GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'journal entry % does not balance', NEW.entry_id USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_must_balance';
    END IF;
    IF EXISTS (SELECT FROM posting JOIN ledger_account a ON a.id = account_id WHERE entry_id = NEW.entry_id AND a.currency <> posting.currency) THEN
        RAISE EXCEPTION 'journal entry % posts a currency to an account of another', NEW.entry_id USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_must_balance';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER entry_must_balance AFTER INSERT ON posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION entry_must_balance();

-- The audit chain: each row's hash covers its number, its content and the hash before it.

CREATE TABLE audit_event (
    number        bigint PRIMARY KEY CHECK (number > 0),
    at            timestamptz NOT NULL,
    actor         text NOT NULL,
    act           text NOT NULL,
    subject       text NOT NULL,
    body          text NOT NULL, -- canonical JSON: ids and digests only
    previous_hash bytea NOT NULL,
    hash          bytea NOT NULL UNIQUE
);
CREATE INDEX audit_event_by_subject ON audit_event (subject, number);

-- Commands of the API, so that a repeated request gets the first answer.

CREATE TABLE command (
    actor        text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       integer, -- HTTP status of the answer; NULL while in progress
    content_type text NOT NULL DEFAULT '',
    response     bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);

-- Imports.

CREATE TABLE import (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind        text NOT NULL,
    file_name   text NOT NULL,
    sha256      bytea NOT NULL,
    mapping     bytea NOT NULL,
    imported_by text NOT NULL REFERENCES participant,
    imported_at timestamptz NOT NULL DEFAULT now(),
    added       integer NOT NULL, -- first versions
    changed     integer NOT NULL, -- further versions
    unchanged   integer NOT NULL,
    skipped     integer NOT NULL, -- left out by the mapping's own rule
    quarantined integer NOT NULL
);

CREATE TABLE quarantine (
    import_id   uuid NOT NULL REFERENCES import,
    position    integer NOT NULL,
    file_name   text NOT NULL,
    line        integer NOT NULL,
    column_name text NOT NULL,
    field       text NOT NULL,
    value       text NOT NULL,
    code        text NOT NULL,
    reason      text NOT NULL,
    raw         text NOT NULL,
    PRIMARY KEY (import_id, position)
);

-- Facts, results, postings and the chain are only ever appended to.

-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'append_only';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['participant_fact', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'snapshot', 'snapshot_record',
        'run', 'statement', 'line', 'contribution', 'period_act', 'decision_set', 'decision_set_item', 'destination', 'journal_entry', 'posting', 'audit_event', 'rail_event'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

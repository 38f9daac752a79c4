-- +goose Up

-- A participant shares what they are paid between methods: a version names all of them, in
-- their order. The account is known by a keyed digest, so that two people with one account
-- are found without reading either.
ALTER TABLE destination ADD COLUMN position integer NOT NULL DEFAULT 1 CHECK (position > 0),
    ADD COLUMN share numeric NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1),
    ADD COLUMN account_index bytea;
ALTER TABLE destination DROP CONSTRAINT destination_participant_id_version_key;
ALTER TABLE destination ADD UNIQUE (participant_id, version, position);
CREATE INDEX destination_by_account ON destination (account_index) WHERE account_index IS NOT NULL;

-- The key of those digests, which the encryption keys seal.
CREATE TABLE index_key (
    name        text PRIMARY KEY,
    key_version integer NOT NULL,
    sealed      bytea NOT NULL
);

-- +goose StatementBegin
CREATE FUNCTION shares_of_methods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(share) FROM destination WHERE participant_id = NEW.participant_id AND version = NEW.version) <> 1 THEN
        RAISE EXCEPTION 'the shares of payout methods add up to 1' USING ERRCODE = 'check_violation', CONSTRAINT = 'shares_of_methods';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER shares_of_methods AFTER INSERT ON destination DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shares_of_methods();

-- A payout for each method; what was withheld, and what earlier periods left, is shared
-- between them as the amount is.
ALTER TABLE payout ADD COLUMN method integer NOT NULL DEFAULT 1 CHECK (method > 0),
    ADD COLUMN withheld_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN shared_with text[] NOT NULL DEFAULT '{}'; -- participants who are paid to the same account
UPDATE payout o SET withheld_minor = w.minor FROM (
    SELECT period_id, revision, supplement, participant_id, currency, sum(amount_minor)::bigint AS minor FROM withholding GROUP BY 1, 2, 3, 4, 5) w
    WHERE (w.period_id, w.revision, w.supplement, w.participant_id, w.currency) = (o.period_id, o.revision, o.supplement, o.participant_id, o.currency);
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE (SELECT 'ALTER TABLE payout DROP CONSTRAINT ' || quote_ident(conname) FROM pg_constraint WHERE conrelid = 'payout'::regclass AND contype = 'u'); -- its name is cut off
END $$;
-- +goose StatementEnd
ALTER TABLE payout ADD CONSTRAINT payout_of_method UNIQUE (period_id, revision, supplement, participant_id, currency, method);

-- Who may be paid to the account of somebody else, as one of finance has found.
CREATE TABLE shared_account_clearance (
    participant_id      text NOT NULL REFERENCES participant,
    with_participant_id text NOT NULL REFERENCES participant,
    account_index       bytea NOT NULL,
    payout_id           uuid NOT NULL,
    cleared_by          text NOT NULL REFERENCES participant CONSTRAINT nobody_clears_own_account CHECK (cleared_by <> participant_id AND cleared_by <> with_participant_id),
    reason_id           uuid NOT NULL REFERENCES free_text,
    cleared_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (participant_id, with_participant_id, account_index)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON shared_account_clearance FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON shared_account_clearance FOR EACH STATEMENT EXECUTE FUNCTION append_only();

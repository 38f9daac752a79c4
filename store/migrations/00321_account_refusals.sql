-- +goose Up

-- Accounts to which a payment could not be made for a reason of the account: nothing more is sent
-- there until its owner names it again, or finance lets a payout go there.
CREATE TABLE account_refusal (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    participant_id text NOT NULL REFERENCES participant,
    rail           text NOT NULL,
    account_index  bytea NOT NULL, -- which account, by its digest
    payout_id      uuid NOT NULL REFERENCES payout,
    attempt        integer NOT NULL, -- which came back or was refused
    code           text NOT NULL,    -- the rail's, of why
    refused_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (payout_id, attempt)
);
CREATE INDEX account_refusal_of ON account_refusal (participant_id, rail, account_index);
CREATE TABLE account_release (
    refusal_id  bigint PRIMARY KEY REFERENCES account_refusal,
    payout_id   uuid REFERENCES payout, -- which finance lets go there; NULL where its owner has named the account again
    released_by text NOT NULL REFERENCES participant,
    released_at timestamptz NOT NULL DEFAULT now()
);
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['account_refusal', 'account_release'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION append_only()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION append_only()', t);
    END LOOP;
END $$;
-- +goose StatementEnd

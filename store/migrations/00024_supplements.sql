-- +goose Up

-- What a dispute still brings after the release, and before the close, is paid by a further
-- payout list of the period: 0 is the first one, and those after it supplement it.
ALTER TABLE payout DROP CONSTRAINT payout_period_id_revision_fkey;
ALTER TABLE payment_file DROP CONSTRAINT payment_file_period_id_revision_fkey;
ALTER TABLE payout_list DROP CONSTRAINT payout_list_pkey;
ALTER TABLE payout_list ADD COLUMN supplement integer NOT NULL DEFAULT 0 CHECK (supplement >= 0), ADD PRIMARY KEY (period_id, revision, supplement);
CREATE UNIQUE INDEX one_list_to_release ON payout_list (period_id, revision) WHERE released_by IS NULL;

ALTER TABLE payout DROP CONSTRAINT payout_period_id_revision_participant_id_currency_key;
ALTER TABLE payout ADD COLUMN supplement integer NOT NULL DEFAULT 0, ADD UNIQUE (period_id, revision, supplement, participant_id, currency),
    ADD FOREIGN KEY (period_id, revision, supplement) REFERENCES payout_list;
ALTER TABLE payment_file DROP CONSTRAINT payment_file_period_id_revision_rail_currency_key;
ALTER TABLE payment_file ADD COLUMN supplement integer NOT NULL DEFAULT 0, ADD UNIQUE (period_id, revision, supplement, rail, currency),
    ADD FOREIGN KEY (period_id, revision, supplement) REFERENCES payout_list;

-- The run of one statement by which a released period pays an adjustment, which is in no
-- snapshot of it.
ALTER TABLE adjustment_taken ADD COLUMN run_id bigint REFERENCES run;
CREATE UNIQUE INDEX adjustment_taken_by_run ON adjustment_taken (run_id);

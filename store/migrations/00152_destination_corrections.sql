-- +goose Up

-- What a bank says an account is now, of a payment that it made: somebody else than who handed its
-- file in makes it the participant's destination, or refuses it.
CREATE TABLE destination_correction (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    file_id        uuid NOT NULL REFERENCES status_file,
    number         integer NOT NULL, -- its place in the file
    participant_id text NOT NULL REFERENCES participant,
    destination_id bigint NOT NULL REFERENCES destination, -- as it stands
    rail           text NOT NULL,
    key_version    integer NOT NULL,
    details        bytea NOT NULL, -- as the bank has it: encrypted as the participant's destinations are
    masked         text NOT NULL,
    code           text NOT NULL,  -- the bank's
    reason         text NOT NULL,
    proposed_by    text NOT NULL REFERENCES participant, -- who handed the file in
    proposed_at    timestamptz NOT NULL DEFAULT now(),
    decision       text CHECK (decision IN ('confirmed', 'refused')),
    decided_by     text REFERENCES participant CHECK (decided_by <> proposed_by AND decided_by <> participant_id),
    decided_at     timestamptz,
    reason_id      uuid REFERENCES free_text CHECK (decision <> 'refused' OR reason_id IS NOT NULL),
    UNIQUE (file_id, number),
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL))
);
CREATE UNIQUE INDEX one_correction_at_a_time ON destination_correction (destination_id) WHERE decision IS NULL;

ALTER TABLE payout_outcome DROP CONSTRAINT payout_outcome_effect_check;
ALTER TABLE payout_outcome ADD CONSTRAINT payout_outcome_effect_check CHECK (effect IN ('none', 'submitted', 'paid', 'failed', 'returned', 'unclear', 'correction'));

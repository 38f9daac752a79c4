-- +goose Up

-- Banks tell files of one day apart by a number, and payments of all files by another: who takes
-- a number keeps it, also where the file is built again.
CREATE TABLE file_number (
    rail        text NOT NULL,
    purpose     text NOT NULL, -- which file it is
    day         date NOT NULL,
    number      integer NOT NULL CHECK (number > 0),      -- of the day
    first_trace bigint NOT NULL CHECK (first_trace > 0),  -- of its first payment
    payments    integer NOT NULL CHECK (payments > 0),
    PRIMARY KEY (rail, day, number),
    UNIQUE (rail, purpose)
);

ALTER TABLE payment_file ADD COLUMN effective_on date; -- when the bank is asked to pay; NULL where the file does not say
CREATE TABLE payment_trace (
    file_id   uuid NOT NULL REFERENCES payment_file,
    payout_id uuid NOT NULL REFERENCES payout,
    trace     text NOT NULL, -- by which the bank speaks of the payment
    PRIMARY KEY (file_id, payout_id),
    UNIQUE (file_id, trace)
);
CREATE INDEX payment_trace_by_trace ON payment_trace (trace);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON payment_trace FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON payment_trace FOR EACH STATEMENT EXECUTE FUNCTION append_only();

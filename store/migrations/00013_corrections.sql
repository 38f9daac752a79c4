-- +goose Up

-- A line that is a difference of an earlier period.
ALTER TABLE line ADD COLUMN corrects text REFERENCES pay_period;

-- In whose statement a posted line is. It was earned in another period where it is a correction.
ALTER TABLE posted_line ADD COLUMN stated_in text REFERENCES pay_period;
ALTER TABLE posted_line DISABLE TRIGGER append_only;
UPDATE posted_line SET stated_in = earned_in;
ALTER TABLE posted_line ENABLE TRIGGER append_only;
ALTER TABLE posted_line ALTER COLUMN stated_in SET NOT NULL;
CREATE INDEX posted_line_stated_in ON posted_line (stated_in);

CREATE OR REPLACE VIEW standing_line AS
SELECT p.line_id, p.participant_id, p.earned_in, p.stated_in FROM posted_line p
WHERE p.sign = 1 AND NOT EXISTS (SELECT FROM posted_line later WHERE later.line_id = p.line_id AND later.id > p.id);

-- The snapshot of an earlier period as it stands today, which the snapshot of the
-- statement's period takes with it, and a recalculation may take anew.
ALTER TABLE snapshot_record DROP CONSTRAINT snapshot_record_kind_check;
ALTER TABLE snapshot_record ADD CONSTRAINT snapshot_record_kind_check
    CHECK (kind IN ('participant', 'transaction', 'credit', 'quota', 'plan_version', 'assignment', 'posted', 'correction', 'corrected', 'adjustment', 'exchange_rate'));
CREATE INDEX snapshot_record_correction ON snapshot_record (record_id) WHERE kind = 'correction';
CREATE INDEX snapshot_of_period ON snapshot (period_id);
ALTER TABLE amendment_item DROP CONSTRAINT amendment_item_kind_check;
ALTER TABLE amendment_item ADD CONSTRAINT amendment_item_kind_check
    CHECK (kind IN ('transaction', 'participant', 'quota', 'assignment', 'plan', 'posted', 'correction', 'adjustment', 'exchange_rate'));

-- +goose Up

-- What a bank left unclear is an exception, wherever its payout stands.
CREATE INDEX payout_in_doubt ON payout (id) WHERE reason = 'bank-unclear';

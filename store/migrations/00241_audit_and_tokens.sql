-- +goose Up

-- When a token was last used, to within some minutes.
ALTER TABLE api_token ADD COLUMN last_used_at timestamptz;

-- Who did what when.
CREATE INDEX audit_event_by_actor ON audit_event (actor, number);
CREATE INDEX audit_event_by_act ON audit_event (act, number);
CREATE INDEX audit_event_by_time ON audit_event (at, number);

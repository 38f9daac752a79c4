-- +goose Up

-- How a person wants to be spoken to. Whoever has no row has said nothing yet.
CREATE TABLE person_setting (
    participant_id text PRIMARY KEY REFERENCES participant (id),
    language text NOT NULL CHECK (language IN ('en', 'id')),
    changed_at timestamptz NOT NULL DEFAULT now()
);

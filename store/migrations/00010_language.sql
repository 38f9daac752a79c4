-- +goose Up

-- A line may put off what was earned, or pay what was put off.
ALTER TABLE line DROP CONSTRAINT line_kind_check, ADD CONSTRAINT line_kind_check CHECK (kind IN ('earning', 'draw', 'holdback'));

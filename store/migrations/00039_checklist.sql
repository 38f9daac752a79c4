-- +goose Up

-- How many transactions of its period a run found that nobody is credited with. NULL of runs before this was counted.
ALTER TABLE run ADD COLUMN uncredited integer;

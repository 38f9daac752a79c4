-- +goose Up

-- What was sold, put together for the shards of a run while it is calculated: in one pass, where
-- each shard that looks its own up would go through all of them again. shard is NULL of what goes
-- to every shard; rows holds what store/shard_sales.go writes.
CREATE TABLE run_sales (
    run_id bigint NOT NULL,
    shard  integer,
    rows   bytea NOT NULL
);
CREATE INDEX run_sales_by_run ON run_sales (run_id, shard);
ALTER TABLE run_sales ALTER COLUMN rows SET STORAGE EXTERNAL; -- is read once or twice and goes

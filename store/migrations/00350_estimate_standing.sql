-- +goose Up

-- How far an estimate's first component has come that measures against a quota: teams are sorted by it.
ALTER TABLE estimate
    ADD COLUMN measured numeric GENERATED ALWAYS AS ((jsonb_path_query_first(progress::jsonb, '$[*] ? (exists (@.goal))') ->> 'measured')::numeric) STORED,
    ADD COLUMN goal     numeric GENERATED ALWAYS AS ((jsonb_path_query_first(progress::jsonb, '$[*] ? (exists (@.goal))') ->> 'goal')::numeric) STORED,
    ADD COLUMN distance numeric GENERATED ALWAYS AS ((jsonb_path_query_first(progress::jsonb, '$[*] ? (exists (@.goal))') -> 'next' ->> 'distance')::numeric) STORED;

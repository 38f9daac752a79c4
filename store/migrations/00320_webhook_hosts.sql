-- +goose Up

-- The only hosts to which people may have messages sent by a webhook; what they were before stands
-- with the company's other settings over time.
ALTER TABLE company ADD webhook_hosts text[] NOT NULL DEFAULT '{hooks.slack.com}';
ALTER TABLE company_version ADD webhook_hosts text[] NOT NULL DEFAULT '{hooks.slack.com}';

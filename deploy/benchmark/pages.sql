-- What pages show beside the calculation: who has which role, finance, an administrator and an
-- auditor, and an open month with estimates of everybody.
SET search_path = guerdon;
SET session_replication_role = replica; -- no triggers: nothing is estimated
INSERT INTO company (name, time_zone) VALUES ('Benchmark', 'UTC');
INSERT INTO participant (id) SELECT unnest(ARRAY['fin', 'admin', 'aud']);
INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes)
    SELECT id, '2025-01-01', 1, 'Name of ' || id, id || '@example.com', 'employee', NULL, 'US', 'USD', '{}' FROM unnest(ARRAY['fin', 'admin', 'aud']) id;
INSERT INTO role_grant (participant_id, role) VALUES ('fin', 'finance'), ('admin', 'administrator'), ('aud', 'auditor');
INSERT INTO role_grant (participant_id, role) SELECT participant_id, 'rep' FROM assignment;
INSERT INTO role_grant (participant_id, role) SELECT DISTINCT manager_id, 'manager' FROM participant_fact WHERE manager_id IS NOT NULL;
INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on) VALUES ('monthly-2026-02', 'monthly', '2026-02', '2026-02-01', '2026-02-28');
INSERT INTO period_revision (period_id, revision, state, opened_by) VALUES ('monthly-2026-02', 1, 'open', 'fin');
INSERT INTO estimate (period_id, participant_id, problem, currency, total_minor, booked_minor, digest, lines, progress)
    SELECT 'monthly-2026-02', participant_id, '', currency, total_minor, total_minor, digest, '[]', json_build_array(json_build_object('plan_id', 'sales', 'component', 'commission', 'measured', (total_minor / 10)::text, 'goal', '50000'))
    FROM statement WHERE run_id = @run;
SELECT setval(pg_get_serial_sequence('snapshot', 'id'), 1); -- the company's came with its number
SET session_replication_role = origin;

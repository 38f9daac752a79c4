-- A company of so many people in five levels of twelve each, with so many deals in January,
-- every fifth of them split and every tenth of the product that the SPIF is about, locked.
SET search_path = guerdon;
SET session_replication_role = replica; -- no triggers: nothing is estimated
INSERT INTO participant (id) SELECT 'p' || n FROM generate_series(0, @people - 1) n;
INSERT INTO participant_fact (participant_id, effective_from, version, name, email, kind, manager_id, country, pay_currency, attributes)
    SELECT 'p' || n, '2025-01-01', 1, 'Name of p' || n, 'p' || n || '@example.com', 'employee', CASE WHEN n > 0 THEN 'p' || (n - 1) / 12 END, 'US', 'USD', '{}' FROM generate_series(0, @people - 1) n;
INSERT INTO assignment (participant_id, plan_id, calendar_id, starts_on, version) SELECT 'p' || n, 'sales', 'monthly', '2026-01-01', 1 FROM generate_series(0, @people - 1) n;
INSERT INTO quota (participant_id, measure, starts_on, ends_on, version, amount) SELECT 'p' || n, 'bookings', '2026-01-01', '2026-01-31', 1, @quota FROM generate_series(0, @people - 1) n;
INSERT INTO calendar (id) VALUES ('monthly');
INSERT INTO pay_period (id, calendar_id, code, starts_on, ends_on) VALUES ('monthly-2026-01', 'monthly', '2026-01', '2026-01-01', '2026-01-31');
INSERT INTO transaction (source, transaction_id, version, date, amount, currency, attributes)
    SELECT 'crm', 'd' || n, 1, '2026-01-01'::date + n % 31, 500 + n % 1000 + round((n % 97) / 100.0, 2), 'USD', jsonb_build_object('product', CASE WHEN n % 10 = 3 THEN 'spark' ELSE 'core' END)
    FROM generate_series(1, @deals) n;
INSERT INTO credit (source, transaction_id, participant_id, role, version, share)
    SELECT 'crm', 'd' || n, 'p' || n % @people, 'owner', 1, CASE WHEN n % 5 = 0 THEN 0.7 ELSE 1 END FROM generate_series(1, @deals) n
    UNION ALL SELECT 'crm', 'd' || n, 'p' || (n + 1) % @people, 'overlay', 1, 0.3 FROM generate_series(5, @deals, 5) n;
INSERT INTO plan_version (plan_id, version, effective_from, document) VALUES ('sales', 1, '2026-01-01', convert_to(@plan, 'UTF8'));
INSERT INTO snapshot (id, period_id, revision, digest, since) OVERRIDING SYSTEM VALUE VALUES (1, 'monthly-2026-01', 1, sha256('not what is measured'), '2026-01-01');
INSERT INTO snapshot_record
    SELECT 1, 'participant', record_id FROM participant_fact UNION ALL SELECT 1, 'assignment', record_id FROM assignment UNION ALL SELECT 1, 'quota', record_id FROM quota
    UNION ALL SELECT 1, 'plan_version', record_id FROM plan_version;
INSERT INTO snapshot_record SELECT 1, 'transaction', record_id FROM transaction;
INSERT INTO snapshot_record SELECT 1, 'credit', record_id FROM credit;
INSERT INTO period_revision (period_id, revision, state, opened_by, snapshot_id) VALUES ('monthly-2026-01', 1, 'locked', 'p0', 1);

-- What somebody would write who pays by this one plan and no other: the same statements, lines,
-- contributions and explanations, into tables with the same keys.
CREATE TEMP TABLE person ON COMMIT DROP AS
    SELECT f.participant_id AS id, f.manager_id, q.amount AS quota, row_number() OVER (ORDER BY f.participant_id COLLATE "C") AS n
    FROM snapshot_record r JOIN participant_fact f USING (record_id)
    JOIN (SELECT q.participant_id, q.amount FROM snapshot_record r JOIN quota q USING (record_id) WHERE r.snapshot_id = 1 AND r.kind = 'quota') q USING (participant_id)
    WHERE r.snapshot_id = 1 AND r.kind = 'participant';
ANALYZE person;

CREATE TEMP TABLE sold ON COMMIT DROP AS
    SELECT p.n, m.n AS manager, c.participant_id, t.date, t.source, t.transaction_id, c.role, t.amount * c.share AS credited, t.attributes->>'product' = 'spark' AS spark
    FROM snapshot_record rc JOIN credit c ON c.record_id = rc.record_id
    JOIN transaction t ON t.source = c.source AND t.transaction_id = c.transaction_id
    JOIN snapshot_record rt ON rt.snapshot_id = 1 AND rt.kind = 'transaction' AND rt.record_id = t.record_id
    JOIN person p ON p.id = c.participant_id LEFT JOIN person m ON m.id = p.manager_id
    WHERE rc.snapshot_id = 1 AND rc.kind = 'credit';
ANALYZE sold;

-- Commission: each deal climbs the tiers, the cap takes from the last ones.
INSERT INTO by_hand.contribution (line_id, position, source, transaction_id, participant_id, role, credited, amount, shown_minor)
    WITH climbing AS (
        SELECT s.n, p.quota, row_number() OVER w - 1 AS position, source, transaction_id, participant_id, role, credited, sum(credited) OVER w AS upto
        FROM sold s JOIN person p USING (n) WINDOW w AS (PARTITION BY s.n ORDER BY date, source COLLATE "C", transaction_id COLLATE "C", role COLLATE "C" ROWS UNBOUNDED PRECEDING)
    ), earning AS (
        SELECT *, (least(upto, quota) - least(upto - credited, quota)) * 0.05 + (greatest(upto, quota) - greatest(upto - credited, quota)) * 0.08 AS earned FROM climbing
    ), capped AS (
        SELECT *, greatest(least(earned, @cap - (sum(earned) OVER (PARTITION BY n ORDER BY position ROWS UNBOUNDED PRECEDING) - earned)), 0) AS amount FROM earning
    )
    SELECT n * 4, position, source, transaction_id, participant_id, role, credited, amount,
        floor(amount * 100) + CASE WHEN row_number() OVER (PARTITION BY n ORDER BY amount * 100 - floor(amount * 100) DESC, position)
            <= round(sum(amount) OVER (PARTITION BY n) * 100) - sum(floor(amount * 100)) OVER (PARTITION BY n) THEN 1 ELSE 0 END
    FROM capped;

-- Override: one hundredth of what those sell who report to somebody.
INSERT INTO by_hand.contribution (line_id, position, source, transaction_id, participant_id, role, credited, amount, shown_minor)
    WITH team AS (
        SELECT manager, row_number() OVER (PARTITION BY manager ORDER BY date, source COLLATE "C", transaction_id COLLATE "C", participant_id COLLATE "C", role COLLATE "C") - 1 AS position,
            source, transaction_id, participant_id, role, credited, credited * 0.01 AS amount
        FROM sold WHERE manager IS NOT NULL
    )
    SELECT manager * 4 + 1, position, source, transaction_id, participant_id, role, credited, amount,
        floor(amount * 100) + CASE WHEN row_number() OVER (PARTITION BY manager ORDER BY amount * 100 - floor(amount * 100) DESC, position)
            <= round(sum(amount) OVER (PARTITION BY manager) * 100) - sum(floor(amount * 100)) OVER (PARTITION BY manager) THEN 1 ELSE 0 END
    FROM team;

-- SPIF: what counts earns nothing by itself.
INSERT INTO by_hand.contribution (line_id, position, source, transaction_id, participant_id, role, credited, amount, shown_minor)
    SELECT n * 4 + 2, row_number() OVER (PARTITION BY n ORDER BY date, source COLLATE "C", transaction_id COLLATE "C", role COLLATE "C") - 1, source, transaction_id, participant_id, role, credited, 0, 0
    FROM sold WHERE spark;

CREATE TEMP TABLE result ON COMMIT DROP AS
    WITH own AS (
        SELECT n, sum(credited) AS total, count(*) AS deals, coalesce(sum(credited) FILTER (WHERE spark), 0) AS spark, count(*) FILTER (WHERE spark) AS sparks FROM sold GROUP BY n
    ), team AS (
        SELECT manager AS n, sum(credited) AS total, count(*) AS deals FROM sold WHERE manager IS NOT NULL GROUP BY manager
    ), paid AS (
        SELECT line_id, sum(amount) AS amount FROM by_hand.contribution GROUP BY line_id
    ), ranked AS (
        SELECT n, spark, rank() OVER w AS place, count(*) OVER (PARTITION BY spark) AS tied FROM own WHERE spark > 0 WINDOW w AS (ORDER BY spark DESC)
    ), won AS (
        SELECT n, place, tied, (SELECT coalesce(sum(prize), 0) FROM (VALUES (1, 5000), (2, 2500), (3, 1000)) v(at, prize) WHERE at BETWEEN place AND place + tied - 1) AS prizes FROM ranked
    )
    SELECT p.n, p.id, p.quota, coalesce(own.total, 0) AS total, coalesce(own.deals, 0) AS deals, coalesce(own.spark, 0) AS spark, coalesce(own.sparks, 0) AS sparks,
        coalesce(team.total, 0) AS team, coalesce(team.deals, 0) AS team_deals, coalesce(commission.amount, 0) AS commission, coalesce(override.amount, 0) AS override,
        coalesce(won.place, 0) AS place, coalesce(won.tied, 1) AS tied, coalesce(won.prizes, 0) AS prizes, round(coalesce(won.prizes::numeric / won.tied, 0), 2) AS won
    FROM person p LEFT JOIN own USING (n) LEFT JOIN team USING (n) LEFT JOIN won USING (n)
    LEFT JOIN paid commission ON commission.line_id = p.n * 4 LEFT JOIN paid override ON override.line_id = p.n * 4 + 1;

CREATE TEMP TABLE lines ON COMMIT DROP AS
    SELECT n, 0 AS position, 'commission' AS component, 'earning' AS kind, commission AS unrounded, round(commission * 100) AS minor, json_build_object('steps', json_build_array(
        json_build_object('kind', 'measure', 'name', 'sum', 'count', deals, 'result', total::text),
        json_build_object('kind', 'quota', 'name', 'bookings', 'days', 31, 'of_days', 31, 'amount', quota::text, 'result', quota::text),
        json_build_object('kind', 'attainment', 'amount', total::text, 'unit', quota::text, 'result', round(total / quota, 28)::text),
        json_build_object('kind', 'tier', 'from', '0', 'to', quota::text, 'amount', least(total, quota)::text, 'rate', '0.05', 'result', (least(total, quota) * 0.05)::text),
        json_build_object('kind', 'tier', 'from', quota::text, 'amount', greatest(total - quota, 0)::text, 'rate', '0.08', 'result', (greatest(total - quota, 0) * 0.08)::text),
        json_build_object('kind', 'cap', 'amount', (least(total, quota) * 0.05 + greatest(total - quota, 0) * 0.08)::text, 'rate', (@cap)::text, 'result', commission::text),
        json_build_object('kind', 'rounding', 'name', 'half_away_from_zero', 'amount', commission::text, 'result', round(commission, 2)::text))) AS explanation FROM result
    UNION ALL SELECT n, 1, 'override', 'earning', override, round(override * 100), json_build_object('steps', json_build_array(
        json_build_object('kind', 'measure', 'name', 'sum', 'count', team_deals, 'result', team::text),
        json_build_object('kind', 'rate', 'count', team_deals, 'amount', team::text, 'rate', '0.01', 'result', (team * 0.01)::text),
        json_build_object('kind', 'rounding', 'name', 'half_away_from_zero', 'amount', override::text, 'result', round(override, 2)::text))) FROM result
    UNION ALL SELECT n, 2, 'spif', 'earning', won, won * 100, json_build_object('steps', json_build_array(
        json_build_object('kind', 'measure', 'name', 'sum', 'where', 'transaction.product == "spark"', 'count', sparks, 'result', spark::text),
        json_build_object('kind', 'rank', 'count', place, 'tied', tied, 'amount', spark::text, 'rate', prizes::text, 'result', won::text),
        json_build_object('kind', 'rounding', 'name', 'half_away_from_zero', 'amount', won::text, 'result', won::text)), 'of_no_credit', won::text) FROM result;
INSERT INTO lines SELECT n, 3, 'Draw', 'draw', advance, advance * 100, json_build_object('steps', json_build_array(
        json_build_object('kind', 'draw', 'amount', earned::text, 'unit', '0', 'rate', (@draw)::text, 'result', advance::text),
        json_build_object('kind', 'rounding', 'name', 'half_away_from_zero', 'amount', advance::text, 'result', advance::text)), 'of_no_credit', advance::text)
    FROM (SELECT n, sum(minor) / 100 AS earned, greatest(@draw - sum(minor) / 100, 0) AS advance FROM lines GROUP BY n) d;

INSERT INTO by_hand.statement (id, run_id, participant_id, currency, total_minor, digest) OVERRIDING SYSTEM VALUE
    SELECT p.n, 1, p.id, 'USD', sum(l.minor), sha256(convert_to(p.id || string_agg(l.explanation::text, '' ORDER BY l.position), 'UTF8')) FROM person p JOIN lines l USING (n) GROUP BY p.n, p.id;
INSERT INTO by_hand.line (id, statement_id, position, plan_id, plan_version, component, kind, unrounded, amount_minor, explanation) OVERRIDING SYSTEM VALUE
    SELECT n * 4 + position, n, position, 'sales', 1, component, kind, unrounded, minor, explanation FROM lines;

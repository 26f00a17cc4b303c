-- orders: distinct customer_id, for buyers, visitors
WITH source_rows AS (
SELECT * FROM (
  SELECT CAST(((("ordered_at") AT TIME ZONE 'UTC') + CASE WHEN (("ordered_at") AT TIME ZONE 'UTC') < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN (("ordered_at") AT TIME ZONE 'UTC') < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) AS DATE) AS day, ("customer_id") AS e, coalesce(CAST(("country") AS VARCHAR), '(none)') AS d0, CAST(CASE WHEN ("status" = 'paid') THEN 1 ELSE 0 END + CASE WHEN ("amount" > 0) THEN 2 ELSE 0 END AS BIGINT) AS mask
  FROM "shop"."orders" AS src
  WHERE ("ordered_at") < TIMESTAMPTZ '2025-07-02 23:00:00+00' AND ("ordered_at") >= TIMESTAMPTZ '2024-06-28 23:00:00+00'
) AS scanned WHERE day < DATE '2025-07-01' AND day >= DATE '2024-07-01'
),
seen AS MATERIALIZED (
SELECT e, day, d0, min(CASE WHEN (mask & 3) = 3 THEN day END) AS f0, min(day) AS f1 FROM source_rows WHERE e IS NOT NULL GROUP BY e, day, d0
),
day_whole AS MATERIALIZED (
SELECT e, day AS start, min(f0) AS f0, min(f1) AS f1 FROM seen GROUP BY e, day
),
week_whole AS MATERIALIZED (
SELECT e, (start - ((CAST(extract(isodow FROM start) AS INTEGER) + 6) % 7)) AS start, min(f0) AS f0, min(f1) AS f1 FROM day_whole GROUP BY e, (start - ((CAST(extract(isodow FROM start) AS INTEGER) + 6) % 7))
),
month_whole AS MATERIALIZED (
SELECT e, CAST(date_trunc('month', start) AS DATE) AS start, min(f0) AS f0, min(f1) AS f1 FROM day_whole GROUP BY e, CAST(date_trunc('month', start) AS DATE)
),
year_whole AS MATERIALIZED (
SELECT e, CAST(date_trunc('year', date_trunc('month', start) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE) AS start, min(f0) AS f0, min(f1) AS f1 FROM day_whole GROUP BY e, CAST(date_trunc('year', date_trunc('month', start) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE)
),
day_d0 AS MATERIALIZED (
SELECT e, d0, day AS start, min(f0) AS f0 FROM seen GROUP BY e, d0, day
),
week_d0 AS MATERIALIZED (
SELECT e, d0, (start - ((CAST(extract(isodow FROM start) AS INTEGER) + 6) % 7)) AS start, min(f0) AS f0 FROM day_d0 GROUP BY e, d0, (start - ((CAST(extract(isodow FROM start) AS INTEGER) + 6) % 7))
),
month_d0 AS MATERIALIZED (
SELECT e, d0, CAST(date_trunc('month', start) AS DATE) AS start, min(f0) AS f0 FROM day_d0 GROUP BY e, d0, CAST(date_trunc('month', start) AS DATE)
),
year_d0 AS MATERIALIZED (
SELECT e, d0, CAST(date_trunc('year', date_trunc('month', start) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE) AS start, min(f0) AS f0 FROM day_d0 GROUP BY e, d0, CAST(date_trunc('year', date_trunc('month', start) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE)
)
SELECT 'day' AS tag, '' AS dimension, '' AS member, start, count(f0), count(f1) FROM day_whole GROUP BY start
UNION ALL
SELECT 'week' AS tag, '' AS dimension, '' AS member, start, count(f0), count(f1) FROM week_whole GROUP BY start
UNION ALL
SELECT 'month' AS tag, '' AS dimension, '' AS member, start, count(f0), count(f1) FROM month_whole GROUP BY start
UNION ALL
SELECT '0:month' AS tag, '' AS dimension, '' AS member, f0 AS start, count(*), 0 FROM month_whole WHERE f0 IS NOT NULL GROUP BY f0
UNION ALL
SELECT '1:month' AS tag, '' AS dimension, '' AS member, f1 AS start, count(*), 0 FROM month_whole WHERE f1 IS NOT NULL GROUP BY f1
UNION ALL
SELECT 'year' AS tag, '' AS dimension, '' AS member, start, count(f0), count(f1) FROM year_whole GROUP BY start
UNION ALL
SELECT 'day' AS tag, 'country' AS dimension, d0 AS member, start, count(f0), 0 FROM day_d0 GROUP BY d0, start
UNION ALL
SELECT 'week' AS tag, 'country' AS dimension, d0 AS member, start, count(f0), 0 FROM week_d0 GROUP BY d0, start
UNION ALL
SELECT 'month' AS tag, 'country' AS dimension, d0 AS member, start, count(f0), 0 FROM month_d0 GROUP BY d0, start
UNION ALL
SELECT 'year' AS tag, 'country' AS dimension, d0 AS member, start, count(f0), 0 FROM year_d0 GROUP BY d0, start;

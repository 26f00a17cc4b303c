-- orders: percentiles, for median
WITH source_rows AS MATERIALIZED (
SELECT ("ordered_at") AS day, CAST(CASE WHEN ("status" = 'paid') THEN 1 ELSE 0 END + CASE WHEN ("amount" > 0) THEN 2 ELSE 0 END AS BIGINT) AS mask, CAST(("amount") + 0 AS DOUBLE PRECISION) AS x0
  FROM "shop"."orders" AS src
  WHERE ("ordered_at") < DATE '2025-07-01' AND ("ordered_at") >= DATE '2024-07-01'
)
SELECT 'day' AS grain, '' AS dimension, member, start, quantile_cont(CASE WHEN (mask & 3) = 3 THEN x0 END, [0.5])[1] AS c0, sum(CASE WHEN (mask & 3) = 3 THEN 1 ELSE 0 END) AS c1
FROM (SELECT *, '' AS member, day AS start FROM source_rows
  WHERE day >= DATE '2024-07-01' AND day < DATE '2024-08-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'week' AS grain, '' AS dimension, member, start, quantile_cont(CASE WHEN (mask & 3) = 3 THEN x0 END, [0.5])[1] AS c0, sum(CASE WHEN (mask & 3) = 3 THEN 1 ELSE 0 END) AS c1
FROM (SELECT *, '' AS member, (day - ((CAST(extract(isodow FROM day) AS INTEGER) + 6) % 7)) AS start FROM source_rows
  WHERE day >= DATE '2024-07-01' AND day < DATE '2024-08-05') AS cut
GROUP BY member, start
UNION ALL
SELECT 'year' AS grain, '' AS dimension, member, start, quantile_cont(CASE WHEN (mask & 3) = 3 THEN x0 END, [0.5])[1] AS c0, sum(CASE WHEN (mask & 3) = 3 THEN 1 ELSE 0 END) AS c1
FROM (SELECT *, '' AS member, CAST(date_trunc('year', date_trunc('month', day) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE) AS start FROM source_rows
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start;

-- orders: median to date, for median
WITH source_rows AS MATERIALIZED (
SELECT ("ordered_at") AS day, CAST(("amount") + 0 AS DOUBLE PRECISION) AS x
  FROM "shop"."orders" AS src
  WHERE (("status" = 'paid' AND "amount" > 0)) AND ("ordered_at") < DATE '2025-07-01' AND ("ordered_at") >= DATE '2024-07-01'
)
SELECT 'month_to_date' AS grain, '' AS dimension, '' AS member, day AS start, max(q) AS c0 FROM (
  SELECT day, quantile_cont(x, 0.5) OVER (PARTITION BY CAST(date_trunc('month', day) AS DATE) ORDER BY day RANGE UNBOUNDED PRECEDING) AS q
  FROM source_rows WHERE x IS NOT NULL) AS running
WHERE day >= DATE '2024-07-01' AND day < DATE '2024-08-01' GROUP BY day;

-- orders: first seen, for new
WITH source_rows AS (
SELECT ("ordered_at") AS day, ("customer_id") AS e, ("ordered_at") AS t, coalesce(CAST(("country") AS VARCHAR), '(none)') AS d0
  FROM "shop"."orders" AS src
  WHERE ("ordered_at") < DATE '2025-07-01'
),
first_times AS MATERIALIZED (
SELECT e, min(t) AS t, min(day) AS day FROM source_rows WHERE e IS NOT NULL GROUP BY e
),
first_0 AS (
SELECT f.day, min(r.d0) AS member FROM first_times AS f JOIN source_rows AS r ON r.e = f.e AND r.t = f.t
WHERE f.day >= DATE '2024-07-01' AND f.day < DATE '2025-07-01'
GROUP BY f.e, f.day
)
SELECT '0' AS target, '' AS dimension, '' AS member, day, count(*) AS value
FROM first_times WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01' GROUP BY day
UNION ALL
SELECT '0' AS target, 'country' AS dimension, member, day, count(*) AS value
FROM first_0 GROUP BY member, day;

-- orders: last amount, for stock
WITH source_rows AS (
SELECT ("ordered_at") AS day, ("ordered_at") AS t, ("amount") AS x
  FROM "shop"."orders" AS src
  WHERE ("ordered_at") < DATE '2025-07-01' AND ("ordered_at") >= DATE '2024-07-01'
)
SELECT '0' AS target, '' AS dimension, member, day, value FROM (
  SELECT member, day, value, row_number() OVER (PARTITION BY member, day ORDER BY t DESC) AS place FROM (
    SELECT '' AS member, day, t, sum(x) AS value FROM source_rows WHERE x IS NOT NULL
    GROUP BY day, t) AS moments) AS placed
WHERE place = 1;

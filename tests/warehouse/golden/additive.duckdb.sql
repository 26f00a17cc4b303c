-- orders: cells, for orders, aov, revenue, price
WITH source_rows AS (
SELECT * FROM (
  SELECT CAST((CAST(("ordered_at") AS TIMESTAMP) + CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) AS DATE) AS day, coalesce(CAST(("country") AS VARCHAR), '(none)') AS d0, CAST(CASE WHEN ("status" = 'paid') THEN 1 ELSE 0 END + CASE WHEN ("amount" > 0) THEN 2 ELSE 0 END + CASE WHEN ("pieces" <> 0) THEN 4 ELSE 0 END AS BIGINT) AS mask, ("amount") AS x0, CASE WHEN ("pieces" <> 0) THEN (CAST("amount" AS DOUBLE) / "pieces") END AS x1
  FROM "shop"."orders" AS src
  WHERE ("ordered_at") < TIMESTAMP '2025-07-02 23:00:00' AND ("ordered_at") >= TIMESTAMP '2024-06-28 23:00:00'
) AS scanned WHERE day < DATE '2025-07-01' AND day >= DATE '2024-07-01'
),
cells AS MATERIALIZED (
SELECT day, d0, mask, count(*) AS n, sum(x0) AS a1, sum(x1) AS a2
FROM source_rows GROUP BY day, d0, mask
)
SELECT 'day' AS grain, '' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, '' AS member, day AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'day' AS grain, 'country' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, d0 AS member, day AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'week' AS grain, '' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, '' AS member, (day - ((CAST(extract(isodow FROM day) AS INTEGER) + 6) % 7)) AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'week' AS grain, 'country' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, d0 AS member, (day - ((CAST(extract(isodow FROM day) AS INTEGER) + 6) % 7)) AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'year' AS grain, '' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, '' AS member, CAST(date_trunc('year', date_trunc('month', day) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE) AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start
UNION ALL
SELECT 'year' AS grain, 'country' AS dimension, member, start, sum(CASE WHEN (mask & 3) = 3 THEN n ELSE 0 END) AS c0, sum(CASE WHEN (mask & 3) = 3 THEN a1 END) AS c1, sum(CASE WHEN (mask & 4) = 4 THEN n ELSE 0 END) AS c2, sum(CASE WHEN (mask & 4) = 4 THEN a2 END) AS c3, sum(n) AS c4
FROM (SELECT *, d0 AS member, CAST(date_trunc('year', date_trunc('month', day) - INTERVAL '6 months') + INTERVAL '6 months' AS DATE) AS start FROM cells
  WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01') AS cut
GROUP BY member, start;

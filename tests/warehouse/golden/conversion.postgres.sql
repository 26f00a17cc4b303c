-- orders: conversion, for second
WITH base_rows AS (
SELECT * FROM (
  SELECT CAST((CAST(("ordered_at") AS TIMESTAMP) + CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) AS DATE) AS day, ("customer_id") AS e, CAST(("ordered_at") AS TIMESTAMP) AS t
  FROM "shop"."orders" AS src
  WHERE (("customer_id") IS NOT NULL AND ("n" = 1)) AND ("ordered_at") < TIMESTAMP '2025-07-02 23:00:00' AND ("ordered_at") >= TIMESTAMP '2024-05-12 23:00:00'
) AS scanned WHERE day < DATE '2025-07-01' AND day >= DATE '2024-05-15'
),
conversion_rows AS (
SELECT * FROM (
  SELECT CAST((CAST(("ordered_at") AS TIMESTAMP) + CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN CAST(("ordered_at") AS TIMESTAMP) < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) AS DATE) AS day, ("customer_id") AS e, CAST(("ordered_at") AS TIMESTAMP) AS t
  FROM "shop"."orders" AS src
  WHERE (("customer_id") IS NOT NULL AND ("n" = 2)) AND ("ordered_at") < TIMESTAMP '2025-07-02 23:00:00' AND ("ordered_at") >= TIMESTAMP '2024-05-12 23:00:00'
) AS scanned WHERE day < DATE '2025-07-01' AND day >= DATE '2024-05-15'
),
line AS (
SELECT e, t, 0 AS kind, t + INTERVAL '0 months 45 days' AS due FROM base_rows
UNION ALL
SELECT e, t, 1 AS kind, CAST(NULL AS TIMESTAMP) AS due FROM conversion_rows
),
credited AS (
SELECT *, sum(1 - kind) OVER line_of_entity AS place, max(due) OVER line_of_entity AS closes
FROM line WINDOW line_of_entity AS (PARTITION BY e ORDER BY t, kind ROWS UNBOUNDED PRECEDING)
),
bases AS (
SELECT min(CASE WHEN kind = 0 THEN t END) AS t, max(closes) AS due, max(CASE WHEN kind = 1 AND t < closes THEN 1 ELSE 0 END) AS converted
FROM credited WHERE place > 0 GROUP BY e, place
),
judged AS MATERIALIZED (
SELECT CAST((due + CASE WHEN due < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN due < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) AS DATE) AS day, CASE WHEN (due + CASE WHEN due < TIMESTAMP '2024-10-27 01:00:00' THEN INTERVAL '3600 seconds' ELSE CASE WHEN due < TIMESTAMP '2025-03-30 01:00:00' THEN INTERVAL '0 seconds' ELSE INTERVAL '3600 seconds' END END) <= CAST(DATE '2024-07-20' AS TIMESTAMP) THEN 1 ELSE 0 END AS passed, converted FROM bases
)
SELECT '0' AS target, '' AS dimension, '' AS member, day, sum(passed) AS base, sum(passed * converted) AS converted, sum(1 - passed) AS immature
FROM judged WHERE day >= DATE '2024-07-01' AND day < DATE '2025-07-01' GROUP BY day;

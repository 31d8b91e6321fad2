WITH at_orders AS (
  SELECT
    o.*,
    c.as_of,
    DATEDIFF(DAY, o.local_date, c.as_of) AS age
  FROM orders AS o
  JOIN cutoffs AS c
    ON o.local_date < c.as_of
), plain AS (
  SELECT
    customer_id,
    as_of,
    SUM(CASE WHEN age <= 7 THEN 1 ELSE 0 END) AS orders_7d,
    SUM(CASE WHEN age <= 14 THEN 1 ELSE 0 END) AS orders_14d,
    SUM(CASE WHEN age <= 28 THEN 1 ELSE 0 END) AS orders_28d,
    SUM(CASE WHEN age <= 56 THEN 1 ELSE 0 END) AS orders_56d,
    SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END) AS orders_90d,
    SUM(CASE WHEN age <= 7 THEN amount_cents ELSE 0 END) / CAST(100.0 AS DOUBLE) AS amount_7d,
    SUM(CASE WHEN age <= 14 THEN amount_cents ELSE 0 END) / CAST(100.0 AS DOUBLE) AS amount_14d,
    SUM(CASE WHEN age <= 28 THEN amount_cents ELSE 0 END) / CAST(100.0 AS DOUBLE) AS amount_28d,
    SUM(CASE WHEN age <= 56 THEN amount_cents ELSE 0 END) / CAST(100.0 AS DOUBLE) AS amount_56d,
    SUM(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END) / CAST(100.0 AS DOUBLE) AS amount_90d,
    SUM(CASE WHEN age <= 7 THEN items ELSE 0 END) AS items_7d,
    SUM(CASE WHEN age <= 14 THEN items ELSE 0 END) AS items_14d,
    SUM(CASE WHEN age <= 28 THEN items ELSE 0 END) AS items_28d,
    SUM(CASE WHEN age <= 56 THEN items ELSE 0 END) AS items_56d,
    SUM(CASE WHEN age <= 90 THEN items ELSE 0 END) AS items_90d,
    MIN(age) AS days_since_last_order,
    MAX(age) AS tenure_days,
    CAST(SUM(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 100 ELSE 0 END), 0) AS mean_order_amount,
    CAST(SUM(CASE WHEN age <= 90 THEN items ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS items_per_order,
    CAST(SUM(CASE WHEN age <= 90 THEN discount_cents ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN (
      amount_cents + discount_cents
    ) ELSE 0 END), 0) AS discount_share,
    CAST(SUM(CASE WHEN age <= 90 THEN with_coupon ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS coupon_share,
    CAST(SUM(CASE WHEN age <= 90 THEN private_label_cents ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END), 0) AS private_label_share,
    CAST(SUM(CASE WHEN age <= 90 THEN weekend ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS weekend_share,
    CAST(SUM(CASE WHEN age <= 90 THEN evening ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS evening_share,
    COUNT(DISTINCT CASE WHEN age <= 90 THEN store_id END) AS stores_90d,
    MAX(CASE WHEN age <= 90 THEN amount_cents END) / CAST(100.0 AS DOUBLE) AS largest_order_90d,
    COUNT(*) * CAST(7.0 AS DOUBLE) / GREATEST(MAX(age), 28) AS orders_per_week,
    SUM(amount_cents) * CAST(7.0 AS DOUBLE) / 100 / GREATEST(MAX(age), 28) AS amount_per_week,
    SUM(
      CAST(ROUND(amount_cents * POWER(CAST(0.5 AS DOUBLE), age / CAST(20.0 AS DOUBLE))) AS BIGINT)
    ) / CAST(100.0 AS DOUBLE) AS amount_decayed_20d,
    SUM(
      CAST(ROUND(amount_cents * POWER(CAST(0.5 AS DOUBLE), age / CAST(60.0 AS DOUBLE))) AS BIGINT)
    ) / CAST(100.0 AS DOUBLE) AS amount_decayed_60d
  FROM at_orders
  GROUP BY
    customer_id,
    as_of
), at_days AS (
  SELECT
    d.customer_id,
    c.as_of,
    d.gap,
    DATEDIFF(DAY, d.local_date, c.as_of) AS age,
    ROW_NUMBER() OVER (PARTITION BY d.customer_id, c.as_of ORDER BY d.local_date DESC) AS nth
  FROM shopping_days AS d
  JOIN cutoffs AS c
    ON d.local_date < c.as_of
), rhythm AS (
  SELECT
    customer_id,
    as_of,
    CAST(SUM(CASE WHEN age <= 90 THEN gap END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 90 THEN gap END), 0) AS days_between_orders,
    MAX(CASE WHEN age <= 90 THEN gap END) AS longest_gap_90d,
    SQRT(
      CAST(GREATEST(
        0,
        COUNT(CASE WHEN age <= 90 THEN gap END) * SUM(CASE WHEN age <= 90 THEN gap * gap ELSE 0 END) - SUM(CASE WHEN age <= 90 THEN gap ELSE 0 END) * SUM(CASE WHEN age <= 90 THEN gap ELSE 0 END)
      ) AS DOUBLE) / NULLIF(
        COUNT(CASE WHEN age <= 90 THEN gap END) * (
          COUNT(CASE WHEN age <= 90 THEN gap END) - 1
        ),
        0
      )
    ) AS gap_deviation_90d,
    MAX(CASE WHEN nth = 3 THEN age END) AS days_since_3rd_last,
    MAX(CASE WHEN nth = 6 THEN age END) AS days_since_6th_last,
    MAX(CASE WHEN nth = 12 THEN age END) AS days_since_12th_last
  FROM at_days
  GROUP BY
    customer_id,
    as_of
), bought AS (
  SELECT
    t.customer_id,
    t.local_date,
    p.category
  FROM transactions AS t
  JOIN products AS p
    ON p.product_id = t.product_id
  WHERE
    t.local_date < (
      SELECT
        MAX(as_of)
      FROM cutoffs
    )
    AND t.local_date >= (
      SELECT
        MIN(as_of)
      FROM cutoffs
    ) - 90
), at_categories AS (
  SELECT
    b.customer_id,
    c.as_of,
    b.category,
    MIN(DATEDIFF(DAY, b.local_date, c.as_of)) AS age
  FROM bought AS b
  JOIN cutoffs AS c
    ON b.local_date < c.as_of AND DATEDIFF(DAY, b.local_date, c.as_of) <= 90
  GROUP BY
    b.customer_id,
    c.as_of,
    b.category
), variety AS (
  SELECT
    customer_id,
    as_of,
    COUNT(CASE WHEN age <= 28 THEN category END) AS categories_28d,
    COUNT(category) AS categories_90d
  FROM at_categories
  GROUP BY
    customer_id,
    as_of
), campaigns_received AS (
  SELECT
    e.customer_id,
    c.as_of,
    COUNT(
      DISTINCT CASE WHEN DATEDIFF(DAY, e.sent_on, c.as_of) <= 90 THEN e.campaign_id END
    ) AS campaigns_90d
  FROM exposures AS e
  JOIN cutoffs AS c
    ON e.sent_on < c.as_of
  GROUP BY
    e.customer_id,
    c.as_of
), redeemed AS (
  SELECT
    o.customer_id,
    c.as_of,
    SUM(CASE WHEN DATEDIFF(DAY, o.occurred_on, c.as_of) <= 90 THEN 1 ELSE 0 END) AS redemptions_90d,
    COUNT(*) AS redemptions_ever
  FROM outcomes AS o
  JOIN cutoffs AS c
    ON o.occurred_on < c.as_of AND o.kind = 'redemption'
  GROUP BY
    o.customer_id,
    c.as_of
), joined AS (
  SELECT
    f.*,
    r.days_between_orders,
    r.longest_gap_90d,
    r.gap_deviation_90d,
    r.days_since_3rd_last,
    r.days_since_6th_last,
    r.days_since_12th_last,
    COALESCE(v.categories_28d, 0) AS categories_28d,
    COALESCE(v.categories_90d, 0) AS categories_90d,
    COALESCE(e.campaigns_90d, 0) AS campaigns_90d,
    COALESCE(u.redemptions_90d, 0) AS redemptions_90d,
    COALESCE(u.redemptions_ever, 0) AS redemptions_ever
  FROM plain AS f
  LEFT JOIN rhythm AS r
    ON r.customer_id = f.customer_id AND r.as_of = f.as_of
  LEFT JOIN variety AS v
    ON v.customer_id = f.customer_id AND v.as_of = f.as_of
  LEFT JOIN campaigns_received AS e
    ON e.customer_id = f.customer_id AND e.as_of = f.as_of
  LEFT JOIN redeemed AS u
    ON u.customer_id = f.customer_id AND u.as_of = f.as_of
), complete AS (
  SELECT
    *,
    days_since_last_order / NULLIF(days_between_orders, 0) AS overdue,
    CAST(orders_28d AS DOUBLE) * 90 / 28 / NULLIF(orders_90d, 0) AS orders_trend,
    CAST(amount_28d AS DOUBLE) * 90 / 28 / NULLIF(amount_90d, 0) AS amount_trend
  FROM joined
)
SELECT
  customer_id,
  as_of,
  orders_7d,
  orders_14d,
  orders_28d,
  orders_56d,
  orders_90d,
  amount_7d,
  amount_14d,
  amount_28d,
  amount_56d,
  amount_90d,
  items_7d,
  items_14d,
  items_28d,
  items_56d,
  items_90d,
  days_since_last_order,
  tenure_days,
  mean_order_amount,
  items_per_order,
  discount_share,
  coupon_share,
  private_label_share,
  weekend_share,
  evening_share,
  stores_90d,
  largest_order_90d,
  orders_per_week,
  amount_per_week,
  amount_decayed_20d,
  amount_decayed_60d,
  days_between_orders,
  longest_gap_90d,
  gap_deviation_90d,
  days_since_3rd_last,
  days_since_6th_last,
  days_since_12th_last,
  categories_28d,
  categories_90d,
  campaigns_90d,
  redemptions_90d,
  redemptions_ever,
  overdue,
  orders_trend,
  amount_trend
FROM complete
ORDER BY
  as_of NULLS LAST,
  customer_id NULLS LAST

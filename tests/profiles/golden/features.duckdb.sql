WITH at_orders AS (
        SELECT o.*, c.as_of, DATEDIFF('day', o.local_date, c.as_of) AS age
        FROM orders AS o JOIN cutoffs AS c ON o.local_date < c.as_of
    ), plain AS (
        SELECT customer_id, as_of, sum(CASE WHEN age <= 7 THEN 1 ELSE 0 END) AS orders_7d,
sum(CASE WHEN age <= 14 THEN 1 ELSE 0 END) AS orders_14d,
sum(CASE WHEN age <= 28 THEN 1 ELSE 0 END) AS orders_28d,
sum(CASE WHEN age <= 56 THEN 1 ELSE 0 END) AS orders_56d,
sum(CASE WHEN age <= 90 THEN 1 ELSE 0 END) AS orders_90d,
sum(CASE WHEN age <= 7 THEN amount_cents ELSE 0 END) / 100.0 AS amount_7d,
sum(CASE WHEN age <= 14 THEN amount_cents ELSE 0 END) / 100.0 AS amount_14d,
sum(CASE WHEN age <= 28 THEN amount_cents ELSE 0 END) / 100.0 AS amount_28d,
sum(CASE WHEN age <= 56 THEN amount_cents ELSE 0 END) / 100.0 AS amount_56d,
sum(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END) / 100.0 AS amount_90d,
sum(CASE WHEN age <= 7 THEN items ELSE 0 END) AS items_7d,
sum(CASE WHEN age <= 14 THEN items ELSE 0 END) AS items_14d,
sum(CASE WHEN age <= 28 THEN items ELSE 0 END) AS items_28d,
sum(CASE WHEN age <= 56 THEN items ELSE 0 END) AS items_56d,
sum(CASE WHEN age <= 90 THEN items ELSE 0 END) AS items_90d,
min(age) AS days_since_last_order,
max(age) AS tenure_days,
CAST(sum(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN 100 ELSE 0 END), 0) AS mean_order_amount,
CAST(sum(CASE WHEN age <= 90 THEN items ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS items_per_order,
CAST(sum(CASE WHEN age <= 90 THEN discount_cents ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN (amount_cents + discount_cents) ELSE 0 END), 0) AS discount_share,
CAST(sum(CASE WHEN age <= 90 THEN with_coupon ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS coupon_share,
CAST(sum(CASE WHEN age <= 90 THEN private_label_cents ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN amount_cents ELSE 0 END), 0) AS private_label_share,
CAST(sum(CASE WHEN age <= 90 THEN weekend ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS weekend_share,
CAST(sum(CASE WHEN age <= 90 THEN evening ELSE 0 END) AS DOUBLE) / NULLIF(sum(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS evening_share,
count(DISTINCT CASE WHEN age <= 90 THEN store_id END) AS stores_90d,
max(CASE WHEN age <= 90 THEN amount_cents END) / 100.0 AS largest_order_90d,
count(*) * 7.0 / greatest(max(age), 28) AS orders_per_week,
sum(amount_cents) * 7.0 / 100 / greatest(max(age), 28) AS amount_per_week,
sum(CAST(round(amount_cents * pow(0.5, age / 20.0)) AS BIGINT)) / 100.0 AS amount_decayed_20d,
sum(CAST(round(amount_cents * pow(0.5, age / 60.0)) AS BIGINT)) / 100.0 AS amount_decayed_60d FROM at_orders GROUP BY customer_id, as_of
    ), at_days AS (
        SELECT d.customer_id, c.as_of, d.gap, DATEDIFF('day', d.local_date, c.as_of) AS age,
               ROW_NUMBER() OVER (PARTITION BY d.customer_id, c.as_of
                   ORDER BY d.local_date DESC) AS nth
        FROM shopping_days AS d JOIN cutoffs AS c ON d.local_date < c.as_of
    ), rhythm AS (
        SELECT customer_id, as_of, CAST(sum(CASE WHEN age <= 90 THEN gap END) AS DOUBLE) / NULLIF(count(CASE WHEN age <= 90 THEN gap END), 0) AS days_between_orders,
max(CASE WHEN age <= 90 THEN gap END) AS longest_gap_90d,
sqrt(CAST(greatest(0, count(CASE WHEN age <= 90 THEN gap END) * sum(CASE WHEN age <= 90 THEN gap * gap ELSE 0 END) - sum(CASE WHEN age <= 90 THEN gap ELSE 0 END) * sum(CASE WHEN age <= 90 THEN gap ELSE 0 END)) AS DOUBLE) / NULLIF(count(CASE WHEN age <= 90 THEN gap END) * (count(CASE WHEN age <= 90 THEN gap END) - 1), 0)) AS gap_deviation_90d,
max(CASE WHEN nth = 3 THEN age END) AS days_since_3rd_last,
max(CASE WHEN nth = 6 THEN age END) AS days_since_6th_last,
max(CASE WHEN nth = 12 THEN age END) AS days_since_12th_last FROM at_days GROUP BY customer_id, as_of
    ), bought AS (
        SELECT t.customer_id, t.local_date, p.category
        FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
        WHERE t.local_date < (SELECT max(as_of) FROM cutoffs)
          AND t.local_date >= (SELECT min(as_of) FROM cutoffs) - 90
          
    ), at_categories AS (
        SELECT b.customer_id, c.as_of, b.category,
               min(DATEDIFF('day', b.local_date, c.as_of)) AS age
        FROM bought AS b JOIN cutoffs AS c
          ON b.local_date < c.as_of AND DATEDIFF('day', b.local_date, c.as_of) <= 90
        GROUP BY b.customer_id, c.as_of, b.category
    ), variety AS (
        SELECT customer_id, as_of, count(CASE WHEN age <= 28 THEN category END) AS categories_28d,
count(category) AS categories_90d FROM at_categories GROUP BY customer_id, as_of
    ), campaigns_received AS (
        SELECT e.customer_id, c.as_of,
               count(DISTINCT CASE WHEN DATEDIFF('day', e.sent_on, c.as_of) <= 90
                   THEN e.campaign_id END) AS campaigns_90d
        FROM exposures AS e JOIN cutoffs AS c ON e.sent_on < c.as_of
        GROUP BY e.customer_id, c.as_of
    ), redeemed AS (
        SELECT o.customer_id, c.as_of,
               sum(CASE WHEN DATEDIFF('day', o.occurred_on, c.as_of) <= 90 THEN 1 ELSE 0 END)
                   AS redemptions_90d,
               count(*) AS redemptions_ever
        FROM outcomes AS o JOIN cutoffs AS c ON o.occurred_on < c.as_of
         AND o.kind = 'redemption'
        GROUP BY o.customer_id, c.as_of
    ), joined AS (
        SELECT f.*, r.days_between_orders, r.longest_gap_90d, r.gap_deviation_90d, r.days_since_3rd_last, r.days_since_6th_last, r.days_since_12th_last, COALESCE(v.categories_28d, 0) AS categories_28d, COALESCE(v.categories_90d, 0) AS categories_90d,
               COALESCE(e.campaigns_90d, 0) AS campaigns_90d,
               COALESCE(u.redemptions_90d, 0) AS redemptions_90d,
               COALESCE(u.redemptions_ever, 0) AS redemptions_ever
        FROM plain AS f
        LEFT JOIN rhythm AS r ON r.customer_id = f.customer_id AND r.as_of = f.as_of
        LEFT JOIN variety AS v ON v.customer_id = f.customer_id AND v.as_of = f.as_of
        LEFT JOIN campaigns_received AS e ON e.customer_id = f.customer_id AND e.as_of = f.as_of
        LEFT JOIN redeemed AS u ON u.customer_id = f.customer_id AND u.as_of = f.as_of
    ), complete AS (SELECT *, days_since_last_order / NULLIF(days_between_orders, 0) AS overdue,
CAST(orders_28d AS DOUBLE) * 90 / 28 / NULLIF(orders_90d, 0) AS orders_trend,
CAST(amount_28d AS DOUBLE) * 90 / 28 / NULLIF(amount_90d, 0) AS amount_trend FROM joined)
    SELECT customer_id, as_of, orders_7d, orders_14d, orders_28d, orders_56d, orders_90d, amount_7d, amount_14d, amount_28d, amount_56d, amount_90d, items_7d, items_14d, items_28d, items_56d, items_90d, days_since_last_order, tenure_days, mean_order_amount, items_per_order, discount_share, coupon_share, private_label_share, weekend_share, evening_share, stores_90d, largest_order_90d, orders_per_week, amount_per_week, amount_decayed_20d, amount_decayed_60d, days_between_orders, longest_gap_90d, gap_deviation_90d, days_since_3rd_last, days_since_6th_last, days_since_12th_last, categories_28d, categories_90d, campaigns_90d, redemptions_90d, redemptions_ever, overdue, orders_trend, amount_trend FROM complete ORDER BY as_of, customer_id

WITH at_orders AS (
  SELECT
    x.*,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM orders AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_ways AS (
  SELECT
    x.customer_id,
    x.channel,
    x.payment_method,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM (
    SELECT
      customer_id,
      local_date,
      MIN(channel) AS channel,
      MIN(payment_method) AS payment_method
    FROM transactions
    GROUP BY
      customer_id,
      order_id,
      local_date
  ) AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_days AS (
  SELECT
    x.customer_id,
    x.gap,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM shopping_days AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_events AS (
  SELECT
    x.customer_id,
    x.kind,
    x.session_id,
    x.product_id,
    x.dwell_seconds,
    x.rating,
    x.device,
    x.local_hour,
    x.local_date,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM events AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_social AS (
  SELECT
    x.customer_id,
    x.kind,
    x.platform,
    x.followers,
    CASE WHEN x.target_customer_id <> x.customer_id THEN x.target_customer_id END AS contact,
    ROW_NUMBER() OVER (
      PARTITION BY x.customer_id, c.as_of
      ORDER BY CASE WHEN x.followers IS NULL THEN 1 ELSE 0 END NULLS LAST, x.occurred_at DESC, x.followers DESC
    ) AS nth,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM social AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_tickets AS (
  SELECT
    x.customer_id,
    CASE WHEN x.resolved_on < c.as_of THEN 1 ELSE 0 END AS resolved,
    x.satisfaction,
    x.topic,
    c.as_of,
    DATEDIFF(DAY, x.opened_on, c.as_of) AS age
  FROM tickets AS x
  JOIN cutoffs AS c
    ON x.opened_on < c.as_of
), at_returns AS (
  SELECT
    x.customer_id,
    x.amount_cents,
    x.sale_date,
    DATEDIFF(DAY, COALESCE(x.sale_date, x.local_date), c.as_of) AS sale_age,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM returns AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), at_failed_orders AS (
  SELECT
    x.customer_id,
    x.order_id,
    x.status,
    c.as_of,
    DATEDIFF(DAY, x.local_date, c.as_of) AS age
  FROM failed_orders AS x
  JOIN cutoffs AS c
    ON x.local_date < c.as_of
), bought_days AS (
  SELECT DISTINCT
    customer_id,
    product_id,
    local_date
  FROM transactions
), at_funnel AS (
  SELECT
    s.customer_id,
    s.as_of,
    s.kind,
    s.product_id,
    1 AS age,
    MAX(CASE WHEN b.product_id IS NULL THEN 0 ELSE 1 END) AS bought
  FROM (
    SELECT
      customer_id,
      as_of,
      kind,
      product_id,
      MIN(local_date) AS first_on
    FROM at_events
    WHERE
      age <= 90 AND NOT product_id IS NULL AND kind IN ('view', 'cart')
    GROUP BY
      customer_id,
      as_of,
      kind,
      product_id
  ) AS s
  LEFT JOIN bought_days AS b
    ON b.customer_id = s.customer_id
    AND b.product_id = s.product_id
    AND b.local_date >= s.first_on
    AND b.local_date < s.as_of
  GROUP BY
    s.customer_id,
    s.as_of,
    s.kind,
    s.product_id
), at_waits AS (
  SELECT
    b.customer_id,
    c.as_of,
    b.product_id,
    b.local_date,
    DATEDIFF(DAY, b.local_date, c.as_of) AS age,
    DATEDIFF(DAY, MIN(e.local_date), b.local_date) AS waited
  FROM bought_days AS b
  JOIN cutoffs AS c
    ON b.local_date < c.as_of AND DATEDIFF(DAY, b.local_date, c.as_of) <= 90
  JOIN events AS e
    ON e.customer_id = b.customer_id
    AND e.product_id = b.product_id
    AND e.kind = 'view'
    AND e.local_date <= b.local_date
    AND DATEDIFF(DAY, e.local_date, b.local_date) <= 30
  GROUP BY
    b.customer_id,
    c.as_of,
    b.product_id,
    b.local_date
), by_orders AS (
  SELECT
    customer_id,
    as_of,
    SUM(CASE WHEN age <= 365 THEN 1 ELSE 0 END) AS orders_365d,
    CAST(SUM(CASE WHEN age <= 365 THEN amount_cents ELSE 0 END) AS DOUBLE) / 100 AS amount_365d,
    CAST(SUM(CASE WHEN age <= 90 THEN CASE WHEN local_hour < 6 THEN 1 ELSE 0 END ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END), 0) AS night_share,
    CAST(SUM(CASE WHEN age <= 365 THEN with_coupon ELSE 0 END) AS DOUBLE) / NULLIF(SUM(CASE WHEN age <= 365 THEN 1 ELSE 0 END), 0) AS coupon_share_365d
  FROM at_orders
  GROUP BY
    customer_id,
    as_of
), by_days AS (
  SELECT
    customer_id,
    as_of,
    COUNT(gap) AS pauses,
    SUM(gap) AS paused_days
  FROM at_days
  GROUP BY
    customer_id,
    as_of
), by_events AS (
  SELECT
    customer_id,
    as_of,
    COUNT(DISTINCT CASE WHEN age <= 90 THEN session_id END) AS sessions_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'view' THEN 1 ELSE 0 END) AS views_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'search' THEN 1 ELSE 0 END) AS searches_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'click' THEN 1 ELSE 0 END) AS clicks_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'cart' THEN 1 ELSE 0 END) AS carts_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'favourite' THEN 1 ELSE 0 END) AS favourites_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'share' THEN 1 ELSE 0 END) AS shares_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'review' THEN 1 ELSE 0 END) AS reviews_90d,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 365 THEN rating END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 365 THEN rating END), 0)
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS mean_rating,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 90 AND kind = 'view' THEN dwell_seconds END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 90 AND kind = 'view' THEN dwell_seconds END), 0)
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS dwell_seconds,
    MIN(age) AS days_since_last_visit
  FROM at_events
  GROUP BY
    customer_id,
    as_of
), by_social AS (
  SELECT
    customer_id,
    as_of,
    COUNT(DISTINCT CASE WHEN age <= 365 THEN platform END) AS platforms,
    SUM(CASE WHEN age <= 90 THEN 1 ELSE 0 END) AS social_actions_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'post' THEN 1 ELSE 0 END) AS posts_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'like' THEN 1 ELSE 0 END) AS likes_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'comment' THEN 1 ELSE 0 END) AS comments_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'repost' THEN 1 ELSE 0 END) AS reposts_90d,
    SUM(CASE WHEN age <= 90 AND kind = 'follow' THEN 1 ELSE 0 END) AS follows_90d,
    MAX(CASE WHEN nth = 1 THEN followers END) AS followers,
    COUNT(DISTINCT CASE WHEN age <= 365 THEN contact END) AS contacts_365d,
    MIN(age) AS days_since_last_social
  FROM at_social
  GROUP BY
    customer_id,
    as_of
), by_tickets AS (
  SELECT
    customer_id,
    as_of,
    SUM(CASE WHEN age <= 365 THEN 1 ELSE 0 END) AS tickets_365d,
    SUM(
      CASE
        WHEN age <= 365
        AND (
          LOCATE('deliver', LOWER(topic)) > 0
          OR LOCATE('shipping', LOWER(topic)) > 0
          OR LOCATE('shipment', LOWER(topic)) > 0
          OR LOCATE('courier', LOWER(topic)) > 0
          OR LOCATE('物流', LOWER(topic)) > 0
          OR LOCATE('配送', LOWER(topic)) > 0
          OR LOCATE('快递', LOWER(topic)) > 0
        )
        THEN 1
        ELSE 0
      END
    ) AS delivery_tickets_365d,
    SUM(
      CASE
        WHEN age <= 365
        AND (
          LOCATE('quality', LOWER(topic)) > 0
          OR LOCATE('defect', LOWER(topic)) > 0
          OR LOCATE('damaged', LOWER(topic)) > 0
          OR LOCATE('质量', LOWER(topic)) > 0
          OR LOCATE('品质', LOWER(topic)) > 0
          OR LOCATE('破损', LOWER(topic)) > 0
        )
        THEN 1
        ELSE 0
      END
    ) AS quality_tickets_365d,
    SUM(CASE WHEN resolved = 0 THEN 1 ELSE 0 END) AS open_tickets,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 365 THEN CASE WHEN resolved = 1 THEN satisfaction END END) AS DOUBLE) / NULLIF(
            COUNT(CASE WHEN age <= 365 THEN CASE WHEN resolved = 1 THEN satisfaction END END),
            0
          )
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS ticket_satisfaction
  FROM at_tickets
  GROUP BY
    customer_id,
    as_of
), by_returns AS (
  SELECT
    customer_id,
    as_of,
    CAST(SUM(CASE WHEN sale_age <= 365 THEN amount_cents ELSE 0 END) AS DOUBLE) / 100 AS returned_365d,
    SUM(CASE WHEN age <= 365 AND sale_date IS NULL THEN 1 ELSE 0 END) AS unmatched_returns_365d
  FROM at_returns
  GROUP BY
    customer_id,
    as_of
), by_failed_orders AS (
  SELECT
    customer_id,
    as_of,
    COUNT(DISTINCT CASE WHEN age <= 365 AND status = 'failed' THEN order_id END) AS failed_orders_365d,
    COUNT(DISTINCT CASE WHEN age <= 365 AND status = 'cancelled' THEN order_id END) AS cancelled_orders_365d
  FROM at_failed_orders
  GROUP BY
    customer_id,
    as_of
), by_funnel AS (
  SELECT
    customer_id,
    as_of,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 90 AND kind = 'view' THEN bought END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 90 AND kind = 'view' THEN bought END), 0)
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS view_to_buy_share,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 90 AND kind = 'cart' THEN 1 - bought END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 90 AND kind = 'cart' THEN 1 - bought END), 0)
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS cart_abandonment
  FROM at_funnel
  GROUP BY
    customer_id,
    as_of
), by_waits AS (
  SELECT
    customer_id,
    as_of,
    (
      ROUND(
        (
          CAST(SUM(CASE WHEN age <= 90 THEN waited END) AS DOUBLE) / NULLIF(COUNT(CASE WHEN age <= 90 THEN waited END), 0)
        ) * CAST(1000000 AS DOUBLE)
      ) / CAST(1000000 AS DOUBLE)
    ) AS days_view_to_buy
  FROM at_waits
  GROUP BY
    customer_id,
    as_of
), most_preferred_device AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          device AS value
        FROM at_events
        WHERE
          age <= 90
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_browsing_day_part AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          CASE
            WHEN local_hour < 6
            THEN 'night'
            WHEN local_hour < 12
            THEN 'morning'
            WHEN local_hour < 18
            THEN 'afternoon'
            ELSE 'evening'
          END AS value
        FROM at_events
        WHERE
          age <= 90
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_preferred_day_part AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          CASE
            WHEN local_hour < 6
            THEN 'night'
            WHEN local_hour < 12
            THEN 'morning'
            WHEN local_hour < 18
            THEN 'afternoon'
            ELSE 'evening'
          END AS value
        FROM at_orders
        WHERE
          TRUE
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_main_platform AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          platform AS value
        FROM at_social
        WHERE
          age <= 365
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_main_store AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          store_id AS value
        FROM at_orders
        WHERE
          TRUE
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_payment_method AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          payment_method AS value
        FROM at_ways
        WHERE
          age <= 365
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), most_purchase_channel AS (
  SELECT
    customer_id,
    as_of,
    value
  FROM (
    SELECT
      customer_id,
      as_of,
      value,
      ROW_NUMBER() OVER (PARTITION BY customer_id, as_of ORDER BY n DESC, value NULLS LAST) AS nth
    FROM (
      SELECT
        customer_id,
        as_of,
        value,
        COUNT(*) AS n
      FROM (
        SELECT
          customer_id,
          as_of,
          channel AS value
        FROM at_ways
        WHERE
          age <= 365
      ) AS seen
      WHERE
        NOT value IS NULL
      GROUP BY
        customer_id,
        as_of,
        value
    ) AS counts
  ) AS ranked
  WHERE
    nth = 1
), base AS (
  SELECT DISTINCT
    customer_id,
    as_of
  FROM at_orders
)
SELECT
  base.customer_id,
  base.as_of,
  COALESCE(CAST(by_events.sessions_90d AS DOUBLE), 0) AS sessions_90d,
  COALESCE(CAST(by_events.views_90d AS DOUBLE), 0) AS views_90d,
  COALESCE(CAST(by_events.searches_90d AS DOUBLE), 0) AS searches_90d,
  COALESCE(CAST(by_events.clicks_90d AS DOUBLE), 0) AS clicks_90d,
  COALESCE(CAST(by_events.carts_90d AS DOUBLE), 0) AS carts_90d,
  COALESCE(CAST(by_events.favourites_90d AS DOUBLE), 0) AS favourites_90d,
  COALESCE(CAST(by_events.shares_90d AS DOUBLE), 0) AS shares_90d,
  COALESCE(CAST(by_events.reviews_90d AS DOUBLE), 0) AS reviews_90d,
  CAST(by_events.mean_rating AS DOUBLE) AS mean_rating,
  CAST(by_events.dwell_seconds AS DOUBLE) AS dwell_seconds,
  CAST(by_events.days_since_last_visit AS DOUBLE) AS days_since_last_visit,
  CAST(by_funnel.view_to_buy_share AS DOUBLE) AS view_to_buy_share,
  CAST(by_funnel.cart_abandonment AS DOUBLE) AS cart_abandonment,
  COALESCE(CAST(by_tickets.tickets_365d AS DOUBLE), 0) AS tickets_365d,
  COALESCE(CAST(by_tickets.delivery_tickets_365d AS DOUBLE), 0) AS delivery_tickets_365d,
  COALESCE(CAST(by_tickets.quality_tickets_365d AS DOUBLE), 0) AS quality_tickets_365d,
  COALESCE(CAST(by_tickets.open_tickets AS DOUBLE), 0) AS open_tickets,
  CAST(by_tickets.ticket_satisfaction AS DOUBLE) AS ticket_satisfaction,
  COALESCE(CAST(by_orders.orders_365d AS DOUBLE), 0) AS orders_365d,
  COALESCE(CAST(by_orders.amount_365d AS DOUBLE), 0) AS amount_365d,
  CAST(by_orders.night_share AS DOUBLE) AS night_share,
  CAST(by_waits.days_view_to_buy AS DOUBLE) AS days_view_to_buy,
  CAST(by_orders.coupon_share_365d AS DOUBLE) AS coupon_share_365d,
  COALESCE(CAST(by_social.platforms AS DOUBLE), 0) AS platforms,
  COALESCE(CAST(by_social.social_actions_90d AS DOUBLE), 0) AS social_actions_90d,
  COALESCE(CAST(by_social.posts_90d AS DOUBLE), 0) AS posts_90d,
  COALESCE(CAST(by_social.likes_90d AS DOUBLE), 0) AS likes_90d,
  COALESCE(CAST(by_social.comments_90d AS DOUBLE), 0) AS comments_90d,
  COALESCE(CAST(by_social.reposts_90d AS DOUBLE), 0) AS reposts_90d,
  COALESCE(CAST(by_social.follows_90d AS DOUBLE), 0) AS follows_90d,
  CAST(by_social.followers AS DOUBLE) AS followers,
  COALESCE(CAST(by_social.contacts_365d AS DOUBLE), 0) AS contacts_365d,
  CAST(by_social.days_since_last_social AS DOUBLE) AS days_since_last_social,
  COALESCE(CAST(by_returns.returned_365d AS DOUBLE), 0) AS returned_365d,
  COALESCE(CAST(by_returns.unmatched_returns_365d AS DOUBLE), 0) AS unmatched_returns_365d,
  COALESCE(CAST(by_failed_orders.failed_orders_365d AS DOUBLE), 0) AS failed_orders_365d,
  COALESCE(CAST(by_failed_orders.cancelled_orders_365d AS DOUBLE), 0) AS cancelled_orders_365d,
  COALESCE(CAST(by_days.pauses AS DOUBLE), 0) AS pauses,
  COALESCE(CAST(by_days.paused_days AS DOUBLE), 0) AS paused_days,
  most_preferred_device.value AS preferred_device,
  most_browsing_day_part.value AS browsing_day_part,
  most_preferred_day_part.value AS preferred_day_part,
  most_main_platform.value AS main_platform,
  most_main_store.value AS main_store,
  most_payment_method.value AS payment_method,
  most_purchase_channel.value AS purchase_channel
FROM base
LEFT JOIN by_orders
  ON by_orders.customer_id = base.customer_id AND by_orders.as_of = base.as_of
LEFT JOIN by_days
  ON by_days.customer_id = base.customer_id AND by_days.as_of = base.as_of
LEFT JOIN by_events
  ON by_events.customer_id = base.customer_id AND by_events.as_of = base.as_of
LEFT JOIN by_social
  ON by_social.customer_id = base.customer_id AND by_social.as_of = base.as_of
LEFT JOIN by_tickets
  ON by_tickets.customer_id = base.customer_id AND by_tickets.as_of = base.as_of
LEFT JOIN by_returns
  ON by_returns.customer_id = base.customer_id AND by_returns.as_of = base.as_of
LEFT JOIN by_failed_orders
  ON by_failed_orders.customer_id = base.customer_id
  AND by_failed_orders.as_of = base.as_of
LEFT JOIN by_funnel
  ON by_funnel.customer_id = base.customer_id AND by_funnel.as_of = base.as_of
LEFT JOIN by_waits
  ON by_waits.customer_id = base.customer_id AND by_waits.as_of = base.as_of
LEFT JOIN most_preferred_device
  ON most_preferred_device.customer_id = base.customer_id
  AND most_preferred_device.as_of = base.as_of
LEFT JOIN most_browsing_day_part
  ON most_browsing_day_part.customer_id = base.customer_id
  AND most_browsing_day_part.as_of = base.as_of
LEFT JOIN most_preferred_day_part
  ON most_preferred_day_part.customer_id = base.customer_id
  AND most_preferred_day_part.as_of = base.as_of
LEFT JOIN most_main_platform
  ON most_main_platform.customer_id = base.customer_id
  AND most_main_platform.as_of = base.as_of
LEFT JOIN most_main_store
  ON most_main_store.customer_id = base.customer_id
  AND most_main_store.as_of = base.as_of
LEFT JOIN most_payment_method
  ON most_payment_method.customer_id = base.customer_id
  AND most_payment_method.as_of = base.as_of
LEFT JOIN most_purchase_channel
  ON most_purchase_channel.customer_id = base.customer_id
  AND most_purchase_channel.as_of = base.as_of
ORDER BY
  base.as_of NULLS LAST,
  base.customer_id NULLS LAST

SELECT
  t.*,
  CAST(CAST((
    (
      occurred_at AT TIME ZONE 'UTC'
    ) AT TIME ZONE 'America/New_York'
  ) AS DATE) AS DATE) AS local_date,
  CAST(CAST(EXTRACT(HOUR FROM (
    (
      occurred_at AT TIME ZONE 'UTC'
    ) AT TIME ZONE 'America/New_York'
  )) AS INT) AS INT) AS local_hour
FROM (
  SELECT
    CAST(order_id AS TEXT) AS order_id,
    CAST(line_id AS TEXT) AS line_id,
    CAST(customer_id AS TEXT) AS customer_id,
    CAST(product_id AS TEXT) AS product_id,
    CAST(store_id AS TEXT) AS store_id,
    CAST(channel AS TEXT) AS channel,
    CAST(payment_method AS TEXT) AS payment_method,
    CAST(status AS TEXT) AS status,
    CAST(returned_order_id AS TEXT) AS returned_order_id,
    CAST(CASE
      WHEN (
        COALESCE(status, '') <> 'failed'
        AND (
          quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
        )
      )
      THEN ABS(quantity)
      WHEN product_id IN (
        SELECT
          product_id
        FROM products
        WHERE
          product_type = 'GASOLINE-REG UNLEADED'
      )
      THEN 1.0
      ELSE quantity
    END AS DOUBLE) AS quantity,
    CAST(CASE
      WHEN (
        COALESCE(status, '') <> 'failed'
        AND (
          quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
        )
      )
      THEN ABS(amount_cents)
      ELSE amount_cents
    END AS BIGINT) AS amount_cents,
    CAST(CASE
      WHEN (
        loyalty_discount_cents < 0
        AND NOT (
          COALESCE(status, '') <> 'failed'
          AND (
            quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
          )
        )
      )
      OR loyalty_discount_cents > 10000000000000
      OR loyalty_discount_cents < -10000000000000
      THEN NULL
      WHEN (
        COALESCE(status, '') <> 'failed'
        AND (
          quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
        )
      )
      THEN ABS(loyalty_discount_cents)
      ELSE loyalty_discount_cents
    END AS BIGINT) AS loyalty_discount_cents,
    CAST(CASE
      WHEN (
        coupon_discount_cents < 0
        AND NOT (
          COALESCE(status, '') <> 'failed'
          AND (
            quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
          )
        )
      )
      OR coupon_discount_cents > 10000000000000
      OR coupon_discount_cents < -10000000000000
      THEN NULL
      WHEN (
        COALESCE(status, '') <> 'failed'
        AND (
          quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
        )
      )
      THEN ABS(coupon_discount_cents)
      ELSE coupon_discount_cents
    END AS BIGINT) AS coupon_discount_cents,
    CAST(CASE
      WHEN (
        coupon_match_discount_cents < 0
        AND NOT (
          COALESCE(status, '') <> 'failed'
          AND (
            quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
          )
        )
      )
      OR coupon_match_discount_cents > 10000000000000
      OR coupon_match_discount_cents < -10000000000000
      THEN NULL
      WHEN (
        COALESCE(status, '') <> 'failed'
        AND (
          quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
        )
      )
      THEN ABS(coupon_match_discount_cents)
      ELSE coupon_match_discount_cents
    END AS BIGINT) AS coupon_match_discount_cents,
    CAST(occurred_at AS TIMESTAMP) AS occurred_at,
    copies,
    goes_to
  FROM (
    SELECT
      t.*,
      CASE
        WHEN (
          COALESCE(status, '') <> 'failed'
          AND (
            quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
          )
        )
        THEN 'returns'
        WHEN (
          status IN ('cancelled', 'failed')
          AND NOT (
            COALESCE(status, '') <> 'failed'
            AND (
              quantity < 0 OR amount_cents < 0 OR COALESCE(status, '') = 'returned'
            )
          )
        )
        THEN 'failed_orders'
        ELSE 'transactions'
      END AS goes_to
    FROM (
      SELECT
        order_id,
        line_id,
        customer_id,
        product_id,
        store_id,
        channel,
        payment_method,
        status,
        returned_order_id,
        quantity,
        amount_cents,
        loyalty_discount_cents,
        coupon_discount_cents,
        coupon_match_discount_cents,
        occurred_at,
        COUNT(*) AS copies
      FROM (
        SELECT
          COALESCE(p_customer_id.customer_id, s.customer_id) AS customer_id,
          s.order_id,
          s.line_id,
          s.product_id,
          s.store_id,
          s.channel,
          s.payment_method,
          s.status,
          s.returned_order_id,
          s.quantity,
          s.amount_cents,
          s.loyalty_discount_cents,
          s.coupon_discount_cents,
          s.coupon_match_discount_cents,
          s.occurred_at,
          s.raw_order_id,
          s.raw_line_id,
          s.raw_customer_id,
          s.raw_product_id,
          s.raw_store_id,
          s.raw_channel,
          s.raw_payment_method,
          s.raw_status,
          s.raw_returned_order_id,
          s.raw_quantity,
          s.raw_amount_cents,
          s.raw_loyalty_discount_cents,
          s.raw_coupon_discount_cents,
          s.raw_coupon_match_discount_cents,
          s.raw_occurred_at,
          s.hit_blank_line_text,
          s.hit_line_spelling,
          s.hit_line_quantity_no_number,
          CASE WHEN NOT p_customer_id.customer_id IS NULL THEN 1 ELSE 0 END AS another_id
        FROM (
          SELECT
            CAST(NULLIF(TRIM(order_id), '') AS TEXT) AS order_id,
            CAST(NULLIF(TRIM(line_id), '') AS TEXT) AS line_id,
            CAST(NULLIF(TRIM(customer_id), '') AS TEXT) AS customer_id,
            CAST(NULLIF(TRIM(product_id), '') AS TEXT) AS product_id,
            CAST(NULLIF(TRIM(store_id), '') AS TEXT) AS store_id,
            CAST(NULLIF(REPLACE(REPLACE(LOWER(TRIM(channel)), ' ', '_'), '-', '_'), '') AS TEXT) AS channel,
            CAST(NULLIF(REPLACE(REPLACE(LOWER(TRIM(payment_method)), ' ', '_'), '-', '_'), '') AS TEXT) AS payment_method,
            CAST(CASE
              WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'complete'
              THEN 'completed'
              WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'canceled'
              THEN 'cancelled'
              WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'cancel'
              THEN 'cancelled'
              WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'failure'
              THEN 'failed'
              WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'return'
              THEN 'returned'
              ELSE NULLIF(REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_'), '')
            END AS TEXT) AS status,
            CAST(NULLIF(TRIM(returned_order_id), '') AS TEXT) AS returned_order_id,
            CAST(CASE WHEN ABS(quantity) <= 1000000000 THEN quantity END AS DOUBLE) AS quantity,
            CAST(amount_cents AS BIGINT) AS amount_cents,
            CAST(loyalty_discount_cents AS BIGINT) AS loyalty_discount_cents,
            CAST(coupon_discount_cents AS BIGINT) AS coupon_discount_cents,
            CAST(coupon_match_discount_cents AS BIGINT) AS coupon_match_discount_cents,
            CAST(occurred_at AS TIMESTAMP) AS occurred_at,
            order_id AS raw_order_id,
            line_id AS raw_line_id,
            customer_id AS raw_customer_id,
            product_id AS raw_product_id,
            store_id AS raw_store_id,
            channel AS raw_channel,
            payment_method AS raw_payment_method,
            status AS raw_status,
            returned_order_id AS raw_returned_order_id,
            quantity AS raw_quantity,
            amount_cents AS raw_amount_cents,
            loyalty_discount_cents AS raw_loyalty_discount_cents,
            coupon_discount_cents AS raw_coupon_discount_cents,
            coupon_match_discount_cents AS raw_coupon_match_discount_cents,
            occurred_at AS raw_occurred_at,
            CASE
              WHEN order_id <> TRIM(order_id)
              OR order_id = ''
              OR line_id <> TRIM(line_id)
              OR line_id = ''
              OR customer_id <> TRIM(customer_id)
              OR customer_id = ''
              OR product_id <> TRIM(product_id)
              OR product_id = ''
              OR store_id <> TRIM(store_id)
              OR store_id = ''
              OR returned_order_id <> TRIM(returned_order_id)
              OR returned_order_id = ''
              THEN 1
              ELSE 0
            END AS hit_blank_line_text,
            CASE
              WHEN (
                NOT status IS NULL
                AND (
                  CASE
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'complete'
                    THEN 'completed'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'canceled'
                    THEN 'cancelled'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'cancel'
                    THEN 'cancelled'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'failure'
                    THEN 'failed'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'return'
                    THEN 'returned'
                    ELSE NULLIF(REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_'), '')
                  END IS NULL
                  OR CASE
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'complete'
                    THEN 'completed'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'canceled'
                    THEN 'cancelled'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'cancel'
                    THEN 'cancelled'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'failure'
                    THEN 'failed'
                    WHEN REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_') = 'return'
                    THEN 'returned'
                    ELSE NULLIF(REPLACE(REPLACE(LOWER(TRIM(status)), ' ', '_'), '-', '_'), '')
                  END <> status
                )
              )
              OR (
                NOT channel IS NULL
                AND (
                  NULLIF(REPLACE(REPLACE(LOWER(TRIM(channel)), ' ', '_'), '-', '_'), '') IS NULL
                  OR NULLIF(REPLACE(REPLACE(LOWER(TRIM(channel)), ' ', '_'), '-', '_'), '') <> channel
                )
              )
              OR (
                NOT payment_method IS NULL
                AND (
                  NULLIF(REPLACE(REPLACE(LOWER(TRIM(payment_method)), ' ', '_'), '-', '_'), '') IS NULL
                  OR NULLIF(REPLACE(REPLACE(LOWER(TRIM(payment_method)), ' ', '_'), '-', '_'), '') <> payment_method
                )
              )
              THEN 1
              ELSE 0
            END AS hit_line_spelling,
            CASE WHEN NOT quantity IS NULL AND NOT ABS(quantity) <= 1000000000 THEN 1 ELSE 0 END AS hit_line_quantity_no_number
          FROM transactions AS t
        ) AS s
        LEFT JOIN another_ids AS p_customer_id
          ON p_customer_id.source_customer_id = s.customer_id
      ) AS t
      WHERE
        CASE
          WHEN customer_id IS NULL
          OR order_id IS NULL
          OR product_id IS NULL
          OR occurred_at IS NULL
          THEN 'key_missing'
          WHEN amount_cents IS NULL
          OR amount_cents > 10000000000000
          OR amount_cents < -10000000000000
          THEN 'amount_missing'
          WHEN NOT status IN ('completed', 'cancelled', 'failed', 'returned')
          THEN 'status_unknown'
          WHEN (
            CAST((
              (
                occurred_at AT TIME ZONE 'UTC'
              ) AT TIME ZONE 'America/New_York'
            ) AS DATE) < CAST('2000-01-01' AS DATE)
            OR CAST((
              (
                occurred_at AT TIME ZONE 'UTC'
              ) AT TIME ZONE 'America/New_York'
            ) AS DATE) > CAST('2019-01-02' AS DATE)
          )
          THEN 'line_time_impossible'
          WHEN quantity = 0
          AND amount_cents >= 0
          AND NOT (
            COALESCE(loyalty_discount_cents, 0) BETWEEN 1 AND 10000000000000
            OR COALESCE(coupon_discount_cents, 0) BETWEEN 1 AND 10000000000000
            OR COALESCE(coupon_match_discount_cents, 0) BETWEEN 1 AND 10000000000000
          )
          THEN 'zero_quantity'
          ELSE CAST(NULL AS TEXT)
        END IS NULL
      GROUP BY
        order_id,
        line_id,
        customer_id,
        product_id,
        store_id,
        channel,
        payment_method,
        status,
        returned_order_id,
        quantity,
        amount_cents,
        loyalty_discount_cents,
        coupon_discount_cents,
        coupon_match_discount_cents,
        occurred_at
    ) AS t
  ) AS t
) AS t

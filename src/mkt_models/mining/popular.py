"""What sells best: the list for everybody alike, which uses nothing about a customer."""

from datetime import date

import pandas as pd

from mkt_models.engine import DuckDB
from mkt_models.mining.candidates import recommendable_sql
from mkt_models.mining.recommend import POPULAR
from mkt_models.params import Mining


def popular_products(con: DuckDB, as_of: date, mining: Mining) -> pd.DataFrame:
    """Name the products that most customers bought lately.

    Returns
    -------
    pandas.DataFrame
        One row per product, at most ``mining.n_items``, most bought first: ``product_id``,
        ``product_type``, ``category``, ``shelf`` (popular), ``probability`` (share of the
        customers of the last ``backtest_days`` days who bought it, observed), ``mean_amount``
        (currency units per order line), ``en`` and ``zh``. One product per product type, so that
        the list shows a choice.

    """
    days = mining.backtest_days
    frame = con.execute(
        f"""
        WITH lately AS (
            SELECT t.customer_id, t.product_id, t.amount_cents, p.category,
                coalesce(p.product_type, p.product_id) AS product_type
            FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
            WHERE t.local_date < DATE '{as_of}'
              AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= {days}
              AND {recommendable_sql(mining)}
        ), counted AS (
            SELECT product_id, product_type, category, count(DISTINCT customer_id) AS buyers,
                   avg(amount_cents) / 100.0 AS mean_amount
            FROM lately GROUP BY product_id, product_type, category
        ), ranked AS (
            SELECT *, ROW_NUMBER() OVER (PARTITION BY product_type
                ORDER BY buyers DESC, product_id) AS nth
            FROM counted
        )
        SELECT product_id, product_type, category, mean_amount,
               CAST(buyers AS DOUBLE) / NULLIF((SELECT count(DISTINCT customer_id)
                   FROM transactions WHERE local_date < DATE '{as_of}'
                   AND DATEDIFF('day', local_date, DATE '{as_of}') <= {days}), 0) AS probability
        FROM ranked WHERE nth = 1
        ORDER BY buyers DESC, product_id LIMIT {mining.n_items}"""
    ).df()
    shares = (100 * frame["probability"]).round().astype(int)
    return frame.assign(
        shelf=POPULAR,
        mean_amount=frame["mean_amount"].round(2),
        en=[f"bought by {share} of 100 customers in {days} days" for share in shares],
        zh=[f"近 {days} 天每 100 位顾客中有 {share} 位购买" for share in shares],
    )

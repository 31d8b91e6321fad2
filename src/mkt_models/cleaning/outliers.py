"""Prices that are far from the usual one of their product; found robustly, flagged and kept."""

from math import log

from mkt_models.cleaning_params import Cleaning
from mkt_models.engine import Connection

# A sale line of something: no coupon slip, no gift.
IS_SALE = "goes_to = 'transactions' AND quantity > 0 AND amount_cents > 0"

# The standard deviation of a normal distribution is so many times its median absolute deviation.
MAD_TO_SIGMA = 1.4826

# Logarithm of the price per piece, in hundredths of a cent; rounded, so that engines agree.
_LOG_PRICE = "round(ln(CAST(amount_cents AS DOUBLE) * 100 / quantity), 6)"


def find_usual_prices(con: Connection, kept: str, cleaning: Cleaning) -> None:
    """Make the temporary table ``usual_prices``: one row per product with enough sale lines.

    ``median`` of the logarithm of the price per piece, and ``reach``, how far from it a price may
    lie: the greater of ``cleaning.outlier_mads`` robust standard deviations and the logarithm of
    ``cleaning.outlier_min_factor``. Prices are counted before they are sorted, because a product
    has few prices and many lines.
    """
    widest = round(cleaning.outlier_mads * MAD_TO_SIGMA, 6)
    nearest = round(log(cleaning.outlier_min_factor), 6)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE usual_prices AS
        WITH prices AS (
            SELECT product_id, {_LOG_PRICE} AS x, count(*) AS n
            FROM {kept} AS k WHERE {IS_SALE} GROUP BY product_id, {_LOG_PRICE}
        ),
        medians AS ({_median_sql("prices")}),
        distances AS (
            SELECT p.product_id, round(abs(p.x - m.median), 6) AS x, sum(p.n) AS n
            FROM prices AS p JOIN medians AS m ON m.product_id = p.product_id
            WHERE m.total >= {cleaning.outlier_min_lines}
            GROUP BY p.product_id, round(abs(p.x - m.median), 6)
        ),
        spreads AS ({_median_sql("distances")})
        SELECT s.product_id, m.median,
               greatest(round(CAST({widest} AS DOUBLE) * s.median, 6),
                        CAST({nearest} AS DOUBLE)) AS reach
        FROM spreads AS s JOIN medians AS m ON m.product_id = s.product_id"""
    )


def price_outlier() -> str:
    """SQL condition on a sale line (alias ``k``) beside its product's usual price (alias ``u``)."""
    return f"(k.quantity > 0 AND k.amount_cents > 0 AND abs({_LOG_PRICE} - u.median) > u.reach)"


def quantity_outlier(cleaning: Cleaning) -> str:
    """SQL condition: a line of absurdly many pieces."""
    return f"(k.quantity > {cleaning.max_quantity!r})"


def _median_sql(relation: str) -> str:
    """SQL of the ``median`` of ``x`` per product, where each value stands for ``n`` lines.

    One row per product, with its ``total`` of lines; for an even number of lines the mean of the
    two in the middle.
    """
    return f"""
        SELECT product_id, total,
               (min(CASE WHEN 2 * upto >= total THEN x END)
                + min(CASE WHEN 2 * upto > total THEN x END)) / 2 AS median
        FROM (
            SELECT product_id, x,
                   sum(n) OVER (PARTITION BY product_id ORDER BY x
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto,
                   sum(n) OVER (PARTITION BY product_id) AS total
            FROM {relation}
        ) AS ranked
        GROUP BY product_id, total"""

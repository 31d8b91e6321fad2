"""Which coupon of a running campaign suits a customer best, and what a redemption is worth.

A campaign has up to two hundred coupons. The one for a customer is the one whose products the
customer bought most often; a customer who bought none of them gets no coupon of that campaign.
Module of the notebooks: it needs the SQL engine, which the service does not carry.
"""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.decisions.naming import NAMELESS
from mkt_models.engine import Connection, literal

LOOK_BACK_DAYS = 365
PRODUCTS_NAMED = 3


def redemption_worth(con: Connection) -> pd.DataFrame:
    """What recorded redemptions brought: one row per campaign type.

    Returns
    -------
    pandas.DataFrame
        ``campaign_type``, ``redemptions``, ``amount`` (mean spend on the offer's products on the
        day, currency units) and ``discount`` (mean coupon discount on them).

    """
    return con.execute(
        """
        WITH redeemed AS (
            SELECT DISTINCT customer_id, offer_id, campaign_id, occurred_on FROM outcomes
            WHERE kind = 'redemption'
        ), each AS (
            SELECT r.customer_id, r.offer_id, r.campaign_id, r.occurred_on,
                   sum(t.amount_cents) AS cents, sum(t.coupon_discount_cents) AS saved
            FROM redeemed AS r
            JOIN offers AS o ON o.offer_id = r.offer_id
            JOIN transactions AS t ON t.customer_id = r.customer_id
             AND t.local_date = r.occurred_on AND t.product_id = o.product_id
            GROUP BY r.customer_id, r.offer_id, r.campaign_id, r.occurred_on
        )
        SELECT c.campaign_type, count(*) AS redemptions, avg(e.cents) / 100.0 AS amount,
               avg(e.saved) / 100.0 AS discount
        FROM each AS e JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        GROUP BY c.campaign_type ORDER BY c.campaign_type"""
    ).df()


def best_offers(
    con: Connection, as_of: date, hidden_categories: Iterable[str] = ()
) -> pd.DataFrame:
    """Pick one coupon per customer and campaign that runs on ``as_of``.

    Parameters
    ----------
    con
        Engine with the clean views.
    as_of
        Purchases of the 365 days before it count.
    hidden_categories
        Products of these are never named: no articles, or private to a person.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign: ``offer_id``, ``campaign_type``, ``starts_on``,
        ``ends_on``, ``times`` (order lines of its products), ``products`` (what they are called:
        list of distinct categories, most bought first, at most three). A category that names no
        goods gives way to the product types in it. Products without a category do not count: they
        could be hidden ones.

    """
    hidden = ", ".join(literal(name) for name in hidden_categories) or "''"
    nameless = ", ".join(literal(name) for name in sorted(NAMELESS))
    frame = con.execute(
        f"""
        WITH bought AS (
            SELECT t.customer_id, c.campaign_id, o.offer_id, count(*) AS n,
                   CASE WHEN p.category IN ({nameless}) THEN COALESCE(p.product_type, p.category)
                        ELSE p.category END AS product
            FROM campaigns AS c
            JOIN offers AS o ON o.campaign_id = c.campaign_id
            JOIN products AS p ON p.product_id = o.product_id
            JOIN transactions AS t ON t.product_id = o.product_id
            WHERE c.starts_on <= DATE '{as_of}' AND c.ends_on >= DATE '{as_of}'
              AND t.local_date < DATE '{as_of}'
              AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= {LOOK_BACK_DAYS}
              AND p.category IS NOT NULL AND p.category NOT IN ({hidden})
            GROUP BY 1, 2, 3, 5
        ), totals AS (
            SELECT customer_id, campaign_id, offer_id, sum(n) AS times,
                   ROW_NUMBER() OVER (PARTITION BY customer_id, campaign_id
                       ORDER BY sum(n) DESC, offer_id) AS nth
            FROM bought GROUP BY customer_id, campaign_id, offer_id
        )
        SELECT b.customer_id, b.campaign_id, b.offer_id, c.campaign_type,
               CAST(c.starts_on AS VARCHAR) AS starts_on, CAST(c.ends_on AS VARCHAR) AS ends_on,
               CAST(t.times AS INTEGER) AS times, b.product
        FROM bought AS b
        JOIN totals AS t ON t.customer_id = b.customer_id AND t.offer_id = b.offer_id
        JOIN campaigns AS c ON c.campaign_id = b.campaign_id
        WHERE t.nth = 1
        ORDER BY b.customer_id, b.campaign_id, b.n DESC, b.product"""
    ).df()
    keys = [c for c in frame.columns if c != "product"]
    names = frame.groupby(keys, sort=False)["product"]
    return names.agg(lambda some: list(some)[:PRODUCTS_NAMED]).rename("products").reset_index()


def score_offers(offers: pd.DataFrame, scores: pd.DataFrame, worth: pd.DataFrame) -> pd.DataFrame:
    """Add to each picked coupon its probability with reasons, amount and discount.

    ``scores`` has one row per customer and campaign (``score``, ``reasons``); ``worth`` is
    :func:`redemption_worth`. A campaign type that was never redeemed has no known worth: its
    coupons are dropped.
    """
    scored = offers.merge(
        scores[[CUSTOMER_ID, CAMPAIGN_ID, "score", "reasons"]],
        on=[CUSTOMER_ID, CAMPAIGN_ID],
        validate="one_to_one",
    )
    known = scored.merge(worth, on="campaign_type", validate="many_to_one")
    return known.rename(columns={"score": "probability"}).drop(columns="redemptions")

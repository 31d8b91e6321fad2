"""Features of the offers of a campaign, each beside the others, at a date.

Grain: customer, campaign and offer. Nothing names an offer, so that a new one has its features as
soon as its products are known. Purchases are looked at strictly before the date.
"""

from typing import Any

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID, OFFER_ID
from mkt_models.engine import DuckDB
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.measures import Measure

KEYS = [CUSTOMER_ID, CAMPAIGN_ID, AS_OF, OFFER_ID]
LOOK_BACK_DAYS = 365
NOTHING = Exclusions()

OFFER_FEATURES: dict[str, Measure] = {
    "offer_bought": Measure(
        "",
        "times",
        "times the coupon's products were bought, last 365 days",
        "近365天购买券内商品次数",
    ),
    "offer_bought_share": Measure(
        "",
        "share",
        "share of the coupon in the purchases of the campaign's products",
        "券内商品占活动商品购买次数的比例",
    ),
    "offer_bought_rank": Measure(
        "",
        "rank",
        "rank of the coupon in the campaign by purchases",
        "券在活动中按购买次数的排名",
    ),
    "offer_days_since": Measure(
        "",
        "days",
        "days since the coupon's products were bought, last 365 days",
        "距上次购买券内商品天数（近365天）",
    ),
    "offer_category_bought": Measure(
        "",
        "times",
        "times products of the coupon's categories were bought, last 365 days",
        "近365天购买券内品类次数",
    ),
    "offer_category_share": Measure(
        "",
        "share",
        "share of the coupon in the purchases of the campaign's categories",
        "券内品类占活动品类购买次数的比例",
    ),
    "offer_popularity": Measure(
        "",
        "share",
        "share of the coupon in what all customers bought of the campaign's products",
        "券内商品占全体顾客活动商品购买次数的比例",
    ),
    "offer_products": Measure("", "products", "products of the coupon", "券内商品数"),
    "offer_price": Measure(
        "",
        "currency",
        "mean amount of an order line of the coupon's products, last 365 days",
        "近365天券内商品平均单行金额",
    ),
    "offer_discount": Measure("", "share", "discount of the coupon", "券折扣"),
    "campaign_offers": Measure("", "coupons", "coupons in the campaign", "活动优惠券数"),
}


def offer_choices(con: DuckDB, pairs: pd.DataFrame, hidden: Exclusions = NOTHING) -> pd.DataFrame:
    """Every offer of the campaigns of some customers, with its features at each pair's date.

    Parameters
    ----------
    con
        DuckDB with the clean views. Purchases are looked at strictly before ``as_of``.
    pairs
        One row per ``customer_id``, ``campaign_id`` and ``as_of``.
    hidden
        Products that are never named; what a customer bought of them does not count, and neither
        do products without a category, which could be such.

    Returns
    -------
    pandas.DataFrame
        One row per pair and offer, ordered by :data:`KEYS`: the keys and the columns of
        :data:`OFFER_FEATURES` as float64, missing where there is nothing to measure. A campaign
        without offers has no row.

    """
    con.register("asked_pairs", pairs[[CUSTOMER_ID, CAMPAIGN_ID, AS_OF]])
    try:
        frame = con.execute(_choices_sql(hidden)).df()
    finally:
        con.unregister("asked_pairs")
    frame = frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})
    frame = frame.astype(dict.fromkeys(("sold", *_COUNTED), "float64"))
    each = frame.groupby([CUSTOMER_ID, CAMPAIGN_ID, AS_OF], sort=False)
    return frame.assign(
        offer_bought_share=_share(each, frame, "offer_bought"),
        offer_bought_rank=each["offer_bought"].rank(method="min", ascending=False),
        offer_category_share=_share(each, frame, "offer_category_bought"),
        offer_popularity=_share(each, frame, "sold"),
        campaign_offers=each["offer_bought"].transform("size").astype("float64"),
    )[[*KEYS, *OFFER_FEATURES]]


_COUNTED = (
    "offer_bought",
    "offer_days_since",
    "offer_category_bought",
    "offer_products",
    "offer_price",
    "offer_discount",
)


def _share(each: Any, frame: pd.DataFrame, column: str) -> pd.Series:
    total = each[column].transform("sum")
    share: pd.Series = frame[column] / total.where(total > 0)
    return share


def _choices_sql(hidden: Exclusions) -> str:
    before = (
        f"t.local_date < a.as_of AND DATEDIFF('day', t.local_date, a.as_of) <= {LOOK_BACK_DAYS}"
    )
    return f"""
        WITH asked AS (
            SELECT customer_id, campaign_id, CAST(as_of AS DATE) AS as_of FROM asked_pairs
        ), content AS (
            SELECT DISTINCT o.campaign_id, o.offer_id, o.product_id, p.category
            FROM offers AS o LEFT JOIN products AS p ON p.product_id = o.product_id
            WHERE o.campaign_id IN (SELECT campaign_id FROM asked)
        ), described AS (
            SELECT campaign_id, offer_id, count(DISTINCT product_id) AS offer_products,
                   max(discount_share) AS offer_discount
            FROM offers GROUP BY campaign_id, offer_id
        ), lines AS (
            SELECT a.as_of, t.product_id, count(*) AS n, sum(t.amount_cents) AS cents
            FROM (SELECT DISTINCT as_of FROM asked) AS a JOIN transactions AS t ON {before}
            GROUP BY a.as_of, t.product_id
        ), sold AS (
            SELECT a.campaign_id, a.as_of, c.offer_id, sum(l.n) AS sold,
                   CAST(sum(l.cents) AS DOUBLE) / 100 / sum(l.n) AS offer_price
            FROM (SELECT DISTINCT campaign_id, as_of FROM asked) AS a
            JOIN content AS c ON c.campaign_id = a.campaign_id
            JOIN lines AS l ON l.as_of = a.as_of AND l.product_id = c.product_id
            GROUP BY a.campaign_id, a.as_of, c.offer_id
        ), own AS (
            SELECT a.customer_id, a.as_of, t.product_id, p.category, count(*) AS n,
                   min(DATEDIFF('day', t.local_date, a.as_of)) AS since
            FROM (SELECT DISTINCT customer_id, as_of FROM asked) AS a
            JOIN transactions AS t ON t.customer_id = a.customer_id AND {before}
            JOIN products AS p ON p.product_id = t.product_id
            WHERE p.category IS NOT NULL AND {hidden.allowed_sql()}
            GROUP BY a.customer_id, a.as_of, t.product_id, p.category
        ), bought AS (
            SELECT a.customer_id, a.campaign_id, a.as_of, c.offer_id, sum(w.n) AS offer_bought,
                   min(w.since) AS offer_days_since
            FROM asked AS a JOIN own AS w ON w.customer_id = a.customer_id AND w.as_of = a.as_of
            JOIN content AS c ON c.campaign_id = a.campaign_id AND c.product_id = w.product_id
            GROUP BY a.customer_id, a.campaign_id, a.as_of, c.offer_id
        ), of_categories AS (
            SELECT a.customer_id, a.campaign_id, a.as_of, c.offer_id,
                   sum(w.n) AS offer_category_bought
            FROM asked AS a
            JOIN (SELECT customer_id, as_of, category, sum(n) AS n FROM own
                  GROUP BY customer_id, as_of, category) AS w
              ON w.customer_id = a.customer_id AND w.as_of = a.as_of
            JOIN (SELECT DISTINCT campaign_id, offer_id, category FROM content) AS c
              ON c.campaign_id = a.campaign_id AND c.category = w.category
            GROUP BY a.customer_id, a.campaign_id, a.as_of, c.offer_id
        )
        SELECT a.customer_id, a.campaign_id, a.as_of, d.offer_id,
               COALESCE(b.offer_bought, 0) AS offer_bought, b.offer_days_since,
               COALESCE(k.offer_category_bought, 0) AS offer_category_bought,
               COALESCE(s.sold, 0) AS sold, d.offer_products, s.offer_price, d.offer_discount
        FROM asked AS a JOIN described AS d ON d.campaign_id = a.campaign_id
        LEFT JOIN sold AS s ON s.campaign_id = a.campaign_id AND s.as_of = a.as_of
         AND s.offer_id = d.offer_id
        LEFT JOIN bought AS b ON b.customer_id = a.customer_id AND b.as_of = a.as_of
         AND b.campaign_id = a.campaign_id AND b.offer_id = d.offer_id
        LEFT JOIN of_categories AS k ON k.customer_id = a.customer_id AND k.as_of = a.as_of
         AND k.campaign_id = a.campaign_id AND k.offer_id = d.offer_id
        ORDER BY a.customer_id, a.campaign_id, a.as_of, d.offer_id"""

"""What is known of a campaign before it begins, of past ones like it, and of its fit to a customer.

Nothing here names a campaign, a type or an offer: a kind of campaign is described by how many
responded to finished ones of its type and channel, an offer by its products. So a campaign that no
training row knew is described like any other, whatever the source calls its types.
"""

from collections.abc import Iterable

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.engine import Connection, literal
from mkt_models.profiles.measures import Measure

LOOK_BACK_DAYS = 180
# A rate of responses counts as if so many more customers had responded at the rate of all.
PRIOR_CUSTOMERS = 50

CAMPAIGN_FEATURES: dict[str, Measure] = {
    "type_rate": Measure(
        "", "share", "response to finished campaigns of the type", "同类已结束活动的核销率"
    ),
    "channel_rate": Measure(
        "",
        "share",
        "response to finished campaigns over the channel",
        "同渠道已结束活动的核销率",
    ),
    "campaign_days": Measure("", "days", "length of the campaign", "活动时长"),
    "campaign_offers": Measure("", "coupons", "coupons in the campaign", "活动优惠券数"),
    "campaign_products": Measure("", "products", "products in the campaign", "活动商品数"),
    "campaign_categories": Measure(
        "", "categories", "product categories in the campaign", "活动品类数"
    ),
    "campaign_discount": Measure(
        "", "share", "mean discount of the campaign's coupons", "活动优惠券平均折扣"
    ),
    "campaign_price": Measure(
        "",
        "currency",
        "mean amount of an order line of the campaign's products, last 180 days",
        "近180天活动商品平均单行金额",
    ),
    "affinity_lines": Measure(
        "",
        "times",
        "times the campaign's products were bought, last 180 days",
        "近180天购买活动商品次数",
    ),
    "affinity_amount": Measure(
        "",
        "currency",
        "spend on the campaign's products, last 180 days",
        "近180天活动商品消费金额",
    ),
    "affinity_share": Measure(
        "",
        "share",
        "share of spend on the campaign's products, last 180 days",
        "近180天活动商品消费占比",
    ),
    "affinity_category_share": Measure(
        "",
        "share",
        "share of spend on the campaign's product categories, last 180 days",
        "近180天活动品类消费占比",
    ),
    "affinity_offers": Measure(
        "",
        "coupons",
        "coupons of which a product was bought, last 180 days",
        "近180天买过其商品的优惠券数",
    ),
    "affinity_best_offer": Measure(
        "",
        "times",
        "times the products of the most bought coupon were bought, last 180 days",
        "近180天购买最多的优惠券商品次数",
    ),
    "campaigns_ever": Measure(
        "", "campaigns", "other campaigns received so far", "累计收到的其他活动数"
    ),
    "days_since_campaign": Measure(
        "", "days", "days since another campaign was received", "距上次收到其他活动天数"
    ),
    "campaigns_redeemed": Measure(
        "", "campaigns", "finished campaigns with a redemption", "已结束且核销过的活动数"
    ),
    "redeemed_rate": Measure(
        "",
        "share",
        "share of the finished campaigns with a redemption",
        "已结束活动的核销率",
    ),
}
_COUNTS = (
    "affinity_lines",
    "affinity_amount",
    "affinity_offers",
    "affinity_best_offer",
    "campaigns_ever",
    "campaigns_redeemed",
)


def with_campaign_features(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of :data:`CAMPAIGN_FEATURES` to pairs of customer and campaign.

    Parameters
    ----------
    con
        Engine with the clean views and ``prepare_orders``. All that is dated is looked at strictly
        before each pair's date; what a campaign offers is known when it begins.
    pairs
        ``customer_id``, ``campaign_id``, ``as_of``, and where they should not be those of the
        table of campaigns ``campaign_type`` and ``channel``: that over which it is sent. A type or
        channel that is null, or that no finished campaign had, has the response to all.

    Returns
    -------
    pandas.DataFrame
        The rows of ``pairs`` with the features as float64, missing where there is nothing to
        measure: no rate before a campaign is over, no discount where none is recorded.

    """
    keys, what = [CUSTOMER_ID, CAMPAIGN_ID, AS_OF], [CAMPAIGN_ID, AS_OF]
    rows = (
        pairs.assign(**_rates(con, pairs))
        .merge(_described(con), on=CAMPAIGN_ID, how="left", validate="many_to_one")
        .merge(_sold(con, pairs), on=what, how="left", validate="many_to_one")
        .merge(_affinity(con, pairs), on=keys, how="left", validate="one_to_one")
        .merge(_category_affinity(con, pairs), on=keys, how="left", validate="one_to_one")
        .merge(_received(con, pairs), on=keys, how="left", validate="one_to_one")
    )
    rows = rows.astype(dict.fromkeys([*_COUNTS, "category_amount"], "float64"))
    rows = rows.fillna(dict.fromkeys([*_COUNTS, "category_amount"], 0.0))
    spend = rows.pop("spend_180d").where(lambda s: s > 0)
    rows["affinity_share"] = rows["affinity_amount"] / spend
    rows["affinity_category_share"] = rows.pop("category_amount") / spend
    rows["redeemed_rate"] = rows["campaigns_redeemed"] / rows.pop("finished").where(lambda s: s > 0)
    return rows.astype(dict.fromkeys(CAMPAIGN_FEATURES, "float64"))


def _rates(con: Connection, pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """Response to finished campaigns of each pair's type, and over its channel, as features."""
    kinds = con.execute("SELECT campaign_id, campaign_type, channel FROM campaigns").df()
    known = kinds.set_index(CAMPAIGN_ID)
    finished = con.execute(
        f"""
        WITH redeemed AS (
            SELECT DISTINCT o.customer_id, o.campaign_id
            FROM outcomes AS o JOIN campaigns AS c ON c.campaign_id = o.campaign_id
            WHERE o.kind = 'redemption' AND o.occurred_on BETWEEN c.starts_on AND c.ends_on
        ), sent AS (
            SELECT e.customer_id, e.campaign_id, min(e.channel) AS channel
            FROM exposures AS e JOIN campaigns AS c ON c.campaign_id = e.campaign_id
            WHERE e.sent_on <= c.ends_on GROUP BY e.customer_id, e.campaign_id
        )
        SELECT d.as_of, c.campaign_type, s.channel, count(*) AS sent,
               count(r.customer_id) AS redeemed
        FROM (SELECT DISTINCT as_of FROM {dates_sql(pairs)} AS d) AS d
        JOIN campaigns AS c ON c.ends_on < d.as_of AND NOT c.left_censored
        JOIN sent AS s ON s.campaign_id = c.campaign_id
        LEFT JOIN redeemed AS r ON r.customer_id = s.customer_id AND r.campaign_id = s.campaign_id
        GROUP BY d.as_of, c.campaign_type, s.channel"""
    ).df()
    finished[AS_OF] = pd.to_datetime(finished[AS_OF])
    found = {}
    for feature, kind in (("type_rate", "campaign_type"), ("channel_rate", "channel")):
        own = pairs[kind] if kind in pairs else pairs[CAMPAIGN_ID].map(known[kind])
        found[feature] = shrunk_rate(finished, pairs[AS_OF], own, kind)
    return found


def shrunk_rate(
    finished: pd.DataFrame, as_of: pd.Series, kinds: pd.Series, column: str
) -> pd.Series:
    """Response by kind at each date, drawn towards that of all kinds; missing before the first.

    ``finished`` has ``as_of``, the kind in ``column``, and how many were ``sent`` and ``redeemed``.

    >>> day = pd.Timestamp("2020-09-01")
    >>> over = pd.DataFrame({"as_of": day, "kind": ["A", "B"], "sent": 50, "redeemed": [20, 0]})
    >>> shrunk_rate(over, pd.Series([day] * 3), pd.Series(["A", "B", "new"]), "kind").tolist()
    [0.3, 0.1, 0.2]
    """
    counts = ["sent", "redeemed"]
    everybody = finished.groupby(AS_OF)[counts].sum()
    overall = as_of.map(everybody["redeemed"] / everybody["sent"]).astype("float64")
    by_kind = finished.groupby([AS_OF, column])[counts].sum()
    asked = pd.MultiIndex.from_arrays([as_of, kinds])
    own = by_kind.reindex(asked).fillna(0.0).set_axis(as_of.index)
    smoothed: pd.Series = (own["redeemed"] + PRIOR_CUSTOMERS * overall) / (
        own["sent"] + PRIOR_CUSTOMERS
    )
    return smoothed


def _described(con: Connection) -> pd.DataFrame:
    """What every campaign offers; one row per campaign."""
    return con.execute(
        """
        WITH discounts AS (
            SELECT campaign_id, avg(discount_share) AS campaign_discount FROM (
                SELECT campaign_id, offer_id, max(discount_share) AS discount_share
                FROM offers GROUP BY campaign_id, offer_id) AS each
            GROUP BY campaign_id
        )
        SELECT c.campaign_id, DATEDIFF('day', c.starts_on, c.ends_on) + 1 AS campaign_days,
               count(DISTINCT o.offer_id) AS campaign_offers,
               count(DISTINCT o.product_id) AS campaign_products,
               count(DISTINCT p.category) AS campaign_categories,
               max(d.campaign_discount) AS campaign_discount
        FROM campaigns AS c LEFT JOIN offers AS o ON o.campaign_id = c.campaign_id
        LEFT JOIN products AS p ON p.product_id = o.product_id
        LEFT JOIN discounts AS d ON d.campaign_id = c.campaign_id
        GROUP BY c.campaign_id, c.starts_on, c.ends_on"""
    ).df()


def _sold(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """What a line of each campaign's products came to, over all customers, at each date."""
    frame = con.execute(
        f"""
        WITH targets AS ({_targets_sql(pairs)})
        SELECT g.campaign_id, g.as_of,
               CAST(sum(t.amount_cents) AS DOUBLE) / 100 / count(*) AS campaign_price
        FROM targets AS g JOIN transactions AS t ON t.product_id = g.product_id
         AND t.local_date < g.as_of AND DATEDIFF('day', t.local_date, g.as_of) <= {LOOK_BACK_DAYS}
        GROUP BY g.campaign_id, g.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _affinity(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Past purchases of each campaign's products, per customer, campaign and date."""
    frame = con.execute(
        f"""
        WITH dates AS (SELECT * FROM {dates_sql(pairs)} AS d), targets AS ({_targets_sql(pairs)}
        ), spend AS (
            SELECT t.customer_id, d.as_of, sum(t.amount_cents) / 100.0 AS spend_180d
            FROM (SELECT DISTINCT as_of FROM dates) AS d JOIN orders AS t
              ON t.local_date < d.as_of
             AND DATEDIFF('day', t.local_date, d.as_of) <= {LOOK_BACK_DAYS}
            GROUP BY t.customer_id, d.as_of
        ), bought AS (
            SELECT t.customer_id, g.campaign_id, g.as_of, g.product_id, count(*) AS n,
                   sum(t.amount_cents) AS cents
            FROM targets AS g JOIN transactions AS t ON t.product_id = g.product_id
             AND t.local_date < g.as_of
             AND DATEDIFF('day', t.local_date, g.as_of) <= {LOOK_BACK_DAYS}
            GROUP BY t.customer_id, g.campaign_id, g.as_of, g.product_id
        ), own AS (
            SELECT customer_id, campaign_id, as_of, sum(n) AS affinity_lines,
                   sum(cents) / 100.0 AS affinity_amount
            FROM bought GROUP BY customer_id, campaign_id, as_of
        ), by_offer AS (
            SELECT b.customer_id, b.campaign_id, b.as_of, o.offer_id, sum(b.n) AS n
            FROM bought AS b
            JOIN (SELECT DISTINCT campaign_id, offer_id, product_id FROM offers) AS o
              ON o.campaign_id = b.campaign_id AND o.product_id = b.product_id
            GROUP BY b.customer_id, b.campaign_id, b.as_of, o.offer_id
        ), best AS (
            SELECT customer_id, campaign_id, as_of, count(*) AS affinity_offers,
                   max(n) AS affinity_best_offer
            FROM by_offer GROUP BY customer_id, campaign_id, as_of
        )
        SELECT s.customer_id, d.campaign_id, s.as_of, s.spend_180d, o.affinity_lines,
               o.affinity_amount, b.affinity_offers, b.affinity_best_offer
        FROM spend AS s JOIN dates AS d ON d.as_of = s.as_of
        LEFT JOIN own AS o ON o.customer_id = s.customer_id
         AND o.campaign_id = d.campaign_id AND o.as_of = s.as_of
        LEFT JOIN best AS b ON b.customer_id = s.customer_id
         AND b.campaign_id = d.campaign_id AND b.as_of = s.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _category_affinity(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Past spend on each campaign's categories, per customer, campaign and date."""
    frame = con.execute(
        f"""
        WITH targets AS (
            SELECT DISTINCT g.campaign_id, g.as_of, p.category
            FROM ({_targets_sql(pairs)}) AS g JOIN products AS p ON p.product_id = g.product_id
            WHERE p.category IS NOT NULL
        ), spent AS (
            SELECT t.customer_id, d.as_of, p.category, sum(t.amount_cents) AS cents
            FROM (SELECT DISTINCT as_of FROM targets) AS d JOIN transactions AS t
              ON t.local_date < d.as_of
             AND DATEDIFF('day', t.local_date, d.as_of) <= {LOOK_BACK_DAYS}
            JOIN products AS p ON p.product_id = t.product_id
            GROUP BY t.customer_id, d.as_of, p.category
        )
        SELECT s.customer_id, g.campaign_id, g.as_of, sum(s.cents) / 100.0 AS category_amount
        FROM targets AS g JOIN spent AS s ON s.as_of = g.as_of AND s.category = g.category
        GROUP BY s.customer_id, g.campaign_id, g.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _received(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Other campaigns received, finished and redeemed before each date, per customer.

    The campaign itself does not count: halfway through it everybody has just been sent it, which
    nobody had on its first day, the date of the training.
    """
    frame = con.execute(
        f"""
        WITH dates AS (SELECT * FROM {dates_sql(pairs)} AS d), first_redeemed AS (
            SELECT customer_id, campaign_id, min(occurred_on) AS redeemed_on
            FROM outcomes WHERE kind = 'redemption' GROUP BY customer_id, campaign_id
        )
        SELECT e.customer_id, d.campaign_id, d.as_of,
               count(DISTINCT e.campaign_id) AS campaigns_ever,
               min(DATEDIFF('day', e.sent_on, d.as_of)) AS days_since_campaign,
               count(DISTINCT CASE WHEN c.ends_on < d.as_of THEN e.campaign_id END) AS finished,
               count(DISTINCT CASE WHEN c.ends_on < d.as_of AND r.redeemed_on < d.as_of
                   THEN e.campaign_id END) AS campaigns_redeemed
        FROM exposures AS e
        JOIN dates AS d ON e.sent_on < d.as_of AND e.campaign_id <> d.campaign_id
        JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        LEFT JOIN first_redeemed AS r ON r.customer_id = e.customer_id
         AND r.campaign_id = e.campaign_id
        GROUP BY e.customer_id, d.campaign_id, d.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _targets_sql(pairs: pd.DataFrame) -> str:
    """The query of the products of each campaign, at each date it is asked for."""
    return (
        f"SELECT DISTINCT d.campaign_id, d.as_of, o.product_id FROM {dates_sql(pairs)} AS d "
        "JOIN offers AS o ON o.campaign_id = d.campaign_id"
    )


def dates_sql(pairs: pd.DataFrame) -> str:
    """The distinct pairs of campaign and date as a table of SQL."""
    distinct: Iterable[tuple[str, pd.Timestamp]] = (
        pairs[[CAMPAIGN_ID, AS_OF]].drop_duplicates().itertuples(index=False, name=None)
    )
    values = ", ".join(f"({literal(c)}, DATE '{d.date()}')" for c, d in distinct)
    return f"(SELECT * FROM (VALUES {values}) AS v(campaign_id, as_of))"

"""Propensity: does a customer redeem a coupon of a campaign that reached them.

Grain: customer and campaign. ``as_of`` is the day on which the campaign begins; features look
strictly before it, the label is a redemption within the campaign's days. Nobody was assigned at
random, so the model predicts redemptions and says nothing about what a campaign causes.
"""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.engine import Connection, literal
from mkt_models.models.coupon_use import COUPON_USE, coupon_use
from mkt_models.models.labels import LabelError
from mkt_models.profiles.features import features_at
from mkt_models.profiles.measures import Measure, catalogue
from mkt_models.workspace import NotAvailableError

NEEDED = ("campaigns", "offers", "exposures", "outcomes")

CAMPAIGN_FEATURES: dict[str, Measure] = {
    "campaign_type_a": Measure(
        "",
        "yes_no",
        "campaign of type A (large, personal coupons)",
        "A类活动（大型、个性化优惠券）",
    ),
    "campaign_type_c": Measure("", "yes_no", "campaign of type C", "C类活动"),
    "campaign_days": Measure("", "days", "length of the campaign", "活动时长"),
    "campaign_offers": Measure("", "coupons", "coupons in the campaign", "活动优惠券数"),
    "campaign_products": Measure("", "products", "products in the campaign", "活动商品数"),
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
    "campaigns_ever": Measure("", "campaigns", "campaigns received so far", "累计收到的活动数"),
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


def features_of_propensity() -> dict[str, Measure]:
    """Every feature of the model: of the customer, of its use of coupons, of the campaign."""
    return {**catalogue(), **COUPON_USE, **CAMPAIGN_FEATURES}


def require_campaigns(tables: Iterable[str]) -> None:
    """Raise NotAvailableError, naming what lacks, unless the source records campaigns.

    ``tables`` are the clean tables that are there.
    """
    lacking = [name for name in NEEDED if name not in set(tables)]
    if lacking:
        raise NotAvailableError(
            f"the source has no {' and no '.join(lacking)}, so nothing is known of who responds "
            "to an offer; map these tables to get a propensity model"
        )


def exposed(con: Connection, as_of: date) -> pd.DataFrame:
    """Label every exposure whose campaign lies wholly in the data and was over before ``as_of``.

    Raises NotAvailableError when there is no such campaign.

    Returns
    -------
    pandas.DataFrame
        One row per customer and campaign: ``as_of`` (first day), ``ends_on``, ``campaign_type``,
        ``target`` (1 when any of its coupons was redeemed, else 0).

    """
    frame = con.execute(
        f"""
        SELECT e.customer_id, e.campaign_id, c.campaign_type, c.starts_on AS as_of, c.ends_on,
               max(CASE WHEN o.customer_id IS NULL THEN 0 ELSE 1 END) AS target
        FROM exposures AS e
        JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        LEFT JOIN outcomes AS o ON o.customer_id = e.customer_id
         AND o.campaign_id = e.campaign_id AND o.kind = 'redemption'
         AND o.occurred_on BETWEEN c.starts_on AND c.ends_on
        WHERE NOT c.left_censored AND NOT c.right_censored AND c.ends_on < DATE '{as_of}'
        GROUP BY e.customer_id, e.campaign_id, c.campaign_type, c.starts_on, c.ends_on
        ORDER BY c.starts_on, e.campaign_id, e.customer_id"""
    ).df()
    if frame.empty:
        raise NotAvailableError(
            f"no campaign lies wholly in the data and was over before {as_of}, so nothing is known "
            "of who responds to an offer"
        )
    return frame.assign(
        as_of=pd.to_datetime(frame[AS_OF]), ends_on=pd.to_datetime(frame["ends_on"])
    )


def running(con: Connection, as_of: date) -> pd.DataFrame:
    """Every customer who ordered before, with the campaigns on ``as_of`` that are still theirs.

    One row per customer and campaign, as :func:`exposed`, without a target: what to predict. A
    campaign is theirs when it runs, was sent to them, and they have redeemed none of its coupons.
    """
    frame = con.execute(
        f"""
        SELECT k.customer_id, c.campaign_id, c.campaign_type, DATE '{as_of}' AS as_of,
               c.starts_on, c.ends_on
        FROM (SELECT DISTINCT customer_id FROM orders WHERE local_date < DATE '{as_of}') AS k
        JOIN ({open_exposures_sql(as_of)}) AS x ON x.customer_id = k.customer_id
        JOIN campaigns AS c ON c.campaign_id = x.campaign_id
        ORDER BY c.campaign_id, k.customer_id"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def open_exposures_sql(as_of: date) -> str:
    """Write the query of all customers and campaigns in which a redemption is still to come.

    One row per ``customer_id`` and ``campaign_id``: the campaign runs on ``as_of``, was sent to
    the customer by then, and the customer redeemed none of its coupons before.
    """
    return f"""
        SELECT DISTINCT e.customer_id, e.campaign_id
        FROM exposures AS e JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        WHERE c.starts_on <= DATE '{as_of}' AND c.ends_on >= DATE '{as_of}'
          AND e.sent_on <= DATE '{as_of}'
          AND NOT EXISTS (
              SELECT 1 FROM outcomes AS o WHERE o.customer_id = e.customer_id
              AND o.campaign_id = e.campaign_id AND o.kind = 'redemption'
              AND o.occurred_on < DATE '{as_of}')"""


def with_features(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add all features to pairs of customer and campaign, as of each pair's date.

    A customer without an order before the date has missing customer features.
    """
    dates = [stamp.date() for stamp in sorted(pairs[AS_OF].unique())]
    customers = features_at(con, dates)
    coupons = coupon_use(con, dates)
    offers = _campaign_features(con)
    affinity = _affinity(con, pairs)
    past = _past_campaigns(con, pairs)
    rows = (
        pairs.merge(customers, on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
        .merge(coupons, on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
        .merge(offers, on=CAMPAIGN_ID, how="left", validate="many_to_one")
        .merge(affinity, on=[CUSTOMER_ID, CAMPAIGN_ID, AS_OF], how="left", validate="one_to_one")
        .merge(past, on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
    )
    counts = ["affinity_lines", "affinity_amount", "campaigns_ever", "campaigns_redeemed"]
    rows[counts] = rows[counts].fillna(0.0)
    rows["affinity_share"] = rows["affinity_amount"] / rows.pop("spend_180d").where(lambda s: s > 0)
    rows["redeemed_rate"] = rows["campaigns_redeemed"] / rows.pop("finished").where(lambda s: s > 0)
    return rows.astype(dict.fromkeys(features_of_propensity(), "float64"))


def campaign_origins(
    rows: pd.DataFrame, first_test: date
) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Train and test rows per test campaign: train on campaigns that were over when it began.

    Raises LabelError when no campaign begins on or after ``first_test``, or none was over before.
    """
    starts = sorted(s for s in rows[AS_OF].unique() if s >= pd.Timestamp(first_test))
    if not starts:
        raise LabelError(
            f"no finished campaign begins on or after first_test == {first_test}; "
            f"the last begins on {rows[AS_OF].max().date()}"
        )
    splits = [(rows[rows["ends_on"] < start], rows[rows[AS_OF] == start]) for start in starts]
    if splits[0][0].empty:
        raise LabelError(f"no campaign was over before {starts[0].date()}; move first_test ahead")
    return splits


def _campaign_features(con: Connection) -> pd.DataFrame:
    return con.execute(
        """
        SELECT c.campaign_id,
               CASE WHEN c.campaign_type = 'Type A' THEN 1 ELSE 0 END AS campaign_type_a,
               CASE WHEN c.campaign_type = 'Type C' THEN 1 ELSE 0 END AS campaign_type_c,
               DATEDIFF('day', c.starts_on, c.ends_on) + 1 AS campaign_days,
               count(DISTINCT o.offer_id) AS campaign_offers,
               count(DISTINCT o.product_id) AS campaign_products
        FROM campaigns AS c LEFT JOIN offers AS o ON o.campaign_id = c.campaign_id
        GROUP BY c.campaign_id, c.campaign_type, c.starts_on, c.ends_on"""
    ).df()


def _dates(pairs: pd.DataFrame) -> str:
    """The distinct pairs of campaign and date as a table of SQL."""
    distinct: Iterable[tuple[str, pd.Timestamp]] = (
        pairs[[CAMPAIGN_ID, AS_OF]].drop_duplicates().itertuples(index=False, name=None)
    )
    values = ", ".join(f"({literal(c)}, DATE '{d.date()}')" for c, d in distinct)
    return f"(SELECT * FROM (VALUES {values}) AS v(campaign_id, as_of))"


def _affinity(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Past purchases of each campaign's products, per customer, campaign and date."""
    frame = con.execute(
        f"""
        WITH dates AS {_dates(pairs)}, targets AS (
            SELECT DISTINCT d.campaign_id, d.as_of, o.product_id
            FROM dates AS d JOIN offers AS o ON o.campaign_id = d.campaign_id
        ), spend AS (
            SELECT t.customer_id, d.as_of, sum(t.amount_cents) / 100.0 AS spend_180d
            FROM (SELECT DISTINCT as_of FROM dates) AS d JOIN orders AS t
              ON t.local_date < d.as_of AND DATEDIFF('day', t.local_date, d.as_of) <= 180
            GROUP BY t.customer_id, d.as_of
        ), own AS (
            SELECT t.customer_id, g.campaign_id, g.as_of, count(*) AS affinity_lines,
                   sum(t.amount_cents) / 100.0 AS affinity_amount
            FROM targets AS g JOIN transactions AS t ON t.product_id = g.product_id
             AND t.local_date < g.as_of AND DATEDIFF('day', t.local_date, g.as_of) <= 180
            GROUP BY t.customer_id, g.campaign_id, g.as_of
        )
        SELECT s.customer_id, d.campaign_id, s.as_of, s.spend_180d,
               COALESCE(o.affinity_lines, 0) AS affinity_lines,
               COALESCE(o.affinity_amount, 0) AS affinity_amount
        FROM spend AS s JOIN dates AS d ON d.as_of = s.as_of
        LEFT JOIN own AS o ON o.customer_id = s.customer_id
         AND o.campaign_id = d.campaign_id AND o.as_of = s.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def _past_campaigns(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Campaigns received, finished and redeemed before each date, per customer."""
    frame = con.execute(
        f"""
        WITH dates AS (SELECT DISTINCT as_of FROM {_dates(pairs)} AS d), first_redeemed AS (
            SELECT customer_id, campaign_id, min(occurred_on) AS redeemed_on
            FROM outcomes WHERE kind = 'redemption' GROUP BY customer_id, campaign_id
        )
        SELECT e.customer_id, d.as_of, count(DISTINCT e.campaign_id) AS campaigns_ever,
               count(DISTINCT CASE WHEN c.ends_on < d.as_of THEN e.campaign_id END) AS finished,
               count(DISTINCT CASE WHEN c.ends_on < d.as_of AND r.redeemed_on < d.as_of
                   THEN e.campaign_id END) AS campaigns_redeemed
        FROM exposures AS e JOIN dates AS d ON e.sent_on < d.as_of
        JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        LEFT JOIN first_redeemed AS r ON r.customer_id = e.customer_id
         AND r.campaign_id = e.campaign_id
        GROUP BY e.customer_id, d.as_of"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})

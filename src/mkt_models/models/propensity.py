"""Propensity: does a customer redeem a coupon of a campaign that reached them.

Grain: customer and campaign. ``as_of`` is the day on which the campaign begins; features look
strictly before it, the label is a redemption within the campaign's days. Nobody was assigned at
random, so the model predicts redemptions and says nothing about what a campaign causes.
"""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.models.campaign_features import CAMPAIGN_FEATURES, with_campaign_features
from mkt_models.models.coupon_use import COUPON_USE, coupon_use
from mkt_models.models.labels import LabelError
from mkt_models.profiles.features import features_at
from mkt_models.profiles.measures import Measure, catalogue
from mkt_models.workspace import NotAvailableError

NEEDED = ("campaigns", "offers", "exposures", "outcomes")


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
        ``channel`` (over which it was sent), ``target`` (1 when any of its coupons was redeemed,
        else 0).

    """
    frame = con.execute(
        f"""
        SELECT e.customer_id, e.campaign_id, c.campaign_type, min(e.channel) AS channel,
               c.starts_on AS as_of, c.ends_on,
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
        SELECT k.customer_id, c.campaign_id, c.campaign_type, x.channel, DATE '{as_of}' AS as_of,
               c.starts_on, c.ends_on
        FROM (SELECT DISTINCT customer_id FROM orders WHERE local_date < DATE '{as_of}') AS k
        JOIN ({open_exposures_sql(as_of)}) AS x ON x.customer_id = k.customer_id
        JOIN campaigns AS c ON c.campaign_id = x.campaign_id
        ORDER BY c.campaign_id, k.customer_id"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})


def open_exposures_sql(as_of: date) -> str:
    """Write the query of all customers and campaigns in which a redemption is still to come.

    One row per ``customer_id`` and ``campaign_id``, with the ``channel``: the campaign runs on
    ``as_of``, was sent to the customer by then, and none of its coupons was redeemed before.
    """
    return f"""
        SELECT e.customer_id, e.campaign_id, min(e.channel) AS channel
        FROM exposures AS e JOIN campaigns AS c ON c.campaign_id = e.campaign_id
        WHERE c.starts_on <= DATE '{as_of}' AND c.ends_on >= DATE '{as_of}'
          AND e.sent_on <= DATE '{as_of}'
          AND NOT EXISTS (
              SELECT 1 FROM outcomes AS o WHERE o.customer_id = e.customer_id
              AND o.campaign_id = e.campaign_id AND o.kind = 'redemption'
              AND o.occurred_on < DATE '{as_of}')
        GROUP BY e.customer_id, e.campaign_id"""


def with_features(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add all features to pairs of customer and campaign, as of each pair's date.

    A customer without an order before the date has missing customer features.
    """
    dates = [stamp.date() for stamp in sorted(pairs[AS_OF].unique())]
    customers = features_at(con, dates)
    coupons = coupon_use(con, dates)
    rows = (
        with_campaign_features(con, pairs)
        .merge(customers, on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
        .merge(coupons, on=[CUSTOMER_ID, AS_OF], how="left", validate="many_to_one")
    )
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

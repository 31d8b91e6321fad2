"""What is known of a contact before it is made, beside the features of propensity.

Grain: customer and campaign, at the campaign's first day; purchases strictly before it.
"""

from collections.abc import Mapping

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID, Channel
from mkt_models.engine import Connection, tables
from mkt_models.models.campaign_features import dates_sql
from mkt_models.models.propensity import with_features
from mkt_models.models.response_history import RESPONSE_HISTORY, with_response_history
from mkt_models.models.taste_features import TASTES, with_tastes
from mkt_models.profiles.measures import Measure

CONTACT_FEATURES: Mapping[str, Measure] = {
    **{
        f"channel_{channel.value}": Measure(
            "", "yes_no", f"contact by {channel.value}", f"触达渠道：{channel.value}"
        )
        for channel in Channel
    },
    "offer_discount": Measure("", "share", "largest discount of the campaign", "活动最大折扣"),
    "department_affinity": Measure(
        "",
        "share",
        "share of spend in the departments of the campaign's products, last 365 days",
        "近365天活动商品所属部门的消费占比",
    ),
    "category_affinity": Measure(
        "",
        "share",
        "share of spend in the categories of the campaign's products, last 365 days",
        "近365天活动商品所属品类的消费占比",
    ),
    **TASTES,
    **RESPONSE_HISTORY,
}


def with_contact(con: Connection, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add the features of propensity and those of the contact to pairs of customer and campaign.

    Those of the contact are its channel and discount, what the customer likes of what it offers,
    and what the customer made of earlier contacts.

    ``pairs`` as for ``propensity.with_features``; ``channel`` becomes that of the campaign. Without
    pairs there is nothing to add.
    """
    if pairs.empty:
        return pairs
    discount = (
        "(SELECT campaign_id, max(discount_share) AS offer_discount FROM offers GROUP BY 1)"
        if "offers" in tables(con)
        else "(SELECT campaign_id, CAST(NULL AS DOUBLE) AS offer_discount FROM campaigns)"
    )
    known = con.execute(
        f"SELECT c.campaign_id, c.channel, coalesce(o.offer_discount, 0) AS offer_discount "
        f"FROM campaigns AS c LEFT JOIN {discount} AS o ON o.campaign_id = c.campaign_id"
    ).df()
    rows = with_features(con, pairs.drop(columns="channel", errors="ignore")).merge(
        known, on=CAMPAIGN_ID, how="left", validate="many_to_one"
    )
    for level in ("department", "category"):
        likes = _affinity(con, pairs, level)
        rows = rows.merge(
            likes, on=[CUSTOMER_ID, CAMPAIGN_ID, AS_OF], how="left", validate="one_to_one"
        )
    rows = with_response_history(con, with_tastes(con, rows))
    by = {f"channel_{channel.value}": (rows["channel"] == channel.value) for channel in Channel}
    return rows.assign(**by).astype(dict.fromkeys(CONTACT_FEATURES, "float64"))


def _affinity(con: Connection, pairs: pd.DataFrame, level: str) -> pd.DataFrame:
    """Share of spend in the departments, or categories, of each campaign's products.

    One row per customer with spend, campaign and date; none for a campaign without products.
    """
    name = f"{level}_affinity"
    known = tables(con)
    if not {"offers", "products"} <= known or pairs.empty:
        none: dict[str, str] = {CUSTOMER_ID: "str", CAMPAIGN_ID: "str", name: "float64"}
        empty = pd.DataFrame(columns=[CUSTOMER_ID, CAMPAIGN_ID, AS_OF, name]).astype(none)
        return empty.astype({AS_OF: pairs[AS_OF].dtype})
    frame = con.execute(
        f"""
        WITH dates AS {dates_sql(pairs)}, goods AS (
            SELECT DISTINCT d.campaign_id, d.as_of, p.{level} AS kind
            FROM dates AS d JOIN offers AS o ON o.campaign_id = d.campaign_id
            JOIN products AS p ON p.product_id = o.product_id WHERE p.{level} IS NOT NULL
        ), spent AS (
            SELECT t.customer_id, d.as_of, p.{level} AS kind, sum(t.amount_cents) AS cents
            FROM (SELECT DISTINCT as_of FROM goods) AS d JOIN transactions AS t
              ON t.local_date < d.as_of AND DATEDIFF('day', t.local_date, d.as_of) <= 365
            JOIN products AS p ON p.product_id = t.product_id
            GROUP BY t.customer_id, d.as_of, p.{level}
        ), total AS (
            SELECT customer_id, as_of, sum(cents) AS cents FROM spent GROUP BY customer_id, as_of
        ), own AS (
            SELECT s.customer_id, g.campaign_id, g.as_of, sum(s.cents) AS cents
            FROM goods AS g JOIN spent AS s ON s.as_of = g.as_of AND s.kind = g.kind
            GROUP BY s.customer_id, g.campaign_id, g.as_of
        )
        SELECT t.customer_id, g.campaign_id, t.as_of,
               COALESCE(w.cents, 0) / CAST(t.cents AS DOUBLE) AS {name}
        FROM total AS t JOIN (SELECT DISTINCT campaign_id, as_of FROM goods) AS g
          ON g.as_of = t.as_of
        LEFT JOIN own AS w ON w.customer_id = t.customer_id AND w.as_of = t.as_of
         AND w.campaign_id = g.campaign_id
        WHERE t.cents > 0"""
    ).df()
    return frame.assign(**{AS_OF: pd.to_datetime(frame[AS_OF])})

"""What customers like: categories, brands, products, topics, campaigns, and interests by name.

Everything looks at the 365 days before ``as_of``. Signals of liking are days on which a customer
did something with a category or a topic; ``interests_named.POINTS`` says how much each kind
counts. Several signals of a kind on one day, for one subject, count once.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.engine import Connection, literal
from mkt_models.profiles.available import Available
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.interests_named import (
    LEAST_ORDERS,
    LEAST_POINTS,
    LIST_NEEDS,
    LISTS,
    POINTS,
    Interest,
)
from mkt_models.profiles.reference import YEAR


def make_signals(
    con: Connection, as_of: date, known: Available, hidden: Exclusions, among: str | None = None
) -> None:
    """Make the table ``signals``: one row per customer, kind, day and subject of liking.

    What is ``hidden`` is no signal: no articles, or private to a person.
    """
    day = f"DATE '{as_of}'"
    counts = (
        f"p.local_date < {day} AND DATEDIFF('day', p.local_date, {day}) <= {YEAR} "
        f"AND {hidden.allowed_sql()}"
        + (f" AND p.customer_id IN (SELECT customer_id FROM {among})" if among else "")
    )
    parts = [
        f"""
        SELECT DISTINCT p.customer_id, 'order' AS kind, p.local_date, p.category, p.product_type,
               CAST(NULL AS VARCHAR) AS topic
        FROM (
            SELECT t.customer_id, t.local_date, q.department, q.category, q.product_type
            FROM transactions AS t JOIN products AS q ON q.product_id = t.product_id
        ) AS p WHERE p.category IS NOT NULL AND {counts}"""
    ]
    if known.has(LIST_NEEDS["liked_categories"]):
        parts.append(
            f"""
        SELECT DISTINCT p.customer_id, p.kind, p.local_date, p.category, p.product_type,
               CAST(NULL AS VARCHAR) AS topic
        FROM (
            SELECT e.customer_id, e.kind, e.local_date, q.department,
                   COALESCE(q.category, e.category) AS category, q.product_type
            FROM events AS e LEFT JOIN products AS q ON q.product_id = e.product_id
        ) AS p WHERE p.category IS NOT NULL AND {counts}"""
        )
    if known.has(LIST_NEEDS["followed_topics"]):
        parts.append(
            f"""
        SELECT DISTINCT p.customer_id, p.kind, p.local_date, CAST(NULL AS VARCHAR) AS category,
               CAST(NULL AS VARCHAR) AS product_type, p.topic
        FROM (
            SELECT customer_id, kind, local_date, topic, topic AS category,
                   CAST(NULL AS VARCHAR) AS department, CAST(NULL AS VARCHAR) AS product_type
            FROM social
        ) AS p WHERE p.topic IS NOT NULL AND {counts}"""
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE signals AS {' UNION ALL '.join(parts)}")


def interest_points(con: Connection, interests: Sequence[Interest]) -> pd.DataFrame:
    """Count the points of every interest by name; needs :func:`make_signals`.

    Returns
    -------
    pandas.DataFrame
        One row per customer and interest with any point: ``interest_points``, and
        ``interest_share``, its part of all points of the customer.

    """
    if not interests:
        return pd.DataFrame(
            {CUSTOMER_ID: [], "interest": [], "interest_points": [], "interest_share": []}
        ).astype({CUSTOMER_ID: "str", "interest": "str"})
    found = " UNION ALL ".join(
        f"SELECT category, product_type, topic, {literal(one.name)} AS interest "
        f"FROM subjects WHERE {_names(one)}"
        for one in interests
    )
    # Tables of their own, so that words are looked for once per subject and not once per signal.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE subjects AS "
        "SELECT DISTINCT category, product_type, topic FROM signals"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE named_subjects AS {found}")
    frame = con.execute(
        f"""
        WITH own AS (
            SELECT DISTINCT s.customer_id, s.kind, s.local_date, COALESCE(s.category, s.topic)
                   AS subject, n.interest
            FROM signals AS s JOIN named_subjects AS n
              ON COALESCE(n.category, '') = COALESCE(s.category, '')
             AND COALESCE(n.product_type, '') = COALESCE(s.product_type, '')
             AND COALESCE(n.topic, '') = COALESCE(s.topic, '')
        ), everything AS (
            SELECT DISTINCT customer_id, kind, local_date, COALESCE(category, topic) AS subject
            FROM signals
        ), whole AS (
            SELECT customer_id, sum({_points()}) AS points FROM everything GROUP BY customer_id
        ), counted AS (
            SELECT customer_id, interest, sum({_points()}) AS points
            FROM own GROUP BY customer_id, interest
        )
        SELECT c.customer_id, c.interest, CAST(c.points AS DOUBLE) AS interest_points,
               CAST(c.points AS DOUBLE) / NULLIF(CAST(w.points AS DOUBLE), 0) AS interest_share
        FROM counted AS c JOIN whole AS w ON w.customer_id = c.customer_id
        ORDER BY c.customer_id, c.interest"""
    ).df()
    return frame.astype({CUSTOMER_ID: "str", "interest": "str"})


def liked(
    con: Connection,
    as_of: date,
    most: int,
    known: Available,
    hidden: Exclusions,
    among: str | None = None,
) -> pd.DataFrame:
    """Name what every customer likes; needs :func:`make_signals` and ``reference.make_tables``.

    Returns
    -------
    pandas.DataFrame
        One row per customer who has an entry in any list; columns ``LISTS``, each a list of
        at most ``most`` names, best first. ``top_categories`` and ``top_brands`` are bought above
        the shop's average share of spend, in at least three orders (milk, which everybody buys,
        tells little); ``top_products`` are the product types of most orders;
        ``liked_categories`` and ``followed_topics`` have most points.

    """
    only = f" AND t.customer_id IN (SELECT customer_id FROM {among})" if among else ""
    past = f"""
        SELECT t.customer_id, t.order_id, p.category, p.brand, p.product_type,
               CAST(sum(t.amount_cents) AS BIGINT) AS amount_cents
        FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
        WHERE t.local_date < DATE '{as_of}' AND {hidden.allowed_sql()}
          AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= {YEAR}{only}
        GROUP BY t.customer_id, t.order_id, p.category, p.brand, p.product_type"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE past AS {past}")
    parts = [_above_average("top_categories", "category"), _above_average("top_brands", "brand")]
    parts.append(
        f"""
        SELECT 'top_products' AS list, customer_id, product_type AS value, ROW_NUMBER() OVER (
            PARTITION BY customer_id ORDER BY n_orders DESC, product_type) AS nth
        FROM (SELECT customer_id, product_type, count(DISTINCT order_id) AS n_orders
              FROM past WHERE product_type IS NOT NULL GROUP BY customer_id, product_type) AS own
        WHERE n_orders >= {LEAST_ORDERS}"""
    )
    if known.has(LIST_NEEDS["liked_categories"]):
        parts.append(_most_points("liked_categories", "category", LEAST_POINTS))
    if known.has(LIST_NEEDS["followed_topics"]):
        parts.append(_most_points("followed_topics", "topic", 2))
    if known.has(LIST_NEEDS["answered_campaigns"]) and known.has(("campaigns.campaign_type",)):
        parts.append(_answered(as_of, among))
    long = con.execute(
        f"WITH ranked AS ({' UNION ALL '.join(parts)}\n)"
        f" SELECT list, customer_id, value FROM ranked WHERE nth <= {most}"
        " ORDER BY list, customer_id, nth"
    ).df()
    lists = long.groupby(["list", CUSTOMER_ID], sort=False)["value"].agg(list)
    wide = lists.unstack("list") if len(lists) else pd.DataFrame(index=pd.Index([], dtype="str"))
    wide = wide.reindex(columns=list(LISTS)).rename_axis(CUSTOMER_ID).reset_index()
    return wide.astype({CUSTOMER_ID: "str"})


def price_index(
    con: Connection, as_of: date, hidden: Exclusions, among: str | None = None
) -> pd.DataFrame:
    """Spend of the last 365 days over what the same pieces cost at their type's usual price.

    One row per customer: ``price_index``. Lines without a count of pieces have no price per piece,
    and those marked as outliers no believable one: they count on neither side. Needs
    ``reference.make_tables``.
    """
    only = f" AND t.customer_id IN (SELECT customer_id FROM {among})" if among else ""
    frame = con.execute(
        f"""
        SELECT t.customer_id, CAST(sum(t.amount_cents) AS DOUBLE)
               / NULLIF(sum(t.quantity * u.cents), 0) AS price_index
        FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
        JOIN usual_prices AS u ON u.product_type = p.product_type
        WHERE t.local_date < DATE '{as_of}' AND t.quantity > 0 AND {hidden.allowed_sql()}
          AND NOT COALESCE(t.outlier, FALSE)
          AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= {YEAR}{only}
        GROUP BY t.customer_id ORDER BY t.customer_id"""
    ).df()
    return frame.assign(price_index=np.round(frame["price_index"].astype("float64"), 6)).astype(
        {CUSTOMER_ID: "str"}
    )


def _points() -> str:
    whens = " ".join(f"WHEN '{kind}' THEN {points}" for kind, points in POINTS.items())
    return f"CASE kind {whens} ELSE 0 END"


def _names(one: Interest) -> str:
    found = [
        f"POSITION({literal(word.upper())} IN UPPER({column})) > 0"
        for word in one.words
        for column in ("category", "product_type")
    ]
    if one.topics:
        listed = ", ".join(literal(topic.lower()) for topic in one.topics)
        found.append(f"LOWER(topic) IN ({listed})")
    return f"({' OR '.join(found)})"


def _above_average(name: str, what: str) -> str:
    return f"""
        SELECT '{name}' AS list, o.customer_id, o.value, ROW_NUMBER() OVER (
            PARTITION BY o.customer_id ORDER BY
            CAST(o.cents AS DOUBLE) / NULLIF(CAST(t.cents AS DOUBLE), 0)
                - COALESCE(u.share, 0) DESC, o.value) AS nth
        FROM (SELECT customer_id, {what} AS value, count(DISTINCT order_id) AS n_orders,
                     sum(amount_cents) AS cents
              FROM past WHERE {what} IS NOT NULL GROUP BY customer_id, {what}) AS o
        JOIN (SELECT customer_id, sum(amount_cents) AS cents
              FROM past WHERE {what} IS NOT NULL GROUP BY customer_id) AS t
          ON t.customer_id = o.customer_id
        LEFT JOIN usual_shares AS u ON u.what = '{what}' AND u.value = o.value
        WHERE o.n_orders >= {LEAST_ORDERS}"""


def _most_points(name: str, what: str, least: int) -> str:
    return f"""
        SELECT '{name}' AS list, customer_id, value, ROW_NUMBER() OVER (
            PARTITION BY customer_id ORDER BY points DESC, value) AS nth
        FROM (
            SELECT customer_id, value, sum({_points()}) AS points FROM (
                SELECT DISTINCT customer_id, kind, local_date, {what} AS value
                FROM signals WHERE {what} IS NOT NULL
            ) AS seen GROUP BY customer_id, value
        ) AS own WHERE points >= {least}"""


def _answered(as_of: date, among: str | None) -> str:
    only = f" AND o.customer_id IN (SELECT customer_id FROM {among})" if among else ""
    return f"""
        SELECT 'answered_campaigns' AS list, customer_id, value, ROW_NUMBER() OVER (
            PARTITION BY customer_id ORDER BY n DESC, value) AS nth
        FROM (
            SELECT o.customer_id, c.campaign_type AS value, count(*) AS n
            FROM outcomes AS o JOIN campaigns AS c ON c.campaign_id = o.campaign_id
            WHERE o.kind IN ('redemption', 'click') AND c.campaign_type IS NOT NULL
              AND o.occurred_on < DATE '{as_of}'
              AND DATEDIFF('day', o.occurred_on, DATE '{as_of}') <= {YEAR}{only}
            GROUP BY o.customer_id, c.campaign_type
        ) AS own"""

"""The profile: one row per customer at a date, in eight dimensions.

A dimension that the data does not support says "not available" rather than a guess.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from mkt_models.columns import (
    AS_OF,
    CUSTOMER_ID,
    NOT_AVAILABLE,
    PROFILE_DIMENSIONS,
    Dimension,
)
from mkt_models.engine import Connection
from mkt_models.params import Profile
from mkt_models.profiles import tags
from mkt_models.profiles.exclusions import Exclusions

NOTHING = Exclusions()

BASICS = PROFILE_DIMENSIONS[Dimension.BASICS]


@dataclass(frozen=True)
class ProfileTable:
    """Profiles of all customers at one date, and the cut-offs that set their tags."""

    profiles: pd.DataFrame
    cutoffs: dict[str, float]


def build_profiles(
    con: Connection, features: pd.DataFrame, rules: Profile, hidden: Exclusions = NOTHING
) -> ProfileTable:
    """Describe every customer who ordered before ``rules.as_of``.

    Parameters
    ----------
    con
        Engine with the clean views and the tables of ``features.prepare_orders``.
    features
        One row per customer at ``rules.as_of``, from ``features.features_at``.
    rules
        Date, windows and cut-offs.
    hidden
        What is no interest to be named and no sign of purchasing power: no articles, or private
        to a person.

    Returns
    -------
    ProfileTable
        ``profiles``: one row per customer, ordered by ``customer_id``; amounts in currency units,
        shares in [0, 1], unknown basics null.

    Raises
    ------
    ValueError
        When a row of ``features`` is of another date.

    """
    if not (features[AS_OF] == pd.Timestamp(rules.as_of)).all():
        raise ValueError(f"features must all be as of {rules.as_of}")
    table = features.merge(_descriptions(con, rules, hidden), on=CUSTOMER_ID, validate="one_to_one")
    cut = {
        **tags.habit_cutoffs(table, rules),
        **dict(
            zip(
                ("value_high", "value_middle"),
                tags.value_cutoffs(table["value_amount"], rules),
                strict=True,
            )
        ),
    }
    tiers = (cut["value_high"], cut["value_middle"])
    table = table.assign(
        lifecycle_stage=tags.lifecycle_stage(
            table["days_since_last_order"], table["tenure_days"], rules
        ),
        value_tier=tags.value_tier(table["value_amount"], tiers),
        spending_habit=tags.spending_habit(table["discount_share"], table["orders_90d"], cut),
        purchasing_power=tags.purchasing_power(table["price_index"], rules),
        risk_tier=tags.risk_tier(table["coupon_share_365d"], table["orders_365d"], rules),
        social=NOT_AVAILABLE,
    )
    return ProfileTable(table[list(_columns())].sort_values(CUSTOMER_ID, ignore_index=True), cut)


def profile_in_words(profile: pd.Series) -> pd.DataFrame:
    """One customer's profile for reading: rows of ``dimension``, ``what`` and ``value``.

    ``profile`` is a row of :func:`build_profiles`; what is not known reads "not available".
    """
    rows = [
        (dimension.value, name.replace("_", " "), _shown(profile[name]))
        for dimension, names in PROFILE_DIMENSIONS.items()
        for name in names
    ]
    return pd.DataFrame(rows, columns=["dimension", "what", "value"])


def _shown(value: object) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(str(one) for one in value) or NOT_AVAILABLE
    if isinstance(value, float):
        return NOT_AVAILABLE if np.isnan(value) else f"{value:,.2f}".removesuffix(".00")
    return NOT_AVAILABLE if value is None or value is pd.NA else str(value).replace("_", " ")


def _columns() -> tuple[str, ...]:
    return (CUSTOMER_ID, AS_OF, *(name for names in PROFILE_DIMENSIONS.values() for name in names))


def _descriptions(con: Connection, rules: Profile, hidden: Exclusions) -> pd.DataFrame:
    """One row per customer: what a profile shows beyond the features of the models."""
    as_of = rules.as_of
    frame = con.execute(
        f"""
        WITH past AS (
            SELECT *, DATEDIFF('day', local_date, DATE '{as_of}') AS age
            FROM orders WHERE local_date < DATE '{as_of}'
        )
        SELECT customer_id,
               sum(CASE WHEN age <= 365 THEN 1 ELSE 0 END) AS orders_365d,
               sum(CASE WHEN age <= 365 THEN amount_cents ELSE 0 END) / 100.0 AS amount_365d,
               sum(CASE WHEN age <= {rules.value_days} THEN amount_cents ELSE 0 END) / 100.0
                   AS value_amount,
               CAST(sum(CASE WHEN age <= 365 THEN with_coupon ELSE 0 END) AS DOUBLE)
                   / NULLIF(sum(CASE WHEN age <= 365 THEN 1 ELSE 0 END), 0) AS coupon_share_365d
        FROM past GROUP BY customer_id"""
    ).df()
    for part in (
        _favourite_store(con, as_of),
        _day_part(con, as_of),
        _price_index(con, as_of, hidden),
    ):
        frame = frame.merge(part, on=CUSTOMER_ID, how="left", validate="one_to_one")
    frame = frame.merge(
        _interests(con, rules, hidden), on=CUSTOMER_ID, how="left", validate="one_to_one"
    )
    frame["top_categories"] = [v if isinstance(v, list) else [] for v in frame["top_categories"]]
    return frame.merge(_basics(con), on=CUSTOMER_ID, how="left", validate="one_to_one")


def _basics(con: Connection) -> pd.DataFrame:
    return con.execute(f"SELECT customer_id, {', '.join(BASICS)} FROM customers").df()


def _favourite_store(con: Connection, as_of: date) -> pd.DataFrame:
    """The store with most orders so far."""
    return _most_frequent(con, "store_id", "main_store", as_of)


def _day_part(con: Connection, as_of: date) -> pd.DataFrame:
    """The part of the day with most orders: night 0-6, morning 6-12, afternoon 12-18, evening."""
    part = (
        "CASE WHEN local_hour < 6 THEN 'night' WHEN local_hour < 12 THEN 'morning' "
        "WHEN local_hour < 18 THEN 'afternoon' ELSE 'evening' END"
    )
    return _most_frequent(con, part, "preferred_day_part", as_of)


def _most_frequent(con: Connection, what: str, name: str, as_of: date) -> pd.DataFrame:
    """The value of an expression over orders that a customer has most often; ties by value."""
    return con.execute(
        f"""
        SELECT customer_id, value AS {name} FROM (
            SELECT customer_id, value, ROW_NUMBER() OVER (
                PARTITION BY customer_id ORDER BY count(*) DESC, value) AS nth
            FROM (SELECT customer_id, {what} AS value
                  FROM orders WHERE local_date < DATE '{as_of}') AS past
            GROUP BY customer_id, value
        ) AS ranked WHERE nth = 1"""
    ).df()


def _price_index(con: Connection, as_of: date, hidden: Exclusions) -> pd.DataFrame:
    """Spend of the last 365 days over what the same pieces cost at their type's usual price.

    Lines without a count of pieces have no price per piece, and count on neither side.
    """
    frame = con.execute(
        f"""
        WITH past AS (
            SELECT t.customer_id, p.product_type, t.quantity, t.amount_cents
            FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
            WHERE t.local_date < DATE '{as_of}' AND p.product_type IS NOT NULL
              AND t.quantity > 0 AND {hidden.allowed_sql()}
              AND DATEDIFF('day', t.local_date, DATE '{as_of}') <= 365
        ), usual AS (
            SELECT product_type, CAST(sum(amount_cents) AS DOUBLE) / NULLIF(sum(quantity), 0)
                AS cents
            FROM past GROUP BY product_type
        )
        SELECT p.customer_id, CAST(sum(p.amount_cents) AS DOUBLE)
               / NULLIF(sum(p.quantity * u.cents), 0) AS price_index
        FROM past AS p JOIN usual AS u ON u.product_type = p.product_type
        GROUP BY p.customer_id"""
    ).df()
    return frame.assign(price_index=np.round(frame["price_index"], 6))


def _interests(con: Connection, rules: Profile, hidden: Exclusions) -> pd.DataFrame:
    """The categories that a customer buys most above the shop's average, by share of spend.

    A category everybody buys (milk) tells little; what counts is the share of spend above the
    average share, and at least three orders.
    """
    ranked = con.execute(
        f"""
        WITH past AS (
            SELECT t.customer_id, t.order_id, p.category, t.amount_cents
            FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
            WHERE t.local_date < DATE '{rules.as_of}' AND p.category IS NOT NULL
              AND {hidden.allowed_sql()}
              AND DATEDIFF('day', t.local_date, DATE '{rules.as_of}') <= 365
        ), everybody AS (
            SELECT category, CAST(sum(amount_cents) AS DOUBLE)
                   / (SELECT sum(amount_cents) FROM past) AS share
            FROM past GROUP BY category
        ), own AS (
            SELECT customer_id, category, count(DISTINCT order_id) AS n_orders,
                   sum(amount_cents) AS cents
            FROM past GROUP BY customer_id, category
        ), totals AS (
            SELECT customer_id, sum(cents) AS cents FROM own GROUP BY customer_id
        ), ranked AS (
            SELECT o.customer_id, o.category, ROW_NUMBER() OVER (
                PARTITION BY o.customer_id
                ORDER BY CAST(o.cents AS DOUBLE) / NULLIF(t.cents, 0) - e.share DESC, o.category
            ) AS nth
            FROM own AS o JOIN totals AS t ON t.customer_id = o.customer_id
            JOIN everybody AS e ON e.category = o.category
            WHERE o.n_orders >= 3
        )
        SELECT customer_id, category FROM ranked WHERE nth <= {rules.interests}
        ORDER BY customer_id, nth"""
    ).df()
    lists = ranked.groupby(CUSTOMER_ID, sort=False)["category"].agg(list)
    return lists.rename("top_categories").reset_index()

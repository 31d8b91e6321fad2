"""What the tables say of each customer on a day, before customers are compared with each other.

Facts depend on the customer's own rows only (and on what was usual at the month's beginning), so
they can be kept, and computed anew for those whose rows changed: see
:mod:`mkt_models.profiles.incremental`.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.profile_params import Profile
from mkt_models.profiles import available
from mkt_models.profiles.available import Available
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import FEATURE_NEEDS, features_at
from mkt_models.profiles.indicator_query import indicators_at, needed_columns
from mkt_models.profiles.interests import interest_points, liked, make_signals, price_index
from mkt_models.profiles.interests_named import LISTS
from mkt_models.profiles.reference import Reference, make_tables
from mkt_models.profiles.tag_catalogue import TagCatalogue


@dataclass(frozen=True)
class Facts:
    """What is known of each customer on a day.

    Attributes
    ----------
    table
        One row per customer with an order before the day, ordered by ``customer_id``: the
        features, the indicators, ``spent`` and ``returned`` (of ``value_days``, currency units),
        ``price_index``, and the lists of what is liked (null where there is none).
    points
        One row per customer and interest by name.
    known
        What the source's tables hold.
    reference
        What is usual in the shop, for the month of the day.

    """

    table: pd.DataFrame
    points: pd.DataFrame
    known: Available
    reference: Reference


def known_tables(con: Connection, as_of: date) -> Available:
    """Look up which of the columns that a profile needs held a value before a day."""
    needs = {need for column in PROFILE_COLUMNS.values() for need in column.needs}
    needs |= {need for needs in FEATURE_NEEDS.values() for need in needs}
    wanted = sorted(needs | set(needed_columns()) | {"campaigns.campaign_type"})
    return available.known(con, wanted).before(as_of)


def facts_at(
    con: Connection,
    rules: Profile,
    hidden: Exclusions,
    catalogue: TagCatalogue,
    reference: Reference,
    features: pd.DataFrame | None = None,
    among: str | None = None,
) -> Facts:
    """Gather the facts of all customers, or of those in the table ``among``.

    Needs the clean views and ``features.prepare_orders``; ``features`` are computed if not given.
    """
    as_of, known = rules.as_of, known_tables(con, rules.as_of)
    if features is None:
        features = features_at(con, [as_of], among)
    make_tables(con, reference)
    make_signals(con, as_of, known, hidden, among)
    parts = (
        indicators_at(con, [as_of], known, among).drop(columns=AS_OF),
        _value(con, as_of, rules.value_days, known, among),
        price_index(con, as_of, hidden, among),
        liked(con, as_of, rules.interests, known, hidden, among),
    )
    table = features
    for part in parts:
        table = table.merge(part, on=CUSTOMER_ID, how="left", validate="one_to_one")
    points = interest_points(con, catalogue.interests())
    return Facts(whole(table), points, known, reference)


def whole(table: pd.DataFrame) -> pd.DataFrame:
    """Facts in their order, with a null of one kind where there is no list."""
    lists = {
        name: table[name].map(lambda one: list(one) if isinstance(one, list | np.ndarray) else None)
        for name in LISTS
    }
    return table.assign(**lists).sort_values(CUSTOMER_ID, ignore_index=True)


def _value(
    con: Connection, as_of: date, days: int, known: Available, among: str | None
) -> pd.DataFrame:
    """Spend within the days that value tiers look at, and what of it was given back by ``as_of``.

    In currency units. What is given back counts on the day of its sale, where that is known, so
    that nobody loses by a return more than they spent.
    """

    def total(table: str, name: str, day: str) -> pd.DataFrame:
        only = f" AND customer_id IN (SELECT customer_id FROM {among})" if among else ""
        return con.execute(
            f"SELECT customer_id, CAST(sum(amount_cents) AS DOUBLE) / 100 AS {name} FROM {table} "
            f"WHERE local_date < DATE '{as_of}' "
            f"AND DATEDIFF('day', {day}, DATE '{as_of}') <= {days}{only} "
            "GROUP BY customer_id ORDER BY customer_id"
        ).df()

    spent = total("orders", "spent", "local_date").astype({CUSTOMER_ID: "str"})
    if not known.has(("returns.amount_cents",)):
        return spent.assign(returned=float("nan"))
    returned = total("returns", "returned", "COALESCE(sale_date, local_date)").astype(
        {CUSTOMER_ID: "str"}
    )
    both = spent.merge(returned, on=CUSTOMER_ID, how="outer", validate="one_to_one")
    return both.fillna({"spent": 0.0, "returned": 0.0})

"""Features of customers as of dates: one portable query made from the tables of measures.

Every feature looks strictly before ``as_of``.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, Table
from mkt_models.engine import Connection
from mkt_models.profiles.available import known, present
from mkt_models.profiles.measures import (
    HISTORY,
    RATIOS,
    RHYTHM,
    VARIETY,
    WINDOWS,
    Measure,
    catalogue,
    windowed,
)
from mkt_models.sources.schemas import SCHEMAS

# What a feature needs beyond a customer's orders; null where no such value is known at all.
FEATURE_NEEDS: Mapping[str, tuple[str, ...]] = {
    **{f"items_{days}d": ("transactions.quantity",) for days in WINDOWS},
    "items_per_order": ("transactions.quantity",),
    "discount_share": (
        "transactions.loyalty_discount_cents",
        "transactions.coupon_discount_cents",
        "transactions.coupon_match_discount_cents",
    ),
    "coupon_share": ("transactions.coupon_discount_cents",),
    "private_label_share": ("products.private_label",),
    "stores_90d": ("transactions.store_id",),
    "categories_28d": ("products.category",),
    "categories_90d": ("products.category",),
}
_OPTIONAL = ("exposures", "outcomes")


def prepare_orders(con: Connection) -> None:
    """Make the tables ``orders`` (one row per order and day) and ``shopping_days``.

    Needs the clean view ``transactions``; ``products`` may be absent, and is then a table without
    rows. An order whose lines fall on two days counts on each, with the lines of that day, so that
    no line is seen before its day. A weekday is a whole number of days since a Monday, so that
    engines with other ideas of the first day of a week agree.
    """
    if not present(con, ["products"]):
        nulls = ", ".join(
            f"CAST(NULL AS {kind}) AS {name}" for name, kind in SCHEMAS[Table.PRODUCTS].items()
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE products AS SELECT {nulls} WHERE 1 = 0")
    con.execute(f"CREATE OR REPLACE TEMP TABLE orders AS {orders_sql('TRUE')}")
    make_shopping_days(con)


def make_shopping_days(con: Connection) -> None:
    """Make the table ``shopping_days`` of the table ``orders``."""
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE shopping_days AS
        SELECT customer_id, local_date,
               DATEDIFF('day', LAG(local_date) OVER (
                   PARTITION BY customer_id ORDER BY local_date), local_date) AS gap
        FROM (SELECT DISTINCT customer_id, local_date FROM orders) AS days"""
    )


def orders_sql(where: str) -> str:
    """Write the query of one row per order and day, of the lines (alias ``t``) that satisfy."""
    return f"""
        SELECT t.customer_id, t.local_date,
               min(t.local_hour) AS local_hour, min(t.store_id) AS store_id,
               CAST(sum(t.amount_cents) AS BIGINT) AS amount_cents,
               CAST(sum(t.quantity) AS DOUBLE) AS items,
               CAST(sum(COALESCE(t.loyalty_discount_cents, 0)
                   + COALESCE(t.coupon_discount_cents, 0)
                   + COALESCE(t.coupon_match_discount_cents, 0)) AS BIGINT) AS discount_cents,
               max(CASE WHEN t.coupon_discount_cents > 0 THEN 1 ELSE 0 END) AS with_coupon,
               CAST(sum(CASE WHEN p.private_label THEN t.amount_cents ELSE 0 END) AS BIGINT)
                   AS private_label_cents,
               CASE WHEN DATEDIFF('day', DATE '1970-01-05', t.local_date) % 7 >= 5
                   THEN 1 ELSE 0 END AS weekend,
               CASE WHEN min(t.local_hour) >= 17 THEN 1 ELSE 0 END AS evening
        FROM transactions AS t LEFT JOIN products AS p ON p.product_id = t.product_id
        WHERE {where}
        GROUP BY t.customer_id, t.order_id, t.local_date"""


def features_at(con: Connection, as_of: Iterable[date], among: str | None = None) -> pd.DataFrame:
    """Compute all features at each date.

    Needs :func:`prepare_orders` and the clean views; ``exposures`` and ``outcomes`` may be absent.
    With ``among``, the name of a table with a column ``customer_id``, only those customers.

    Returns
    -------
    pandas.DataFrame
        One row per customer with an order before ``as_of``, and ``as_of`` date: ``customer_id``,
        ``as_of`` (datetime64), and the columns of :func:`catalogue` as float64 in the unit given
        there, missing where there is nothing to measure. Ordered by ``as_of``, ``customer_id``.

    """
    days = sorted(set(as_of))
    if not days:
        raise ValueError("as_of is empty; give at least one date")
    values = ", ".join(f"(DATE '{day.isoformat()}')" for day in days)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE cutoffs AS SELECT * FROM (VALUES {values}) AS v(as_of)"
    )
    frame = con.execute(_feature_sql(set(present(con, _OPTIONAL)), among)).df()
    frame[AS_OF] = pd.to_datetime(frame[AS_OF])
    # Said here because a frame without rows would not know its types.
    frame = frame.astype({CUSTOMER_ID: "str", **dict.fromkeys(catalogue(), "float64")})
    return _without_unknown(con, frame, days)


def _without_unknown(con: Connection, frame: pd.DataFrame, days: Iterable[date]) -> pd.DataFrame:
    """Make null every feature of which the tables held nothing by then: 0 would be a claim."""
    since = known(con, sorted({need for needs in FEATURE_NEEDS.values() for need in needs}))
    for day in days:
        there = since.before(day)
        unknown = [name for name, needs in FEATURE_NEEDS.items() if not there.has(needs)]
        if unknown:
            frame.loc[frame[AS_OF] == pd.Timestamp(day), unknown] = float("nan")
    return frame


def _feature_sql(tables: set[str], among: str | None = None) -> str:
    """SQL of all features at all dates of the table ``cutoffs``."""
    only = f" WHERE {{}}customer_id IN (SELECT customer_id FROM {among})" if among else ""
    exprs = {**windowed(), **HISTORY}
    plain = ",\n".join(f"{m.sql} AS {name}" for name, m in exprs.items())
    rhythm = ",\n".join(f"{m.sql} AS {name}" for name, m in RHYTHM.items())
    variety = ",\n".join(f"{m.sql} AS {name}" for name, m in VARIETY.items())
    ratios = ",\n".join(f"{m.sql} AS {name}" for name, m in RATIOS.items())
    names = ", ".join(catalogue())
    return f"""
    WITH at_orders AS (
        SELECT o.*, c.as_of, DATEDIFF('day', o.local_date, c.as_of) AS age
        FROM orders AS o JOIN cutoffs AS c ON o.local_date < c.as_of{only.format("o.")}
    ), plain AS (
        SELECT customer_id, as_of, {plain} FROM at_orders GROUP BY customer_id, as_of
    ), at_days AS (
        SELECT d.customer_id, c.as_of, d.gap, DATEDIFF('day', d.local_date, c.as_of) AS age,
               ROW_NUMBER() OVER (PARTITION BY d.customer_id, c.as_of
                   ORDER BY d.local_date DESC) AS nth
        FROM shopping_days AS d JOIN cutoffs AS c ON d.local_date < c.as_of{only.format("d.")}
    ), rhythm AS (
        SELECT customer_id, as_of, {rhythm} FROM at_days GROUP BY customer_id, as_of
    ), bought AS (
        SELECT t.customer_id, t.local_date, p.category
        FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
        WHERE t.local_date < (SELECT max(as_of) FROM cutoffs)
          AND t.local_date >= (SELECT min(as_of) FROM cutoffs) - 90
          {f"AND t.customer_id IN (SELECT customer_id FROM {among})" if among else ""}
    ), at_categories AS (
        SELECT b.customer_id, c.as_of, b.category,
               min(DATEDIFF('day', b.local_date, c.as_of)) AS age
        FROM bought AS b JOIN cutoffs AS c
          ON b.local_date < c.as_of AND DATEDIFF('day', b.local_date, c.as_of) <= 90
        GROUP BY b.customer_id, c.as_of, b.category
    ), variety AS (
        SELECT customer_id, as_of, {variety} FROM at_categories GROUP BY customer_id, as_of
    ), campaigns_received AS ({_exposure_sql(tables)}
    ), redeemed AS ({_outcome_sql(tables)}
    ), joined AS (
        SELECT f.*, {_columns("r", RHYTHM)}, {_counts("v", VARIETY)},
               {_or_missing("exposures" in tables, "e.campaigns_90d")} AS campaigns_90d,
               {_or_missing("outcomes" in tables, "u.redemptions_90d")} AS redemptions_90d,
               {_or_missing("outcomes" in tables, "u.redemptions_ever")} AS redemptions_ever
        FROM plain AS f
        LEFT JOIN rhythm AS r ON r.customer_id = f.customer_id AND r.as_of = f.as_of
        LEFT JOIN variety AS v ON v.customer_id = f.customer_id AND v.as_of = f.as_of
        LEFT JOIN campaigns_received AS e ON e.customer_id = f.customer_id AND e.as_of = f.as_of
        LEFT JOIN redeemed AS u ON u.customer_id = f.customer_id AND u.as_of = f.as_of
    ), complete AS (SELECT *, {ratios} FROM joined)
    SELECT customer_id, as_of, {names} FROM complete ORDER BY as_of, customer_id"""


def _columns(alias: str, measures: dict[str, Measure]) -> str:
    return ", ".join(f"{alias}.{name}" for name in measures)


def _counts(alias: str, measures: dict[str, Measure]) -> str:
    """Counts of rows that may be none: then 0."""
    return ", ".join(f"COALESCE({alias}.{name}, 0) AS {name}" for name in measures)


def _or_missing(known: bool, column: str) -> str:
    """A count that is 0 when the table is there and holds nothing, missing when it is absent."""
    return f"COALESCE({column}, 0)" if known else "CAST(NULL AS DOUBLE)"


def _exposure_sql(tables: set[str]) -> str:
    if "exposures" not in tables:
        return "SELECT '' AS customer_id, as_of, 0 AS campaigns_90d FROM cutoffs"
    return """
        SELECT e.customer_id, c.as_of,
               count(DISTINCT CASE WHEN DATEDIFF('day', e.sent_on, c.as_of) <= 90
                   THEN e.campaign_id END) AS campaigns_90d
        FROM exposures AS e JOIN cutoffs AS c ON e.sent_on < c.as_of
        GROUP BY e.customer_id, c.as_of"""


def _outcome_sql(tables: set[str]) -> str:
    if "outcomes" not in tables:
        return (
            "SELECT '' AS customer_id, as_of, 0 AS redemptions_90d, 0 AS redemptions_ever "
            "FROM cutoffs"
        )
    return """
        SELECT o.customer_id, c.as_of,
               sum(CASE WHEN DATEDIFF('day', o.occurred_on, c.as_of) <= 90 THEN 1 ELSE 0 END)
                   AS redemptions_90d,
               count(*) AS redemptions_ever
        FROM outcomes AS o JOIN cutoffs AS c ON o.occurred_on < c.as_of
         AND o.kind = 'redemption'
        GROUP BY o.customer_id, c.as_of"""

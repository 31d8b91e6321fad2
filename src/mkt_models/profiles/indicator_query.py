"""The indicators of customers at dates: one portable query made from the tables of indicators.

Every row that counts lies strictly before ``as_of``. Rows of one source are read once; what the
run's tables do not hold is null.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.profiles.available import Available
from mkt_models.profiles.indicators import (
    LOOKED_AHEAD,
    MODES,
    WINDOW,
    Indicator,
    counted,
    indicators,
)

# How the rows of a source look at a date: the table or query, the column that dates a row (alias
# ``x``), and the columns. Of every table the rows before ``as_of`` are read.
_ROWS: Mapping[str, tuple[str, str, str]] = {
    "orders": ("orders", "local_date", "x.*"),
    # Apart from the orders, which features read as well: texts make a large table larger.
    "ways": (
        "(SELECT customer_id, local_date, min(channel) AS channel, "
        "min(payment_method) AS payment_method FROM transactions "
        "GROUP BY customer_id, order_id, local_date)",
        "local_date",
        "x.customer_id, x.channel, x.payment_method",
    ),
    "days": ("shopping_days", "local_date", "x.customer_id, x.gap"),
    "events": (
        "events",
        "local_date",
        "x.customer_id, x.kind, x.session_id, x.product_id, x.dwell_seconds, x.rating, x.device, "
        "x.local_hour, x.local_date",
    ),
    "social": (
        "social",
        "local_date",
        "x.customer_id, x.kind, x.platform, x.followers, "
        "CASE WHEN x.target_customer_id <> x.customer_id THEN x.target_customer_id END AS contact, "
        "ROW_NUMBER() OVER (PARTITION BY x.customer_id, c.as_of ORDER BY "
        "CASE WHEN x.followers IS NULL THEN 1 ELSE 0 END, x.occurred_at DESC, x.followers DESC"
        ") AS nth",
    ),
    "tickets": (
        "tickets",
        "opened_on",
        "x.customer_id, CASE WHEN x.resolved_on < c.as_of THEN 1 ELSE 0 END AS resolved, "
        "x.satisfaction, x.topic",
    ),
    "returns": (
        "returns",
        "local_date",
        "x.customer_id, x.amount_cents, x.sale_date, "
        "DATEDIFF('day', COALESCE(x.sale_date, x.local_date), c.as_of) AS sale_age",
    ),
    "failed_orders": ("failed_orders", "local_date", "x.customer_id, x.order_id, x.status"),
}
# From two tables: what became of the products that were looked at, and how long a purchase took.
_BOTH: Mapping[str, str] = {
    "funnel": f"""
        SELECT s.customer_id, s.as_of, s.kind, s.product_id, 1 AS age,
               max(CASE WHEN b.product_id IS NULL THEN 0 ELSE 1 END) AS bought
        FROM (
            SELECT customer_id, as_of, kind, product_id, min(local_date) AS first_on
            FROM at_events
            WHERE age <= {WINDOW} AND product_id IS NOT NULL AND kind IN ('view', 'cart')
            GROUP BY customer_id, as_of, kind, product_id
        ) AS s LEFT JOIN bought_days AS b
          ON b.customer_id = s.customer_id AND b.product_id = s.product_id
         AND b.local_date >= s.first_on AND b.local_date < s.as_of
        GROUP BY s.customer_id, s.as_of, s.kind, s.product_id""",
    "waits": f"""
        SELECT b.customer_id, c.as_of, b.product_id, b.local_date,
               DATEDIFF('day', b.local_date, c.as_of) AS age,
               DATEDIFF('day', min(e.local_date), b.local_date) AS waited
        FROM bought_days AS b
        JOIN cutoffs AS c ON b.local_date < c.as_of
         AND DATEDIFF('day', b.local_date, c.as_of) <= {WINDOW}
        JOIN events AS e ON e.customer_id = b.customer_id AND e.product_id = b.product_id
         AND e.kind = 'view' AND e.local_date <= b.local_date
         AND DATEDIFF('day', e.local_date, b.local_date) <= {LOOKED_AHEAD}
        GROUP BY b.customer_id, c.as_of, b.product_id, b.local_date""",
}
_BOUGHT_DAYS = """
        SELECT DISTINCT customer_id, product_id, local_date FROM transactions"""

CLEAN_TABLE = {name: table for name, (table, _, _) in _ROWS.items()} | {
    "funnel": "events",
    "waits": "events",
}


def needed_columns() -> tuple[str, ...]:
    """Every ``table.column`` that some indicator needs."""
    return tuple(sorted({need for one in indicators().values() for need in one.needs}))


def indicators_at(
    con: Connection, as_of: Iterable[date], known: Available, among: str | None = None
) -> pd.DataFrame:
    """Compute all indicators at each date.

    Parameters
    ----------
    con
        Engine with the clean views and the tables of ``features.prepare_orders``.
    as_of
        The dates; every row that counts lies before.
    known
        What the tables hold, of :func:`needed_columns`.
    among
        A table with a column ``customer_id``: only those customers; null for all.

    Returns
    -------
    pandas.DataFrame
        One row per customer with an order before ``as_of``, and ``as_of``; numbers as float64 in
        their unit, words as text, null where nothing is known. Ordered by ``as_of`` and customer.

    """
    days = sorted(set(as_of))
    values = ", ".join(f"(DATE '{day.isoformat()}')" for day in days)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE cutoffs AS SELECT * FROM (VALUES {values}) AS v(as_of)"
    )
    frame = con.execute(indicator_sql(known, among)).df()
    frame[AS_OF] = pd.to_datetime(frame[AS_OF])
    kinds = dict.fromkeys(counted(), "float64") | dict.fromkeys(MODES, "str")
    return frame.astype({CUSTOMER_ID: "str", **kinds})


def indicator_sql(known: Available, among: str | None = None) -> str:
    """Write the query of all indicators at all dates of the table ``cutoffs``."""
    there = {n: one for n, one in counted().items() if known.has(one.needs)}
    modes = {n: one for n, one in MODES.items() if known.has(one.needs)}
    used = {one.source for one in (*there.values(), *modes.values())} | {"orders"}
    used |= {"events"} if used & set(_BOTH) else set()
    ctes = [f"at_{name} AS ({_rows_sql(name, among)}\n    )" for name in _ROWS if name in used]
    if used & set(_BOTH):
        ctes.append(f"bought_days AS ({_BOUGHT_DAYS}{_only(among, 'WHERE')}\n    )")
    ctes += [f"at_{name} AS ({sql}\n    )" for name, sql in _BOTH.items() if name in used]
    joins: list[str] = []
    shown: dict[str, str] = {}
    for source in (name for name in (*_ROWS, *_BOTH) if name in used):
        mine = {n: one for n, one in there.items() if one.source == source}
        if not mine:
            continue
        sums = ",\n            ".join(f"{one.sql} AS {name}" for name, one in mine.items())
        ctes.append(
            f"by_{source} AS (\n        SELECT customer_id, as_of,\n            {sums}\n"
            f"        FROM at_{source} GROUP BY customer_id, as_of\n    )"
        )
        joins.append(_join(f"by_{source}"))
        shown |= {
            name: f"COALESCE(CAST(by_{source}.{name} AS DOUBLE), {one.empty})"
            if one.empty != "NULL"
            else f"CAST(by_{source}.{name} AS DOUBLE)"
            for name, one in mine.items()
        }
    for name, one in modes.items():
        ctes.append(f"most_{name} AS ({_mode_sql(one)}\n    )")
        joins.append(_join(f"most_{name}"))
        shown[name] = f"most_{name}.value"
    ctes.append("base AS (\n        SELECT DISTINCT customer_id, as_of FROM at_orders\n    )")
    missing = dict.fromkeys(counted(), "CAST(NULL AS DOUBLE)") | dict.fromkeys(
        MODES, "CAST(NULL AS VARCHAR)"
    )
    columns = ",\n       ".join(
        f"{shown.get(name, missing[name])} AS {name}" for name in indicators()
    )
    return (
        f"WITH {', '.join(ctes)}\nSELECT base.customer_id, base.as_of,\n       {columns}\n"
        f"FROM base {' '.join(joins)}\nORDER BY base.as_of, base.customer_id"
    )


def _rows_sql(name: str, among: str | None) -> str:
    table, dated, columns = _ROWS[name]
    return (
        f"\n        SELECT {columns}, c.as_of, DATEDIFF('day', x.{dated}, c.as_of) AS age"
        f"\n        FROM {table} AS x JOIN cutoffs AS c ON x.{dated} < c.as_of"
        f"{_only(among, 'WHERE', 'x.')}"
    )


def _only(among: str | None, word: str, alias: str = "") -> str:
    if among is None:
        return ""
    return f"\n        {word} {alias}customer_id IN (SELECT customer_id FROM {among})"


def _join(name: str) -> str:
    return (
        f"\nLEFT JOIN {name} ON {name}.customer_id = base.customer_id AND {name}.as_of = base.as_of"
    )


def _mode_sql(one: Indicator) -> str:
    """The most frequent value; ties by the value."""
    window = "TRUE" if one.days is None else f"age <= {one.days}"
    return f"""
        SELECT customer_id, as_of, value FROM (
            SELECT customer_id, as_of, value, ROW_NUMBER() OVER (
                PARTITION BY customer_id, as_of ORDER BY n DESC, value) AS nth
            FROM (
                SELECT customer_id, as_of, value, count(*) AS n FROM (
                    SELECT customer_id, as_of, {one.sql} AS value
                    FROM at_{one.source} WHERE {window}
                ) AS seen WHERE value IS NOT NULL GROUP BY customer_id, as_of, value
            ) AS counts
        ) AS ranked WHERE nth = 1"""

"""A first look at canonical tables: how much there is, of whom, from when to when."""

import pandas as pd

from mkt_models.engine import Connection
from mkt_models.sources.schemas import SCHEMAS

_WHEN = {"transactions": "occurred_at", "exposures": "sent_on", "outcomes": "occurred_on"}


def overview(con: Connection, tables: dict[str, int]) -> pd.DataFrame:
    """One row per table: ``rows``, ``columns``, ``customers`` in it, ``first`` and ``last`` day.

    ``tables`` maps the names of registered tables to their rows, as ``canonical.check`` gives it.
    """
    lines = []
    for table, rows in tables.items():
        columns = {name for known, s in SCHEMAS.items() if known.value == table for name in s}
        who = "count(DISTINCT customer_id)" if "customer_id" in columns else "NULL"
        when = _WHEN.get(table)
        ends = f"min(CAST({when} AS DATE)), max(CAST({when} AS DATE))" if when else "NULL, NULL"
        customers, first, last = con.execute(f"SELECT {who}, {ends} FROM {table}").fetchall()[0]
        lines.append([table, rows, len(columns), customers, first, last])
    frame = pd.DataFrame(
        lines, columns=["table", "rows", "columns", "customers", "first", "last"]
    ).astype({"customers": "Int64"})
    return frame.fillna({"first": "", "last": ""})


def weekly_sales(con: Connection) -> pd.DataFrame:
    """Sales per week, from the raw times: ``week`` (its Monday), ``amount``, ``orders``, ``days``.

    ``days`` counts the days of the week that have sales: a week cut by the data's end has fewer
    than seven.
    """
    frame = con.execute(
        """
        WITH lines AS (
            SELECT CAST(occurred_at AS DATE) AS day, order_id, amount_cents FROM transactions
        )
        SELECT day - CAST(DATEDIFF('day', DATE '1970-01-05', day) % 7 AS INTEGER) AS week,
               sum(amount_cents) / 100.0 AS amount, count(DISTINCT order_id) AS orders,
               count(DISTINCT day) AS days
        FROM lines GROUP BY 1 ORDER BY 1"""
    ).df()
    return frame.assign(week=pd.to_datetime(frame["week"]))


def missing_values(con: Connection, table: str) -> pd.DataFrame:
    """One row per column of a table: rows in which it is ``missing``, of ``n`` rows."""
    columns = [str(row[0]) for row in con.execute(f"DESCRIBE {table}").fetchall()]
    parts = ", ".join(f"count(*) - count({c})" for c in columns)
    values = con.execute(f"SELECT count(*), {parts} FROM {table}").fetchall()[0]
    return pd.DataFrame({"column": columns, "missing": values[1:], "n": values[0]})


def customer_amounts(con: Connection) -> pd.DataFrame:
    """One row per customer: ``orders`` and ``amount`` (currency units) over all days."""
    return con.execute(
        """
        SELECT customer_id, count(DISTINCT order_id) AS orders,
               sum(amount_cents) / 100.0 AS amount
        FROM transactions GROUP BY customer_id ORDER BY customer_id"""
    ).df()

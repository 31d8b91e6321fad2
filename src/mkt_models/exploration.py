"""A first look at canonical tables: how much there is, of whom, from when to when, with what gaps.

Whatever the source is: a table that it does not have is left out, a column that it does not fill is
named.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, Table
from mkt_models.engine import DuckDB, literal
from mkt_models.sources.facts import day_of, span
from mkt_models.sources.schemas import SCHEMAS
from mkt_models.sources.unreadable import FILE

# An order that was cancelled, or whose payment failed, is no sale.
_SOLD = "status IS NULL OR status NOT IN ('cancelled', 'failed')"


def overview(con: DuckDB, tables: Mapping[Table, int], time_zone: str) -> pd.DataFrame:
    """One row per table: ``rows``, ``columns``, ``customers`` in it, ``first`` and ``last`` day.

    ``tables`` are the registered tables and their rows, as ``canonical.check`` gives them;
    ``columns`` counts those with a value somewhere; days are those of ``time_zone``.
    """
    lines = []
    for table, rows in tables.items():
        columns = SCHEMAS[table]
        given = ", ".join(f"count({column})" for column in columns)
        who = "count(DISTINCT customer_id)" if CUSTOMER_ID in columns else "NULL"
        when = day_of(table, time_zone)
        ends = f"min({when}), max({when})" if when else "NULL, NULL"
        counted = con.execute(f"SELECT {who}, {ends}, {given} FROM {table.value}").fetchall()[0]
        customers, first, last, *values = counted
        lines.append([table.value, rows, sum(n > 0 for n in values), customers, first, last])
    frame = pd.DataFrame(
        lines, columns=["table", "rows", "columns", "customers", "first", "last"]
    ).astype({"customers": "Int64"})
    return frame.fillna({"first": "", "last": ""})


def absent(tables: Iterable[Table]) -> list[str]:
    """The canonical tables that a source does not have."""
    there = set(tables)
    return [table.value for table in Table if table not in there]


def weekly_sales(con: DuckDB, time_zone: str) -> pd.DataFrame:
    """Sales per week of the shop: ``week`` (its Monday), ``amount``, ``orders``, ``days``.

    ``amount`` is net of returns, and without cancelled and failed orders; lines that are dated far
    away from all others are left out (:func:`~mkt_models.sources.facts.span`). ``days`` counts the
    days of the week that lie between the first and the last day of the data: fewer than seven in a
    week that is cut by its end, and seven in one in which the shop was closed on a day.
    """
    days = span(con, "transactions", time_zone)
    first, last = (
        f"CAST({'NULL' if day is None else literal(day)} AS DATE)"
        for day in (days.first, days.last)
    )
    frame = con.execute(
        f"""
        WITH lines AS (
            SELECT {day_of(Table.TRANSACTIONS, time_zone)} AS day, order_id, amount_cents
            FROM transactions WHERE {_SOLD}
        ), dated AS (
            SELECT day - CAST(DATEDIFF('day', DATE '1970-01-05', day) % 7 AS INTEGER) AS week,
                   order_id, amount_cents
            FROM lines WHERE day BETWEEN {first} AND {last}
        )
        SELECT week, sum(amount_cents) / 100.0 AS amount, count(DISTINCT order_id) AS orders,
               DATEDIFF('day', greatest(week, {first}), least(week + 6, {last})) + 1 AS days
        FROM dated GROUP BY week ORDER BY week"""
    ).df()
    return frame.assign(week=pd.to_datetime(frame["week"]))


def missing_values(con: DuckDB, table: str) -> pd.DataFrame:
    """One row per column of a table: rows in which it is ``missing``, of ``n`` rows."""
    columns = [str(row[0]) for row in con.execute(f"DESCRIBE {table}").fetchall()]
    parts = ", ".join(f"count(*) - count({c})" for c in columns)
    values = con.execute(f"SELECT count(*), {parts} FROM {table}").fetchall()[0]
    return pd.DataFrame({"column": columns, "missing": values[1:], "n": values[0]})


def customer_amounts(con: DuckDB) -> pd.DataFrame:
    """One row per customer: ``orders`` and ``amount`` (currency units) over all days.

    The amount is net of returns, and without cancelled and failed orders.
    """
    return con.execute(
        f"""
        SELECT customer_id, count(DISTINCT order_id) AS orders,
               sum(amount_cents) / 100.0 AS amount
        FROM transactions WHERE customer_id IS NOT NULL AND ({_SOLD})
        GROUP BY customer_id ORDER BY customer_id"""
    ).df()


def gaps(con: DuckDB, tables: Iterable[Table]) -> pd.DataFrame:
    """One row per table: how many of its columns are ``complete``, ``with_gaps`` and ``empty``.

    ``most_missing`` names the column of those with gaps that lacks most, and ``no_values`` the
    empty ones.
    """
    lines = []
    for table in tables:
        found = missing_values(con, table.value).query("n > 0")
        some = found[(found["missing"] > 0) & (found["missing"] < found["n"])]
        empty = found.loc[(found["missing"] == found["n"]), "column"].tolist()
        worst = ""
        if len(some):
            row = some.sort_values(["missing", "column"], ascending=[False, True]).iloc[0]
            worst = f"{row['column']}, {row['missing'] / row['n']:.1%}"
        complete = len(found) - len(some) - len(empty)
        lines.append([table.value, complete, len(some), len(empty), worst, ", ".join(empty)])
    names = ["table", "complete", "with_gaps", "empty", "most_missing", "no_values"]
    return pd.DataFrame(lines, columns=names)


def known_share(con: DuckDB) -> float:
    """Share of the customers of whom anything is known beside their id; NaN without customers."""
    attributes = [column for column in SCHEMAS[Table.CUSTOMERS] if column != CUSTOMER_ID]
    texts = ", ".join(f"CAST({column} AS VARCHAR)" for column in attributes)
    n, known = con.execute(f"SELECT count(*), count(COALESCE({texts})) FROM customers").fetchall()[
        0
    ]
    return float(known / n) if n else float("nan")


def assigned_at_random(con: DuckDB, tables: Iterable[Table]) -> tuple[int, int]:
    """How many contacts have a recorded probability of being sent, and how many there are."""
    if Table.EXPOSURES not in set(tables):
        return 0, 0
    row = con.execute("SELECT count(assignment_probability), count(*) FROM exposures").fetchall()[0]
    return int(row[0]), int(row[1])


def unreadable(con: DuckDB, raw: Path) -> pd.DataFrame:
    """One row per table and column of which texts could not be read: how many, and where.

    ``first`` names file and line of the first of them. Without any the table has no rows.
    """
    columns = ["table", "column", "texts", "first"]
    path = raw / FILE
    if not path.is_file():
        return pd.DataFrame(columns=columns)
    return con.execute(
        f"""
        WITH numbered AS (
            SELECT "table", "column", file || ' line ' || line AS place,
                   row_number() OVER (PARTITION BY "table", "column" ORDER BY file, line) AS nth
            FROM read_parquet({literal(path)})
        )
        SELECT "table", "column", count(*) AS texts,
               max(CASE WHEN nth = 1 THEN place END) AS first
        FROM numbered GROUP BY "table", "column" ORDER BY "table", "column"
        """
    ).df()

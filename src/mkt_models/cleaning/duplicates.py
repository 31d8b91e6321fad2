"""Rows that say the same: of the same key, or submitted twice.

Equal rows are merged while a table is read (:mod:`mkt_models.cleaning.steps`); here are those that
are the same although they differ.
"""

from mkt_models.cleaning.clock import whole_seconds
from mkt_models.cleaning.outliers import IS_SALE
from mkt_models.columns import Table
from mkt_models.engine import Connection, count
from mkt_models.sources.schemas import CANONICAL, SCHEMAS

# What is the same in a line that was submitted twice.
_SAME = ("customer_id", "product_id", "quantity", "amount_cents")


def merge_same_key(con: Connection, table: Table, kept: str, added: tuple[str, ...]) -> str | None:
    """Merge rows of the same key; None when there are none.

    Of the rows of a key the one with the fewest gaps is kept, by the smallest values where several
    have as few, and its gaps are filled from the next ones; a customer is registered on the
    earliest day. Makes the temporary tables ``doubled_<table>`` (with ``place`` 1 for the row kept)
    and ``merged_<table>``, which is the table without them, and returns the latter's name.

    ``kept`` is a relation of the canonical columns, ``added`` ones and ``copies``, the number of
    rows that a row stands for: the row kept stands for those of the others too.
    """
    (key,) = CANONICAL[table].key
    columns = list(SCHEMAS[table])
    twice = f"SELECT {key} FROM {kept} GROUP BY {key} HAVING count(*) > 1"
    if not count(con, f"({twice}) AS twice"):
        return None
    said = " + ".join(f"CASE WHEN {c} IS NULL THEN 0 ELSE 1 END" for c in columns)
    doubled, merged = f"doubled_{table.value}", f"merged_{table.value}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {doubled} AS
        SELECT k.*, row_number() OVER (
            PARTITION BY {key} ORDER BY {said} DESC, {", ".join(columns)}
        ) AS place
        FROM {kept} AS k WHERE {key} IN ({twice})"""
    )
    firsts = ", ".join(
        f"min(CASE WHEN {c} IS NOT NULL THEN place END) OVER (PARTITION BY {key}) AS first_{c}"
        for c in (*columns, *added)
        if c != key
    )
    values = ", ".join(
        f"min({c}) AS {c}"
        if c in (key, "registered_on")
        else f"max(CASE WHEN place = first_{c} THEN {c} END) AS {c}"
        for c in (*columns, *added)
    )
    names = ", ".join((*columns, *added, "copies"))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {merged} AS
        SELECT {names} FROM {kept} AS k WHERE {key} NOT IN ({twice})
        UNION ALL
        SELECT {names} FROM (
            SELECT {values}, sum(copies) AS copies
            FROM (SELECT d.*, {firsts} FROM {doubled} AS d) AS filled GROUP BY {key}
        ) AS one"""
    )
    return merged


def find_submitted_twice(con: Connection, kept: str, seconds: int) -> int:
    """Find sale lines that another order repeats within so many seconds; return how many.

    Makes the temporary table ``double_lines``: the columns that name a line, and ``first_order``,
    the order that it repeats. A line repeats the one of the same customer, product, quantity and
    amount just before it, if that one is of another order.

    Only orders that have another of the same customer within the time are compared line by line,
    so that no more than the orders are sorted.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE close_orders AS
        SELECT DISTINCT order_id FROM (
            SELECT order_id, second,
                   lag(second) OVER (PARTITION BY customer_id ORDER BY second, order_id) AS before,
                   lead(second) OVER (PARTITION BY customer_id ORDER BY second, order_id) AS after
            FROM (SELECT customer_id, order_id, {whole_seconds("occurred_at")} AS second
                  FROM (SELECT DISTINCT customer_id, order_id, occurred_at FROM {kept} AS k
                        WHERE {IS_SALE}) AS orders) AS timed
        ) AS o
        WHERE second - before <= {seconds} OR after - second <= {seconds}"""
    )
    rest = [c for c in SCHEMAS[Table.TRANSACTIONS] if c not in (*_SAME, "occurred_at", "order_id")]
    window = f"PARTITION BY {', '.join(_SAME)} ORDER BY second, order_id, {', '.join(rest)}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE double_lines AS
        SELECT * FROM (
            SELECT timed.*, lag(order_id) OVER ({window}) AS first_order,
                   lag(second) OVER ({window}) AS first_second
            FROM (SELECT k.*, {whole_seconds("occurred_at")} AS second FROM {kept} AS k
                  WHERE {IS_SALE} AND order_id IN (SELECT order_id FROM close_orders)) AS timed
        ) AS lines
        WHERE first_order <> order_id AND second - first_second <= {seconds}"""
    )
    return count(con, "double_lines")


def find_repeated_lines(con: Connection, kept: str) -> int:
    """Find lines that stand in their order again under the same number; return how many.

    Makes the temporary table ``repeated_lines``: the lines but the earliest, and ``first_order``,
    their order. Of lines without a number nobody can say whether they are one or two; of lines days
    apart the shop has used the number again.
    """
    same = ("order_id", "line_id", *_SAME, "goes_to")
    rest = [c for c in SCHEMAS[Table.TRANSACTIONS] if c not in (*same, "occurred_at")]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeated_lines AS
        SELECT * FROM (
            SELECT k.*, order_id AS first_order, row_number() OVER (
                PARTITION BY {", ".join(same)} ORDER BY occurred_at, {", ".join(rest)}
            ) AS place,
            DATEDIFF('day', CAST(min(occurred_at) OVER (PARTITION BY {", ".join(same)}) AS DATE),
                CAST(occurred_at AS DATE)) AS days_later
            FROM {kept} AS k WHERE line_id IS NOT NULL
        ) AS numbered
        WHERE place > 1 AND (days_later IS NULL OR days_later <= 1)"""
    )
    return count(con, "repeated_lines")


def without_sql(kept: str, doubles: str) -> str:
    """SQL of the lines that are not in ``doubles``, compared by every canonical column."""
    return f"SELECT * FROM {kept} AS k WHERE NOT EXISTS (SELECT 1 FROM {doubles} AS d WHERE " + (
        " AND ".join(
            f"(d.{c} = k.{c} OR (d.{c} IS NULL AND k.{c} IS NULL))"
            if c not in CANONICAL[Table.TRANSACTIONS].needed
            else f"d.{c} = k.{c}"
            for c in SCHEMAS[Table.TRANSACTIONS]
        )
        + ")"
    )

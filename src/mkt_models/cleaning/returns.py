"""What was given back, matched to the sale that it undoes.

A return that names its order (``returned_order_id``) belongs to the sale line of that order; any
other to the latest earlier sale line of the same customer and product. Either way the line must
still have as many pieces as are given back, and no piece is given back twice. A return for which
there is no such line says so: its ``sale_order_id`` is null.

Returns are matched in rounds: each asks for its best line, a line serves those that ask in the
order of their time as long as its pieces last, and those left over ask for their next best.
"""

import pandas as pd

from mkt_models.columns import Table
from mkt_models.engine import Connection, count
from mkt_models.sources.schemas import SCHEMAS

# A return that names no order is offered so many of the latest earlier lines, and no more: what a
# customer bought before that is hardly what they bring back, and the work stays bounded.
LOOK_BACK = 20
ROUNDS = 200

_KEY = ("customer_id", "product_id")
# Thousandths of a piece, so that sums are exact; a line of unknown quantity is one piece.
_PIECES = "CAST(round(coalesce(NULLIF(quantity, 0), 1) * 1000) AS BIGINT)"


def match_returns(con: Connection, kept: str) -> None:
    """Match every return line of ``kept`` to a sale line.

    Makes the temporary table ``matched_returns``: one row per return line, its columns,
    ``sale_order_id`` and ``sale_date`` (the shop's day of that sale), null where there is none.
    """
    keys, rest = ", ".join(_KEY), ", ".join(c for c in SCHEMAS[Table.TRANSACTIONS] if c not in _KEY)
    order = f"PARTITION BY {keys} ORDER BY occurred_at, {rest}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE return_lines AS
        SELECT k.*, {_PIECES} AS pieces, row_number() OVER ({order}) AS no
        FROM {kept} AS k WHERE goes_to = 'returns'"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE sale_lines AS
        SELECT {keys}, order_id, occurred_at, local_date, {_PIECES} AS pieces,
               row_number() OVER ({order}) AS no
        FROM {kept} AS k
        WHERE goes_to = 'transactions' AND coalesce(quantity, 1) > 0
          AND EXISTS (SELECT 1 FROM return_lines AS r
                      WHERE r.customer_id = k.customer_id AND r.product_id = k.product_id)"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE asked_0 AS {_wishes_sql()}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE given_0 AS SELECT {keys}, no AS return_no, no AS sale_no, "
        "pieces FROM return_lines WHERE FALSE"
    )
    last = _serve(con)
    columns = ", ".join(
        f"r.{c}" for c in (*SCHEMAS[Table.TRANSACTIONS], "local_date", "local_hour")
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE matched_returns AS
        SELECT {columns}, s.order_id AS sale_order_id, s.local_date AS sale_date
        FROM return_lines AS r
        LEFT JOIN {last} AS g ON {_same("g", "r")} AND g.return_no = r.no
        LEFT JOIN sale_lines AS s ON {_same("s", "g")} AND s.no = g.sale_no"""
    )
    _drop(con, last)


def matched(con: Connection) -> pd.DataFrame:
    """One row per way of matching: ``matched``, ``lines``, ``amount_cents``; largest first."""
    return con.execute(
        """
        SELECT matched, count(*) AS lines, CAST(sum(amount_cents) AS BIGINT) AS amount_cents FROM (
            SELECT amount_cents, CASE
                WHEN sale_order_id IS NULL THEN 'no sale found'
                WHEN returned_order_id IS NOT NULL THEN 'the order that it names'
                ELSE 'the latest earlier sale' END AS matched
            FROM matched_returns
        ) AS m GROUP BY matched ORDER BY lines DESC, matched"""
    ).df()


def _wishes_sql() -> str:
    """SQL of the sale lines that each return may have: one row per return and line.

    ``wish`` 1 is the best. A return that names its order may have the lines of that order and
    product; another one the :data:`LOOK_BACK` lines before it.
    """
    before = f"""
        SELECT {", ".join(_KEY)}, no, is_return, sum(1 - is_return) OVER (
            PARTITION BY {", ".join(_KEY)} ORDER BY occurred_at, is_return, no
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS sales
        FROM (
            SELECT {", ".join(_KEY)}, occurred_at, no, 1 AS is_return FROM return_lines
            UNION ALL
            SELECT {", ".join(_KEY)}, occurred_at, no, 0 AS is_return FROM sale_lines
        ) AS timeline"""
    steps = " UNION ALL ".join(f"SELECT {n} AS back" for n in range(LOOK_BACK))
    wish = "row_number() OVER (PARTITION BY r.customer_id, r.product_id, r.no ORDER BY s.no DESC)"
    return f"""
        SELECT r.customer_id, r.product_id, r.no AS return_no, s.no AS sale_no, r.occurred_at,
               r.pieces, s.pieces AS sale_pieces, {wish} AS wish
        FROM return_lines AS r JOIN sale_lines AS s
          ON {_same("s", "r")} AND s.order_id = r.returned_order_id
        WHERE s.occurred_at <= r.occurred_at AND s.pieces >= r.pieces
        UNION ALL
        SELECT r.customer_id, r.product_id, r.no AS return_no, s.no AS sale_no, r.occurred_at,
               r.pieces, s.pieces AS sale_pieces, {wish} AS wish
        FROM return_lines AS r
        JOIN ({before}) AS b ON {_same("b", "r")} AND b.no = r.no AND b.is_return = 1
        CROSS JOIN ({steps}) AS steps
        JOIN sale_lines AS s ON {_same("s", "r")} AND s.no = b.sales - steps.back
        WHERE r.returned_order_id IS NULL AND s.pieces >= r.pieces"""


def _serve(con: Connection) -> str:
    """Serve the wishes in rounds; return the name of the table of who was given what."""
    return_key, sale_key = "customer_id, product_id, return_no", "customer_id, product_id, sale_no"
    for number in range(ROUNDS):
        asked, given = f"asked_{number}", f"given_{number}"
        if not count(con, asked):
            _drop(con, asked)
            return given
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE served AS
            SELECT customer_id, product_id, return_no, sale_no, pieces FROM (
                SELECT best.*, sum(pieces) OVER (
                    PARTITION BY {sale_key} ORDER BY occurred_at, return_no
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) AS taken
                FROM (
                    SELECT a.*, row_number() OVER (PARTITION BY {return_key} ORDER BY wish) AS place
                    FROM {asked} AS a
                ) AS best
                WHERE place = 1
            ) AS queue
            WHERE taken <= sale_pieces"""
        )
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE given_{number + 1} AS
            SELECT customer_id, product_id, return_no, sale_no, pieces FROM {given}
            UNION ALL
            SELECT customer_id, product_id, return_no, sale_no, pieces FROM served"""
        )
        # Those that were served ask no more, and lines have fewer pieces left.
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE asked_{number + 1} AS
            SELECT * FROM (
                SELECT a.customer_id, a.product_id, a.return_no, a.sale_no, a.occurred_at,
                       a.pieces, a.sale_pieces - coalesce(g.pieces, 0) AS sale_pieces, a.wish
                FROM {asked} AS a
                LEFT JOIN (SELECT {sale_key}, sum(pieces) AS pieces FROM served
                           GROUP BY {sale_key}) AS g
                  ON {_same("g", "a")} AND g.sale_no = a.sale_no
                WHERE NOT EXISTS (SELECT 1 FROM served AS d
                                  WHERE {_same("d", "a")} AND d.return_no = a.return_no)
            ) AS rest
            WHERE pieces <= sale_pieces"""
        )
        _drop(con, asked, given)
    _drop(con, f"asked_{ROUNDS}")
    return f"given_{ROUNDS}"


def _same(a: str, b: str) -> str:
    return f"{a}.customer_id = {b}.customer_id AND {a}.product_id = {b}.product_id"


def _drop(con: Connection, *names: str) -> None:
    for name in names:
        con.execute(f"DROP TABLE IF EXISTS {name}")

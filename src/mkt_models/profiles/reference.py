"""What is usual in the shop: average shares of categories and brands, and usual prices.

Liking and purchasing power are told by comparison with everybody. What everybody does is looked at
once a month, on its first day, and kept: a customer's tags then move by what the customer does and
not by what others did yesterday, and a day later only those need computing who did something.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from mkt_models.engine import Connection
from mkt_models.profiles.exclusions import Exclusions

YEAR = 365


@dataclass(frozen=True)
class Reference:
    """What was usual in the 365 days before a day.

    Attributes
    ----------
    day
        The day from which it looks back.
    shares
        One row per ``what`` (``category`` or ``brand``) and ``value``: its ``share`` of all spend.
    prices
        One row per ``product_type``: the usual price of a piece, ``cents``.

    """

    day: date
    shares: pd.DataFrame
    prices: pd.DataFrame


def reference_day(con: Connection, as_of: date) -> date:
    """The first day of the month of ``as_of``; ``as_of`` itself while nothing was sold before."""
    first = as_of.replace(day=1)
    row = con.execute(
        f"SELECT count(*) FROM orders WHERE local_date < DATE '{first.isoformat()}'"
    ).fetchall()[0]
    return first if row[0] else as_of


def reference_at(con: Connection, as_of: date, hidden: Exclusions) -> Reference:
    """Look at what is usual for the month of ``as_of``.

    Lines without a count of pieces have no price per piece, and one that cleaning marked as an
    outlier says nothing of the usual one. What is ``hidden`` is left out.
    """
    day = reference_day(con, as_of)
    past = f"""
        SELECT p.category, p.brand, p.product_type, t.quantity, t.amount_cents, t.outlier
        FROM transactions AS t JOIN products AS p ON p.product_id = t.product_id
        WHERE t.local_date < DATE '{day}' AND {hidden.allowed_sql()}
          AND DATEDIFF('day', t.local_date, DATE '{day}') <= {YEAR}"""
    parts = [
        f"SELECT '{what}' AS what, {what} AS value, CAST(sum(amount_cents) AS BIGINT) AS cents "
        f"FROM past WHERE {what} IS NOT NULL GROUP BY {what}"
        for what in ("category", "brand")
    ]
    shares = con.execute(
        f"""
        WITH past AS ({past}), spent AS ({" UNION ALL ".join(parts)}),
        whole AS (SELECT what, sum(cents) AS cents FROM spent GROUP BY what)
        SELECT s.what, s.value,
               CAST(s.cents AS DOUBLE) / NULLIF(CAST(w.cents AS DOUBLE), 0) AS share
        FROM spent AS s JOIN whole AS w ON w.what = s.what ORDER BY s.what, s.value"""
    ).df()
    prices = con.execute(
        f"""
        WITH past AS ({past})
        SELECT product_type, CAST(sum(amount_cents) AS DOUBLE) / NULLIF(sum(quantity), 0) AS cents
        FROM past WHERE product_type IS NOT NULL AND quantity > 0 AND NOT COALESCE(outlier, FALSE)
        GROUP BY product_type ORDER BY product_type"""
    ).df()
    return Reference(day, shares, prices)


def make_tables(con: Connection, reference: Reference) -> None:
    """Make the tables ``usual_shares`` and ``usual_prices`` of a reference."""
    _load(con, "usual_shares", reference.shares, ("what", "value"), "share")
    _load(con, "usual_prices", reference.prices, ("product_type",), "cents")


def _load(
    con: Connection, name: str, frame: pd.DataFrame, texts: tuple[str, ...], number: str
) -> None:
    """Write a small frame as a table, with plain SQL that every engine reads."""
    columns = (*texts, number)
    casts = ", ".join(
        [*(f"CAST({text} AS VARCHAR) AS {text}" for text in texts),
         f"CAST({number} AS DOUBLE) AS {number}"]
    )  # fmt: skip
    rows = [
        "({})".format(", ".join([*(_text(row[text]) for text in texts), repr(float(row[number]))]))
        for row in frame.dropna(subset=[number]).to_dict("records")
    ]
    empty = ", ".join("NULL" for _ in columns)
    source = (
        f"(VALUES {', '.join(rows)}) AS v({', '.join(columns)})"
        if rows
        else f"(VALUES ({empty})) AS v({', '.join(columns)}) WHERE 1 = 0"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {casts} FROM {source}")


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"

"""The profile of a later day, computed anew only for those whose result can change.

From one day to a later one a customer's facts change in three ways, and each is treated apart:

- *Rows come in or go out.* A row dated in between comes in; a row whose age passes the edge of a
  window goes out of it. Whoever has such a row in any table is gathered anew.
- *Time passes.* Days since something grow by the days that passed; sums that fade, and rates since
  the first order, are computed for all from the kept ``orders``, one row per order.
- *Others change.* Ranks, cut-offs, stages and tags compare customers: they are made anew for all
  from one row per customer. What is usual in the shop is that of the month's first day, so when
  the month changes, so may everybody, and all are gathered anew.

Rows that arrive late, or are taken back, are found by a count and a checksum per customer and
table; when they change what is usual, all are gathered anew. What is not found: a corrected value
in an old row that leaves its day and its money as they were, and changes to ``products``,
``campaigns``, the parameters or the tags; run all anew then.
"""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection, count, register, write_parquet
from mkt_models.profile_params import Profile
from mkt_models.profiles.available import DATED, present
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.facts import Facts, facts_at, known_tables, whole
from mkt_models.profiles.features import (
    features_at,
    make_shopping_days,
    orders_sql,
    prepare_orders,
)
from mkt_models.profiles.indicators import YEAR, counted
from mkt_models.profiles.measures import HISTORY, WINDOWS, catalogue
from mkt_models.profiles.profile import ProfileTable, describe
from mkt_models.profiles.reference import Reference, reference_at, reference_day
from mkt_models.profiles.tag_catalogue import TagCatalogue

_ORDERS, _SEEN = "kept_orders", "seen_rows"
_MONEY = ("transactions", "returns")
# Features that change every day for everybody: from the first and last order, or fading.
_EVERY_DAY = (
    "days_since_last_order",
    "tenure_days",
    "orders_per_week",
    "amount_per_week",
    "amount_decayed_20d",
    "amount_decayed_60d",
)
# Ages of a fixed day.
_AGES = (
    "days_since_3rd_last",
    "days_since_6th_last",
    "days_since_12th_last",
    *(name for name, one in counted().items() if one.ages),
)


@dataclass(frozen=True)
class Refreshed:
    """The profile of the later day, and whom it was computed anew for.

    ``recomputed``: customers whose rows were read again. ``all_anew``: why that was everybody, or
    empty.
    """

    table: ProfileTable
    recomputed: int
    all_anew: str = ""


def keep(con: Connection, table: ProfileTable, as_of: date, folder: Path) -> None:
    """Keep what the next day needs: the orders before ``as_of``, and the counts of all tables.

    Writes ``kept_orders.parquet`` and ``seen_rows.parquet``; the facts are in the profile table.
    """
    write_parquet(
        con,
        f"SELECT * FROM orders WHERE local_date < DATE '{as_of}'",
        folder / f"{_ORDERS}.parquet",
    )
    write_parquet(con, _seen_sql(con, as_of), folder / f"{_SEEN}.parquet")


def refresh(
    con: Connection,
    before: ProfileTable,
    rules: Profile,
    catalogue_of_tags: TagCatalogue,
    hidden: Exclusions,
    folder: Path,
    computed_at: datetime | None = None,
) -> Refreshed:
    """Bring profiles to ``rules.as_of`` from those of an earlier day.

    Parameters
    ----------
    con
        Engine with the clean views of today; makes its own ``orders``.
    before
        The profiles of the earlier day, with the same parameters and tags.
    rules, catalogue_of_tags, hidden
        As of :func:`~mkt_models.profiles.profile.build_profiles`.
    folder
        What :func:`keep` wrote on the earlier day.

    Returns
    -------
    Refreshed
        The table equals that of a full run in every column but ``computed_at``.

    Raises
    ------
    ValueError
        When ``rules.as_of`` is before the day of the profiles.

    """
    facts = before.facts
    days = sorted({stamp.date() for stamp in facts.table[AS_OF]})
    last = days[0] if days else rules.as_of
    if rules.as_of < last:
        raise ValueError(f"as_of == {rules.as_of}, must not be before the profiles of {last}")
    known = known_tables(con, rules.as_of)
    why = ""
    if not days:
        why = "there was nobody before"
    elif known != facts.known:
        why = "the tables hold other kinds of values than before"
    if not why:
        _make_changed(con, last, rules, folder)
        _make_orders(con, folder)
        if reference_day(con, rules.as_of) != facts.reference.day:
            why = "a new month has begun: what is usual is looked at anew"
        elif _late_lines(con) and not _same(
            reference_at(con, rules.as_of, hidden), facts.reference
        ):
            why = "order lines came late, or were taken back, that change what is usual"
    if why:
        prepare_orders(con)
        reference = reference_at(con, rules.as_of, hidden)
        new = facts_at(con, rules, hidden, catalogue_of_tags, reference)
        table = describe(con, new, rules, catalogue_of_tags, computed_at)
        return Refreshed(table, len(new.table), why)
    mine = features_at(con, [rules.as_of], "changed")
    anew = facts_at(con, rules, hidden, catalogue_of_tags, facts.reference, mine, "changed")
    changed = con.execute("SELECT customer_id FROM changed").df()[CUSTOMER_ID].astype("str")
    both = _together(con, facts, anew, changed, rules.as_of, (rules.as_of - last).days)
    described = describe(con, both, rules, catalogue_of_tags, computed_at)
    return Refreshed(described, len(anew.table))


def _together(
    con: Connection, old: Facts, anew: Facts, changed: pd.Series, as_of: date, step: int
) -> Facts:
    """The kept facts a few days older, and those gathered anew in their place."""
    stays = old.table[~old.table[CUSTOMER_ID].isin(changed)]
    older = stays.assign(
        **{AS_OF: pd.Timestamp(as_of)}, **{name: stays[name] + step for name in _AGES}
    ).drop(columns=list(_EVERY_DAY))
    older = older.merge(_every_day(con, as_of), on=CUSTOMER_ID, how="left", validate="one_to_one")
    gap = older["days_between_orders"]
    older = older.assign(overdue=older["days_since_last_order"] / gap.where(gap != 0))
    older = older[list(anew.table.columns)].astype(
        {n: t for n, t in old.table.dtypes.items() if n in catalogue()}
    )
    table = pd.concat([older, anew.table], ignore_index=True) if len(older) else anew.table
    points = pd.concat(
        [old.points[~old.points[CUSTOMER_ID].isin(changed)], anew.points], ignore_index=True
    ).sort_values([CUSTOMER_ID, "interest"], ignore_index=True)
    return Facts(whole(table), points, anew.known, old.reference)


def _every_day(con: Connection, as_of: date) -> pd.DataFrame:
    """What changes every day for everybody, from one row per order."""
    sums = ", ".join(f"{HISTORY[name].sql} AS {name}" for name in _EVERY_DAY)
    frame = con.execute(
        f"""
        WITH at_orders AS (
            SELECT o.*, DATEDIFF('day', o.local_date, DATE '{as_of}') AS age
            FROM orders AS o WHERE o.local_date < DATE '{as_of}'
        )
        SELECT customer_id, {sums} FROM at_orders GROUP BY customer_id"""
    ).df()
    return frame.astype({CUSTOMER_ID: "str", **dict.fromkeys(_EVERY_DAY, "float64")})


def _make_changed(con: Connection, last: date, rules: Profile, folder: Path) -> None:
    """Make the table ``changed``: customers with a row that came in, went out, or came late."""
    edges = sorted({*WINDOWS, YEAR, rules.value_days})
    spans = [f"{{0}} >= DATE '{last}' AND {{0}} < DATE '{rules.as_of}'"]
    spans += [
        f"(DATEDIFF('day', {{0}}, DATE '{last}') <= {edge}"
        f" AND DATEDIFF('day', {{0}}, DATE '{rules.as_of}') > {edge} AND {{0}} < DATE '{last}')"
        for edge in edges
    ]
    crossed = " OR ".join(spans)
    parts = [
        f"SELECT customer_id FROM {table} WHERE {crossed.format(column)}"
        for table in sorted(present(con, DATED))
        for column in DATED[table]
    ]
    register(con, folder, [_SEEN])
    now = _seen_sql(con, last)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE late AS
        SELECT COALESCE(a.customer_id, b.customer_id) AS customer_id,
               COALESCE(a.what, b.what) AS what
        FROM ({now}) AS a FULL JOIN {_SEEN} AS b
          ON b.customer_id = a.customer_id AND b.what = a.what
        WHERE a.n IS NULL OR b.n IS NULL OR a.n <> b.n OR a.days <> b.days OR a.cents <> b.cents"""
    )
    parts.append("SELECT customer_id FROM late")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE changed AS SELECT DISTINCT customer_id FROM "
        f"({' UNION ALL '.join(parts)}) AS touched WHERE customer_id IS NOT NULL"
    )


def _late_lines(con: Connection) -> bool:
    """Whether order lines of before came late or were taken back; needs the table ``late``."""
    return count(con, "late", "what = 'transactions.local_date'") > 0


def _same(one: Reference, other: Reference) -> bool:
    return one.shares.equals(other.shares) and one.prices.equals(other.prices)


def _make_orders(con: Connection, folder: Path) -> None:
    """Make ``orders``: those kept, and of the changed customers those of today's lines."""
    if not present(con, ["products"]):
        prepare_orders(con)
        return
    register(con, folder, [_ORDERS])
    inside = "t.customer_id IN (SELECT customer_id FROM changed)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE orders AS "
        f"SELECT * FROM {_ORDERS} WHERE customer_id NOT IN (SELECT customer_id FROM changed) "
        f"UNION ALL {orders_sql(inside)}"
    )
    make_shopping_days(con)


def _seen_sql(con: Connection, as_of: date) -> str:
    """One row per table, date and customer: rows before a day, with checksums."""
    parts = []
    for table in sorted(present(con, DATED)):
        cents = "CAST(sum(COALESCE(amount_cents, 0)) AS BIGINT)" if table in _MONEY else "0"
        parts += [
            f"SELECT '{table}.{column}' AS what, customer_id, count(*) AS n, "
            f"CAST(sum(DATEDIFF('day', DATE '1970-01-05', {column})) AS BIGINT) AS days, "
            f"{cents} AS cents FROM {table} WHERE {column} < DATE '{as_of}' GROUP BY customer_id"
            for column in DATED[table]
        ]
    return " UNION ALL ".join(parts)

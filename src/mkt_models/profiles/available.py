"""What a run's clean tables hold: which columns have any value, and since when.

What the source does not have is "not available". It is asked of the tables themselves, and only of
the rows before the day, so that a profile never shows 0 where nobody could have counted, and never
knows of a table that is yet to come.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from mkt_models.engine import Connection, columns, tables

# The columns that date the rows of a table, the first of them when a row is first seen.
DATED: Mapping[str, tuple[str, ...]] = {
    "transactions": ("local_date",),
    "events": ("local_date",),
    "social": ("local_date",),
    "tickets": ("opened_on", "resolved_on"),
    "returns": ("local_date",),
    "failed_orders": ("local_date",),
    "exposures": ("sent_on",),
    "outcomes": ("occurred_on",),
}


@dataclass(frozen=True)
class Available:
    """``table.column`` names that hold a value in some row."""

    columns: frozenset[str]

    def has(self, needs: Iterable[str]) -> bool:
        """Whether any of the named columns holds a value; true when none is needed.

        >>> Available(frozenset({"events.kind"})).has(["events.rating"])
        False
        """
        needs = tuple(needs)
        return not needs or any(name in self.columns for name in needs)


@dataclass(frozen=True)
class Known:
    """Since when ``table.column`` names hold a value; ``date.min`` where rows have no day."""

    since: Mapping[str, date]

    def before(self, as_of: date) -> Available:
        """What was known strictly before a day.

        >>> Known({"events.kind": date(2018, 1, 1)}).before(date(2018, 1, 1)).has(["events.kind"])
        False
        """
        return Available(frozenset(name for name, first in self.since.items() if first < as_of))


def present(con: Connection, names: Iterable[str]) -> frozenset[str]:
    """The names that can be read as tables."""
    return frozenset(names) & tables(con)


def known(con: Connection, needs: Iterable[str]) -> Known:
    """Look up since when each of ``needs`` (``table.column``) holds a value; a scan per table."""
    wanted: dict[str, set[str]] = {}
    for name in needs:
        table, _, column = name.partition(".")
        wanted.setdefault(table, set()).add(column)
    since: dict[str, date] = {}
    for table in sorted(present(con, wanted)):
        there = sorted(wanted[table] & set(columns(con, table)))
        if not there:
            continue
        day = DATED[table][0] if table in DATED else "DATE '0001-01-01'"
        firsts = ", ".join(f"min(CASE WHEN {c} IS NOT NULL THEN {day} END)" for c in there)
        row = con.execute(f"SELECT {firsts} FROM {table}").fetchall()[0]
        since |= {
            f"{table}.{column}": first
            for column, first in zip(there, row, strict=True)
            if first is not None
        }
    return Known(since)

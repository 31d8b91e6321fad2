"""How good the data was before cleaning, and is after it, as rules and gaps tell.

Five aspects, each a share of rows from 0 to 1. *Completeness*, *validity*, *consistency* and
*timeliness* are the rows that break no rule of that aspect; *uniqueness* the rows that are not the
same as another one. Per column, ``present`` counts the rows that have a value and ``faulty`` those
in which a rule finds fault with it. A rule that moves lines to a table of their own, or reads the
clock, finds no fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd

from mkt_models.cleaning.labels import USUAL, find_usual_labels, with_usual_labels
from mkt_models.cleaning.ledger import CleaningReport
from mkt_models.columns import Table
from mkt_models.engine import Connection, count, register
from mkt_models.sources.canonical import Aspect, Rule
from mkt_models.sources.schemas import CANONICAL, SCHEMAS

ASPECTS = tuple(name for name in get_args(Aspect) if name)

# By what a marketer would look for where data is missing: the group's name, its SQL.
GROUPS: dict[Table, dict[str, str]] = {
    Table.CUSTOMERS: {
        "region": "region",
        "year of registration": "CAST(EXTRACT(YEAR FROM registered_on) AS VARCHAR)",
    },
    Table.PRODUCTS: {"department": "department"},
    Table.TRANSACTIONS: {
        "month": "substr(CAST(local_date AS VARCHAR), 1, 7)",
        "channel": "channel",
        "store": "store_id",
    },
    Table.EVENTS: {"month": "substr(CAST(local_date AS VARCHAR), 1, 7)", "device": "device"},
    Table.SOCIAL: {"month": "substr(CAST(local_date AS VARCHAR), 1, 7)", "platform": "platform"},
    Table.TICKETS: {"month": "substr(CAST(opened_on AS VARCHAR), 1, 7)", "topic": "topic"},
    Table.EXPOSURES: {"channel": "channel", "campaign": "campaign_id"},
}


@dataclass(frozen=True)
class Measured:
    """What was counted in one table in one go.

    ``rows``; ``touched``, rows per rule that has a condition; ``faulty``, rows per aspect;
    ``present`` and ``faulty_columns``, rows per column.
    """

    rows: int
    touched: dict[str, int]
    faulty: dict[str, int]
    present: dict[str, int]
    faulty_columns: dict[str, int]


def measure(con: Connection, table: Table, relation: str, rules: Sequence[Rule]) -> Measured:
    """Count in one scan what the rules find in a relation, and the gaps of its columns.

    ``relation`` is SQL of a sub-query or a table's name, with the canonical columns and, for each
    normalising rule, a column ``hit_<name>`` of 0 or 1.
    """
    hits = {
        rule.name: f"t.hit_{rule.name}"
        if rule.action == "normalise"
        else f"CASE WHEN {rule.when} THEN 1 ELSE 0 END"
        for rule in rules
        if rule.when != "FALSE"
    }
    columns = list(SCHEMAS[table])
    judged = [rule for rule in rules if rule.name in hits]
    by_aspect = {aspect: [r.name for r in judged if r.aspect == aspect] for aspect in ASPECTS}
    by_column = {
        column: [r.name for r in judged if column in r.columns and r.aspect != "completeness"]
        for column in columns
    }
    sums = [
        "count(*)",
        *(f"coalesce(sum({name}), 0)" for name in hits),
        *(_any(names) for names in by_aspect.values()),
        *(f"count({column})" for column in columns),
        *(_any(names) for names in by_column.values()),
    ]
    inner = ", ".join([*(f"t.{c}" for c in columns), *(f"{sql} AS {n}" for n, sql in hits.items())])
    found = con.execute(
        f"SELECT {', '.join(sums)} FROM (SELECT {inner} FROM {relation} AS t) AS judged"
    ).fetchall()[0]
    values = iter(int(value) for value in found)
    rows = next(values)
    touched = {name: next(values) for name in hits}
    faulty = {aspect: next(values) for aspect in by_aspect}
    present = {column: next(values) for column in columns}
    return Measured(rows, touched, faulty, present, {c: next(values) for c in columns})


def aspects(table: Table, found: Measured, rules: Sequence[Rule], same: int) -> pd.DataFrame:
    """One row per aspect of a table: ``table``, ``aspect``, ``rows``, ``faulty``, ``share`` good.

    ``same`` is the number of rows that repeat another one. An aspect that no rule judges, as the
    consistency of a table whose neighbours are absent, is left out.
    """
    has = {rule.aspect for rule in rules if rule.when != "FALSE"} | {"uniqueness"}
    faulty = {**found.faulty, "uniqueness": same}
    listed = [
        (table.value, aspect, found.rows, faulty[aspect]) for aspect in ASPECTS if aspect in has
    ]
    frame = pd.DataFrame(listed, columns=["table", "aspect", "rows", "faulty"])
    return frame.assign(share=1 - frame["faulty"] / frame["rows"].where(frame["rows"] > 0))


def columns_of(table: Table, found: Measured) -> pd.DataFrame:
    """One row per column of a table: ``table``, ``column``, ``rows``, ``present``, ``faulty``."""
    names = list(SCHEMAS[table])
    return pd.DataFrame(
        {
            "table": table.value,
            "column": names,
            "rows": found.rows,
            "present": [found.present[name] for name in names],
            "faulty": [found.faulty_columns[name] for name in names],
        }
    )


def repeated(con: Connection, table: Table, relation: str) -> int:
    """Count the rows of a relation that repeat another one, or another one's key."""
    key = CANONICAL[table].key or tuple(SCHEMAS[table])
    names = ", ".join(key)
    return count(con, relation) - count(con, f"(SELECT DISTINCT {names} FROM {relation} AS r)")


def missing_by_group(con: Connection, table: Table, group: str) -> pd.DataFrame:
    """Count the missing values of a clean table by group, so that one sees where data lacks.

    One row per group and column: ``table``, ``group`` (what groups), ``value`` (which one; 'not
    known' where it is null), ``column``, ``missing``, ``n`` rows. Columns that are complete, or
    missing in every row of the table, tell nothing about groups and are left out; so is everything
    where there is only one group.

    Raises ValueError for a group that the table is not grouped by.
    """
    known = GROUPS.get(table, {})
    if group not in known:
        raise ValueError(
            f"{table.value} is not grouped by {group!r}; known: {', '.join(known) or 'nothing'}"
        )
    columns = [c for c in SCHEMAS[table] if c not in (group, known[group])]
    counts = ", ".join(f"count(*) - count({c}) AS {c}" for c in columns)
    value = f"coalesce({known[group]}, 'not known')"
    wide = con.execute(
        f"SELECT {value} AS the_group, count(*) AS n, {counts} FROM {table.value} AS t "
        f"GROUP BY {value} ORDER BY the_group"
    ).df()
    total = int(wide["n"].sum())
    telling = [c for c in columns if 0 < int(wide[c].sum()) < total and len(wide) > 1]
    long = wide.melt(["the_group", "n"], telling, var_name="column", value_name="missing")
    long = long.rename(columns={"the_group": "value"}).assign(table=table.value, group=group)
    return long.loc[:, ["table", "group", "value", "column", "missing", "n"]].astype(
        {"missing": "int64"}
    )


@dataclass(frozen=True)
class Quality:
    """Data quality before and after.

    ``tables``: one row per table and aspect: ``rows_before``, ``faulty_before``, ``before`` (share
    of good rows) and the same ``after``. ``columns``: one row per table and column: shares of rows
    that have a value (``complete_before``, ``complete_after``) and, among those, of values that no
    rule faults (``valid_before``, ``valid_after``).
    """

    tables: pd.DataFrame
    columns: pd.DataFrame


def compare(
    con: Connection, report: CleaningReport, rules: Sequence[Rule], clean_to: Path
) -> Quality:
    """Judge the clean tables by the same rules as the raw ones, and put both side by side.

    The clean table is judged alone: returns, failed orders and controls, which were moved to
    tables of their own, counted before and do not count after.
    """
    present = [Table(name) for name in report.ledger["table"]]
    register(con, clean_to)
    after, columns_after = [], []
    for table in present:
        mine = [
            rule
            for rule in rules
            if rule.table is table and set(rule.needs) <= set(present) and _lasting(rule)
        ]
        find_usual_labels(con, table)
        found = measure(con, table, _judged(table, mine), mine)
        after.append(aspects(table, found, mine, repeated(con, table, table.value)))
        columns_after.append(columns_of(table, found))
    con.execute(f"DROP TABLE IF EXISTS {USUAL}")
    key = ["table", "aspect"]
    tables = report.before.merge(pd.concat(after), on=key, suffixes=("_before", "_after"))
    tables = tables.rename(columns={"share_before": "before", "share_after": "after"})
    both = report.columns_before.merge(
        pd.concat(columns_after), on=["table", "column"], suffixes=("_before", "_after")
    )
    for when in ("before", "after"):
        rows, there = both[f"rows_{when}"], both[f"present_{when}"]
        both[f"complete_{when}"] = there / rows.where(rows > 0)
        both[f"valid_{when}"] = 1 - both[f"faulty_{when}"] / there.where(there > 0)
    return Quality(tables.reset_index(drop=True), both)


def _judged(table: Table, rules: Sequence[Rule]) -> str:
    """SQL of a clean table with a column for each normalising rule: is there still a hit?"""
    hits = [
        f", CASE WHEN {rule.when} THEN 1 ELSE 0 END AS hit_{rule.name}"
        for rule in rules
        if rule.action == "normalise"
    ]
    return f"(SELECT t.*{''.join(hits)} FROM {with_usual_labels(table)})"


def _lasting(rule: Rule) -> bool:
    """Whether a rule can be judged on a clean table: who a row came from is known only before."""
    return "another_id" not in rule.when and "shared_keys" not in rule.when


def _any(names: Sequence[str]) -> str:
    """SQL of the number of rows in which any of these hits is 1."""
    if not names:
        return "CAST(0 AS BIGINT)"
    return f"coalesce(sum(CASE WHEN {' + '.join(names)} > 0 THEN 1 ELSE 0 END), 0)"

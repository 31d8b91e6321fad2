"""Clean every canonical table: normalise, set aside, merge, move, change; and balance the ledger.

A table passes in one order: its words and texts get their one spelling and its customer ids become
persons; rows that break a rule are set aside; equal rows are merged; the rest is changed and told
which clean table it belongs to; rows of the same key are merged. Tables are cleaned before those
that refer to them, so that an id is looked up among the clean ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from mkt_models.cleaning import duplicates, outliers, returns
from mkt_models.cleaning.identities import find_persons, identity_map_sql, no_persons
from mkt_models.cleaning.labels import USUAL, find_usual_labels
from mkt_models.cleaning.ledger import CleaningReport, check_balance, too_much_set_aside
from mkt_models.cleaning.quality import Measured, aspects, columns_of, measure
from mkt_models.cleaning.rules import exact_rule, key_rule, rules_for
from mkt_models.cleaning.steps import added_columns, case, first_broken, kept_sql, tidy_sql
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.engine import Connection, count, literal, register, write_parquet
from mkt_models.source_params import Source
from mkt_models.sources.canonical import Rule
from mkt_models.sources.schemas import SCHEMAS

# The order in which tables are cleaned.
ORDER = (
    Table.IDENTITIES,
    Table.CUSTOMERS,
    Table.PRODUCTS,
    Table.TRANSACTIONS,
    Table.CAMPAIGNS,
    Table.OFFERS,
    Table.EXPOSURES,
    Table.OUTCOMES,
    Table.EVENTS,
    Table.SOCIAL,
    Table.TICKETS,
    Table.CONSENTS,
)
# The clean tables that a raw one is split into, besides its own.
SPLIT: dict[Table, tuple[str, ...]] = {
    Table.TRANSACTIONS: ("returns", "failed_orders"),
    Table.EXPOSURES: ("controls",),
}
IDENTITY_MAP = "identity_map"
# By what a clean table is sorted; all its columns break ties.
_SORTED_BY: dict[Table, tuple[str, ...]] = {
    Table.TRANSACTIONS: ("occurred_at", "order_id"),
    Table.EVENTS: ("occurred_at", "customer_id"),
    Table.SOCIAL: ("occurred_at", "customer_id"),
}


@dataclass
class _Run:
    """One run of cleaning: what is given, and what has been found so far."""

    con: Connection
    source: Source
    cleaning: Cleaning
    rules: tuple[Rule, ...]
    present: tuple[Table, ...]
    clean_to: Path
    quarantine_to: Path
    merging: bool = False
    balances: dict[Table, dict[str, object]] = field(default_factory=dict)
    targets: list[dict[str, object]] = field(default_factory=list)
    touched: list[dict[str, object]] = field(default_factory=list)
    before: list[pd.DataFrame] = field(default_factory=list)
    columns_before: list[pd.DataFrame] = field(default_factory=list)

    def rules_of(self, table: Table) -> list[Rule]:
        """Rules of a table that can be judged with the tables that are there."""
        return [r for r in self.rules if r.table is table and set(r.needs) <= set(self.present)]


def clean(
    con: Connection,
    source: Source,
    cleaning: Cleaning,
    as_of: date,
    raw: Path,
    clean_to: Path,
    quarantine_to: Path,
) -> CleaningReport:
    """Clean every canonical table of ``raw``.

    Parameters
    ----------
    con
        An open engine. Afterwards the tables' names are views of the clean tables.
    source
        Decides the rules and the shop's time zone.
    cleaning
        What counts as impossible, the same, one person, an outlier.
    as_of
        The day of the profile: how old customers are, and how far ahead a time may lie.
    raw
        Folder of canonical tables (``<table>.parquet``), left as it is.
    clean_to
        Folder of the clean tables: the canonical columns, those of
        :func:`mkt_models.cleaning.steps.added_columns`, and ``outlier`` in transactions. With
        transactions come ``returns`` and ``failed_orders``, with exposures ``controls``, and
        always ``identity_map``.
    quarantine_to
        Folder of the rows set aside: the raw columns, ``rule`` and ``reason``. A table of which
        nothing was set aside has an empty file there. Under ``merged/`` stand the rows that were
        merged into another one from which they differ.

    Raises
    ------
    LedgerError
        When the rows do not balance.
    TooMuchSetAsideError
        When more of a table was set aside than ``cleaning.max_quarantined_share``.

    """
    found = set(register(con, raw))
    present = tuple(table for table in ORDER if table.value in found)
    rules = rules_for(source, cleaning, as_of)
    run = _Run(con, source, cleaning, rules, present, clean_to, quarantine_to)
    no_persons(con)
    identities, customers = _persons(run)
    matched = pd.DataFrame({"matched": [], "lines": [], "amount_cents": []})
    for table in present:
        _clean_table(run, table)
        if table is Table.TRANSACTIONS:
            matched = returns.matched(con)
    for name in _TEMPORARY:
        con.execute(f"DROP TABLE IF EXISTS {name}")
    ledger = pd.DataFrame([run.balances[table] for table in Table if table in present])
    check_balance(ledger)
    return CleaningReport(
        ledger,
        pd.DataFrame(run.targets),
        pd.DataFrame(run.touched),
        pd.concat(run.before, ignore_index=True),
        pd.concat(run.columns_before, ignore_index=True),
        matched,
        identities,
        customers,
        tuple(t.value for t in Table if t not in present),
    )


def _persons(run: _Run) -> tuple[pd.DataFrame, dict[str, int]]:
    """Find who is one person, and write ``identity_map``."""
    con, found = run.con, pd.DataFrame()
    if Table.IDENTITIES in run.present:
        rules = run.rules_of(Table.IDENTITIES)
        usable = f"({tidy_sql(Table.IDENTITIES, rules, persons=False)})"
        where = f"{first_broken(rules)} IS NULL"
        found = find_persons(
            con,
            f"(SELECT customer_id, kind, value FROM {usable} AS t WHERE {where})",
            run.cleaning.merge_by,
            run.cleaning.max_customers_per_key,
        )
    if Table.CUSTOMERS in run.present:
        find_usual_labels(con, Table.CUSTOMERS)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE source_ids AS SELECT DISTINCT customer_id FROM "
            f"({tidy_sql(Table.CUSTOMERS, run.rules_of(Table.CUSTOMERS), persons=False)}) AS t "
            "WHERE customer_id IS NOT NULL"
        )
    path = run.clean_to / f"{IDENTITY_MAP}.parquet"
    ids = write_parquet(con, identity_map_sql(Table.CUSTOMERS in run.present), path)
    register(con, run.clean_to, [IDENTITY_MAP])
    others = count(con, "another_ids")
    run.merging = others > 0
    persons = count(con, f"(SELECT DISTINCT customer_id FROM {IDENTITY_MAP}) AS p")
    return found, {"customer_ids": ids, "persons": persons, "merged_ids": others}


def _clean_table(run: _Run, table: Table) -> None:
    """Write one clean table, those split from it, and its quarantine; note what was done."""
    con, name, rules = run.con, table.value, run.rules_of(table)
    find_usual_labels(con, table)
    tidy = f"({tidy_sql(table, rules, persons=run.merging)})"
    found = measure(con, table, tidy, rules)
    quarantined = _set_aside(run, table, tidy, found.rows)
    kept, sold = f"kept_{name}", Table.TRANSACTIONS in run.present
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {kept} AS {kept_sql(table, rules, run.source, tidy, sold)}"
    )
    copies, rows = _totals(con, kept)
    merges = {exact_rule(table).name: copies - rows}
    apart = 0  # rows in the ledger's merged whose copies no longer stand in the table
    key = key_rule(table)
    if key is not None:
        added = (*added_columns(run.source).get(table, {}), "goes_to")
        merged = duplicates.merge_same_key(con, table, kept, added)
        merges[key.name] = rows - count(con, merged) if merged else 0
        if merged:
            _write_merged(
                run,
                table,
                f"SELECT d.*, {key.columns[0]} AS kept, {literal(key.name)} AS rule "
                f"FROM doubled_{name} AS d WHERE place > 1",
            )
            con.execute(f"DROP TABLE IF EXISTS {kept}")
            kept = merged
    if table is Table.TRANSACTIONS:
        kept, apart = _find_in_lines(run, kept, merges)
    outs = {
        target: _write_target(run, table, kept, target) for target in (name, *SPLIT.get(table, ()))
    }
    copies, rows = _totals(con, kept)
    merged_rows = copies - rows + apart
    for one in (kept, f"doubled_{name}", f"kept_{name}"):
        con.execute(f"DROP TABLE IF EXISTS {one}")
    register(con, run.clean_to, outs)
    run.balances[table] = {
        "table": name,
        "rows_in": found.rows,
        "clean": sum(outs.values()),
        "quarantined": quarantined,
        "merged": merged_rows,
    }
    run.targets += [{"table": name, "target": t, "rows": n} for t, n in outs.items()]
    _note(run, table, rules, found, merges)


def _set_aside(run: _Run, table: Table, tidy: str, rows_in: int) -> int:
    """Write the rows that break a rule, as they came; return how many."""
    rules = [r for r in run.rules_of(table) if r.action == "quarantine"]
    raw = ", ".join(f"raw_{c} AS {c}" for c in SCHEMAS[table])
    names = ", ".join(SCHEMAS[table])
    judged = (
        f"(SELECT * FROM (SELECT {raw}, {first_broken(rules)} AS rule FROM {tidy} AS t) AS j "
        "WHERE rule IS NOT NULL)"
    )
    reason = case([(f"rule = {literal(r.name)}", literal(r.says)) for r in rules])
    path = run.quarantine_to / f"{table.value}.parquet"
    query = f"SELECT {names}, rule, {reason} AS reason FROM {judged} AS j ORDER BY rule, {names}"
    aside = write_parquet(run.con, query, path)
    most = run.cleaning.max_quarantined_share
    if aside > most * rows_in:
        counted = f"SELECT rule, count(*) AS n FROM {judged} AS j GROUP BY rule"
        by_rule = {str(rule): int(n) for rule, n in run.con.execute(counted).fetchall()}
        raise too_much_set_aside(table.value, rows_in, by_rule, most)
    return aside


def _find_in_lines(run: _Run, kept: str, merges: dict[str, int]) -> tuple[str, int]:
    """Find doubled orders, usual prices and the sales of returns among the kept lines.

    Returns the relation of lines that remain and the rows merged that no longer stand in it.
    """
    con, apart = run.con, 0
    merged: list[tuple[str, str]] = []  # relation of lines, and the rule that merged them
    merges["same_line_number_twice"] = duplicates.find_repeated_lines(con, kept)
    if merges["same_line_number_twice"]:
        kept, more = _without(con, kept, "repeated_lines", "numbered_lines")
        apart += more
        merged.append(("repeated_lines", "same_line_number_twice"))
    merges["submitted_twice"] = duplicates.find_submitted_twice(
        con, kept, run.cleaning.double_seconds
    )
    if run.cleaning.merge_doubles and merges["submitted_twice"]:
        kept, more = _without(con, kept, "double_lines", "single_lines")
        apart += more
        merged.append(("double_lines", "submitted_twice"))
    if merged:
        names = ", ".join((*SCHEMAS[Table.TRANSACTIONS], "copies", "first_order AS kept"))
        parts = [f"SELECT {names}, {literal(rule)} AS rule FROM {one}" for one, rule in merged]
        _write_merged(run, Table.TRANSACTIONS, " UNION ALL ".join(parts))
    outliers.find_usual_prices(con, kept, run.cleaning)
    returns.match_returns(con, kept)
    merges["return_without_sale"] = count(con, "matched_returns", "sale_order_id IS NULL")
    return kept, apart


def _without(con: Connection, kept: str, doubles: str, name: str) -> tuple[str, int]:
    """Make the table ``name`` of the lines that are not in ``doubles``.

    Returns it, and the raw rows that those in ``doubles`` stand for; ``kept`` is dropped.
    """
    query = duplicates.without_sql(kept, doubles)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    con.execute(f"DROP TABLE IF EXISTS {kept}")
    return name, _totals(con, doubles)[0]


def _write_target(run: _Run, table: Table, kept: str, target: str) -> int:
    """Write a clean table: those of the kept rows that go there, sorted."""
    columns = [*SCHEMAS[table], *added_columns(run.source).get(table, {})]
    listed = ", ".join(f"k.{c}" for c in columns)
    order = ", ".join(dict.fromkeys((*_SORTED_BY.get(table, ()), *SCHEMAS[table])))
    path = run.clean_to / f"{target}.parquet"
    if target == "returns":
        query = f"SELECT {listed}, k.sale_order_id, k.sale_date FROM matched_returns AS k"
    elif target == Table.TRANSACTIONS.value:
        query = (
            f"SELECT {listed}, CASE WHEN {outliers.quantity_outlier(run.cleaning)} OR "
            f"coalesce({outliers.price_outlier()}, FALSE) THEN TRUE ELSE FALSE END AS outlier "
            f"FROM {kept} AS k LEFT JOIN usual_prices AS u ON u.product_id = k.product_id "
            f"WHERE k.goes_to = {literal(target)}"
        )
    else:
        query = f"SELECT {listed} FROM {kept} AS k WHERE k.goes_to = {literal(target)}"
    return write_parquet(run.con, f"SELECT * FROM ({query}) AS k ORDER BY {order}", path)


def _write_merged(run: _Run, table: Table, rows: str) -> None:
    """Write the rows that were merged into another from which they differ, each with its rule."""
    names = ", ".join(SCHEMAS[table])
    write_parquet(
        run.con,
        f"SELECT {names}, copies, rule, kept FROM ({rows}) AS m ORDER BY kept, {names}, rule",
        run.quarantine_to / "merged" / f"{table.value}.parquet",
    )


def _note(
    run: _Run, table: Table, rules: Sequence[Rule], found: Measured, merges: dict[str, int]
) -> None:
    """Note how many rows of the raw table each rule touched, and how good the table was."""
    con, idle = run.con, set[str]()
    counts = found.touched | merges
    if table is Table.TRANSACTIONS:
        idle = _not_judged(con, found)
        sold = "transactions AS k LEFT JOIN usual_prices AS u ON u.product_id = k.product_id"
        counts["quantity_outlier"] = count(con, sold, outliers.quantity_outlier(run.cleaning))
        counts["price_outlier"] = count(con, sold, outliers.price_outlier())
    same = sum(merges[name] for name in merges if name.startswith("same_"))
    run.before.append(aspects(table, found, rules, same))
    run.columns_before.append(columns_of(table, found))
    for rule in (r for r in run.rules if r.table is table):
        n = counts.get(rule.name, 0)
        run.touched.append(
            {
                "table": table.value,
                "rule": rule.name,
                "action": rule.action,
                "rows": n,
                "share": n / found.rows if found.rows else 0.0,
                "says": rule.says,
                "judged": rule in rules and rule.name not in idle,
            }
        )


def _totals(con: Connection, kept: str) -> tuple[int, int]:
    """Count the raw rows that a relation stands for, and its rows."""
    found = con.execute(f"SELECT coalesce(sum(copies), 0), count(*) FROM {kept} AS k").fetchall()
    return int(found[0][0]), int(found[0][1])


_TEMPORARY = (
    *("key_sizes", "shared_keys", "ties", "tied_ids", "persons", "another_ids", "source_ids"),
    *("near_labels", "repeated_lines", "close_orders", "double_lines", "usual_prices"),
    *("return_lines", "sale_lines", "served", "matched_returns", USUAL),
)


def _not_judged(con: Connection, found: Measured) -> set[str]:
    """Rules about lines that had nothing to judge: no quantities, or no product's usual price."""
    if not found.present["quantity"]:
        return {"quantity_outlier", "price_outlier"}
    return set() if count(con, "usual_prices") else {"price_outlier"}

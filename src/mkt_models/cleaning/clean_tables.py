"""Clean every canonical table: normalise, set aside, merge, move, change; and balance the ledger.

A table passes in one order: its words and texts get their one spelling and its customer ids become
persons; rows that break a rule are set aside; equal rows are merged; the rest is changed and told
which clean table it belongs to; rows of the same key are merged. Tables are cleaned before those
that refer to them, so that an id is looked up among the clean ones.
"""

from datetime import date
from pathlib import Path

import pandas as pd

from mkt_models.cleaning import duplicates, returns
from mkt_models.cleaning.cleaning_run import Run, note
from mkt_models.cleaning.identities import find_persons, identity_map_sql, no_persons
from mkt_models.cleaning.labels import USUAL, find_usual_labels
from mkt_models.cleaning.ledger import CleaningReport, check_balance
from mkt_models.cleaning.order_lines import find_in_lines, totals
from mkt_models.cleaning.quality import measure
from mkt_models.cleaning.rules import exact_rule, key_rule, rules_for
from mkt_models.cleaning.steps import added_columns, first_broken, kept_sql, tidy_sql
from mkt_models.cleaning.written_tables import SPLIT, set_aside, write_merged, write_target
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.engine import Connection, count, literal, register, write_parquet
from mkt_models.source_params import Source

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
IDENTITY_MAP = "identity_map"


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
    run = Run(con, source, cleaning, rules, present, clean_to, quarantine_to)
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


def _persons(run: Run) -> tuple[pd.DataFrame, dict[str, int]]:
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


def _clean_table(run: Run, table: Table) -> None:
    """Write one clean table, those split from it, and its quarantine; note what was done."""
    con, name, rules = run.con, table.value, run.rules_of(table)
    find_usual_labels(con, table)
    tidy = f"({tidy_sql(table, rules, persons=run.merging)})"
    found = measure(con, table, tidy, rules)
    quarantined = set_aside(run, table, tidy, found.rows)
    kept, sold = f"kept_{name}", Table.TRANSACTIONS in run.present
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {kept} AS {kept_sql(table, rules, run.source, tidy, sold)}"
    )
    copies, rows = totals(con, kept)
    merges = {exact_rule(table).name: copies - rows}
    apart = 0  # rows in the ledger's merged whose copies no longer stand in the table
    key = key_rule(table)
    if key is not None:
        added = (*added_columns(run.source).get(table, {}), "goes_to")
        merged = duplicates.merge_same_key(con, table, kept, added)
        merges[key.name] = rows - count(con, merged) if merged else 0
        if merged:
            write_merged(
                run,
                table,
                f"SELECT d.*, {key.columns[0]} AS kept, {literal(key.name)} AS rule "
                f"FROM doubled_{name} AS d WHERE place > 1",
            )
            con.execute(f"DROP TABLE IF EXISTS {kept}")
            kept = merged
    if table is Table.TRANSACTIONS:
        kept, apart = find_in_lines(run, kept, merges)
    outs = {
        target: write_target(run, table, kept, target) for target in (name, *SPLIT.get(table, ()))
    }
    copies, rows = totals(con, kept)
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
    note(run, table, rules, found, merges)


_TEMPORARY = (
    *("key_sizes", "shared_keys", "ties", "tied_ids", "persons", "another_ids", "source_ids"),
    *("near_labels", "repeated_lines", "close_orders", "double_lines", "usual_prices"),
    *("return_lines", "sale_lines", "served", "matched_returns", USUAL),
)

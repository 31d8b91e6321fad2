"""Canonical tables to clean ones: named rules, a quarantine, and a ledger that balances.

Every row that comes in is found again: it is clean, or set aside in the quarantine with the rule
and the reason, or merged into an equal row. :func:`clean` raises when the sum does not balance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mkt_models.columns import Table
from mkt_models.engine import Connection, count, literal, register, write_parquet
from mkt_models.source_params import Source
from mkt_models.sources.canonical import Rule
from mkt_models.sources.read import ORIGINS
from mkt_models.sources.schemas import SCHEMAS

_FIRST_DAY = "(SELECT min(CAST({local} AS DATE)) FROM transactions)"
_LAST_DAY = "(SELECT max(CAST({local} AS DATE)) FROM transactions)"


class LedgerError(AssertionError):
    """Rows were lost or made: rows in differ from clean + quarantined + merged."""


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did.

    Attributes
    ----------
    ledger
        One row per table: ``rows_in``, ``clean``, ``quarantined``, ``merged``.
    rules
        One row per rule: ``table``, ``rule``, ``action``, ``rows`` it touched, ``share`` of the
        table's rows, and what it ``says``.

    """

    ledger: pd.DataFrame
    rules: pd.DataFrame


def local_time(zone: str) -> str:
    """SQL of a transaction's time on the shop's clock; its day and hour are the calendar's."""
    return f"((occurred_at AT TIME ZONE 'UTC') AT TIME ZONE {literal(zone)})"


def rules_for(source: Source) -> tuple[Rule, ...]:
    """All rules of a run: those for any source, and those for the traps of this one."""
    local = local_time(source.time_zone)
    first, last = _FIRST_DAY.format(local=local), _LAST_DAY.format(local=local)
    orphan = "product_id NOT IN (SELECT product_id FROM products WHERE product_id IS NOT NULL)"
    general = (
        Rule(
            "key_missing",
            Table.TRANSACTIONS,
            "quarantine",
            "A line without customer, order, product or time belongs to nobody",
            when="customer_id IS NULL OR order_id IS NULL OR product_id IS NULL"
            " OR occurred_at IS NULL",
        ),
        Rule(
            "amount_missing_or_negative",
            Table.TRANSACTIONS,
            "quarantine",
            "A line without an amount, or with a negative one, is no purchase",
            when="amount_cents IS NULL OR amount_cents < 0",
        ),
        Rule(
            "utc_to_shop_day",
            Table.TRANSACTIONS,
            "change",
            f"Time stamps are UTC; days and hours are those of {source.time_zone}, so these rows "
            "move to another calendar day",
            when=f"CAST(occurred_at AS DATE) <> CAST({local} AS DATE)",
        ),
        Rule(
            "product_unknown",
            Table.TRANSACTIONS,
            "flag",
            "The product is not in the product table: its money counts, its category is unknown",
            when=orphan,
        ),
        Rule(
            "same_line_twice",
            Table.TRANSACTIONS,
            "merge",
            "Lines that are equal in every column are one line",
        ),
        Rule(
            "demographics_unknown",
            Table.CUSTOMERS,
            "flag",
            "Nothing is known of the household's demographics; they read 'not available'",
            when="age_band IS NULL AND income_band IS NULL",
        ),
        Rule(
            "category_unknown",
            Table.PRODUCTS,
            "flag",
            "The product has no type: it is left out of what is mined by type",
            when="product_type IS NULL",
        ),
        Rule(
            "begun_before_the_data",
            Table.CAMPAIGNS,
            "change",
            "The campaign began before the first recorded purchase; there is no history to learn "
            "from, so no model is trained on it",
            when=f"starts_on < {first}",
        ),
        Rule(
            "ends_after_the_data",
            Table.CAMPAIGNS,
            "change",
            "The campaign ends after the last recorded purchase; who will redeem is not yet "
            "known, so it is no training case",
            when=f"ends_on > {last}",
        ),
        Rule(
            "same_offer_twice",
            Table.OFFERS,
            "merge",
            "Rows that name the same offer and product are one row",
        ),
        Rule(
            "product_of_offer_unknown",
            Table.OFFERS,
            "flag",
            "The offer's product is not in the product table",
            when=orphan,
        ),
        Rule(
            "not_assigned_at_random",
            Table.EXPOSURES,
            "flag",
            "How the customer was chosen is not recorded: no effect of the campaign is causal",
            when="assignment_probability IS NULL",
        ),
        Rule(
            "outcome_without_exposure",
            Table.OUTCOMES,
            "flag",
            "The customer is not on the campaign's mailing list",
            when="(customer_id, campaign_id) NOT IN"
            " (SELECT (customer_id, campaign_id) FROM exposures)",
        ),
        Rule(
            "same_outcome_twice",
            Table.OUTCOMES,
            "merge",
            "Outcomes that are equal in every column are one outcome",
        ),
    )
    return general + ORIGINS[source.kind].traps


def added_columns(source: Source) -> dict[Table, dict[str, tuple[str, str]]]:
    """Columns that clean tables have beyond the canonical ones: name to (type, SQL)."""
    local = local_time(source.time_zone)
    first, last = _FIRST_DAY.format(local=local), _LAST_DAY.format(local=local)
    return {
        Table.TRANSACTIONS: {
            "local_date": ("DATE", f"CAST({local} AS DATE)"),
            "local_hour": ("INTEGER", f"CAST(EXTRACT(HOUR FROM {local}) AS INTEGER)"),
        },
        Table.CAMPAIGNS: {
            "left_censored": ("BOOLEAN", f"starts_on < {first}"),
            "right_censored": ("BOOLEAN", f"ends_on > {last}"),
        },
    }


def clean(
    con: Connection, source: Source, raw: Path, clean_to: Path, quarantine_to: Path
) -> CleaningReport:
    """Clean every canonical table of ``raw``.

    Parameters
    ----------
    con
        An open engine.
    source
        Decides the rules and the shop's time zone.
    raw
        Folder of canonical tables (``<table>.parquet``), left as it is.
    clean_to
        Folder of the clean tables: the canonical columns and :func:`added_columns`.
    quarantine_to
        Folder of the rows set aside: the raw columns, ``rule`` and ``reason``. A table of which
        nothing was set aside has an empty file there.

    Raises
    ------
    LedgerError
        When the rows do not balance.

    """
    found = register(con, raw)
    present = [table for table in Table if table.value in found]
    absent = [table for table in SCHEMAS if table not in present]
    for table in absent:  # rules may look things up in a table that the source does not have
        con.execute(f"CREATE OR REPLACE VIEW {table.value} AS {_no_rows(table)}")
    rules = rules_for(source)
    balances, touched = [], []
    for table in present:
        mine = [rule for rule in rules if rule.table is table]
        balances.append(_clean_table(con, table, mine, source, clean_to, quarantine_to))
        touched += _touched(con, table, mine, balances[-1])
    for table in absent:
        con.execute(f"DROP VIEW {table.value}")
    ledger = pd.DataFrame(balances)
    check_balance(ledger)
    return CleaningReport(ledger, pd.DataFrame(touched))


def check_balance(ledger: pd.DataFrame) -> None:
    """Raise LedgerError, naming the tables, unless rows in = clean + quarantined + merged."""
    rest = ledger["rows_in"] - ledger["clean"] - ledger["quarantined"] - ledger["merged"]
    if rest.any():
        wrong = ", ".join(f"{t}: {n:+d}" for t, n in zip(ledger["table"], rest, strict=True) if n)
        raise LedgerError(f"rows in - clean - quarantined - merged must be 0, is {wrong}")


def _clean_table(
    con: Connection,
    table: Table,
    rules: Iterable[Rule],
    source: Source,
    clean_to: Path,
    quarantine_to: Path,
) -> dict[str, object]:
    """Write one clean table and its quarantine; return its line of the ledger."""
    rules = list(rules)
    columns = list(SCHEMAS[table])
    aside = [r for r in rules if r.action == "quarantine"]
    rule = _case([(r.when, literal(r.name)) for r in aside])
    reason = _case([(r.when, literal(r.says)) for r in aside])
    quarantined = write_parquet(
        con,
        f"SELECT {', '.join(columns)}, {rule} AS rule, {reason} AS reason "
        f"FROM {table.value} WHERE {rule} IS NOT NULL",
        quarantine_to / f"{table.value}.parquet",
    )
    n_kept = count(con, table.value, f"{rule} IS NULL")
    distinct = "DISTINCT " if any(r.action == "merge" for r in rules) else ""
    kept = f"(SELECT {distinct}{', '.join(columns)} FROM {table.value} WHERE {rule} IS NULL)"
    changes = {
        column: _case([(r.when, r.sets[column]) for r in rules if column in r.sets], column)
        for column in columns
    }
    exprs = [f"CAST({changes[c]} AS {kind}) AS {c}" for c, kind in SCHEMAS[table].items()]
    for name, (kind, sql) in added_columns(source).get(table, {}).items():
        exprs.append(f"CAST({sql} AS {kind}) AS {name}")
    n_clean = write_parquet(
        con,
        f"SELECT {', '.join(exprs)} FROM {kept} AS kept ORDER BY ALL",
        clean_to / f"{table.value}.parquet",
    )
    return {
        "table": table.value,
        "rows_in": count(con, table.value),
        "clean": n_clean,
        "quarantined": quarantined,
        "merged": n_kept - count(con, kept),
    }


def _no_rows(table: Table) -> str:
    """SQL of an empty table of the canonical columns."""
    columns = (f"CAST(NULL AS {kind}) AS {name}" for name, kind in SCHEMAS[table].items())
    return f"SELECT {', '.join(columns)} WHERE FALSE"


def _touched(
    con: Connection, table: Table, rules: Iterable[Rule], balance: dict[str, object]
) -> list[dict[str, object]]:
    """One row per rule: how many rows of the raw table it touched."""
    rows_in = int(str(balance["rows_in"]))
    out: list[dict[str, object]] = []
    for r in rules:
        n = int(str(balance["merged"])) if r.action == "merge" else count(con, table.value, r.when)
        out.append(
            {
                "table": table.value,
                "rule": r.name,
                "action": r.action,
                "rows": n,
                "share": n / rows_in if rows_in else 0.0,
                "says": r.says,
            }
        )
    return out


def _case(branches: list[tuple[str, str]], otherwise: str = "CAST(NULL AS VARCHAR)") -> str:
    """SQL of the first branch whose condition holds."""
    if not branches:
        return otherwise
    whens = " ".join(f"WHEN {when} THEN {then}" for when, then in branches)
    return f"CASE {whens} ELSE {otherwise} END"

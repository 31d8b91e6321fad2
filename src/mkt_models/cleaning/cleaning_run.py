"""One run of cleaning: what is given, and what has been noted so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mkt_models.cleaning import outliers
from mkt_models.cleaning.quality import Measured, aspects, columns_of
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.engine import Connection, count
from mkt_models.source_params import Source
from mkt_models.sources.canonical import Rule


@dataclass
class Run:
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


def note(
    run: Run, table: Table, rules: Sequence[Rule], found: Measured, merges: dict[str, int]
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


def _not_judged(con: Connection, found: Measured) -> set[str]:
    """Rules about lines that had nothing to judge: no quantities, or no product's usual price."""
    if not found.present["quantity"]:
        return {"quantity_outlier", "price_outlier"}
    return set() if count(con, "usual_prices") else {"price_outlier"}

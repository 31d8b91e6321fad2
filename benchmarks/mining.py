"""Association rules beside mlxtend's fpgrowth: the same rules, wall and CPU seconds, in one run.

    .venv/bin/mkt run params/complete_journey.yaml --stages 02_clean
    .venv/bin/python benchmarks/mining.py params/complete_journey.yaml

Both start from the same clean tables and end with rules of every size, antecedent and consequent
of any size, with support, confidence, lift, leverage and conviction. mlxtend is given every help:
one-hot columns of the frequent items only. Ours is timed without and with its tests, which mlxtend
does not have. A rule that only one of them finds is an error, unless it lies exactly on a
threshold, where mlxtend's arithmetic may drop it. Needs the extra ``benchmark``.
"""

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import association_rules as mlxtend_rules
from mlxtend.frequent_patterns import fpgrowth

from mkt_models.engine import Connection, connect, register
from mkt_models.mining.derive import Thresholds
from mkt_models.mining.rules import association_rules
from mkt_models.workspace import Workspace

MIN_CONFIDENCE = "0.1"

Rules = dict[tuple[frozenset[str], frozenset[str]], tuple[int, int]]


@dataclass(frozen=True)
class Case:
    """What is mined: a level, a support, and the largest number of items of a rule."""

    level: str
    support: str
    max_items: int


CASES = (
    Case("product_type", "0.01", 6),
    Case("product_type", "0.002", 2),
    Case("product_type", "0.002", 6),
    Case("product_id", "0.002", 6),
    Case("product_id", "0.0005", 6),
)


def ours(con: Connection, as_of: date, case: Case, *, tests: bool) -> pd.DataFrame:
    keep = Thresholds(
        min_support=float(case.support),
        min_confidence=float(MIN_CONFIDENCE),
        max_items=case.max_items,
        max_consequents=case.max_items - 1,
    )
    return association_rules(con, as_of=as_of, keep=keep, levels=[case.level], tests=tests)


def theirs(con: Connection, as_of: date, case: Case) -> tuple[pd.DataFrame, int]:
    held = con.execute(
        f"""
        SELECT DISTINCT t.order_id, p.{case.level} AS item
        FROM transactions AS t JOIN products AS p ON t.product_id = p.product_id
        WHERE t.local_date < DATE '{as_of}' AND p.{case.level} IS NOT NULL
        """
    ).df()
    orders, _ = pd.factorize(held["order_id"])
    items, names = pd.factorize(held["item"])
    n = int(orders.max()) + 1
    columns = np.flatnonzero(np.bincount(items) >= ceil(Fraction(case.support) * n))
    place = np.full(len(names), -1)
    place[columns] = np.arange(len(columns))
    there = place[items] >= 0
    hot = np.zeros((n, len(columns)), dtype=bool)
    hot[orders[there], place[items[there]]] = True
    frame = pd.DataFrame(hot, columns=np.asarray(names, dtype=object)[columns])
    sets = fpgrowth(
        frame, min_support=float(case.support), use_colnames=True, max_len=case.max_items
    )
    found = mlxtend_rules(
        sets, num_itemsets=n, metric="confidence", min_threshold=float(MIN_CONFIDENCE)
    )
    return found, n


def same_rules(mine: pd.DataFrame, found: pd.DataFrame, n: int, case: Case) -> tuple[int, int]:
    """Compare rule by rule; how many rules there are, and how many mlxtend dropped."""
    own: Rules = {
        (frozenset(r.antecedent_items), frozenset(r.consequent_items)): (
            r.orders,
            r.antecedent_orders,
        )
        for r in mine.itertuples()
    }
    other = {
        (r.antecedents, r.consequents): (
            round(r.support * n),
            round(r._3 * n),  # its third column, "antecedent support"
        )
        for r in found.itertuples()
    }
    if extra := set(other) - set(own):
        raise AssertionError(
            f"{case}: {len(extra)} rules of mlxtend are missing, e.g. {extra.pop()}"
        )
    for rule, counts in other.items():
        if own[rule] != counts:
            raise AssertionError(f"{case}: {rule}: {own[rule]} here, {counts} in mlxtend")
    dropped = set(own) - set(other)
    for rule in dropped:
        both, alone = own[rule]
        on_support = both == Fraction(case.support) * n
        on_confidence = Fraction(both, alone) == Fraction(MIN_CONFIDENCE)
        if not (on_support or on_confidence):
            raise AssertionError(f"{case}: mlxtend lacks {rule}, which is on no threshold")
    return len(own), len(dropped)


def timed(work: Callable[[], object]) -> tuple[object, float, float]:
    """Do it; what came out, and the wall and CPU seconds."""
    before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    out = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return out, time.perf_counter() - wall, cpu


def compare(con: Connection, as_of: date, case: Case, repeats: int) -> dict[str, object]:
    """Run each way so many times, in turn; medians and ratios."""
    seconds: dict[str, list[tuple[float, float]]] = {"ours": [], "tested": [], "mlxtend": []}
    for _ in range(repeats):
        mine, *spent = timed(lambda: ours(con, as_of, case, tests=False))
        seconds["ours"].append((spent[0], spent[1]))
        tested, *spent = timed(lambda: ours(con, as_of, case, tests=True))
        seconds["tested"].append((spent[0], spent[1]))
        result, *spent = timed(lambda: theirs(con, as_of, case))
        seconds["mlxtend"].append((spent[0], spent[1]))
        found, n = result
        n_rules, dropped = same_rules(mine, found, n, case)
        assert len(tested) == n_rules
    wall = {name: median(w for w, _ in runs) for name, runs in seconds.items()}
    cpu = {name: median(c for _, c in runs) for name, runs in seconds.items()}
    return {
        "level": case.level,
        "support": case.support,
        "items": f"<= {case.max_items}",
        "rules": n_rules,
        "dropped by mlxtend": dropped,
        "mlxtend wall / CPU s": f"{wall['mlxtend']:.1f} / {cpu['mlxtend']:.1f}",
        "ours wall / CPU s": f"{wall['ours']:.2f} / {cpu['ours']:.2f}",
        "ratio wall / CPU": f"{wall['mlxtend'] / wall['ours']:.1f} / "
        f"{cpu['mlxtend'] / cpu['ours']:.1f}",
        "ours with tests": f"{wall['tested']:.2f} / {cpu['tested']:.2f}",
        "ratio with tests": f"{wall['mlxtend'] / wall['tested']:.1f} / "
        f"{cpu['mlxtend'] / cpu['tested']:.1f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("params", nargs="?", default="params/complete_journey.yaml")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    ws = Workspace.open(Path(asked.params), {})
    with connect(ws.params.engine, ws.spill) as con:
        register(con, ws.existing("clean", "transactions.parquet").parent)
        ours(con, ws.params.profile.as_of, CASES[0], tests=True)  # warm: imports and the file cache
        table = pd.DataFrame(
            [compare(con, ws.params.profile.as_of, case, asked.repeats) for case in CASES]
        )
    print(table.set_index(["level", "support", "items"]).T.to_string())


if __name__ == "__main__":
    main()

"""Rules of baskets: frequent sets parted in two, measured, tested and named.

Counts are whole numbers and thresholds are the decimals that were written, so that a rule exactly
on a threshold is kept whatever the machine's arithmetic makes of 0.07.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.mining.baskets import Baskets
from mkt_models.mining.itemsets import Itemsets, TooManySets, frequent_itemsets
from mkt_models.mining.significance import corrected, fisher, rule_tests

RULE_COLUMNS = (
    "level",
    "antecedent",
    "consequent",
    "antecedent_items",
    "consequent_items",
    "size",
    "orders",
    "customers",
    "antecedent_orders",
    "consequent_orders",
    "n_orders",
    "n_customers",
    "support",
    "confidence",
    "lift",
    "leverage",
    "conviction",
    "improvement",
    "redundant",
    "p_orders",
    "p_customers",
    "p_value",
    "q_value",
)

# Sets and rules that one call may find. More could not be read, and cost memory and time.
MAX_SETS = 1_000_000
MAX_RULES = 1_000_000

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Thresholds:
    """What a rule must reach to be kept; a rule that is exactly on a threshold is kept.

    Attributes
    ----------
    min_support
        share of the orders that hold all items of the rule
    min_confidence
        share of the orders with the antecedent that hold the consequent
    min_lift
        confidence / share of all orders with the consequent
    max_q_value
        see :mod:`mkt_models.mining.significance`
    min_customers
        customers with an order that holds all items of the rule
    max_items
        items of a rule, antecedent and consequent together, at least 2
    max_consequents
        items of a consequent
    redundant
        keep rules that a more general rule makes superfluous; see :func:`association_rules`

    Raises
    ------
    ValueError
        When one is out of range.

    """

    min_support: float
    min_confidence: float = 0.0
    min_lift: float = 0.0
    max_q_value: float = 1.0
    min_customers: int = 1
    max_items: int = 2
    max_consequents: int = 1
    redundant: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.min_support <= 1:
            raise ValueError(f"min_support == {self.min_support}, must be > 0 and <= 1")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence == {self.min_confidence}, must be >= 0 and <= 1")
        if not self.min_lift >= 0:
            raise ValueError(f"min_lift == {self.min_lift}, must be >= 0")
        if not 0 < self.max_q_value <= 1:
            raise ValueError(f"max_q_value == {self.max_q_value}, must be > 0 and <= 1")
        if self.min_customers < 1:
            raise ValueError(f"min_customers == {self.min_customers}, must be >= 1")
        if self.max_items < 2:
            raise ValueError(f"max_items == {self.max_items}, must be >= 2")
        if not 1 <= self.max_consequents < self.max_items:
            raise ValueError(
                f"max_consequents == {self.max_consequents}, must be >= 1 and < max_items == "
                f"{self.max_items}"
            )


def rules_of(baskets: Baskets, keep: Thresholds, *, tests: bool = True) -> pd.DataFrame:
    """Find the rules of baskets; see :func:`association_rules`."""
    if not tests and (keep.max_q_value < 1 or keep.min_customers > 1):
        raise ValueError("max_q_value and min_customers need the tests: leave them, or tests=True")
    n = baskets.n_orders
    min_orders = max(1, ceil(_exact(keep.min_support) * n))
    try:
        frequent = frequent_itemsets(
            baskets.cells,
            min_orders=min_orders,
            max_items=keep.max_items,
            max_sets=MAX_SETS,
            related=baskets.related,
        )
    except TooManySets as error:
        raise TooManySets(
            f"level {baskets.level}, min_support == {keep.min_support} ({min_orders:,} of {n:,} "
            f"orders), max_items == {keep.max_items}: {error}"
        ) from None
    return _rules(baskets, frequent, keep, tests)


def _exact(threshold: float) -> Fraction:
    # The number as it is written in the parameters: 0.002 is 1/500, not the nearest double.
    return Fraction(repr(float(threshold)))


def _reaches(numerator: Ints, denominator: Ints, least: float) -> Flags:
    """Tell which fractions of whole numbers are at least ``least``, exactly."""
    exact = _exact(least)
    ratio = numerator / denominator
    out = ratio >= least
    # A double is right to 16 digits; what is near is decided in whole numbers.
    for i in np.flatnonzero(np.abs(ratio - least) <= 1e-9 * max(1.0, least)):
        whole = int(numerator[i]) * exact.denominator
        out[i] = whole >= exact.numerator * int(denominator[i])
    return np.asarray(out)


def _rules(baskets: Baskets, frequent: Itemsets, keep: Thresholds, tests: bool) -> pd.DataFrame:
    n = baskets.n_orders
    parts, n_tests, n_found = [], 0, 0
    for size in range(2, len(frequent.sets) + 1):
        sets, both = frequent.sets[size - 1], frequent.counts[size - 1]
        for left, right in _splits(size, keep.max_consequents):
            # A split and its mirror image are one test.
            mirrored = len(left) <= keep.max_consequents
            if not mirrored or left < right:
                n_tests += len(sets)
            a, b = frequent.orders_with(sets[:, left]), frequent.orders_with(sets[:, right])
            good = _reaches(both, a, keep.min_confidence)
            good &= _reaches(both * n, a * b, keep.min_lift)
            rows = np.flatnonzero(good)
            improvement, redundant = _improved(frequent, sets[rows], left, right, n)
            if not keep.redundant:
                rows, improvement = rows[~redundant], improvement[~redundant]
                redundant = redundant[~redundant]
            n_found += len(rows)
            if n_found > MAX_RULES:
                raise TooManySets(
                    f"level {baskets.level}: more than {MAX_RULES:,} rules of up to {size} items; "
                    "raise min_support, min_confidence or min_lift, or lower max_items or "
                    "max_consequents"
                )
            part = pd.DataFrame(
                {
                    "size": size,
                    "place": rows,
                    "orders": both[rows],
                    "antecedent_orders": a[rows],
                    "consequent_orders": b[rows],
                    "improvement": improvement,
                    "redundant": redundant,
                }
            )
            parts.append(_Part(part, left, right))
    table, found, sides = _named(baskets, frequent, parts)
    if tests:
        table = _tested(baskets, frequent, table, found, sides, n_tests)
        table = table[
            (table["q_value"] <= keep.max_q_value) & (table["customers"] >= keep.min_customers)
        ]
    else:
        unknown = dict.fromkeys(("p_orders", "p_customers", "p_value", "q_value"), np.nan)
        customers = pd.array([pd.NA] * len(table), dtype="Int64")
        table = table.assign(customers=customers, **unknown)
    return _measured(table.assign(level=baskets.level, n_orders=n, n_customers=baskets.n_customers))


@dataclass(frozen=True)
class _Part:
    """Rules that split sets of one size at the same places."""

    table: pd.DataFrame
    left: tuple[int, ...]
    right: tuple[int, ...]


def _splits(size: int, max_right: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Ways to part a set of so many items into antecedent and consequent."""
    everything = range(size)
    for n_right in range(1, min(size - 1, max_right) + 1):
        for right in combinations(everything, n_right):
            yield tuple(i for i in everything if i not in right), right


def _improved(
    frequent: Itemsets, sets: Ints, left: tuple[int, ...], right: tuple[int, ...], n: int
) -> tuple[Floats, Flags]:
    """Confidence beyond the best more general rule, and whether there is one as good."""
    both = frequent.orders_with(sets)
    own = frequent.orders_with(sets[:, left])
    best = np.zeros(len(sets))
    redundant = np.zeros(len(sets), dtype=bool)
    for n_part in range(len(left)):
        for part in combinations(left, n_part):
            a = frequent.orders_with(sets[:, part]) if part else np.full(len(sets), n)
            with_right = frequent.orders_with(sets[:, tuple(sorted(part + right))])
            best = np.maximum(best, with_right / a)
            redundant |= both * a <= with_right * own
    return both / own - best, redundant


def _named(
    baskets: Baskets, frequent: Itemsets, parts: Sequence[_Part]
) -> tuple[pd.DataFrame, Ints, list[tuple[int, ...]]]:
    """Put the rules into one table with names; per rule its two sides and all, in ``sides``."""
    sides: dict[tuple[int, ...], int] = {}
    frames, found = [], [np.empty((0, 3), dtype=np.int64)]
    for part in parts:
        size = len(part.left) + len(part.right)
        sets = frequent.sets[size - 1][part.table["place"].to_numpy()]
        ends = [
            [sides.setdefault(tuple(row), len(sides)) for row in sets[:, where].tolist()]
            for where in (part.left, part.right, tuple(range(size)))
        ]
        frames.append(part.table)
        found.append(np.array(ends, dtype=np.int64).T)
    if not frames:
        frames.append(
            pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _COUNTED.items()})
        )
    everything = np.concatenate(found)
    names = [
        tuple(sorted(str(baskets.items[frequent.columns[item]]) for item in side)) for side in sides
    ]
    left, right = ([names[i] for i in everything[:, side].tolist()] for side in (0, 1))
    table = pd.concat(frames, ignore_index=True).assign(
        antecedent=pd.Series([" + ".join(items) for items in left], dtype="str"),
        consequent=pd.Series([" + ".join(items) for items in right], dtype="str"),
        antecedent_items=pd.Series(left, dtype="object"),
        consequent_items=pd.Series(right, dtype="object"),
    )
    return table, everything, list(sides)


_COUNTED = {
    "size": "int64",
    "place": "int64",
    "orders": "int64",
    "antecedent_orders": "int64",
    "consequent_orders": "int64",
    "improvement": "float64",
    "redundant": "bool",
}


def _tested(
    baskets: Baskets,
    frequent: Itemsets,
    table: pd.DataFrame,
    found: Ints,
    sides: list[tuple[int, ...]],
    n_tests: int,
) -> pd.DataFrame:
    """Add customers and tests. The two directions of a rule are one test."""
    ordered = np.column_stack([np.sort(found[:, :2], axis=1), found[:, 2]])
    unique, first, index = np.unique(ordered, axis=0, return_index=True, return_inverse=True)
    p_customers, customers = rule_tests(
        baskets.cells[:, frequent.columns], baskets.customers, sides, unique
    )
    both, a, b = (
        table[c].to_numpy(np.int64)[first]
        for c in ("orders", "antecedent_orders", "consequent_orders")
    )
    p_orders = fisher(both, a, b, baskets.n_orders)
    p_value = np.maximum(p_orders, p_customers)
    return table.assign(
        customers=customers[index],
        p_orders=p_orders[index],
        p_customers=p_customers[index],
        p_value=p_value[index],
        q_value=corrected(p_value, n_tests)[index],
    )


def _measured(table: pd.DataFrame) -> pd.DataFrame:
    both, a, b, n = (
        table[c].to_numpy(np.float64)
        for c in ("orders", "antecedent_orders", "consequent_orders", "n_orders")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        table = table.assign(
            support=both / n,
            confidence=both / a,
            lift=both * n / (a * b),
            leverage=both / n - a * b / n**2,
            conviction=np.where(a == both, np.inf, a * (n - b) / (n * (a - both))),
        )
    order = table.sort_values(
        ["lift", "orders", "size", "antecedent", "consequent"],
        ascending=[False, False, True, True, True],
        kind="stable",
    )
    return order.loc[:, list(RULE_COLUMNS)].reset_index(drop=True)

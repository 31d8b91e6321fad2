"""Groups of customers by sensitive attributes, and which of them are large enough to judge."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.evaluation.inputs import Floats, Kind

TIMES = " × "  # between the two names of a pair


def attribute_names(attributes: str | Sequence[str]) -> list[str]:
    """Give the attributes as a list; ValueError for none, and for one that is named twice.

    >>> attribute_names("region")
    ['region']
    """
    names = [attributes] if isinstance(attributes, str) else list(attributes)
    if not names:
        raise ValueError("attributes: name at least one column of groups")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"attributes: {', '.join(twice)} named twice; its customers would count twice"
        )
    return names


def group_labels(column: pd.Series) -> pd.Series:
    """Give the groups' names as text; a null is 'not available'."""
    return column.astype(object).where(column.notna(), NOT_AVAILABLE).astype(str)


def group_order(labels: Sequence[str]) -> list[str]:
    """Order bands by their first number, then plain words; 'not available' comes last.

    >>> group_order(["not available", "100-124K", "15-24K", "Under 15K"])
    ['Under 15K', '15-24K', '100-124K', 'not available']
    """
    return sorted(set(labels), key=lambda label: (label == NOT_AVAILABLE, _natural(label)))


def in_bands(
    people: pd.DataFrame, bands: Mapping[str, Mapping[str, Sequence[str]]] | None
) -> pd.DataFrame:
    """Name groups by the band they belong to; those in no band, and the unknown, stay as they are.

    ``bands``: per attribute, the name of each band and its groups, some of which need not occur.

    >>> people = pd.DataFrame({"age": ["18-24", "25-34", "65+", None]})
    >>> in_bands(people, {"age": {"under 35": ["18-24", "25-34"]}})["age"].tolist()
    ['under 35', 'under 35', '65+', None]
    """
    out = people.copy()
    for attribute, of in (bands or {}).items():
        if attribute not in out:
            continue
        name = {group: band for band, groups in of.items() for group in groups}
        values = people[attribute].astype(object)
        named = [
            name.get(str(v), v) if known else None
            for v, known in zip(values, people[attribute].notna(), strict=True)
        ]
        out[attribute] = pd.Series(named, index=people.index, dtype=object)
    return out


def with_pairs(predictions: pd.DataFrame, attributes: Sequence[str]) -> pd.DataFrame:
    """Add a column per pair of attributes, null unless both are known."""
    out = predictions.copy()
    for first, second in combinations(attributes, 2):
        known = predictions[first].notna() & predictions[second].notna()
        text = predictions[first].astype(str) + TIMES + predictions[second].astype(str)
        out[f"{first}{TIMES}{second}"] = text.astype(object).where(known, None)
    return out


@dataclass(frozen=True)
class Needs:
    """What a group must have to be shown and judged."""

    customers: npt.NDArray[np.intp]
    target: Floats
    kind: Kind
    min_size: int
    min_positives: int

    def count(self, rows: npt.NDArray[np.intp]) -> int:
        """Customers among these rows."""
        return len(np.unique(self.customers[rows]))

    def enough(self, rows: npt.NDArray[np.intp]) -> int:
        """What is held against ``min_size``: all customers."""
        return self.count(rows)


@dataclass(frozen=True, eq=False)
class Group:
    """The rows of one group, and why it is not judged, if it is not.

    Attributes
    ----------
    attribute, value
        the attribute, or two joined by :data:`TIMES`, and the group's name
    pair
        whether two attributes make the group
    rows, n_customers
        positions of its rows, and the number of its customers
    why_not
        empty when the group is large enough to judge
    shown
        false for what stands for several groups that are too small to show
    rare
        too few customers with a positive target

    """

    attribute: str
    value: str
    pair: bool
    rows: npt.NDArray[np.intp]
    n_customers: int
    why_not: str = ""
    shown: bool = True
    rare: bool = False

    def row(self, target: Floats, kind: Kind) -> dict[str, object]:
        """Give the columns that name and size the group; those of a group too small are null."""
        inside, told = target[self.rows], self.shown and not self.rare
        amount: dict[str, object] = {"mean_target": float(inside.mean()) if told else np.nan}
        if kind == "classification":
            amount = {"positives": int(inside.sum()) if told else None}
        return {
            "attribute": self.attribute,
            "group": self.value,
            "pair": self.pair,
            "n": len(self.rows) if self.shown else None,
            "n_customers": self.n_customers if self.shown else None,
            **amount,
        }


def groups_of(
    predictions: pd.DataFrame, attributes: Sequence[str], needs: Needs, pairs: bool
) -> Iterator[Group]:
    """Give the groups of every attribute, then those of every two; too small ones as one."""
    table = with_pairs(predictions, attributes) if pairs else predictions
    both = [f"{a}{TIMES}{b}" for a, b in combinations(attributes, 2)] if pairs else []
    for name in [*attributes, *both]:
        codes, labels = pd.factorize(group_labels(table[name]).to_numpy(dtype=object))
        small = []
        for value in group_order(list(labels)):
            if name in both and value == NOT_AVAILABLE:
                continue
            rows = np.flatnonzero(codes == list(labels).index(value))
            n, enough = needs.count(rows), needs.enough(rows) >= needs.min_size
            if not enough and value == NOT_AVAILABLE:
                why = f"not judged: unknown of fewer than {needs.min_size} customers"
                yield Group(name, value, False, rows, 0, why, shown=False)
                continue
            if not enough:
                small.append(Group(name, value, name in both, rows, n))
                continue
            yield _large(Group(name, value, name in both, rows, n), needs)
        if small:
            few = f"{len(small)} group{'s' if len(small) > 1 else ''}"
            why = f"not judged: {few} of fewer than {needs.min_size} customers"
            rows = np.concatenate([group.rows for group in small])
            yield Group(name, f"too small: {few}", name in both, rows, 0, why, shown=False)


def _large(group: Group, needs: Needs) -> Group:
    positives = needs.count(group.rows[needs.target[group.rows] == 1])
    rare = needs.kind == "classification" and positives < needs.min_positives
    why = ""
    if group.value == NOT_AVAILABLE:
        why = "not judged: the attribute is unknown, so this is no group of like people"
    elif rare:
        why = f"not judged: fewer than {needs.min_positives} customers with a positive"
    return Group(
        group.attribute, group.value, group.pair, group.rows, group.n_customers, why, rare=rare
    )


def known_customers(groups: Sequence[Group], needs: Needs) -> dict[str, int]:
    """Customers whose attribute is known, by attribute."""
    rows: dict[str, list[npt.NDArray[np.intp]]] = {group.attribute: [] for group in groups}
    for group in groups:
        if group.value != NOT_AVAILABLE:
            rows[group.attribute].append(group.rows)
    return {
        name: needs.count(np.concatenate(parts)) if parts else 0 for name, parts in rows.items()
    }


def levels_of(groups: Sequence[Group], confidence: float, pairs: bool) -> dict[bool, float]:
    """Level of the intervals of single groups (False) and of pairs (True)."""
    error = (1 - confidence) / (2 if pairs else 1)
    judged = [group.pair for group in groups if not group.why_not]
    return {pair: 1 - error / max(1, judged.count(pair)) for pair in (False, True)}


def _natural(label: str) -> tuple[float, bool, str]:
    """Order bands by their first number: 'Under 15K', '15-24K', '100-124K', then plain words."""
    number = re.search(r"\d+", label)
    return (float(number[0]) if number else np.inf, label[:1].isdigit(), label)

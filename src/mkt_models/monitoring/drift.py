"""Has a feature, or a score, another distribution than before?

Two questions, and an alarm needs both. *Is it more than chance?* The difference between the
distribution functions at every edge of a cell (of categories, between the shares) is taken in units
of its standard error, so that what is rare counts as well (a missing share, an unknown category);
the largest (Kolmogorov and Smirnov's, weighed) is held against its spread when customers are drawn
with replacement, with all their rows of both periods: most customers are in both, and alike in
both, which tests for independent samples do not know. The draws are centred at what was found, as
if nothing had changed (Præstgaard 1995). Over many features the p-values are corrected by the
method of Holm (1979). *Is it large enough to matter?* The population stability index, over what
chance gives it at these sizes (Yurdakul 2018), the change of the missing share, and the share of
unknown categories.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation.bootstrap import ClusterBootstrap
from mkt_models.evaluation.inputs import Floats, require
from mkt_models.monitoring.cells import Cells, cells_of
from mkt_models.monitoring_params import DriftLimits

COLUMNS = (
    "feature",
    "n_reference",
    "n_current",
    "customers_reference",
    "customers_current",
    "psi",
    "psi_by_chance",
    "difference",
    "p_value",
    "p_adjusted",
    "mean_reference",
    "mean_current",
    "missing_reference",
    "missing_current",
    "new_share",
    "new_values",
    "evaluated",
    "significant",
    "large",
    "expected",
    "drifted",
    "note",
)
_SMOOTHED = 0.5  # rows added to every cell, so that an empty one has a logarithm


def drift_table(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    features: Sequence[str],
    limits: DriftLimits,
    *,
    min_customers: int,
    false_alarms: float,
    n_bootstrap: int,
    seed: int,
    unit: str = CUSTOMER_ID,
) -> pd.DataFrame:
    """One row per feature, the most changed first.

    Parameters
    ----------
    reference, current
        Any grain: the unit (customer_id) and the features. Numbers are ordered; anything else is
        categories.
    features
        Columns to compare. One that a period lacks is not evaluated.
    limits
        Cells, and what matters.
    min_customers
        Customers that each period needs.
    false_alarms
        Probability that any feature is significant though none has changed.
    n_bootstrap, seed
        Draws of customers, at least. The smallest p-value is 1 / (draws + 1), so that many features
        need more draws: their number over ``false_alarms``.
    unit
        Column of what is drawn, with all its rows. Where everything differs by campaign, it is the
        campaign and not the customer; ``min_customers`` and the sizes are of it then.

    Returns
    -------
    DataFrame
        feature; n (rows) and customers of both periods; ``psi`` (half a row added to every cell)
        and ``psi_by_chance``; ``difference`` (of the distribution functions, 0 to 1); ``p_value``
        and ``p_adjusted``; means and missing shares; ``new_share`` and up to five ``new_values``;
        ``evaluated``, ``significant``, ``large``; ``expected`` (why it may move, or empty);
        ``drifted`` (significant, large and not expected); note (why it is not evaluated, or what
        is large)

    Raises ValueError for a table without rows or customers, and for infinite values.

    """
    require(reference, [unit])
    require(current, [unit])
    sizes = [part[unit].nunique() for part in (reference, current)]
    few = ""
    if min(sizes) < min_customers:
        what = unit.removesuffix("_id") + "s"
        few = f"only {min(sizes)} {what} in a period, needs {min_customers}"
    there = [name for name in features if name in reference and name in current]
    n_bootstrap = max(n_bootstrap, int(np.ceil(len(there) / false_alarms)))
    compared = [_Compared.of(reference, current, name, limits.bins) for name in there]
    who = reference[unit], current[unit]
    tested = {} if few else _p_values(who, compared, limits, n_bootstrap, seed)
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    rows = []
    for name in features:
        row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan)
        row |= {"feature": name, "n_reference": len(reference), "n_current": len(current)}
        row |= {"customers_reference": sizes[0], "customers_current": sizes[1]}
        row |= {"new_values": "", "expected": limits.expected.get(name, ""), "note": few}
        row |= dict.fromkeys(("evaluated", "significant", "large", "drifted"), False)
        if name not in there:
            lacking = "reference" if name not in reference else "current period"
            row["note"] = f"the {lacking} has no such column"
        else:
            one = compared[there.index(name)]
            row |= one.described(reference[name], current[name], sizes)
            if not few:
                large = _large(row, limits)
                row |= {"p_value": tested[name], "p_adjusted": adjusted[name], "evaluated": True}
                row |= {"significant": adjusted[name] <= false_alarms, "large": bool(large)}
                row["drifted"] = bool(row["significant"] and large and not row["expected"])
                row["note"] = "; ".join(large)
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    keys = ["drifted", "evaluated", "psi", "feature"]
    return table.sort_values(keys, ascending=[False, False, False, True], ignore_index=True)


def psi(reference: Floats, current: Floats) -> float:
    """Population stability index of two vectors of counts: the symmetric Kullback-Leibler sum.

    >>> round(psi(np.array([50.0, 50.0]), np.array([50.0, 50.0])), 6)
    0.0
    >>> round(psi(np.array([5e8, 5e8]), np.array([2.5e8, 7.5e8])), 4)  # -.25 ln .5 + .25 ln 1.5
    0.2747
    """
    p, q = (
        (part + _SMOOTHED) / (part + _SMOOTHED).sum()
        for part in (np.asarray(reference, dtype=float), np.asarray(current, dtype=float))
    )
    return float(((q - p) * np.log(q / p)).sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that any false finding is as rare as one test alone (Holm 1979).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(p) for p in adjusted]


@dataclass(frozen=True)
class _Compared:
    """A feature's cells, and how many rows of each period lie in each."""

    feature: str
    cells: Cells
    reference: Floats
    current: Floats

    @classmethod
    def of(
        cls, reference: pd.DataFrame, current: pd.DataFrame, feature: str, bins: int
    ) -> "_Compared":
        cells = cells_of(reference[feature], current[feature], bins)
        counts = [
            np.bincount(part, minlength=cells.n).astype(np.float64)
            for part in (cells.reference, cells.current)
        ]
        return cls(feature, cells, *counts)

    def described(
        self, reference: pd.Series, current: pd.Series, sizes: Sequence[int]
    ) -> dict[str, Any]:
        missing = [counts[-1] / counts.sum() for counts in (self.reference, self.current)]
        filled = int(((self.reference + self.current) > 0).sum())
        row: dict[str, Any] = {
            "psi": psi(self.reference, self.current),
            "psi_by_chance": (filled - 1) * (1 / sizes[0] + 1 / sizes[1]),
            "difference": float(_furthest(self._shares(), self.cells.ordered)[0]),
            "missing_reference": missing[0],
            "missing_current": missing[1],
            "new_share": 0.0,
            "new_values": ", ".join(self.cells.new_values),
        }
        if self.cells.new is not None:
            row["new_share"] = self.current[self.cells.new] / self.current.sum()
        if self.cells.ordered:
            row |= {"mean_reference": float(pd.to_numeric(reference).mean())}
            row |= {"mean_current": float(pd.to_numeric(current).mean())}
        return row

    def _shares(self) -> Floats:
        p, q = self.reference / self.reference.sum(), self.current / self.current.sum()
        return np.asarray(q - p)[None, :]


def _furthest(differences: Floats, ordered: bool) -> Floats:
    """Differences of the cells' shares (draws x cells) to the statistic of every draw."""
    if ordered:
        differences = np.cumsum(differences, axis=1)
    return np.asarray(np.abs(differences).max(axis=1), dtype=np.float64)


def _p_values(
    units: tuple[pd.Series, pd.Series],
    compared: Sequence[_Compared],
    limits: DriftLimits,
    n_bootstrap: int,
    seed: int,
) -> dict[str, float]:
    if not compared:
        return {}
    both = pd.concat(units, ignore_index=True)
    codes, known = pd.factorize(both, sort=True)
    kept = np.arange(len(known))
    if len(known) > limits.max_customers:
        rng = np.random.default_rng([seed, 1])
        kept = np.sort(rng.choice(len(known), limits.max_customers, replace=False))
    place = np.full(len(known), -1)
    place[kept] = np.arange(len(kept))
    who = np.split(place[codes], [len(units[0])])
    matrix, starts = _counted(compared, who, len(kept))
    draws = ClusterBootstrap.of(pd.Series(kept), n_bootstrap, seed)

    def counts(weights: Floats) -> Floats:
        return np.asarray((matrix @ weights.T).T)

    found = {}
    estimate, replicates = draws.estimate(counts), draws.replicates(counts)
    for one, start in zip(compared, starts, strict=True):
        n = one.cells.n
        parts = []
        for block in (estimate[None, :], replicates):
            old, new = block[:, start : start + n], block[:, start + n : start + 2 * n]
            parts.append(_share(new) - _share(old))
        if one.cells.ordered:
            parts = [np.cumsum(part, axis=1) for part in parts]
        # At least that of half a customer: where no draw differs, no spread is known.
        error = np.maximum(parts[1].std(axis=0), 0.5 / len(kept))
        observed = float((np.abs(parts[0]) / error).max())
        centred = (np.abs(parts[1] - parts[0]) / error).max(axis=1)
        # A hair's breadth for sums in another order: draws that equal what was found count.
        as_far = int((centred >= observed - 1e-12).sum())
        found[one.feature] = (1 + as_far) / (1 + n_bootstrap)
    return found


def _counted(
    compared: Sequence[_Compared], who: Sequence[npt.NDArray[np.intp]], n_customers: int
) -> tuple[sparse.csr_array, list[int]]:
    """Rows in every cell (of the reference, then of the current period) by customer."""
    rows, columns, starts, start = [], [], [], 0
    for one in compared:
        starts.append(start)
        for customers, cells in zip(who, (one.cells.reference, one.cells.current), strict=True):
            inside = customers >= 0
            rows.append(start + cells[inside])
            columns.append(customers[inside])
            start += one.cells.n
    i, j = np.concatenate(rows), np.concatenate(columns)
    shape = (start, n_customers)
    return sparse.coo_array((np.ones(len(i)), (i, j)), shape=shape).tocsr(), starts


def _share(counts: Floats) -> Floats:
    total = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


def _large(row: dict[str, Any], limits: DriftLimits) -> list[str]:
    said = []
    if row["psi"] - row["psi_by_chance"] >= limits.min_psi:
        said.append(f"PSI {row['psi']:.2f}")
    change = row["missing_current"] - row["missing_reference"]
    if abs(change) >= limits.max_missing_change:
        said.append(f"missing {row['missing_reference']:.0%} to {row['missing_current']:.0%}")
    if row["new_share"] >= limits.max_new_share and row["new_values"]:
        said.append(f"unknown before: {row['new_values']} ({row['new_share']:.1%} of rows)")
    return said

"""What was measured: means, proportions and ratios per unit, with strata and CUPED.

Every metric comes down to one value per unit and arm whose mean is the arm's figure, so that one
comparison serves all of them: a ratio is linearised, covariates are taken off, strata are weighed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.evaluation.arms import MIN_DIFFERENT, rare
from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments import cuped
from mkt_models.experiments.fixed_horizon import ArmMean, linearised, mean_of, stratified
from mkt_models.experiments.metrics import Metric, known_before, outcome
from mkt_models.experiments.said import NOTHING_SAID, Said

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Measured:
    """One metric of all units.

    Attributes
    ----------
    metric
        what is measured
    names
        arms, the control first
    arms, strata
        codes of every unit: of ``names``, and of the strata
    top, bottom
        numerator and denominator (None but for ratios) of every unit
    covariates
        units x covariates; None without

    """

    metric: Metric
    names: tuple[str, ...]
    arms: Codes
    strata: Codes
    top: Floats
    bottom: Floats | None
    covariates: Floats | None

    @classmethod
    def of(
        cls, units: pd.DataFrame, metric: Metric, names: Sequence[str], arms: Codes, strata: Codes
    ) -> "Measured":
        """Read a metric off the table of units; ValueError says what is wrong with a column."""
        top = outcome(units, metric, metric.column)
        if metric.kind == "proportion" and np.setdiff1d(top, [0.0, 1.0]).size:
            raise ValueError(
                f"{metric.name}: a proportion must be 0 or 1 per unit, {metric.column!r} has "
                f"{np.setdiff1d(top, [0.0, 1.0])[0]:g}; is it a mean or a ratio?"
            )
        bottom = None
        if metric.denominator is not None:
            bottom = outcome(units, metric, metric.denominator)
            if (bottom < 0).any():
                raise ValueError(f"{metric.name}: {metric.denominator!r} has values below 0")
        covariates = known_before(units, metric, top)
        return cls(metric, tuple(names), arms, strata, top, bottom, covariates)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Measured":
        """Give the same of some units; a covariate that is known of none of them is left out."""
        covariates = None
        if self.covariates is not None:
            known = self.covariates[rows]
            known = known[:, ~np.isnan(known).all(axis=0)]
            covariates = known if known.size else None
        return replace(
            self,
            arms=self.arms[rows],
            strata=self.strata[rows],
            top=self.top[rows],
            bottom=None if self.bottom is None else self.bottom[rows],
            covariates=covariates,
        )

    @property
    def plain(self) -> bool:
        """Whether nothing but counts is needed: a proportion without covariates and strata."""
        alone = self.covariates is None and not (self.strata != self.strata[:1]).any()
        return self.metric.kind == "proportion" and alone

    def counts(self, arm: int) -> tuple[int, int]:
        """Units of an arm with a 1, and all of them."""
        inside = self.arms == arm
        return int(self.top[inside].sum()), int(inside.sum())

    def sizes(self) -> list[int]:
        """Units of each arm."""
        return [int(n) for n in np.bincount(self.arms, minlength=len(self.names))]

    def why_not(self, arm: int, min_units: int, *, apart: bool = False) -> Said:
        """Why an arm cannot be compared with the control; empty when it can.

        Too few units, in an arm or in an arm of a stratum; or hardly any that differ from the rest,
        in both arms together: 70 orders beside 9 say much, and the tests of a single look are exact
        at any count. ``apart``: in each arm, for intervals that trust the spread of either.
        """
        sizes = self.sizes()
        for one in (arm, 0):
            if sizes[one] < min_units:
                return Said(
                    f"not judged: {self.names[one]} has {sizes[one]:,} units, needs {min_units}",
                    f"未评估：{self.names[one]} 组只有 {sizes[one]:,} 个样本，需要 {min_units} 个",
                )
        for stratum in np.unique(self.strata):
            inside = self.arms[self.strata == stratum]
            if min(int((inside == one).sum()) for one in (arm, 0)) < 2:
                return Said(
                    "not judged: a stratum has fewer than 2 units of an arm; merge it with another",
                    "未评估：某一层中有实验组的样本不足 2 个，请与其他层合并",
                )
        if self.bottom is not None:
            for one in (arm, 0):
                if not self.bottom[self.arms == one].sum() > 0:
                    return Said(
                        f"not judged: {self.names[one]} has nothing in the denominator",
                        f"未评估：{self.names[one]} 组的分母全部为 0",
                    )
        return self._rare(arm, apart)

    def _rare(self, arm: int, apart: bool) -> Said:
        pair = (self.arms == arm) | (self.arms == 0)
        if not apart:
            n = int((self.top[pair] != _commonest(self.top[pair])).sum())
            if n >= MIN_DIFFERENT:
                return NOTHING_SAID
            return Said(
                f"not judged: only {n} of both arms together responded otherwise than the rest, "
                f"needs {MIN_DIFFERENT}",
                f"未评估：两组合计只有 {n} 个样本的结果与多数不同，至少需要 {MIN_DIFFERENT} 个",
            )
        labels = (f"in {self.names[arm]}", f"in {self.names[0]}")
        treated = (self.arms[pair] == arm).astype(np.float64)
        found = rare(self.top[pair], treated, np.arange(int(pair.sum())), labels)
        few = f"未评估：结果与多数样本不同的样本太少，每组至少需要 {MIN_DIFFERENT} 个"
        return Said(found, few if found else "")

    def values(self) -> tuple[Floats, int]:
        """One value per unit whose (stratified) mean is the arm's; and coefficients fitted."""
        values = self.top.copy()
        if self.bottom is not None:
            values = np.full(len(self.top), np.nan)
            for arm in np.unique(self.arms):
                inside = self.arms == arm
                if not self.bottom[inside].any():
                    continue  # no ratio: why_not says so
                values[inside] = linearised(
                    self.top[inside], self.bottom[inside], self._weights(inside)
                )
        if self.covariates is None or not len(values):
            return values, 0
        known = np.isfinite(values)
        values[known], lost = cuped.adjusted(
            values[known], self.covariates[known], self.arms[known], self.strata[known]
        )
        return values, lost

    def arm_means(self) -> list[ArmMean]:
        """Sum up every arm, the control first."""
        values, lost = self.values()
        if len(values) and not (self.strata != self.strata[0]).any():
            return [mean_of(values[self.arms == arm], lost) for arm in range(len(self.names))]
        strata, sizes = np.unique(self.strata, return_counts=True)
        found = []
        for arm in range(len(self.names)):
            inside = self.arms == arm
            parts = [mean_of(values[inside & (self.strata == one)], lost) for one in strata]
            if len(parts) < 2:
                found.append(parts[0] if parts else mean_of(values))
            else:
                found.append(stratified(parts, sizes.tolist()))
        return found

    def variance_left(self) -> float:
        """Share of the variance that is left by CUPED; 1 without."""
        if self.covariates is None:
            return 1.0
        raw = replace(self, covariates=None).values()[0]
        cells = self.arms * (int(self.strata.max(initial=0)) + 1) + self.strata
        return cuped.left_over(raw, self.values()[0], cells)

    def normal_from(self) -> float:
        """Units per arm from which the mean of values so skewed is near enough to normal.

        355 times the skewness squared (Kohavi et al. 2014, "Seven rules of thumb"), of all arms
        together, so that it does not depend on who is in which. Of a ratio both its parts count:
        the delta method trusts the means of either.
        """
        return max(_normal_from(values) for values in self._parts())

    def skewed(self, arm: int) -> bool:
        """Whether the means of an arm and the control are not near enough to normal for t.

        Each stratum counts, as its smaller arm may be tiny; so does an arm in which hardly any unit
        differs from the rest, of whose error little is known.
        """
        parts, pair = self._parts(), (self.arms == arm) | (self.arms == 0)
        whole = np.zeros_like(self.strata)
        for cells in (whole, self.strata) if (self.strata != self.strata[:1]).any() else (whole,):
            for cell in np.unique(cells[pair]):
                inside = cells == cell
                smaller = min(int((inside & (self.arms == one)).sum()) for one in (arm, 0))
                if max(_normal_from(values[inside]) for values in parts) > smaller:
                    return True
        commonest = _commonest(self.top[pair])
        differ = [(self.top[self.arms == one] != commonest).sum() for one in (arm, 0)]
        return not self.plain and bool(min(differ) < MIN_DIFFERENT)

    def _parts(self) -> list[Floats]:
        parts = [self.values()[0]]
        return parts if self.bottom is None else [*parts, self.top, self.bottom]

    def _weights(self, inside: npt.NDArray[np.bool_]) -> Floats:
        """Weights of an arm's units that give each stratum its share of all units."""
        sizes = np.bincount(self.strata).astype(np.float64)
        own = np.bincount(self.strata[inside], minlength=len(sizes))
        return np.asarray((sizes / np.maximum(own, 1))[self.strata[inside]], dtype=np.float64)


def _commonest(values: Floats) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()]) if len(found) else np.nan


def _normal_from(values: Floats) -> float:
    known = values[~np.isnan(values)]
    away = known - known.mean() if len(known) else known
    scale = float(np.abs(away).max(initial=0.0))
    if not scale > 0:
        return 0.0
    away = away / scale
    return float(355 * (away**3).mean() ** 2 / (away**2).mean() ** 3)

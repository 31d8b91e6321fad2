"""What chance alone does with these very values: the units are assigned again and again.

Where nothing happened, every assignment would have left each unit with the value it has. So the
assignments that could have been drawn, with the arms as large as they are, say how far the arms
differ by chance: exactly, for values however skewed and shares however uneven, where Student's t
trusts that the mean is normal (Fisher 1935). The statistic is the difference over its own standard
error, which keeps the test right for the difference of means where the arms differ in spread
(Janssen 1997; Chung and Romano 2013), and turns it into an interval, as a bootstrap-t does. It is
the statistic that is observed, drawn again: of a ratio that of each drawn arm, with its own error.
"""

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments import cuped
from mkt_models.experiments.fixed_horizon import Contrast
from mkt_models.experiments.measured import Measured

Codes = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

# Draws beyond each of the two ends of an interval, so that its ends are no matter of luck.
BEYOND = 10


@dataclass(frozen=True)
class Reference:
    """What the difference over its standard error comes to by chance alone.

    Attributes
    ----------
    values, chances
        values, rising, and their probabilities
    draws
        assignments that were drawn; None where all were counted

    """

    values: Floats
    chances: Floats
    draws: int | None

    @classmethod
    def drawn(cls, values: Floats) -> "Reference":
        """Take drawn statistics; the observed one counts as one more, so that no p-value is 0."""
        n = len(values)
        return cls(np.sort(values), np.full(n, 1 / (n + 1)), n)

    @property
    def _observed(self) -> float:
        return 0.0 if self.draws is None else 1 / (self.draws + 1)

    def ends(self, level: float) -> tuple[float, float]:
        """Give the values that are left, below and above, with at most half of the rest each."""
        tail = (1 - level) / 2 - self._observed + 1e-12
        above = np.append(np.cumsum(self.chances[::-1])[::-1][1:], 0.0)
        below = np.insert(np.cumsum(self.chances)[:-1], 0, 0.0)
        if tail < 0:
            return -math.inf, math.inf
        return (
            float(self.values[np.flatnonzero(below <= tail)[-1]]),
            float(self.values[np.flatnonzero(above <= tail)[0]]),
        )

    def p_value(self, statistic: float) -> float:
        """Two-sided: twice the chance of a value as far out on the same side."""
        near = 1e-9 * max(1.0, abs(statistic))
        up = float(self.chances[self.values >= statistic - near].sum())
        down = float(self.chances[self.values <= statistic + near].sum())
        return min(1.0, 2 * (min(up, down) + self._observed))

    def judge(self, found: Contrast) -> Contrast:
        """Give a comparison the interval and p-value of this reference; both agree."""
        if not (math.isfinite(found.estimate) and found.error > 0):
            return replace(found, lower=math.nan, upper=math.nan, p_value=math.nan)
        low, high = self.ends(found.level)
        lower, upper = found.estimate - high * found.error, found.estimate - low * found.error
        p_value = self.p_value(found.estimate / found.error)
        return replace(found, lower=lower, upper=upper, p_value=p_value)


def needed(n_permutations: int, level: float) -> int:
    """Give the draws for an interval of this level, at least as many as are asked for."""
    return max(n_permutations, math.ceil(2 * BEYOND / (1 - level)))


def source(*names: str) -> np.random.Generator:
    """Give a generator that is the same for the same names: the salt, the metric, the arm."""
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def reference(one: Measured, arm: int, draws: int, rng: np.random.Generator) -> Reference:
    """Assign the units of an arm and the control anew, within strata, so often.

    Proportions without covariates and strata are counted, not drawn (the hypergeometric
    distribution).
    """
    if one.plain:
        return _counted(one.counts(arm), one.counts(0))
    gaps, variances = redrawn(one, arm, draws, rng)
    found = _over(gaps, np.sqrt(variances))
    # Of a drawn arm with nothing in the denominator there is no ratio; such arms are not judged.
    return Reference.drawn(found[~np.isnan(found)])


def redrawn(one: Measured, arm: int, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Give the difference of an arm and the control, and its variance, of assignments drawn anew.

    NaN where an arm that was drawn has nothing in the denominator of a ratio.
    """
    pair = (one.arms == arm) | (one.arms == 0)
    strata, sizes = np.unique(one.strata, return_counts=True)
    codes, treated = np.searchsorted(strata, one.strata[pair]), one.arms[pair] == arm
    weights = sizes / sizes.sum()
    values, scale = pooled(one, arm)
    if one.bottom is None:
        gaps, variances = reassigned(values, treated, codes, draws, rng)
        return scale * (gaps @ weights), scale**2 * (variances @ weights**2)
    top, bottom = _around(one, pair, one.bottom[pair])
    columns = [top / scale, bottom]
    if one.covariates is not None:
        columns.append((top - top.mean()) / scale - values)
    gap, variance = _reassigned_ratios(np.stack(columns, 1), treated, codes, weights, draws, rng)
    return scale * gap, scale**2 * variance


def reassigned(
    values: Floats, treated: Mask, cells: Codes, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw assignments that leave every cell as many treated units as it has.

    Parameters
    ----------
    values, treated, cells
        Per unit; codes of the cells from 0, each with at least 2 units of either arm.
    draws, rng
        How often, and the generator.

    Returns
    -------
    Two tables, draws x cells: difference of the means, and its variance.

    """
    k_cells = int(cells.max()) + 1
    gaps, variances = np.empty((draws, k_cells)), np.empty((draws, k_cells))
    for cell in range(k_cells):
        inside = cells == cell
        x, n, k = values[inside], int(inside.sum()), int((treated & inside).sum())
        x = x - x.mean()
        few, sign = (k, 1) if 2 * k <= n else (n - k, -1)
        squares = x * x
        total, total2 = float(x.sum()), float(squares.sum())
        sums = np.empty((draws, 2))
        for draw in range(draws):
            taken = rng.choice(n, few, replace=False, shuffle=False)
            sums[draw] = x[taken].sum(), squares[taken].sum()
        a, a2 = sums.T
        b, b2, rest = total - a, total2 - a2, n - few
        gaps[:, cell] = sign * (a / few - b / rest)
        spread_a = np.maximum(a2 - a * a / few, 0.0) / (few - 1) / few
        spread_b = np.maximum(b2 - b * b / rest, 0.0) / (rest - 1) / rest
        variances[:, cell] = spread_a + spread_b
    return gaps, variances


def _reassigned_ratios(
    columns: Floats,
    treated: Mask,
    cells: Codes,
    weights: Floats,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """As :func:`reassigned`, of ratios over all cells: each arm linearised around its own.

    ``columns``: of every unit the numerator, the denominator and, with covariates, what they take
    off the linearised value; ``weights`` are those of the cells.
    """
    k = columns.shape[1]
    # Of both arms: means per draw, cell and column; their covariances.
    means = np.empty((2, draws, len(weights), k))
    spread = np.empty((2, draws, len(weights), k, k))
    for cell in range(len(weights)):
        inside = cells == cell
        x, n, n_treated = columns[inside], int(inside.sum()), int((treated & inside).sum())
        few, which = (n_treated, 0) if 2 * n_treated <= n else (n - n_treated, 1)
        products = np.hstack([x, (x[:, :, None] * x[:, None, :]).reshape(n, k * k)])
        sums = np.empty((draws, k + k * k))
        for draw in range(draws):
            sums[draw] = products[rng.choice(n, few, replace=False, shuffle=False)].sum(axis=0)
        for one, total, size in (
            (which, sums, few),
            (1 - which, products.sum(axis=0) - sums, n - few),
        ):
            mean = total[:, :k] / size
            squares = total[:, k:].reshape(draws, k, k) / size - mean[:, :, None] * mean[:, None, :]
            means[one, :, cell], spread[one, :, cell] = mean, squares / (size - 1)
    arm = np.einsum("adck,c->adk", means, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(arm[..., 1] > 0, arm[..., 1], np.nan)
    ratio = arm[..., 0] / below
    terms = np.stack([1 / below, -ratio / below, np.full_like(below, -1.0)][:k], axis=-1)
    variances = np.einsum("adk,adckl,adl,c->ad", terms, spread, terms, weights**2, optimize=True)
    found = ratio - arm[..., 2] if k > 2 else ratio
    return found[0] - found[1], np.maximum(variances, 0.0).sum(axis=0)


def _around(one: Measured, pair: Mask, bottom: Floats) -> tuple[Floats, Floats]:
    """Numerators less the pooled ratio of the denominators, and these, both over the mean one."""
    top, strata = one.top[pair], one.strata[pair]
    weights = (np.bincount(one.strata) / np.maximum(np.bincount(strata), 1))[strata]
    below = float(weights @ bottom)
    if not below > 0:
        return 0 * top, 0 * bottom
    mean = below / weights.sum()
    return (top - float(weights @ top) / below * bottom) / mean, bottom / mean


def pooled(one: Measured, arm: int) -> tuple[Floats, float]:
    """Give one value per unit of an arm and the control that does not know who is in which.

    Each in units of the second number, the largest: so that squares stay in reach.

    Ratios are linearised around that of both arms together, and covariates are taken off with the
    coefficients of both together.
    """
    pair = (one.arms == arm) | (one.arms == 0)
    values, strata = one.top[pair], one.strata[pair]
    if one.bottom is not None:
        values, _ = _around(one, pair, one.bottom[pair])
    values = values - values.mean()
    scale = float(np.abs(values).max()) or 1.0
    values = values / scale
    if one.covariates is not None:
        known = one.covariates[pair]
        known = known[:, ~np.isnan(known).all(axis=0)]
        nobody = np.zeros(len(values), dtype=np.intp)
        values, _ = cuped.adjusted(values, known, nobody, strata)
    return values, scale


def _counted(treated: tuple[int, int], control: tuple[int, int]) -> Reference:
    (x1, n1), (x2, n2) = treated, control
    hits = x1 + x2
    x = np.arange(max(0, hits - n2), min(hits, n1) + 1)
    p1, p2 = x / n1, (hits - x) / n2
    error = np.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    statistic, chances = _over(p1 - p2, error), hypergeom.pmf(x, n1 + n2, hits, n1)
    order = np.argsort(statistic, kind="stable")
    return Reference(statistic[order], chances[order], None)


def _over(gaps: Floats, errors: Floats) -> Floats:
    """Differences over their errors; without any error 0, or beyond everything."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = gaps / errors  # of no error: infinity with its sign, or NaN
    return np.asarray(np.where(gaps == 0, 0.0, found))

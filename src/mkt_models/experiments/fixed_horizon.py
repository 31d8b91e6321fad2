"""Two arms compared once, at the size that was planned: difference, relative lift, intervals.

An arm is summed up by its mean, the standard error of it and the degrees of freedom behind that
error; a ratio and an adjusted mean (``metrics``, ``cuped``) are summed up in the same way, and so
are compared by the same functions. Proportions have their own test, since theirs is exact enough
for small counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri, stdtr, stdtrit

from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.inputs import Floats

# A relative lift is not given where the control's mean lies within so many errors of 0.
FAR_FROM_ZERO = 4.0


@dataclass(frozen=True)
class ArmMean:
    """What is known of one arm.

    Attributes
    ----------
    value
        mean, ratio or adjusted mean
    error
        its standard error
    n
        units
    dof
        degrees of freedom of the error

    """

    value: float
    error: float
    n: int
    dof: float


@dataclass(frozen=True)
class Contrast:
    """One arm beside another.

    Attributes
    ----------
    estimate, error
        the difference (or lift) and its standard error
    lower, upper
        ends of the interval at ``level``; NaN where there is none
    p_value
        two-sided, of no difference; agrees with the interval
    level
        confidence of the interval

    """

    estimate: float
    error: float
    lower: float
    upper: float
    p_value: float
    level: float


def mean_of(values: Floats, lost_dof: int = 0) -> ArmMean:
    """Sum up one arm: mean and standard error of its units' values.

    ``lost_dof``: coefficients that were fitted before, such as those of CUPED.
    """
    if np.isinf(values).any():
        raise ValueError("values: some are infinite; a mean needs finite ones")
    n, dof = len(values), len(values) - 1 - lost_dof
    if dof < 1:
        return ArmMean(float(values.mean()) if n else math.nan, math.nan, n, 0.0)
    squares = float(((values - values.mean()) ** 2).sum())
    return ArmMean(float(values.mean()), math.sqrt(squares / dof / n), n, float(dof))


def linearised(numerator: Floats, denominator: Floats, weights: Floats | None = None) -> Floats:
    """Give one value per unit whose mean is the ratio of the sums, and whose variance is its own.

    The delta method (Deng et al. 2018, "Applying the delta method in metric analytics"): with R
    the ratio and d the mean denominator, R + (numerator - R denominator) / d. So orders
    per session, say, may be judged by customers, who were assigned, though sessions are counted.

    ``weights``: of the units, where strata are weighed; R and d are weighed then.
    """
    if not (len(numerator) and np.isfinite(numerator).all() and np.isfinite(denominator).all()):
        raise ValueError("numerator, denominator: must be finite numbers of at least one unit")
    w = np.full(len(numerator), 1 / len(numerator)) if weights is None else weights / weights.sum()
    total = float(w @ denominator)
    if total <= 0 or (denominator < 0).any():
        raise ValueError("denominator: must not be negative, and not 0 for all units of an arm")
    ratio = float(w @ numerator) / total
    return np.asarray(ratio + (numerator - ratio * denominator) / total, dtype=np.float64)


def stratified(parts: Sequence[ArmMean], weights: Sequence[float]) -> ArmMean:
    """Sum up an arm from its strata, each with its share of all units as weight.

    Arms with other shares in some strata are compared rightly so, and what differs between strata
    is no noise any more (post-stratification; Miratrix, Sekhon and Yu 2013).
    """
    if not len(parts) or not all(weight > 0 for weight in weights):
        raise ValueError(f"weights == {list(weights)}: there must be parts, each with a weight > 0")
    w = np.asarray(weights, dtype=np.float64) / math.fsum(weights)
    variances = w**2 * np.array([part.error**2 for part in parts])
    variance = float(variances.sum())
    dofs = np.array([part.dof for part in parts])
    if not (dofs > 0).all():
        dof = 0.0
    elif variance > 0:
        dof = variance**2 / float((variances**2 / dofs).sum())
    else:
        dof = float(dofs.sum())
    value = float(w @ np.array([part.value for part in parts]))
    return ArmMean(value, math.sqrt(variance), sum(part.n for part in parts), dof)


def difference(
    treated: ArmMean, control: ArmMean, confidence: float, *, pooled: bool = False
) -> Contrast:
    """Compare two means by Welch's t test, or by Student's where the variances are taken as one.

    No spread in either arm gives no interval and no p-value: nothing was measured of the error.
    """
    estimate = treated.value - control.value
    e, f = treated.error**2, control.error**2
    if pooled:
        dof = treated.dof + control.dof
        one = (treated.dof * e * treated.n + control.dof * f * control.n) / dof if dof else math.nan
        error = math.sqrt(one * (1 / treated.n + 1 / control.n))
    else:
        error = math.sqrt(e + f)
        known = error > 0 and min(treated.dof, control.dof) > 0
        dof = (e + f) ** 2 / (e**2 / treated.dof + f**2 / control.dof) if known else math.nan
    return by_t(estimate, error, dof, confidence)


def by_t(estimate: float, error: float, dof: float, confidence: float) -> Contrast:
    """Give an estimate its interval and p-value by Student's t."""
    _check(confidence)
    if not (math.isfinite(estimate) and error > 0 and dof > 0):
        return Contrast(estimate, math.nan, math.nan, math.nan, math.nan, confidence)
    reach = float(stdtrit(dof, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(dof, -abs(estimate) / error))
    return Contrast(estimate, error, estimate - reach, estimate + reach, p, confidence)


def relative_lift(
    treated: ArmMean, control: ArmMean, confidence: float, reach: float | None = None
) -> Contrast:
    """Give the treated mean over the control's, minus 1, by the delta method.

    The variance is (e² + (1 + lift)² f²) / control², with the arms' errors e and f. NaN where the
    control's mean is not well away from 0: a ratio to nearly nothing says nothing.

    ``reach``: errors that the interval reaches out, in place of Student's t (confidence sequences).
    """
    _check(confidence)
    if not (control.error >= 0 and abs(control.value) > FAR_FROM_ZERO * control.error):
        return Contrast(math.nan, math.nan, math.nan, math.nan, math.nan, confidence)
    lift = treated.value / control.value - 1
    e, f = treated.error**2, (1 + lift) ** 2 * control.error**2
    error = math.sqrt(e + f) / abs(control.value)
    known = error > 0 and min(treated.dof, control.dof) > 0
    dof = (e + f) ** 2 / (e**2 / treated.dof + f**2 / control.dof) if known else math.nan
    found = by_t(lift, error, dof, confidence)
    if reach is None:
        return found
    lower, upper = lift - reach * found.error, lift + reach * found.error
    return Contrast(lift, found.error, lower, upper, math.nan, confidence)


def proportions(treated: tuple[int, int], control: tuple[int, int], confidence: float) -> Contrast:
    """Compare two shares, each as (successes, units), by the score test.

    The interval holds the differences that the test would not reject, so that both say the same
    (Miettinen and Nurminen 1985); it keeps its level for small counts and shares near 0.

    >>> found = proportions((56, 70), (48, 80), 0.95)  # Newcombe 1998, table II
    >>> round(found.lower, 4), round(found.upper, 4)
    (0.0528, 0.3382)
    """
    _check(confidence)
    (x1, n1), (x2, n2) = treated, control
    for x, n in (treated, control):
        if not (0 <= x <= n < math.inf) or n < 1:
            raise ValueError(
                f"{x} successes of {n} units: must be between 0 and all, of at least 1"
            )
    p1, p2 = x1 / n1, x2 / n2
    estimate, z = p1 - p2, float(ndtri((1 + confidence) / 2))
    error = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)

    def score(d: float) -> float:
        if d == estimate:
            return 0.0
        spread = _score_error(p1, n1, p2, n2, d)
        return (estimate - d) / spread if spread > 0 else math.copysign(math.inf, estimate - d)

    def end(sign: int) -> float:
        edge = -sign * (1 - 1e-9)
        if sign * score(edge) < z:
            return float(-sign)
        return float(brentq(lambda d: sign * score(d) - z, edge, estimate, xtol=1e-10))

    if x1 + x2 in (0, n1 + n2):
        return Contrast(estimate, math.nan, end(1), end(-1), 1.0, confidence)
    p_value = 2 * float(stdtr(np.inf, -abs(score(0.0))))
    return Contrast(estimate, error, end(1), end(-1), p_value, confidence)


def ratio_by_bootstrap(
    rows: pd.DataFrame,
    unit: str,
    treated: Floats,
    numerator: Floats,
    denominator: Floats,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> Contrast:
    """Compare the ratios of two arms by drawing units with all their rows.

    Beside the delta method, for ratios whose denominators are few or uneven.

    Parameters
    ----------
    rows
        Any grain below the unit (sessions, orders), of the two arms; ``unit`` names its unit.
    treated
        1 for rows of the treatment, 0 for the control; constant within a unit.
    numerator, denominator
        Per row.
    n_bootstrap, confidence, seed
        Draws; the interval's level; what makes the draws the same again.

    """
    draws = ClusterBootstrap.of(rows[unit], n_bootstrap, seed)
    totals = np.stack(
        [arm * what for arm in (treated, 1 - treated) for what in (numerator, denominator)], axis=1
    )

    def statistic(weights: Floats) -> Floats:
        a, b, c, d = (weights @ totals).T
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(a / b - c / d, dtype=np.float64)

    estimate = float(draws.estimate(statistic))
    error = standard_error(draws.replicates(statistic))
    arms = [len(np.unique(draws.codes[treated == arm])) for arm in (0, 1)]
    lower, upper = error_interval(estimate, error, confidence, min(arms))
    p = 2 * float(stdtr(max(1, min(arms) - 1), -abs(estimate) / error))
    return Contrast(estimate, error, lower, upper, p, confidence)


def _score_error(p1: float, n1: int, p2: float, n2: int, d: float) -> float:
    """Error of the difference if it were ``d``: closed form of Farrington and Manning (1990)."""
    ratio = n2 / n1
    a = 1 + ratio
    b = -(1 + ratio + p1 + ratio * p2 + d * (ratio + 2))
    c = d * d + d * (2 * p1 + ratio + 1) + p1 + ratio * p2
    e = -p1 * d * (1 + d)
    v = b**3 / (27 * a**3) - b * c / (6 * a * a) + e / (2 * a)
    u = math.copysign(math.sqrt(max(0.0, b * b / (9 * a * a) - c / (3 * a))), v)
    angle = math.acos(min(1.0, max(-1.0, v / u**3))) if u else math.pi / 2
    q1 = min(1.0, max(0.0, 2 * u * math.cos((math.pi + angle) / 3) - b / (3 * a)))
    q2 = min(1.0, max(0.0, q1 - d))
    small = (n1 + n2) / (n1 + n2 - 1)
    return math.sqrt((q1 * (1 - q1) / n1 + q2 * (1 - q2) / n2) * small)


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence == {confidence}, must lie between 0 and 1")

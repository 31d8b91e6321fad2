"""How many units an experiment needs, how long it takes, and what it can see.

Decided before: the test, its level, the power, and the smallest effect worth acting on. Power of a
difference of means is exact for normal values (noncentral t; Cohen 1988); that of proportions is
the usual normal approximation (Fleiss 1981). An effect is always the absolute difference of the
treatment from the control.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtri, ncfdtr, ndtr, ndtri, stdtrit

from mkt_models.experiments.checks import check_finite, check_positive, check_share
from mkt_models.sections import nearest

# Beyond so many degrees of freedom Student's t is the normal distribution, to six digits.
MANY = 1e5
MOST_UNITS = 10**10


@dataclass(frozen=True)
class Need:
    """Units that an experiment needs.

    Attributes
    ----------
    per_arm
        units of each treatment arm
    control
        units of the control arm
    total
        all arms together
    level
        two-sided level of each comparison, after the correction for their number

    """

    per_arm: int
    control: int
    total: int
    level: float


def power_of_means(n: float, n_control: float, effect: float, sd: float, alpha: float) -> float:
    """Give the chance that a two-sided t test of two arms shows this difference.

    ``sd``: standard deviation within either arm, in the units of ``effect``.

    >>> round(power_of_means(20, 20, effect=1, sd=1, alpha=0.05), 3)  # as R's power.t.test
    0.869
    """
    check_share(alpha=alpha)
    check_finite(effect=effect, sd=sd, n=n, n_control=n_control)
    if sd <= 0 or min(n, n_control) < 2:
        raise ValueError(f"sd == {sd}, n == {n}, {n_control}: must be > 0 and at least 2 units")
    shift = abs(effect) / (sd * math.sqrt(1 / n + 1 / n_control))
    dof = n + n_control - 2
    if dof > MANY:
        z = float(ndtri(1 - alpha / 2))
        return float(ndtr(shift - z) + ndtr(-shift - z))
    t = float(stdtrit(dof, 1 - alpha / 2))
    missed = float(ncfdtr(1, dof, shift**2, t**2))  # the square of a noncentral t
    if math.isnan(missed):
        # Far out, where the series gives up: the mean over what the variance may turn out to be.
        nodes, weights = np.polynomial.legendre.leggauss(200)
        spread = np.sqrt(chdtri(dof, (1 + nodes) / 2) / dof)
        missed = float(weights @ ndtr(t * spread - shift)) / 2
    return 1 - missed


def power_of_proportions(
    n: float, n_control: float, share: float, effect: float, alpha: float
) -> float:
    """Give the chance that a two-sided z test shows ``share + effect`` beside ``share``.

    >>> round(power_of_proportions(50, 50, 0.5, 0.25, alpha=0.05), 3)  # as R's power.prop.test
    0.74
    """
    check_share(alpha=alpha)
    check_positive(n=n, n_control=n_control)
    other = share + effect
    if not (0 < share < 1 and 0 < other < 1):
        raise ValueError(f"share == {share}, with the effect {other:g}: must lie between 0 and 1")
    pooled = (n * other + n_control * share) / (n + n_control)
    null = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_control))
    error = math.sqrt(other * (1 - other) / n + share * (1 - share) / n_control)
    z = float(ndtri(1 - alpha / 2))
    return float(ndtr((abs(effect) - z * null) / error))


def units_for_means(
    effect: float,
    sd: float,
    alpha: float,
    power: float,
    *,
    treatments: int = 1,
    metrics: int = 1,
    control_per_arm: float = 1.0,
    correlation: float = 0.0,
) -> Need:
    """Give the units that show this difference of means with this power.

    Parameters
    ----------
    effect, sd
        Smallest difference worth acting on, and standard deviation within an arm, in one unit.
    alpha, power
        Two-sided level over all comparisons, and the chance to show the effect in each.
    treatments, metrics
        Treatment arms and primary metrics: the level is divided by their product (Bonferroni).
    control_per_arm
        Units of the control per unit of a treatment; with k treatments sqrt(k) is cheapest
        (Dunnett 1955).
    correlation
        Of the metric with what is known before: CUPED leaves 1 - correlation² of the variance.

    """
    check_positive(sd=sd)
    left = sd * math.sqrt(variance_left(correlation))
    return _need(
        lambda n, level: power_of_means(n, n * control_per_arm, effect, left, level),
        effect,
        alpha,
        power,
        (treatments, metrics, control_per_arm),
    )


def units_for_proportions(
    share: float,
    effect: float,
    alpha: float,
    power: float,
    *,
    treatments: int = 1,
    metrics: int = 1,
    control_per_arm: float = 1.0,
) -> Need:
    """Give the units that show ``share + effect`` beside the control's ``share``.

    The other arguments are those of :func:`units_for_means`.

    >>> units_for_proportions(0.20, 0.05, alpha=0.05, power=0.8).per_arm
    1094
    """
    return _need(
        lambda n, level: power_of_proportions(n, n * control_per_arm, share, effect, level),
        effect,
        alpha,
        power,
        (treatments, metrics, control_per_arm),
    )


def smallest_effect(
    kind: Literal["mean", "proportion"],
    n: float,
    n_control: float,
    alpha: float,
    power: float,
    *,
    sd: float | None = None,
    share: float | None = None,
    correlation: float = 0.0,
) -> float:
    """Give the minimum detectable effect of arms of this size: a rise, in the metric's unit.

    Needs ``sd`` for a mean and ``share`` (of the control) for a proportion. NaN where even the
    largest rise of the proportion would not be shown.
    """
    check_share(alpha=alpha, power=power)
    check_positive(n=n, n_control=n_control)
    if kind == "mean":
        if sd is None:
            raise ValueError("sd is missing: a mean needs the standard deviation within an arm")
        check_positive(sd=sd)
        left = sd * math.sqrt(variance_left(correlation))
        top = left * math.sqrt(1 / n + 1 / n_control) * 100
        return _solve(lambda d: power_of_means(n, n_control, d, left, alpha), power, top)
    if kind == "proportion":
        if share is None:
            raise ValueError("share is missing: a proportion needs that of the control arm")
        check_share(share=share)
        level = share
        top = (1 - level) * (1 - 1e-9)
        return _solve(
            lambda d: power_of_proportions(n, n_control, level, d, alpha) if d else 0.0, power, top
        )
    raise ValueError(f"kind == {kind!r}{nearest(kind, ['mean', 'proportion'])}")


def variance_left(correlation: float) -> float:
    """Share of the variance that CUPED leaves: 1 - correlation² (Deng et al. 2013).

    >>> variance_left(0.5)
    0.75
    """
    if not -1 < correlation < 1:
        raise ValueError(f"correlation == {correlation}, must lie between -1 and 1")
    return 1 - correlation**2


def days_needed(
    units: int, new_units: float | Sequence[float], whole_weeks: bool = True
) -> int | None:
    """Give the days until so many units have come; None when they never do.

    Parameters
    ----------
    units
        All arms together.
    new_units
        Units that come for the first time per day: one number, or one per day (customers come
        again, so the first days bring more new ones than the later; count each once). After the
        last day given nobody new comes.
    whole_weeks
        Round up to seven days: weekdays differ.

    >>> days_needed(2188, 150), days_needed(250, [100, 80, 60, 40])
    (21, 7)
    """
    check_positive(units=units)
    if isinstance(new_units, Sequence):
        total, days = 0.0, None
        for day, new in enumerate(new_units, start=1):
            if not new >= 0:
                raise ValueError(f"new_units: day {day} has {new}, must be >= 0")
            total += new
            if total >= units:
                days = day
                break
        if days is None:
            return None
    elif new_units <= 0:
        return None
    else:
        check_finite(new_units=new_units)
        days = math.ceil(units / new_units)
    return math.ceil(days / 7) * 7 if whole_weeks else days


def _need(
    powered: Callable[[float, float], float],
    effect: float,
    alpha: float,
    power: float,
    design: tuple[int, int, float],
) -> Need:
    treatments, metrics, control_per_arm = design
    check_share(alpha=alpha, power=power)
    check_finite(effect=effect)
    if effect == 0:
        raise ValueError(
            "effect == 0: no number of units shows nothing; say what is worth acting on"
        )
    check_positive(control_per_arm=control_per_arm)
    if treatments < 1 or metrics < 1 or control_per_arm <= 0:
        raise ValueError(
            f"treatments == {treatments}, metrics == {metrics}, control_per_arm == "
            f"{control_per_arm}: must be at least 1, 1 and above 0"
        )
    level = alpha / (treatments * metrics)
    low, high = math.ceil(max(2, 2 / control_per_arm)) - 1, 4
    while powered(max(high, low + 1), level) < power:
        low, high = high, high * 2
        if high > MOST_UNITS:
            raise ValueError(f"effect == {effect:g} needs more than {MOST_UNITS:,} units per arm")
    high = max(high, low + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if powered(middle, level) >= power else (middle, high)
    control = math.ceil(high * control_per_arm)
    return Need(high, control, high * treatments + control, level)


def _solve(powered: Callable[[float], float], power: float, top: float) -> float:
    if powered(top) < power:
        return math.nan
    low, high = 0.0, top
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if powered(middle) >= power else (middle, high)
    return high

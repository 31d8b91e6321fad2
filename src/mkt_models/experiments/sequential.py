"""Intervals and p-values that hold at every look: look as often as you like, stop when you like.

An asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, "Time-
uniform central limit theory and asymptotic confidence sequences"; the normal mixture of Robbins
1970). At n units an estimate with standard error e has the interval

    estimate -+ e sqrt((m + 1) / m * log((m + 1) / alpha²)),   m = n rho²,

and the chance that it *ever* leaves out the truth is at most alpha, from a first look with enough
units on. It is the mixture sequential probability ratio test (Johari, Pekelis and Walsh 2022)
turned round, whose p-value is the smallest 1 / ratio so far. The price: at its tightest an interval
is about half as wide again as one for a single look. "Asymptotic" means that skewed values break it
at early looks; an exact test that nothing happened (``exact_sequence``) stands beside it then.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd
from scipy.special import lambertw, ndtri

from mkt_models.experiments.checks import check_positive, check_share
from mkt_models.experiments.fixed_horizon import Contrast


@dataclass(frozen=True)
class Look:
    """An estimate at one look.

    Attributes
    ----------
    at
        when (a day, a time or a count), in order
    n
        units of the arms compared, together
    contrast
        the comparison as for a single look

    """

    at: Hashable
    n: int
    contrast: Contrast


def mixture(units: float, alpha: float) -> float:
    """Give rho², which makes the sequence tightest at so many units.

    The minimum over m of the width: -W(-alpha² / e) - 1, with Lambert's W on its lower branch.
    Choose the units before any data is seen.

    >>> round(mixture(1, 0.05), 3)
    8.212
    """
    check_positive(units=units)
    check_share(alpha=alpha)
    return float(-lambertw(-(alpha**2) / math.e, -1).real - 1) / units


def reach_of(n: float, rho2: float, alpha: float) -> float:
    """Give the standard errors that the interval reaches out at ``n`` units.

    >>> rho2 = mixture(1000, 0.05)
    >>> [round(reach_of(n, rho2, 0.05), 2) for n in (10, 100, 1000, 10_000, 100_000)]
    [8.94, 3.82, 3.04, 3.25, 3.57]
    """
    check_positive(n=n, rho2=rho2)
    check_share(alpha=alpha)
    m = n * rho2
    return math.sqrt((m + 1) / m * math.log((m + 1) / alpha**2))


def inflation(alpha: float, power: float) -> float:
    """Give the units that a sequence needs over those of a single look, for the same power.

    Where it is tightest at the last look. It is an upper bound: an effect that is shown at an
    earlier look counts too.

    >>> round(inflation(0.05, 0.8), 2)
    1.91
    """
    check_share(power=power)
    more = float(ndtri(power))
    reach, single = reach_of(1, mixture(1, alpha), alpha), float(ndtri(1 - alpha / 2))
    return ((reach + more) / (single + more)) ** 2


def p_at(z: float, n: float, rho2: float) -> float:
    """Give 1 over the mixture likelihood ratio at one look, at most 1; z in standard errors."""
    check_positive(n=n, rho2=rho2)
    m = n * rho2
    return min(1.0, math.exp(min(0.0, 0.5 * math.log(m + 1) - 0.5 * z * z * m / (m + 1))))


def confidence_sequence(
    looks: Sequence[Look], rho2: float, alpha: float, exact: Sequence[float] | None = None
) -> pd.DataFrame:
    """One row per look: the interval that holds at all looks, beside that of a single look.

    Parameters
    ----------
    looks
        In their order; n must not fall.
    rho2
        Of :func:`mixture`, chosen before.
    alpha
        Chance that any of the intervals leaves out the truth.
    exact
        p-value, of each look, of a test that nothing happened: a look claims an effect only if
        this does too, and its interval reaches 0 otherwise.

    Returns
    -------
    DataFrame
        at, n, estimate, error; ``lower``, ``upper``; ``p_value`` (always valid: the smallest so
        far); ``fixed_lower``, ``fixed_upper``, ``fixed_p`` (as if this look were the only one:
        not to be stopped by); level; ``exact_p`` (as given; 0 without)

    """
    rows, smallest, before = [], 1.0, 0
    for look, exact_p in zip(looks, exact or [0.0] * len(looks), strict=True):
        if look.n < before:
            raise ValueError(f"looks: n falls from {before:,} to {look.n:,} at {look.at}")
        before, one = look.n, look.contrast
        row: dict[Hashable, object] = {"at": look.at, "n": look.n, "estimate": one.estimate}
        reach = math.nan
        if math.isfinite(one.error) and one.error > 0:
            reach = reach_of(look.n, rho2, alpha) * one.error
            asymptotic = p_at(one.estimate / one.error, look.n, rho2)
            smallest = min(smallest, max(asymptotic, exact_p))
        lower, upper = one.estimate - reach, one.estimate + reach
        if exact_p > alpha:
            lower, upper = min(lower, 0.0), max(upper, 0.0)
        row |= {"error": one.error, "lower": lower, "upper": upper}
        row |= {"p_value": smallest, "fixed_lower": one.lower, "fixed_upper": one.upper}
        rows.append(row | {"fixed_p": one.p_value, "level": 1 - alpha, "exact_p": exact_p})
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "at",
    "n",
    "estimate",
    "error",
    "lower",
    "upper",
    "p_value",
    "fixed_lower",
    "fixed_upper",
    "fixed_p",
    "level",
    "exact_p",
]

"""A few looks that are planned: boundaries after O'Brien and Fleming by alpha spending.

For experiments with, say, one look a week these are narrower than a confidence sequence: at the
last look hardly wider than a single one. In return the looks are counted beforehand (Lan and DeMets
1983).
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments.checks import check_finite, check_share

# Points of Gauss and Legendre's rule over the region that goes on.
POINTS = 201
# A boundary beyond so many standard errors is never crossed.
FAR = 12.0


def spent(fraction: float, alpha: float) -> float:
    """Give the part of a two-sided alpha that is spent by a fraction of the units.

    >>> round(spent(0.5, 0.05), 4), round(spent(1.0, 0.05), 4)
    (0.0031, 0.05)
    """
    check_share(alpha=alpha)
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction == {fraction}: must be above 0 and at most 1")
    return float(4 * ndtr(-ndtri(1 - alpha / 4) / math.sqrt(fraction)))


def boundaries(fractions: Sequence[float], alpha: float) -> list[float]:
    """Give the standard errors from 0 at which each look claims an effect, two-sided.

    Parameters
    ----------
    fractions
        Units at each look over those of the last, rising, the last one 1.
    alpha
        Chance of any false claim over all looks.

    >>> [round(bound, 3) for bound in boundaries([0.2, 0.4, 0.6, 0.8, 1.0], 0.05)]
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    steps = np.diff([0.0, *fractions])
    if not len(steps) or not (steps > 0).all() or abs(fractions[-1] - 1) > 1e-9:
        raise ValueError(f"fractions == {list(fractions)}: must rise from above 0 to 1")
    check_share(alpha=alpha)
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    # Density of the Brownian motion of those that went on, at points with their weights.
    at, mass = np.zeros(1), np.ones(1)
    found: list[float] = []
    before = 0.0
    for fraction, step in zip(fractions, steps, strict=True):
        left, root = spent(fraction, alpha) - before, math.sqrt(step)

        def beyond(edge: float, at: Floats = at, mass: Floats = mass, root: float = root) -> float:
            both = ndtr((at - edge) / root) + ndtr((-edge - at) / root)
            return float((both * mass).sum())

        far = FAR * math.sqrt(fraction)
        if beyond(far) >= left:
            edge = far
        else:
            edge = float(brentq(lambda e: beyond(e) - left, 0.0, far, xtol=1e-10))  # noqa: B023
        found.append(edge / math.sqrt(fraction))
        before += beyond(edge)
        points = edge * nodes
        kernel = np.exp(-0.5 * ((points[:, None] - at) / root) ** 2) / (root * math.sqrt(math.tau))
        at, mass = points, (kernel @ mass) * edge * weights
    return found


def z_value(p_value: float, estimate: float) -> float:
    """Give the standard errors from 0 that a two-sided p-value amounts to, with its sign.

    So that a look may be held against :func:`boundaries` whatever its test was: with values too
    skewed for a t test, that of ``randomisation``.

    >>> round(z_value(0.05, -2.3), 2)
    -1.96
    """
    check_finite(estimate=estimate)
    if not 0 < p_value <= 1:
        raise ValueError(f"p_value == {p_value}, must be above 0 and at most 1")
    return math.copysign(float(-ndtri(p_value / 2)), estimate)

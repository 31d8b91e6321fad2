"""Many comparisons: p-values that hold for all of them together.

Holm (1979) bounds the chance of any false claim, Benjamini and Hochberg (1995) the expected share
of false ones among those that are made. The first is for the primary metrics of all arms, on which
a decision rests; the second for secondary ones, which explain it.
"""

import numpy as np
from scipy.stats import false_discovery_control

from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments.checks import check_positive, check_share


def holm(p_values: Floats) -> Floats:
    """Give Holm's adjusted p-values, in the given order; NaN stays and counts as no comparison.

    >>> holm(np.array([0.01, 0.04, 0.03, 0.005]))
    array([0.03, 0.06, 0.06, 0.02])
    """
    p, known = _read(p_values)
    order = np.argsort(p[known], kind="stable")
    m = len(order)
    stepped = np.maximum.accumulate(p[known][order] * (m - np.arange(m)))
    adjusted = np.full(len(p), np.nan)
    adjusted[np.flatnonzero(known)[order]] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Give q-values of Benjamini and Hochberg, in the given order; NaN stays and does not count.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005])).round(4)
    array([0.02, 0.04, 0.04, 0.02])
    """
    p, known = _read(p_values)
    adjusted = np.full(len(p), np.nan)
    if known.any():
        adjusted[known] = false_discovery_control(p[known], method="bh")
    return adjusted


def level_for(n_comparisons: int, alpha: float) -> float:
    """Confidence of each interval so that all hold together at ``1 - alpha`` (Bonferroni).

    Holm's steps have no intervals of their own; these are a little wider, so that Holm's may show
    an effect whose interval still touches 0.

    >>> level_for(5, 0.05)
    0.99
    """
    check_positive(n_comparisons=n_comparisons)
    check_share(alpha=alpha)
    return 1 - alpha / n_comparisons


def selected_level(q_values: Floats, alpha: float) -> float:
    """Confidence of intervals that agree with Benjamini and Hochberg's choice.

    1 - R alpha / m for the R of m that are chosen (Benjamini and Yekutieli 2005), so that an
    interval leaves out 0 exactly where its q-value is at most ``alpha``; with none chosen R is 1.
    """
    known = q_values[np.isfinite(q_values)]
    if not len(known):
        return 1 - alpha
    chosen = max(1, int((known <= alpha).sum()))
    return 1 - alpha * chosen / len(known)


def _read(p_values: Floats) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise ValueError("p_values: must lie between 0 and 1")
    return p, known

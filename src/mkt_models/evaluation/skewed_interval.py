"""The interval of a mean whose parts are skewed: a few customers bring most of it.

Of rare and large rewards the mean and its standard error go together: a log that saw none of the
largest has too low a mean and too small an error, so that the symmetric interval ends below the
truth far more often than above. Hall's transformation takes the skewness out of the studentised
mean (Hall 1992, "On the removal of skewness by transformation"), which makes the side longer where
the large ones lie, and the quantile is Student's of the degrees of freedom that the parts
themselves tell (Satterthwaite 1946): the fewer of them make up the spread, the wider.
"""

import numpy as np

from mkt_models.evaluation.bootstrap import critical
from mkt_models.evaluation.inputs import Floats

# Below this skewness of the mean the transformation is the identity, to rounding.
_STRAIGHT = 1e-6


def skewed_interval(
    estimate: float, sums: Floats, n: float, confidence: float
) -> tuple[float, float]:
    """Give the ends of the interval of an estimate from what each customer adds to it.

    Parameters
    ----------
    estimate
        The estimate, such as a mean reward per decision.
    sums
        What each customer adds beyond their share (influence), in the estimate's unit times
        decisions; they sum to about 0.
    n
        Number of decisions.
    confidence
        Level of the interval.

    Returns
    -------
    Both ends; NaN where nothing varies, which is no certainty.

    >>> even = np.tile([-1.0, 1.0], 5000)
    >>> [round(end, 4) for end in skewed_interval(0.0, even, 10_000, 0.95)]
    [-0.0196, 0.0196]

    Ten events in a thousand, of which the exact interval is 4.8 to 18.4 (Garwood 1936):

    >>> few = np.repeat([-1.0, 99.0], [990, 10])
    >>> [round(10 * end, 1) for end in skewed_interval(1.0, few, 1000, 0.95)]
    [4.6, 19.3]

    """
    reach = critical((1 + confidence) / 2, degrees(sums) + 1)
    customers, squares = len(sums), float(sums @ sums)
    if customers < 2 or not np.isfinite(estimate):
        return np.nan, np.nan
    error = float(np.sqrt(customers / (customers - 1) * squares)) / n
    if error < 1e-12:
        return np.nan, np.nan
    # Third moment over error, both of the mean: skewness over the root of the customers.
    skew = float((sums * sums) @ sums) / squares**1.5
    lower, upper = (
        estimate - error * _back(quantile, skew, customers) for quantile in (reach, -reach)
    )
    return lower, upper


def degrees(sums: Floats) -> float:
    """Degrees of freedom of the spread of these parts: 2 / squared relative error of the variance.

    That of normal parts is about their number; of parts of which k are alike and all others 0, 2k.

    >>> round(degrees(np.repeat([-1.0, 99.0], [990, 10])), 1)
    20.6
    """
    squared = sums * sums
    squares = float(squared.sum())
    if squares <= 0:
        return 1.0
    spread = float(squared @ squared) / squares**2 - 1 / len(sums)
    return max(1.0, 2 / spread) if spread > 1e-12 else 1e12


def _back(quantile: float, skew: float, customers: int) -> float:
    """Give the studentised mean whose transform is this quantile (Hall's equation, inverted)."""
    if abs(skew) < _STRAIGHT:
        return quantile
    return float(3 / skew * (np.cbrt(1 + skew * (quantile - skew / 6)) - 1))

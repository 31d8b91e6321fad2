"""Intervals: the cluster bootstrap by customer, and Wilson's interval of a share.

One customer gives several rows (one per cutoff or campaign), and these are alike; so customers are
drawn, not rows. A draw is a vector of counts, one per customer, which weighs that customer's rows;
a statistic is a function of such weights, so that the estimate (all weights one) and its
replicates come from the same code, and several models that are weighed by one draw are paired.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from mkt_models.evaluation.inputs import Floats

# Weights (draws x rows) to one or more numbers per draw (draws x ...).
Statistic = Callable[[Floats], Floats]

# Weights held at once, as numbers: more draws than fit are made in blocks.
BLOCK = 1_000_000

# An interval is not given when more than this share of its replicates is undefined.
MAX_UNDEFINED = 0.01


@dataclass(frozen=True)
class ClusterBootstrap:
    """Draws of customers with replacement, the same draws at every call.

    Attributes
    ----------
    codes
        customer of every row, as a number from 0 to ``n_clusters - 1``
    n_clusters
        number of customers
    n_bootstrap
        number of draws
    seed
        seed of the draws

    """

    codes: npt.NDArray[np.intp]
    n_clusters: int
    n_bootstrap: int
    seed: int

    @classmethod
    def of(cls, customers: pd.Series, n_bootstrap: int, seed: int) -> "ClusterBootstrap":
        """Prepare draws of the customers of these rows; the order of rows does not matter."""
        if n_bootstrap <= 0:
            raise ValueError(f"n_bootstrap == {n_bootstrap}, must be > 0")
        codes, known = pd.factorize(customers, sort=True)
        return cls(codes, len(known), n_bootstrap, seed)

    def weights(self) -> Iterator[Floats]:
        """Blocks of draws: how often each row counts; every draw sums up to all customers."""
        rng = np.random.default_rng(self.seed)
        even = np.full(self.n_clusters, 1 / self.n_clusters)
        block = max(1, BLOCK // max(1, len(self.codes)))
        for start in range(0, self.n_bootstrap, block):
            size = min(block, self.n_bootstrap - start)
            counts = rng.multinomial(self.n_clusters, even, size=size).astype(np.float64)
            yield np.take(counts, self.codes, axis=1)

    def estimate(self, statistic: Statistic) -> Floats:
        """Give the statistic of the data as they are: every row counts once."""
        return np.asarray(statistic(np.ones((1, len(self.codes))))[0], dtype=np.float64)

    def replicates(self, statistic: Statistic) -> Floats:
        """Give the statistic of every draw: draws x whatever the statistic gives per draw."""
        return np.concatenate([statistic(weights) for weights in self.weights()])


def percentile_interval(replicates: Floats, confidence: float) -> tuple[float, float]:
    """Give the percentile interval of one statistic's replicates.

    Undefined replicates (NaN) are left out; with more than one in a hundred of them, both ends
    are NaN.

    >>> percentile_interval(np.arange(101.0), 0.5)
    (25.0, 75.0)
    """
    _check(confidence)
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < (1 - MAX_UNDEFINED) * len(replicates) or not len(defined):
        return np.nan, np.nan
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(defined, [tail, 1 - tail])
    return float(lower), float(upper)


def error_interval(
    estimate: float,
    error: float,
    confidence: float,
    n_clusters: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float]:
    """Give estimate -+ :func:`critical` times its standard error, kept inside ``bounds``.

    For levels so high that the percentiles of the replicates at hand do not resolve them. Both
    ends are NaN without a standard error: no spread was measured, which is not certainty.
    """
    if not (np.isfinite(error) and np.isfinite(estimate)):
        _check(confidence)
        return np.nan, np.nan
    reach = critical((1 + confidence) / 2, n_clusters) * error
    return max(bounds[0], estimate - reach), min(bounds[1], estimate + reach)


def critical(probability: float, n_clusters: float) -> float:
    """Give the quantile of Student's t with ``n_clusters - 1`` degrees of freedom.

    The error of a small group is itself uncertain, and far out in the tails, where corrections for
    many comparisons look, the normal distribution forgets that.

    >>> round(critical(0.975, 10), 3), round(critical(0.975, 1e9), 3)
    (2.262, 1.96)
    """
    _check(probability)
    return float(stdtrit(max(1.0, n_clusters - 1), probability))


def standard_error(replicates: Floats) -> float:
    """Give the standard deviation of one statistic's replicates.

    NaN when more than one in a hundred is undefined, or when all are alike: no spread was measured.

    >>> standard_error(np.array([1.0, 2.0, 3.0]))
    1.0
    """
    defined = replicates[np.isfinite(replicates)]
    if len(defined) < (1 - MAX_UNDEFINED) * len(replicates) or len(defined) < 2:
        return np.nan
    error = float(defined.std(ddof=1))
    return error if error >= 1e-12 else np.nan


def wilson_interval(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Give Wilson's score interval of a share among ``n`` independent units (Wilson 1927).

    >>> [round(end, 4) for end in wilson_interval(0.1, 100, 0.95)]
    [0.0552, 0.1744]
    """
    _check(confidence)
    if n <= 0:
        return np.nan, np.nan
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def _check(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence == {confidence}, must lie between 0 and 1")

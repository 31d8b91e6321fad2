"""The difference of two figures, each with its interval, when no more is known of them.

What a model was promised to do stands on its card as a figure with an interval; the rows behind it
may be long gone. MOVER, the method of variance estimates recovery (Zou and Donner 2008), gives the
interval of the difference from the two intervals, and keeps their asymmetry; of two shares with
Wilson's intervals it is Newcombe's method 10 (1998). It takes the two figures as independent. Of
customers who stand in both periods they are alike, so that the interval is too wide rather than too
short: fewer false alarms than promised, and later ones.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from mkt_models.evaluation.bootstrap import wilson_interval


@dataclass(frozen=True)
class Figure:
    """A number with its interval at ``confidence``; NaN where it is not known.

    ``n`` is the number of rows, or of customers, that it rests on.
    """

    value: float
    lower: float
    upper: float
    n: int
    confidence: float = 0.95

    @classmethod
    def of_share(cls, count: int, n: int, confidence: float) -> "Figure":
        """Give the share ``count / n`` of independent units with Wilson's interval."""
        if not 0 <= count <= n:
            raise ValueError(f"count == {count}, must be from 0 to n == {n}")
        share = count / n if n else np.nan
        lower, upper = wilson_interval(share, n, confidence)
        return cls(share, lower, upper, n, confidence)

    @classmethod
    def of_clustered_share(cls, counts: ArrayLike, sizes: ArrayLike, confidence: float) -> "Figure":
        """Give a share of rows that come in clusters, such as the contacts of each customer.

        Wilson's interval on the effective sample size: that of the ratio's variance between
        clusters, at most the rows (Dean and Pagano 2015, J. Survey Stat. Methodol. 3). Where the
        share is 0 or 1 and there is no variance, as many as there are clusters.

        Parameters
        ----------
        counts, sizes
            by cluster: the rows that count, and all of them (at least 1)
        confidence
            level of the interval

        >>> Figure.of_clustered_share([1, 0] * 50, [1] * 100, 0.95).words()  # all alone: nearly n
        '0.500 [0.403, 0.597], n = 100'
        >>> Figure.of_clustered_share([5, 0] * 10, [5] * 20, 0.95).words()  # 20 who are all or none
        '0.500 [0.295, 0.705], n = 100'
        """
        counted, rows = np.asarray(counts, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
        if ((counted < 0) | (counted > rows) | (rows < 1)).any():
            raise ValueError("counts: each must be from 0 to its size, and each size at least 1")
        n, clusters = rows.sum(), len(rows)
        if clusters < 2:
            return cls(counted.sum() / n if n else np.nan, np.nan, np.nan, int(n), confidence)
        share = float(counted.sum() / n)
        variance = clusters / (clusters - 1) * ((counted - share * rows) ** 2).sum() / n**2
        effective = float(clusters)
        if 0 < share < 1:
            effective = min(n, share * (1 - share) / variance) if variance > 0 else float(n)
        lower, upper = wilson_interval(share, effective, confidence)
        return cls(share, lower, upper, int(n), confidence)

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite([self.value, self.lower, self.upper]).all())

    def at(self, confidence: float) -> "Figure":
        """The same figure at another level, as far as its ends are those of a normal one.

        >>> Figure(0.8, 0.7, 0.9, 100).at(0.99).lower.__round__(3)
        0.669
        """
        normal = NormalDist()
        factor = normal.inv_cdf((1 + confidence) / 2) / normal.inv_cdf((1 + self.confidence) / 2)
        lower, upper = (
            self.value + factor * (end - self.value) for end in (self.lower, self.upper)
        )
        return Figure(self.value, lower, upper, self.n, confidence)

    def words(self, digits: int = 3) -> str:
        """The figure for readers.

        >>> Figure(0.8, 0.7, 0.9, 1200).words()
        '0.800 [0.700, 0.900], n = 1,200'
        """
        if not np.isfinite(self.value):
            return "not available"
        ends = f"[{self.lower:,.{digits}f}, {self.upper:,.{digits}f}]" if self.known else "[?]"
        return f"{self.value:,.{digits}f} {ends}, n = {self.n:,}"


def change(before: Figure, now: Figure, confidence: float) -> Figure:
    """Give ``now`` minus ``before`` with its interval (MOVER); ``n`` is that of the smaller.

    >>> gap = change(Figure.of_share(56, 70, 0.95), Figure.of_share(48, 80, 0.95), 0.95)
    >>> round(gap.value, 4), round(gap.lower, 4), round(gap.upper, 4)  # Newcombe 1998, method 10
    (-0.2, -0.3339, -0.0524)
    """
    before, now = before.at(confidence), now.at(confidence)
    value = now.value - before.value
    down = np.hypot(now.value - now.lower, before.upper - before.value)
    up = np.hypot(now.upper - now.value, before.value - before.lower)
    n = min(before.n, now.n)
    return Figure(value, float(value - down), float(value + up), n, confidence)

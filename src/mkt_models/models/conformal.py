"""Prediction intervals: between which amounts a customer's own spend will lie, so often.

A prediction is a mean; what one customer spends lies far around it. The intervals are split
conformal (Vovk, Gammerman, Shafer 2005), one set per bin of the prediction (Mondrian), on the
ratio of what came to what was predicted for customers whom the model had not seen. With rows that
are exchangeable, about the share that is said lies within, in every bin. Time is not
exchangeable: ``evaluation.curves.coverage_table`` counts how often they held at later cutoffs.

It needs numpy only, so that the service can hold it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MOST_BINS = 10
BIN_ROWS = 200  # below, the ends of a bin are those of a few customers


class FewRowsError(ValueError):
    """Too few rows for intervals of the confidence."""


@dataclass(frozen=True)
class PredictionIntervals:
    """Factors around a predicted amount, by how large it is.

    Parameters
    ----------
    edges
        Predictions that part the bins, rising; a prediction at an edge belongs to the bin above.
    low, high
        Per bin, one more than edges: what a prediction is multiplied by for each end.
    confidence
        Share of customers whose amount lies within, e.g. 0.8.
    rows
        Predictions that they were fitted on.

    Raises
    ------
    ValueError
        When the parts do not fit each other or a number is not finite.

    """

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    confidence: float
    rows: int

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other."""
        if not len(self.edges) + 1 == len(self.low) == len(self.high):
            raise ValueError(
                f"{len(self.edges)} edges for {len(self.low)} and {len(self.high)} ends"
            )
        numbers = (*self.edges, *self.low, *self.high)
        if not all(map(math.isfinite, numbers)) or min((*self.low, *self.high)) < 0:
            raise ValueError("edges and ends must be finite, and ends >= 0")
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges must rise")
        if any(a > b for a, b in zip(self.low, self.high, strict=True)):
            raise ValueError("the lower end of a bin is above its upper end")
        _require_confidence(self.confidence)

    def around(self, predicted: npt.ArrayLike) -> tuple[Array, Array]:
        """Lower and upper end for every prediction, in its unit; ValueError for one below 0.

        >>> halves = PredictionIntervals((100.0,), (0.0, 0.5), (3.0, 1.5), 0.8, 400)
        >>> halves.around([10.0, 100.0])
        (array([ 0., 50.]), array([ 30., 150.]))
        """
        values = np.asarray(predicted, dtype=np.float64)
        if not (values >= 0).all():
            raise ValueError(
                f"predictions must be amounts of 0 or more, has {values[~(values >= 0)][0]:g}"
            )
        bins = np.searchsorted(self.edges, values, side="right")
        return values * np.asarray(self.low)[bins], values * np.asarray(self.high)[bins]

    def as_dict(self) -> dict[str, Any]:
        """Plain data that :meth:`from_dict` reads back."""
        return {
            "edges": list(self.edges),
            "low": list(self.low),
            "high": list(self.high),
            "confidence": self.confidence,
            "rows": self.rows,
        }

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> Self:
        """Make it again from :meth:`as_dict`; KeyError or ValueError for anything else."""
        return cls(
            edges=tuple(float(edge) for edge in parts["edges"]),
            low=tuple(float(end) for end in parts["low"]),
            high=tuple(float(end) for end in parts["high"]),
            confidence=float(parts["confidence"]),
            rows=int(parts["rows"]),
        )


def fit_intervals(
    predicted: npt.ArrayLike, target: npt.ArrayLike, confidence: float
) -> PredictionIntervals:
    """Learn intervals from predictions for rows that the model had not seen.

    Parameters
    ----------
    predicted, target
        Per row what was predicted, above 0, and what came, 0 or more, in one unit.
    confidence
        Share of rows that lie within, between 0 and 1.

    Raises
    ------
    FewRowsError
        When there are fewer rows than ``2 / (1 - confidence)``: an end would be infinite.
    ValueError
        When numbers are not finite or out of range, or differ in count.

    """
    _require_confidence(confidence)
    scores = np.asarray(predicted, dtype=np.float64)
    came = np.asarray(target, dtype=np.float64)
    if scores.ndim != 1 or scores.shape != came.shape:
        raise ValueError(f"{scores.shape} predictions for {came.shape} targets")
    if not (np.isfinite(scores).all() and np.isfinite(came).all()):
        raise ValueError("predictions and targets must be finite")
    if (scores <= 0).any() or (came < 0).any():
        raise ValueError("predictions must be > 0 and targets >= 0")
    tail = (1 - confidence) / 2
    least = math.ceil(1 / tail - 1e-9) - 1
    if len(scores) < max(least, 1):
        raise FewRowsError(
            f"{len(scores)} rows are too few for intervals of {confidence:.0%}: needs {least}"
        )
    number = min(MOST_BINS, max(1, len(scores) // max(BIN_ROWS, least)))
    cuts = np.quantile(scores, np.arange(1, number) / number, method="higher")
    edges = np.unique(cuts)
    bins = np.searchsorted(edges, scores, side="right")
    if np.bincount(bins, minlength=len(edges) + 1).min() < least:
        edges, bins = edges[:0], np.zeros(len(scores), dtype=np.intp)  # many equal predictions
    ratios = came / scores
    ends = np.array([_ends(ratios[bins == i], tail) for i in range(len(edges) + 1)])
    return PredictionIntervals(
        tuple(map(float, edges)),
        tuple(map(float, ends[:, 0])),
        tuple(map(float, ends[:, 1])),
        confidence,
        len(scores),
    )


def _ends(ratios: Array, tail: float) -> tuple[float, float]:
    """The ratios that a new one passes with probability ``tail`` at most, on each side.

    Nobody lies below nothing: where the lower end is 0, both tails are above.
    """
    n, ordered = len(ratios), np.sort(ratios)
    low = float(ordered[_beyond(n, tail) - 1])
    return low, float(ordered[n - _beyond(n, tail if low > 0 else 2 * tail)])


def _beyond(n: int, tail: float) -> int:
    """How many of ``n + 1`` equally likely places lie beyond an end."""
    return math.floor(tail * (n + 1) + 1e-9)


def _require_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence == {confidence}, must be between 0 and 1")

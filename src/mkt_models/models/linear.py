"""The linear part of a model: a weighted sum of log features, additive by construction.

It needs numpy only, so that the service can hold it; :mod:`mkt_models.models.regression` fits it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linear:
    """A margin: ``base + sum of weight x (log feature - centre)``, one weight per feature.

    Parameters
    ----------
    weights
        Per feature, on the scale of :func:`log_features`.
    centres
        Mean of each log feature over the training rows; ``base`` is the margin of that mean row.

    Raises
    ------
    ValueError
        When weights and centres differ in number, or a number is not finite.

    """

    weights: tuple[float, ...]
    centres: tuple[float, ...]
    base: float

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other."""
        if len(self.weights) != len(self.centres):
            raise ValueError(f"{len(self.weights)} weights for {len(self.centres)} centres")
        if not all(map(math.isfinite, (*self.weights, *self.centres, self.base))):
            raise ValueError("weights, centres and base must be finite")

    def margin(self, table: Floats) -> Array:
        """Give the margin of every row of a table: n rows x features in, n numbers out."""
        return np.asarray(self.base + self._moved(table) @ np.asarray(self.weights))

    def contributions(self, table: Floats) -> Array:
        """What every feature adds to each row's margin: n rows x (features + 1), the base last.

        These are the Shapley values of a linear model with independent features (Lundberg, Lee
        2017): the weight times the distance from the mean.
        """
        parts = self._moved(table) * np.asarray(self.weights)
        return np.column_stack([parts, np.full(len(parts), self.base)])

    def as_dict(self) -> dict[str, Any]:
        """Give plain numbers, for JSON."""
        return {"weights": [*self.weights], "centres": [*self.centres], "base": self.base}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_dict` gave; KeyError for a part that lacks."""
        weights, centres = parts["weights"], parts["centres"]
        return cls(_numbers(weights), _numbers(centres), float(parts["base"]))

    def _moved(self, table: Floats) -> Array:
        moved: Array = log_features(table) - np.asarray(self.centres, dtype=np.float64)
        return moved


def log_features(table: npt.ArrayLike) -> Array:
    """Take log(1 + x) of every number; below zero counts as zero, and missing is -1.

    Counts and amounts of customers are skewed: on this scale a regression sees ratios.

    >>> log_features([[0.0, np.e - 1, np.nan]])
    array([[ 0.,  1., -1.]])
    """
    logs = np.log1p(np.maximum(np.asarray(table, dtype=np.float64), 0.0))
    return np.where(np.isnan(logs), -1.0, logs)


def _numbers(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)

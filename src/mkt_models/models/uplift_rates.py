"""Uplift as a ratio: by what a contact multiplies what would come without it.

Who buys often gains more orders by the same message than who buys seldom, so the difference that a
contact makes varies with all that drives purchases; the ratio varies less, and is learnt from less
noise. The rate learner puts both together again::

    uplift = m1 - m0, m1 = ratio x m0, (m1 + m0) / 2 = m

``m``, what is expected in the middle of the arms, is learnt over folds of customers, each row
weighted by one over twice the probability of its arm. Given ``m``, the logarithm of the ratio
``g`` is what makes ``E[y | contact] = 2 m s(g)`` and ``E[y | none] = 2 m (1 - s(g))``, ``s`` the
logistic function, most likely under Poisson, whose estimates need a true mean, not counts
(Gourieroux, Monfort and Trognon 1984, Econometrica 52). The slope of ``g`` has the mean 0 over the
arms, so that errors of ``m`` hardly move it: the R-learner of Nie and Wager (2021, Biometrika 108)
for ratios, as in Yadlowsky and others (2021, Journal of the American Statistical Association 116).

Of an amount, the ratio of the number of orders is learnt too where the rows tell it: it has less
noise, but misses what an order brings more or less. The mean of both logarithms is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from sklearn.model_selection import GroupKFold

from mkt_models.uplift_params import Uplift

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

FEWEST = 1e-6  # of the mean response: less is not expected of anybody


@dataclass(frozen=True)
class Contrast:
    """Trees of the logarithm of a ratio, around that of everybody."""

    everybody: float
    booster: xgb.Booster

    def of(self, matrix: Matrix) -> Array:
        """Give the logarithm of the ratio, per row."""
        return self.everybody + np.asarray(self.booster.inplace_predict(matrix), dtype=np.float64)


@dataclass(frozen=True)
class Rates:
    """The response in the middle of the arms, and by what a contact multiplies it."""

    features: tuple[str, ...]
    level: xgb.Booster
    mean: float
    contrasts: tuple[Contrast, ...]

    def both(self, rows: pd.DataFrame) -> tuple[Array, Array]:
        """Predict the response with contact, and without."""
        matrix = rows[list(self.features)].to_numpy(dtype=np.float32)
        twice = 2 * self.mean * np.asarray(self.level.inplace_predict(matrix), dtype=np.float64)
        share = _logistic(self._log_ratio(matrix))
        return twice * share, twice * (1 - share)

    def uplift(self, rows: pd.DataFrame) -> Array:
        """Predict the difference of the arms."""
        contacted, withheld = self.both(rows)
        return contacted - withheld

    def ratio(self, rows: pd.DataFrame) -> Array:
        """Predict by what a contact multiplies the response."""
        return np.exp(self._log_ratio(rows[list(self.features)].to_numpy(dtype=np.float32)))

    def _log_ratio(self, matrix: Matrix) -> Array:
        return np.asarray(np.mean([one.of(matrix) for one in self.contrasts], axis=0))


def tree_options(settings: Uplift, seed: int) -> dict[str, Any]:
    """Parameters of ``xgboost.train`` that all learners of uplift share."""
    trees = settings.trees
    return {
        "max_depth": trees.max_depth,
        "eta": trees.learning_rate,
        "min_child_weight": trees.min_child_weight,
        "subsample": trees.subsample,
        "colsample_bytree": trees.colsample_bytree,
        "lambda": trees.reg_lambda,
        "seed": seed,
        "nthread": 1,
    }


def fit_rates(
    matrix: Matrix,
    responses: Sequence[Array],
    treated: Array,
    p: Array,
    customers: npt.NDArray[np.intp],
    features: tuple[str, ...],
    settings: Uplift,
    seed: int,
) -> Rates:
    """Fit the rate learner.

    Parameters
    ----------
    matrix
        One row per customer and campaign, one column per feature.
    responses
        What is predicted, 0 or more, first; others whose ratio is learnt beside it.
    treated, p
        The arm, and the probability of being contacted, strictly between 0 and 1.
    customers
        A number per customer; folds hold customers whole.
    features
        Names of the columns.
    settings, seed
        Trees and folds.

    """
    weight = 0.5 / np.where(treated == 1, p, 1 - p)
    contrasts = []
    for response in responses:
        scaled = response / response.mean()
        middle = np.empty(len(scaled))
        folds = GroupKFold(settings.folds, shuffle=True, random_state=seed % 2**32)
        for fit, rest in folds.split(matrix, groups=customers):
            trees = _level(matrix[fit], scaled[fit], weight[fit], settings, seed)
            middle[rest] = trees.inplace_predict(matrix[rest])
        middle = np.maximum(middle, FEWEST)
        contrasts.append(_contrast(matrix, scaled, treated, weight, middle, settings, seed))
    mean = float(responses[0].mean())
    level = _level(matrix, responses[0] / mean, weight, settings, seed)
    return Rates(features, level, mean, tuple(contrasts))


def _level(
    matrix: Matrix, response: Array, weight: Array, settings: Uplift, seed: int
) -> xgb.Booster:
    options = tree_options(settings, seed) | {"objective": "count:poisson"}
    data = xgb.DMatrix(matrix, response, weight=weight, nthread=1)
    return xgb.train(options, data, num_boost_round=settings.trees.n_estimators)


def _contrast(
    matrix: Matrix,
    response: Array,
    treated: Array,
    weight: Array,
    middle: Array,
    settings: Uplift,
    seed: int,
) -> Contrast:
    def slopes(logarithm: Array) -> tuple[Array, Array]:
        share = _logistic(logarithm)
        expected = 2 * middle * np.where(treated == 1, share, 1 - share)
        off = treated - share
        return weight * off * (expected - response), weight * off**2 * expected

    everybody = 0.0
    for _ in range(50):  # Newton's steps
        slope, curve = (one.sum() for one in slopes(np.full(len(treated), everybody)))
        everybody -= float(np.clip(slope / curve, -1, 1))
    data = xgb.DMatrix(matrix, response, nthread=1)
    trees = xgb.train(
        tree_options(settings, seed) | {"base_score": 0.0},
        data,
        num_boost_round=settings.trees.n_estimators,
        obj=lambda margin, _: slopes(everybody + np.asarray(margin, dtype=np.float64)),
    )
    return Contrast(everybody, trees)


def _logistic(margin: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-margin)))

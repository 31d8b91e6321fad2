"""Uplift: what a contact changes for whom, learnt from contacts that were assigned at random.

Four learners with one interface, all on gradient-boosted trees and with the known probabilities of
assignment, which are never estimated:

T-learner
    one model of the response per arm; uplift is their difference
DR-learner (Kennedy 2023, Electronic Journal of Statistics 17)
    a model of the doubly robust score
    ``m1 - m0 + t/p (y - m1) - (1 - t)/(1 - p) (y - m0)``, whose mean given the features is the
    uplift; its responses ``m1`` and ``m0`` are predicted for customers they were not trained on
class transformation (Jaskowski and Jaroszewicz 2012)
    a model of ``z = 1`` where a contacted customer responded or a withheld one did not, each row
    weighted by one over the probability of its arm; uplift is ``2 P(z = 1) - 1``. Of an amount the
    transformed outcome ``y (t - p) / (p (1 - p))`` is learnt (Athey and Imbens 2016)
rate learner (:mod:`mkt_models.models.uplift_rates`)
    by what a contact multiplies the response, times what would come without it. Of an amount it
    also learns from the number of ``orders``, where the rows tell it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from sklearn.model_selection import GroupKFold

from mkt_models.columns import CUSTOMER_ID, SENSITIVE
from mkt_models.evaluation.arms import PROBABILITY, TREATED
from mkt_models.evaluation.inputs import TARGET
from mkt_models.evaluation.qini import EXPECTED
from mkt_models.models.labels import LabelError
from mkt_models.models.trainable import require_finite, require_target
from mkt_models.models.uplift_rates import fit_rates, tree_options
from mkt_models.uplift_params import Learner, Uplift

Array = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]

RESPONSE = "response"  # the naive peer: who responds, whatever a contact changes
ORDERS = "orders"  # in the campaign's days, beside a response that is an amount


class UpliftModel(Protocol):
    """A fitted learner."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns it needs, in their order."""

    def uplift(self, rows: pd.DataFrame) -> Array:
        """What a contact is predicted to change, per row, in units of the response."""


@dataclass(frozen=True)
class Responses:
    """The response in either arm, each by a model of its own: the T-learner, and a nuisance."""

    features: tuple[str, ...]
    contacted: xgb.Booster
    withheld: xgb.Booster

    def both(self, rows: pd.DataFrame) -> tuple[Array, Array]:
        """Predict the response with contact, and without."""
        matrix = _matrix(rows, self.features)
        return _predict(self.contacted, matrix), _predict(self.withheld, matrix)

    def uplift(self, rows: pd.DataFrame) -> Array:
        """Predict the difference of the arms."""
        contacted, withheld = self.both(rows)
        return contacted - withheld

    def expected(self, rows: pd.DataFrame) -> Array:
        """What takes most noise out of a comparison: ``(1 - p) m1 + p m0`` of every row."""
        contacted, withheld = self.both(rows)
        p = rows[PROBABILITY].to_numpy(dtype=np.float64)
        return (1 - p) * contacted + p * withheld


@dataclass(frozen=True)
class Direct:
    """Trees that predict uplift, or what becomes it by ``scale`` and ``shift``."""

    features: tuple[str, ...]
    booster: xgb.Booster
    scale: float = 1.0
    shift: float = 0.0

    def uplift(self, rows: pd.DataFrame) -> Array:
        """Predict uplift."""
        return self.scale * _predict(self.booster, _matrix(rows, self.features)) + self.shift


def fit_uplift(
    learner: Learner, rows: pd.DataFrame, features: Sequence[str], settings: Uplift, seed: int
) -> UpliftModel:
    """Fit one learner.

    Parameters
    ----------
    learner
        Which one; what each does stands at the top of this module.
    rows
        One row per customer and campaign: ``customer_id``, ``target`` (0 or 1, or an amount of 0
        or more), ``treated``, ``assignment_probability`` and the features (missing as NaN);
        ``orders`` where known.
    features
        The columns to learn from; no sensitive attribute may be among them.
    settings
        Trees and folds.
    seed
        Of the trees and the folds.

    Raises
    ------
    LabelError
        When an arm has fewer customers than ``settings.min_arm``, an arm has one response only,
        the target or a feature is not usable, or a probability is not strictly between 0 and 1.
    ValueError
        When there is no such learner, no feature, or a sensitive attribute, the arm or the target
        is among the features.

    """
    learner = Learner(learner)
    sample = _Sample.of(rows, features, settings)
    names = tuple(features)
    if learner is Learner.T:
        return _responses(sample, names, settings, seed)
    if learner is Learner.RATE:
        responses = [sample.target] if sample.orders is None else [sample.target, sample.orders]
        arms = (sample.treated, sample.p, sample.customers)
        return fit_rates(sample.matrix, responses, *arms, names, settings, seed)
    if learner is Learner.DR:
        score = _cross_fitted_score(sample, names, settings, seed)
        return Direct(names, _trees(sample.matrix, score, None, "amount", settings, seed))
    if sample.kind == "probability":
        same = (sample.target == sample.treated).astype(np.float64)
        weight = 1 / np.where(sample.treated == 1, sample.p, 1 - sample.p)
        trees = _trees(sample.matrix, same, weight / weight.mean(), "probability", settings, seed)
        return Direct(names, trees, scale=2.0, shift=-1.0)
    moved = sample.target * (sample.treated - sample.p) / (sample.p * (1 - sample.p))
    return Direct(names, _trees(sample.matrix, moved, None, "amount", settings, seed))


def predicted(
    train: pd.DataFrame,
    test: pd.DataFrame,
    features: Sequence[str],
    settings: Uplift,
    seed: int,
) -> tuple[pd.DataFrame, Mapping[Learner, UpliftModel]]:
    """Fit all learners on ``train`` and predict ``test``: one row per customer and campaign.

    Beside a column per learner stand ``response`` (the probability or amount with a contact, by
    which contacts are often, and wrongly, given out) and ``expected``, which takes noise out of
    the comparison of the arms and is learnt on ``train`` only.
    """
    models = {one: fit_uplift(one, train, features, settings, seed) for one in settings.learners}
    plain = models.get(Learner.T)
    if not isinstance(plain, Responses):
        plain = _responses(_Sample.of(train, features, settings), tuple(features), settings, seed)
    keys = [name for name in (CUSTOMER_ID, "campaign_id", "campaign_type", "as_of") if name in test]
    found = test[[*keys, TREATED, PROBABILITY, TARGET]].reset_index(drop=True)
    columns = {EXPECTED: plain.expected(test), RESPONSE: plain.both(test)[0]}
    columns |= {one.value: model.uplift(test) for one, model in models.items()}
    return found.assign(**columns), models


@dataclass(frozen=True)
class _Sample:
    matrix: Matrix
    target: Array
    treated: Array
    p: Array
    customers: npt.NDArray[np.intp]
    kind: str
    orders: Array | None = None

    @classmethod
    def of(cls, rows: pd.DataFrame, features: Sequence[str], settings: Uplift) -> "_Sample":
        sensitive = [name for name in features if name in SENSITIVE]
        if sensitive:
            raise ValueError(
                f"uplift: {', '.join(sensitive)} is sensitive and must be no feature; "
                "take it out of the features"
            )
        known_after = [name for name in features if name in (TREATED, PROBABILITY, TARGET)]
        if known_after or not features:
            raise ValueError(
                f"uplift: {', '.join(known_after) or 'nothing'} can be no feature; name columns "
                "that are known before a contact"
            )
        require_finite(rows, [TREATED, PROBABILITY, *features], "uplift")
        target, treated, p = (
            rows[name].to_numpy(dtype=np.float64) for name in (TARGET, TREATED, PROBABILITY)
        )
        require_target(target, "log", "uplift")
        if np.setdiff1d(treated, [0.0, 1.0]).size:
            raise LabelError(f"uplift: {TREATED} must be 0 or 1 in every row")
        if not ((p > 0) & (p < 1)).all():
            raise LabelError(
                f"uplift: {PROBABILITY} must lie strictly between 0 and 1 in every row"
            )
        customers = rows[CUSTOMER_ID]
        for arm, words in ((1, "contacted"), (0, "withheld")):
            inside = treated == arm
            n = customers[inside].nunique()
            if n < settings.min_arm:
                raise LabelError(
                    f"uplift: {n} customers were {words}, needs {settings.min_arm}; take more "
                    "campaigns or customers, or lower uplift.min_arm"
                )
            if np.unique(target[inside]).size < 2:
                raise LabelError(f"uplift: all who were {words} have the same response")
        binary = not np.setdiff1d(target, [0.0, 1.0]).size
        codes = pd.factorize(customers, sort=True)[0]
        kind = "probability" if binary else "amount"
        orders = None
        if not binary and ORDERS in rows and ORDERS not in features:
            require_finite(rows, [ORDERS], "uplift")
            orders = rows[ORDERS].to_numpy(dtype=np.float64)
            require_target(orders, "log", "uplift")
        return cls(_matrix(rows, features), target, treated, p, codes, kind, orders)

    def part(self, inside: npt.NDArray[Any]) -> "_Sample":
        return _Sample(
            self.matrix[inside],
            self.target[inside],
            self.treated[inside],
            self.p[inside],
            self.customers[inside],
            self.kind,
        )


def _responses(sample: _Sample, names: tuple[str, ...], settings: Uplift, seed: int) -> Responses:
    fitted = []
    for arm in (1, 0):
        mine = sample.part(sample.treated == arm)
        fitted.append(_trees(mine.matrix, mine.target, None, sample.kind, settings, seed))
    return Responses(names, *fitted)


def _cross_fitted_score(
    sample: _Sample, names: tuple[str, ...], settings: Uplift, seed: int
) -> Array:
    """The doubly robust score of every row, by response models that did not see its customer."""
    score = np.empty(len(sample.target))
    folds = GroupKFold(settings.folds, shuffle=True, random_state=seed % 2**32)
    for fit, rest in folds.split(sample.matrix, groups=sample.customers):
        models = _responses(sample.part(fit), names, settings, seed)
        held = sample.part(rest)
        m1, m0 = (_predict(one, held.matrix) for one in (models.contacted, models.withheld))
        off = held.treated / held.p * (held.target - m1)
        off -= (1 - held.treated) / (1 - held.p) * (held.target - m0)
        score[rest] = m1 - m0 + off
    return score


def _trees(
    matrix: Matrix, target: Array, weight: Array | None, kind: str, settings: Uplift, seed: int
) -> xgb.Booster:
    objective = "binary:logistic" if kind == "probability" else "reg:squarederror"
    options = tree_options(settings, seed) | {"objective": objective}
    data = xgb.DMatrix(matrix, target, weight=weight, nthread=1)
    return xgb.train(options, data, num_boost_round=settings.trees.n_estimators)


def _matrix(rows: pd.DataFrame, features: Sequence[str]) -> Matrix:
    return rows[list(features)].to_numpy(dtype=np.float32)


def _predict(booster: xgb.Booster, matrix: Matrix) -> Array:
    return np.asarray(booster.inplace_predict(matrix), dtype=np.float64)

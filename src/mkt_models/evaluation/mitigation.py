"""What can be done about a gap between groups, and what it costs.

Three families: before training (rows are weighed so that group and outcome are independent: Kamiran
and Calders 2012), after it (calibration by group), and at the decision (the same share of every
group is selected). Those of the last two need the attribute of the very customer at the moment of
the decision: that is lawful in some places and for some attributes only, and impossible where the
attribute is unknown. Fairlearn's ThresholdOptimizer answers another question (which customers to
call positive, at no given budget), and its reductions train dozens of models.

What is learnt is learnt on earlier cutoffs and judged on later ones, of other customers:
calibration is fitted in folds, so that nobody is judged by what was learnt from the same person.
Where the horizons of cutoffs overlap, the later outcomes still had begun: the gain is flattered a
little.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from mkt_models.columns import AS_OF, CUSTOMER_ID, NOT_AVAILABLE
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.evaluation.fairness import selected_top
from mkt_models.evaluation.groups import group_labels
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, numbers, read_target, require
from mkt_models.evaluation.metrics import Ranking, equal_count_bins

NOTHING = "nothing"
CALIBRATION = "calibration by group"
QUOTA = "same share of every group"

FOLDS = 5
# A group's correction is drawn to none as if so many rows of it had been predicted rightly.
PRIOR_ROWS = 50
# Beyond these a probability is not moved; nor does a correction go further than a factor of e^3.
_EDGE, _FARTHEST = 1e-6, 3.0
_BINS = 10


def reweighing(rows: pd.DataFrame, attribute: str, target: str = TARGET) -> pd.Series:
    """Weights under which group and outcome are independent (Kamiran and Calders 2012).

    ``P(group) P(outcome) / P(group, outcome)`` per row; an amount counts as outcome when it is
    above 0; who is unknown is a group too. A group that has only one outcome gets weight for that.

    >>> rows = pd.DataFrame({"gender": list("fffm"), "target": [1, 0, 0, 1]})
    >>> reweighing(rows, "gender").round(3).tolist()
    [1.5, 0.75, 0.75, 0.5]
    """
    require(rows, [attribute, target])
    labels, outcome = group_labels(rows[attribute]), rows[target] > 0
    n = len(rows)
    of_group = labels.map(labels.value_counts()) / n
    of_outcome = outcome.map(outcome.value_counts()) / n
    both = labels.groupby([labels, outcome]).transform("size") / n
    return (of_group * of_outcome / both).rename("weight")


def resampled(
    rows: pd.DataFrame, attribute: str, rng: np.random.Generator, target: str = TARGET
) -> pd.DataFrame:
    """Draw training rows in proportion to their :func:`reweighing`, as many as there are.

    For learners that take no weights (sampling; the same paper, section 4.4).
    """
    weights = reweighing(rows, attribute, target).to_numpy()
    return rows.iloc[np.sort(rng.choice(len(rows), len(rows), p=weights / weights.sum()))]


def earlier_and_later(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Cut predictions into the earlier half of their cutoffs and the rest; None with only one."""
    cutoffs = np.sort(predictions[AS_OF].unique())
    if len(cutoffs) < 2:
        return None
    earlier = predictions[AS_OF].isin(cutoffs[: (len(cutoffs) + 1) // 2])
    return predictions[earlier], predictions[~earlier]


def calibrated_by_group(
    earlier: pd.DataFrame, later: pd.DataFrame, model: str, attribute: str, kind: Kind, seed: int
) -> Floats:
    """Predictions of the later rows, corrected by what the earlier rows of their group had.

    One correction per group, on the log-odds (an amount: a factor), drawn to none by
    ``PRIOR_ROWS``. For customers of unknown attribute nothing changes.
    """
    out = numbers(later, model).copy()
    folds = _folds(pd.concat([earlier[CUSTOMER_ID], later[CUSTOMER_ID]]), seed)
    learn, apply = earlier[CUSTOMER_ID].map(folds), later[CUSTOMER_ID].map(folds)
    groups, later_groups = group_labels(earlier[attribute]), group_labels(later[attribute])
    target, score = read_target(earlier, kind), numbers(earlier, model)
    for group in set(later_groups) - {NOT_AVAILABLE}:
        for fold in range(FOLDS):
            known = ((groups == group) & (learn != fold)).to_numpy()
            mine = ((later_groups == group) & (apply == fold)).to_numpy()
            if known.any() and mine.any():
                shift = _shift(target[known], score[known], kind)
                out[mine] = _moved(out[mine], shift, kind)
    return out


def same_share(later: pd.DataFrame, model: str, attribute: str, share: float) -> Floats:
    """How much of each row is selected when every group's own top ``share`` is."""
    score, labels = numbers(later, model), group_labels(later[attribute]).to_numpy()
    out = np.zeros(len(later))
    for label in set(labels):
        out[labels == label] = selected_top(score[labels == label], share)
    return out


def mitigation_table(
    earlier: pd.DataFrame,
    later: pd.DataFrame,
    model: str,
    attribute: str,
    group: str,
    kind: Kind,
    selected_share: float,
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    retrained: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """One row per method: one group's gap before and after, and what everybody pays.

    Parameters
    ----------
    earlier, later
        predictions of earlier cutoffs, to learn from, and of later ones, to judge: customer_id,
        target, the model's predictions and the attribute
    model, attribute, group, kind
        what is mitigated, and for whom
    selected_share
        top share by prediction that counts as selected
    n_bootstrap, confidence, seed
        draws of customers, the same for all methods; level of the percentile intervals; seed
    retrained
        further methods: name, and the column of ``later`` with the predictions of a model that was
        trained otherwise (on ``reweighing``, say)

    Returns
    -------
    DataFrame
        method; needs_attribute (of the customer, at the decision); n, n_customers; calibration_gap
        and selection_ratio of the group, as in ``group_table``; auc, or mae; ece (mean gap over
        ten bins of everybody; amounts: over the mean); found (share of the target's total that the
        selected hold), each with ``_lower`` and ``_upper``; and each ``_change`` against nothing,
        paired on the same draws, with its ends

    """
    require(later, [CUSTOMER_ID, TARGET, model, attribute])
    target, score = read_target(later, kind), numbers(later, model)
    mine = (group_labels(later[attribute]) == group).to_numpy()
    if not mine.any():
        raise ValueError(f"later: nobody of {attribute} {group!r}")
    fixed = calibrated_by_group(earlier, later, model, attribute, kind, seed)
    quota = same_share(later, model, attribute, selected_share)
    methods = [
        _Method.of(NOTHING, False, score, selected_share),
        _Method.of(CALIBRATION, True, fixed, selected_share),
        _Method(QUOTA, True, score, quota),
    ]
    for name, column in (retrained or {}).items():
        methods.append(_Method.of(name, False, numbers(later, column), selected_share))
    measures = ["calibration_gap", "selection_ratio", "auc", "ece", "found"]
    if kind == "regression":
        measures[2] = "mae"
    statistic = _statistic(methods, target, mine, kind)
    draws = ClusterBootstrap.of(later[CUSTOMER_ID], n_bootstrap, seed)
    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    rows = []
    for i, method in enumerate(methods):
        row: dict[str, object] = {"method": method.name, "needs_attribute": method.needs_attribute}
        row |= {"n": len(later), "n_customers": draws.n_clusters}
        for j, name in enumerate(measures):
            changes = replicates[:, i, j] - replicates[:, 0, j]
            change = float(estimates[i, j] - estimates[0, j])
            row |= _three(name, float(estimates[i, j]), replicates[:, i, j], confidence)
            row |= _three(f"{name}_change", change, changes, confidence)
        rows.append(row)
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Method:
    name: str
    needs_attribute: bool
    score: Floats
    selected: Floats

    @classmethod
    def of(cls, name: str, needs_attribute: bool, score: Floats, share: float) -> "_Method":
        return cls(name, needs_attribute, score, selected_top(score, share))


def _statistic(
    methods: list[_Method], target: Floats, mine: npt.NDArray[np.bool_], kind: Kind
) -> Callable[[Floats], Floats]:
    rankings = [Ranking.of(method.score) for method in methods]
    bins = [equal_count_bins(method.score, _BINS) for method in methods]

    def statistic(weights: Floats) -> Floats:
        inside, total = weights[:, mine], weights @ target
        mean = metrics.weighted_mean(weights, target)
        scale = mean if kind == "regression" else np.ones_like(mean)
        parts = []
        for method, ranking, cells in zip(methods, rankings, bins, strict=True):
            off = metrics.weighted_mean(inside, (target - method.score)[mine])
            rate = metrics.weighted_mean(inside, method.selected[mine])
            able = (
                metrics.weighted_mean(weights, np.abs(target - method.score))
                if kind == "regression"
                else metrics.auc(weights, target, ranking)
            )
            columns = [
                metrics.ratio(off, scale),
                metrics.ratio(rate, metrics.weighted_mean(weights, method.selected)),
                able,
                metrics.ratio(metrics.ece(weights, target, method.score, cells), scale),
                metrics.ratio(weights @ (target * method.selected), total),
            ]
            parts.append(np.stack(columns, axis=1))
        return np.stack(parts, axis=1)

    return statistic


def _three(name: str, value: float, drawn: Floats, confidence: float) -> dict[str, object]:
    lower, upper = percentile_interval(drawn, confidence)
    return {name: value, f"{name}_lower": lower, f"{name}_upper": upper}


def _folds(customers: pd.Series, seed: int) -> dict[object, int]:
    names = np.sort(customers.unique())
    return dict(zip(names, np.random.default_rng(seed).integers(0, FOLDS, len(names)), strict=True))


def _shift(target: Floats, score: Floats, kind: Kind) -> float:
    """Correction of a group on the log scale, drawn to none."""
    weight = PRIOR_ROWS * float((score * (1 - score) if kind == "classification" else score).mean())

    def left(shift: float) -> float:
        return float((target - _moved(score, shift, kind)).sum() - weight * shift)

    if left(-_FARTHEST) <= 0 or left(_FARTHEST) >= 0:
        return -_FARTHEST if left(-_FARTHEST) <= 0 else _FARTHEST
    return float(brentq(left, -_FARTHEST, _FARTHEST))


def _moved(score: Floats, shift: float, kind: Kind) -> Floats:
    if kind == "regression":
        return np.asarray(score * np.exp(shift))
    kept = np.clip(score, _EDGE, 1 - _EDGE)
    return np.asarray(expit(logit(kept) + shift))

"""How well a model is doing now, before any label has arrived.

**Probabilities** that are calibrated say themselves how often they will be right: of customers
with a probability of 0.3, three in ten. The expected AUC, Brier score and log loss follow from the
scores alone (confidence-based performance estimation; NannyML 2022). How true they are was measured
on labelled rows (intercept and slope of the log-odds, Cox 1958): they are corrected by it, and the
interval carries its uncertainty. **Amounts**: the absolute
error that was seen at each size of prediction, taken over the predictions of today (direct loss
estimation, with the size of the prediction as its one feature).

Both see that the customers have changed (more of those that are hard to tell), and nothing else.
When customers of the same features *behave* otherwise than before (concept drift), scores and
features look as always, and the estimate stays where it was: :data:`LIMIT` says so beside every
figure. Only labels tell.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import (
    BLOCK,
    ClusterBootstrap,
    error_interval,
    standard_error,
)
from mkt_models.evaluation.calibration import CalibrationCheck, line, margin_of
from mkt_models.evaluation.inputs import TARGET, Floats, numbers, require
from mkt_models.evaluation.metrics import Ranking, weighted_mean
from mkt_models.evaluation.performance import MIN_CLASS

LIMIT = (
    "estimated from the scores alone: it sees that customers have changed, and not that like "
    "customers behave otherwise than before (concept drift)"
)
LIMIT_ZH = "仅由评分估计：能反映客户构成的变化，但看不出同类客户的行为已经改变（概念漂移）"

PROBABILITY_METRICS = ("auc", "brier", "log_loss")
AMOUNT_METRICS = ("mae", "mean")
_BINS = 10
_MIN_ERRORS = 10  # errors in every bin of the reference


def estimated_probabilities(
    current: pd.DataFrame,
    model: str,
    calibration: CalibrationCheck | None,
    reference: pd.DataFrame | None = None,
    *,
    min_customers: int,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """One row per metric: what is to be expected of the labels of these rows.

    Parameters
    ----------
    current
        Any grain, without labels: customer_id and the column ``model`` of probabilities.
    calibration
        What the model's labelled rows have shown; None where that is not known. A model whose
        calibration is broken has no estimate: its probabilities say nothing true of themselves.
    reference
        Labelled rows that the model was not trained on (customer_id, target, ``model``), by which
        the probabilities are corrected. None: they are taken as exactly true.
    min_customers
        With fewer customers there is no estimate.
    n_bootstrap, confidence, seed
        Draws of the correction, and of the labels by the corrected probabilities; level of the
        intervals (their standard error over the draws, and Student's t).

    Returns
    -------
    DataFrame
        metric (auc, brier, log_loss in nats), ``estimate`` with ``_lower`` and ``_upper`` (where
        the metric of these very rows will lie when their labels arrive, if the probabilities are
        as true as on the reference), n, n_customers, kind, note (why there is none; NaN then).
        Labels are drawn as if all rows were independent; where rows of a customer overlap in
        time, or all outcomes of a day move together, the interval is too short.

    Raises ValueError for probabilities outside 0 to 1.

    """
    require(current, [CUSTOMER_ID, model])
    ordered = current[[CUSTOMER_ID, model]].sort_values([CUSTOMER_ID, model])
    p = numbers(ordered, model)
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"predictions: {model!r} leaves [0, 1], so it is no probability")
    n_customers = current[CUSTOMER_ID].nunique()
    note = _too_few(n_customers, min_customers)
    if calibration is not None and calibration.state == "broken":
        note = note or f"the probabilities are not true: {calibration.why}"
    rarest = min(p.sum(), len(p) - p.sum())
    if rarest < MIN_CLASS:
        note = note or f"only {rarest:.1f} rows of the rarer class are expected, needs {MIN_CLASS}"
    lines = np.zeros((1, 0))
    if reference is not None and not note:
        lines, note = _lines(reference, model, min_customers, n_bootstrap, seed)
    if note:
        return _rows(PROBABILITY_METRICS, len(p), n_customers, note)
    ranking, clipped = Ranking.of(p), np.clip(p, metrics.CLIP, 1 - metrics.CLIP)
    losses = ((1 - p) ** 2, p**2), (-np.log(clipped), -np.log1p(-clipped))

    def expected(chances: Floats) -> Floats:
        found = [_auc(chances, 1 - chances, ranking)]
        for of_one, of_zero in losses:
            found.append((chances * of_one + (1 - chances) * of_zero).mean(axis=1))
        return np.stack(found, axis=1)

    margin = margin_of(p, "classification")

    def true(some: Floats) -> Floats:
        return expit(some[:, :1] + some[:, 1:] * margin) if some.shape[1] else p[None, :]

    rng = np.random.default_rng([seed, 2])
    drawn, start = [], 1
    for size in _blocks(n_bootstrap, len(p)):
        chances = true(lines[start : start + size] if len(lines) > 1 else lines)
        drawn.append(expected((rng.random((size, len(p))) < chances).astype(float)))
        start += size
    estimate = expected(true(lines[:1]))[0]
    found = np.concatenate(drawn)
    customers = n_customers if reference is None else min(n_customers, _customers(reference))
    bounds = {"auc": (0.0, 1.0), "brier": (0.0, 1.0), "log_loss": (0.0, np.inf)}
    intervals = [
        error_interval(value, standard_error(some), confidence, customers, bounds[name])
        for name, value, some in zip(PROBABILITY_METRICS, estimate, found.T, strict=True)
    ]
    return _rows(PROBABILITY_METRICS, len(p), n_customers, "", estimate, intervals)


def estimated_amounts(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    model: str,
    *,
    min_customers: int,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """One row per metric: mean absolute error and mean that are to be expected.

    Parameters
    ----------
    reference
        Labelled rows that the model was not trained on: customer_id, target, predictions.
    current
        Rows without labels: customer_id, predictions.
    min_customers, n_bootstrap, confidence, seed
        As in :func:`estimated_probabilities`. The errors of the current rows are drawn from those
        of the reference at the same size of prediction, and so are the reference's customers.

    Returns
    -------
    DataFrame
        As :func:`estimated_probabilities`, of ``mae`` and ``mean`` (units of the target). The mean
        is that of the predictions, corrected by their error at each size.

    """
    require(reference, [CUSTOMER_ID, TARGET, model])
    require(current, [CUSTOMER_ID, model])
    reference = reference.sort_values([CUSTOMER_ID, model, TARGET])
    current = current[[CUSTOMER_ID, model]].sort_values([CUSTOMER_ID, model])
    before, told = numbers(reference, model), numbers(current, model)
    off = numbers(reference, TARGET) - before
    n_customers = current[CUSTOMER_ID].nunique()
    note = _too_few(min(n_customers, reference[CUSTOMER_ID].nunique()), min_customers)
    if len(reference) < _BINS * _MIN_ERRORS:
        note = note or f"only {len(reference)} labelled rows, needs {_BINS * _MIN_ERRORS}"
    if note:
        return _rows(AMOUNT_METRICS, len(told), n_customers, note)
    edges = np.unique(np.quantile(before, np.arange(1, _BINS) / _BINS))
    bin_old, bin_new = (np.searchsorted(edges, part, side="left") for part in (before, told))
    sizes = np.bincount(bin_old, minlength=len(edges) + 1)
    # A bin of the reference is never empty but above the last edge, when ties fill it.
    full = np.flatnonzero(sizes)
    bin_new = full[np.clip(np.searchsorted(full, bin_new), 0, len(full) - 1)]
    shares = np.bincount(bin_new, minlength=len(sizes)) / len(told)
    member = np.eye(len(sizes))[bin_old]
    draws = ClusterBootstrap.of(reference[CUSTOMER_ID], n_bootstrap, seed)

    def expected(weights: Floats) -> Floats:
        found = []
        for errors, base in ((np.abs(off), 0.0), (off, float(told.mean()))):
            by_bin = metrics.ratio(weights @ (member * errors[:, None]), weights @ member)
            found.append(by_bin[:, full] @ shares[full] + base)
        return np.stack(found, axis=1)

    # Errors of single customers, drawn from those of the reference in the same bin.
    rng = np.random.default_rng([seed, 2])
    order = np.argsort(bin_old, kind="stable")
    starts = np.cumsum(sizes) - sizes
    noise = []
    for size in _blocks(n_bootstrap, len(told)):
        place = starts[bin_new] + (rng.random((size, len(told))) * sizes[bin_new]).astype(np.intp)
        picked = off[order][place]
        noise.append(np.stack([np.abs(picked).mean(axis=1), picked.mean(axis=1)], axis=1))
    estimate = draws.estimate(expected)
    scatter = np.concatenate(noise) - (estimate - np.array([0.0, told.mean()]))
    drawn = draws.replicates(expected) + scatter
    intervals = [
        error_interval(value, standard_error(some), confidence, draws.n_clusters)
        for value, some in zip(estimate, drawn.T, strict=True)
    ]
    return _rows(AMOUNT_METRICS, len(told), n_customers, "", estimate, intervals)


def realised_figure(rows: pd.DataFrame, model: str, metric: str) -> float:
    """Give the metric of labelled rows that an estimate was made of, for comparison."""
    target, told = numbers(rows, TARGET), numbers(rows, model)
    ones = np.ones((1, len(target)))
    if metric == "auc":
        return float(metrics.auc(ones, target, Ranking.of(told))[0])
    values = {"brier": (told - target) ** 2, "mae": np.abs(told - target), "mean": target}
    if metric == "log_loss":
        values["log_loss"] = metrics.log_loss(target, told)
    return float(weighted_mean(ones, values[metric])[0])


def _lines(
    reference: pd.DataFrame, model: str, min_customers: int, n_bootstrap: int, seed: int
) -> tuple[Floats, str]:
    """Intercept and slope of the reference, then draws of their error; or why there are none.

    The error is that of the sandwich over customers (Liang and Zeger 1986).
    """
    require(reference, [CUSTOMER_ID, TARGET, model])
    rows = reference.sort_values([CUSTOMER_ID, model, TARGET])
    target, told = numbers(rows, TARGET), numbers(rows, model)
    rarest = min(target.sum(), len(target) - target.sum())
    if note := _too_few(_customers(rows), min_customers):
        return np.zeros((1, 0)), f"labelled rows: {note}"
    if rarest < MIN_CLASS:
        short = f"labelled rows: only {rarest:.0f} of the rarer class, needs {MIN_CLASS}"
        return np.zeros((1, 0)), short
    if np.ptp(told) == 0:
        return np.zeros((1, 0)), "labelled rows: every probability is the same"
    fitted = line(np.ones((1, len(target))), target, told, "classification")
    if not np.isfinite(fitted).all():
        return np.zeros((1, 0)), "labelled rows: how true the probabilities are cannot be fitted"
    x = np.stack([np.ones(len(told)), margin_of(told, "classification")], axis=1)
    chances = expit(x @ fitted[0])
    bread = np.linalg.inv((x * (chances * (1 - chances))[:, None]).T @ x)
    codes, found = pd.factorize(rows[CUSTOMER_ID])
    pull = np.zeros((len(found), 2))
    np.add.at(pull, codes, (target - chances)[:, None] * x)
    error = bread @ (pull.T @ pull) @ bread * len(found) / (len(found) - 1)
    rng = np.random.default_rng([seed, 3])
    return np.vstack([fitted, rng.multivariate_normal(fitted[0], error, n_bootstrap)]), ""


def _customers(rows: pd.DataFrame) -> int:
    return int(rows[CUSTOMER_ID].nunique())


def _auc(positive: Floats, negative: Floats, ranking: Ranking) -> Floats:
    """AUC of rows that are positive and negative with some weight each."""
    above, below = ranking.sums(positive), ranking.sums(negative)
    under = np.cumsum(below, axis=1) - below / 2
    return metrics.ratio((above * under).sum(axis=1), above.sum(axis=1) * below.sum(axis=1))


def _blocks(draws: int, n: int) -> list[int]:
    """Sizes of the blocks in which so many draws of ``n`` rows are made."""
    size = max(1, BLOCK // max(1, n))
    return [min(size, draws - start) for start in range(0, draws, size)]


def _too_few(customers: int, needed: int) -> str:
    return f"only {customers} customers, needs {needed}" if customers < needed else ""


def _rows(
    names: tuple[str, ...],
    n: int,
    n_customers: int,
    note: str,
    estimate: Floats | None = None,
    intervals: Sequence[tuple[float, float]] = (),
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        ends = intervals[i] if intervals else (np.nan, np.nan)
        row: dict[str, Any] = {
            "metric": name,
            "estimate": np.nan if estimate is None else float(estimate[i]),
            "estimate_lower": ends[0],
            "estimate_upper": ends[1],
        }
        row |= {"n": n, "n_customers": n_customers, "kind": NumberKind.PREDICTED.value}
        rows.append(row | {"note": note})
    return pd.DataFrame(rows)

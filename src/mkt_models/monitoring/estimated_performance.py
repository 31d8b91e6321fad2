"""How well a model is doing now, before any label has arrived.

**Probabilities** that are calibrated say themselves how often they will be right: of customers
with a probability of 0.3, three in ten. The expected AUC, Brier score and log loss follow from the
scores alone (confidence-based performance estimation; NannyML 2022). **Amounts**: the absolute
error that was seen at each size of prediction, taken over the predictions of today (direct loss
estimation, with the size of the prediction as its one feature).

Both see that the customers have changed (more of those that are hard to tell), and nothing else.
When customers of the same features *behave* otherwise than before (concept drift), scores and
features look as always, and the estimate stays where it was: :data:`LIMIT` says so beside every
figure. Only labels tell.
"""

from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import BLOCK, ClusterBootstrap, percentile_interval
from mkt_models.evaluation.calibration import CalibrationCheck
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
    min_customers
        With fewer customers there is no estimate.
    n_bootstrap, confidence, seed
        Draws of the labels by their probabilities; level of the percentile intervals.

    Returns
    -------
    DataFrame
        metric (auc, brier, log_loss in nats), ``estimate`` with ``_lower`` and ``_upper`` (where
        the metric of these very rows will lie when their labels arrive, if the probabilities are
        true), n, n_customers, kind, note (why there is none; NaN then). Labels are drawn as if
        all rows were independent; where rows of a customer overlap in time, the interval is too
        short.

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
    if note:
        return _rows(PROBABILITY_METRICS, len(p), n_customers, note)
    ranking, clipped = Ranking.of(p), np.clip(p, metrics.CLIP, 1 - metrics.CLIP)
    losses = ((1 - p) ** 2, p**2), (-np.log(clipped), -np.log1p(-clipped))

    def expected(chances: Floats) -> Floats:
        found = [_auc(chances, 1 - chances, ranking)]
        for of_one, of_zero in losses:
            found.append((chances * of_one + (1 - chances) * of_zero).mean(axis=1))
        return np.stack(found, axis=1)

    rng = np.random.default_rng([seed, 2])
    drawn = [
        expected((rng.random((size, len(p))) < p).astype(float))
        for size in _blocks(n_bootstrap, len(p))
    ]
    estimate = expected(p[None, :])[0]
    return _rows(
        PROBABILITY_METRICS, len(p), n_customers, "", estimate, np.concatenate(drawn), confidence
    )


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
    return _rows(AMOUNT_METRICS, len(told), n_customers, "", estimate, drawn, confidence)


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
    drawn: Floats | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        ends = (np.nan, np.nan)
        if drawn is not None:
            ends = percentile_interval(drawn[:, i], confidence)
        row: dict[str, Any] = {
            "metric": name,
            "estimate": np.nan if estimate is None else float(estimate[i]),
            "estimate_lower": ends[0],
            "estimate_upper": ends[1],
        }
        row |= {"n": n, "n_customers": n_customers, "kind": NumberKind.PREDICTED.value}
        rows.append(row | {"note": note})
    return pd.DataFrame(rows)

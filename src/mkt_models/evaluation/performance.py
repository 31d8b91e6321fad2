"""How good predictions are: one row per model, every metric with its interval.

Every function takes a table of predictions (grain: customer and ``as_of``, or customer and
campaign; columns ``customer_id``, ``target`` and one per model or peer) and gives a new table.
Intervals come from the cluster bootstrap by customer. Where a number cannot be given it is NaN,
and ``note`` says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, numbers, read_target, require
from mkt_models.evaluation.metrics import Ranking, equal_count_bins, weighted_mean

CLASSIFICATION_METRICS = ("auc", "pr_auc", "brier", "log_loss", "ece")
REGRESSION_METRICS = ("mae", "rmse", "bias", "spearman", "gini")

# Below these, a metric is not given.
MIN_CUSTOMERS = 20
MIN_CLASS = 5
ECE_BINS = 10
MIN_ROWS_PER_ECE_BIN = 10

# Weights to the metrics of one model, draws x metrics; and why some of them are not given.
_Measured = tuple[Callable[[Floats], Floats], Mapping[str, str]]


@dataclass(frozen=True)
class _How:
    kind: Kind
    metrics: tuple[str, ...]
    n_bootstrap: int
    confidence: float
    seed: int

    def interval(self, replicates: Floats) -> tuple[float, float]:
        return percentile_interval(replicates, self.confidence)


def classification_table(
    predictions: pd.DataFrame,
    models: Sequence[str],
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    reference: str | None = None,
) -> pd.DataFrame:
    """One row per model: how well it ranks, and how true its probabilities are.

    Parameters
    ----------
    predictions
        ``target`` is 0 or 1. A peer may give any score; if it leaves [0, 1] it is no probability,
        and only ``auc`` and ``pr_auc`` are given.
    models
        columns to compare
    n_bootstrap, confidence, seed
        draws of customers, level of the percentile intervals, seed of the draws
    reference
        model that the others are compared with, on the same draws

    Returns
    -------
    DataFrame
        model, n (rows), n_customers, positives; ``auc``, ``pr_auc`` (average precision),
        ``brier``, ``log_loss`` (nats), ``ece`` (bins of equal counts), each with ``_lower`` and
        ``_upper``; with a reference, each metric's ``_difference`` (model minus reference),
        ``_difference_lower`` and ``_difference_upper``; note

    """
    how = _How("classification", CLASSIFICATION_METRICS, n_bootstrap, confidence, seed)
    return _table(predictions, models, how, reference)


def regression_table(
    predictions: pd.DataFrame,
    models: Sequence[str],
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    reference: str | None = None,
) -> pd.DataFrame:
    """One row per model: how far its amounts are off, and how well they rank.

    As :func:`classification_table`, with ``mean_target`` in place of positives, and ``mae``,
    ``rmse`` (units of the target), ``bias`` (mean prediction minus mean target, over the mean
    target), ``spearman`` and ``gini`` (normalised: 1 is the perfect order, 0 a random one).
    """
    how = _How("regression", REGRESSION_METRICS, n_bootstrap, confidence, seed)
    return _table(predictions, models, how, reference)


def backtest_table(
    predictions: pd.DataFrame,
    models: Sequence[str],
    kind: Kind,
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    reference: str | None = None,
    by: str = AS_OF,
) -> pd.DataFrame:
    """One row per cutoff (or other ``by``) and model: the table of its kind, cutoff by cutoff."""
    require(predictions, [by])
    table = classification_table if kind == "classification" else regression_table
    parts = []
    for cutoff, rows in predictions.groupby(by, sort=True):
        part = table(rows, models, n_bootstrap, confidence, seed, reference=reference)
        part.insert(0, by, cutoff)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _classification(target: Floats, score: Floats) -> _Measured:
    missing: dict[str, str] = {}
    positives = int(target.sum())
    rarest = min(positives, len(target) - positives)
    if rarest < MIN_CLASS:
        what = "positives" if rarest == positives else "negatives"
        missing["auc"] = missing["pr_auc"] = f"only {rarest} {what}, needs {MIN_CLASS}"
    if score.min() < 0 or score.max() > 1:
        reason = f"a score from {score.min():.3g} to {score.max():.3g} is no probability"
        missing["brier"] = missing["log_loss"] = missing["ece"] = reason
    elif len(target) < ECE_BINS * MIN_ROWS_PER_ECE_BIN:
        missing["ece"] = f"only {len(target)} rows, needs {ECE_BINS * MIN_ROWS_PER_ECE_BIN}"
    ranking, bins = Ranking.of(score), equal_count_bins(score, ECE_BINS)
    squared, lost = (score - target) ** 2, metrics.log_loss(target, score)

    def statistic(weights: Floats) -> Floats:
        columns = [
            metrics.auc(weights, target, ranking),
            metrics.pr_auc(weights, target, ranking),
            weighted_mean(weights, squared),
            weighted_mean(weights, lost),
            metrics.ece(weights, target, score, bins),
        ]
        return np.stack(columns, axis=1)

    return statistic, missing


def _regression(target: Floats, score: Floats) -> _Measured:
    missing: dict[str, str] = {}
    if target.mean() == 0:
        missing["bias"] = "the mean target is 0"
    if np.ptp(target) == 0 or np.ptp(score) == 0:
        what = "target" if np.ptp(target) == 0 else "prediction"
        missing["spearman"] = missing["gini"] = f"every {what} is the same"
    truth, guess = Ranking.of(target), Ranking.of(score)
    off, squared = np.abs(score - target), (score - target) ** 2

    def statistic(weights: Floats) -> Floats:
        bias = metrics.ratio(weights @ (score - target), weights @ target)
        columns = [
            weighted_mean(weights, off),
            np.sqrt(weighted_mean(weights, squared)),
            bias,
        ]
        ranks = metrics.spearman_and_gini(weights, truth, target, guess)
        return np.concatenate([np.stack(columns, axis=1), ranks], axis=1)

    return statistic, missing


def _table(
    predictions: pd.DataFrame, models: Sequence[str], how: _How, reference: str | None
) -> pd.DataFrame:
    if reference is not None and reference not in models:
        raise ValueError(f"reference == {reference!r}, must be one of: {', '.join(models)}")
    require(predictions, [CUSTOMER_ID, TARGET, *models])
    target = read_target(predictions, how.kind)
    draws = ClusterBootstrap.of(predictions[CUSTOMER_ID], how.n_bootstrap, how.seed)
    measure = _classification if how.kind == "classification" else _regression
    measured = [measure(target, numbers(predictions, model)) for model in models]

    def statistic(weights: Floats) -> Floats:
        return np.stack([of_model(weights) for of_model, _ in measured], axis=1)

    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    few = f"only {draws.n_clusters} customers, needs {MIN_CUSTOMERS}"
    everything = dict.fromkeys(how.metrics, few) if draws.n_clusters < MIN_CUSTOMERS else {}
    missing = [{**because, **everything} for _, because in measured]
    rows = []
    for i, model in enumerate(models):
        row: dict[str, object] = {"model": model, "n": len(target), "n_customers": draws.n_clusters}
        if how.kind == "classification":
            row["positives"] = int(target.sum())
        else:
            row["mean_target"] = float(target.mean())
        because = dict(missing[i])
        for j, name in enumerate(how.metrics):
            values = (float(estimates[i, j]), *how.interval(replicates[:, i, j]))
            row |= _three(name, values, absent=name in missing[i])
            if name not in because and np.isnan(values[1]):
                because[name] = "no interval, undefined in too many draws"
        if reference is not None:
            r = list(models).index(reference)
            gaps = replicates[:, i] - replicates[:, r]
            for j, name in enumerate(how.metrics):
                values = (float(estimates[i, j] - estimates[r, j]), *how.interval(gaps[:, j]))
                absent = i == r or name in missing[i] or name in missing[r]
                row |= _three(f"{name}_difference", values, absent)
        row["note"] = _words(because)
        rows.append(row)
    return pd.DataFrame(rows)


def _three(name: str, values: tuple[float, float, float], absent: bool) -> dict[str, object]:
    names = (name, f"{name}_lower", f"{name}_upper")
    return dict.fromkeys(names, np.nan) if absent else dict(zip(names, values, strict=True))


def _words(missing: Mapping[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in missing.items():
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())

"""Are a model's numbers true? Weak calibration: the slope, and calibration in the large.

The slope is that of a regression of the truth on the margin of the predictions (log-odds of a
probability, logarithm of an amount): 1 is true, below 1 the predictions are too extreme, above 1
too timid (Cox 1958; Van Calster et al. 2016 call it, with calibration in the large, weak
calibration). Each measure is within its limits (the whole interval lies inside), beyond them (the
whole interval lies outside), or undecided. The interval is that of two one-sided tests (Schuirmann
1987): with a confidence of 0.95 on each side it holds 0.90 in between.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation import metrics
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, numbers, read_target, require
from mkt_models.evaluation.performance import MIN_CLASS, MIN_CUSTOMERS
from mkt_models.release_params import CalibrationLimits

State = Literal["holds", "broken", "not_evaluated"]
_STEPS = 25
_STEP = 4.0  # the longest step, in standard deviations of the margin
_SETTLED = 1e-8
_EDGE = 1e-9  # a probability of exactly 0 or 1, and an amount of 0, have no margin


@dataclass(frozen=True)
class CalibrationCheck:
    """What the intervals of slope and bias show, and whether that is enough.

    ``bias`` is the sum of the predictions over the sum of the truth, minus 1. ``why`` says in a
    sentence what was found, ``why_zh`` in Chinese; the numbers are NaN where they cannot be given.
    """

    state: State
    why: str
    why_zh: str
    n: int
    n_customers: int
    slope: float = np.nan
    slope_lower: float = np.nan
    slope_upper: float = np.nan
    bias: float = np.nan
    bias_lower: float = np.nan
    bias_upper: float = np.nan

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; a number that is not known is None."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in vars(self).items()
        }


def calibration_check(
    predictions: pd.DataFrame,
    model: str,
    kind: Kind,
    limits: CalibrationLimits,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> CalibrationCheck:
    """Judge the predictions of one model by the limits.

    Parameters
    ----------
    predictions
        Any grain: ``customer_id``, ``target`` and the column ``model``, which holds probabilities
        (``classification``) or amounts of 0 or more (``regression``).
    limits
        What is allowed, and what becomes of what cannot be told.
    n_bootstrap, confidence, seed
        Draws of customers, confidence of each one-sided test, seed of the draws.

    Raises ValueError for a table that lacks a column, and for predictions that are no finite
    numbers, or not of their kind.

    """
    require(predictions, [CUSTOMER_ID, TARGET, model])
    target, told = read_target(predictions, kind), numbers(predictions, model)
    if told.min() < 0 or (kind == "classification" and told.max() > 1):
        raise ValueError(
            f"predictions: {model!r} reaches from {told.min():.3g} to {told.max():.3g}, which "
            f"is no {'probability' if kind == 'classification' else 'amount'}"
        )
    draws = ClusterBootstrap.of(predictions[CUSTOMER_ID], n_bootstrap, seed)
    if because := _too_little(target, told, kind, draws.n_clusters):
        return CalibrationCheck("not_evaluated", *because, len(target), draws.n_clusters)

    def both(weights: Floats) -> Floats:
        bias = metrics.ratio(weights @ (told - target), weights @ target)
        return np.stack([slope(weights, target, told, kind), bias], axis=1)

    estimate, replicates = draws.estimate(both), draws.replicates(both)
    ends = [percentile_interval(replicates[:, i], 2 * confidence - 1) for i in (0, 1)]
    least, most = 1 / limits.max_factor, limits.max_factor
    allowed = ((least, most), (least - 1, most - 1))
    found = [finding(interval, limit) for interval, limit in zip(ends, allowed, strict=True)]
    told_of = list(zip(estimate, ends, allowed, found, strict=True))
    state: State = "holds"
    lenient = ("", "")
    if "beyond" in found:
        state = "broken"
    elif "undecided" in found and limits.undecided == "not_evaluated":
        state = "not_evaluated"
    elif "undecided" in found:
        lenient = ("; what cannot be told passes in this run", "；本次运行中无法判定的视为通过")
    said = [
        [_said(*one, side=side, slope=i == 0) for i, one in enumerate(told_of)] for side in (0, 1)
    ]
    return CalibrationCheck(
        state,
        "; ".join(said[0]) + lenient[0],
        "；".join(said[1]) + lenient[1],
        len(target),
        draws.n_clusters,
        slope=float(estimate[0]),
        slope_lower=ends[0][0],
        slope_upper=ends[0][1],
        bias=float(estimate[1]),
        bias_lower=ends[1][0],
        bias_upper=ends[1][1],
    )


def slope(weights: Floats, target: Floats, told: Floats, kind: Kind) -> Floats:
    """Regress the truth on the margin of the predictions; one slope per row of weights.

    Logistic regression for probabilities; for amounts the quasi-Poisson regression with a log
    link, which asks for a true mean only. NaN where the regression does not settle.

    >>> told = np.array([0.2, 0.2, 0.8, 0.8, 0.2, 0.8])
    >>> truth = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])  # a third and two thirds: too extreme
    >>> slope(np.ones((1, 6)), truth, told, "classification").round(3)
    array([0.5])
    """
    return line(weights, target, told, kind)[:, 1]


def margin_of(told: Floats, kind: Kind) -> Floats:
    """The margin of predictions: log-odds of a probability, logarithm of an amount."""
    if kind == "classification":
        clipped = np.clip(told, _EDGE, 1 - _EDGE)
        return np.asarray(np.log(clipped / (1 - clipped)))
    return np.asarray(np.log(np.maximum(told, _EDGE)))


def line(weights: Floats, target: Floats, told: Floats, kind: Kind) -> Floats:
    """Intercept and slope of the regression of :func:`slope`; one row per row of weights."""
    logistic = kind == "classification"
    margin = margin_of(told, kind)
    spread = margin.std()
    x = (margin - margin.mean()) / spread
    rate = metrics.weighted_mean(weights, target)
    slopes, moved = np.zeros(len(weights)), np.full(len(weights), np.inf)
    with np.errstate(all="ignore"):  # a draw without both classes has no slope
        intercepts = np.log(rate / (1 - rate) if logistic else rate)
        for _ in range(_STEPS):
            eta = np.clip(intercepts[:, None] + slopes[:, None] * x, -30, 30)
            mean = 1 / (1 + np.exp(-eta)) if logistic else np.exp(eta)
            curve = weights * (mean * (1 - mean) if logistic else mean)
            off = weights * (target - mean)
            g0, g1 = off.sum(axis=1), off @ x
            h0, h1, h2 = curve.sum(axis=1), curve @ x, curve @ (x * x)
            determinant = h0 * h2 - h1 * h1
            up = np.clip((h2 * g0 - h1 * g1) / determinant, -_STEP, _STEP)
            steeper = np.clip((h0 * g1 - h1 * g0) / determinant, -_STEP, _STEP)
            intercepts, slopes = intercepts + up, slopes + steeper
            moved = np.abs(up) + np.abs(steeper)
            if (moved < _SETTLED).all():
                break
    found = np.stack([intercepts - slopes * margin.mean() / spread, slopes / spread], axis=1)
    return np.where((moved < 1e-4)[:, None], found, np.nan)


def _too_little(target: Floats, told: Floats, kind: Kind, customers: int) -> tuple[str, str] | None:
    if customers < MIN_CUSTOMERS:
        return (
            f"only {customers} customers, needs {MIN_CUSTOMERS}",
            f"仅 {customers} 位客户，至少需要 {MIN_CUSTOMERS} 位",
        )
    above = int((target > 0).sum())
    rarest = min(above, len(target) - above) if kind == "classification" else above
    if rarest < MIN_CLASS:
        what = (
            ("of the rarer class", "较少一类") if kind == "classification" else ("above 0", "大于0")
        )
        return (
            f"only {rarest} rows {what[0]}, needs {MIN_CLASS}",
            f"{what[1]}的样本仅 {rarest} 条，至少需要 {MIN_CLASS} 条",
        )
    if kind == "regression" and target.min() < 0:
        return "a target is below 0", "存在小于0的目标值"
    if np.ptp(told) == 0:
        return "every prediction is the same", "所有预测值都相同"
    return None


def _said(
    value: float,
    interval: tuple[float, float],
    allowed: tuple[float, float],
    finding: str,
    *,
    side: int,
    slope: bool,
) -> str:
    form = ".2f" if slope else "+.3f"
    name = (("slope", "斜率") if slope else ("bias", "总额偏差"))[side]
    numbers = f"{name} {value:{form}} [{interval[0]:{form}}, {interval[1]:{form}}]"
    low, high = allowed
    words = {
        "within": (f"is within {low:.3g} to {high:.3g}", f"在 {low:.3g} 至 {high:.3g} 之内"),
        "beyond": (f"is beyond {low:.3g} to {high:.3g}", f"超出 {low:.3g} 至 {high:.3g}"),
        "undecided": (
            f"may lie within {low:.3g} to {high:.3g} or beyond",
            f"是否在 {low:.3g} 至 {high:.3g} 之内尚无法判定",
        ),
    }
    return f"{numbers} {words[finding][side]}"


def finding(interval: tuple[float, float], allowed: tuple[float, float]) -> str:
    """Say where an interval lies: ``within`` what is allowed, ``beyond`` it, or ``undecided``."""
    if not np.isfinite(interval).all():
        return "undecided"
    if interval[0] > allowed[1] or interval[1] < allowed[0]:
        return "beyond"
    within = allowed[0] <= interval[0] and interval[1] <= allowed[1]
    return "within" if within else "undecided"

"""How well a model did, now that the labels of a period are there, beside what was promised."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, NumberKind
from mkt_models.evaluation.calibration import calibration_check, finding
from mkt_models.evaluation.headline import LESS_IS_BETTER
from mkt_models.evaluation.inputs import TARGET, Kind, require
from mkt_models.evaluation.performance import classification_table, regression_table
from mkt_models.monitoring.gaps import Figure, change
from mkt_models.monitoring_params import PerformanceLimits
from mkt_models.release_params import CalibrationLimits

# What is held against the promise: how well a model ranks, and how far off it is.
JUDGED: dict[Kind, tuple[str, ...]] = {
    "classification": ("auc", "brier"),
    "regression": ("mae",),
}
_TAIL_DRAWS = 5  # draws beyond each end of a percentile interval


def figures(
    rows: pd.DataFrame, model: str, kind: Kind, n_bootstrap: int, confidence: float, seed: int
) -> dict[str, Figure]:
    """The judged metrics of labelled rows, as a promise or to be held against one.

    Enough customers are drawn that each end of an interval has five draws beyond it, however high
    the level.
    """
    draws = max(n_bootstrap, int(np.ceil(2 * _TAIL_DRAWS / (1 - confidence))))
    table = classification_table if kind == "classification" else regression_table
    row = table(rows, [model], draws, confidence, seed).iloc[0]
    return {
        name: Figure(
            float(row[name]),
            float(row[f"{name}_lower"]),
            float(row[f"{name}_upper"]),
            int(row["n"]),
            confidence,
        )
        for name in JUDGED[kind]
    }


def realised_table(
    predictions: pd.DataFrame,
    model: str,
    kind: Kind,
    promised: Mapping[str, Figure],
    limits: PerformanceLimits,
    *,
    min_customers: int,
    false_alarms: float,
    n_bootstrap: int,
    seed: int,
    by: str = AS_OF,
) -> pd.DataFrame:
    """One row per period and metric: what was realised, and what is lost against the promise.

    Parameters
    ----------
    predictions
        Any grain: customer_id, target, the model's predictions, and ``by``, the period.
    promised
        Figures by metric, as a card or earlier periods give them; a metric that is not promised is
        not evaluated.
    limits
        What loss matters.
    min_customers
        Customers that a period needs.
    false_alarms
        Probability that any period alarms though the model does what was promised. Shared by
        periods and metrics (Bonferroni); one-sided, as to do better is no alarm.
    n_bootstrap, seed
        Draws of customers.

    Returns
    -------
    DataFrame
        ``by``, metric, n, n_customers, ``realised`` with ends, ``promised`` with ends, ``loss``
        (above 0 is worse; unit of the metric) with ends, ``allowed`` (the loss that matters),
        level, evaluated, lost (the loss is shown, and as large as matters), kind, note

    """
    require(predictions, [CUSTOMER_ID, TARGET, model, by])
    periods = sorted(predictions[by].unique())
    level = 1 - 2 * false_alarms / (len(periods) * len(JUDGED[kind]))
    rows = []
    for period in periods:
        part = predictions[predictions[by] == period]
        customers = part[CUSTOMER_ID].nunique()
        found = figures(part, model, kind, n_bootstrap, level, seed)
        for name in JUDGED[kind]:
            note = f"only {customers} customers, needs {min_customers}"
            told = judged(name, promised.get(name), found[name], limits, level)
            if customers < min_customers:
                told |= {"evaluated": False, "lost": False, "note": note}
            row: dict[str, Any] = {by: period, "metric": name, "n": len(part)}
            row |= {"n_customers": customers, **ends("realised", found[name]), **told}
            rows.append(row | {"level": level, "kind": NumberKind.BACKTESTED.value})
    return pd.DataFrame(rows)


def judged(
    metric: str, promise: Figure | None, found: Figure, limits: PerformanceLimits, level: float
) -> dict[str, Any]:
    """Columns that hold a figure against its promise: loss, what is allowed, and the finding."""
    row: dict[str, Any] = {"evaluated": False, "lost": False, "allowed": np.nan, "note": ""}
    nothing = Figure(np.nan, np.nan, np.nan, 0)
    row |= ends("promised", promise or nothing) | ends("loss", nothing)
    if promise is None or not promise.known:
        return row | {"note": f"no {metric} with an interval was promised"}
    if not found.known:
        return row | {"note": f"too few rows of a class for {metric}"}
    loss = change(promise, found, level)
    if metric not in LESS_IS_BETTER:
        loss = change(found, promise, level)
    allowed = limits.max_auc_loss
    if metric in LESS_IS_BETTER:
        allowed = limits.max_error_rise * promise.value
    row |= ends("loss", loss) | {"allowed": allowed, "evaluated": True}
    return row | {"lost": bool(loss.lower > 0 and loss.value >= allowed)}


def calibration_table(
    predictions: pd.DataFrame,
    model: str,
    kind: Kind,
    limits: CalibrationLimits,
    *,
    min_customers: int,
    false_alarms: float,
    n_bootstrap: int,
    seed: int,
    by: str = AS_OF,
) -> pd.DataFrame:
    """One row per period: whether the numbers were true (``evaluation.calibration``).

    Columns: ``by``, and those of ``CalibrationCheck``: state (holds, broken, not_evaluated), why,
    why_zh, n, n_customers, slope and bias with their ends; ``undecided`` (how many of slope and
    bias may lie within the limits or beyond), and kind. The level is shared by periods and by
    slope and bias, so that any period is found broken by chance with ``false_alarms`` at most.
    """
    require(predictions, [CUSTOMER_ID, TARGET, model, by])
    periods = sorted(predictions[by].unique())
    confidence = 1 - false_alarms / (4 * len(periods))
    draws = max(n_bootstrap, int(np.ceil(_TAIL_DRAWS / (1 - confidence))))
    least, most = 1 / limits.max_factor, limits.max_factor
    allowed = {"slope": (least, most), "bias": (least - 1, most - 1)}
    rows = []
    for period in periods:
        part = predictions[predictions[by] == period]
        check = calibration_check(part, model, kind, limits, draws, confidence, seed)
        row = {by: period, **vars(check)}
        if check.n_customers < min_customers:
            few = f"only {check.n_customers} customers, needs {min_customers}"
            few_zh = f"仅 {check.n_customers} 位客户，至少需要 {min_customers} 位"
            row |= {"state": "not_evaluated", "why": few, "why_zh": few_zh}
        row["undecided"] = sum(
            finding((row[f"{name}_lower"], row[f"{name}_upper"]), within) == "undecided"
            for name, within in allowed.items()
        )
        rows.append(row | {"kind": NumberKind.BACKTESTED.value})
    return pd.DataFrame(rows)


def ends(name: str, figure: Figure) -> dict[str, float]:
    """A figure as three columns of a table."""
    return {name: figure.value, f"{name}_lower": figure.lower, f"{name}_upper": figure.upper}

"""Is a model too good to be true: its own score on later cutoffs, against what can be believed.

A leak that is spread over several features shows in none of them alone: of two columns whose
product is the label, either is a coin. The model that was trained on them shows it.
"""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from mkt_models.columns import Model
from mkt_models.evaluation.leakage import LeakageError
from mkt_models.guard_params import TOGETHER, Finding, Guards


def check_plausible(performance: pd.DataFrame, column: str, guards: Guards, model: Model) -> str:
    """Stop where a model's backtest is shown to be better than can be believed; else say so.

    Parameters
    ----------
    performance
        One row per model and peer, of a backtest on later cutoffs: a ``classification_table`` (it
        has ``auc``) or a ``regression_table`` (``gini``), with the ends of the interval.
    column
        The row that is judged, under ``model``.
    guards
        The bounds, and whether one for this model is allowed to be passed, with which reason.
    model
        Which model it is.

    Returns
    -------
    str
        A sentence with the figure, its interval and n; it says if it was allowed, and why, or that
        nothing was evaluated, as the figure has no interval.

    Raises
    ------
    LeakageError
        When the whole interval lies above the bound and the params do not allow it.
    ValueError
        When the table has no such row.

    """
    rows = performance[performance["model"] == column].to_dict("records")
    if not rows:
        known = ", ".join(performance["model"].astype(str))
        raise ValueError(f"performance: no model {column!r}; has: {known}")
    row = rows[0]
    metric, what = ("auc", "AUC") if "auc" in row else ("gini", "normalised Gini")
    limit = guards.max_model_auc if metric == "auc" else guards.max_model_gini
    lower = float(row[f"{metric}_lower"])
    if math.isnan(lower):
        return f"Whether the model is too good to be true is not evaluated: its {what} has no ends."
    told = _told(row, metric, what)
    if lower <= limit:
        return f"The model as a whole is not shown to be too good to be true: {told}."
    allowed = [
        entry.reason
        for entry in guards.allowed
        if entry.model is model and entry.finding is Finding.TOO_GOOD_TOGETHER
    ]
    if allowed:
        return f"The model is better than {limit:g}: {told}; allowed: {allowed[0]}"
    raise LeakageError(
        f"{model.value}: the model is too good to be true: {told} lies above {limit:g}, though no "
        "feature alone does. Look for features that tell of the label together, as two columns "
        "whose difference is the outcome, and drop them (features.drop_from); or, where it is "
        f"right all the same, allow it with its reason:\n  guards: {{allowed: [{{model: "
        f"{model.value}, feature: {TOGETHER}, finding: {Finding.TOO_GOOD_TOGETHER.value}, "
        "reason: ...}]}"
    )


def _told(row: dict[Hashable, Any], metric: str, what: str) -> str:
    value, lower, upper = (row[f"{metric}{end}"] for end in ("", "_lower", "_upper"))
    return (
        f"{what} {value:.3f} [{lower:.3f}, {upper:.3f}] on later cutoffs (n = {row['n']:,} rows "
        f"of {row['n_customers']:,} customers)"
    )

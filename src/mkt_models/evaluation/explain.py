"""Why a prediction is what it is: additive contributions (SHAP) of a tree model's features.

The contributions are XGBoost's own (path-dependent TreeSHAP; Lundberg, Erion, Lee 2018) and add up
to the model's margin: log-odds for a probability, the logarithm of the amount for a Tweedie model.
They explain the model, not the world: they prove neither a cause nor a bias.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xgboost

from mkt_models.columns import NOT_AVAILABLE

# How far a sum of contributions may lie from the margin: sums of float32.
TOLERANCE = 1e-3


class ExplanationError(ValueError):
    """Contributions that cannot be had, or do not add up to the margin."""


@dataclass(frozen=True)
class Contributions:
    """What every feature adds to every row's margin.

    Attributes
    ----------
    values
        contributions, one row per customer (or whatever the features' rows are), one column per
        feature, in units of the margin
    features
        the features' values, with the same rows and columns; NaN is a missing value
    base
        margin before any feature is known; base + row sum = margin

    """

    values: pd.DataFrame
    features: pd.DataFrame
    base: float


def contributions(
    booster: xgboost.Booster, features: pd.DataFrame, slope: float = 1.0, intercept: float = 0.0
) -> Contributions:
    """Explain the rows of ``features`` and check that the contributions add up.

    Parameters
    ----------
    booster
        a trained model with one output
    features
        one row per prediction, all numeric; holds the columns the model was trained on, in any
        order (others are left out)
    slope, intercept
        the calibration of the margin, so that what is explained is the score that is served

    Raises
    ------
    ExplanationError
        When a feature of the model is missing, the model has several outputs, or a row's sum
        differs from its margin.

    """
    names = booster.feature_names or [str(column) for column in features.columns]
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise ExplanationError(f"features: the model also needs {', '.join(absent)}")
    table = features[names].astype(np.float64)
    matrix = xgboost.DMatrix(
        table.to_numpy(dtype=np.float32), feature_names=booster.feature_names, nthread=1
    )
    parts = np.asarray(booster.predict(matrix, pred_contribs=True), dtype=np.float64)
    if parts.ndim != 2:
        raise ExplanationError(f"the model has {parts.shape[1]} outputs; explain one at a time")
    margin = np.asarray(booster.predict(matrix, output_margin=True), dtype=np.float64)
    check_additive(parts, margin)
    parts *= slope
    parts[:, -1] += intercept
    base = float(parts[0, -1]) if len(parts) else float("nan")
    values = pd.DataFrame(parts[:, :-1], columns=names, index=features.index)
    return Contributions(values, table, base)


def check_additive(
    parts: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    margin: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    """Raise ExplanationError when a row of contributions (base last) does not sum to its margin."""
    off = np.abs(parts.sum(axis=1) - margin)
    # Written so that a NaN counts as off.
    bad = ~(off <= TOLERANCE)
    if bad.any():
        row = int(np.argmax(bad))
        raise ExplanationError(
            f"{int(bad.sum()):,} of {len(off):,} rows do not add up; row {row}: contributions sum "
            f"to {parts[row].sum():.4f}, the margin is {margin[row]:.4f}"
        )


def global_importance(explained: Contributions) -> pd.DataFrame:
    """One row per feature, most important first.

    Columns: feature; importance (mean absolute contribution, units of the margin); share (of the
    sum over features); direction (Spearman's correlation of the feature's value and its
    contribution, from -1 to 1: does more of it raise the prediction?; NaN where either is
    constant, rows with a missing value left out).
    """
    importance = explained.values.abs().mean()
    out = pd.DataFrame({"feature": importance.index, "importance": importance.to_numpy()})
    total = out["importance"].sum()
    out["share"] = out["importance"] / total if total > 0 else np.nan
    out["direction"] = [
        _spearman(explained.features[name], explained.values[name]) for name in out["feature"]
    ]
    ordered = out.sort_values(["importance", "feature"], ascending=[False, True])
    return ordered.reset_index(drop=True)


def importance_by_group(explained: Contributions, groups: pd.Series) -> pd.DataFrame:
    """One row per group and feature: what moves the predictions of each group.

    ``groups`` has one label per row of the contributions, in the same order; null is 'not
    available'. Columns: group, n (rows), feature, importance (mean absolute contribution), share
    (within the group), mean (signed mean contribution: does the feature lift or lower this group's
    predictions?).
    """
    if len(groups) != len(explained.values):
        raise ValueError(
            f"groups has {len(groups):,} labels for {len(explained.values):,} rows of contributions"
        )
    labels = groups.astype(object).where(groups.notna(), NOT_AVAILABLE).astype(str).to_numpy()
    parts = []
    for label in sorted(set(labels)):
        inside = explained.values[labels == label]
        importance = inside.abs().mean()
        total = importance.sum()
        parts.append(
            pd.DataFrame(
                {
                    "group": label,
                    "n": len(inside),
                    "feature": importance.index,
                    "importance": importance.to_numpy(),
                    "share": (importance / total).to_numpy() if total > 0 else np.nan,
                    "mean": inside.mean().to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _spearman(values: pd.Series, moved: pd.Series) -> float:
    known = values.notna()
    a, b = values[known].rank(), moved[known].rank()
    if a.nunique() < 2 or b.nunique() < 2:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])

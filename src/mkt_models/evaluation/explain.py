"""Why a prediction is what it is: additive contributions (SHAP) of a model's features.

A model gives its contributions itself (trees: path-dependent TreeSHAP; Lundberg, Erion, Lee 2018;
the parts of a blend add up). Here they are held against its predictions: they must add up to the
margin that is served: log-odds for a probability, the logarithm of an amount. They explain the
model, not the world: they prove neither a cause nor a bias.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost

from mkt_models.columns import NOT_AVAILABLE

# How far a sum of contributions may lie from the margin: sums of float32.
TOLERANCE = 1e-3

# Beyond such a margin a probability in floating point no longer tells its log-odds.
_SATURATED = 12.0


class ExplanationError(ValueError):
    """Contributions that cannot be had, or do not add up to the margin."""


class Explainable(Protocol):
    """A model that scores a table and tells what each feature adds."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the matrix."""

    @property
    def link(self) -> Any:
        """``logistic``: a prediction is sigmoid(margin); ``log``: exp(margin)."""

    def predict(self, matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Give n predictions for n rows x features; NaN is missing."""

    def contributions(self, matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Give n rows x (features + 1), the base last, on the margin that is served."""


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


def contributions(model: Explainable, features: pd.DataFrame) -> Contributions:
    """Explain the rows of ``features`` and check that the contributions add up.

    Parameters
    ----------
    model
        a scorer of any make: what is explained is the number that it serves
    features
        one row per prediction, all numeric; holds the columns the model was trained on, in any
        order (others are left out)

    Raises
    ------
    ExplanationError
        When a feature of the model is missing, the contributions are of another shape, or a row's
        sum differs from its margin.

    """
    names = list(model.features)
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise ExplanationError(f"features: the model also needs {', '.join(absent)}")
    table = features[names].astype(np.float64)
    matrix = table.to_numpy(dtype=np.float32)
    parts = np.asarray(model.contributions(matrix), dtype=np.float64)
    if parts.shape != (len(table), len(names) + 1):
        raise ExplanationError(
            f"contributions of shape {parts.shape}, must be {(len(table), len(names) + 1)}: "
            "a column per feature, and the base last"
        )
    check_additive(parts, margin_of(model.predict(matrix), model.link, parts.sum(axis=1)))
    base = float(parts[0, -1]) if len(parts) else float("nan")
    values = pd.DataFrame(parts[:, :-1], columns=names, index=features.index)
    return Contributions(values, table, base)


def margin_of(
    predictions: npt.NDArray[np.float64], link: str, where_saturated: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give the margin that a prediction was made from.

    A probability so near 0 or 1 that it no longer tells its log-odds takes the margin of
    ``where_saturated``, if that lies as far out on the same side.
    """
    if link == "log":
        return np.asarray(np.log(predictions))
    if link != "logistic":
        raise ExplanationError(f"link == {link!r}, must be 'logistic' or 'log'")
    with np.errstate(divide="ignore"):
        margin: npt.NDArray[np.float64] = np.log(predictions) - np.log1p(-predictions)
    far = (np.abs(margin) > _SATURATED) & (np.sign(margin) * where_saturated > _SATURATED - 1)
    return np.where(far, where_saturated, margin)


def check_additive(
    parts: npt.NDArray[np.float64],
    margin: npt.NDArray[np.float64],
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
    constant, rows with a missing value left out); n (rows explained).
    """
    importance = explained.values.abs().mean()
    out = pd.DataFrame({"feature": importance.index, "importance": importance.to_numpy()})
    total = out["importance"].sum()
    out["share"] = out["importance"] / total if total > 0 else np.nan
    out["direction"] = [
        _spearman(explained.features[name], explained.values[name]) for name in out["feature"]
    ]
    out["n"] = len(explained.values)
    ordered = out.sort_values(["importance", "feature"], ascending=[False, True])
    return ordered.reset_index(drop=True)


def importance_by_group(
    explained: Contributions, groups: pd.Series, min_group_size: int = 1
) -> pd.DataFrame:
    """One row per group and feature: what moves the predictions of each group.

    ``groups`` has one label per row of the contributions, in the same order; null is 'not
    available'. Groups of fewer rows than ``min_group_size`` are left out. Columns: group, n (rows),
    feature, importance (mean absolute contribution), share (within the group), mean (signed mean
    contribution: does the feature lift or lower this group's predictions?).
    """
    if len(groups) != len(explained.values):
        raise ValueError(
            f"groups has {len(groups):,} labels for {len(explained.values):,} rows of contributions"
        )
    labels = groups.astype(object).where(groups.notna(), NOT_AVAILABLE).astype(str).to_numpy()
    parts = []
    for label in sorted(set(labels)):
        inside = explained.values[labels == label]
        if len(inside) < min_group_size:
            continue
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
    if not parts:
        return pd.DataFrame(columns=["group", "n", "feature", "importance", "share", "mean"])
    return pd.concat(parts, ignore_index=True)


def interactions(
    booster: xgboost.Booster,
    features: pd.DataFrame,
    *,
    max_rows: int = 500,
    seed: int = 0,
    top: int = 10,
) -> pd.DataFrame:
    """One row per pair of features: how much the trees make of the two together.

    SHAP interaction values (Lundberg, Erion, Lee 2018), XGBoost's own: what two features move
    beyond what each moves alone. Trees only: the linear part of a blend has none, so this is the
    whole of it there too. They cost features x as much as contributions, hence the bound.

    Parameters
    ----------
    booster
        the trees of a model
    features
        one row per prediction, with the columns of the trees
    max_rows, seed
        at most so many rows are taken, drawn without replacement
    top
        pairs to give, strongest first

    Returns
    -------
    DataFrame
        first, second; strength (mean absolute interaction, both halves together, in units of the
        trees' margin before calibration); share (of all that features move, alone and in pairs);
        direction (mean interaction where both are above their median; what it does to the margin,
        NaN without such rows); n (rows)

    """
    names = booster.feature_names or [str(column) for column in features.columns]
    absent = [name for name in names if name not in features.columns]
    if absent:
        raise ExplanationError(f"features: the trees also need {', '.join(absent)}")
    rows = features[names].astype(np.float64)
    if len(rows) > max_rows:
        rows = rows.sample(max_rows, random_state=seed)
    matrix = xgboost.DMatrix(
        rows.to_numpy(dtype=np.float32), feature_names=booster.feature_names, nthread=1
    )
    parts = np.asarray(booster.predict(matrix, pred_interactions=True), dtype=np.float64)
    check_additive(
        parts.reshape(len(rows), -1),
        np.asarray(booster.predict(matrix, output_margin=True), dtype=np.float64),
    )
    both = parts[:, :-1, :-1] + parts[:, :-1, :-1].transpose(0, 2, 1)
    strength = np.abs(both).mean(axis=0)
    alone = np.abs(np.einsum("nii->ni", parts[:, :-1, :-1])).mean(axis=0).sum()
    first, second = np.triu_indices(len(names), k=1)
    total = alone + strength[first, second].sum()
    order = np.argsort(-strength[first, second], kind="stable")[:top]
    values, middles = rows.to_numpy(), rows.median().to_numpy()
    found = []
    for i, j in zip(first[order], second[order], strict=True):
        high = (values[:, i] > middles[i]) & (values[:, j] > middles[j])
        found.append(
            {
                "first": names[i],
                "second": names[j],
                "strength": strength[i, j],
                "share": strength[i, j] / total if total > 0 else np.nan,
                "direction": float(both[high, i, j].mean()) if high.any() else np.nan,
                "n": len(rows),
            }
        )
    return pd.DataFrame(found, columns=["first", "second", "strength", "share", "direction", "n"])


def _spearman(values: pd.Series, moved: pd.Series) -> float:
    known = values.notna()
    a, b = values[known].rank(), moved[known].rank()
    if a.nunique() < 2 or b.nunique() < 2:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])

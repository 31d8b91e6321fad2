"""What every feature tells alone, and how it is known in training and among today's customers.

Plain figures, one row per feature; :mod:`mkt_models.evaluation.leakage` judges them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation.inputs import TARGET, Floats, Kind, read_target, require
from mkt_models.evaluation.performance import MIN_CLASS, MIN_CUSTOMERS
from mkt_models.evaluation.single_feature import Alone, ordering, shape

# A number names a customer when nearly every customer has one of their own, at every date.
OWN_NUMBERS = 0.95


def feature_table(
    rows: pd.DataFrame,
    serving: pd.DataFrame,
    features: Sequence[str],
    kind: Kind,
    confidence: float,
    *,
    groups: str | None = None,
) -> pd.DataFrame:
    """One row per feature: what it tells alone, and how it is known in training and at serving.

    Parameters
    ----------
    rows
        What is trained on: ``customer_id``, ``target`` and the features, NaN where unknown.
    serving
        What is scored today: ``customer_id`` and the features. Without rows, nothing is said of
        serving but which columns it has.
    features
        Columns of ``rows`` to judge.
    kind
        ``classification`` (target 0 or 1) or ``regression`` (an amount).
    confidence
        Level of the intervals, by customer, for each feature by itself.
    groups
        A column of both tables, such as ``campaign_id``: a feature with one value per group in
        ``rows`` has as many values today as there are groups, not as there are customers.

    Returns
    -------
    DataFrame
        feature; n, n_customers (training); known (rows with a value); missing (share); levels
        (distinct known values); modal (share of the most frequent level, where missing is one);
        served (whether ``serving`` has the column); n_serving (customers, or groups),
        missing_serving (share), levels_serving (where missing is one); measure (``auc``, from 0.5,
        or ``gini``); alone, shaped and missing_alone, that measure of the feature in the better
        direction, in any shape, and of its being missing, each with ``_lower`` and ``_upper``
        (:mod:`mkt_models.evaluation.single_feature`); duplicate_of (the target, or the first
        feature with the same order of rows; else empty); identifier (whether it names customers);
        note (why a figure is not given)

    Raises
    ------
    ValueError
        When a column is not there, a feature or target is no number, or a feature is infinite.

    """
    require(rows, [CUSTOMER_ID, TARGET, *features])
    target = read_target(rows, kind)
    codes, known_customers = pd.factorize(rows[CUSTOMER_ID])
    why_not = _too_few(target, codes, kind)
    values = {name: _numbers(rows, name) for name in features}
    twins = _duplicates(values, target)
    out = []
    for name, column in values.items():
        missing = np.isnan(column)
        levels, counts = np.unique(column[~missing], return_counts=True)
        row: dict[str, Any] = {
            "feature": name,
            "n": len(column),
            "n_customers": len(known_customers),
            "known": int((~missing).sum()),
            "missing": float(missing.mean()),
            "levels": len(levels),
            "modal": float(max([*counts, missing.sum()]) / len(column)),
        }
        row |= _served(serving, name, _units(rows, serving, name, groups))
        row["measure"] = "auc" if kind == "classification" else "gini"
        note = why_not or ("constant" if len(levels) + missing.any() < 2 else "")
        row |= _alone("alone", column, target, codes, kind, confidence, bool(note))
        row |= _alone("shaped", column, target, codes, kind, confidence, bool(note), shape)
        no_gap = bool(note or missing.all() or not missing.any())
        absent = missing.astype(np.float64)
        row |= _alone("missing_alone", absent, target, codes, kind, confidence, no_gap)
        row["duplicate_of"] = twins.get(name, "")
        row["identifier"] = _names_customers(name, column, codes, len(levels))
        row["note"] = f"not evaluated: {note}" if note else ""
        out.append(row)
    return pd.DataFrame(out)


def _too_few(target: Floats, codes: npt.NDArray[np.intp], kind: Kind) -> str:
    """Why no feature can be judged alone; empty when it can."""
    if (n := len(np.unique(codes))) < MIN_CUSTOMERS:
        return f"only {n} customers, needs {MIN_CUSTOMERS}"
    if kind == "regression":
        return "" if np.ptp(target) > 0 else "every target is the same"
    for label, what in ((1, "positive"), (0, "negative")):
        if (n := len(np.unique(codes[target == label]))) < MIN_CLASS:
            return f"only {n} customers with a {what} target, needs {MIN_CLASS}"
    return ""


def _numbers(rows: pd.DataFrame, name: str) -> Floats:
    try:
        column = pd.to_numeric(rows[name]).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise ValueError(f"rows: feature {name!r} is no number: {rows[name].dtype}") from None
    if wrong := int(np.isinf(column).sum()):
        raise ValueError(
            f"rows: feature {name!r} is infinite in {wrong:,} of {len(column):,} rows; a division "
            "by 0 gives no value: make it missing"
        )
    return column


def _duplicates(values: Mapping[str, Floats], target: Floats) -> dict[str, str]:
    """Features that order and tie the rows as the target or an earlier feature does.

    Trees see no more than that, so a copy in other units or with another sign is a copy.
    """
    seen = dict.fromkeys(_orders(target), TARGET) if np.ptp(target) > 0 else {}
    found: dict[str, str] = {}
    for name, column in values.items():
        orders = _orders(column)
        if (twin := seen.get(orders[0])) is not None:
            found[name] = twin
        elif len(orders) == 2:
            seen |= dict.fromkeys(orders, name)
    return found


def _orders(column: Floats) -> tuple[bytes, ...]:
    """The rank of every row from below and from above, missing apart; one if nothing varies."""
    missing = np.isnan(column)
    levels, ranks = np.unique(column[~missing], return_inverse=True)
    codes = np.full(len(column), -1, dtype=np.int32)
    codes[~missing] = ranks
    if len(levels) < 2 and not (len(levels) and missing.any()):
        return (codes.tobytes(),)
    from_above = np.where(missing, -1, len(levels) - 1 - codes).astype(np.int32)
    return codes.tobytes(), from_above.tobytes()


def _names_customers(name: str, column: Floats, codes: npt.NDArray[np.intp], levels: int) -> bool:
    """Whether a feature is called an id, or is a whole number that only one customer ever has."""
    if name == "id" or name.endswith("_id"):
        return True
    known = ~np.isnan(column)
    pairs = pd.DataFrame({"customer": codes[known], "value": column[known]})
    n = pairs["customer"].nunique()
    if levels < OWN_NUMBERS * n or n < MIN_CUSTOMERS or (column[known] % 1 != 0).any():
        return False
    repeated = int((pairs["customer"].value_counts() > 1).sum())
    never_changes = len(pairs.drop_duplicates()) == n
    return never_changes and repeated >= MIN_CUSTOMERS


def _units(rows: pd.DataFrame, serving: pd.DataFrame, name: str, groups: str | None) -> int:
    """How many values a feature can take today: one per group, if it is the group's, or per row."""
    if groups is not None and rows.groupby(groups)[name].nunique(dropna=False).max() == 1:
        return int(serving[groups].nunique())
    return int(serving[CUSTOMER_ID].nunique())


def _served(serving: pd.DataFrame, name: str, units: int) -> dict[str, Any]:
    if name not in serving:
        nothing = {"missing_serving": np.nan, "levels_serving": 0}
        return {"served": False, "n_serving": units, **nothing}
    column = serving[name]
    return {
        "served": True,
        "n_serving": units,
        "missing_serving": float(column.isna().mean()),
        "levels_serving": int(column.nunique(dropna=False)),
    }


def _alone(
    name: str,
    column: Floats,
    target: Floats,
    codes: npt.NDArray[np.intp],
    kind: Kind,
    confidence: float,
    absent: bool,
    measure: Callable[..., Alone] = ordering,
) -> dict[str, float]:
    names = (name, f"{name}_lower", f"{name}_upper")
    if absent:
        return dict.fromkeys(names, np.nan)
    found = measure(column, target, codes, kind, confidence)
    return dict(zip(names, (found.value, found.lower, found.upper), strict=True))

"""Can a model be trained on these rows: what xgboost would take quietly, or refuse obscurely."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.evaluation.inputs import TARGET
from mkt_models.models.labels import LabelError
from mkt_models.sections import nearest

# Fewer customers give folds of a handful each: nothing that holds for others can be learnt.
MIN_CUSTOMERS = 20
_SHOWN = 5


class RowsError(LabelError):
    """Rows that no model can be trained on or tested with; the message says what is wrong."""


def require_trainable(
    rows: pd.DataFrame, features: Sequence[str], link: Literal["logistic", "log"], name: str
) -> None:
    """Raise RowsError for rows that nothing true can be learnt from.

    Parameters
    ----------
    rows
        Any grain: ``customer_id``, ``target`` and the features; with ``as_of`` (and
        ``campaign_id``) one row per customer and date (and campaign). No rows at all pass: how
        many are needed is judged by who counts the classes.
    features
        The columns to train on.
    link
        ``logistic``: the target is 0 or 1; ``log``: an amount, 0 or more.
    name
        The model, for the message.

    """
    _require_columns(rows, [CUSTOMER_ID, TARGET, *features], name)
    if rows.empty:
        return
    n = len(rows)
    target = pd.to_numeric(rows[TARGET], errors="coerce").to_numpy(dtype=np.float64)
    require_target(target, link, name)
    require_once(rows, [key for key in (CUSTOMER_ID, AS_OF, CAMPAIGN_ID) if key in rows], name)
    require_finite(rows, features, name)
    customers = rows[CUSTOMER_ID].nunique()
    if customers < MIN_CUSTOMERS:
        raise RowsError(
            f"{name}: {n:,} rows of only {customers} customers, needs {MIN_CUSTOMERS}; take more "
            "customers"
        )
    if (rows[list(features)].nunique(dropna=False) < 2).all():
        raise RowsError(
            f"{name}: none of {len(features)} features varies in {n:,} rows, so there is nothing "
            "to learn from; are the clean tables of this run filled before the cutoffs?"
        )


def require_target(
    target: npt.NDArray[np.float64], link: Literal["logistic", "log"], name: str
) -> None:
    """Raise RowsError for a target that is no number, no class, or a negative amount."""
    n = len(target)
    if wrong := int((~np.isfinite(target)).sum()):
        raise RowsError(f"{name}: the target of {wrong:,} of {n:,} rows is no finite number")
    if link == "logistic" and (other := np.setdiff1d(target, [0.0, 1.0])).size:
        raise RowsError(f"{name}: the target must be 0 or 1, has {other[0]:g}")
    if link == "log" and (below := int((target < 0).sum())):
        raise RowsError(
            f"{name}: the target of {below:,} of {n:,} rows is below 0; an amount with returns "
            "taken off is no spend: count them apart"
        )


def require_once(rows: pd.DataFrame, keys: Sequence[str], name: str) -> None:
    """Raise RowsError when a customer is null, or rows of the same date stand twice.

    Without ``as_of`` among the keys nothing says which rows are the same.
    """
    if nulls := int(rows[CUSTOMER_ID].isna().sum()):
        raise RowsError(f"{name}: {CUSTOMER_ID} is null in {nulls:,} of {len(rows):,} rows")
    if AS_OF in keys and (twice := int(rows.duplicated(list(keys)).sum())):
        first = rows[rows.duplicated(list(keys))].iloc[0]
        raise RowsError(
            f"{name}: {twice:,} of {len(rows):,} rows stand twice ({', '.join(keys)}), the first "
            f"of them {', '.join(str(first[key]) for key in keys)}; such a customer would count "
            "twice: look for a join that multiplies rows"
        )


def require_finite(rows: pd.DataFrame, features: Sequence[str], name: str) -> None:
    """Raise RowsError, naming each feature, for what float32 holds as no finite number."""
    _require_columns(rows, features, name)
    try:
        values = rows[list(features)].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise RowsError(f"{name}: a feature is no number: {error}") from None
    counts = (np.abs(values) > np.finfo(np.float32).max).sum(axis=0)
    wrong = [f"{features[i]} in {counts[i]:,}" for i in np.flatnonzero(counts).tolist()]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise RowsError(
            f"{name}: infinite, or too large for a tree: {', '.join(wrong[:_SHOWN])}{more} of "
            f"{len(rows):,} rows; a division by 0 gives no value: make it missing"
        )


def _require_columns(rows: pd.DataFrame, wanted: Sequence[str], name: str) -> None:
    has = [str(column) for column in rows.columns]
    for column in wanted:
        if column not in has:
            raise RowsError(f"{name}: the rows have no column {column!r}{nearest(column, has)}")

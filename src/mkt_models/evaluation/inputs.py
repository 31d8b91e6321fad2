"""Reading a table of predictions: which columns it must have, and which values they may take.

Grain of such a table: one row per customer and ``as_of`` date (or customer and campaign), with
``customer_id``, ``target`` and one column per model or peer that holds its prediction.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.sections import nearest

TARGET = "target"

Floats = npt.NDArray[np.float64]
Kind = Literal["classification", "regression"]


def require(predictions: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise ValueError, naming what is there, when a column, a row or a customer is missing."""
    has = [str(column) for column in predictions.columns]
    for column in columns:
        if column not in has:
            raise ValueError(
                f"predictions: no column {column!r}{nearest(column, has)}; has: {', '.join(has)}"
            )
    if predictions.empty:
        raise ValueError("predictions: no rows; is the test period inside the data?")
    if CUSTOMER_ID in columns and predictions[CUSTOMER_ID].isna().any():
        raise ValueError(f"predictions: {CUSTOMER_ID} has nulls; every row needs its customer")


def numbers(predictions: pd.DataFrame, column: str) -> Floats:
    """Give a column as float64; ValueError, with the count, when values are null or infinite."""
    values = pd.to_numeric(predictions[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = int((~np.isfinite(values)).sum())
    if wrong:
        raise ValueError(
            f"predictions: {column!r} has {wrong:,} null or infinite values in {len(values):,} "
            "rows; leave those rows out for every model, and say so"
        )
    return values


def read_target(predictions: pd.DataFrame, kind: Kind) -> Floats:
    """Give the target as float64: 0 and 1 for a classification, any finite number otherwise."""
    if kind not in ("classification", "regression"):
        raise ValueError(f"kind == {kind!r}, must be 'classification' or 'regression'")
    target = numbers(predictions, TARGET)
    if kind == "classification":
        other = np.setdiff1d(target, [0.0, 1.0])
        if other.size:
            raise ValueError(f"predictions: {TARGET!r} must be 0 or 1, has {other[0]:g}")
    return target

"""Tables of numbers for readers: an estimate and its interval in one cell."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def with_intervals(
    table: pd.DataFrame, keys: Sequence[str], metrics: Sequence[str], digits: int = 3
) -> pd.DataFrame:
    """Put each metric and its interval into one column of text.

    Parameters
    ----------
    table
        Any grain: for each metric a column, and ``<metric>_lower`` and ``<metric>_upper``.
    keys
        Columns that name a row; they become the index.
    metrics
        Columns to show, in their order; one without an interval, such as ``n``, is shown alone.
    digits
        Digits after the decimal point of what has an interval.

    >>> found = pd.DataFrame({"model": ["a"], "n": [12], "auc": [0.8], "auc_lower": [0.7],
    ...                       "auc_upper": [0.9]})
    >>> with_intervals(found, ["model"], ["n", "auc"])
            n                   auc
    model
    a      12  0.800 [0.700, 0.900]
    """
    shown = table[list(keys)].copy()
    for metric in metrics:
        if f"{metric}_lower" not in table:
            shown[metric] = table[metric]
            continue
        ends = table[[metric, f"{metric}_lower", f"{metric}_upper"]].to_numpy(dtype=float)
        shown[metric] = [_cell(value, low, high, digits) for value, low, high in ends]
    return shown.set_index(list(keys))


def _cell(value: float, low: float, high: float, digits: int) -> str:
    if np.isnan(value):
        return "not available"
    if np.isnan(low):
        return f"{value:,.{digits}f} [no interval]"
    return f"{value:,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"

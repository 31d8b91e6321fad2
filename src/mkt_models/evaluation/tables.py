"""Tables of numbers for readers: their kind, and an estimate with its interval in one cell."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind


def of_kind(table: pd.DataFrame, kind: NumberKind, note: str = "") -> pd.DataFrame:
    """Say once, in the corner of a table, where all of its numbers come from.

    ``note`` says more: what n counts, which dates, what an interval is.

    >>> of_kind(pd.DataFrame({"orders": [7]}, index=["app"]), NumberKind.OBSERVED)
    observed  orders
    app            7
    """
    said = str(kind.value).replace("_", " ")
    return table.rename_axis(columns=f"{said}{'; ' if note else ''}{note}")


def with_intervals(
    table: pd.DataFrame,
    keys: Sequence[str],
    metrics: Sequence[str],
    digits: int = 3,
    *,
    kind: NumberKind | None = None,
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
    kind
        Where the numbers come from, said in the corner; None where a column says it.

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
    shown = shown.set_index(list(keys))
    return shown if kind is None else of_kind(shown, kind)


def worded(table: pd.DataFrame) -> pd.DataFrame:
    """Codes as words, and a dash where there is nothing; the English reason is called ``why``.

    >>> worded(pd.DataFrame({"state": ["not_evaluated"], "kind": [None], "en": ["too few"]}))
               state kind      why
    0  not evaluated    –  too few
    """

    def said(cell: object) -> object:
        if isinstance(cell, str):
            code = re.fullmatch(r"[a-z]+(_[a-z]+)+", cell)
            return cell.replace("_", " ") if code else cell
        return "–" if pd.isna(cell) else cell  # type: ignore[call-overload]

    return table.map(said).rename(columns={"en": "why"})


def _cell(value: float, low: float, high: float, digits: int) -> str:
    if np.isnan(value):
        return "not available"
    if np.isnan(low):
        return f"{value:,.{digits}f} [no interval]"
    return f"{value:,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"

"""The few figures of a stage that everybody should see, each with interval, n and kind."""

from typing import Any

import pandas as pd

from mkt_models.columns import NumberKind


def headline(
    table: pd.DataFrame,
    metric: str,
    name: str,
    *,
    model: str,
    unit: str = "",
    better_than: str | None = None,
) -> dict[str, Any]:
    """Take one figure out of a table of performance.

    Parameters
    ----------
    table
        One row per model, as ``performance`` gives it.
    metric
        Column of the figure; its interval stands beside it.
    name
        What the figure is, in words.
    model
        The row.
    unit
        ``share`` for per cent, else shown behind the number.
    better_than
        A peer to name beside it, with its figure.

    """
    rows = {str(row["model"]): row for row in table.to_dict("records")}
    row = rows[model]
    peer = None
    if better_than is not None:
        value = float(rows[better_than][metric])
        digits = 3 if abs(value) < 10 else 1
        peer = f"{better_than.replace('_', ' ')} {value:,.{digits}f}"
    return {
        "name": name,
        "value": float(row[metric]),
        "lower": float(row[f"{metric}_lower"]),
        "upper": float(row[f"{metric}_upper"]),
        "n": int(row["n"]),
        "kind": NumberKind.BACKTESTED.value,
        "unit": unit,
        "better_than": peer,
    }

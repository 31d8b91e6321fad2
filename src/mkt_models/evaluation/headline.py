"""The few figures of a stage that everybody should see, each with interval, n and kind."""

from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from mkt_models.columns import NumberKind

# Metrics of which less is better; of the others more is.
LESS_IS_BETTER = frozenset({"brier", "log_loss", "ece", "mae", "rmse"})


def headline(
    table: pd.DataFrame,
    metric: str,
    name: str,
    *,
    model: str,
    unit: str = "",
    with_peer: bool = True,
    kind: NumberKind = NumberKind.BACKTESTED,
) -> dict[str, Any]:
    """Take one figure out of a table of performance, beside that of the strongest peer.

    Parameters
    ----------
    table
        One row per model, as ``performance`` gives it with ``model`` as its reference.
    metric
        Column of the figure; its interval stands beside it.
    name
        What the figure is, in words.
    model
        The row.
    unit
        ``share`` for per cent, else shown behind the number.
    with_peer
        Name the best of the other models, whether it is better or worse than this one.
    kind
        Where the figure comes from.

    """
    rows = {str(row["model"]): row for row in table.to_dict("records")}
    row = rows.pop(model)
    figure = figure_of(row, metric, name, unit, kind)
    known = {peer: float(found[metric]) for peer, found in rows.items() if pd.notna(found[metric])}
    if with_peer and known:
        best = (min if metric in LESS_IS_BETTER else max)(known, key=lambda peer: known[peer])
        digits = 3 if abs(known[best]) < 10 else 1
        figure["beside"] = f"{best.replace('_', ' ')} {known[best]:.{digits}f}"
    return figure


def figure_of(
    row: Mapping[Hashable, Any] | pd.Series, column: str, name: str, unit: str, kind: NumberKind
) -> dict[str, Any]:
    """One figure of a table's row, with the interval beside its column, n and kind."""
    return {
        "name": name,
        "value": float(row[column]),
        "lower": float(row[f"{column}_lower"]),
        "upper": float(row[f"{column}_upper"]),
        "n": int(row["n"]),
        "kind": kind.value,
        "unit": unit,
        "beside": None,
    }


def on_dates(figures: Iterable[Mapping[str, Any]], dates: Iterable[date]) -> list[dict[str, Any]]:
    """Say of backtested figures on which dates they were: ``dates``, ISO 8601, each once.

    >>> on_dates([{"name": "AUC"}], [date(2017, 11, 6), date(2017, 9, 25), date(2017, 11, 6)])
    [{'name': 'AUC', 'dates': ['2017-09-25', '2017-11-06']}]
    """
    days = [day.isoformat() for day in sorted(set(dates))]
    return [{**figure, "dates": days} for figure in figures]


def coverage_headline(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """The share of customers within their intervals, from a ``coverage_table``; none without."""
    return [
        figure_of(row, "coverage", name, "share", NumberKind.BACKTESTED)
        for row in table[table["bin"] == 0].to_dict("records")
    ]

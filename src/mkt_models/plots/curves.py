"""Figures of calibration, coverage and gain, from the tables of ``evaluation.curves``."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import (
    ACCENT,
    COLOURS,
    INK,
    LINES,
    MAIN,
    MARKERS,
    PALE,
    PERCENT,
    QUIET,
    THOUSANDS,
    begin,
    finish,
    grid,
    legend,
    plain,
    reach,
)


def calibration(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    unit: str | None = None,
) -> Axes:
    """Draw predicted against observed, bin by bin, from a ``calibration_table``.

    Without ``unit`` the numbers are probabilities and shown in percent; otherwise amounts in it.
    """
    ax = begin(ax, width=5.6, height=4.6)
    value = table["observed"].to_numpy(dtype=float)
    names = {"lower": "observed_lower", "upper": "observed_upper"}
    ends = reach(table.rename(columns=names), "observed")
    top = float(np.nanmax([table["predicted"].max(), table["upper"].max(), value.max()])) * 1.05
    ax.plot([0, top], [0, top], color=ACCENT, linestyle="--", linewidth=1.1, label="as predicted")
    ax.errorbar(
        table["predicted"],
        value,
        yerr=ends,
        fmt="o",
        color=MAIN,
        markersize=6,
        capsize=3,
        lw=1.3,
        label="observed, with interval",
    )
    formatter = PERCENT if unit is None else THOUSANDS
    ax.xaxis.set_major_formatter(formatter)
    ax.yaxis.set_major_formatter(formatter)
    what = "share" if unit is None else unit
    ax.set(
        xlabel=f"predicted, mean of the bin ({what})",
        ylabel=f"observed, mean of the bin ({what})",
        xlim=(-0.02 * top, top),
        ylim=(-0.02 * top, top),
    )
    grid(ax, "both")
    legend(ax, loc="upper left")
    inside = (table["lower"] <= table["predicted"]) & (table["predicted"] <= table["upper"])
    found = f"Predictions lie inside the interval in {inside.sum()} of {len(table)} bins"
    n = f"n = {int(table['n'].sum()):,} predictions in bins of equal count. Backtested."
    return finish(ax, title or found, n)


def coverage(
    table: pd.DataFrame,
    said: float,
    unit: str,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw how often the prediction intervals held, bin by bin, from a ``coverage_table``.

    ``said`` is how often they should, e.g. 0.8; ``unit`` the unit of the predictions.
    """
    ax = begin(ax)
    if table.empty:
        return finish(ax, title or "Not evaluated: too few rows to learn intervals", "n = 0.")
    every, binned = table[table["bin"] == 0].iloc[0], table[table["bin"] > 0]
    x = np.arange(len(binned))
    ax.axhline(said, color=ACCENT, linestyle="--", linewidth=1.1, label=f"as said: {said:.0%}")
    ax.errorbar(
        x,
        binned["coverage"],
        yerr=reach(binned, "coverage"),
        fmt="o",
        color=MAIN,
        markersize=6,
        capsize=3,
        lw=1.3,
        label="spent within, with interval",
    )
    ax.set_xticks(x, [f"{mean:,.0f}" for mean in binned["predicted"]])
    ax.yaxis.set_major_formatter(PERCENT)
    lowest = float(binned["coverage_lower"].min())
    ax.set(
        xlabel=f"mean prediction of the bin, {unit}",
        ylabel="share of customers within their interval",
        ylim=(max(0.0, min(lowest, said) - 0.1), 1.0),
    )
    grid(ax, "y")
    legend(ax, loc="lower right")
    found = f"Intervals of {said:.0%} held for {every['coverage']:.1%} of later customers"
    n = f"n = {int(every['n']):,} predictions in bins of equal count. Backtested."
    return finish(ax, title or found, n)


def gain(
    tables: pd.DataFrame | Mapping[str, pd.DataFrame],
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "positives",
) -> Axes:
    """Draw what share of the positives (or of the amount) the top-ranked customers hold.

    ``tables``: one ``gain_table``, or several by the name of their model. ``what`` is captured.
    """
    ax = begin(ax)
    named = {"model": tables} if isinstance(tables, pd.DataFrame) else dict(tables)
    for i, (name, table) in enumerate(named.items()):
        if "cumulative_share_lower" in table:
            ends = reach(table, "cumulative_share")
            ax.errorbar(table["cumulative_customers"], table["cumulative_share"], yerr=ends,
                        fmt="none", color=COLOURS[i % 8], capsize=2.5, lw=1.1)  # fmt: skip
        ax.plot(
            [0, *table["cumulative_customers"]],
            [0, *table["cumulative_share"]],
            color=COLOURS[i % 8],
            linestyle=LINES[i % 8],
            marker=MARKERS[i % 8],
            markersize=5,
            label=plain(name),
        )
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=":", label="at random")
    ax.xaxis.set_major_formatter(PERCENT)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set(
        xlabel="customers, highest predictions first",
        ylabel=f"share of the {what} among them",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    grid(ax, "both")
    legend(ax, **({"loc": "lower right"} if len(named) <= 3 else {}))
    first = next(iter(named.values()))
    near = first.iloc[int((first["cumulative_customers"] - 0.2).abs().argmin())]
    found = (
        f"The top {near['cumulative_customers']:.0%} by {plain(next(iter(named)))} hold "
        f"{near['cumulative_share']:.0%} of the {what}"
    )
    if "cumulative_share_lower" in first:
        low, high = near["cumulative_share_lower"], near["cumulative_share_upper"]
        found += f" [{low:.0%} to {high:.0%}]"
    if np.isnan(near["cumulative_share"]):
        found = f"Not evaluated: {first['note'].iloc[0]}"
    return finish(ax, title or found, _caption(first, "cumulative_share_lower"))


def deciles(
    table: pd.DataFrame, unit: str, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw mean predicted beside mean actual amount per bin, from a ``gain_table``."""
    ax = begin(ax)
    x = np.arange(len(table))
    ax.bar(x - 0.2, table["predicted"], 0.38, color=PALE, edgecolor=MAIN, label="predicted")
    ax.bar(
        x + 0.2,
        table["observed"],
        0.38,
        color=MAIN,
        hatch="////",
        edgecolor="white",
        linewidth=0.5,
        label="actual",
    )
    if "observed_lower" in table:
        ax.errorbar(x + 0.2, table["observed"], yerr=reach(table, "observed"), fmt="none",
                    color=INK, capsize=2.5, lw=1.1)  # fmt: skip
    ax.set_xticks(x, [str(b) for b in table["bin"]])
    ax.yaxis.set_major_formatter(THOUSANDS)
    ax.set(xlabel="bins of customers, highest predictions first", ylabel=f"mean amount, {unit}")
    grid(ax, "y")
    legend(ax, loc="upper right")
    first = table.iloc[0]
    found = (
        f"The top bin was predicted {first['predicted']:,.0f} and was {first['observed']:,.0f} "
        f"{unit} per customer"
    )
    return finish(ax, title or found, _caption(table, "observed_lower"))


def _caption(table: pd.DataFrame, with_ends: str) -> str:
    lines = " Lines: bootstrap intervals by customer." if with_ends in table else ""
    return f"n = {int(table['n'].sum()):,} predictions.{lines} Backtested."

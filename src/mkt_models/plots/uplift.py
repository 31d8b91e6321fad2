"""Figures of what a contact changes, from the tables of ``evaluation.qini`` and ``.uplift``."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from mkt_models.plots.style import (
    ACCENT,
    MAIN,
    PALE,
    PERCENT,
    QUIET,
    begin,
    finish,
    grid,
    legend,
    plain,
    reach,
)

POINTS = FuncFormatter(lambda value, _: f"{100 * value:+.3g}" if value else "0")


def effects(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "orders",
    unit: str | None = None,
) -> Axes:
    """Draw what a contact adds per group, largest on top, from an ``effect_table``.

    A filled mark is shown not to be 0, a hollow one is not. Without ``unit`` the numbers are
    shares and shown in percentage points.
    """
    known = table[table["effect"].notna()].sort_values("effect", ignore_index=True)
    ax = begin(ax, height=0.42 * len(known) + 1.7)
    ax.axvline(0, color=QUIET, linewidth=0.9)
    left, right = reach(known, "effect")
    for y, (_, row) in enumerate(known.iterrows()):
        ax.errorbar(
            row["effect"],
            y,
            xerr=[[left[y]], [right[y]]],
            fmt="o",
            color=MAIN,
            markerfacecolor=MAIN if _shown(row) else "white",
            markersize=7,
            capsize=3,
            lw=1.4,
        )
    ax.set_yticks(
        range(len(known)),
        [f"{plain(g)} (n = {n:,})" for g, n in zip(known["group"], known["n"], strict=True)],
    )
    ax.set_ylim(-0.6, len(known) - 0.4)
    if unit is None:
        ax.xaxis.set_major_formatter(POINTS)
    ax.set_xlabel(f"{what} that a contact adds, {unit or 'percentage points'}")
    grid(ax, "x")
    up, down = (int((known[end] * sign > 0).sum()) for end, sign in _ENDS)
    found = f"A contact is shown to add {what} in {up} of {len(known)} groups"
    if down:
        found += f", and to cost some in {down}"
    level = f"{table['level'].iloc[0]:.1%}" if len(table) else ""
    caption = (
        f"n: customers and campaigns. Lines: intervals at {level}, widened for the number of "
        "groups; hollow: not shown to differ from 0. Randomised."
    )
    return finish(ax, title or found, caption)


def qini_curve(
    table: pd.DataFrame,
    ranking: pd.Series | Mapping[str, float] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "orders",
    name: str = "the ranking",
    unit: str | None = None,
) -> Axes:
    """Draw what contacting the top of a ranking adds, from a ``qini_curve``, beside chance.

    ``ranking`` is the row of the ``qini_table`` of the same rows: whether the area between the
    curve and the line is shown, decides the title. Without ``unit`` the numbers are shares.
    """
    ax = begin(ax)
    share, gain = table["share"].to_numpy(), table["gain"].to_numpy()
    lower, upper = (table[f"gain_{end}"].to_numpy() for end in ("lower", "upper"))
    ax.fill_between(share, lower, upper, color=PALE, alpha=0.55, lw=0, label="interval")
    ax.plot(share, gain, color=MAIN, marker="o", markersize=4, label=plain(name))
    ax.plot(share, table["random"], color=ACCENT, linestyle="--", lw=1.2, label="at random")
    ax.axhline(0, color=QUIET, linewidth=0.8)
    ax.xaxis.set_major_formatter(PERCENT)
    if unit is None:
        ax.yaxis.set_major_formatter(POINTS)
    ax.set(
        xlabel="customers contacted, highest predicted uplift first",
        ylabel=f"{what} added per customer,\n{unit or 'percentage points'}",
        xlim=(0, 1),
    )
    grid(ax, "both")
    legend(ax, loc="upper left")
    third = table.iloc[int((table["share"] - 0.3).abs().argmin())]
    scale, tail = (100, " points") if unit is None else (1, f" {unit}")
    found = (
        f"The top {third['share']:.0%} add {third['gain'] * scale:.2g}{tail}, as many at random "
        f"{third['random'] * scale:.2g}"
    )
    caption = (
        f"n = {int(table['n'].iloc[0]):,} customers and campaigns that chose and trained nothing. "
        "Band: bootstrap interval by customer. Randomised."
    )
    if ranking is not None:
        caption += (
            f" Qini (area between curve and line) {ranking['qini']:.3g} "
            f"[{ranking['qini_lower']:.3g}, {ranking['qini_upper']:.3g}]."
        )
        if not ranking["qini_lower"] > 0:
            found = f"Not shown to be better than chance: {found[0].lower()}{found[1:]}"
    return finish(ax, title or found, caption)


def uplift_bins(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "orders",
    unit: str | None = None,
) -> Axes:
    """Draw predicted beside observed uplift per bin, highest predicted first."""
    ax = begin(ax)
    x = np.arange(len(table))
    ax.bar(x, table["predicted"], 0.62, color=PALE, edgecolor=MAIN, label="predicted")
    ax.errorbar(
        x,
        table["observed"],
        yerr=reach(table, "observed"),
        fmt="o",
        color=MAIN,
        markersize=7,
        capsize=4,
        lw=1.5,
        label="observed, with interval",
    )
    ax.axhline(0, color=QUIET, linewidth=0.9)
    ax.set_xticks(x, [f"{b}\n(n = {n:,})" for b, n in zip(table["bin"], table["n"], strict=True)])
    if unit is None:
        ax.yaxis.set_major_formatter(POINTS)
    ax.set(
        xlabel="bins of customers, highest predicted uplift first",
        ylabel=f"{what} that a contact adds,\n{unit or 'percentage points'}",
    )
    grid(ax, "y")
    legend(ax, loc="upper right")
    first, last = table.iloc[0], table.iloc[-1]
    scale, tail = (100, " points") if unit is None else (1, f" {unit}")
    found = (
        f"A contact adds {first['observed'] * scale:+.2g}{tail} in the top bin and "
        f"{last['observed'] * scale:+.2g} in the last"
    )
    caption = "Customers and campaigns that chose and trained nothing. Lines: bootstrap intervals "
    return finish(ax, title or found, caption + "by customer, each for itself. Randomised.")


_ENDS = (("effect_lower", 1), ("effect_upper", -1))


def _shown(row: pd.Series) -> bool:
    return any(row[end] * sign > 0 for end, sign in _ENDS)

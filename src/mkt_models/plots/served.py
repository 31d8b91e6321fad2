"""Figures of what a service did, from the tables of ``monitoring.served``."""

import re
import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import (
    ACCENT,
    INK,
    MAIN,
    OWN,
    PALE,
    PERCENT,
    QUIET,
    THOUSANDS,
    begin,
    figure_of,
    finish,
    grid,
    legend,
    plain,
    reach,
)

_ANSWERS: Mapping[str, tuple[str, str, str]] = {
    "strategies": ("a strategy", MAIN, ""),
    "defaults": ("the default for everybody", PALE, "///"),
    "no_action": ("no action", "white", ""),
}
_STATES: Mapping[str, tuple[str, str, str]] = {
    "sent": ("sent", MAIN, ""),
    "not_sent": ("not sent", PALE, "///"),
    "withdrawn": ("withdrawn", "white", ""),
    "unreported": ("not reported on", ACCENT, "xxx"),
    "open": ("may still be sent", "white", "..."),
}


def answers_by_day(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw what came first in the answers of every day, from ``decisions_by_day``."""
    ax = _stacked(table, _ANSWERS, ax)
    ax.set_ylabel("decisions")
    total = float(table["decisions"].sum())
    shares = {name: float(table[name].sum()) / total for name in _ANSWERS} if total else {}
    found = "No decision was made"
    if shares:
        found = (
            f"{shares['strategies']:.0%} of the answers are a strategy, {shares['defaults']:.0%} "
            f"the default, {shares['no_action']:.0%} no action"
        )
    caption = f"n = {total:,.0f} decisions on {len(table)} days, by what came first. Observed."
    return finish(ax, title or found, caption)


def contacts_by_day(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw what became of the contacts of every day, from ``contacts_by`` the day."""
    ax = _stacked(table, _STATES, ax)
    ax.set_ylabel("contacts")
    planned, sent = (float(table[name].sum()) for name in ("planned", "sent"))
    found = "No contact was planned"
    if planned:
        beyond = float(table["beyond_policy"].sum())
        found = f"{sent / planned:.0%} of {planned:,.0f} contacts were sent"
        found += f"; {beyond:,.0f} beyond what was permitted" if beyond else ", all as permitted"
    caption = "Planned contacts and contacts of others, by the day from which they count. Observed."
    return finish(ax, title or found, caption)


def reach_by_group(
    table: pd.DataFrame,
    measure: str,
    limit: float,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw how far every group is from all in being reached, from a ``gap_table``.

    ``limit`` is the gap that matters; groups that are not judged are hollow, without a line.
    """
    rows = table[(table["measure"] == measure) & table["gap"].notna()].iloc[::-1]
    ax = begin(ax, height=0.32 * len(rows) + 1.9)
    ax.axvline(0, color=QUIET, linewidth=0.9)
    for end in (-limit, limit):
        ax.axvline(end, color=ACCENT, linewidth=1.2, linestyle="--")
    judged = rows["judged"].to_numpy(dtype=bool)
    ends = reach(rows, "gap")
    for y, (known, value) in enumerate(zip(judged, rows["gap"], strict=True)):
        ax.errorbar(
            value,
            y,
            xerr=ends[:, [y]] if known else None,
            fmt="o",
            color=MAIN,
            markerfacecolor=MAIN if known else "white",
            markersize=5.5,
            capsize=3,
        )
    names = [
        f"{plain(row['attribute'])}: {row['group']}\n{row['mean']:.0%}, n = {row['n_customers']:,}"
        for row in rows.to_dict("records")
    ]
    ax.set_yticks(np.arange(len(rows)), names)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel(f"{plain(measure)}: share of the group minus that of all who are known")
    ax.xaxis.set_major_formatter(PERCENT)
    grid(ax, "x")
    found = "No group is large enough to judge"
    if judged.any():
        apart = rows[judged & ((rows["gap_lower"] > 0) | (rows["gap_upper"] < 0)).to_numpy()]
        found = f"{len(apart) or 'None'} of {int(judged.sum())} groups is shown to differ from all"
    caption = (
        "Lines: intervals, corrected for the number of groups and measures; dashed: the gap that "
        "matters; hollow: not judged. By customer, who may be contacted."
    )
    return finish(ax, title or found, caption)


def marked(ax: Axes, simulated: bool) -> Axes:
    """Say in the title and the caption of a figure that its numbers are simulated, where they are.

    The word that closes a caption, for the kind of the numbers, is replaced.
    """
    figure = figure_of(ax)
    if simulated and figure.get_gid() == OWN:
        figure.suptitle(
            textwrap.fill(
                f"Simulated: {figure.get_suptitle()}", int(76 * figure.get_figwidth() / 7)
            ),
            x=0.01,
            ha="left",
            fontsize=11,
            fontweight="bold",
            color=INK,
        )
        caption = figure.get_supxlabel()
        figure.supxlabel(
            re.sub(r"\s*(Observed|Randomised|Off-policy)\.$", "", caption) + " Simulated.",
            x=0.01,
            ha="left",
            fontsize=8.5,
            color=QUIET,
        )
    return ax


def _stacked(
    table: pd.DataFrame, parts: Mapping[str, tuple[str, str, str]], ax: Axes | None
) -> Axes:
    """Bars of the days, one upon the other; a part that is never there is left out."""
    ax = begin(ax, width=9, height=3.8)
    base = np.zeros(len(table))
    days = table["day"]
    for name, (words, colour, hatch) in parts.items():
        counts = table[name].astype("float64").fillna(0).to_numpy()
        if not counts.any():
            continue
        ax.bar(
            days, counts, 0.8, base, color=colour, hatch=hatch, label=words, edgecolor=QUIET, lw=0.5
        )
        base += counts
    ax.yaxis.set_major_formatter(THOUSANDS)
    for label in ax.get_xticklabels():
        label.set_rotation(30)
        label.set_horizontalalignment("right")
    grid(ax, "y")
    if base.any():
        legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax

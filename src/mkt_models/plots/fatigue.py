"""Figure of what earlier contacts leave of a response, from a ``fatigue_table``."""

import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import MAIN, PERCENT, QUIET, begin, finish, grid, plain, reach


def fatigue(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw what a contact the day before leaves of a response, per channel with its interval.

    A filled mark is applied in decisions, a hollow one is not; a channel that was not evaluated
    has none, and stands at 100% in the decisions.
    """
    ax = begin(ax, height=0.45 * len(table) + 1.9)
    ax.axvline(1, color=QUIET, linewidth=0.9)
    left, right = reach(table, "left")
    for y, (_, row) in enumerate(table.iterrows()):
        if pd.isna(row["left"]):
            ax.annotate(
                "not evaluated",
                (1, y),
                xytext=(-6, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=9,
                color=QUIET,
            )
            continue
        ax.errorbar(
            row["left"],
            y,
            xerr=[[left[y]], [right[y]]],
            fmt="o",
            color=MAIN,
            markerfacecolor=MAIN if row["applied"] else "white",
            markersize=7,
            capsize=3,
            lw=1.4,
        )
    ax.set_yticks(
        range(len(table)),
        [f"{plain(c)} (n = {n:,})" for c, n in zip(table["channel"], table["n"], strict=True)],
    )
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]), right=max(1.1, ax.get_xlim()[1]))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("what a contact the day before leaves of a response")
    grid(ax, "x")
    known = int(table["left"].notna().sum())
    found = (
        f"Fatigue is applied over {int(table['applied'].sum())} of {len(table)} channels; "
        f"{len(table) - known} could not be evaluated"
    )
    caption = (
        "n: contacts that tell of it. Lines: intervals, clustered by customer and widened for the "
        "choice of the half-life. Filled: applied; hollow: no fatigue shown, nothing is applied."
    )
    return finish(ax, title or found, caption)

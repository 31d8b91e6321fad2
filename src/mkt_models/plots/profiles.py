"""Figures of profiles: how many have a tag, how stable tags are, what stages foretell.

Groups of fewer than ``min_cell`` customers are not told (``small_cells``).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.columns import LifecycleStage
from mkt_models.plots.style import (
    ACCENT,
    INK,
    MAIN,
    PALE,
    PAPER,
    PERCENT,
    QUIET,
    bar_labels,
    begin,
    finish,
    grid,
    plain,
    reach,
)
from mkt_models.small_cells import HIDDEN, hidden


def tag_counts(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, min_cell: int = 1
) -> Axes:
    """Draw how many customers have each tag.

    ``table``: one row per tag; ``name`` (as people call it), ``customers``, ``n`` (customers in
    all).
    """
    ax = begin(ax, height=0.26 * len(table) + 1.6)
    rows = table.sort_values(["customers", "name"], ascending=[True, False])
    few = np.array(hidden(rows["customers"].tolist(), min_cell), dtype=bool)
    share = (rows["customers"] / rows["n"]).where(~few, 0.0)
    ax.barh(range(len(rows)), share, color=PALE, edgecolor=QUIET, linewidth=0.6, height=0.7)
    texts = [
        (f"< {min_cell}" if c < min_cell else HIDDEN) if no else f"{c:,} ({s:.0%})"
        for c, s, no in zip(rows["customers"], share, few, strict=True)
    ]
    bar_labels(ax, [float(s) for s in share], texts)
    ax.set_yticks(range(len(rows)), list(rows["name"]))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("share of customers with the tag")
    grid(ax, "x")
    most = rows.iloc[-1]
    n = int(rows["n"].iloc[0])
    found = f"{most['name']} is the most common tag: {most['customers']:,} of {n:,} customers"
    return finish(ax, title or found, f"n = {n:,} customers; several tags are possible. Observed.")


def tag_stability(
    table: pd.DataFrame,
    days: int,
    ax: Axes | None = None,
    title: str | None = None,
    least: int = 20,
    min_cell: int = 1,
) -> Axes:
    """Draw, per tag, the share of its customers who still have it after so many ``days``.

    ``table``: rows of ``stability.tag_stability`` with ``name``. Tags that fewer than ``least``
    customers had are drawn hollow: they are too few to judge. Of fewer than ``min_cell`` nothing is
    drawn.
    """
    ax = begin(ax, height=0.27 * len(table) + 1.7)
    rows = table.sort_values(["kept_share", "name"], ascending=[True, False])
    gone = np.array(hidden(rows["then"].tolist(), min_cell), dtype=bool)
    rows = rows.assign(**{name: rows[name].where(~gone) for name in ("kept_share", "kappa")})
    y = np.arange(len(rows))
    few = (rows["then"] < least).to_numpy()
    ax.hlines(y, 0, rows["kept_share"], color=PALE, linewidth=1.2)
    for column, marker, label in (("kept_share", "o", "share that keep it"),
                                  ("kappa", "s", "kappa: agreement beyond chance")):  # fmt: skip
        colour = MAIN if column == "kept_share" else ACCENT
        values = rows[column].to_numpy(dtype=float)
        ax.plot(values[~few], y[~few], marker, color=colour, markersize=5, label=label)
        ax.plot(values[few], y[few], marker, markerfacecolor=PAPER, markeredgecolor=colour,
                markersize=5)  # fmt: skip
    sizes = [
        (f"< {min_cell}" if t < min_cell else HIDDEN) if no else f"{t:,}"
        for t, no in zip(rows["then"], gone, strict=True)
    ]
    ax.set_yticks(y, [f"{n} ({t})" for n, t in zip(rows["name"], sizes, strict=True)])
    ax.set_xlim(min(0.0, float(np.nanmin(rows["kappa"], initial=0.0)) - 0.02), 1.02)
    ax.set_xlabel("share, or kappa (1: as before, 0: no better than chance)")
    ax.set_ylabel("tag (customers who had it)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
    grid(ax, "x")
    judged = rows[~few]
    worst = judged.iloc[0] if len(judged) else rows.iloc[0]
    found = (
        f"After {days} days {worst['kept_share']:.0%} still are “{worst['name']}”, the least stable"
    )
    n = int(rows["n"].iloc[0])
    hollow = f"; hollow: fewer than {least} had it" if few.any() else ""
    return finish(ax, title or found, f"n = {n:,} customers with a profile on both days{hollow}. "
                  "Observed.")  # fmt: skip


def stage_outcomes(
    table: pd.DataFrame,
    horizon_days: int,
    ax: Axes | None = None,
    title: str | None = None,
    min_cell: int = 1,
) -> Axes:
    """Draw the share of each stage's customers who then ordered nothing, by rule.

    ``table``: rows of ``lifecycle.stage_outcomes``; lines are Wilson's 95% intervals where the
    table has them (``silent_share_lower``, ``silent_share_upper``). A stage of fewer than
    ``min_cell`` customers, or of whom so few were silent, is not told.
    """
    ax = begin(ax)
    stages = [str(stage) for stage in LifecycleStage]
    rules = list(dict.fromkeys(table["rule"]))
    width = 0.8 / len(rules)
    looks = ((PALE, ""), (MAIN, ""), (ACCENT, "////"))
    for i, rule in enumerate(rules):
        mine = table[table["rule"] == rule].set_index("stage").reindex(stages)
        sizes = hidden(mine["customers"].tolist(), min_cell)
        gone = np.array(sizes) | np.array(hidden(mine["silent"].tolist(), min_cell))
        mine = mine.assign(silent_share=mine["silent_share"].where(~gone))
        x = np.arange(len(stages)) + (i - (len(rules) - 1) / 2) * width
        colour, hatch = looks[i % len(looks)]
        ax.bar(x, mine["silent_share"].fillna(0), width=width * 0.92, color=colour, hatch=hatch,
               edgecolor=QUIET, linewidth=0.6, label=plain(rule))  # fmt: skip
        top = mine["silent_share"].fillna(0)
        if "silent_share_upper" in mine:
            ax.errorbar(x[~gone], mine["silent_share"][~gone], yerr=reach(mine[~gone],
                        "silent_share"), fmt="none", color=INK, capsize=2, lw=0.9)  # fmt: skip
            top = mine["silent_share_upper"].where(~gone).fillna(0)
        for at, high, small, no, (_, row) in zip(x, top, sizes, gone, mine.iterrows(), strict=True):
            said = HIDDEN if no else f"{np.nan_to_num(row['silent_share']):.0%}"
            n = HIDDEN if small else f"{np.nan_to_num(row['customers']):,.0f}"
            ax.text(at, high + 0.015, f"{said}\nn={n}", ha="center", va="bottom",
                    fontsize=8)  # fmt: skip
    ax.set_xticks(range(len(stages)), stages)
    ax.set_ylim(0, 1.18)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set(xlabel="stage on the day", ylabel=f"share without an order in {horizon_days} days")
    ax.legend(loc="upper left", frameon=False)
    grid(ax, "y")
    total = int(table[table["rule"] == rules[0]]["customers"].sum())
    lost = table[table["stage"] == LifecycleStage.LOST.value]
    lost = lost[(lost["silent"] >= min_cell) | (lost["silent"] == 0)]
    said = ", ".join(
        f"{share:.0%} by {plain(rule)}"
        for rule, share in zip(lost["rule"], lost["silent_share"], strict=True)
    )
    found = f"Of the lost, so many then ordered nothing in {horizon_days} days: {said}"
    lines = " Lines: Wilson's 95% intervals." if "silent_share_upper" in table else ""
    few = f" {HIDDEN} fewer than {min_cell}, or hidden with them." if min_cell > 1 else ""
    return finish(ax, title or found, f"n = {total:,} customers.{lines}{few} Observed.")

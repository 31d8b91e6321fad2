"""Figures of data quality: before and after cleaning, and where values are missing."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import INK, MAIN, PALE, PAPER, PERCENT, begin, finish, grid, plain


def quality(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the share of faulty rows before and after cleaning, by table and aspect.

    ``table``: one row per table and aspect; ``table``, ``aspect``, ``rows_before``,
    ``faulty_before``, ``rows_after``, ``faulty_after``. Only those with a faulty row before or
    after are drawn, the worst on top: hollow before, filled after.
    """
    there = table[(table["faulty_before"] > 0) | (table["faulty_after"] > 0)]
    rows = there.assign(before=_share(there, "before"), after=_share(there, "after"))
    rows = rows.sort_values(["before", "after", "table"]).reset_index(drop=True)
    ax = begin(ax, height=0.4 * max(2, len(rows)) + 1.9)
    listed = rows.to_dict("records")
    for y, one in enumerate(listed):
        ends = [float(one["before"]), float(one["after"])]
        ax.plot(ends, [y, y], color=PALE, linewidth=3, zorder=1)
        text = " → ".join(
            _percent(one[f"faulty_{when}"], one[f"rows_{when}"]) for when in ("before", "after")
        )
        ax.annotate(
            text,
            (max(ends), y),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=INK,
        )
    for when, face, size in (("before", PAPER, 7), ("after", MAIN, 5)):
        ax.plot(
            rows[when],
            rows.index,
            linestyle="none",
            marker="o",
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=MAIN,
            label=f"{when} cleaning",
            clip_on=False,
            zorder=2,
        )
    ax.set_yticks(range(len(rows)), [f"{plain(r['table'])}: {r['aspect']}" for r in listed])
    top = max([0.01, *rows["before"], *rows["after"]])
    ax.set_xlim(-0.02 * top, 1.3 * top)
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("share of the table's rows that are at fault")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
    grid(ax, "x")
    better = int((rows["after"] < rows["before"]).sum())
    found = f"Cleaning improves {better} of the {len(rows)} aspects in which rows were at fault"
    if len(rows) and rows["after"].max() > 0:
        worst = max(listed, key=lambda one: float(one["after"]))
        share = _percent(worst["faulty_after"], worst["rows_after"])
        found += f"; most is left in the {worst['aspect']} of {plain(worst['table'])}, {share}"
    n = int(table["rows_before"].groupby(table["table"]).first().sum())
    caption = (
        f"{len(table) - len(rows)} other aspects had no fault. n = {n:,} rows in "
        f"{table['table'].nunique()} tables; n after is that of the clean table. Observed."
    )
    return finish(ax, title or found, caption, 24)


def missing_groups(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw the share of missing values by group and column, so that one sees where data lacks.

    ``table``: one row per group and column; ``table``, ``group`` (what groups), ``value`` (which
    one), ``column``, ``missing``, ``n`` rows. One table and one kind of group at a time. Darker is
    more; every cell says its share. At most the 12 largest groups are drawn.
    """
    largest = table.groupby("value")["n"].first().sort_values(ascending=False, kind="stable")
    shown = sorted(largest.index[:12])
    rows = table[table["value"].isin(shown)]
    shares = (
        rows.assign(share=rows["missing"] / rows["n"].where(rows["n"] > 0))
        .pivot_table(index="column", columns="value", values="share", sort=False)
        .reindex(columns=shown)
    )
    cells = shares.to_numpy(dtype=float)
    upright = sum(len(str(v)) for v in shown) > 60
    ax = begin(ax, height=0.4 * max(2, len(shares)) + (2.7 if upright else 1.7))
    ax.imshow(cells, cmap="Greys", vmin=0, vmax=1.3, aspect="auto")
    for (y, x), share in np.ndenumerate(cells):
        ax.text(
            x,
            y,
            _cell(share),
            ha="center",
            va="center",
            fontsize=8,
            color=PAPER if share > 0.6 else INK,
        )
    ax.set_xticks(range(len(shown)), [plain(v) for v in shown])
    if upright:
        ax.tick_params(axis="x", rotation=90)
    ax.set_yticks(range(len(shares)), [plain(name) for name in shares.index])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    name, group = (str(table[c].iloc[0]) for c in ("table", "group"))
    ax.set(xlabel=f"{group}; cells: share of its rows without a value", ylabel="column")
    apart = np.nanmax(cells, axis=1) - np.nanmin(cells, axis=1)
    most = int(apart.argmax())
    low, high = (float(f(cells[most])) for f in (np.nanmin, np.nanmax))
    where = plain(shown[int(np.nanargmax(cells[most]))])
    found = (
        f"{plain(shares.index[most]).capitalize()} is missing in {low:.1%} to {high:.1%} of the "
        f"{plain(name)} by {group}, most in {where}"
    )
    rest = f"; {len(largest) - len(shown)} smaller groups not drawn" if len(largest) > 12 else ""
    n = f"{int(largest.sum()):,} rows of {plain(name)} in {len(largest)} groups"
    caption = f"n = {n}{rest}. Observed."
    return finish(ax, title or found, caption)


def _share(table: pd.DataFrame, when: str) -> pd.Series:
    rows = table[f"rows_{when}"]
    return (table[f"faulty_{when}"] / rows.where(rows > 0)).fillna(0.0)


def _percent(part: float, whole: float) -> str:
    """Give a share in percent that never rounds to nothing unless it is."""
    if not part:
        return "none"
    share = part / whole
    return "under 0.01%" if share < 0.0001 else f"{share:.2%}" if share < 0.01 else f"{share:.1%}"


def _cell(share: float) -> str:
    """Give a share in few letters that never rounds to all or nothing unless it is."""
    if share in (0, 1):
        return f"{share:.0%}"
    text = f"{share:.0%}"
    return "<1%" if text == "0%" else ">99%" if text == "100%" else text

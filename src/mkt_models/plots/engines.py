"""Figures of what the engines cost, from the table of ``benchmarks/engines.py``."""

from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mkt_models.plots.style import COLOURS, LINES, MARKERS, QUIET, begin, finish, grid, legend

_LABELS = {
    "cpu_s": "CPU seconds, whole process tree",
    "wall_s": "seconds of wall time",
    "peak_gb": "peak memory, whole process tree (GB)",
}


def engine_costs(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    what: Literal["cpu_s", "wall_s", "peak_gb"] = "cpu_s",
) -> Axes:
    """Draw cost against the number of order lines, a line per way, both axes logarithmic.

    ``table``: one row per ``lines`` and ``way`` with the columns of ``what``; missing where the
    way did not come to an end. Of memory, the bound ``memory_gb`` is drawn too.
    """
    ax = begin(ax, width=7, height=4.4)
    done = table[table[what].notna()]
    for number, (way, rows) in enumerate(done.groupby("way", sort=False)):
        rows = rows.sort_values("lines")
        ax.plot(
            rows["lines"],
            rows[what],
            color=COLOURS[number],
            marker=MARKERS[number],
            linestyle=LINES[number],
            label=str(way),
        )
    if what == "peak_gb":
        bound = float(done["memory_gb"].max())
        ax.axhline(bound, color=QUIET, linewidth=0.9)
        ax.annotate(
            f"bound that was set for the engine: {bound:g} GB",
            (float(done["lines"].min()), bound),
            xytext=(0, 3),
            textcoords="offset points",
            color=QUIET,
            fontsize=8.5,
        )
    ax.set(xscale="log", yscale="log", xlabel="order lines", ylabel=_LABELS[what])
    sizes = sorted(table["lines"].unique())
    ax.set_xticks(sizes, [_size(lines) for lines in sizes])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    grid(ax, "y")
    legend(ax, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    caption = "Observed once per point (n = 1, no interval), on two cores."
    return finish(ax, title or _finding(done, what), caption)


def _size(lines: float) -> str:
    return f"{lines / 1e6:g} million" if lines >= 1e6 else f"{lines:,.0f}"


def _finding(done: pd.DataFrame, what: str) -> str:
    """Compare the portable SQL with the SQL by hand at the largest size that both have done."""
    both = done.pivot_table(index="lines", columns="way", values=what)
    names = ("portable SQL on DuckDB", "hand-written DuckDB SQL")
    if not set(names) <= set(both.columns) or both[list(names)].dropna().empty:
        return "What the features of one date cost"
    ratio = both[names[0]] / both[names[1]]
    lines = ratio.dropna().index.max()
    noun = "memory" if what == "peak_gb" else "time" if what == "wall_s" else "CPU time"
    return (
        f"At {_size(lines)} lines the portable SQL takes {ratio[lines]:.2f} times the {noun} "
        "of SQL written by hand"
    )

"""Figures of decisions: what was chosen, why other things were not, and what budgets bring."""

import pandas as pd
from matplotlib.axes import Axes

from mkt_models.columns import Strategy
from mkt_models.plots.style import (
    COLOURS,
    INK,
    LINES,
    MAIN,
    MARKERS,
    PALE,
    PERCENT,
    THOUSANDS,
    bar_labels,
    begin,
    finish,
    grid,
    legend,
    plain,
)
from mkt_models.small_cells import hidden

TOO_FEW = "too few to tell"


def strategies(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, min_cell: int = 1
) -> Axes:
    """Draw for how many customers each strategy comes first; doing nothing is hatched.

    ``table``: one row per strategy; ``strategy``, ``customers``. Fewer than ``min_cell`` are not
    told, nor what would tell them.
    """
    total = int(table["customers"].sum())
    idle = table["strategy"].astype(str) == str(Strategy.NO_ACTION)
    nothing = int(table.loc[idle, "customers"].sum())
    few = hidden(table["customers"].tolist(), min_cell)
    found = (
        f"{(total - nothing) / total:.0%} of the customers get a strategy, "
        f"{nothing / total:.0%} are left alone"
        if total
        else "No decision was made"
    )
    if any(no for no, still in zip(few, idle, strict=True) if still):
        found = "Nearly all customers get a strategy"
    caption = f"n = {total:,} customers, each counted once, by the first-ranked strategy. Observed."
    ax = _counts(
        table.assign(few=few), "strategy", "customers", ax, hatched=str(Strategy.NO_ACTION)
    )
    ax.set_xlabel("customers")
    return finish(ax, title or found, caption)


def suppressions(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, min_cell: int = 1
) -> Axes:
    """Draw why candidates were suppressed.

    ``table``: one row per reason; ``reason``, ``candidates``, and ``customers`` concerned: reasons
    of fewer than ``min_cell`` are not told, nor what would tell them.
    """
    total = int(table["candidates"].sum())
    found = "No candidate was suppressed"
    if total:
        most = table.iloc[int(table["candidates"].argmax())]
        share = most["candidates"] / total
        found = f"{share:.0%} of what was held back has the reason: {plain(most['reason'])}"
    caption = (
        f"n = {total:,} suppressed candidates (customer × strategy × channel), one reason each. "
        "Observed."
    )
    few = hidden(table["customers"].tolist(), min_cell) if "customers" in table else False
    ax = _counts(table.assign(few=few), "reason", "candidates", ax)
    ax.set_xlabel("suppressed candidates")
    return finish(ax, title or found, caption)


def budget_curve(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw what decisions are worth against each budget, the others as they are; chosen: share 1.

    ``table``: one row per budget and share of its amount; ``budget``, ``share``, ``of_chosen``,
    ``n``, ``kind``.
    """
    ax = begin(ax)
    looks = zip(table.groupby("budget", sort=False), COLOURS, MARKERS, LINES, strict=False)
    gained = {}
    for (name, rows), colour, marker, line in looks:
        ordered = rows.sort_values("share")
        ax.plot(
            ordered["share"],
            ordered["of_chosen"],
            color=colour,
            marker=marker,
            linestyle=line,
            label=plain(name),
        )
        gained[str(name)] = float(ordered["of_chosen"].iloc[-1]) - 1
    ax.plot([1], [1], marker="o", markersize=11, markerfacecolor="none", color=INK, linestyle="")
    ax.annotate("as chosen", (1, 1), xytext=(6, -14), textcoords="offset points", color=INK)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("share of the budget, the others as chosen")
    ax.set_ylabel("worth, share of that of the chosen budgets")
    grid(ax, "y")
    legend(ax)
    most = max(gained, key=lambda name: gained[name])
    top = float(table["share"].max())
    found = (
        f"More of {plain(most)} would bring most: {gained[most]:+.1%} at {top:.3g} times as much"
        if gained[most] > 0
        else "No budget binds: more of any would bring nothing"
    )
    kinds = " and ".join(plain(kind) for kind in sorted(set(table["kind"].astype(str))))
    caption = f"n = {int(table['n'].max()):,} customers with a candidate; worth is {kinds}."
    return finish(ax, title or found, caption)


def _counts(table: pd.DataFrame, name: str, count: str, ax: Axes | None, hatched: str = "") -> Axes:
    rows = table.sort_values([count, name], ascending=[True, False])
    ax = begin(ax, height=0.38 * max(2, len(rows)) + 1.5)
    drawn = rows[count].where(~rows["few"].astype(bool), 0)
    bars = ax.barh(range(len(rows)), drawn, color=MAIN, height=0.6)
    for bar, label in zip(bars, rows[name], strict=True):
        if str(label) == hatched:
            bar.set(facecolor=PALE, hatch="////", edgecolor=MAIN)
    total = rows[count].sum()
    texts = [
        TOO_FEW if few else f"{n:,} ({n / total:.1%})" if total else f"{n:,}"
        for n, few in zip(rows[count], rows["few"], strict=True)
    ]
    bar_labels(ax, drawn.astype(float).tolist(), texts)
    ax.set_yticks(range(len(rows)), [plain(label) for label in rows[name]])
    ax.xaxis.set_major_formatter(THOUSANDS)
    return ax

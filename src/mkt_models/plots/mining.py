"""Figures of what is bought together, and of recommenders."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from mkt_models.plots.style import (
    INK,
    MAIN,
    PALE,
    PAPER,
    PERCENT,
    QUIET,
    begin,
    begin_panels,
    figure_of,
    finish,
    grid,
    plain,
    reach,
)


def rules(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, top: int = 8
) -> Axes:
    """Draw rules by support and confidence; number those of the highest lift and name them.

    ``table``: one row per rule; ``antecedent``, ``consequent``, ``support``, ``confidence``,
    ``lift``. Of the rules between the same items only the one of highest lift, or the most
    confident, is named.
    """
    ax = begin(ax, width=8.5, height=4.4)
    if table.empty:
        return finish(ax, title or "No rule passes the thresholds")
    size = 8 + 60 * (table["lift"] / table["lift"].max())
    ax.scatter(
        table["support"], table["confidence"], s=size, color=PALE, edgecolor=MAIN, linewidth=0.5
    )
    ends = zip(table["antecedent"].astype(str), table["consequent"].astype(str), strict=True)
    pair = pd.Series(
        [" + ".join(sorted(" + ".join(both).split(" + "))) for both in ends], index=table.index
    )
    best = (
        table.assign(pair=pair)
        .sort_values(["lift", "confidence"], ascending=False)
        .drop_duplicates("pair")
        .head(top)
    )
    key = []
    for number, (_, row) in enumerate(best.iterrows(), start=1):
        spot = (float(row["support"]), float(row["confidence"]))
        ax.scatter(*spot, s=130, color=MAIN, edgecolor=PAPER, zorder=3)
        ax.annotate(
            str(number),
            spot,
            ha="center",
            va="center",
            color=PAPER,
            fontsize=8,
            fontweight="bold",
            zorder=4,
        )
        words = f"{number}  {_rule(row)} (×{row['lift']:.1f})"
        key.append(textwrap.fill(words, 42, subsequent_indent="    "))
    ax.text(
        1.02, 1.0, "\n".join(key), transform=ax.transAxes, va="top", fontsize=8, linespacing=1.35
    )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(PERCENT)
    few = table["support"].max() / table["support"].min() < 20
    ax.xaxis.set_minor_formatter(NullFormatter())
    if few:
        ticks = _round_ticks(table["support"].min(), table["support"].max())
        ax.set_xticks(ticks)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set(
        xlabel="support: share of orders with both (logarithmic)",
        ylabel="confidence: share with the second,\ngiven the first",
    )
    grid(ax, "both")
    first = best.iloc[0]
    found = (
        f"Who buys {_short(first['antecedent'])} buys {_short(first['consequent'])} "
        f"{first['lift']:.1f} times as often as all orders do"
    )
    caption = f"n = {len(table):,} rules; size and × are the lift. Observed; no cause is implied."
    return finish(ax, title or found, caption)


def recommenders(
    table: pd.DataFrame,
    metrics: Mapping[str, str] | None = None,
    title: str | None = None,
    chosen: str | None = None,
) -> Figure:
    """Draw recommenders side by side, one panel per metric, with intervals.

    ``table``: one row per ``model`` with each metric and its ``_lower`` and ``_upper``, and
    ``n_customers`` if known. ``metrics`` maps columns to their names; ``chosen`` is the model in
    use, which is hatched.
    """
    names = dict(metrics or {"recall": "Recall@10", "ndcg": "NDCG@10"})
    rows = table.iloc[::-1].reset_index(drop=True)
    panels = begin_panels(len(names), height=0.4 * len(rows) + 1.8)
    for ax, (column, label) in zip(panels, names.items(), strict=True):
        value = rows[column].to_numpy(dtype=float)
        ends = reach(rows, column)
        used = (rows["model"] == chosen).to_numpy()
        bars = ax.barh(range(len(rows)), value, color=PALE, edgecolor=MAIN, height=0.6)
        for bar, is_used in zip(bars, used, strict=True):
            if is_used:
                bar.set(hatch="////")
        ax.errorbar(value, range(len(rows)), xerr=ends, fmt="none", ecolor=INK, capsize=3, lw=1.4)
        right = np.nansum([value, ends[1]], axis=0)
        for y, (x, v) in enumerate(zip(right, value, strict=True)):
            text = "not available" if np.isnan(v) else f"{v:.3f}"
            ax.annotate(
                text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=INK
            )
        ax.set_xlim(0, (np.nanmax(right) or 1) * 1.25)
        ax.set_yticks(range(len(rows)), [plain(name) for name in rows["model"]])
        ax.set_xlabel(label)
    first, label = next(iter(names.items()))
    best = table.iloc[int(table[first].argmax())]
    found = f"{plain(best['model'])} finds most: {label} {best[first]:.3f}"
    caption = "Lines: bootstrap intervals by customer. Backtested."
    if "n_customers" in table:
        caption = f"n = {int(table['n_customers'].max()):,} customers. {caption}"
    finish(panels[0], title or found[:1].upper() + found[1:], caption)
    return figure_of(panels[0])


def gains(
    table: pd.DataFrame,
    metric: str = "ndcg",
    label: str = "NDCG@10",
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw what each ranking gains or loses against a baseline, with paired intervals.

    ``table``: one row per ``ranking`` and ``metric``; ``value``, ``gain``, ``gain_lower``,
    ``gain_upper``, ``n``. The baseline, whose gain is 0, is named below.
    """
    rows = table[table["metric"] == metric]
    if rows.empty:
        return finish(begin(ax, width=7.5, height=1.6), title or "Nothing to compare")
    base = rows[(rows["gain_lower"] == 0) & (rows["gain_upper"] == 0)].head(1)
    rows = rows.drop(index=base.index).iloc[::-1]
    ax = begin(ax, width=7.5, height=0.38 * len(rows) + 1.6)
    for y, (_, row) in enumerate(rows.iterrows()):
        sure = row["gain_lower"] > 0 or row["gain_upper"] < 0
        ax.errorbar(
            row["gain"],
            y,
            xerr=[[row["gain"] - row["gain_lower"]], [row["gain_upper"] - row["gain"]]],
            fmt="o",
            color=MAIN,
            markerfacecolor=MAIN if sure else PAPER,
            ecolor=INK,
            capsize=3,
        )
        ax.annotate(
            f"{row['gain']:+.4f}",
            (row["gain_upper"], y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    ax.axvline(0, color=QUIET, lw=1, ls="--")
    ax.set_yticks(range(len(rows)), [plain(name) for name in rows["ranking"]])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.margins(x=0.18)
    ax.set_xlabel(f"difference of {label}")
    grid(ax, "x")
    first = base.iloc[0] if len(base) else None
    against = "" if first is None else f" against {plain(first['ranking'])} ({first['value']:.3f})"
    best = rows.iloc[int(rows["gain"].to_numpy().argmax())]
    found = f"{plain(best['ranking'])}: {label} {best['gain']:+.4f}{against}"
    caption = (
        f"n = {int(rows['n'].max()):,} customers. Lines: paired bootstrap intervals; hollow: "
        "the interval holds 0. Backtested."
    )
    return finish(ax, title or found[:1].upper() + found[1:], caption)


def _rule(row: pd.Series) -> str:
    return f"{_short(row['antecedent'])} → {_short(row['consequent'])}"


def _short(name: object) -> str:
    """Shorten every item of a side, so that none is lost."""
    items = str(name).lower().split(" + ")
    width = 30 if len(items) == 1 else 22
    return " + ".join(textwrap.shorten(item, width, placeholder="…") for item in items)


def _round_ticks(low: float, high: float) -> list[float]:
    steps = [m * 10.0**e for e in range(-6, 1) for m in (1, 2, 3, 5, 7)]
    return [step for step in steps if low * 0.95 <= step <= high * 1.05]

"""Figures of the data themselves: sales, cleaning, gaps, distributions, stages and tiers.

What is drawn of customers takes ``min_cell``: groups of fewer are not told (``small_cells``).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, NullFormatter

from mkt_models.columns import LifecycleStage, Tier
from mkt_models.plots.style import (
    ACCENT,
    INK,
    MAIN,
    PALE,
    PAPER,
    PERCENT,
    THOUSANDS,
    bar_labels,
    begin,
    finish,
    grid,
    plain,
)
from mkt_models.small_cells import HIDDEN, hidden, hidden_grid

PER_DECADE = 10  # bars of a logarithmic histogram; their edges are those of no customer


def weekly_sales(
    table: pd.DataFrame, currency: str, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw sales per week as a line.

    ``table``: one row per week; ``week`` (its first day), ``amount`` (currency units) and, if
    known, ``days`` of data in the week: weeks of fewer than 7 are drawn hollow, apart from
    the line, and are no part of the finding.
    """
    ax = begin(ax)
    weeks = table.sort_values("week")
    day = pd.to_datetime(weeks["week"])
    whole = weeks["days"] >= 7 if "days" in weeks else pd.Series(True, index=weeks.index)
    ax.plot(day.where(whole), weeks["amount"].where(whole), color=MAIN, marker="o", markersize=3)
    part = weeks[~whole]
    ax.plot(
        day[~whole],
        part["amount"],
        linestyle="none",
        marker="o",
        markersize=5,
        markerfacecolor=PAPER,
        markeredgecolor=MAIN,
        clip_on=False,
        zorder=3,
    )
    kept = weeks[whole]
    found = "No week is complete"
    if len(kept):
        lowest, highest = int(kept["amount"].argmin()), int(kept["amount"].argmax())
        days, amounts = list(day[whole]), kept["amount"].tolist()
        found = (
            f"A week sells between {amounts[lowest]:,.0f} and {amounts[highest]:,.0f} {currency}"
        )
        for at, above in ((lowest, False), (highest, True)):
            ax.annotate(
                f"{days[at]:%d %b}: {amounts[at]:,.0f}",
                (days[at], amounts[at]),
                xytext=(0, 9 if above else -16),
                textcoords="offset points",
                ha="left"
                if at < 0.1 * len(kept)
                else "right"
                if at > 0.9 * len(kept)
                else "center",
                fontsize=8.5,
                color=INK,
            )
    ax.set_ylim(0, weeks["amount"].max() * 1.15)
    ax.yaxis.set_major_formatter(THOUSANDS)
    dates = AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(dates)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(dates, show_offset=False))
    ax.set(xlabel="first day of the week", ylabel=f"sales per week, {currency}")
    grid(ax, "y")
    hollow = f"; hollow: {len(part)} incomplete weeks" if len(part) else ""
    total = f"{len(weeks)} weeks, {weeks['amount'].sum():,.0f} {currency} in all{hollow}. Observed."
    return finish(ax, title or found, total)


def ledger(table: pd.DataFrame, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw where the rows of each table went: clean, quarantined or merged.

    ``table``: one row per table; ``table``, ``rows_in``, ``clean``, ``quarantined``, ``merged``.
    """
    ax = begin(ax, height=0.42 * len(table) + 1.9)
    rows = table.iloc[::-1]
    parts = (("clean", PALE, ""), ("quarantined", ACCENT, "////"), ("merged", MAIN, ""))
    start = np.zeros(len(rows))
    size = rows["rows_in"].where(rows["rows_in"] > 0).to_numpy(dtype=float)
    for name, colour, hatch in parts:
        share = np.nan_to_num(rows[name].to_numpy(dtype=float) / size)
        ax.barh(
            range(len(rows)),
            share,
            left=start,
            color=colour,
            hatch=hatch,
            edgecolor=PAPER,
            linewidth=0.5,
            height=0.6,
            label=name,
        )
        start += share
    for y, (_, row) in enumerate(rows.iterrows()):
        removed = [f"{row[word]:,} {word}" for word in ("quarantined", "merged") if row[word]]
        text = ", ".join([f"{row['rows_in']:,} in", *removed])
        ax.annotate(
            text, (1, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    ax.set_yticks(range(len(rows)), [plain(name) for name in rows["table"]])
    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("share of the rows read")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, borderaxespad=0.2)
    total, kept = int(table["rows_in"].sum()), int(table["clean"].sum())
    found = f"{kept:,} of {total:,} rows are clean ({_percent(kept, total)}); none is lost"
    if (table["rows_in"] != table[["clean", "quarantined", "merged"]].sum(axis=1)).any():
        found = "The ledger does not balance: rows were lost or made"
    return finish(
        ax, title or found, "Rows in = clean + quarantined + merged, table by table. Observed.", 24
    )


def missing(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, what: str = "rows"
) -> Axes:
    """Draw which columns lack values, and how often.

    ``table``: one row per column; ``column``, ``missing`` and ``n`` (both numbers of rows).
    """
    rows = table[table["missing"] > 0]
    rows = rows.assign(share=rows["missing"] / rows["n"]).sort_values(["share", "column"])
    ax = begin(ax, height=0.34 * max(2, len(rows)) + 1.5)
    ax.barh(range(len(rows)), rows["share"], color=MAIN, height=0.6)
    texts = [_percent(row["missing"], row["n"]) for _, row in rows.iterrows()]
    bar_labels(ax, rows["share"].tolist(), texts)
    ax.set_yticks(range(len(rows)), [plain(name) for name in rows["column"]])
    ax.set_xlim(0, 1.12)
    ax.set_xticks(np.linspace(0, 1, 5))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel(f"share of {what} without a value")
    found = f"{len(rows)} of {len(table)} columns have gaps"
    if len(rows):
        last = rows.iloc[-1]
        found += f"; {plain(last['column'])} has most, {last['share']:.0%}"
    n = int(table["n"].max())
    return finish(
        ax, title or found, f"n = {n:,} {what}. Columns without gaps are not drawn. Observed."
    )


def distribution(
    values: pd.Series,
    label: str,
    unit: str,
    ax: Axes | None = None,
    title: str | None = None,
    who: str = "customers",
    min_cell: int = 1,
) -> Axes:
    """Draw the histogram of an amount per customer on a logarithmic axis.

    ``label`` names the amount and ``unit`` its unit. Values of 0 and below have no place on the
    axis; the caption counts them. Null values are left out and counted as well. The edges of the
    bars are round; a bar of fewer than ``min_cell`` is hatched, as high as that, with so many
    others that the rest does not tell it.
    """
    ax = begin(ax)
    known = values.dropna().astype(float)
    above = known[known > 0]
    if above.empty:
        raise ValueError(f"{label}: no value is above 0, so there is nothing to draw")
    first, last = (np.log10(float(end)) * PER_DECADE for end in (above.min(), above.max()))
    steps = np.arange(np.floor(first), np.floor(last) + 2)
    edges = 10 ** (steps / PER_DECADE)
    counts = np.histogram(above, edges)[0]
    few = np.array(hidden(counts.tolist(), min_cell))
    for which, look in (
        (~few, {"color": MAIN}),
        (few, {"facecolor": PALE, "hatch": "////"}),
    ):
        ax.bar(
            edges[:-1][which],
            np.where(few, min_cell, counts)[which],
            np.diff(edges)[which],
            align="edge",
            edgecolor=PAPER,
            lw=0.4,
            **look,
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    middle, tenth = float(known.median()), float(known.quantile(0.9))
    top = ax.get_ylim()[1]
    for x, text, align in (
        (middle, f"median {middle:,.0f} ", "right"),
        (tenth, f" top tenth from {tenth:,.0f}", "left"),
    ):
        if x > 0:
            ax.axvline(x, color=ACCENT, linestyle="--", linewidth=1.1)
            ax.text(x, top * 1.02, text, ha=align, va="bottom", fontsize=8.5, color=INK)
    ax.set_ylim(0, top * 1.12)
    ax.yaxis.set_major_formatter(THOUSANDS)
    ax.set(xlabel=f"{label}, {unit} (logarithmic)", ylabel=f"number of {who}")
    grid(ax, "y")
    share = known[known >= tenth].sum() / known.sum()
    found = f"The top tenth of {who} holds {share:.0%} of all {label}"
    notes = [f"n = {len(known):,} {who}"]
    if len(known) > len(above):
        notes.append(f"{len(known) - len(above):,} with 0 or less are not drawn")
    if few.any():
        notes.append(f"hatched: too few to be told, at most {min_cell - 1}, or hidden with them")
    if len(values) > len(known):
        notes.append(f"{len(values) - len(known):,} without a value are left out")
    return finish(ax, title or found, "; ".join(notes) + ". Observed.")


def stages_by_tier(
    table: pd.DataFrame, ax: Axes | None = None, title: str | None = None, min_cell: int = 1
) -> Axes:
    """Draw how many customers stand in each lifecycle stage and value tier.

    ``table``: one row per stage and tier; ``lifecycle_stage``, ``value_tier``, ``customers``.
    Pairs that are absent count 0. Fewer than ``min_cell`` read "< k", and so many other cells are
    hidden that no sum of a row or a column tells them.
    """
    ax = begin(ax, height=3.6)
    stages, tiers = [str(s) for s in LifecycleStage], [str(t) for t in Tier]
    counts = (
        table.pivot_table(
            index="value_tier", columns="lifecycle_stage", values="customers", aggfunc="sum"
        )
        .reindex(index=tiers, columns=stages)
        .fillna(0)
        .to_numpy(dtype=float)
    )
    total = counts.sum()
    few = hidden_grid(counts, min_cell)
    ax.imshow(
        np.where(few, 0, counts),
        cmap="Blues",
        vmin=0,
        vmax=max(counts.max(), 1) * 1.25,
        aspect="auto",
    )
    for (y, x), n in np.ndenumerate(counts):
        dark = n > 0.6 * counts.max() and not few[y, x]
        text = f"{n:,.0f}\n{_percent(n, total)}"
        if few[y, x]:
            text = f"< {min_cell}" if n < min_cell else HIDDEN
        ax.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            color=PAPER if dark else INK,
        )
    ax.set_xticks(range(len(stages)), stages)
    ax.set_yticks(range(len(tiers)), tiers)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="lifecycle stage", ylabel="value tier")
    y, x = np.unravel_index(counts.argmax(), counts.shape)
    found = (
        f"Most customers are {stages[x]} and of {tiers[y]} value: "
        f"{counts[y, x]:,.0f} of {total:,.0f}"
        if counts[y, x] * 2 > total
        else f"The largest group is {stages[x]} and of {tiers[y]} value: "
        f"{_percent(counts[y, x], total)} of {total:,.0f} customers"
    )
    caption = f"n = {total:,.0f} customers, each in exactly one cell. Observed."
    if few.any():
        caption += f" {HIDDEN} hidden, as it would tell a cell of fewer than {min_cell}."
    return finish(ax, title or found, caption)


def _percent(part: float, whole: float) -> str:
    """Give a share in percent that never rounds to all or nothing unless it is."""
    if not whole:
        return "–"
    share = part / whole
    text = f"{share:.1%}"
    if text == "100.0%" and part < whole:
        return "over 99.9%"
    if text == "0.0%" and part > 0:
        return "under 0.1%"
    return text

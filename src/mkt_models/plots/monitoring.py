"""Figures of monitoring: what has drifted, and how models and groups fare over time."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.performance import METRICS
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
    begin,
    finish,
    grid,
    legend,
    plain,
    reach,
)
from mkt_models.small_cells import hidden

# What a feature is: how it is drawn, and what the key says.
_STATES: dict[str, tuple[dict[str, Any], str]] = {
    "drifted": ({"marker": "X", "color": ACCENT, "s": 62}, "alarm"),
    "expected": ({"marker": "D", "color": MAIN, "s": 38}, "expected to move"),
    "large": (
        {"marker": "^", "edgecolor": MAIN, "facecolor": "white", "s": 48},
        "large, may be chance",
    ),
    "quiet": ({"marker": "o", "edgecolor": MAIN, "facecolor": "white", "s": 36}, "no alarm"),
}


def drift(
    table: pd.DataFrame,
    min_psi: float,
    top: int = 12,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the features whose distribution has changed most, from tables of ``drift_table``.

    ``table`` may hold several models (column ``model``); what is not evaluated is left out.
    ``min_psi`` is the limit, above what chance gives, and so another one for every feature.
    """
    evaluated = table[table["evaluated"].astype(bool)]
    ranked = evaluated.sort_values("psi", ascending=False, kind="stable").head(top).iloc[::-1]
    ax = begin(ax, height=0.3 * len(ranked) + 1.9)
    states = [_state(row) for _, row in ranked.iterrows()]
    floor = 0.001
    for state, (look, words) in _STATES.items():
        y = [i for i, one in enumerate(states) if one == state]
        if y:
            x = ranked["psi"].to_numpy()[y].clip(floor)
            ax.scatter(x, y, label=words, zorder=3, **look)
    ax.scatter(
        ranked["psi_by_chance"].clip(floor),
        range(len(ranked)),
        marker="|",
        color=QUIET,
        s=70,
        label="by chance",
    )
    ax.scatter(
        ranked["psi_by_chance"] + min_psi,
        range(len(ranked)),
        marker="|",
        color=ACCENT,
        s=160,
        linewidths=2,
        label="limit",
    )
    if not len(ranked):  # nothing could be evaluated: an empty figure has no scale of its own
        ax.set_xlim(floor, 1)
    ax.set_xscale("log")
    names = [_label(row, "model" in table) for _, row in ranked.iterrows()]
    ax.set_yticks(range(len(ranked)), names)
    ax.set_ylim(-0.6, len(ranked) - 0.4)
    ax.set_xlabel("population stability index (PSI), logarithmic")
    grid(ax, "x")
    legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    alarms = int(evaluated["drifted"].sum())
    expected = int(((evaluated["expected"] != "") & evaluated["significant"]).sum())
    found = f"{alarms or 'None'} of {len(evaluated)} columns {'has' if alarms == 1 else 'have'}"
    found += " drifted so that it matters"
    found += f"; {expected} moved as expected" if expected else ""
    sizes = [evaluated[f"customers_{period}"].max() for period in ("reference", "current")]
    caption = "An alarm needs chance ruled out (Holm) and a size above the limit."
    if len(evaluated):
        caption += f" n up to {sizes[0]:,} and {sizes[1]:,} customers. Observed."
    return finish(ax, title or found, caption)


def score_shift(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "score",
    min_cell: int = 1,
) -> Axes:
    """Draw how scores were and are distributed, from a ``share_table``.

    Bars of fewer than ``min_cell`` rows are left out, with those that would tell them.
    """
    moved = float((table["share_current"] - table["share_reference"]).abs().sum() / 2)
    caption = "Predicted."
    if "n_reference" in table:
        sizes = []
        for period in ("reference", "current"):
            counts = table[f"n_{period}"]
            few = hidden(counts.tolist(), min_cell)
            sizes.append(int(counts.sum()))
            table = table.assign(
                **{f"share_{period}": table[f"share_{period}"].mask(np.array(few), 0.0)}
            )
        caption = f"n = {sizes[0]:,} rows of the reference and {sizes[1]:,} now. Predicted."
        if min_cell > 1:
            caption += f" Bars of fewer than {min_cell} rows are not drawn."
    ax = begin(ax)
    width = (table["upper"] - table["lower"]).to_numpy()
    left = table["lower"].to_numpy()
    old, new = table["share_reference"].to_numpy(), table["share_current"].to_numpy()
    ax.bar(left, old, width, align="edge", color=PALE, label="reference")
    edges = np.append(left, table["upper"].iloc[-1])
    ax.stairs(new, edges, color=MAIN, linewidth=1.8, label="current")
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set(xlabel=what, ylabel="share of rows")
    grid(ax, "y")
    legend(ax)
    # Half of what differs lies above, half below.
    found = f"{moved:.0%} of the rows would have to move for the two to be alike"
    return finish(ax, title or found, caption)


def over_time(
    table: pd.DataFrame,
    metric: str,
    ax: Axes | None = None,
    title: str | None = None,
    unit: str = "",
) -> Axes:
    """Draw one metric of one model by period: as estimated without labels, and as realised.

    ``table``: rows of ``performance`` with ``as_of``, ``role``, ``estimate``, ``realised`` and
    ``promised`` with their ends. A period without labels has the estimate only.
    """
    rows = table[table["metric"] == metric].copy()
    rows["_now"] = rows["as_of"].eq("now")
    rows = rows.sort_values(["_now", "as_of"], kind="stable").reset_index(drop=True)
    ax = begin(ax, width=9)
    at = np.arange(len(rows))
    parts = (("realised", "o", MAIN, "-", -0.08), ("estimate", "s", ACCENT, "--", 0.08))
    for name, marker, colour, line, aside in parts:
        if name not in rows:
            continue
        known = rows[name].notna()
        part = rows[known]
        ax.errorbar(
            at[known] + aside,
            part[name],
            yerr=reach(part, name),
            marker=marker,
            color=colour,
            linestyle=line,
            markerfacecolor=colour if name == "realised" else "white",
            capsize=2.5,
            lw=1.3,
            label=name if name == "realised" else "estimated without labels",
        )
    promise = rows.dropna(subset=["promised_lower"]).tail(1)
    if len(promise):
        low, high = (float(promise[f"promised_{end}"].iloc[0]) for end in ("lower", "upper"))
        ax.axhspan(low, high, color=PALE, alpha=0.4, lw=0, label="promised")
    ax.set_xticks(at, [_period(row) for _, row in rows.iterrows()])
    name = METRICS.get(metric, (plain(metric), True))[0]
    ax.set_ylabel(f"{name}, {unit}" if unit else name)
    grid(ax, "y")
    legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    lost = int(rows.loc[rows["role"] == "current", "lost"].fillna(False).astype(bool).sum())
    word = name.split(" (")[0].split(",")[0]
    current = rows[rows["role"] == "current"].reindex(columns=["loss_upper", "allowed"])
    unsure = bool(current["loss_upper"].astype(float).gt(current["allowed"].astype(float)).any())
    found = f"{word}: no loss that matters is shown{', nor ruled out,' * unsure} against what was"
    found += " promised"
    if lost:
        found = f"{word}: worse than promised in {lost} period{'s' * (lost > 1)}"
    caption = (
        "Lines: intervals, corrected for what is compared. Realised and promised: backtested; "
    )
    caption += "estimated: predicted, and sees no concept drift."
    return finish(ax, title or found, caption)


def gaps_over_time(
    table: pd.DataFrame,
    measure: str,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the gap of every judged group by period, from rows of ``gaps``.

    ``table``: one model and attribute, or several; the group is named with its attribute.
    """
    rows = table[(table["measure"] == measure) & table["judged"].astype(bool)]
    ax = begin(ax, width=9, height=4.4)
    periods = sorted(rows["as_of"].unique())
    names = list(dict.fromkeys(zip(rows["attribute"], rows["group"], strict=True)))
    spread = min(0.1, 0.6 / max(1, len(names)))
    for i, (attribute, group) in enumerate(names):
        part = rows[(rows["attribute"] == attribute) & (rows["group"] == group)]
        part = part.set_index("as_of").reindex(periods)
        ax.errorbar(
            np.arange(len(periods)) + (i - (len(names) - 1) / 2) * spread,
            part["gap"],
            yerr=reach(part, "gap"),
            color=COLOURS[i % 8],
            linestyle=LINES[i % 8],
            marker=MARKERS[i % 8],
            markerfacecolor=COLOURS[i % 8] if i < 8 else "white",
            markersize=5,
            capsize=2,
            lw=1.1,
            label=f"{plain(attribute)}: {group}",
        )
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_xticks(range(len(periods)), periods)
    ax.set_ylabel(f"{plain(measure)}: group minus all that are known")
    grid(ax, "y")
    found = "No group is large enough to judge"
    if len(rows):
        legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
        last = rows[rows["as_of"] == periods[-1]]
        row = last.loc[last["gap"].abs().idxmax()]
        found = (
            f"Widest gap at the end: {plain(row['attribute'])} {row['group']}, {row['gap']:+.3f}"
        )
        clear = row["gap_lower"] > 0 or row["gap_upper"] < 0
        found += "" if clear else ", which may be chance"
    caption = "Lines: intervals, corrected for the number of groups and measures. Backtested."
    if len(rows) and "n_customers" in rows:
        caption = f"n = {_span(rows['n_customers'])} customers per group. {caption}"
    return finish(ax, title or found, caption)


def _span(numbers: pd.Series) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return f"{high:,}" if low == high else f"{low:,} to {high:,}"


def _state(row: pd.Series) -> str:
    if row["drifted"]:
        return "drifted"
    if row["expected"] and row["significant"]:
        return "expected"
    return "large" if row["large"] and not row["significant"] else "quiet"


def _label(row: pd.Series, with_model: bool) -> str:
    return plain(row["feature"]) + (f" ({row['model']})" if with_model else "")


def _period(row: pd.Series) -> str:
    day = "now, no labels" if row["as_of"] == "now" else str(row["as_of"])
    return f"{day}\n{row['role']}\nn = {int(row['n']):,}"

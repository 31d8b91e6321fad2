"""Figures that compare groups of customers."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mkt_models.columns import NumberKind
from mkt_models.plots.style import (
    ACCENT,
    MAIN,
    PALE,
    PERCENT,
    QUIET,
    begin,
    finish,
    grid,
    plain,
    reach,
)

# Measure: its name on the axis, where all groups would lie if they were alike, and percent or not.
MEASURES: dict[str, tuple[str, float | None, bool]] = {
    "calibration_gap": ("calibration gap: observed minus predicted", 0.0, True),
    "selection_rate": ("selection rate: share of the group selected", None, True),
    "selection_ratio": ("selection rate over that of everybody", 1.0, False),
    "benefit_ratio": ("benefit per member over that of everybody", 1.0, False),
    "ability_gap": ("how much less able the model is for the group", 0.0, False),
    "auc": ("AUC within the group", None, False),
    "mae": ("mean absolute error within the group", None, False),
    "effect": ("value that a contact adds, in currency units", 0.0, False),
    "value_per_cost": ("value added per unit of budget", 0.0, False),
}

# What a gap shows: how it is drawn, and what the key says.
FINDINGS: dict[str, tuple[dict[str, Any], str]] = {
    "within": ({"marker": "o", "color": MAIN}, "shown within"),
    "undecided": ({"marker": "o", "color": MAIN, "markerfacecolor": "white"}, "undecided"),
    "suspected": ({"marker": "^", "color": ACCENT}, "a gap, perhaps beyond"),
    "beyond": ({"marker": "X", "color": ACCENT, "markersize": 8}, "shown beyond"),
    "judged": ({"marker": "o", "color": MAIN}, "judged"),
    "": (
        {"marker": "D", "color": QUIET, "markerfacecolor": "white", "markersize": 4.5},
        "not judged",
    ),
}


def groups(
    table: pd.DataFrame,
    measure: str = "calibration_gap",
    ax: Axes | None = None,
    title: str | None = None,
    limit: float | None = None,
    kind: NumberKind = NumberKind.BACKTESTED,
) -> Axes:
    """Draw one measure of every group with its interval, from a ``group_table``.

    A column ``finding`` (of ``gate.marked``) decides the markers; groups that are not judged are
    pale. ``limit`` shades the gaps that are allowed; ``kind`` is that of the numbers.
    """
    name, alike, percent = MEASURES[measure]
    attributes = list(dict.fromkeys(table["attribute"]))
    places, labels, y = [], [], 0.0
    for attribute in attributes:
        rows = table[table["attribute"] == attribute]
        places.append([y - i for i in range(1, len(rows) + 1)])
        labels.append((y, attribute))
        y -= len(rows) + 1.4
    ax = begin(ax, height=0.24 * -y + 1.9)
    if limit is not None:
        ax.axvspan(-limit, limit, color=PALE, alpha=0.35, lw=0)
        for edge in (-limit, limit):
            ax.axvline(edge, color=ACCENT, linestyle="--", linewidth=1)
    if alike is not None:
        ax.axvline(alike, color=QUIET, linewidth=0.9)
    ticks: list[tuple[float, str]] = []
    for attribute, spots in zip(attributes, places, strict=True):
        for spot, (_, row) in zip(
            spots, table[table["attribute"] == attribute].iterrows(), strict=True
        ):
            _dot(ax, row, measure, spot)
            many = row["n_customers"]
            ticks.append((spot, f"{row['group']}" + ("" if pd.isna(many) else f" (n = {many:,})")))
    ax.set_yticks([t for t, _ in ticks], [text for _, text in ticks])
    for top, attribute in labels:
        ax.annotate(
            plain(attribute),
            (0, top),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontweight="bold",
            fontsize=9,
        )
    ax.set_ylim(y + 0.8, 0.7)
    if percent:
        ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel(name)
    grid(ax, "x")
    keys = _keys(table, limit)
    columns = 2 if len(keys) > 3 else 3
    ax.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(-0.12, 1), ncols=columns, fontsize=8.5
    )
    level = f" at a level of {table['level'].iloc[0]:.2%}" if "level" in table else ""
    caption = f"n: customers. Lines: intervals{level}, corrected for the number of groups judged."
    if "inner_measure" in table and (table["inner_measure"] == measure).any():
        caption += " Thick: one-sided; what lies inside the limit is shown within."
    caption += f" {plain(kind).capitalize()}."
    return finish(ax, title or _found(table, measure, limit), caption, room=24)


def _found(table: pd.DataFrame, measure: str, limit: float | None) -> str:
    judged = table[table["judged"].astype(bool)]
    found = f"{len(judged)} of {len(table)} groups are large enough to judge"
    if measure == "selection_ratio" and len(judged):
        less, more = ((judged[f"{measure}{end}"] * sign > sign).sum()
                      for end, sign in (("_upper", -1), ("_lower", 1)))  # fmt: skip
        return (
            f"{len(judged)} group{'s' * (len(judged) > 1)} judged: {less or 'none'} shown to be "
            f"selected less often than everybody, {more or 'none'} more often"
        )
    if "finding" in table and len(judged):
        counts = judged["finding"].value_counts()
        parts = [
            f"{counts[kind]} {words}"
            for kind, words in (
                ("beyond", "beyond the limit"),
                ("suspected", "suspected"),
                ("undecided", "undecided"),
                ("within", "shown within"),
            )
            if kind in counts
        ]
        return f"{len(judged)} group{'s' * (len(judged) > 1)} judged: {', '.join(parts)}"
    if limit is not None and len(judged):
        beyond = (judged[f"{measure}_lower"] > limit) | (judged[f"{measure}_upper"] < -limit)
        found += f"; {beyond.sum() or 'none'} of them lies wholly beyond the limit"
        if beyond.sum() > 1:
            found = found.replace("lies", "lie")
    return found


def _kind(row: pd.Series) -> str:
    if not row["judged"]:
        return ""
    return str(row["finding"]) if row.get("finding") else "judged"


def _dot(ax: Axes, row: pd.Series, measure: str, y: float) -> None:
    value = float(row[measure])
    if np.isnan(value):
        text = "too few to tell" if pd.notna(row["n_customers"]) else "not shown"
        ax.annotate(text, (0.01, y), xycoords=("axes fraction", "data"), va="center", color=QUIET)
        return
    kind = _kind(row)
    if kind and "inner_lower" in row and measure == row["inner_measure"]:
        ends = [row["inner_lower"], row["inner_upper"]]
        ax.plot(ends, [y, y], color=FINDINGS[kind][0]["color"], lw=4, alpha=0.45, zorder=1)
    ax.errorbar(
        value,
        y,
        xerr=reach(row.to_frame().T, measure),
        linestyle="none",
        elinewidth=1.4 if kind else 0.8,
        capsize=2.5,
        **({"markersize": 6} | FINDINGS[kind][0]),
    )


def _keys(table: pd.DataFrame, limit: float | None) -> list[Line2D]:
    there = {_kind(row) for _, row in table.iterrows()}
    keys = [
        Line2D([], [], linestyle="none", label=words, **look)
        for kind, (look, words) in FINDINGS.items()
        if kind in there
    ]
    if limit is not None:
        keys.append(Line2D([], [], color=ACCENT, linestyle="--", label="limit"))
    return keys

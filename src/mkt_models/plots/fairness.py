"""Figures that compare groups of customers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

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
    "auc": ("AUC within the group", None, False),
    "mae": ("mean absolute error within the group", None, False),
}


def groups(
    table: pd.DataFrame,
    measure: str = "calibration_gap",
    ax: Axes | None = None,
    title: str | None = None,
    limit: float | None = None,
) -> Axes:
    """Draw one measure of every group with its interval, from a ``group_table``.

    Groups that are not judged are hollow and pale. ``limit`` shades the gaps that are allowed.
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
            ticks.append((spot, f"{row['group']} (n = {row['n_customers']:,})"))
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
    ax.legend(handles=_keys(limit), loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    judged = table[table["judged"].astype(bool)]
    found = f"{len(judged)} of {len(table)} groups are large enough to judge"
    if limit is not None and len(judged):
        beyond = (judged[f"{measure}_lower"] > limit) | (judged[f"{measure}_upper"] < -limit)
        found += f"; {beyond.sum() or 'none'} of them lies wholly beyond the limit"
        if beyond.sum() > 1:
            found = found.replace("lies", "lie")
    level = f" at a level of {table['level'].iloc[0]:.2%}" if "level" in table else ""
    caption = f"n: customers. Lines: intervals{level}, corrected for the number of groups judged."
    return finish(ax, title or found, caption, room=24)


def _dot(ax: Axes, row: pd.Series, measure: str, y: float) -> None:
    value = float(row[measure])
    if np.isnan(value):
        ax.annotate(
            "not available", (0.01, y), xycoords=("axes fraction", "data"), va="center", color=QUIET
        )
        return
    ax.errorbar(
        value,
        y,
        xerr=reach(row.to_frame().T, measure),
        fmt="o",
        color=MAIN if row["judged"] else QUIET,
        markerfacecolor=MAIN if row["judged"] else "white",
        linestyle="none",
        elinewidth=1.4 if row["judged"] else 0.8,
        markersize=6,
        capsize=2.5,
    )


def _keys(limit: float | None) -> list[Line2D]:
    keys = [
        Line2D([], [], marker="o", linestyle="none", color=MAIN, label="judged"),
        Line2D(
            [],
            [],
            marker="o",
            linestyle="none",
            color=QUIET,
            markerfacecolor="white",
            label="too small or unknown: not judged",
        ),
    ]
    if limit is not None:
        keys.append(Line2D([], [], color=ACCENT, linestyle="--", label="limit"))
    return keys

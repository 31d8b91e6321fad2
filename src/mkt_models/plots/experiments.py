"""Figures of experiments, from the tables of ``experiments.analysis``."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from mkt_models.plots.style import (
    ACCENT,
    INK,
    MAIN,
    PALE,
    QUIET,
    begin,
    finish,
    grid,
    legend,
    plain,
    reach,
)

CHANGE = FuncFormatter(lambda value, _: f"{100 * value:+.3g}%" if value else "0")
ROLES = {
    "primary": ("o", "primary"),
    "secondary": ("s", "secondary"),
    "guardrail": ("^", "guardrail"),
}


def lifts(
    effects: pd.DataFrame,
    guardrails: pd.DataFrame | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the relative change of every metric in every arm, primary ones on top.

    A filled mark is shown to differ from the control, a hollow one is not; a guardrail's mark is
    filled when a loss beyond its margin (the short line) is ruled out. ``guardrails`` is the table
    beside the effects.
    """
    rank = effects["role"].map({role: i for i, role in enumerate(ROLES)})
    known = effects[effects["lift"].notna()].assign(rank=rank)
    # The axis runs upwards, and the first row shall be on top.
    known = known.sort_values("rank", kind="stable", ignore_index=True).iloc[::-1]
    known = known.reset_index(drop=True)
    ax = begin(ax, height=0.42 * len(known) + 2.0)
    ax.axvline(0, color=QUIET, linewidth=0.9)
    left, right = reach(known, "lift")
    gates = {} if guardrails is None else _gates(guardrails)
    for y, row in enumerate(known.to_dict("records")):
        limit, passed = gates.get((row["metric"], row["arm"]), (None, False))
        filled = passed if row["role"] == "guardrail" else bool(row["shown"])
        ax.errorbar(
            row["lift"],
            y,
            xerr=[[left[y]], [right[y]]],
            fmt=ROLES[row["role"]][0],
            color=MAIN,
            markerfacecolor=MAIN if filled else "white",
            markersize=7,
            capsize=3,
            lw=1.4,
        )
        if limit is not None:
            ax.plot([limit, limit], [y - 0.32, y + 0.32], color=ACCENT, lw=2.2)
    names = [
        f"{plain(row['metric'])}, {plain(row['arm'])} (n = {row['n']:,} + {row['n_control']:,})"
        for row in known.to_dict("records")
    ]
    ax.set_yticks(range(len(known)), names)
    ax.set_ylim(-0.6, len(known) - 0.4)
    ax.xaxis.set_major_formatter(CHANGE)
    ax.set_xlabel("change relative to the control")
    grid(ax, "x")
    used = [role for role in ROLES if (known["role"] == role).any()]
    handles = [
        Line2D([], [], color=MAIN, marker=ROLES[role][0], lw=0, label=ROLES[role][1])
        for role in used
    ]
    if any(limit is not None for limit, _ in gates.values()):
        handles.append(Line2D([], [], color=ACCENT, lw=2.2, label="margin of the guardrail"))
    if len(handles) > 1:
        ax.legend(
            handles=handles,
            frameon=False,
            fontsize=9,
            loc="center left",
            bbox_to_anchor=(1.01, 0.5),
        )
    hidden = len(effects) - len(known)
    caption = (
        "n: units of the arm and of the control. Lines: intervals, widened for the number of arms "
        "and metrics. Hollow: not shown to differ; of a guardrail: a loss beyond its margin is not "
        "ruled out. Randomised."
    )
    if hidden:
        caption += f" Left out, as not judged or without a relative change: {hidden}."
    return finish(ax, title or _found(effects), caption)


def confidence_sequence(
    table: pd.DataFrame,
    metric: str | None = None,
    arm: str | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    what: str | None = None,
) -> Axes:
    """Draw an effect over the looks: the interval that holds at all of them, and that of one.

    ``table`` is the ``sequence`` of an analysis; ``metric`` and ``arm`` say which one of several.
    """
    rows = table
    for column, wanted in (("metric", metric), ("arm", arm)):
        if wanted is not None:
            rows = rows[rows[column] == wanted]
        elif column in rows and rows[column].nunique() > 1:
            raise ValueError(
                f"{column}: has {sorted(rows[column].unique())}; say which one to draw"
            )
    if rows.empty:
        raise ValueError(f"no looks at {metric} of {arm}: nothing to draw")
    rows = rows.reset_index(drop=True)
    ax, x = begin(ax), rows["n"].to_numpy()
    ax.fill_between(x, rows["lower"], rows["upper"], color=PALE, lw=0, label="holds at every look")
    for end in ("lower", "upper"):
        ax.plot(x, rows[end], color=MAIN, lw=1.2)
        name = "of a single look" if end == "lower" else None
        ax.plot(x, rows[f"fixed_{end}"], color=ACCENT, lw=1.2, linestyle="--", label=name)
    ax.plot(x, rows["estimate"], color=INK, marker="o", markersize=3, lw=1.2, label="estimate")
    ax.axhline(0, color=QUIET, linewidth=0.9)
    alpha = 1 - float(rows["level"].iloc[0])
    shown = np.flatnonzero(rows["p_value"].to_numpy() <= alpha)
    if len(shown):
        ax.axvline(
            x[shown[0]], color=QUIET, linewidth=1.1, linestyle=":", label="shown from here on"
        )
    names = [str(rows[c].iloc[0]) for c in ("metric", "arm") if c in rows]
    what = what or (plain(names[0]) if names else "the effect")
    ax.set(xlabel="complete units, both arms", ylabel=f"difference in {what}")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    grid(ax, "y")
    legend(ax, loc="best")
    crossed = int(((rows["fixed_lower"] > 0) | (rows["fixed_upper"] < 0)).sum())
    if len(shown):
        up = "rise" if rows["estimate"].iloc[shown[0]] > 0 else "fall"
        found = f"A {up} in {what} is shown from {x[shown[0]]:,} units on"
    else:
        found = f"No difference in {what} is shown at any of {len(rows)} looks"
        if crossed:
            found += f"; whoever peeked would have claimed one at {crossed}"
    caption = (
        f"{len(rows)} looks, n = {x[-1]:,} at the last. Band: confidence sequence at "
        f"{1 - alpha:.4g}, all looks together; dashed: as if this look were the only one, which "
        "nobody may stop by. Randomised."
    )
    return finish(ax, title or found, caption)


def _gates(guardrails: pd.DataFrame) -> dict[tuple[str, str], tuple[float | None, bool]]:
    """Where each guardrail's margin lies on the axis, and whether it passed."""
    found: dict[tuple[str, str], tuple[float | None, bool]] = {}
    for row in guardrails.to_dict("records"):
        limit = None
        if row["margin_of"] == "control":
            limit = float(row["margin"]) * (-1 if row["better"] == "more" else 1)
        found[row["metric"], row["arm"]] = (limit, str(row["verdict"]) == "pass")
    return found


def _found(effects: pd.DataFrame) -> str:
    primary = effects[effects["role"] == "primary"]
    judged = primary[primary["note"] == ""]
    if judged.empty:
        return "No primary metric can be judged"
    shown = judged[judged["verdict"] != ""].to_dict("records")
    parts = [f"{plain(r['metric'])} is {r['verdict']} in {plain(r['arm'])}" for r in shown]
    if not parts:
        return f"No difference is shown in {len(judged)} primary comparison" + "s" * (
            len(judged) > 1
        )
    return f"Shown: {', '.join(parts)}"

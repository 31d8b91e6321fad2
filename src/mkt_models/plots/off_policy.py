"""Figures of what other policies would have brought, from ``evaluation.off_policy``."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import (
    COLOURS,
    INK,
    MARKERS,
    PAPER,
    QUIET,
    begin,
    finish,
    grid,
    plain,
    reach,
)

LOGGED = "logged"
NAMES = {
    "ips": "IPS",
    "clipped_ips": "clipped IPS",
    "snips": "SNIPS",
    "dm": "direct method",
    "dr": "doubly robust",
}


def off_policy(
    table: pd.DataFrame,
    truth: Mapping[str, float] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    what: str = "reward per decision",
    truth_name: str = "true value",
    by: str | None = None,
) -> Axes:
    """Draw the value of each policy by each estimator, from an ``off_policy_table``.

    Parameters
    ----------
    table
        One row per policy and estimator; a policy that was not evaluated is named, without marks.
    truth
        By policy its value where it is known: of a simulator, or of a log of its own.
    what
        The reward and its unit, on the axis.
    truth_name
        What the known values are called.
    by
        The estimator by which the title counts; by default the doubly robust one where it is
        there, else ``snips``.

    """
    rest = table[table["policy"] != LOGGED]
    policies, present = list(dict.fromkeys(rest["policy"])), set(rest["estimator"])
    estimators = [name for name in NAMES if name in present]
    by = by or ("dr" if "dr" in present else "snips")
    ax = begin(ax, width=8, height=0.82 * len(policies) + 2.1)
    observed = table[table["policy"] == LOGGED]
    if len(observed):
        value = float(observed["value"].iloc[0])
        ax.axvline(value, color=QUIET, linestyle=":", lw=1.2, label="mean of the log")
    labels = []
    for y, policy in enumerate(reversed(policies)):
        rows = rest[rest["policy"] == policy]
        labels.append(_label(policy, rows))
        if not rows["judged"].astype(bool).any():
            ax.annotate(
                "not evaluated: the log does not support it",
                (0.02, y),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8.5,
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
                zorder=5,
            )
        for i, name in enumerate(estimators):
            row = rows[(rows["estimator"] == name) & rows["value"].notna()]
            if row.empty:
                continue
            ax.errorbar(
                row["value"],
                [y + 0.3 - 0.6 * i / max(1, len(estimators) - 1)],
                xerr=reach(row, "value"),
                fmt=MARKERS[i],
                color=COLOURS[i],
                markerfacecolor="white" if row["value_lower"].isna().all() else COLOURS[i],
                markersize=5.5,
                capsize=2.5,
                lw=1.2,
            )
        if truth and policy in truth:
            ax.plot([truth[policy]] * 2, [y - 0.42, y + 0.42], color=INK, lw=2.6, alpha=0.55)
    for i, name in enumerate(estimators):
        ax.plot([], [], MARKERS[i], color=COLOURS[i], markersize=5.5, label=NAMES[name])
    if truth:
        ax.plot([], [], color=INK, lw=2.6, alpha=0.55, label=truth_name)
    ax.set_yticks(range(len(policies)), labels)
    ax.set_ylim(-0.6, len(policies) - 0.4)
    ax.set_xlabel(what)
    grid(ax, "x")
    ax.legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.01, 0.5))
    n = f"{int(table['n'].iloc[0]):,} decisions of {int(table['n_customers'].iloc[0]):,} customers"
    caption = (
        f"{n}. Lines: intervals by customer, each for itself; hollow: none can be given. "
        "Effective: decisions of equal weight that the weights amount to. Off-policy."
    )
    return finish(ax, title or _found(rest, policies, by, truth, truth_name), caption)


def _label(policy: str, rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    lost = f", {row['unsupported']:.0%} without support" if row["unsupported"] > 0 else ""
    return f"{plain(policy)}\n{row['effective_n']:,.0f} effective{lost}"


def _found(
    rows: pd.DataFrame,
    policies: list[str],
    by: str,
    truth: Mapping[str, float] | None,
    truth_name: str,
) -> str:
    mine = rows[rows["estimator"] == by].set_index("policy")
    judged = [name for name in policies if bool(mine.loc[name, "judged"])]
    silent = len(policies) - len(judged)
    tail = f"; {silent} not evaluated" if silent else ""
    known = [name for name in judged if truth and name in truth]
    if truth and known:
        low, high = mine["value_lower"], mine["value_upper"]
        held = sum(bool(low[name] <= truth[name] <= high[name]) for name in known)
        those = f"{held} of {len(known)} policies{tail}"
        return f"The {truth_name} lies in the {NAMES[by]} interval of {those}"
    if "difference_lower" in rows:
        better = int((mine.loc[judged, "difference_lower"] > 0).sum())
        worse = int((mine.loc[judged, "difference_upper"] < 0).sum())
        return (
            f"{better} of {len(policies)} policies are shown to be better than the reference, "
            f"{worse} to be worse{tail}"
        )
    if not judged:
        return "No policy can be evaluated from this log"
    best = str(mine.loc[judged, "value"].idxmax())
    value = float(np.asarray(mine.loc[best, "value"]))
    return f"{len(judged)} of {len(policies)} policies can be evaluated; {plain(best)}: {value:.3g}"

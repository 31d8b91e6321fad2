"""Figures that compare models, from the tables of ``evaluation.performance``."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mkt_models.plots.style import (
    ACCENT,
    COLOURS,
    INK,
    LINES,
    MAIN,
    MARKERS,
    QUIET,
    begin,
    finish,
    grid,
    legend,
    plain,
    reach,
)

# Metric: its name on an axis, and whether more is better (None: nearest to 0 is best).
METRICS: dict[str, tuple[str, bool | None]] = {
    "auc": ("AUC (0.5 is chance, 1 perfect)", True),
    "pr_auc": ("average precision (PR-AUC)", True),
    "brier": ("Brier score (0 is perfect)", False),
    "log_loss": ("log loss, nats (0 is perfect)", False),
    "ece": ("expected calibration error", False),
    "mae": ("mean absolute error", False),
    "rmse": ("root mean squared error", False),
    "bias": ("bias, relative to the mean", None),
    "spearman": ("Spearman's rank correlation", True),
    "gini": ("normalised Gini (1 is perfect)", True),
    "qini": ("Qini coefficient (0 is chance)", True),
}


def models(
    table: pd.DataFrame,
    metric: str,
    ax: Axes | None = None,
    title: str | None = None,
    reference: str | None = None,
    unit: str = "",
) -> Axes:
    """Draw one metric of every model, best on top, with its interval.

    ``table`` is a ``classification_table`` or ``regression_table``. ``reference`` is the model at
    which a line is drawn; a hollow mark says that the interval of the paired difference to it
    holds 0, and where the best is the reference, or is not clear of it, the title says of whom that
    is so. ``unit`` follows the metric's name on the axis.
    """
    ax = begin(ax, height=0.4 * len(table) + 1.8)
    ranked = _ranked(table, metric)
    rows = ranked.iloc[::-1]
    left, right = reach(rows, metric)
    for y, (_, row) in enumerate(rows.iterrows()):
        if pd.isna(row[metric]):
            ax.annotate(
                _why_missing(row, metric),
                (0.01, y),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8.5,
                color=QUIET,
            )
            continue
        even = reference is not None and not _differs(row, metric)
        ax.errorbar(
            row[metric],
            y,
            xerr=[[left[y]], [right[y]]],
            fmt="D" if row["model"] == reference else "o",
            color=MAIN,
            markerfacecolor="white" if even and row["model"] != reference else MAIN,
            markersize=7,
            capsize=3,
            lw=1.4,
        )
        ax.annotate(
            _number(row[metric]),
            (row[metric] + right[y], y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    ax.set_yticks(range(len(rows)), [plain(name) for name in rows["model"]])
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.margins(x=0.14)
    name = METRICS.get(metric, (plain(metric), True))[0]
    ax.set_xlabel(f"{name}, {unit}" if unit else name)
    grid(ax, "x")
    caption = _counted(table) + "Lines: bootstrap intervals by customer. Backtested."
    if reference is not None:
        line = table.loc[table["model"] == reference, metric].iloc[0]
        ax.axvline(line, color=ACCENT, linestyle="--", linewidth=1.1, zorder=0)
        caption += f" Dashed: {plain(reference)}; hollow: no clear difference to it."
    best = ranked.iloc[0]
    found = f"Best {_bare(name)}: {plain(best['model'])}, {_number(best[metric])}"
    found += _interval(best, metric) + _alike(ranked, metric, reference)
    return finish(ax, title or found, caption)


def backtest(
    table: pd.DataFrame,
    metric: str,
    ax: Axes | None = None,
    title: str | None = None,
    by: str = "as_of",
    unit: str = "",
) -> Axes:
    """Draw one metric of every model at each cutoff, from a ``backtest_table``."""
    ax = begin(ax)
    cutoffs = sorted(table[by].unique())
    names = list(dict.fromkeys(table["model"]))
    spread = min(0.12, 0.5 / max(1, len(names)))
    for i, name in enumerate(names):
        rows = table[table["model"] == name].set_index(by).reindex(cutoffs)
        x = np.arange(len(cutoffs)) + (i - (len(names) - 1) / 2) * spread
        ax.errorbar(
            x,
            rows[metric],
            yerr=reach(rows, metric),
            color=COLOURS[i % 8],
            linestyle=LINES[i % 8],
            marker=MARKERS[i % 8],
            markersize=5.5,
            capsize=2.5,
            lw=1.2,
            label=plain(name),
        )
    dates = [
        f"{pd.Timestamp(cutoff):%d %b %Y}\nn = {int(table.loc[table[by] == cutoff, 'n'].max()):,}"
        if by == "as_of"
        else str(cutoff)
        for cutoff in cutoffs
    ]
    ax.set_xticks(range(len(cutoffs)), dates)
    name, _ = METRICS.get(metric, (plain(metric), True))
    ax.set(xlabel="cutoff" if by == "as_of" else plain(by))
    ax.set_ylabel(f"{name}, {unit}" if unit else name)
    grid(ax, "y")
    legend(ax, loc="center left", bbox_to_anchor=(1.01, 0.5))
    wins = [_ranked(part, metric).iloc[0]["model"] for _, part in table.groupby(by)]
    often = max(dict.fromkeys(wins), key=wins.count)
    found = (
        f"{plain(often)} has the best {_bare(name)} at {wins.count(often)} of {len(wins)} cutoffs"
    )
    caption = "Lines: bootstrap intervals by customer. Backtested."
    return finish(ax, title or found[:1].upper() + found[1:], caption)


def _ranked(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    more = METRICS.get(metric, ("", True))[1]
    key = table[metric].abs() if more is None else table[metric] * (-1 if more else 1)
    order = key.sort_values(kind="stable", na_position="last").index
    return table.loc[order]


def _why_missing(row: pd.Series, metric: str) -> str:
    for part in str(row.get("note", "")).split("; "):
        names, _, reason = part.partition(": ")
        if metric in names.split(", "):
            return f"not available: {reason}"
    return "not available"


def _differs(row: pd.Series, metric: str) -> bool:
    lower = row.get(f"{metric}_difference_lower", np.nan)
    upper = row.get(f"{metric}_difference_upper", np.nan)
    return bool(lower > 0 or upper < 0)


def _alike(ranked: pd.DataFrame, metric: str, reference: str | None) -> str:
    """Name what the best is not shown to differ from; pairs are with the reference only."""
    if reference is None or f"{metric}_difference_lower" not in ranked:
        return ""
    known = ranked[f"{metric}_difference_lower"].notna() & (ranked["model"] != reference)
    even = [row["model"] for _, row in ranked[known].iterrows() if not _differs(row, metric)]
    best = ranked["model"].iloc[0]
    if best != reference:
        even = [reference] if best in even else []
    names = " and ".join(plain(name) for name in even)
    return f"; no clear difference to {names}" if even else ""


def _interval(row: pd.Series, metric: str) -> str:
    lower, upper = row[f"{metric}_lower"], row[f"{metric}_upper"]
    return "" if pd.isna(lower) else f" [{_number(lower)} to {_number(upper)}]"


def _number(value: float) -> str:
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _bare(name: str) -> str:
    return name.split(" (")[0].split(",")[0]


def _counted(table: pd.DataFrame) -> str:
    row = table.iloc[0]
    return f"n = {int(row['n']):,} predictions of {int(row['n_customers']):,} customers. "

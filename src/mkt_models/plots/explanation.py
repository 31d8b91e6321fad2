"""Figures of what moves the predictions, from the contributions of ``evaluation.explain``.

``shap`` is imported only when a function needs it: it is slow to import.
"""

import textwrap
import warnings
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from mkt_models.plots.style import (
    ACCENT,
    INK,
    MAIN,
    QUIET,
    STYLE,
    bar_labels,
    begin,
    figure_of,
    finish,
    plain,
)

# From dark to light, so that low and high values also differ in black and white.
SWARM = LinearSegmentedColormap.from_list("swarm", [MAIN, "#7d8aa0", "#f2a65a"])


class Explained(Protocol):
    """Contributions and feature values with the same rows and columns, and the margin's base."""

    @property
    def values(self) -> pd.DataFrame:
        """Contributions, in units of the margin."""

    @property
    def features(self) -> pd.DataFrame:
        """The features' values."""

    @property
    def base(self) -> float:
        """Margin before any feature is known."""


def importance(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    words: Mapping[str, str] | None = None,
    top: int = 12,
    unit: str = "log-odds",
) -> Axes:
    """Draw the most important features, from a ``global_importance`` table.

    Hatched bars: more of the feature lowers the prediction; plain: raises it; pale: neither
    clearly (the rank correlation of value and contribution is weaker than 0.3). ``words`` names
    the features; ``unit`` is that of the margin.
    """
    rows = table.head(top).iloc[::-1]
    ax = begin(ax, height=0.36 * len(rows) + 1.8)
    styles: dict[str, dict[str, Any]] = {
        "more of it raises the prediction": {"facecolor": MAIN},
        "more of it lowers it": {"facecolor": ACCENT, "hatch": "////", "edgecolor": "white"},
        "no clear direction": {"facecolor": "#dfe4ea", "edgecolor": MAIN},
    }
    kinds = [_direction(value) for value in rows["direction"]]
    for kind, look in zip(styles, styles.values(), strict=True):
        at = [y for y, k in enumerate(kinds) if k == kind]
        if at:
            ax.barh(at, rows["importance"].iloc[at], height=0.62, label=kind, **look)
    texts = [f"{share:.0%}" for share in rows["share"]]
    bar_labels(ax, rows["importance"].tolist(), texts)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_yticks(range(len(rows)), [_wrapped(_named(name, words)) for name in rows["feature"]])
    ax.set_xlabel(f"mean absolute contribution, {unit}")
    ax.set_xlim(0, 1.9 * float(rows["importance"].max()))  # room for the key beside short bars
    ax.legend(loc="lower right", frameon=False, fontsize=8.5)
    first = table.iloc[0]
    found = f"{_named(first['feature'], words)} moves the predictions most: {first['share']:.0%}"
    caption = (
        f"Percent: share of all contributions; {min(top, len(table))} of {len(table)} features. "
        "SHAP of what is predicted: it explains the model, not the world."
    )
    if "n" in table and len(table):
        caption = f"n = {int(first['n']):,} predictions. {caption}"
    return finish(ax, title or found[:1].upper() + found[1:], caption)


def beeswarm(
    explained: Explained,
    title: str | None = None,
    words: Mapping[str, str] | None = None,
    top: int = 10,
    unit: str = "log-odds",
) -> Axes:
    """Draw every row's contribution of the most important features as a swarm of points."""
    shap = _shap()
    ax = begin(None, height=0.42 * min(top, explained.values.shape[1]) + 2.0)
    state = np.random.get_state()  # noqa: NPY002
    try:
        # The swarm's jitter draws from NumPy's global state: seeded, the figure is repeatable.
        np.random.seed(0)  # noqa: NPY002
        drawn = shap.plots.beeswarm(
            _explanation(explained, words),
            max_display=top,
            show=False,
            plot_size=None,
            ax=ax,
            color=SWARM,
        )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    ax = drawn if drawn is not None else ax
    _restyle(ax)
    ax.set_xlabel(f"contribution to the prediction, {unit}", fontsize=9.5)
    strongest = explained.values.abs().mean().idxmax()
    found = f"{_named(strongest, words)} moves the predictions most"
    caption = (
        f"n = {len(explained.values):,} predictions; a point each. SHAP (path-dependent) of what "
        "is predicted."
    )
    return finish(ax, title or found[:1].upper() + found[1:], caption)


def waterfall(
    explained: Explained,
    row: int,
    ax: Axes | None = None,
    title: str | None = None,
    words: Mapping[str, str] | None = None,
    top: int = 8,
    unit: str = "log-odds",
    n: int = 1,
) -> Axes:
    """Draw how the features lead from the base to the prediction of one row (by position).

    A row may be the mean of ``n`` predictions, beside the medians of their features.
    Read from the bottom: the base, the features that move little taken together, then one by one
    those that move more, up to the prediction. Hatched bars lower it.
    """
    moved = explained.values.iloc[row]
    values = explained.features.iloc[row]
    order = moved.abs().sort_values(ascending=False, kind="stable").index.astype(str)
    named, rest = list(order[:top]), list(order[top:])
    steps = [float(moved[name]) for name in reversed(named)]
    labels = [f"{_named(name, words)} = {_value(values[name])}" for name in reversed(named)]
    if rest:
        steps = [float(moved[rest].sum()), *steps]
        labels = [f"{len(rest)} other features", *labels]
    ends = explained.base + np.cumsum(steps)
    starts = ends - steps
    ax = begin(ax, height=0.4 * len(steps) + 2.0)
    for y, (start, step) in enumerate(zip(starts, steps, strict=True)):
        colour, hatch = (MAIN, "") if step >= 0 else (ACCENT, "////")
        ax.barh(
            y,
            step,
            left=start,
            height=0.6,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
        )
        right = max(start, start + step)
        ax.annotate(
            f"{step:+.2f}", (right, y), xytext=(4, 0), textcoords="offset points", va="center"
        )
        if y + 1 < len(steps):
            ax.plot([start + step] * 2, [y + 0.3, y + 0.7], color=QUIET, linewidth=0.8)
    for x, place, text in (
        (explained.base, -0.75, f"base {explained.base:.2f}"),
        (ends[-1], len(steps) - 0.25, f"prediction {ends[-1]:.2f}"),
    ):
        ax.text(
            x,
            place,
            text,
            ha="center",
            va="center",
            fontweight="bold",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    ax.axvline(explained.base, color=QUIET, linestyle=":", linewidth=1, zorder=0)
    ax.set_yticks(range(len(steps)), [_wrapped(label) for label in labels])
    ax.set_ylim(-1.15, len(steps) + 0.15)
    low, high = min(*starts, *ends), max(*starts, *ends)
    ax.set_xlim(low - 0.16 * (high - low), high + 0.16 * (high - low))
    ax.set_xlabel(f"margin, {unit}")
    strongest = named[0]
    effect = "raises" if moved[strongest] > 0 else "lowers"
    these = "this prediction" if n == 1 else "these predictions"
    found = f"{_named(strongest, words)} {effect} {these} most"
    caption = (
        "Contributions add up from the base to the prediction; hatched bars lower it. SHAP, "
        + ("n = 1." if n == 1 else f"means of n = {n:,}; beside the names are medians.")
    )
    return finish(ax, title or found[:1].upper() + found[1:], caption)


def _value(value: float) -> str:
    return "no value" if np.isnan(value) else f"{value:,.4g}"


def _shap() -> Any:
    with warnings.catch_warnings():
        # Importing shap calls what Matplotlib is about to retire, and looks for progress bars that
        # no report shows; not for our readers.
        warnings.simplefilter("ignore")
        import shap
    return shap


def _explanation(explained: Explained, words: Mapping[str, str] | None) -> Any:
    values = explained.values.to_numpy(dtype=float)
    return _shap().Explanation(
        values=values,
        base_values=np.full(len(values), explained.base),
        data=explained.features.to_numpy(dtype=float),
        feature_names=[_wrapped(_named(name, words)) for name in explained.values.columns],
    )


def _restyle(ax: Axes) -> None:
    for axes in figure_of(ax).axes:
        axes.tick_params(labelsize=STYLE["ytick.labelsize"])
        axes.yaxis.label.set_fontsize(9)
    for label in ax.get_yticklabels():
        label.set_color(INK)


def _direction(value: float) -> str:
    if not abs(value) >= 0.3:
        return "no clear direction"
    return "more of it raises the prediction" if value > 0 else "more of it lowers it"


def _named(feature: object, words: Mapping[str, str] | None) -> str:
    return (words or {}).get(str(feature), plain(feature))


def _wrapped(label: str) -> str:
    """A label on two lines, where one would leave no room for the drawing."""
    return textwrap.fill(label, 36)

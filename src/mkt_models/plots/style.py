"""The common look of all figures: quiet, and readable in black and white.

What differs, differs by marker, line or hatching, not by colour alone. The title states the
finding; the caption below says what the numbers rest on.
"""

import textwrap
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

INK = "#222222"
QUIET = "#6b6b6b"
MAIN = "#1f4e79"
ACCENT = "#c8641c"
PALE = "#c3ccd6"
PAPER = "#ffffff"

# Marks a figure that was made here and so is all one plot.
OWN = "one plot"

PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.3g}%")
THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")

COLOURS = (MAIN, ACCENT, "#5a5a5a", "#2f8f83", "#8a5a9e", "#a08a2c", "#4a7fb5", "#b04a5a")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 3)))

STYLE: dict[str, Any] = {
    "figure.figsize": (7, 4),
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "hatch.linewidth": 0.6,
}


def use_style() -> None:
    """Make the common look that of every figure and table of this session; notebooks call it once.

    The drawing backend is chosen here, once: chosen inside a temporary style it would be forgotten
    with it, and a notebook would show its first figure only.
    """
    plt.switch_backend(plt.get_backend())
    plt.rcParams.update(STYLE)
    pd.set_option("display.max_colwidth", None)
    pd.set_option("display.max_rows", 400)  # a table is shown whole
    pd.set_option("display.float_format", figure_of_number)


def figure_of_number(value: float) -> str:
    """A number for a table: four figures or so, thousands parted.

    >>> figure_of_number(1234567.8), figure_of_number(58.7944), figure_of_number(0.00312)
    ('1,234,568', '58.8', '0.0031')
    """
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.3f}" if size >= 0.1 else f"{value:.4f}"


def begin(ax: Axes | None, width: float = 7, height: float = 4) -> Axes:
    """Give ``ax`` back, or the axes of a new figure of this size in inches."""
    if ax is not None:
        return ax
    return begin_panels(1, width, height)[0]


def begin_panels(n: int, width: float = 7, height: float = 4) -> list[Axes]:
    """Give the axes of a new figure with ``n`` panels side by side, sharing their rows."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, n, figsize=(width, height), layout="constrained", sharey=n > 1, squeeze=False
        )
    figure.set_gid(OWN)
    return list(axes[0])


def finish(ax: Axes, title: str, caption: str = "", room: float = 6) -> Axes:
    """Write the title and the caption: on a figure made here, else on the axes that were given.

    ``room`` is what a legend above given axes needs, in points. Figures of several plots should
    be made with ``layout="constrained"``.
    """
    figure = figure_of(ax)
    if figure.get_gid() == OWN:
        # The layout engine keeps room for these two, and they start at the figure's left edge.
        per_inch = figure.get_figwidth() / 7
        figure.suptitle(
            textwrap.fill(title, int(76 * per_inch)),
            x=0.01,
            ha="left",
            fontsize=11,
            fontweight="bold",
            color=INK,
        )
        if caption:
            figure.supxlabel(
                textwrap.fill(caption, int(112 * per_inch)),
                x=0.01,
                ha="left",
                fontsize=8.5,
                color=QUIET,
            )
        return ax
    text = textwrap.fill(title, 60) + (f"\n{textwrap.fill(caption, 70)}" if caption else "")
    ax.set_title(text, loc="left", fontsize=9.5, fontweight="normal", pad=room)
    return ax


def figure_of(ax: Axes) -> Figure:
    """Give the whole figure that holds these axes."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("these axes belong to no figure")
    return figure


def reach(rows: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """Distances from a column down to its ``_lower`` and up to its ``_upper``: 2 x rows.

    0 where an end is missing: no line is drawn.
    """
    value = rows[column].to_numpy(dtype=float)
    lower = rows[f"{column}_lower"].to_numpy(dtype=float)
    upper = rows[f"{column}_upper"].to_numpy(dtype=float)
    ends = np.nan_to_num(np.stack([value - lower, upper - value]))
    return np.asarray(np.clip(ends, 0, None), dtype=np.float64)


def grid(ax: Axes, axis: Literal["x", "y", "both"]) -> None:
    """Draw faint lines from the ticks of an axis."""
    ax.grid(visible=True, axis=axis, color=STYLE["grid.color"], linewidth=STYLE["grid.linewidth"])
    ax.set_axisbelow(True)


def legend(ax: Axes, **options: Any) -> None:
    """Draw a legend without a frame; beside the axes when there are more than four entries."""
    _, labels = ax.get_legend_handles_labels()
    if len(labels) > 4 and "loc" not in options:
        options |= {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    ax.legend(frameon=False, fontsize=9, **options)


def bar_labels(ax: Axes, values: list[float], texts: list[str]) -> None:
    """Write a text after each horizontal bar, and leave room for it."""
    longest = max((len(text) for text in texts), default=0)
    top = max([*values, 0.0])
    for y, (value, text) in enumerate(zip(values, texts, strict=True)):
        ax.annotate(
            text,
            (value, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
    ax.set_xlim(0, (top or 1.0) * (1.06 + 0.016 * longest))


def plain(name: object) -> str:
    """Turn a name in code into words: 'days_since_last_order' to 'days since last order'."""
    return str(name).replace("_", " ")


def alt(drawn: Axes | Figure) -> str:
    """Describe a figure in a sentence or two, for those who cannot see it."""
    figure = drawn if isinstance(drawn, Figure) else figure_of(drawn)
    parts = [figure.get_suptitle(), figure.get_supxlabel()]
    for ax in figure.axes:
        title, x, y = ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()
        named = f"across: {x}; up: {y}" if x and y else x or y
        parts += [title, f"Axes: {named}" if named else ""]
    said = [" ".join(part.split()).rstrip(".") for part in parts if part.strip()]
    return ". ".join(said) + "." if said else ""

"""Figures of the terms guard: whose twins are offered other terms."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mkt_models.plots.style import ACCENT, MAIN, PERCENT, QUIET, begin, finish, grid, plain, reach

# Verdict of a row: how it is drawn, and what the key says.
_LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "pass": ({"marker": "o", "color": MAIN}, "alike"),
    "not_evaluated": ({"marker": "o", "color": MAIN, "markerfacecolor": "white"}, "too few to say"),
    "undecided": (
        {"marker": "o", "color": MAIN, "markerfacecolor": "white"},
        "too few to say, passes",
    ),
    "allowed": ({"marker": "D", "color": QUIET}, "differs as declared"),
    "fail": ({"marker": "X", "color": ACCENT, "markersize": 8}, "breach"),
}


def terms(
    table: pd.DataFrame,
    tolerance: float | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw, per attribute class, whose terms change with it: one dot per strategy and term.

    ``table``: one row per attribute class, term and strategy; ``changed`` with its interval,
    ``verdict``, and ``undecided``: too few to judge, whatever became of it. Alike rows of a class
    (same strategy, verdict and share) are one dot; so are all strategies of which nothing differs,
    with the fewest customers and the widest interval of them.
    """
    rows = _dots(_looked(table))
    ax = begin(ax, height=0.26 * max(4, len(rows)) + 2.0)
    places, labels, y = [], [], 0.0
    for attribute, part in rows.groupby("attribute", sort=True):
        labels.append((y, str(attribute)))
        for _, row in part.iterrows():
            y -= 1
            places.append((y, f"{row['label']} {row['n']:,})"))
            ax.errorbar(
                row["changed"],
                y,
                xerr=reach(row.to_frame().T, "changed"),
                linestyle="none",
                capsize=2.5,
                **({"markersize": 6, "elinewidth": 1.4} | _LOOKS[row["verdict"]][0]),
            )
        y -= 1.2
    if tolerance is not None:
        ax.axvline(tolerance, color=ACCENT, linestyle="--", linewidth=1)
    ax.set_yticks([spot for spot, _ in places], [text for _, text in places])
    for spot, text in labels:
        ax.annotate(
            plain(text),
            (0, spot - 0.1),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontweight="bold",
            fontsize=9,
        )
    ax.set_ylim(y + 0.6, 0.7)
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xlabel("customers to whom a twin with other values is offered other terms")
    grid(ax, "x")
    keys = [
        Line2D([], [], linestyle="none", label=words, **look)
        for verdict, (look, words) in _LOOKS.items()
        if verdict in set(rows["verdict"])
    ]
    if tolerance is not None:
        keys.append(Line2D([], [], color=ACCENT, linestyle="--", label="tolerance"))
    rows_of_keys = (len(keys) + 2) // 3
    ax.legend(handles=keys, loc="lower left", bbox_to_anchor=(-0.3, 1), ncols=3, fontsize=8.5)
    caption = (
        "n: customers replayed. Lines: Wilson's intervals. A twin has another customer's values "
        "of the attribute, and is the same in all else. Observed in the replay."
    )
    return finish(ax, title or _found(table), caption, room=8 + 16 * rows_of_keys)


def _looked(table: pd.DataFrame) -> pd.DataFrame:
    """With what could not be judged, and passes all the same, as a verdict of its own."""
    let = (table["verdict"] == "pass") & table["undecided"].astype(bool)
    return table.assign(verdict=table["verdict"].mask(let, "undecided"))


def _dots(table: pd.DataFrame) -> pd.DataFrame:
    same = ["attribute", "strategy", "verdict", "n", "changed", "changed_lower", "changed_upper"]
    nothing = (table["changed"] == 0) & table["verdict"].isin(
        ["pass", "not_evaluated", "undecided"]
    )
    grouped = table[~nothing].groupby(same, sort=False)["term"].agg(list).reset_index(name="terms")
    grouped["label"] = [
        f"{plain(strategy)}: {', '.join(plain(term) for term in names)} (n ="
        for strategy, names in zip(grouped["strategy"], grouped["terms"], strict=True)
    ]
    alike = (
        table[nothing]
        .groupby(["attribute", "verdict"], sort=False)
        .agg(
            strategies=("strategy", "nunique"),
            n=("n", "min"),
            changed=("changed", "max"),
            changed_lower=("changed_lower", "min"),
            changed_upper=("changed_upper", "max"),
        )
        .reset_index()
    )
    alike["label"] = [
        f"{count} {'strategy' if count == 1 else 'strategies'}, nothing differs (n from"
        for count in alike["strategies"]
    ]
    return pd.concat([grouped, alike], ignore_index=True)


def _found(table: pd.DataFrame) -> str:
    if table.empty:
        return "No decision was replayed"
    breach = table[table["verdict"] == "fail"]
    if len(breach):
        names = sorted({plain(name) for name in breach["attribute"]})
        return f"Terms depend on {', '.join(names)}, and nobody has declared it"
    declared = int((table["verdict"] == "allowed").sum())
    differences = f"{declared} declared difference{'s' * (declared != 1)}"
    unsure = table["verdict"].isin(["pass", "not_evaluated"]) & table["undecided"].astype(bool)
    if not unsure.any():
        return f"Like customers are offered like terms; {differences}"
    told = f"No breach is shown, but {unsure.sum():,} of {len(table):,} comparisons are of too few"
    let = (table["verdict"] == "pass") & unsure
    return f"{told} to judge{' and pass by terms.undecided' * bool(let.any())}; {differences}"

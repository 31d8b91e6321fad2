"""Figures of the audit: what gives attributes away, what mitigation costs, what a gate catches."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mkt_models.plots.style import (
    ACCENT,
    INK,
    LINES,
    MAIN,
    MARKERS,
    PERCENT,
    QUIET,
    begin,
    begin_panels,
    finish,
    grid,
    plain,
    reach,
)


def proxies(
    table: pd.DataFrame,
    ax: Axes | None = None,
    title: str | None = None,
    words: Mapping[str, str] | None = None,
    top: int = 8,
) -> Axes:
    """Draw which features and scores tell of which attribute, from a ``proxy_table``.

    A cell has the highest AUC of a group of the attribute, and the group; dark when it is shown to
    be more than chance.
    """
    order = {"score": 0, "together": 1, "feature": 2}
    best = (
        table.sort_values(["told", "auc"])
        .groupby(["attribute", "kind", "source"], sort=False)
        .tail(1)
        .assign(rank=lambda t: t["kind"].map(order))
    )
    strongest = best[best["kind"] == "feature"].groupby("source")[["told", "auc"]].max()
    few = strongest.sort_values(["told", "auc"], ascending=False).index[:top]
    best = best[(best["kind"] != "feature") | best["source"].isin(few)]
    places = {name: i for i, name in enumerate(few)}
    ranked = best.assign(place=best["source"].map(places).fillna(-1))
    sources = list(dict.fromkeys(ranked.sort_values(["rank", "place"])["source"]))
    attributes = list(dict.fromkeys(table["attribute"]))
    ax = begin(ax, height=0.36 * len(sources) + 1.8)
    kinds = dict(zip(best["source"], best["kind"], strict=True))
    room = max(6, 48 // max(1, len(attributes)))
    for _, row in best.iterrows():
        x, y = attributes.index(row["attribute"]), sources.index(row["source"])
        strength = min(1.0, max(0.0, (row["auc"] - 0.5) / 0.35)) if row["told"] else 0.0
        face = MAIN if row["told"] else "white"
        alpha = 0.25 + 0.75 * strength if row["told"] else 1.0
        ax.add_patch(_cell(x, y, face, alpha))
        ink = ("white" if alpha > 0.7 else INK) if row["told"] else QUIET
        weight = "bold" if row["told"] else "normal"
        group = str(row["group"])
        text = f"{row['auc']:.2f}  {group if len(group) <= room else group[: room - 1] + '…'}"
        ax.text(x, y, text, ha="center", va="center", color=ink, fontsize=8, fontweight=weight)
    ax.set_xlim(-0.5, len(attributes) - 0.5)
    ax.set_ylim(len(sources) - 0.5, -0.5)
    ax.set_xticks(range(len(attributes)), [plain(a) for a in attributes])
    ax.xaxis.tick_top()
    names = [
        f"{plain(s)} score" if kinds[s] == "score" else (words or {}).get(s, plain(s))
        for s in sources
    ]
    ax.set_yticks(range(len(sources)), [n if len(n) < 42 else n[:40] + "…" for n in names])
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    told = best[best["told"] & (best["kind"] == "feature")]
    scores = sorted({plain(s) for s in best[best["told"] & (best["kind"] == "score")]["source"]})
    found = "No feature is shown to tell of an attribute"
    if len(told):
        row = told.sort_values("auc").iloc[-1]
        name = (words or {}).get(row["source"], plain(row["source"]))
        found = f"{name[:1].upper()}{name[1:]} tells most: of {row['group']}, AUC {row['auc']:.2f}"
    found += f"; so do the scores: {', '.join(scores)}" if scores else "; no score does"
    caption = (
        "Highest AUC of one group against the others, and that group; 0.50 is a coin. Dark and "
        "bold: shown to be more than chance (false discoveries at most 5%). Observed."
    )
    if "n_known" in table and len(table):
        known = table["n_known"].astype(int)
        least, most = f"{known.min():,}", f"{known.max():,}"
        n = most if least == most else f"{least} to {most}"
        caption = f"n = {n} customers whose attribute is known. {caption}"
    return finish(ax, title or found, caption)


def mitigation(table: pd.DataFrame, group: str, title: str | None = None) -> Axes:
    """Draw what each method does to a group's gaps and what it costs, from a ``mitigation_table``.

    Three panels: calibration gap, selection ratio, and the change in what the selected hold.
    """
    panels = begin_panels(3, width=9, height=0.42 * len(table) + 1.9)
    what = (
        ("calibration_gap", f"calibration gap,\n{group}", 0.0, True),
        ("selection_ratio", f"selection ratio,\n{group}", 1.0, False),
        ("found_change", "change in the share of\nthe total that is found", 0.0, True),
    )
    for ax, (measure, name, alike, percent) in zip(panels, what, strict=True):
        ax.axvline(alike, color=QUIET, linewidth=0.9)
        for y, (_, row) in enumerate(table.iterrows()):
            if measure.endswith("_change") and y == 0:
                continue
            ax.errorbar(
                row[measure],
                y,
                xerr=reach(row.to_frame().T, measure),
                fmt="s" if row["needs_attribute"] else "o",
                color=ACCENT if row["needs_attribute"] else MAIN,
                capsize=2.5,
                markersize=6,
            )
        ax.set_ylim(len(table) - 0.5, -0.5)
        ax.set_xlabel(name)
        if percent:
            ax.xaxis.set_major_formatter(PERCENT)
        grid(ax, "x")
    panels[0].set_yticks(range(len(table)), table["method"].tolist())
    best = table.iloc[int(table["calibration_gap"].abs().to_numpy().argmin())]
    first = table.iloc[0]
    found = f"No method narrows the gap of {group}, {first['calibration_gap']:+.1%}"
    if best["method"] != first["method"]:
        found = (
            f"{best['method'][:1].upper()}{best['method'][1:]} brings the gap of {group} from "
            f"{first['calibration_gap']:+.1%} to {best['calibration_gap']:+.1%}"
        )
    caption = (
        "Squares: needs the attribute of the customer at the decision, lawful only where that is "
        f"allowed. Judged on later cutoffs, {int(first['n_customers']):,} customers; lines: "
        "intervals, changes paired. Backtested."
    )
    finish(panels[0], title or found, caption)
    return panels[0]


def detection(table: pd.DataFrame, title: str | None = None) -> Axes:
    """Draw how often planted bias withholds a model, from the rows of ``benchmarks/gate.py``.

    A panel per kind of bias; solid: withheld by the gate; dotted: by the rule before it.
    """
    kinds = {
        "scores": "scores of the group lowered\nby so many points",
        "labels": "positives not recorded,\npoints of the group's rate",
        "amounts": "amounts underrated, share\nof the mean amount",
    }
    panels = begin_panels(3, width=10, height=4.4)
    fair = table[table["attribute"] == ""].set_index("kind")
    for ax, (kind, name) in zip(panels, kinds.items(), strict=True):
        for level in (0.05, 0.95):
            ax.axhline(level, color=QUIET, linewidth=0.8, linestyle=":")
        rows = table[(table["kind"] == kind) & (table["attribute"] != "")]
        for i, (attribute, some) in enumerate(rows.groupby("attribute", sort=False)):
            start = fair.loc[["scores" if kind == "labels" else kind]]
            line = pd.concat([start.reset_index(), some]).sort_values("strength")
            x = line["strength"].to_numpy(dtype=float)
            label = f"{plain(attribute)}: {some['customers'].iloc[0]:,} customers"
            ax.errorbar(
                x,
                line["withheld"],
                yerr=reach(line, "withheld"),
                marker=MARKERS[i],
                color=(MAIN, ACCENT, "#5a5a5a")[i],
                linestyle=LINES[i],
                capsize=2,
                label=label,
            )
            ax.plot(x, line["before"], color=(MAIN, ACCENT, "#5a5a5a")[i], linestyle=":", lw=1)
        ax.set_xlabel(name)
        ax.xaxis.set_major_formatter(PERCENT)
        ax.set_ylim(-0.03, 1.03)
        grid(ax, "both")
        if len(rows):
            ax.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.06))
    panels[0].yaxis.set_major_formatter(PERCENT)
    panels[0].set_ylabel("share of the models withheld")
    shown = table[(table["kind"] == "scores") & (table["withheld"] >= 0.95)]
    alarms = float(fair["withheld"].max())
    found = f"Without bias at most {alarms:.1%} of the models are withheld"
    if len(shown):
        first = shown.sort_values("strength").iloc[0]
        found += (
            f"; {100 * first['strength']:.3g} points in {first['customers']:,} customers' scores "
            f"are caught: {first['withheld']:.0%}"
        )
    caption = (
        f"Toy shops of 4,000 customers with 22 groups; {int(table['seeds'].min())} seeds per point "
        "or more, Wilson intervals. Thin dots: the rule before (an interval wholly beyond ten "
        "points). Horizontal lines: 5% and 95%."
    )
    finish(panels[0], title or found, caption)
    return panels[0]


def _cell(x: float, y: float, face: str, alpha: float) -> Rectangle:
    return Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, facecolor=face, alpha=alpha, lw=0)

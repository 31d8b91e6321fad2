import numpy as np
import pandas as pd
from plots.tables import GROUPS, caption, texts, ticks, title

from mkt_models import plots


def markers(ax):
    return [line.get_marker() for line in ax.lines if line.get_marker() in "oD^X"]


def test_groups_mark_those_not_judged():
    ax = plots.groups(GROUPS, limit=0.1)
    points = [line for line in ax.lines if line.get_marker() in "oD"]
    assert [line.get_xdata()[0] for line in points] == [0.2, 0.01, 0.15]
    assert [line.get_markerfacecolor() == "white" for line in points] == [True, False, False]
    assert ticks(ax)[0] == "19-24 (n = 12)"
    assert "too few to tell" in texts(ax)
    assert title(ax) == (
        "2 of 4 groups are large enough to judge; 1 of them lies wholly beyond the limit"
    )
    assert "97.50%" in caption(ax)


def test_findings_differ_by_marker_and_small_groups_show_nothing():
    table = GROUPS.assign(
        finding=["", "within", "beyond", ""],
        inner_measure="calibration_gap",
        inner_lower=[np.nan, -0.01, 0.13, np.nan],
        inner_upper=[np.nan, 0.03, 0.17, np.nan],
        n_customers=pd.array([12, 300, 200, None], dtype="Int64"),
    )
    ax = plots.groups(table, limit=0.1)
    assert markers(ax) == ["D", "o", "X"]
    assert title(ax) == "2 groups judged: 1 beyond the limit, 1 shown within"
    assert ticks(ax)[-1] == "15-24K"
    assert "not shown" in texts(ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["shown within", "shown beyond", "not judged", "limit"]
    # The same table, of another measure, has no inner line.
    assert len(plots.groups(table.assign(inner_measure="auc")).lines) < len(ax.lines)

import numpy as np
import pandas as pd
from plots.tables import texts, ticks, title

from mkt_models import plots
from mkt_models.plots.style import figure_of


def found_of(told):
    return pd.DataFrame(
        {
            "attribute": ["gender", "gender", "gender", "region"],
            "group": ["f", "f", "m", "a region with a very long name, and more of it"],
            "kind": ["feature", "score", "together", "feature"],
            "source": ["sports", "churn", "all features together", "sports"],
            "auc": [0.84, 0.52, 0.86, 0.51],
            "auc_lower": [0.8, 0.48, 0.8, 0.47],
            "auc_upper": [0.88, 0.56, 0.9, 0.55],
            "told": [told, False, told, False],
        }
    )


def test_proxies_say_what_tells_most():
    ax = plots.proxies(found_of(True), words={"sports": "spend on sports"})
    assert title(ax) == "Spend on sports tells most: of f, AUC 0.84; no score does"
    assert ticks(ax) == ["churn score", "all features together", "spend on sports"]
    assert "0.84  f" in texts(ax)
    bold = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
    assert sorted(bold) == ["0.84  f", "0.86  m"]
    assert title(plots.proxies(found_of(False))) == (
        "No feature is shown to tell of an attribute; no score does"
    )


def remedies(after):
    table = pd.DataFrame({"method": ["nothing", "calibration by group"], "n_customers": 500})
    table["needs_attribute"] = [False, True]
    for name, values in (
        ("calibration_gap", [0.2, after]),
        ("selection_ratio", [2.0, 2.2]),
        ("found_change", [0.0, -0.01]),
    ):
        values = np.array(values)
        table[name], table[f"{name}_lower"], table[f"{name}_upper"] = values, values - 1, values + 1
    return table


def test_mitigation_says_what_it_brings():
    ax = plots.mitigation(remedies(0.05), "old")
    assert title(ax) == "Calibration by group brings the gap of old from +20.0% to +5.0%"
    assert len(figure_of(ax).axes) == 3
    assert [line.get_marker() for line in ax.lines if line.get_marker() in "os"] == ["o", "s", "s"][
        :2
    ]  # the other needs the attribute: a square
    assert (
        title(plots.mitigation(remedies(0.3), "old")) == "No method narrows the gap of old, +20.0%"
    )


def test_detection_tells_alarms_and_catches():
    rows = [("scores", "", 0.0, 0.01), ("amounts", "", 0.0, 0.02), ("scores", "gender", 0.05, 0.6)]
    rows += [("scores", "gender", 0.1, 0.97), ("labels", "gender", 0.1, 0.1)]
    table = pd.DataFrame(rows, columns=["kind", "attribute", "strength", "withheld"])
    table = table.assign(before=0.0, seeds=200, customers=1400)
    table["withheld_lower"], table["withheld_upper"] = table["withheld"], table["withheld"]
    assert title(plots.detection(table)) == (
        "Without bias at most 2.0% of the models are withheld; 10 points in 1,400 customers' "
        "scores are caught: 97%"
    )

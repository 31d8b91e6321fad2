"""Figures of monitoring: states by marker, periods in order, titles that say the finding."""

import numpy as np
import pandas as pd
from plots.tables import caption, ticks, title

from mkt_models import plots
from mkt_models.monitoring.drift import COLUMNS

DRIFT = pd.DataFrame(
    {
        "model": "churn",
        "feature": ["tenure_days", "orders_90d", "amount_90d", "x"],
        "psi": [2.0, 0.4, 0.01, 9.0],
        "psi_by_chance": [0.02, 0.02, 0.02, 0.02],
        "evaluated": [True, True, True, False],
        "significant": [True, True, False, False],
        "large": [True, True, False, False],
        "drifted": [False, True, False, False],
        "expected": ["everybody grows older", "", "", ""],
        "customers_reference": 400,
        "customers_current": 300,
    }
)


def test_drift_ranks_what_was_evaluated_and_marks_its_state():
    ax = plots.drift(DRIFT, 0.1)
    assert ticks(ax) == ["amount 90d (churn)", "orders 90d (churn)", "tenure days (churn)"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["alarm", "expected to move", "no alarm", "by chance", "limit"]
    assert title(ax) == "1 of 3 columns has drifted so that it matters; 1 moved as expected"
    assert "400 and 300 customers" in caption(ax)
    # The limit of every feature lies above what chance gives it.
    assert np.allclose(ax.collections[-1].get_offsets()[:, 0], 0.12)


def test_scores_say_how_much_has_moved():
    table = pd.DataFrame(
        {
            "lower": [0.0, 0.5],
            "upper": [0.5, 1.0],
            "share_reference": [0.8, 0.2],
            "share_current": [0.6, 0.4],
        }
    )
    ax = plots.score_shift(table, what="probability of churn")
    assert title(ax) == "20% of the rows would have to move for the two to be alike"
    assert ax.get_xlabel() == "probability of churn"


def performance(lost):
    rows = [
        ("now", "current", np.nan),
        ("2025-02-01", "current", 0.7),
        ("2025-01-01", "reference", 0.8),
    ]
    table = pd.DataFrame(rows, columns=["as_of", "role", "realised"])
    table = table.assign(metric="auc", n=[300, 200, 400], lost=[False, lost, None], estimate=0.81)
    for name, value in (("estimate", 0.81), ("realised", table["realised"]), ("promised", 0.8)):
        table[name] = value
        table[f"{name}_lower"], table[f"{name}_upper"] = table[name] - 0.02, table[name] + 0.02
    return table


def test_performance_over_time_ends_with_the_period_without_labels():
    ax = plots.over_time(performance(lost=True), "auc")
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == [
        "2025-01-01\nreference\nn = 400",
        "2025-02-01\ncurrent\nn = 200",
        "now, no labels\ncurrent\nn = 300",
    ]
    assert title(ax) == "AUC: worse than promised in 1 period"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["promised", "realised", "estimated without labels"]
    quiet = plots.over_time(performance(lost=False), "auc")
    assert title(quiet) == "AUC: no loss that matters is shown against what was promised"
    wide = performance(lost=False).assign(loss_upper=[0.1, 0.01, 0.2], allowed=0.02)
    told = title(plots.over_time(wide, "auc"))
    assert told == "AUC: no loss that matters is shown, nor ruled out, against what was promised"


def test_gaps_over_time_name_the_widest_at_the_end_and_whether_it_is_chance():
    rows = [
        ("2025-01", "m", 0.01),
        ("2025-01", "w", -0.01),
        ("2025-02", "m", 0.2),
        ("2025-02", "w", -0.1),
    ]
    table = pd.DataFrame(rows, columns=["as_of", "group", "gap"])
    table = table.assign(attribute="gender", measure="score", judged=True)
    table["gap_lower"], table["gap_upper"] = table["gap"] - 0.05, table["gap"] + 0.05
    ax = plots.gaps_over_time(table, "score")
    assert title(ax) == "Widest gap at the end: gender m, +0.200"
    wide = table.assign(gap_lower=-1.0, gap_upper=1.0)
    assert title(plots.gaps_over_time(wide, "score")).endswith("which may be chance")
    nobody = table.assign(judged=False)
    assert title(plots.gaps_over_time(nobody, "score")) == "No group is large enough to judge"


def test_drift_of_which_nothing_was_evaluated_is_an_empty_figure() -> None:
    lacks = pd.DataFrame({"feature": ["a"]}).reindex(columns=list(COLUMNS))
    flags = dict.fromkeys(("evaluated", "significant", "large", "drifted"), False)
    ax = plots.drift(lacks.assign(**flags, expected="", note="few"), 0.1)
    assert ax.get_xlim() == (0.001, 1)

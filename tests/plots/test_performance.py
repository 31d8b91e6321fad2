import numpy as np
import pandas as pd
from plots.tables import MODELS, texts, ticks, title

from mkt_models import plots


def test_models_ranks_the_best_on_top_and_explains_gaps():
    ax = plots.models(MODELS, "brier", reference="recency")
    assert ticks(ax) == ["raw score", "recency", "xgboost"]
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() in ("o", "D")]
    assert points == [0.07, 0.05]
    assert "not available: no probability" in texts(ax)
    assert title(ax) == "Best Brier score: xgboost, 0.050 [0.040 to 0.060]"
    assert ax.get_xlabel() == "Brier score (0 is perfect)"
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == [plots.style.MAIN]
    unclear = MODELS.assign(brier_difference_upper=0.01)
    ax = plots.models(unclear, "brier", reference="recency")
    assert [x.get_markerfacecolor() for x in ax.lines if x.get_marker() == "o"] == ["white"]
    assert title(ax).endswith("[0.040 to 0.060]; no clear difference to recency")


def test_the_title_names_what_the_best_is_not_clear_of():
    table = pd.DataFrame(
        {
            "model": ["model", "logistic", "recency"],
            "auc": [0.86, 0.85, 0.7],
            "n": 900,
            "n_customers": 300,
        }
    )
    table = table.assign(auc_lower=table["auc"] - 0.02, auc_upper=table["auc"] + 0.02)
    table["auc_difference_lower"] = [np.nan, -0.001, 0.1]
    table["auc_difference_upper"] = [np.nan, 0.02, 0.2]
    best = "Best AUC: model, 0.860 [0.840 to 0.880]"
    told = title(plots.models(table, "auc", reference="model"))
    assert told == f"{best}; no clear difference to logistic"
    clear = table.assign(auc_difference_lower=[np.nan, 0.001, 0.1])
    assert title(plots.models(clear, "auc", reference="model")) == best
    assert title(plots.models(table, "auc")) == best


def test_the_best_bias_is_the_nearest_to_zero():
    table = MODELS[:2].assign(bias=[-0.5, 0.1], bias_lower=[-0.6, 0.0], bias_upper=[-0.4, 0.2])
    assert title(plots.models(table, "bias")).startswith("Best bias: xgboost, 0.100")


def test_backtest_draws_a_line_per_model():
    cutoffs = pd.to_datetime(["2017-10-09", "2017-11-06"])
    table = pd.concat([MODELS[:2].assign(as_of=cutoff) for cutoff in cutoffs], ignore_index=True)
    table.loc[3, "brier"] = 0.08
    ax = plots.backtest(table, "brier")
    assert [list(c.lines[0].get_ydata()) for c in ax.containers] == [[0.07, 0.07], [0.05, 0.08]]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "09 Oct 2017\nn = 6,900",
        "06 Nov 2017\nn = 6,900",
    ]
    assert title(ax).endswith("has the best Brier score at 1 of 2 cutoffs")

import pandas as pd
from plots.tables import caption, texts, ticks, title

from mkt_models import plots


def test_rules_name_a_pair_once():
    table = pd.DataFrame(
        {
            "antecedent": ["BUNS", "HOT DOGS", "MILK"],
            "consequent": ["HOT DOGS", "BUNS", "BREAD"],
            "support": [0.01, 0.01, 0.05],
            "confidence": [0.3, 0.5, 0.2],
            "lift": [9.0, 9.0, 1.5],
        }
    )
    ax = plots.rules(table)
    assert len(ax.collections[0].get_offsets()) == 3
    assert texts(ax)[:-1] == ["1", "2"]
    assert "hot dogs → buns (×9.0)" in texts(ax)[-1]
    assert "buns → hot dogs" not in texts(ax)[-1]
    assert title(ax) == "Who buys hot dogs buys buns 9.0 times as often as all orders do"
    assert title(plots.rules(table[:0])) == "No rule passes the thresholds"


def test_recommenders_have_a_panel_per_metric():
    table = pd.DataFrame(
        {
            "model": ["popularity", "decayed"],
            "recall": [0.04, 0.1],
            "recall_lower": [0.03, 0.09],
            "recall_upper": [0.05, 0.11],
            "ndcg": [0.18, 0.41],
            "ndcg_lower": [0.17, 0.4],
            "ndcg_upper": [0.19, 0.42],
            "n_customers": [2006, 2006],
        }
    )
    figure = plots.recommenders(table, chosen="decayed")
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [0.1, 0.04]
    assert [bar.get_width() for bar in right.patches] == [0.41, 0.18]
    assert [bar.get_hatch() for bar in left.patches] == ["////", None]
    assert figure.get_suptitle() == "Decayed finds most: Recall@10 0.100"
    assert "n = 2,006 customers" in figure.get_supxlabel()


def test_rules_of_several_items_keep_every_item():
    table = pd.DataFrame(
        {
            "antecedent": ["FLUID MILK WHITE ONLY + LAYER CAKE MIX", "FROSTING"],
            "consequent": ["FROSTING", "FLUID MILK WHITE ONLY + LAYER CAKE MIX"],
            "support": [0.01, 0.01],
            "confidence": [0.5, 0.4],
            "lift": [9.0, 9.0],
        }
    )
    ax = plots.rules(table)
    # The same three items either way: the more confident rule is named, once.
    assert texts(ax)[:-1] == ["1"]
    words = " ".join(texts(ax)[-1].split())
    assert words == "1 fluid milk white only + layer cake mix → frosting (×9.0)"


def test_gains_mark_what_may_be_nothing():
    table = pd.DataFrame(
        {
            "ranking": ["popularity", "model", "model, varied"],
            "metric": "ndcg",
            "value": [0.04, 0.05, 0.041],
            "gain": [0.0, 0.01, 0.001],
            "gain_lower": [0.0, 0.005, -0.002],
            "gain_upper": [0.0, 0.015, 0.004],
            "n": 1966,
        }
    )
    ax = plots.gains(table, label="NDCG@10 on new items")
    assert ticks(ax) == ["model, varied", "model"]
    assert texts(ax) == ["+0.0010", "+0.0100"]
    assert title(ax) == "Model: NDCG@10 on new items +0.0100 against popularity (0.040)"
    assert "n = 1,966 customers" in caption(ax)
    hollow = [bars.lines[0].get_markerfacecolor() for bars in ax.containers]
    assert [face == plots.style.PAPER for face in hollow] == [True, False]

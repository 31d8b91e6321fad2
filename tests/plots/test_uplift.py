import pandas as pd
from plots.tables import caption, title

from mkt_models import plots

EFFECTS = pd.DataFrame(
    {
        "group": ["app", "sms", "mail"],
        "n": [1000, 2000, 3000],
        "effect": [0.02, -0.03, 0.001],
        "effect_lower": [0.01, -0.04, -0.01],
        "effect_upper": [0.03, -0.02, 0.012],
        "level": 0.983,
    }
)
CURVE = pd.DataFrame(
    {
        "share": [0, 0.3, 1],
        "gain": [0, 0.02, 0.03],
        "gain_lower": [0, 0.01, 0.02],
        "gain_upper": [0, 0.03, 0.04],
        "random": [0, 0.009, 0.03],
        "n": 5000,
    }
)
RANKING = {"qini": 0.006, "qini_lower": 0.002, "qini_upper": 0.01}


def test_effects_stand_in_order_and_what_is_not_shown_is_hollow():
    ax = plots.effects(EFFECTS)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "sms (n = 2,000)",
        "mail (n = 3,000)",
        "app (n = 1,000)",
    ]
    fills = [c.lines[0].get_markerfacecolor() for c in ax.containers]
    assert [fill == "white" for fill in fills] == [False, True, False]
    assert title(ax) == "A contact is shown to add orders in 1 of 3 groups, and to cost some in 1"
    assert "98.3%" in caption(ax)
    assert "Randomised." in caption(ax)


def test_the_qini_curve_stands_beside_chance():
    ax = plots.qini_curve(CURVE, RANKING, name="dr_learner")
    assert list(ax.lines[0].get_ydata()) == [0, 0.02, 0.03]
    assert list(ax.lines[1].get_ydata()) == [0, 0.009, 0.03]
    assert title(ax) == "The top 30% add 2 points, as many at random 0.9"
    assert "Qini (area between curve and line) 0.006 [0.002, 0.01]" in caption(ax)
    assert len({line.get_linestyle() for line in ax.lines[:2]}) == 2


def test_a_ranking_that_shows_nothing_says_so():
    ax = plots.qini_curve(CURVE, RANKING | {"qini_lower": -0.001}, unit="USD")
    assert title(ax).startswith("Not shown to be better than chance: the top 30% add 0.02 USD")


def test_bins_draw_observed_beside_predicted():
    table = pd.DataFrame(
        {
            "bin": [1, 2],
            "n": [10, 10],
            "predicted": [0.05, -0.01],
            "observed": [0.04, 0.0],
            "observed_lower": [0.01, -0.03],
            "observed_upper": [0.07, 0.03],
        }
    )
    ax = plots.uplift_bins(table)
    assert [bar.get_height() for bar in ax.patches] == [0.05, -0.01]
    assert title(ax) == "A contact adds +4 points in the top bin and +0 in the last"

import pandas as pd
from plots.tables import texts, ticks, title

from mkt_models import plots


def test_strategies_hatch_doing_nothing():
    table = pd.DataFrame({"strategy": ["no_action", "scenario"], "customers": [25, 75]})
    ax = plots.strategies(table)
    assert ticks(ax) == ["no action", "scenario"]
    assert [bar.get_hatch() for bar in ax.patches] == ["////", None]
    assert texts(ax) == ["25 (25.0%)", "75 (75.0%)"]
    assert title(ax) == "75% of the customers get a strategy, 25% are left alone"


def test_suppressions_name_the_commonest_reason():
    table = pd.DataFrame({"reason": ["cap_week", "no_consent"], "candidates": [10, 30]})
    assert (
        title(plots.suppressions(table)) == "75% of what was held back has the reason: no consent"
    )
    none = table.assign(candidates=0)
    assert title(plots.suppressions(none)) == "No candidate was suppressed"


def test_the_curve_names_the_budget_of_which_more_would_bring_most():
    table = pd.DataFrame(
        {
            "budget": ["coupons"] * 3 + ["mail"] * 3,
            "share": [0.0, 1.0, 2.0] * 2,
            "of_chosen": [0.5, 1.0, 1.2, 0.9, 1.0, 1.0],
            "n": 40,
            "kind": "propensity_weighted",
        }
    )
    ax = plots.budget_curve(table)
    assert title(ax) == "More of coupons would bring most: +20.0% at 2 times as much"
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[0.5, 1.0, 1.2], [0.9, 1.0, 1.0]]
    assert "propensity weighted" in plots.alt(ax)
    loose = plots.budget_curve(table.assign(of_chosen=1.0))
    assert title(loose) == "No budget binds: more of any would bring nothing"


def test_strategies_and_reasons_of_few_customers_are_not_told():
    table = pd.DataFrame({"strategy": ["a", "b", "no_action"], "customers": [2, 90, 8]})
    ax = plots.strategies(table, min_cell=5)
    assert texts(ax) == ["too few to tell", "too few to tell", "90 (90.0%)"]
    assert [bar.get_width() for bar in ax.patches] == [0, 0, 90]
    assert title(ax) == "Nearly all customers get a strategy"
    reasons = pd.DataFrame(
        {"reason": ["x", "y", "z"], "candidates": [30, 40, 70], "customers": [3, 20, 60]}
    )
    assert texts(plots.suppressions(reasons, min_cell=5)) == [
        "too few to tell",
        "too few to tell",
        "70 (50.0%)",
    ]

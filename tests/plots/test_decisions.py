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

import numpy as np
import pandas as pd
from plots.tables import caption, texts, ticks, title

from mkt_models import plots

STABLE = pd.DataFrame(
    {
        "name": ["Pet lover", "Night owl", "Sports fan"],
        "then": [50, 40, 3],
        "kept_share": [0.9, 0.25, 1.0],
        "kappa": [0.8, 0.1, np.nan],
        "n": [500] * 3,
    }
)
FORETOLD = pd.DataFrame(
    {
        "rule": ["one_cut_for_all"] * 4 + ["own_rhythm"] * 4,
        "stage": ["new", "active", "dormant", "lost"] * 2,
        "customers": [0, 80, 15, 5, 0, 85, 10, 5],
        "silent": [0, 4, 3, 3, 0, 4, 3, 4],
        "silent_share": [np.nan, 0.05, 0.2, 0.6, np.nan, 0.05, 0.3, 0.8],
    }
)


def test_tags_are_counted_and_the_most_common_is_named():
    table = pd.DataFrame({"name": ["Gourmet", "Pet lover"], "customers": [20, 50], "n": 100})
    ax = plots.tag_counts(table)
    assert ticks(ax) == ["Gourmet", "Pet lover"]
    assert texts(ax) == ["20 (20%)", "50 (50%)"]
    assert title(ax) == "Pet lover is the most common tag: 50 of 100 customers"
    assert "n = 100 customers" in caption(ax)


def test_stability_names_the_least_stable_that_can_be_judged():
    ax = plots.tag_stability(STABLE, 28)
    assert ticks(ax) == ["Night owl (40)", "Pet lover (50)", "Sports fan (3)"]
    assert title(ax) == "After 28 days 25% still are “Night owl”, the least stable"
    assert "hollow: fewer than 20 had it" in caption(ax)
    assert "hollow" not in caption(plots.tag_stability(STABLE[:2], 28))


def test_stages_show_every_group_with_its_number():
    ax = plots.stage_outcomes(FORETOLD, 56)
    assert texts(ax)[3] == "60%\nn=5"
    assert len(texts(ax)) == 8
    assert "60% by one cut for all, 80% by own rhythm" in title(ax)
    assert "n = 100 customers" in caption(ax)


def test_what_few_customers_tell_is_not_drawn():
    table = pd.DataFrame({"name": list("abc"), "customers": [2, 9, 50], "n": 100})
    assert texts(plots.tag_counts(table, min_cell=5)) == ["< 5", "…", "50 (50%)"]
    ax = plots.tag_stability(STABLE, 28, min_cell=5)
    assert ticks(ax)[0].startswith("Night owl (…)") or "Night owl (…)" in ticks(ax)
    assert "Sports fan (< 5)" in ticks(ax)
    ax = plots.stage_outcomes(FORETOLD, 56, min_cell=5)
    assert "…\nn=5" in texts(ax)
    assert not [text for text in texts(ax) if text.startswith("60%")]

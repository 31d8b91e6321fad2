import pandas as pd
import pytest
from plots.tables import ticks, title

from mkt_models import plots


def table(**changes):
    one = {
        "attribute": "loyalty",
        "term": "shown",
        "strategy": "membership_tier",
        "n": 90,
        "changed": 0.0,
        "changed_lower": 0.0,
        "changed_upper": 0.04,
        "verdict": "pass",
        "undecided": False,
    }
    rows = [one, one | {"term": "benefits"}, one | {"attribute": "device"} | changes]
    return pd.DataFrame(rows)


def test_alike_terms_and_strategies_without_a_difference_share_a_dot():
    differs = (
        pd.DataFrame(table())
        .iloc[:2]
        .assign(strategy="coupons", verdict="allowed", changed=0.9, changed_upper=1.0)
    )
    ax = plots.terms(pd.concat([table(n=20), differs]), tolerance=0.05)
    assert ticks(ax) == [
        "1 strategy, nothing differs (n from 20)",
        "coupons: shown, benefits (n = 90)",
        "1 strategy, nothing differs (n from 90)",
    ]
    assert title(ax) == "Like customers are offered like terms; 2 declared differences"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": "fail", "changed": 0.9}, "Terms depend on device, and nobody has declared it"),
        ({"verdict": "allowed"}, "Like customers are offered like terms; 1 declared difference"),
        (
            {"verdict": "not_evaluated", "undecided": True},
            "No breach is shown, but 1 of 3 comparisons are of too few to judge; 0 declared "
            "differences",
        ),
        (
            {"undecided": True},
            "No breach is shown, but 1 of 3 comparisons are of too few to judge and pass by "
            "terms.undecided; 0 declared differences",
        ),
    ],
)
def test_the_title_says_the_finding(changes, said):
    assert title(plots.terms(table(**changes))).replace("\n", " ") == said


def test_what_passes_undecided_is_not_drawn_as_alike():
    ax = plots.terms(table(undecided=True))
    keys = [text.get_text() for text in ax.get_legend().get_texts()]
    assert keys == ["alike", "too few to say, passes"]


def test_nothing_replayed():
    assert title(plots.terms(table().iloc[:0])) == "No decision was replayed"

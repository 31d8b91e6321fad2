"""Figures of a service are drawn from their tables, and say what they found."""

import pandas as pd
import pytest

from mkt_models import plots
from mkt_models.plots.style import figure_of

DAYS = pd.to_datetime(["2018-01-02", "2018-01-03"])


def title(ax) -> str:
    return " ".join(figure_of(ax).get_suptitle().split())


def test_answers_and_contacts_say_their_shares() -> None:
    counts = {"decisions": [6, 4], "strategies": [4, 1], "defaults": [1, 1], "no_action": [1, 2]}
    ax = plots.answers_by_day(pd.DataFrame({"day": DAYS, **counts}))
    assert title(ax) == "50% of the answers are a strategy, 20% the default, 30% no action"
    heights = [patch.get_height() for patch in ax.patches]
    assert heights == [4, 1, 1, 1, 1, 2]
    states = {"planned": [6, 4], "sent": [5, 3], "not_sent": [1, 0], "withdrawn": [0, 0]}
    states |= {"unreported": [0, 1], "open": [0, 0], "beyond_policy": [1, 0]}
    ax = plots.contacts_by_day(pd.DataFrame({"day": DAYS, **states}))
    assert title(ax) == "80% of 10 contacts were sent; 1 beyond what was permitted"
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["sent", "not sent", "not reported on"]


def test_days_without_decisions_are_drawn() -> None:
    names = ["day", "decisions", "strategies", "defaults", "no_action"]
    ax = plots.answers_by_day(pd.DataFrame({name: [0] for name in names} | {"day": DAYS[:1]}))
    assert title(ax) == "No decision was made"


@pytest.mark.parametrize("judged", [True, False])
def test_groups_are_held_against_all(judged: bool) -> None:
    row = {"attribute": "age_band", "group": "19-24", "measure": "offered", "n_customers": 1200}
    row |= {"mean": 0.3, "gap": -0.2, "gap_lower": -0.3, "gap_upper": -0.1, "judged": judged}
    ax = plots.reach_by_group(pd.DataFrame([row]), "offered", 0.1)
    found = "1 of 1 groups is shown to differ" if judged else "No group is large enough"
    assert found in title(ax)
    assert ax.get_yticklabels()[0].get_text() == "age band: 19-24\n30%, n = 1,200"


def test_what_is_simulated_says_so() -> None:
    names = {"decisions": [1], "strategies": [1], "defaults": [0], "no_action": [0]}
    ax = plots.answers_by_day(pd.DataFrame({"day": DAYS[:1], **names}))
    before = plots.alt(plots.marked(ax, False))
    assert "Observed" in before
    said = plots.alt(plots.marked(ax, True))
    assert said.startswith("Simulated: 100% of the answers are a strategy")
    assert "Observed" not in said
    assert "Simulated." in said

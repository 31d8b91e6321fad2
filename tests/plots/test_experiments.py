import numpy as np
import pandas as pd
import pytest
from plots.tables import caption, ticks, title

from mkt_models import plots
from mkt_models.columns import Verdict

EFFECTS = pd.DataFrame(
    {
        "metric": ["visits", "spend", "orders", "clicks"],
        "role": ["guardrail", "primary", "primary", "secondary"],
        "arm": "new",
        "n": 1000,
        "n_control": 2000,
        "lift": [-0.01, 0.05, 0.02, np.nan],
        "lift_lower": [-0.015, 0.03, -0.02, np.nan],
        "lift_upper": [-0.005, 0.07, 0.06, np.nan],
        "shown": [False, True, False, False],
        "verdict": ["", "better", "", ""],
        "note": ["", "", "", "not judged: too few"],
    }
)
GATES = pd.DataFrame(
    {
        "metric": ["visits"],
        "arm": ["new"],
        "margin": [0.02],
        "margin_of": ["control"],
        "better": ["more"],
        "verdict": [Verdict.PASS],
    }
)
LOOKS = pd.DataFrame(
    {
        "n": [1000, 2000, 3000],
        "estimate": [0.5, 0.6, 0.6],
        "lower": [-0.5, -0.1, 0.1],
        "upper": [1.5, 1.3, 1.1],
        "fixed_lower": [-0.1, 0.1, 0.3],
        "fixed_upper": [1.1, 1.1, 0.9],
        "p_value": [0.4, 0.06, 0.01],
        "level": 0.95,
        "metric": "spend",
        "arm": "new",
    }
)


def test_lifts_stand_by_role_and_are_filled_where_something_is_shown():
    ax = plots.lifts(EFFECTS, GATES)
    assert ticks(ax) == [
        "visits, new (n = 1,000 + 2,000)",
        "orders, new (n = 1,000 + 2,000)",
        "spend, new (n = 1,000 + 2,000)",
    ]
    marks = [c.lines[0] for c in ax.containers]
    assert [mark.get_markerfacecolor() == "white" for mark in marks] == [False, True, False]
    assert [mark.get_marker() for mark in marks] == ["^", "o", "o"]
    assert title(ax) == "Shown: spend is better in new"
    assert "Left out, as not judged or without a relative change: 1." in caption(ax)
    assert "Randomised." in caption(ax)


def test_the_margin_of_a_guardrail_stands_on_the_side_of_harm():
    def margins(gates):
        ax = plots.lifts(EFFECTS, gates)
        return [line.get_xdata()[0] for line in ax.lines if list(line.get_ydata()) == [-0.32, 0.32]]

    assert margins(GATES) == [-0.02]
    assert margins(GATES.assign(better="less")) == [0.02]
    assert margins(GATES.assign(margin_of="unit")) == []
    undecided = plots.lifts(EFFECTS, GATES.assign(verdict=Verdict.NOT_EVALUATED))
    assert undecided.containers[0].lines[0].get_markerfacecolor() == "white"


def test_where_nothing_is_shown_the_title_says_so():
    quiet = EFFECTS.assign(shown=False, verdict="")
    assert title(plots.lifts(quiet)) == "No difference is shown in 2 primary comparisons"
    noted = EFFECTS.assign(note="not judged")
    assert title(plots.lifts(noted)) == "No primary metric can be judged"


def test_a_sequence_is_drawn_beside_single_looks():
    ax = plots.confidence_sequence(LOOKS)
    drawn = {line.get_label(): line for line in ax.lines}
    assert list(drawn["estimate"].get_ydata()) == [0.5, 0.6, 0.6]
    assert list(drawn["of a single look"].get_ydata()) == [-0.1, 0.1, 0.3]
    assert list(drawn["shown from here on"].get_xdata()) == [3000, 3000]
    styles = {drawn[k].get_linestyle() for k in ("estimate", "of a single look")}
    assert len(styles) == 2
    assert title(ax) == "A rise in spend is shown from 3,000 units on"
    assert "3 looks, n = 3,000 at the last" in caption(ax)


def test_what_peeking_would_have_claimed_is_said():
    quiet = LOOKS.assign(p_value=0.3)
    assert title(plots.confidence_sequence(quiet, what="money")) == (
        "No difference in money is shown at any of 3 looks; whoever peeked would have claimed one "
        "at 2"
    )
    fall = LOOKS.assign(estimate=-LOOKS["estimate"])
    assert title(plots.confidence_sequence(fall)).startswith("A fall in spend is shown")


def test_one_sequence_at_a_time():
    both = pd.concat([LOOKS, LOOKS.assign(arm="other")])
    with pytest.raises(ValueError, match=r"arm: has \['new', 'other'\]; say which one"):
        plots.confidence_sequence(both)
    assert plots.confidence_sequence(both, arm="other")
    with pytest.raises(ValueError, match="no looks at spend of x"):
        plots.confidence_sequence(both, "spend", "x")

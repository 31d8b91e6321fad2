import numpy as np
import pandas as pd
from plots.tables import caption, texts, ticks, title

from mkt_models import plots

TABLE = pd.DataFrame(
    {
        "channel": ["app", "mail", "sms"],
        "n": [0, 1200, 300],
        "left": [np.nan, 0.7, 1.02],
        "left_lower": [np.nan, 0.6, 0.9],
        "left_upper": [np.nan, 0.8, 1.15],
        "applied": [False, True, False],
    }
)


def test_what_is_applied_is_filled_and_what_is_unknown_is_said():
    ax = plots.fatigue(TABLE)
    assert ticks(ax) == ["app (n = 0)", "mail (n = 1,200)", "sms (n = 300)"]
    fills = [container.lines[0].get_markerfacecolor() == "white" for container in ax.containers]
    assert fills == [False, True]
    assert texts(ax) == ["not evaluated"]
    assert title(ax) == "Fatigue is applied over 1 of 3 channels; 1 could not be evaluated"
    assert "clustered by customer" in caption(ax)


def test_nothing_evaluated_can_be_drawn():
    ax = plots.fatigue(TABLE.head(1))
    assert len(ax.containers) == 0
    assert ax.get_xlim()[0] <= 0 < 1 < ax.get_xlim()[1]

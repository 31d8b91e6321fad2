from itertools import pairwise

import numpy as np
import pytest
from plots.tables import explained, texts, ticks, title

from mkt_models import plots
from mkt_models.evaluation.explain import global_importance


def test_importance_shows_direction_by_hatching():
    ax = plots.importance(global_importance(explained()), words={"recency": "days since"})
    assert ticks(ax) == ["rest", "days since", "orders 90d"]
    hatches = {bar.get_y() + 0.31: bar.get_hatch() for bar in ax.patches}
    assert {round(y): hatch for y, hatch in hatches.items()} == {0: None, 1: None, 2: "////"}
    assert title(ax).startswith("Orders 90d moves the predictions most: ")


def test_waterfall_leads_from_the_base_to_the_prediction():
    given = explained()
    ax = plots.waterfall(given, 4, top=2)
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars[0][0] == pytest.approx(-2)
    assert bars[-1][0] + bars[-1][1] == pytest.approx(-2 + given.values.iloc[4].sum())
    for (x, width), (following, _) in pairwise(bars):
        assert x + width == pytest.approx(following)
    assert ticks(ax)[0] == "1 other features"
    assert "base -2.00" in texts(ax)


def test_beeswarm_is_repeatable_and_leaves_the_random_state_alone():
    spots = []
    for seed in (7, 8):
        np.random.seed(seed)  # noqa: NPY002
        expected = np.random.random(3)  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        ax = plots.beeswarm(explained(), top=3)
        np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002
        spots.append([np.asarray(points.get_offsets()) for points in ax.collections])
    for first, second in zip(*spots, strict=True):
        np.testing.assert_array_equal(first, second)
    assert sum(len(points) for points in spots[0]) == 3 * 60
    assert title(ax) == "Orders 90d moves the predictions most"

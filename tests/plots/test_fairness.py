from plots.tables import GROUPS, caption, texts, ticks, title

from mkt_models import plots


def test_groups_mark_those_not_judged():
    ax = plots.groups(GROUPS, limit=0.1)
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in points] == [0.2, 0.01, 0.15]
    assert [line.get_markerfacecolor() == "white" for line in points] == [True, False, False]
    assert ticks(ax)[0] == "19-24 (n = 12)"
    assert "not available" in texts(ax)
    assert title(ax) == (
        "2 of 4 groups are large enough to judge; 1 of them lies wholly beyond the limit"
    )
    assert "97.50%" in caption(ax)

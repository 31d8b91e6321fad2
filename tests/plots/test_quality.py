import pandas as pd
from plots.tables import caption, texts, ticks, title

from mkt_models import plots

QUALITY = pd.DataFrame(
    [
        ("lines", "validity", 1000, 50, 950, 0),
        ("lines", "timeliness", 1000, 0, 950, 0),
        ("people", "completeness", 100, 60, 100, 60),
        ("people", "uniqueness", 100, 1, 99, 0),
    ],
    columns=["table", "aspect", "rows_before", "faulty_before", "rows_after", "faulty_after"],
)


def test_quality_draws_only_what_was_at_fault_the_worst_on_top():
    ax = plots.quality(QUALITY)
    assert ticks(ax) == ["people: uniqueness", "lines: validity", "people: completeness"]
    assert texts(ax) == ["1.0% → none", "5.0% → none", "60.0% → 60.0%"]
    before, after = ax.lines[-2:]
    assert list(before.get_xdata()) == [0.01, 0.05, 0.6]
    assert list(after.get_xdata()) == [0, 0, 0.6]
    assert before.get_markerfacecolor() != after.get_markerfacecolor()
    assert title(ax) == (
        "Cleaning improves 2 of the 3 aspects in which rows were at fault; "
        "most is left in the completeness of people, 60.0%"
    )
    assert caption(ax).startswith("1 other aspects had no fault. n = 1,100 rows in 2 tables")


def test_quality_without_a_fault_says_so():
    ax = plots.quality(QUALITY.assign(faulty_before=0, faulty_after=0))
    assert ticks(ax) == []
    assert title(ax) == "Cleaning improves 0 of the 0 aspects in which rows were at fault"


def test_missing_groups_writes_every_share():
    table = pd.DataFrame(
        {
            "table": "transactions",
            "group": "channel",
            "value": ["app", "store", "app", "store"],
            "column": ["quantity", "quantity", "store_id", "store_id"],
            "missing": [1, 0, 50, 1],
            "n": [50, 1000, 50, 1000],
        }
    )
    ax = plots.missing_groups(table)
    assert ticks(ax) == ["quantity", "store id"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["app", "store"]
    assert texts(ax) == ["2%", "0%", "100%", "<1%"]
    assert title(ax) == (
        "Store id is missing in 0.1% to 100.0% of the transactions by channel, most in app"
    )
    assert caption(ax) == "n = 1,050 rows of transactions in 2 groups. Observed."


def test_missing_groups_says_what_it_does_not_draw():
    table = pd.DataFrame(
        {
            "table": "transactions",
            "group": "store",
            "value": [f"s{n:02}" for n in range(20)],
            "column": "channel",
            "missing": 1,
            "n": range(1, 21),
        }
    )
    ax = plots.missing_groups(table)
    assert len(texts(ax)) == 12
    assert ax.get_xticklabels()[0].get_text() == "s08"
    assert "8 smaller groups not drawn" in caption(ax)

import numpy as np
import pandas as pd
import pytest
from plots.tables import LEDGER, WEEKS, caption, texts, ticks, title

from mkt_models import plots


def test_weekly_sales_without_a_complete_week():
    ax = plots.weekly_sales(WEEKS.assign(days=3), "USD")
    assert title(ax) == "No week is complete"


def test_weekly_sales_keeps_incomplete_weeks_apart():
    ax = plots.weekly_sales(WEEKS.sample(frac=1, random_state=0), "USD")
    line, hollow = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 300, 200, 250])
    assert list(hollow.get_ydata()) == [10]
    assert hollow.get_markerfacecolor() != line.get_markerfacecolor()
    assert title(ax) == "A week sells between 200 and 300 USD"
    assert texts(ax) == ["09 Jan: 200", "02 Jan: 300"]
    assert ax.get_ylabel() == "sales per week, USD"
    assert "4 weeks, 760 USD in all; hollow: 1 incomplete weeks" in caption(ax)


def test_ledger_bars_are_shares_that_add_up():
    ax = plots.ledger(LEDGER)
    clean, quarantined, merged = ([bar.get_width() for bar in c] for c in ax.containers)
    assert clean == pytest.approx([0.75, 0.99])  # the first table is on top
    assert np.add(np.add(clean, quarantined), merged) == pytest.approx([1, 1])
    assert texts(ax) == ["200 in, 50 merged", "1,000 in, 10 quarantined"]
    assert title(ax) == "1,140 of 1,200 rows are clean (95.0%); none is lost"


def test_a_ledger_that_does_not_balance_says_so():
    ax = plots.ledger(LEDGER.assign(merged=0))
    assert title(ax) == "The ledger does not balance: rows were lost or made"


def test_shares_never_round_to_all_or_nothing():
    ax = plots.ledger(LEDGER.assign(rows_in=[10**6, 0], clean=[10**6 - 1, 0], quarantined=[1, 0],
                                    merged=0))  # fmt: skip
    assert "over 99.9%" in title(ax)


def test_missing_draws_only_columns_with_gaps():
    table = pd.DataFrame({"column": ["age_band", "id", "size"], "missing": [75, 0, 1], "n": 100})
    ax = plots.missing(table)
    assert [bar.get_width() for bar in ax.patches] == [0.01, 0.75]
    assert ticks(ax) == ["size", "age band"]
    assert title(ax) == "2 of 3 columns have gaps; age band has most, 75%"
    assert title(plots.missing(table[1:2])) == "0 of 1 columns have gaps"


def test_distribution_counts_what_it_cannot_draw():
    values = pd.Series([1.0, 10, 100, 1000, 889, 0, np.nan])
    ax = plots.distribution(values, "spend", "USD", who="households")
    assert sum(bar.get_height() for bar in ax.patches) == 5
    assert "n = 6 households; 1 with 0 or less are not drawn; 1 without a value" in caption(ax)
    assert title(ax) == "The top tenth of households holds 50% of all spend"
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match="no value is above 0"):
        plots.distribution(pd.Series([0.0]), "spend", "USD")


def test_stages_by_tier_writes_every_number():
    table = pd.DataFrame(
        {
            "lifecycle_stage": ["active", "lost", "active"],
            "value_tier": ["high", "low", "middle"],
            "customers": [60, 10, 30],
        }
    )
    ax = plots.stages_by_tier(table)
    assert len(texts(ax)) == 12
    assert texts(ax)[1] == "60\n60.0%"  # high (first row), active (second column)
    assert texts(ax)[11] == "10\n10.0%"
    assert sum(int(text.split("\n")[0]) for text in texts(ax)) == 100
    assert title(ax) == "Most customers are active and of high value: 60 of 100"


def test_a_histogram_does_not_tell_its_few():
    amounts = pd.Series([3.0] + [10.5] * 30 + [100.5] * 7 + [4321.0])
    ax = plots.distribution(amounts, "spend", "USD", min_cell=5)
    drawn = sorted(bar.get_height() for bar in ax.patches if bar.get_height())
    assert drawn == [5, 5, 5, 30]
    assert "hatched: too few to be told, at most 4" in caption(ax)
    edges = {round(float(np.log10(bar.get_x())) * 10, 6) for bar in ax.patches}
    assert all(edge == round(edge) for edge in edges)

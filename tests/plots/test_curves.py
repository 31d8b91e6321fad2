import pandas as pd
from plots.tables import GAIN, caption, title

from mkt_models import plots


def test_calibration_draws_bins_and_the_diagonal():
    table = pd.DataFrame(
        {
            "n": [10, 10],
            "predicted": [0.1, 0.5],
            "observed": [0.2, 0.5],
            "lower": [0.15, 0.3],
            "upper": [0.3, 0.7],
        }
    )
    ax = plots.calibration(table)
    assert list(ax.lines[0].get_xdata()) == list(ax.lines[0].get_ydata())
    assert list(ax.lines[1].get_ydata()) == [0.2, 0.5]
    assert title(ax) == "Predictions lie inside the interval in 1 of 2 bins"
    assert "n = 20 predictions" in caption(ax)
    assert "(USD)" in plots.calibration(table, unit="USD").get_xlabel()


def test_coverage_draws_bins_beside_what_was_said():
    table = pd.DataFrame(
        {
            "bin": [0, 1, 2],
            "n": [20, 10, 10],
            "predicted": [60.0, 20.0, 1100.0],
            "coverage": [0.85, 0.9, 0.8],
            "coverage_lower": [0.7, 0.6, 0.5],
            "coverage_upper": [0.95, 1.0, 0.9],
        }
    )
    ax = plots.coverage(table, 0.8, "USD")
    assert set(ax.lines[0].get_ydata()) == {0.8}
    assert list(ax.lines[1].get_ydata()) == [0.9, 0.8]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["20", "1,100"]
    assert title(ax) == "Intervals of 80% held for 85.0% of later customers"
    assert "n = 20 predictions" in caption(ax)


def test_coverage_of_no_intervals_says_so():
    ax = plots.coverage(pd.DataFrame(columns=["bin"]), 0.8, "USD")
    assert title(ax) == "Not evaluated: too few rows to learn intervals"


def test_gain_starts_at_nothing_and_says_what_a_fifth_holds():
    ax = plots.gain({"xgboost": GAIN, "recency": GAIN}, what="churners")
    assert list(ax.lines[0].get_ydata()) == [0, 0.4, 0.65, 0.8, 0.9, 1]
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert title(ax) == "The top 20% by xgboost hold 40% of the churners"


def test_a_gain_of_nothing_says_so():
    nothing = GAIN.assign(cumulative_share=float("nan"), note="the target sums up to nothing")
    assert title(plots.gain(nothing)) == "Not evaluated: the target sums up to nothing"


def test_deciles_draw_predicted_beside_actual():
    ax = plots.deciles(GAIN, "USD")
    predicted, actual = ([bar.get_height() for bar in c] for c in ax.containers)
    assert predicted == [90, 40, 30, 20, 10]
    assert actual == [80, 50, 30, 20, 20]
    assert title(ax) == "The top bin was predicted 90 and was 80 USD per customer"

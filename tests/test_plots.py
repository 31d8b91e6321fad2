from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mkt_models import plots
from mkt_models.evaluation.explain import Contributions, global_importance


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def title(drawn):
    return plots.style.figure_of(drawn).get_suptitle().replace("\n", " ")


def caption(drawn):
    return plots.style.figure_of(drawn).get_supxlabel().replace("\n", " ")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


WEEKS = pd.DataFrame(
    {
        "week": pd.date_range("2016-12-26", periods=4, freq="7D"),
        "amount": [10.0, 300.0, 200.0, 250.0],
        "days": [1, 7, 7, 7],
    }
)
LEDGER = pd.DataFrame(
    {
        "table": ["transactions", "offers"],
        "rows_in": [1000, 200],
        "clean": [990, 150],
        "quarantined": [10, 0],
        "merged": [0, 50],
    }
)
MODELS = pd.DataFrame(
    {
        "model": ["recency", "xgboost", "raw_score"],
        "n": [6900] * 3,
        "n_customers": [2400] * 3,
        "brier": [0.07, 0.05, np.nan],
        "brier_lower": [0.06, 0.04, np.nan],
        "brier_upper": [0.09, 0.06, np.nan],
        "brier_difference_lower": [np.nan, -0.03, np.nan],
        "brier_difference_upper": [np.nan, -0.01, np.nan],
        "note": ["", "", "brier, ece: no probability"],
    }
)
GROUPS = pd.DataFrame(
    {
        "attribute": ["age_band"] * 2 + ["income_band"] * 2,
        "group": ["19-24", "65+", "Under 15K", "15-24K"],
        "n_customers": [12, 300, 200, 100],
        "calibration_gap": [0.2, 0.01, 0.15, np.nan],
        "calibration_gap_lower": [0.0, -0.02, 0.12, np.nan],
        "calibration_gap_upper": [0.4, 0.04, 0.18, np.nan],
        "judged": [False, True, True, False],
        "level": [0.975] * 4,
    }
)
GAIN = pd.DataFrame(
    {
        "bin": [1, 2, 3, 4, 5],
        "n": [20] * 5,
        "predicted": [90.0, 40, 30, 20, 10],
        "observed": [80.0, 50, 30, 20, 20],
        "cumulative_customers": [0.2, 0.4, 0.6, 0.8, 1.0],
        "cumulative_share": [0.4, 0.65, 0.8, 0.9, 1.0],
    }
)


def explained():
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(60, 3)), columns=["orders_90d", "recency", "rest"])
    values = features * [-1.0, 0.5, 0.0]
    return Contributions(values, features, base=-2.0)


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


def test_rules_name_a_pair_once():
    table = pd.DataFrame(
        {
            "antecedent": ["BUNS", "HOT DOGS", "MILK"],
            "consequent": ["HOT DOGS", "BUNS", "BREAD"],
            "support": [0.01, 0.01, 0.05],
            "confidence": [0.3, 0.5, 0.2],
            "lift": [9.0, 9.0, 1.5],
        }
    )
    ax = plots.rules(table)
    assert len(ax.collections[0].get_offsets()) == 3
    assert texts(ax)[:-1] == ["1", "2"]
    assert "hot dogs → buns (×9.0)" in texts(ax)[-1]
    assert "buns → hot dogs" not in texts(ax)[-1]
    assert title(ax) == "Who buys hot dogs buys buns 9.0 times as often as others"
    assert title(plots.rules(table[:0])) == "No rule passes the thresholds"


def test_recommenders_have_a_panel_per_metric():
    table = pd.DataFrame(
        {
            "model": ["popularity", "decayed"],
            "recall": [0.04, 0.1],
            "recall_lower": [0.03, 0.09],
            "recall_upper": [0.05, 0.11],
            "ndcg": [0.18, 0.41],
            "ndcg_lower": [0.17, 0.4],
            "ndcg_upper": [0.19, 0.42],
            "n_customers": [2006, 2006],
        }
    )
    figure = plots.recommenders(table, chosen="decayed")
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [0.1, 0.04]
    assert [bar.get_width() for bar in right.patches] == [0.41, 0.18]
    assert [bar.get_hatch() for bar in left.patches] == ["////", None]
    assert figure.get_suptitle() == "Decayed finds most: Recall@10 0.100"
    assert "n = 2,006 customers" in figure.get_supxlabel()


def test_models_ranks_the_best_on_top_and_explains_gaps():
    ax = plots.models(MODELS, "brier", reference="recency")
    assert ticks(ax) == ["raw score", "recency", "xgboost"]
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() in ("o", "D")]
    assert points == [0.07, 0.05]
    assert "not available: no probability" in texts(ax)
    assert title(ax) == "Best Brier score: xgboost, 0.050 [0.040 to 0.060]"
    assert ax.get_xlabel() == "Brier score (0 is perfect)"
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces == [plots.style.MAIN]
    unclear = MODELS.assign(brier_difference_upper=0.01)
    ax = plots.models(unclear, "brier", reference="recency")
    assert [x.get_markerfacecolor() for x in ax.lines if x.get_marker() == "o"] == ["white"]


def test_the_best_bias_is_the_nearest_to_zero():
    table = MODELS[:2].assign(bias=[-0.5, 0.1], bias_lower=[-0.6, 0.0], bias_upper=[-0.4, 0.2])
    assert title(plots.models(table, "bias")).startswith("Best bias: xgboost, 0.100")


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


def test_gain_starts_at_nothing_and_says_what_a_fifth_holds():
    ax = plots.gain({"xgboost": GAIN, "recency": GAIN}, what="churners")
    assert list(ax.lines[0].get_ydata()) == [0, 0.4, 0.65, 0.8, 0.9, 1]
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert title(ax) == "The top 20% by xgboost hold 40% of the churners"


def test_deciles_draw_predicted_beside_actual():
    ax = plots.deciles(GAIN, "USD")
    predicted, actual = ([bar.get_height() for bar in c] for c in ax.containers)
    assert predicted == [90, 40, 30, 20, 10]
    assert actual == [80, 50, 30, 20, 20]
    assert title(ax) == "The top bin was predicted 90 and was 80 USD per customer"


def test_backtest_draws_a_line_per_model():
    cutoffs = pd.to_datetime(["2017-10-09", "2017-11-06"])
    table = pd.concat([MODELS[:2].assign(as_of=cutoff) for cutoff in cutoffs], ignore_index=True)
    table.loc[3, "brier"] = 0.08
    ax = plots.backtest(table, "brier")
    assert [list(c.lines[0].get_ydata()) for c in ax.containers] == [[0.07, 0.07], [0.05, 0.08]]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "09 Oct 2017\nn = 6,900",
        "06 Nov 2017\nn = 6,900",
    ]
    assert title(ax).endswith("has the best Brier score at 1 of 2 cutoffs")


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


def test_strategies_hatch_doing_nothing():
    table = pd.DataFrame({"strategy": ["no_action", "scenario"], "customers": [25, 75]})
    ax = plots.strategies(table)
    assert ticks(ax) == ["no action", "scenario"]
    assert [bar.get_hatch() for bar in ax.patches] == ["////", None]
    assert texts(ax) == ["25 (25.0%)", "75 (75.0%)"]
    assert title(ax) == "75% of the customers get a strategy, 25% are left alone"


def test_suppressions_name_the_commonest_reason():
    table = pd.DataFrame({"reason": ["cap_week", "no_consent"], "candidates": [10, 30]})
    assert (
        title(plots.suppressions(table)) == "75% of what was held back has the reason: no consent"
    )
    none = table.assign(candidates=0)
    assert title(plots.suppressions(none)) == "No candidate was suppressed"


DRAWN = {
    "weekly_sales": lambda ax: plots.weekly_sales(WEEKS, "USD", ax=ax),
    "ledger": lambda ax: plots.ledger(LEDGER, ax=ax),
    "models": lambda ax: plots.models(MODELS, "brier", ax=ax),
    "gain": lambda ax: plots.gain(GAIN, ax=ax),
    "deciles": lambda ax: plots.deciles(GAIN, "USD", ax=ax),
    "groups": lambda ax: plots.groups(GROUPS, ax=ax),
    "waterfall": lambda ax: plots.waterfall(explained(), 0, ax=ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_axes_given_are_used_and_a_title_given_is_kept(name):
    figure, (mine, _) = plt.subplots(1, 2)
    assert DRAWN[name](mine) is mine
    assert mine.get_title(loc="left")
    assert not figure.get_suptitle()  # the figure is not all ours
    plt.close("all")
    assert plots.weekly_sales(WEEKS, "USD", title="Mine").figure.get_suptitle() == "Mine"


def test_tables_are_not_changed():
    before = GROUPS.copy(deep=True), MODELS.copy(deep=True)
    plots.groups(GROUPS, limit=0.1)
    plots.models(MODELS, "brier")
    pd.testing.assert_frame_equal(GROUPS, before[0])
    pd.testing.assert_frame_equal(MODELS, before[1])


def test_figures_can_be_described_and_written_without_warnings(tmp_path):
    with plt.rc_context():
        plots.use_style()
        ax = plots.groups(GROUPS, limit=0.1)
        ax.figure.savefig(tmp_path / "groups.png")
    assert (tmp_path / "groups.png").stat().st_size > 10_000
    said = plots.alt(ax)
    assert said.startswith("2 of 4 groups are large enough to judge; 1 of them lies wholly beyond")
    assert said.endswith("Axes: calibration gap: observed minus predicted.")

import numpy as np
import pandas as pd
import pytest
from evaluation.trials import trial
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.evaluation.metrics import Ranking
from mkt_models.evaluation.qini import (
    choose_learner,
    effect_scores,
    qini,
    qini_curve,
    qini_table,
    uplift_bins,
)

HOW = (100, 0.95, 1)
FOUR = pd.DataFrame(
    {
        "customer_id": list("abcd"),
        "treated": [1, 0, 1, 0],
        "assignment_probability": [0.5, 0.5, 0.25, 0.2],
        "target": [1, 1, 0, 1],
        "expected": [0.0] * 4,
        "model": [4.0, 3, 2, 1],
    }
)


def area(score: np.ndarray, ranked_by: np.ndarray, weights: np.ndarray | None = None) -> float:
    weights = np.ones(len(score)) if weights is None else weights
    return float(qini(weights[None], score, Ranking.of(ranked_by))[0])


def test_scores_and_area_by_hand() -> None:
    # 1/.5, -1/.5, 0, -1/.8
    assert effect_scores(FOUR).tolist() == [2.0, -2.0, 0.0, -1.25]
    # The curve: 0, 2/4, 0, 0, -1.25/4. Its trapezoids: .0625 + .0625 + 0 - .0390625; the
    # random line's triangle is -1.25/4/2.
    table = qini_table(FOUR, ["model"], *HOW).iloc[0]
    assert table["qini"] == pytest.approx(0.125 - 0.0390625 + 0.15625)
    curve = qini_curve(FOUR, "model", *HOW, points=4)
    assert curve["gain"].tolist() == pytest.approx([0, 0.5, 0, 0, -0.3125])
    assert curve["random"].tolist() == pytest.approx(np.linspace(0, -0.3125, 5).tolist())


def test_without_an_expected_response_its_mean_is_taken() -> None:
    scores = effect_scores(FOUR.drop(columns="expected"))
    assert scores.tolist() == pytest.approx([0.5, -0.5, -3.0, -0.3125])


def test_the_area_is_that_between_curve_and_line() -> None:
    rows = trial(300)
    curve = qini_curve(rows, "gain", *HOW, points=300)
    between = np.trapezoid(curve["gain"] - curve["random"], curve["share"])
    assert qini_table(rows, ["gain"], *HOW)["qini"].iloc[0] == pytest.approx(between)


def test_a_random_ranking_has_none_in_expectation() -> None:
    score, rng = effect_scores(trial(40)), np.random.default_rng(1)
    found = [area(score, rng.permutation(40)) for _ in range(4000)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert np.std(found) > 0.01
    assert area(score, np.zeros(40)) == pytest.approx(0)  # all tied: the straight line


floats = st.floats(-5, 5, allow_nan=False, width=16)
scored = st.lists(st.tuples(floats, st.integers(-3, 3)), min_size=3, max_size=30)


@given(scored)
@settings(max_examples=60, deadline=None)
def test_only_the_order_counts_and_perfect_is_the_most(pairs: list[tuple[float, int]]) -> None:
    score, guess = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    found = area(score, guess)
    assert area(score, np.exp(guess) * 7 - 3) == pytest.approx(found, abs=1e-9)
    assert area(score, -guess) == pytest.approx(-found, abs=1e-9)
    assert area(score, score) >= abs(found) - 1e-9


@given(scored, st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_weight_is_a_row_that_stands_so_often(pairs: list[tuple[float, int]], more: int) -> None:
    score, guess = np.array([a for a, _ in pairs]), np.array([float(b) for _, b in pairs])
    weights = np.ones(len(score))
    weights[0] += more
    again = np.r_[np.arange(len(score)), np.zeros(more, dtype=int)]
    assert area(score, guess, weights) == pytest.approx(area(score[again], guess[again]), abs=1e-9)


def test_a_ranking_that_knows_is_told_from_one_that_does_not() -> None:
    table = qini_table(trial(3000), ["true", "noise"], *HOW, reference="true")
    table = table.set_index("model")
    # Covariance of a uniform gain times .3 with its rank: .3 / 12.
    assert table.loc["true", "qini"] == pytest.approx(0.025, abs=0.015)
    assert table.loc["true", "qini_lower"] > 0
    assert table.loc["noise", "qini_lower"] < 0 < table.loc["noise", "qini_upper"]
    assert table.loc["noise", "difference_upper"] < 0
    assert table.loc["true", "difference"] == 0
    assert 0 < table.loc["true", "qini_normalised"] < 0.2


def test_the_expected_response_narrows_the_interval_and_moves_nothing_else() -> None:
    rows = trial(3000)
    with_it, without = (
        qini_table(some, ["true"], *HOW).iloc[0]
        for some in (rows, rows.drop(columns="expected").assign(target=rows["target"]))
    )
    reach = [row["qini_upper"] - row["qini_lower"] for row in (with_it, without)]
    assert reach[0] < reach[1]
    assert with_it["qini"] == pytest.approx(without["qini"], abs=reach[1] / 2)


def test_customers_are_drawn_with_all_their_campaigns() -> None:
    once = trial(400)
    thrice = pd.concat([once] * 3, ignore_index=True)
    one, three = (qini_table(rows, ["gain"], *HOW).iloc[0] for rows in (once, thrice))
    assert three["n"] == 3 * one["n"]
    assert three["n_customers"] == one["n_customers"]
    assert three["qini_lower"] == pytest.approx(one["qini_lower"])


def test_bins_hold_the_effect_of_their_customers() -> None:
    rows = trial(6000, effect=0.0, spread=0.6)
    bins = uplift_bins(rows, "true", 4, *HOW)
    assert bins["bin"].tolist() == [1, 2, 3, 4]
    assert bins["predicted"].is_monotonic_decreasing
    assert bins["n"].sum() == len(rows)
    inside = (bins["observed_lower"] < bins["predicted"]) & (
        bins["predicted"] < bins["observed_upper"]
    )
    assert inside.sum() >= 3
    assert bins["observed_lower"].iloc[0] > 0 > bins["observed_upper"].iloc[-1]


def test_the_highest_is_chosen_and_the_first_of_equals() -> None:
    table = pd.DataFrame({"model": ["a", "b", "c", "naive"], "qini": [0.1, 0.2, 0.2, 0.9]})
    assert choose_learner(table, ["a", "b", "c"]) == "b"
    with pytest.raises(ValueError, match="no Qini of d"):
        choose_learner(table, ["d"])


def test_errors_teach() -> None:
    with pytest.raises(ValueError, match="no column 'modle'; did you mean 'model'"):
        qini_table(FOUR, ["modle"], *HOW)
    with pytest.raises(ValueError, match="4 of 4 rows are not strictly between 0 and 1"):
        qini_table(FOUR.assign(assignment_probability=1), ["model"], *HOW)


@pytest.mark.parametrize("models", [[], ["model", "model"]])
def test_models_are_named_once(models: list[str]) -> None:
    with pytest.raises(ValueError, match="must be at least one, and none twice"):
        qini_table(FOUR, models, *HOW)
    with pytest.raises(ValueError, match="reference == 'modl'; did you mean 'model'"):
        qini_table(FOUR, ["model"], *HOW, reference="modl")

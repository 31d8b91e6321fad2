"""Prediction intervals: ends by hand, what they promise, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.models.conformal import (
    BIN_ROWS,
    FewRowsError,
    PredictionIntervals,
    fit_intervals,
)


def test_ends_by_hand() -> None:
    # 19 ratios 1..19 and a tail of .1: two of twenty places lie beyond each end.
    found = fit_intervals(np.full(19, 10.0), 10.0 * np.arange(1, 20), 0.8)
    assert (found.edges, found.low, found.high) == ((), (2.0,), (18.0,))
    lower, upper = found.around([10.0, 5.0])
    assert lower.tolist() == [20.0, 10.0]
    assert upper.tolist() == [180.0, 90.0]
    assert found.rows == 19


def test_where_the_lower_end_is_nothing_both_tails_are_above() -> None:
    # Five of 19 spent nothing: four of twenty places lie above the upper end.
    came = 10.0 * np.r_[np.zeros(5), np.arange(1, 15)]
    found = fit_intervals(np.full(19, 10.0), came, 0.8)
    assert (found.low, found.high) == ((0.0,), (11.0,))


def test_as_many_rows_as_the_confidence_needs() -> None:
    assert fit_intervals(np.ones(9), np.arange(1, 10), 0.8).high == (9.0,)
    with pytest.raises(FewRowsError, match="8 rows are too few for intervals of 80%: needs 9"):
        fit_intervals(np.ones(8), np.arange(8), 0.8)


def test_each_size_of_prediction_has_its_own_ends() -> None:
    # Large predictions are exact, small ones are not.
    rng = np.random.default_rng(0)
    small, large = np.full(BIN_ROWS, 1.0), np.full(BIN_ROWS, 100.0)
    came = np.r_[rng.exponential(1.0, BIN_ROWS), rng.normal(100, 1, BIN_ROWS)]
    found = fit_intervals(np.r_[small, large], came, 0.8)
    assert found.edges == (100.0,)
    assert found.high[0] / max(found.low[0], 0.01) > 10
    assert found.high[1] / found.low[1] < 1.1


def test_an_amount_below_0_has_no_interval() -> None:
    found = PredictionIntervals((100.0,), (0.0, 0.5), (3.0, 1.5), 0.8, 400)
    for wrong in (-5.0, np.nan):
        with pytest.raises(ValueError, match=f"must be amounts of 0 or more, has {wrong:g}"):
            found.around([10.0, wrong])
    assert [ends.tolist() for ends in found.around([0.0])] == [[0.0], [0.0]]


def test_equal_predictions_share_one_bin() -> None:
    found = fit_intervals(np.r_[np.full(999, 5.0), 6.0], np.full(1000, 5.0), 0.8)
    assert found.edges == ()


@given(seed=st.integers(0, 10**6), confidence=st.sampled_from([0.5, 0.8, 0.9]))
def test_new_rows_of_the_same_kind_lie_within_as_often_as_said(
    seed: int, confidence: float
) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.lognormal(3, 1, 6000)
    came = predicted * rng.gamma(2, 0.5, 6000) * (rng.random(6000) > 0.1)
    lower, upper = fit_intervals(predicted[:3000], came[:3000], confidence).around(predicted[3000:])
    inside = ((came[3000:] >= lower) & (came[3000:] <= upper)).mean()
    assert inside == pytest.approx(confidence, abs=0.07)


@given(scale=st.floats(0.01, 100.0))
def test_ends_move_with_the_unit(scale: float) -> None:
    rng = np.random.default_rng(1)
    predicted, came = rng.lognormal(3, 1, 500), rng.lognormal(3, 1, 500)
    one = np.array(fit_intervals(predicted, came, 0.8).around(predicted))
    other = fit_intervals(predicted * scale, came * scale, 0.8)
    again = np.array(other.around(predicted * scale))
    assert again == pytest.approx(one * scale)


def test_plain_data_and_back() -> None:
    found = fit_intervals(np.arange(1.0, 601.0), np.arange(600.0), 0.8)
    assert PredictionIntervals.from_dict(found.as_dict()) == found


@pytest.mark.parametrize(
    ("predicted", "target", "confidence", "says"),
    [
        ([1.0, 0.0], [1.0, 1.0], 0.5, "predictions must be > 0"),
        ([1.0, 1.0], [1.0, -1.0], 0.5, "targets >= 0"),
        ([1.0, np.nan], [1.0, 1.0], 0.5, "must be finite"),
        ([1.0], [1.0, 1.0], 0.5, "predictions for"),
        ([1.0, 1.0], [1.0, 1.0], 1.0, "between 0 and 1"),
    ],
)
def test_what_it_cannot_learn_from(
    predicted: list[float], target: list[float], confidence: float, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        fit_intervals(predicted, target, confidence)


@pytest.mark.parametrize(
    ("edges", "low", "high", "says"),
    [
        ((1.0,), (0.0,), (1.0,), "1 edges for 1 and 1 ends"),
        ((2.0, 1.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "must rise"),
        ((), (2.0,), (1.0,), "above its upper end"),
        ((), (-1.0,), (1.0,), "ends >= 0"),
        ((), (0.0,), (np.inf,), "finite"),
    ],
)
def test_parts_that_do_not_fit(
    edges: tuple[float, ...], low: tuple[float, ...], high: tuple[float, ...], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        PredictionIntervals(edges, low, high, 0.8, 10)

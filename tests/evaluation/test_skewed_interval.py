import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.evaluation.skewed_interval import degrees, skewed_interval


def test_even_parts_have_the_interval_of_student() -> None:
    sums = np.tile([-1.0, 1.0], 10)  # error sqrt(20/19 * 20) / 20; no spread of squares
    lower, upper = skewed_interval(3.0, sums, 20, 0.95)
    reach = 1.959964 * np.sqrt(20 / 19 * 20) / 20
    assert (lower, upper) == pytest.approx((3 - reach, 3 + reach))


def test_degrees_are_twice_the_few_that_make_up_the_spread() -> None:
    sums = np.zeros(100_000)
    sums[:7] = [5.0, -5.0, 5.0, -5.0, 5.0, -5.0, 5.0]
    assert degrees(sums) == pytest.approx(14, rel=1e-3)
    assert degrees(np.zeros(5)) == 1
    assert degrees(np.random.default_rng(1).normal(size=4000)) == pytest.approx(4000, rel=0.15)


def test_without_spread_there_is_no_interval() -> None:
    assert np.isnan(skewed_interval(1.0, np.zeros(9), 9, 0.95)).all()
    assert np.isnan(skewed_interval(1.0, np.array([0.0]), 9, 0.95)).all()
    assert np.isnan(skewed_interval(np.nan, np.array([1.0, -1.0]), 9, 0.95)).all()
    with pytest.raises(ValueError, match="confidence == 1"):
        skewed_interval(1.0, np.array([1.0, -1.0]), 2, 1)


parts = st.lists(st.floats(0, 100), min_size=3, max_size=30).map(np.array)


@settings(max_examples=60, deadline=None)
@given(parts, st.floats(0.1, 50))
def test_it_turns_with_the_sign_and_stretches_with_the_unit(
    values: np.ndarray, unit: float
) -> None:
    sums = values - values.mean()
    n = len(sums)
    lower, upper = skewed_interval(values.mean(), sums, n, 0.9)
    if np.ptp(values) < 1e-3:
        return
    assert lower < values.mean() < upper
    mirrored = skewed_interval(-values.mean(), -sums, n, 0.9)
    assert mirrored == pytest.approx((-upper, -lower), abs=1e-6)
    stretched = skewed_interval(unit * values.mean(), unit * sums, n, 0.9)
    assert stretched == pytest.approx((unit * lower, unit * upper), abs=1e-6 * unit)


def test_it_holds_the_mean_of_rare_amounts_on_both_sides_where_student_does_not() -> None:
    """4,000 customers of whom 1% spend, lognormally: the truth is 0.01 x exp(1/2)."""
    rng, truth, misses = np.random.default_rng(5), 0.01 * np.exp(0.5), np.zeros((2, 2))
    for _ in range(600):
        values = (rng.random(4000) < 0.01) * np.exp(rng.normal(size=4000))
        lower, upper = skewed_interval(values.mean(), values - values.mean(), 4000, 0.95)
        reach = 1.96 * values.std() / np.sqrt(4000)
        plain = values.mean() - reach, values.mean() + reach
        misses += [[lower > truth, upper < truth], [plain[0] > truth, plain[1] < truth]]
    ours, students = misses / 600
    assert ours.max() < 0.035
    assert ours.min() > 0.002
    assert students[1] > 0.05

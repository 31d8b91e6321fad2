import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mkt_models.experiments.power import (
    days_needed,
    power_of_means,
    power_of_proportions,
    smallest_effect,
    units_for_means,
    units_for_proportions,
    variance_left,
)

RISKS = {"alpha": 0.05, "power": 0.8}


@pytest.mark.parametrize(("d", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_cohens_small_medium_and_large_effects(d, n):
    # Cohen 1988 and G*Power: two independent means, two-sided.
    assert units_for_means(d, sd=1, **RISKS).per_arm == n


def test_the_examples_of_power_t_test():
    # help(power.t.test) in R: n = 20, delta = 1 has power .8689528; power .90 needs n = 22.02110.
    assert power_of_means(20, 20, 1, 1, 0.05) == pytest.approx(0.8689528, abs=1e-6)
    assert power_of_means(22.02110, 22.02110, 1, 1, 0.05) == pytest.approx(0.90, abs=1e-6)
    assert units_for_means(1, sd=1, alpha=0.05, power=0.9).per_arm == 23


def test_the_examples_of_power_prop_test():
    # help(power.prop.test) in R: n = 50, .50 and .75 have power .740; power .90 needs n = 76.7.
    assert power_of_proportions(50, 50, 0.5, 0.25, 0.05) == pytest.approx(0.740, abs=5e-4)
    assert units_for_proportions(0.5, 0.25, alpha=0.05, power=0.9).per_arm == 77


def test_power_far_out():
    assert power_of_means(3, 3, 50, 1, 0.05) == pytest.approx(1, abs=1e-6)
    assert power_of_means(2890, 2890, 0.5, 0.5, 0.125) == pytest.approx(1, abs=1e-9)
    # One minus the chance that an exponential is above (shift / t)², nearly, for two degrees.
    far = power_of_means(2, 2, 1000, 1, 1e-5)
    t = stats.t.ppf(1 - 5e-6, 2)
    assert far == pytest.approx(1 - math.exp(-((1000 / t) ** 2)), abs=2e-3)


def test_sixteen_variances_over_the_effect_squared():
    # Lehr's rule, as in van Belle 2008 and Kohavi, Tang and Xu 2020.
    assert units_for_means(1, sd=30, **RISKS).per_arm == pytest.approx(16 * 900, rel=0.03)


def test_a_difference_in_the_sign_needs_as_much():
    assert units_for_means(-0.5, sd=1, **RISKS) == units_for_means(0.5, sd=1, **RISKS)
    down = units_for_proportions(0.5, -0.1, **RISKS)
    assert down == units_for_proportions(0.5, 0.1, **RISKS)


def test_several_arms_share_the_level_and_the_control():
    one = units_for_means(0.1, sd=1, **RISKS)
    four = units_for_means(0.1, sd=1, treatments=4, metrics=2, control_per_arm=2, **RISKS)
    assert (one.level, four.level) == (0.05, 0.05 / 8)
    assert four.control == 2 * four.per_arm
    assert four.total == 6 * four.per_arm
    # A larger control spares units: sqrt(k) per treatment is cheapest (Dunnett).
    even = units_for_means(0.1, sd=1, treatments=4, metrics=2, **RISKS)
    assert four.total < even.total


def test_cuped_spares_the_variance_it_explains():
    assert variance_left(0.6) == pytest.approx(0.64)
    plain, less = (units_for_means(0.1, 1, correlation=r, **RISKS).per_arm for r in (0, 0.6))
    assert less == pytest.approx(0.64 * plain, abs=2)


@settings(max_examples=40)
@given(
    st.floats(0.05, 0.9),
    st.integers(10, 5000),
    st.floats(0.5, 3),
    st.floats(0.001, 0.2),
    st.floats(1.01, 3),
)
def test_power_rises_with_units_effect_and_level(effect, n, sd, alpha, more):
    base = power_of_means(n, n, effect, sd, alpha)
    slack = 1e-9
    assert power_of_means(n * more, n * more, effect, sd, alpha) >= base - slack
    assert power_of_means(n, n, effect * more, sd, alpha) >= base - slack
    assert power_of_means(n, n, effect, sd, min(alpha * more, 0.5)) >= base - slack
    assert alpha - 1e-6 <= base <= 1


@settings(max_examples=25)
@given(st.integers(200, 50_000), st.floats(0.02, 0.5))
def test_the_smallest_effect_has_the_power_asked_for(n, share):
    rise = smallest_effect("proportion", n, n, share=share, **RISKS)
    if not math.isnan(rise):
        assert power_of_proportions(n, n, share, rise, 0.05) == pytest.approx(0.8, abs=1e-3)
    gain = smallest_effect("mean", n, n, sd=2, **RISKS)
    assert power_of_means(n, n, gain, 2, 0.05) == pytest.approx(0.8, abs=1e-3)


def test_no_rise_is_large_enough_for_too_few():
    assert math.isnan(smallest_effect("proportion", 2, 2, share=0.5, **RISKS))


def test_days_are_whole_weeks_and_count_each_unit_once():
    assert days_needed(2188, 150) == 21
    assert days_needed(2188, 150, whole_weeks=False) == 15
    # 100 + 80 + 60 + 40: customers come again, so that new ones become fewer.
    assert days_needed(250, [100, 80, 60, 40], whole_weeks=False) == 4
    assert days_needed(281, [100, 80, 60, 40]) is None
    assert days_needed(1, 0) is None


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: units_for_means(0, 1, **RISKS), "effect == 0: no number of units shows nothing"),
        (lambda: units_for_means(1, 1, alpha=0, power=0.8), "alpha == 0, must lie between 0 and 1"),
        (lambda: units_for_means(1e-7, 1, **RISKS), "needs more than 10,000,000,000 units"),
        (lambda: units_for_means(1, 1, treatments=0, **RISKS), "treatments == 0"),
        (lambda: units_for_proportions(0.9, 0.2, **RISKS), "with the effect 1.1"),
        (lambda: smallest_effect("mean", 9, 9, **RISKS), "sd is missing"),
        (lambda: smallest_effect("proportion", 9, 9, **RISKS), "share is missing"),
        (lambda: smallest_effect("means", 9, 9, **RISKS), "did you mean 'mean'"),
        (lambda: variance_left(1.0), "correlation == 1.0"),
        (lambda: days_needed(5, [3, -1]), "day 2 has -1"),
        (lambda: power_of_means(1, 9, 1, 1, 0.05), "at least 2 units"),
    ],
)
def test_errors_teach(call, says):
    with pytest.raises(ValueError, match=says):
        call()

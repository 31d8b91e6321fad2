import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mkt_models.experiments.fixed_horizon import (
    ArmMean,
    difference,
    linearised,
    mean_of,
    proportions,
    ratio_by_bootstrap,
    relative_lift,
    stratified,
)

# Student 1908: hours of sleep gained by two drugs (R: data(sleep), taken as two samples).
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_students_sleep_by_welch():
    # help(t.test) in R: t = -1.8608, df = 17.776, p = .07939, [-3.3654832, 0.2054832].
    found = difference(mean_of(FIRST), mean_of(SECOND), 0.95)
    assert found.estimate / found.error == pytest.approx(-1.8608, abs=5e-5)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)
    assert (found.lower, found.upper) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)


def test_students_sleep_pooled():
    # R: t.test(extra ~ group, sleep, var.equal = TRUE): p = .07919, [-3.363874, 0.203874].
    found = difference(mean_of(FIRST), mean_of(SECOND), 0.95, pooled=True)
    assert found.p_value == pytest.approx(0.07919, abs=5e-6)
    assert (found.lower, found.upper) == pytest.approx((-3.363874, 0.203874), abs=1e-6)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-9, 9), min_size=3, max_size=20),
    st.lists(st.floats(-9, 9), min_size=3, max_size=20),
)
def test_pooled_is_scipys_and_the_interval_agrees_with_the_p_value(a, b):
    first, second = np.array(a), np.array(b)
    found = difference(mean_of(first), mean_of(second), 0.95, pooled=True)
    if min(first.std(), second.std()) < 1e-3:
        return
    assert found.p_value == pytest.approx(stats.ttest_ind(first, second).pvalue, abs=1e-9)
    if abs(found.p_value - 0.05) > 1e-9:
        assert (found.p_value < 0.05) == (found.lower > 0 or found.upper < 0)


def test_no_spread_is_no_interval():
    found = difference(mean_of(np.ones(9)), mean_of(np.zeros(9)), 0.95)
    assert found.estimate == 1
    assert math.isnan(found.lower)
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(
    ("treated", "control", "lower", "upper"),
    [
        # Newcombe 1998, table II, method 6 (Miettinen and Nurminen).
        ((56, 70), (48, 80), 0.0528, 0.3382),
        ((9, 10), (3, 10), 0.1700, 0.8406),
    ],
)
def test_newcombes_examples(treated, control, lower, upper):
    found = proportions(treated, control, 0.95)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-4)


def test_an_interval_of_all_against_none_by_hand():
    # If the difference were d, the shares would be (1 + d) / 2 and (1 - d) / 2: so the end has
    # (1 - d)² = z² (1 - d²) / 20 * 20 / 19.
    ratio = stats.norm.ppf(0.975) ** 2 / 19
    found = proportions((10, 10), (0, 10), 0.95)
    assert (found.lower, found.upper) == pytest.approx(((1 - ratio) / (1 + ratio), 1), abs=1e-6)


def test_the_p_value_of_proportions_is_that_of_the_pooled_test():
    # z of the pooled test, times sqrt((N - 1) / N) for the sample variance.
    pooled = 104 / 150
    z = 0.2 / math.sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80)) * math.sqrt(149 / 150)
    found = proportions((56, 70), (48, 80), 0.95).p_value
    assert found == pytest.approx(2 * stats.norm.sf(z))


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_intervals_of_proportions_hold_the_estimate_and_agree_with_the_test(n1, n2, data):
    x1, x2 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n2))
    found, mirror = proportions((x1, n1), (x2, n2), 0.95), proportions((x2, n2), (x1, n1), 0.95)
    assert -1 <= found.lower <= found.estimate <= found.upper <= 1
    assert (found.lower, found.upper) == pytest.approx((-mirror.upper, -mirror.lower), abs=1e-6)
    if abs(found.p_value - 0.05) > 1e-6:
        assert (found.p_value < 0.05) == (found.lower > 0 or found.upper < 0)


def test_a_relative_lift_by_hand():
    treated, control = ArmMean(11, 0.3, 100, 99), ArmMean(10, 0.4, 100, 99)
    found = relative_lift(treated, control, 0.95)
    assert found.estimate == pytest.approx(0.1)
    assert found.error == pytest.approx(math.sqrt(0.09 + 1.21 * 0.16) / 10)
    wide = relative_lift(treated, control, 0.95, reach=3)
    assert wide.upper == pytest.approx(0.1 + 3 * found.error)


def test_a_lift_over_nearly_nothing_is_not_given():
    found = relative_lift(ArmMean(1, 0.1, 9, 8), ArmMean(0.3, 0.1, 9, 8), 0.95)
    assert math.isnan(found.estimate)


def test_a_ratio_by_hand():
    # 6 orders in 10 sessions; d = 2.5; residuals 1 - .6 * 2, 2 - .6 * 3, 0 - .6 * 1, 3 - .6 * 4.
    top, bottom = np.array([1.0, 2, 0, 3]), np.array([2.0, 3, 1, 4])
    values = linearised(top, bottom)
    assert values.mean() == pytest.approx(0.6)
    residuals = np.array([-0.2, 0.2, -0.6, 0.6])
    assert values - 0.6 == pytest.approx(residuals / 2.5)
    assert mean_of(values).error == pytest.approx(math.sqrt(0.8 / 3 / 4) / 2.5)


def test_sessions_of_one_customer_are_no_independent_sessions():
    """Customers have their own rate: counting sessions as independent halves the error."""
    rng = np.random.default_rng(5)
    sessions = rng.poisson(8, 3000) + 1
    clicks = rng.binomial(sessions, rng.beta(1, 2, 3000))
    error = mean_of(linearised(clicks.astype(float), sessions.astype(float))).error
    share = clicks.sum() / sessions.sum()
    naive = math.sqrt(share * (1 - share) / sessions.sum())
    assert error > 1.5 * naive


def test_the_delta_method_and_the_bootstrap_agree():
    rng = np.random.default_rng(6)
    n = 600
    arm = np.repeat([0.0, 1.0], n)
    sessions = rng.poisson(4, 2 * n) + 1
    clicks = rng.binomial(sessions, rng.beta(2, 4, 2 * n)).astype(float)
    rows = pd.DataFrame({"customer_id": np.arange(2 * n), "s": sessions.astype(float)})
    parts = [mean_of(linearised(clicks[arm == a], rows["s"].to_numpy()[arm == a])) for a in (1, 0)]
    delta = difference(*parts, 0.95)
    # One row per session: the customer is drawn, so cutting rows up changes nothing.
    long = rows.loc[rows.index.repeat(sessions)]
    per = (clicks / sessions)[long.index]
    drawn = ratio_by_bootstrap(
        long, "customer_id", arm[long.index], per, np.ones(len(long)), 800, 0.95, seed=1
    )
    assert drawn.estimate == pytest.approx(delta.estimate)
    assert drawn.error == pytest.approx(delta.error, rel=0.08)
    assert drawn.p_value == pytest.approx(delta.p_value, abs=0.08)


def test_simpsons_paradox_is_put_right_by_strata():
    """Charig et al. 1986, kidney stones: better in both strata, worse over all."""
    successes = {"open": {"small": (81, 87), "large": (192, 263)}}
    successes["puncture"] = {"small": (234, 270), "large": (55, 80)}
    arms = {}
    for arm, strata in successes.items():
        parts = [mean_of(np.repeat([1.0, 0.0], [x, n - x])) for x, n in strata.values()]
        arms[arm] = stratified(parts, [87 + 270, 263 + 80])
    crude = {a: sum(x for x, _ in s.values()) / 350 for a, s in successes.items()}
    assert crude["open"] < crude["puncture"]
    by_hand = 357 / 700 * 81 / 87 + 343 / 700 * 192 / 263
    assert arms["open"].value == pytest.approx(by_hand)
    assert difference(arms["open"], arms["puncture"], 0.95).estimate == pytest.approx(
        357 / 700 * (81 / 87 - 234 / 270) + 343 / 700 * (192 / 263 - 55 / 80)
    )


def test_errors_teach():
    with pytest.raises(ValueError, match="must not be negative, and not 0 for all units"):
        linearised(np.ones(3), np.zeros(3))
    with pytest.raises(ValueError, match="5 successes of 4 units"):
        proportions((5, 4), (1, 4), 0.95)
    with pytest.raises(ValueError, match=r"confidence == 1\.0"):
        difference(mean_of(FIRST), mean_of(SECOND), 1.0)

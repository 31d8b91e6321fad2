import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.evaluation.bootstrap import ClusterBootstrap, wilson_interval
from mkt_models.evaluation.metrics import Ranking, auc, spearman_and_gini
from mkt_models.evaluation.single_feature import _auc, _gini, ordering, shape

NAN = float("nan")


def alone(values, target, kind="classification", customers=None, confidence=0.95):
    values, target = np.array(values, dtype=float), np.array(target, dtype=float)
    customers = np.arange(len(target)) if customers is None else np.array(customers)
    return ordering(values, target, customers, kind, confidence)


def planted(n=300, rows_each=3, seed=0):
    """Rows of customers who are alike: a feature that tells a little of the target."""
    rng = np.random.default_rng(seed)
    customers = np.repeat(np.arange(n), rows_each)
    own = np.repeat(rng.normal(size=n), rows_each)
    values = np.round(own + rng.normal(size=len(own)) / 2, 1)
    target = (rng.random(len(own)) < 1 / (1 + np.exp(1 - own))).astype(float)
    return values, target, customers


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 1.0),  # the direction does not matter
        ([1, 2, 3, 4], [0, 1, 0, 1], 0.75),  # three of four pairs
        ([1, 1, 1, 1], [0, 1, 0, 1], 0.5),
        ([1, 1, 2, 2], [0, 1, 1, 1], 5 / 6),  # 2 of 3 pairs, and a tie as one half
        ([NAN, NAN, 3, 4], [0, 0, 1, 1], 1.0),  # missing below every value
        ([1, 2, NAN, NAN], [0, 0, 1, 1], 1.0),  # missing above every value
        ([2, 2, NAN, NAN], [0, 0, 0, 1], 5 / 6),
        ([NAN] * 4, [0, 0, 1, 1], 0.5),
    ],
)
def test_auc_by_hand(values, target, expected):
    assert alone(values, target).value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        # ranks less their mean are -1.5, -0.5, 0.5, 1.5: 2.5 + 15 for the perfect order
        ([1, 2, 3, 4], [0, 0, 5, 10], 1.0),
        ([9, 8, 1, 0], [0, 0, 5, 10], 1.0),
        ([1, 2, 4, 3], [0, 0, 5, 10], 12.5 / 17.5),
        ([1, 1, 1, 1], [0, 0, 5, 10], 0.0),
    ],
)
def test_gini_by_hand(values, target, expected):
    assert alone(values, target, "regression").value == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=4, max_size=30))
def test_it_is_the_metric_of_the_performance_table(rows):
    values = np.array([v for v, _ in rows], dtype=float)
    target = np.array([t for _, t in rows], dtype=float)
    if 0 < target.sum() < len(target):
        share = float(auc(np.ones((1, len(rows))), target, Ranking.of(values))[0])
        assert alone(values, target).value == pytest.approx(max(share, 1 - share))
        _, gini = spearman_and_gini(
            np.ones((1, len(rows))), Ranking.of(target), target, Ranking.of(values)
        )[0]
        assert alone(values, target, "regression").value == pytest.approx(abs(gini))


@pytest.mark.parametrize(("measure", "scale"), [(_auc, 1.0), (_gini, 2.0)])
def test_influence_is_the_derivative_by_the_weight_of_a_row(measure, scale):
    values, target, _ = planted(20, 2)
    if measure is _gini:
        target = target * 10 + values**2
    _, influence = measure(values, target)

    def figure(weights):
        ranking = Ranking.of(values)
        if measure is _auc:
            return float(auc(weights[None], target, ranking)[0])
        return float(spearman_and_gini(weights[None], Ranking.of(target), target, ranking)[0, 1])

    for row in (0, 7, 31):
        step = np.ones(len(values))
        step[row] += 1e-6
        slope = (figure(step) - figure(np.ones(len(values)))) / 1e-6
        assert scale * influence[row] == pytest.approx(slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_interval_is_that_of_the_cluster_bootstrap(kind):
    values, target, customers = planted()
    if kind == "regression":
        target = target * 10 + np.exp(values)
    ranking, truth = Ranking.of(values), Ranking.of(target)
    draws = ClusterBootstrap.of(pd.Series(customers), 1200, seed=1)

    def statistic(weights):
        if kind == "classification":
            return auc(weights, target, ranking)
        return spearman_and_gini(weights, truth, target, ranking)[:, 1]

    found = alone(values, target, kind, customers)
    lower, upper = np.quantile(draws.replicates(statistic), [0.025, 0.975])
    width = upper - lower
    assert found.lower == pytest.approx(lower, abs=0.1 * width)
    assert found.upper == pytest.approx(upper, abs=0.1 * width)


def test_rows_of_one_customer_are_no_further_evidence():
    values, target, customers = planted(300, 1)
    once = alone(values, target, customers=customers)
    again = alone(*(np.tile(a, 5) for a in (values, target)), customers=np.tile(customers, 5))
    assert again.value == pytest.approx(once.value)
    assert again.lower == pytest.approx(once.lower)
    strangers = alone(*(np.tile(a, 5) for a in (values, target)))
    assert strangers.upper - strangers.lower < 0.6 * (once.upper - once.lower)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(2)
    truth, held = 0.7602, 0  # two normals one apart: Phi(1 / sqrt 2)
    for _ in range(300):
        target = (np.arange(120) % 3 == 0).astype(float)
        found = alone(rng.normal(size=120) + target, target)
        held += found.lower <= truth <= found.upper
    assert 0.92 <= held / 300 <= 0.975


def test_a_perfect_order_is_no_certainty():
    few = alone([1, 2, 3, 4, 5, 6], [0, 0, 0, 1, 1, 1])
    assert (few.value, few.lower) == (1.0, pytest.approx(wilson_interval(1.0, 3, 0.95)[0]))
    many = alone(np.arange(300), np.arange(300) >= 200)
    assert few.lower < 0.5 < 0.95 < many.lower
    assert alone(np.arange(99), np.arange(99) * 2.0, "regression").lower == pytest.approx(
        2 * wilson_interval(1.0, 99, 0.95)[0] - 1
    )


@settings(max_examples=50)
@given(st.data())
def test_neither_order_nor_units_nor_sign_matter(data):
    n = data.draw(st.integers(6, 25))
    values = np.array(data.draw(st.lists(st.sampled_from([0, 1, 2, NAN]), min_size=n, max_size=n)))
    more = data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=n - 2, max_size=n - 2))
    target = np.array([1.0, 0.0, *more])
    customers = np.array(data.draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)))
    first = alone(values, target, customers=customers)
    order = np.random.default_rng(n).permutation(n)
    for other in (
        alone(values[order], target[order], customers=customers[order]),
        alone(-3 * values + 7, target, customers=customers),
    ):
        assert other.value == pytest.approx(first.value)
        assert other.value == pytest.approx(0.5) or other.lower == pytest.approx(first.lower)
    assert 0 <= first.lower <= first.value <= first.upper <= 1


def test_a_feature_whose_low_and_high_values_mean_the_same_is_seen():
    rng = np.random.default_rng(2)
    target = (rng.random(2000) < 0.1).astype(float)
    sign = rng.choice([-1.0, 1.0], 2000)
    leak = np.where(target == 1, sign * rng.uniform(2, 3, 2000), rng.uniform(-2, 2, 2000))
    customers = np.arange(2000)
    assert ordering(leak, target, customers, "classification", 0.95).upper < 0.65
    assert shape(leak, target, customers, "classification", 0.95).lower > 0.95
    amounts = target * 100 + 1
    assert shape(leak, amounts, customers, "regression", 0.95).value > 0.9


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_noise_has_no_shape(kind):
    rng = np.random.default_rng(3)
    chance = 0.5 if kind == "classification" else 0.0
    for _ in range(10):
        noise = np.where(rng.random(1500) < 0.1, NAN, rng.normal(size=1500))
        target = (rng.random(1500) < 0.2).astype(float)
        found = shape(noise, target, np.arange(1500), kind, 0.95)
        assert found.value - chance < (0.08 if kind == "classification" else 0.16)


def test_a_slope_is_as_strong_in_any_shape():
    values, target, customers = planted(600)
    one = ordering(values, target, customers, "classification", 0.95)
    other = shape(values, target, customers, "classification", 0.95)
    assert other.value == pytest.approx(one.value, abs=0.02)
    nothing = np.full(len(values), NAN)
    assert shape(nothing, target, customers, "classification", 0.95).value < 0.55

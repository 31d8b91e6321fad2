import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from mkt_models.evaluation.metrics import (
    Ranking,
    auc,
    ece,
    equal_count_bins,
    log_loss,
    pr_auc,
    spearman_and_gini,
    weighted_mean,
)

TARGET = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
SCORE = np.array([0.1, 0.4, 0.4, 0.8, 0.2])
ONES = np.ones((1, 5))

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3)), min_size=4, max_size=30
).filter(
    lambda rows: sum(t * w for t, _, w in rows) > 0 and sum((1 - t) * w for t, _, w in rows) > 0
)


def arrays(rows):
    target, score, weight = np.array(rows, dtype=float).T
    return target, score / 6, weight


def test_auc_by_hand():
    # Pairs (positive, negative): .4/.1 won, .4/.4 tied, .8/.1 and .8/.4 won, .2/.1 won, .2/.4 lost.
    assert auc(ONES, TARGET, Ranking.of(SCORE))[0] == pytest.approx(4.5 / 6)


def test_average_precision_by_hand():
    # Thresholds .8: 1 of 1; .4: 2 of 3; .2: 3 of 4; each adds one of three positives.
    expected = (1 + 2 / 3 + 3 / 4) / 3
    assert pr_auc(ONES, TARGET, Ranking.of(SCORE))[0] == pytest.approx(expected)


def test_ece_by_hand():
    # Two bins: (.1, .2) with one positive, gap .35; (.4, .4, .8) with two, gap .4/3.
    bins = np.array([0, 1, 1, 1, 0])
    assert ece(ONES, TARGET, SCORE, bins)[0] == pytest.approx((2 * 0.35 + 0.4) / 5)


def test_undefined_is_nan_not_a_number():
    weights = np.array([[1.0, 0, 1, 0, 0], [1, 1, 0, 0, 0]])  # the first draw has no positive
    assert np.isnan(auc(weights, TARGET, Ranking.of(SCORE))).tolist() == [True, False]
    assert np.isnan(pr_auc(weights, TARGET, Ranking.of(SCORE))).tolist() == [True, False]
    assert np.isnan(weighted_mean(np.zeros((1, 5)), SCORE)).all()


@given(rows)
@settings(max_examples=60, deadline=None)
def test_agrees_with_scikit_learn_under_weights(rows):
    target, score, weight = arrays(rows)
    weights, ranking = weight[None, :], Ranking.of(score)
    assert auc(weights, target, ranking)[0] == pytest.approx(
        roc_auc_score(target, score, sample_weight=weight)
    )
    assert pr_auc(weights, target, ranking)[0] == pytest.approx(
        average_precision_score(target, score, sample_weight=weight)
    )
    assert weighted_mean(weights, (score - target) ** 2)[0] == pytest.approx(
        brier_score_loss(target, score, sample_weight=weight)
    )
    inner = np.clip(score, 0.01, 0.99)
    assert weighted_mean(weights, log_loss(target, inner))[0] == pytest.approx(
        sklearn_log_loss(target, inner, sample_weight=weight)
    )


@given(rows)
@settings(max_examples=60, deadline=None)
def test_a_weight_is_a_number_of_copies(rows):
    _, score, weight = arrays(rows)
    amount = np.random.default_rng(len(rows)).integers(0, 9, len(rows)).astype(float)
    copies = weight.astype(int)
    once = spearman_and_gini(weight[None, :], Ranking.of(amount), amount, Ranking.of(score))
    many_amount, many_score = np.repeat(amount, copies), np.repeat(score, copies)
    many = spearman_and_gini(
        np.ones((1, len(many_amount))),
        Ranking.of(many_amount),
        many_amount,
        Ranking.of(many_score),
    )
    np.testing.assert_allclose(once, many, equal_nan=True, atol=1e-9)
    if np.ptp(many_amount) > 0 and np.ptp(many_score) > 0:
        expected = spearmanr(many_amount, many_score).statistic
        assert once[0, 0] == pytest.approx(expected, abs=1e-9)


def test_normalised_gini_by_hand():
    amount = np.array([0.0, 10.0, 30.0])
    truth = Ranking.of(amount)

    def gini(score):
        return spearman_and_gini(np.ones((1, 3)), truth, amount, Ranking.of(np.array(score)))[0, 1]

    assert gini([1, 2, 3]) == pytest.approx(1)
    assert gini([3, 2, 1]) == pytest.approx(-1)
    # cov with ranks (-1, 1, 0): 0 + 10 + 0 = 10, over (-1, 0, 1): 30.
    assert gini([1, 3, 2]) == pytest.approx(1 / 3)


def test_gini_of_a_class_is_twice_auc_less_one():
    rng = np.random.default_rng(3)
    target, score = (rng.random(200) < 0.3).astype(float), rng.integers(0, 20, 200).astype(float)
    ones, ranking = np.ones((1, 200)), Ranking.of(score)
    gini = spearman_and_gini(ones, Ranking.of(target), target, ranking)[0, 1]
    assert gini == pytest.approx(2 * auc(ones, target, ranking)[0] - 1)


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=60),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, deadline=None)
def test_bins_keep_order_and_ties_whatever_the_row_order(values, bins, random):
    array = np.array(values, dtype=float)
    found = equal_count_bins(array, bins)
    by_value = dict(zip(values, found.tolist(), strict=True))
    assert [by_value[v] for v in values] == found.tolist()  # one bin per value
    ordered = [by_value[v] for v in sorted(by_value)]
    assert ordered == sorted(ordered)
    assert sorted(set(found.tolist())) == list(range(found.max() + 1))
    assert found.max() < bins
    shuffled = list(range(len(values)))
    random.shuffle(shuffled)
    assert equal_count_bins(array[shuffled], bins).tolist() == found[shuffled].tolist()


def test_bins_without_ties_have_equal_counts():
    assert np.bincount(equal_count_bins(np.arange(50.0), 10)).tolist() == [5] * 10
    with pytest.raises(ValueError, match="bins == 0, must be >= 1"):
        equal_count_bins(np.arange(5.0), 0)

import numpy as np
import pytest

from mkt_models.experiments import cuped


def drawn(n=4000, seed=0, effect=0.0):
    rng = np.random.default_rng(seed)
    arms = rng.integers(0, 2, n)
    x = rng.normal(10, 2, n)
    return arms, x, x + rng.normal(0, 1, n) + effect * arms


def one_stratum(arms):
    return np.zeros(len(arms), dtype=np.intp)


def test_by_hand():
    # Two arms of two; within arms x is -1, 1 about its mean and y is -2, 2: theta = 2.
    arms = np.array([0, 0, 1, 1])
    x, y = np.array([[0.0], [2], [1], [3]]), np.array([0.0, 4, 1, 5])
    after, fitted = cuped.adjusted(y, x, arms, one_stratum(arms))
    # y - 2 (x - 1.5)
    assert after == pytest.approx([3, 3, 2, 2])
    assert fitted == 1


def test_the_variance_left_is_one_minus_the_squared_correlation():
    arms, x, y = drawn()
    after, _ = cuped.adjusted(y, x[:, None], arms, one_stratum(arms))
    rho = np.corrcoef(x, y)[0, 1]
    assert cuped.left_over(y, after, arms) == pytest.approx(1 - rho**2, abs=0.005)


def test_the_effect_stays():
    arms, x, y = drawn(20_000, effect=1.0)
    after, _ = cuped.adjusted(y, x[:, None], arms, one_stratum(arms))
    difference = after[arms == 1].mean() - after[arms == 0].mean()
    assert difference == pytest.approx(1.0, abs=4 * (2 / 10_000) ** 0.5)


def test_unknown_covariates_are_a_covariate():
    """New customers have no past and spend less: that they are new foretells it."""
    arms, x, y = drawn()
    unknown = np.random.default_rng(1).random(len(x)) < 0.3
    y = np.where(unknown, 3.0 + np.random.default_rng(2).normal(0, 1, len(y)), y)
    gaps = np.where(unknown, np.nan, x)[:, None]
    assert cuped.filled(gaps).shape == (len(x), 2)
    after, fitted = cuped.adjusted(y, gaps, arms, one_stratum(arms))
    assert fitted == 2
    assert after.var() == pytest.approx(1.0, abs=0.1)
    with pytest.raises(ValueError, match="known of no unit"):
        cuped.filled(np.full((3, 1), np.nan))


def test_what_strata_explain_is_not_explained_twice():
    arms, x, y = drawn()
    strata = np.random.default_rng(3).integers(0, 2, len(x))
    shifted = y + 50 * strata
    after, _ = cuped.adjusted(shifted, (x + 9 * strata)[:, None], arms, strata)
    assert after[strata == 1].mean() - after[strata == 0].mean() == pytest.approx(50, abs=0.5)
    assert after[strata == 0].var() == pytest.approx(1, abs=0.1)


def test_a_covariate_that_the_treatment_moved_is_found():
    arms, x, _ = drawn()
    assert cuped.balance(x[:, None], arms, one_stratum(arms)) > 0.001
    assert cuped.balance((x + 0.5 * arms)[:, None], arms, one_stratum(arms)) < 1e-6
    constant = np.ones((len(x), 1))
    assert cuped.balance(constant, arms, one_stratum(arms)) == 1

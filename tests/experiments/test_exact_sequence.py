"""A test that assumes nothing of the values, at every look."""

import itertools

import numpy as np
import pytest
from experiments.trials import AB, SPEND, units

from mkt_models.experiments.exact_sequence import _log_growth, exact_p_values
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.sequential import mixture, p_at


def measured(values, arms):
    rows = units(len(values)).assign(spend=values)
    return Measured.of(rows, SPEND, list(AB.shares), arms, np.zeros(len(values), dtype=np.intp))


def p_values(values, arms, share=0.5, n_looks=10, plan=None):
    n = len(values)
    looks = [np.arange(n) < n * k // n_looks for k in range(1, n_looks + 1)]
    rho2 = mixture(plan or n, 0.05)
    return exact_p_values(measured(values, arms), 1, looks, np.full(n, share), rho2)


def test_the_products_are_1_on_average_over_all_assignments():
    r, p, rates = np.array([0.3, -2.0, 5.0, 0.1]), np.array([0.1, 0.5, 0.1, 0.9]), np.array([1.7])
    total = 0.0
    for arms in itertools.product([False, True], repeat=4):
        treated = np.array(arms)
        chance = np.where(treated, p, 1 - p).prod()
        total += chance * np.exp(_log_growth(r, treated, p, rates)[0])
    assert total == pytest.approx(1)


def test_skewed_values_and_uneven_shares_claim_nothing_at_any_look():
    """80 experiments of 400 units, one in twenty treated, in which nothing happens."""
    rng, claims = np.random.default_rng(3), 0
    for _ in range(80):
        arms = (rng.random(400) < 0.05).astype(np.intp)
        claims += min(p_values(rng.lognormal(0, 1.5, 400), arms, 0.05, 5)) <= 0.05
    assert claims <= 9  # P(10 or more of 80 at 5%) is 0.6%


def test_where_means_are_normal_it_is_nearly_that_of_the_confidence_sequence():
    rng = np.random.default_rng(2)
    arms = rng.integers(0, 2, 4000)
    values = rng.normal(size=4000) + 0.15 * arms
    found = p_values(values, arms, n_looks=2)
    for p, n in zip(found, (2000, 4000), strict=True):
        x, a = values[:n], arms[:n] == 1
        z = (x[a].mean() - x[~a].mean()) / np.sqrt(x[a].var() / a.sum() + x[~a].var() / (~a).sum())
        assert np.log(p) == pytest.approx(np.log(p_at(z, n, mixture(4000, 0.05))), rel=0.15)
    assert found[1] < 0.01


def test_values_that_are_all_alike_say_nothing():
    arms = np.arange(200) % 2
    assert p_values(np.ones(200), arms) == [1.0] * 10

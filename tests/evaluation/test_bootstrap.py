import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation import bootstrap
from mkt_models.evaluation.bootstrap import (
    ClusterBootstrap,
    error_interval,
    percentile_interval,
    standard_error,
    wilson_interval,
)
from mkt_models.evaluation.metrics import weighted_mean


def test_rows_of_a_customer_are_drawn_together_and_draws_are_complete():
    customers = pd.Series(["b", "a", "b", "c"])
    (weights,) = ClusterBootstrap.of(customers, 50, seed=1).weights()
    assert weights.shape == (50, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) > 5


def test_draws_do_not_depend_on_blocks_or_the_order_of_rows(monkeypatch):
    rng = np.random.default_rng(0)
    customers, values = pd.Series(rng.integers(0, 40, 100)), rng.normal(size=100)

    def means(order):
        draws = ClusterBootstrap.of(customers.iloc[order], 30, seed=2)
        return draws.replicates(lambda w: weighted_mean(w, values[order]))

    order = np.arange(100)
    whole = means(order)
    monkeypatch.setattr(bootstrap, "BLOCK", 700)  # seven draws at once
    np.testing.assert_allclose(means(order), whole)
    np.testing.assert_allclose(means(rng.permutation(100)), whole)


def test_standard_error_is_that_of_customers_not_of_rows():
    rng = np.random.default_rng(4)
    per_customer = rng.normal(size=400)
    customers, values = pd.Series(np.repeat(np.arange(400), 5)), np.repeat(per_customer, 5)
    draws = ClusterBootstrap.of(customers, 800, seed=5)
    error = draws.replicates(lambda w: weighted_mean(w, values)).std()
    assert error == pytest.approx(per_customer.std() / 20, rel=0.12)


def test_percentiles_need_defined_replicates():
    values = np.arange(1000.0)
    values[:10] = np.nan
    assert percentile_interval(values, 0.9) == pytest.approx((59.45, 949.55))
    values[:11] = np.nan
    assert np.isnan(percentile_interval(values, 0.9)).all()


def test_an_interval_from_an_error_is_bounded_and_refuses_no_spread():
    error = standard_error(np.array([0.8, 0.9, 1.0]))
    assert error == pytest.approx(0.1)
    lower, upper = error_interval(0.9, error, 0.95, 1e9, (0.0, 1.0))
    assert (lower, upper) == pytest.approx((0.9 - 0.1959964, 1.0))
    # t with 4 degrees of freedom: 2.776.
    assert error_interval(0.9, error, 0.95, 5)[0] == pytest.approx(0.9 - 0.2776445)
    assert np.isnan(standard_error(np.zeros(100)))
    assert np.isnan(error_interval(0.0, np.nan, 0.95, 5)).all()


def test_wilson_at_the_edges():
    # Zero of ten: upper end z2 / (10 + z2), as published for the score interval.
    z2 = 1.959963985**2
    lower, upper = wilson_interval(0.0, 10, 0.95)
    assert lower == pytest.approx(0, abs=1e-12)
    assert upper == pytest.approx(z2 / (10 + z2))
    assert np.isnan(wilson_interval(0.5, 0, 0.95)).all()


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="n_bootstrap == 0, must be > 0"):
        ClusterBootstrap.of(pd.Series(["a"]), 0, seed=1)
    with pytest.raises(ValueError, match=r"confidence == 95, must lie between 0 and 1"):
        wilson_interval(0.5, 10, 95)

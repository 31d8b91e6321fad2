import numpy as np
import pytest
from decisions.allocations import drawn, options, with_fall_backs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mkt_models.decisions.dual import descended, dual_value, linear_programme, tightened

THREE = options((0, 0, 3.0, (1.0,)), (1, 0, 2.0, (1.0,)), (2, 0, 1.0, (1.0,)))


@pytest.mark.parametrize(("budget", "optimum"), [(0.0, 0.0), (1.5, 4.0), (2.0, 5.0), (9.0, 6.0)])
def test_three_customers_and_one_budget_by_hand(budget: float, optimum: float) -> None:
    found, prices = linear_programme(THREE, np.array([budget]), 1)
    assert found == pytest.approx(optimum)
    assert dual_value(THREE, np.array([budget]), 1, prices) == pytest.approx(optimum)
    assert (prices[0] == 0) == (budget == 9.0)


def test_prices_are_the_lowest_at_which_the_budget_holds() -> None:
    # Two of three units: any price from 1 to 2 is optimal. At 1 the third customer, who is left
    # with nothing, is out: that is what one more unit would bring.
    assert tightened(THREE, np.array([2.0]), 1, np.array([1.7])) == pytest.approx([1.0])
    assert tightened(THREE, np.array([2.0]), 1, np.array([0.0])) == pytest.approx([1.0])
    assert tightened(THREE, np.array([3.0]), 1, np.array([1.7])) == [0.0]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
@example(905870, 3, True)  # HiGHS gives a price of -3e-9
def test_descending_finds_what_highs_finds(seed: int, k: int, tied: bool) -> None:
    some, budgets = drawn(seed, 120, 4, 3, tied)
    optimum, prices = linear_programme(some, budgets, k)
    assert dual_value(some, budgets, k, prices) == pytest.approx(optimum, abs=1e-6)
    again = descended(some, budgets, k, np.zeros(3))
    assert (again >= 0).all()
    assert dual_value(some, budgets, k, again) == pytest.approx(optimum, rel=1e-4, abs=1e-6)
    assert dual_value(some, budgets, k, again) >= optimum - 1e-6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_with_fall_backs_the_dual_is_the_programme_of_highs(seed: int, k: int) -> None:
    some, budgets = drawn(seed, 60, 5, 2, tied=False)
    some = with_fall_backs(some, seed)
    optimum, prices = linear_programme(some, budgets, k)
    assert dual_value(some, budgets, k, prices) == pytest.approx(optimum, abs=1e-6)
    held = tightened(some, budgets, k, prices)
    rows, _ = some.decided(held, k)
    assert (some.used(rows) <= budgets * (1 + 1e-9)).all()
    assert some.worth[rows].sum() <= optimum + 1e-6


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 50), min_size=3, max_size=3))
def test_any_prices_bound_the_optimum_from_above(seed: int, prices: list[float]) -> None:
    some, budgets = drawn(seed, 60, 4, 3, tied=False)
    optimum, _ = linear_programme(some, budgets, 2)
    assert dual_value(some, budgets, 2, np.array(prices)) >= optimum - 1e-9


def test_without_options_or_budgets_there_is_nothing_to_price() -> None:
    none = THREE.part(np.zeros(0, dtype=np.intp))
    assert linear_programme(none, np.array([1.0]), 1)[0] == 0
    free = options((0, 0, 3.0, ()), (1, 0, 2.0, ()))
    assert linear_programme(free, np.zeros(0), 1)[0] == 5.0

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from mkt_models.mining.significance import corrected, fisher, over_customers, per_customer


def counts(held: np.ndarray, customers: np.ndarray):
    """Customers x 1: orders of each customer that hold the set."""
    return per_customer([np.flatnonzero(held)], customers, int(customers.max()) + 1)


def p_over_customers(a: np.ndarray, b: np.ndarray, customers: np.ndarray) -> float:
    everything = np.bincount(customers).astype(float)
    three = (counts(held, customers) for held in (a & b, a, b))
    return float(over_customers(*three, everything)[0])


@settings(max_examples=50, deadline=None)
@example([(True, False, 0), (True, False, 0), (True, False, 1), (True, False, 1), (True, True, 2)])
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=4, max_size=40)
)
def test_the_test_over_customers_equals_its_definition(rows: list[tuple[bool, bool, int]]) -> None:
    a, b, who = (np.array(column) for column in zip(*rows, strict=True))
    who = np.unique(who, return_inverse=True)[1]
    n, groups = len(rows), int(who.max()) + 1
    share_a, share_b = Fraction(int(a.sum()), n), Fraction(int(b.sum()), n)
    sums = [Fraction(0)] * groups
    for x, y, c in zip(a, b, who, strict=True):
        sums[c] += (int(x) - share_a) * (int(y) - share_b)
    squares = sum(s * s for s in sums)
    if groups < 2 or squares == 0:
        assert p_over_customers(a, b, who) == 1
        return
    z = float(sum(sums)) / np.sqrt(float(squares) * groups / (groups - 1))
    assert p_over_customers(a, b, who) == pytest.approx(stats.t.sf(z, groups - 1), abs=1e-7)


def test_orders_of_one_customer_are_alike_and_only_the_test_over_customers_knows() -> None:
    # Nothing is bought together: each customer likes A or not, and B or not, independently; who
    # likes something buys it in four orders of five, for 20 orders.
    rng = np.random.default_rng(11)
    by_orders, by_customers = [], []
    for _ in range(300):
        customers = np.repeat(np.arange(100), 20)
        likes_a, likes_b = (rng.random(100) < 0.3 for _ in "ab")
        a = likes_a[customers] & (rng.random(2_000) < 0.8)
        b = likes_b[customers] & (rng.random(2_000) < 0.8)
        both, of_a, of_b = (np.array([held.sum()]) for held in (a & b, a, b))
        by_orders.append(fisher(both, of_a, of_b, 2_000)[0])
        by_customers.append(p_over_customers(a, b, customers))
    # At the level of 5%, Fisher finds "rules" in more than a third of the shops.
    assert np.mean(np.array(by_orders) < 0.05) > 0.3
    assert 0.01 < np.mean(np.array(by_customers) < 0.05) < 0.09


def test_a_true_rule_is_found_over_customers() -> None:
    rng = np.random.default_rng(12)
    customers = np.repeat(np.arange(100), 20)
    a = rng.random(2_000) < 0.2
    b = np.where(a, rng.random(2_000) < 0.4, rng.random(2_000) < 0.1)
    assert p_over_customers(a, b, customers) < 1e-6


def test_one_customer_says_nothing() -> None:
    a = np.array([True, True, False, False])
    assert p_over_customers(a, a, np.zeros(4, dtype=int)) == 1


def test_correction_equals_the_published_formula() -> None:
    p = np.array([0.04, 0.001, 0.03])
    # Six tests, three of which found nothing: 1 + 1/2 + ... + 1/6 = 2.45.
    assert corrected(p, 6) == pytest.approx(
        [0.04 * 6 * 2.45 / 3, 0.001 * 6 * 2.45, 0.04 * 6 * 2.45 / 3]
    )
    padded = stats.false_discovery_control(np.r_[p, 1, 1, 1], method="by")[:3]
    assert corrected(p, 6) == pytest.approx(padded)
    assert corrected(np.array([]), 10).size == 0

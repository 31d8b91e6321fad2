from dataclasses import replace

import numpy as np
import pytest
from decisions.allocations import drawn, options, with_fall_backs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mkt_models.decisions import allocation as module
from mkt_models.decisions.allocation import allocate
from mkt_models.decisions.options import AllocationError, Options

THREE = options((0, 0, 3.0, (1.0,)), (1, 0, 2.0, (1.0,)), (2, 0, 1.0, (1.0,)))
quick = settings(max_examples=40, deadline=None)


def greedy(some: Options, budgets, k: int, order) -> float:
    """Take one option after the other, as long as everything holds."""
    left, families, counts, worth = budgets.copy(), set(), {}, 0.0
    for row in order:
        who = int(some.customer[row])
        need = some.uses[some.use[row]]
        family = (who, int(some.family[row]))
        if some.worth[row] <= 0 or family in families or counts.get(who, 0) == k:
            continue
        if (need <= left).all():
            left = left - need
            families.add(family)
            counts[who] = counts.get(who, 0) + 1
            worth += float(some.worth[row])
    return worth


def orders(some: Options):
    ratio = some.worth / (some.uses[some.use].sum(axis=1) + 1e-9)
    return [np.argsort(-some.worth), np.argsort(-ratio), np.arange(len(ratio))]


def holds(some: Options, rows, budgets, k: int) -> bool:
    pairs = list(zip(some.customer[rows], some.family[rows], strict=True))
    most = np.bincount(some.customer[rows]).max(initial=0)
    within = (some.used(rows) <= budgets * (1 + 1e-9)).all()
    return len(set(pairs)) == len(pairs) and most <= k and bool(within)


def test_three_customers_by_hand() -> None:
    found = allocate(THREE, np.array([2.0]))
    assert found.by_price.tolist() == found.filled.tolist() == [0, 1]
    assert (found.worth, found.bound, found.marginal) == (5.0, pytest.approx(5.0), 0)
    assert found.prices == pytest.approx([1.0])
    none = allocate(THREE, np.array([0.0]))
    assert (none.filled.tolist(), none.worth) == ([], 0.0)
    all_of_them = allocate(THREE, np.array([3.0]))
    assert (all_of_them.prices.tolist(), all_of_them.worth) == ([0.0], 6.0)


def test_a_cheaper_option_is_taken_where_the_dear_one_is_not_worth_its_price() -> None:
    # A letter (1 unit) or the app (0). Letters bring 2, 1.5 and .2 more than the app: with two
    # letters the third customer gets the app, and a letter is worth at least .2.
    some = options(
        (0, 0, 3.0, (1.0,)),
        (0, 0, 1.0, (0.0,)),
        (1, 0, 2.5, (1.0,)),
        (1, 0, 1.0, (0.0,)),
        (2, 0, 1.2, (1.0,)),
        (2, 0, 1.0, (0.0,)),
    )
    found = allocate(some, np.array([2.0]))
    assert found.by_price.tolist() == [0, 2, 5]
    assert found.prices == pytest.approx([0.2])


def test_the_customer_on_the_margin_gets_what_is_left() -> None:
    # 3 units: the prices can let in customer 0 (worth 1 a unit) alone; customer 1, who is worth
    # as much a unit as 2 but comes first, gets one of the units that are left.
    some = options((0, 0, 2.0, (2.0,)), (1, 0, 0.5, (1.0,)), (2, 0, 0.5, (1.0,)))
    found = allocate(some, np.array([3.0]))
    assert found.by_price.tolist() == [0]
    assert found.filled.tolist() == [0, 1]
    assert (found.marginal, found.prices) == (1, pytest.approx([0.5]))


def test_the_integer_programme_sees_what_prices_cannot() -> None:
    # 4 units: 3 + 3 by two of 2 units are better than 4 by one of 3 units.
    some = options((0, 0, 4.6, (3.0,)), (1, 0, 3.0, (2.0,)), (2, 0, 2.9, (2.0,)))
    assert allocate(some, np.array([4.0])).worth == 4.6
    assert allocate(some, np.array([4.0]), integer=True).filled.tolist() == [1, 2]


@quick
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_budgets_hold_whatever_the_problem(seed: int, k: int, n: int, tied: bool) -> None:
    some, budgets = drawn(seed, 80, 4, n, tied)
    found = allocate(some, budgets, k)
    for rows in (found.by_price, found.filled):
        assert holds(some, rows, budgets, k)
    assert (found.prices >= 0).all()
    assert found.worth_by_price <= found.worth <= found.bound * (1 + 1e-9) + 1e-9
    assert found.worth == pytest.approx(some.worth[found.filled].sum())
    assert found.used == pytest.approx(some.used(found.filled))


@quick
@given(st.integers(0, 10**6), st.integers(1, 3), st.booleans())
def test_a_fall_back_stands_alone_and_only_for_who_has_nothing(
    seed: int, k: int, integer: bool
) -> None:
    some, budgets = drawn(seed, 40, 5, 2, tied=False)
    some = with_fall_backs(some, seed)
    found = allocate(some, budgets, k, integer=integer)
    assert some.alone is not None
    for rows in (found.by_price, found.filled):
        assert holds(some, rows, budgets, k)
        last = some.customer[rows[some.alone[rows]]]
        assert not np.isin(last, some.customer[rows[~some.alone[rows]]]).any()
        assert len(set(last.tolist())) == len(last)
    assert found.worth_by_price <= found.worth <= found.bound * (1 + 1e-9) + 1e-9


def test_what_the_fall_back_leaves_goes_to_the_margin_by_hand() -> None:
    # Two contacts: customer 0 pays one for what is usual, 1 falls back for want of anything else.
    some = options(
        (0, 0, 3.0, (1.0,)), (0, 1, 1.0, (1.0,)), (1, 1, 1.0, (1.0,)), (2, 0, 0.5, (1.0,))
    )
    some = replace(some, alone=np.array([False, True, True, False]))
    for k in (1, 2):
        found = allocate(some, np.array([2.0]), k)
        assert found.by_price.tolist() == found.filled.tolist() == [0, 2]
        assert (found.worth, found.bound) == (4.0, pytest.approx(4.0))


@quick
@given(st.integers(0, 10**6), st.integers(1, 3))
@example(6450, 1)  # raising either price in turn breaks the other's budget, without end
@example(2935, 2)
def test_a_price_is_paid_only_where_the_budget_binds(seed: int, k: int) -> None:
    """Complementary slackness, up to the customers on the margin."""
    some, budgets = drawn(seed, 300, 3, 2, tied=False)
    found = allocate(some, budgets, k)
    left = budgets - some.used(found.by_price)
    largest = some.uses.max(axis=0)
    assert (found.prices * np.maximum(left - 4 * largest, 0) == 0).all()
    # And everybody has what is best for them at the prices: no one would change.
    rows, net = some.best(found.prices, k)
    assert rows.tolist() == found.by_price.tolist()
    assert (net[rows] > 0).all()


@quick
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_no_greedy_way_is_better_than_the_integer_programme(seed: int, k: int) -> None:
    some, budgets = drawn(seed, 25, 3, 2, tied=False)
    found = allocate(some, budgets, k, integer=True)
    assert holds(some, found.filled, budgets, k)
    for order in orders(some):
        assert found.worth >= greedy(some, budgets, k, order) - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_by_price_is_near_the_optimum_and_beats_greedy_ways(seed: int) -> None:
    some, _ = drawn(seed, 3000, 4, 2, tied=False)
    budgets = np.array([300.0, 500.0])
    found = allocate(some, budgets, 2)
    assert found.worth_by_price > 0.995 * found.bound
    assert found.marginal < 20
    assert found.worth > max(greedy(some, budgets, 2, order) for order in orders(some))


def test_a_large_problem_is_solved_by_its_dual_alone(monkeypatch) -> None:
    some, _ = drawn(5, 4000, 4, 3, tied=False)
    budgets = np.array([300.0, 500.0, 200.0])
    exact = allocate(some, budgets, 2)
    monkeypatch.setattr(module, "EXACT_ROWS", 100)
    monkeypatch.setattr("mkt_models.decisions.dual.SAMPLE_ROWS", 1500)
    large = allocate(some, budgets, 2, seed=3)
    assert (exact.exact, large.exact) == (True, False)
    assert large.bound == pytest.approx(exact.bound, rel=1e-4)
    assert large.bound >= exact.bound * (1 - 1e-9)
    assert large.worth > 0.995 * large.bound


@pytest.mark.parametrize(
    ("budgets", "k", "says"),
    [
        ([-1.0], 1, "must be finite and 0 or more"),
        ([float("inf")], 1, "must be finite"),
        ([1.0, 2.0], 1, "2 budgets for 1 columns of uses"),
        ([1.0], 0, "k == 0"),
    ],
)
def test_odd_budgets_are_refused(budgets, k, says) -> None:
    with pytest.raises(AllocationError, match=says):
        allocate(THREE, np.array(budgets), k)


def test_nobody_and_nothing() -> None:
    worthless = options((0, 0, -1.0, (1.0,)), (1, 0, 0.0, (1.0,)))
    assert allocate(worthless, np.array([1.0])).filled.tolist() == []
    assert allocate(options((0, 0, 3.0, ())), np.zeros(0)).worth == 3.0

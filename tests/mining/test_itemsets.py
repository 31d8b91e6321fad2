from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mkt_models.mining import itemsets
from mkt_models.mining.itemsets import TooManySets, frequent_itemsets


def cells(baskets: list[set[int]], n_items: int) -> sparse.csr_array:
    matrix = np.zeros((len(baskets), n_items), dtype=np.int32)
    for row, basket in enumerate(baskets):
        matrix[row, sorted(basket)] = 1
    return sparse.csr_array(matrix)


def named(found: itemsets.Itemsets) -> dict[frozenset[int], int]:
    return {
        frozenset(found.columns[row].tolist()): int(n)
        for sets, counts in zip(found.sets, found.counts, strict=True)
        for row, n in zip(sets, counts, strict=True)
    }


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=90),
    st.integers(1, 6),
    st.integers(2, 8),
    st.sampled_from([1, 7, 4_000_000]),
)
def test_sets_equal_brute_force_whatever_the_block(
    baskets: list[set[int]], min_orders: int, max_items: int, block: int
) -> None:
    expected = {
        frozenset(items): n
        for size in range(1, max_items + 1)
        for items in combinations(range(8), size)
        if (n := sum(set(items) <= basket for basket in baskets)) >= min_orders
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(itemsets, "BLOCK", block)
        found = frequent_itemsets(
            cells(baskets, 8), min_orders=min_orders, max_items=max_items, max_sets=10_000
        )
    assert named(found) == expected
    for sets, counts in zip(found.sets, found.counts, strict=True):
        assert found.orders_with(sets).tolist() == counts.tolist()
        assert found.places(sets).tolist() == list(range(len(sets)))


def test_what_is_not_frequent_has_no_place() -> None:
    found = frequent_itemsets(
        cells([{0, 1}, {0, 1}, {1, 2}, {2}], 3), min_orders=2, max_items=3, max_sets=100
    )
    assert found.columns.tolist() == [0, 2, 1]
    assert [sets.tolist() for sets in found.sets] == [[[0], [1], [2]], [[0, 2]]]
    assert found.places(np.array([[0, 1], [0, 2], [1, 2]])).tolist() == [-1, 0, -1]
    assert found.places(np.array([[0, 1, 2]])).tolist() == [-1]


def test_related_items_are_in_no_set_together() -> None:
    found = frequent_itemsets(
        cells([{0, 1, 2}] * 2, 3),
        min_orders=1,
        max_items=3,
        max_sets=100,
        related=np.array([[0, 2]]),
    )
    sets = set(named(found))
    assert frozenset({0, 1}) in sets
    assert not any({0, 2} <= items for items in sets)


def test_the_cap_counts_sets_of_every_size() -> None:
    square = cells([{0, 1, 2}], 3)
    found = frequent_itemsets(square, min_orders=1, max_items=3, max_sets=7)
    assert sum(map(len, found.sets)) == 7
    with pytest.raises(TooManySets, match="more than 6 sets of up to 3 items"):
        frequent_itemsets(square, min_orders=1, max_items=3, max_sets=6)
    with pytest.raises(TooManySets, match="more than 5 sets of up to 2 items"):
        frequent_itemsets(square, min_orders=1, max_items=3, max_sets=5)

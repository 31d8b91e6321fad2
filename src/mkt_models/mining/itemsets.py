"""Sets of items that many orders hold: exact counts of every set up to a size.

Pairs are counted by one sparse matrix product. Larger sets are counted class by class: of all sets
whose rarest item is A, only the orders with A matter, so these orders become rows of bits, one
per item, and a set's orders are the bits that its items share (Zaki 2000, "Eclat", in packed
bits). The rarest item comes first, which makes the classes small. Sets of k items are joined from
sets of k - 1 that differ in the last item, and only counted when every pair in them is frequent.

Items in too few orders are dropped before anything is joined, so a very long order is harmless:
F frequent items give at most F * F sums for it. What can explode is the number of frequent sets
itself; there is a cap on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

# Sums, or words of 64 bits, that are worked on at once: bounds the memory, about 50 MB.
BLOCK = 4_000_000


class TooManySets(ValueError):
    """More sets of items are frequent than the cap allows."""


@dataclass(frozen=True)
class Itemsets:
    """All frequent sets of items.

    Attributes
    ----------
    columns
        the frequent items as columns of the cells they were counted in, the rarest first. Sets
        hold positions in this array, rising.
    sets
        for sizes 1, 2, ...: one row per set, in lexicographic order
    counts
        for the same sizes: orders that hold the set

    """

    columns: Ints
    sets: tuple[Ints, ...]
    counts: tuple[Ints, ...]

    def places(self, sets: Ints) -> Ints:
        """Find sets of one size (rows of rising positions): the row of each in ``sets``.

        A set that is not frequent has the place -1.
        """
        if sets.shape[1] > len(self.sets):
            return np.full(len(sets), -1, dtype=np.int64)
        place = sets[:, 0].astype(np.int64)
        for size in range(2, sets.shape[1] + 1):
            place = self._step(place, sets[:, size - 1], self._keys[size - 1])
        return place

    def orders_with(self, sets: Ints) -> Ints:
        """Count the orders that hold each of these sets, all of one size and frequent."""
        counts: Ints = self.counts[sets.shape[1] - 1][self.places(sets)]
        return counts

    @cached_property
    def _keys(self) -> list[Ints]:
        # A set is named by the place of all but its last item, and the last item: a whole number
        # that rises with the sets, whatever their size.
        keys: list[Ints] = [np.empty(0, dtype=np.int64)]
        for of_size in self.sets[1:]:
            place = of_size[:, 0]
            for size in range(2, of_size.shape[1]):
                place = self._step(place, of_size[:, size - 1], keys[size - 1])
            keys.append(place * len(self.columns) + of_size[:, -1])
        return keys

    def _step(self, place: Ints, item: Ints, keys: Ints) -> Ints:
        key = np.where(place < 0, -1, place * len(self.columns) + item)
        if not len(keys):
            return np.full(len(key), -1, dtype=np.int64)
        found = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        return np.asarray(np.where(keys[found] == key, found, -1))


def frequent_itemsets(
    cells: sparse.csr_array,
    *,
    min_orders: int,
    max_items: int,
    max_sets: int,
    related: Ints | None = None,
) -> Itemsets:
    """Find every set of up to ``max_items`` items that at least ``min_orders`` orders hold.

    Parameters
    ----------
    cells
        orders x items, 1 where an order holds an item
    min_orders
        exactly so many are enough
    max_items
        the largest size
    max_sets
        cap on the number of sets found
    related
        pairs of columns that no set may hold together

    Raises
    ------
    TooManySets
        When more than ``max_sets`` sets are frequent; it says at which size.

    """
    orders_with = np.bincount(cells.indices, minlength=cells.shape[1])
    columns = np.flatnonzero(orders_with >= min_orders)
    columns = columns[np.argsort(orders_with[columns], kind="stable")]
    singles = orders_with[columns].astype(np.int64)
    kept = _kept(cells, columns)
    pairs, pair_counts = _pairs(kept, min_orders, max_sets)
    if related is not None and len(related):
        apart = ~_are_related(pairs, related, columns, cells.shape[1])
        pairs, pair_counts = pairs[apart], pair_counts[apart]
    found: list[list[tuple[Ints, Ints]]] = [[] for _ in range(max_items + 1)]
    total = len(columns) + len(pairs)
    if max_items > 2 and len(pairs):
        of_item = kept.T.tocsr()
        joined = _joined(pairs, len(columns))
        for first in range(len(columns)):
            beyond = joined.indices[joined.indptr[first] : joined.indptr[first + 1]]
            near = joined[beyond][:, beyond].toarray().astype(bool)
            if not near.any():
                continue
            rows = of_item.indices[of_item.indptr[first] : of_item.indptr[first + 1]]
            bits = _bits(kept, rows, beyond)
            alone = np.arange(len(beyond), dtype=np.int64).reshape(-1, 1)
            for sets, counts in _grown(alone, bits, near, min_orders, max_items - 1):
                size = sets.shape[1] + 1
                total += len(sets)
                if total > max_sets:
                    raise TooManySets(_too_many(max_sets, size))
                lead = np.full((len(sets), 1), first, dtype=np.int64)
                found[size].append((np.hstack([lead, beyond[sets]]), counts))
    all_sets = [np.arange(len(columns), dtype=np.int64).reshape(-1, 1), pairs]
    all_counts = [singles, pair_counts]
    for size in range(3, max_items + 1):
        if not found[size]:
            break
        all_sets.append(np.concatenate([part[0] for part in found[size]]))
        all_counts.append(np.concatenate([part[1] for part in found[size]]))
    return Itemsets(columns, tuple(all_sets), tuple(all_counts))


def _kept(cells: sparse.csr_array, columns: Ints) -> sparse.csr_array:
    """Keep the frequent items, in their new order."""
    position = np.full(cells.shape[1], -1, dtype=np.int32)
    position[columns] = np.arange(len(columns), dtype=np.int32)
    moved = position[cells.indices]
    there = moved >= 0
    sums = np.concatenate([[0], np.cumsum(there)])
    return sparse.csr_array(
        (np.ones(int(sums[-1]), dtype=np.int32), moved[there], sums[cells.indptr]),
        shape=(cells.shape[0], len(columns)),
    )


def _pairs(kept: sparse.csr_array, min_orders: int, max_sets: int) -> tuple[Ints, Ints]:
    n = kept.shape[1]
    of_item = kept.T.tocsr()
    block = max(1, BLOCK // max(1, n))
    pairs, counts, total = [], [], n
    for start in range(0, n, block):
        sums = (of_item[start : start + block] @ kept).tocoo()
        first, second = sums.row.astype(np.int64) + start, sums.col.astype(np.int64)
        enough = (sums.data >= min_orders) & (first < second)
        total += int(enough.sum())
        if total > max_sets:
            raise TooManySets(_too_many(max_sets, 2))
        first, second, both = first[enough], second[enough], sums.data[enough]
        order = np.lexsort((second, first))
        pairs.append(np.column_stack([first, second])[order])
        counts.append(both[order].astype(np.int64))
    if not pairs:
        return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(pairs), np.concatenate(counts)


def _are_related(pairs: Ints, related: Ints, columns: Ints, n_items: int) -> Flags:
    ends = np.sort(columns[pairs], axis=1)
    return np.isin(ends[:, 0] * n_items + ends[:, 1], related[:, 0] * n_items + related[:, 1])


def _joined(pairs: Ints, n: int) -> sparse.csr_array:
    """The frequent pairs as a matrix, a 1 in the row of the first and the column of the second."""
    ones = np.ones(len(pairs), dtype=np.int8)
    joined = sparse.csr_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    joined.sort_indices()
    return joined


def _grown(
    sets: Ints, bits: Bits, near: Flags, min_orders: int, max_size: int
) -> Iterator[tuple[Ints, Ints]]:
    """Grow the sets of one class by one item, then by another, block by block.

    ``bits`` are the orders of each set. Yields sets of one size, larger by one, with the number
    of their orders; per size they come in lexicographic order.
    """
    for lefts, rights in _joins(sets, bits.shape[1]):
        likely = near[sets[lefts, -1], sets[rights, -1]]
        lefts, rights = lefts[likely], rights[likely]
        both = bits[lefts] & bits[rights]
        orders = np.bitwise_count(both).sum(axis=1, dtype=np.int64)
        enough = np.flatnonzero(orders >= min_orders)
        if not len(enough):
            continue
        new = np.column_stack([sets[lefts[enough]], sets[rights[enough], -1]])
        yield new, orders[enough]
        if new.shape[1] < max_size:
            yield from _grown(new, both[enough], near, min_orders, max_size)


def _bits(kept: sparse.csr_array, rows: Ints, beyond: Ints) -> Bits:
    """The orders ``rows`` as bits, one row of whole words per item of ``beyond``."""
    position = np.full(kept.shape[1], -1, dtype=np.int64)
    position[beyond] = np.arange(len(beyond))
    part = kept[rows]
    where = position[part.indices]
    order = np.repeat(np.arange(len(rows)), np.diff(part.indptr))
    there = where >= 0
    width = -(-len(rows) // 64) * 64
    held = np.zeros((len(beyond), width), dtype=bool)
    held[where[there], order[there]] = True
    return np.packbits(held, axis=1).view(np.uint64)


def _joins(sets: Ints, words: int) -> Iterator[tuple[Ints, Ints]]:
    """Pair the sets that agree in all but their last item, in blocks of bounded size."""
    new = np.any(sets[1:, :-1] != sets[:-1, :-1], axis=1)
    ends = np.concatenate([np.flatnonzero(new) + 1, [len(sets)]])
    partners = ends[np.concatenate([[0], np.cumsum(new)])] - np.arange(len(sets)) - 1
    block = np.cumsum(partners) // max(1, BLOCK // max(1, words))
    for start, end in pairwise([0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(sets)]):
        n = partners[start:end]
        lefts = np.repeat(np.arange(start, end), n)
        first = np.repeat(np.cumsum(n) - n, n)
        if len(lefts):
            yield lefts, lefts + 1 + np.arange(len(lefts)) - first


def _too_many(max_sets: int, size: int) -> str:
    return (
        f"more than {max_sets:,} sets of up to {size} items are in enough orders; raise "
        "min_support, lower max_items, or choose a coarser level"
    )

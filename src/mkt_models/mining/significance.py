"""Whether two sets of items share orders more often than chance, when many pairs are looked at.

Two tests, and the larger of their p-values counts:

- **Fisher's exact test** over orders. It is exact for rare sets, and takes every order for
  independent of the others, which orders of one customer are not: someone who likes both A and B
  brings both into many orders.
- **A test over customers.** With a, b = 1 where an order holds A, B, every customer c contributes
  the sum over c's orders of (a - P(A)) (b - P(B)). Under independence these sums add up to 0 in
  expectation, and their spread between customers is the standard error, however alike the orders
  of one customer are (the cluster-robust score test, Liang and Zeger 1986). It is a normal
  approximation (Student's t with customers - 1 degrees of freedom), too optimistic for very rare
  sets, for which Fisher's is the larger.

Many tests are corrected for by Benjamini and Yekutieli (2001), which holds however the tests
depend on each other; rules that share items do.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Tests whose customers are counted at once: bounds the memory.
TESTS_AT_ONCE = 2_000


def fisher(both: Ints, first: Ints, second: Ints, n_orders: int) -> Floats:
    """P-values, one-sided, that so many orders hold both sets or more, by chance.

    >>> float(fisher(np.array([3]), np.array([4]), np.array([5]), 10).round(4)[0])
    0.2619
    """
    if not len(both):
        return np.empty(0)
    p = stats.hypergeom.sf(both - 1, n_orders, first, second)
    return np.clip(np.asarray(p, dtype=np.float64), 0.0, 1.0)


def per_customer(orders: Sequence[Ints], customers: Ints, n_customers: int) -> sparse.csc_array:
    """Count each customer's orders among those of each set: customers x sets."""
    sizes = [len(rows) for rows in orders]
    rows = np.concatenate([np.empty(0, dtype=np.int64), *orders]).astype(np.int64)
    columns = np.repeat(np.arange(len(orders)), sizes)
    ones = np.ones(len(rows))
    return sparse.coo_array(
        (ones, (customers[rows], columns)), shape=(n_customers, len(orders))
    ).tocsc()


def over_customers(
    both: sparse.csc_array,
    first: sparse.csc_array,
    second: sparse.csc_array,
    all_orders: Floats,
) -> Floats:
    """P-values, one-sided, of the test over customers; one per column.

    ``both``, ``first``, ``second`` count each customer's orders with the sets (customers x
    rules), ``all_orders`` counts all. The p-value is 1 where nothing can be said: one customer,
    or no spread between customers.
    """
    n_customers, n = len(all_orders), float(all_orders.sum())
    x, y, z = (np.asarray(m.sum(axis=0), dtype=np.float64) for m in (both, first, second))
    share_y, share_z = y / n, z / n
    total = x - share_y * z

    def cross(a: sparse.csc_array, b: sparse.csc_array) -> Floats:
        return np.asarray(a.multiply(b).sum(axis=0), dtype=np.float64)

    t = all_orders
    # The square of x - P(B) y - P(A) z + P(A) P(B) t, summed over customers, term by term: only
    # customers with one of the sets are touched.
    added = (
        cross(both, both)
        + share_z**2 * cross(first, first)
        + share_y**2 * cross(second, second)
        + (share_y * share_z) ** 2 * float(t @ t)
        + 2 * share_y * share_z * (both.T @ t)
        + 2 * share_y * share_z * cross(first, second)
    )
    squares = added - 2 * (
        share_z * cross(both, first)
        + share_y * cross(both, second)
        + share_y * share_z**2 * (first.T @ t)
        + share_y**2 * share_z * (second.T @ t)
    )
    if n_customers < 2:
        return np.ones(len(x))
    spread = np.sqrt(np.maximum(squares, 0.0) * n_customers / (n_customers - 1))
    known = squares > 1e-12 * added  # less is what rounding leaves of no spread at all
    score = np.divide(total, spread, out=np.zeros_like(total), where=known)
    return np.where(known, stats.t.sf(score, n_customers - 1), 1.0)


def corrected(p: Floats, n_tests: int) -> Floats:
    """Q-values of Benjamini and Yekutieli for some of ``n_tests`` tests.

    Tests that are not among ``p`` count as tests that found nothing, which can only make the
    q-values larger. Keep the rules with q <= 0.05, and at most 5% of them are expected to be
    chance, however the tests depend on each other.

    >>> corrected(np.array([0.001, 0.02]), 3).round(4).tolist()
    [0.0055, 0.055]
    """
    if not len(p):
        return p
    order = np.argsort(p, kind="stable")
    ranks = np.arange(1, len(p) + 1)
    harmonic = float(np.sum(1.0 / np.arange(1, n_tests + 1)))
    raised = p[order] * n_tests * harmonic / ranks
    q = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    out = np.empty_like(q)
    out[order] = q
    return out


def rule_tests(
    cells: sparse.csr_array, customers: Ints, sides: Sequence[tuple[int, ...]], tests: Ints
) -> tuple[Floats, Ints]:
    """The test over customers, and the customers with both sides; one per row of ``tests``.

    Parameters
    ----------
    cells
        orders x items, 1 where an order holds an item
    customers
        the customer of every order, numbered from 0
    sides
        sets of items, the rarest item first
    tests
        three places in ``sides`` per test: one side, the other, both together

    """
    n_customers = int(customers.max()) + 1 if len(customers) else 0
    all_orders = np.bincount(customers, minlength=n_customers).astype(np.float64)
    of_item = cells.T.tocsr()
    p_values = np.ones(len(tests))
    holders = np.zeros(len(tests), dtype=np.int64)
    for start in range(0, len(tests), TESTS_AT_ONCE):
        some = tests[start : start + TESTS_AT_ONCE]
        wanted, where = np.unique(some, return_inverse=True)
        where = where.reshape(some.shape)
        counts = per_customer(
            _orders(of_item, [sides[side] for side in wanted.tolist()]), customers, n_customers
        )
        first, second, both = (counts[:, where[:, i]] for i in range(3))
        stop = start + len(some)
        p_values[start:stop] = over_customers(both, first, second, all_orders)
        holders[start:stop] = np.diff(both.indptr)
    return p_values, holders


def _orders(of_item: sparse.csr_array, sides: Sequence[tuple[int, ...]]) -> list[Ints]:
    """List the orders that hold all items of each side."""
    marks: dict[int, npt.NDArray[np.uint8]] = {}  # an item's orders as bits
    found = []
    for side in sides:
        # The rarest item comes first.
        orders = of_item.indices[of_item.indptr[side[0]] : of_item.indptr[side[0] + 1]]
        byte, bit = orders >> 3, (128 >> (orders & 7)).astype(np.uint8)
        for item in side[1:]:
            if item not in marks:
                held = np.zeros(of_item.shape[1], dtype=bool)
                held[of_item.indices[of_item.indptr[item] : of_item.indptr[item + 1]]] = True
                marks[item] = np.packbits(held)
            there = (marks[item][byte] & bit) != 0
            orders, byte, bit = orders[there], byte[there], bit[there]
        found.append(orders)
    return found

"""The prices of budgets: the dual of the linear programme of an allocation.

With the prices fixed, customers do not depend on each other, so ``sum over customers of the best
net worth + prices x budgets`` is one pass over the options. It is convex and piecewise linear in as
many variables as there are budgets, and for any prices of 0 or more an upper bound of what an
allocation is worth (weak duality), so the gap is known and not estimated. Cutting planes in a trust
region (Kelley 1960; Marsten, Hogan and Blankenship 1975) descend from the prices of a sample that
HiGHS has solved.

Module of the notebooks: it needs SciPy, which the service does not carry.
"""

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from mkt_models.decisions.options import AllocationError, Bools, Floats, Ints, Options

EXACT_ROWS = 50_000  # options up to which HiGHS solves the whole linear programme
SAMPLE_ROWS = 30_000  # options of the sample that a larger problem starts from
GAP = 1e-6  # of the bound, at which the dual counts as solved
CUTS = 80
FIRST_STEP = 1e-4  # of a price, by which it is first raised or lowered


def dual_value(options: Options, budgets: Floats, k: int, prices: Floats) -> float:
    """Bound what any allocation is worth: the dual of the linear programme at some prices."""
    rows, net = options.best(prices, k)
    return float(net[rows].sum() + prices @ budgets)


def linear_programme(options: Options, budgets: Floats, k: int) -> tuple[float, Floats]:
    """Solve the linear programme by HiGHS: its optimum, and the prices of the budgets."""
    if not len(options.worth) or not len(budgets):
        rows, net = options.best(np.zeros(len(budgets)), k)
        return float(net[rows].sum()), np.zeros(len(budgets))
    matrix, limits = constraints(options, budgets, k)
    found = linprog(-options.worth, A_ub=matrix, b_ub=limits, bounds=(0, 1), method="highs")
    if not found.success:
        raise AllocationError(f"HiGHS found no allocation: {found.message}")
    prices = np.maximum(-found.ineqlin.marginals[: len(budgets)], 0.0)
    return float(-found.fun), prices


def constraints(options: Options, budgets: Floats, k: int) -> tuple[sparse.csr_array, Floats]:
    """Rows of the budgets, of each customer's k, and of each family where k would let in two.

    A fall-back takes the place of all k, and of every family of its customer.
    """
    n = len(options.worth)
    every = np.arange(n)
    _, who = np.unique(options.customer, return_inverse=True)
    alone = np.zeros(n, dtype=bool) if options.alone is None else options.alone
    blocks = [sparse.csr_array(options.uses[options.use].T)]
    limits = [budgets]
    places = np.where(alone, float(k), 1.0)
    blocks.append(sparse.csr_array((places, (who, every)), shape=(who.max() + 1, n)))
    limits.append(np.full(who.max() + 1, float(k)))
    if k > 1:
        group = np.repeat(
            np.arange(len(options.group_starts)), np.diff(np.r_[options.group_starts, n])
        )
        shape = (len(options.group_starts), n)
        rows, columns = _families(group, who, alone)
        blocks.append(sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape))
        limits.append(np.ones(len(options.group_starts)))
    return sparse.vstack(blocks, format="csr"), np.concatenate(limits)


def _families(group: Ints, who: Ints, alone: Bools) -> tuple[Ints, Ints]:
    """Entries of the rows of families: a fall-back stands in all of its customer's."""
    usual, last = np.flatnonzero(~alone), np.flatnonzero(alone)
    first = np.searchsorted(who, who[last])
    groups = group[np.searchsorted(who, who[last], side="right") - 1] - group[first] + 1
    start = np.cumsum(groups) - groups
    inside = np.arange(int(groups.sum())) - np.repeat(start, groups)
    rows = np.repeat(group[first], groups) + inside
    return np.r_[group[usual], rows], np.r_[usual, np.repeat(last, groups)]


def sampled_prices(options: Options, budgets: Floats, k: int, seed: int) -> Floats:
    """The prices of a sample of the customers, with as large a share of the budgets."""
    codes = np.unique(options.customer)
    share = min(1.0, SAMPLE_ROWS / len(options.worth))
    some = np.random.default_rng(seed).choice(codes, max(1, int(share * len(codes))), replace=False)
    chosen = np.zeros(int(codes[-1]) + 1, dtype=bool)
    chosen[some] = True
    sample = options.part(np.flatnonzero(chosen[options.customer]))
    return linear_programme(sample, budgets * (len(some) / len(codes)), k)[1]


def _dearest(options: Options) -> Floats:
    """Per budget a price at which nothing takes of it any more."""
    most = np.zeros(len(options.uses))
    np.maximum.at(most, options.use, options.worth)
    ratio = np.divide(
        most[:, None], options.uses, out=np.zeros_like(options.uses), where=options.uses > 0
    )
    return np.asarray(ratio.max(axis=0, initial=0.0) * (1 + 1e-9), dtype=np.float64)


def descended(options: Options, budgets: Floats, k: int, start: Floats) -> Floats:
    """Minimise the dual by cutting planes in a trust region around the best prices so far."""
    top = _dearest(options)
    best = np.minimum(start, top)
    scale = np.where(best > 0, best, np.maximum(top, 1e-12) * 1e-3)
    radius, slopes, heights = 0.05, [], []
    lowest, price = np.inf, best
    for _ in range(CUTS):
        rows, net = options.best(price, k)
        slope = budgets - options.used(rows)
        value = float(net[rows].sum() + price @ budgets)
        slopes.append(slope)
        heights.append(value - float(slope @ price))
        if value < lowest:
            radius = radius * 1.5 if np.isfinite(lowest) else radius
            lowest, best = value, price
        else:
            radius /= 2
        cuts = (np.array(slopes), np.array(heights))
        floor, _ = _lowest_of_cuts(*cuts, np.zeros_like(top), top)
        if lowest - floor <= GAP * abs(lowest):
            break
        near = (np.maximum(best - radius * scale, 0), np.minimum(best + radius * scale, top))
        _, price = _lowest_of_cuts(*cuts, *near)
    return best


def _lowest_of_cuts(
    slopes: Floats, heights: Floats, lower: Floats, upper: Floats
) -> tuple[float, Floats]:
    """Lowest point of the highest of the cuts, within a box of prices."""
    n = slopes.shape[1]
    cost = np.r_[np.zeros(n), 1.0]
    matrix = np.column_stack([slopes, -np.ones(len(slopes))])
    bounds = [*zip(lower, np.maximum(lower, upper), strict=True), (None, None)]
    found = linprog(cost, A_ub=matrix, b_ub=-heights, bounds=bounds, method="highs")
    if not found.success:
        raise AllocationError(f"HiGHS found no prices: {found.message}")
    return float(found.fun), np.maximum(np.asarray(found.x[:n], dtype=np.float64), 0.0)


def tightened(options: Options, budgets: Floats, k: int, start: Floats) -> Floats:
    """Raise prices until choosing by price keeps every budget, then lower them as far as it does.

    Raising one price lowers the use of its own budget, though it may raise another's, or by a
    fall-back its own; so prices are raised one after the other until all hold. Where two budgets
    push customers to and fro without end, all prices are raised together, in proportion: at the
    dearest ones nothing takes of any budget.
    """
    top = _dearest(options)
    prices = np.minimum(start, top)
    limits = room(budgets)
    near = 1e-9 if len(options.worth) <= EXACT_ROWS else 1e-5

    def over(some: Floats) -> Bools:
        rows, _ = options.decided(some, k)
        return options.used(rows) > limits

    for _ in range(20 * len(prices)):
        broken = np.flatnonzero(over(prices))
        if not len(broken):
            break
        one = int(broken[0])
        prices = _with(prices, one, _raised(prices, one, top[one], over, near))
    else:
        prices = _raised_together(np.minimum(start, top), top, over, near)
    for one in range(len(prices)):
        if prices[one] > 0:
            prices = _with(prices, one, _lowered(prices, one, over, near))
    return prices


def room(budgets: Floats) -> Floats:
    """The budgets, and what adding up in another order may make of them."""
    return budgets * (1 + 1e-12)


def _with(prices: Floats, one: int, price: float) -> Floats:
    changed = prices.copy()
    changed[one] = price
    return changed


def _raised(
    prices: Floats, one: int, top: float, over: Callable[[Floats], Bools], near: float
) -> float:
    """The lowest price of one budget, from where it is up, at which that budget holds."""
    low, step = float(prices[one]), max(float(prices[one]) * FIRST_STEP, top * FIRST_STEP**2)
    high = min(low + step, top)
    while high < top and over(_with(prices, one, high))[one]:
        low, step = high, 2 * step
        high = min(low + step, top)
    while high - low > near * high:
        middle = (low + high) / 2
        if over(_with(prices, one, middle))[one]:
            low = middle
        else:
            high = middle
    return high


def _raised_together(
    prices: Floats, top: Floats, over: Callable[[Floats], Bools], near: float
) -> Floats:
    """Prices that are higher in one proportion, so little that less would break a budget."""

    def at(share: float) -> Floats:
        return np.minimum(prices * (1 + share) + top * (share * FIRST_STEP), top)

    low, high = 0.0, FIRST_STEP**2
    while over(at(high)).any() and (at(high) < top).any():
        low, high = high, 2 * high
    while high - low > near * high:
        middle = (low + high) / 2
        if over(at(middle)).any():
            low = middle
        else:
            high = middle
    return at(high)


def _lowered(prices: Floats, one: int, over: Callable[[Floats], Bools], near: float) -> float:
    """The lowest price of one budget, from where it is down, at which all budgets hold."""
    high, step = float(prices[one]), float(prices[one]) * FIRST_STEP
    low = high - step
    while not over(_with(prices, one, max(low, 0.0))).any():
        high, step = max(low, 0.0), 2 * step
        if high == 0:
            return 0.0
        low = high - step
    low = max(low, 0.0)
    while high - low > near * high:
        middle = (low + high) / 2
        if over(_with(prices, one, middle)).any():
            low = middle
        else:
            high = middle
    return high

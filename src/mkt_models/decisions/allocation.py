"""Who gets what, when money, coupons, people's hours and contacts are limited.

Maximise the worth of what is chosen, over all customers at once, such that each gets at most ``k``
options, at most one of a family, and no budget is exceeded. A fall-back is had alone or not at all.
Its linear programme lets a customer have part of an option. HiGHS solves it where it is of moderate
size, and gives the prices of the budgets; where it is large, its dual is minimised
(:mod:`mkt_models.decisions.dual`).

Two allocations come of it:

by price
    everybody gets the options whose net worth at the prices is highest, and above 0; who gets
    none, the fall-back. The prices are raised until the budgets hold, and lowered as far as they
    still do. This is what the online answer does, alone, one customer after the other. The linear
    programme may also give a fall-back that is worth more than all else, so it stays the bound.
filled
    what the budgets still allow goes to the customers on the margin, those who miss it by least,
    in the order of their rows. These customers are counted. ``integer`` solves the problem as an
    integer programme instead, for small ones: then more customers may get another answer.

Module of the notebooks: it needs SciPy, which the service does not carry.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from mkt_models.decisions.dual import (
    EXACT_ROWS,
    constraints,
    descended,
    dual_value,
    linear_programme,
    room,
    sampled_prices,
    tightened,
)
from mkt_models.decisions.options import AllocationError, Bools, Floats, Ints, Options

FILLED = 50_000  # options that are tried to fill what the prices leave


@dataclass(frozen=True)
class Allocation:
    """What came of it.

    Attributes
    ----------
    prices
        Per budget, currency units per unit; those that the online answer uses.
    bound
        No allocation, even in parts, is worth more, in currency units.
    by_price
        Rows that are chosen at the prices alone.
    filled
        Rows that are chosen when what is left of the budgets goes to those on the margin.
    worth_by_price, worth
        Of the two, in currency units.
    used
        What ``filled`` takes of each budget.
    marginal
        Customers who get another answer in ``filled`` than by price.
    exact
        Whether HiGHS has solved the whole linear programme, so that the bound is its optimum.

    """

    prices: Floats
    bound: float
    by_price: Ints
    filled: Ints
    worth_by_price: float
    worth: float
    used: Floats
    marginal: int
    exact: bool

    @property
    def gap(self) -> float:
        """Share of the bound that ``filled`` does not reach."""
        return 0.0 if self.bound <= 0 else 1 - self.worth / self.bound


def allocate(
    options: Options, budgets: Floats, k: int = 1, seed: int = 0, integer: bool = False
) -> Allocation:
    """Allocate options to customers within budgets.

    Parameters
    ----------
    options
        What could be done for whom.
    budgets
        How much there is of each, 0 or more.
    k
        Options that a customer gets at most.
    seed
        Of the sample that a large problem starts from.
    integer
        Whether to solve the integer programme instead of filling up.

    Raises
    ------
    AllocationError
        When a budget is negative or not finite, their number is not that of the columns of
        ``uses``, or ``k`` is not positive.

    """
    amounts = np.asarray(budgets, dtype=np.float64)
    if amounts.ndim != 1 or len(amounts) != options.uses.shape[1]:
        raise AllocationError(
            f"{amounts.size} budgets for {options.uses.shape[1]} columns of uses: give one each"
        )
    if not (np.isfinite(amounts).all() and (amounts >= 0).all()):
        raise AllocationError(f"budgets == {amounts.tolist()}: must be finite and 0 or more")
    if k < 1:
        raise AllocationError(f"k == {k}, must be 1 or more")
    inside = np.flatnonzero(options.worth > 0)
    gains = options if len(inside) == len(options.worth) else options.part(inside)
    if k == 1:  # of a customer, as of a family, there is one option at most
        gains = replace(gains, family=np.zeros_like(gains.family))
    exact = len(gains.worth) <= EXACT_ROWS
    if exact:
        _, prices = linear_programme(gains, amounts, k)
    else:
        prices = descended(gains, amounts, k, sampled_prices(gains, amounts, k, seed))
    bound = dual_value(gains, amounts, k, prices)
    prices = tightened(gains, amounts, k, prices)
    rows, _ = gains.decided(prices, k)
    filled = _filled(gains, amounts, k, prices, rows)
    if integer:
        filled = _integer(gains, amounts, k, filled)
    return Allocation(
        prices=prices,
        bound=bound,
        by_price=inside[rows],
        filled=inside[filled],
        worth_by_price=float(gains.worth[rows].sum()),
        worth=float(gains.worth[filled].sum()),
        used=gains.used(filled),
        marginal=len(np.unique(gains.customer[np.setxor1d(rows, filled, assume_unique=True)])),
        exact=exact,
    )


def _filled(options: Options, budgets: Floats, k: int, prices: Floats, rows: Ints) -> Ints:
    """Give what is left of the budgets to those on the margin, who miss an option by least.

    An option takes the place of the customer's option of the same family; where they have k
    already, that of the one with the lowest net worth; and that of the fall-back, which itself
    goes only to who has nothing. Each customer's answer changes once.
    """
    if not len(options.worth):
        return rows
    net = options.worth - (options.uses @ prices)[options.use]
    instead = _displaced(options, net, k, rows)
    out = np.maximum(instead, 0)
    some = instead >= 0
    gain = options.worth - np.where(some, options.worth[out], 0.0)
    gain[_barred(options, rows)] = 0.0
    missed = np.where(some, net[out], 0.0) - net
    likely = np.flatnonzero(gain > 0)
    likely = likely[np.lexsort((likely, missed[likely]))[:FILLED]]
    left = room(budgets) - options.used(rows)
    moved: set[int] = set()
    chosen = set(rows.tolist())
    for row in likely.tolist():
        who, old = int(options.customer[row]), int(instead[row])
        more = options.uses[options.use[row]]
        if old >= 0:
            more = more - options.uses[options.use[old]]
        if who in moved or (more > np.maximum(left, 0)).any():
            continue
        moved.add(who)
        left = left - more
        chosen.discard(old)
        chosen.add(row)
    return np.array(sorted(chosen), dtype=np.intp)


def _displaced(options: Options, net: Floats, k: int, rows: Ints) -> Ints:
    """Per option the chosen row whose place it would take; -1 where there is room."""
    n = len(options.worth)
    sizes = np.diff(np.r_[options.group_starts, n])
    group = np.repeat(np.arange(len(sizes)), sizes)
    of_group = np.full(len(sizes), -1, dtype=np.intp)
    of_group[group[rows]] = rows
    who = np.unique(options.customer, return_inverse=True)[1]
    count = np.bincount(who[rows], minlength=int(who[-1]) + 1)
    worst = np.full(len(count), -1, dtype=np.intp)
    falling = rows[np.argsort(-net[rows], kind="stable")]
    worst[who[falling]] = falling  # the last one that is written is the lowest
    full = np.where(count >= k, worst, -1)
    found = np.where(of_group[group] >= 0, of_group[group], full[who])
    if options.alone is None:
        return found
    last = np.full(len(count), -1, dtype=np.intp)
    held = rows[options.alone[rows]]
    last[who[held]] = held
    return np.where(last[who] >= 0, last[who], found)


def _barred(options: Options, rows: Ints) -> Bools:
    """Fall-backs of customers who get something else."""
    if options.alone is None:
        return np.zeros(len(options.worth), dtype=bool)
    served = np.unique(options.customer[rows[~options.alone[rows]]])
    return np.asarray(options.alone & np.isin(options.customer, served))


def _integer(options: Options, budgets: Floats, k: int, filled: Ints) -> Ints:
    """Solve the integer programme by HiGHS; what was there stays where it is not better."""
    if not len(options.worth):
        return filled
    matrix, limits = constraints(options, budgets, k)
    found = milp(
        -options.worth,
        constraints=LinearConstraint(matrix, -np.inf, limits),
        integrality=np.ones(len(options.worth)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:
        return filled
    rows = np.flatnonzero(found.x > 0.5)
    holds = (options.used(rows) <= room(budgets)).all()
    better = options.worth[rows].sum() > options.worth[filled].sum()
    return rows if holds and better else filled

"""The plan of a period: what a unit of each budget is worth to all customers together.

Every customer's candidates go through the same gates as in a decision; what passes is allocated
within the budgets (:mod:`mkt_models.decisions.allocation`), and the prices go into the snapshot.
From then on each customer is decided for alone, in batch and online, and pays these prices. The
plan lets every customer ask once in the period; who asks twice draws twice, and the contact policy
is what limits that.

The default, which goes to those who get nothing else, is an option as well: who is not planned for
falls back on it, and pays for it. Beside the budgets, a decision keeps to contact limits among the
strategies of one answer, which no linear programme knows. So what is decided at the prices is added
up, and while it exceeds a budget that budget's price is raised.

Module of the notebooks: it needs SciPy, which the service does not carry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mkt_models.budget_params import Budget, Budgets
from mkt_models.columns import NumberKind
from mkt_models.decisions.allocation import Allocation, allocate
from mkt_models.decisions.arbitration import Fits, Scored, arbitrate, tie
from mkt_models.decisions.budgets import ShadowPrice
from mkt_models.decisions.charges import charges, check_budgets, use
from mkt_models.decisions.contact import held_out
from mkt_models.decisions.decide import contact_limits, weigh
from mkt_models.decisions.options import Floats, Options
from mkt_models.decisions.question import EARLIEST, Context, Customer, Policy
from mkt_models.store.snapshot import Store

STEP = 1.02  # by which a price is raised while its budget does not hold
STEPS = 400
HALVINGS = 26  # of the last such step, to less than a thousandth of the ties


@dataclass(frozen=True)
class Asked:
    """A customer with the candidates that passed every gate and are worth something."""

    customer_id: str
    scored: tuple[Scored, ...]
    fits: Fits


@dataclass(frozen=True)
class Plan:
    """The prices of a period, and what they are worth.

    Attributes
    ----------
    budgets
        The budgets, and the period that they are for.
    asked
        Customers with a candidate that is worth something; a row of ``options`` belongs to one of
        their candidates, ``row_of`` says to which.
    options, row_of
        What was allocated, and per row the place in ``asked`` and in its candidates.
    allocation
        The allocation within the budgets.
    prices
        What decisions pay: those of the allocation, raised where a decision takes more than it.
    chosen
        What decisions choose at these prices: places as in ``row_of``.
    used
        What they take of each budget, with the default for everybody.
    k
        Strategies per answer.

    """

    budgets: Budgets
    asked: tuple[Asked, ...]
    options: Options
    row_of: tuple[tuple[int, int], ...]
    allocation: Allocation
    prices: tuple[ShadowPrice, ...]
    chosen: frozenset[tuple[int, int]]
    used: Floats
    k: int

    @property
    def worth(self) -> float:
        """What is decided at the prices is worth, in currency units."""
        return sum(self.asked[who].scored[which].amount for who, which in self.chosen)

    @property
    def marginal(self) -> int:
        """Customers to whom the allocation would give another answer than the prices."""
        planned = {self.row_of[row] for row in self.allocation.filled.tolist()}
        return len({who for who, _ in planned ^ self.chosen})

    def rows(self) -> tuple[dict[str, Any], ...]:
        """The shadow prices, one JSON-able row per budget, as the snapshot carries them.

        ``price`` is what one more unit would bring, in currency units; ``used`` what decisions take
        when every customer asks once; ``n`` the customers with a candidate that draws on it, and
        ``n_marginal`` those to whom an allocation over all would give another answer. The kind is
        that of the worths: randomised only where all of them are.
        """
        kinds = {one.worth.kind for customer in self.asked for one in customer.scored}
        measured = kinds == {NumberKind.RANDOMISED}
        kind = NumberKind.RANDOMISED if measured else NumberKind.PROPENSITY_WEIGHTED
        drawing = self.options.uses[self.options.use] > 0
        return tuple(
            {
                "budget": price.budget.id,
                "resource": price.budget.resource,
                "channels": [channel.value for channel in price.budget.channels],
                "strategies": list(price.budget.strategies),
                "offers": list(price.budget.offers),
                "amount": price.budget.amount,
                "period_days": self.budgets.period_days,
                "price": price.price,
                "used": round(float(self.used[column]), 6),
                "kind": kind.value,
                "n": int(np.unique(self.options.customer[drawing[:, column]]).size),
                "n_marginal": self.marginal,
            }
            for column, price in enumerate(self.prices)
        )


def plan(
    customers: Iterable[Customer], context: Context, policy: Policy, budgets: Budgets, k: int
) -> Plan | None:
    """Find the prices of the budgets for a period; None where there are no budgets.

    Parameters
    ----------
    customers
        Everybody whom the budgets are for. Their candidates that pass the gates are kept in memory.
    context
        When the question is asked; no channel, as the budgets are for all of them.
    policy
        What holds for all decisions; its own prices, if any, are not looked at.
    budgets
        The budgets.
    k
        Strategies per answer, all of which count as sent.

    Raises
    ------
    BudgetError
        When the catalogue has no use for a budget.

    """
    check_budgets(budgets, policy.catalogue)
    if not budgets.resources:
        return None
    asked = tuple(_asked(customers, context, replace(policy, prices=())))
    default = policy.catalogue.default
    options, row_of = _options(asked, budgets.resources, default)
    amounts = np.array([budget.amount for budget in budgets.resources])
    allocation = allocate(options, amounts, k)
    prices = tuple(
        ShadowPrice(budget, float(price))
        for budget, price in zip(budgets.resources, allocation.prices, strict=True)
    )
    prices = _holding(asked, prices, default, k)
    chosen, used = _decided(asked, prices, default, k)
    return Plan(budgets, asked, options, row_of, allocation, prices, chosen, used, k)


def publish_prices(path: str | Path, found: Plan) -> str:
    """Write the prices of a plan into a snapshot, which is replaced at once; return its new id."""
    with Store.open(path) as store:
        meta = replace(store.meta(), shadow_prices=found.rows())
        consents = chain.from_iterable(store.all_consents().values())
        exposures = chain.from_iterable(store.all_exposures(EARLIEST).values())
        return Store.write_snapshot(path, meta, store.customers(), consents, exposures)


def _asked(customers: Iterable[Customer], context: Context, policy: Policy) -> Iterable[Asked]:
    scene = policy.scene(context)
    for customer in customers:
        if held_out(customer.customer_id, policy.holdout_salt, policy.holdout_share):
            continue  # whom nobody contacts takes nothing
        fits = contact_limits(customer, context, policy)
        scored, _ = weigh(customer, context, policy, scene, fits)
        place = tie(customer.customer_id)
        gains = tuple(replace(one, tie=place) for one in scored if one.amount > 0)
        if gains:
            yield Asked(customer.customer_id, gains, fits)


def _options(
    asked: Sequence[Asked], budgets: Sequence[Budget], default: str
) -> tuple[Options, tuple[tuple[int, int], ...]]:
    """One row per candidate; the default is the fall-back."""
    rows: list[tuple[int, int, int, str]] = []
    families: dict[str, int] = {}
    for who, customer in enumerate(asked):
        for which, one in enumerate(customer.scored):
            name = one.candidate.entry.family.value
            family = families.setdefault(name, len(families))
            rows.append((who, family, which, one.candidate.key))
    rows.sort(key=lambda row: (row[0], row[1], row[3]))
    scored = [asked[who].scored[which] for who, _, which, _ in rows]
    taken = [tuple(use(one.candidate, budget) for budget in budgets) for one in scored]
    ways = {way: place for place, way in enumerate(dict.fromkeys(taken))}
    options = Options(
        customer=np.array([row[0] for row in rows], dtype=np.intp),
        family=np.array([row[1] for row in rows], dtype=np.intp),
        worth=np.array([one.raised for one in scored], dtype=np.float64),
        uses=np.array(list(ways), dtype=np.float64).reshape(len(ways), len(budgets)),
        use=np.array([ways[way] for way in taken], dtype=np.intp),
        alone=np.array([one.candidate.entry.id == default for one in scored], dtype=bool),
    )
    return options, tuple((row[0], row[2]) for row in rows)


def _decided(
    asked: Sequence[Asked], prices: Sequence[ShadowPrice], default: str, k: int
) -> tuple[frozenset[tuple[int, int]], Floats]:
    """What decisions choose at some prices, and what that takes of each budget."""
    chosen: set[tuple[int, int]] = set()
    used = np.zeros(len(prices))
    for who, customer in enumerate(asked):
        priced = [replace(one, charges=charges(one.candidate, prices)) for one in customer.scored]
        place = {one.candidate.key: which for which, one in enumerate(priced)}
        for one in arbitrate(priced, default, k, customer.fits)[0]:
            chosen.add((who, place[one.candidate.key]))
            used += [use(one.candidate, price.budget) for price in prices]
    return frozenset(chosen), used


def _holding(
    asked: Sequence[Asked], prices: tuple[ShadowPrice, ...], default: str, k: int
) -> tuple[ShadowPrice, ...]:
    """Raise the prices of budgets that decisions exceed, no further than until all hold.

    The last step is halved again and again, as customers who are alike differ by a millionth. Then
    each price is lowered as far as all budgets hold: who pays more for one can pay less for others.
    """
    room = np.array([price.budget.amount for price in prices]) * (1 + 1e-9)

    def over(some: Sequence[ShadowPrice]) -> list[bool]:
        return [bool(one) for one in _decided(asked, some, default, k)[1] > room]

    def between(low: tuple[ShadowPrice, ...], high: tuple[ShadowPrice, ...]) -> Any:
        for _ in range(HALVINGS):
            middle = tuple(
                replace(one, price=(one.price + other.price) / 2)
                for one, other in zip(low, high, strict=True)
            )
            low, high = (middle, high) if any(over(middle)) else (low, middle)
        return high

    low, broken = prices, over(prices)
    if not any(broken):
        return prices
    for _ in range(STEPS):
        high = tuple(
            replace(one, price=_higher(one, asked)) if raised else one
            for one, raised in zip(low, broken, strict=True)
        )
        broken = over(high)
        if not any(broken):
            break
        low = high
    found: tuple[ShadowPrice, ...] = between(low, high)
    for column, price in enumerate(found):
        lower = (*found[:column], replace(price, price=0.0), *found[column + 1 :])
        found = between(lower, found) if any(over(lower)) else lower
    return found


def _higher(price: ShadowPrice, asked: Sequence[Asked]) -> float:
    """A little more; from 0 up to what a hundredth of the dearest candidate pays per unit."""
    if price.price > 0:
        return price.price * STEP
    ratios = (
        one.amount / taken
        for customer in asked
        for one in customer.scored
        if (taken := use(one.candidate, price.budget)) > 0
    )
    return 0.01 * max(ratios, default=0.0)

"""Counterfactual twins: a customer with the values of another, in one class of attributes only.

Kusner et al. (2017) call a decision counterfactually fair when it would have been the same in a
world where only the attribute differed. Here the other world is another real customer's values of
the whole class, so that a twin is no impossible person: many orders, but nothing spent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mkt_models.columns import SENSITIVE, LifecycleStage
from mkt_models.decisions.eligibility import missing
from mkt_models.decisions.question import Customer
from mkt_models.terms_params import LEADS, AttributeClass

STAGE = "lifecycle_stage"
TAGS = ("behaviour_tags",)

COLUMNS: Mapping[AttributeClass, tuple[str, ...]] = {
    AttributeClass.IDENTITY: (),
    AttributeClass.TENURE: ("tenure_days", "days_since_registration"),
    AttributeClass.LOYALTY: (
        "orders_365d",
        "orders_28d",
        "orders_90d",
        "amount_28d",
        "amount_90d",
        "amount_365d",
        "days_since_last_order",
        "days_between_orders",
        "usual_gap_days",
        "silence",
        "value_amount",
        "value_percentile",
        "value_tier",
    ),
    AttributeClass.DEVICE: ("preferred_device", "purchase_channel", "behaviour_tags"),
    AttributeClass.WILLINGNESS_TO_PAY: (
        "price_index",
        "purchasing_power",
        "mean_order_amount",
        "largest_order_90d",
        "discount_share",
        "coupon_share",
        "coupon_share_365d",
        "private_label_share",
        "redemptions_90d",
        "answered_campaigns",
        "campaigns_90d",
        "spending_habit",
        "payment_method",
    ),
    AttributeClass.SENSITIVE: SENSITIVE,
}
"""The columns of a profile that change together. The first number of a class is its *lead*: gaps
are of the customer with more of it to the one with less. ``behaviour_tags`` stand with the device
because one of them tells it."""

SCORES: Mapping[AttributeClass, tuple[str, ...]] = {AttributeClass.LOYALTY: ("churn", "value")}
"""Model scores that say the same as the class, and change with it."""


def lead(customer: Customer, attribute: AttributeClass) -> float:
    """How much of a class a customer has, by its lead column; NaN without a lead or value."""
    return _number(customer, LEADS.get(attribute, ""))


def known(customers: Sequence[Customer], attribute: AttributeClass) -> bool:
    """Whether any of the customers has a value of the class; nobody's cannot be looked at."""
    if attribute is AttributeClass.IDENTITY:
        return len(customers) > 1
    names, scores = COLUMNS[attribute], SCORES.get(attribute, ())
    values = [name for name in names if name not in TAGS]  # which tell of the others
    return any(
        any(not missing(one.profile.get(name)) for name in values)
        or any(one.scores.get(name) for name in scores)
        for one in customers
    )


class Donors:
    """Whose values the twins of a class get: at random, and from both ends of every column.

    The ends make sure that a rule on any single column, whatever its threshold, is crossed by some
    twin, however few customers it concerns.
    """

    def __init__(self, customers: Sequence[Customer], attribute: AttributeClass) -> None:
        """Look for the ends among these customers, apart for each group that may be exchanged."""
        self.attribute = attribute
        self._pools: dict[str, list[Customer]] = {}
        for one in customers:
            self._pools.setdefault(self._pool(one), []).append(one)
        self._ends = {name: self._extremes(pool) for name, pool in self._pools.items()}

    def of(self, customer: Customer, n: int, rng: np.random.Generator) -> Iterator[Customer]:
        """Donors for one customer: those of the ends, then ``n`` at random, with replacement."""
        for name in self._from(customer):
            yield from (one for one in self._ends[name] if one is not customer)
        pools = [self._pools[name] for name in self._from(customer)]
        sizes = np.cumsum([len(pool) for pool in pools])
        if not pools or sizes[-1] < 2:
            return
        for place in rng.integers(0, sizes[-1], size=n):
            which = int(np.searchsorted(sizes, place, side="right"))
            donor = pools[which][int(place) - (int(sizes[which - 1]) if which else 0)]
            if donor is not customer:
                yield donor

    def _pool(self, one: Customer) -> str:
        # A stage tells both of tenure (new) and of loyalty (active, dormant, lost). Loyalty is
        # exchanged among customers who are both new or both not; tenure as `twin` says.
        new = one.profile.get(STAGE) == LifecycleStage.NEW
        if self.attribute is AttributeClass.LOYALTY:
            return "new" if new else "known"
        if self.attribute is AttributeClass.TENURE:
            stage = one.profile.get(STAGE)
            return "new" if new else "active" if stage == LifecycleStage.ACTIVE else "known"
        return ""

    def _from(self, customer: Customer) -> list[str]:
        mine = self._pool(customer)
        if self.attribute is AttributeClass.TENURE:
            wanted = {
                "new": ("new", "active"),
                "active": ("new", "active", "known"),
                "known": ("active", "known"),
            }[mine]
        else:
            wanted = (mine,)
        return [name for name in wanted if name in self._pools]

    def _extremes(self, pool: Sequence[Customer]) -> list[Customer]:
        found: dict[str, Customer] = {}
        for read in _readers(self.attribute):
            there = [one for one in pool if not np.isnan(read(one))]
            for end in (min, max):
                if there:
                    best = end(there, key=lambda one: (read(one), one.customer_id))
                    found[best.customer_id] = best
        for name in COLUMNS[self.attribute]:
            for one in pool:  # of a text, one customer per value
                value = one.profile.get(name)
                if isinstance(value, str) and not missing(value):
                    found.setdefault(f"{name}={value}", one)
        return list({id(one): one for one in found.values()}.values())


def twin(customer: Customer, donor: Customer, attribute: AttributeClass) -> Customer:
    """The customer with the donor's values of one class; all else is as it was.

    Of identity, the id alone changes. A lifecycle stage changes with tenure only from or to new,
    and with loyalty only among the others.
    """
    if attribute is AttributeClass.IDENTITY:
        return replace(customer, customer_id=donor.customer_id)
    profile = dict(customer.profile)
    for name in COLUMNS[attribute]:
        profile[name] = donor.profile.get(name)
    stages = (customer.profile.get(STAGE), donor.profile.get(STAGE))
    newness = sum(stage == LifecycleStage.NEW for stage in stages)
    if (attribute is AttributeClass.TENURE and newness == 1) or (
        attribute is AttributeClass.LOYALTY and newness == 0
    ):
        profile[STAGE] = stages[1]
    scores = dict(customer.scores)
    for name in SCORES.get(attribute, ()):
        scores.pop(name, None)
        if name in donor.scores:
            scores[name] = donor.scores[name]
    return replace(customer, profile=profile, scores=scores)


def _readers(attribute: AttributeClass) -> Iterator[Callable[[Customer], float]]:
    for name in COLUMNS[attribute]:
        yield lambda one, name=name: _number(one, name)  # type: ignore[misc]
    for name in SCORES.get(attribute, ()):
        yield lambda one, name=name: _as_number((one.scores.get(name) or {}).get("value"))  # type: ignore[misc]


def _number(customer: Customer, name: str) -> float:
    return _as_number(customer.profile.get(name))


def _as_number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")

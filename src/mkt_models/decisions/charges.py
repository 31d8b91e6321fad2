"""What a candidate takes of the budgets, what it pays for it, and whether so much is left.

The money of a contact with a coupon is the cost of the contact and what a redemption gives away
times its probability, where the offer tells it (``given``).
"""

from collections.abc import Sequence

from mkt_models.budget_params import CONTACTS, COUPONS, MONEY, Budget, Budgets
from mkt_models.decisions.budgets import Allowance, Charge, ShadowPrice, concerns
from mkt_models.decisions.candidates import Candidate, Content
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.content_kinds import Needs
from mkt_models.decisions.words import Code, Reason, reason
from mkt_models.sections import MILLION, nearest
from mkt_models.store.ledger import millionths
from mkt_models.store.records import Purse, Use


class BudgetError(ValueError):
    """A budget that nothing can draw on; the message names it and what is known."""


def use(candidate: Candidate, budget: Budget) -> float:
    """How much of a budget one contact takes, in the unit of its resource; 0 or more."""
    if not concerns(budget, candidate.entry.id, candidate.use.channel, candidate.offer_id):
        return 0.0
    if budget.resource == CONTACTS:
        return 1.0
    if budget.resource == COUPONS:
        return 0.0 if candidate.offer_id is None else 1.0
    if budget.resource == MONEY:
        return candidate.use.cost + _given_away(candidate)
    return candidate.use.uses.get(budget.resource, 0.0)


def charges(candidate: Candidate, prices: Sequence[ShadowPrice]) -> tuple[Charge, ...]:
    """What a candidate pays, one charge per budget that it takes of and that has a price."""
    found = ((one.budget.id, use(candidate, one.budget), one.price) for one in prices)
    return tuple(Charge(*charge) for charge in found if charge[1] > 0 and charge[2] > 0)


def uses(candidate: Candidate, allowed: Sequence[Allowance]) -> tuple[Use, ...]:
    """What a contact takes of each budget, as it is counted: in whole millionths of a unit."""
    found = ((one.budget.id, millionths(use(candidate, one.budget))) for one in allowed)
    return tuple(Use(*taken) for taken in found if taken[1] > 0)


def spent(
    candidate: Candidate,
    chosen: Sequence[Candidate],
    allowed: Sequence[Allowance],
    purses: Sequence[Purse],
) -> tuple[Reason, ...]:
    """Say of which budgets not enough is left for a candidate beside those chosen; empty if none.

    ``purses`` are what is left of the budgets that are counted; what none is of is not limited.
    The words name the amount, not what is left: the same question has the same answer.
    """
    if not purses:
        return ()
    known = {purse.budget: purse for purse in purses}
    lacking = []
    for one in uses(candidate, allowed):
        purse = known.get(one.budget)
        if purse is None:
            continue
        beside = (taken for other in chosen for taken in uses(other, allowed))
        left = purse.left - sum(t.millionths for t in beside if t.budget == one.budget)
        if one.millionths > left:
            parts = {
                "use": f"{one.millionths / MILLION:.6g}",
                "amount": f"{purse.amount / MILLION:.15g}",
                "until": purse.ends_on,
            }
            lacking.append(reason(Code.BUDGET_SPENT, budget=one.budget, **parts))
    return tuple(lacking)


def check_budgets(budgets: Budgets, catalogue: Catalogue) -> None:
    """Refuse a budget that the catalogue has no use for.

    Raises
    ------
    BudgetError
        When a resource, a strategy, a channel or an offer of a budget is not in the catalogue:
        nothing would ever draw on it, and the limit that somebody wrote down would not hold. Where
        a strategy gives the customers' own offers, their ids are only in the data: see
        :func:`offers_of_the_data`.

    """
    entries = catalogue.strategies
    named = {name for entry in entries for one in entry.channels for name in one.uses}
    known = {
        "resource": {MONEY, CONTACTS, COUPONS} | named,
        "strategies": {entry.id for entry in entries},
        "channels": {one.channel.value for entry in entries for one in entry.channels},
    }
    if not _gives_own_offers(catalogue):
        known["offers"] = {offer.id for offer in catalogue.offers}
    for budget in budgets.resources:
        asked = {
            "resource": [budget.resource],
            "strategies": list(budget.strategies),
            "channels": [channel.value for channel in budget.channels],
            "offers": list(budget.offers),
        }
        for key, names in asked.items():
            for name in names:
                if key in known and name not in known[key]:
                    raise BudgetError(
                        f"budgets.{budget.id}.{key}: nothing in the catalogue has {name!r}"
                        f"{nearest(name, sorted(known[key]))}; known: "
                        f"{', '.join(sorted(known[key])) or 'none'}"
                    )


def offers_of_the_data(budgets: Budgets, catalogue: Catalogue) -> tuple[str, ...]:
    """Say of which budgets an offer can only be a customer's own: the catalogue has none such."""
    published = sorted(offer.id for offer in catalogue.offers)
    return tuple(
        f"budgets.{budget.id}.offers: {name!r} is no offer of the catalogue"
        f"{nearest(name, published)}; only a customer's own offer of that id draws on it"
        for budget in budgets.resources
        for name in budget.offers
        if name not in published
    )


def _gives_own_offers(catalogue: Catalogue) -> bool:
    return any(entry.needs is Needs.OFFER for entry in catalogue.strategies)


def _given_away(candidate: Candidate) -> float:
    content = candidate.content
    offer = content.data.get("offer") if isinstance(content, Content) else None
    given = (offer or {}).get("given")
    return 0.0 if given is None else float(given) * float((offer or {})["probability"])

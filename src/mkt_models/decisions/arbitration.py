"""Which of the candidates that may be served are served, and in which order.

The ranking is by what is left of a worth when the budgets that it takes are paid for at their
shadow prices; without budgets that is the worth itself. Equals go by the candidate's name, so that
the answer never depends on the order of a table. It is walked from the top: at most one strategy of
a family (an answer that says the same thing three times helps nobody), at most k in all, and each
must still be within the contact limits when those above it are sent too. The default for everybody
is served only when the walk found nothing, and doing nothing, which takes nothing and is worth 0,
only when the default is not worth it either.

Where decisions explore, one of those that could be served alone is put first with a known
probability (:mod:`mkt_models.decisions.exploration`); the others follow as they would.

Customers of the same worth would all be served or none, whatever the budget. Where budgets are
priced, a worth is therefore raised by less than a millionth of itself, by a share that is drawn
from the customer's id: :func:`tie`. Batch and service draw the same.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mkt_models.decisions.budgets import Charge
from mkt_models.decisions.candidates import Candidate
from mkt_models.decisions.exploration import Option
from mkt_models.decisions.words import Code, Reason, reason
from mkt_models.decisions.worth import Worth

TIE = 1e-6
"""The largest share by which a worth is raised to tell equal customers apart."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate that passed every gate, with its worth.

    ``charges`` are what it takes of the budgets, at their prices, and ``tie`` is the customer's
    place among equals, 0 to 1; nothing and 0 where nothing is priced.
    """

    candidate: Candidate
    worth: Worth
    charges: tuple[Charge, ...] = ()
    tie: float = 0.0

    @property
    def amount(self) -> float:
        """The worth as it is shown: what looks equal is equal."""
        return round(self.worth.amount, 6)

    @property
    def raised(self) -> float:
        """The worth that is compared between customers: raised by the tie."""
        return self.amount * (1 + TIE * self.tie)

    @property
    def price(self) -> float:
        """What its uses of the budgets cost at their shadow prices, in currency units."""
        return sum(charge.amount for charge in self.charges)

    @property
    def net(self) -> float:
        """What is left of the worth; the ranking is by it."""
        return self.raised - self.price


def tie(customer_id: str) -> float:
    """Place of a customer among equals, 0 to 1: a digest of the id, so always the same.

    >>> round(tie("1"), 4), round(tie("2"), 4)
    (0.42, 0.8299)
    """
    return int.from_bytes(hashlib.sha256(customer_id.encode()).digest()[:6]) / 2**48


Fits = Callable[[Candidate, Sequence[Candidate]], tuple[Reason, ...]]
"""Says which contact limits a candidate would break beside those chosen; empty if none."""


def ranking(scored: Sequence[Scored]) -> list[Scored]:
    """Highest worth net of the budgets' prices first; among equals by name."""
    return sorted(scored, key=lambda one: (-one.net, one.candidate.key))


def arbitrate(
    scored: Sequence[Scored], default: str, k: int, fits: Fits, first: str | None = None
) -> tuple[list[Scored], list[tuple[Candidate, Reason]]]:
    """Choose at most ``k`` candidates.

    Parameters
    ----------
    scored
        The candidates that passed every gate.
    default
        Id of the strategy that is served when there is nothing better.
    k, fits
        How many at most, and the contact limits.
    first
        Key of the candidate that comes first, where decisions explore; None for the best.

    Returns
    -------
    The chosen ones, best first, and every other one with the reason why it lost.

    """
    lost: list[tuple[Candidate, Reason]] = []
    chosen: list[Scored] = []
    usual = [one for one in scored if one.candidate.entry.id != default]
    fallback = [one for one in scored if one.candidate.entry.id == default]
    _walk(sorted(ranking(usual), key=lambda one: one.candidate.key != first), k, fits, chosen, lost)
    if chosen:
        lost += [(one.candidate, reason(Code.DEFAULT_NOT_NEEDED)) for one in fallback]
    else:
        _walk(ranking(fallback), 1, fits, chosen, lost)
    return chosen, lost


def options(scored: Sequence[Scored], default: str) -> list[Option]:
    """Those that could be served alone, for exploration: each worth more than doing nothing."""
    return [
        Option(one.candidate.key, one.net)
        for one in scored
        if one.candidate.entry.id != default and one.amount > 0 and one.net > 0
    ]


def _walk(
    ranked: Sequence[Scored],
    k: int,
    fits: Fits,
    chosen: list[Scored],
    lost: list[tuple[Candidate, Reason]],
) -> None:
    families: dict[str, str] = {}
    for one in ranked:
        why = _loses(one, k, fits, chosen, families)
        if why is None:
            chosen.append(one)
            families[one.candidate.entry.family] = one.candidate.key
        else:
            lost.append((one.candidate, why))


def _loses(
    one: Scored, k: int, fits: Fits, chosen: Sequence[Scored], families: dict[str, str]
) -> Reason | None:
    if one.amount <= 0:
        return reason(Code.WORTH_NOT_POSITIVE, worth=f"{one.amount:.4f}")
    if one.net <= 0:
        dearest = max(one.charges, key=lambda charge: charge.amount)
        parts = {"worth": f"{one.amount:.4f}", "price": f"{one.price:.4f}"}
        return reason(Code.BUDGET_PRICE, budget=dearest.budget, **parts)
    better = families.get(one.candidate.entry.family)
    if better is not None:
        return reason(Code.FAMILY_SERVED, better=better)
    if len(chosen) >= k:
        return reason(Code.BEYOND_K, k=k)
    faults = fits(one.candidate, [other.candidate for other in chosen])
    return faults[0] if faults else None

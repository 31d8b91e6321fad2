"""Decisions taken again for twins, and the terms in both answers, pair by pair.

The replay asks what the *policy* does, so the gates that stand before it are held open alike on
both sides: everybody has agreed to every purpose, no cap or quiet hour holds, profiles count as
fresh, and nobody is held out. Each strategy is asked for over each of its channels apart, since its
cost and what trials say of it differ between them; apart from others of its family; and in a scene
that only some wait for only those. Strategies of one family are then asked for together too: an
answer has one of them, and which one may depend on what each is worth. There only the gap counts in
what is better or worse for everybody, such as a discount: that the one or the other is shown is no
difference by itself. The holdout matters for identity: who is withheld is drawn by a hash of the
id, at random and by design, and would differ between any two ids.

What a model predicts of a concrete coupon stays with the customer: it is no estimate of what the
customer would pay. Module of the notebooks: it needs pandas, which the service does not carry.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import ConsentStatus, DayPart, Verdict
from mkt_models.decisions.caps import Caps
from mkt_models.decisions.catalogue import ChannelUse, StrategyEntry
from mkt_models.decisions.decide import decide
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.decisions.scene import When, unmet
from mkt_models.decisions.terms import MORE_IS_BETTER, OFFER_NEEDS, OFFERING, Value, terms_of
from mkt_models.decisions.terms_gate import TERMS
from mkt_models.decisions.twins import Donors, known, lead, twin
from mkt_models.store.records import Consent
from mkt_models.terms_params import AttributeClass, Term, Terms

POOL = 2_000
"""So many customers, the first by a hash of their ids, may be replayed or give their values."""

EPSILON = 1e-9
TOLD_TOGETHER = frozenset({Term.COUPON_VALUE, Term.DISCOUNT, Term.SERVICES})
"""Terms that are better or worse whichever strategy of a family offers them."""

COLUMNS = (
    "attribute",
    "term",
    "strategy",
    "customer_id",
    "more",
    "less",
    "changed",
    "gap",
    "ordered",
)


@dataclass(frozen=True)
class Replayed:
    """Pairs of answers, compared.

    Attributes
    ----------
    pairs
        One row per attribute class, customer, twin, strategy and term: ``more`` and ``less``, the
        term of the one with more of the class's lead column and of the other; ``changed``; ``gap``
        (``more`` - ``less``, its size where neither has more). Null where a term is no number.
        ``ordered``: whether one of them has more.
        What a strategy's content offers is compared where both are shown it; ``shown`` says
        whether both are.
    shown
        Personalised strategies that were shown to a customer who was replayed, whether they have
        terms or none.
    not_available
        Attribute classes of which no customer has a value: no decision can have looked at them.
    n_replays
        Decisions that were taken again.

    """

    pairs: pd.DataFrame
    shown: frozenset[str]
    not_available: tuple[AttributeClass, ...]
    n_replays: int


def replay(
    customers: Iterable[Customer],
    context: Context,
    policy: Policy,
    settings: Terms,
    rng: np.random.Generator,
) -> Replayed:
    """Decide for customers and their twins, on the day asked about and on those of occasions."""
    policy = opened_gates(policy)
    pool = pool_of(customers)
    absent = tuple(one for one in AttributeClass if not known(pool, one))
    rows: list[tuple[Any, ...]] = []
    replays = 0
    shown: set[str] = set()
    for moment, question, together in asked(context, policy):
        ready = everybody(pool, moment, policy)
        first = {one.customer_id: terms_shown(one, moment, question, settings.k) for one in ready}
        picked = _picked(ready, first, settings.customers)
        shown |= {name for one in picked for name in first[one.customer_id]}
        compared = _compared_together if together else _compared
        for attribute in AttributeClass:
            if attribute in absent:
                continue
            donors = Donors(ready, attribute)
            for one in picked:
                mine = first[one.customer_id]
                for donor in donors.of(one, settings.twins, rng):
                    other = twin(one, donor, attribute)
                    if other == one:
                        continue  # the donor has the same values: nothing to learn
                    theirs = terms_shown(other, moment, question, settings.k)
                    replays += 1
                    sign = float(np.sign(lead(other, attribute) - lead(one, attribute)))
                    rows += compared(attribute, one.customer_id, mine, theirs, sign)
    pairs = pd.DataFrame(rows, columns=list(COLUMNS))
    return Replayed(pairs, frozenset(shown), absent, replays)


def opened_gates(policy: Policy) -> Policy:
    """The policy without a holdout and without earlier words on the terms."""
    others = {k: v for k, v in policy.verdicts.items() if not k.startswith(TERMS)}
    return replace(policy, holdout_share=0.0, verdicts={**others, TERMS: Verdict.PASS})


def everybody(customers: Iterable[Customer], context: Context, policy: Policy) -> list[Customer]:
    """The customers with all gates open that are not about terms."""
    return [_ready(one, context, policy) for one in customers]


def _compared(
    attribute: AttributeClass,
    customer_id: str,
    mine: Mapping[str, Mapping[Term, Value]],
    theirs: Mapping[str, Mapping[Term, Value]],
    sign: float,
) -> Iterator[tuple[Any, ...]]:
    for strategy in sorted(mine.keys() | theirs.keys()):
        one, other = mine.get(strategy, {}), theirs.get(strategy, {})
        ordered = abs(sign) == 1  # not where the lead is alike, or unknown
        for term in sorted(one.keys() | other.keys()):
            if term is Term.SHOWN:
                a, b = one.get(term, 0.0), other.get(term, 0.0)
            elif strategy not in mine or strategy not in theirs:
                continue  # told by `shown`; what is not shown has no price
            elif term in one and term in other:
                a, b = one[term], other[term]
            else:
                lacks = (np.nan, np.nan, True, np.nan)
                yield (attribute, term, strategy, customer_id, *lacks, ordered)
                continue
            yield (attribute, term, strategy, customer_id, *_difference(term, a, b, sign), ordered)


def _compared_together(
    attribute: AttributeClass,
    customer_id: str,
    mine: Mapping[str, Mapping[Term, Value]],
    theirs: Mapping[str, Mapping[Term, Value]],
    sign: float,
) -> Iterator[tuple[Any, ...]]:
    """What strategies of one family offer, whichever of them is served, under the name of each."""
    ordered = abs(sign) == 1
    for name, other in ((a, b) for a in sorted(mine) for b in sorted(theirs)):
        one, two = mine[name], theirs[other]
        for term in sorted(one.keys() & two.keys() & TOLD_TOGETHER):
            more, less, _, gap = _difference(term, one[term], two[term], sign)
            told = (more, less, False, gap, ordered)  # another strategy: its gap alone counts
            yield from ((attribute, term, s, customer_id, *told) for s in sorted({name, other}))


def _difference(term: Term, a: Value, b: Value, sign: float) -> tuple[float, float, bool, float]:
    """The term of the one with more of the lead, of the one with less, whether they differ, gap."""
    if term is Term.PRICE:
        mine, theirs = dict(a), dict(b)  # type: ignore[arg-type]
        both = mine.keys() & theirs.keys()
        if not both:
            return np.nan, np.nan, False, np.nan
        changed = any(abs(mine[one] - theirs[one]) > EPSILON for one in both)
        a = sum(mine[one] for one in both) / len(both)
        b = sum(theirs[one] for one in both) / len(both)
    elif term not in MORE_IS_BETTER:
        return np.nan, np.nan, a != b, np.nan
    else:
        changed = abs(float(a) - float(b)) > EPSILON  # type: ignore[arg-type]
    less, more = (float(a), float(b)) if sign >= 0 else (float(b), float(a))  # type: ignore[arg-type]
    if sign == 0 or np.isnan(sign):
        return more, less, changed, abs(more - less)
    return more, less, changed, more - less


def pool_of(customers: Iterable[Customer]) -> list[Customer]:
    """The first customers by a hash of their ids, whatever their order."""

    def place(one: Customer) -> str:
        return hashlib.sha256(f"terms/{one.customer_id}".encode()).hexdigest()

    kept: list[Customer] = []
    for one in customers:
        kept.append(one)
        if len(kept) >= 2 * POOL:
            kept = sorted(kept, key=place)[:POOL]
    return sorted(kept, key=place)[:POOL]


def _picked(
    customers: Sequence[Customer], first: Mapping[str, Mapping[str, Any]], most: int
) -> list[Customer]:
    """Customers such that each strategy has ``most`` of those to whom it is shown, if there are.

    The rarest strategy takes first, in the order of the pool; its customers count for the others.
    """
    shown = {one.customer_id: first[one.customer_id].keys() for one in customers}
    there = Counter(name for names in shown.values() for name in names)
    counts: Counter[str] = Counter()
    found: dict[str, Customer] = {}
    for rare in sorted(there, key=lambda name: (there[name], name)):
        for one in customers:
            if counts[rare] >= most:
                break
            if rare in shown[one.customer_id] and one.customer_id not in found:
                found[one.customer_id] = one
                counts.update(shown[one.customer_id])
    return list(found.values())


def terms_shown(
    customer: Customer, context: Context, policy: Policy, k: int
) -> dict[str, dict[Term, Value]]:
    """The terms in the answer that the policy gives a customer."""
    return terms_of(decide(customer, context, policy, k).as_dict())


def asked(context: Context, policy: Policy) -> Iterator[tuple[Context, Policy, bool]]:
    """Moments, for each the policies that are judged in it, and whether a family is together.

    An answer has one strategy of a family, so those of one family are asked for apart, and once
    together.
    """
    for moment, waiting in _moments(context, policy):
        scene = policy.scene(moment)
        groups: list[dict[str, str]] = []
        for one in policy.catalogue.strategies:
            met = one.when is None or unmet(one.when, scene) is None
            if not one.personalised or not (met if waiting is None else one.id in waiting):
                continue
            free = next((group for group in groups if one.family not in group), None)
            if free is None:
                groups.append(free := {})
            free[one.family] = one.id
        for group in groups:
            for channel in range(max(len(_channels(policy, name)) for name in group.values())):
                names = {
                    s
                    for s in group.values()
                    if len(_channels(policy, s)) > channel
                    and (channel == 0 or _offers(_entry(policy, s)))
                }
                if names:
                    yield moment, _opened(policy, frozenset(names), channel), False
        for family in dict.fromkeys(name for group in groups for name in group):
            names = {group[family] for group in groups if family in group}
            if family in OFFERING and len(names) > 1:
                yield moment, _opened(policy, frozenset(names), None), True


def _offers(entry: StrategyEntry) -> bool:
    """Whether its being shown is a term: what costs nothing is the same over every channel."""
    return entry.family in OFFERING or entry.needs in OFFER_NEEDS


def _entry(policy: Policy, strategy: str) -> StrategyEntry:
    (entry,) = (one for one in policy.catalogue.strategies if one.id == strategy)
    return entry


def _channels(policy: Policy, strategy: str) -> list[ChannelUse]:
    """The channels of a strategy, those on which the customer comes by first."""
    kinds = policy.catalogue.contact.channels
    return sorted(
        _entry(policy, strategy).channels, key=lambda use: kinds[use.channel].kind != "pull"
    )


def _opened(policy: Policy, names: frozenset[str], channel: int | None) -> Policy:
    """The policy without limits of contact, for the named strategies and the default.

    Each over the channel of that place among its own, over all of them if ``channel`` is None.
    """
    catalogue = policy.catalogue
    contact = catalogue.contact
    strategies = []
    for one in catalogue.strategies:
        if one.id == catalogue.default or one.id in names:
            uses = _channels(policy, one.id)
            if channel is not None:
                at = channel if one.id in names else 0
                uses = uses[at : at + 1]
            strategies.append(one.model_copy(update={"channels": tuple(uses), "caps": Caps()}))
    channels = {
        name: one.model_copy(update={"caps": Caps()}) for name, one in contact.channels.items()
    }
    limits = {"caps": Caps(), "min_gap_hours": 0.0, "quiet_hours": None, "quiet_days": ()}
    free = contact.model_copy(update={**limits, "channels": channels})
    opened = {"strategies": tuple(strategies), "contact": free}
    return replace(policy, catalogue=catalogue.model_copy(update=opened))


def _ready(customer: Customer, context: Context, policy: Policy) -> Customer:
    """The customer with all gates open that are not about terms."""
    today = context.now.astimezone(policy.zone).date()
    consents = tuple(
        Consent(
            customer.customer_id, purpose, channel, ConsentStatus.GRANTED, today - timedelta(days=1)
        )
        for purpose, channel in sorted(
            {
                (one.purpose, use.channel)
                for one in policy.catalogue.strategies
                for use in one.channels
            }
        )
    )
    return replace(customer, as_of=today, consents=consents, exposures=())


def _moments(context: Context, policy: Policy) -> Iterator[tuple[Context, frozenset[str] | None]]:
    """The moment asked about, and one for each scene in which other strategies wait.

    Beside each other moment stand the strategies that are met in it and were in none before.
    """
    yield context, None
    waiting = {
        one.id: one.when
        for one in policy.catalogue.strategies
        if one.when is not None and unmet(one.when, policy.scene(context)) is not None
    }
    for name, when in list(waiting.items()):
        if name not in waiting:
            continue
        for moment in _scenes(when, context):
            scene = policy.scene(moment)
            met = frozenset(one for one, other in waiting.items() if unmet(other, scene) is None)
            if name in met:
                yield moment, met
                waiting = {one: other for one, other in waiting.items() if one not in met}
                break


def _scenes(when: When, context: Context) -> Iterator[Context]:
    """Moments with the weather, place and hour that a strategy waits for, day by day for a year."""
    asked = replace(
        context,
        weather=when.weather[0] if when.weather else context.weather,
        place=when.places[0] if when.places else context.place,
        hour=6 * list(DayPart).index(when.day_parts[0]) if when.day_parts else context.hour,
    )
    yield asked
    if when.days or when.holiday_ahead is not None:
        for ahead in range(1, 366):
            yield replace(asked, now=asked.now + timedelta(days=ahead))

"""One decision per customer: candidates, gates, worth, arbitration, and the answer in words.

The batch of a notebook and the online service both call :func:`decide`, so their answers are equal.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache

from mkt_models.columns import Channel, Strategy
from mkt_models.decisions.answer import (
    HOLDOUT,
    TREATMENT,
    Decision,
    Suppressed,
    head,
    no_action,
    served,
)
from mkt_models.decisions.arbitration import Fits, Scored, arbitrate, options, tie
from mkt_models.decisions.candidates import Candidate, candidates
from mkt_models.decisions.catalogue import ChannelUse, StrategyEntry
from mkt_models.decisions.charges import charges, spent
from mkt_models.decisions.consent import without_consent
from mkt_models.decisions.contact import held_out, too_much, unfit_moment
from mkt_models.decisions.eligibility import ineligible
from mkt_models.decisions.exploration import Choice, choose
from mkt_models.decisions.fatigue import tired
from mkt_models.decisions.occasions import Occasion
from mkt_models.decisions.question import Context, Customer, Policy, QuestionError
from mkt_models.decisions.scene import Scene
from mkt_models.decisions.words import CHANNELS, Code, Reason, reason
from mkt_models.decisions.worth import unreleased, worth
from mkt_models.exploration_params import Method
from mkt_models.store.records import PERSONALISATION, Exposure, Purse

MOST = 20


def decide(
    customer: Customer, context: Context, policy: Policy, k: int, purses: Sequence[Purse] = ()
) -> Decision:
    """Decide what to say to a customer, if anything.

    Parameters
    ----------
    customer
        Profile, scores, content, consents and contacts of one customer.
    context
        When and where the question is asked.
    policy
        Catalogue, holdout, calendar and released models.
    k
        How many strategies at most, 1 to 20.
    purses
        What is left of the budgets, where it is counted; a batch counts nothing.

    Returns
    -------
    Each candidate is in ``strategies`` or in ``suppressed``, exactly once. ``strategies`` is never
    empty: ``no_action`` stands alone in it when nothing else may be served or is worth it.
    Nothing personalised is served from a stale profile: one that is older than the catalogue
    allows, or from after ``context.now``.

    Raises
    ------
    QuestionError
        When ``k`` is out of range.

    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST:
        raise QuestionError(f"k == {k!r}: must be a whole number from 1 to {MOST}")
    scene = policy.scene(context)
    fits = contact_limits(customer, context, policy, purses)
    scored, suppressed = weigh(customer, context, policy, scene, fits)
    decision_id = policy.decision_id(customer.customer_id, context, k)
    choice = _explored(scored, decision_id, policy)
    arm, withheld = TREATMENT, None
    if held_out(customer.customer_id, policy.holdout_salt, policy.holdout_share):
        arm, withheld, choice = HOLDOUT, _first(scored, choice, policy, fits), None
        kept_back = [one for one in scored if one.worth.amount > 0]
        scored = [one for one in scored if not one.worth.amount > 0]
        suppressed += [(one.candidate, (reason(Code.HOLDOUT),)) for one in kept_back]
    first = None if choice is None else choice.key
    chosen, lost = arbitrate(scored, policy.catalogue.default, k, fits, first)
    suppressed += [(candidate, (why,)) for candidate, why in lost]
    ranked = tuple(
        served(rank, one, customer, context, policy, arm, _probability(rank, choice))
        for rank, one in enumerate(chosen, start=1)
    )
    dropped = [
        Suppressed(c.key, c.entry.id, c.use.channel, c.offer_id, why) for c, why in suppressed
    ]
    if not ranked:
        ranked = (no_action(policy, arm),)
    else:
        name = Strategy.NO_ACTION.value
        dropped.append(Suppressed(name, name, None, None, (reason(Code.OUTRANKED),)))
    return Decision(
        decision_id=decision_id,
        customer_id=customer.customer_id,
        strategies=ranked,
        suppressed=tuple(sorted(dropped, key=lambda one: one.candidate)),
        head=head(customer, context, policy, k, scene.day, arm, choice, withheld),
    )


def _first(
    scored: Sequence[Scored], choice: Choice | None, policy: Policy, fits: Fits
) -> Mapping[str, float]:
    """What comes first unless the holdout keeps it back: probability by candidate."""
    if choice is not None:
        return choice.probabilities
    chosen, _ = arbitrate(scored, policy.catalogue.default, 1, fits)
    return {one.candidate.key: 1.0 for one in chosen}


def _explored(scored: Sequence[Scored], decision_id: str, policy: Policy) -> Choice | None:
    """Which candidate comes first, drawn; None where decisions do not explore, or nothing can."""
    if policy.exploration.method is Method.NONE:
        return None
    tried = options(scored, policy.catalogue.default)
    return choose(tried, decision_id, policy.exploration) if tried else None


def _probability(rank: int, choice: Choice | None) -> float | None:
    """With which probability what stands at a rank was chosen; after a draw only of the first."""
    if choice is None:
        return 1.0
    return choice.probability if rank == 1 else None


def decide_all(
    customers: Iterable[Customer], context: Context, policy: Policy, k: int
) -> Iterator[Decision]:
    """Decide for many customers, one by one, in their order."""
    for customer in customers:
        yield decide(customer, context, policy, k)


def weigh(
    customer: Customer, context: Context, policy: Policy, scene: Scene, fits: Fits
) -> tuple[list[Scored], list[tuple[Candidate, tuple[Reason, ...]]]]:
    """Take every candidate of a customer through the gates; the holdout is none of them.

    Parameters
    ----------
    customer, context, policy
        Who is asked for, when and where, and what holds.
    scene
        That of the context, as the policy sees it.
    fits
        The contact limits, and what is left of budgets: see :func:`contact_limits`.

    Returns
    -------
    Those that passed, each with its worth and what it pays for budgets, in the order of the
    catalogue; and the others with their reasons.

    """
    today, days = scene.day, scene.days
    among_equals = tie(customer.customer_id) if policy.prices else 0.0
    scored: list[Scored] = []
    suppressed: list[tuple[Candidate, tuple[Reason, ...]]] = []
    closed = {
        entry.id: _closed(entry, customer, policy, today) for entry in policy.catalogue.strategies
    }

    def is_open(entry: StrategyEntry, channel: Channel) -> bool:
        return context.channel in (None, channel) and not closed[entry.id]

    for candidate in candidates(customer, policy, today, scene, is_open):
        faults = _not_asked(context.channel, candidate.use.channel) or closed[candidate.entry.id]
        faults = faults or _without_leave(candidate, customer, context, policy, today, days)
        faults = faults or fits(candidate, ()) or unreleased(candidate, policy)
        if not faults:
            told = tired(worth(candidate, customer), candidate, customer, context.now, policy)
            if not isinstance(told, Reason):
                pays = charges(candidate, policy.prices)
                scored.append(Scored(candidate, told, pays, among_equals))
                continue
            faults = (told,)
        suppressed.append((candidate, faults))
    return scored, suppressed


def contact_limits(
    customer: Customer, context: Context, policy: Policy, purses: Sequence[Purse] = ()
) -> Fits:
    """The contact limits of a customer at the time of the question, and what is left of budgets."""

    def fits(candidate: Candidate, chosen: Sequence[Candidate]) -> tuple[Reason, ...]:
        broken = _limits(candidate, chosen, customer, context, policy)
        return broken or spent(candidate, chosen, policy.allowances, purses)

    return fits


@cache
def _not_asked(asked: Channel | None, channel: Channel) -> tuple[Reason, ...]:
    if asked is None or asked == channel:
        return ()
    words = {"asked": CHANNELS[Channel(asked)], "channel": CHANNELS[channel]}
    return (reason(Code.CHANNEL_NOT_ASKED, **words),)


def _closed(
    entry: StrategyEntry, customer: Customer, policy: Policy, today: date
) -> tuple[Reason, ...]:
    """Say what speaks against a strategy for a customer, whatever its content and channel."""
    if entry.personalised and policy.stale(customer.as_of, today):
        most = policy.catalogue.max_profile_age_days
        return (reason(Code.PROFILE_STALE, as_of=customer.as_of, most=most, day=today),)
    return ineligible(entry.eligibility, customer.profile)


def _without_leave(
    candidate: Candidate,
    customer: Customer,
    context: Context,
    policy: Policy,
    today: date,
    days: Iterable[Occasion],
) -> tuple[Reason, ...]:
    if isinstance(candidate.content, Reason):
        return (candidate.content,)
    entry, use, now = candidate.entry, candidate.use, context.now
    refusal = unpermitted(entry, use, customer, policy, now, today, days)
    return () if refusal is None else (refusal,)


def unpermitted(
    entry: StrategyEntry,
    use: ChannelUse,
    customer: Customer,
    policy: Policy,
    now: datetime,
    today: date,
    days: Iterable[Occasion],
) -> Reason | None:
    """Say why a customer must not be contacted, however seldom that happened; None if they may be.

    Parameters
    ----------
    entry, use
        The strategy, and its channel.
    customer, policy
        Consents and complaints, and the limits.
    now, today, days
        Aware time of the contact, the day where the customer is, and what that day is.

    """
    # The day of a consent is the shop's: a question that names another zone makes a yes no longer,
    # and begins it no sooner.
    words, said = policy.catalogue.purpose_words, customer.consents
    asked = [(entry.purpose, use.requires_consent)]
    if entry.personalised:
        # Nobody has to agree to it; who has refused it gets what everybody gets.
        asked.append((PERSONALISATION, False))
    local_days = sorted({today, now.astimezone(policy.zone).date()})
    found = (
        without_consent(said, purpose, use.channel, day, required, words)
        for purpose, required in asked
        for day in local_days
    )
    refusal = next((one for one in found if one is not None), None)
    if refusal is None:
        contact = policy.catalogue.contact
        refusal = unfit_moment(contact, use.channel, days, customer.complaints, now)
    return refusal


def _limits(
    candidate: Candidate,
    chosen: Sequence[Candidate],
    customer: Customer,
    context: Context,
    policy: Policy,
) -> tuple[Reason, ...]:
    beside = tuple(
        Exposure(customer.customer_id, c.use.channel, context.now, c.entry.id) for c in chosen
    )
    return too_much(
        policy.catalogue.contact,
        candidate.use.channel,
        candidate.entry.id,
        candidate.entry.caps,
        customer.exposures + beside,
        context.now,
        policy.zone_of(context),
        context.hour,
    )

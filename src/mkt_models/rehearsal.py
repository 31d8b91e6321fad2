"""A rehearsal of the service: real decisions over some days, simulated customers.

Every customer of a snapshot is asked for again and again. What is decided, kept, planned and
reported goes through the code of the service and its live store; only what customers and the app do
is drawn, with chances that are known. So a report on the store can be held against the truth, and
a run without a live store can show what its report will look like.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import numpy as np

from mkt_models.decisions.answer import Decision
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.decide import decide
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context, Policy, find_customer
from mkt_models.exploration_params import Exploration, Method
from mkt_models.params import Params
from mkt_models.served_params import Rehearsal
from mkt_models.store.live import LiveStore
from mkt_models.store.records import COMPLAINT, ContactStatus, Outcome
from mkt_models.store.snapshot import Store
from mkt_models.store.turn import Turn

PURCHASE = "purchase"
_OPENS, _CLOSES = 9, 20  # hours between which customers are asked for, by the shop's clock


@dataclass(frozen=True)
class Chance:
    """The truth about one question: how likely a purchase was until the next one.

    Attributes
    ----------
    customer_id, at, arm
        who was asked for, when (aware), and in which arm
    strategy
        what came first in the answer
    without, given
        chance without any contact, and as it was
    chances
        by strategy that could have come first: the chance with it, were it sent

    """

    customer_id: str
    at: datetime
    arm: str
    strategy: str
    without: float
    given: float
    chances: Mapping[str, float]


def rehearse(
    snapshot: Store,
    live: LiveStore,
    params: Params,
    catalogue: Catalogue,
    how: Rehearsal,
    seed: int,
) -> list[Chance]:
    """Ask for every customer of a snapshot over some days, and let them answer by chance.

    Parameters
    ----------
    snapshot
        The customers, their consents and contacts; the rehearsal begins on the day after its own.
    live
        An empty live store; it is filled.
    params, catalogue
        As the service has them, but for the holdout's share and the exploration, which are those
        of ``how``.
    how
        Days, and what customers and the app do.
    seed
        Of everything that is drawn; the same seed gives the same store.

    Returns
    -------
    One entry per question, in the order of the questions. A purchase follows with the chance
    ``given``, at any time until the next question, of an amount that is drawn from an exponential
    distribution.

    """
    policy = _policy(params, catalogue, snapshot, how)
    first = datetime.fromisoformat(snapshot.meta().as_of).date() + timedelta(days=1)
    names = [str(document["customer_id"]) for document in snapshot.customers()]
    names = names[: how.customers]
    rng = np.random.default_rng([seed, 7])
    end = datetime.combine(first + timedelta(days=how.days), time(), policy.zone)
    waiting: dict[str, list[Outcome]] = {}
    truth = []
    for number in range(how.days):
        day = first + timedelta(days=number)
        noon = datetime.combine(day, time(12), policy.zone)
        live.open_periods(policy.limits(noon), day)
        due = [name for place, name in enumerate(names) if (number - place) % how.every_days == 0]
        seconds = rng.uniform(_OPENS * 3600, _CLOSES * 3600, len(due)).round()
        for name, second in sorted(zip(due, seconds, strict=True), key=lambda pair: pair[1]):
            now = datetime.combine(day, time(), policy.zone) + timedelta(seconds=float(second))
            with live.turn(name, now) as turn:
                for outcome in waiting.pop(name, ()):
                    turn.outcome(outcome)
                decision = _decided(snapshot, turn, name, now, policy, params.decisions.k)
                sent, angry = _report(turn, decision, policy, now, how, rng)
            chance = _chance(decision, now, sent, how)
            truth.append(chance)
            later = _outcomes(chance, decision, angry, how, rng)
            waiting[name] = [one for one in later if one.occurred_at < end]
    for name, outcomes in waiting.items():
        with live.turn(name, end.astimezone(UTC)) as turn:
            for outcome in outcomes:
                turn.outcome(outcome)
    return truth


def rehearsed_policy(params: Params, how: Rehearsal) -> Params:
    """The parameters with the holdout's share and the exploration of the rehearsal."""
    exploration = Exploration()
    if how.epsilon > 0:
        exploration = Exploration(method=Method.EPSILON, epsilon=how.epsilon)
    changed = {"holdout_share": how.holdout_share, "exploration": exploration}
    return params.model_copy(update={"decisions": params.decisions.model_copy(update=changed)})


def _policy(params: Params, catalogue: Catalogue, snapshot: Store, how: Rehearsal) -> Policy:
    meta = snapshot.meta()
    if not meta.snapshot_id:
        meta = replace(meta, snapshot_id="rehearsal")
    return Policy.of(rehearsed_policy(params, how), catalogue, meta)


def _decided(
    snapshot: Store, turn: Turn, name: str, now: datetime, policy: Policy, k: int
) -> Decision:
    context = Context(now)
    decision_id = policy.decision_id(name, context, k)
    customer = find_customer(snapshot, name, now, turn, decision_id)
    assert customer is not None  # the name is of the snapshot, and nobody was erased
    purses = turn.purses(policy.limits(now), policy.shop_day(now), decision_id)
    decision = decide(customer, context, policy, k, purses)
    turn.keep(record_of(decision, customer, context, policy, purses))
    return decision


def _report(
    turn: Turn,
    decision: Decision,
    policy: Policy,
    now: datetime,
    how: Rehearsal,
    rng: np.random.Generator,
) -> tuple[bool, bool]:
    """Say what became of every contact; whether the first was sent, and whether it annoyed."""
    first_sent = angry = False
    for one in decision.strategies:
        if one.channel is None:
            continue
        fate, complains = rng.random(), rng.random() < how.p_complaint
        if fate < how.p_unreported:
            continue
        until = datetime.fromisoformat(one.document["valid_until"])
        at, status = now + (until - now) / 8, ContactStatus.SENT
        if fate < how.p_unreported + how.p_not_sent or not at < until:
            status = ContactStatus.NOT_SENT
        turn.report(decision.decision_id, one.strategy, one.channel.value, one.offer_id, status, at)
        if status is ContactStatus.SENT:
            first_sent = first_sent or one.rank == 1
            push = policy.catalogue.contact.channels[one.channel].kind == "push"
            angry = angry or (push and complains)
    return first_sent, angry


def _chance(decision: Decision, now: datetime, sent: bool, how: Rehearsal) -> Chance:
    first = decision.strategies[0]
    told = decision.head["exploration"]["probabilities"]
    names = {str(key).partition("/")[0] for key in told} | {first.strategy}
    names -= {"no_action"}
    with_it = {name: how.p_purchase + how.lift_of.get(name, how.lift) for name in sorted(names)}
    return Chance(
        customer_id=decision.customer_id,
        at=now,
        arm=str(decision.head["experiment"]["arm"]),
        strategy=first.strategy,
        without=how.p_purchase,
        given=with_it[first.strategy] if sent else how.p_purchase,
        chances=with_it,
    )


def _outcomes(
    chance: Chance, decision: Decision, angry: bool, how: Rehearsal, rng: np.random.Generator
) -> list[Outcome]:
    buys, when, amount = rng.random() < chance.given, rng.random(), rng.exponential(how.mean_amount)
    found = []
    key = decision.decision_id[:40]
    if buys:
        at = chance.at + timedelta(days=how.every_days) * when
        cents = max(1, round(100 * amount))
        found.append(Outcome(f"{key}/bought", PURCHASE, at, None, None, cents))
    if angry:
        at = chance.at + timedelta(hours=36)
        found.append(Outcome(f"{key}/angry", COMPLAINT, at, decision.decision_id))
    return found

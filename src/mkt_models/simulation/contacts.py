"""Who is contacted, at random, and what it changes: base orders are lost, further orders come.

Where fatigue is planted, earlier contacts over the channel wear the good effects of a contact off:
what it adds to the purchase rate, and the probability that an order redeems, are multiplied by
``exp(-fatigue * pressure)``, with a pressure of ``0.5 ** (age / half_life)`` for each of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mkt_models.columns import Channel
from mkt_models.simulation.campaigns import (
    STRATA,
    STRATUM_DAYS,
    Campaign,
    rate_factor,
    redemption_probability,
)
from mkt_models.simulation.clock import ShopClock
from mkt_models.simulation.closed_forms import p_any
from mkt_models.simulation.population import Population
from mkt_models.simulation.randomness import Bools, Floats, Ints, Purpose, generator, owners
from mkt_models.source_params import CampaignPlan

CONTACT_CHANNELS = (Channel.APP, Channel.EMAIL, Channel.SMS, Channel.MAIL)
GRANTED = (0.85, 0.55, 0.60, 0.50)  # share that agrees to each
RECORDED = 0.95  # share whose answer is on record; no record means refused
UNSUBSCRIBES = (0.003, 0.05)  # after a contact; of those whom contacts annoy


@dataclass(frozen=True)
class Consents:
    """What each customer of a chunk said per channel when they registered."""

    granted: Bools
    recorded: Bools


@dataclass(frozen=True)
class Contacts:
    """Everybody who might have been contacted, and what came of it.

    Attributes
    ----------
    campaign, owner
        Number of the campaign, and place of the customer.
    treated, probability
        Whether they were contacted, and with which probability.
    order_if, order_if_not, redeem_if
        True probabilities of a completed order in the campaign's days with and without contact,
        and of a redemption with it.
    contacted
        Campaigns by customers: whether contacted.
    left
        Campaigns by customers: what earlier contacts leave of the effect, 1 without fatigue.
    unsubscribed
        Campaign and customer of everybody who revoked the consent, and the day.

    """

    campaign: Ints
    owner: Ints
    treated: Bools
    probability: Floats
    order_if: Floats
    order_if_not: Floats
    redeem_if: Floats
    contacted: Bools
    left: Floats
    unsubscribed: tuple[Ints, Ints, Ints]


def draw_consents(population: Population, seed: int, chunk: int) -> Consents:
    """Draw who agreed to which channel; one answer per person."""
    rng = generator(seed, chunk, Purpose.CONSENTS)
    shape = (population.size, len(CONTACT_CHANNELS))
    abuser = (population.fraud == 2)[:, None]  # they want every coupon
    granted = (rng.random(shape) < np.array(GRANTED)) | abuser
    recorded = (rng.random(shape) < RECORDED) | abuser
    return Consents(granted[population.person], recorded[population.person])


def contact(
    population: Population,
    clock: ShopClock,
    campaigns: tuple[Campaign, ...],
    consents: Consents,
    orders: tuple[Ints, Floats],
    seed: int,
    chunk: int,
    plan: CampaignPlan,
) -> tuple[Contacts, Ints, Floats]:
    """Run the campaigns over the base orders; return contacts, and owners and moments of orders.

    ``orders`` are owners and moments (shop time) without any campaign; ``plan`` has the fatigue.
    """
    rng = generator(seed, chunk, Purpose.CONTACTS)
    owner, moment = orders
    reachable = consents.granted & consents.recorded
    contacted = np.zeros((len(campaigns), population.size), dtype=bool)
    left_of = np.ones(contacted.shape)
    rows: list[tuple[Ints | Floats | Bools, ...]] = []
    left: list[tuple[Ints, Ints, Ints]] = []
    for campaign in campaigns:
        start = float(clock.shop_time(campaign.start))
        end = float(clock.shop_time(min(campaign.end, clock.days)))
        column = CONTACT_CHANNELS.index(campaign.action.channel)
        who = np.flatnonzero(reachable[:, column] & (population.registered < campaign.start))
        since = float(clock.shop_time(campaign.start - STRATUM_DAYS))
        recent = np.bincount(owner[(moment >= since) & (moment < start)], minlength=population.size)
        stratum = np.searchsorted(STRATA, recent[who], side="right") - 1
        probability = np.array(campaign.probabilities)[stratum]
        treated = rng.random(len(who)) < probability
        contacted[campaign.number, who] = treated

        worn = left_of[campaign.number] = left_after(
            contacted, campaigns, campaign.action.channel, campaign.start, plan
        )
        factor = worn_factor(rate_factor(population, campaign.action), worn)
        truth = _truth(population, campaign, factor, worn, start, end)
        number = np.full(len(who), campaign.number)
        rows.append((number, who, treated, probability, *(p[who] for p in truth)))
        applies = np.where(contacted[campaign.number], factor, 1.0)
        owner, moment = _changed(rng, population, owner, moment, applies, start, end)

        leaves = np.array(UNSUBSCRIBES)[population.annoyed[who].astype(np.int64)]
        gone = who[treated & (rng.random(len(who)) < leaves)]
        day = campaign.start + rng.integers(0, 3, len(gone))
        left.append((np.full(len(gone), campaign.number), gone, day))
        reachable[gone, column] = False
    columns: list[Any] = [np.concatenate(part) for part in zip(*rows, strict=True)]
    revoked: list[Any] = [np.concatenate(part) for part in zip(*left, strict=True)]
    number, who, treated, probability, order_if, order_if_not, redeem_if = columns
    contacts = Contacts(
        campaign=number,
        owner=who,
        treated=treated,
        probability=probability,
        order_if=order_if,
        order_if_not=order_if_not,
        redeem_if=redeem_if,
        contacted=contacted,
        left=left_of,
        unsubscribed=(revoked[0], revoked[1], revoked[2]),
    )
    return contacts, owner, moment


def left_after(
    contacted: Bools,
    campaigns: tuple[Campaign, ...],
    channel: Channel,
    day: int,
    plan: CampaignPlan,
) -> Floats:
    """What the contacts over a channel before a day leave of another one's effect, by customer.

    ``contacted`` is campaigns by customers; a contact is made on the first day of its campaign.
    """
    pressure = np.zeros(contacted.shape[1])
    if plan.fatigue > 0:
        for earlier in campaigns:
            if earlier.action.channel is channel and earlier.start < day:
                weight = 0.5 ** ((day - earlier.start) / plan.fatigue_half_life_days)
                pressure += weight * contacted[earlier.number]
    return np.exp(-plan.fatigue * pressure)


def worn_factor(factor: Floats, left: Floats) -> Floats:
    """The factor of the purchase rate after fatigue: nearer to 1, but where a contact annoys."""
    return np.where(factor > 1, 1 + (factor - 1) * left, factor)


def _truth(
    population: Population,
    campaign: Campaign,
    factor: Floats,
    left: Floats,
    start: float,
    end: float,
) -> tuple[Floats, Floats, Floats]:
    alive = population.alive(start)
    rate, drop = population.rate * population.completed, population.drop_rate
    redeems = redemption_probability(population, campaign.action) * left
    return (
        p_any(rate * factor, drop, alive, end - start),
        p_any(rate, drop, alive, end - start),
        p_any(rate * factor * redeems, drop, alive, end - start),
    )


def _changed(
    rng: np.random.Generator,
    population: Population,
    owner: Ints,
    moment: Floats,
    factor: Floats,
    start: float,
    end: float,
) -> tuple[Ints, Floats]:
    """Thin the orders between ``start`` and ``end`` where the factor is below 1; add where above.

    Adding a Poisson of the missing rate, and keeping with the probability of the factor, both give
    a Poisson process of the rate times the factor.
    """
    within = np.flatnonzero((moment >= start) & (moment < end))
    lost = within[rng.random(len(within)) >= factor[owner[within]]]
    keep = np.ones(len(owner), dtype=bool)
    keep[lost] = False
    more = rng.poisson(population.rate * np.maximum(factor - 1, 0) * (end - start))
    extra = owners(more)
    when = start + (end - start) * rng.random(len(extra))
    alive = when < population.leaves[extra]
    return np.r_[owner[keep], extra[alive]], np.r_[moment[keep], when[alive]]

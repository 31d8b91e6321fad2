"""Orders and their lines: when, through which channel, what, and at which price."""

from dataclasses import dataclass

import numpy as np

from mkt_models.simulation.campaigns import Campaign, redemption_probability
from mkt_models.simulation.catalogue import Catalogue
from mkt_models.simulation.clock import SECONDS, ShopClock
from mkt_models.simulation.closed_forms import LOYALTY_DISCOUNTS, MORE_PIECES
from mkt_models.simulation.contacts import Contacts
from mkt_models.simulation.goods import TOPICS
from mkt_models.simulation.population import DAY_PARTS, STYLE_MORE_LINES, Population
from mkt_models.simulation.randomness import (
    Bools,
    Floats,
    Ints,
    Purpose,
    choose,
    generator,
    owners,
    pick,
    positions,
)

STATUSES = ("completed", "cancelled", "failed")
FIRST_ORDER = 0.9  # share of new customers who order on the day they register
RETURN_NAMED = 0.85  # share of returns that name their order
STORES = 12


@dataclass(frozen=True)
class Orders:
    """One entry per order, by customer and time.

    ``day`` counts from the first day, ``second`` from the first day's midnight; ``campaign`` is
    the number of the campaign whose coupon is redeemed, or -1.
    """

    owner: Ints
    day: Ints
    second: Ints
    status: Ints
    channel: Ints
    payment: Ints
    store: Ints
    campaign: Ints

    @property
    def size(self) -> int:
        """How many orders there are."""
        return len(self.owner)

    @property
    def completed(self) -> Bools:
        """Which were completed."""
        return np.asarray(self.status == 0)


@dataclass(frozen=True)
class Lines:
    """One entry per line, by order; money in cents. ``offer`` is the redeemed coupon, or -1."""

    order: Ints
    product: Ints
    pieces: Ints
    loyalty: Ints
    coupon: Ints
    amount: Ints
    offer: Ints

    @property
    def size(self) -> int:
        """How many lines there are."""
        return len(self.order)


@dataclass(frozen=True)
class Returns:
    """One entry per line that comes back: the line, when, and whether it names its order."""

    line: Ints
    second: Ints
    named: Bools


def base_orders(
    population: Population, clock: ShopClock, seed: int, chunk: int
) -> tuple[Ints, Floats]:
    """Orders without any campaign: place of the customer, and moment (shop time)."""
    rng = generator(seed, chunk, Purpose.ORDERS)
    end = np.minimum(population.leaves, float(clock.shop_time(clock.total)))
    length = np.maximum(end - population.enters, 0)
    owner = owners(rng.poisson(population.rate * length))
    moment = population.enters[owner] + length[owner] * rng.random(len(owner))
    first = np.flatnonzero(
        (population.registered >= 0) & (rng.random(population.size) < FIRST_ORDER)
    )
    return np.r_[owner, first], np.r_[moment, population.enters[first]]


def finish_orders(
    population: Population,
    clock: ShopClock,
    campaigns: tuple[Campaign, ...],
    contacts: Contacts,
    owner: Ints,
    moment: Floats,
    seed: int,
    chunk: int,
) -> Orders:
    """Give orders their time of day, status, channel, and the coupon that they redeem."""
    rng = generator(seed, chunk, Purpose.ORDER_DETAILS)
    in_time = np.lexsort((moment, owner))
    owner, moment = owner[in_time], moment[in_time]
    day = np.clip(np.floor(clock.day_of(moment) + 1e-9), 0, clock.total - 1).astype(np.int64)
    second = day * SECONDS + time_of_day(rng, population, owner)
    in_time = np.lexsort((second, owner))
    owner, day, second = owner[in_time], day[in_time], second[in_time]
    u = rng.random(len(owner))
    failed = population.failed[owner]
    status = np.where(u < failed, 2, np.where(u < failed + population.cancelled[owner], 1, 0))
    channel = pick(rng, population.channels[owner])
    payment = pick(rng, population.payments[owner])
    usual = (population.number * 7 + 3) % STORES
    elsewhere = rng.random(len(owner)) < 0.15
    store = np.where(elsewhere, rng.integers(0, STORES, len(owner)), usual[owner])
    return Orders(
        owner=owner,
        day=day,
        second=second,
        status=status.astype(np.int64),
        channel=channel,
        payment=payment,
        store=np.where(channel == 2, store, -1),
        campaign=_redeemed(rng, population, clock, campaigns, contacts, owner, day, status == 0),
    )


def draw_lines(
    population: Population,
    catalogue: Catalogue,
    campaigns: tuple[Campaign, ...],
    orders: Orders,
    seed: int,
    chunk: int,
) -> Lines:
    """Fill the orders: what is liked, what goes with it, and what the coupon is for."""
    rng = generator(seed, chunk, Purpose.LINES)
    more = np.array(STYLE_MORE_LINES)[population.style[orders.owner]]
    own = owners(1 + rng.poisson(more))
    product = draw_products(rng, population, catalogue, orders.owner[own])
    beside, companion = _companions(rng, population, catalogue, orders.owner, own, product)
    order = np.r_[own, beside]
    product = np.r_[product, companion]
    pieces = 1 + rng.poisson(MORE_PIECES, len(order))
    shelf = catalogue.cents[product] * pieces
    discounted = rng.random(len(order)) < population.discounts[orders.owner[order]]
    share = np.array(LOYALTY_DISCOUNTS)[rng.integers(0, len(LOYALTY_DISCOUNTS), len(order))]
    loyalty = np.where(discounted, np.round(shelf * share), 0).astype(np.int64)

    redeeming = np.flatnonzero(orders.campaign >= 0)
    offer, coupon_product, coupon = _coupons(rng, catalogue, campaigns, orders.campaign[redeeming])
    none = np.zeros(len(order), dtype=np.int64)
    order = np.r_[order, redeeming]
    in_order = np.argsort(order, kind="stable")
    amount = np.r_[shelf - loyalty, catalogue.cents[coupon_product] - coupon]
    return Lines(
        order=order[in_order],
        product=np.r_[product, coupon_product][in_order],
        pieces=np.r_[pieces, np.ones_like(redeeming)][in_order],
        loyalty=np.r_[loyalty, np.zeros_like(redeeming)][in_order],
        coupon=np.r_[none, coupon][in_order],
        amount=amount[in_order],
        offer=np.r_[none - 1, offer][in_order],
    )


def draw_returns(
    population: Population, clock: ShopClock, orders: Orders, lines: Lines, seed: int, chunk: int
) -> Returns:
    """Draw which lines of completed orders come back, 1 to 30 days later, within the data."""
    rng = generator(seed, chunk, Purpose.RETURNS)
    owner = orders.owner[lines.order]
    back = (rng.random(lines.size) < population.returned[owner]) & orders.completed[lines.order]
    line = np.flatnonzero(back)
    day = orders.day[lines.order[line]] + rng.integers(1, 31, len(line))
    second = day * SECONDS + time_of_day(rng, population, owner[line])
    named = rng.random(len(line)) < RETURN_NAMED
    seen = day < clock.days
    return Returns(line[seen], second[seen], named[seen])


def draw_products(
    rng: np.random.Generator, population: Population, catalogue: Catalogue, owner: Ints
) -> Ints:
    """Draw a product that each customer likes: a topic of interest, then a product of the topic."""
    topic = pick(rng, population.interests[owner])
    return catalogue.by_topic.draw(rng, population.taste[owner] * len(TOPICS) + topic)


def time_of_day(rng: np.random.Generator, population: Population, owner: Ints) -> Ints:
    """Seconds since midnight at which each customer likes to shop."""
    part = pick(rng, population.day_parts[owner])
    begins, ends = np.array(DAY_PARTS).T[:, part] * 3600
    return np.asarray(begins + np.floor(rng.random(len(owner)) * (ends - begins)), dtype=np.int64)


def _redeemed(
    rng: np.random.Generator,
    population: Population,
    clock: ShopClock,
    campaigns: tuple[Campaign, ...],
    contacts: Contacts,
    owner: Ints,
    day: Ints,
    completed: Bools,
) -> Ints:
    """Number of the campaign whose coupon an order redeems, or -1.

    Everybody redeems once per campaign, but those who abuse coupons do so again, once a day.
    """
    running = np.full(clock.total, -1)
    chance = np.zeros((len(campaigns) + 1, population.size))
    for campaign in campaigns:
        running[campaign.start : min(campaign.end, clock.days)] = campaign.number
        redeems = redemption_probability(population, campaign.action)
        left = contacts.left[campaign.number]
        chance[campaign.number] = redeems * left * contacts.contacted[campaign.number]
    campaign_of = running[day]
    redeems_now = (rng.random(len(owner)) < chance[campaign_of, owner]) & completed
    rows = np.flatnonzero(redeems_now)
    key = owner[rows] * (len(campaigns) + 1) + campaign_of[rows]  # rises: orders are in time
    same = np.r_[False, key[1:] == key[:-1]]
    same_day = same & np.r_[False, np.diff(day[rows]) == 0]
    again = np.where(population.fraud[owner[rows]] == 2, same_day, same)
    out = np.full(len(owner), -1, dtype=np.int64)
    out[rows[~again]] = campaign_of[rows[~again]]
    return out


def _companions(
    rng: np.random.Generator,
    population: Population,
    catalogue: Catalogue,
    owner: Ints,
    order: Ints,
    product: Ints,
) -> tuple[Ints, Ints]:
    """Order and product of the lines that planted complements bring."""
    pair_of = np.full(len(catalogue.types), -1)
    brings = np.zeros(len(catalogue.types))
    for pair, (first, _, probability) in enumerate(catalogue.complements):
        pair_of[first], brings[first] = pair, probability
    kind = catalogue.product_type[product]
    rows = np.flatnonzero(rng.random(len(product)) < brings[kind])
    taste = population.taste[owner[order[rows]]]
    wheel_row = taste * len(catalogue.complements) + pair_of[kind[rows]]
    return order[rows], catalogue.companions.draw(rng, wheel_row)


def _coupons(
    rng: np.random.Generator,
    catalogue: Catalogue,
    campaigns: tuple[Campaign, ...],
    campaign: Ints,
) -> tuple[Ints, Ints, Ints]:
    """Offer, product and discount (cents) of each order that redeems a coupon."""
    offer, product, cents = (np.zeros(len(campaign), dtype=np.int64) for _ in range(3))
    for one in campaigns:
        rows = np.flatnonzero(campaign == one.number)
        if len(rows):
            offers, products, shares = one.coupons
            drawn = choose(rng, np.full(len(offers), 1 / len(offers)), len(rows))
            offer[rows], product[rows] = offers[drawn], products[drawn]
            cents[rows] = np.round(catalogue.cents[products[drawn]] * shares[drawn])
    return offer, product, cents


def order_places(lines: Lines) -> Ints:
    """Place of each line in its order, from 1."""
    return positions(lines.order) + 1

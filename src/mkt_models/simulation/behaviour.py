"""What customers do on the way to an order and beside it: visits, views, carts, reviews, shares.

An order over the app or the web is preceded by a visit in which its products are viewed and put
into the cart, and, for those who take their time, by an earlier visit in which they compare. How
often and how long depends on the spending style. Other visits lead to no order.
"""

from dataclasses import dataclass

import numpy as np

from mkt_models.simulation.catalogue import Catalogue
from mkt_models.simulation.clock import SECONDS, ShopClock
from mkt_models.simulation.population import Population
from mkt_models.simulation.purchases import Lines, Orders, draw_products, time_of_day
from mkt_models.simulation.randomness import (
    Bools,
    Floats,
    Ints,
    Purpose,
    choose,
    generator,
    owners,
)
from mkt_models.source_params import Simulator

KINDS = ("view", "search", "click", "cart", "favourite", "share", "review")
DEVICES = ("android", "ios", "desktop")
# By style: impulse, careful, rational.
STYLE_DECIDES = (0.05, 0.50, 0.80)  # share of orders with an earlier visit to compare
STYLE_DAYS = (0.3, 2.5, 4.5)  # mean days from that visit to the order
STYLE_COMPARES = (0.2, 0.8, 1.6)  # mean other products of the type that are viewed, per line
STYLE_DWELL = (15.0, 35.0, 60.0)  # median seconds of a view
BROWSING = (0.62, 0.13, 0.11, 0.05, 0.06, 0.03)  # of a visit without an order: view to share
REVIEWED = 0.05  # share of completed lines


@dataclass(frozen=True)
class Events:
    """One entry per event, by time. Numbers are -1, and measures NaN, where there is none."""

    owner: Ints
    session: Ints
    kind: Ints
    product: Ints
    query: Ints
    dwell: Floats
    rating: Floats
    device: Ints
    second: Ints

    def of(self, rows: Ints | Bools) -> "Events":
        """Take some of the events."""
        return Events(**{name: values[rows] for name, values in vars(self).items()})


def draw_events(
    source: Simulator,
    population: Population,
    catalogue: Catalogue,
    clock: ShopClock,
    orders: Orders,
    lines: Lines,
    seed: int,
    chunk: int,
) -> Events:
    """Draw all behaviour of a chunk within the data and since each customer's registration."""
    rng = generator(seed, chunk, Purpose.BEHAVIOUR)
    parts = [
        _buying(rng, population, orders, lines),
        _deciding(rng, population, catalogue, orders, lines),
        _browsing(rng, source, population, catalogue, clock, first_session=2 * orders.size),
        _reviews(rng, population, orders, lines),
    ]
    events = Events(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])}
    )
    day = events.second // SECONDS
    seen = (day >= np.maximum(population.registered[events.owner], 0)) & (day < clock.days)
    rows = np.flatnonzero(seen)
    return events.of(rows[np.argsort(events.second[rows], kind="stable")])


def _event(
    rng: np.random.Generator,
    population: Population,
    owner: Ints,
    session: Ints,
    kind: Ints,
    product: Ints,
    second: Ints,
    web: Bools,
    query: Ints | None = None,
) -> Events:
    """Fill in what follows from the rest: the device, and the dwell of views."""
    median = np.array(STYLE_DWELL)[population.style[owner]]
    dwell = np.round(median * np.exp(rng.normal(0, 0.8, len(owner))))
    phone = (population.number[owner] * 2_654_435_761 % 100 >= 58).astype(np.int64)
    return Events(
        owner=owner,
        session=session,
        kind=kind,
        product=product,
        query=np.full(len(owner), -1) if query is None else query,
        dwell=np.where(kind == 0, dwell, np.nan),
        rating=np.full(len(owner), np.nan),
        device=np.where(web, 2, phone),
        second=second,
    )


def _buying(
    rng: np.random.Generator, population: Population, orders: Orders, lines: Lines
) -> Events:
    """Draw the visit of an order: every product is viewed, then put into the cart."""
    rows = np.flatnonzero((orders.channel != 2)[lines.order])
    order, product = lines.order[rows], lines.product[rows]
    before = rng.integers(90, 1500, len(rows))
    viewed = orders.second[order] - before
    carted = viewed + np.minimum(rng.integers(5, 80, len(rows)), before - 5)
    twice = np.r_[order, order]
    kind = np.r_[np.zeros(len(rows), dtype=np.int64), np.full(len(rows), 3)]
    return _event(
        rng,
        population,
        owner=orders.owner[twice],
        session=twice,
        kind=kind,
        product=np.r_[product, product],
        second=np.r_[viewed, carted],
        web=orders.channel[twice] == 1,
    )


def _deciding(
    rng: np.random.Generator,
    population: Population,
    catalogue: Catalogue,
    orders: Orders,
    lines: Lines,
) -> Events:
    """Draw the earlier visit: what will be bought, beside others of its type."""
    style = population.style[orders.owner]
    decides = (rng.random(orders.size) < np.array(STYLE_DECIDES)[style]) & (orders.channel != 2)
    ago = rng.exponential(1, orders.size) * np.array(STYLE_DAYS)[style] * SECONDS
    starts = orders.second - 1800 - ago.astype(np.int64)
    rows = np.flatnonzero(decides[lines.order])
    order, product = lines.order[rows], lines.product[rows]
    compares = np.array(STYLE_COMPARES)[population.style[orders.owner[order]]]
    others = owners(rng.poisson(compares))
    counts = np.bincount(catalogue.product_type, minlength=len(catalogue.types))
    first = np.r_[0, np.cumsum(counts)[:-1]]
    kind_of = catalogue.product_type[product[others]]
    beside = first[kind_of] + np.floor(rng.random(len(others)) * counts[kind_of]).astype(np.int64)
    order = np.r_[order, order[others]]
    return _event(
        rng,
        population,
        owner=orders.owner[order],
        session=order + orders.size,
        kind=np.zeros(len(order), dtype=np.int64),
        product=np.r_[product, beside],
        second=starts[order] + rng.integers(0, 1500, len(order)),
        web=orders.channel[order] == 1,
    )


def _browsing(
    rng: np.random.Generator,
    source: Simulator,
    population: Population,
    catalogue: Catalogue,
    clock: ShopClock,
    first_session: int,
) -> Events:
    """Draw visits without an order, at a rate that follows the customer's purchase rate."""
    end = np.minimum(population.leaves, float(clock.shop_time(clock.days)))
    length = np.maximum(end - population.enters, 0)
    visitor = owners(rng.poisson(source.browsing * population.rate * length))
    moment = population.enters[visitor] + length[visitor] * rng.random(len(visitor))
    day = np.floor(clock.day_of(moment) + 1e-9).astype(np.int64)
    starts = day * SECONDS + time_of_day(rng, population, visitor)
    online = population.channels[:, :2] / population.channels[:, :2].sum(axis=1, keepdims=True)
    web = rng.random(len(visitor)) < online[visitor, 1]
    visit = owners(1 + rng.poisson(3.0, len(visitor)))
    owner = visitor[visit]
    kind = choose(rng, list(BROWSING), len(visit))
    product = draw_products(rng, population, catalogue, owner)
    searched = kind == 1
    return _event(
        rng,
        population,
        owner=owner,
        session=visit + first_session,
        kind=kind,
        product=np.where(searched, -1, product),
        query=np.where(searched, catalogue.product_type[product], -1),
        second=starts[visit] + rng.integers(0, 1800, len(visit)),
        web=web[visit],
    )


def _reviews(
    rng: np.random.Generator, population: Population, orders: Orders, lines: Lines
) -> Events:
    """Draw reviews of what was bought, worse from those who have trouble with the service."""
    rows = np.flatnonzero((rng.random(lines.size) < REVIEWED) & orders.completed[lines.order])
    order = lines.order[rows]
    owner = orders.owner[order]
    later = rng.integers(2 * SECONDS, 20 * SECONDS, len(rows))
    events = _event(
        rng,
        population,
        owner=owner,
        session=np.full(len(rows), -1),
        kind=np.full(len(rows), 6),
        product=lines.product[rows],
        second=orders.second[order] + later,
        web=orders.channel[order] == 1,
    )
    stars = 4.6 - 8 * population.trouble[owner] + rng.normal(0, 0.9, len(rows))
    return Events(**{**vars(events), "rating": np.clip(np.round(stars), 1, 5)})

"""Service requests: after orders that went wrong, payments that failed, and returns."""

from dataclasses import dataclass

import numpy as np

from mkt_models.simulation.clock import SECONDS, ShopClock
from mkt_models.simulation.population import Population
from mkt_models.simulation.purchases import Lines, Orders, Returns
from mkt_models.simulation.randomness import Floats, Ints, Purpose, choose, generator

TOPICS = ("delivery", "quality", "other", "payment", "return")
OF_COMPLETED = (0.50, 0.32, 0.18)
AFTER_FAILURE = 0.30
AFTER_RETURN = 0.25
ANSWERED = 0.6  # share that says how satisfied they are


@dataclass(frozen=True)
class Tickets:
    """One entry per service request, by time; ``resolved`` is -1 while it is open."""

    owner: Ints
    order: Ints
    topic: Ints
    opened: Ints
    resolved: Ints
    satisfaction: Floats


def draw_tickets(
    population: Population,
    clock: ShopClock,
    orders: Orders,
    lines: Lines,
    returns: Returns,
    seed: int,
    chunk: int,
) -> Tickets:
    """Draw the service requests of a chunk that are opened within the data.

    A completed order leads to one with the customer's probability of trouble; the longer it takes
    to resolve, the lower the satisfaction.
    """
    rng = generator(seed, chunk, Purpose.SERVICE)
    trouble = rng.random(orders.size) < population.trouble[orders.owner]
    wrong = np.flatnonzero(trouble & orders.completed)
    failed = np.flatnonzero((orders.status == 2) & (rng.random(orders.size) < AFTER_FAILURE))
    back = np.flatnonzero(rng.random(len(returns.line)) < AFTER_RETURN)
    of_return = lines.order[returns.line[back]]
    order = np.r_[wrong, failed, of_return]
    topic = np.r_[
        choose(rng, list(OF_COMPLETED), len(wrong)),
        np.full(len(failed), 3),
        np.full(len(back), 4),
    ]
    waits = rng.exponential(1.5 * SECONDS, len(order)).astype(np.int64) + 600
    cause = np.r_[orders.second[wrong], orders.second[failed], returns.second[back]]
    opened = cause + waits
    hours = np.exp(rng.normal(np.log(20), 1.0, len(order)))
    resolved = opened + (hours * 3600).astype(np.int64)
    end = clock.days * SECONDS
    said = (rng.random(len(order)) < ANSWERED) & (resolved < end)
    stars = 4.6 - 0.8 * np.log1p(hours / 12) + rng.normal(0, 0.8, len(order))
    seen = np.flatnonzero(opened < end)
    rows = seen[np.argsort(opened[seen], kind="stable")]
    return Tickets(
        owner=orders.owner[order][rows],
        order=order[rows],
        topic=topic[rows],
        opened=opened[rows],
        resolved=np.where(resolved < end, resolved, -1)[rows],
        satisfaction=np.where(said, np.clip(np.round(stars), 1, 5), np.nan)[rows],
    )

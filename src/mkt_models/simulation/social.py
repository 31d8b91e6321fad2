"""Social activity: what customers post and like, about their interests, and before how many."""

from dataclasses import dataclass

import numpy as np

from mkt_models.simulation.clock import SECONDS, ShopClock
from mkt_models.simulation.population import Population
from mkt_models.simulation.purchases import time_of_day
from mkt_models.simulation.randomness import Floats, Ints, Purpose, choose, generator, owners, pick

KINDS = ("post", "like", "comment", "repost", "follow")
KIND_SHARES = (0.14, 0.46, 0.18, 0.12, 0.10)
PLATFORMS = ("microblog", "short_video", "community")
GROWTH = 0.2  # followers gained over the data, as a share of those at its end


@dataclass(frozen=True)
class Social:
    """One entry per social action, by time; ``target`` is a place in the chunk, or -1."""

    owner: Ints
    platform: Ints
    kind: Ints
    topic: Ints
    target: Ints
    followers: Ints
    second: Ints


def draw_social(population: Population, clock: ShopClock, seed: int, chunk: int) -> Social:
    """Draw the social actions of a chunk, from registration to drop-out.

    Topics follow the customer's interests without the everyday one. Likes, comments, reposts and
    follows go to customers in proportion to their followers.
    """
    rng = generator(seed, chunk, Purpose.SOCIAL)
    begins = np.maximum(population.registered, 0).astype(np.float64)
    end = clock.day_of(np.minimum(population.leaves, float(clock.shop_time(clock.days))))
    length = np.maximum(end - begins, 0)
    owner = owners(rng.poisson(population.social_rate * length))
    day = np.floor(begins[owner] + length[owner] * rng.random(len(owner)))
    day = np.minimum(day, clock.days - 1).astype(np.int64)
    second = day * SECONDS + time_of_day(rng, population, owner)
    liked = population.interests[:, 1:] / population.interests[:, 1:].sum(axis=1, keepdims=True)
    topic = 1 + pick(rng, liked[owner])
    kind = choose(rng, list(KIND_SHARES), len(owner))
    reach = np.maximum(population.followers, 0).astype(np.float64)
    target = _targets(rng, reach, owner, kind)
    grown = 1 - GROWTH + GROWTH * (day + 1) / clock.days
    in_time = np.argsort(second, kind="stable")
    return Social(
        owner=owner[in_time],
        platform=(population.number[owner] % len(PLATFORMS))[in_time],
        kind=kind[in_time],
        topic=topic[in_time],
        target=target[in_time],
        followers=np.floor(reach[owner] * grown).astype(np.int64)[in_time],
        second=second[in_time],
    )


def _targets(rng: np.random.Generator, reach: Floats, owner: Ints, kind: Ints) -> Ints:
    """Draw whom an action goes to; -1 for posts, and where it would be the customer."""
    bounds = np.cumsum(reach)
    total = bounds[-1] if len(bounds) else 0.0
    if total == 0:
        return np.full(len(owner), -1)
    drawn = np.searchsorted(bounds, rng.random(len(owner)) * total, side="right")
    return np.where((kind == 0) | (drawn == owner), -1, drawn)

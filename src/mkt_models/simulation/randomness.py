"""Random numbers that depend on the seed, the chunk and the purpose, and on nothing else.

Every chunk of customers draws each of its subjects from a generator of its own, so a chunk is the
same whether it is made alone, first or last, and one more draw for a purpose moves no other.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Purpose(IntEnum):
    """What a generator is for; the numbers are part of the seed and must not change."""

    CATALOGUE = 1
    PLAN = 2
    POPULATION = 3
    ORDERS = 4
    CONTACTS = 5
    LINES = 6
    RETURNS = 7
    BEHAVIOUR = 8
    SOCIAL = 9
    SERVICE = 10
    CONSENTS = 11
    DIRT = 12
    ORDER_DETAILS = 13
    IDENTITIES = 14
    OUTCOMES = 15
    SHOP_DIRT = 16


def generator(seed: int, chunk: int, purpose: Purpose) -> np.random.Generator:
    """Make the generator of one purpose in one chunk.

    >>> generator(7, 0, Purpose.LINES).random() == generator(7, 0, Purpose.LINES).random()
    True
    """
    key = np.random.SeedSequence((seed, chunk, int(purpose)))
    return np.random.Generator(np.random.Philox(key))


def owners(counts: Ints) -> Ints:
    """Row numbers, each as often as its count says.

    >>> owners(np.array([2, 0, 1])).tolist()
    [0, 0, 2]
    """
    return np.repeat(np.arange(len(counts)), counts)


def positions(owner: Ints) -> Ints:
    """Place of each row among the rows of the same owner, from 0; owners are in order.

    >>> positions(np.array([4, 4, 7, 7, 7])).tolist()
    [0, 1, 0, 1, 2]
    """
    if not len(owner):
        return np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    return np.arange(len(owner)) - np.repeat(first, np.diff(np.r_[first, len(owner)]))


def pick(rng: np.random.Generator, shares: Floats) -> Ints:
    """Draw one column per row of a table of shares that sum to 1 in every row."""
    bounds = np.cumsum(shares, axis=1)[:, :-1]
    return np.asarray((rng.random(len(shares))[:, None] >= bounds).sum(axis=1), dtype=np.int64)


def choose(rng: np.random.Generator, shares: list[float] | Floats, n: int) -> Ints:
    """Draw ``n`` numbers from 0 with the same shares, which sum to 1."""
    bounds = np.cumsum(shares)[:-1]
    return np.searchsorted(bounds, rng.random(n), side="right").astype(np.int64)


class Wheel:
    """Many discrete distributions over the same values, to draw from by row.

    ``weights`` has one row per distribution; they need not sum to 1.
    """

    def __init__(self, weights: Floats) -> None:
        """Lay the cumulated shares of all rows end to end, row ``r`` within [r, r + 1]."""
        bounds = np.cumsum(weights, axis=1)
        bounds /= bounds[:, -1:]  # so that nothing is drawn after the last weight above 0
        self.shares: Floats = weights / weights.sum(axis=1, keepdims=True)
        self._width = weights.shape[1]
        self._bounds: Floats = (bounds + np.arange(len(weights))[:, None]).ravel()

    def draw(self, rng: np.random.Generator, rows: Ints) -> Ints:
        """Draw one value from the distribution of each of ``rows``."""
        at = np.searchsorted(self._bounds, rows + rng.random(len(rows)), side="right")
        return np.asarray(np.minimum(at - rows * self._width, self._width - 1), dtype=np.int64)

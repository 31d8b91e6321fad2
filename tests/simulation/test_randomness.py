"""Draws depend on seed, chunk and purpose only, and follow their shares."""

import numpy as np
import pytest

from mkt_models.simulation.randomness import (
    Purpose,
    Wheel,
    choose,
    generator,
    owners,
    pick,
    positions,
)

N = 40_000
FIVE_SIGMA = 5 * np.sqrt(0.25 / N)


def test_a_generator_is_repeatable_and_each_key_has_its_own():
    first = generator(3, 0, Purpose.LINES).random(4)
    assert (generator(3, 0, Purpose.LINES).random(4) == first).all()
    for other in ((4, 0, Purpose.LINES), (3, 1, Purpose.LINES), (3, 0, Purpose.ORDERS)):
        assert not np.isin(generator(*other).random(4), first).any()


def test_purposes_have_numbers_of_their_own():
    assert len({int(purpose) for purpose in Purpose}) == len(Purpose.__members__)


def test_owners_and_positions_go_together():
    counts = np.array([3, 0, 1, 2])
    assert owners(counts).tolist() == [0, 0, 0, 2, 3, 3]
    assert positions(owners(counts)).tolist() == [0, 1, 2, 0, 0, 1]
    assert positions(np.zeros(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("shares", [[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
def test_draws_follow_their_shares(shares: list[float]):
    rng = generator(1, 0, Purpose.PLAN)
    rows = np.tile(shares, (N, 1))
    for drawn in (
        choose(rng, shares, N),
        pick(rng, rows),
        Wheel(np.array([[1.0, 1.0, 1.0], shares])).draw(rng, np.ones(N, dtype=np.int64)),
    ):
        found = np.bincount(drawn, minlength=3) / N
        assert np.abs(found - shares).max() < FIVE_SIGMA
        assert (found[np.array(shares) == 0] == 0).all()

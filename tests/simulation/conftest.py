"""A simulated shop that several tests look at, made once."""

import pytest
from simulation.shops import shop

from mkt_models.simulation.shop import Chunk, World, make_world, simulate_chunk


@pytest.fixture(scope="session")
def world() -> World:
    """A shop of 300 days."""
    return make_world(shop(), seed=11)


@pytest.fixture(scope="session")
def chunk(world: World) -> Chunk:
    """Its 3,000 customers."""
    return simulate_chunk(world, 0)

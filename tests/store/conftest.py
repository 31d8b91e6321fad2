"""A live store of either kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import database

from mkt_models.store.live import LiveStore


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'live.sqlite'}"
        return
    with database(request.getfixturevalue("postgres_url"), f"live_{tmp_path.name}") as url:
        yield url


@pytest.fixture
def live(address: str) -> Iterator[LiveStore]:
    with LiveStore.open(address) as store:
        yield store

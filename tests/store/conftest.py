"""A live store of either kind."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mkt_models.store.live import LiveStore


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'live.sqlite'}"
        return
    server = request.getfixturevalue("postgres_url")
    name = f"live_{tmp_path.name[-40:]}".lower().replace("-", "_")
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    yield server.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as plain:
        plain.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture
def live(address: str) -> Iterator[LiveStore]:
    with LiveStore.open(address) as store:
        yield store

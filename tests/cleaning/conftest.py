from collections.abc import Iterator

import pytest

from mkt_models.engine import Connection, connect
from mkt_models.params import Engine


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con

"""An engine, and a source over files that a test writes, for tests that read files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sources.exports import SALES

from mkt_models.engine import Connection, connect
from mkt_models.params import Engine
from mkt_models.source_params import Files

Make = Callable[..., Files]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A source in UTC over files of ``tmp_path``: the transactions' mapping, and other tables."""

    def _make(transactions: dict[str, Any] | None = None, **more: Any) -> Files:
        tables = more.pop("tables", {})
        block = {"files": "*.csv", "columns": SALES} | (transactions or {})
        return Files.model_validate(
            {"kind": "files", "time_zone": "UTC", "folder": str(tmp_path)}
            | {"tables": {"transactions": block, **tables}}
            | more
        )

    return _make

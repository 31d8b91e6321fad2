"""Everything from cleaning to tags keeps to the portable subset of SQL."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from chain import HOUSEHOLDS, SIMULATED, SMALL, run_chain, sample

from mkt_models.engine import connect
from mkt_models.spark_sql import parse


class Checked:
    """DuckDB in the place of Spark: what it is given must be portable."""

    def __init__(self, local: duckdb.DuckDBPyConnection) -> None:
        self.local = local
        self.statements: list[str] = []

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        self._check(query)
        return self.local.execute(query)

    def gather(self, query: str) -> str:
        self._check(query)
        return query

    def forget(self, path: Path) -> None:
        assert path.is_file()

    def _check(self, query: str) -> None:
        parse(query)
        self.statements.append(query)


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[Checked]:
    with connect(SMALL, tmp_path / "spill") as con:
        yield Checked(con)


@pytest.mark.parametrize("of", [HOUSEHOLDS, SIMULATED], ids=["households", "simulated"])
def test_the_chain_from_cleaning_to_tags_is_portable(checked: Checked, tmp_path: Path, of):
    fewer = dict.fromkeys(of[1], 100)
    params = sample(tmp_path, (of[0], fewer))
    chain = run_chain(checked, params, tmp_path / "raw", tmp_path)
    assert len(chain.tags) > len(chain.profiles) > 50
    assert len(checked.statements) > 50

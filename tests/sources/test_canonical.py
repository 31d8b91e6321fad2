from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mkt_models.columns import Table
from mkt_models.engine import Connection, connect, write_parquet
from mkt_models.params import Engine
from mkt_models.sources.canonical import REQUIRED, SourceError, check
from mkt_models.sources.schemas import SCHEMAS


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


@pytest.fixture
def give(con: Connection, tmp_path: Path) -> Callable[..., Path]:
    """Write one row of nulls as a canonical table, some columns changed or left out (None)."""

    def _give(table: Table, **changed: str | None) -> Path:
        kinds = {c: k for c, k in (SCHEMAS[table] | changed).items() if k is not None}
        columns = ", ".join(f"CAST(NULL AS {kind}) AS {c}" for c, kind in kinds.items())
        write_parquet(con, f"SELECT {columns}", tmp_path / f"{table.value}.parquet")
        return tmp_path

    return _give


def test_tables_that_keep_to_the_schema_are_counted(con: Connection, give):
    for table in SCHEMAS:
        folder = give(table)
    assert check(con, folder) == dict.fromkeys(SCHEMAS, 1)


def test_a_table_that_is_not_there_is_absent(con: Connection, give):
    assert check(con, give(Table.TRANSACTIONS)) == {Table.TRANSACTIONS: 1}


@pytest.mark.parametrize("table", REQUIRED)
def test_a_required_table_must_be_there(con: Connection, give, table: Table):
    folder = give(Table.PRODUCTS)
    with pytest.raises(SourceError, match=f"no table '{table.value}'; every run needs it"):
        check(con, folder)


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, kinds in SCHEMAS.items() for column in kinds]
)
def test_a_missing_column_is_named(con: Connection, give, table: Table, column: str):
    give(Table.TRANSACTIONS)
    with pytest.raises(SourceError, match=f"^{table.value}: no column '{column}'; has: "):
        check(con, give(table, **{column: None}))


def test_a_column_of_another_type_is_named(con: Connection, give):
    folder = give(Table.TRANSACTIONS, amount_cents="DOUBLE")
    message = r"^transactions\.amount_cents: type DOUBLE, must be BIGINT; cast it in the source$"
    with pytest.raises(SourceError, match=message):
        check(con, folder)


def test_more_columns_than_needed_do_no_harm(con: Connection, give):
    assert check(con, give(Table.TRANSACTIONS, till="VARCHAR")) == {Table.TRANSACTIONS: 1}

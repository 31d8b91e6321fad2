from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.engine import Connection, connect, count, literal, register, write_parquet
from mkt_models.params import Engine

SMALL = Engine(memory_limit_gb=0.5, threads=1)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(SMALL, tmp_path_factory.mktemp("spill")) as connection:
        yield connection


def _setting(con: Connection, name: str) -> str:
    return str(con.execute(f"SELECT current_setting('{name}')").fetchall()[0][0])


def test_connection_keeps_to_the_params(tmp_path: Path):
    spill = tmp_path / "deep" / "spill"
    with connect(SMALL, spill) as con:
        assert spill.is_dir()
        assert _setting(con, "threads") == "1"
        assert _setting(con, "memory_limit") == "476.8 MiB"  # 0.5 GB of 1000 ** 3 bytes
        assert _setting(con, "temp_directory") == str(spill)
        assert _setting(con, "TimeZone") == "UTC"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_comes_back_as_it_was(con: Connection, text: str):
    assert con.execute(f"SELECT {literal(text)}").fetchall() == [(text,)]


def test_written_tables_are_registered_by_their_stem(con: Connection, tmp_path: Path):
    folder = tmp_path / "it's new"
    assert write_parquet(con, "SELECT 1 AS a UNION ALL SELECT 2", folder / "numbers.parquet") == 2
    assert write_parquet(con, "SELECT 3 AS a", folder / "more.parquet") == 1
    assert register(con, folder) == ["more", "numbers"]
    assert count(con, "numbers") == 2
    assert count(con, "numbers", "a > 1") == 1
    assert sorted(p.name for p in folder.iterdir()) == ["more.parquet", "numbers.parquet"]


def test_registering_again_reads_the_other_folder(con: Connection, tmp_path: Path):
    for folder, rows in (("one", 1), ("two", 2)):
        write_parquet(con, f"SELECT * FROM range({rows})", tmp_path / folder / "same.parquet")
        register(con, tmp_path / folder, ["same"])
        assert count(con, "same") == rows


def test_a_missing_table_is_named_with_what_is_there(con: Connection, tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"orders\.parquet: no such .* has no tables"):
        register(con, tmp_path, ["orders"])
    write_parquet(con, "SELECT 1 AS a", tmp_path / "offers.parquet")
    with pytest.raises(FileNotFoundError, match=r"orders\.parquet: no such table.* has offers"):
        register(con, tmp_path, ["orders"])


def test_a_failed_query_leaves_the_last_good_file(con: Connection, tmp_path: Path):
    path = tmp_path / "t.parquet"
    write_parquet(con, "SELECT 1 AS a", path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="no digits"):
        write_parquet(con, "SELECT CAST('no digits' AS INTEGER) AS a", path)
    assert path.read_bytes() == before

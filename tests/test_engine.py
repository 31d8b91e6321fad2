import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mkt_models.engine import (
    Connection,
    columns,
    connect,
    count,
    literal,
    local_time,
    open_engine,
    register,
    tables,
    write_parquet,
)
from mkt_models.params import Engine
from mkt_models.spark_engine import SparkError

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


def test_columns_and_tables_are_those_of_the_engine(tmp_path: Path):
    with connect(SMALL, tmp_path) as con:
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS SELECT 1 AS n, DATE '2017-01-01' AS d")
        con.execute("CREATE OR REPLACE VIEW seen AS SELECT sum(n) AS total FROM kept")
        assert columns(con, "kept") == {"n": "INTEGER", "d": "DATE"}
        assert columns(con, "(SELECT total, 'x' AS s FROM seen)") == {
            "total": "HUGEINT",
            "s": "VARCHAR",
        }
        assert tables(con) == {"kept", "seen"}


@pytest.mark.parametrize(
    ("utc", "zone", "local"),
    [
        ("2017-03-12 06:59:00", "America/New_York", datetime(2017, 3, 12, 1, 59)),
        ("2017-03-12 07:00:00", "America/New_York", datetime(2017, 3, 12, 3)),  # summer begins
        ("2017-11-05 06:00:00", "America/New_York", datetime(2017, 11, 5, 1)),  # and is over
        ("2017-06-01 12:00:00", "Asia/Kolkata", datetime(2017, 6, 1, 17, 30)),
    ],
)
def test_the_time_on_a_shops_clock(con: Connection, utc: str, zone: str, local: datetime):
    found = con.execute(f"SELECT {local_time(f'CAST({literal(utc)} AS TIMESTAMP)', zone)}")
    assert found.fetchall() == [(local,)]


@pytest.mark.parametrize("url", ["duckdb", "sc://127.0.0.1:15002", "sc://spark.example:443"])
def test_an_engine_is_named_by_its_url(url: str):
    assert SMALL.model_copy(update={"url": url}) == Engine(url=url, memory_limit_gb=0.5, threads=1)


@pytest.mark.parametrize(
    "url", ["spark", "spark://host:7077", "sc://host", "sc://host:1;token=secret", "sc://a b:1"]
)
def test_another_url_is_refused(url: str):
    with pytest.raises(ValidationError, match="url"):
        Engine(url=url, memory_limit_gb=0.5, threads=1)


def test_the_engine_of_the_parameters_is_opened(tmp_path: Path):
    with open_engine(SMALL, tmp_path) as con:
        assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_a_server_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"sc://127.0.0.1:{taken.getsockname()[1]}"
        engine = Engine(url=url, memory_limit_gb=0.5, threads=1)
        with pytest.raises(SparkError, match=f"{url}.*nothing answers there.*set engine.url to"):
            open_engine(engine, tmp_path)


def test_without_the_extra_the_engine_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "mkt_models.spark_engine", None)
    engine = Engine(url="sc://127.0.0.1:15002", memory_limit_gb=0.5, threads=1)
    with pytest.raises(ModuleNotFoundError, match=r"needs the extra spark.*mkt-models\[spark\]"):
        open_engine(engine, tmp_path)

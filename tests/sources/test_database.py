"""Tables of a real PostgreSQL, read as files are."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from mkt_models.engine import Connection, connect, literal
from mkt_models.mapping_params import Database
from mkt_models.params import Engine
from mkt_models.source_params import Files
from mkt_models.sources import database, files, mapped_tables
from mkt_models.sources.canonical import SourceError

TABLE = """
CREATE SCHEMA IF NOT EXISTS shop;
DROP TABLE IF EXISTS shop.sales;
CREATE TABLE shop.sales (
    invoice text, customer integer, "Article" varchar(10), pieces numeric, paid numeric(12, 4),
    paid_text text, at timestamptz, local_at timestamp, note text
);
INSERT INTO shop.sales VALUES
 ('R1', 7, 'A1', 2, 12.3450, '1.234,50 €', '2018-07-01 10:00+02', '2018-07-01 10:00', E'a;"b"\\nc'),
 ('R2', NULL, 'A2', 1, -0.10, '-0,10 €', '2018-01-01 00:30+01', '2018-01-01 00:30', ''),
 ('C3', 9, 'A3', 1, 99999999.01, '3', NULL, '2018-12-31 23:59:59.5', NULL);
"""


@pytest.fixture
def url(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database's URL, with a table ``shop.sales``, in the environment variable SHOP_DB_URL."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(TABLE)
    monkeypatch.setenv("SHOP_DB_URL", postgres_url)
    return postgres_url


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path_factory.mktemp("spill")) as con:
        yield con


def source(place: dict[str, Any], at: object = "at", paid: object = "paid") -> Files:
    columns = {
        "order_id": "invoice",
        "customer_id": "customer",
        "product_id": "Article",
        "quantity": "pieces",
        "amount_cents": {"from": paid, "unit": "currency"},
        "occurred_at": at,
    }
    block = {"database": {"url_env": "SHOP_DB_URL", **place}, "columns": columns}
    return Files.model_validate(
        {"kind": "files", "time_zone": "Europe/Berlin", "currency": "EUR"}
        | {"tables": {"transactions": block | {"decimal": ",", "thousands": "."}}}
    )


def rows(con: Connection, folder: Path) -> list[Any]:
    path = literal(folder / "transactions.parquet")
    return con.execute(
        "SELECT order_id, customer_id, product_id, quantity, amount_cents, occurred_at "
        f"FROM read_parquet({path}) ORDER BY order_id DESC"
    ).fetchall()


def test_a_table_is_read_to_the_cent_and_the_second(con, url, tmp_path) -> None:
    origin = files.extract(con, source({"table": "shop.sales"}), 1, tmp_path)
    assert origin["tables"]["transactions"]["rows"] == 3
    assert rows(con, tmp_path) == [
        ("R2", None, "A2", 1.0, -10, datetime(2017, 12, 31, 23, 30)),
        ("R1", "7", "A1", 2.0, 1235, datetime(2018, 7, 1, 8, 0)),
        ("C3", "9", "A3", 1.0, 9_999_999_901, None),
    ]
    assert not list(tmp_path.glob(".scratch*"))


def test_texts_follow_the_params_and_naive_times_the_shop_s_clock(con, url, tmp_path) -> None:
    files.extract(con, source({"table": "shop.sales"}, "local_at", "paid_text"), 1, tmp_path)
    assert [row[4:] for row in rows(con, tmp_path)] == [
        (-10, datetime(2017, 12, 31, 23, 30)),
        (123450, datetime(2018, 7, 1, 8, 0)),
        (300, datetime(2018, 12, 31, 22, 59, 59, 500_000)),
    ]


def test_a_query_is_read_like_a_table(con, url, tmp_path) -> None:
    place = {"query": "SELECT * FROM shop.sales WHERE invoice LIKE 'R%';"}
    files.extract(con, source(place), 1, tmp_path)
    assert [row[0] for row in rows(con, tmp_path)] == ["R2", "R1"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ({"table": "shop.sale"}, "no table 'shop.sale'; did you mean 'shop.sales'?; it has: "),
        ({"query": "SELECT * FROM nowhere"}, "database.query: it names a table that is not there"),
        (
            {"query": "SELECT invoice FROM shop.sales"},
            "the query: no columns 'customer', 'Article', 'pieces'",
        ),
        ({"query": "DELETE FROM shop.sales RETURNING *"}, "the query: the database says: "),
    ],
)
def test_what_the_database_does_not_have(con, url, tmp_path, place, says) -> None:
    with pytest.raises(SourceError, match=r"source\.tables\.transactions: ") as caught:
        files.extract(con, source(place), 1, tmp_path)
    assert says in str(caught.value)


def test_the_url_is_asked_for_and_never_shown(con, url, tmp_path, monkeypatch) -> None:
    place = {"table": "shop.sales"}
    port = url.rpartition(":")[2].partition("/")[0]
    wrong = (
        f"postgresql://shop:s3cret@127.0.0.1:{port}/none",
        "postgresql://shop:s3cret@127.0.0.1:1/postgres",
        "postgres?//s3cret",
    )
    for one in wrong:
        monkeypatch.setenv("SHOP_DB_URL", one)
        with pytest.raises(
            SourceError, match="no connection with the URL in SHOP_DB_URL"
        ) as caught:
            files.extract(con, source(place), 1, tmp_path)
        assert "s3cret" not in str(caught.value)
    monkeypatch.delenv("SHOP_DB_URL")
    with pytest.raises(SourceError, match="variable SHOP_DB_URL is not set"):
        files.extract(con, source(place), 1, tmp_path)


def test_the_fingerprint_follows_rows_changes_and_versions(url, monkeypatch) -> None:
    sales = Database(url_env="SHOP_DB_URL", table="shop.sales", changed_at="local_at")
    before = database.fingerprint(sales)
    assert before == database.fingerprint(sales)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE shop.sales SET local_at = '2019-01-01' WHERE invoice = 'C3'")
    changed = database.fingerprint(sales)
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM shop.sales WHERE invoice = 'R1'")
    assert len({before, changed, database.fingerprint(sales)}) == 3
    monkeypatch.delenv("SHOP_DB_URL")
    assert database.fingerprint(sales) == "not reached"
    fixed = sales.model_copy(update={"version": "3"})
    assert database.fingerprint(fixed) == "version 3"
    assert files.version(source({"table": "shop.sales", "version": "3"})) == "version 3"


def test_a_large_table_is_sampled(con, url, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mapped_tables, "_SAMPLE_ROWS", 2)
    loaded, wrong = mapped_tables.load(
        con, source({"table": "shop.sales"}), tmp_path, sample_bytes=1
    )
    assert (wrong, loaded[0].rows, loaded[0].share) == ([], 2, pytest.approx(2 / 3))
    assert "note" in loaded[0].found

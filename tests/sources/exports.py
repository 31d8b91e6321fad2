"""Order lines as a small shop exports them, and reading them."""

from pathlib import Path
from typing import Any

import pytest

from mkt_models.engine import Connection, literal
from mkt_models.source_params import Files
from mkt_models.sources import canonical, files
from mkt_models.sources.canonical import SourceError

SALES = {
    "order_id": "order",
    "customer_id": "customer",
    "product_id": "product",
    "amount_cents": {"from": "paid", "unit": "currency"},
    "occurred_at": "at",
}
LINES = "order,customer,product,paid,at\no1,anna,p1,1.50,2018-01-01 10:00\n"


def extract(con: Connection, source: Files, folder: Path) -> dict[str, Any]:
    found = files.extract(con, source, 1, folder / "raw")
    canonical.check(con, folder / "raw")
    return found


def rows(con: Connection, folder: Path, table: str, select: str, order: str = "ALL") -> list[Any]:
    path = literal(folder / "raw" / f"{table}.parquet")
    return con.execute(f"SELECT {select} FROM read_parquet({path}) ORDER BY {order}").fetchall()


def refused(con: Connection, source: Files, folder: Path) -> str:
    with pytest.raises(SourceError) as caught:
        files.extract(con, source, 1, folder / "raw")
    assert not (folder / "raw" / ".scratch").exists()
    return str(caught.value)

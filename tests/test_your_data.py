"""The page on a user's own data: its mappings are valid, and the longer one reads such a file."""

import gzip
import re
from pathlib import Path

import pytest
import yaml

from mkt_models.columns import Table
from mkt_models.engine import connect, literal
from mkt_models.loading import load_params
from mkt_models.params import Engine
from mkt_models.sources import files
from mkt_models.sources.mapping import faults

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "your_data.md").read_text(), re.S)
LINES = """\
Rechnung;Position;Datum;Uhrzeit;Kunde;Artikel;Bezeichnung;Warengruppe;Menge;Preis;Rabatt;Filiale;\
Zahlart
R1;1;03.04.2023;10:15;17850.0;A1;Müsli;Lebensmittel;2;1.299,50 €;-5,00;F1;EC
C2;1;03.04.2023;10:20;;A1;Müsli, klein;Lebensmittel;-1;3,99 €;-;F1;Gutschein
"""


@pytest.mark.parametrize("text", BLOCKS, ids=["shortest", "whole"])
def test_the_mappings_are_valid(tmp_path: Path, text: str) -> None:
    (tmp_path / "complete_journey.yaml").write_text(
        (ROOT / "params" / "complete_journey.yaml").read_text()
    )
    (tmp_path / "mine.yaml").write_text(text)
    source = load_params(tmp_path / "mine.yaml").source
    assert faults(source) == []


def test_the_whole_one_reads_such_lines(tmp_path: Path) -> None:
    block = yaml.safe_load(BLOCKS[1])
    block.pop("extends")
    block["source"]["tables"].pop("customers")  # a database: tested in test_database.py
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "mine.yaml").write_text(
        yaml.safe_dump({"extends": str(ROOT / "params" / "complete_journey.yaml"), **block})
    )
    (tmp_path / "data" / "archive").mkdir(parents=True)
    (tmp_path / "data" / "sales_1.csv").write_bytes(LINES.encode("cp1252"))
    (tmp_path / "data" / "archive" / "old.csv.gz").write_bytes(
        gzip.compress(LINES.replace("R1", "R0").encode("cp1252"))
    )
    params = load_params(tmp_path / "params" / "mine.yaml")
    with connect(Engine(memory_limit_gb=0.5, threads=1), tmp_path / "spill") as con:
        files.extract(con, params.source.at(tmp_path / "params"), 1, tmp_path / "raw")

        def rows(table: Table, select: str) -> list[object]:
            path = literal(tmp_path / "raw" / f"{table.value}.parquet")
            return con.execute(f"SELECT {select} FROM read_parquet({path}) ORDER BY 1").fetchall()

        assert rows(
            Table.TRANSACTIONS,
            "order_id, customer_id, quantity, amount_cents, coupon_discount_cents, "
            "payment_method, status, CAST(occurred_at AS VARCHAR)",
        )[1:] == [
            ("C2", None, -1.0, -399, None, "other", "cancelled", "2023-04-03 08:20:00"),
            ("R0", "17850", 2.0, 259900, 500, "card", "completed", "2023-04-03 08:15:00"),
            ("R1", "17850", 2.0, 259900, 500, "card", "completed", "2023-04-03 08:15:00"),
        ]
        found = rows(Table.PRODUCTS, "product_id, product_type, category")
        assert found == [("A1", "Müsli, klein", "Lebensmittel")]

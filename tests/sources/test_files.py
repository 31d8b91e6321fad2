"""A user's files become canonical tables, and every row and every odd text is found again."""

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import retailer
from sources.exports import LINES, SALES, extract, refused, rows

from mkt_models.columns import Table
from mkt_models.engine import Connection, literal
from mkt_models.loading import load_params
from mkt_models.sources import files, mapped_tables

PARAMS = Path(__file__).parents[2] / "params"
# --- the retailer ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(con: Connection, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The retailer's exports, extracted: the folder, the origin and what was written."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "params").mkdir()
    (folder / "params" / "complete_journey.yaml").write_text(
        (PARAMS / "complete_journey.yaml").read_text()
    )
    export = retailer.write_exports(folder / "data")
    path = retailer.write_params(folder)
    source = load_params(path).source.at(path.parent)
    return {"folder": folder, "origin": extract(con, source, folder), "export": export}


def test_every_line_of_the_exports_is_a_row(con: Connection, shop) -> None:
    folder, export = shop["folder"], shop["export"]
    (n,) = rows(con, folder, "transactions", "count(*)")[0]
    assert n == export.lines
    counted = shop["origin"]["tables"]["transactions"]["files"]
    assert sum(file["rows"] for file in counted.values()) == export.lines
    assert all(len(file["sha256"]) == 64 for file in counted.values())
    assert shop["origin"]["about"].startswith("Order lines of a small retailer")


def test_the_oddities_of_the_retailer_arrive_as_they_are(con: Connection, shop) -> None:
    folder = shop["folder"]
    found = rows(
        con,
        folder,
        "transactions",
        "count(*) - count(DISTINCT order_id || '/' || line_id), "
        "sum(CASE WHEN quantity < 0 THEN 1 ELSE 0 END) > 0, "
        "bool_and((status = 'cancelled') = starts_with(order_id, 'C')), "
        "count(*) - count(customer_id) > 0, min(channel), max(channel)",
    )
    assert found == [(shop["export"].overlapping, True, True, True, "store", "store")]


def test_a_known_line_is_read_to_the_cent_and_the_minute(con: Connection, shop) -> None:
    data = (shop["folder"] / "data" / "sales_1.csv").read_bytes().decode("cp1252").splitlines()
    fields = next(line for line in data if '"Kaffeemühle";Haushalt;2;' in line).split(";")
    day, clock = fields[2], fields[3]
    amount, at = rows(
        con,
        shop["folder"],
        "transactions",
        "amount_cents, strftime(timezone('Europe/Berlin', timezone('UTC', occurred_at)), "
        f"'%d.%m.%Y %H:%M') AS at, order_id = {literal(fields[0])} "
        f"AND line_id = {literal(fields[1])} AS wanted",
        "wanted DESC",
    )[0][:2]
    assert (amount, at) == (2 * 129900, f"{day} {clock}")


def test_texts_that_are_no_amount_are_listed_with_file_and_line(con: Connection, shop) -> None:
    folder = shop["folder"]
    listed = rows(con, folder, "unreadable", '"table", file, line, "column", value')
    assert {(table, column) for table, _, _, column, _ in listed} == {
        ("transactions", "amount_cents"),
        ("products", "price_cents"),
    }
    for _, file, line, _, value in listed:
        text = (folder / "data" / file).read_bytes().decode("cp1252").splitlines()[line - 1]
        assert value == "siehe Beleg" in text
    (null,) = rows(con, folder, "transactions", "count(*) - count(amount_cents)")[0]
    assert null == len([one for one in listed if one[0] == "transactions"])


def test_products_come_from_the_order_lines(con: Connection, shop) -> None:
    found = rows(con, shop["folder"], "products", "product_id, product_type, category")
    assert found == [(a, name, group) for a, name, group, _ in retailer.ARTICLES]


def test_customers_are_derived_and_consents_are_none(con: Connection, shop) -> None:
    assert shop["origin"]["derived"] == ["customers", "consents"]
    (n, nobody) = rows(con, shop["folder"], "customers", "count(*), count(*) - count(customer_id)")[
        0
    ]
    assert (n > 50, nobody) == (True, 0)
    assert rows(con, shop["folder"], "consents", "count(*)") == [(0,)]


# --- formats --------------------------------------------------------------------------------


def test_csv_json_and_parquet_of_the_same_rows_give_the_same_table(con, make, tmp_path) -> None:
    lines = [
        {
            "order": f"o{n}",
            "customer": "ünn",
            "product": "p",
            "paid": f"{n}.10",
            "at": f"2018-01-0{n}",
        }
        for n in range(1, 4)
    ]
    text = "\n".join(",".join(line.values()) for line in lines)
    head = ",".join(lines[0])
    contents = {
        "one.csv": f"{head}\n{text}\n".encode(),
        "marked.csv": f"\ufeff{head}\n{text}\n".replace("\n", "\r\n").encode(),
        "mixed.csv": f"{head}\r\n{text}\n".encode(),
        "packed.csv.gz": gzip.compress(f"{head}\n{text}".encode()),
        "wide.csv": f"{head}\n{text}\n".encode("utf-16"),
        "lines.jsonl": "\n".join(json.dumps(line) for line in lines).encode(),
        "packed.jsonl.gz": gzip.compress("\n".join(json.dumps(line) for line in lines).encode()),
    }
    pq.write_table(
        pa.table(
            {
                "order": [line["order"] for line in lines],
                "customer": ["ünn"] * 3,
                "product": ["p"] * 3,
                "paid": [1.1, 2.1, 3.1],
                "at": [datetime(2018, 1, n) for n in range(1, 4)],
            }
        ),
        tmp_path / "typed.parquet",
    )
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    results = []
    for name in [*contents, "typed.parquet"]:
        encoding = {"encoding": "utf-16"} if name == "wide.csv" else {}
        extract(con, make({"files": name, **encoding}), tmp_path)
        results.append(rows(con, tmp_path, "transactions", "*"))
    assert results[0][0][-1] == datetime(2018, 1, 1)
    assert [row[10] for row in results[0]] == [110, 210, 310]
    assert all(result == results[0] for result in results)


def test_json_objects_within_are_named_with_a_point(con, make, tmp_path) -> None:
    record = {"order": "o1", "who": {"id": 7}, "product": "p", "paid": 2, "at": "2018-01-01"}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    extract(con, make({"files": "a.jsonl", "columns": SALES | {"customer_id": "who.id"}}), tmp_path)
    assert rows(con, tmp_path, "transactions", "customer_id, amount_cents") == [("7", 200)]


def test_files_may_order_their_columns_differently(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES)
    (tmp_path / "b.csv").write_text(
        "at,paid,product,customer,order,more\n2018-01-02,2,p2,bob,o2,x\n"
    )
    extract(con, make(), tmp_path)
    assert rows(con, tmp_path, "transactions", "order_id, customer_id, amount_cents") == [
        ("o1", "anna", 150),
        ("o2", "bob", 200),
    ]


def test_a_file_without_header_names_its_columns_in_the_params(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("Export of today\no1|anna|p1|1.50|2018-01-01\n")
    block = {"header": False, "names": LINES.splitlines()[0].split(","), "delimiter": "|",
             "skip_lines": 1}  # fmt: skip
    extract(con, make(block), tmp_path)
    assert rows(con, tmp_path, "transactions", "order_id, amount_cents") == [("o1", 150)]


def test_names_may_stand_in_for_a_header(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("a;b\no1;anna;p1;1.50;2018-01-01;\n")
    names = [*LINES.splitlines()[0].split(","), "nothing"]
    extract(con, make({"names": names, "delimiter": ";"}), tmp_path)
    assert rows(con, tmp_path, "transactions", "order_id, amount_cents") == [("o1", 150)]


def test_an_id_that_was_written_as_a_number_is_itself(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES.replace("anna", "17850.0"))
    columns = SALES | {"customer_id": {"from": "customer", "whole_number": True}}
    extract(con, make({"columns": columns}), tmp_path)
    assert rows(con, tmp_path, "transactions", "customer_id") == [("17850",)]


# --- what cannot be read --------------------------------------------------------------------


def test_many_unreadable_texts_end_the_run_with_place_and_remedy(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES + LINES.splitlines()[1].replace("1.50", "1,50") + "\n")
    said = refused(con, make({"delimiter": ","}), tmp_path)
    assert "lines cannot be split into fields" in said
    (tmp_path / "a.csv").write_text(LINES.replace("1.50", "free").replace("2018-01-01", "1.1.18"))
    said = refused(con, make(), tmp_path)
    assert (
        "source.tables.transactions.columns.amount_cents: 1 of 1 (100.0%) values cannot be read, "
        "e.g. a.csv line 2: 'free'. Look at decimal, thousands and nulls"
    ) in said
    assert "columns.occurred_at: 1 of 1" in said
    assert "of several the first that fits counts: ['%d.%m.%Y %H:%M'," in said


def test_all_faults_are_told_at_once(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("Order,customer,product,paid\n")
    tables = {"customers": {"files": "people.csv", "columns": {"customer_id": "id"}}}
    said = refused(con, make(tables=tables), tmp_path)
    assert (
        "a.csv: no columns 'order', 'at'; has: Order, customer, product, paid. "
        "Did you mean 'Order' for 'order'? "
        "Map them under source.tables.transactions.columns"
    ) in said
    assert "source.tables.customers: files: none is called 'people.csv'" in said


@pytest.mark.parametrize(
    ("content", "block", "says"),
    [
        (b"", {}, "a.csv: is empty"),
        (b"order,customer,product,paid,at\no1,M\xfcller,p,1,2018-01-01\n", {}, "is not UTF-8; say"),
        (b"a\n" + b"\x81\n", {"encoding": "cp1252"}, "line 2: byte 0x81 is no cp1252"),
        (b"order;customer\nx;y\n", {"delimiter": ","}, "the only column is 'order;customer'. Set"),
        (b"x", {"files": "b.xlsx"}, "b.xlsx: is a spreadsheet; save it as CSV"),
        (b"x", {"files": "/etc/*.csv"}, "must be relative to source.folder"),
        (b"x", {"files": "a.csv", "format": "parquet"}, "a.csv: cannot be read as parquet"),
    ],
)
def test_files_that_cannot_be_used_say_why(con, make, tmp_path, content, block, says) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "b.xlsx").write_bytes(b"PK")
    assert says in refused(con, make(block), tmp_path)


# --- values, constants, derived tables ------------------------------------------------------


def test_values_rules_constants_and_what_they_leave_open(con, make, tmp_path) -> None:
    head = "order,customer,product,paid,at,way,pay"
    lines = ["o1,a,p,1,2018-01-01,S,card", "C2,a,p,1,2018-01-01,W,?", "o3,a,p,-1,2018-01-01,,cash"]
    (tmp_path / "a.csv").write_text("\n".join([head, *lines]))
    columns = SALES | {
        "channel": {"from": "way", "values": {"S": "store", "W": "web"}},
        "payment_method": {"from": "pay", "values": {"?": None}, "keep_others": True},
        "status": {"from": "order", "rules": [{"starts_with": "C", "value": "cancelled"}]},
        "store_id": {"value": 12},
        "amount_cents": {"from": "paid", "unit": "currency", "negate": True},
    }
    extract(con, make({"columns": columns}), tmp_path)
    found = rows(
        con, tmp_path, "transactions", "channel, payment_method, status, store_id, amount_cents",
        "order_id",
    )  # fmt: skip
    assert found == [
        ("web", None, "cancelled", "12", -100),
        ("store", "card", None, "12", -100),
        (None, "cash", None, "12", 100),
    ]
    assert not (tmp_path / "raw" / "unreadable.parquet").exists()


def test_a_value_that_is_not_named_is_unreadable(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES)
    columns = SALES | {"channel": {"from": "product", "values": {"p2": "web"}}}
    assert "'p1'. Name it under values, or say under otherwise" in refused(
        con, make({"columns": columns}), tmp_path
    )


def test_a_status_that_is_not_named_is_kept_for_cleaning_to_judge(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES + "o2,anna,p2,1.50,2018-01-01 10:00\n")
    status = {"from": "product", "values": {"p2": "completed"}}
    extract(con, make({"columns": SALES | {"status": status}}), tmp_path)
    assert rows(con, tmp_path, "transactions", "status", "order_id") == [("p1",), ("completed",)]


def test_others_may_be_said_to_tell_nothing(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES)
    channel = {"from": "product", "values": {"p2": "web"}, "otherwise": None}
    extract(con, make({"columns": SALES | {"channel": channel}}), tmp_path)
    assert rows(con, tmp_path, "transactions", "channel", "order_id") == [(None,)]
    assert not (tmp_path / "raw" / "unreadable.parquet").exists()


def test_the_commonest_texts_that_cannot_be_read_are_shown(con, make, tmp_path) -> None:
    lines = [f"o{i},c1,{p},1.00,2018-01-01 10:00" for i, p in enumerate("qppprrrr")]
    (tmp_path / "a.csv").write_text("\n".join([LINES.splitlines()[0], *lines]) + "\n")
    columns = SALES | {"channel": {"from": "product", "values": {"p2": "web"}}}
    told = refused(con, make({"columns": columns}), tmp_path)
    assert "a.csv line 2: 'q'; also 'r', 'p'. Name it" in told


def test_the_last_row_of_a_key_counts(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES + "o2,anna,p2,1,2018-01-02\no3,,p2,1,2018-01-02\n")
    columns = {"customer_id": "customer", "region": "product"}
    table = {"from_table": "transactions", "one_per": "customer_id", "columns": columns}
    extract(con, make(tables={"customers": table}), tmp_path)
    assert rows(con, tmp_path, "customers", "customer_id, region") == [("anna", "p2")]


def test_ids_of_several_columns_need_all_of_them(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES + "o2,,p2,1,2018-01-02\n")
    columns = SALES | {"order_id": {"from": ["customer", "at"], "join": "/"}}
    extract(con, make({"columns": columns}), tmp_path)
    found = rows(con, tmp_path, "transactions", "order_id", "order_id NULLS LAST")
    assert found == [("anna/2018-01-01 10:00",), (None,)]


def test_declared_consents_are_written_for_everybody(con, make, tmp_path) -> None:
    (tmp_path / "a.csv").write_text(LINES)
    consent = {"purpose": "marketing", "channel": "app", "customers": "all",
               "reason": "every customer has installed the app"}  # fmt: skip
    extract(con, make(assumed_consents=[consent]), tmp_path)
    found = rows(con, tmp_path, "consents", "customer_id, status, CAST(changed_on AS VARCHAR)")
    assert found == [("anna", "granted", "2017-12-31")]


def test_the_files_and_nothing_else_are_what_makes_the_stage_stale(make, tmp_path) -> None:
    for name in ("a.csv", "b.csv", "c.txt"):
        (tmp_path / name).write_text(LINES)
    source = make()
    assert files.data_files(source) == [tmp_path / "a.csv", tmp_path / "b.csv"]
    assert files.version(source) == ""


def test_a_sample_reads_the_ends_and_says_how_much(con, make, tmp_path) -> None:
    lines = "".join(f"o{n},c{n % 50},p1,1.50,2018-{1 + n // 2500:02d}-01\n" for n in range(30_000))
    (tmp_path / "a.csv").write_text(LINES.splitlines()[0] + "\n" + lines)
    loaded, wrong = mapped_tables.load(con, make(), tmp_path / "scratch", 200_000)
    assert wrong == []
    assert loaded[0].rows / loaded[0].share == pytest.approx(30_000, rel=0.02)
    ends = con.execute("SELECT min(occurred_at), max(occurred_at) FROM staged_transactions")
    assert ends.fetchall() == [(datetime(2018, 1, 1), datetime(2018, 12, 1))]
    assert loaded[0].counts["amount_cents"].unreadable == 0
    assert loaded[0].read_as["amount_cents"] == ("1.50", 150)
    assert Table.TRANSACTIONS is loaded[0].table

"""Mappings as people write them, and the faults that are found in the parameters alone."""

from typing import Any

import pytest

from mkt_models.columns import Table
from mkt_models.loading import ParamsError, validate
from mkt_models.mapping_params import Column, Reading, TableMapping
from mkt_models.source_params import Files
from mkt_models.sources.mapping import faults

SALES: dict[str, Any] = {
    "order_id": "a",
    "customer_id": "b",
    "product_id": "c",
    "amount_cents": {"from": "d", "unit": "cents"},
    "occurred_at": {"from": ["e", "f"]},
}


def files(**changed: Any) -> Files:
    tables = {"transactions": {"files": "*.csv", "columns": SALES} | changed}
    data = {"kind": "files", "time_zone": "UTC", "tables": tables}
    return validate(Files, data, "mine.yaml")


def refused(**changed: Any) -> str:
    with pytest.raises(ParamsError) as caught:
        files(**changed)
    return str(caught.value)


def with_column(name: str, **column: Any) -> dict[str, Any]:
    return {"columns": SALES | {name: column}}


def test_a_column_may_be_said_in_short() -> None:
    columns = files().tables.transactions.columns
    assert columns["order_id"] == Column(source=("a",))
    assert columns["occurred_at"].source == ("e", "f")


def test_what_a_table_does_not_say_is_taken_from_the_defaults() -> None:
    base = Reading(decimal=",", thousands=".", nulls=("-",))
    table = TableMapping.model_validate(
        {"files": "a.csv", "columns": {"customer_id": "a"}, "thousands": None, "nulls": "NULL"}
    )
    assert table.over(base) == Reading(decimal=",", thousands=None, nulls=("NULL",))


def test_a_table_that_reads_another_one_s_rows_reads_them_in_the_same_way() -> None:
    source = validate(
        Files,
        {
            "kind": "files",
            "time_zone": "UTC",
            "tables": {
                "transactions": {"files": "*.csv", "columns": SALES, "delimiter": ";"},
                "customers": {"from_table": "transactions", "columns": {"customer_id": "b"}},
            },
        },
        "mine.yaml",
    )
    place, reading = source.reads(Table.CUSTOMERS)
    assert (place.files, reading.delimiter) == (("*.csv",), ";")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"colums": {}}, "tables.transactions.colums: unknown key; did you mean 'columns'?"),
        ({"files": []}, "needs exactly one of files, database and from_table"),
        ({"from_table": "customers"}, "exactly one of files, database and from_table; has files"),
        ({"decimal": ";"}, "transactions.decimal: input should be '.' or ','"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"header": False}, "header: false needs names: the column names, in order"),
        ({"encoding": "latin-9x"}, "transactions.encoding: no encoding is called so"),
        ({"time_zone": "Europe/Berlim"}, "no IANA time zone; did you mean 'Europe/Berlin'?"),
        (with_column("quantity", form="x"), "columns.quantity.form: unknown key; did you mean 'fo"),
        (with_column("quantity"), "needs exactly one of from (a column), value (a constant) and"),
        (with_column("quantity", value=1, **{"from": "a"}), "unit_price; has from and value"),
        (with_column("amount_cents", unit_price="p"), "unit_price and times go together"),
        (with_column("status", **{"from": "a"}, rules=[{"value": "x"}]), "needs exactly one of st"),
        (with_column("quantity", **{"from": "a"}, unit="euro"), "quantity.unit: input should be"),
    ],
)  # fmt: skip
def test_faults_of_the_keys(changed: dict[str, Any], says: str) -> None:
    assert says in refused(**changed)


def test_a_url_is_no_name_of_a_variable() -> None:
    said = refused(files=(), database={"url_env": "postgresql://me:pw@host/db", "table": "a"})
    assert "database.url_env: string should match pattern" in said


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (with_column("amount", **{"from": "d"}), "columns.amount: no canonical column; did you me"),
        (with_column("amount_cents", **{"from": "d"}), "say what the number counts: {from: d"),
        (with_column("quantity", **{"from": "d"}, unit="minutes"), "must be one of pieces, thousa"),
        (with_column("store_id", **{"from": "d"}, unit="cents"), "this column has no unit"),
        (with_column("store_id", **{"from": "d"}, format="%Y"), "format is for days and times"),
        (with_column("store_id", **{"from": "d"}, negate=True), "negate is for numbers"),
        (with_column("amount_cents", unit_price="p", times="quantit", unit="cents"), "times: quan"),
        (with_column("quantity", unit_price="p", times="amount_cents"), "makes an amount of money"),
        ({"one_per": "orderid"}, "one_per: orderid is no mapped column; did you mean 'order_id'?"),
        ({"columns": {"order_id": "a"}}, "customer_id, product_id, amount_cents, occurred_at must"),
    ],
)  # fmt: skip
def test_faults_of_the_meaning(changed: dict[str, Any], says: str) -> None:
    found = faults(files(**changed))
    assert len(found) == 1
    assert found[0].startswith("source.tables.transactions.")
    assert says in found[0]


def test_a_good_mapping_has_no_fault() -> None:
    assert faults(files()) == []


def test_recorded_and_assumed_consents_exclude_each_other() -> None:
    consents = dict.fromkeys(("customer_id", "purpose", "channel", "status", "changed_on"), "a")
    consent = {"purpose": "marketing", "channel": "app", "customers": "all", "reason": "x" * 20}
    source = validate(
        Files,
        {
            "kind": "files",
            "time_zone": "UTC",
            "assumed_consents": [consent],
            "tables": {
                "transactions": {"files": "*.csv", "columns": SALES},
                "consents": {"files": "*.csv", "columns": consents},
            },
        },
        "mine.yaml",
    )
    assert ["a consents table is mapped as well" in fault for fault in faults(source)] == [True]

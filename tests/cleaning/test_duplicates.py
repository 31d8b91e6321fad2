from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cleaning.rows import balance, cleaned, line, read, row, touched

from mkt_models.columns import Table
from mkt_models.engine import Connection


def test_of_the_rows_of_a_key_the_fullest_is_kept_and_its_gaps_are_filled(
    con: Connection, tmp_path: Path
):
    rows = [
        {"customer_id": "c1", "gender": "m", "region": "north"},
        {"customer_id": "c1", "gender": "f", "birth_year": 1980, "occupation": "baker"},
        {"customer_id": "c1", "gender": "f", "education": "school"},
        {"customer_id": "c2", "gender": "m"},
        {"customer_id": "c2", "gender": "m"},
    ]
    report = cleaned(con, tmp_path, {Table.CUSTOMERS: rows})
    first, second = read(con, tmp_path / "clean", "customers")
    wanted = {"gender": "f", "birth_year": 1980, "occupation": "baker"}
    wanted |= {"region": "north", "education": "school"}
    assert {name: first[name] for name in wanted} == wanted
    assert (second["customer_id"], second["gender"]) == ("c2", "m")
    assert balance(report, "customers") == [5, 2, 0, 3]
    assert touched(report)["same_customer_twice"] == 1
    assert touched(report)["same_customer_differs"] == 2
    apart = read(con, tmp_path / "aside" / "merged", "customers")
    assert sorted(r["gender"] for r in apart) == ["f", "m"]
    assert {(r["rule"], r["kept"], r["copies"]) for r in apart} == {
        ("same_customer_differs", "c1", 1)
    }


def test_equally_full_rows_of_a_key_are_told_apart_by_their_values(con: Connection, tmp_path: Path):
    rows = [row(Table.PRODUCTS, price_cents=price) for price in (300, 100, 200)]
    for name, step in (("a", 1), ("b", -1)):
        cleaned(con, tmp_path / name, {Table.PRODUCTS: rows[::step]})
        (kept,) = read(con, tmp_path / name / "clean", "products")
        assert kept["price_cents"] == 100


def test_a_wrong_value_does_not_win(con: Connection, tmp_path: Path):
    rows = [
        {"customer_id": "c1", "birth_year": 1800, "age_band": "45-54"},
        {"customer_id": "c1", "birth_year": 1980, "age_band": "45-54"},
    ]
    cleaned(con, tmp_path, {Table.CUSTOMERS: rows})
    (kept,) = read(con, tmp_path / "clean", "customers")
    assert kept["birth_year"] == 1980


@pytest.mark.parametrize("table", [Table.TICKETS, Table.CAMPAIGNS, Table.PRODUCTS])
def test_every_table_with_a_key_keeps_one_row_of_each(
    con: Connection, tmp_path: Path, table: Table
):
    other = {Table.TICKETS: {"topic": "x"}, Table.CAMPAIGNS: {"campaign_type": "x"}}
    rows = [row(table), row(table, **other.get(table, {"brand": "x"}))]
    report = cleaned(con, tmp_path, {table: rows})
    assert balance(report, table.value) == [2, 1, 0, 1]


NEAR = {"order_id": "o2", "occurred_at": datetime(2017, 6, 1, 16, 1)}


@pytest.mark.parametrize(
    ("other", "twice"),
    [
        ({}, True),  # exactly a minute later
        ({"occurred_at": datetime(2017, 6, 1, 16)}, True),
        ({"occurred_at": datetime(2017, 6, 1, 15, 59)}, True),
        ({"occurred_at": datetime(2017, 6, 1, 16, 1, 1)}, False),
        ({"order_id": "o1", "line_id": "2"}, False),  # twice in one order
        ({"customer_id": "c2"}, False),
        ({"product_id": "tea"}, False),
        ({"quantity": 2.0}, False),
        ({"amount_cents": 101}, False),
        ({"store_id": "s2"}, True),
        ({"status": "failed"}, False),  # a payment that was tried again
    ],
)
def test_what_was_submitted_twice(
    con: Connection, tmp_path: Path, other: dict[str, Any], twice: bool
):
    rows = [line(), line(**NEAR | other)]
    report = cleaned(con, tmp_path / "flag", {Table.TRANSACTIONS: rows})
    assert ("submitted_twice" in touched(report)) == twice
    assert balance(report, "transactions") == [2, 2, 0, 0]  # flagged by default
    merging = cleaned(con, tmp_path / "merge", {Table.TRANSACTIONS: rows}, merge_doubles=True)
    assert balance(merging, "transactions") == [2, 2 - twice, 0, int(twice)]


def test_a_doubled_order_is_merged_into_the_first(con: Connection, tmp_path: Path):
    items = [line(product_id=p, line_id=p) for p in ("milk", "tea")]
    again = [one | NEAR for one in items]
    rows = [*items, *again, again[0]]  # and a line of it came twice
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows}, merge_doubles=True)
    assert balance(report, "transactions") == [5, 2, 0, 3]
    assert touched(report)["submitted_twice"] == 2
    assert {r["order_id"] for r in read(con, tmp_path / "clean", "transactions")} == {"o1"}
    apart = read(con, tmp_path / "aside" / "merged", "transactions")
    assert [(r["order_id"], r["kept"], r["copies"]) for r in apart] == [
        ("o2", "o1", 2),
        ("o2", "o1", 1),
    ]


def test_orders_between_do_not_hide_a_double(con: Connection, tmp_path: Path):
    at = datetime(2017, 6, 1, 16)
    rows = [
        line(order_id=f"o{n}", product_id=item, occurred_at=at + timedelta(seconds=20 * n))
        for n, item in enumerate(["milk", "tea", "rice", "milk"])
    ]
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows})
    assert touched(report) == {"submitted_twice": 1}


LATER = datetime(2017, 6, 1, 16, 0, 30)


@pytest.mark.parametrize(
    ("other", "twice"),
    [
        ({"occurred_at": LATER}, True),
        ({"occurred_at": LATER.replace(month=11)}, False),  # the number was used again
        ({"store_id": "s2"}, True),
        ({"occurred_at": LATER, "line_id": "8"}, False),  # another line of the order
        ({"occurred_at": LATER, "line_id": None}, False),  # without a number: perhaps two lines
        ({"occurred_at": LATER, "order_id": "o2", "quantity": 2.0}, False),
        ({"occurred_at": LATER, "product_id": "tea"}, False),
        ({"occurred_at": LATER, "amount_cents": 101}, False),
        ({"occurred_at": LATER, "quantity": -1.0}, False),  # it comes back
    ],
)
def test_a_line_number_that_stands_twice_in_its_order(
    con: Connection, tmp_path: Path, other: dict[str, Any], twice: bool
):
    rows = [line(line_id="7"), line(**{"line_id": "7"} | other)]
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows})
    assert ("same_line_number_twice" in touched(report)) == twice
    assert balance(report, "transactions") == [2, 2 - twice, 0, int(twice)]
    if twice:
        (apart,) = read(con, tmp_path / "aside" / "merged", "transactions")
        assert (apart["rule"], apart["kept"]) == ("same_line_number_twice", "o1")


def test_lines_without_a_number_are_never_one(con: Connection, tmp_path: Path):
    rows = [line(line_id=None), line(line_id=None, occurred_at=LATER)]
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows})
    assert balance(report, "transactions") == [2, 2, 0, 0]

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cleaning.rows import UTC, balance, cleaned, line, read, touched
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.cleaning.returns import LOOK_BACK
from mkt_models.columns import Table
from mkt_models.engine import Connection


def sale(name: str, day: int, quantity: float | None = 1.0, **values: Any) -> dict[str, Any]:
    return line(order_id=name, quantity=quantity, occurred_at=datetime(2017, 6, day, 12), **values)


def back(name: str, day: int, quantity: float | None = -1.0, **values: Any) -> dict[str, Any]:
    return sale(name, day, quantity, **({"amount_cents": -100} | values))


def matches(con: Connection, folder: Path, *rows: dict[str, Any]) -> dict[str, str | None]:
    """The order that each return gives back."""
    cleaned(con, folder, {Table.TRANSACTIONS: list(rows)}, UTC)
    return {r["order_id"]: r["sale_order_id"] for r in read(con, folder / "clean", "returns")}


def test_a_return_is_matched_to_the_latest_earlier_sale(con: Connection, tmp_path: Path):
    found = matches(con, tmp_path, sale("s1", 1), sale("s2", 3), back("r", 4), sale("s3", 5))
    assert found == {"r": "s2"}


def test_a_return_that_names_its_order_is_matched_to_it(con: Connection, tmp_path: Path):
    named = back("r", 4, returned_order_id="s1")
    lost = back("q", 4, returned_order_id="s0")  # of an order that the data does not have
    assert matches(con, tmp_path, sale("s1", 1), sale("s2", 3), named, lost) == {
        "r": "s1",
        "q": None,
    }


def test_an_order_that_is_named_is_matched_however_old(con: Connection, tmp_path: Path):
    later = [sale(f"s{n}", 2, line_id=str(n)) for n in range(LOOK_BACK + 1)]
    rows = [sale("old", 1, 7.0), *later]
    assert matches(con, tmp_path / "a", *rows, back("r", 3, returned_order_id="old")) == {
        "r": "old"
    }
    # Without its name, a return of seven pieces looks no further than the lines just before.
    assert matches(con, tmp_path / "b", *rows, back("r", 3, -7.0)) == {"r": None}
    assert matches(con, tmp_path / "c", *rows[:-1], back("r", 3, -7.0)) == {"r": None}
    assert matches(con, tmp_path / "d", *rows[:-2], back("r", 3, -7.0)) == {"r": "old"}


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ({}, "s"),
        ({"customer_id": "c2"}, None),
        ({"product_id": "tea"}, None),
        ({"occurred_at": datetime(2017, 6, 1, 11, 59, 59)}, None),  # before the sale
        ({"occurred_at": datetime(2017, 6, 1, 12)}, "s"),  # voided at once
        ({"quantity": -3.0}, "s"),
        ({"quantity": -3.001}, None),  # more than was sold
    ],
)
def test_what_must_agree(con: Connection, tmp_path: Path, other: dict[str, Any], found: str | None):
    rows = [sale("s", 1, 3.0), back("r", 4) | other]
    assert matches(con, tmp_path, *rows) == {"r": found}


def test_no_piece_is_given_back_twice(con: Connection, tmp_path: Path):
    rows = [sale("s1", 1, 1.0), sale("s2", 2, 2.0)]
    rows += [back(f"r{n}", 3 + n) for n in range(4)]
    # The latest sale serves the first two, the earlier one the third; nothing is left for r3.
    assert matches(con, tmp_path, *rows) == {"r0": "s2", "r1": "s2", "r2": "s1", "r3": None}


def test_a_return_that_does_not_fit_the_latest_sale_finds_an_earlier_one(
    con: Connection, tmp_path: Path
):
    rows = [sale("s1", 1, 5.0), sale("s2", 2, 2.0), back("r1", 3, -1.0), back("r2", 4, -2.0)]
    assert matches(con, tmp_path, *rows) == {"r1": "s2", "r2": "s1"}


@pytest.mark.parametrize(
    ("values", "returned"),
    [
        ({"quantity": -1.0}, True),
        ({"amount_cents": -1}, True),
        ({"status": "returned"}, True),
        ({"status": " Returned "}, True),
        ({"quantity": None, "amount_cents": -1}, True),
        ({"quantity": 0.0, "amount_cents": -1}, True),  # money back, no piece
        ({"quantity": -1.0, "status": "cancelled"}, True),  # a cancelled invoice gives back
        ({"quantity": -1.0, "status": "failed"}, False),  # a refund that did not go through
        ({"status": "completed"}, False),
        ({"amount_cents": 0}, False),
    ],
)
def test_what_a_return_is(con: Connection, tmp_path: Path, values: dict[str, Any], returned: bool):
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: [line(**values)]})
    kept = read(con, tmp_path / "clean", "returns")
    assert len(kept) == returned
    assert balance(report, "transactions") == [1, 1, 0, 0]
    if kept:
        assert kept[0]["amount_cents"] >= 0
        assert kept[0]["quantity"] is None or kept[0]["quantity"] >= 0
        assert touched(report)["return_without_sale"] == 1


def test_returns_are_counted_by_how_they_were_matched(con: Connection, tmp_path: Path):
    rows = [sale("s1", 1), sale("s2", 2), back("r1", 3, returned_order_id="s1"), back("r2", 3)]
    rows += [back("r3", 3, amount_cents=-70), back("r4", 4, amount_cents=-7)]
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: rows}, UTC)
    assert report.returns.to_numpy().tolist() == [
        ["no sale found", 2, 77],
        ["the latest earlier sale", 1, 100],
        ["the order that it names", 1, 100],
    ]
    days = {r["order_id"]: r["sale_date"] for r in read(con, tmp_path / "clean", "returns")}
    assert days == {"r1": date(2017, 6, 1), "r2": date(2017, 6, 2), "r3": None, "r4": None}


LINES = st.lists(
    st.tuples(
        st.sampled_from("ab"),  # product
        st.integers(0, 12),  # hour
        st.sampled_from([1.0, 2.0, 3.0, -1.0, -2.0]),
        st.sampled_from([None, None, "o0", "o1", "o2"]),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(given_lines=LINES)
def test_every_match_is_possible_and_none_is_missed(
    con: Connection, tmp_path_factory: pytest.TempPathFactory, given_lines: list[Any]
):
    rows = [
        line(
            order_id=f"o{n}",
            product_id=item,
            quantity=pieces,
            amount_cents=100 + n,
            occurred_at=datetime(2017, 6, 1) + timedelta(hours=hour),
            returned_order_id=named if pieces < 0 else None,
        )
        for n, (item, hour, pieces, named) in enumerate(given_lines)
    ]
    folder = tmp_path_factory.mktemp("returns")
    cleaned(con, folder, {Table.TRANSACTIONS: rows}, UTC)
    sales = {r["order_id"]: r for r in read(con, folder / "clean", "transactions")}
    left = {name: r["quantity"] for name, r in sales.items()}
    unmatched = []
    for one in read(con, folder / "clean", "returns"):
        if one["sale_order_id"] is None:
            unmatched.append(one)
            continue
        sold = sales[one["sale_order_id"]]
        left[sold["order_id"]] -= one["quantity"]
        assert sold["product_id"] == one["product_id"]
        assert sold["occurred_at"] <= one["occurred_at"]
        assert one["returned_order_id"] in (None, sold["order_id"])
        assert one["sale_date"] == sold["local_date"]
    assert all(pieces >= 0 for pieces in left.values())
    for one in unmatched:  # no line that it could have had has enough pieces left
        assert not [
            name
            for name, sold in sales.items()
            if sold["product_id"] == one["product_id"]
            and sold["occurred_at"] <= one["occurred_at"]
            and left[name] >= one["quantity"]
            and one["returned_order_id"] in (None, name)
        ]

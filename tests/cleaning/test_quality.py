from datetime import datetime
from pathlib import Path

import pytest
from cleaning.rows import AS_OF, CHOICES, GOOD, UTC, cleaned, line, product, row

from mkt_models.cleaning import rules_for
from mkt_models.cleaning.quality import ASPECTS, GROUPS, compare, missing_by_group
from mkt_models.columns import Table
from mkt_models.engine import Connection
from mkt_models.sources.schemas import SCHEMAS

RULES = rules_for(UTC, CHOICES, AS_OF)


def test_quality_before_and_after_by_hand(con: Connection, tmp_path: Path):
    rows = [
        line(),
        line(),  # twice
        line(order_id="o2", product_id="lost"),  # an orphan stays one
        line(order_id="o3", status="COMPLETED", coupon_discount_cents=-5),  # two faults, one row
        line(order_id="o4", occurred_at=datetime(1900, 1, 1)),
        line(order_id="o5", customer_id=None),
        line(order_id="o6", quantity=None),
        line(order_id="o7", status="failed", store_id=None),  # no fault, and moved
    ]
    given = {Table.PRODUCTS: [product("milk")], Table.TRANSACTIONS: rows}
    report = cleaned(con, tmp_path, given, UTC)
    found = compare(con, report, RULES, tmp_path / "clean")
    lines = found.tables[found.tables["table"] == "transactions"].set_index("aspect")
    columns = ["rows_before", "faulty_before", "rows_after", "faulty_after"]
    assert {a: lines.loc[a, columns].tolist() for a in lines.index} == {
        "completeness": [8, 2, 4, 1],
        "validity": [8, 1, 4, 0],
        "uniqueness": [8, 1, 4, 0],
        "consistency": [8, 1, 4, 1],
        "timeliness": [8, 1, 4, 0],
    }
    assert lines.loc["consistency", ["before", "after"]].tolist() == [7 / 8, 3 / 4]
    by_column = found.columns[found.columns["table"] == "transactions"].set_index("column")
    assert by_column.loc["customer_id", ["complete_before", "complete_after"]].tolist() == [
        7 / 8,
        1,
    ]
    assert by_column.loc["product_id", ["valid_before", "valid_after"]].tolist() == [7 / 8, 3 / 4]
    discount = by_column.loc["coupon_discount_cents"]
    assert discount[["valid_before", "valid_after"]].tolist() == [7 / 8, 1]
    assert discount["complete_after"] == 3 / 4  # what could not be true is now missing


def test_an_aspect_that_no_rule_can_judge_is_left_out(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {Table.OFFERS: [row(Table.OFFERS)]}, UTC)
    found = compare(con, report, RULES, tmp_path / "clean")
    assert found.tables["aspect"].tolist() == ["completeness", "validity", "uniqueness"]


def test_a_good_shop_is_good_before_and_after(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {table: [dict(one)] for table, one in GOOD.items()}, UTC)
    found = compare(con, report, RULES, tmp_path / "clean")
    assert set(found.tables["aspect"]) == set(ASPECTS)
    assert (found.tables[["before", "after"]] == 1).all(axis=None)
    assert len(found.columns) == sum(len(columns) for columns in SCHEMAS.values())


def test_empty_tables_have_no_quality(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {table: [] for table in SCHEMAS}, UTC)
    found = compare(con, report, RULES, tmp_path / "clean")
    assert found.tables[["before", "after"]].isna().all(axis=None)


def test_missing_values_by_group_by_hand(con: Connection, tmp_path: Path):
    rows = [
        line(order_id="o1", channel="app", store_id=None, status="completed"),
        line(order_id="o2", channel="app", status="completed"),
        line(order_id="o3", channel="store", status="completed"),
        line(order_id="o4", channel=None, store_id=None),
    ]
    cleaned(con, tmp_path, {Table.TRANSACTIONS: rows}, UTC)
    found = missing_by_group(con, Table.TRANSACTIONS, "channel")
    # line_id, payment_method and returned_order_id are missing everywhere, others nowhere.
    cells = {(r.value, r.column): (r.missing, r.n) for r in found.itertuples()}
    assert cells == {
        ("app", "store_id"): (1, 2),
        ("store", "store_id"): (0, 1),
        ("not known", "store_id"): (1, 1),
        ("app", "status"): (0, 2),
        ("store", "status"): (0, 1),
        ("not known", "status"): (1, 1),
    }
    assert missing_by_group(con, Table.TRANSACTIONS, "month").empty  # there is only one


def test_a_group_that_is_not_known_is_an_error(con: Connection):
    with pytest.raises(ValueError, match="known: month, channel, store"):
        missing_by_group(con, Table.TRANSACTIONS, "weather")
    with pytest.raises(ValueError, match="known: nothing"):
        missing_by_group(con, Table.CONSENTS, "region")


@pytest.mark.parametrize(
    ("table", "group"), [(table, group) for table, groups in GROUPS.items() for group in groups]
)
def test_every_group_can_be_asked_for(con: Connection, tmp_path: Path, table: Table, group: str):
    cleaned(con, tmp_path, {table: [dict(GOOD[table])]}, UTC)
    assert missing_by_group(con, table, group).empty  # one row has no gap that tells of groups

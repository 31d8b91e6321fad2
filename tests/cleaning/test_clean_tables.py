from datetime import date, datetime
from pathlib import Path

import pytest
from cleaning.rows import (
    GOOD,
    NEW_YORK,
    balance,
    cleaned,
    line,
    product,
    read,
    row,
    touched,
)

from mkt_models.cleaning import added_columns
from mkt_models.columns import Table
from mkt_models.engine import Connection
from mkt_models.sources.schemas import SCHEMAS


def test_a_dirty_day_by_hand(con: Connection, tmp_path: Path):
    report = cleaned(
        con,
        tmp_path,
        {
            Table.CUSTOMERS: [
                {"customer_id": "c1", "age_band": "45-54", "marital_status": "Unmarried"},
                {"customer_id": "c2", "age_band": "25-34", "marital_status": "Married"},
                {"customer_id": "c3"},
            ],
            Table.PRODUCTS: [
                product("milk"),
                product("gas", "GASOLINE-REG UNLEADED"),
                product("odd", None),
            ],
            Table.TRANSACTIONS: [
                line(),
                line(),  # the same line once more
                line(store_id="s2"),  # nearly the same line
                line(order_id="o2", product_id="gas", quantity=8_000.0, amount_cents=2_000),
                line(order_id="o3", product_id="unheard-of"),
                line(order_id="o4", quantity=0.0),
                line(order_id="o5", customer_id=None),
                line(order_id=None),
                line(order_id="o6", product_id=None),
                line(order_id="o7", occurred_at=None),
                line(order_id="o8", amount_cents=-100),  # gives back the one of o1
                line(order_id="o9", amount_cents=None),
                line(order_id="o10", amount_cents=None, quantity=0.0),  # breaks two rules
                line(
                    order_id="o11", amount_cents=0, occurred_at=datetime(2017, 6, 1, 17)
                ),  # a gift
                # On the evening of the first of June in New York.
                line(order_id="o12", occurred_at=datetime(2017, 6, 2, 3, 59)),
                line(order_id="o13", status="failed"),
            ],
            Table.CAMPAIGNS: [
                row(
                    Table.CAMPAIGNS,
                    campaign_id=name,
                    starts_on=date(2017, *first),
                    ends_on=date(2017, *last),
                )
                for name, first, last in (
                    ("1", (5, 31), (6, 1)),  # before the first line
                    ("2", (6, 1), (6, 2)),  # after the last line
                    ("3", (6, 1), (6, 2)),  # the same days
                    ("4", (6, 1), (6, 1)),
                )
            ],
            Table.OFFERS: [row(Table.OFFERS, product_id=name) for name in ("milk", "milk", "lost")],
            Table.EXPOSURES: [
                row(Table.EXPOSURES, offer_id=None, assignment_probability=None),
                row(Table.EXPOSURES, offer_id=None, customer_id="c2"),
                row(Table.EXPOSURES, offer_id=None, customer_id="c3", arm="control"),
            ],
            Table.OUTCOMES: [
                row(Table.OUTCOMES),
                row(Table.OUTCOMES),
                row(Table.OUTCOMES, campaign_id="2", offer_id=None),
                row(Table.OUTCOMES, customer_id="c4"),
            ],
        },
    )
    assert touched(report) == {
        "demographics_unknown": 1,
        "unmarried_may_be_unknown": 1,
        "category_unknown": 1,
        "key_missing": 4,
        "amount_missing": 2,
        "zero_quantity": 1,
        "return_line": 1,
        "failed_order": 1,
        "nothing_paid": 1,
        "utc_to_shop_day": 1,
        "product_unknown": 1,
        "same_line_twice": 1,
        "fuel_counts_as_one": 1,
        "begun_before_the_data": 1,
        "ends_after_the_data": 2,
        "campaigns_of_the_same_days": 2,
        "same_offer_twice": 1,
        "product_of_offer_unknown": 1,
        "control_arm": 1,
        "not_assigned_at_random": 1,
        "outcome_without_exposure": 2,
        "same_outcome_twice": 1,
        "customer_of_outcome_unknown": 1,
    }
    assert balance(report, "transactions") == [16, 8, 7, 1]
    assert balance(report, "offers") == [3, 2, 0, 1]
    assert balance(report, "exposures") == [3, 3, 0, 0]
    assert balance(report, "outcomes") == [4, 3, 0, 1]
    split = {(r.table, r.target): r.rows for r in report.targets.itertuples()}
    assert split["transactions", "transactions"] == 6
    assert split["transactions", "returns"] == 1
    assert split["transactions", "failed_orders"] == 1
    assert (split["exposures", "exposures"], split["exposures", "controls"]) == (2, 1)
    shares = report.rules.set_index("rule")["share"]
    assert shares["key_missing"] == pytest.approx(4 / 16)

    clean, aside = tmp_path / "clean", tmp_path / "aside"
    married = {r["customer_id"]: r["marital_status"] for r in read(con, clean, "customers")}
    assert married == {"c1": "Unmarried or unknown", "c2": "Married", "c3": None}
    kept = {r["order_id"]: r for r in read(con, clean, "transactions")}
    assert sorted(kept) == ["o1", "o11", "o12", "o2", "o3"]
    # One refuelling, its money untouched.
    assert (kept["o2"]["quantity"], kept["o2"]["amount_cents"]) == (1.0, 2_000)
    assert (kept["o12"]["local_date"], kept["o12"]["local_hour"]) == (date(2017, 6, 1), 23)
    assert {r["order_id"]: r["rule"] for r in read(con, aside, "transactions")} == {
        "o4": "zero_quantity",
        "o5": "key_missing",
        None: "key_missing",
        "o6": "key_missing",
        "o7": "key_missing",
        "o9": "amount_missing",
        "o10": "amount_missing",  # the first rule that it breaks
    }
    (back,) = read(con, clean, "returns")
    assert (back["order_id"], back["amount_cents"], back["quantity"]) == ("o8", 100, 1.0)
    assert (back["sale_order_id"], back["sale_date"]) == ("o1", date(2017, 6, 1))
    (failed,) = read(con, clean, "failed_orders")
    assert (failed["order_id"], failed["status"]) == ("o13", "failed")
    assert [r["customer_id"] for r in read(con, clean, "controls")] == ["c3"]
    censored = {
        r["campaign_id"]: (r["left_censored"], r["right_censored"])
        for r in read(con, clean, "campaigns")
    }
    assert censored == {
        "1": (True, False),
        "2": (False, True),
        "3": (False, True),
        "4": (False, False),
    }


def test_a_good_shop_has_nothing_to_clean(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {table: [dict(one)] for table, one in GOOD.items()})
    assert touched(report) == {}
    assert report.ledger["clean"].tolist() == [1] * len(GOOD)
    assert report.absent == ()
    (kept,) = read(con, tmp_path / "clean", "transactions")
    assert {k: v for k, v in kept.items() if k in GOOD[Table.TRANSACTIONS]} == line()
    assert kept["outlier"] is False
    (ticket,) = read(con, tmp_path / "clean", "tickets")
    assert (ticket["opened_on"], ticket["resolved_on"]) == (date(2017, 6, 2), date(2017, 6, 2))


def test_an_unknown_product_is_found_beside_a_product_without_id(con: Connection, tmp_path: Path):
    report = cleaned(
        con,
        tmp_path,
        {
            Table.PRODUCTS: [product("milk"), product(None)],
            Table.TRANSACTIONS: [line(), line(order_id="o2", product_id="lost")],
            Table.OFFERS: [row(Table.OFFERS), row(Table.OFFERS, product_id="lost")],
        },
    )
    assert touched(report)["product_unknown"] == 1
    assert touched(report)["product_of_offer_unknown"] == 1


def test_tables_that_a_source_lacks_stay_absent(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: [line()]})
    assert report.ledger["table"].tolist() == ["transactions"]
    assert set(report.absent) == {t.value for t in Table if t is not Table.TRANSACTIONS}
    assert {p.stem for p in (tmp_path / "clean").iterdir()} == {
        "transactions",
        "returns",
        "failed_orders",
        "identity_map",
    }


def test_no_id_is_an_orphan_when_the_table_that_lists_it_is_absent(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {Table.TRANSACTIONS: [line()]})
    assert touched(report) == {}
    judged = report.rules.set_index("rule")["judged"]
    assert not judged[["product_unknown", "customer_unknown", "fuel_counts_as_one"]].any()
    assert judged["key_missing"]


def test_empty_tables_give_empty_tables(con: Connection, tmp_path: Path):
    report = cleaned(con, tmp_path, {table: [] for table in SCHEMAS})
    assert len(report.ledger) == len(SCHEMAS)
    assert not report.ledger.drop(columns="table").to_numpy().any()
    assert not report.rules[["rows", "share"]].to_numpy().any()
    files = {p.stem for p in (tmp_path / "clean").iterdir()}
    more = {"returns", "failed_orders", "controls", "identity_map"}
    assert files == {t.value for t in SCHEMAS} | more


def test_no_temporary_table_is_left(con: Connection, tmp_path: Path):
    cleaned(con, tmp_path, {table: [dict(one)] for table, one in GOOD.items()})
    assert con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall() == []


def test_the_order_of_the_rows_does_not_matter(con: Connection, tmp_path: Path):
    rows = [line(order_id=f"o{i}", quantity=float(i % 3), amount_cents=i) for i in range(12)]
    people = [row(Table.CUSTOMERS, customer_id="c", occupation=job) for job in "xyz"]
    for name, step in (("one", 1), ("two", -1)):
        given = {Table.TRANSACTIONS: rows[::step], Table.CUSTOMERS: people[::step]}
        cleaned(con, tmp_path / name, given)
    for table in ("transactions", "customers"):
        for stage in ("clean", "aside"):
            one, two = (read(con, tmp_path / name / stage, table) for name in ("one", "two"))
            assert one == two


def test_clean_tables_are_sorted(con: Connection, tmp_path: Path):
    days = [3, 1, 2]
    rows = [line(order_id=f"o{d}", occurred_at=datetime(2017, 6, d, 16)) for d in days]
    cleaned(con, tmp_path, {Table.TRANSACTIONS: rows})
    assert [r["order_id"] for r in read(con, tmp_path / "clean", "transactions")] == [
        "o1",
        "o2",
        "o3",
    ]


def test_added_columns_are_those_of_the_contract():
    added = {table: tuple(columns) for table, columns in added_columns(NEW_YORK).items()}
    shop_time = ("local_date", "local_hour")
    assert added == {
        Table.TRANSACTIONS: shop_time,
        Table.EVENTS: shop_time,
        Table.SOCIAL: shop_time,
        Table.TICKETS: ("opened_on", "resolved_on"),
        Table.CAMPAIGNS: ("left_censored", "right_censored"),
    }

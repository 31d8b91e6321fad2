"""A first look at two weeks of a small shop."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from mkt_models import plots
from mkt_models.columns import Table
from mkt_models.engine import Connection, connect, write_parquet
from mkt_models.exploration import (
    absent,
    assigned_at_random,
    customer_amounts,
    gaps,
    known_share,
    missing_values,
    overview,
    unreadable,
    weekly_sales,
)
from mkt_models.params import Engine
from mkt_models.sources.facts import span
from mkt_models.sources.schemas import SCHEMAS

# Monday 1 January 2018 to Monday the 8th; the times are UTC. The last order was cancelled.
LINES = [
    ("o1", "anna", 100, "2018-01-01 09:00:00", None),
    ("o1", "anna", 250, "2018-01-01 09:00:00", "completed"),
    ("o2", "bob", 1000, "2018-01-07 23:59:59", None),
    ("o3", "anna", 399, "2018-01-08 00:00:00", None),
    ("o4", "bob", 9999, "2018-01-08 00:00:00", "cancelled"),
]
ROWS = {Table.TRANSACTIONS: 5, Table.PRODUCTS: 4, Table.EXPOSURES: 0}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    spill = tmp_path_factory.mktemp("spill")
    with connect(Engine(memory_limit_gb=0.5, threads=1), spill) as con:
        for table in (*ROWS, Table.CUSTOMERS):
            columns = ", ".join(f"{name} {kind}" for name, kind in SCHEMAS[table].items())
            con.execute(f"CREATE TABLE {table.value} ({columns})")
        con.executemany(
            "INSERT INTO transactions (order_id, customer_id, amount_cents, occurred_at, status) "
            "VALUES (?, ?, ?, ?, ?)",
            LINES,
        )
        con.execute(
            "INSERT INTO products (product_id, brand) "
            "VALUES ('1', NULL), ('2', 'x'), ('3', NULL), ('4', 'y')"
        )
        con.execute(
            "INSERT INTO customers (customer_id, region) VALUES ('anna', 'N'), ('bob', NULL)"
        )
        yield con


def test_the_overview_counts_rows_customers_and_days(con: Connection) -> None:
    found = overview(con, ROWS, "UTC").set_index("table")
    assert found["rows"].tolist() == [5, 4, 0]
    assert found["columns"].tolist() == [5, 2, 0]  # those with a value somewhere
    assert found["customers"].tolist() == [2, pd.NA, 0]
    ends = (found["first"].tolist(), found["last"].tolist())
    assert ends == ([date(2018, 1, 1), "", ""], [date(2018, 1, 8), "", ""])


def test_days_are_those_of_the_shop(con: Connection) -> None:
    found = overview(con, {Table.TRANSACTIONS: 5}, "America/New_York")
    assert found["last"].tolist() == [date(2018, 1, 7)]


def test_weeks_begin_on_monday_and_count_their_days(con: Connection) -> None:
    found = weekly_sales(con, "UTC")
    assert found["week"].tolist() == [pd.Timestamp("2018-01-01"), pd.Timestamp("2018-01-08")]
    assert found["amount"].tolist() == [13.5, 3.99]
    assert found["orders"].tolist() == [2, 1]
    assert found["days"].tolist() == [7, 1]  # the first is whole, though few days have sales


def test_an_impossible_date_does_not_stretch_the_weeks(con: Connection) -> None:
    con.execute("BEGIN")
    con.execute(
        "INSERT INTO transactions (order_id, amount_cents, occurred_at) "
        "SELECT 'o', 1, TIMESTAMP '2018-01-05' FROM range(2000) UNION ALL "
        "SELECT 'x', 1, TIMESTAMP '2066-01-01'"
    )
    assert weekly_sales(con, "UTC")["week"].max() == pd.Timestamp("2018-01-08")
    assert span(con, "transactions", "UTC").strays == 1
    con.execute("ROLLBACK")


def test_tables_that_are_not_there_are_named() -> None:
    assert absent(set(Table) - {Table.SOCIAL, Table.EVENTS}) == ["events", "social"]


def test_gaps_part_columns_with_and_without_any_value(con: Connection) -> None:
    found = gaps(con, [Table.PRODUCTS, Table.EXPOSURES]).set_index("table")
    assert found.loc["products", ["complete", "with_gaps", "empty"]].tolist() == [1, 1, 6]
    assert found.loc["products", "most_missing"] == "brand, 50.0%"
    assert "category" in found.loc["products", "no_values"]
    assert found.loc["exposures"].tolist() == [0, 0, 0, "", ""]  # no rows, so nothing is missing


def test_what_the_conclusion_says(con: Connection) -> None:
    assert known_share(con) == 0.5
    assert assigned_at_random(con, [Table.TRANSACTIONS]) == (0, 0)
    assert assigned_at_random(con, [Table.EXPOSURES]) == (0, 0)
    con.execute("BEGIN")
    con.execute("INSERT INTO exposures (assignment_probability) VALUES (0.5), (NULL)")
    assert assigned_at_random(con, [Table.EXPOSURES]) == (1, 2)
    con.execute("ROLLBACK")


def test_unreadable_texts_are_counted_with_the_place_of_the_first(con, tmp_path: Path) -> None:
    assert unreadable(con, tmp_path).empty
    write_parquet(
        con,
        """SELECT * FROM (
            VALUES ('products', 'a.csv', 9, 'price_cents'), ('products', 'a.csv', 3, 'price_cents')
        ) AS v("table", file, line, "column")""",
        tmp_path / "unreadable.parquet",
    )
    found = unreadable(con, tmp_path).to_dict("records")
    assert found == [
        {"table": "products", "column": "price_cents", "texts": 2, "first": "a.csv line 3"}
    ]


def test_missing_values_are_counted_and_drawn_as_shares(con: Connection) -> None:
    found = missing_values(con, "products").query("column in ['product_id', 'brand']")
    assert [bar.get_width() for bar in plots.missing(found).patches] == [0.5]
    assert found.to_dict("list") == {
        "column": ["product_id", "brand"],
        "missing": [0, 2],
        "n": [4, 4],
    }


def test_amounts_are_whole_currency_units_per_customer(con: Connection) -> None:
    assert customer_amounts(con).to_dict("list") == {
        "customer_id": ["anna", "bob"],
        "orders": [2, 1],
        "amount": [7.49, 10.0],
    }

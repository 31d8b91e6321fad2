"""A first look at two weeks of a small shop."""

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest

from mkt_models import plots
from mkt_models.engine import Connection, connect
from mkt_models.exploration import customer_amounts, missing_values, overview, weekly_sales
from mkt_models.params import Engine

# Monday 1 January 2018 to Monday the 8th; the times are UTC.
LINES = [
    ("o1", "anna", 100, "2018-01-01 09:00:00"),
    ("o1", "anna", 250, "2018-01-01 09:00:00"),
    ("o2", "bob", 1000, "2018-01-07 23:59:59"),
    ("o3", "anna", 399, "2018-01-08 00:00:00"),
]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    spill = tmp_path_factory.mktemp("spill")
    with connect(Engine(memory_limit_gb=0.5, threads=1), spill) as con:
        con.execute(
            "CREATE TABLE transactions (order_id VARCHAR, customer_id VARCHAR, "
            "amount_cents BIGINT, occurred_at TIMESTAMP)"
        )
        con.executemany("INSERT INTO transactions VALUES (?, ?, ?, ?)", LINES)
        con.execute("CREATE TABLE products (product_id VARCHAR, brand VARCHAR)")
        con.execute("INSERT INTO products VALUES ('1', NULL), ('2', 'x'), ('3', NULL), ('4', 'y')")
        con.execute("CREATE TABLE exposures (customer_id VARCHAR, sent_on DATE)")
        yield con


def test_the_overview_counts_rows_customers_and_days(con: Connection) -> None:
    found = overview(con, {"transactions": 4, "products": 4, "exposures": 0}).set_index("table")
    assert found["rows"].tolist() == [4, 4, 0]
    assert found["columns"].tolist() == [10, 7, 5]  # of the canonical tables
    assert found["customers"].tolist() == [2, pd.NA, 0]
    ends = (found["first"].tolist(), found["last"].tolist())
    assert ends == ([date(2018, 1, 1), "", ""], [date(2018, 1, 8), "", ""])


def test_weeks_begin_on_monday_and_count_their_days(con: Connection) -> None:
    found = weekly_sales(con)
    assert found["week"].tolist() == [pd.Timestamp("2018-01-01"), pd.Timestamp("2018-01-08")]
    assert found["amount"].tolist() == [13.5, 3.99]
    assert found["orders"].tolist() == [2, 1]
    assert found["days"].tolist() == [2, 1]


def test_missing_values_are_counted_and_drawn_as_shares(con: Connection) -> None:
    found = missing_values(con, "products")
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

"""What sells best, worked by hand."""

from datetime import date, timedelta

import pandas as pd
import pytest

from mkt_models.decisions.documents import item
from mkt_models.mining.popular import popular_products
from mkt_models.params import Mining

AS_OF = date(2020, 7, 1)
PRODUCTS = pd.DataFrame(
    {
        "product_id": ["milk", "cream", "eggs", "fuel", "loose", "herbs", "lights"],
        "department": ["GROCERY", "GROCERY", "GROCERY", "FUEL", "GROCERY", "GROCERY", "DRUG GM"],
        "category": ["DAIRY", "DAIRY", "EGGS", "FUEL", "MISC", None, "CIGARETTES"],
        "product_type": ["WHITE", "WHITE", "LARGE", "FUEL", None, "HERBS", "PACKS"],
    }
)


def rules(n_items: int = 10) -> Mining:
    return Mining(
        min_support=0.01,
        min_lift=1,
        half_life_days=60,
        n_items=n_items,
        backtest_days=28,
        exclude_departments=("FUEL",),
        exclude_words=("cigarette",),
    )


def bought(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    """Customer, product, days before AS_OF, cents."""
    return pd.DataFrame(
        [
            {
                "order_id": str(i),
                "customer_id": customer,
                "product_id": product,
                "amount_cents": cents,
                "local_date": AS_OF - timedelta(days=days),
            }
            for i, (customer, product, days, cents) in enumerate(rows)
        ]
    )


ROWS = bought(
    ("1", "milk", 1, 100),
    ("1", "milk", 2, 200),
    ("2", "milk", 28, 300),
    ("1", "cream", 5, 500),
    ("3", "eggs", 5, 250),
    ("4", "fuel", 3, 4_000),
    ("1", "fuel", 3, 4_000),
    ("2", "loose", 3, 100),
    ("1", "lights", 3, 900),
    ("2", "lights", 3, 900),
    ("3", "lights", 3, 900),
    ("3", "eggs", 0, 9_900),
    ("5", "milk", 29, 9_900),
)


def test_shares_amounts_and_order_worked_by_hand(fill) -> None:
    table = popular_products(fill(ROWS, PRODUCTS), AS_OF, rules())
    # Four customers bought in the 28 days: two of them milk, one eggs. Cream is of milk's type and
    # sells less; fuel, cigarettes, and what has no type, are never recommended.
    assert table["product_id"].tolist() == ["milk", "eggs"]
    assert table["probability"].tolist() == [0.5, 0.25]
    assert table["mean_amount"].tolist() == [2.0, 2.5]
    assert table["shelf"].unique().tolist() == ["popular"]
    assert table["category"].tolist() == ["DAIRY", "EGGS"]
    assert table["en"].tolist() == [
        "bought by 50 of 100 customers in 28 days",
        "bought by 25 of 100 customers in 28 days",
    ]
    assert table["zh"].iloc[0] == "近 28 天每 100 位顾客中有 50 位购买"


def test_the_list_is_as_long_as_asked_and_equals_go_by_id(fill) -> None:
    rows = bought(("1", "milk", 1, 100), ("1", "eggs", 1, 100))
    con = fill(rows, PRODUCTS)
    assert popular_products(con, AS_OF, rules(1))["product_id"].tolist() == ["eggs"]
    assert popular_products(con, AS_OF, rules(2))["product_id"].tolist() == ["eggs", "milk"]


def test_nothing_bought_lately_is_an_empty_list(fill) -> None:
    assert popular_products(fill(bought(("1", "milk", 40, 100)), PRODUCTS), AS_OF, rules()).empty


def test_a_product_without_category_becomes_an_item_with_null(fill) -> None:
    table = popular_products(fill(bought(("1", "herbs", 1, 120)), PRODUCTS), AS_OF, rules())
    (row,) = table.to_dict("records")
    assert item(row)["category"] is None
    assert item(row)["amount"] == pytest.approx(1.2)

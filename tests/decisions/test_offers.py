"""Which coupon of a campaign is picked, what it names, and what redemptions brought."""

import json
from collections.abc import Iterator
from datetime import date

import duckdb
import pandas as pd
import pytest

from mkt_models.decisions.offers import best_offers, redemption_worth, score_offers

AS_OF = date(2018, 1, 1)
RUNNING = ("23", "Type B", "2017-12-28", "2018-02-04")
OVER = ("22", "Type A", "2017-11-01", "2017-12-31")
PRODUCTS = [
    ("soup", "SOUP", "CONDENSED SOUP"),
    ("broth", "SOUP", "BROTH"),
    ("nuts", "SNACK NUTS", None),
    ("cola", "SOFT DRINKS", "SOFT DRINKS 12/18&15PK CAN CAR"),
    ("tea", "TEAS", "TEA BAGS"),
    ("soy", "REFRIGERATED", "SOY/RICE MILK"),
    ("pump", "FROZEN", None),
    ("cigars", "CIGARS", "CIGARS"),
    ("unknown", None, "FOUND ITEM"),
]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A shop with one running and one finished campaign; nothing is bought yet."""
    con = duckdb.connect(config={"threads": 1})
    con.execute(
        """
        CREATE TABLE products (product_id VARCHAR, category VARCHAR, product_type VARCHAR);
        CREATE TABLE campaigns
            (campaign_id VARCHAR, campaign_type VARCHAR, starts_on DATE, ends_on DATE);
        CREATE TABLE offers (offer_id VARCHAR, campaign_id VARCHAR, product_id VARCHAR);
        CREATE TABLE outcomes (customer_id VARCHAR, campaign_id VARCHAR, offer_id VARCHAR,
            kind VARCHAR, occurred_on DATE);
        CREATE TABLE transactions (customer_id VARCHAR, product_id VARCHAR, local_date DATE,
            amount_cents BIGINT, coupon_discount_cents BIGINT);
        """
    )
    con.executemany("INSERT INTO products VALUES (?, ?, ?)", PRODUCTS)
    con.executemany("INSERT INTO campaigns VALUES (?, ?, ?, ?)", [RUNNING, OVER])
    yield con
    con.close()


def offer(con: duckdb.DuckDBPyConnection, offer_id: str, campaign: str, *products: str) -> None:
    con.executemany(
        "INSERT INTO offers VALUES (?, ?, ?)", [(offer_id, campaign, one) for one in products]
    )


def buy(
    con: duckdb.DuckDBPyConnection, customer: str, product: str, times: int = 1, **more: object
) -> None:
    row = {"local_date": "2017-12-01", "amount_cents": 250, "coupon_discount_cents": 0, **more}
    con.executemany(
        "INSERT INTO transactions VALUES (?, ?, ?, ?, ?)",
        [(customer, product, *row.values())] * times,
    )


def test_the_coupon_whose_products_were_bought_most_often(con) -> None:
    offer(con, "a", "23", "soup", "broth", "cola", "tea", "nuts")
    offer(con, "b", "23", "tea")
    offer(con, "c", "22", "tea")
    buy(con, "1", "tea", 3)
    buy(con, "1", "soup")
    buy(con, "1", "broth")
    buy(con, "1", "cola")
    buy(con, "2", "tea", 2)
    buy(con, "3", "pump")
    picked = best_offers(con, AS_OF).set_index("customer_id")
    assert list(picked.index) == ["1", "2"]
    # Offer a holds all six lines of customer 1; the two soups are one category, and come second.
    one = picked.loc["1"]
    assert (one["offer_id"], one["times"]) == ("a", 6)
    assert one["products"] == ["TEAS", "SOUP", "SOFT DRINKS"]
    assert (one["campaign_id"], one["campaign_type"]) == ("23", "Type B")
    assert (one["starts_on"], one["ends_on"]) == ("2017-12-28", "2018-02-04")
    # Offers a and b are bought equally often by customer 2: the id decides.
    assert (picked.loc["2", "offer_id"], picked.loc["2", "times"]) == ("a", 2)


def test_a_category_that_names_no_goods_gives_way_to_its_types(con) -> None:
    offer(con, "a", "23", "soy", "pump", "nuts")
    buy(con, "1", "soy", 3)
    buy(con, "1", "pump", 2)
    buy(con, "1", "nuts")
    (names,) = best_offers(con, AS_OF)["products"]
    assert names == ["SOY/RICE MILK", "FROZEN", "SNACK NUTS"]


def test_what_is_hidden_or_of_no_category_neither_counts_nor_is_named(con) -> None:
    offer(con, "a", "23", "cigars", "unknown", "tea")
    buy(con, "1", "cigars", 9)
    buy(con, "1", "unknown", 9)
    buy(con, "2", "tea")
    buy(con, "2", "cigars", 9)
    (row,) = best_offers(con, AS_OF, ["CIGARS"]).to_dict("records")
    assert (row["customer_id"], row["times"], row["products"]) == ("2", 1, ["TEAS"])


@pytest.mark.parametrize(
    ("day", "counts"),
    [("2017-01-01", True), ("2016-12-31", False), ("2017-12-31", True), ("2018-01-01", False)],
)
def test_the_year_before_counts_and_the_day_itself_does_not(con, day, counts) -> None:
    offer(con, "a", "23", "tea")
    buy(con, "1", "tea", local_date=day)
    assert len(best_offers(con, AS_OF)) == counts


@pytest.mark.parametrize(
    ("as_of", "campaigns"),
    [
        (date(2017, 12, 27), ["22"]),
        (date(2017, 12, 28), ["22", "23"]),
        (date(2017, 12, 31), ["22", "23"]),
        (date(2018, 2, 4), ["23"]),
        (date(2018, 2, 5), []),
    ],
)
def test_a_campaign_runs_from_its_first_day_to_its_last(con, as_of, campaigns) -> None:
    offer(con, "a", "23", "tea")
    offer(con, "b", "22", "tea")
    buy(con, "1", "tea")
    assert best_offers(con, as_of)["campaign_id"].tolist() == campaigns


def test_what_redemptions_brought_worked_by_hand(con) -> None:
    offer(con, "a", "23", "soup", "broth")
    offer(con, "b", "22", "tea")
    day = {"local_date": "2018-01-05"}
    buy(con, "1", "soup", amount_cents=200, coupon_discount_cents=50, **day)
    buy(con, "1", "broth", amount_cents=300, coupon_discount_cents=50, **day)
    buy(con, "1", "cola", amount_cents=9_900, coupon_discount_cents=900, **day)
    buy(con, "1", "soup", amount_cents=9_900, local_date="2018-01-06")
    buy(con, "2", "soup", amount_cents=100, coupon_discount_cents=20, **day)
    rows = [
        ("1", "23", "a", "redemption", "2018-01-05"),
        ("1", "23", "a", "redemption", "2018-01-05"),
        ("2", "23", "a", "redemption", "2018-01-05"),
        ("2", "23", "a", "click", "2018-01-06"),
    ]
    con.executemany("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)", rows)
    (row,) = redemption_worth(con).to_dict("records")
    # On the offer's products customer 1 spent 5.00 and saved 1.00, customer 2 1.00 and .20.
    assert row == {
        "campaign_type": "Type B",
        "redemptions": 2,
        "amount": pytest.approx(3.0),
        "discount": pytest.approx(0.6),
    }


def test_scores_and_worth_are_joined_and_an_unknown_worth_drops_the_coupon() -> None:
    offers = pd.DataFrame(
        {
            "customer_id": ["1", "1", "2"],
            "campaign_id": ["23", "22", "23"],
            "campaign_type": ["Type B", "Type A", "Type B"],
            "offer_id": ["a", "b", "c"],
        }
    )
    why = json.dumps([{"feature": "x"}])
    scores = pd.DataFrame(
        {
            "customer_id": ["1", "1", "3"],
            "campaign_id": ["23", "22", "23"],
            "score": [0.2, 0.4, 0.6],
            "model": "propensity:1",
            "reasons": why,
        }
    )
    worth = pd.DataFrame(
        {"campaign_type": ["Type B"], "redemptions": [9], "amount": [8.0], "discount": [1.0]}
    )
    (row,) = score_offers(offers, scores, worth).to_dict("records")
    assert row == {
        "customer_id": "1",
        "campaign_id": "23",
        "campaign_type": "Type B",
        "offer_id": "a",
        "probability": 0.2,
        "reasons": why,
        "amount": 8.0,
        "discount": 1.0,
    }
    with pytest.raises(pd.errors.MergeError):
        score_offers(pd.concat([offers, offers]), scores, worth)

"""Which coupon of a campaign is picked, what it names, and what redemptions brought."""

import json
from collections.abc import Iterator
from datetime import date

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.decisions.offers import (
    best_offers,
    coupons_today,
    later_shares,
    redemption_worth,
    score_offers,
)
from mkt_models.models.offer_features import NOTHING, offer_choices
from mkt_models.profiles.exclusions import Exclusions

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
            (campaign_id VARCHAR, campaign_type VARCHAR, starts_on DATE, ends_on DATE,
            left_censored BOOLEAN, right_censored BOOLEAN);
        CREATE TABLE exposures (customer_id VARCHAR, campaign_id VARCHAR, channel VARCHAR,
            sent_on DATE);
        CREATE TABLE offers (offer_id VARCHAR, campaign_id VARCHAR, product_id VARCHAR,
            discount_share DOUBLE);
        CREATE TABLE outcomes (customer_id VARCHAR, campaign_id VARCHAR, offer_id VARCHAR,
            kind VARCHAR, occurred_on DATE);
        CREATE TABLE transactions (customer_id VARCHAR, product_id VARCHAR, local_date DATE,
            amount_cents BIGINT, coupon_discount_cents BIGINT, coupon_match_discount_cents BIGINT);
        """
    )
    con.executemany("INSERT INTO products VALUES (?, ?, ?)", PRODUCTS)
    con.executemany("INSERT INTO campaigns VALUES (?, ?, ?, ?, false, false)", [RUNNING, OVER])
    for customer in ("1", "2", "3"):
        send(con, customer, "23", "2017-12-28")
        send(con, customer, "22", "2017-11-01")
    yield con
    con.close()


def offer(con: duckdb.DuckDBPyConnection, offer_id: str, campaign: str, *products: str) -> None:
    con.executemany(
        "INSERT INTO offers VALUES (?, ?, ?, NULL)", [(offer_id, campaign, one) for one in products]
    )


def send(con: duckdb.DuckDBPyConnection, customer: str, campaign: str, day: str) -> None:
    con.execute("INSERT INTO exposures VALUES (?, ?, 'mail', ?)", [customer, campaign, day])


def redeem(
    con: duckdb.DuckDBPyConnection, customer: str, campaign: str, offer_id: str, day: str
) -> None:
    row = [customer, campaign, offer_id, "redemption", day]
    con.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)", row)


def buy(
    con: duckdb.DuckDBPyConnection, customer: str, product: str, times: int = 1, **more: object
) -> None:
    row = {"local_date": "2017-12-01", "amount_cents": 250, "coupon": None, "match": None, **more}
    con.executemany(
        "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?)",
        [(customer, product, *row.values())] * times,
    )


def best(
    con: duckdb.DuckDBPyConnection,
    hidden: Exclusions = NOTHING,
    likeliest: str | None = None,
    day: date = AS_OF,
) -> pd.DataFrame:
    """Pick among the coupons of campaign 23; one is likely, of the others the most bought."""
    asked = pd.DataFrame({"customer_id": ["1", "2", "3"], "campaign_id": "23"})
    choices = offer_choices(con, asked.assign(as_of=pd.Timestamp(day)), hidden)
    likely = (choices["offer_id"] == likeliest).to_numpy(dtype=float)
    share = choices["offer_bought_share"].fillna(0.0) / 2
    return best_offers(con, day, choices.assign(this_offer=share.where(likely == 0, 0.9)), hidden)


def test_the_likeliest_coupon_of_those_whose_products_were_bought(con) -> None:
    offer(con, "a", "23", "soup")
    offer(con, "b", "23", "tea")
    buy(con, "1", "soup", 3)
    buy(con, "1", "tea")
    buy(con, "2", "soup", 3)
    picked = best(con, likeliest="b").set_index("customer_id")
    # The likelier coupon b comes before the more bought a; who bought no tea is not offered it.
    assert picked["offer_id"].to_dict() == {"1": "b", "2": "a"}
    assert picked["times"].to_dict() == {"1": 1, "2": 3}
    assert picked["products"].to_dict() == {"1": ["TEAS"], "2": ["SOUP"]}
    assert picked["this_offer"].to_dict() == {"1": 0.9, "2": 0.5}


def test_a_coupon_with_everything_that_was_bought_of_it(con) -> None:
    offer(con, "a", "23", "soup", "broth", "cola", "tea", "nuts")
    offer(con, "b", "23", "tea")
    offer(con, "c", "22", "tea")
    buy(con, "1", "tea", 3)
    buy(con, "1", "soup")
    buy(con, "1", "broth")
    buy(con, "1", "cola")
    buy(con, "2", "tea", 2)
    buy(con, "3", "pump")
    picked = best(con).set_index("customer_id")
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
    (names,) = best(con)["products"]
    assert names == ["SOY/RICE MILK", "FROZEN", "SNACK NUTS"]


def test_what_is_hidden_or_of_no_category_neither_counts_nor_is_named(con) -> None:
    offer(con, "a", "23", "cigars", "unknown", "tea", "soy")
    buy(con, "1", "cigars", 9)
    buy(con, "1", "unknown", 9)
    buy(con, "2", "tea")
    buy(con, "2", "cigars", 9)
    buy(con, "3", "soy", 9)
    hidden = Exclusions(categories=("CIGARS",), words=("rice milk",))
    (row,) = best(con, hidden).to_dict("records")
    assert (row["customer_id"], row["times"], row["products"]) == ("2", 1, ["TEAS"])


@pytest.mark.parametrize(
    ("day", "counts"),
    [("2017-01-01", True), ("2016-12-31", False), ("2017-12-31", True), ("2018-01-01", False)],
)
def test_the_year_before_counts_and_the_day_itself_does_not(con, day, counts) -> None:
    offer(con, "a", "23", "tea")
    buy(con, "1", "tea", local_date=day)
    assert len(best(con)) == counts


def test_what_redemptions_brought_worked_by_hand(con) -> None:
    offer(con, "a", "23", "soup", "broth")
    offer(con, "b", "23", "soup", "nuts")
    day = {"local_date": "2018-01-05"}
    buy(con, "1", "soup", amount_cents=200, **day)
    buy(con, "1", "soup", amount_cents=100, **day)
    buy(con, "1", "broth", amount_cents=300, coupon=60, match=20, **day)
    buy(con, "1", "cola", amount_cents=9_900, coupon=5_000, **day)
    buy(con, "1", "soup", amount_cents=9_900, local_date="2018-01-06")
    buy(con, "2", "soup", amount_cents=100, **day)
    rows = [
        ("1", "23", "a", "redemption", "2018-01-05"),
        ("1", "23", "a", "redemption", "2018-01-05"),
        ("1", "23", "b", "redemption", "2018-01-05"),
        ("2", "23", "a", "redemption", "2018-01-05"),
        ("3", "23", "a", "redemption", "2018-01-05"),
        ("2", "23", "a", "click", "2018-01-06"),
        ("2", "23", "a", "redemption", "2018-01-07"),
    ]
    con.executemany("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)", rows)
    (row,) = redemption_worth(con, date(2018, 1, 7)).to_dict("records")
    # Both coupons of customer 1 cover the two soups (3.00): 1.50 each, and the broth 3.00 to a;
    # customer 2 spent 1.00, customer 3 has no basket: (4.50 + 1.50 + 1.00 + 0) / 4. Coupons took
    # 0.80 off the broth.
    assert row == {
        "campaign_type": "Type B",
        "redemptions": 4,
        "matched": 3,
        "amount": pytest.approx(7.0 / 4),
        "given": pytest.approx(0.8 / 4),
    }
    assert redemption_worth(con, date(2018, 1, 5)).empty


def test_shares_of_finished_campaigns_worked_by_hand(con) -> None:
    # On 2018-01-01 campaign 23 has had 4 of its 39 days.
    campaigns = [
        ("past", "Type B", "2017-03-01", "2017-04-08", False, False),  # 39 days too
        ("cut", "Type B", "2017-03-01", "2017-04-08", True, False),
        ("last", "Type B", "2017-12-01", "2018-01-01", False, False),  # not over
    ]
    con.executemany("INSERT INTO campaigns VALUES (?, ?, ?, ?, ?, ?)", campaigns)
    for customer in "123456":
        send(con, customer, "past", "2017-03-01")
        send(con, customer, "cut", "2017-03-01")
        send(con, customer, "last", "2017-12-01")
        redeem(con, customer, "cut", "tea_coupon", "2017-03-02")
        redeem(con, customer, "last", "tea_coupon", "2017-12-02")
    redeem(con, "1", "past", "tea_coupon", "2017-03-04")  # day 3: before 4/39
    redeem(con, "1", "past", "tea_coupon", "2017-04-01")  # no first redemption
    redeem(con, "2", "past", "soup_coupon", "2017-03-05")  # day 4: after
    redeem(con, "3", "past", "soup_coupon", "2017-03-03")
    redeem(con, "3", "past", "tea_coupon", "2017-04-08")  # the last day counts
    redeem(con, "4", "past", "tea_coupon", "2017-04-09")  # too late
    redeem(con, "5", "past", "soup_coupon", "2017-04-01")
    redeem(con, "stranger", "past", "tea_coupon", "2017-04-01")  # was never sent it
    shares = later_shares(con, AS_OF)
    row = shares.set_index("campaign_id").loc["23"]
    # 1, 2, 3 and 5 redeemed, 2 and 5 later.
    assert row["elapsed"] == pytest.approx(4 / 39)
    assert (row["later"], row["later_n"]) == (0.5, 4)
    assert sorted(shares["campaign_id"]) == ["23", "last"]
    nothing = later_shares(con, date(2017, 3, 2)).set_index("campaign_id").loc["past"]
    assert nothing["later_n"] == 0
    assert pd.isna(nothing["later"])


WHY = json.dumps([{"feature": "x"}])
WORTH = pd.DataFrame(
    {"campaign_type": ["Type B"], "redemptions": [9], "matched": [8], "amount": [8.0]}
)


def picked(this_offer: float = 0.5) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["1", "1", "2"],
            "campaign_id": ["23", "22", "23"],
            "campaign_type": ["Type B", "Type A", "Type B"],
            "offer_id": ["a", "b", "c"],
            "this_offer": this_offer,
        }
    )


def scored(score: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["1", "1", "3"],
            "campaign_id": ["23", "22", "23"],
            "score": [score, 0.4, 0.6],
            "model": "propensity:1",
            "reasons": WHY,
        }
    )


def shared(later: float | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "campaign_id": ["22", "23"],
            "campaign_type": ["Type A", "Type B"],
            "elapsed": 0.5,
            "later": [1.0, later],
            "later_n": 8,
        }
    )


def test_scores_shares_and_worth_are_joined_and_an_unknown_worth_drops_the_coupon() -> None:
    (row,) = score_offers(picked(), scored(0.2), WORTH, shared(0.25)).to_dict("records")
    # Of 100 households 20 redeem, 15 of them have: 5 of the other 85 still do, half of them this.
    assert row == {
        "customer_id": "1",
        "campaign_id": "23",
        "campaign_type": "Type B",
        "offer_id": "a",
        "probability": pytest.approx(5 / 85 / 2),
        "reasons": WHY,
        "amount": 8.0,
        "amount_n": 9,
    }
    assert score_offers(picked(), scored(0.2), WORTH, shared(None)).empty
    with pytest.raises(pd.errors.MergeError):
        score_offers(pd.concat([picked(), picked()]), scored(0.2), WORTH, shared(0.25))


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_one_coupon_later_is_never_likelier_than_any_coupon_ever(score, later, this) -> None:
    (row,) = score_offers(picked(this), scored(score), WORTH, shared(later)).to_dict("records")
    assert 0 <= row["probability"] <= min(score, this) + 1e-12


def test_on_the_first_day_nothing_is_over() -> None:
    (row,) = score_offers(picked(1.0), scored(0.3), WORTH, shared(1.0)).to_dict("records")
    assert row["probability"] == pytest.approx(0.3)


def test_without_a_propensity_model_no_coupon_is_offered(con: duckdb.DuckDBPyConnection) -> None:
    nothing = coupons_today(con, AS_OF, None, None)
    assert nothing.offers.empty
    assert nothing.worth.empty
    assert nothing.shares.empty
    assert {"customer_id", "probability"} <= set(nothing.offers)  # what documents() sorts by


def test_running_campaigns_without_coupons_give_no_offers(con: duckdb.DuckDBPyConnection) -> None:
    asked = pd.DataFrame({"customer_id": ["1"], "campaign_id": "23", "as_of": pd.Timestamp(AS_OF)})
    none = offer_choices(con, asked).assign(this_offer=0.0)
    assert none.empty
    found = coupons_today(con, AS_OF, scored(0.2), none)
    assert found.offers.empty
    assert found.shares["campaign_id"].tolist() == ["23"]
    assert {"customer_id", "probability"} <= set(found.offers)

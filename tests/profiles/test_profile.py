"""Answers worked by hand for the small shop of conftest.py, on Saturday 2017-07-01."""

import math
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mkt_models.columns import PROFILE_DIMENSIONS
from mkt_models.loading import load_params
from mkt_models.profile_params import Profile, Risk, RiskSignal
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import features_at
from mkt_models.profiles.profile import ProfileTable, build_profiles
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

AS_OF = date(2017, 7, 1)
NAN = math.nan
NOTHING = Exclusions()
PARAMS = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml")
TAGS = load_tag_catalogue(Path(__file__).parents[2] / "params" / "tags.yaml")
RULES = PARAMS.profile.model_copy(
    update={
        "as_of": AS_OF,
        "new_days": 56,
        "rhythm_weight": 2,
        "active_times": 2,
        "dormant_times": 6,
        "active_days": 21,
        "dormant_days": 56,
        "value_days": 365,
        "interests": 3,
        "risk": Risk(
            middle_points=1,
            high_points=2,
            signals=(
                RiskSignal(column="coupon_share_365d", at_least=0.1, points=1, min_orders=7),
                RiskSignal(column="return_share_365d", at_least=0.5, points=2),
            ),
        ),
    }
)


def build(con, rules: Profile = RULES, hidden: Exclusions = NOTHING) -> ProfileTable:
    return build_profiles(con, features_at(con, [rules.as_of]), rules, TAGS, hidden)


@pytest.fixture(scope="module")
def table(write_shop) -> ProfileTable:
    return build(write_shop())


# The usual price of milk is 1450 cents for 7 pieces (only anna bought it), of bread 1240 for 4,
# of wine 2200 for 2, of chips 300: anna paid 3350 for what usually costs 1450 + 620 + 1100 + 300.
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("age_band", ["45-54", None, None]),
        ("preferred_day_part", ["morning", "night", "morning"]),
        ("main_store", ["s1", "s2", "s1"]),
        ("orders_365d", [7, 1, 1]),
        ("amount_365d", [38.5, 6.4, 12.0]),
        ("coupon_share_365d", [1 / 7, 0, 0]),
        ("price_index", [round(3350 / 3470, 6), round(640 / 620, 6), round(1200 / 1100, 6)]),
        ("purchasing_power", ["middle_class", "middle_class", "middle_class"]),
        # anna's pauses 1, 29, 40, 14, 6 are 90 days; with twice the median of 18: 126 / 7.
        ("usual_gap_days", [18, 18, 18]),
        ("silence", [round(1 / 18, 6), round(30 / 18, 6), round(212 / 18, 6)]),
        ("lifecycle_stage", ["active", "new", "lost"]),
        ("value_amount", [38.5, 6.4, 12.0]),
        ("value_percentile", [1, 1 / 3, 2 / 3]),
        ("value_tier", ["high", "low", "middle"]),
        ("risk_points", [1, 0, 0]),
        ("risk_tier", ["middle", "low", "low"]),
        ("night_share", [0, 1, None]),
        ("views_90d", [None] * 3),
        ("platforms", [None] * 3),
        ("return_share_365d", [None] * 3),
        ("days_since_registration", [None] * 3),
    ],
)
def test_profile_by_hand(table: ProfileTable, column: str, values: list[Any]):
    found = [None if pd.isna(v) else v for v in table.profiles[column]]
    assert found == pytest.approx(values)


def test_interests_by_hand(table: ProfileTable):
    # Anna bought dairy in four orders, bread in two; the others ordered once.
    assert table.profiles["top_categories"].tolist() == [["DAIRY"], [], []]
    assert table.profiles["top_products"].tolist() == [["MILK"], [], []]
    assert table.profiles["risk_signals"].tolist() == [["coupon_share_365d"], [], []]


def test_cutoffs_by_hand(table: ProfileTable):
    # Spend 6.4, 12, 38.5 at 1/6, 3/6 and 5/6 of the customers; shares 0 and 170/3720.
    assert table.cutoffs["high_value.value_amount"] == 38.5
    assert table.cutoffs["middle_value.value_amount"] == 12
    assert table.cutoffs["careful_spender.discount_share"] == pytest.approx(170 / 3720)
    assert table.cutoffs["usual_gap_days.median"] == 18


def test_what_the_source_lacks_is_said_and_is_null(table: ProfileTable):
    lacking = {name for name, there in table.available.items() if not there}
    assert {"views_90d", "followers", "tickets_365d", "accounts", "gender", "top_brands"} <= lacking
    assert not lacking & {"orders_90d", "lifecycle_stage", "top_categories", "campaigns_90d"}
    missing = table.profiles[sorted(lacking)]
    assert missing.isna().all(axis=None)


def test_grain_and_columns(table: ProfileTable):
    names = [name for columns in PROFILE_DIMENSIONS.values() for name in columns]
    assert len(PROFILE_DIMENSIONS) == 8
    assert table.profiles.columns.tolist() == ["customer_id", "as_of", "computed_at", *names]
    assert table.profiles["customer_id"].tolist() == ["anna", "bob", "cora"]


def test_features_of_another_date_are_refused(shop):
    with pytest.raises(ValueError, match="features must all be as of 2017-07-01"):
        build_profiles(shop, features_at(shop, [date(2017, 6, 30)]), RULES, TAGS)


def lines(customer: str, product: str, cents: int, days: tuple[int, ...]) -> list[tuple[Any, ...]]:
    """One line of a product for each so many days ago; the order of a day is one."""
    return [
        (f"{customer}{n}", customer, product, "s1", 1, cents, 0, 0, 0, AS_OF - timedelta(n), 12)
        for n in days
    ]


def test_what_has_no_count_or_is_no_article_is_no_sign_of_purchasing_power(write_shop):
    milk = lines("x", "milk", 300, (1, 2)) + lines("y", "milk", 100, (1, 2))
    slip = [(*row[:4], 0, *row[5:]) for row in lines("y", "milk", 5_000, (3,))]
    wine = lines("x", "wine", 900, (1,)) + lines("y", "wine", 100, (1,))
    con = write_shop(transactions=milk + slip + wine, customers=[("x", None, None)])
    hidden = Exclusions(words=("RED WINE",))
    # A piece of milk usually costs 200.
    assert build(con, hidden=hidden).profiles["price_index"].tolist() == [1.5, 0.5]
    # With wine, usually 500: x paid 1500 for what costs 900, y 300.
    assert build(con).profiles["price_index"].tolist() == [round(15 / 9, 6), round(3 / 9, 6)]


def test_interests_are_what_is_bought_above_the_average(write_shop):
    # x spends 25% on snacks and 75% on dairy. Of all that is spent, 8% is snacks, 92% dairy: snacks
    # are 17 points above the average, dairy is 17 below.
    three = (1, 2, 3)
    con = write_shop(
        transactions=lines("x", "chips", 100, three)
        + lines("x", "milk", 300, three)
        + lines("y", "milk", 900, three)
        + lines("y", "wine", 1, (1, 2))  # two orders are no liking
        + lines("y", "bread", 1, (0, 1, 2, 366)),  # too late, two orders, too long ago
        customers=[("x", None, None), ("y", None, None)],
    )

    def interests(rules: Profile = RULES, hidden: Exclusions = NOTHING) -> list[list[str]]:
        return build(con, rules, hidden).profiles["top_categories"].tolist()

    assert interests() == [["SNACKS", "DAIRY"], ["DAIRY"]]
    assert interests(RULES.model_copy(update={"interests": 1})) == [["SNACKS"], ["DAIRY"]]
    assert interests(hidden=Exclusions(categories=("SNACKS",))) == [["DAIRY"], ["DAIRY"]]
    assert interests(hidden=Exclusions(categories=("SNACKS",), words=("milk",))) == [[], []]


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (0, "night"),
        (5, "night"),
        (6, "morning"),
        (11, "morning"),
        (12, "afternoon"),
        (17, "afternoon"),
        (18, "evening"),
        (23, "evening"),
    ],
)
def test_day_parts_at_their_edges(write_shop, hour: int, part: str):
    con = write_shop(
        transactions=[(*lines("x", "milk", 100, (1,))[0][:-1], hour)],
        customers=[("x", None, None)],
    )
    assert build(con).profiles["preferred_day_part"].tolist() == [part]


def test_a_customer_of_unlisted_products_has_no_price_index(write_shop):
    con = write_shop(
        transactions=lines("x", "not listed", 100, (1, 2, 3)), customers=[("x", None, None)]
    )
    row = build(con).profiles.iloc[0]
    assert pd.isna(row["price_index"])
    assert pd.isna(row["purchasing_power"])
    assert row["top_categories"] == []


def test_what_is_usual_is_that_of_the_first_day_of_the_month(write_shop):
    # On the tenth of July: milk's usual price is that of June, 200, whatever July has brought.
    june = lines("x", "milk", 200, (5,))
    july = [(*lines("y", "milk", 900, (1,))[0][:9], date(2017, 7, 5), 12)]
    con = write_shop(transactions=june + july, customers=None)
    rules = RULES.model_copy(update={"as_of": date(2017, 7, 10)})
    assert build(con, rules).profiles["price_index"].tolist() == [1, 4.5]
    assert build(con, rules).facts.reference.day == AS_OF


def test_a_shop_of_orders_alone_has_a_profile(write_shop):
    con = write_shop(
        transactions=[("o", "x", "milk", *[None] * 2, 100, *[None] * 3, date(2017, 6, 30), 12)],
        products=None,
        customers=None,
        exposures=None,
        outcomes=None,
    )
    row = build(con).profiles.iloc[0]
    assert (row["orders_90d"], row["amount_90d"], row["lifecycle_stage"]) == (1, 1, "new")
    for name in ("discount_share", "coupon_share", "items_per_order", "stores_90d", "campaigns_90d",
                 "private_label_share", "age_band", "price_index", "purchasing_power"):  # fmt: skip
        assert pd.isna(row[name]), name
    assert row["value_tier"] == "middle"  # alone, neither above nor below others


def test_a_return_counts_on_the_day_of_its_sale(write_shop):
    con = write_shop(
        transactions=lines("x", "milk", 1000, (10, 380)),
        returns=[
            ("r", "x", 1000, AS_OF - timedelta(380), AS_OF - timedelta(20)),  # of an old sale
            ("s", "x", 300, AS_OF - timedelta(10), AS_OF - timedelta(5)),
        ],
        customers=None,
    )
    x = build(con).profiles.set_index("customer_id").loc["x"]
    assert (x["value_amount"], x["return_share_365d"]) == (7, 0.3)


def test_returns_lower_the_value_and_raise_the_risk(write_shop):
    con = write_shop(
        transactions=lines("x", "milk", 1000, (1, 2)) + lines("y", "milk", 1000, (1,)),
        returns=[
            ("r", "x", 1500, None, AS_OF - timedelta(3)),
            ("s", "x", 100, date(2017, 6, 1), AS_OF),  # on the day: not seen
        ],
        failed_orders=[("f", "x", "failed", AS_OF - timedelta(1))] * 2
        + [("g", "x", "cancelled", AS_OF - timedelta(1))],
        identity_map=[("x", "x"), ("x2", "x"), ("x3", "x")],
        customers=None,
    )
    table = build(con).profiles.set_index("customer_id")
    x, y = table.loc["x"], table.loc["y"]
    assert (x["value_amount"], x["return_share_365d"], x["unmatched_returns_365d"]) == (5, 0.75, 1)
    assert (x["failed_orders_365d"], x["cancelled_orders_365d"], x["accounts"]) == (1, 1, 3)
    assert (x["risk_points"], x["risk_tier"], x["risk_signals"]) == (
        2,
        "high",
        ["return_share_365d"],
    )
    assert (y["return_share_365d"], y["failed_orders_365d"], y["accounts"]) == (0, 0, 1)
    assert (x["value_tier"], y["value_tier"]) == ("low", "middle")


def test_events_social_and_tickets_by_hand(write_shop):
    def event(kind: str, product: str, days: int, **cells: Any) -> tuple[Any, ...]:
        one = {"category": None, "session": "s", "dwell": None, "rating": None} | cells
        return ("x", kind, product, one["category"], one["session"], one["dwell"], one["rating"],
                "mobile", AS_OF - timedelta(days), 22)  # fmt: skip

    con = write_shop(
        transactions=lines("x", "milk", 100, (1,)) + lines("y", "milk", 100, (1,)),
        events=[
            event("view", "milk", 5, dwell=10, session="a"),
            event("view", "milk", 3, dwell=20),
            event("view", "wine", 3),
            event("cart", "wine", 3),
            event("review", "milk", 91, rating=4),
            event("view", "bread", 0),  # on the day: not seen
        ],
        social=[
            ("x", "post", "weibo", "sports", "y", 10, datetime(2017, 6, 1), date(2017, 6, 1)),
            ("x", "repost", "weibo", "sports", "x", 30, datetime(2017, 6, 2), date(2017, 6, 2)),
            ("x", "like", "douyin", "food", None, None, datetime(2017, 6, 3), date(2017, 6, 3)),
        ],
        tickets=[
            ("1", "x", 2, date(2017, 6, 1), date(2017, 6, 5), "Late delivery"),
            ("2", "x", 5, date(2017, 6, 1), AS_OF, "质量问题"),  # resolved on the day: still open
            ("3", "x", None, date(2016, 6, 1), date(2016, 6, 1), "delivery"),  # over a year ago
        ],
        campaigns=[("1", "Type A")],
        outcomes=[("x", "1", "1:a", date(2017, 6, 10))],
        customers=None,
    )
    table = build(con).profiles.set_index("customer_id")
    x, y = table.loc["x"], table.loc["y"]
    assert (x["sessions_90d"], x["views_90d"], x["carts_90d"], x["reviews_90d"]) == (2, 3, 1, 0)
    assert (x["mean_rating"], x["dwell_seconds"], x["days_since_last_visit"]) == (4, 15, 3)
    # Of milk and wine, milk was bought; the wine in the cart was not. Milk: seen 4 days before.
    assert (x["view_to_buy_share"], x["cart_abandonment"], x["days_view_to_buy"]) == (0.5, 1, 4)
    assert (x["views_per_order"], x["preferred_device"], x["browsing_day_part"]) == (
        3, "mobile", "evening",
    )  # fmt: skip
    assert (x["platforms"], x["social_actions_90d"], x["posts_90d"], x["likes_90d"]) == (2, 3, 1, 1)
    assert (x["followers"], x["contacts_365d"], x["days_since_last_social"]) == (30, 1, 28)
    assert (x["tickets_365d"], x["open_tickets"], x["ticket_satisfaction"]) == (2, 1, 2)
    assert (x["delivery_tickets_365d"], x["quality_tickets_365d"]) == (1, 1)
    assert x["main_platform"] == "weibo"
    assert pd.isna(y["main_platform"])
    # Dairy: an order 5 and two days of views 2 and a review 2; wine: a view 1 and a cart 2.
    assert x["liked_categories"] == ["DAIRY"]
    assert x["followed_topics"] == ["sports"]
    assert x["answered_campaigns"] == ["Type A"]
    assert (y["views_90d"], y["posts_90d"], y["tickets_365d"], y["accounts"]) == (
        0, 0, 0, pytest.approx(NAN, nan_ok=True),
    )  # fmt: skip
    assert pd.isna(y["mean_rating"])
    assert y["followed_topics"] == []


@pytest.mark.parametrize(("year", "band"), [(1952, "65+"), (1953, "55-64"), (1999, "Under 19")])
def test_an_age_band_comes_of_a_year_of_birth(write_shop, year: int, band: str):
    con = write_shop(transactions=lines("x", "milk", 100, (1,)), customers=[("x", None, None)])
    con.execute(f"UPDATE customers SET birth_year = {year}, registered_on = DATE '2017-06-01'")
    row = build(con).profiles.iloc[0]
    assert (row["age_band"], row["days_since_registration"]) == (band, 30)
    con.execute("UPDATE customers SET age_band = 'known', registered_on = DATE '2017-07-01'")
    row = build(con).profiles.iloc[0]
    assert row["age_band"] == "known"
    assert pd.isna(row["days_since_registration"])

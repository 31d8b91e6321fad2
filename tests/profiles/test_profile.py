"""Answers worked by hand for the small shop of conftest.py, on Saturday 2017-07-01."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mkt_models.columns import PROFILE_DIMENSIONS
from mkt_models.loading import load_params
from mkt_models.params import Profile
from mkt_models.profiles.exclusions import Exclusions
from mkt_models.profiles.features import features_at
from mkt_models.profiles.profile import ProfileTable, build_profiles

AS_OF = date(2017, 7, 1)
NOTHING = Exclusions()
PARAMS = load_params(Path(__file__).parents[2] / "params" / "complete_journey.yaml")
RULES = PARAMS.profile.model_copy(update={"as_of": AS_OF}).model_copy(
    update={
        "new_days": 56,
        "active_days": 28,
        "dormant_days": 84,
        "value_days": 365,
        "high_value_share": 0.2,
        "middle_value_share": 0.5,
        "habit_share": 0.25,
        "interests": 3,
        "affluent_price_index": 1.05,
        "middle_price_index": 1.0,
        "risk_min_orders": 7,
        "high_risk_coupon_share": 0.5,
        "middle_risk_coupon_share": 0.1,
    }
)


def build(con, rules: Profile = RULES, hidden: Exclusions = NOTHING) -> ProfileTable:
    return build_profiles(con, features_at(con, [rules.as_of]), rules, hidden)


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
        ("purchasing_power", ["ordinary", "middle_class", "affluent"]),
        ("lifecycle_stage", ["active", "new", "lost"]),
        ("value_tier", ["high", "low", "middle"]),
        ("spending_habit", ["careful_spender", "rational_consumer", None]),
        ("risk_tier", ["middle", "low", "low"]),
        ("social", ["not available"] * 3),
    ],
)
def test_profile_by_hand(table: ProfileTable, column: str, values: list[Any]):
    found = [None if pd.isna(v) else v for v in table.profiles[column]]
    assert found == pytest.approx(values)


def test_interests_by_hand(table: ProfileTable):
    # Anna bought dairy in four orders, bread in two; the others ordered once.
    assert table.profiles["top_categories"].tolist() == [["DAIRY"], [], []]


def test_cutoffs_by_hand(table: ProfileTable):
    # Spend 6.4, 12, 38.5: positions 1.6 and .6; shares 0 and 170/3720; orders 0, 1, 6.
    assert table.cutoffs == pytest.approx(
        {
            "value_high": 12 + 0.6 * 26.5,
            "value_middle": 6.4 + 0.6 * 5.6,
            "discount_share_high": 0.75 * 170 / 3720,
            "discount_share_median": 0.5 * 170 / 3720,
            "orders_90d_high": 3.5,
        }
    )


def test_grain_and_columns(table: ProfileTable):
    names = [name for columns in PROFILE_DIMENSIONS.values() for name in columns]
    assert len(PROFILE_DIMENSIONS) == 8
    assert table.profiles.columns.tolist() == ["customer_id", "as_of", *names]
    assert table.profiles["customer_id"].tolist() == ["anna", "bob", "cora"]


def test_features_of_another_date_are_refused(shop):
    with pytest.raises(ValueError, match="features must all be as of 2017-07-01"):
        build_profiles(shop, features_at(shop, [date(2017, 6, 30)]), RULES)


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

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.params import Profile
from mkt_models.profiles import tags

NAN = math.nan


def rules(**values: Any) -> Profile:
    return Profile.model_construct(**values)


STAGES = rules(new_days=56, active_days=28, dormant_days=84)


@pytest.mark.parametrize(
    ("last", "first", "stage"),
    [
        (56, 56, "new"),
        (57, 57, "dormant"),
        (28, 57, "active"),
        (29, 57, "dormant"),
        (84, 90, "dormant"),
        (85, 90, "lost"),
    ],
)
def test_lifecycle_stage_at_its_edges(last: int, first: int, stage: str):
    assert tags.lifecycle_stage(pd.Series([last]), pd.Series([first]), STAGES).tolist() == [stage]


SHARES = rules(high_value_share=0.2, middle_value_share=0.5)


def test_value_tiers_hold_their_shares():
    spend = pd.Series(range(1, 101), dtype=float)
    cutoffs = tags.value_cutoffs(spend, SHARES)
    # Quantiles .8 and .3 of 1..100, interpolated over 99 steps.
    assert cutoffs == pytest.approx((80.2, 30.7))
    assert tags.value_tier(spend, cutoffs).value_counts().to_dict() == {
        "high": 20,
        "middle": 50,
        "low": 30,
    }


def test_nobody_without_spend_is_above_low():
    spend = pd.Series([0.0, 0, 0, 0, 9])
    cutoffs = tags.value_cutoffs(spend, SHARES)
    # Position .8 * 4 = 3.2 lies a fifth of the way from 0 to 9.
    assert cutoffs == pytest.approx((1.8, 0))
    assert tags.value_tier(spend, cutoffs).tolist() == ["low"] * 4 + ["high"]


def test_habit_cutoffs_by_hand():
    table = pd.DataFrame(
        {"discount_share": [0.0, 0.1, 0.2, 0.3, 0.4, NAN], "orders_90d": [1, 2, 3, 4, 5, 0]}
    )
    assert tags.habit_cutoffs(table, rules(habit_share=0.25)) == pytest.approx(
        # Of the five known shares, and of all six counts (3.75 steps from 0).
        {"discount_share_high": 0.3, "discount_share_median": 0.2, "orders_90d_high": 3.75}
    )


@pytest.mark.parametrize(
    ("share", "orders", "habit"),
    [
        (0.3, 1, "careful_spender"),
        (0.3, 9, "careful_spender"),  # careful comes before impulse
        (0.29, 9, "rational_consumer"),
        (0.2, 4, "rational_consumer"),  # the median is not below the median
        (0.19, 4, "impulse_buyer"),
        (0.19, 3, "rational_consumer"),
    ],
)
def test_spending_habit_at_its_edges(share: float, orders: int, habit: str):
    cutoffs = {"discount_share_high": 0.3, "discount_share_median": 0.2, "orders_90d_high": 4.0}
    found = tags.spending_habit(pd.Series([share, NAN]), pd.Series([orders, 0]), cutoffs)
    assert found[0] == habit
    assert pd.isna(found[1])


def test_purchasing_power_at_its_edges():
    power = rules(affluent_price_index=1.1, middle_price_index=0.95)
    found = tags.purchasing_power(pd.Series([1.1, 1.09, 0.95, 0.94, NAN]), power)
    assert found[:4].tolist() == ["affluent", "middle_class", "middle_class", "ordinary"]
    assert pd.isna(found[4])


def test_risk_tier_at_its_edges():
    risk = rules(high_risk_coupon_share=0.5, middle_risk_coupon_share=0.25, risk_min_orders=8)
    shares = pd.Series([0.5, 0.49, 0.25, 0.24, 0.9, NAN])
    orders = pd.Series([8, 8, 8, 8, 7, 0])
    assert tags.risk_tier(shares, orders, risk).tolist() == [
        "high",
        "middle",
        "middle",
        "low",
        "low",  # too few orders to tell
        "low",
    ]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_more_spend_is_never_a_lower_tier(spend: list[float], high: float, middle: float):
    series = pd.Series(sorted(spend))
    share = rules(high_value_share=high, middle_value_share=middle * (1 - high))
    found = tags.value_tier(series, tags.value_cutoffs(series, share))
    ranks = found.map({"low": 0, "middle": 1, "high": 2})
    assert ranks.is_monotonic_increasing
    assert (ranks[series == 0] == 0).all()


def test_tags_keep_the_index_of_the_table():
    index = pd.Index([7, 3])
    days = pd.Series([1, 300], index=index)
    assert tags.lifecycle_stage(days, days + 100, STAGES).to_dict() == {7: "active", 3: "lost"}

from datetime import date

import pytest

from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.question import Customer

TODAY = date(2018, 1, 6)


@pytest.fixture
def tier(changed, policy):
    """The content of the membership tier in the app, for spend and orders."""

    def found(spent, orders):
        profile = {"amount_365d": spent, "orders_365d": orders}
        customer = Customer.of(changed("1", profile=profile))
        return {c.key: c.content for c in candidates(customer, policy, TODAY)}[
            "membership_tier/app"
        ]

    return found


@pytest.mark.parametrize(
    ("spent", "orders", "en", "zh"),
    [
        (900, 10, "$100.00 and 2 more orders within 365 days reach Silver",
         "365 天内再消费 $100.00、再下 2 单即可升级为银卡会员"),
        (900, 30, "$100.00 more within 365 days reaches Silver",
         "365 天内再消费 $100.00 即可升级为银卡会员"),
        (9000, 11, "1 more order within 365 days reaches Silver",
         "365 天内再下 1 单即可升级为银卡会员"),
        (9000, 13, "11 more orders within 365 days reach Gold",
         "365 天内再下 11 单即可升级为金卡会员"),
        (9000, 99, "This is the highest tier", "您已是最高等级"),
    ],
)  # fmt: skip
def test_the_way_to_the_next_tier_is_told_in_both_measures(tier, spent, orders, en, zh):
    assert tier(spent, orders).words["progress"] == (en, zh)


def test_the_reason_gives_both_thresholds(tier):
    (why,) = tier(2600, 30).reasons
    assert why["en"] == (
        "spent $2,600.00 in 30 orders within 365 days; Gold starts at $2,500.00 and 24 orders"
    )
    assert why["zh"] == "365 天内下单 30 次、消费 $2,600.00；金卡会员门槛为 $2,500.00 且 24 单"


@pytest.mark.parametrize(
    ("spent", "orders", "lacks"),
    [
        (None, 3, "spend in 365 days"),
        (3.0, None, "orders in 365 days"),
        (None, None, "spend in 365 days, orders in 365 days"),
        (float("nan"), 3, "spend in 365 days"),
    ],
)
def test_a_measure_that_is_missing_is_not_available(tier, spent, orders, lacks):
    assert tier(spent, orders).en == f"not eligible: {lacks} is not available"

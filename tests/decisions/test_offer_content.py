from datetime import date

import pytest

from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.content import Content
from mkt_models.decisions.question import Customer

TODAY = date(2018, 1, 6)
OFFERS = ("double_points", "free_delivery", "second_order", "ten_items")


@pytest.fixture
def open_offers(changed, policy):
    """The candidates of the open promotion by offer, for a profile."""

    def found(policy=policy, today=TODAY, **profile):
        customer = Customer.of(changed("1", profile=profile))
        return {
            c.offer_id: c.content
            for c in candidates(customer, policy, today)
            if c.entry.id == "open_promotion"
        }

    return found


@pytest.mark.parametrize(
    ("profile", "chosen"),
    [
        ({"discount_share": 0.3}, "ten_items"),
        ({"discount_share": 0.1}, "double_points"),  # 14 orders in 90 days
        ({"discount_share": None, "orders_90d": 3}, "free_delivery"),
        ({"orders_365d": 1, "tenure_days": 9, "lifecycle_stage": "new"}, "second_order"),
        ({"orders_365d": 1, "tenure_days": 61, "orders_90d": 1}, "free_delivery"),
        (dict.fromkeys(("orders_365d", "tenure_days", "orders_90d", "discount_share")),
         "free_delivery"),
    ],
)  # fmt: skip
def test_a_habit_chooses_among_offers_that_are_open(open_offers, profile, chosen):
    found = open_offers(**profile)
    assert sorted(found) == list(OFFERS)
    assert [name for name, one in found.items() if isinstance(one, Content)] == [chosen]
    assert {one.code.value for name, one in found.items() if name != chosen} <= {
        "offer_suits_less",
        "offer_not_open",
    }


def test_the_terms_are_the_same_for_whoever_is_shown_an_offer(open_offers):
    poor, rich = (
        open_offers(discount_share=0.3, purchasing_power=power, value_tier=tier)["ten_items"]
        for power, tier in (("ordinary", "low"), ("affluent", "high"))
    )
    assert poor.data == rich.data
    assert poor.words == rich.words
    assert poor.data["offer"]["open_to"] == []
    assert poor.reasons[0]["en"] == "open to everybody on the same terms"
    assert poor.reasons[1]["en"] == "shown first because of habits: share of discounts"


def test_who_does_not_qualify_is_told_which_condition(open_offers):
    why = open_offers(orders_365d=60, tenure_days=360)["second_order"]
    assert why.code == "offer_not_open"
    assert "orders in 365 days is 60, must be == 1" in why.en
    assert "365 天订单数" in why.zh


def test_an_offer_that_is_over_is_not_shown(open_offers, catalogue, make_policy):
    offers = tuple(
        offer.model_copy(update={"ends_on": date(2018, 1, 5)})
        if offer.id == "ten_items"
        else offer.model_copy(update={"ends_on": TODAY})
        for offer in catalogue.offers
    )
    policy = make_policy(catalogue.model_copy(update={"offers": offers}))
    found = open_offers(policy=policy, discount_share=0.3)
    assert found["ten_items"].code == "offer_not_running"
    assert found["double_points"].words["until"] == ("until 2018-01-06", "截至 2018-01-06")
    assert open_offers(policy=policy, today=date(2018, 1, 7)).keys() == set(OFFERS)

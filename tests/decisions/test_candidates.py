import json
import re
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from mkt_models.columns import LifecycleStage
from mkt_models.decisions.candidates import MAKERS, Content, candidates
from mkt_models.decisions.catalogue import Needs
from mkt_models.decisions.content_kinds import KINDS
from mkt_models.decisions.decide import decide
from mkt_models.decisions.question import Context, Customer

TODAY = date(2018, 1, 6)
NEW_YORK = ZoneInfo("America/New_York")
# A Saturday that is no holiday, a Monday that is one, and a Friday before one.
SATURDAY = datetime(2018, 1, 6, 10, tzinfo=NEW_YORK)
SCENES = {
    "scenario_holiday": Context(datetime(2018, 1, 1, 10, tzinfo=NEW_YORK)),
    "scenario_before_holiday": Context(datetime(2018, 1, 12, 10, tzinfo=NEW_YORK)),
    "scenario_rain": Context(SATURDAY, weather="rain"),
    "scenario_cold": Context(SATURDAY, weather="snow"),
    "scenario_heat": Context(SATURDAY, weather="heat"),
    "scenario_dinner": Context(SATURDAY, place="work", hour=17),
    "scenario_in_store": Context(SATURDAY, place="store"),
}
# What the other data of a shop would add, so that every strategy has something to say.
WHOLE = {
    "interest_tags": ["gourmet"],
    "preferred_day_part": "evening",
    "tickets_365d": 3,
    "delivery_tickets_365d": 2,
    "quality_tickets_365d": 1,
    "open_tickets": 1,
    "ticket_satisfaction": 2.0,
    "social_actions_90d": 9,
    "main_platform": "Weibo",
    "followers": 800,
    "discount_share": 0.3,
    "value_tier": "high",
    "amount_365d": 9000.0,
    "orders_365d": 60,
}
WARM_AND_COLD = [
    {"category": "COFFEE", "product_type": "GROUND COFFEE", "probability": 0.3, "amount": 8.0},
    {"category": "FRZN ICE", "product_type": "ICE", "probability": 0.3, "amount": 8.0},
    {"category": "CHICKEN", "product_type": "WHOLE CHICKEN", "probability": 0.3, "amount": 8.0},
    {"category": "CHEESES", "product_type": "BRIE", "probability": 0.3, "amount": 8.0},
]


def test_each_strategy_channel_and_offer_is_a_candidate_once(regular, documents, policy):
    keys = [c.key for c in candidates(regular, policy, TODAY)]
    assert len(keys) == len(set(keys))
    assert {k for k in keys if k.startswith("personalised_promotion")} == {
        f"personalised_promotion/{channel}/{offer}"
        for channel in ("app", "mail")
        for offer in ("o1", "o2")
    }
    empty = {c.key for c in candidates(Customer.of(documents[3]), policy, TODAY)}
    assert {"personalised_promotion/app", "personalised_promotion/mail"} <= empty


def test_an_offer_that_stands_twice_is_one_candidate(changed, documents, policy):
    offer = documents[0]["offers"][0]
    customer = Customer.of(changed("1", offers=[offer, {**offer, "probability": 0.9}]))
    (one,) = [
        c for c in candidates(customer, policy, TODAY) if c.key == "personalised_promotion/app/o1"
    ]
    assert isinstance(one.content, Content)
    assert one.content.data["offer"]["probability"] == 0.1


@pytest.mark.parametrize(
    ("spent", "orders", "tier", "left"),
    [
        (0, 0, "classic", (1000, 12)),
        (-3, 0, "classic", (1003, 12)),
        (999.99, 60, "classic", (0.01, 0)),
        (1000, 60, "silver", (1500, 0)),
        (1000, 12, "silver", (1500, 12)),
        (9000, 11, "classic", (0, 1)),  # spends much, comes seldom
        (9000, 24, "gold", (0, 24)),
        (5000, 48, "platinum", (None, None)),
    ],
)
def test_tiers_follow_both_published_thresholds(changed, policy, spent, orders, tier, left):
    customer = Customer.of(changed("1", profile={"amount_365d": spent, "orders_365d": orders}))
    (one,) = [c for c in candidates(customer, policy, TODAY) if c.key == "membership_tier/app"]
    found = one.content.data["tier"]
    assert found["tier"] == tier
    assert (found["amount_to_next"], found["orders_to_next"]) == left


@pytest.mark.parametrize("customer_index", [0, 4])
def test_every_strategy_has_full_texts_in_both_languages(
    documents, catalogue, make_policy, granted, customer_index
):
    plain = documents[customer_index]
    items = [
        {**plain["recommendations"][0], **item, "product_id": f"q{n}"}
        for n, item in enumerate(WARM_AND_COLD)
    ]
    document = {
        **plain,
        "profile": {**plain["profile"], **WHOLE},
        "recommendations": [*plain["recommendations"], *items],
    }
    channels = ("app", "mail", "email", "sms")
    said = granted(document["customer_id"], *channels)
    service = [replace(consent, purpose="service") for consent in said]
    for entry in catalogue.strategies:
        # Alone in the catalogue, so that it is served; the default stays behind it.
        alone = [entry, catalogue.strategy("popular_items")][: 1 + entry.personalised]
        policy = make_policy(catalogue.model_copy(update={"strategies": tuple(alone)}))
        context = SCENES.get(entry.id, Context(SATURDAY))
        answer = decide(Customer.of(document, (*said, *service)), context, policy, 1).as_dict()
        (served,) = answer["strategies"]
        assert served["strategy"] == entry.id
        texts = [served["title"], served["text"], *served["reasons"]]
        for text in texts:
            assert not set("{}") & set(text["en"] + text["zh"])
            assert re.search("[\u4e00-\u9fff]", text["zh"])
            assert not re.search("[\u4e00-\u9fff]", text["en"])
        assert served["reasons"] or not entry.personalised
        assert "None" not in str(texts)
        json.dumps(answer, allow_nan=False)


def test_the_promotion_says_what_how_much_and_until_when(regular, policy):
    answer = decide(regular, Context(SATURDAY), policy, 3).as_dict()
    (promotion,) = [s for s in answer["strategies"] if s["strategy"] == "personalised_promotion"]
    assert promotion["text"] == {
        "en": "Your coupon for soup, crackers is valid until 2018-02-04.",
        "zh": "您的 soup、crackers 优惠券有效期至 2018-02-04。",
    }


def test_the_reasons_of_a_promotion_are_its_own_and_those_of_the_model_behind_it(regular, policy):
    answer = decide(regular, Context(SATURDAY), policy, 3).as_dict()
    (promotion,) = [s for s in answer["strategies"] if s["strategy"] == "personalised_promotion"]
    assert [(why["source"], why["en"]) for why in promotion["reasons"]] == [
        ("offer", "redeemed 3 coupons like this one"),
        ("score:propensity", "its products were bought 3 times: raises the predicted chance"),
    ]
    assert "reasons" not in promotion["content"]["offer"]


def test_items_are_named_by_category_each_once_and_explained_by_type(changed, documents, policy):
    first, second, third = documents[0]["recommendations"][:3]
    beef = {"category": "BEEF", "product_type": "LEAN"}
    steak = {"category": "BEEF", "product_type": "CHOICE BEEF"}
    items = [{**first, **beef}, {**second, **steak}, {**third, "category": None}]
    customer = Customer.of(changed("1", recommendations=items))
    found = {c.key: c.content for c in candidates(customer, policy, TODAY)}
    content = found["personalised_recommendation/app"]
    assert content.words["items"] == ("beef, condensed soup", "beef、condensed soup")
    assert [why["en"] for why in content.reasons] == [
        "beef (lean): bought 9 times in 90 days",
        "choice beef: bought 8 times in 90 days",
        "condensed soup: bought 7 times in 90 days",
    ]


def test_an_answer_gives_few_reasons(changed, documents, policy, granted):
    why = documents[0]["scores"]["value"]["reasons"][0]
    document = changed("1", scores={"value": {"value": 400.0, "reasons": [why] * 9}})
    customer = Customer.of(document, granted("1", "app"))
    served = decide(customer, Context(SATURDAY), policy, 5).as_dict()["strategies"]
    sources = {one["strategy"]: [why["source"] for why in one["reasons"]] for one in served}
    assert sources == {
        "membership_tier": ["tier", "score:value", "score:value"],
        "personalised_promotion": ["offer", "score:propensity"],
        "personalised_recommendation": ["item", "item", "item"],
        "personalised_content": ["liked"],
        "scenario_weekend": ["occasion", "item", "item", "item"],
    }


def test_an_item_without_its_numbers_is_passed_over(changed, documents, policy):
    items = [{**documents[0]["recommendations"][0], "probability": None}]
    customer = Customer.of(changed("1", recommendations=items))
    found = {c.key: c.content for c in candidates(customer, policy, TODAY)}
    assert found["personalised_recommendation/app"].code == "no_content"


def test_every_kind_of_content_has_one_row_and_one_function():
    assert set(MAKERS) == set(KINDS) == set(Needs)


def test_off_its_scene_a_strategy_is_a_candidate_that_says_why(regular, policy):
    scene = policy.scene(Context(SATURDAY, weather="clear"))
    found = {c.key: c.content for c in candidates(regular, policy, TODAY, scene)}
    assert found["scenario_rain/app"].en == "clear weather is not the occasion: a rainy day"
    assert found["scenario_in_store/app"].code == "context_not_given"
    assert isinstance(found["scenario_weekend/app"], Content)


def test_stages_in_the_catalogue_are_known(catalogue):
    named = {
        value
        for entry in catalogue.strategies
        for rule in entry.eligibility
        if rule.column == "lifecycle_stage"
        for value in rule.value
    }
    assert named <= set(LifecycleStage)
    assert "lost" not in named

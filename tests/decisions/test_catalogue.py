import copy
from pathlib import Path
from typing import Any

import pytest

from mkt_models.columns import Strategy
from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.content_kinds import ASSUMED
from mkt_models.loading import ParamsError, read_yaml, validate

FILE = Path(__file__).parents[2] / "params" / "catalogue.yaml"


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return read_yaml(FILE)


@pytest.fixture
def raw(shipped: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(shipped)


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(ParamsError) as caught:
        validate(Catalogue, raw, "catalogue.yaml")
    return str(caught.value)


def rule(column: str) -> dict[str, Any]:
    return {"column": column, "op": "==", "value": "35-44"}


def test_the_shipped_catalogue_has_all_eight_families():
    catalogue = load_catalogue(FILE)
    assert {entry.family.value for entry in catalogue.strategies if entry.personalised} == {
        family.value for family in Strategy if family is not Strategy.NO_ACTION
    }
    assert not catalogue.strategy(catalogue.default).personalised


def test_a_sensitive_column_is_refused_unless_allowed_with_a_reason(raw):
    entry = raw["strategies"][0]
    entry["eligibility"] = [rule("age_band")]
    assert "uses 'age_band', a sensitive column" in refused(raw)
    entry["allow_sensitive"] = [{"column": "age_band", "reason": "short"}]
    assert "at least 20 characters" in refused(raw)
    entry["allow_sensitive"] = [
        {"column": "age_band", "reason": "the law forbids this offer to the young"}
    ]
    assert validate(Catalogue, raw, "x").strategies[0].eligibility[0].column == "age_band"
    entry["eligibility"] = []
    assert "which no rule uses" in refused(raw)


@pytest.mark.parametrize(
    "rule",
    [
        {"column": "purchasing_power", "op": "==", "value": "affluent"},
        {"column": "price_index", "op": ">=", "value": 1.1},
    ],
)
def test_what_a_customer_may_be_willing_to_pay_is_guarded_too(raw, rule):
    entry = raw["strategies"][0]
    entry["eligibility"] = [rule]
    assert f"uses {rule['column']!r}, an estimate of what a customer" in refused(raw)
    reason = "a service that costs the shop, never a price"
    entry["allow_sensitive"] = [{"column": rule["column"], "reason": reason}]
    assert validate(Catalogue, raw, "x").strategies[0].allow_sensitive[0].reason == reason


def test_an_unknown_column_is_refused_with_the_nearest(raw):
    raw["strategies"][0]["eligibility"] = [{"column": "tenur_days", "op": ">", "value": 1}]
    assert "did you mean 'tenure_days'" in refused(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": {"en": "{itms}", "zh": "{itms}"}}, "nothing fills {itms}; did you mean 'items'"),
        ({"title": {"en": "{items}", "zh": "无"}}, "same words in braces"),
        ({"title": {"en": "{items.x}", "zh": "{items.x}"}}, "must be a plain word in braces"),
        ({"title": {"en": "{items!r}", "zh": "{items!r}"}}, "must be a plain word in braces"),
        ({"title": {"en": "{", "zh": "{"}}, "title.en"),
        ({"title": {"en": "", "zh": "好"}}, "at least 1 character"),
        ({"family": "no_action"}, "always a candidate"),
        ({"needs": "offer"}, "worth.outcome must be redemption"),
        ({"items": None}, "items is given when needs is items"),
        ({"channels": [{"channel": "app", "cost": 0, "requires_consent": False}]}, "consent"),
        ({"channels": [{"channel": "app", "cost": -1}]}, "greater than or equal to 0"),
        ({"channels": [{"channel": "app", "cost": 1}] * 2}, "a channel stands twice"),
        ({"channels": [{"channel": "store", "cost": 1}]}, "contact.channels lacks store"),
        ({"personalised": False}, "another names none"),
        ({"colour": "red"}, "unknown key"),
    ],
)
def test_a_strategy_that_does_not_fit_together_is_refused(raw, change, message):
    raw["strategies"][0].update(change)
    assert message in refused(raw)


def entry_of(raw, name):
    return next(one for one in raw["strategies"] if one["id"] == name)


SAID = {"value": 0.1, "reason": "a cautious guess, not measured yet"}
WORTH = {"outcome": "fixed", "amount": {"value": 10, "reason": SAID["reason"]}}
WORTH |= {"margin_rate": SAID, "credited_share": SAID}


@pytest.mark.parametrize(
    ("strategy", "change", "message"),
    [
        ("scenario_rain", {"when": {}}, "names no condition"),
        ("scenario_rain", {"when": {"weather": ["rian"]}}, "'clear'"),
        ("scenario_rain", {"when": None}, "nothing fills {occasion}"),
        ("scenario_rain", {"title": {"en": "{ahead}", "zh": "{ahead}"}}, "nothing fills {ahead}"),
        ("open_promotion", {"offers": []}, "offers is given when needs is open_offer"),
        ("open_promotion", {"offers": ["ten_item"]}, "did you mean 'ten_items'"),
        ("personalised_content", {"pieces": None}, "pieces is given when needs is piece or linked"),
        ("personalised_content", {"pieces": {"links": 1}}, "links is above 0 when needs is linked"),
        ("content_with_products", {"pieces": {"links": 0}}, "links is above 0 when needs is"),
        ("content_with_products", {"needs": "piece"}, "worth.outcome must be past_spend"),
        ("service_recovery", {"worth": WORTH | {"outcome": "past_spend"}}, "amount is given when"),
        ("service_care", {"worth": WORTH | {"amount": None}}, "amount is given when outcome is"),
        ("service_recovery", {"services": ["easy_return"]}, "did you mean 'easy_returns'"),
        ("service_recovery", {"purpose": "marketing"}, "a service contact sells nothing"),
        ("service_recovery", {"family": "membership_tier"}, "a service contact sells nothing"),
        ("personalised_content", {"purpose": "service"}, "a service contact sells nothing"),
        ("personalised_recommendation", {"family": "personalised_service"}, "sells nothing"),
        ("service_care", {"items": {"shelves": ["popular"], "most": 1}}, "items is given when"),
        ("service_care", {"channels": [{"channel": "email", "cost": 0, "requires_consent": False}]},
         "email is push: requires consent"),
        ("social_marketing", {"channels": [{"channel": "app", "cost": 0,
                                            "requires_consent": False}]}, "consent on every"),
    ],
)  # fmt: skip
def test_content_that_does_not_fit_its_strategy_is_refused(raw, strategy, change, message):
    entry_of(raw, strategy).update(change)
    assert message in refused(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"social": {}}, "social_marketing: needs share: social.programmes is empty"),
        ({"library": {}}, "personalised_content: needs piece: library.pieces is empty"),
        ({"product_links": {"app": "shop://{product_id}"}}, "product_links lacks email"),
        ({"product_links": {"app": "shop://x", "email": "{product_id}"}}, "must hold {product_id}"),
        ({"offers": []}, "'second_order' is none of the offers"),
        ({"services": []}, "'priority_delivery' is none of the services"),
    ],
)
def test_what_a_strategy_names_must_be_in_the_catalogue(raw, change, message):
    raw.update(change)
    assert message in refused(raw)


@pytest.mark.parametrize("section", ["offers", "services"])
def test_an_offer_or_service_stands_once(raw, section):
    raw[section].append(raw[section][0])
    assert f"{section}: the id {raw[section][0]['id']!r} is taken twice" in refused(raw)


def test_every_assumed_number_of_the_shipped_catalogue_is_labelled():
    for entry in load_catalogue(FILE).strategies:
        assert len(entry.worth.credited_share.reason) >= 20
        assert bool(entry.worth.models) == (
            entry.personalised and entry.worth.outcome not in ASSUMED
        )


def test_a_number_that_is_assumed_needs_a_reason(raw):
    raw["strategies"][0]["worth"]["credited_share"] = {"value": 0.5}
    assert "credited_share.reason: missing" in refused(raw)


def test_reasons_come_only_from_a_model_whose_audit_is_asked_for(raw):
    raw["strategies"][0]["worth"]["reasons_from"] = "churn"
    assert "must be among models" in refused(raw)


@pytest.mark.parametrize(
    ("strategy", "worth", "message"),
    [
        ("personalised_recommendation", {"models": ["value"]}, "must name recommender"),
        ("personalised_promotion", {"models": ["recommender"]}, "must name propensity"),
        ("membership_tier", {"models": ["churn"], "reasons_from": "churn"}, "must name value"),
        ("membership_tier", {"outcome": "redemption"}, "must be spend"),
        ("membership_tier", {"outcome": "retained"}, "worth.outcome"),
    ],
)
def test_the_models_behind_a_worth_are_asked_for_their_audit(raw, strategy, worth, message):
    (entry,) = [one for one in raw["strategies"] if one["id"] == strategy]
    entry["worth"].update(worth)
    assert message in refused(raw)


def test_nothing_rests_on_the_churn_model():
    entries = load_catalogue(FILE).strategies
    assert not [entry.id for entry in entries if "churn" in entry.worth.models]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"default": "popular_item"}, "did you mean 'popular_items'"),
        ({"default": "membership_tier"}, "must not be personalised"),
        ({"tiers": []}, "at least 1 item"),
        ({"max_profile_age_days": True}, "must be a number: YAML reads yes"),
        ({"max_profile_age_days": 0}, "greater than 0"),
    ],
)
def test_a_catalogue_that_does_not_hang_together_is_refused(raw, change, message):
    raw.update(change)
    assert message in refused(raw)


def test_tiers_rise_from_zero(raw):
    raw["tiers"][1]["from_amount"] = 9_000
    assert "must start at 0 and rise" in refused(raw)


def test_tiers_ask_for_more_orders_too(raw):
    raw["tiers"][2]["from_orders"] = 3
    assert "must start at 0 and rise" in refused(raw)
    raw["tiers"][2]["from_orders"] = None
    assert "from_orders" in refused(raw)


def test_an_id_stands_once(raw):
    raw["strategies"].append(raw["strategies"][0])
    assert "'personalised_recommendation' is taken twice" in refused(raw)


def test_push_without_consent_is_refused_even_when_not_personalised(raw):
    raw["strategies"][-1]["channels"] = [{"channel": "sms", "cost": 0, "requires_consent": False}]
    assert "sms is push: requires consent" in refused(raw)


def test_the_digest_follows_the_content(raw):
    before = validate(Catalogue, raw, "x").digest
    raw["max_profile_age_days"] += 1
    assert validate(Catalogue, raw, "x").digest != before


def test_shelves_are_those_of_the_recommender(raw):
    shown = raw["strategies"][0]["items"]
    shown["shelves"] = ["discover"]
    assert validate(Catalogue, raw, "x").strategies[0].items.shelves == ("discover",)
    shown["shelves"] = ["discvoer"]
    assert "should be 'buy_again', 'popular' or 'discover'" in refused(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"caps": {"per_day": 5, "per_month": 1}}, "per_day == 5 can never be reached: per_month"),
        ({"caps": {"per_week": 3, "per_month": 2}}, "lower per_week, or leave it out"),
        ({"caps": {"per_day": True}}, "YAML reads yes and on as true"),
        ({"purpose": "marketng"}, "purpose 'marketng' is none that a consent can name"),
        ({"purpose": "personalisation"}, "is none that a consent can name"),
        ({"title": {"en": " ", "zh": "好"}}, "title.en"),
        ({"items": {"shelves": ["popular"], "most": 3, "words": [""]}}, "items.words"),
        (
            {
                "eligibility": [
                    {"column": "orders_90d", "op": ">", "value": 4},
                    {"column": "orders_90d", "op": "<", "value": 2},
                ]
            },
            "'orders_90d' must be > 4 and < 2: nobody meets both",
        ),
        (
            {"eligibility": [{"column": "lifecycle_stage", "op": "in", "value": []}]},
            "the list is empty",
        ),
        (
            {
                "eligibility": [
                    {"column": "lifecycle_stage", "op": "in", "value": ["new", "lost"]},
                    {"column": "lifecycle_stage", "op": "not_in", "value": ["lost", "new"]},
                ]
            },
            "nobody meets both",
        ),
    ],
)
def test_a_strategy_that_cannot_be_meant_is_refused(raw, change, message):
    raw["strategies"][0].update(change)
    assert message in refused(raw)


def test_a_cap_of_a_strategy_that_the_limits_never_let_be_reached_is_refused(raw):
    entry = raw["strategies"][0]
    entry["caps"] = {"per_week": 20}
    validate(Catalogue, raw, "x")  # the app may be shown more often
    entry["channels"] = [one for one in entry["channels"] if one["channel"] == "email"]
    assert (
        f"{entry['id']}: caps.per_week == 20 can never be reached: "
        "contact.channels.email.caps.per_week == 2 leaves room for 2 within 7 days"
    ) in refused(raw)
    entry["caps"] = {"per_week": 2}
    validate(Catalogue, raw, "x")


def test_a_misspelt_purpose_is_told_the_nearest_and_a_new_one_is_declared_in_words(raw):
    entry = raw["strategies"][0]
    entry["purpose"] = "marketng"
    assert "did you mean 'marketing'?; known: marketing, service; add others" in refused(raw)
    entry["purpose"] = "research"
    raw["purposes"] = {"research": {"en": "research", "zh": "调研"}}
    catalogue = validate(Catalogue, raw, "x")
    assert catalogue.purpose_words["research"] == ("research", "调研")
    raw["purposes"]["marketing"] = {"en": "ads", "zh": "广告"}
    assert "marketing is there anyway" in refused(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": {"sms": {"kind": "pull"}}}, "sms reaches out to the customer"),
        ({"channels": {"email": {"kind": "pull"}}}, "email reaches out to the customer"),
        ({"channels": {"sms": {"kind": "push", "wakes": False}}}, "sms wakes people"),
        ({"channels": {"app": {"kind": "pull", "wakes": False}}}, "wakes is for push"),
        ({"caps": {"per_week": 7, "per_month": 6}}, "per_week == 7 can never be reached"),
        ({"quiet_hours": {"start": "09:00", "end": "08:30"}}, "leave 30 minutes of the day"),
        ({"quiet_days": ["weekend", "weekend"]}, "a day stands twice"),
    ],
)
def test_a_contact_policy_that_cannot_be_meant_is_refused(raw, change, message):
    for name, value in change.items():
        raw["contact"][name] = (
            {**raw["contact"]["channels"], **value} if name == "channels" else value
        )
    assert message in refused(raw)


def test_what_nobody_could_be_shown_is_refused(raw):
    default = entry_of(raw, raw["default"])
    default["channels"][0]["requires_consent"] = True
    assert "most would get nothing" in refused(raw)
    default["channels"][0]["requires_consent"] = False
    raw["product_links"]["app"] = "javascript://{product_id}"
    assert "must be an address" in refused(raw)
    raw["product_links"]["app"] = "shop://{product_id}"
    for piece in raw["library"]["pieces"]:
        piece["channels"] = ["app"]
    assert "no piece of the library fits pieces on email" in refused(raw)


def test_published_terms_that_nobody_could_meet_are_refused(raw):
    offer = raw["offers"][0]
    offer["open_to"].append({"column": "tenure_days", "op": ">", "value": 90})
    assert "open_to: 'tenure_days' must be <= 60 and > 90" in refused(raw)
    offer["open_to"].pop()
    offer["suits"] = [{"column": "orders_365d", "op": ">=", "value": 2}]
    assert "suits: 'orders_365d' must be == 1 and >= 2" in refused(raw)
    offer["suits"] = []
    raw["services"][0]["given_for"] = [
        [{"column": "tickets_365d", "op": op, "value": 1} for op in "<>"]
    ]
    assert "given_for: 'tickets_365d'" in refused(raw)
    del raw["services"][0]
    raw["tiers"][1]["id"] = raw["tiers"][0]["id"]
    assert "tiers: the id 'classic' is taken twice" in refused(raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cost": 1e-7}, "would be counted as 0: the smallest amount is 0.000001"),
        ({"uses": {"agent_hours": 1e-7}}, "would be counted as 0"),
        ({"cost": True}, "must be a number: YAML reads yes"),
    ],
)
def test_a_cost_that_could_not_be_counted_is_refused(raw, change, message):
    raw["strategies"][0]["channels"][0].update(change)
    assert message in refused(raw)

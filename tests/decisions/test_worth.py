from dataclasses import replace
from datetime import date

import pytest
from decisions.test_decays import ROW

from mkt_models.columns import Verdict
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.decays import ChannelDecay, Fatigue
from mkt_models.decisions.question import Customer
from mkt_models.decisions.worth import Worth, unreleased, worth

TODAY = date(2018, 1, 6)


def of(customer: Customer, policy, key: str) -> Worth:
    (one,) = [c for c in candidates(customer, policy, TODAY) if c.key == key]
    return worth(one, customer)


@pytest.mark.parametrize(
    ("key", "by_hand"),
    [
        # (.5 x 2 + .4 x 3 + .2 x 1.5) x .25 margin x .02 credited - .001
        ("personalised_recommendation/app", 2.5 * 0.25 * 0.02 - 0.001),
        # items 4 to 6: .2 x 3 + .1 x 2 + .1 x 2
        ("scenario_weekend/app", 1.0 * 0.25 * 0.015 - 0.001),
        # .1 x 8 x .25 x .3, less the letter
        ("personalised_promotion/mail/o1", 0.8 * 0.25 * 0.3 - 0.45),
        # 400 expected x .25 x .0001
        ("membership_tier/app", 400 * 0.25 * 0.0001 - 0.001),
        # 2400 spent in 365 days x .25 x .00001
        ("personalised_content/app", 2400 * 0.25 * 0.00001 - 0.001),
    ],
)
def test_worth_worked_by_hand(regular, policy, key, by_hand):
    assert of(regular, policy, key).amount == pytest.approx(by_hand, abs=1e-12)


def test_the_parts_add_up_again_and_name_what_is_assumed(regular, policy):
    found = of(regular, policy, "personalised_promotion/app/o1")
    parts = found.parts()
    (term,) = parts["terms"]
    gain = term["probability"] * term["value"] * parts["margin_rate"] * parts["credited_share"]
    assert gain - parts["cost"] == pytest.approx(found.amount)
    assert parts["assumed"] == ["margin_rate", "credited_share", "cost"]


@pytest.mark.parametrize("score", [None, {}, {"value": None}, {"value": float("nan")}])
def test_without_its_score_a_candidate_has_no_worth(changed, policy, score):
    customer = Customer.of(changed("1", scores={"value": score}))
    assert of(customer, policy, "membership_tier/app").code == "score_not_available"
    # The recommender's probabilities stand beside the items, so these need no score.
    assert of(customer, policy, "personalised_recommendation/app").amount > 0


def test_what_nobody_has_predicted_is_assumed_from_what_was_spent(regular, changed, policy):
    found = of(regular, policy, "personalised_content/app")
    (term,) = found.parts()["terms"]
    assert (term["of"], term["value"], term["value_kind"]) == ("amount_365d", 2400.0, "observed")
    assert term["probability"] is None
    assert found.kind == "assumed"
    assert of(regular, policy, "membership_tier/app").kind == "propensity_weighted"


@pytest.mark.parametrize("spent", [None, 0.0, 1e6])
def test_what_is_owed_to_everybody_is_worth_the_same_for_everybody(changed, policy, spent):
    customer = Customer.of(
        changed("1", profile={"amount_365d": spent, "tickets_365d": 1, "open_tickets": 1})
    )
    found = of(customer, policy, "service_recovery/app")
    (term,) = found.parts()["terms"]
    assert (term["of"], term["value"], term["value_kind"]) == ("amount", 1200.0, "assumed")
    assert (found.kind, found.parts()["assumed"][-1]) == ("assumed", "amount")
    assert found.amount == pytest.approx(1200 * 0.001 * found.margin_rate - found.cost)


@pytest.mark.parametrize("spent", [None, float("nan"), "not available"])
def test_without_what_was_spent_such_a_worth_is_not_available(changed, policy, spent):
    customer = Customer.of(changed("1", profile={"amount_365d": spent}))
    why = of(customer, policy, "personalised_content/app")
    assert why.en == "not eligible: spend in 365 days is not available"


def test_an_expected_amount_has_no_probability(regular, policy):
    parts = of(regular, policy, "membership_tier/app").parts()
    assert parts["outcome"] == "spend"
    assert parts["terms"] == [
        {
            "of": "value",
            "probability": None,
            "probability_kind": None,
            "value": 400.0,
            "value_kind": "predicted",
        }
    ]


def test_a_model_that_is_named_must_have_scored_the_customer(catalogue, make_policy, changed):
    strategies = list(catalogue.strategies)
    at = [entry.id for entry in strategies].index("membership_tier")
    raw = strategies[at].model_dump()
    raw["worth"] |= {"models": ("churn", "value"), "reasons_from": "churn"}
    strategies[at] = StrategyEntry.model_validate(raw)
    policy = make_policy(catalogue.model_copy(update={"strategies": tuple(strategies)}))
    assert of(Customer.of(changed("1")), policy, "membership_tier/app").amount > 0
    unknown = Customer.of(changed("1", scores={"churn": None}))
    assert of(unknown, policy, "membership_tier/app").en.startswith("the churn score")


@pytest.mark.parametrize(
    ("said", "kind"),
    [({}, "predicted"), ({"kind": None}, "predicted"), ({"kind": "observed"}, "observed")],
)
def test_a_probability_is_of_the_kind_that_its_item_says(regular, make_policy, said, kind):
    policy = make_policy(
        popular_items=({"shelf": "popular", "probability": 0.1, "amount": 2.0, **said},)
    )
    (term,) = of(regular, policy, "popular_items/app").parts()["terms"]
    assert term["probability_kind"] == kind
    (first, *_) = of(regular, policy, "personalised_recommendation/app").parts()["terms"]
    assert first["probability_kind"] == "predicted"


@pytest.mark.parametrize("verdict", ["fail", "not_evaluated", "nonsense", None])
def test_only_a_pass_releases(regular, make_policy, verdict):
    said = {} if verdict is None else {"value": verdict}
    policy = make_policy(verdicts={"churn": "pass", "terms": "pass", **said})
    (one,) = [c for c in candidates(regular, policy, TODAY) if c.key == "membership_tier/app"]
    (why,) = unreleased(one, policy)
    assert why.code == "model_not_released"
    assert policy.verdict("value") is (Verdict.FAIL if verdict == "fail" else Verdict.NOT_EVALUATED)


def test_no_content_no_worth(documents, policy):
    customer = Customer.of(documents[3])
    with pytest.raises(ValueError, match="has no content"):
        of(customer, policy, "membership_tier/app")


UPLIFT = {"value": 0.08, "response": "ordered", "channel": "app", "days_left_share": 0.5}
UPLIFT |= {"learner": "dr_learner", "kind": "randomised", "n": 30882}


def tried(changed, documents, **parts) -> Customer:
    offer = documents[0]["offers"][0] | {"given": 2.0, "uplift": UPLIFT | parts}
    return Customer.of(changed("1", offers=[offer], profile={"mean_order_amount": 50.0}))


def test_what_trials_say_replaces_what_the_catalogue_assumes(changed, documents, policy) -> None:
    customer = tried(changed, documents)
    found = of(customer, policy, "personalised_promotion/app/o1")
    # 8 more orders in 100, half the days left, 50 each, .25 margin; one in ten redeems 2.00.
    assert found.amount == pytest.approx(0.08 * 0.5 * 50 * 0.25 - 0.1 * 2.0 - 0.001)
    parts = found.parts()
    assert found.kind.value == "randomised"
    assert parts["n"] == 30882
    assert parts["assumed"] == ["margin_rate", "days_left_share", "cost"]
    (term,) = parts["terms"]
    assert (term["probability"], term["probability_kind"]) == (0.08, "randomised")
    gain = term["probability"] * term["value"] * parts["margin_rate"] * parts["days_left_share"]
    assert gain - parts["given_away"] - parts["cost"] == pytest.approx(found.amount)
    # The trials were over the app; what a letter does is not known from them.
    letter = of(customer, policy, "personalised_promotion/mail/o1")
    assert letter.kind.value == "propensity_weighted"
    assert letter.amount == pytest.approx(0.1 * 8 * 0.25 * 0.3 - 0.45)


def test_uplift_of_spend_is_money_already_and_net_of_coupons(changed, documents, policy) -> None:
    found = of(
        tried(changed, documents, response="spend", value=3.0),
        policy,
        "personalised_promotion/app/o1",
    )
    assert found.amount == pytest.approx(3.0 * 0.5 * 0.25 - 0.1 * 2.0 * 0.75 - 0.001)


def test_whom_a_contact_keeps_from_buying_is_worth_less_than_nothing(
    changed, documents, policy
) -> None:
    found = of(tried(changed, documents, value=-0.05), policy, "personalised_promotion/app/o1")
    assert found.amount < 0


@pytest.mark.parametrize("lacks", ["given", "mean_order_amount"])
def test_without_a_part_nothing_is_claimed(changed, documents, policy, lacks) -> None:
    offer = documents[0]["offers"][0] | {"given": 2.0, "uplift": UPLIFT}
    profile = {"mean_order_amount": 50.0}
    offer.pop(lacks, None)
    profile.pop(lacks, None)
    customer = Customer.of(changed("1", offers=[offer], profile=profile))
    found = of(customer, policy, "personalised_promotion/app/o1")
    assert found.kind.value == "propensity_weighted"


def test_the_worth_of_an_expected_amount_has_the_interval_of_the_amount(changed, policy):
    score = {"value": 400.0, "lower": 100.0, "upper": 900.0, "confidence": 0.8}
    known = Customer.of(changed("1", scores={"value": {**score, "model": "value:1"}}))
    found = of(known, policy, "membership_tier/app")
    # less the cost of .001; margin .25 x credited .0001
    assert found.interval() == {
        "lower": pytest.approx(100 * 0.25 * 0.0001 - 0.001),
        "upper": pytest.approx(900 * 0.25 * 0.0001 - 0.001),
        "confidence": 0.8,
    }
    (term,) = found.parts()["terms"]
    assert term["value_interval"] == {"lower": 100.0, "upper": 900.0, "confidence": 0.8}


def test_its_interval_is_of_what_recent_contacts_leave(changed, policy):
    score = {"value": 400.0, "lower": 100.0, "upper": 900.0, "confidence": 0.8}
    known = Customer.of(changed("1", scores={"value": {**score, "model": "value:1"}}))
    found = of(known, policy, "membership_tier/app")
    decay = ChannelDecay.of_row({**ROW, "channel": "app"})
    tired = replace(found, fatigue=Fatigue(decay, 1, 1.0, 0.5, (0.4, 0.6)))
    # Half of the gain is left, and the contact costs what it did.
    ends = tired.interval()
    assert ends["lower"] == pytest.approx(100 * 0.25 * 0.0001 * 0.5 - 0.001)
    assert ends["upper"] == pytest.approx(900 * 0.25 * 0.0001 * 0.5 - 0.001)
    assert ends["lower"] <= tired.amount <= ends["upper"]


def test_a_worth_of_probabilities_has_no_interval(regular, policy):
    assert of(regular, policy, "personalised_recommendation/app").interval() is None

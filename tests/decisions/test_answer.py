from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from mkt_models.columns import Channel, Model
from mkt_models.decisions.answer import (
    HOLDOUT,
    MOST_REASONS,
    TREATMENT,
    Decision,
    Suppressed,
    head,
    no_action,
    served,
)
from mkt_models.decisions.arbitration import Scored
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.decide import decide
from mkt_models.decisions.question import Context, Customer
from mkt_models.decisions.words import Code, reason
from mkt_models.decisions.worth import worth
from mkt_models.store.records import Exposure

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
SATURDAY = date(2018, 1, 6)


@pytest.fixture
def put(regular, policy):
    """Put a candidate of the regular customer into words, as the second of the answer."""

    def put(key, customer=regular):
        (one,) = [c for c in candidates(regular, policy, SATURDAY) if c.key == key]
        scored = Scored(one, worth(one, regular))
        return served(2, scored, customer, Context(NOW), policy, TREATMENT)

    return put


def test_the_code_is_of_the_first_reason_and_the_words_of_all():
    reasons = (reason(Code.BEYOND_K, k=3), reason(Code.DEFAULT_NOT_NEEDED))
    told = Suppressed("a/app", "a", Channel.APP, None, reasons).as_dict()
    assert told == {
        "candidate": "a/app",
        "strategy": "a",
        "channel": "app",
        "offer_id": None,
        "code": "beyond_k",
        "en": f"{reasons[0].en}; {reasons[1].en}",
        "zh": f"{reasons[0].zh}；{reasons[1].zh}",
    }
    nothing = Suppressed("no_action", "no_action", None, None, (reason(Code.OUTRANKED),))
    assert nothing.as_dict()["channel"] is None


def test_an_offer_is_served_with_its_worth_its_content_and_its_reasons(put):
    found = put("personalised_promotion/app/o1")
    document = found.document
    assert (found.rank, found.offer_id, found.channel) == (2, "o1", Channel.APP)
    assert (document["rank"], document["channel_kind"]) == (2, "pull")
    assert document["worth"] == found.worth == 0.059  # worked out in test_worth.py
    assert document["worth_kind"] == "propensity_weighted"
    assert (document["currency"], document["arm"], document["probability"]) == (
        "USD",
        "treatment",
        1.0,
    )
    assert document["valid_until"] == "2018-01-07T10:00:00-05:00"  # pull: for a day
    assert 1 <= len(document["reasons"]) <= MOST_REASONS
    assert all(why["en"] and why["zh"] for why in document["reasons"])


@pytest.mark.parametrize(
    ("ends_on", "until"),
    [
        ("2018-01-06", "2018-01-07T00:00:00-05:00"),  # with the last day of the offer
        ("2018-01-07", "2018-01-07T10:00:00-05:00"),
        ("9999-12-31", "2018-01-07T10:00:00-05:00"),
    ],
)
def test_nobody_is_sent_an_offer_that_has_ended(documents, granted, policy, ends_on, until):
    offer = {**documents[0]["offers"][0], "ends_on": ends_on}
    customer = Customer.of({**documents[0], "offers": [offer]}, granted("1", "app"))
    first = decide(customer, Context(NOW), policy, 1).strategies[0]
    assert (first.offer_id, first.document["valid_until"]) == ("o1", until)


def test_the_occasion_is_the_first_reason_of_its_scene(put):
    document = put("scenario_weekend/app").document
    first = {"source": "occasion", "en": "today: the weekend", "zh": "今天：周末"}
    assert document["reasons"][0] == first
    assert [why["source"] for why in document["reasons"]].count("occasion") == 1
    assert len(document["reasons"]) <= MOST_REASONS


def test_the_model_that_a_strategy_names_gives_its_reasons(put, regular):
    told = regular.scores[Model.VALUE]["reasons"][0]
    kinds = {"value_kind": "observed", "contribution_kind": "predicted"}
    said = put("membership_tier/app").document["reasons"]
    assert {"source": "score:value", **told, **kinds} in said
    unscored = replace(regular, scores={})
    sources = {
        why["source"] for why in put("membership_tier/app", customer=unscored).document["reasons"]
    }
    assert "score:value" not in sources


def test_doing_nothing_is_an_answer_without_a_contact(policy, put):
    nothing = no_action(policy, HOLDOUT)
    assert (nothing.strategy, nothing.worth, nothing.channel) == ("no_action", 0.0, None)
    assert nothing.document["arm"] == "holdout"
    assert nothing.document["title"] == {"en": "No action", "zh": "不采取行动"}
    decision = Decision("d", "1", (put("membership_tier/app"), nothing), (), {"k": 2})
    assert decision.exposures(NOW) == (
        Exposure("1", "app", NOW, "membership_tier", decision_id="d"),
    )
    answer = decision.as_dict()
    assert list(answer)[:3] == ["decision_id", "customer_id", "k"]
    assert [one["strategy"] for one in answer["strategies"]] == ["membership_tier", "no_action"]
    assert answer["suppressed"] == []


@pytest.mark.parametrize(("arm", "share"), [(HOLDOUT, 0.05), (TREATMENT, 0.95)])
def test_the_head_tells_the_arm_and_its_probability(regular, make_policy, arm, share):
    policy = make_policy(holdout_share=0.05)
    told = head(regular, Context(NOW, channel=Channel.APP), policy, 3, SATURDAY, arm)
    assert told["experiment"]["arm_probability"] == share
    assert "5% of customers" in told["experiment"]["en"]
    assert "5% 的客户" in told["experiment"]["zh"]
    assert (told["as_of"], told["profile_age_days"], told["stale"]) == ("2018-01-01", 5, False)
    assert told["now"] == "2018-01-06T10:00:00-05:00"  # in the shop's zone
    assert (told["channel"], told["k"], told["snapshot_id"]) == ("app", 3, "snap")
    assert told["verdicts"]["churn"] == "pass"

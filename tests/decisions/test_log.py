from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mkt_models.budget_params import Budget
from mkt_models.columns import Channel
from mkt_models.decisions.budgets import Allowance
from mkt_models.decisions.decide import decide
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context
from mkt_models.store.records import Consent, Exposure, Purse, Use

NOW = datetime(2018, 1, 6, 15, tzinfo=UTC)
SATURDAY = Context(NOW)


def test_what_is_kept_says_what_was_chosen_in_which_arm_and_what_is_permitted(regular, policy):
    decision = decide(regular, SATURDAY, policy, 2)
    record = record_of(decision, regular, SATURDAY, policy)
    assert (record.strategy, record.channel, record.offer_id) == (
        "personalised_promotion",
        "app",
        "o1",
    )
    assert (record.arm, record.arm_probability, record.probability) == ("treatment", 1.0, 1.0)
    assert record.experiment == f"holdout:{policy.holdout_salt}"
    assert record.answer == decision.as_dict()
    # Each strategy is a contact that may be made from now until its leave ends, in a day.
    told = [(one.exposure.strategy, one.exposure.offer_id, one.purpose) for one in record.planned]
    assert told == [
        ("personalised_promotion", "o1", "marketing"),
        ("personalised_recommendation", None, "marketing"),
    ]
    for one in record.planned:
        assert one.exposure.decision_id == decision.decision_id
        assert (one.exposure.sent_at, one.exposure.until) == (NOW, NOW + timedelta(days=1))


def test_a_contact_takes_of_the_budgets_that_were_counted_and_of_no_other(regular, policy):
    budgets = [
        Budget.model_validate({"id": name, "resource": resource, "amount": 9})
        for name, resource in (("coupons", "coupons"), ("all", "contacts"))
    ]
    counting = replace(policy, allowances=tuple(Allowance(one, 7) for one in budgets))
    purse = Purse("all", date(2018, 1, 1), date(2018, 1, 8), 9_000_000, 0)
    decision = decide(regular, SATURDAY, counting, 2, (purse,))
    record = record_of(decision, regular, SATURDAY, counting, (purse,))
    assert record.purses == (purse,)
    assert [one.uses for one in record.planned] == [(Use("all", 1_000_000),)] * 2
    uncounted = record_of(decision, regular, SATURDAY, counting)
    assert [one.uses for one in uncounted.planned] == [(), ()]


def test_nothing_is_planned_for_who_is_left_in_peace(regular, make_policy):
    policy = make_policy(holdout_share=1.0)
    record = record_of(decide(regular, SATURDAY, policy, 2), regular, SATURDAY, policy)
    assert (record.strategy, record.channel, record.arm) == ("no_action", None, "holdout")
    assert record.planned == ()


def test_what_a_decision_knew_is_kept_without_the_id_and_without_what_is_empty(regular, policy):
    at = NOW - timedelta(days=3)
    customer = replace(
        regular,
        consents=(Consent("1", "marketing", "app", "granted", date(2017, 1, 1)),),
        exposures=(Exposure("1", "email", at, "social_marketing"),),
        complaints=(at,),
    )
    context = replace(SATURDAY, channel=Channel.APP)
    record = record_of(decide(customer, context, policy, 1), customer, context, policy)
    assert record.inputs == {
        "context": {"now": "2018-01-06T15:00:00+00:00", "channel": "app", "locale": None},
        "scores": {
            "churn": {"value": 0.1, "kind": "predicted", "model": "churn:1"},
            "value": {"value": 400.0, "kind": "predicted", "model": "value:1"},
        },
        "consents": [
            {
                "purpose": "marketing",
                "channel": "app",
                "status": "granted",
                "changed_on": "2017-01-01",
                "basis": "recorded",
            }
        ],
        "contacts": [
            {
                "channel": "email",
                "sent_at": "2018-01-03T15:00:00+00:00",
                "strategy": "social_marketing",
            }
        ],
        "complaints": ["2018-01-03T15:00:00+00:00"],
        "budgets": [],
    }


@pytest.mark.parametrize("length", [4, 80])
def test_a_long_salt_is_cut_to_what_the_store_holds(regular, make_policy, length):
    policy = make_policy(holdout_salt="s" * length)
    record = record_of(decide(regular, SATURDAY, policy, 1), regular, SATURDAY, policy)
    assert record.experiment == ("holdout:" + "s" * length)[:64]

from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mkt_models.budget_params import Budgets
from mkt_models.decisions.charges import BudgetError, use
from mkt_models.decisions.decide import decide
from mkt_models.decisions.plan import plan, publish_prices
from mkt_models.decisions.question import Context, Customer, Policy, all_customers
from mkt_models.loading import load_params
from mkt_models.store.records import SnapshotMeta
from mkt_models.store.snapshot import Store

SATURDAY = Context(datetime(2018, 1, 6, 10, tzinfo=ZoneInfo("America/New_York")))
EVERYWHERE = ("app", "mail", "email", "sms")


FEW = ("personalised_promotion", "personalised_recommendation", "membership_tier", "popular_items")


@pytest.fixture
def policy(make_policy, catalogue):
    """A policy over few strategies, so that what is planned can be worked out by hand."""
    kept = tuple(catalogue.strategy(name) for name in FEW)
    return make_policy(catalogue.model_copy(update={"strategies": kept}))


def budgets(**amounts: float) -> Budgets:
    kinds = {
        "letters": {"resource": "contacts", "channels": ["mail"]},
        "app": {"resource": "contacts", "channels": ["app"]},
        "coupons": {"resource": "coupons"},
        "money": {"resource": "money"},
    }
    rows = [{"id": name, "amount": amount, **kinds[name]} for name, amount in amounts.items()]
    return Budgets.model_validate({"resources": rows})


@pytest.fixture
def crowd(changed, granted, documents) -> list[Customer]:
    """A hundred customers, of whom some would redeem much, and the five odd ones."""
    rng = np.random.default_rng(7)
    people = []
    for number in range(100):
        name = f"c{number}"
        offer = deepcopy(documents[0]["offers"][0])
        offer |= {"probability": round(float(rng.beta(1, 4)), 6), "amount": 20.0, "given": 2.0}
        value = {"value": round(float(rng.lognormal(5, 1)), 6)}
        document = changed(name, offers=[offer], scores={"value": value})
        people.append(Customer.of(document, granted(name, *EVERYWHERE)))
    return people + [Customer.of(one, granted(one["customer_id"], "app")) for one in documents]


def keys(decision) -> set[str]:
    return {one.candidate for one in decision.strategies if one.channel is not None}


@pytest.mark.parametrize(
    "asked",
    [
        budgets(coupons=20),
        budgets(letters=5, app=90, money=3.0),
        budgets(app=30, coupons=10),
        budgets(app=0, letters=0),
        budgets(money=1000.0),
    ],
)
@pytest.mark.parametrize("k", [1, 3])
def test_what_is_decided_alone_is_what_is_planned_for_all(crowd, policy, asked, k) -> None:
    found = plan(crowd, SATURDAY, policy, asked, k)
    priced = replace(policy, prices=found.prices)
    planned: dict[str, set[str]] = {}
    for row in found.allocation.filled.tolist():
        who, which = found.row_of[row]
        one = found.asked[who]
        planned.setdefault(one.customer_id, set()).add(one.scored[which].candidate.key)
    used, other, worth = np.zeros(len(asked.resources)), 0, 0.0
    by_id = {one.customer_id: one for one in found.asked}
    for customer in crowd:
        decision = decide(customer, SATURDAY, priced, k)
        chosen = keys(decision)
        other += chosen != planned.get(customer.customer_id, set())
        worth += sum(one.worth for one in decision.strategies)
        for one in by_id[customer.customer_id].scored if chosen else ():
            if one.candidate.key in chosen:
                used += [use(one.candidate, budget) for budget in asked.resources]
    amounts = np.array([budget.amount for budget in asked.resources])
    assert (used <= amounts * (1 + 1e-9)).all()
    assert used == pytest.approx(found.used)
    assert other == found.marginal
    assert worth == pytest.approx(found.worth)
    assert found.worth <= found.allocation.bound * (1 + 1e-5)


def test_few_are_on_the_margin(crowd, policy) -> None:
    found = plan(crowd, SATURDAY, policy, budgets(coupons=20, money=10.0), 1)
    assert found.marginal <= 3
    assert found.worth > 0.97 * found.allocation.bound
    # Fewer coupons are worth sending than there are, so one more would bring nothing.
    assert [price.price > 0 for price in found.prices] == [False, True]


def test_of_customers_who_are_alike_as_many_are_served_as_the_budget_has(
    changed, granted, policy
) -> None:
    alike = [Customer.of(changed(f"c{i}"), granted(f"c{i}", "app")) for i in range(40)]
    found = plan(alike, SATURDAY, policy, budgets(app=10), 1)
    priced = replace(policy, prices=found.prices)
    served = [keys(decide(one, SATURDAY, priced, 1)) for one in alike]
    assert sum(map(bool, served)) == 10
    assert (found.used.tolist(), found.marginal) == ([10.0], 0)


def test_who_falls_back_on_the_default_pays_for_it_too(changed, granted, policy) -> None:
    # Twenty who may only get a coupon, or what is popular: five coupons, twelve contacts. Those
    # who get no coupon are alike, and the seven contacts that are left go to seven of them.
    alike = [
        Customer.of(
            changed(f"c{i}", recommendations=[], scores={"value": {}}), granted(f"c{i}", "app")
        )
        for i in range(20)
    ]
    found = plan(alike, SATURDAY, policy, budgets(coupons=5, app=12), 1)
    assert found.used.tolist() == [5, 12]
    assert found.marginal == 0
    # The bound counts the seven who fall back, and is reached.
    assert found.worth == pytest.approx(found.allocation.bound, rel=1e-4)
    priced = replace(policy, prices=found.prices)
    served = [decide(one, SATURDAY, priced, 1).strategies[0].strategy for one in alike]
    assert [served.count(name) for name in ("personalised_promotion", "popular_items")] == [5, 7]


def test_what_loses_by_its_price_says_so_and_no_action_is_left(changed, granted, policy) -> None:
    alike = [Customer.of(changed(f"c{i}"), granted(f"c{i}", "app")) for i in range(4)]
    found = plan(alike, SATURDAY, policy, budgets(app=2, coupons=9), 1)
    priced = replace(policy, prices=found.prices)
    answers = [decide(one, SATURDAY, priced, 1) for one in alike]
    left = [one for one in answers if one.strategies[0].strategy == "no_action"]
    assert len(left) == 2
    why = {one.candidate: one.reasons[0] for one in left[0].suppressed}
    said = why["personalised_promotion/app/o1"]
    assert said.code.value == "budget_price"
    assert said.en.startswith(
        "its worth of 0.0590 does not cover the price of the budget app: 0.05"
    )
    (served,) = next(one for one in answers if one not in left).as_dict()["strategies"]
    (charge,) = served["budget_charges"]
    assert charge["budget"] == "app"
    assert charge["use"] == 1
    assert served["net_worth"] == pytest.approx(served["worth"] - served["budget_price"], abs=2e-6)


def test_the_prices_go_with_the_snapshot(tmp_path, crowd, changed, granted, catalogue) -> None:
    path = tmp_path / "snapshot.sqlite"
    params = load_params("params/sample.yaml", {"decisions.holdout_share": 0.0})
    names = [f"c{i}" for i in range(20)]
    meta = SnapshotMeta(
        "2018-01-01", verdicts=dict.fromkeys(["propensity", "value", "terms"], "pass")
    )
    rows = [changed(name) for name in names]
    consents = [one for name in names for one in granted(name, "app")]
    before = Store.write_snapshot(path, meta, rows, consents)
    with Store.open(path) as store:
        policy = Policy.of(params, catalogue, store.meta())
        found = plan(all_customers(store, SATURDAY.now), SATURDAY, policy, budgets(app=5), 2)
    after = publish_prices(path, found)
    assert after != before
    with Store.open(path) as store:
        priced = Policy.of(params, catalogue, store.meta())
        assert priced.prices == found.prices
        (row,) = store.meta().shadow_prices
        everybody = list(all_customers(store, SATURDAY.now))
    assert row["budget"] == "app"
    assert (row["amount"], row["period_days"], row["kind"]) == (5.0, 7, "propensity_weighted")
    assert row["n"] == 20
    sent = sum(len(keys(decide(one, SATURDAY, priced, 2))) for one in everybody)
    assert sent == row["used"] == 5


def test_without_budgets_there_is_no_plan_and_nothing_is_priced(crowd, policy) -> None:
    assert plan(crowd, SATURDAY, policy, Budgets(), 3) is None
    assert policy.prices == ()


def test_a_budget_that_nothing_draws_on_is_refused(crowd, policy) -> None:
    wrong = Budgets.model_validate(
        {"resources": [{"id": "team", "resource": "agent_hours", "amount": 5}]}
    )
    with pytest.raises(BudgetError, match=r"budgets\.team\.resource: nothing in the catalogue has"):
        plan(crowd, SATURDAY, policy, wrong, 3)

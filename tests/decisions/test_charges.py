from datetime import date

import pytest

from mkt_models.budget_params import Budget, Budgets
from mkt_models.decisions.budgets import ShadowPrice
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.charges import BudgetError, charges, check_budgets, use
from mkt_models.decisions.question import Customer
from mkt_models.loading import ParamsError, validate

TODAY = date(2018, 1, 6)


def budget(resource: str, **scope: object) -> Budget:
    return Budget.model_validate({"id": "some", "resource": resource, "amount": 9, **scope})


@pytest.mark.parametrize(
    ("key", "asked", "taken"),
    [
        ("personalised_promotion/mail/o1", budget("contacts"), 1.0),
        ("personalised_promotion/mail/o1", budget("contacts", channels=["app"]), 0.0),
        ("personalised_promotion/mail/o1", budget("coupons"), 1.0),
        ("personalised_promotion/mail/o1", budget("coupons", offers=["o2"]), 0.0),
        ("personalised_promotion/mail/o1", budget("coupons", offers=["o1"]), 1.0),
        # The letter costs .45; one in ten redeems, which takes 2.00 off.
        ("personalised_promotion/mail/o1", budget("money"), 0.65),
        ("personalised_promotion/mail/o1", budget("money", strategies=["membership_tier"]), 0.0),
        ("membership_tier/email", budget("money", strategies=["membership_tier"]), 0.01),
        ("membership_tier/email", budget("coupons"), 0.0),
        ("membership_tier/email", budget("agent_hours"), 0.0),
    ],
)
def test_what_a_candidate_takes_worked_by_hand(changed, documents, policy, key, asked, taken):
    offer = documents[0]["offers"][0] | {"given": 2.0}
    customer = Customer.of(changed("1", offers=[offer]))
    (one,) = [c for c in candidates(customer, policy, TODAY) if c.key == key]
    assert use(one, asked) == pytest.approx(taken)
    (paid,) = charges(one, [ShadowPrice(asked, 0.5)]) or (None,)
    assert (0.0 if paid is None else paid.amount) == pytest.approx(0.5 * taken)
    assert charges(one, [ShadowPrice(asked, 0.0)]) == ()


def test_hours_are_as_the_catalogue_says(catalogue, make_policy, changed) -> None:
    raw = catalogue.strategy("membership_tier").model_dump()
    raw["channels"][0]["uses"] = {"agent_hours": 0.25}
    entry = StrategyEntry.model_validate(raw)
    others = tuple(one for one in catalogue.strategies if one.id != entry.id)
    staffed = catalogue.model_copy(update={"strategies": (*others, entry)})
    check_budgets(Budgets(resources=(budget("agent_hours"),)), staffed)
    found = candidates(Customer.of(changed("1")), make_policy(staffed), TODAY)
    (one,) = [c for c in found if c.key == "membership_tier/app"]
    assert use(one, budget("agent_hours")) == 0.25
    raw["channels"][0]["uses"] = {"money": 1.0}
    with pytest.raises(ParamsError, match="'money' is counted anyway"):
        validate(StrategyEntry, raw, "catalogue")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            budget("coupon"),
            "some.resource: nothing in the catalogue has 'coupon'; did you mean 'co",
        ),
        (budget("contacts", strategies=["membership"]), "has 'membership'; did you mean 'memb"),
        (budget("contacts", channels=["store"]), r"some.channels: .* 'store'"),
    ],
)
def test_a_budget_that_nothing_draws_on_is_refused(catalogue, wrong, says) -> None:
    with pytest.raises(BudgetError, match=says):
        check_budgets(Budgets(resources=(wrong,)), catalogue)

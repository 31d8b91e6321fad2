from datetime import date

import pytest

from mkt_models.budget_params import Budget, Budgets
from mkt_models.decisions.budgets import Allowance, ShadowPrice
from mkt_models.decisions.candidates import candidates
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.charges import (
    BudgetError,
    charges,
    check_budgets,
    offers_of_the_data,
    spent,
    use,
    uses,
)
from mkt_models.decisions.content_kinds import Needs
from mkt_models.decisions.question import Customer
from mkt_models.loading import ParamsError, validate
from mkt_models.store.records import Purse, Use

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


def test_each_budget_with_too_little_left_is_named(changed, documents, policy) -> None:
    offer = documents[0]["offers"][0] | {"given": 2.0}
    found = candidates(Customer.of(changed("1", offers=[offer])), policy, TODAY)
    (letter,) = [c for c in found if c.key == "personalised_promotion/mail/o1"]
    allowed = [
        Allowance(budget(resource).model_copy(update={"id": resource}), 7)
        for resource in ("money", "coupons", "agent_hours")
    ]
    assert uses(letter, allowed) == (Use("money", 650_000), Use("coupons", 1_000_000))

    def purses(money: int, coupons: int) -> list[Purse]:
        left = {"money": money, "coupons": coupons, "agent_hours": 0}
        return [Purse(name, TODAY, TODAY, 9_000_000, 9_000_000 - n) for name, n in left.items()]

    assert spent(letter, (), allowed, purses(650_000, 1_000_000)) == ()
    lacking = spent(letter, (), allowed, purses(649_999, 999_999))
    assert [one.en.split(" is ")[0] for one in lacking] == [
        "the budget money",
        "the budget coupons",
    ]
    # Beside another one, twice as much must be left.
    assert len(spent(letter, (letter,), allowed, purses(1_300_000, 1_999_999))) == 1
    assert spent(letter, (letter,), allowed, purses(1_300_000, 2_000_000)) == ()
    assert spent(letter, (), allowed, ()) == ()


def test_an_offer_is_of_the_catalogue_or_else_a_customers_own(catalogue) -> None:
    asked = Budgets(resources=(budget("coupons", offers=["nosuch"]),))
    check_budgets(asked, catalogue)  # one strategy gives what the data has
    (told,) = offers_of_the_data(asked, catalogue)
    assert told.startswith("budgets.some.offers: 'nosuch' is no offer of the catalogue")
    published = tuple(one for one in catalogue.strategies if one.needs is not Needs.OFFER)
    without = catalogue.model_copy(update={"strategies": published})
    with pytest.raises(BudgetError, match=r"some.offers: nothing in the catalogue has 'nosuch'"):
        check_budgets(asked, without)
    known = Budgets(resources=(budget("coupons", offers=[catalogue.offers[0].id]),))
    check_budgets(known, without)
    assert offers_of_the_data(known, without) == ()

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mkt_models.budget_params import Budgets
from mkt_models.decisions.plan import plan
from mkt_models.decisions.plan_tables import budget_curve, price_table, who_gains
from mkt_models.decisions.question import Context, Customer

SATURDAY = Context(datetime(2018, 1, 6, 10, tzinfo=ZoneInfo("America/New_York")))


FEW = ("personalised_promotion", "personalised_recommendation", "membership_tier", "popular_items")


@pytest.fixture
def policy(make_policy, catalogue):
    """A policy over few strategies, so that what is planned can be worked out by hand."""
    kept = tuple(catalogue.strategy(name) for name in FEW)
    return make_policy(catalogue.model_copy(update={"strategies": kept}))


@pytest.fixture
def found(changed, granted, documents, policy):
    """Ten customers who may get a coupon, of whom the first redeems least; coupons for four."""
    people = []
    for number in range(1, 11):
        offer = documents[0]["offers"][0] | {"probability": number / 100, "amount": 20.0}
        document = changed(f"c{number}", offers=[offer], recommendations=[], scores={"value": {}})
        people.append(Customer.of(document, granted(f"c{number}", "app")))
    rows = [{"id": "coupons", "resource": "coupons", "amount": 4}]
    return plan(people, SATURDAY, policy, Budgets.model_validate({"resources": rows}), 1)


def worth(number: int) -> float:
    """P x 20 x .25 margin x .3 credited, less the contact."""
    return number / 100 * 20 * 0.25 * 0.3 - 0.001


def test_the_price_is_the_worth_of_the_first_who_is_left_out(found) -> None:
    (row,) = price_table(found).to_dict("records")
    assert row["price"] == pytest.approx(worth(6), abs=1e-6)
    assert (row["used"], row["amount"], row["kind"]) == (4, 4, "propensity_weighted")


def test_the_curve_by_hand(found, policy) -> None:
    table = budget_curve(found, (0.0, 0.5, 1.0, 1.5)).set_index("share")
    best = [worth(number) for number in range(10, 0, -1)]
    for share, n in ((0.0, 0), (0.5, 2), (1.0, 4), (1.5, 6)):
        row = table.loc[share]
        # Who gets no coupon may be shown what is popular, which takes none.
        assert row["worth"] >= sum(best[:n]) - 1e-5
        assert row["amount"] == 4 * share
    assert table["worth"].is_monotonic_increasing
    assert table.loc[1.0, "of_chosen"] == 1


def test_who_gains_by_a_looser_budget(found) -> None:
    table = who_gains(found, 0.25).set_index("strategy")
    row = table.loc["personalised_promotion"]
    assert (row["before"], row["after"], row["more"]) == (4, 5, 1)
    assert row["by_price"] == pytest.approx(worth(6), abs=1e-6)
    assert 0 < row["worth"] <= row["by_price"] + 1e-5

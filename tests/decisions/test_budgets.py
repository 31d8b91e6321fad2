from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.budget_params import Budget, Budgets
from mkt_models.columns import Channel
from mkt_models.decisions.budgets import (
    Allowance,
    Charge,
    ShadowPrice,
    allowances,
    concerns,
    period,
)
from mkt_models.store.records import Limit

LETTERS = Budget.model_validate(
    {"id": "letters", "resource": "contacts", "amount": 5, "channels": ["mail"]}
)


def test_a_price_is_read_from_its_row() -> None:
    row = LETTERS.model_dump(mode="json") | {"budget": "letters", "price": 0.5, "used": 4.0}
    assert ShadowPrice.of(row) == ShadowPrice(LETTERS, 0.5)


@pytest.mark.parametrize("price", [-0.1, float("inf"), float("nan")])
def test_a_price_that_no_plan_gives_is_refused(price: float) -> None:
    with pytest.raises(ValueError, match="letters: price =="):
        ShadowPrice(LETTERS, price)


def test_a_charge_is_use_times_price() -> None:
    charge = Charge("letters", 2.0, 0.5)
    assert charge.amount == 1.0
    assert charge.as_dict() == {"budget": "letters", "use": 2, "price_per_unit": 0.5, "price": 1}


def test_whom_a_budget_concerns() -> None:
    assert concerns(LETTERS, "any", Channel.MAIL, None)
    assert not concerns(LETTERS, "any", Channel.APP, None)
    one = LETTERS.model_copy(update={"offers": ("o1",), "channels": ()})
    assert concerns(one, "any", Channel.APP, "o1")
    assert not concerns(one, "any", Channel.APP, None)


def test_a_week_begins_on_monday_and_is_counted_in_millionths() -> None:
    assert Allowance(LETTERS, 7, planned=4.5).on(date(2018, 1, 7)) == Limit(
        "letters", "contacts", 5_000_000, date(2018, 1, 1), date(2018, 1, 8), 4_500_000
    )
    assert Allowance(LETTERS, 7).on(date(2018, 1, 8)).starts_on == date(2018, 1, 8)


@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 31)), days=st.integers(1, 400))
def test_every_day_lies_in_one_period_and_they_follow_each_other(day: date, days: int) -> None:
    starts_on, ends_on = period(day, days)
    assert starts_on <= day < ends_on
    assert ends_on - starts_on == timedelta(days=days)
    assert period(ends_on, days)[0] == ends_on
    assert period(ends_on - timedelta(days=1), days) == (starts_on, ends_on)


def test_what_was_published_holds_and_what_only_the_parameters_name_beside_it() -> None:
    row = LETTERS.model_dump(mode="json") | {"budget": "letters", "price": 0.5, "used": 4.0}
    calls = Budget.model_validate({"id": "calls", "resource": "agent_hours", "amount": 2})
    more = LETTERS.model_copy(update={"amount": 99.0})
    found = allowances([row | {"period_days": 14}], Budgets(resources=(more, calls)))
    assert found == (Allowance(calls, 7), Allowance(LETTERS, 14, 4.0))
    assert allowances([row], Budgets(period_days=3)) == (Allowance(LETTERS, 3, 4.0),)
    assert allowances([], Budgets()) == ()

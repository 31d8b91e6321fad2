import pytest

from mkt_models.budget_params import Budget
from mkt_models.columns import Channel
from mkt_models.decisions.budgets import Charge, ShadowPrice, concerns

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

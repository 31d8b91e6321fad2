import pytest
from pydantic import ValidationError

from mkt_models.budget_params import Budget, Budgets
from mkt_models.loading import ParamsError, load_params


def test_there_are_no_budgets_unless_somebody_sets_them() -> None:
    assert Budgets().resources == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": -1.0},
        {"amount": float("inf")},
        {"amount": True},
        {"id": "Two Words"},
        {"channels": ["pigeon"]},
    ],
)
def test_what_is_no_budget_is_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate({"id": "letters", "resource": "contacts", "amount": 5} | wrong)


def test_a_fault_is_named_by_the_budget() -> None:
    twice = [{"id": "mail", "resource": "contacts", "amount": 1}] * 2
    with pytest.raises(ParamsError, match=r"budgets\.resources: the id 'mail' is taken twice"):
        load_params("params/sample.yaml", {"budgets.resources": twice})
    wrong = [{"id": "mail", "resource": "contacts", "amount": -1}]
    with pytest.raises(ParamsError, match=r"budgets\.resources\.mail\.amount: input should be gr"):
        load_params("params/sample.yaml", {"budgets.resources": wrong})


def test_a_yes_is_no_number() -> None:
    one = {"budgets.resources": [{"id": "mail", "resource": "contacts", "amount": True}]}
    for overrides in (one, {"budgets.period_days": True}):
        with pytest.raises(ParamsError, match="must be a number: YAML reads yes and on as true"):
            load_params("params/sample.yaml", overrides)


@pytest.mark.parametrize("amount", [1e-9, 5e-7])
def test_what_would_be_counted_as_nothing_is_refused(amount: float) -> None:
    with pytest.raises(ValidationError, match=r"counted as 0: the smallest amount is 0\.000001"):
        Budget(id="mail", resource="contacts", amount=amount)


def test_nothing_and_the_smallest_amount_are_amounts() -> None:
    for amount in (0, 1e-6):
        assert Budget(id="mail", resource="contacts", amount=amount).amount == amount

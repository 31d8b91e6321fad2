import pytest
from pydantic import ValidationError

from mkt_models.budget_params import Budget, Budgets
from mkt_models.loading import ParamsError, load_params


def test_there_are_no_budgets_unless_somebody_sets_them() -> None:
    assert Budgets().resources == ()


@pytest.mark.parametrize(
    "wrong",
    [{"amount": -1.0}, {"amount": float("inf")}, {"id": "Two Words"}, {"channels": ["pigeon"]}],
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

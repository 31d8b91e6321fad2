import pytest
from pydantic import ValidationError

from mkt_models.exploration_params import Exploration, Method


def test_by_default_nothing_is_explored() -> None:
    settings = Exploration()
    assert (settings.method, settings.epsilon) == (Method.NONE, 0.0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"epsilon": 0.1}, "with method none explores nothing; set method: epsilon"),
        ({"method": "epsilon", "epsilon": 0.6}, "less than or equal to 0.5"),
        ({"method": "epsilon", "epsilon": -0.1}, "greater than or equal to 0"),
        ({"method": "greedy"}, "'none', 'epsilon' or 'thompson'"),
        ({"salt": "abc"}, "at least 4 characters"),
        ({"min_worth_share": 1.1}, "less than or equal to 1"),
        ({"eps": 0.1}, "Extra inputs are not permitted"),
    ],
)
def test_errors_teach(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Exploration(**wrong)  # type: ignore[arg-type]

import pytest
from pydantic import ValidationError

from mkt_models.uplift_params import Learner, Uplift


def test_all_learners_are_tried_by_default() -> None:
    assert Uplift().learners == tuple(Learner)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"learners": ["t_learner", "t_learner"]}, "names one twice"),
        ({"learners": []}, "at least 1 item"),
        ({"response": "clicks"}, "'ordered', 'redeemed' or 'spend'"),
        ({"validation_campaigns": 0}, "greater than 0"),
        ({"trees": {"depth": 3}}, "Extra inputs are not permitted"),
    ],
)
def test_errors_teach(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Uplift(**wrong)  # type: ignore[arg-type]

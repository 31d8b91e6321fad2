import pytest
from pydantic import ValidationError

from mkt_models.columns import Channel
from mkt_models.fatigue_params import AssumedDecay, Fatigue

ASSUMED = {"decay": 0.2, "half_life_days": 7, "why": "as a shop like ours has published"}


def test_on_by_default_and_nothing_is_assumed() -> None:
    assert Fatigue().enabled
    assert Fatigue().assumed == {}


def test_an_assumption_says_why() -> None:
    found = Fatigue(assumed={"sms": ASSUMED}).assumed  # type: ignore[dict-item]
    assert found == {Channel.SMS: AssumedDecay(**ASSUMED)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"half_lives": [7, 7]}, "must rise, each once"),
        ({"half_lives": []}, "at least 1 item"),
        ({"half_lives": [0, 7]}, "greater than 0"),
        ({"window_days": 31}, "less than or equal to 30"),  # no store is asked further back
        ({"assumed": {"sms": {"decay": 0.2, "half_life_days": 7}}}, "why"),
        ({"assumed": {"sms": ASSUMED | {"decay": -0.1}}}, "greater than or equal to 0"),
        ({"assumed": {"pigeon": ASSUMED}}, "'app', 'email', 'mail', 'sms' or 'store'"),
        ({"enabled": False, "assumed": {"sms": ASSUMED}}, "which would not be applied"),
    ],
)
def test_errors_teach(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Fatigue(**wrong)  # type: ignore[arg-type]

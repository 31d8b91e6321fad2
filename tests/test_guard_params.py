from pathlib import Path

import pytest

from mkt_models.columns import Model
from mkt_models.guard_params import FeatureChoice, Finding, Guards
from mkt_models.loading import ParamsError, load_params

SAMPLE = Path(__file__).parents[1] / "params" / "sample.yaml"
REASON = "The share of coupons is counted before the campaign begins."
ENTRY = {"model": "churn", "feature": "overdue", "finding": "too_good_alone", "reason": REASON}


def load(**overrides: object) -> object:
    return load_params(SAMPLE, overrides)


def test_a_file_that_says_nothing_has_guards_that_allow_nothing() -> None:
    params = load_params(SAMPLE)
    assert params.guards.allowed == ()
    assert params.features.dropped(Model.CHURN) == ()


def test_an_entry_is_read_with_its_reason() -> None:
    (entry,) = load_params(SAMPLE, {"guards.allowed": [ENTRY]}).guards.allowed
    assert (entry.model, entry.finding, entry.reason) == (
        Model.CHURN,
        Finding.TOO_GOOD_ALONE,
        REASON,
    )


@pytest.mark.parametrize(
    "reason", ["在活动开始之前统计优惠券的使用比例", "counted  before   as_of, by the till"]
)
def test_a_sentence_in_either_language_is_a_reason(reason: str) -> None:
    Guards.model_validate({"allowed": [{**ENTRY, "reason": reason}]})


@pytest.mark.parametrize("reason", ["", "ok", "because", "x" * 40, "a b c d", "没问题"])
def test_a_reason_that_says_nothing_is_refused(reason: str) -> None:
    with pytest.raises(ParamsError, match=r"guards.allowed.0.reason: must be a sentence"):
        load(**{"guards.allowed": [{**ENTRY, "reason": reason}]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"finding": "constant"}, "stops nothing, so there is nothing to allow"),
        ({"finding": "leak"}, "input should be"),
        ({"model": "recommender"}, "has no features; must be one of: churn, value, propensity"),
        ({"why": "x"}, r"unknown key; known: feature, finding, model, reason"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load(**{"guards.allowed": [{**ENTRY, **change}]})


def test_the_same_entry_twice_is_refused() -> None:
    with pytest.raises(ParamsError, match="too_good_alone of 'overdue' stands twice for churn"):
        load(**{"guards.allowed": [ENTRY, ENTRY]})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_single_auc", 0.5),
        ("max_single_auc", 1.01),
        ("max_single_gini", 0),
        ("max_missing_rise", -1),
    ],
)
def test_thresholds_have_a_range(key: str, value: float) -> None:
    with pytest.raises(ParamsError, match=f"guards.{key}"):
        load(**{f"guards.{key}": value})


def test_what_is_dropped_from_a_model_adds_to_what_is_dropped_from_all() -> None:
    choice = FeatureChoice.model_validate({"drop": ["a"], "drop_from": {"value": ["b"]}})
    assert choice.dropped(Model.CHURN) == ("a",)
    assert choice.dropped(Model.VALUE) == ("a", "b")
    with pytest.raises(ParamsError, match="'recommender' has no features"):
        load(**{"features.drop_from": {"recommender": ["overdue"]}})

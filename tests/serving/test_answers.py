"""Profiles by dimension, and scores of given features."""

from dataclasses import fields
from pathlib import Path

import pytest
from toy_models import toy

from mkt_models.columns import SCORING_MODELS, Dimension, Model
from mkt_models.loading import load_params
from mkt_models.models.scorer import Scorer
from mkt_models.params import Params
from mkt_models.serving.answers import profile_answer, score_answer
from mkt_models.serving.bodies import ScoreRequest
from mkt_models.serving.wire import Fault

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params" / "sample.yaml")


@pytest.fixture(scope="module")
def scorers() -> dict[Model, Scorer]:
    return {model: toy(model).with_version("v1") for model in SCORING_MODELS}


def test_what_is_not_known_says_so() -> None:
    document = {
        "customer_id": "1",
        "as_of": "2018-01-01",
        "profile": {"customer_id": "1", "orders_90d": 9, "value_tier": None, "new_column": 1},
    }
    answer = profile_answer(document)
    assert list(answer["dimensions"]) == [dimension.value for dimension in Dimension]
    assert answer["dimensions"]["basics"] == "not available"
    assert answer["dimensions"]["social"] == "not available"
    assert answer["dimensions"]["value"] == "not available"
    assert answer["dimensions"]["habit"]["orders_90d"] == 9
    assert answer["dimensions"]["habit"]["amount_90d"] == "not available"
    assert answer["dimensions"]["habit"]["new_column"] == 1
    assert answer["scores"] == {}


def test_scores_name_their_kind_model_and_verdict(
    scorers: dict[Model, Scorer], params: Params
) -> None:
    request = ScoreRequest(features={"orders_90d": 9, "discount_share": None})
    scores = score_answer(request, scorers, {"churn": "fail"}, params)["scores"]
    assert set(scores) == {"churn", "value"}
    churn = scores["churn"]
    assert churn["value"] == scorers[Model.CHURN].score_row({"orders_90d": 9}).value
    assert (churn["kind"], churn["model"], churn["verdict"]) == ("predicted", "churn:v1", "fail")
    assert churn["missing"] == ["days_since_last_order", "discount_share"]
    assert f"{params.churn.horizon_days} days" in churn["meaning"]["en"]
    assert scores["value"]["unit"] == "USD"
    assert scores["value"]["verdict"] == "not_evaluated"


def test_one_model_may_be_asked(scorers: dict[Model, Scorer], params: Params) -> None:
    request = ScoreRequest(model=Model.PROPENSITY, features={"orders_90d": 9})
    assert set(score_answer(request, scorers, {}, params)["scores"]) == {"propensity"}


def test_a_model_that_knows_none_of_the_features_is_not_available(
    scorers: dict[Model, Scorer], params: Params
) -> None:
    value = scorers[Model.VALUE]
    parts = {f.name: getattr(value, f.name) for f in fields(value)}
    booster = value.booster.copy()
    names = [f"{name}_other" for name in value.features]
    booster.feature_names = names
    words = {f"{name}_other": words for name, words in value.words.items()}
    other = Scorer(**{**parts, "booster": booster, "features": tuple(names), "words": words})
    request = ScoreRequest(features={"orders_90d": 9})
    scores = score_answer(request, {**scorers, Model.VALUE: other}, {}, params)["scores"]
    assert scores["value"] == {"value": "not available", "model": "value:v1"}
    assert 0 < scores["churn"]["value"] < 1


@pytest.mark.parametrize(
    ("features", "field", "message"),
    [
        ({"orders_9d": 1.0}, "features.orders_9d", "did you mean 'orders_90d'?"),
        ({"orders_90d": None}, "features", "at least one"),
        ({"orders_90d": 1e39}, "features.orders_90d", "finite number"),
        ({"orders_90d": -3.0}, "features.orders_90d", "orders_90d must be 0 or more"),
    ],
)
def test_what_cannot_be_scored_is_a_422(
    scorers: dict[Model, Scorer], params: Params, features: dict, field: str, message: str
) -> None:
    with pytest.raises(Fault) as caught:
        score_answer(ScoreRequest(features=features), scorers, {}, params)
    assert (caught.value.status, caught.value.field) == (422, field)
    assert message in caught.value.message

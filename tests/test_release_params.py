"""When a model may take over: defaults, choices and what is refused."""

from pathlib import Path

import pytest

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.evaluation.performance import CLASSIFICATION_METRICS, REGRESSION_METRICS
from mkt_models.loading import ParamsError, load_params
from mkt_models.release_params import Release

PARAMS = Path(__file__).parents[1] / "params" / "complete_journey.yaml"


def test_every_model_with_versions_has_a_metric_that_is_measured() -> None:
    for model in SCORING_MODELS:
        known = REGRESSION_METRICS if model is Model.VALUE else CLASSIFICATION_METRICS
        assert Release().metric(model) in known


def test_a_choice_is_made_in_yaml() -> None:
    found = load_params(PARAMS, {"release.churn": "log_loss", "release.confidence": 0.9})
    assert found.release.metric(Model.CHURN) == "log_loss"
    assert found.release.confidence == 0.9


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("release.churn", "mae", "release.churn"),
        ("release.value", "auc", "release.value"),
        ("release.confidence", 1, "release.confidence"),
        ("release.calibration.max_factor", 1, "release.calibration.max_factor"),
        ("release.calibration.undecided", "fail", "release.calibration.undecided"),
        ("release.calibratoin", {}, "did you mean 'calibration'"),
    ],
)
def test_what_makes_no_sense_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        load_params(PARAMS, {key: value})

from pathlib import Path

import pytest
from pydantic import ValidationError

from mkt_models.experiment_params import Experiments
from mkt_models.loading import load_params

SAMPLE = Path(__file__).parents[1] / "params" / "sample.yaml"


def test_they_stand_in_the_parameters_of_a_run() -> None:
    params = load_params(SAMPLE, {"experiments.method": "sequential"})
    assert params.experiments == Experiments(method="sequential", tightest_at=300)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"alpha": 0.0}, "greater than 0"),
        ({"power": 0.4}, "greater than 0.5"),
        ({"srm_threshold": 0.5}, "less than or equal to 0.05"),
        ({"min_units": 5}, "greater than or equal to 20"),
        ({"method": "peeking"}, "'fixed' or 'sequential'"),
        ({"significance": 0.05}, "Extra inputs are not permitted"),
    ],
)
def test_errors_teach(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Experiments(**wrong)  # type: ignore[arg-type]

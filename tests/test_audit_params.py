from pathlib import Path

import pytest

from mkt_models.audit_params import Audit
from mkt_models.loading import ParamsError, load_params

SAMPLE = Path(__file__).parents[1] / "params" / "sample.yaml"


def audit(**changes: object) -> Audit:
    return load_params(SAMPLE, {f"audit.{key}": value for key, value in changes.items()}).audit


def test_what_is_not_said_withholds_a_model_that_is_undecided() -> None:
    gate = Audit.model_fields["gate"].annotation
    assert gate is not None
    assert gate.model_fields["undecided"].default == "not_evaluated"
    assert audit().pairs


def test_a_group_may_stand_in_one_band_of_its_attribute_and_in_those_of_others() -> None:
    bands = {"age_band": {"young": ("19-24",)}, "income_band": {"some": ("19-24", "x")}}
    shipped = audit().model_dump()
    assert Audit.model_validate({**shipped, "bands": bands}).bands == bands
    twice = {"age_band": {"young": ("19-24", "25-34"), "both": ("25-34",)}}
    with pytest.raises(ValueError, match=r"bands\.age_band: 25-34 stands in two bands"):
        Audit.model_validate({**shipped, "bands": twice})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bands": {"age": {"a": ["19-24"]}}}, r"bands: 'age' is no sensitive attribute"),
        ({"attributes": ["age_bnd"]}, r"'age_bnd' .*did you mean 'age_band'"),
        ({"attributes": ["age_band", "gender", "age_band"]}, "age_band stands twice"),
        ({"attributes": []}, "attributes"),
        ({"min_group_size": 9}, "min_group_size"),
        ({"gate.undecided": "fail"}, "undecided"),
        ({"gate.max_gap_of_rate": 0}, "max_gap_of_rate"),
        ({"confidence": 0.5}, "confidence"),
        ({"n_bootstrap": 99}, "n_bootstrap"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParamsError, match=message):
        audit(**changes)

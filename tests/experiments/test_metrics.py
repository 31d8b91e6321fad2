import numpy as np
import pytest
from experiments.trials import CLICKS, ORDERS, SPEND, measured, units
from pydantic import ValidationError

from mkt_models.experiments.metrics import Metric, check_metrics


@pytest.mark.parametrize(
    ("change", "metric", "says"),
    [
        ({"spend": np.nan}, SPEND, "'spend' has 400 null or infinite values"),
        ({"ordered": 2}, ORDERS, "a proportion must be 0 or 1 per unit, 'ordered' has 2"),
        ({"visits": -1}, CLICKS, "'visits' has values below 0"),
        (
            {"before": np.inf},
            SPEND.model_copy(update={"covariates": ("before",)}),
            "covariate 'before' has values beyond 1e",
        ),
    ],
)
def test_values_that_cannot_be_are_refused(change, metric, says):
    with pytest.raises(ValueError, match=says):
        measured(units(400).assign(**change), metric)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "ratio"}, "only a ratio, needs a denominator"),
        ({"denominator": "visits"}, "only a ratio, needs a denominator"),
        ({"margin": 0.1}, "a margin is for guardrails; its role is primary"),
        ({"role": "guardrail", "margin_of": "unit"}, "'unit' needs a margin"),
        ({"covariates": ("spend",)}, "its covariates .'spend'. are what it measures"),
        ({"kind": "median"}, "'mean', 'proportion' or 'ratio'"),
    ],
)
def test_a_metric_that_makes_no_sense_is_refused(wrong, says):
    with pytest.raises(ValidationError, match=says):
        Metric(**{"name": "x", "kind": "mean", "role": "primary", "column": "spend"} | wrong)


def test_what_is_decided_by_is_said_before():
    rows = units(10)
    with pytest.raises(ValueError, match="none is primary"):
        check_metrics([CLICKS], rows)
    with pytest.raises(ValueError, match=r"\['spend'\] stand twice"):
        check_metrics([SPEND, SPEND], rows)
    with pytest.raises(ValueError, match="no column 'spent'; did you mean 'spend'"):
        check_metrics([SPEND.model_copy(update={"column": "spent"})], rows)

"""Slopes and sums of predictions that are true, too extreme, too timid, or too few to tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.evaluation.calibration import calibration_check, slope
from mkt_models.release_params import CalibrationLimits

LIMITS = CalibrationLimits()


def probabilities(stretch=1.0, shift=0.0, n=4000, seed=0):
    """Truth drawn from probabilities whose log-odds the predictions stretch and shift."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-margin))
    told = 1 / (1 + np.exp(-(stretch * margin + shift)))
    people = rng.integers(0, n // 2, n).astype(str)
    return pd.DataFrame({"customer_id": people, "target": truth.astype(int), "model": told})


def amounts(power=1.0, factor=1.0, n=3000):
    rng = np.random.default_rng(1)
    mean = np.exp(rng.normal(4, 1, n))
    told = factor * mean**power
    spend = rng.gamma(2, mean / 2)
    return pd.DataFrame({"customer_id": np.arange(n).astype(str), "target": spend, "model": told})


def check(rows, kind="classification", limits=LIMITS):
    return calibration_check(rows, "model", kind, limits, 200, 0.95, 1)


def test_true_probabilities_hold():
    found = check(probabilities())
    assert found.state == "holds"
    assert found.slope_lower < 1 < found.slope_upper
    assert found.bias_lower < 0 < found.bias_upper
    assert (found.n, found.n_customers) == (4000, probabilities()["customer_id"].nunique())
    assert "is within 0.8 to 1.25" in found.why


def test_predictions_that_are_stretched_have_the_inverse_slope():
    found = check(probabilities(stretch=2))
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.state == "broken"
    assert "is beyond 0.8 to 1.25" in found.why


def test_a_sum_that_is_off_breaks_it_though_the_slope_is_true():
    found = check(probabilities(shift=1.0))
    assert found.slope == pytest.approx(1, abs=0.1)
    assert found.bias > 0.2
    assert found.state == "broken"


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        (amounts(), "holds"),
        (amounts(factor=1.5), "broken"),
        (amounts(power=2, factor=0.01), "broken"),
    ],
)
def test_amounts_are_judged_by_their_mean_and_its_slope(rows, state):
    assert check(rows, "regression").state == state


def test_what_cannot_be_told_is_not_evaluated_unless_the_parameters_let_it_pass():
    few = probabilities(n=150)
    found = check(few)
    assert found.state == "not_evaluated"
    assert "may lie within" in found.why
    lenient = CalibrationLimits(undecided="pass")
    assert check(few, limits=lenient).state == "holds"
    assert check(few, limits=lenient).why.endswith("what cannot be told passes in this run")
    assert "passes in this run" not in check(probabilities(), limits=lenient).why
    assert check(probabilities(stretch=2), limits=lenient).state == "broken"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.head(10), "only 10 customers, needs 20"),
        (lambda rows: rows.assign(target=0), "only 0 rows of the rarer class, needs 5"),
        (lambda rows: rows.assign(target=1), "only 0 rows of the rarer class, needs 5"),
        (lambda rows: rows.assign(model=0.3), "every prediction is the same"),
    ],
)
@pytest.mark.parametrize("undecided", ["pass", "not_evaluated"])
def test_too_little_is_never_a_pass(change, why, undecided):
    rows = probabilities(n=300).drop_duplicates("customer_id")
    found = check(change(rows), limits=CalibrationLimits(undecided=undecided))
    assert (found.state, found.why) == ("not_evaluated", why)
    assert found.why_zh
    assert found.as_dict()["slope"] is None


def test_a_prediction_of_another_kind_is_an_error():
    rows = probabilities(n=100)
    with pytest.raises(ValueError, match=r"reaches from .* to 2, which is no probability"):
        check(rows.assign(model=rows["model"].where(rows["model"] < rows["model"].max(), 2)))
    with pytest.raises(ValueError, match="1 null or infinite"):
        check(rows.assign(model=rows["model"].where(rows["model"] < rows["model"].max())))


@settings(deadline=None)
@given(stretch=st.floats(0.3, 3), shift=st.floats(-1, 1))
def test_slope_undoes_any_stretch(stretch, shift):
    rows = probabilities(n=400)
    told = rows["model"].to_numpy()
    moved = 1 / (1 + np.exp(-(stretch * np.log(told / (1 - told)) + shift)))
    target, one = rows["target"].to_numpy(float), np.ones((1, 400))
    alone, stretched = (slope(one, target, p, "classification")[0] for p in (told, moved))
    assert stretched == pytest.approx(alone / stretch, rel=1e-4)

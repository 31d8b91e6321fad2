import numpy as np
import pandas as pd
import pytest

from mkt_models.columns import Verdict
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.sample_ratio import mismatch, sample_ratio

AB = Experiment(name="ab", salt="ab-1", shares={"control": 0.5, "new": 0.5})
THRESHOLD = 0.0005


def units(**counts):
    return pd.DataFrame({"arm": np.repeat(list(counts), list(counts.values()))})


@pytest.mark.parametrize(
    ("control", "new", "p"),
    [
        (821_588, 815_482, 1.8e-6),  # Kohavi, Tang and Xu 2020, chapter 3
        (600, 400, 2.54e-10),  # the example of Wikipedia's "Sample ratio mismatch"
        (44_000, 45_000, 0.0008),  # the example of srm.osc.garden
    ],
)
def test_published_mismatches(control, new, p):
    found = mismatch({"control": control, "new": new}, AB.shares)[2]
    assert found == pytest.approx(p, rel=0.04)


def test_a_mismatch_is_told_with_its_sizes():
    found = sample_ratio(units(control=8216, new=7455), AB, THRESHOLD)
    assert found.verdict is Verdict.FAIL
    assert found.why.en.startswith("all units: control 8,216 (52.43%, assigned 50.00%), new 7,455")
    assert found.why.en.endswith("below 0.0005")
    assert "低于 0.0005" in found.why.zh


def test_arms_as_assigned_pass_though_not_even():
    found = sample_ratio(units(control=5050, new=4950), AB, THRESHOLD)
    assert found.verdict is Verdict.PASS
    assert found.p_value == pytest.approx(0.3173, abs=1e-4)  # z = 1


def test_three_arms_with_their_shares():
    shares = {"control": 0.5, "a": 0.25, "b": 0.25}
    chi2, dof, _ = mismatch({"control": 500, "a": 260, "b": 240}, shares)
    assert (chi2, dof) == (pytest.approx(100 / 250 * 2), 2)


def test_an_arm_without_anybody_is_a_mismatch():
    assert sample_ratio(units(control=100), AB, THRESHOLD).verdict is Verdict.FAIL


def test_too_few_are_not_evaluated():
    found = sample_ratio(units(control=4, new=3), AB, THRESHOLD)
    assert found.verdict is Verdict.NOT_EVALUATED
    assert np.isnan(found.p_value)


def test_strata_that_make_up_for_each_other_are_found():
    """Overall as even as can be, and each stratum wrong: Simpson's way to hide a mismatch."""
    rows = pd.concat(
        [units(control=600, new=400).assign(app="old"), units(control=400, new=600).assign(app="x")]
    )
    assert sample_ratio(rows, AB, THRESHOLD).verdict is Verdict.PASS
    found = sample_ratio(rows, AB, THRESHOLD, stratum="app")
    assert found.verdict is Verdict.FAIL
    assert found.table["p_value"].iloc[0] == 1
    # Three tests, so the smallest p-value counts three times.
    assert found.p_value == pytest.approx(3 * 2.54e-10, rel=0.01)


def test_strata_with_shares_of_their_own():
    trial = Experiment(
        name="gift", salt="gift-1", shares=AB.shares, strata={"vip": {"control": 0.1, "new": 0.9}}
    )
    rows = pd.concat(
        [
            units(control=100, new=900).assign(tier="vip"),
            units(control=500, new=500).assign(tier=""),
        ]
    )
    found = sample_ratio(rows, trial, THRESHOLD, stratum="tier")
    assert found.verdict is Verdict.PASS
    assert found.table["share_control"].tolist() == pytest.approx([0.3, 0.5, 0.1])
    with pytest.raises(ValueError, match="shares differ by stratum, so name the column"):
        sample_ratio(rows, trial, THRESHOLD)


def test_chance_hardly_ever_trips_it():
    rng = np.random.default_rng(0)
    p = [
        mismatch({"control": n, "new": 10_000 - n}, AB.shares)[2]
        for n in rng.binomial(10_000, 0.5, 4000)
    ]
    assert np.mean(np.array(p) < THRESHOLD) < 0.003
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.012)


def test_an_arm_that_nobody_was_assigned_to_is_an_error():
    with pytest.raises(ValueError, match=r"arms \['nwe'\] were not assigned; known: control, new"):
        mismatch({"control": 50, "nwe": 50}, AB.shares)

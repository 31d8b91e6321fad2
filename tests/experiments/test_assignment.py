import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mkt_models.decisions.contact import held_out
from mkt_models.experiments.assignment import (
    Experiment,
    Slot,
    assign,
    assign_evenly,
    check_together,
    fraction,
    probability_of,
)

HALVES = {"control": 0.5, "new": 0.5}
AB = Experiment(name="coupon", salt="coupon-1", shares=HALVES)
THREE = Experiment(name="text", salt="text-1", shares={"control": 0.2, "a": 0.3, "b": 0.5})
IDS = [str(i) for i in range(20_000)]


def test_the_hash_by_hand():
    # sha256("spring:1") begins with 76458cd107213ddd.
    assert fraction("1", "spring") == (0x76458CD107213DDD >> 11) / 2**53


def test_one_hash_for_arms_and_the_holdout():
    for unit in IDS[:500]:
        assert held_out(unit, "autumn", 0.1) == (fraction(unit, "autumn") < 0.1)


@given(st.text(min_size=1), st.text(min_size=4).filter(lambda s: ":" not in s))
def test_a_fraction_is_below_one_and_always_the_same(unit, salt):
    assert 0 <= fraction(unit, salt) < 1
    assert fraction(unit, salt) == fraction(unit, salt)


def test_shares_are_kept_and_the_probability_comes_with_the_arm():
    found = [assign(THREE, unit) for unit in IDS]
    counts = Counter(one.arm for one in found)
    for arm, share in THREE.shares.items():
        # Four standard deviations.
        assert abs(counts[arm] - share * 20_000) < 4 * (20_000 * share * (1 - share)) ** 0.5
    assert {(one.arm, one.probability) for one in found} == set(THREE.shares.items())


def test_experiments_are_independent_of_each_other():
    both = Counter((assign(AB, unit).arm, assign(THREE, unit).arm) for unit in IDS)
    for (first, second), n in both.items():
        p = AB.shares[first] * THREE.shares[second]
        assert abs(n - 20_000 * p) < 4 * (20_000 * p * (1 - p)) ** 0.5


def test_strata_have_shares_of_their_own():
    trial = Experiment(
        name="gift", salt="gift-1", shares=HALVES, strata={"vip": {"control": 0.1, "new": 0.9}}
    )
    vips = Counter(assign(trial, unit, "vip").arm for unit in IDS)
    assert vips["control"] == pytest.approx(2000, abs=4 * 42)
    assert assign(trial, "1", "other").probability == 0.5
    assert probability_of(trial, "new", "vip") == 0.9
    with pytest.raises(ValueError, match="no arm 'nwe'; did you mean 'new'"):
        probability_of(trial, "nwe")


@settings(max_examples=60)
@given(
    st.dictionaries(st.text(min_size=1, max_size=6), st.sampled_from("xyz"), min_size=1),
    st.lists(st.integers(1, 9), min_size=2, max_size=4),
)
def test_an_even_assignment_is_within_one_of_every_share_in_every_stratum(strata, parts):
    shares = {f"arm {i}": part / sum(parts) for i, part in enumerate(parts)}
    trial = Experiment(name="even", salt="even-1", shares=shares)
    found = assign_evenly(trial, strata)
    assert list(found) == list(strata)
    assert found == assign_evenly(trial, dict(reversed(strata.items())))
    for stratum, n in Counter(strata.values()).items():
        counts = Counter(one.arm for unit, one in found.items() if strata[unit] == stratum)
        for arm, share in shares.items():
            assert abs(counts[arm] - n * share) < 1 + 1e-9
            assert probability_of(trial, arm, stratum) == share


def test_an_even_assignment_gives_each_unit_its_share_over_salts():
    strata = {"a": "x", "b": "x", "c": "x"}
    times = Counter(
        assign_evenly(
            Experiment(name="n", salt=f"salt-{i}", shares={"control": 0.8, "new": 0.2}), strata
        )["b"].arm
        for i in range(4000)
    )
    assert times["new"] == pytest.approx(800, abs=4 * 25.3)


def test_experiments_of_a_layer_share_nobody():
    trials = [
        Experiment(
            name=str(i),
            salt=f"trial-{i}",
            shares=HALVES,
            slot=Slot(layer="offers", start=i / 4, end=(i + 1) / 4),
        )
        for i in range(4)
    ]
    check_together(trials, taken=["holdout-2026"])
    taking_part = [sum(assign(trial, unit) is not None for trial in trials) for unit in IDS[:4000]]
    assert set(taking_part) == {1}
    # Inside a slot the arms are as even as anywhere: slot and arm come from two salts.
    arms = Counter(one.arm for unit in IDS if (one := assign(trials[0], unit)) is not None)
    assert sum(arms.values()) == pytest.approx(5000, abs=4 * 61)
    assert arms["new"] == pytest.approx(sum(arms.values()) / 2, abs=4 * 36)
    assert set(assign_evenly(trials[0], dict.fromkeys(IDS[:400], "all"))) == {
        unit for unit in IDS[:400] if assign(trials[0], unit) is not None
    }


def slotted(name, salt, start, end, layer="offers"):
    slot = Slot(layer=layer, start=start, end=end)
    return Experiment(name=name, salt=salt, shares=HALVES, slot=slot)


@pytest.mark.parametrize(
    ("trials", "says"),
    [
        ([AB, AB], "salt 'coupon-1' is that of coupon; the arms of both would be alike"),
        ([slotted("p", "p-salt", 0, 0.5), slotted("q", "q-salt", 0.4, 1)], "q and p overlap"),
        ([AB, slotted("p", "p-salt", 0, 1, "coupon-1")], "layer 'coupon-1' is the salt of coupon"),
        ([Experiment(name="h", salt="holdout-1", shares=HALVES)], "is that of another use"),
    ],
)
def test_experiments_that_meet_are_refused(trials, says):
    with pytest.raises(ValueError, match=says):
        check_together(trials, taken=["holdout-1"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"shares": {"control": 0.5, "new": 0.4}}, "add up to 0.9, must be 1"),
        ({"shares": {"control": 0.5}}, "at least 2 items"),
        ({"shares": {"control": 1.0, "new": 0.0}}, "less than 1"),
        ({"salt": "a:bcd"}, "match pattern"),
        ({"strata": {"vip": {"new": 0.5, "control": 0.5}}}, r"must have \['control', 'new'\]"),
        ({"slot": {"layer": "coupon-1", "start": 0, "end": 1}}, "is that of the layer"),
        ({"slot": {"layer": "offers", "start": 0.5, "end": 0.5}}, "must be before end"),
    ],
)
def test_errors_teach(wrong, says):
    with pytest.raises(ValidationError, match=says):
        Experiment(**{"name": "coupon", "salt": "coupon-1", "shares": HALVES} | wrong)


def test_a_unit_needs_an_id():
    with pytest.raises(ValueError, match="unit_id is empty"):
        assign(AB, "")


def test_serving_needs_no_pandas():
    heavy = "{'pandas', 'scipy', 'numpy', 'sklearn'}"
    code = f"import sys, mkt_models.experiments.assignment; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"

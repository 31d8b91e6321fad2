import re

import numpy as np
import pandas as pd
import pytest
from experiments.trials import CLICKS, ORDERS, SPEND, measured, units


def test_means_by_hand():
    rows = pd.DataFrame({"arm": ["control"] * 2 + ["new"] * 2, "spend": [1.0, 3, 4, 8]})
    control, new = measured(rows, SPEND).arm_means()
    assert (control.value, new.value) == (2, 6)
    assert (control.error, new.error) == pytest.approx((1, 2))


def test_a_ratio_is_that_of_the_sums():
    rows = units(500)
    control, new = measured(rows, CLICKS).arm_means()
    sums = rows.groupby("arm")[["clicks", "visits"]].sum()
    assert control.value == pytest.approx(
        sums.loc["control", "clicks"] / sums.loc["control", "visits"]
    )
    assert new.value == pytest.approx(sums.loc["new", "clicks"] / sums.loc["new", "visits"])


def test_a_stratified_ratio_weighs_each_stratum_by_all_its_units():
    rows = pd.DataFrame(
        {
            "arm": ["control"] * 4 + ["new"] * 4,
            "clicks": [1.0, 3, 0, 2, 2, 4, 1, 1],
            "visits": [2.0, 4, 1, 3, 2, 6, 2, 2],
        }
    )
    strata = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    control = measured(rows, CLICKS, strata).arm_means()[0]
    # Control: stratum 0 has means 4/3 and 7/3, stratum 1 has 2 and 3; both are half of all units.
    assert control.value == pytest.approx((4 / 3 + 2) / (7 / 3 + 3))


def test_cuped_narrows_and_tells_by_how_much():
    rows = units(3000)
    plain = measured(rows, SPEND)
    less = measured(rows, SPEND.model_copy(update={"covariates": ("before",)}))
    left = less.variance_left()
    assert plain.variance_left() == 1
    assert left == pytest.approx(
        1 - np.corrcoef(rows["before"], rows["spend"])[0, 1] ** 2, abs=0.01
    )
    ratio = less.arm_means()[0].error / plain.arm_means()[0].error
    assert ratio == pytest.approx(left**0.5, rel=0.05)


def test_cuped_serves_a_ratio():
    rows = units(3000)
    rate = np.random.default_rng(1).beta(3, 3, len(rows))
    rows = rows.assign(clicks=np.random.default_rng(2).binomial(rows["visits"], rate), past=rate)
    less = measured(rows, CLICKS.model_copy(update={"covariates": ("past",)}))
    assert less.variance_left() < 0.8
    assert less.arm_means()[0].value == pytest.approx(
        measured(rows, CLICKS).arm_means()[0].value, abs=0.02
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.iloc[:60], "has [23]. units, needs 100"),
        (lambda r: r.assign(ordered=0), "only 0 of both arms together"),
        (lambda r: r.assign(ordered=(r.index < 9) * 1), "only 9 of both arms together"),
    ],
)
def test_too_little_is_said(change, says):
    note = measured(change(units(1000)), ORDERS).why_not(1, 100)
    assert note
    assert re.search(says, note.en)
    assert note.zh.startswith("未评估")


def test_rare_outcomes_count_in_both_arms_together():
    rows = units(1000)
    new = np.flatnonzero(rows["arm"] == "new")
    one = measured(rows.assign(ordered=np.isin(np.arange(1000), new[:10]) * 1), ORDERS)
    assert not one.why_not(1, 100)
    assert "only 0 of those in control" in one.why_not(1, 100, apart=True).en


def test_enough_is_not_noted():
    assert not measured(units(1000), ORDERS).why_not(1, 100)


def test_a_stratum_without_an_arm_is_not_compared():
    rows = units(1000)
    strata = (rows.index == 0).astype(np.intp)
    assert "fewer than 2 units of an arm" in measured(rows, SPEND, strata).why_not(1, 100).en


def test_an_arm_that_never_came_has_no_ratio():
    rows = units(1000)
    rows = rows.assign(visits=rows["visits"].where(rows["arm"] == "new", 0))
    one = measured(rows, CLICKS)
    assert "control has nothing in the denominator" in one.why_not(1, 100).en
    assert np.isnan(one.arm_means()[0].value)


def test_skewed_values_need_many_units():
    rng = np.random.default_rng(0)
    rows = units(4000).assign(spend=rng.exponential(size=4000))
    # The skewness of an exponential is 2: 355 * 4.
    assert measured(rows, SPEND).normal_from() == pytest.approx(1420, rel=0.3)
    # Of a share p: 355 (1 - 2p)² / (p (1 - p)).
    p = rows["ordered"].mean()
    by_hand = 355 * (1 - 2 * p) ** 2 / (p * (1 - p))
    assert measured(rows, ORDERS).normal_from() == pytest.approx(by_hand)
    huge = measured(rows.assign(spend=1e55 * rows["spend"]), SPEND).normal_from()
    assert huge == pytest.approx(measured(rows, SPEND).normal_from())
    assert measured(rows.assign(spend=7.0), SPEND).normal_from() == 0
    assert measured(rows.assign(spend=1.0), SPEND).normal_from() == 0


def test_a_ratio_is_as_skewed_as_its_parts():
    visits = np.floor(np.random.default_rng(0).lognormal(1, 1.5, 4000)) + 1
    rows = units(4000).assign(visits=visits)
    # Clicks that go half up, half down: the linearised values are not skewed, the visits are.
    one = measured(rows.assign(clicks=visits * np.tile([0.0, 1.0], 2000)), CLICKS)
    as_mean = CLICKS.model_copy(update={"kind": "mean", "column": "visits", "denominator": None})
    assert one.normal_from() >= measured(rows, as_mean).normal_from() > 2000
    assert one.skewed(1)


def test_skewness_is_held_against_the_smallest_arm_of_a_stratum():
    rng, strata = np.random.default_rng(0), np.repeat([0, 1], 1000)
    rows = units(2000).assign(spend=np.append(rng.normal(0, 20, 1000), rng.lognormal(0, 1, 1000)))
    even = np.where(np.arange(2000) % 2, "new", "control")
    few = np.where((strata == 1) & (np.arange(2000) % 200 > 0), "control", even)
    assert measured(rows.assign(arm=few), SPEND).normal_from() < 300
    assert not measured(rows.assign(arm=few), SPEND).skewed(1)
    assert measured(rows.assign(arm=few), SPEND, strata).skewed(1)
    normal = rows.assign(arm=even, spend=rng.normal(0, 20, 2000))
    assert not measured(normal, SPEND, strata).skewed(1)


def test_an_arm_whose_units_are_nearly_all_alike_is_not_judged_by_t():
    rng = np.random.default_rng(0)
    rows = units(1000).assign(spend=rng.permutation(np.repeat([-1.0, 0, 1], [20, 960, 20])))
    assert not measured(rows, SPEND).skewed(1)
    alike = rows.assign(spend=rows["spend"].where(rows["arm"] == "new", 0))
    assert measured(alike, SPEND).skewed(1)

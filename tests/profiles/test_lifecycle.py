"""Stages from the own rhythm, at their edges, and what they foretell."""

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import LifecycleStage
from mkt_models.profile_params import Profile
from mkt_models.profiles.lifecycle import (
    global_stage,
    lifecycle_stage,
    median_gap,
    silent_after,
    stage_auc,
    stage_outcomes,
    usual_gap_days,
)

RULES = Profile.model_construct(
    new_days=56, rhythm_weight=2, active_times=2, dormant_times=6, active_days=21, dormant_days=56,
    longest_days=400,
)  # fmt: skip


def stage(silent: float, tenure: float, gap: float) -> str:
    one = [pd.Series([value]) for value in (silent, tenure, gap)]
    return str(lifecycle_stage(*one, RULES).iloc[0])


@pytest.mark.parametrize(
    ("silent", "tenure", "gap", "expected"),
    [
        (56, 56, 1, "new"),
        (57, 57, 1, "lost"),
        # A daily buyer: the days of the parameters hold.
        (21, 300, 1, "active"),
        (22, 300, 1, "dormant"),
        (56, 300, 1, "dormant"),
        (57, 300, 1, "lost"),
        # A monthly buyer: two pauses, six pauses.
        (60, 300, 30, "active"),
        (61, 300, 30, "dormant"),
        (180, 300, 30, "dormant"),
        (181, 300, 30, "lost"),
        # A yearly buyer is as regular as ever after a year and a half.
        (540, 1500, 365, "active"),
        # Where nobody ever came twice, the days alone decide.
        (21, 300, math.nan, "active"),
        (57, 300, math.nan, "lost"),
    ],
)
def test_a_stage_at_its_edges(silent: float, tenure: float, gap: float, expected: str):
    assert stage(silent, tenure, gap) == expected


def test_few_pauses_are_drawn_to_the_median():
    pauses, days = pd.Series([0.0, 1, 4]), pd.Series([0.0, 30, 40])
    assert median_gap(pauses, days) == 20  # of 30 and 10
    # (0 + 40) / 2, (30 + 40) / 3, (40 + 40) / 6
    assert usual_gap_days(pauses, days, 20, RULES).tolist() == [20, 23.333333, 13.333333]
    assert math.isnan(median_gap(pauses[:1], days[:1]))
    assert usual_gap_days(pd.Series([1.0]), pd.Series([9e3]), 9.0, RULES).tolist() == [400]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 900), min_size=2, max_size=20), st.floats(0.5, 400))
def test_longer_silence_is_never_an_earlier_stage(silent: list[int], gap: float):
    days = pd.Series(sorted(silent))
    found = lifecycle_stage(days, days + 1000, pd.Series(gap, index=days.index), RULES)
    order = found.map({"active": 0, "dormant": 1, "lost": 2})
    assert order.is_monotonic_increasing
    assert set(found) <= {stage.value for stage in LifecycleStage}


def test_one_cut_for_all():
    days, first = pd.Series([56, 28, 29, 84, 85]), pd.Series([56, 57, 57, 90, 90])
    assert global_stage(days, first, 56, 28, 84).tolist() == [
        "new", "active", "dormant", "dormant", "lost",
    ]  # fmt: skip


def test_the_area_under_the_curve_by_hand():
    stages = pd.Series(["active", "active", "dormant", "lost"])
    # Silent: dormant and one active. Dormant beats active, loses to lost; active ties, loses.
    assert stage_auc(stages, pd.Series([True, False, True, False])) == 1.5 / 4
    assert math.isnan(stage_auc(stages, pd.Series([True] * 4)))


def test_outcomes_by_stage():
    stages = {"rule": pd.Series(["active", "active", "lost", "lost"])}
    table = stage_outcomes(stages, pd.Series([True, False, True, True])).set_index("stage")
    assert table.loc["lost", ["customers", "silent", "silent_share"]].tolist() == [2, 2, 1]
    assert table.loc["active", "lift"] == pytest.approx(0.5 / 0.75)
    assert table.loc["new", "customers"] == 0
    assert math.isnan(table.loc["new", "silent_share"])


@pytest.mark.parametrize(("day", "silent"), [(-1, True), (0, False), (27, False), (28, True)])
def test_silence_is_no_order_in_the_horizon(write_shop: Any, day: int, silent: bool):
    as_of = date(2017, 7, 1)
    when = as_of + timedelta(days=day)
    con = write_shop(transactions=[("o", "x", "milk", "s1", 1, 100, 0, 0, 0, when, 12)])
    assert silent_after(con, pd.Series(["x"]), as_of, 28).tolist() == [silent]

"""Drift that is planted is found, identical tables show none, and sizes are by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitoring.worlds import SMALL, halves, panel

from mkt_models.monitoring.drift import drift_table, holm, psi
from mkt_models.monitoring_params import DriftLimits

FEATURES = ("x", "zeros", "kind")


def drifted(before, now, features=FEATURES, **limits):
    made = DriftLimits(**limits)
    return drift_table(before, now, features, made, false_alarms=0.05, **SMALL).set_index("feature")


def test_psi_by_hand():
    # With half a row more in each of two cells: 10.5/21 and 15.5/21 against 10.5/21 and 5.5/21.
    p, q = 0.5, 15.5 / 21
    expected = (q - p) * np.log(q / p) + ((1 - q) - (1 - p)) * np.log((1 - q) / (1 - p))
    assert psi(np.array([10.0, 10.0]), np.array([15.0, 5.0])) == pytest.approx(expected)


def test_holm_by_hand():
    # 4 x .01; 3 x .02 = .06; 2 x .03 = .06; 1 x .9
    assert holm([0.03, 0.9, 0.01, 0.02]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm([]) == []


def test_a_planted_shift_alarms_and_the_rest_does_not():
    before, now = halves(panel(shift=0.0))
    table = drifted(before, now.assign(x=now["x"] + 1))
    assert table["drifted"].to_dict() == {"x": True, "zeros": False, "kind": False}
    assert table.index[0] == "x"
    row = table.loc["x"]
    assert row["psi"] > 0.25
    assert row["mean_current"] - row["mean_reference"] == pytest.approx(1, abs=0.2)
    assert (row["customers_reference"], row["customers_current"]) == (300, 300)


def test_what_is_expected_and_what_is_small_raise_no_alarm():
    before, now = halves(panel())
    moved = now.assign(x=now["x"] + 1)
    reason = "the shop has opened a year ago, so it grows"
    one = drifted(before, moved, expected={"x": reason}).loc["x"]
    assert (one["significant"], one["large"], one["drifted"]) == (True, True, False)
    assert one["expected"] == reason
    small = drifted(before, moved, min_psi=5).loc["x"]
    assert (small["significant"], small["large"], small["drifted"]) == (True, False, False)


def test_missing_values_and_unknown_categories_alarm_by_their_shares():
    before, now = halves(panel())
    lost = now.assign(x=now["x"].where(np.arange(len(now)) % 4 > 0))
    new = lost.assign(kind=now["kind"].where(np.arange(len(now)) % 5 > 0, "c"))
    table = drifted(before, new)
    assert table.loc["x", "drifted"]
    assert "missing 0% to 25%" in table.loc["x", "note"]
    assert table.loc["kind", "note"].endswith("unknown before: c (20.0% of rows)")
    assert table.loc["kind", "new_share"] == pytest.approx(0.2)


def test_too_few_customers_and_absent_columns_are_not_evaluated():
    before, now = halves(panel(n=15))
    table = drifted(before, now)
    assert not table["evaluated"].any()
    assert not table["drifted"].any()
    assert table["note"].unique().tolist() == ["only 15 customers in a period, needs 20"]
    before, now = halves(panel())
    gone = drifted(before, now.drop(columns="x"))
    assert gone.loc["x", "note"] == "the current period has no such column"
    assert gone.loc["kind", "evaluated"]


def test_another_unit_is_counted_and_named():
    before, now = halves(panel())
    before, now = before.assign(campaign_id=1), now.assign(campaign_id=2)
    table = drift_table(
        before, now, ["x"], DriftLimits(), false_alarms=0.05, unit="campaign_id", **SMALL
    )
    assert table["note"].item() == "only 1 campaigns in a period, needs 20"


def test_customers_of_both_periods_are_drawn_together():
    # A tiny change of every customer is no chance when all customers are the same; of others it is.
    before, _ = halves(panel())
    same = before.assign(x=before["x"] + 0.12)
    others = same.assign(customer_id=same["customer_id"] + 1000)
    paired, apart = (drifted(before, one, ["x"]).loc["x", "p_value"] for one in (same, others))
    assert paired < 0.05 < apart


def test_a_sample_of_many_customers_is_tested():
    before, now = halves(panel(n=400))
    table = drifted(before, now.assign(x=now["x"] + 1), max_customers=100)
    assert table.loc["x", "drifted"]
    assert table.loc["x", "customers_current"] == 400


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.none()), min_size=20, max_size=40).filter(
        lambda v: any(x is not None for x in v)
    ),
    st.integers(0, 2**31),
)
def test_identical_tables_show_no_drift_in_any_order(values, seed):
    rows = pd.DataFrame({"customer_id": range(len(values)), "x": pd.array(values, dtype="Float64")})
    shuffled = rows.sample(frac=1, random_state=seed % 1000)
    one = drifted(rows, shuffled, ["x"]).loc["x"]
    assert one["psi"] == pytest.approx(0)
    assert one["difference"] == pytest.approx(0)
    assert one["p_value"] == 1
    assert not one["drifted"]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(seed):
    before, now = halves(panel(n=60, shift=0.5))
    mixed = [part.sample(frac=1, random_state=seed) for part in (before, now)]
    pd.testing.assert_frame_equal(drifted(before, now), drifted(*mixed))

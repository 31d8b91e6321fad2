import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.curves import calibration_table, coverage_table, gain_table

SIX = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d", "e", "e"],
        "target": [0, 0, 1, 0, 1, 1],
        "p": [0.1, 0.2, 0.3, 0.4, 0.8, 0.9],
    }
)


def test_calibration_of_rates_by_hand():
    table = calibration_table(SIX, "p", bins=2, confidence=0.9)
    assert table["n"].tolist() == [3, 3]
    assert table["n_customers"].tolist() == [3, 2]
    assert table["predicted"].tolist() == pytest.approx([0.2, 0.7])
    assert table["observed"].tolist() == pytest.approx([1 / 3, 2 / 3])
    # The interval counts customers: two in the second bin.
    assert table.loc[1, ["lower", "upper"]].tolist() == pytest.approx(
        list(wilson_interval(2 / 3, 2, 0.9))
    )


def test_calibration_of_amounts_has_bootstrap_intervals():
    rng = np.random.default_rng(0)
    predicted = rng.gamma(2, 100, 500)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(500),
            "target": predicted * rng.gamma(4, 0.25, 500),
            "p": predicted,
        }
    )
    table = calibration_table(frame, "p", 5, kind="regression", n_bootstrap=300, seed=1)
    assert table["n"].tolist() == [100] * 5
    assert (table["lower"] < table["observed"]).all()
    assert (table["observed"] < table["upper"]).all()
    width = table["upper"] - table["lower"]
    inside = frame["target"][frame["p"].rank() <= 100]
    assert width[0] == pytest.approx(2 * 1.96 * inside.std() / 10, rel=0.25)


def test_coverage_by_hand():
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d", "d"],
            "target": [0.0, 5.0, 10.0, 31.0, 99.0],
            "p": [1.0, 2.0, 10.0, 20.0, 30.0],
            "low": [0.0, 1.0, 11.0, 10.0, np.nan],
            "high": [2.0, 4.0, 20.0, 31.0, np.nan],
        }
    )
    table = coverage_table(frame, "p", "low", "high", 2, confidence=0.9).set_index("bin")
    assert table["n"].tolist() == [4, 2, 2]
    assert table["n_customers"].tolist() == [4, 2, 2]
    assert table["coverage"].tolist() == [0.5, 0.5, 0.5]
    assert table["above"].tolist() == [0.25, 0.5, 0.0]
    assert table["below"].tolist() == [0.25, 0.0, 0.5]
    assert table["width"].tolist() == [6.0, 2.5, 15.0]
    ends = table.loc[0, ["coverage_lower", "coverage_upper"]].tolist()
    assert ends == pytest.approx(list(wilson_interval(0.5, 4, 0.9)))


def test_coverage_without_any_interval_has_no_rows():
    frame = SIX.assign(low=np.nan, high=np.nan)
    assert coverage_table(frame, "p", "low", "high").empty


def test_gain_by_hand():
    table = gain_table(SIX, "p", bins=3)
    assert table["captured"].tolist() == [2, 1, 0]
    assert table["share"].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert table["cumulative_customers"].tolist() == pytest.approx([1 / 3, 2 / 3, 1])
    assert table["cumulative_share"].tolist() == pytest.approx([2 / 3, 1, 1])
    assert table["lift"].tolist() == pytest.approx([2, 1, 0])
    assert table["predicted"].tolist() == pytest.approx([0.85, 0.35, 0.15])
    assert (table["note"] == "only 6 rows, needs 20 to tell of others").all()
    assert (gain_table(pd.concat([SIX] * 4), "p")["note"] == "").all()


def test_ties_share_a_bin():
    table = gain_table(SIX.assign(p=0.5), "p", bins=3)
    assert table["n"].tolist() == [6]
    assert table["lift"].tolist() == [1]


def test_nothing_to_capture_is_null_with_a_note():
    table = gain_table(SIX.assign(target=0), "p", bins=3)
    assert table[["share", "cumulative_share", "lift"]].isna().all(axis=None)
    assert (table["note"] == "share, lift: the target sums up to nothing").all()


def test_gains_have_intervals_that_hold_them_and_end_at_everything():
    rows = pd.concat([SIX.assign(customer_id=SIX["customer_id"] + f"_{i}") for i in range(8)])
    table = gain_table(rows, "p", bins=3, n_bootstrap=200, confidence=0.9, seed=1)
    assert (table["cumulative_share_lower"] <= table["cumulative_share"]).all()
    assert (table["cumulative_share_upper"] >= table["cumulative_share"]).all()
    assert table["cumulative_share_lower"].iloc[0] < table["cumulative_share_upper"].iloc[0]
    last = table.iloc[-1]
    assert last[["cumulative_share_lower", "cumulative_share_upper"]].tolist() == [1, 1]
    assert table["observed_lower"].le(table["observed"]).all()
    assert "observed_lower" not in gain_table(rows, "p", bins=3)

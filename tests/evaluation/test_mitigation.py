import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.evaluation.mitigation import (
    CALIBRATION,
    NOTHING,
    QUOTA,
    calibrated_by_group,
    earlier_and_later,
    mitigation_table,
    resampled,
    reweighing,
    same_share,
)

HOW = {"selected_share": 0.25, "n_bootstrap": 200, "confidence": 0.95, "seed": 1}


def predictions(n=3000, shift=0.15):
    """Two cutoffs; the old are underrated by ``shift`` of probability."""
    rng = np.random.default_rng(0)
    parts = []
    for cutoff in ("2024-01-01", "2024-02-01"):
        p = rng.uniform(0.1, 0.6, n)
        age = np.array(["young", "old", None], dtype=object)[np.arange(n) % 3]
        happens = rng.random(n) < p + shift * (age == "old")
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": np.arange(n).astype(str),
                    "as_of": pd.Timestamp(cutoff),
                    "age": age,
                    "p": p,
                    "target": happens.astype(int),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), min_size=1, max_size=60).filter(
        lambda rows: len(set(rows)) == 4
    )
)
def test_reweighed_group_and_outcome_are_independent(rows):
    table = pd.DataFrame(rows, columns=["gender", "target"])
    weights = reweighing(table, "gender")
    assert weights.sum() == pytest.approx(len(table))
    rates = (weights * table["target"]).groupby(table["gender"]).sum()
    rates /= weights.groupby(table["gender"]).sum()
    assert rates.to_numpy() == pytest.approx(np.full(2, table["target"].mean()))


def test_resampling_makes_the_rates_alike():
    rows = predictions()
    before = rows.groupby("age")["target"].mean()
    drawn = resampled(rows, "age", np.random.default_rng(1))
    after = drawn.groupby("age")["target"].mean()
    assert len(drawn) == len(rows)
    assert before["old"] - before["young"] > 0.1
    assert abs(after["old"] - after["young"]) < 0.06


def test_calibration_learns_from_other_customers_of_the_group():
    earlier, later = earlier_and_later(predictions())
    out = calibrated_by_group(earlier, later, "p", "age", "classification", seed=1)
    old, unknown = (later["age"] == "old").to_numpy(), later["age"].isna().to_numpy()
    assert abs((later["target"] - out)[old].mean()) < 0.04
    assert (out[unknown] == later["p"].to_numpy()[unknown]).all()
    # The same customer's own outcome changes nothing.
    changed = earlier.copy()
    one = changed["customer_id"] == "1"
    changed.loc[one, "target"] = 1 - changed.loc[one, "target"]
    again = calibrated_by_group(changed, later, "p", "age", "classification", seed=1)
    mine = (later["customer_id"] == "1").to_numpy()
    assert (again[mine] == out[mine]).all()
    assert (again[old] != out[old]).any()


def test_a_tiny_group_is_hardly_corrected():
    rows = predictions()
    few = rows["customer_id"].isin(["1", "4", "7"])
    rows.loc[few, "age"] = "oldest"
    rows.loc[few, "target"] = 1
    earlier, later = earlier_and_later(rows)
    out = calibrated_by_group(earlier, later, "p", "age", "classification", seed=1)
    mine = (later["age"] == "oldest").to_numpy()
    assert 0 <= (out - later["p"].to_numpy())[mine].max() < 0.06


def test_amounts_are_corrected_by_a_factor():
    rows = predictions().assign(p=100.0)
    rows["target"] = np.where(rows["age"] == "old", 150.0, 100.0)
    earlier, later = earlier_and_later(rows)
    out = calibrated_by_group(earlier, later, "p", "age", "regression", seed=1)
    old = (later["age"] == "old").to_numpy()
    # 800 rows of 150 for 100, and 50 rows for the prior: 800 (150 - 100 f) = 5,000 log f.
    assert out[old].mean() == pytest.approx(147.5, abs=1)
    assert out[~old].mean() == pytest.approx(100)


def test_the_same_share_of_every_group_is_selected():
    _, later = earlier_and_later(predictions())
    later = later.assign(p=later["p"] + 0.2 * (later["age"] == "old"))
    selected = same_share(later, "p", "age", 0.25)
    shares = pd.Series(selected).groupby(later["age"].fillna("?").to_numpy()).mean()
    assert shares.to_numpy() == pytest.approx(np.full(3, 0.25))


def test_what_each_method_changes_and_costs():
    earlier, later = earlier_and_later(predictions())
    later = later.assign(other=later["p"] * 0.5)
    table = mitigation_table(
        earlier,
        later,
        "p",
        "age",
        "old",
        "classification",
        **HOW,
        retrained={"other training": "other"},
    ).set_index("method")
    assert table.index.tolist() == [NOTHING, CALIBRATION, QUOTA, "other training"]
    assert table["needs_attribute"].tolist() == [False, True, True, False]
    old = later[later["age"] == "old"]
    gap = (old["target"] - old["p"]).mean()
    assert table.loc[NOTHING, "calibration_gap"] == pytest.approx(gap)
    assert table.loc[CALIBRATION, "calibration_gap_change_upper"] < -0.1
    assert table.loc[CALIBRATION, "auc_change_lower"] > 0
    assert table.loc[QUOTA, "selection_ratio"] == pytest.approx(1, abs=0.01)
    assert table.loc[QUOTA, "calibration_gap_change"] == 0
    # Half of every score keeps the order, so all that depends on it.
    assert table.loc["other training", ["auc_change", "found_change"]].tolist() == [0, 0]
    assert table.loc["other training", "ece_change_lower"] > 0
    top = later["p"] >= later["p"].nlargest(750).min()
    found = later.loc[top, "target"].sum() / later["target"].sum()
    assert table.loc[NOTHING, "found"] == pytest.approx(found)


def test_what_cannot_be_had_is_said():
    rows = predictions()
    assert earlier_and_later(rows[rows["as_of"] == rows["as_of"].min()]) is None
    earlier, later = earlier_and_later(rows)
    with pytest.raises(ValueError, match="later: nobody of age 'oldest'"):
        mitigation_table(earlier, later, "p", "age", "oldest", "classification", **HOW)

import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation.fairness import group_table, selected_top

HOW = {
    "selected_share": 0.25,
    "min_group_size": 50,
    "min_group_positives": 5,
    "n_bootstrap": 200,
    "confidence": 0.95,
    "seed": 1,
}


def predictions(n=1200, shift=0.0):
    """Ages in thirds (the last unknown); ``shift`` is added to the true rate of the old."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.5, n)
    age = np.array(["young", "old", None], dtype=object)[np.arange(n) % 3]
    age[:9] = "oldest"
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "age_band": age,
            "p": p,
            "target": (rng.random(n) < p + shift * (age == "old")).astype(int),
        }
    )


def test_figures_by_hand():
    data = predictions()
    table = group_table(data, "p", "age_band", "classification", **HOW).set_index("group")
    assert table.index.tolist() == ["old", "young", "not available", "too small: 1 group"]
    old = data[data["age_band"] == "old"]
    selected = data["p"] >= data["p"].nlargest(300).min()
    assert table.loc["old", "n"] == len(old)
    assert table.loc["old", "positives"] == old["target"].sum()
    rate = selected[old.index].mean()
    assert table.loc["old", "selection_rate"] == pytest.approx(rate)
    assert table.loc["old", "selection_ratio"] == pytest.approx(rate / 0.25)
    assert table.loc["old", "calibration_gap"] == pytest.approx((old["target"] - old["p"]).mean())
    assert table.loc["old", "benefit"] == pytest.approx(
        old.loc[selected[old.index], "target"].mean()
    )
    gained = (selected & (data["target"] == 1)).mean()
    mine = (selected[old.index] & (old["target"] == 1)).mean()
    assert table.loc["old", "benefit_ratio"] == pytest.approx(mine / gained)
    table = table[table["n"].notna()]
    lower, upper = table["calibration_gap_lower"], table["calibration_gap_upper"]
    assert ((lower < table["calibration_gap"]) & (table["calibration_gap"] < upper)).all()


def test_small_groups_are_told_of_but_not_shown_and_the_unknown_are_not_judged():
    table = group_table(predictions(), "p", ["age_band"], "classification", **HOW)
    table = table.set_index("group")
    assert table["judged"].to_dict() == {
        "old": True,
        "young": True,
        "not available": False,
        "too small: 1 group": False,
    }
    few = table.loc["too small: 1 group"]
    assert few["note"] == "not judged: 1 group of fewer than 50 customers"
    shown = ["attribute", "pair", "level", "judged", "note"]
    shown += ["mean_target_all", "calibration_gap_all", "n_known"]
    assert few.drop(shown).isna().all()
    assert few["n_known"] == 1200 - table.loc["not available", "n"]
    assert "unknown" in table.loc["not available", "note"]
    assert np.isfinite(table.loc["not available", "auc"])
    # Two groups are judged, so the level of every interval is 1 - .05 / 2.
    assert table["level"].unique().tolist() == pytest.approx([0.975])


def test_pairs_are_groups_of_two_known_attributes_with_half_of_the_error():
    data = predictions()
    data["sex"] = np.where(np.arange(1200) % 2 == 0, "f", "m")
    table = group_table(
        data, "p", ["age_band", "sex"], "classification", **HOW, pairs=True
    ).set_index(["attribute", "group"])
    pairs = table[table["pair"]]
    assert pairs.index.get_level_values(0).unique().tolist() == ["age_band × sex"]
    assert pairs.index.get_level_values(1).tolist() == [
        "old × f",
        "old × m",
        "young × f",
        "young × m",
        "too small: 2 groups",
    ]
    mine = data[(data["age_band"] == "old") & (data["sex"] == "f")]
    gap = table.loc[("age_band × sex", "old × f"), "calibration_gap"]
    assert gap == pytest.approx((mine["target"] - mine["p"]).mean())
    # Four single groups and four pairs are judged.
    assert pairs["level"].tolist() == pytest.approx([1 - 0.025 / 4] * 5)
    assert table.loc[("sex", "f"), "level"] == pytest.approx(1 - 0.025 / 4)
    assert "age_band × sex" not in data


def test_how_much_less_able_a_model_is_for_a_group():
    data = predictions()
    noise = np.random.default_rng(5).uniform(size=1200)
    data["p"] = np.where(data["age_band"] == "old", noise, data["p"])
    table = group_table(data, "p", "age_band", "classification", **HOW).set_index("group")
    gaps = table.loc[["old", "young"], "ability_gap"]
    assert gaps["old"] > 0.05 > gaps["young"]
    # Everybody's AUC is the same in both.
    auc = table.loc[["old", "young"], "auc"]
    assert np.ptp(gaps + auc) < 1e-12


def test_few_positives_do_not_make_a_group_look_steady():
    data = predictions()
    old = data.index[data["age_band"] == "old"]
    data.loc[old, "target"] = 0
    data.loc[old[:8], "target"] = 1
    table = group_table(data, "p", "age_band", "classification", **HOW).set_index("group")
    p = data.loc[old, "p"]
    least = np.sqrt((p * (1 - p)).mean() / len(p))
    assert table.loc["old", "calibration_gap_error"] == pytest.approx(least, rel=0.2)


def test_size_counts_customers_not_rows():
    data = predictions()
    data["customer_id"] = (np.arange(1200) // 3 % 20).astype(str)
    table = group_table(data, "p", "age_band", "classification", **HOW)
    assert not table["judged"].any()


def test_positives_count_customers():
    data = predictions()
    old = data["age_band"] == "old"
    data.loc[old, "target"] = 0
    data.loc[data.index[old][:4], "target"] = 1
    table = group_table(data, "p", "age_band", "classification", **HOW).set_index("group")
    assert "fewer than 5 customers with a positive" in table.loc["old", "note"]
    assert not table.loc["old", "judged"]
    assert table.loc["old", ["positives", "auc", "calibration_gap"]].isna().all()
    assert np.isfinite(table.loc["old", "selection_rate"])


def test_amounts_are_relative_to_the_mean_of_everybody():
    data = predictions()
    data["target"] = np.where(data["age_band"] == "old", 120.0, 80.0)
    data["p"] = 100.0 + np.arange(len(data)) % 7
    table = group_table(data, "p", "age_band", "regression", **HOW).set_index("group")
    old = data[data["age_band"] == "old"]
    expected = (old["target"] - old["p"]).mean() / data["target"].mean()
    assert table.loc["old", "calibration_gap"] == pytest.approx(expected)
    assert table.loc["old", "mae"] == pytest.approx((old["target"] - old["p"]).abs().mean())
    assert table.loc["old", "mean_target"] == 120
    assert "auc" not in table


def test_ties_at_the_threshold_share_what_is_left():
    rng = np.random.default_rng(2)
    score = rng.integers(0, 5, 101).astype(float)
    part = selected_top(score, 0.2)
    assert part.sum() == pytest.approx(20.2)
    assert all(len(np.unique(part[score == s])) == 1 for s in np.unique(score))


def test_nobody_selected_has_no_interval():
    data = predictions()
    data.loc[data["age_band"] == "old", "p"] = 0.1
    table = group_table(data, "p", "age_band", "classification", **HOW).set_index("group")
    assert table.loc["old", "selection_rate"] == 0
    assert np.isnan(table.loc["old", "selection_rate_upper"])
    assert "selection_rate has no interval" in table.loc["old", "note"]


def test_errors_teach():
    with pytest.raises(ValueError, match="attributes: name at least one column"):
        group_table(predictions(), "p", [], "classification", **HOW)
    with pytest.raises(ValueError, match="attributes: age_band named twice; its customers would"):
        group_table(predictions(), "p", ["age_band", "age_band"], "classification", **HOW)
    with pytest.raises(ValueError, match="no column 'age_bnd'; did you mean 'age_band'"):
        group_table(predictions(), "p", "age_bnd", "classification", **HOW)
    with pytest.raises(ValueError, match="selected_share == 0, must be > 0"):
        group_table(
            predictions(), "p", "age_band", "classification", **{**HOW, "selected_share": 0}
        )
    with pytest.raises(ValueError, match="measures: needs 'calibration_gap'"):
        group_table(predictions(), "p", "age_band", "classification", **HOW, measures=["auc"])

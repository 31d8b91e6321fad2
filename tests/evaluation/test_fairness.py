import numpy as np
import pandas as pd
import pytest

from mkt_models.columns import Verdict
from mkt_models.evaluation.fairness import group_table, selected_top, verdict, widest_gap

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
    assert table.index.tolist() == ["old", "oldest", "young", "not available"]
    old = data[data["age_band"] == "old"]
    selected = data["p"] >= data["p"].nlargest(300).min()
    assert table.loc["old", "n"] == len(old)
    assert table.loc["old", "positives"] == old["target"].sum()
    rate = selected[old.index].mean()
    assert table.loc["old", "selection_rate"] == pytest.approx(rate)
    assert table.loc["old", "selection_ratio"] == pytest.approx(rate / 0.25)
    assert table.loc["old", "calibration_gap"] == pytest.approx((old["target"] - old["p"]).mean())
    rates = table["selection_rate"] * table["n"]
    assert rates.sum() == pytest.approx(300)
    lower, upper = table["calibration_gap_lower"], table["calibration_gap_upper"]
    assert ((lower < table["calibration_gap"]) & (table["calibration_gap"] < upper)).all()


def test_small_and_unknown_groups_are_shown_but_not_judged():
    table = group_table(predictions(), "p", ["age_band"], "classification", **HOW)
    table = table.set_index("group")
    assert table["judged"].to_dict() == {
        "old": True,
        "oldest": False,
        "young": True,
        "not available": False,
    }
    assert "not judged: 9 customers, needs 50" in table.loc["oldest", "note"]
    assert "unknown" in table.loc["not available", "note"]
    assert np.isfinite(table.loc["not available", "auc"])
    # Two groups are judged, so the level of every interval is 1 - .05 / 2.
    assert table["level"].unique().tolist() == pytest.approx([0.975])


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
    assert "4 customers with a positive, needs 5" in table.loc["old", "note"]
    assert not table.loc["old", "judged"]


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


def test_a_true_model_passes_and_a_shifted_group_fails():
    table = group_table(predictions(), "p", "age_band", "classification", **HOW)
    answer, reasons = verdict(table, 0.1)
    assert answer is Verdict.PASS
    assert reasons[0].startswith("age_band: 2 of 4 groups judged; largest at ")
    table = group_table(predictions(shift=0.3), "p", "age_band", "classification", **HOW)
    answer, reasons = verdict(table, 0.1)
    assert answer is Verdict.FAIL
    assert reasons[0].startswith("age_band old (n = 397): gap +0.")
    assert reasons[0].endswith("lies wholly beyond ±0.1")


def gaps(*rows, attribute="age_band"):
    names = ["group", "calibration_gap_lower", "calibration_gap_upper", "judged"]
    table = pd.DataFrame(rows, columns=names)
    middle = (table["calibration_gap_lower"] + table["calibration_gap_upper"]) / 2
    return table.assign(attribute=attribute, n_customers=99, calibration_gap=middle)


def test_verdict_edges():
    fine, wide = ("a", -0.02, 0.02, True), ("b", -0.1, 0.4, True)
    assert verdict(gaps(fine, wide), 0.1)[0] is Verdict.PASS
    assert verdict(gaps(fine, ("b", -0.4, -0.11, True)), 0.1)[0] is Verdict.FAIL
    # On the edge is not beyond it; an unjudged group never fails.
    assert verdict(gaps(fine, ("b", 0.1, 0.4, True)), 0.1)[0] is Verdict.PASS
    assert verdict(gaps(fine, wide, ("c", 0.2, 0.4, False)), 0.1)[0] is Verdict.PASS


def test_what_cannot_be_compared_is_never_a_pass():
    one = gaps(("a", -0.02, 0.02, True), ("b", 0.0, 0.1, False))
    answer, reasons = verdict(one, 0.1)
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == ["age_band: 1 of 2 groups are large enough to judge, needs 2"]
    assert verdict(one.iloc[:0], 0.1)[0] is Verdict.NOT_EVALUATED
    # One attribute that passes does not carry one that cannot be judged.
    both = gaps(("a", -0.02, 0.02, True), ("b", 0.0, 0.1, True), attribute="income_band")
    assert verdict(pd.concat([one, both]), 0.1)[0] is Verdict.NOT_EVALUATED
    # A group that fails fails, even alone.
    assert verdict(gaps(("a", 0.2, 0.3, True)), 0.1)[0] is Verdict.FAIL


def test_errors_teach():
    with pytest.raises(ValueError, match="no column 'age_bnd'; did you mean 'age_band'"):
        group_table(predictions(), "p", "age_bnd", "classification", **HOW)
    with pytest.raises(ValueError, match="selected_share == 0, must be > 0"):
        group_table(
            predictions(), "p", "age_band", "classification", **{**HOW, "selected_share": 0}
        )
    with pytest.raises(ValueError, match="max_calibration_gap == nan"):
        verdict(gaps(("a", 0.2, 0.3, True)), float("nan"))


def test_the_widest_gap_is_told_of_groups_that_are_large_enough():
    table = group_table(predictions(shift=0.3), "p", "age_band", "classification", **HOW)
    told = widest_gap(table.assign(model="churn"))
    assert told.startswith("; the widest calibration gap among them is +0.")
    assert "(churn, age_band old, 397 customers)" in told
    assert widest_gap(table.assign(model="churn", judged=False)) == ""

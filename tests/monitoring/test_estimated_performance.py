"""Estimates by hand, within reach of the truth, and silent where nothing can be known."""

import numpy as np
import pandas as pd
import pytest
from monitoring.worlds import halves, panel

from mkt_models.evaluation.calibration import CalibrationCheck
from mkt_models.monitoring.estimated_performance import (
    estimated_amounts,
    estimated_probabilities,
    realised_figure,
)

HOW = {"min_customers": 20, "n_bootstrap": 300, "confidence": 0.95, "seed": 4}


def probabilities(rows, check=None, reference=None, **how):
    return estimated_probabilities(rows, "score", check, reference, **(HOW | how)).set_index(
        "metric"
    )


def test_by_hand():
    # Half have .2, half .8. Brier: mean of p(1 - p). AUC: of 15 expected positives 12 are above 12
    # negatives of 15, and tie with 3; 3 tie with 12: (12 x 12 + (12 x 3 + 3 x 12) / 2) / 225
    rows = pd.DataFrame({"customer_id": range(30), "score": [0.2] * 15 + [0.8] * 15})
    table = probabilities(rows)
    assert table.loc["brier", "estimate"] == pytest.approx(0.16)
    assert table.loc["log_loss", "estimate"] == pytest.approx(
        -(0.2 * np.log(0.2) + 0.8 * np.log(0.8))
    )
    assert table.loc["auc", "estimate"] == pytest.approx((12 * 12 + 36) / 225)


def test_true_probabilities_are_estimated_well_and_concept_drift_is_not_seen():
    rows = panel(n=2000, periods=(1,))
    table = probabilities(rows)
    for metric in ("auc", "brier", "log_loss"):
        ends = table.loc[metric, ["estimate_lower", "estimate_upper"]]
        assert ends.iloc[0] < realised_figure(rows, "score", metric) < ends.iloc[1]
    tossed = rows.assign(target=np.arange(len(rows)) % 2)
    pd.testing.assert_frame_equal(probabilities(tossed), table)
    assert realised_figure(tossed, "score", "auc") < table.loc["auc", "estimate_lower"]


def off(rows, slope=1.3, above=0.3):
    """The rows of a model whose log-odds are too large and too high."""
    margin = np.log(rows["score"] / (1 - rows["score"]))
    return rows.assign(score=1 / (1 + np.exp(-(above + slope * margin))))


def test_probabilities_are_corrected_by_what_labelled_rows_have_shown():
    before, now = off(panel(n=2000, periods=(2,), seed=1)), off(panel(n=2000, periods=(1,)))
    table = probabilities(now, None, reference=before)
    plain = probabilities(now)
    for metric in ("auc", "brier", "log_loss"):
        told = realised_figure(now, "score", metric)
        ends = table.loc[metric, ["estimate_lower", "estimate_upper"]]
        assert ends.iloc[0] < told < ends.iloc[1]
        assert abs(table.loc[metric, "estimate"] - told) < abs(plain.loc[metric, "estimate"] - told)


def test_few_labelled_rows_make_the_interval_wide_and_too_few_none():
    now = panel(n=500, periods=(1,))
    width = []
    for n in (100, 4000):
        table = probabilities(now, None, reference=panel(n=n, periods=(2,), seed=1))
        width.append((table["estimate_upper"] - table["estimate_lower"]).to_numpy())
    assert (width[0] > width[1]).all()
    few = panel(n=15, periods=(2,))
    assert probabilities(now, None, reference=few)["note"].iloc[0] == (
        "labelled rows: only 15 customers, needs 20"
    )
    nobody = panel(n=100, periods=(2,)).assign(target=0.0)
    assert "only 0 of the rarer class" in probabilities(now, None, reference=nobody)["note"].iloc[0]


def test_the_order_of_rows_does_not_matter():
    rows = panel(n=80, periods=(1,))
    pd.testing.assert_frame_equal(probabilities(rows), probabilities(rows.iloc[::-1]))


def test_where_nothing_can_be_known_nothing_is_said():
    rows = panel(n=15, periods=(1,))
    table = probabilities(rows)
    assert table["estimate"].isna().all()
    assert table["note"].unique().tolist() == ["only 15 customers, needs 20"]
    broken = CalibrationCheck("broken", "bias +2", "偏差", 100, 100)
    many = panel(n=100, periods=(1,))
    assert "not true: bias +2" in probabilities(many, broken)["note"].iloc[0]
    rare = probabilities(many.assign(score=0.01))
    assert rare["note"].iloc[0] == "only 1.0 rows of the rarer class are expected, needs 5"
    with pytest.raises(ValueError, match="'score' leaves"):
        probabilities(many.assign(score=2.0))


def amounts(n=1000, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    told = rng.lognormal(3, 0.7, n) * scale
    spent = told * rng.lognormal(-0.125, 0.5, n)
    return pd.DataFrame({"customer_id": np.arange(n) + seed * n, "score": told, "target": spent})


def test_errors_of_amounts_follow_the_size_of_the_predictions():
    before, now = amounts(seed=3), amounts(seed=4)
    table = estimated_amounts(before, now, "score", **HOW).set_index("metric")
    for metric in ("mae", "mean"):
        ends = table.loc[metric, ["estimate_lower", "estimate_upper"]]
        assert ends.iloc[0] < realised_figure(now, "score", metric) < ends.iloc[1]
    large = now[now["score"] > now["score"].median()]
    more = estimated_amounts(before, large, "score", **HOW).set_index("metric")
    assert more.loc["mae", "estimate"] > 1.3 * table.loc["mae", "estimate"]


def test_amounts_need_labelled_rows():
    before, now = amounts(n=60, seed=1), amounts(n=200, seed=2)
    table = estimated_amounts(before, now, "score", **HOW)
    assert table["note"].unique().tolist() == ["only 60 labelled rows, needs 100"]


def test_a_reference_of_few_values_leaves_no_bin_empty():
    before = amounts(n=200, seed=1).assign(score=np.repeat([5.0, 10.0], 100))
    table = estimated_amounts(before, amounts(n=200, seed=2), "score", **HOW)
    assert table["estimate"].notna().all()
    first, last = halves(panel(n=20))
    assert len(first) == len(last)

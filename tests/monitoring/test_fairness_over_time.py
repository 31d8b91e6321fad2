"""Gaps of groups and how they change, by hand where everybody can count."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.monitoring.fairness_over_time import gap_changes, gap_table, measured_rows
from mkt_models.monitoring_params import FairnessLimits

HOW = {"min_group_size": 20, "n_bootstrap": 199, "confidence": 0.95, "seed": 1}


def served(men, women, n=400, unknown=0):
    """Half are men; of every hundred so many are served."""
    gender = np.where(np.arange(n) % 2 == 0, "m", "w").astype(object)
    gender[:unknown] = None
    share = np.where(np.arange(n) % 2 == 0, men, women)
    got = (np.arange(n) // 2 % 100 < share).astype(float)
    return pd.DataFrame({"customer_id": range(n), "gender": gender, "served": got})


def gaps(rows):
    return gap_table(rows, ["served"], ["gender"], **HOW)


def changes(before, now, limit=0.1):
    return gap_changes(gaps(before), gaps(now), FairnessLimits(max_gap_change=limit))


def test_gaps_by_hand():
    table = gaps(served(60, 40)).set_index("group")
    assert table["mean"].to_dict() == pytest.approx({"m": 0.6, "w": 0.4})
    assert table["gap"].to_dict() == pytest.approx({"m": 0.1, "w": -0.1})
    assert (table["level"] == 1 - 0.05 / 2).all()
    assert (table["gap_lower"] < table["gap"]).all()


def test_a_gap_is_to_those_whose_attribute_is_known():
    rows = served(60, 40, unknown=200)
    rows.loc[rows["gender"].isna(), "served"] = 0.0
    table = gaps(rows).set_index("group")
    assert table.loc["m", "gap"] == pytest.approx(0.1)
    assert not table.loc["not available", "judged"]


def test_a_gap_that_widens_alarms_and_one_that_closes_does_not():
    wider = changes(served(50, 50), served(70, 30)).set_index("group")
    assert wider["changed"].tolist() == [True, True]
    assert wider.loc["m", "change"] == pytest.approx(0.2)
    assert not changes(served(70, 30), served(50, 50))["changed"].any()
    assert not changes(served(50, 50), served(70, 30), limit=0.3)["changed"].any()
    assert not changes(served(60, 40), served(60, 40))["changed"].any()


def test_what_changes_for_all_alike_is_no_change_of_a_gap():
    assert not changes(served(60, 40), served(90, 70))["changed"].any()


def test_small_groups_and_groups_without_spread_are_not_judged():
    few = changes(served(50, 50, n=30), served(90, 10, n=30))
    assert not few["evaluated"].any()
    alike = gaps(served(100, 100))
    assert not alike["judged"].any()
    assert alike["note"].unique().tolist() == ["all of the group are alike"]


def test_measures_of_scores():
    rows = pd.DataFrame({"customer_id": range(4), "score": [0.1, 0.9, 0.4, 0.2]})
    assert measured_rows(rows, "score", 0.25)["selected"].tolist() == [0, 1, 0, 0]
    spend = rows.assign(score=[10.0, 30, 20, 20], target=[10.0, 20, 20, 40])
    made = measured_rows(spend, "score", 0.25)
    assert made["score"].mean() == pytest.approx(1)
    assert made["observed_minus_predicted"].tolist() == pytest.approx([0, -0.5, 0, 1])

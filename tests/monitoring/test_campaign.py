"""Effect, cost, caps and shares, small and by hand."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.monitoring.campaign import (
    caps_over_time,
    cost_over_time,
    effect_over_time,
    share_changes,
)
from mkt_models.monitoring_params import CampaignLimits

ERRORS = {"false_alarms": 0.05, "n_bootstrap": 199, "seed": 2}


def trial(period, withheld=0.2, contacted=0.4, n=600, seed=0):
    """Every second customer is contacted; the shares of buyers are exact."""
    treated = np.arange(n) % 2
    share = np.where(treated == 1, contacted, withheld)
    ordered = (np.arange(n) // 2 % 100 < 100 * share).astype(int)
    columns = {"customer_id": np.arange(n) + seed * n, "period": period, "treated": treated}
    return pd.DataFrame(columns | {"assignment_probability": 0.5, "ordered": ordered})


def effects(*periods, **limits):
    rows = pd.concat([trial("1"), *periods], ignore_index=True)
    return effect_over_time(rows, ["1"], "ordered", CampaignLimits(**limits), **ERRORS)


def test_an_effect_that_stays_one_that_is_lost_and_one_that_harms():
    table = effects(trial("2"), trial("3", 0.2, 0.2), trial("4", 0.4, 0.2)).set_index("period")
    assert table["effect"].tolist() == pytest.approx([0.2, 0.0, -0.2])
    assert table["reference"].tolist() == pytest.approx([0.2] * 3)
    assert table["lost"].tolist() == [False, True, True]
    assert table["harmful"].tolist() == [False, False, True]
    assert (table["kind"] == "randomised").all()
    assert table["level"].unique() == pytest.approx([1 - 0.05 / 3])


def test_a_small_loss_does_not_matter():
    table = effects(trial("2", 0.2, 0.25), max_effect_loss=0.9)
    assert not table["lost"].item()


def test_a_period_with_one_arm_is_not_evaluated():
    alone = trial("2").query("treated == 1")
    row = effects(alone).iloc[0]
    assert not row["evaluated"]
    assert not row["lost"]
    assert not row["harmful"]
    assert row["note"] == "only one arm"


def contacts(period, cost, n=200):
    return pd.DataFrame({"customer_id": range(n), "period": period, "cost": cost})


def costs(now, budget=None):
    rng = np.random.default_rng(1)
    before = contacts("1", rng.uniform(0.8, 1.2, 200))
    rows = pd.concat([before, now], ignore_index=True)
    limits = CampaignLimits(budget=budget, max_cost_rise=0.25)
    return cost_over_time(rows, ["1"], limits, min_customers=50, **ERRORS).iloc[0]


def test_cost_of_a_contact_and_the_budget():
    rng = np.random.default_rng(2)
    dear = costs(contacts("2", rng.uniform(1.3, 1.7, 200)))
    assert dear["dearer"]
    assert dear["rise"] == pytest.approx(0.5, abs=0.05)
    same = costs(contacts("2", rng.uniform(0.8, 1.2, 200)), budget=100)
    assert not same["dearer"]
    assert same["over_budget"]
    assert same["cost"] == pytest.approx(200, rel=0.05)


def test_a_price_list_without_spread_is_compared_as_it_is():
    rows = pd.concat([contacts("1", 1.0), contacts("2", 1.5), contacts("3", 1.0)])
    table = cost_over_time(rows, ["1"], CampaignLimits(), min_customers=50, **ERRORS)
    assert table["dearer"].tolist() == [True, False]


def test_too_few_customers_are_judged_by_the_budget_alone():
    few = contacts("2", 9.0, n=10)
    assert not costs(few)["evaluated"]
    assert not costs(few)["dearer"]
    assert costs(few, budget=50)["over_budget"]


def test_caps_count_rolling_days_by_hand():
    days = {"a": ["01-01", "01-06", "01-08"], "b": ["01-01", "01-20"], "c": ["01-09", "01-09"]}
    rows = pd.DataFrame(
        [(c, "2025-01", f"2025-{day}") for c, some in days.items() for day in some],
        columns=["customer_id", "period", "sent_on"],
    )
    table = caps_over_time(rows, [(7, 1), (30, 2)]).set_index("days")
    # Within 7 days: a on the 6th (with the 1st) and the 8th, c twice on the 9th.
    assert table.loc[7, ["beyond", "highest"]].tolist() == [2, 2]
    assert table.loc[30, ["beyond", "highest", "n", "n_customers"]].tolist() == [1, 3, 7, 3]


def test_contacts_of_the_period_before_count_towards_the_window():
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "period": ["2025-01", "2025-02"],
            "sent_on": ["2025-01-31", "2025-02-01"],
        }
    )
    table = caps_over_time(rows, [(7, 1)], ["2025-02"])
    assert table[["period", "beyond"]].to_numpy().tolist() == [["2025-02", 1]]


def shares(before, now, n=1000, **limits):
    made = CampaignLimits(**limits)
    table = share_changes(before, n, now, n, made, min_customers=100, false_alarms=0.05)
    return table.set_index("label")


def test_shares_that_change_vanish_or_stay():
    table = shares({"email": 300, "app": 500, "cap": 200}, {"email": 310, "app": 650})
    assert table["changed"].to_dict() == {"cap": True, "app": True, "email": False}
    assert table.loc["cap", "change"] == pytest.approx(-0.2)
    assert table.loc["app", "change"] == pytest.approx(0.15)
    assert table.index[0] == "cap"


def test_an_outage_that_hits_everybody_is_seen():
    table = shares({"no_action": 0}, {"no_action": 1000})
    assert table.loc["no_action", "changed"]


def test_few_customers_are_not_evaluated_and_identical_batches_do_not_change():
    few = share_changes(
        {"app": 9}, 10, {"app": 0}, 10, CampaignLimits(), min_customers=100, false_alarms=0.05
    )
    assert not few["evaluated"].any()
    assert not few["changed"].any()
    assert not shares({"app": 300}, {"app": 300})["changed"].any()

"""From tables to alarms: who is named, how severe, and the sentence with n and interval."""

import numpy as np
import pandas as pd
from monitoring.test_campaign import trial
from monitoring.worlds import SMALL, halves, panel

from mkt_models.monitoring import campaign_rules, rules
from mkt_models.monitoring.alarms import Outcome
from mkt_models.monitoring.campaign import caps_over_time, effect_over_time, share_changes
from mkt_models.monitoring.drift import drift_table
from mkt_models.monitoring.realised import calibration_table, figures, realised_table
from mkt_models.monitoring_params import (
    CampaignLimits,
    DriftLimits,
    PerformanceLimits,
    Rule,
    Severity,
)
from mkt_models.release_params import CalibrationLimits

ERRORS = {"false_alarms": 0.05, **SMALL}


def outcomes(alarms):
    return [(one.subject, one.outcome.value) for one in alarms]


def test_drift_names_what_drifted_and_counts_the_rest():
    before, now = halves(panel())
    moved = now.assign(x=now["x"] + 1).drop(columns="zeros")
    table = drift_table(before, moved, ["x", "zeros", "kind"], DriftLimits(), **ERRORS)
    found = rules.of_drift(table, Rule.FEATURE_DRIFT, "churn", "now")
    assert outcomes(found) == [("x", "alarm"), ("churn", "ok"), ("churn", "not_evaluated")]
    assert found[0].what.startswith("churn: x is distributed otherwise, its mean -0.")
    assert "n = 300 / 300)" in found[0].what
    assert found[0].do.startswith("First rule out the data")
    assert found[1].do == ""
    assert "zeros: the current period has no such column" in found[2].what
    assert found[0].figure.n == 300


def test_performance_is_critical_once_labels_tell():
    before, now = halves(panel())
    promised = figures(before, "score", "classification", 199, 0.95, 3)
    tossed = now.assign(target=np.arange(len(now)) % 2)
    table = realised_table(
        tossed, "score", "classification", promised, PerformanceLimits(), **ERRORS
    )
    found = rules.of_performance(table, Rule.REALISED_PERFORMANCE, "churn", "realised", "as_of")
    assert outcomes(found) == [("churn auc", "alarm"), ("churn brier", "alarm")]
    assert {one.severity for one in found} == {Severity.CRITICAL}
    assert found[0].period == "2025-02-01"
    assert found[0].what.endswith("below it.")
    assert found[1].what.endswith("above it.")
    assert found[0].kind.value == "backtested"


def test_calibration_takes_its_state():
    rows = panel(n=300)
    wrong = rows.assign(score=rows["score"] / 3)
    table = calibration_table(wrong, "score", "classification", CalibrationLimits(), **ERRORS)
    found = rules.of_calibration(table, "churn", "as_of")
    assert {one.outcome for one in found} == {Outcome.ALARM}
    assert "bias" in found[0].what
    assert "斜率" in found[0].what_zh


def test_effects_shares_and_caps():
    rows = pd.concat([trial("1"), trial("2", 0.4, 0.2)], ignore_index=True)
    errors = {"false_alarms": 0.05, "n_bootstrap": 199, "seed": 2}
    table = effect_over_time(rows, ["1"], "ordered", CampaignLimits(), **errors)
    (harm,) = campaign_rules.of_effect(table, "campaigns")
    assert harm.outcome is Outcome.ALARM
    assert "it is shown to harm" in harm.what
    assert harm.kind.value == "randomised"
    table = share_changes(
        {"cap": 100}, 1000, {"cap": 400}, 1000, CampaignLimits(), min_customers=9, false_alarms=0.05
    )
    (grown,) = campaign_rules.of_shares(table, Rule.SUPPRESSION, "suppressions", "now")
    assert "cap went from 10.0% to 40.0% of customers" in grown.what
    contacts = rows.assign(sent_on="2025-01-01")
    found = campaign_rules.of_caps(caps_over_time(contacts, [(7, 1), (7, 2)]), "contacts")
    assert [one.outcome.value for one in found] == ["ok", "alarm", "ok", "ok"]
    assert "600 of 600 customers had more than 1 contacts in 7 days" in found[1].what


def performance(loss, allowed=0.02):
    row = {"as_of": "now", "metric": "auc", "n": 470, "evaluated": True, "lost": False}
    for name, value in (("estimate", 0.858), ("promised", 0.867)):
        row |= {name: value, f"{name}_lower": value - 0.1, f"{name}_upper": value + 0.1}
    ends = dict(zip(("loss", "loss_lower", "loss_upper"), loss, strict=True))
    return pd.DataFrame([row | ends | {"allowed": allowed}])


def test_a_loss_that_is_neither_shown_nor_ruled_out_is_said_to_be_so():
    told = []
    for loss in ((0.009, -0.103, 0.116), (0.001, -0.01, 0.02)):
        table = performance(loss)
        told += rules.of_performance(
            table, Rule.ESTIMATED_PERFORMANCE, "churn", "estimate", "as_of"
        )
    wide, narrow = told
    assert (wide.outcome, wide.uncertain) == (Outcome.OK, 1)
    assert wide.what.endswith(
        "no loss that matters is shown, nor ruled out (loss 0.009 [-0.103, 0.116], 0.02 allowed)."
    )
    assert (narrow.outcome, narrow.uncertain) == (Outcome.OK, 0)
    assert "a loss that matters is ruled out" in narrow.what


def test_calibration_that_passes_undecided_counts_what_it_cannot_tell():
    before, _ = halves(panel(n=150))
    for undecided, outcome in (("pass", Outcome.OK), ("not_evaluated", Outcome.NOT_EVALUATED)):
        limits = CalibrationLimits(max_factor=1.05, undecided=undecided)
        table = calibration_table(before, "score", "classification", limits, **ERRORS)
        (one,) = rules.of_calibration(table, "churn", "as_of")
        assert one.outcome is outcome
        assert table["undecided"].tolist() == [2]
        assert one.uncertain == (2 if undecided == "pass" else 0)
        assert one.what.count("may lie within") == 2


def test_gaps_that_may_have_widened_are_counted():
    rows = [("m", 0.01, -0.05, 0.07), ("w", -0.02, -0.3, 0.26), ("x", 0.0, -0.2, 0.2)]
    table = pd.DataFrame(rows, columns=["group", "change", "change_lower", "change_upper"])
    table = table.assign(attribute="gender", measure="score", n_customers=60, allowed=0.1)
    table = table.assign(evaluated=[True, True, False], changed=False, note="")
    (one,) = rules.of_fairness(table, "churn", "now")
    assert (one.outcome, one.uncertain) == (Outcome.OK, 1)
    assert "2 gaps are not shown to have widened so that it matters" in one.what
    assert one.what.endswith("1 are too uncertain to tell.")

"""A model watched from end to end: stable, changed, and with nothing to go by."""

import numpy as np
import pandas as pd
from monitoring.worlds import halves, how, panel

from mkt_models.monitoring.alarms import Outcome
from mkt_models.monitoring.watch_models import (
    WatchedModel,
    watch_drift,
    watch_groups,
    watch_performance,
)
from mkt_models.monitoring_params import Rule


def model(before, now, **changes):
    args = {"features_before": before, "features_now": now, "scores_before": before}
    args |= {"scores_now": now, "labelled_before": before, "labelled_now": now}
    return WatchedModel("churn", "classification", ("x", "zeros"), **(args | changes))


def said(seen):
    return {(one.rule, one.outcome) for one in seen.alarms}


def test_a_stable_model_raises_no_alarm():
    one = model(*halves(panel(n=400)))
    assert said(watch_drift(one, how())) == {
        (Rule.FEATURE_DRIFT, Outcome.OK),
        (Rule.SCORE_DRIFT, Outcome.OK),
    }
    seen = watch_performance(one, how())
    assert Outcome.ALARM not in {outcome for _, outcome in said(seen)}
    table = seen.tables["performance"]
    assert set(table["role"]) == {"reference", "current"}
    assert {"now", "2025-01-01", "2025-02-01"} == set(table["as_of"])


def test_customers_who_have_changed_move_features_and_scores():
    one = model(*halves(panel(n=400, shift=1.0)))
    seen = watch_drift(one, how())
    alarms = {one.rule for one in seen.alarms if one.outcome is Outcome.ALARM}
    assert alarms == {Rule.FEATURE_DRIFT, Rule.SCORE_DRIFT}
    assert set(seen.tables["drift"]["what"]) == {"feature", "score"}
    assert seen.tables["scores"]["share_current"].sum() == 1


def test_concept_drift_is_seen_by_labels_only():
    before, now = halves(panel(n=400))
    seen = watch_performance(model(before, now.assign(target=np.arange(len(now)) % 2)), how())
    rules = {one.rule: one.outcome for one in seen.alarms}
    assert rules[Rule.REALISED_PERFORMANCE] is Outcome.ALARM
    assert rules[Rule.ESTIMATED_PERFORMANCE] is Outcome.OK


def test_without_labels_the_estimate_is_left():
    before, now = halves(panel(n=400))
    seen = watch_performance(model(before, now, labelled_now=now.iloc[:0]), how())
    assert (Rule.REALISED_PERFORMANCE, Outcome.NOT_EVALUATED) in said(seen)
    assert (Rule.ESTIMATED_PERFORMANCE, Outcome.OK) in said(seen)
    nothing = watch_performance(model(before, now, labelled_before=before.iloc[:0]), how())
    assert {outcome for _, outcome in said(nothing)} == {Outcome.NOT_EVALUATED}


def test_campaigns_are_the_unit_where_everything_differs_by_campaign():
    before, now = (part.assign(campaign_id="1") for part in halves(panel(n=400)))
    seen = watch_drift(model(before, now, unit="campaign_id"), how())
    assert {outcome for _, outcome in said(seen)} == {Outcome.NOT_EVALUATED}
    assert "only 1 campaigns" in seen.alarms[0].what


def test_a_group_whose_scores_are_lowered_alarms():
    before, now = halves(panel(n=600))
    people = pd.DataFrame({"customer_id": range(600), "gender": ["m", "w"] * 300})
    stable = watch_groups(model(before, now), people, how())
    assert said(stable) == {(Rule.FAIRNESS, Outcome.OK)}
    lowered = now.assign(score=now["score"] * np.where(now["customer_id"] % 2, 0.3, 1.0))
    worse = watch_groups(model(before, lowered), people, how())
    assert (Rule.FAIRNESS, Outcome.ALARM) in said(worse)
    unknown = watch_groups(model(before, now), people.assign(gender=None), how())
    assert unknown.alarms[0].what == "churn: no attribute is known"

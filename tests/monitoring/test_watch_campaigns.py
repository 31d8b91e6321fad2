"""Campaigns and decisions watched from end to end, and what is said when there is nothing."""

import pandas as pd
from monitoring.test_campaign import trial
from monitoring.worlds import how

from mkt_models.monitoring.alarms import Outcome
from mkt_models.monitoring.watch_campaigns import (
    Batch,
    WatchedCampaigns,
    watch_campaigns,
    watch_decisions,
)
from mkt_models.monitoring_params import Rule

NOBODY = pd.DataFrame({"customer_id": []})


def batch(quiet, capped, n=400):
    strategies = ["no_action"] * quiet + ["promotion"] * (n - quiet)
    first = pd.DataFrame({"customer_id": range(n), "strategy": strategies})
    return Batch(first, {"cap": capped})


def seen(trials=None, contacts=None, before=None, now=None):
    empty = pd.DataFrame()
    return WatchedCampaigns(
        empty if trials is None else trials,
        ("1",),
        "ordered",
        empty if contacts is None else contacts,
        ((7, 1),),
        ("2",),
        before,
        now,
    )


def outcomes(found):
    return {(one.rule, one.outcome) for one in found.alarms}


def test_where_there_is_nothing_every_rule_says_so():
    found = watch_campaigns(seen(), how())
    assert outcomes(found) == {
        (rule, Outcome.NOT_EVALUATED) for rule in (Rule.CAMPAIGN_EFFECT, Rule.COST, Rule.CAPS)
    }
    alone = watch_decisions(seen(now=batch(100, 50)), NOBODY, how())
    assert outcomes(alone) == {
        (rule, Outcome.NOT_EVALUATED) for rule in (Rule.STRATEGY_MIX, Rule.SUPPRESSION)
    }
    assert "--against" in alone.alarms[0].what


def test_effect_cost_and_caps():
    rows = pd.concat([trial("1"), trial("2", 0.2, 0.2)], ignore_index=True).assign(cost=1.0)
    contacts = pd.DataFrame({"customer_id": ["a", "b"], "period": "2", "sent_on": "2025-01-01"})
    found = watch_campaigns(seen(rows, contacts), how())
    assert outcomes(found) == {
        (Rule.CAMPAIGN_EFFECT, Outcome.ALARM),
        (Rule.COST, Outcome.OK),
        (Rule.CAPS, Outcome.OK),
    }
    assert set(found.tables) == {"effects", "costs", "caps"}


def test_more_customers_left_alone_and_fewer_suppressions():
    found = watch_decisions(seen(before=batch(100, 200), now=batch(300, 10)), NOBODY, how())
    alarms = {one.subject for one in found.alarms if one.outcome is Outcome.ALARM}
    assert alarms == {"no action", "promotion", "cap"}
    same = watch_decisions(seen(before=batch(100, 200), now=batch(100, 200)), NOBODY, how())
    assert {outcome for _, outcome in outcomes(same)} == {Outcome.OK}


def test_a_group_that_is_no_longer_served():
    n = 400
    people = pd.DataFrame({"customer_id": range(n), "gender": ["m", "w"] * (n // 2)})
    first = pd.DataFrame({"customer_id": range(n)})
    even = ["no_action" if i % 4 < 2 else "promotion" for i in range(n)]
    only_men = ["promotion" if i % 2 == 0 and i % 10 else "no_action" for i in range(n)]
    before, now = (Batch(first.assign(strategy=s)) for s in (even, only_men))
    found = watch_decisions(seen(before=before, now=now), people, how())
    assert (Rule.FAIRNESS, Outcome.ALARM) in outcomes(found)
    assert set(found.tables["served"]["measure"]) == {"served"}

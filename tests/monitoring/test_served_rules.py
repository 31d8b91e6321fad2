"""Alarms about a service: facts, shares, effects and gaps, with what to do."""

import numpy as np
import pandas as pd
import pytest

from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Outcome, by_rule, exit_code, in_words
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring_params import Severity
from mkt_models.served_params import Served, ServedLimits, ServedRule

WORDS = ("customers who complained", "投诉客户")


def test_every_rule_has_words_and_advice() -> None:
    assert set(rules.RULES) == set(rules.ADVICE) == set(ServedRule)
    assert all(all(said) for said in (*rules.RULES.values(), *rules.ADVICE.values()))


@pytest.mark.parametrize(("count", "outcome"), [(0, Outcome.OK), (1, Outcome.ALARM)])
def test_one_beyond_is_too_many(count: int, outcome: Outcome) -> None:
    alarm = rules.of_fact(ServedRule.CONTACT_POLICY, "contacts", WORDS, count, 900, 0)
    assert alarm.outcome is outcome
    assert alarm.severity is Severity.CRITICAL
    assert bool(alarm.do) == (outcome is Outcome.ALARM)


@pytest.mark.parametrize(("count", "bad"), [(1, False), (3, False), (12, True)])
def test_a_share_alarms_when_chance_is_ruled_out(count: int, bad: bool) -> None:
    """Wilson's interval of 12 of 200 begins at 3.5 %, of 3 at 0.5 %."""
    figure = Figure.of_share(count, 200, 0.95)
    alarm = rules.of_share(ServedRule.COMPLAINTS, "c", WORDS, figure, count, 0.01, 1)
    assert (alarm.outcome is Outcome.ALARM) == bad
    assert "n = 200" in alarm.what
    assert alarm.uncertain == int(not bad)  # 1 of 200 reaches to 2.8 %, beyond 1 %
    assert rules.of_share(ServedRule.COMPLAINTS, "c", WORDS, figure, count, 0.2, 1).uncertain == 0
    hidden = rules.of_share(ServedRule.COMPLAINTS, "c", WORDS, figure, count, 0.01, 20)
    assert hidden.outcome is alarm.outcome
    assert "fewer than 20 customers, n = 200; at most 1.00%" in hidden.what
    assert "不足 20 位客户" in hidden.what_zh
    assert np.isnan(hidden.figure.value)
    assert f"{figure.value:.2%}" not in hidden.what + hidden.what_zh


def effect(verdict: str, note: str = "") -> pd.DataFrame:
    row = {"metric": "spend", "metric_zh": "消费额", "role": "primary", "n": 90, "n_control": 10}
    row |= {"effect": -2.0, "effect_lower": -3.0, "effect_upper": -1.0, "level": 0.975}
    return pd.DataFrame([row | {"verdict": verdict, "note": note, "note_zh": note}])


def test_only_an_effect_that_is_shown_to_harm_alarms() -> None:
    [worse] = rules.of_effect(effect("worse"))
    assert (worse.outcome, worse.kind.value) == (Outcome.ALARM, "randomised")
    assert "-2.000 [-3.000, -1.000], n = 100: it is shown to harm" in worse.what
    [unknown] = rules.of_effect(effect(""))
    assert unknown.outcome is Outcome.OK
    assert "no effect is shown" in unknown.what
    assert (unknown.uncertain, worse.uncertain) == (1, 0)
    [lacking] = rules.of_effect(effect("", "too few"))
    assert lacking.outcome is Outcome.NOT_EVALUATED


def gaps(gap: float, lower: float, upper: float, judged: bool = True) -> pd.DataFrame:
    row = {"attribute": "age", "group": "old", "measure": "offered", "n_customers": 80}
    row |= {"gap": gap, "gap_lower": lower, "gap_upper": upper, "judged": judged, "note": "few"}
    return pd.DataFrame([row])


def test_a_gap_alarms_when_it_is_shown_and_large() -> None:
    outcomes = [
        rules.of_gaps(table, ServedLimits(max_gap=0.1), ["offered"])[0].outcome
        for table in (
            gaps(-0.2, -0.3, -0.1),
            gaps(-0.2, -0.5, 0.1),  # may be chance
            gaps(-0.05, -0.07, -0.03),  # small
            gaps(np.nan, np.nan, np.nan, judged=False),
        )
    ]
    assert outcomes == [Outcome.ALARM, Outcome.OK, Outcome.OK, Outcome.NOT_EVALUATED]


def test_caps_and_budgets_are_facts() -> None:
    row = {"cap": "all push channels", "days": 7, "most": 2, "contacts": 9, "customers": 4}
    table = pd.DataFrame([{**row, "beyond": 1, "highest": 3}, {**row, "beyond": 0, "highest": 2}])
    names = {"all push channels": ("all push channels", "全部推送渠道")}
    found = rules.of_caps(table, names, 1)
    assert [one.outcome for one in found] == [Outcome.ALARM, Outcome.OK]
    assert "1 of 4 customers had more than 2 contacts in 7 days (the most: 3)" in found[0].what
    assert found[0].what_zh.startswith("全部推送渠道：4 位客户中有 1 位")
    hidden = rules.of_caps(table.assign(customers=[4, 90]), names, 5)
    assert [one.outcome for one in hidden] == [Outcome.ALARM, Outcome.OK]
    assert hidden[0].what == (
        "all push channels: fewer than 5 of fewer than 5 customers had more than 2 contacts in "
        "7 days."
    )
    assert "不足 5 位客户中有不足 5 位" in hidden[0].what_zh.replace(
        " 位客户中有 不", " 位客户中有不"
    )
    assert np.isnan(hidden[0].figure.value)
    assert hidden[0].figure.n == 0
    budget = {"budget": "coupons", "starts_on": "2018-01-01", "ends_on": "2018-01-08"}
    spent = pd.DataFrame(
        [
            {**budget, "used": 31.0, "amount": 30.0, "contacts": 31},
            {**budget, "used": 3.0, "amount": 2.0, "contacts": 3},
        ]
    )
    told, few = rules.of_budgets(spent, 5)
    assert {told.outcome, few.outcome} == {Outcome.ALARM}
    assert told.what == "budget coupons, 2018-01-01 – 2018-01-08: 31.00 / 30.00 used."
    assert few.what == "budget coupons, 2018-01-01 – 2018-01-08: … / 2.00 used."
    assert np.isnan(few.figure.value)
    assert {one.outcome for one in rules.of_budgets(spent.assign(amount=40.0))} == {Outcome.OK}


def test_a_change_is_told_and_of_too_few_customers_is_not() -> None:
    row = {"label": "no_action", "n": 300, "n_before": 300, "allowed": 0.1, "windows": 5}
    for name, value in (("before", 0.2), ("now", 0.5), ("change", 0.3)):
        row |= {name: value, f"{name}_lower": value - 0.1, f"{name}_upper": value + 0.1}
    rule, names = ServedRule.STRATEGY_MIX, ("strategies", "策略")
    table = pd.DataFrame([{**row, "changed": True}, {**row, "changed": False}])
    labels = {"no_action": ("No action", "不采取行动")}
    found = rules.of_changes(table, rule, names, labels, 5)
    assert [one.outcome for one in found] == [Outcome.ALARM, Outcome.OK]
    assert "no action went from 20.0% to 50.0% of customers" in found[0].what
    assert "the nearest of 5 earlier windows" in found[0].what
    assert found[0].what_zh.startswith("“不采取行动”占客户的比例由 20.0% 变为 50.0%")
    [hidden] = rules.of_changes(table.iloc[:1], rule, names, labels, 70)  # 60 before
    assert hidden.outcome is Outcome.ALARM
    assert "risen by 10% of customers or more" in hidden.what
    assert "fewer than 70 customers" in hidden.what
    assert "不足 70 位" in hidden.what_zh
    assert not any(told in hidden.what + hidden.what_zh for told in ("20.0%", "50.0%", "30.0%"))
    assert np.isnan(hidden.figure.value)


def test_what_may_lack_does_not_count() -> None:
    good = rules.of_fact(ServedRule.CAPS, "caps", WORDS, 0, 9, 0)
    settings = Served(may_lack=tuple(rule for rule in ServedRule if rule is not ServedRule.CAPS))
    assert by_rule([good], ServedRule)[ServedRule.CAPS] is Outcome.OK
    assert len(by_rule([good], ServedRule)) == len(ServedRule)
    told = in_words([good], settings, "zh", rules.RULES)
    assert told.startswith("无告警")
    assert "触达频次上限" in told
    assert exit_code([], settings, ServedRule) == 3
    assert exit_code([good], settings, ServedRule) == 0

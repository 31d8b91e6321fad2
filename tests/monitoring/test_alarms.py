"""What alarms come to: the exit codes, the order, and the words in both languages."""

from dataclasses import replace

import pandas as pd
import pytest

from mkt_models.monitoring.advice import ADVICE
from mkt_models.monitoring.alarms import (
    RULES,
    Alarm,
    Outcome,
    alarm_table,
    by_rule,
    exit_code,
    in_words,
    overall,
    reach_beyond,
    uncertain_in_words,
)
from mkt_models.monitoring.rules import not_asked
from mkt_models.monitoring_params import Monitoring, Rule, Severity

OK, WRONG, LEFT = Outcome.OK, Outcome.ALARM, Outcome.NOT_EVALUATED


def alarm(rule, outcome, severity=Severity.WARNING, subject="churn"):
    said = {"what": f"{subject} {outcome}", "what_zh": f"{subject}：{outcome}"}
    do = ADVICE[rule] if outcome is WRONG else ("", "")
    return Alarm(rule, subject, "now", outcome, severity, **said, do=do[0], do_zh=do[1])


def all_ok(but=()):
    return [alarm(rule, OK) for rule in Rule if rule not in but]


def test_all_well_is_0():
    assert exit_code(all_ok(), Monitoring()) == 0


def test_one_alarm_is_1_unless_only_severe_ones_count():
    found = [*all_ok(), alarm(Rule.COST, WRONG)]
    assert exit_code(found, Monitoring()) == 1
    assert exit_code(found, Monitoring(fail_on="critical")) == 0
    severe = [*all_ok(), alarm(Rule.CAPS, WRONG, Severity.CRITICAL)]
    assert exit_code(severe, Monitoring(fail_on="critical")) == 1


def test_a_rule_that_is_not_evaluated_is_3_unless_it_may_lack():
    found = [*all_ok(but=[Rule.CAPS]), alarm(Rule.CAPS, LEFT)]
    assert exit_code(found, Monitoring()) == 3
    assert exit_code(found, Monitoring(may_lack=["caps"])) == 0
    assert exit_code(all_ok(but=[Rule.CAPS]), Monitoring()) == 3  # never asked
    assert exit_code([*found, alarm(Rule.COST, WRONG)], Monitoring()) == 1
    assert overall([], Monitoring()) is LEFT


def test_a_rule_is_what_its_subjects_come_to():
    found = [alarm(Rule.COST, LEFT), alarm(Rule.COST, OK), alarm(Rule.CAPS, OK)]
    found += [alarm(Rule.CAPS, WRONG), alarm(Rule.FAIRNESS, LEFT)]
    said = by_rule(found)
    assert (said[Rule.COST], said[Rule.CAPS], said[Rule.FAIRNESS]) == (OK, WRONG, LEFT)


def test_rules_of_which_there_is_nothing_are_named():
    left = list(not_asked(all_ok(but=[Rule.CAPS, Rule.COST]), "now"))
    assert [one.rule for one in left] == [Rule.COST, Rule.CAPS]
    assert {one.outcome for one in left} == {LEFT}


def test_what_is_worst_stands_first():
    found = [alarm(Rule.COST, OK), alarm(Rule.CAPS, LEFT), alarm(Rule.COST, WRONG)]
    found.append(alarm(Rule.FAIRNESS, WRONG, Severity.CRITICAL))
    table = alarm_table(found)
    assert table["rule"].tolist() == ["fairness", "cost", "caps", "cost"]
    assert table["outcome"].tolist() == ["alarm", "alarm", "not_evaluated", "ok"]
    assert alarm_table([]).empty


def test_the_text_says_what_to_do_once_per_rule_and_what_was_not_evaluated():
    found = [*all_ok(but=[Rule.CAPS]), alarm(Rule.CAPS, LEFT)]
    found += [alarm(Rule.COST, WRONG, subject=name) for name in ("mail", "sms")]
    told = in_words(found, Monitoring())
    assert told.startswith("ALARM: ")
    assert "[warning] mail alarm\n[warning] sms alarm\n  → Stop further contacts" in told
    assert told.count("→") == 1
    assert "Not evaluated:\n  caps of contacts: churn not_evaluated\n" in told
    zh = in_words(found, Monitoring(), "zh")
    assert "[警告] mail：alarm" in zh
    assert "触达频次上限：churn：not_evaluated" in zh
    with pytest.raises(ValueError, match="must be 'en' or 'zh'"):
        in_words(found, Monitoring(), "de")


def test_what_is_too_uncertain_to_tell_is_named_and_changes_no_outcome():
    found = all_ok(but=[Rule.FAIRNESS, Rule.CALIBRATION])
    found.append(replace(alarm(Rule.FAIRNESS, OK), uncertain=3))
    found.append(replace(alarm(Rule.CALIBRATION, OK, subject="value"), uncertain=1))
    assert exit_code(found, Monitoring()) == 0
    first, _, rest = in_words(found, Monitoring()).partition("\n")
    assert first == (
        "No alarm: nothing that was watched is shown to have changed so that it matters; "
        "4 figures are too uncertain to tell."
    )
    named = (
        "4 figures are too uncertain to tell: calibration (value 1); gaps between groups (churn 3)."
    )
    assert named in rest
    assert uncertain_in_words(found) == named
    zh = in_words(found, Monitoring(), "zh")
    assert zh.startswith("无告警：未见监控对象有重要变化；4 项数字过于不确定、无法判断。\n")
    assert "校准（value 1）；群体差距（churn 3）" in zh
    assert uncertain_in_words(all_ok()) == ""
    assert alarm_table(found)["uncertain"].sum() == 4


def test_an_interval_reaches_beyond_on_either_side():
    table = pd.DataFrame({"x_lower": [-0.3, -0.1, 0.0], "x_upper": [0.0, 0.1, 0.11]})
    assert reach_beyond(table.assign(allowed=0.1), "x") == 2


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_a_name_and_advice_in_both_languages(rule):
    for en, zh in (RULES[rule], ADVICE[rule]):
        assert en.isascii()
        assert not zh.isascii()

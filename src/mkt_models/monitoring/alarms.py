"""An alarm: what was found, how sure that is, and what to do; and what all of them come to.

Three outcomes. ``ok`` says that no change that matters is shown, not that there is none: how many
figures cannot tell, as their intervals reach beyond the limit, stands beside it (``uncertain``).
What could not be evaluated at all has not been shown to be well. A rule as a whole alarms when any
of its subjects does, and is not evaluated when none is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring_params import Monitoring, Rule, Severity
from mkt_models.served_params import Served, ServedRule


class Outcome(StrEnum):
    """What came of a rule for one subject."""

    OK = "ok"
    ALARM = "alarm"
    NOT_EVALUATED = "not_evaluated"


# Exit codes of `mkt monitor`; 2 is that of parameters and inputs that cannot be read.
EXIT_CODES = {Outcome.OK: 0, Outcome.ALARM: 1, Outcome.NOT_EVALUATED: 3}

Words = tuple[str, str]  # English, Chinese

_NOTHING = Figure(np.nan, np.nan, np.nan, 0)


@dataclass(frozen=True)
class Alarm:
    """One rule, one subject, one period.

    Attributes
    ----------
    rule, subject, period
        what was watched: a rule, of what (a model, a feature, a strategy), and when
    outcome, severity
        severity is how bad it would be, also where nothing is wrong
    what, what_zh
        what was found, in a sentence with n and interval; or why nothing was
    do, do_zh
        what to do about it; empty when nothing is to be done
    figure
        the number that was judged, with interval and n
    limit
        how large it may be
    kind
        where the number comes from
    uncertain
        of what is ok: how many of the figures judged have an interval that reaches beyond the
        limit, so that a change that matters is neither shown nor ruled out

    """

    rule: Rule | ServedRule
    subject: str
    period: str
    outcome: Outcome
    severity: Severity
    what: str
    what_zh: str
    do: str = ""
    do_zh: str = ""
    figure: Figure = field(default=_NOTHING)
    limit: float = np.nan
    kind: NumberKind = NumberKind.OBSERVED
    uncertain: int = 0

    def as_dict(self) -> dict[str, Any]:
        """One row of a table: the figure as value, lower, upper and n."""
        row = {name: value for name, value in asdict(self).items() if name != "figure"}
        told = self.figure
        row |= {"value": told.value, "lower": told.lower, "upper": told.upper, "n": told.n}
        return {k: v.value if isinstance(v, StrEnum) else v for k, v in row.items()}


def alarm_table(alarms: Iterable[Alarm]) -> pd.DataFrame:
    """One row per alarm, what is wrong first: critical, then warnings, then not evaluated."""
    rows = [one.as_dict() for one in alarms]
    table = pd.DataFrame(rows, columns=list(_an_alarm().as_dict()))
    order = [Outcome.ALARM.value, Outcome.NOT_EVALUATED.value, Outcome.OK.value]
    by_outcome = table["outcome"].map({name: i for i, name in enumerate(order)})
    milder = (table["severity"] != Severity.CRITICAL.value) & (by_outcome == 0)
    keys = table.assign(_outcome=by_outcome, _milder=milder)
    return table.loc[keys.sort_values(["_outcome", "_milder"], kind="stable").index].reset_index(
        drop=True
    )


def by_rule(
    alarms: Sequence[Alarm], rules: Iterable[Rule | ServedRule] = Rule
) -> dict[Rule | ServedRule, Outcome]:
    """The outcome of every rule; one that was never asked is not evaluated."""
    found = {}
    for rule in rules:
        outcomes = {one.outcome for one in alarms if one.rule is rule}
        found[rule] = Outcome.NOT_EVALUATED
        if Outcome.ALARM in outcomes:
            found[rule] = Outcome.ALARM
        elif Outcome.OK in outcomes:
            found[rule] = Outcome.OK
    return found


def overall(
    alarms: Sequence[Alarm],
    settings: Monitoring | Served,
    rules: Iterable[Rule | ServedRule] = Rule,
) -> Outcome:
    """What all rules come to.

    ALARM when one is at least as severe as ``fail_on``. Otherwise NOT_EVALUATED when a rule is not
    that may not be lacking. Otherwise OK.
    """
    counts = {Severity.CRITICAL} if settings.fail_on is Severity.CRITICAL else set(Severity)
    if any(one.outcome is Outcome.ALARM and one.severity in counts for one in alarms):
        return Outcome.ALARM
    outcomes = by_rule(alarms, rules)
    lacking = {rule for rule, found in outcomes.items() if found is Outcome.NOT_EVALUATED}
    return Outcome.NOT_EVALUATED if lacking - set(settings.may_lack) else Outcome.OK


def exit_code(
    alarms: Sequence[Alarm],
    settings: Monitoring | Served,
    rules: Iterable[Rule | ServedRule] = Rule,
) -> int:
    """The exit code for a machine: 0 ok, 1 alarm, 3 not evaluated."""
    return EXIT_CODES[overall(alarms, settings, rules)]


def in_words(
    alarms: Sequence[Alarm],
    settings: Monitoring | Served,
    language: str = "en",
    names: Mapping[Rule, Words] | Mapping[ServedRule, Words] | None = None,
) -> str:
    """Tell all of it as text: the alarms with what to do, then what could not be evaluated.

    ``language`` is ``en`` or ``zh``; ``names`` are the rules and what they are called, by default
    those of :data:`RULES`.
    """
    if language not in ("en", "zh"):
        raise ValueError(f"language == {language!r}, must be 'en' or 'zh'")
    zh = language == "zh"
    called: Mapping[Any, Words] = RULES if names is None else names
    unsure = uncertain_in_words(alarms, called, language)
    end = _ENDS[overall(alarms, settings, called)][zh]
    if unsure:
        end = (
            f"{end[:-1]}{'；' if zh else '; '}{unsure.partition('：' if zh else ': ')[0]}{end[-1]}"
        )
    lines = [end]
    table = alarm_table(alarms)
    wrong = table[table["outcome"] == Outcome.ALARM.value]
    for _, rows in wrong.groupby("rule", sort=False):
        lines.append("")
        for row in rows.to_dict("records"):
            mark = SEVERITIES[Severity(row["severity"])][zh]
            lines.append(f"[{mark}] {row['what_zh'] if zh else row['what']}")
        lines.append(f"  → {rows['do_zh'].iloc[0] if zh else rows['do'].iloc[0]}")
    rules = by_rule(alarms, called)
    left = {rule: _whys(alarms, rule, zh) for rule in called}
    if any(left.values()):
        lines += ["", _LACKING[zh]]
        lines += [
            f"  {called[rule][zh]}{'：' if zh else ': '}{why}" for rule, why in left.items() if why
        ]
    if unsure:
        lines += ["", unsure]
    quiet = [called[rule][zh] for rule, found in rules.items() if found is Outcome.OK]
    if quiet:
        lines += ["", f"{_QUIET[zh]}{('、' if zh else ', ').join(quiet)}"]
    return "\n".join(lines) + "\n"


def uncertain_in_words(
    alarms: Sequence[Alarm],
    names: Mapping[Rule, Words] | Mapping[ServedRule, Words] | None = None,
    language: str = "en",
) -> str:
    """Say how many figures raise no alarm and yet cannot tell, and of what; empty when all can."""
    zh = language == "zh"
    called: Mapping[Any, Words] = RULES if names is None else names
    parts = []
    for rule, words in called.items():
        of = [one for one in alarms if one.rule is rule and one.uncertain]
        if of:
            said = (f"{one.subject} {one.uncertain}" for one in of)
            inside = ("、" if zh else ", ").join(said)
            parts.append(f"{words[1]}（{inside}）" if zh else f"{words[0]} ({inside})")
    if not parts:
        return ""
    n = sum(one.uncertain for one in alarms)
    if zh:
        return f"{n} 项数字过于不确定、无法判断：{'；'.join(parts)}。"
    are = "figures are" if n > 1 else "figure is"
    return f"{n} {are} too uncertain to tell: {'; '.join(parts)}."


def reach_beyond(table: pd.DataFrame, column: str, limit: str = "allowed") -> int:
    """How many intervals of a change, up or down, reach beyond the limit of their row."""
    low, high = table[f"{column}_lower"], table[f"{column}_upper"]
    return int(((low < -table[limit]) | (high > table[limit])).sum())


def _whys(alarms: Sequence[Alarm], rule: Rule | ServedRule, zh: bool) -> str:
    """Why something was not evaluated under a rule; empty when everything was."""
    asked = [one for one in alarms if one.rule is rule and one.outcome is Outcome.NOT_EVALUATED]
    said = dict.fromkeys((one.what_zh if zh else one.what).rstrip(".。") for one in asked)
    return ("；" if zh else "; ").join(said)


def _an_alarm() -> Alarm:
    return Alarm(Rule.CAPS, "", "", Outcome.OK, Severity.WARNING, "", "")


SEVERITIES: dict[Severity, Words] = {
    Severity.WARNING: ("warning", "警告"),
    Severity.CRITICAL: ("critical", "严重"),
}
RULES: dict[Rule, Words] = {
    Rule.FEATURE_DRIFT: ("drift of features", "特征漂移"),
    Rule.SCORE_DRIFT: ("drift of scores", "评分漂移"),
    Rule.ESTIMATED_PERFORMANCE: ("performance, estimated without labels", "无标签的性能估计"),
    Rule.REALISED_PERFORMANCE: ("performance, once labels arrived", "标签到达后的实际性能"),
    Rule.CALIBRATION: ("calibration", "校准"),
    Rule.CAMPAIGN_EFFECT: ("effect of campaigns against the holdout", "活动相对对照组的效果"),
    Rule.COST: ("cost", "成本"),
    Rule.CAPS: ("caps of contacts", "触达频次上限"),
    Rule.SUPPRESSION: ("suppressions", "抑制原因"),
    Rule.STRATEGY_MIX: ("strategies and no action", "策略构成与不触达"),
    Rule.FAIRNESS: ("gaps between groups", "群体差距"),
}
_ENDS: dict[Outcome, Words] = {
    Outcome.OK: (
        "No alarm: nothing that was watched is shown to have changed so that it matters.",
        "无告警：未见监控对象有重要变化。",
    ),
    Outcome.ALARM: (
        "ALARM: something has changed; what to do stands below.",
        "有告警，请按下文处理。",
    ),
    Outcome.NOT_EVALUATED: (
        "NOT EVALUATED: no alarm, but not everything could be judged.",
        "没有告警，但部分项目无法评估。",
    ),
}
_LACKING: Words = ("Not evaluated:", "未评估：")
_QUIET: Words = ("Without an alarm: ", "无告警：")

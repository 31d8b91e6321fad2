"""The decision of an experiment in words, English and Chinese, with what would change it.

Nothing is claimed that the tables do not show: "not shown" is not "no effect", and a guardrail that
could not be judged has not passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pandas as pd

from mkt_models.columns import Verdict
from mkt_models.experiment_params import Experiments
from mkt_models.experiments import memo_words as words
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.memo_words import Row
from mkt_models.experiments.said import Said
from mkt_models.experiments.sample_ratio import SampleRatio

# Beyond so many times the planned size an experiment was prolonged, not merely rounded up.
PROLONGED = 1.1


class Decision(StrEnum):
    """What follows from an experiment."""

    SHIP = "ship"
    DO_NOT_SHIP = "do_not_ship"
    KEEP_RUNNING = "keep_running"
    INVALID = "invalid"
    NOT_EVALUATED = "not_evaluated"


@dataclass(frozen=True)
class Memo:
    """A decision and what it rests on.

    Attributes
    ----------
    decision
        what follows
    arm
        the arm that is shipped; None with any other decision
    title
        the decision in a sentence
    evidence
        sentences with every figure, its n, interval and kind
    change
        what would change the decision

    """

    decision: Decision
    arm: str | None
    title: Said
    evidence: tuple[Said, ...]
    change: Said

    def markdown(self, language: Literal["en", "zh"]) -> str:
        """Give the memo as Markdown in one language."""
        title, *evidence, change = (
            one.en if language == "en" else one.zh
            for one in (self.title, *self.evidence, self.change)
        )
        head = "What would change this: " if language == "en" else "什么情况会改变此结论："
        return "\n".join([f"**{title}**", "", *(f"- {one}" for one in evidence), "", head + change])


def memo(
    experiment: Experiment,
    settings: Experiments,
    ratio: SampleRatio,
    effects: pd.DataFrame,
    guardrails: pd.DataFrame,
    segments: pd.DataFrame,
    n: int,
    planned: int | None,
) -> Memo:
    """Decide, and say why.

    Parameters
    ----------
    experiment, settings
        What was planned, and how it is judged.
    ratio, effects, guardrails, segments
        The tables of ``analysis``.
    n, planned
        Units whose outcome is complete, and those planned; None if no size was declared.

    """
    rows = effects.to_dict("records")
    primary = [row for row in rows if row["role"] == "primary"]
    secondary = [row for row in rows if row["role"] == "secondary"]
    judged = guardrails.to_dict("records")
    arm, decision, why = None, Decision.INVALID, "mismatch"
    if ratio.verdict is not Verdict.FAIL:
        early = planned is not None and n < planned
        decision, why, arm = _decide(primary, judged, ratio, settings, early)
    title = _ship(primary, arm) if arm is not None else words.TITLES[why]
    evidence = [words.sizes(experiment, ratio, n, planned)]
    evidence += [words.effect(row) for row in primary]
    evidence += [words.guardrail(row) for row in judged]
    evidence += [words.effect(row) for row in secondary if row["shown"]]
    evidence += words.not_shown(secondary)
    evidence += words.segments(segments)
    evidence += _conditions(settings, n, planned)
    change = words.CHANGES.get(why)
    if change is None:
        change = words.change(why, primary, settings, n, planned)
    return Memo(decision, arm, title, tuple(evidence), change)


def _conditions(settings: Experiments, n: int, planned: int | None) -> list[Said]:
    """What the intervals rest on."""
    if settings.method == "sequential":
        return [words.EVERY_LOOK]
    if planned is None:
        return [words.UNPLANNED]
    return [words.PROLONGED] if n > PROLONGED * planned else []


def _decide(
    primary: Sequence[Row],
    guardrails: Sequence[Row],
    ratio: SampleRatio,
    settings: Experiments,
    early: bool,
) -> tuple[Decision, str, str | None]:
    """Give the decision, the key of its reason in ``memo_words``, and the arm that is shipped."""
    keep = (Decision.KEEP_RUNNING, "early", None)
    if early and settings.method == "fixed":
        return keep
    judged = [row for row in primary if not row["note"]]
    if ratio.verdict is not Verdict.PASS or not judged:
        return keep if early else (Decision.NOT_EVALUATED, "too little", None)
    arms = list(dict.fromkeys(row["arm"] for row in primary))
    better = {row["arm"] for row in judged if row["verdict"] == "better"}
    worse = {row["arm"] for row in judged if row["verdict"] == "worse"}
    failed = {row["arm"] for row in guardrails if row["verdict"] == Verdict.FAIL}
    unsafe = {row["arm"] for row in guardrails if row["verdict"] != Verdict.PASS}
    winners = [arm for arm in arms if arm in better - worse - unsafe]
    if winners:
        return Decision.SHIP, "ship", _largest(winners, judged)
    if early and not worse | failed >= set(arms):
        return keep
    if better - worse - failed:
        why = "guardrail in doubt"
    elif better - worse:
        why = "guardrail broken"
    elif worse:
        why = "worse"
    else:
        why = "guardrail broken, no gain" if failed else "no gain"
    return Decision.DO_NOT_SHIP, why, None


def _largest(winners: Sequence[str], judged: Sequence[Row]) -> str:
    """The winner with the largest gain on the first primary metric that shows one for any."""
    shown = [r for r in judged if r["arm"] in winners and r["verdict"] == "better"]
    first = [row for row in shown if row["metric"] == shown[0]["metric"]]
    return str(max(first, key=lambda row: abs(float(row["effect"])))["arm"])


def _ship(primary: Sequence[Row], arm: str) -> Said:
    shown = [row for row in primary if row["verdict"] == "better"]
    row = next(row for row in shown if row["arm"] == arm)
    others = list(dict.fromkeys(one["arm"] for one in shown if one["arm"] != arm))
    beside = f" (a gain is shown in {', '.join(others)} too; these arms were not compared)"
    beside_zh = f"({'、'.join(others)}组也显示了提升；各实验组之间未作比较)"
    return Said(
        f"Ship {arm}: {row['metric']} is shown to be better than in {row['control']}, and no "
        "guardrail is in doubt" + beside * bool(others) + ".",
        f"上线 {arm}：{row['metric_zh']}确实优于 {row['control']} 组，护栏指标均无疑问"
        + beside_zh * bool(others)
        + "。",
    )

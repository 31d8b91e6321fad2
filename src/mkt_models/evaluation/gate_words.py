"""What the gate found, in words: every reason in English and Chinese.

A reason stands in the card, in the ledger and in the reports; it names group, n, figure and limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

_MEASURES = {
    "calibration_gap": "校准差距",
    "selection_ratio": "入选率比",
    "ability_gap": "区分能力差距",
    "benefit_gap": "收益差距",
}
NO_GROUPS_ZH = "没有可比较的群体"


@dataclass(frozen=True)
class Reason:
    """One reason of a verdict, in English and Chinese.

    ``lenient``: a parameter let pass what would have withheld otherwise, and this says so.
    """

    en: str
    zh: str
    lenient: bool = False

    def __str__(self) -> str:
        """In English: what a table of a notebook shows."""
        return self.en


@dataclass(frozen=True)
class Limit:
    """A measure of ``group_table``, the value that treats all alike, and how far off is allowed.

    ``side``: 0 both, 1 only above ``alike`` is a harm, -1 only below.
    """

    measure: str
    alike: float
    allowed: float
    side: int = 0

    @property
    def words(self) -> str:
        """The limit as a reader sees it."""
        if self.measure == "selection_ratio":
            return f"at least {self.alike - self.allowed:.2g}"
        return f"±{self.allowed:.3g}" if self.side == 0 else f"at most {self.allowed:.3g}"

    @property
    def words_zh(self) -> str:
        """The limit in Chinese."""
        if self.measure == "selection_ratio":
            return f"不低于 {self.alike - self.allowed:.2g}"
        return f"±{self.allowed:.3g}" if self.side == 0 else f"不超过 {self.allowed:.3g}"


def in_english(reasons: Sequence[Reason]) -> list[str]:
    """Give the English of reasons: what a file of figures holds."""
    return [one.en for one in reasons]


def beyond(row: pd.Series, limit: Limit) -> Reason:
    """Say that a gap is shown beyond its limit."""
    en, zh = _figure(row, limit)
    return Reason(f"{en} lies beyond {limit.words}", f"{zh}，超出限值（{limit.words_zh}）")


def suspected(row: pd.Series, limit: Limit) -> Reason:
    """Say that there is a gap, which may lie beyond its limit."""
    en, zh = _figure(row, limit)
    return Reason(
        f"{en} is shown, and may lie beyond {limit.words}",
        f"{zh}，差距已显现，且可能超出限值（{limit.words_zh}）",
    )


def undecided(row: pd.Series, limit: Limit, share: float, most: float) -> Reason:
    """Say that of a large group nothing is shown, so that no other group can stand for it."""
    en, zh = _figure(row, limit)
    return Reason(
        f"{en} is undecided: neither a gap is shown nor {limit.words} ensured, of {share:.0%} of "
        f"the customers; more than {most:.0%} are not carried by others",
        f"{zh}，无法判定：既未显示差距，也不能保证在限值内（{limit.words_zh}）；该群体占已知客户的 "
        f"{share:.0%}，超过 {most:.0%} 时不能由其他群体代替",
    )


def measured(row: pd.Series, limit: Limit, share: float) -> Reason:
    """Say that what was measured of a group lies beyond the limit, without being shown."""
    en, zh = _figure(row, limit)
    return Reason(
        f"{en} is measured beyond {limit.words}, though not shown, of {share:.0%} of the customers",
        f"{zh}，测得值超出限值（{limit.words_zh}），但样本不足以确认；占已知客户的 {share:.0%}",
    )


def not_judged(attribute: str, group: str, share: float, note: str) -> Reason:
    """Say that a large group, or all that are too small together, could not be judged."""
    return Reason(
        f"{attribute} {group}: {share:.0%} of the customers it is known of are {note}",
        f"{attribute} {group}：占已知客户 {share:.0%}，人数、正样本或离散程度不足，未评判",
    )


def too_few_groups(attribute: str, judged: int) -> Reason:
    """Say that an attribute has fewer than two groups that are large enough."""
    said = "no group is" if judged == 0 else "1 group is"
    said_zh = "没有群体" if judged == 0 else "仅有 1 个群体"
    return Reason(
        f"{attribute}: {said} large enough to judge, needs 2",
        f"{attribute}：{said_zh}足够大、可以评判，至少需要 2 个",
    )


def told(attribute: str, limit: Limit, shown: int, judged: int, share: float) -> Reason:
    """Say for how many groups a gap as large as the limit is ruled out."""
    return Reason(
        f"{attribute}: {_label(limit.measure)} shown within {limit.words} for {shown} of {judged} "
        f"groups, {share:.0%} of the customers it is known of",
        f"{attribute}：{judged} 个群体中有 {shown} 个的{_label_zh(limit.measure)}确认在限值内"
        f"（{limit.words_zh}），占已知客户的 {share:.0%}",
    )


def too_little_told(reason: Reason, needed: float, least: float | None) -> Reason:
    """Add what is needed, and the smallest gap that the least sure group would show."""
    en, zh = f"{reason.en}, needs {needed:.0%}", f"{reason.zh}，至少需要 {needed:.0%}"
    if least is not None:
        en += f"; the least sure would show a gap 8 times in 10 from {least:.2g} on"
        zh += f"；最不确定的群体要差距达到 {least:.2g} 才有八成机会显现"
    return Reason(en, zh)


def let_pass(open_ends: int) -> Reason:
    """Say that a parameter, and not the data, let a model pass."""
    findings = "1 finding" if open_ends == 1 else f"{open_ends} findings"
    return Reason(
        f"passed by the parameter audit.gate.undecided: pass, which lets {findings} pass that "
        "would have withheld the model as not evaluated",
        f"因参数 audit.gate.undecided: pass 而通过：放行了 {open_ends} 项结果，否则应判为“未评估”",
        lenient=True,
    )


def _figure(row: pd.Series, limit: Limit) -> tuple[str, str]:
    value, lower, upper = (row[name] + limit.alike for name in ("gap", "lower", "upper"))
    figures = f"{value:+.3f} [{lower:+.3f}, {upper:+.3f}]"
    n = f"n = {row['n_customers']:,}"
    return (
        f"{row['attribute']} {row['group']} ({n}): {_label(limit.measure)} {figures}",
        f"{row['attribute']} {row['group']}（{n}）：{_label_zh(limit.measure)} {figures}",
    )


def _label(measure: str) -> str:
    return measure.replace("_", " ")


def _label_zh(measure: str) -> str:
    return _MEASURES.get(measure, _label(measure))

"""Champion and challenger: may a newly trained model take over?

Only when its audit passes, its calibration holds, and there is no champion, or it is better than
the champion on rows that neither was trained on, by an interval that excludes zero. Otherwise the
champion stays. What could not be evaluated never releases.
"""

from dataclasses import dataclass

from mkt_models.columns import Verdict
from mkt_models.evaluation.calibration import CalibrationCheck
from mkt_models.evaluation.comparison import Comparison
from mkt_models.evaluation.gate_words import Reason
from mkt_models.models.card import Words
from mkt_models.models.ledger import Outcome

_VERDICTS = {
    Verdict.FAIL: Words(en="its audit fails", zh="公平性审计未通过"),
    Verdict.NOT_EVALUATED: Words(en="its audit could not be evaluated", zh="公平性审计无法评估"),
}


@dataclass(frozen=True)
class Decision:
    """What becomes of a challenger, and why."""

    outcome: Outcome
    reason: Words


def judge(
    verdict: Verdict,
    verdict_reasons: tuple[Reason, ...],
    calibration: CalibrationCheck,
    champion: str | None,
    comparison: Comparison | None,
) -> Decision:
    """Decide about a challenger.

    Parameters
    ----------
    verdict, verdict_reasons
        What the audit by group says of the challenger.
    calibration
        Whether its numbers are true.
    champion
        The version that is released; None when there is none, or it cannot go on.
    comparison
        Of the challenger with the champion; None counts as not comparable.

    Returns
    -------
    Decision
        FIRST, REPLACED, KEPT or REFUSED.

    """
    if against := _against(verdict, verdict_reasons, calibration):
        stays = (
            Words(en="", zh="")
            if champion is None
            else Words(en=f"; {champion} stays", zh=f"；{champion} 继续使用")
        )
        return Decision(
            Outcome.REFUSED,
            Words(
                en="; ".join(one.en for one in against) + stays.en,
                zh="；".join(one.zh for one in against) + stays.zh,
            ),
        )
    passes = _passes(verdict_reasons, calibration)
    if champion is None:
        return Decision(
            Outcome.FIRST,
            Words(en=f"no champion before it; {passes.en}", zh=f"此前没有正式模型；{passes.zh}"),
        )
    if comparison is not None and comparison.better:
        return Decision(
            Outcome.REPLACED,
            Words(
                en=f"better than {champion} on rows that neither has learnt from: "
                f"{comparison.words}; {passes.en}",
                zh=f"在双方都未学习过的样本上优于 {champion}：{comparison.words_zh}；{passes.zh}",
            ),
        )
    told = Words(en="not comparable: no comparison was made", zh="未作比较")
    if comparison is not None:
        told = Words(en=comparison.words, zh=comparison.words_zh)
    return Decision(
        Outcome.KEPT,
        Words(
            en=f"not shown to be better than {champion}, which stays: {told.en}",
            zh=f"未显示优于 {champion}，后者继续使用：{told.zh}",
        ),
    )


def _passes(reasons: tuple[Reason, ...], calibration: CalibrationCheck) -> Words:
    """What a released version passed, and what it passed by a parameter alone."""
    lenient = [one for one in reasons if one.lenient]
    audit = Words(
        en="".join(f" ({one.en})" for one in lenient),
        zh="".join(f"（{one.zh}）" for one in lenient),
    )
    return Words(
        en=f"its audit passes{audit.en}, its calibration holds ({calibration.why})",
        zh=f"审计通过{audit.zh}，校准成立（{calibration.why_zh}）",
    )


def _against(
    verdict: Verdict, reasons: tuple[Reason, ...], calibration: CalibrationCheck
) -> list[Words]:
    """Everything that speaks against a release, whoever the champion is."""
    found = []
    if verdict is not Verdict.PASS:
        said = _VERDICTS[verdict]
        why, why_zh = "; ".join(one.en for one in reasons), "；".join(one.zh for one in reasons)
        found.append(
            Words(
                en=f"{said.en}: {why}" if why else said.en,
                zh=f"{said.zh}：{why_zh}" if why else said.zh,
            )
        )
    if calibration.state != "holds":
        broken = calibration.state == "broken"
        found.append(
            Words(
                en=f"its calibration {'is broken' if broken else 'could not be evaluated'}: "
                f"{calibration.why}",
                zh=f"{'校准不成立' if broken else '校准无法评估'}：{calibration.why_zh}",
            )
        )
    return found

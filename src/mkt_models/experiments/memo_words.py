"""The sentences of a memo: sizes, effects, guardrails, segments, each in English and Chinese."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from scipy.special import ndtri

from mkt_models.columns import NumberKind, Verdict
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.said import Said
from mkt_models.experiments.sample_ratio import SampleRatio

Row = Mapping[Hashable, Any]


TITLES: Mapping[str, Said] = {
    "mismatch": Said(
        "Invalid: the arms do not have the sizes that were assigned, so nothing is judged.",
        "无效：各组人数与分配比例不符(样本比例失配)，不作任何判断。",
    ),
    "early": Said(
        "Keep running: the planned size is not reached, and nothing can be decided yet.",
        "继续运行：尚未达到计划样本量，目前不作结论。",
    ),
    "too little": Said(
        "Not evaluated: there is too little to judge any primary metric.",
        "未评估：数据不足，无法判断任何主要指标。",
    ),
    "no gain": Said("Do not ship: no gain is shown.", "不上线：未显示任何提升。"),
    "worse": Said(
        "Do not ship: a primary metric is shown to be worse.", "不上线：主要指标确实变差。"
    ),
    "guardrail in doubt": Said(
        "Do not ship: a gain is shown, but a guardrail is not shown to hold.",
        "不上线：虽有提升，但未能证实护栏指标在允许范围内。",
    ),
    "guardrail broken": Said(
        "Do not ship: a gain is shown, but a guardrail is broken.",
        "不上线：虽有提升，但护栏指标受损。",
    ),
    "guardrail broken, no gain": Said(
        "Do not ship: a guardrail is broken, and no gain is shown.",
        "不上线：护栏指标受损，且未显示提升。",
    ),
}

CHANGES: Mapping[str, Said] = {
    "mismatch": Said(
        "find where units were lost or counted twice (redirects, bots, logging, filters after the "
        "assignment), mend it, and run again with a new salt.",
        "查明样本在何处丢失或重复计数(跳转、爬虫、日志、分配之后的过滤)，修复后换用新的盐值重新实验。",
    ),
    "ship": Said(
        "a guardrail that breaks while it is rolled out, or a holdout that shows less; keep one, "
        "since an effect that was just shown is usually somewhat overstated.",
        "推广过程中护栏指标受损，或保留的对照组显示效果变小；请保留对照组，因为刚被证实的效果往往略有高估。",
    ),
    "worse": Said(
        "another treatment: that this one is worse is shown.",
        "换一种方案：本方案变差已得到证实。",
    ),
    "guardrail in doubt": Said(
        "a new experiment, large enough for the guardrail's interval to stay within its margin.",
        "另做一次规模更大的实验，使护栏指标的区间落在允许范围之内。",
    ),
    "guardrail broken": Said(
        "a treatment that keeps the gain without the loss.", "保留提升、消除损失的改进方案。"
    ),
    "guardrail broken, no gain": Said("another treatment.", "换一种方案。"),
}

EVERY_LOOK = Said(
    "Intervals and p-values hold at every look (confidence sequence).",
    "区间和 p 值在每次查看时都成立(置信序列)。",
)
PROLONGED = Said(
    "There are more units than planned: the intervals hold only if nobody looked at the result and "
    "then went on.",
    "样本多于计划：只有在没有人先看到结果再决定继续的情况下，以上区间才成立。",
)
UNPLANNED = Said(
    "No size was planned: the intervals hold only if this is the first and only look.",
    "事先没有确定样本量：只有在这是第一次、也是唯一一次查看时，以上区间才成立。",
)


def sizes(experiment: Experiment, ratio: SampleRatio, n: int, planned: int | None) -> Said:
    """Say how many units there are, and whether the arms are as assigned."""
    found = ratio.table.iloc[0]
    listed = [(arm, int(found[f"n_{arm}"])) for arm in experiment.shares]
    of, of_zh = (f" of {planned:,} planned", f"，计划 {planned:,}") if planned else ("", "")
    said = {
        Verdict.PASS: Said("as assigned", "与分配比例相符"),
        Verdict.FAIL: Said(f"not as assigned ({ratio.why.en})", f"与分配比例不符({ratio.why.zh})"),
        Verdict.NOT_EVALUATED: Said("not judged, too few", "太少，无法检验"),
    }[ratio.verdict]
    p = "" if math.isnan(ratio.p_value) else f"p = {ratio.p_value:.2g}"
    return Said(
        f"n = {n:,} complete units{of}; assigned: "
        + ", ".join(f"{arm} {size:,}" for arm, size in listed)
        + f"; sizes {said.en}{f', {p}' if p else ''} ({NumberKind.OBSERVED}).",
        f"完整样本 n = {n:,}{of_zh}；已分配："
        + "，".join(f"{arm} 组 {size:,}" for arm, size in listed)
        + f"；各组人数{said.zh}{f'，{p}' if p else ''}(观测)。",
    )


def effect(row: Row) -> Said:
    """Say what one metric shows of one arm."""
    name, name_zh, arm, control = (row[key] for key in ("metric", "metric_zh", "arm", "control"))
    if row["note"]:
        return Said(
            f"{name}, {arm} against {control}: {row['note']}.",
            f"{name_zh}，{arm} 组对 {control} 组：{row['note_zh']}。",
        )
    ends = f"[{_told(row, 'effect_lower')}, {_told(row, 'effect_upper')}]"
    sense = {
        "better": Said("shown to be better", "确实更好"),
        "worse": Said("shown to be worse", "确实更差"),
        "": Said("no difference is shown", "未显示差异"),
    }[row["verdict"]]
    lift = ""
    if not math.isnan(row["lift_lower"]):
        lift = f" ({row['lift']:+.2%} [{row['lift_lower']:+.2%}, {row['lift_upper']:+.2%}])"
    n, p = f"n = {row['n']:,} + {row['n_control']:,}", f"p = {row['p_adjusted']:.2g}"
    points, points_zh = (" points", " 个百分点") if _in_points(row) else ("", "")
    by, at = _CORRECTION[row["correction"]], f"{row['level']:.4g}"
    value, first = _told(row, "effect"), Said()
    since = bool(pd.notna(row["shown_at"]))
    if since:
        shown_at = f"{row['shown_at']:%Y-%m-%d}" if _dated(row) else f"{row['shown_at']:.12g}"
        first = Said(f", shown from {shown_at} on", f"，自 {shown_at} 起得到证实")
    wide = Said()
    if row["verdict"] and not since and row["effect_lower"] <= 0 <= row["effect_upper"]:
        wide = Said(
            " (widened for all comparisons at once, so that one may reach 0 where the adjusted "
            "p-value, which the claim goes by, is small enough)",
            "(区间按全部比较同时放宽，因此可能包含 0；结论依据校正后的 p 值)",
        )
    skew = Said()
    if row["normal_from"] > min(row["n"], row["n_control"]):
        judged = Said(
            "judged by drawing the assignment again: exact where nothing happened, and",
            "以重新随机分配来判断：在没有任何效果时是精确的，但",
        )
        if row["test"] == "confidence sequence":
            judged = Said(
                "shown only if a test that assumes nothing of the values agrees;",
                "只有不依赖数值分布的检验也一致时才算证实；",
            )
        skew = Said(
            f" Its values are skewed ({judged.en} the interval of an effect is rough below "
            f"{row['normal_from']:,.0f} units per arm: take more units, equal shares, or a metric "
            "that is capped, at a limit chosen before).",
            f"数值偏斜({judged.zh}每组少于 {row['normal_from']:,.0f} 个样本时效果区间较为粗略："
            "可增加样本、采用均等分配，或使用事先确定上限的截断指标)。",
        )
    return Said(
        f"{name}, {arm} against {control}: {sense.en}: {value}{points} {ends}{lift}; {n}, {p} "
        f"({by.en}), intervals at {at}{wide.en}{first.en}, {row['kind']}.{skew.en}",
        f"{name_zh}，{arm} 组对 {control} 组：{sense.zh}：{value}{points_zh} {ends}{lift}；{n}，{p}"
        f"({by.zh})，区间置信水平 {at}{wide.zh}{first.zh}，随机实验。{skew.zh}",
    )


def guardrail(row: Row) -> Said:
    """Say whether one guardrail of one arm holds."""
    verdict = {
        Verdict.PASS: Said("holds", "通过"),
        Verdict.FAIL: Said("broken", "受损"),
        Verdict.NOT_EVALUATED: Said("not shown to hold", "未能证实"),
    }[row["verdict"]]
    n, arm = f"n = {row['n']:,} + {row['n_control']:,}", row["arm"]
    why, why_zh = row["why"], row["why_zh"]
    return Said(
        f"Guardrail {row['metric']}, {arm}: {verdict.en}: {why}; {n}, {row['kind']}.",
        f"护栏指标 {row['metric_zh']}，{arm} 组：{verdict.zh}：{why_zh}；{n}，随机实验。",
    )


def not_shown(secondary: Sequence[Row]) -> list[Said]:
    """Count the secondary comparisons that show nothing, and those not judged."""
    judged = [row for row in secondary if not row["note"]]
    hidden, rest = sum(not row["shown"] for row in judged), len(secondary) - len(judged)
    found = []
    if hidden:
        found.append(
            Said(
                f"Secondary comparisons that show no difference: {hidden} of {len(judged)}.",
                f"{len(judged)} 项次要比较中，{hidden} 项未显示差异。",
            )
        )
    if rest:
        found.append(
            Said(
                f"Secondary comparisons that are not judged: {rest}.",
                f"另有 {rest} 项次要比较未评估。",
            )
        )
    return found


def segments(table: pd.DataFrame) -> list[Said]:
    """Say between which declared segments the effect differs, and count the rest."""
    if table.empty:
        return []
    tests = table.drop_duplicates(["segment", "metric", "arm"])
    shown = tests[tests["differs"]].to_dict("records")
    found = [
        Said(
            f"The effect of {row['arm']} on {row['metric']} is shown to differ between the groups "
            f"of {row['segment']} (declared before; p = {row['interaction_adjusted']:.2g}, Holm).",
            f"{row['arm']} 组对 {row['metric']} 的效果在 {row['segment']} 各组之间确有差别"
            f"(事先声明；p = {row['interaction_adjusted']:.2g}，Holm 校正)。",
        )
        for row in shown
    ]
    explored = int((tests["status"] == "exploratory").sum())
    quiet = len(tests) - explored - len(shown)
    if quiet:
        found.append(
            Said(
                f"Declared comparisons of segments that show no difference: {quiet}.",
                f"{quiet} 项事先声明的分群比较未显示组间差别。",
            )
        )
    if explored:
        found.append(
            Said(
                f"Exploratory comparisons of segments, which claim nothing: {explored}.",
                f"{explored} 项分群比较属于探索性分析，不作任何结论。",
            )
        )
    return found


def change(
    why: str, primary: Sequence[Row], settings: Experiments, n: int, planned: int | None
) -> Said:
    """Say what would change a decision that depends on how much there is."""
    if why == "early":
        return Said(
            f"{planned:,} complete units; there are {n:,}.",
            f"达到 {planned:,} 个完整样本；目前为 {n:,} 个。",
        )
    known = [row for row in primary if not row["note"] and row["effect_error"] > 0]
    if why == "too little" or not known:
        return Said(
            f"at least {settings.min_units:,} units in every arm, enough of which respond.",
            f"每组至少 {settings.min_units:,} 个样本，并且有足够多的响应。",
        )
    row = known[0]
    error, half = float(row["effect_error"]), (row["effect_upper"] - row["effect_lower"]) / 2
    seen = half + float(ndtri(settings.power)) * error
    unit, unit_zh = ("", "")
    if _in_points(row):
        seen, unit, unit_zh = 100 * seen, " points", " 个百分点"
    return Said(
        f"an effect of ±{seen:.3g}{unit} on {row['metric']} would have been shown with a chance of "
        f"{settings.power:.0%}; for half of that, four times the units are needed. That is a new "
        "experiment: to prolong this one after its result was seen is to peek.",
        f"{row['metric_zh']}上 ±{seen:.3g}{unit_zh}的效果有 {settings.power:.0%} 的机会被发现；若要"
        "发现一半大小的效果，需要四倍样本。那应是一次新的实验：看到结果之后再延长本实验，等于偷看。",
    )


def _in_points(row: Row) -> bool:
    return bool(row["metric_kind"] == "proportion")


def _dated(row: Row) -> bool:
    return hasattr(row["shown_at"], "strftime")


def _told(row: Row, column: str) -> str:
    return f"{(100 if _in_points(row) else 1) * row[column]:+.3g}"


_CORRECTION: Mapping[str, Said] = {
    "holm": Said("Holm", "Holm 校正"),
    "benjamini_hochberg": Said("Benjamini and Hochberg", "Benjamini–Hochberg 校正"),
    "none": Said("not corrected", "未校正"),
}

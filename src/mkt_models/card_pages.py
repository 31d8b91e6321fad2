"""One page per model card, in English and Chinese: what a reader must know before relying on it.

Everything is read from the card; nothing is computed here.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from mkt_models.columns import ModelStatus
from mkt_models.decisions.words import KINDS, MODELS, VERDICTS
from mkt_models.models.card import Figure, ModelCard, Words

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_Both = tuple[str, str]

STATUS: Mapping[ModelStatus, _Both] = {
    ModelStatus.CANDIDATE: ("candidate: not judged yet", "候选：尚未评审"),
    ModelStatus.RELEASED: ("released: this version decides", "已发布：当前使用的版本"),
    ModelStatus.RETIRED: ("retired: another version decides, or none", "已退役：不再使用"),
    ModelStatus.REFUSED: ("refused: this version does not decide", "未发布：不用于决策"),
}
_METRICS: Mapping[str, _Both] = {
    "auc": ("AUC", "AUC"),
    "pr_auc": ("PR-AUC", "PR-AUC"),
    "brier": ("Brier", "Brier"),
    "log_loss": ("log loss", "对数损失"),
    "ece": ("ECE", "ECE"),
    "mae": ("MAE", "MAE"),
    "rmse": ("RMSE", "RMSE"),
    "bias": ("bias", "总额偏差"),
    "spearman": ("Spearman", "Spearman"),
    "gini": ("Gini", "基尼系数"),
}
# In the JSON alone, so that the table fits a page.
_NOT_SHOWN = frozenset({"pr_auc", "log_loss", "rmse", "spearman"})
_STATES: Mapping[str, _Both] = {
    "holds": ("holds", "成立"),
    "broken": ("broken", "不成立"),
    "not_evaluated": ("not evaluated", "未评估"),
}
_FINDINGS: Mapping[str, _Both] = {
    "within": ("within", "在限值内"),
    "beyond": ("beyond", "超出限值"),
    "suspected": ("suspected", "疑似有差距"),
    "undecided": ("undecided", "无法判定"),
}
_LABELS: Mapping[str, _Both] = {
    "question": ("What it predicts", "预测什么"),
    "intended": ("For", "适用"),
    "not_intended": ("Not for", "不适用"),
    "data": ("What it was trained on", "训练数据"),
    "figures": ("How good it is", "效果如何"),
    "calibration": ("Calibration", "校准"),
    "champion": ("Beside the champion", "与正式模型相比"),
    "fairness": ("Does it treat groups alike?", "是否公平对待各群体"),
    "fairness_note": (
        "Calibration gap: observed minus predicted mean. Selection ratio: how often the group is "
        "among the highest scores, which would be selected, over how often everybody is; 1: alike. "
        "Backtested; intervals are corrected for the number of groups.",
        "校准差距：实际均值减预测均值。入选率比：该群体进入高分入选名单的比例，除以全体的比例；"
        "1 表示相同。均为回测；区间已按群体数校正。",
    ),
    "movers": ("What moves it", "主要影响因素"),
    "movers_note": (
        "Shares of the mean absolute SHAP values of today's customers; they explain the model, "
        "not the world.",
        "按当前客户的平均绝对 SHAP 值计算的占比；解释的是模型，不是因果。",
    ),
    "limits": ("Limits", "局限"),
}


def page_names(card: ModelCard, number: int = 0) -> tuple[str, str]:
    """The files of a card, HTML and JSON; ``number`` above 0 is a champion of an earlier run.

    >>> from types import SimpleNamespace as N
    >>> page_names(N(facts=N(model=N(value="churn"))), 1)
    ('card_churn_champion.html', 'card_churn_champion.json')
    """
    name = f"card_{card.facts.model.value}{'_champion' if number else ''}"
    return f"{name}.html", f"{name}.json"


def render_cards(cards: Sequence[ModelCard], run: str, css: str, templates: Path) -> dict[str, str]:
    """Render the pages and the JSON of cards: file name to text, in their order.

    The first card of a model is that of the run; a second one is the champion's.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("card.html.j2")
    found: dict[str, str] = {}
    for card in cards:
        html, plain = page_names(card)
        if html in found:
            html, plain = page_names(card, 1)
        found[html] = template.render(
            css=css,
            run=run,
            card=card,
            json_name=plain,
            parameters=json.dumps(card.facts.parameters, indent=2, ensure_ascii=False),
            sides=[card_side(card, language) for language in LANGUAGES],
        )
        found[plain] = json.dumps(card.as_dict(), indent=2, ensure_ascii=False) + "\n"
    return found


def card_side(card: ModelCard, language: Language) -> dict[str, Any]:
    """Put a card into words of one language, ready to be shown."""
    side = LANGUAGES.index(language)
    facts, standing = card.facts, card.standing
    zh = language == "zh"

    def told(words: Sequence[Words]) -> list[str]:
        return [getattr(one, language) for one in words]

    every = dict.fromkeys(figure.metric for figure in facts.figures)
    metrics = [one for one in every if one == facts.metric or one not in _NOT_SHOWN]
    name = MODELS[facts.model.value][side]
    n = facts.figures[0] if facts.figures else None
    verdict = VERDICTS[standing.verdict.value][side]
    return {
        "language": language,
        "words": {key: both[side] for key, both in _LABELS.items()},
        "title": f"{name}模型" if zh else f"The {name} model",
        "status": STATUS[standing.status][side],
        "status_class": standing.status.value,
        "decided": (standing.decided_at or "")[:16].replace("T", " "),
        "reason": getattr(standing.reason, language),
        "question": getattr(facts.question, language),
        "intended": told(facts.intended),
        "not_intended": told(facts.not_intended),
        "limits": told(facts.limits),
        "data": _data(card, side),
        "figures_note": _figures_note(n, facts.tested, side),
        "figures_head": [
            "模型" if zh else "model",
            f"{_METRICS[facts.metric][side]} {'之差' if zh else 'difference'}",
            *(_METRICS[m][side] for m in metrics),
        ],
        "figures": _figures(facts.figures, metrics, facts.metric, side),
        "calibration": _calibration(card, side),
        "comparison": _comparison(card, side),
        "verdict": f"审计结论：{verdict}" if zh else f"Audit: {verdict}",
        "verdict_reasons": told(standing.verdict_reasons),
        "groups_head": (
            ("属性", "群体", "客户数", "校准差距", "入选率比", "判定")
            if zh
            else (
                "attribute",
                "group",
                "customers",
                "calibration gap",
                "selection ratio",
                "finding",
            )
        ),
        "groups": [
            (
                one.attribute.replace("_", " "),
                one.group,
                f"{one.n_customers:,}",
                _interval(one.calibration_gap, one.lower, one.upper, "+.3f"),
                _number(one.selection_ratio, ".2f"),
                _FINDINGS.get(one.finding, (one.finding, one.finding))[side],
            )
            for one in standing.groups
        ],
        "movers_note": _movers_note(card, side),
        "movers": [(getattr(one, language), _number(one.share, ".1%")) for one in standing.movers],
        "features_title": f"{len(facts.features)} 个特征"
        if zh
        else f"{len(facts.features)} features",
        "features_head": ("名称", "含义", "单位") if zh else ("name", "meaning", "unit"),
        "features": [(one.name, getattr(one, language), one.unit) for one in facts.features],
    }


def _data(card: ModelCard, side: int) -> list[tuple[str, str]]:
    trained = card.facts.trained
    rows = [
        (("Source", "来源"), trained.source.replace("_", " ")),
        (("Data hash", "数据哈希"), trained.data_hash),
        (("Rows", "样本数"), f"{trained.rows:,}"),
        (("Customers", "客户数"), f"{trained.customers:,}"),
    ]
    if trained.positives is not None:
        rows.append((("With the outcome", "正样本数"), f"{trained.positives:,}"))
    rows += [
        (("Dates", "日期"), f"{trained.first} – {trained.last}"),
        (("Labels seen before", "标签截止（不含）"), f"{trained.labels_until}"),
    ]
    return [(names[side], value) for names, value in rows]


def _movers_note(card: ModelCard, side: int) -> str:
    n = card.standing.movers[0].n if card.standing.movers else None
    told = "" if n is None else (f" n = {n:,} predictions.", f"n = {n:,} 个预测。")[side]
    return _LABELS["movers_note"][side] + told


def _figures_note(figure: Figure | None, tested: Sequence[date], side: int) -> str:
    if figure is None:
        return ("not available", "无")[side]
    days = ", ".join(str(day) for day in tested)
    on = ((f" Tested on {days}." if days else ""), (f"测试日期：{days}。" if days else ""))[side]
    return _note_of(figure)[side] + on


def _note_of(figure: Figure) -> tuple[str, str]:
    en, zh = KINDS[figure.kind.value]
    return (
        f"{en.capitalize()}, n = {figure.n:,} rows of {figure.n_customers:,} "
        "customers; intervals over customers. Simple peers predict the same rows; the "
        "difference is theirs minus the model's, paired.",
        f"{zh}，n = {figure.n:,}（{figure.n_customers:,} 位客户）；区间按客户计算。"
        "对照模型预测同一批样本；差值为对照减本模型，逐对计算。",
    )


def _figures(
    figures: Sequence[Figure], metrics: Sequence[str], compared: str, side: int
) -> list[tuple[str, ...]]:
    rows = []
    for of in dict.fromkeys(figure.of for figure in figures):
        own = {figure.metric: figure for figure in figures if figure.of == of}
        name = ("this model", "本模型")[side] if of == "this_model" else of.replace("_", " ")
        cells = [
            _interval(own[m].value, own[m].lower, own[m].upper, _form(own[m].value))
            if m in own
            else ""
            for m in metrics
        ]
        gap = own[compared] if compared in own and of != "this_model" else None
        told = "–"
        if gap is not None:
            ends = (gap.difference, gap.difference_lower, gap.difference_upper)
            told = _interval(*ends, "+.2f" if _large(gap.difference) else "+.3f")
        rows.append((name, told, *cells))
    return rows


def _calibration(card: ModelCard, side: int) -> str:
    found = card.standing.calibration
    if found is None:
        return STATUS[ModelStatus.CANDIDATE][side]
    state = _STATES.get(str(found.get("state")), _STATES["not_evaluated"])[side]
    return f"{state}{'：' if side else ': '}{found.get(('why', 'why_zh')[side], '')}"


def _comparison(card: ModelCard, side: int) -> str:
    found, champion = card.standing.comparison, card.standing.champion
    if champion is None:
        return ("There was no champion before it.", "此前没有正式模型。")[side]
    if not found or found.get("gain") is None:
        note = _in(found or {}, "note", side)
        return (f"Not comparable with {champion}: {note}", f"无法与 {champion} 比较：{note}")[side]
    gain = _interval(found["gain"], found["lower"], found["upper"], "+.4g")
    metric = _METRICS[str(found["metric"])][side]
    return (
        f"{champion}: {metric} better by {gain}, n = {found['n']:,}; {_in(found, 'basis', 0)}",
        f"{champion}：{metric} 改善 {gain}，n = {found['n']:,}；{_in(found, 'basis', 1)}",
    )[side]


def _in(found: Mapping[str, Any], name: str, side: int) -> str:
    """Words of a comparison; cards of before have them in English alone."""
    return str((found.get(f"{name}_zh") if side else "") or found.get(name) or "")


def _form(value: float | None) -> str:
    return ",.1f" if _large(value, 10) else ".3f"


def _large(value: float | None, least: float = 1) -> bool:
    return value is not None and abs(value) >= least


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"


def _interval(value: float | None, lower: float | None, upper: float | None, form: str) -> str:
    if value is None:
        return "–"
    if lower is None or upper is None:
        return f"{value:{form}}"
    return f"{value:{form}} [{lower:{form}}, {upper:{form}}]"

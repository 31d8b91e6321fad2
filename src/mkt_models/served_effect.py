"""The holdout of a service, judged: was it kept as drawn, and what do all contacts bring?"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from mkt_models.columns import Verdict
from mkt_models.decisions.holdout import holdout_experiment
from mkt_models.decisions.holdout_effect import HoldoutEffect, holdout_effect
from mkt_models.decisions.short_names import arms_in_chinese
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Words
from mkt_models.params import Params
from mkt_models.served_params import ServedRule

_START = datetime(2000, 1, 1, tzinfo=UTC)


def effect_since(params: Params) -> datetime:
    """The moment from which on the holdout is compared, aware: ``served.effect_since``."""
    if params.served.effect_since is None:
        return _START
    return datetime.combine(params.served.effect_since, time(), params.source.zone)


def judged_effect(
    decided: Iterable[Mapping[str, Any]],
    outcomes: Iterable[Mapping[str, Any]],
    params: Params,
    until: datetime,
) -> tuple[HoldoutEffect | None, list[Alarm]]:
    """Hold customers who may be contacted against the holdout, from its first day on.

    Parameters
    ----------
    decided, outcomes
        As ``LiveReader`` gives them; of decisions the arm, its probability, who and when.
    params
        Share and salt of the holdout, risks, and the days of the comparison.
    until
        Aware time up to which they are known.

    Returns
    -------
    The analysis, None where it could not be made; and the alarms of the sample ratio and of the
    effect.

    """
    decisions, settings = params.decisions, params.served
    watched = (ServedRule.SAMPLE_RATIO, ServedRule.HOLDOUT_EFFECT)
    try:
        found = holdout_effect(
            decided,
            outcomes,
            holdout_experiment(decisions.holdout_share, decisions.holdout_salt),
            params.experiments.model_copy(update={"alpha": settings.false_alarms}),
            days=settings.effect_days,
            since=effect_since(params),
            until=until,
        )
    except ValueError as error:
        lacks = (f"the effect of the holdout: {error}", f"对照组效果无法计算：{error}")
        return None, [rules.lacking(rule, lacks) for rule in watched]
    ratio = found.result.sample_ratio
    why, why_zh = ratio.why.en, arms_in_chinese(ratio.why.zh)
    rule = ServedRule.SAMPLE_RATIO
    if ratio.verdict is Verdict.NOT_EVALUATED:
        alarms = [rules.lacking(rule, (f"{why}.", f"{why_zh}。"))]
    else:
        bad = float(ratio.verdict is Verdict.FAIL)
        what = (f"{why}.", f"{why_zh}。")
        alarms = [rules.of_fact(rule, "holdout", what, bad, len(found.customers), 0)]
    return found, alarms + rules.of_effect(found.result.effects)


def in_all(found: HoldoutEffect) -> Words:
    """Say what all contacts together do, by the holdout: good, harm, both, or it is not known.

    The memo of an experiment says whether to ship; there is nothing to ship or not of a holdout.
    """
    if found.result.sample_ratio.verdict is Verdict.FAIL:
        return (
            "what contacts do is not known: the arms are not as they were drawn.",
            "触达的作用未知：两组与分配不符。",
        )
    effects = found.result.effects
    primary = effects[effects["role"] == "primary"]
    if primary.empty or (primary["note"] != "").all():
        return (
            "what contacts do is not known: too few customers have had their days yet.",
            "触达的作用未知：观察期满的客户太少。",
        )
    good, harm = (primary[primary["verdict"] == one] for one in ("better", "worse"))
    en, zh = (
        {
            name: "、".join(rows[column]) if column == "metric_zh" else " and ".join(rows[column])
            for name, rows in (("good", good), ("harm", harm))
        }
        for column in ("metric", "metric_zh")
    )
    if len(good) and len(harm):
        return (
            f"contacts raise {en['good']} and lower {en['harm']}.",
            f"触达提高了{zh['good']}，却降低了{zh['harm']}。",
        )
    if len(harm):
        return f"contacts do harm: they lower {en['harm']}.", f"触达有害：降低了{zh['harm']}。"
    if len(good):
        return f"contacts do good: they raise {en['good']}.", f"触达有益：提高了{zh['good']}。"
    return (
        "whether contacts do good or harm is not known: neither is shown.",
        "触达有益还是有害尚不清楚：两者均未得到证实。",
    )

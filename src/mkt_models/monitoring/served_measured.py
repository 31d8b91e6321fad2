"""How often every rule on a service alarms without a cause, and how soon it sees a planted fault.

Measured by ``benchmarks/served.py`` on drawn services of 1,000 customers that were looked at once a
week; a test holds these figures against ``benchmarks/served.json``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.served_params import ServedRule


@dataclass(frozen=True)
class Fault:
    """What was planted, in which size, in how many services, and in how many it was seen.

    ``days`` is the median of the days until the alarm, None where fewer than half saw it.
    """

    rule: ServedRule
    planted: str
    planted_zh: str
    size: float
    services: int
    seen: int
    days: float | None


# Alarms and looks that were evaluated: of young services (weeks 2 to 8), and of those run in.
STABLE: Mapping[ServedRule, tuple[tuple[int, int], tuple[int, int]]] = {
    ServedRule.SAMPLE_RATIO: ((0, 25), (0, 20)),
    ServedRule.HOLDOUT_EFFECT: ((0, 14), (0, 20)),
    ServedRule.CONTACT_POLICY: ((0, 25), (0, 20)),
    ServedRule.CAPS: ((0, 25), (0, 20)),
    ServedRule.BUDGETS: ((0, 25), (0, 20)),
    ServedRule.COST: ((0, 25), (0, 20)),
    ServedRule.REPORTS: ((0, 25), (0, 20)),
    ServedRule.COMPLAINTS: ((0, 25), (0, 20)),
    ServedRule.STALE_PROFILES: ((0, 25), (0, 20)),
    ServedRule.STRATEGY_MIX: ((0, 10), (0, 20)),
    ServedRule.SUPPRESSION: ((0, 10), (0, 20)),
    ServedRule.FAIRNESS: ((0, 25), (0, 20)),
}
PLANTED: tuple[Fault, ...] = (
    Fault(
        ServedRule.SAMPLE_RATIO,
        "holdout that does not turn up, share",
        "对照组客户不再出现的比例",
        0.2,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SAMPLE_RATIO,
        "holdout that does not turn up, share",
        "对照组客户不再出现的比例",
        0.4,
        4,
        4,
        14.0,
    ),
    Fault(
        ServedRule.SAMPLE_RATIO,
        "holdout that stops asking, share",
        "对照组停止询问的比例",
        0.4,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SAMPLE_RATIO,
        "holdout that stops asking, share",
        "对照组停止询问的比例",
        0.8,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SAMPLE_RATIO,
        "another salt, share of customers",
        "盐值改变的客户比例",
        1.0,
        4,
        4,
        1.7,
    ),
    Fault(
        ServedRule.HOLDOUT_EFFECT,
        "purchases lost to contacts, share, from the start",
        "触达造成的购买损失比例（自上线起）",
        0.25,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.HOLDOUT_EFFECT,
        "purchases lost to contacts, share, from the start",
        "触达造成的购买损失比例（自上线起）",
        0.5,
        4,
        2,
        None,
    ),
    Fault(
        ServedRule.CONTACT_POLICY,
        "contacts sent after they were withdrawn",
        "撤回之后发出的触达数",
        1,
        4,
        4,
        1.7,
    ),
    Fault(
        ServedRule.CONTACT_POLICY,
        "contacts sent after they were withdrawn",
        "撤回之后发出的触达数",
        10,
        4,
        4,
        1.7,
    ),
    Fault(ServedRule.CAPS, "customers contacted beyond a cap", "超过上限的客户数", 1, 4, 4, 6.4),
    Fault(ServedRule.CAPS, "customers contacted beyond a cap", "超过上限的客户数", 10, 4, 4, 6.4),
    Fault(
        ServedRule.REPORTS,
        "contacts no longer reported on, share",
        "不再回报的触达比例",
        0.3,
        4,
        4,
        7.2,
    ),
    Fault(
        ServedRule.REPORTS,
        "contacts no longer reported on, share",
        "不再回报的触达比例",
        1.0,
        4,
        4,
        6.4,
    ),
    Fault(
        ServedRule.COMPLAINTS,
        "complaints per push contact",
        "每次推送触达的投诉率",
        0.03,
        4,
        1,
        None,
    ),
    Fault(
        ServedRule.COMPLAINTS,
        "complaints per push contact",
        "每次推送触达的投诉率",
        0.1,
        4,
        4,
        12.1,
    ),
    Fault(
        ServedRule.STALE_PROFILES,
        "customers with a stale profile, share",
        "画像过期的客户比例",
        0.02,
        4,
        3,
        22.7,
    ),
    Fault(
        ServedRule.STALE_PROFILES,
        "customers with a stale profile, share",
        "画像过期的客户比例",
        0.2,
        4,
        4,
        6.4,
    ),
    Fault(
        ServedRule.STRATEGY_MIX,
        "a strategy that vanishes, for a share of customers",
        "某策略消失的客户比例",
        0.25,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.STRATEGY_MIX,
        "a strategy that vanishes, for a share of customers",
        "某策略消失的客户比例",
        0.5,
        4,
        1,
        None,
    ),
    Fault(
        ServedRule.STRATEGY_MIX,
        "a strategy that vanishes, for a share of customers",
        "某策略消失的客户比例",
        1.0,
        4,
        4,
        7.2,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "consents that expire, share of customers",
        "同意到期的客户比例",
        0.2,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "consents that expire, share of customers",
        "同意到期的客户比例",
        0.4,
        4,
        1,
        None,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "consents no longer asked for, share of customers",
        "不再检查同意的客户比例",
        0.25,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "consents no longer asked for, share of customers",
        "不再检查同意的客户比例",
        0.5,
        4,
        0,
        None,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "consents no longer asked for, share of customers",
        "不再检查同意的客户比例",
        1.0,
        4,
        3,
        8.7,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "caps no longer kept, share of customers",
        "不再遵守上限的客户比例",
        0.5,
        4,
        3,
        11.4,
    ),
    Fault(
        ServedRule.SUPPRESSION,
        "caps no longer kept, share of customers",
        "不再遵守上限的客户比例",
        1.0,
        4,
        4,
        6.4,
    ),
    Fault(
        ServedRule.FAIRNESS,
        "a group of a fifth no longer reached, share of it",
        "某群体（五分之一客户）不再被触达的比例",
        0.25,
        4,
        1,
        None,
    ),
    Fault(
        ServedRule.FAIRNESS,
        "a group of a fifth no longer reached, share of it",
        "某群体（五分之一客户）不再被触达的比例",
        0.5,
        4,
        4,
        7.2,
    ),
    Fault(
        ServedRule.FAIRNESS,
        "a group of a fifth no longer reached, share of it",
        "某群体（五分之一客户）不再被触达的比例",
        1.0,
        4,
        4,
        6.4,
    ),
)


def measured() -> pd.DataFrame:
    """One row per rule: its false alarms on stable services, and its delay on planted faults.

    Columns: ``false_alarms`` per look, young services and others together, with Wilson's 95%
    interval and n; ``delay``: the faults by size, the share that was seen within four looks (from
    the first day on: six), and the median of the days until then; kind.
    """
    rows = {}
    for rule in ServedRule:
        looks = [STABLE[rule][i] for i in (0, 1)] if rule in STABLE else []
        alarms, n = (sum(one[i] for one in looks) for i in (0, 1))
        rows[rule.value] = {
            "false_alarms": _share(alarms, n) if n else "not measured",
            "delay": "; ".join(_faults(rule)) or "not measured",
            "kind": NumberKind.SIMULATED.value,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def _share(count: int, n: int) -> str:
    low, high = wilson_interval(count / n, n, 0.95)
    return f"{count / n:.1%} [{low:.1%}, {high:.1%}], n = {n:,}"


def _faults(rule: ServedRule) -> list[str]:
    faults = [one for one in PLANTED if one.rule is rule]
    told = []
    for planted in dict.fromkeys(one.planted for one in faults):
        mine = [one for one in faults if one.planted == planted]
        sizes = [
            f"{one.size:g}: {one.seen} of {one.services}"
            + (f", {one.days:g} days" if one.days is not None else "")
            for one in mine
        ]
        told.append(f"{planted} ({' | '.join(sizes)})")
    return told

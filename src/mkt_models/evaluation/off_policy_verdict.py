"""What an off-policy evaluation shows of a policy, in sentences: its support first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mkt_models.evaluation.off_policy import Estimator


@dataclass(frozen=True)
class Judgement:
    """Whether a policy was evaluated, and what was found, in English and Chinese.

    ``better`` is True or False where it is shown to be better or worse than the reference, and
    None where neither is.
    """

    evaluated: bool
    better: bool | None
    en: tuple[str, ...]
    zh: tuple[str, ...]


def verdict(
    table: pd.DataFrame,
    policy: str,
    estimator: Estimator,
    reference: str = "",
) -> Judgement:
    """Say in sentences what an :func:`off_policy_table` shows of a policy: its support first.

    ``reference`` is what the table was compared with; empty if with nothing.
    """
    rows = table[(table["policy"] == policy) & (table["estimator"] == estimator.value)]
    if rows.empty:
        has = ", ".join(
            f"{p}/{e}" for p, e in zip(table["policy"], table["estimator"], strict=True)
        )
        raise ValueError(f"no row of {policy!r} by {estimator.value}; has: {has}")
    row = rows.iloc[0]
    weighs = (
        f"weigh as much as {row['effective_n']:,.0f}, the largest weight is "
        f"{row['largest_share']:.2%} of all"
    )
    weighs_zh = (
        f"相当于 {row['effective_n']:,.0f} 个有效决策，最大权重占 {row['largest_share']:.2%}"
    )
    if np.isnan(row["largest_share"]):
        weighs, weighs_zh = "have no weight, as it takes none of their actions", "权重全部为零"
    en = [
        f"{policy}: {row['n']:,} decisions of {row['n_customers']:,} customers {weighs}, "
        f"{row['unsupported']:.1%} of its probability is without support."
    ]
    zh = [
        f"{policy}：{row['n_customers']:,} 位客户的 {row['n']:,} 个决策{weighs_zh}，"
        f"{row['unsupported']:.1%} 的概率没有日志支持。"
    ]
    if not row["judged"]:
        en.append(f"Not evaluated: {row['note']}.")
        zh.append(f"未评估：{row['note_zh']}。")
        return Judgement(False, None, tuple(en), tuple(zh))
    value, value_zh = (_ends(row, "value", "{:.4g}", one) for one in ("no interval", "无区间"))
    en.append(f"Its value per decision is {value} ({estimator.value}, off-policy).")
    zh.append(f"每个决策的价值为 {value_zh}（{estimator.value}，离线策略评估）。")
    better: bool | None = None
    if reference and np.isnan(row["difference"]):
        en.append(f"{row['note'].capitalize()}.")
        zh.append(f"{row['note_zh']}。")
    elif reference:
        sign = int(row["difference_lower"] > 0) - int(row["difference_upper"] < 0)
        better = None if sign == 0 else sign > 0
        how = {1: "shown to be better than", -1: "shown to be worse than"}
        how_zh = {1: "优于", -1: "劣于"}
        gap = _ends(row, "difference", "{:+.4g}", "no interval")
        en.append(f"It is {how.get(sign, 'not shown to differ from')} {reference}: {gap}.")
        told = f"结果显示{how_zh[sign]} {reference}" if sign else f"未显示与 {reference} 有差异"
        zh.append(f"{told}：{_ends(row, 'difference', '{:+.4g}', '无区间')}。")
    return Judgement(True, better, tuple(en), tuple(zh))


def _ends(row: pd.Series, column: str, form: str, without: str) -> str:
    value, low, high = (row[f"{column}{end}"] for end in ("", "_lower", "_upper"))
    if np.isnan(value):
        return "–"
    if np.isnan(low):
        return f"{form.format(value)} [{without}]"
    return f"{form.format(value)} [{form.format(low)}, {form.format(high)}]"

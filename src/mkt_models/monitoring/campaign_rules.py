"""From tables of what was found to alarms: the rules about campaigns and decisions."""

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.monitoring.alarms import Alarm, Outcome, reach_beyond
from mkt_models.monitoring.campaign import PERIOD
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.rules import alarm_of, day, lacking, read
from mkt_models.monitoring_params import Rule, Severity

_LESS = ("much of the effect is lost", "大部分效果已消失")


def of_effect(table: pd.DataFrame, subject: str) -> list[Alarm]:
    """One alarm per period of an ``effect_over_time``; critical."""
    found, rule = [], Rule.CAMPAIGN_EFFECT
    for row in table.to_dict("records"):
        period = day(row[PERIOD])
        if not row["evaluated"]:
            note = row["note"] or "no interval"
            what = (f"{subject}: {note}.", f"{subject}：{note}。")
            found.append(lacking(rule, subject, period, *what))
            continue
        now, before = read(row, "effect"), read(row, "reference")
        en = f"{subject}: a contact adds {now.words(4)}; before {before.words(4)}"
        zh = f"{subject}：每次触达带来 {now.words(4)}；此前为 {before.words(4)}"
        bad = row["harmful"] or row["lost"]
        unsure = int(not bad and not (now.lower >= 0 and row["loss_upper"] <= row["allowed"]))
        how = ("a loss that matters is ruled out", "可排除重要的下降")
        if unsure:
            how = ("no loss that matters is shown, nor ruled out", "未见重要的下降，但无法排除")
        if bad:
            how = ("it is shown to harm", "已显示有害") if row["harmful"] else _LESS
        what = (f"{en}: {how[0]}.", f"{zh}：{how[1]}。")
        outcome = Outcome.ALARM if bad else Outcome.OK
        kind, limit = NumberKind.RANDOMISED, row["allowed"]
        found.append(
            alarm_of(
                rule, subject, period, Severity.CRITICAL, what, now, limit, kind, outcome, unsure
            )
        )
    return found


def of_cost(table: pd.DataFrame, subject: str) -> list[Alarm]:
    """One alarm per period of a ``cost_over_time``: beyond the budget is critical."""
    found, rule = [], Rule.COST
    for row in table.to_dict("records"):
        period = day(row[PERIOD])
        if not row["evaluated"]:
            what = (f"{subject}: {row['note']}.", f"{subject}：{row['note']}。")
            found.append(lacking(rule, subject, period, *what))
            continue
        now, before = read(row, "per_contact"), read(row, "reference")
        sums, each, was = f"{row['cost']:,.2f}", now.words(2), before.words(2)
        en = f"{subject}: {sums} for {row['n']:,} contacts, {each} each; before {was}"
        zh = f"{subject}：{row['n']:,} 次触达共 {sums}，每次 {each}；此前 {was}"
        bad = row["over_budget"] or row["dearer"]
        unsure = int(not bad and row["rise_upper"] > row["allowed"])
        how = ("within limits", "在限度之内")
        if unsure:
            how = ("no rise that matters is shown, nor ruled out", "未见重要的上升，但无法排除")
        if bad:
            how = ("a contact has become dearer", "单次触达变贵")
        if row["over_budget"]:
            how = (f"beyond the budget of {row['budget']:,.2f}", f"超出预算 {row['budget']:,.2f}")
        what = (f"{en}: {how[0]}.", f"{zh}：{how[1]}。")
        severity = Severity.CRITICAL if row["over_budget"] else Severity.WARNING
        outcome = Outcome.ALARM if bad else Outcome.OK
        limit = row["budget"] if row["over_budget"] else row["allowed"]
        found.append(
            alarm_of(
                rule,
                subject,
                period,
                severity,
                what,
                now,
                limit,
                outcome=outcome,
                uncertain=unsure,
            )
        )
    return found


def of_caps(table: pd.DataFrame, subject: str) -> list[Alarm]:
    """One alarm per period and cap of a ``caps_over_time``; critical, and a fact."""
    found = []
    for row in table.to_dict("records"):
        n, most, days = row["n_customers"], row["most"], row["days"]
        en = (
            f"{subject}: {row['beyond']:,} of {n:,} customers had more than {most} contacts in "
            f"{days} days (the most: {row['highest']})"
        )
        zh = (
            f"{subject}：{n:,} 位客户中有 {row['beyond']:,} 位在 {days} 天内被触达超过 {most} 次"
            f"（最多 {row['highest']} 次）"
        )
        outcome = Outcome.ALARM if row["beyond"] else Outcome.OK
        figure = Figure(float(row["beyond"]), np.nan, np.nan, int(n))
        name = f"{subject}, {days} days"
        what, severity = (f"{en}.", f"{zh}。"), Severity.CRITICAL
        period = day(row[PERIOD])
        found.append(
            alarm_of(Rule.CAPS, name, period, severity, what, figure, 0.0, outcome=outcome)
        )
    return found


def of_shares(table: pd.DataFrame, rule: Rule, subject: str, period: str) -> list[Alarm]:
    """One alarm per label whose share has changed; one for all others; a warning."""
    found, severity = [], Severity.WARNING
    changed = table["changed"].astype(bool)
    for row in table[changed].to_dict("records"):
        now, before, gap = (read(row, part) for part in ("now", "before", "change"))
        name = str(row["label"]).replace("_", " ")
        en = f"{subject}: {name} went from {before.value:.1%} to {now.value:.1%} of customers"
        zh = f"{subject}：{name} 占客户的比例由 {before.value:.1%} 变为 {now.value:.1%}"
        told = f"{gap.value:+.1%} [{gap.lower:+.1%}, {gap.upper:+.1%}], n = {row['n']:,}"
        what = (f"{en} ({told}).", f"{zh}（{told}）。")
        found.append(alarm_of(rule, name, period, severity, what, gap, row["allowed"]))
    rest = table[~changed]
    if len(rest):
        row = rest.to_dict("records")[0]
        gap = read(row, "change")
        if row["evaluated"]:
            en = (
                f"{subject}: {len(rest)} of {len(table)} shares are not shown to have changed so "
                "that it matters"
            )
            zh = f"{subject}：{len(table)} 项占比中有 {len(rest)} 项无重要变化"
            what = (f"{en}, n = {row['n']:,} customers.", f"{zh}，n = {row['n']:,} 位客户。")
            found.append(
                alarm_of(
                    rule,
                    subject,
                    period,
                    severity,
                    what,
                    gap,
                    row["allowed"],
                    outcome=Outcome.OK,
                    uncertain=reach_beyond(rest, "change"),
                )
            )
        else:
            what = (f"{subject}: {row['note']}.", f"{subject}：{row['note']}。")
            found.append(lacking(rule, subject, period, *what))
    return found

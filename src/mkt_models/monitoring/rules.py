"""From tables of what was found to alarms: the rules about data, models and groups."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.headline import LESS_IS_BETTER
from mkt_models.monitoring.advice import ADVICE
from mkt_models.monitoring.alarms import RULES, Alarm, Outcome, reach_beyond
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring_params import Rule, Severity


def lacking(rule: Rule, subject: str, period: str, why: str, why_zh: str) -> Alarm:
    """Give the alarm of something that could not be evaluated."""
    return Alarm(rule, subject, period, Outcome.NOT_EVALUATED, Severity.WARNING, why, why_zh)


def of_drift(table: pd.DataFrame, rule: Rule, subject: str, period: str) -> list[Alarm]:
    """One alarm per feature that has drifted; one for all others; one for what is not evaluated.

    ``table`` is a ``drift_table``; ``subject`` is what the features belong to. Drift is a warning:
    it says that something has changed, not that anything is worse.
    """
    found, severity = [], Severity.WARNING
    evaluated = table["evaluated"].astype(bool)
    for row in table[table["drifted"].astype(bool)].to_dict("records"):
        by_chance, p = row["psi_by_chance"], row["p_adjusted"]
        en_numbers = f"PSI by chance {by_chance:.2f}; p {p:.3f}"
        zh_numbers = f"PSI {row['psi']:.2f}，随机水平 {by_chance:.2f}；p {p:.3f}"
        sizes = f"n = {row['customers_reference']:,} / {row['customers_current']:,}"
        moved = _moved(row)
        en = f"{subject}: {row['feature']} is distributed otherwise{moved[0]}: {row['note']}"
        zh = f"{subject}：{row['feature']} 的分布已变{moved[1]}"
        what = (f"{en} ({en_numbers}, {sizes}).", f"{zh}（{zh_numbers}，{sizes}）。")
        psi = Figure(row["psi"], np.nan, np.nan, int(row["customers_current"]))
        name = row["feature"] if row["feature"] != "score" else subject
        found.append(alarm_of(rule, name, period, severity, what, psi, row["psi_by_chance"]))
    quiet = table[evaluated & ~table["drifted"].astype(bool)]
    if len(quiet):
        expected = int((quiet["expected"] != "").sum())
        n = int(quiet["customers_current"].iloc[0])
        en = f"{subject}: no drift that matters is shown in {len(quiet)} of {len(table)} columns"
        zh = f"{subject}：{len(table)} 列中有 {len(quiet)} 列未见重要漂移"
        what = (
            f"{en} ({expected} are expected to move), n = {n:,} customers.",
            f"{zh}（其中 {expected} 列预期会变化），n = {n:,} 位客户。",
        )
        highest = Figure(float(quiet["psi"].max()), np.nan, np.nan, n)
        found.append(Alarm(rule, subject, period, Outcome.OK, severity, *what, figure=highest))
    left = table[~evaluated]
    if len(left):
        notes = "; ".join(dict.fromkeys(left["note"]))
        names = ", ".join(left["feature"].head(3))
        names += f" and {len(left) - 3} more" if len(left) > 3 else ""
        what = (f"{subject}: {names}: {notes}.", f"{subject}：{names}：{notes}。")
        found.append(lacking(rule, subject, period, *what))
    return found


def of_performance(
    table: pd.DataFrame, rule: Rule, subject: str, column: str, by: str
) -> list[Alarm]:
    """One alarm per period and metric that is held against a promise.

    ``column``: ``realised`` or ``estimate``. What was realised is critical, an estimate a warning.
    """
    realised = rule is Rule.REALISED_PERFORMANCE
    severity = Severity.CRITICAL if realised else Severity.WARNING
    kind = NumberKind.BACKTESTED if realised else NumberKind.PREDICTED
    found = []
    for row in table.to_dict("records"):
        period, name = day(row[by]), f"{subject} {row['metric']}"
        if not row["evaluated"]:
            what = (f"{name}: {row['note']}.", f"{name}：{row['note']}。")
            found.append(lacking(rule, name, period, *what))
            continue
        now, promised, loss = (read(row, part) for part in (column, "promised", "loss"))
        worse = ("above", "高出") if row["metric"] in LESS_IS_BETTER else ("below", "低于")
        en = f"{name} {now.words()}; promised {promised.words()}"
        zh = f"{name} {now.words()}；承诺 {promised.words()}"
        uncertain = int(not row["lost"] and loss.upper > row["allowed"])
        told = f"{loss.value:.3f} [{loss.lower:.3f}, {loss.upper:.3f}]"
        if row["lost"]:
            what = (f"{en}: {told} {worse[0]} it.", f"{zh}：{worse[1]} {told}。")
        else:
            how = ("a loss that matters is ruled out", "可排除重要的下降")
            if uncertain:
                how = ("no loss that matters is shown, nor ruled out", "未见重要的下降，但无法排除")
            limit = f"{row['allowed']:.3g}"
            what = (
                f"{en}: {how[0]} (loss {told}, {limit} allowed).",
                f"{zh}：{how[1]}（下降 {told}，允许 {limit}）。",
            )
        outcome = Outcome.ALARM if row["lost"] else Outcome.OK
        found.append(
            alarm_of(
                rule, name, period, severity, what, loss, row["allowed"], kind, outcome, uncertain
            )
        )
    return found


def of_calibration(table: pd.DataFrame, subject: str, by: str) -> list[Alarm]:
    """One alarm per period of a ``realised.calibration_table``; critical."""
    states = {"holds": Outcome.OK, "broken": Outcome.ALARM, "not_evaluated": Outcome.NOT_EVALUATED}
    found = []
    for row in table.to_dict("records"):
        what = (f"{subject}: {row['why']}, n = {row['n']:,}.", f"{subject}：{row['why_zh']}。")
        bias = Figure(row["bias"], row["bias_lower"], row["bias_upper"], int(row["n"]))
        found.append(
            alarm_of(
                Rule.CALIBRATION,
                subject,
                day(row[by]),
                Severity.CRITICAL,
                what,
                bias,
                kind=NumberKind.BACKTESTED,
                outcome=states[row["state"]],
                uncertain=int(row["undecided"]) if row["state"] == "holds" else 0,
            )
        )
    return found


def of_fairness(table: pd.DataFrame, subject: str, period: str) -> list[Alarm]:
    """One alarm per gap that has widened; one for all others; critical."""
    found, rule, severity = [], Rule.FAIRNESS, Severity.CRITICAL
    changed, evaluated = (table[name].astype(bool) for name in ("changed", "evaluated"))
    for row in table[changed].to_dict("records"):
        now, before, gap = (read(row, part) for part in ("gap", "before", "change"))
        name = f"{row['attribute']} {row['group']}"
        measure = row["measure"].replace("_", " ")
        told = f"{gap.value:+.3f} [{gap.lower:+.3f}, {gap.upper:+.3f}], n = {row['n_customers']:,}"
        ends = (f"{before.value:+.3f}", f"{now.value:+.3f}")
        en = f"{subject}, {measure}: the gap of {name} went from {ends[0]} to {ends[1]}"
        zh = f"{subject}，{measure}：{name} 的差距由 {ends[0]} 变为 {ends[1]}"
        what = (f"{en} ({told}).", f"{zh}（{told}）。")
        found.append(
            alarm_of(rule, f"{subject} {name}", period, severity, what, gap, row["allowed"])
        )
    quiet = table[evaluated & ~changed]
    if len(quiet):
        largest = quiet.sort_values("change", key=np.abs, kind="stable").to_dict("records")[-1]
        gap = read(largest, "change")
        unsure = reach_beyond(quiet, "change")
        en = f"{subject}: {len(quiet)} gaps are not shown to have widened so that it matters"
        zh = f"{subject}：{len(quiet)} 项差距未见重要扩大"
        told = f"{largest['attribute']} {largest['group']} {gap.words()}"
        what = (
            f"{en} (largest change: {told}); {unsure} are too uncertain to tell.",
            f"{zh}（最大变化：{told}）；其中 {unsure} 项无法判断。",
        )
        found.append(
            alarm_of(
                rule,
                subject,
                period,
                severity,
                what,
                gap,
                float(largest["allowed"]),
                outcome=Outcome.OK,
                uncertain=unsure,
            )
        )
    if not evaluated.any():
        why = "; ".join(dict.fromkeys(table["note"])) or "no group is large enough"
        found.append(lacking(rule, subject, period, f"{subject}: {why}.", f"{subject}：{why}。"))
    return found


def not_asked(found: list[Alarm], period: str) -> Iterator[Alarm]:
    """Give an alarm, not evaluated, for every rule of which there is nothing."""
    for rule in Rule:
        if not any(one.rule is rule for one in found):
            en, zh = RULES[rule]
            yield lacking(rule, en, period, f"no data for {en}", f"没有{zh}的数据")


def alarm_of(
    rule: Rule,
    subject: str,
    period: str,
    severity: Severity,
    what: tuple[str, str],
    figure: Figure,
    limit: float = np.nan,
    kind: NumberKind = NumberKind.OBSERVED,
    outcome: Outcome = Outcome.ALARM,
    uncertain: int = 0,
) -> Alarm:
    """Give an alarm with its advice, or the same without advice where all is well."""
    do = ADVICE[rule] if outcome is Outcome.ALARM else ("", "")
    return Alarm(
        rule,
        subject,
        period,
        outcome,
        severity,
        *what,
        *do,
        figure=figure,
        limit=limit,
        kind=kind,
        uncertain=uncertain,
    )


def read(row: dict[Any, Any], name: str) -> Figure:
    """Give a figure of a table's row: a column, and the ends beside it."""
    n = row.get("n_customers", row.get("n"))
    ends = (float(row[name]), float(row[f"{name}_lower"]), float(row[f"{name}_upper"]))
    return Figure(*ends, 0 if pd.isna(n) else int(n))


def _moved(row: dict[Any, Any]) -> tuple[str, str]:
    before, now = row["mean_reference"], row["mean_current"]
    if np.isnan(before) or np.isnan(now):
        return "", ""
    return f", its mean {before:,.3g} to {now:,.3g}", f"，均值 {before:,.3g} 变为 {now:,.3g}"


def day(period: object) -> str:
    """Name a period: a date by its day, anything else as it is."""
    return str(period.date()) if isinstance(period, pd.Timestamp) else str(period)

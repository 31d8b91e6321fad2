"""From tables of what a service did to alarms, each with what to do about it."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.monitoring.alarms import Alarm, Outcome, Words, reach_beyond
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.rules import read
from mkt_models.monitoring.served import CONTACTED, OFFERED
from mkt_models.monitoring_params import Severity
from mkt_models.served_params import ServedLimits, ServedRule

NOW = "all days"
MEASURES_ZH = {CONTACTED: "被触达", OFFERED: "获得优惠"}
RULES: dict[ServedRule, Words] = {
    ServedRule.SAMPLE_RATIO: ("the holdout as it was drawn", "对照组分配比例"),
    ServedRule.HOLDOUT_EFFECT: ("effect against the holdout", "相对对照组的效果"),
    ServedRule.CONTACT_POLICY: ("contacts within what was permitted", "触达是否在许可之内"),
    ServedRule.CAPS: ("caps of contacts", "触达频次上限"),
    ServedRule.BUDGETS: ("budgets", "预算"),
    ServedRule.COST: ("cost of a week's contacts", "每周触达成本"),
    ServedRule.REPORTS: ("reports on planned contacts", "计划触达的回报"),
    ServedRule.COMPLAINTS: ("complaints", "投诉"),
    ServedRule.STALE_PROFILES: ("age of the profiles", "画像时效"),
    ServedRule.STRATEGY_MIX: ("strategies and no action", "策略构成与不触达"),
    ServedRule.SUPPRESSION: ("suppressions", "抑制原因"),
    ServedRule.FAIRNESS: ("who is reached, by group", "各群体的触达差距"),
}
ADVICE: dict[ServedRule, Words] = {
    ServedRule.SAMPLE_RATIO: (
        "Believe no effect of this period. See whether one arm is asked for less often than the "
        "other (an app that is opened because of a letter), and whether share and salt were kept.",
        "本时期的效果一律不可信。请检查两组被询问的频率是否不同（例如因收到信件才打开应用），"
        "以及比例与盐值是否保持不变。",
    ),
    ServedRule.HOLDOUT_EFFECT: (
        "Contacts do harm. Raise decisions.holdout_share or stop the strategy that is served most, "
        "and see by strategy where the harm comes from, with an experiment.",
        "触达造成损害。请提高 decisions.holdout_share 或暂停使用最多的策略，并以实验查明来源。",
    ),
    ServedRule.CONTACT_POLICY: (
        "Something was sent after it was withdrawn, or too late. Find the sender that does not ask "
        "for leave (`sending`) right before it sends, and let it ask.",
        "有触达在撤回之后或逾期发出。请找出发送前未申请许可（`sending`）的系统并加以修正。",
    ),
    ServedRule.CAPS: (
        "Someone was contacted more often than allowed. Find the system that sends past the "
        "service or reports late, stop it, and let the customers concerned rest.",
        "有客户被触达的次数超过上限。请找出绕过服务或延迟回报的系统并停用，同时暂停触达相关客户。",
    ),
    ServedRule.BUDGETS: (
        "More was taken of a budget than there is. Find what was sent without leave, and agree "
        "with the owner of the budget before the next period is published.",
        "预算已超支。请查明未经许可的发送，并在发布下一周期前与预算负责人商定。",
    ),
    ServedRule.COST: (
        "Stop contacts over the dearest channel until the owner of the budget has agreed; see "
        "which strategy it serves.",
        "在预算负责人同意前停止最贵渠道的触达，并查看它服务于哪项策略。",
    ),
    ServedRule.REPORTS: (
        "The app does not say what became of contacts; they count against caps and budgets as if "
        "they were sent. Let it report `sent` and `not_sent` (POST /v1/exposures).",
        "应用未回报触达结果，这些触达仍计入频次与预算。请让其回报 `sent` 与 `not_sent`"
        "（POST /v1/exposures）。",
    ),
    ServedRule.COMPLAINTS: (
        "Read the complaints. Lower the caps of the channel that they are about, or raise "
        "complaint_days in the catalogue, before the next contacts go out.",
        "请阅读投诉内容。在下一批触达之前，降低相关渠道的频次上限，或提高目录中的 complaint_days。",
    ),
    ServedRule.STALE_PROFILES: (
        "Answers come from profiles that are too old, so everybody gets the default. Run the "
        "workflow on newer data and publish it (`mkt run`, `mkt publish`).",
        "画像已过期，客户只能得到默认内容。请用新数据运行并发布（`mkt run`、`mkt publish`）。",
    ),
    ServedRule.STRATEGY_MIX: (
        "See what changed on that day: the catalogue, the release of a model, prices of budgets. "
        "If no action has grown, look at the suppressions (caps and gaps among them); if it has "
        "shrunk, at consents and caps.",
        "查看当天的变化：策略目录、模型发布、预算价格。若“不触达”增多，请看抑制原因"
        "（包括频次上限与间隔）；若减少，请检查同意记录与频次上限。",
    ),
    ServedRule.SUPPRESSION: (
        "See whether consents, the catalogue or an audit have changed on that day. A suppression "
        "that has vanished is worse than one that has grown: contacts may go out that must not.",
        "查看当天的同意记录、策略目录或审计是否有变。抑制消失比增多更严重：可能发出本不该发的触达。",
    ),
    ServedRule.FAIRNESS: (
        "See which suppression keeps the group from being reached (consent and eligibility first), "
        "and run the audit (notebook 08) if it is a score.",
        "查明是哪项抑制使该群体未被触达（先看同意与资格条件）；"
        "若源于评分，请运行审计（笔记本 08）。",
    ),
}


def lacking(rule: ServedRule, why: Words) -> Alarm:
    """Give the alarm of something that could not be evaluated."""
    subject = RULES[rule][0]
    return Alarm(rule, subject, NOW, Outcome.NOT_EVALUATED, Severity.WARNING, *why)


def of_fact(
    rule: ServedRule,
    subject: str,
    what: Words,
    count: float,
    n: int,
    limit: float,
    severity: Severity = Severity.CRITICAL,
    *,
    hidden: bool = False,
) -> Alarm:
    """Give the alarm of a count or a sum that no chance explains: beyond ``limit``, or not.

    ``hidden``: the count is one of too few customers, and is judged without being told.
    """
    figure = Figure(np.nan if hidden else float(count), np.nan, np.nan, n)
    return _alarm(rule, subject, severity, what, figure, limit, bad=count > limit)


def of_share(
    rule: ServedRule,
    subject: str,
    words: Words,
    figure: Figure,
    customers: int,
    limit: float,
    k: int,
    severity: Severity = Severity.WARNING,
) -> Alarm:
    """Give the alarm of a share that is shown to be beyond ``limit``.

    ``words`` name the share, such as "customers who complained, of those who were contacted";
    ``customers`` is how many it counts: of 1 to ``k`` - 1 it is judged, and not told.
    """
    bad, n = figure.known and figure.lower > limit, figure.n
    uncertain = int(figure.known and not bad and figure.upper > limit)
    told = (f"{figure.value:.2%} [{figure.lower:.2%}, {figure.upper:.2%}], n = {n:,}",) * 2
    if few(customers, k):
        told = (
            f"{people(customers, k)[0]} customers, n = {n:,}",
            f"{people(customers, k)[1]} 位客户，n = {n:,}",
        )
        figure = Figure(np.nan, np.nan, np.nan, n)
    what = (
        f"{words[0]}: {told[0]}; at most {limit:.2%}.",
        f"{words[1]}：{told[1]}；上限 {limit:.2%}。",
    )
    return _alarm(rule, subject, severity, what, figure, limit, bad=bad, uncertain=uncertain)


def few(customers: int, k: int) -> bool:
    """Whether a figure is one of too few customers to be told: 1 to ``k`` - 1."""
    return 1 <= customers < k


def people(customers: int, k: int) -> Words:
    """A number of customers in words, hidden where it is small.

    >>> people(1200, 5), people(3, 5)
    (('1,200', '1,200'), ('fewer than 5', '不足 5'))
    """
    if few(customers, k):
        return f"fewer than {k}", f"不足 {k}"
    return f"{customers:,}", f"{customers:,}"


def of_caps(table: pd.DataFrame, names: Mapping[str, Words], k: int) -> list[Alarm]:
    """One alarm per cap that a customer is beyond; one for all others. ``cap_uses`` gives rows.

    ``names`` are the caps in words; numbers of fewer than ``k`` customers are not told.
    """
    found, rule = [], ServedRule.CAPS
    for row in table[table["beyond"] > 0].to_dict("records"):
        name, (beyond, beyond_zh) = (
            names.get(row["cap"], (row["cap"],) * 2),
            people(row["beyond"], k),
        )
        customers, customers_zh = people(row["customers"], k)
        hidden = few(row["beyond"], k)
        highest, highest_zh = f" (the most: {row['highest']})", f"（最多 {row['highest']} 次）"
        if hidden:
            highest = highest_zh = ""
        en = (
            f"{name[0]}: {beyond} of {customers} customers had more than "
            f"{row['most']} contacts in {row['days']} days{highest}."
        )
        zh = (
            f"{name[1]}：{customers_zh} 位客户中有 {beyond_zh} 位在 {row['days']} "
            f"天内被触达超过 {row['most']} 次{highest_zh}。"
        )
        subject, n = f"{row['cap']}, {row['days']} days", row["customers"]
        n = 0 if few(n, k) else n
        found.append(of_fact(rule, subject, (en, zh), row["beyond"], n, 0, hidden=hidden))
    quiet = table[table["beyond"] == 0]
    if len(quiet):
        n = int(quiet["customers"].max())
        told, told_zh = people(n, k)
        what = (
            f"nobody is beyond {len(quiet)} of {len(table)} caps, n = {told} customers.",
            f"{len(table)} 项上限中有 {len(quiet)} 项无人超过，n = {told_zh} 位客户。",
        )
        n = 0 if few(n, k) else n
        found.append(of_fact(rule, "caps", what, 0, n, 0))
    return found


def of_budgets(table: pd.DataFrame, k: int = 1) -> list[Alarm]:
    """One alarm per budget and period of a ``budget_table``: beyond its amount is critical.

    What fewer than ``k`` contacts have used is judged and not told.
    """
    found = []
    for row in table.to_dict("records"):
        told, hidden = f"{row['used']:,.2f} / {row['amount']:,.2f}", few(row["contacts"], k)
        if hidden:
            told = f"… / {row['amount']:,.2f}"
        period = f"{row['starts_on']} – {row['ends_on']}"
        en = f"budget {row['budget']}, {period}: {told} used."
        zh = f"预算 {row['budget']}（{period}）：已用 {told}。"
        subject, limit = f"{row['budget']} {row['starts_on']}", float(row["amount"])
        found.append(
            of_fact(ServedRule.BUDGETS, subject, (en, zh), row["used"], 0, limit, hidden=hidden)
        )
    return found


def of_effect(effects: pd.DataFrame) -> list[Alarm]:
    """One alarm per primary metric of the holdout's ``effects``: shown to harm is critical."""
    found, rule = [], ServedRule.HOLDOUT_EFFECT
    for row in effects[effects["role"] == "primary"].to_dict("records"):
        name, name_zh = str(row["metric"]), str(row["metric_zh"])
        n = int(row["n"]) + int(row["n_control"])
        if row["note"]:
            found.append(
                lacking(rule, (f"{name}: {row['note']}.", f"{name_zh}：{row['note_zh']}。"))
            )
            continue
        ends = (float(row["effect"]), float(row["effect_lower"]), float(row["effect_upper"]))
        figure = Figure(*ends, n, float(row["level"]))
        how = {
            "better": ("a gain is shown", "已显示提高"),
            "worse": ("it is shown to harm", "已显示有害"),
        }.get(str(row["verdict"]), ("no effect is shown", "未显示效果"))
        told = figure.words()
        en = f"{name} per customer: treatment minus holdout {told}: {how[0]}."
        zh = f"每位客户的{name_zh}：触达组减对照组 {told}：{how[1]}。"
        bad, kind = row["verdict"] == "worse", NumberKind.RANDOMISED
        found.append(
            _alarm(
                rule,
                name,
                Severity.CRITICAL,
                (en, zh),
                figure,
                0.0,
                kind=kind,
                bad=bad,
                uncertain=int(not bad and figure.known and figure.lower < 0),
            )
        )
    return found


def of_changes(
    table: pd.DataFrame,
    rule: ServedRule,
    names: Words,
    labels: Mapping[str, Words],
    k: int,
) -> list[Alarm]:
    """One alarm per label of ``share_changes_beyond`` that has changed; one for all others.

    They are warnings; ``labels`` are called by these words. A share of fewer than ``k`` customers,
    before or now, is judged and not told.
    """
    found, severity = [], Severity.WARNING

    def hidden(row: Mapping[Hashable, Any]) -> bool:
        counts = ((row["before"], row["n_before"]), (row["now"], row["n"]))
        return any(few(round(share * n), k) for share, n in counts)

    changed = table["changed"].astype(bool)
    for row in table[changed].to_dict("records"):
        before, now, gap = (read(row, part) for part in ("before", "now", "change"))
        label = str(row["label"]).replace("_", " ")
        label_zh = labels.get(str(row["label"]), (label, label))[1]
        told = f"{gap.value:+.1%} [{gap.lower:+.1%}, {gap.upper:+.1%}], n = {row['n']:,}"
        m = row["windows"]
        en = f"{label} went from {before.value:.1%} to {now.value:.1%} of customers ({told}); "
        en += f"before: the nearest of {m} earlier windows."
        zh = f"“{label_zh}”占客户的比例由 {before.value:.1%} 变为 {now.value:.1%}（{told}）；"
        zh += f"变化前取此前 {m} 个窗口中最接近的一个。"
        if hidden(row):
            way, way_zh = ("risen", "上升") if gap.value > 0 else ("fallen", "下降")
            limit, n = float(row["allowed"]), row["n"]
            en = f"{label} has {way} by {limit:.0%} of customers or more (before or now fewer than "
            en += f"{k} customers; n = {n:,})."
            zh = (
                f"“{label_zh}”占客户的比例{way_zh}达到或超过 {limit:.0%}（变化前或变化后不足 {k} 位"
            )
            zh += f"客户；n = {n:,}）。"
            gap = Figure(np.nan, np.nan, np.nan, n)
        limit = float(row["allowed"])
        found.append(_alarm(rule, label, severity, (en, zh), gap, limit, bad=True))
    rest = table[~changed].to_dict("records")
    if rest:
        row = rest[0]
        n, limit = row["n"], float(row["allowed"])
        en = f"{len(rest)} of {len(table)} shares are not shown to have changed so that it "
        en += f"matters, n = {n:,}."
        zh = f"{len(table)} 项占比中有 {len(rest)} 项无重要变化，n = {n:,}。"
        gap = Figure(np.nan, np.nan, np.nan, n) if hidden(row) else read(row, "change")
        unsure = reach_beyond(table[~changed], "change")
        found.append(
            _alarm(rule, names[0], severity, (en, zh), gap, limit, bad=False, uncertain=unsure)
        )
    return found


def of_gaps(
    table: pd.DataFrame,
    limits: ServedLimits,
    measures: Sequence[str],
    when: Words = ("whole period", "整个时期"),
) -> list[Alarm]:
    """One alarm per group of a ``gap_table`` that is shown to be far from all; one for the rest.

    A gap is an alarm when its interval leaves out 0 and it is as large as ``max_gap``; critical.
    ``when`` says of which time the table is.
    """
    found, rule, severity = [], ServedRule.FAIRNESS, Severity.CRITICAL
    judged = table[table["judged"].astype(bool) & table["measure"].isin(list(measures))]
    if judged.empty:
        notes = [str(note) for note in dict.fromkeys(table["note"]) if note]
        why = "; ".join(notes) or "no group is large enough"
        return [lacking(rule, (f"{when[0]}: {why}.", f"{when[1]}：没有足以评估的群体。"))]
    apart = (judged["gap_lower"] > 0) | (judged["gap_upper"] < 0)
    bad = apart & (judged["gap"].abs() >= limits.max_gap)
    for row in judged[bad].to_dict("records"):
        gap = read(row, "gap")
        name = f"{row['attribute']} {row['group']}"
        told = f"{gap.value:+.1%} [{gap.lower:+.1%}, {gap.upper:+.1%}], n = {gap.n:,}"
        en = f"{row['measure']}, {when[0]}: {name} is {told} from all whose attribute is known."
        measure = MEASURES_ZH.get(row["measure"], row["measure"])
        zh = f"{measure}，{when[1]}：{name} 与全体相差 {told}。"
        found.append(_alarm(rule, name, severity, (en, zh), gap, limits.max_gap, bad=True))
    rest = judged[~bad]
    if len(rest):
        row = rest.sort_values("gap", key=np.abs, kind="stable").to_dict("records")[-1]
        gap = read(row, "gap")
        name = f"{row['attribute']} {row['group']}, {row['measure']}"
        en = f"{when[0]}: {len(rest)} gaps are small or not shown (the largest: {name} "
        en += f"{gap.words()})."
        measure = MEASURES_ZH.get(row["measure"], row["measure"])
        name = f"{row['attribute']} {row['group']}，{measure}"
        zh = f"{when[1]}：{len(rest)} 项差距较小或未得到证实（最大：{name} {gap.words()}）。"
        found.append(
            _alarm(
                rule,
                f"all groups, {when[0]}",
                severity,
                (en, zh),
                gap,
                limits.max_gap,
                bad=False,
                uncertain=reach_beyond(rest.assign(allowed=limits.max_gap), "gap"),
            )
        )
    return found


def _alarm(
    rule: ServedRule,
    subject: str,
    severity: Severity,
    what: Words,
    figure: Figure,
    limit: float,
    *,
    bad: bool,
    kind: NumberKind = NumberKind.OBSERVED,
    uncertain: int = 0,
) -> Alarm:
    outcome, do = (Outcome.ALARM, ADVICE[rule]) if bad else (Outcome.OK, ("", ""))
    return Alarm(
        rule,
        subject,
        NOW,
        outcome,
        severity,
        *what,
        *do,
        figure=figure,
        limit=limit,
        kind=kind,
        uncertain=uncertain,
    )

"""What a service did, counted and judged: decisions, contacts, outcomes, and who is reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.decisions.answer import TREATMENT
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.served_tables import ServedTables, last_days
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Words
from mkt_models.monitoring.campaign import share_changes
from mkt_models.monitoring.fairness_over_time import gap_table
from mkt_models.monitoring_params import CampaignLimits, Severity
from mkt_models.params import Params
from mkt_models.served_params import Served, ServedRule

WEEK = timedelta(days=7)
MEASURES = (counts.CONTACTED, counts.OFFERED)


@dataclass(frozen=True)
class Seen:
    """What is on record of a period, and by what it is judged; ``until`` is its end."""

    tables: ServedTables
    params: Params
    catalogue: Catalogue
    until: datetime

    @property
    def settings(self) -> Served:
        """The parameters of the report."""
        return self.params.served

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return 1 - self.settings.false_alarms


def counted(seen: Seen, people: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], list[Alarm]]:
    """Count decisions, contacts and outcomes, and judge what the counts alone tell."""
    decisions, contacts = seen.tables.decisions, seen.tables.contacts
    ours = contacts[contacts["decision_id"].notna()]
    sent = contacts[contacts["status"] == counts.SENT]
    tables = {
        "days_answered": counts.decisions_by_day(decisions),
        "strategies": counts.decisions_by_strategy(decisions, seen.level),
        "suppressions": counts.suppressions(decisions, seen.level),
        "contacts": counts.contacts_by(contacts, seen.until, ["strategy", "channel"]),
        "contacts_by_day": counts.contacts_by(contacts, seen.until, [counts.DAY]),
        "outcomes": counts.outcomes_by_kind(seen.tables.outcomes),
        "caps": counts.cap_uses(sent, _caps(seen.catalogue)),
    }
    alarms = _contact_alarms(seen, ours, sent)
    alarms += rules.of_caps(tables["caps"]) if len(sent) else [_nothing_sent(ServedRule.CAPS)]
    alarms += _decision_alarms(seen)
    changes, more = _changes(seen)
    gaps, by_week, others = _groups(seen, people)
    tables |= {"changes": changes, "gaps": gaps, "gaps_by_week": by_week}
    return tables, [*alarms, *more, *others]


def _caps(catalogue: Catalogue) -> list[tuple[str, str | None, int, int]]:
    policy = catalogue.contact
    found: list[tuple[str, str | None, int, int]] = [
        ("push", None, days, most) for days, most in policy.caps.windows()
    ]
    for channel, how in policy.channels.items():
        found += [("channel", channel.value, days, most) for days, most in how.caps.windows()]
    for entry in catalogue.strategies:
        found += [("strategy", entry.id, days, most) for days, most in entry.caps.windows()]
    return found


def _nothing_sent(rule: ServedRule) -> Alarm:
    return rules.lacking(
        rule, ("no contacts yet: none is on record as sent", "尚无已发送的触达记录")
    )


def _contact_alarms(seen: Seen, ours: pd.DataFrame, sent: pd.DataFrame) -> list[Alarm]:
    limits, few = seen.settings.limits, seen.settings.min_customers
    found = []
    mine = ours[ours["status"] == counts.SENT]
    rule = ServedRule.CONTACT_POLICY
    if mine.empty:
        found.append(_nothing_sent(rule))
    else:
        beyond, n = int((mine["within_policy"] == False).sum()), len(mine)  # noqa: E712
        what = (
            f"{beyond:,} of {n:,} contacts were sent after they were withdrawn or too late.",
            f"{n:,} 次触达中有 {beyond:,} 次在撤回之后或逾期发出。",
        )
        found.append(rules.of_fact(rule, "contacts", what, beyond, n, 0))
    week = float(sent.loc[last_days(sent, seen.until, 7, "sent_on"), "cost"].sum())
    if limits.cost is None:
        why = ("served.limits.cost names no limit", "served.limits.cost 未设上限")
        found.append(rules.lacking(ServedRule.COST, why))
    else:
        currency, n = seen.params.source.currency, len(sent)
        what = (
            f"contacts of the last 7 days cost {week:,.2f} {currency}; at most {limits.cost:,.2f}.",
            f"最近 7 天触达成本 {week:,.2f} {currency}；上限 {limits.cost:,.2f}。",
        )
        found.append(rules.of_fact(ServedRule.COST, "last 7 days", what, week, n, limits.cost))
    states = counts.contact_states(ours, seen.until)
    over = ours.assign(state=states)[states.isin([*counts.STATES[:1], "not_sent", counts.LAPSED])]
    over = over.sort_values("sent_on", kind="stable").drop_duplicates(CUSTOMER_ID, keep="last")
    if len(over) < few:
        found.append(rules.lacking(ServedRule.REPORTS, _too_few(len(over), few)))
    else:
        words = ("customers of whose last contact nobody reports", "最近一次触达未被回报的客户")
        n = int((over["state"] == counts.LAPSED).sum())
        rule, limit = ServedRule.REPORTS, limits.max_unreported
        found.append(rules.of_share(rule, "reports", words, n, len(over), limit, seen.level))
    reached = set(sent[CUSTOMER_ID])
    if len(reached) < few:
        found.append(rules.lacking(ServedRule.COMPLAINTS, _too_few(len(reached), few)))
        return found
    outcomes = seen.tables.outcomes
    angry = set(outcomes.loc[outcomes["kind"] == counts.COMPLAINT, CUSTOMER_ID]) & reached
    words = ("customers who complained, of those who were contacted", "被触达客户中投诉的比例")
    rule, n, limit = ServedRule.COMPLAINTS, len(reached), limits.max_complaints
    severity = Severity.CRITICAL
    found.append(
        rules.of_share(rule, "complaints", words, len(angry), n, limit, seen.level, severity)
    )
    return found


def _too_few(n: int, needed: int) -> Words:
    return (f"{n:,} customers, {needed:,} are needed", f"{n:,} 位客户，至少需要 {needed:,} 位")


def _decision_alarms(seen: Seen) -> list[Alarm]:
    last = counts.last_answers(seen.tables.decisions)
    rule, few = ServedRule.STALE_PROFILES, seen.settings.min_customers
    if len(last) < few:
        return [rules.lacking(rule, _too_few(len(last), few))]
    words = ("customers whose last answer rests on a stale profile", "最近回答基于过期画像的客户")
    n, limit = int(last["stale"].sum()), seen.settings.limits.max_stale
    return [rules.of_share(rule, "profiles", words, n, len(last), limit, seen.level)]


def _changes(seen: Seen) -> tuple[pd.DataFrame, list[Alarm]]:
    """Hold the last days against those before: strategies and suppressions."""
    decisions, settings = seen.tables.decisions, seen.settings
    recent = last_days(decisions, seen.until, settings.recent_days)
    parts, alarms = [], []
    for rule, names, count in (
        (ServedRule.STRATEGY_MIX, ("strategies", "策略"), counts.strategy_counts),
        (ServedRule.SUPPRESSION, ("suppressions", "抑制原因"), counts.reason_counts),
    ):
        before, n_before = count(decisions[~recent])
        now, n_now = count(decisions[recent])
        table = share_changes(
            before,
            n_before,
            now,
            n_now,
            CampaignLimits(max_share_change=settings.limits.max_share_change),
            min_customers=settings.min_customers,
            false_alarms=settings.false_alarms,
        )
        if table.empty:
            why = (f"{names[0]}: none on record", f"{names[1]}：没有记录")
            alarms.append(rules.lacking(rule, why))
            continue
        alarms += rules.of_changes(table, rule, names)
        known = {"before": n_before, "now": n_now}
        shown = counts.without_small_shares(table, known, seen.params.privacy.min_cell)
        parts.append(shown.assign(what=names[0]))
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()), alarms


def _groups(seen: Seen, people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[Alarm]]:
    """Say who is reached and who is offered something, by group: in all, and by week."""
    audit, settings = seen.params.audit, seen.settings
    known = [one for one in audit.attributes if one in people and people[one].notna().any()]
    nothing = pd.DataFrame()
    if not known:
        why = ("no attribute of the audit is known", "审计所用的属性均不可得")
        return nothing, nothing, [rules.lacking(ServedRule.FAIRNESS, why)]
    decisions, contacts = seen.tables.decisions, seen.tables.contacts
    decisions = decisions[decisions["arm"] == TREATMENT]
    if decisions.empty:
        why = ("nobody may be contacted: all are held out", "所有客户都在对照组，无人可被触达")
        return nothing, nothing, [rules.lacking(ServedRule.FAIRNESS, why)]

    def table(decided: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
        rows = counts.reach_rows(decided, made)
        rows = rows.merge(people[[CUSTOMER_ID, *known]], on=CUSTOMER_ID, how="left")
        found = gap_table(
            rows,
            MEASURES,
            known,
            min_group_size=max(audit.min_group_size, seen.params.privacy.min_cell),
            n_bootstrap=settings.n_bootstrap,
            confidence=seen.level,
            seed=seen.params.seed,
        )
        return found.assign(kind=NumberKind.OBSERVED.value)

    weeks = _weeks_ago(decisions["at"], seen.until)
    sent_in = _weeks_ago(contacts["sent_on"], seen.until)
    by_week = []
    for week in sorted(weeks.unique(), reverse=True):
        start = (seen.until - WEEK * (int(week) + 1)).astimezone(seen.params.source.zone).date()
        part = table(decisions[weeks == week], contacts[sent_in == week])
        by_week.append(part.assign(as_of=start.isoformat()))
    gaps = table(decisions, contacts)
    alarms = rules.of_gaps(gaps, settings.limits, MEASURES)
    return gaps, pd.concat(by_week, ignore_index=True), alarms


def _weeks_ago(at: pd.Series, until: datetime) -> pd.Series:
    apart: pd.Series = (pd.Timestamp(until) - at).dt.days
    return apart // WEEK.days

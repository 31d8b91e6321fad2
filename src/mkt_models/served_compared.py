"""What a service did, compared: the last days with days before, and who is reached, by group."""

from datetime import date, datetime, timedelta
from math import ceil

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.decisions.answer import TREATMENT
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.occasions import Occasion, next_holiday, occasions
from mkt_models.decisions.short_names import CODES, strategy_names
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Words
from mkt_models.monitoring.fairness_over_time import gap_table
from mkt_models.monitoring.served_changes import reference_of, share_changes_beyond, windows
from mkt_models.served_judged import Seen
from mkt_models.served_params import ServedRule

WEEK = timedelta(days=7)
MEASURES = (counts.CONTACTED, counts.OFFERED)


def filling_days(seen: Seen) -> int:
    """For how long what a service serves changes as contacts add up: the longest memory it has.

    That of a cap or a gap of the catalogue, or of fatigue.
    """
    policy = seen.catalogue.contact
    caps = [policy.caps, *(how.caps for how in policy.channels.values())]
    caps += [entry.caps for entry in seen.catalogue.strategies]
    memory = [days for one in caps for days, _ in one.windows()]
    memory.append(ceil(policy.min_gap_hours / 24))
    if seen.params.fatigue.enabled:
        memory.append(seen.params.fatigue.window_days)
    return max(memory)


def special_days(catalogue: Catalogue, country: str, days: set[date]) -> set[date]:
    """Those of the days that are like few others: on which a holiday decides what is served.

    Public holidays where the catalogue serves or withholds something on them, and as many days
    before one as a strategy waits for.
    """
    whens = [entry.when for entry in catalogue.strategies if entry.when is not None]
    named = {one for when in whens for one in when.days} | set(catalogue.contact.quiet_days)
    ahead = [when.holiday_ahead for when in whens if when.holiday_ahead is not None]
    found = set()
    for day in days:
        soon = next_holiday(country, day) if ahead else None
        waited = soon is not None and any(one.least <= soon[0] <= one.most for one in ahead)
        holiday = Occasion.PUBLIC_HOLIDAY in named and (
            Occasion.PUBLIC_HOLIDAY in occasions(country, day)
        )
        if holiday or waited:
            found.add(day)
    return found


def compared(seen: Seen, people: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], list[Alarm]]:
    """Compare the last days with those before, and the groups with all: tables and alarms."""
    changes, alarms = changed(seen)
    gaps, by_week, more = reach(seen, people)
    return {"changes": changes, "gaps": gaps, "gaps_by_week": by_week}, [*alarms, *more]


def changed(seen: Seen) -> tuple[pd.DataFrame, list[Alarm]]:
    """Hold the last days against like windows before: strategies and suppressions."""
    settings, decisions = seen.settings, seen.tables.decisions
    days = {day.date() for day in decisions[counts.DAY].unique().tolist()}
    special = special_days(seen.catalogue, seen.params.source.country, days)
    ordinary = decisions[~decisions[counts.DAY].dt.date.isin(special)]
    since = seen.until - timedelta(days=settings.days)
    if seen.begun is not None:
        since = max(since, seen.begun + timedelta(days=filling_days(seen)))
    labels = strategy_names(seen.catalogue) | {code.value: said for code, said in CODES.items()}
    tables, alarms = [], []
    for rule, names, count in (
        (ServedRule.STRATEGY_MIX, ("strategies", "策略"), counts.strategy_counts),
        (ServedRule.SUPPRESSION, ("suppressions", "抑制原因"), counts.reason_counts),
    ):
        now, *_ = counted = windows(ordinary, seen.until, settings.recent_days, since, count)
        reference = reference_of(counted, settings.min_customers)
        why = _incomparable(seen, now[1], bool(reference), since)
        if why is not None:
            alarms.append(rules.lacking(rule, (f"{names[0]}: {why[0]}", f"{names[1]}：{why[1]}")))
            continue
        table = share_changes_beyond(
            now, reference, settings.limits.max_share_change, settings.false_alarms
        )
        if table.empty:
            why = (f"{names[0]}: none on record", f"{names[1]}：没有记录")
            alarms.append(rules.lacking(rule, why))
            continue
        alarms += rules.of_changes(table, rule, names, labels, seen.min_cell)
        tables.append(counts.without_small_shares(table, seen.min_cell).assign(what=names[0]))
    return (pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()), alarms


def _incomparable(seen: Seen, n: int, reference: bool, since: datetime) -> Words | None:
    """Say why the last days cannot be compared; None if they can."""
    settings, k = seen.settings, seen.min_cell
    if n < settings.min_customers:
        told, told_zh = rules.people(n, k)
        return (
            f"{told} customers in the last {settings.recent_days} days, holidays and the days "
            f"before them apart; {settings.min_customers} are needed",
            f"最近 {settings.recent_days} 天（不含节假日及其前几日）仅 {told_zh} 位客户，"
            f"至少需要 {settings.min_customers} 位",
        )
    if reference:
        return None
    first = since + 2 * timedelta(days=settings.recent_days)
    if first <= seen.until:
        return (
            f"no window of {settings.recent_days} days before has {settings.min_customers} "
            "customers",
            f"此前没有一个 {settings.recent_days} 天的窗口达到 {settings.min_customers} 位客户",
        )
    filling = filling_days(seen)
    return (
        f"the service is young: caps, gaps and fatigue fill for {filling} days, and two windows of "
        f"{settings.recent_days} days after that are needed; compared from {first:%Y-%m-%d} on",
        f"服务上线不久：频次上限、间隔与疲劳在最初 {filling} 天逐渐生效，之后还需两个 "
        f"{settings.recent_days} 天的窗口；自 {first:%Y-%m-%d} 起可比较",
    )


def reach(seen: Seen, people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, list[Alarm]]:
    """Say who is reached and who is offered something, by group: in all, and by week.

    Judged are the whole period and the last week: in two months nearly everybody is reached once.
    """
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
            min_group_size=max(audit.min_group_size, seen.min_cell),
            n_bootstrap=settings.n_bootstrap,
            confidence=1 - settings.false_alarms / 2,
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
    last = (by_week[-1], "last 7 days", "最近 7 天")
    alarms = rules.of_gaps(gaps, settings.limits, MEASURES)
    if (weeks == 0).any() and (weeks > 0).any():
        alarms += rules.of_gaps(last[0], settings.limits, MEASURES, last[1:])
    return gaps, pd.concat(by_week, ignore_index=True), alarms


def _weeks_ago(at: pd.Series, until: datetime) -> pd.Series:
    apart: pd.Series = (pd.Timestamp(until) - at).dt.days
    return apart // WEEK.days

"""What a service did, counted and judged: decisions, contacts, outcomes, and who is reached."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.decisions.answer import TREATMENT
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.served_tables import ServedTables, last_days
from mkt_models.decisions.short_names import CODES, strategy_names
from mkt_models.decisions.words import CHANNELS, Code
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Words
from mkt_models.monitoring.campaign import share_changes
from mkt_models.monitoring.fairness_over_time import gap_table
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring_params import CampaignLimits, Severity
from mkt_models.params import Params
from mkt_models.served_params import Served, ServedRule

WEEK = timedelta(days=7)
MEASURES = (counts.CONTACTED, counts.OFFERED)
# What contacts bring about as they add up: it grows in the first weeks of every service, and the
# rule ``caps`` watches it.
FILLING = frozenset(
    {Code.MIN_GAP, Code.CAP_CUSTOMER, Code.CAP_CHANNEL, Code.CAP_STRATEGY, Code.FATIGUE}
)


@dataclass(frozen=True)
class Seen:
    """What is on record of a period, and by what it is judged.

    ``until`` is the end of the period, and ``begun`` the first moment that the service's store
    knows of, which may be long before the period; None where that is not known.
    """

    tables: ServedTables
    params: Params
    catalogue: Catalogue
    until: datetime
    begun: datetime | None = None

    @property
    def settings(self) -> Served:
        """The parameters of the report."""
        return self.params.served

    @property
    def min_cell(self) -> int:
        """Figures of fewer customers are not told."""
        return self.params.privacy.min_cell

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
    if sent.empty:
        alarms.append(_nothing_sent(ServedRule.CAPS))
    else:
        alarms += rules.of_caps(tables["caps"], _cap_names(seen.catalogue), seen.min_cell)
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


def _cap_names(catalogue: Catalogue) -> dict[str, Words]:
    names = {"all push channels": ("all push channels", "全部推送渠道")}
    names |= {
        f"channel {one}": (f"channel {one}", f"渠道“{zh}”") for one, (_, zh) in CHANNELS.items()
    }
    for one, (_, zh) in strategy_names(catalogue).items():
        names[f"strategy {one}"] = (f"strategy {one}", f"策略“{zh}”")
    return names


def _nothing_sent(rule: ServedRule) -> Alarm:
    return rules.lacking(
        rule, ("no contacts yet: none is on record as sent", "尚无已发送的触达记录")
    )


def _contact_alarms(seen: Seen, ours: pd.DataFrame, sent: pd.DataFrame) -> list[Alarm]:
    limits, few, k = seen.settings.limits, seen.settings.min_customers, seen.min_cell
    found = []
    mine = ours[ours["status"] == counts.SENT]
    rule = ServedRule.CONTACT_POLICY
    if mine.empty:
        found.append(_nothing_sent(rule))
    else:
        late = mine[(mine["within_policy"] == False).fillna(value=False)]  # noqa: E712
        beyond, n, hidden = len(late), len(mine), rules.few(late[CUSTOMER_ID].nunique(), k)
        told, told_zh = f"{beyond:,} of {n:,} contacts", f"{n:,} 次触达中有 {beyond:,} 次"
        if hidden:
            told = f"contacts of fewer than {k} customers (of {n:,} contacts)"
            told_zh = f"{n:,} 次触达中，有不足 {k} 位客户的触达"
        what = (
            f"{told} were sent after they were withdrawn or too late.",
            f"{told_zh}在撤回之后或逾期发出。",
        )
        found.append(rules.of_fact(rule, "contacts", what, beyond, n, 0, hidden=hidden))
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
    lapsed = (over["state"] == counts.LAPSED).groupby(over[CUSTOMER_ID]).agg(["sum", "size"])
    if len(lapsed) < few:
        found.append(rules.lacking(ServedRule.REPORTS, _too_few(len(lapsed), few, k)))
    else:
        words = (
            "contacts that nobody reports on, of those whose time is over",
            "到期触达中无人回报的比例",
        )
        figure = Figure.of_clustered_share(lapsed["sum"], lapsed["size"], seen.level)
        rule, limit, n = ServedRule.REPORTS, limits.max_unreported, int((lapsed["sum"] > 0).sum())
        found.append(rules.of_share(rule, "reports", words, figure, n, limit, k))
    reached = set(sent[CUSTOMER_ID])
    if len(reached) < few:
        found.append(rules.lacking(ServedRule.COMPLAINTS, _too_few(len(reached), few, k)))
        return found
    outcomes = seen.tables.outcomes
    angry = set(outcomes.loc[outcomes["kind"] == counts.COMPLAINT, CUSTOMER_ID]) & reached
    words = ("customers who complained, of those who were contacted", "被触达客户中投诉的比例")
    rule, n, limit = ServedRule.COMPLAINTS, len(angry), limits.max_complaints
    figure, severity = Figure.of_share(n, len(reached), seen.level), Severity.CRITICAL
    found.append(rules.of_share(rule, "complaints", words, figure, n, limit, k, severity))
    return found


def _too_few(n: int, needed: int, k: int) -> Words:
    told, told_zh = rules.people(n, k)
    return (f"{told} customers, {needed:,} are needed", f"{told_zh} 位客户，至少需要 {needed:,} 位")


def _decision_alarms(seen: Seen) -> list[Alarm]:
    last = counts.last_answers(seen.tables.decisions)
    rule, few = ServedRule.STALE_PROFILES, seen.settings.min_customers
    if len(last) < few:
        return [rules.lacking(rule, _too_few(len(last), few, seen.min_cell))]
    words = ("customers whose last answer rests on a stale profile", "最近回答基于过期画像的客户")
    n, limit = int(last["stale"].sum()), seen.settings.limits.max_stale
    figure = Figure.of_share(n, len(last), seen.level)
    return [rules.of_share(rule, "profiles", words, figure, n, limit, seen.min_cell)]


def _changes(seen: Seen) -> tuple[pd.DataFrame, list[Alarm]]:
    """Hold the last days against those before: strategies and suppressions.

    Caps and gaps are told, and not judged: they fill as contacts add up.
    """
    decisions, settings = seen.tables.decisions, seen.settings
    recent, few = last_days(decisions, seen.until, settings.recent_days), settings.min_customers
    parts, alarms = [], []
    labels = strategy_names(seen.catalogue) | {code.value: said for code, said in CODES.items()}
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
        filling = table["label"].isin(list(FILLING)) & (rule is ServedRule.SUPPRESSION)
        table.loc[filling, "note"] = "not judged: fills as contacts add up"
        table.loc[filling, ["evaluated", "changed"]] = False
        judged, k = table[~filling], seen.min_cell
        if n_before < few or n_now < few:
            why = (
                f"{names[0]}: fewer than {few} customers in a period",
                f"{names[1]}：对比的某一时期不足 {few} 位客户",
            )
            alarms.append(rules.lacking(rule, why))
        elif judged.empty:
            why = (f"{names[0]}: only caps and gaps", f"{names[1]}：仅有频次上限与间隔")
            alarms.append(rules.lacking(rule, why))
        else:
            alarms += rules.of_changes(judged, rule, names, labels, n_before, k)
        known = {"before": n_before, "now": n_now}
        shown = counts.without_small_shares(table, known, k)
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
            min_group_size=max(audit.min_group_size, seen.min_cell),
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

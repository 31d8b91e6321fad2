"""What a service did, counted and judged: decisions, contacts, outcomes, and who is reached."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.decisions.catalogue import Catalogue
from mkt_models.decisions.served_tables import ServedTables, last_days
from mkt_models.decisions.short_names import strategy_names
from mkt_models.decisions.words import CHANNELS
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Words
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring_params import Severity
from mkt_models.params import Params
from mkt_models.served_params import Served, ServedRule


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

    def parts(self) -> list[tuple[Words, int, float]]:
        """What is judged twice: of the period and of the last days, at a level shared by both."""
        level, recent = 1 - self.settings.false_alarms / 2, self.settings.recent_days
        return [
            (("whole period", "整个时期"), self.settings.days, level),
            ((f"last {recent} days", f"最近 {recent} 天"), recent, level),
        ]


def counted(seen: Seen) -> tuple[dict[str, pd.DataFrame], list[Alarm]]:
    """Count decisions, contacts and outcomes, and judge what the counts alone tell."""
    decisions, contacts = seen.tables.decisions, seen.tables.contacts
    tables = {
        "days_answered": counts.decisions_by_day(decisions),
        "strategies": counts.decisions_by_strategy(decisions, seen.level),
        "suppressions": counts.suppressions(decisions, seen.level),
        "contacts": counts.contacts_by(contacts, seen.until, ["strategy", "channel"]),
        "contacts_by_day": counts.contacts_by(contacts, seen.until, [counts.DAY]),
        "outcomes": counts.outcomes_by_kind(seen.tables.outcomes),
        "caps": cap_table(seen),
    }
    return tables, [
        *contact_alarms(seen),
        *cap_alarms(seen, tables["caps"]),
        *decision_alarms(seen),
    ]


def cap_alarms(seen: Seen, uses: pd.DataFrame) -> list[Alarm]:
    """Judge the caps of the catalogue by a table of ``cap_uses``."""
    if (seen.tables.contacts["status"] == counts.SENT).any():
        return rules.of_caps(uses, _cap_names(seen.catalogue), seen.min_cell)
    return [_nothing_sent(ServedRule.CAPS)]


def cap_table(seen: Seen) -> pd.DataFrame:
    """Count how the caps of the catalogue were used, see ``cap_uses``."""
    contacts = seen.tables.contacts
    return counts.cap_uses(contacts[contacts["status"] == counts.SENT], _caps(seen.catalogue))


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


def contact_alarms(seen: Seen) -> list[Alarm]:
    """Judge contacts: were they permitted, what did they cost, were they reported, did they annoy?

    Reports and complaints are judged of the whole period, and of the last days for themselves: what
    has begun just now is little of a long period.
    """
    contacts = seen.tables.contacts
    ours = contacts[contacts["decision_id"].notna()]
    sent = contacts[contacts["status"] == counts.SENT]
    limits, k = seen.settings.limits, seen.min_cell
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
    for name, days, level in seen.parts():
        recent = last_days(ours, seen.until, days, "sent_on")
        found += _reports(seen, ours[recent], name, level)
        recent = last_days(sent, seen.until, days, "sent_on")
        found += _complaints(seen, sent[recent], name, level)
    return found


def _reports(seen: Seen, ours: pd.DataFrame, name: Words, level: float) -> list[Alarm]:
    few, rule = seen.settings.min_customers, ServedRule.REPORTS
    states = counts.contact_states(ours, seen.until)
    over = ours.assign(state=states)[states.isin([counts.SENT, counts.NOT_SENT, counts.LAPSED])]
    lapsed = (over["state"] == counts.LAPSED).groupby(over[CUSTOMER_ID]).agg(["sum", "size"])
    if len(lapsed) < few:
        return [rules.lacking(rule, _too_few(name, len(lapsed), few, seen.min_cell))]
    words = (
        f"{name[0]}: contacts that nobody reports on, of those whose time is over",
        f"{name[1]}：到期触达中无人回报的比例",
    )
    figure = Figure.of_clustered_share(lapsed["sum"], lapsed["size"], level)
    limit, n = seen.settings.limits.max_unreported, int((lapsed["sum"] > 0).sum())
    return [rules.of_share(rule, f"reports, {name[0]}", words, figure, n, limit, seen.min_cell)]


def _complaints(seen: Seen, sent: pd.DataFrame, name: Words, level: float) -> list[Alarm]:
    few, rule, reached = seen.settings.min_customers, ServedRule.COMPLAINTS, set(sent[CUSTOMER_ID])
    if len(reached) < few:
        return [rules.lacking(rule, _too_few(name, len(reached), few, seen.min_cell))]
    outcomes = seen.tables.outcomes
    new = outcomes["at"] >= sent["sent_on"].min()
    angry = outcomes.loc[new & (outcomes["kind"] == counts.COMPLAINT), CUSTOMER_ID]
    words = (
        f"{name[0]}: customers who complained, of those who were contacted",
        f"{name[1]}：被触达客户中投诉的比例",
    )
    n, limit = len(set(angry) & reached), seen.settings.limits.max_complaints
    figure, subject = Figure.of_share(n, len(reached), level), f"complaints, {name[0]}"
    k, severity = seen.min_cell, Severity.CRITICAL
    return [rules.of_share(rule, subject, words, figure, n, limit, k, severity)]


def _too_few(name: Words, n: int, needed: int, k: int) -> Words:
    told, told_zh = rules.people(n, k)
    return (
        f"{name[0]}: {told} customers, {needed:,} are needed",
        f"{name[1]}：{told_zh} 位客户，至少需要 {needed:,} 位",
    )


def decision_alarms(seen: Seen) -> list[Alarm]:
    """Judge whether the last answers rest on profiles that are too old."""
    last = counts.last_answers(seen.tables.decisions)
    rule, few = ServedRule.STALE_PROFILES, seen.settings.min_customers
    if len(last) < few:
        name = ("profiles", "画像")
        return [rules.lacking(rule, _too_few(name, len(last), few, seen.min_cell))]
    words = ("customers whose last answer rests on a stale profile", "最近回答基于过期画像的客户")
    n, limit = int(last["stale"].sum()), seen.settings.limits.max_stale
    figure = Figure.of_share(n, len(last), seen.level)
    return [rules.of_share(rule, "profiles", words, figure, n, limit, seen.min_cell)]

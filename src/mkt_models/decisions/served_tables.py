"""What a live store has on record, as tables of plain columns: decisions, contacts, outcomes.

Module of the notebooks: it needs pandas, which the service does not carry. Days are those of the
shop's clock. What holds now (costs, which channel is push) is read off the catalogue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, Channel
from mkt_models.decisions.catalogue import Catalogue

DAY = "day"
DECISIONS = (
    "decision_id",
    CUSTOMER_ID,
    "at",
    DAY,
    "arm",
    "arm_probability",
    "strategy",
    "channel",
    "offer_id",
    "probability",
    "explored",
    "stale",
    "is_default",
    "with_offer",
    "reasons",
)
CONTACTS = (
    CUSTOMER_ID,
    "decision_id",
    "strategy",
    "channel",
    "offer_id",
    "push",
    "status",
    "within_policy",
    "sent_on",
    "until",
    DAY,
    "cost",
)
OUTCOMES = (CUSTOMER_ID, "decision_id", "strategy", "kind", "amount", "at", DAY)


@dataclass(frozen=True)
class ServedTables:
    """What was decided, sent and done in a period.

    Attributes
    ----------
    decisions
        one row per decision, of its last answer: who (customer_id, arm and its probability), when
        (``at`` it was asked for, ``day``), what came first (strategy, channel, offer_id,
        probability, explored), whether that is the default for everybody (``is_default``), whether
        the profile was ``stale``, whether any strategy of the answer has an offer
        (``with_offer``), and ``reasons``: the codes of what was not served, each once, sorted
    contacts
        one row per contact, planned or made: whose, of which decision (null: of none of ours),
        strategy, channel, offer_id, ``push``, ``status``, ``within_policy`` (of those that were
        sent), ``sent_on`` (aware; of one that is not sent, the first moment at which it might be),
        ``until`` (the last one; null when sent), day, and ``cost`` in currency units by the
        catalogue (null where it has none for this strategy and channel)
    outcomes
        one row per outcome: whose, of what kind, ``amount`` in currency units (or null), when

    """

    decisions: pd.DataFrame
    contacts: pd.DataFrame
    outcomes: pd.DataFrame


def served_tables(
    decided: Iterable[Mapping[str, Any]],
    contacts: Iterable[Mapping[str, Any]],
    outcomes: Iterable[Mapping[str, Any]],
    catalogue: Catalogue,
    zone: ZoneInfo,
) -> ServedTables:
    """Make the tables of what a live store gives (``LiveReader``)."""
    return ServedTables(
        _decisions(decided, catalogue, zone),
        _contacts(contacts, catalogue, zone),
        _outcomes(outcomes, zone),
    )


def _decisions(
    decided: Iterable[Mapping[str, Any]], catalogue: Catalogue, zone: ZoneInfo
) -> pd.DataFrame:
    rows = []
    for row in decided:
        answer, at = row["answer"], datetime.fromisoformat(row["asked_for"])
        rows.append(
            (
                row["decision_id"],
                row[CUSTOMER_ID],
                at,
                _day(at, zone),
                row["arm"],
                row["arm_probability"],
                row["strategy"],
                row["channel"],
                row["offer_id"],
                row["probability"],
                bool(answer.get("exploration", {}).get("explored", False)),
                bool(answer.get("stale", False)),
                row["strategy"] == catalogue.default,
                any((one.get("content") or {}).get("offer") for one in answer["strategies"]),
                tuple(sorted({one["code"] for one in answer["suppressed"]})),
            )
        )
    return _table(rows, DECISIONS, ("at", DAY))


def _contacts(
    contacts: Iterable[Mapping[str, Any]], catalogue: Catalogue, zone: ZoneInfo
) -> pd.DataFrame:
    costs = {
        (entry.id, use.channel.value): use.cost
        for entry in catalogue.strategies
        for use in entry.channels
    }
    kinds = {channel.value: how.kind for channel, how in catalogue.contact.channels.items()}
    rows = []
    for row in contacts:
        channel = row["channel"]
        known = channel in set(Channel) and channel in kinds
        rows.append(
            (
                row[CUSTOMER_ID],
                row["decision_id"],
                row["strategy"],
                channel,
                row["offer_id"],
                # A channel that the catalogue does not know counts as push: the careful side.
                not known or kinds[channel] == "push",
                row["status"],
                row["within_policy"],
                row["sent_at"],
                row["until"],
                _day(row["sent_at"], zone),
                costs.get((row["strategy"], channel)),
            )
        )
    table = _table(rows, CONTACTS, ("sent_on", "until", DAY))
    return table.astype({"cost": "float64", "push": "bool", "within_policy": "boolean"})


def _outcomes(outcomes: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> pd.DataFrame:
    rows = []
    for row in outcomes:
        at = datetime.fromisoformat(row["occurred_at"])
        told = [row[name] for name in (CUSTOMER_ID, "decision_id", "strategy", "kind", "amount")]
        rows.append((*told, at, _day(at, zone)))
    return _table(rows, OUTCOMES, ("at", DAY)).astype({"amount": "float64"})


def _day(at: datetime, zone: ZoneInfo) -> datetime:
    """The day of the shop's clock, as a time without a zone, for tables and figures."""
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _table(rows: list[Any], columns: tuple[str, ...], times: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    for name in times:
        table[name] = pd.to_datetime(table[name], utc=name != DAY)
    return table


def last_days(table: pd.DataFrame, until: datetime, days: int, at: str = "at") -> pd.Series:
    """Say of every row whether it is of the last ``days`` days before ``until`` (aware)."""
    return table[at] >= until - timedelta(days=days)

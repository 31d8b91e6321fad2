"""What both stores keep, one small object per row; times are aware."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self, TypeVar

from mkt_models.store.values import StoreError, as_json, checked_id

COMPLAINT = "complaint"  # the kind of outcome after which a customer is left in peace
PERSONALISATION = "personalisation"
"""The purpose that a customer refuses who wants what everybody gets."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer said about a purpose and a channel.

    ``changed_at``, aware, is known where the service itself took the word down; else only the day.
    """

    customer_id: str
    purpose: str
    channel: str
    status: str
    changed_on: date
    expires_on: date | None = None
    basis: str = "recorded"
    changed_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone."""
        _aware("changed_at", self.changed_at)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One contact, made or planned; its times are aware.

    A contact that was made has no ``until``. One that is planned may still be sent from
    ``sent_at`` to before ``until``.
    """

    customer_id: str
    channel: str
    sent_at: datetime
    strategy: str | None = None
    offer_id: str | None = None
    campaign_id: str | None = None
    decision_id: str | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone, and an end before the beginning."""
        _aware("sent_at", self.sent_at)
        _aware("until", self.until)
        if self.until is not None and self.until < self.sent_at:
            raise StoreError(f"until == {self.until}: must not be before sent_at, {self.sent_at}")

    def apart(self, other: "Exposure") -> timedelta:
        """The least time that can lie between the two, wherever planned ones are sent."""
        first, second = sorted((self, other), key=lambda one: one.sent_at)
        return max(second.sent_at - (first.until or first.sent_at), timedelta(0))


class ContactStatus(StrEnum):
    """How far a contact has come.

    All of them count for the caps but ``not_sent``: whoever has been given leave may have used it,
    until they say that they have not. ``recalled`` was withdrawn after somebody had begun to send
    it. ``withdrawn`` was begun by nobody: where its own question is asked again, it does not count,
    as the new answer takes the place of the old one.
    """

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    NOT_SENT = "not_sent"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"


class Refused(StoreError):
    """A report that contradicts what is on record; ``code`` names how."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


class UseState(StrEnum):
    """What became of the units of a budget that a contact took; all count but ``given_back``."""

    RESERVED = "reserved"
    SENT = "sent"
    GIVEN_BACK = "given_back"
    SENT_WITHOUT_LEAVE = "sent_without_leave"


@dataclass(frozen=True, slots=True)
class Limit:
    """What there is of a budget, in millionths of its unit, from one day to before another.

    ``planned`` is what the plan expects to be used; None where nobody planned.
    """

    budget: str
    resource: str
    amount: int
    starts_on: date
    ends_on: date
    planned: int | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """What is left of a budget in the period that is open, in millionths of its unit.

    ``planned`` is what the plan expects to be used of it; None where nobody planned.
    """

    budget: str
    starts_on: date
    ends_on: date
    amount: int
    used: int
    planned: int | None = None

    @property
    def left(self) -> int:
        """Not below 0, also where less was published than had been used."""
        return max(self.amount - self.used, 0)


@dataclass(frozen=True, slots=True)
class Use:
    """What a contact takes of a budget, in millionths of its unit."""

    budget: str
    millionths: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A contact that a decision permits, the purpose of its consent, and what it takes."""

    exposure: Exposure
    purpose: str
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A decision to keep: the answer as it is given, and what it was made from.

    ``purses`` are the budgets that it knew; its contacts take of no other.
    """

    decision_id: str
    snapshot_id: str
    asked_for: datetime
    arm: str
    arm_probability: float
    experiment: str
    strategy: str
    channel: str | None
    offer_id: str | None
    probability: float
    answer: Mapping[str, Any]
    inputs: Mapping[str, Any]
    planned: tuple[Planned, ...] = ()
    purses: tuple[Purse, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What followed; ``key`` is the caller's own, and the same outcome is recorded once."""

    key: str
    kind: str
    occurred_at: datetime
    decision_id: str | None = None
    strategy: str | None = None
    amount_hundredths: int | None = None


@dataclass(frozen=True)
class SnapshotMeta:
    """What a snapshot was made from.

    ``popular_items`` are the items shown to everybody when nothing personal may be: same keys as
    a customer's recommendations. ``shadow_prices`` are those of the budgets, one row each as
    ``decisions.plan`` gives them; none where nothing is priced. ``fatigue`` says per channel how a
    response falls with earlier contacts, as ``models.fatigue_by_channel`` gives it.
    """

    as_of: str
    models: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    popular_items: tuple[Mapping[str, Any], ...] = ()
    snapshot_id: str = ""
    shadow_prices: tuple[Mapping[str, Any], ...] = ()
    fatigue: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with the names of the fields."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    def as_json(self) -> str:
        """As a text that :meth:`of_json` reads."""
        return as_json(self.as_dict(), "meta")

    @classmethod
    def of_json(cls, text: str) -> Self:
        """Read what :meth:`as_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        for name in ("popular_items", "shadow_prices", "fatigue"):
            found[name] = tuple(found.get(name, ()))
        return cls(**found)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [dict(one) for one in value] if isinstance(value, tuple) else value


OfCustomer = TypeVar("OfCustomer", Consent, Exposure)


def _aware(name: str, value: datetime | None) -> None:
    if value is not None and value.utcoffset() is None:
        raise StoreError(f"{name} == {value}: give a time with its zone")


def by_customer(records: Iterable[OfCustomer]) -> dict[str, tuple[OfCustomer, ...]]:
    """Records grouped by customer id, each group in the order in which they came."""
    grouped: dict[str, list[OfCustomer]] = {}
    for record in records:
        grouped.setdefault(record.customer_id, []).append(record)
    return {name: tuple(some) for name, some in grouped.items()}


def row_of(record: Consent | Exposure, what: str) -> dict[str, Any]:
    """The row of a record; a StoreError names the text that is empty or too long."""
    row = {name: getattr(record, name) for name in record.__slots__}
    for name, value in row.items():
        if isinstance(value, str) and name != "basis":
            checked_id(value, f"{what}.{name}")
    return row

"""The tables of a snapshot, and one small object for a row of each.

Times are stored in UTC; a time without a zone is refused. Ids have at most 64 characters. The
tables of the live store stand in :mod:`mkt_models.live_tables`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self, TypeVar

import sqlalchemy as sa

ID_LENGTH = 64

schema = sa.MetaData()


class Utc(sa.TypeDecorator[datetime]):
    """An aware time, kept as UTC."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the database UTC without a zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Give an aware time."""
        return None if value is None else value.replace(tzinfo=UTC)


meta_table = sa.Table(
    "snapshot_meta",
    schema,
    sa.Column("key", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
customers_table = sa.Table(
    "customers",
    schema,
    sa.Column("customer_id", sa.String(ID_LENGTH), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)
consents_table = sa.Table(
    "consents",
    schema,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), nullable=False, index=True),
    sa.Column("purpose", sa.String(ID_LENGTH), nullable=False),
    sa.Column("channel", sa.String(ID_LENGTH), nullable=False),
    sa.Column("status", sa.String(ID_LENGTH), nullable=False),
    sa.Column("changed_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("changed_at", Utc),
)
exposures_table = sa.Table(
    "exposures",
    schema,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("channel", sa.String(ID_LENGTH), nullable=False),
    sa.Column("strategy", sa.String(ID_LENGTH)),
    sa.Column("offer_id", sa.String(ID_LENGTH)),
    sa.Column("campaign_id", sa.String(ID_LENGTH)),
    sa.Column("sent_at", Utc, nullable=False),
    sa.Column("decision_id", sa.String(ID_LENGTH)),
    sa.Column("until", Utc),
    sa.Index("exposures_of_customer", "customer_id", "sent_at"),
    sa.UniqueConstraint("decision_id", "strategy", "channel", "offer_id"),
)


class StoreError(ValueError):
    """A store that cannot be used, or a row that it refuses; the message says which and why."""


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


Record = TypeVar("Record", Consent, Exposure)


@dataclass(frozen=True)
class SnapshotMeta:
    """What a snapshot was made from.

    ``popular_items`` are the items shown to everybody when nothing personal may be: same keys as
    a customer's recommendations. ``shadow_prices`` are those of the budgets, one row each as
    ``decisions.plan`` gives them; none where nothing is priced.
    """

    as_of: str
    models: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    popular_items: tuple[Mapping[str, Any], ...] = ()
    snapshot_id: str = ""
    shadow_prices: tuple[Mapping[str, Any], ...] = ()

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
        for name in ("popular_items", "shadow_prices"):
            found[name] = tuple(found.get(name, ()))
        return cls(**found)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [dict(one) for one in value] if isinstance(value, tuple) else value


def _aware(name: str, value: datetime | None) -> None:
    if value is not None and value.utcoffset() is None:
        raise StoreError(f"{name} == {value}: give a time with its zone")


def by_customer(records: Iterable[Record]) -> dict[str, tuple[Record, ...]]:
    """Records grouped by customer id, each group in the order in which they came."""
    grouped: dict[str, list[Record]] = {}
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


def checked_id(value: object, where: str) -> str:
    """Return an id that fits the tables, else raise a StoreError."""
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH:
        raise StoreError(f"{where} == {value!r}: must be a text of 1 to {ID_LENGTH} characters")
    return value


def as_json(data: object, where: str, default: Any = None) -> str:
    """Write JSON, the same text for the same data; NaN and infinity are a StoreError."""
    try:
        return json.dumps(
            data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default
        )
    except (TypeError, ValueError) as error:
        raise StoreError(f"{where}: cannot be written as JSON: {error}") from None

"""The tables of the store, and one small object for a row of each.

Times are stored in UTC; a time without a zone is refused. Ids have at most 64 characters.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

ID_LENGTH = 64

schema = sa.MetaData()


class _Utc(sa.TypeDecorator[datetime]):
    """An aware time, kept as UTC."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
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
    sa.Column("sent_at", _Utc, nullable=False),
    sa.Column("decision_id", sa.String(ID_LENGTH)),
    sa.Index("exposures_of_customer", "customer_id", "sent_at"),
    sa.UniqueConstraint("decision_id", "strategy", "channel", "offer_id"),
)


class StoreError(ValueError):
    """A store that cannot be used, or a row that it refuses; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer said about a purpose and a channel."""

    customer_id: str
    purpose: str
    channel: str
    status: str
    changed_on: date
    expires_on: date | None = None
    basis: str = "recorded"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One contact, made or planned; ``sent_at`` is aware."""

    customer_id: str
    channel: str
    sent_at: datetime
    strategy: str | None = None
    offer_id: str | None = None
    campaign_id: str | None = None
    decision_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone."""
        if self.sent_at.utcoffset() is None:
            raise StoreError(f"sent_at == {self.sent_at}: give a time with its zone")


@dataclass(frozen=True)
class SnapshotMeta:
    """What a snapshot was made from.

    ``popular_items`` are the items shown to everybody when nothing personal may be: same keys as
    a customer's recommendations.
    """

    as_of: str
    models: Mapping[str, str] = field(default_factory=dict)
    verdicts: Mapping[str, str] = field(default_factory=dict)
    popular_items: tuple[Mapping[str, Any], ...] = ()
    snapshot_id: str = ""


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

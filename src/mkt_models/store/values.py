"""What the tables of both stores take: ids, times in UTC, JSON; and the error that says no."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

ID_LENGTH = 64


class StoreError(ValueError):
    """A store that cannot be used, or a row that it refuses; the message says which and why."""


class OutdatedStoreError(StoreError):
    """A live store of an older version: whoever may write brings it up to date."""


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

"""What a run publishes for decisions: customers, consents and contact history, in one SQLite file.

A snapshot is written beside its place and renamed, so that a reader sees the old one or the new
one. What comes in while the service runs is kept by :mod:`mkt_models.store.live`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from mkt_models.store.database import Database
from mkt_models.store.engine import open_new, open_published
from mkt_models.store.records import Consent, Exposure, SnapshotMeta, by_customer, row_of
from mkt_models.store.snapshot_tables import (
    consents_table,
    customers_table,
    exposures_table,
    meta_table,
)
from mkt_models.store.values import StoreError, as_json, checked_id

__all__ = ["Consent", "Exposure", "SnapshotMeta", "Store", "StoreError"]

_BATCH = 1_000


class Store(Database):
    """The customers, consents and exposures of a published snapshot; safe to share by threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Use an engine; :meth:`open` makes one that fits."""
        super().__init__(engine)
        self._document = sa.select(customers_table.c.document).where(
            customers_table.c.customer_id == sa.bindparam("id")
        )
        self._consents_of = (
            sa.select(*(consents_table.c[name] for name in Consent.__slots__))
            .where(consents_table.c.customer_id == sa.bindparam("id"))
            .order_by(consents_table.c.id)
        )
        columns = (exposures_table.c[name] for name in Exposure.__slots__)
        self._exposures_since = (
            sa.select(*columns)
            .where(exposures_table.c.sent_at >= sa.bindparam("since"))
            .order_by(exposures_table.c.sent_at, exposures_table.c.id)
        )
        self._exposures_of = self._exposures_since.where(
            exposures_table.c.customer_id == sa.bindparam("id")
        )

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a published snapshot.

        It is never written, and is read without locks.

        Raises
        ------
        StoreError
            When it is missing, is no snapshot, or is still being written.

        """
        return cls(open_published(path))

    def meta(self) -> SnapshotMeta:
        """What the snapshot was made from; a StoreError if this is no snapshot."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(meta_table.c.key, meta_table.c.value)).all()
        if not rows:
            raise StoreError("this store holds no snapshot: no customers have been published in it")
        found = {key: json.loads(value) for key, value in rows}
        return SnapshotMeta.of_json(json.dumps(found))

    def customer(self, customer_id: str) -> dict[str, Any] | None:
        """The document of one customer, or None."""
        with self._engine.connect() as connection:
            text = connection.execute(self._document, {"id": customer_id}).scalar()
        return None if text is None else json.loads(text)

    def customers(self) -> Iterator[dict[str, Any]]:
        """All documents, by customer id."""
        query = sa.select(customers_table.c.document).order_by(customers_table.c.customer_id)
        with self._engine.connect() as connection:
            for (text,) in connection.execute(query).yield_per(_BATCH):
                yield json.loads(text)

    def consents(self, customer_id: str) -> tuple[Consent, ...]:
        """The consents of one customer, in the order in which they were recorded."""
        with self._engine.connect() as connection:
            rows = connection.execute(self._consents_of, {"id": customer_id})
            return tuple(Consent(*row) for row in rows)

    def exposures(self, customer_id: str, since: datetime) -> tuple[Exposure, ...]:
        """The contacts of one customer from ``since`` (aware) on, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(self._exposures_of, {"id": customer_id, "since": since})
            return tuple(Exposure(*row) for row in rows)

    def all_consents(self) -> dict[str, tuple[Consent, ...]]:
        """The consents of everybody, by customer id: one query for a batch."""
        query = sa.select(*(consents_table.c[name] for name in Consent.__slots__))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(consents_table.c.id))
            return by_customer(Consent(*row) for row in rows)

    def all_exposures(self, since: datetime) -> dict[str, tuple[Exposure, ...]]:
        """The contacts of everybody from ``since`` (aware) on, by customer id."""
        with self._engine.connect() as connection:
            rows = connection.execute(self._exposures_since, {"since": since})
            return by_customer(Exposure(*row) for row in rows)

    @classmethod
    def write_snapshot(
        cls,
        path: str | Path,
        meta: SnapshotMeta,
        documents: Iterable[Mapping[str, Any]],
        consents: Iterable[Consent] = (),
        exposures: Iterable[Exposure] = (),
    ) -> str:
        """Publish a snapshot at ``path`` and return its id, a digest of everything in it.

        Parameters
        ----------
        path
            The SQLite file; replaced at once when all is written, untouched when anything fails.
        meta
            Its ``snapshot_id`` is ignored.
        documents
            One JSON-able mapping per customer, with ``customer_id`` and the ``as_of`` of ``meta``.

        Raises
        ------
        StoreError
            When an id is empty, too long or stands twice, a number is NaN or infinite, or a date
            differs from the snapshot's.

        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        _remove(partial)
        try:
            with cls(open_new(partial)) as store:
                digest = store._fill(meta, documents, consents, exposures)
            partial.replace(path)
        finally:
            _remove(partial)
        return digest

    def _fill(
        self,
        meta: SnapshotMeta,
        documents: Iterable[Mapping[str, Any]],
        consents: Iterable[Consent],
        exposures: Iterable[Exposure],
    ) -> str:
        digest = hashlib.sha256()
        with self._engine.begin() as connection:

            def insert(table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
                batch: list[dict[str, Any]] = []
                for row in rows:
                    digest.update(f"{table.name}{as_json(row, 'row', default=str)}\n".encode())
                    batch.append(row)
                    if len(batch) == _BATCH:
                        connection.execute(table.insert(), batch)
                        batch = []
                if batch:
                    connection.execute(table.insert(), batch)

            insert(customers_table, _documents(documents, meta.as_of))
            insert(consents_table, (row_of(consent, "consent") for consent in consents))
            insert(exposures_table, (row_of(exposure, "exposure") for exposure in exposures))
            about = replace(meta, snapshot_id="").as_dict()
            digest.update(as_json(about, "meta").encode())
            about["snapshot_id"] = digest.hexdigest()[:12]
            rows = [{"key": key, "value": as_json(value, key)} for key, value in about.items()]
            connection.execute(meta_table.insert(), rows)
        return str(about["snapshot_id"])


def _documents(documents: Iterable[Mapping[str, Any]], as_of: str) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for document in documents:
        name = checked_id(document.get("customer_id"), "customer_id")
        if name in seen:
            raise StoreError(f"customer {name!r} stands twice")
        if document.get("as_of") != as_of:
            raise StoreError(
                f"customer {name!r}: as_of is {document.get('as_of')!r}, "
                f"the snapshot's is {as_of!r}"
            )
        seen.add(name)
        yield {"customer_id": name, "document": as_json(document, f"customer {name!r}")}


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)

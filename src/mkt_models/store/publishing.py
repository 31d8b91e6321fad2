"""A snapshot into the live store: served as soon as all of it is written, or not at all."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mkt_models.store import ledger
from mkt_models.store import live_tables as tables
from mkt_models.store.engine import inserter
from mkt_models.store.records import Consent, ContactStatus, Exposure, SnapshotMeta, row_of
from mkt_models.store.values import StoreError, as_json, checked_id

PLACE = "served"
_SERVED_LOCK = 7_238_013  # of PostgreSQL's advisory locks: decisions share it, a publication has it
_BATCH = 1_000


class Superseded(StoreError):
    """Another snapshot was published meanwhile: decide again, by what it says."""


def check_served(connection: sa.Connection, snapshot_id: str) -> None:
    """Make sure that no other snapshot than this one is published until this transaction ends.

    Raises
    ------
    Superseded
        When another one is.

    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_SERVED_LOCK)))
    served = connection.execute(sa.select(tables.current_snapshot.c.snapshot_id)).scalar()
    if served is not None and served != snapshot_id:
        raise Superseded(f"snapshot {served} was published, so {snapshot_id} is not served")


def publish(
    connection: sa.Connection,
    meta: SnapshotMeta,
    documents: Iterable[Mapping[str, Any]],
    now: datetime,
    consents: Iterable[Consent],
    exposures: Iterable[Exposure],
    digest_of: Callable[[str], str],
    today: date,
) -> int:
    """Publish within a transaction that writes; see :meth:`.live.LiveStore.publish`.

    ``digest_of`` hashes an id as those of erased customers are hashed; ``today`` is the shop's day.
    """
    snapshot = checked_id(meta.snapshot_id, "snapshot_id")
    gone = frozenset(connection.execute(sa.select(tables.erased.c.digest)).scalars())

    def is_gone(customer_id: str) -> bool:
        return bool(gone) and digest_of(customer_id) in gone

    for table in (tables.profiles, tables.shadow_prices, tables.snapshots):
        connection.execute(table.delete().where(table.c.snapshot_id == snapshot))
    n = _add_profiles(connection, snapshot, documents, is_gone)
    _add_records(connection, tables.consents, consents, is_gone, {"recorded_at": now})
    sent = {"recorded_at": now, "status": ContactStatus.SENT.value}
    _add_records(connection, tables.exposures, exposures, is_gone, sent)
    row = {"snapshot_id": snapshot, "about": meta.as_json(), "customers": n}
    connection.execute(tables.snapshots.insert(), {**row, "published_at": now})
    keep_prices(connection, meta)
    _remove_old(connection, snapshot)
    if connection.dialect.name == "postgresql":
        # Decisions that have begun end first, and others wait for a moment: they read this one.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SERVED_LOCK)))
    connection.execute(
        inserter(connection)(tables.current_snapshot)
        .values({"place": PLACE, "snapshot_id": snapshot})
        .on_conflict_do_update(index_elements=["place"], set_={"snapshot_id": snapshot})
    )
    if meta.shadow_prices:
        # Last: whoever takes of a budget waits until this is kept.
        ledger.set_amounts(connection, meta.shadow_prices, today)
    return n


def keep_prices(connection: sa.Connection, meta: SnapshotMeta) -> None:
    """Keep what a unit of each budget is worth under a snapshot; known ones stay."""
    rows = [
        {"snapshot_id": meta.snapshot_id, "budget": row["budget"], "price": row["price"]}
        for row in meta.shadow_prices
    ]
    if rows:
        insert = inserter(connection)(tables.shadow_prices)
        connection.execute(insert.on_conflict_do_nothing(), rows)


def _add_profiles(
    connection: sa.Connection,
    snapshot: str,
    documents: Iterable[Mapping[str, Any]],
    is_gone: Callable[[str], bool],
) -> int:
    n = 0
    batch: list[dict[str, Any]] = []
    seen: set[str] = set()
    for document in documents:
        name = checked_id(document.get("customer_id"), "customer_id")
        if name in seen:
            raise StoreError(f"customer {name!r} stands twice")
        seen.add(name)
        if is_gone(name):
            continue
        text = as_json(document, f"customer {name!r}")
        batch.append({"snapshot_id": snapshot, "customer_id": name, "document": text})
        n += 1
        if len(batch) == _BATCH:
            connection.execute(tables.profiles.insert(), batch)
            batch = []
    if batch:
        connection.execute(tables.profiles.insert(), batch)
    return n


def _add_records(
    connection: sa.Connection,
    table: sa.Table,
    records: Iterable[Consent | Exposure],
    is_gone: Callable[[str], bool],
    own: Mapping[str, Any],
) -> None:
    """Add records of a snapshot; one that is there already is known by a key of its content."""
    times: Counter[str] = Counter()
    rows = []
    for record in records:
        if is_gone(record.customer_id):
            continue
        row = row_of(record, table.name)
        content = hashlib.sha256(as_json(row, "row", default=str).encode()).hexdigest()
        times[content] += 1
        rows.append({**row, **own, "key": f"published:{content}/{times[content]}"})
    if rows:
        connection.execute(inserter(connection)(table).on_conflict_do_nothing(), rows)


def _remove_old(connection: sa.Connection, served: str) -> None:
    table = tables.snapshots
    query = sa.select(table.c.snapshot_id).where(table.c.snapshot_id != served)
    before = connection.execute(query.order_by(table.c.published_at.desc())).scalars().all()
    for name in before[1:]:
        for one in (tables.profiles, tables.shadow_prices, table):
            connection.execute(one.delete().where(one.c.snapshot_id == name))
